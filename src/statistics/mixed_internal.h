/* What the files on means of runs that share seeds share. */
#ifndef AUTODIDACT_SRC_STATISTICS_MIXED_INTERNAL_H
#define AUTODIDACT_SRC_STATISTICS_MIXED_INTERNAL_H

#include "autodidact/statistics/mixed.h"

/* The error of a mean and its degrees of freedom, for an interval of one level. why: there is none. */
struct ad__mean_error {
  const char *why;
  double error, df;
  int is_tested; /* 1 where a test by them has a size near its own */
};

/* Of values [n] whose terms are crossed, each with each other; cells may be missing. AD_ENOMEM. */
int ad__crossed_error(size_t n, const double *values, const struct ad_terms *terms, double level,
                      struct ad__mean_error *error);

/* The term whose levels hold whole levels of all other terms: where orders are nested in inits, init; terms->count
 * where there is none. */
size_t ad__outer_term(const struct ad_terms *terms, size_t n);

#endif
