/* Distribution functions and quantiles that the statistics use, each within 1e-13 of its own size of SciPy's. What is
 * not defined is NaN. They call exp, log and erfc of the C library: no saved bit of a run comes from here. */
#ifndef AUTODIDACT_SRC_STATISTICS_DISTRIBUTIONS_H
#define AUTODIDACT_SRC_STATISTICS_DISTRIBUTIONS_H

#include <stddef.h>

/* The standard normal distribution: P(Z <= z), P(Z > z), density. */
double ad__normal_lower(double z);
double ad__normal_upper(double z);
double ad__normal_density(double z);

/* The z with P(Z > z) = q, 0 <= q <= 1. */
double ad__normal_upper_quantile(double q);

/* Student's t with df > 0 degrees of freedom, a whole number or not: P(T > t), and the t with P(T > t) = q. */
double ad__t_upper(double t, double df);
double ad__t_upper_quantile(double q, double df);

/* The x with P(F <= x) = p of the F distribution, 0 <= p <= 1. */
double ad__f_lower_quantile(double p, double df_above, double df_below);

/* P(X <= k) of the heads X of n fair coins. */
double ad__coins_lower(size_t k, size_t n);

/* The logarithm of the gamma function, z > 0. */
double ad__log_gamma(double z);

#endif
