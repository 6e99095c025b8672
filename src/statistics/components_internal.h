/* What the parts of the analysis of variance share. Terms are sets of factors, as bits. */
#ifndef AUTODIDACT_SRC_STATISTICS_COMPONENTS_INTERNAL_H
#define AUTODIDACT_SRC_STATISTICS_COMPONENTS_INTERNAL_H

#include "autodidact/statistics/components.h"
#include "resample.h"

enum { TERMS = 8 }; /* subsets of three factors */

/* A sum of squares computed from values of this size, as a part of `total`: 0 where it is not above the roundings of
 * the values, and of the squares that were subtracted. */
static inline double squares_of(double computed, double total, double cells, double size) {
  return computed <= 1e-13 * total + cells * (1e-14 * size) * (1e-14 * size) ? 0.0 : computed;
}

/* A variance as a combination of independent mean squares, sum of k[q] ms[q]. */
struct combination {
  size_t count;
  double k[AD_COMPONENTS], ms[AD_COMPONENTS];
};

#endif
