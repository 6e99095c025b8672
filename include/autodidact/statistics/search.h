/* What a search over seeds is worth: the best of n runs, and runs that are stopped early. Letters: N runs, n of them
 * that a reader could afford, F points in time at which runs were scored. */
#ifndef AUTODIDACT_STATISTICS_SEARCH_H
#define AUTODIDACT_STATISTICS_SEARCH_H

#include "autodidact/statistics/statistics.h"

/* ---- Expected best of n ---- */

struct ad_best_of {
  size_t n;
  struct ad_figure plug_in;  /* sum_i v_(i) ((i/N)^n - ((i-1)/N)^n): n draws with replacement (Dodge et al. 2019) */
  struct ad_figure unbiased; /* sum_i v_(i) C(i-1, n-1) / C(N, n): n different runs (Tang et al. 2020) */
  struct ad_interval band;   /* of one best of n: quantiles (1 -+ level)/2 of the plug-in distribution */
};

/* The values of n to show for N runs: 1, 2, ..., then growing by a tenth, up to N / 2; at most `most`, into n [most].
 */
size_t ad_best_of_counts(size_t N, size_t most, size_t *n);

/* For each n[k] <= N of count, into best [count]. higher: 1 where the largest value is the best. AD_ENOMEM. */
int ad_best_of(struct ad_best_of *best, size_t count, const size_t *n, size_t N, const double *values, int higher,
               double level);

/* ---- Stopping early (Dodge et al. 2020) ---- */

struct ad_early_plan {
  struct ad_figure expected; /* score at the end of the best run that the plan trains to the end */
  size_t started, kept;      /* runs started, and kept at `point` */
  size_t point;              /* index of the time at which the others stop; F where none is stopped */
  double cost;               /* in whole trainings: started f + kept (1 - f) */
};

/* For budgets of 1 .. count whole trainings into plan [count] (the best plan found) and plain [count] (as many runs,
 * all trained to the end). scores [N,F]: of each run at fractions share[f] of its training, ascending, the last one 1.
 * At a point the runs with the best score so far are kept. Expected scores are means over how->replicates draws of
 * `started` runs with replacement. The draws of a number of runs are the same for every plan, so the choice of the best
 * plan is optimistic. At least 2 runs. AD_ENOMEM. */
int ad_early_frontier(struct ad_early_plan *plan, struct ad_early_plan *plain, size_t count, size_t N, size_t F,
                      const double *scores, const double *share, int higher, const struct ad_resampling *how);

#endif
