/* Statistics of a study: figures that may not exist, summaries of an arm, rank correlation, correction for many tests.
 *
 * Nothing here fails for statistical reasons: a figure that does not exist (one run, equal values, a value that is not
 * finite) carries the reason in words, so that no NaN is ever printed without one. What functions return is AD_OK, or
 * AD_ENOMEM where they need memory. docs/statistics.md has each formula with its source and its limits.
 *
 * Letters: n values, R runs, N examples, C classes, k arms. */
#ifndef AUTODIDACT_STATISTICS_STATISTICS_H
#define AUTODIDACT_STATISTICS_STATISTICS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* A number, or why there is none. */
struct ad_figure {
  double value;    /* finite where why is NULL, NaN otherwise */
  const char *why; /* NULL: the number is there; else a text that lives for ever */
};

/* Two numbers with low <= high, or why there are none. */
struct ad_interval {
  double low, high; /* finite where why is NULL, NaN otherwise */
  const char *why;
};

/* A computed number as a figure: one that is not finite gets a reason. */
static inline struct ad_figure ad_figure_of(double value) {
  return isfinite(value) ? (struct ad_figure){value, NULL}
                         : (struct ad_figure){NAN, "the formula gives no finite number"};
}

/* No number, for the reason `why`. */
static inline struct ad_figure ad_figure_none(const char *why) {
  return (struct ad_figure){NAN, why};
}

/* The same for intervals. */
static inline struct ad_interval ad_interval_of(double low, double high) {
  return isfinite(low) && isfinite(high) ? (struct ad_interval){low, high, NULL}
                                         : (struct ad_interval){NAN, NAN, "the formula gives no finite number"};
}
static inline struct ad_interval ad_interval_none(const char *why) {
  return (struct ad_interval){NAN, NAN, why};
}

/* How intervals and permutation tests draw: replicate r of a statistic is a pure function of (seed, r), from Philox
 * (base/random.h, AD_STREAM_STATS). Draw i of replicate r is floor(w n / 2^32), w being word i % 4 of the block with
 * the counter (i / 4, r, purpose, stream) and the key seed. */
struct ad_resampling {
  uint64_t seed;
  size_t replicates; /* at least 100 */
  double level;      /* of confidence, as 0.95 */
};

/* Replicates for n values: 10,000, less where that were more than 20 million draws, never below 1,000. */
size_t ad_resample_count(size_t n);

/* a - b of values that were computed: 0 where they differ by roundings only, so that no spread is made of these. */
double ad_difference(double a, double b);

/* The same for a [n] and b [n] into d [n], which may be a; differences that differ by roundings only are all the first
 * one. NaN where a or b is. */
void ad_differences(size_t n, const double *a, const double *b, double *d);

/* ---- One arm ---- */

/* The quantile of ascending values [n], n > 0, 0 <= p <= 1: linear between the values around (n - 1) p (definition 7 of
 * Hyndman, Fan 1996; NumPy's and SciPy's default). */
double ad_quantile_sorted(size_t n, const double *sorted, double p);

struct ad_summary {
  size_t n;
  struct ad_figure mean, median, sd; /* sd: divisor n - 1 */
  struct ad_figure minimum, maximum;
  struct ad_figure lower, upper, iqr; /* quartiles, ad_quantile_sorted, and their difference */
  struct ad_interval mean_interval;   /* mean -+ t(n - 1) sd / sqrt(n) */
  struct ad_interval sd_interval;     /* sd sqrt((n - 1) / chi2(n - 1)), for normal values */
};

/* Of values [n]; n may be 0. level: of confidence. AD_ENOMEM. */
int ad_summarize(struct ad_summary *summary, size_t n, const double *values, double level);

/* The score interval of a share, `count` of n (Wilson 1927): (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
 */
struct ad_interval ad_wilson(size_t count, size_t n, double level);

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

/* Holm's (1979) adjusted p-values of p [k] into adjusted [k]: the largest, over the p up to this one in ascending
 * order, of (number of tests not smaller) p, at most 1. Those that do not exist are no tests and stay missing.
 * AD_ENOMEM. */
int ad_holm(size_t k, const struct ad_figure *p, struct ad_figure *adjusted);

#endif
