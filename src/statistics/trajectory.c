#include "autodidact/statistics/trajectory.h"

#include "autodidact/base/memory.h"
#include "autodidact/base/sort.h"
#include "autodidact/base/status.h"
#include "resample.h"

int ad_bands(struct ad_band *band, size_t R, size_t T, const double *values) {
  static const double p[AD_BAND_QUANTILES] = {0.05, 0.25, 0.5, 0.75, 0.95};
  double *column = ad_malloc(R, sizeof *column);
  if (column == NULL) {
    return ad_fail_memory(R * sizeof *column, "a band over runs");
  }
  for (size_t t = 0; t < T; t++) {
    size_t n = 0;
    for (size_t r = 0; r < R; r++) {
      if (isfinite(values[r * T + t])) {
        column[n++] = values[r * T + t];
      }
    }
    ad_sort_doubles(n, column);
    band[t].n = n;
    for (size_t q = 0; q < AD_BAND_QUANTILES; q++) {
      band[t].quantile[q] =
          n == 0 ? ad_figure_none(AD__WHY_NO_RUNS) : ad_figure_of(ad_quantile_sorted(n, column, p[q]));
    }
  }
  ad_free(column);
  return AD_OK;
}

double ad_sketch_product(size_t m, const int64_t *a1, const int64_t *a0, const int64_t *b1, const int64_t *b0) {
  double sum = 0.0;
  for (size_t i = 0; i < m; i++) {
    /* Differences modulo 2^64, as the sketch itself is. */
    const double a = (double)(int64_t)((uint64_t)a1[i] - (uint64_t)a0[i]) * 0x1p-36;
    const double b = (double)(int64_t)((uint64_t)b1[i] - (uint64_t)b0[i]) * 0x1p-36;
    sum += a * b;
  }
  return sum;
}

void ad_noise_scale_of(struct ad_noise_scale *noise, size_t T, const double *few_norm, const double *many_norm,
                       const double *few, const double *many) {
  double gradient = 0.0, covariance = 0.0;
  size_t steps = 0;
  for (size_t t = 0; t < T; t++) {
    if (isfinite(few_norm[t]) && isfinite(many_norm[t]) && few[t] > 0 && few[t] < many[t]) {
      gradient += (many[t] * many_norm[t] - few[t] * few_norm[t]) / (many[t] - few[t]);
      covariance += (few_norm[t] - many_norm[t]) / (1 / few[t] - 1 / many[t]);
      steps++;
    }
  }
  const char *why = steps == 0 ? "no step has the norms of gradients over two numbers of examples" : NULL;
  *noise = (struct ad_noise_scale){steps, ad_figure_none(why), ad_figure_none(why), ad_figure_none(why)};
  if (steps == 0) {
    return;
  }
  noise->gradient = ad_figure_of(gradient / (double)steps);
  noise->covariance = ad_figure_of(covariance / (double)steps);
  noise->scale = gradient > 0.0 && covariance >= 0.0
                     ? ad_figure_of(covariance / gradient)
                     : ad_figure_none("the squared gradient or its covariance is estimated as negative: too few steps");
}
