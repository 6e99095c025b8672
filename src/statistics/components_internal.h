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
  double k[AD_COMPONENTS], ms[AD_COMPONENTS], df[AD_COMPONENTS];
};
double ad__combination_value(const struct combination *c);
struct ad_interval ad__combination_satterthwaite(const struct combination *c, double level);
struct ad_crossed_mean ad__combination_mean(const struct combination *c, double mean, double level);
struct ad_interval ad__combination_mls(const struct combination *c, double level);

/* Sums of squares of every term of a complete table values[i[a], j[b], k[c]] with n[0] x n[1] x n[2] cells into
 * squares [TERMS], 0 for the empty term. index[f] [n[f]]: levels of the table, NULL: all in order. extent: of the
 * table in memory. sums: work memory, [(n[0] + 1)(n[1] + 1)(n[2] + 1)]. */
void ad__table_squares(const double *values, const size_t extent[AD_FACTORS], const size_t n[AD_FACTORS],
                       const uint32_t *const index[AD_FACTORS], double *sums, double squares[TERMS]);

/* Two-way with missing cells. AD_ENOMEM. */
int ad__analyse_two_way(struct ad_components *components, const struct ad_design *design, double level);

#endif
