/* Summaries of an arm, rank correlation, correction for many tests. Letters: n values, k tests. */
#ifndef AUTODIDACT_STATISTICS_SUMMARY_H
#define AUTODIDACT_STATISTICS_SUMMARY_H

#include "autodidact/statistics/statistics.h"

/* ---- One arm ---- */

struct ad_summary {
  size_t n;
  struct ad_figure mean, median, sd; /* sd: divisor n - 1 */
  struct ad_figure minimum, maximum;
  struct ad_figure lower, upper, iqr; /* quartiles, ad_quantile_sorted, and their difference */
};

/* Of values [n]; n may be 0. AD_ENOMEM. */
int ad_summarize(struct ad_summary *summary, size_t n, const double *values);

/* The score interval of a share, `count` of n, ties counting half (Wilson 1927): (p + z^2/2n -+ z sqrt(p(1-p)/n +
 * z^2/4n^2)) / (1 + z^2/n).
 */
struct ad_interval ad_wilson(double count, size_t n, double level);

/* ---- Two columns ---- */

struct ad_correlation {
  size_t n;
  struct ad_figure rho, p;     /* p: two-sided, t = rho sqrt((n - 2) / (1 - rho^2)) with n - 2 degrees of freedom */
  struct ad_interval interval; /* tanh(atanh rho -+ z sqrt((1 + rho^2 / 2) / (n - 3))), Bonett, Wright 2000 */
};

/* Spearman's rank correlation of x [n] and y [n]: Pearson's of the ranks, equal values having the mean of their ranks.
 * AD_ENOMEM. */
int ad_spearman(struct ad_correlation *correlation, size_t n, const double *x, const double *y, double level);

/* ---- Many tests ---- */

/* Holm's (1979) adjusted p-values of p [k] into adjusted [k]. Each is the largest of (number of tests not smaller) p
 * over the p up to this one in ascending order, at most 1. Those that do not exist are no tests and stay missing.
 * AD_ENOMEM. */
int ad_holm(size_t k, const struct ad_figure *p, struct ad_figure *adjusted);

#endif
