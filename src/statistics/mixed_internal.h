/* What the files on means of runs that share seeds share. */
#ifndef AUTODIDACT_SRC_STATISTICS_MIXED_INTERNAL_H
#define AUTODIDACT_SRC_STATISTICS_MIXED_INTERNAL_H

#include "autodidact/statistics/mixed.h"

/* Error and degrees of freedom of the mean of values [n] that are a complete table of two terms, for an interval of
 * this level; *is_grid 0: they are none. AD_ENOMEM. */
int ad__grid_error(size_t n, const double *values, const struct ad_terms *terms, double level, int *is_grid,
                   double *error, double *df);

#endif
