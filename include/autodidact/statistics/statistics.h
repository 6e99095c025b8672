/* What all statistics share: figures that may not exist, differences, quantiles, resampling.
 *
 * Nothing here fails for statistical reasons. A figure that does not exist (one run, equal values, a value that is not
 * finite) carries the reason in words. So no NaN is ever printed without one. What functions return is AD_OK, or
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

/* The quantile of ascending values [n], n > 0, 0 <= p <= 1: linear between the values around (n - 1) p (definition 7 of
 * Hyndman, Fan 1996; NumPy's and SciPy's default). */
double ad_quantile_sorted(size_t n, const double *sorted, double p);

#endif
