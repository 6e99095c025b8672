/* What a machine does with matrix products. */
#ifndef AUTODIDACT_RUN_DOCTOR_H
#define AUTODIDACT_RUN_DOCTOR_H

#include "autodidact/math/context.h"

/* Products [n,n], and how many of them a rate is the median of. */
enum { AD_DOCTOR_SQUARE = 1024, AD_DOCTOR_REPEATS = 7 };

/* The alignment of rows that the products of small and base encoders need, 1: none (ad_gemm_prepare). Not collective.
 * AD_EINTERNAL, AD_ENOMEM. */
int ad_doctor_rows(const struct ad_math *math);

/* GF/s on one core of the products in use, and of OpenBLAS, the yardstick. Not collective. AD_ENOMEM. */
int ad_doctor_rates(const struct ad_math *math, double *in_use, double *openblas);

#endif
