/* Whether arms have the same spread. Letters: k arms. */
#ifndef AUTODIDACT_STATISTICS_SPREAD_H
#define AUTODIDACT_STATISTICS_SPREAD_H

#include "autodidact/statistics/statistics.h"

struct ad_spread {
  struct ad_figure f, p;
  size_t df1, df2;
};

/* Brown and Forsythe (1974): one-way analysis of variance of |x - median of its arm| over arms values[0 .. k-1], of
 * counts[i] runs each. Arms without runs are left out. AD_ENOMEM. */
int ad_brown_forsythe(struct ad_spread *spread, size_t k, const size_t *counts, const double *const *values);

struct ad_sd_ratio {
  struct ad_figure ratio;      /* SD(a) / SD(b) */
  struct ad_interval interval; /* exp of the percentile bootstrap interval of log(SD(a) / SD(b)) */
  struct ad_figure
      p; /* permutation test, two-sided: (1 + share not below the seen |log ratio|) as (1 + c)/(1 + replicates) */
};

/* Of a [na] and b [nb]. paired: na = nb and run i of both has the same seeds, so that pairs are drawn, and permuted by
 * exchanging the two of a pair. What is permuted are deviations from the arm's median. AD_ENOMEM. */
int ad_compare_sd(struct ad_sd_ratio *ratio, size_t na, const double *a, size_t nb, const double *b, int paired,
                  const struct ad_resampling *how);

#endif
