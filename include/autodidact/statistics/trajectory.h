/* Numbers along training: bands over seeds, distances between runs, the gradient noise scale. Letters: R runs, T points
 * in time, m buckets of a sketch. */
#ifndef AUTODIDACT_STATISTICS_TRAJECTORY_H
#define AUTODIDACT_STATISTICS_TRAJECTORY_H

#include "autodidact/statistics/statistics.h"

enum { AD_BAND_QUANTILES = 5 };

/* Quantiles .05, .25, .5, .75, .95 over the runs that have a value at a point (ad_quantile_sorted). */
struct ad_band {
  size_t n; /* runs */
  struct ad_figure quantile[AD_BAND_QUANTILES];
};

/* values [R,T], NaN where a run has none; into band [T]. AD_ENOMEM. */
int ad_bands(struct ad_band *band, size_t R, size_t T, const double *values);

/* Estimated dot product of two displacements (a1 - a0) . (b1 - b0) from the count sketches [m] of the four parameter
 * vectors (docs/hdf5.md): unbiased; of a displacement with itself the squared distance, with a relative SD of about
 * sqrt(2 / m). */
double ad_sketch_product(size_t m, const int64_t *a1, const int64_t *a0, const int64_t *b1, const int64_t *b0);

struct ad_noise_scale {
  size_t steps;                /* used */
  struct ad_figure scale;      /* S / |G|^2, in examples */
  struct ad_figure gradient;   /* |G|^2 of the true gradient */
  struct ad_figure covariance; /* S = tr(covariance) of one example's gradient */
};

/* McCandlish et al. 2018, appendix A.1, from the squared norms of mean gradients over `few` examples and over `many` at
 * each of T steps. |G|^2 = mean of (many |G_many|^2 - few |G_few|^2) / (many - few), S = mean of (|G_few|^2 -
 * |G_many|^2) / (1 / few - 1 / many). Numerator and denominator are averaged over the steps apart. few_norm [T],
 * many_norm [T] (squared), few [T], many [T]; steps with a NaN or with few >= many are left out. */
void ad_noise_scale_of(struct ad_noise_scale *noise, size_t T, const double *few_norm, const double *many_norm,
                       const double *few, const double *many);

#endif
