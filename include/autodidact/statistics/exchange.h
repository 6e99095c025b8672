/* An exact test of paired counts. */
#ifndef AUTODIDACT_STATISTICS_EXCHANGE_H
#define AUTODIDACT_STATISTICS_EXCHANGE_H

#include "autodidact/statistics/statistics.h"

/* Two-sided p of the sum of the differences d [m] of two arms at m independent levels, against all 2^m exchanges of the
 * arms within levels: the share of exchanges with a sum at least as far from 0. With differences of 0 and 1 alone this
 * is McNemar's exact test (1947). A reason where all differences are 0. AD_ENOMEM. */
int ad_exchange_test(struct ad_figure *p, size_t m, const long *d);

#endif
