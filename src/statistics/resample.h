/* Draws, sorting and intervals that the statistics share. */
#ifndef AUTODIDACT_SRC_STATISTICS_RESAMPLE_H
#define AUTODIDACT_SRC_STATISTICS_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/statistics/statistics.h"

/* Part of a draw's counter, so that no two statistics share draws by chance; those that should share them use one. */
enum draw_purpose {
  DRAW_PAIRS = 1,    /* runs of one arm, or pairs of two */
  DRAW_SECOND = 2,   /* runs of the other arm */
  DRAW_SHUFFLE = 3,  /* permutation tests */
  DRAW_EXAMPLES = 8, /* examples */
  DRAW_TRIALS = 9    /* trials of an early-stopping plan; plus the number of the plan */
};

/* n draws below `below` of a replicate into index [n]. */
void ad__draw_indices(const struct ad_resampling *how, uint32_t purpose, size_t replicate, size_t n, size_t below,
                      uint32_t *index);

/* Ranks from 1 of values [n] into ranks [n], equal ones having the mean of their ranks. Returns the sum of t^3 - t over
 * groups of t equal values. order [n]: work memory. None may be NaN. */
double ad__rank_values(size_t n, const double *values, double *ranks, size_t *order);

/* 1 where all are finite; where they are equal but for roundings. */
int ad__all_finite(size_t n, const double *values);
int ad__all_equal(size_t n, const double *values);

/* values [n] in ascending order into *sorted, which the caller frees; `what` they are. AD_ENOMEM. */
int ad__sort_copy(size_t n, const double *values, const char *what, double **sorted);

/* The quantiles (1 -+ level) / 2 of replicates [count], which are sorted here. */
struct ad_interval ad__percentile_interval(size_t count, double *replicates, double level);

/* Reasons for a figure that does not exist. */
#define AD__WHY_NOT_FINITE "a value is not finite"
#define AD__WHY_NO_RUNS "no runs"
#define AD__WHY_ONE_RUN "needs at least 2 runs"
#define AD__WHY_TWO_RUNS "needs at least 3 runs"
#define AD__WHY_EQUAL "all values are equal"

#endif
