/* Whether two arms have the same spread over seeds. Letters: n runs of each arm, on the same seeds; m levels of a seed.
 */
#ifndef AUTODIDACT_STATISTICS_SPREAD_H
#define AUTODIDACT_STATISTICS_SPREAD_H

#include "autodidact/statistics/mixed.h"

enum {
  AD_SPREADS = 3,
  AD_SPREAD_LEVELS = 6, /* least of an interval */
  AD_TEST_LEVELS = 10   /* least of both seeds that are crossed, for a test of 5 % to have a size of 3 to 7 % */
};

/* SD(a) / SD(b) of one source of chance. */
struct ad_spread {
  char source[96]; /* "total", "init", "order within init" */
  size_t levels;   /* m that are independent: what the interval counts */
  struct ad_figure ratio;
  struct ad_interval interval; /* exp of log ratio -+ t(m - 1) times its jackknife error, whole levels left out */
  struct ad_figure error, df;  /* of the logarithm */
  struct ad_figure p;          /* two-sided, of a ratio of 1 */
  const char *test;            /* how p was found */
};

struct ad_spreads {
  size_t count;
  struct ad_spread items[AD_SPREADS]; /* [count] the total first */
};

/* Of a [n] and b [n], run i of both with the same seeds, which `terms` describe.
 * - No term: the runs are the levels, and the SD is theirs.
 * - One term (nested): total, from the means of its levels and the spread within; within its levels, pooled.
 * - Two crossed terms without missing cells: total, the sum of the components; the SD of the means of the levels of
 * each term.
 * - Other designs: no figures, with a reason.
 * Whole levels are left out (Miller 1968), and exchanged between the arms by the permutation test, after the mean of
 * each arm was taken off: (1 + c) / (1 + replicates). The total of crossed terms leaves out levels of either term,
 * error^2 = half the sum of both, or the sum less that of single cells, if that is larger; there is no p. AD_ENOMEM. */
int ad_compare_spread(struct ad_spreads *spreads, size_t n, const double *a, const double *b,
                      const struct ad_terms *terms, const struct ad_resampling *how);

#endif
