#include "autodidact/statistics/aggregate.h"

#include <math.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "resample.h"

static double mean_of(size_t n, const double *values) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += values[i];
  }
  return sum / (double)n;
}

static const char *why_no_change(size_t n, const double *a, const double *b) {
  return n == 0                                           ? AD__WHY_NO_RUNS
         : !ad__all_finite(n, a) || !ad__all_finite(n, b) ? AD__WHY_NOT_FINITE
         : !(mean_of(n, b) > 0.0)                         ? "the baseline's mean is not above 0"
                                                          : NULL;
}

struct ad_figure ad_relative_change(size_t n, const double *a, const double *b, double *each) {
  const char *why = why_no_change(n, a, b);
  if (why != NULL) {
    for (size_t i = 0; i < n; i++) {
      each[i] = NAN;
    }
    return ad_figure_none(why);
  }
  const double base = mean_of(n, b), change = ad_difference(mean_of(n, a), base) / base;
  for (size_t i = 0; i < n; i++) {
    /* Pairs in the same ratio differ by roundings only. */
    each[i] = change + ad_difference(a[i], (1 + change) * b[i]) / base;
  }
  return ad_figure_of(change);
}

int ad_probability_lower(struct ad_figure *probability, size_t n, const double *x, size_t m, const double *y) {
  if (n == 0 || m == 0 || !ad__all_finite(n, x) || !ad__all_finite(m, y)) {
    *probability = ad_figure_none(n == 0 || m == 0 ? AD__WHY_NO_RUNS : AD__WHY_NOT_FINITE);
    return AD_OK;
  }
  double *sorted, lower = 0.0;
  AD_TRY(ad__sort_copy(m, y, "the runs of an arm", &sorted));
  for (size_t i = 0; i < n; i++) {
    size_t low = 0, high = m;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      *(sorted[middle] < x[i] ? &low : &high) = sorted[middle] < x[i] ? middle + 1 : middle;
    }
    size_t equal = 0;
    while (low + equal < m && sorted[low + equal] == x[i]) {
      equal++;
    }
    lower += (double)(m - low - equal) + 0.5 * (double)equal;
  }
  ad_free(sorted);
  *probability = ad_figure_of(lower / (double)n / (double)m);
  return AD_OK;
}

int ad_interquartile_mean(struct ad_figure *mean, size_t n, const double *values) {
  if (n == 0 || !ad__all_finite(n, values)) {
    *mean = ad_figure_none(n == 0 ? AD__WHY_NO_RUNS : AD__WHY_NOT_FINITE);
    return AD_OK;
  }
  double *sorted;
  AD_TRY(ad__sort_copy(n, values, "the runs of an arm", &sorted));
  *mean = ad_figure_of(mean_of(n - 2 * (n / 4), sorted + n / 4));
  ad_free(sorted);
  return AD_OK;
}
