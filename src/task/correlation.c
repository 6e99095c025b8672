#include "autodidact/task/correlation.h"

#include <math.h>

#include "autodidact/base/sort.h"

static double mean_of(size_t n, const double *x) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += x[i];
  }
  return sum / (double)n;
}

/* Equal values may have a mean that is not their value, so deviations do not tell. */
static int is_constant(size_t n, const double *x) {
  size_t i = 1;
  while (i < n && x[i] == x[0]) {
    i++;
  }
  return i >= n;
}

static int is_finite(size_t n, const double *x) {
  size_t i = 0;
  while (i < n && isfinite(x[i])) {
    i++;
  }
  return i == n;
}

double ad_correlation_pearson(size_t n, const double *x, const double *y) {
  if (!is_finite(n, x) || !is_finite(n, y)) {
    return NAN;
  }
  if (is_constant(n, x) || is_constant(n, y)) {
    return 0.0;
  }
  const double mean_x = mean_of(n, x), mean_y = mean_of(n, y);
  double xx = 0.0, yy = 0.0, xy = 0.0;
  for (size_t i = 0; i < n; i++) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  const double r = xy / (sqrt(xx) * sqrt(yy));
  return r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
}

void ad_correlation_ranks(size_t n, const double *values, size_t *order, double *ranks) {
  ad_sort_places(n, values, order);
  for (size_t first = 0, end; first < n; first = end) {
    end = first + 1;
    while (end < n && values[order[end]] == values[order[first]]) {
      end++;
    }
    for (size_t i = first; i < end; i++) {
      ranks[order[i]] = 0.5 * (double)(first + 1 + end);
    }
  }
}

double ad_correlation_r2(size_t n, const double *labels, const double *predictions) {
  const double mean = mean_of(n, labels);
  double left = 0.0, all = 0.0;
  for (size_t i = 0; i < n; i++) {
    left += (labels[i] - predictions[i]) * (labels[i] - predictions[i]);
    all += (labels[i] - mean) * (labels[i] - mean);
  }
  if (is_constant(n, labels)) {
    return left == 0.0 ? 1.0 : isnan(left) ? NAN : 0.0;
  }
  return 1.0 - left / all;
}

double ad_correlation_mse(size_t n, const double *labels, const double *predictions) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += (labels[i] - predictions[i]) * (labels[i] - predictions[i]);
  }
  return sum / (double)n;
}
