#include "autodidact/statistics/statistics.h"

double ad_quantile_sorted(size_t n, const double *sorted, double p) {
  const double place = p * (double)(n - 1);
  const size_t lower = (size_t)place;
  if (lower + 1 >= n) {
    return sorted[n - 1];
  }
  const double part = place - (double)lower;
  /* Infinite neighbours are not mixed with weights of 0. */
  return part == 0.0 ? sorted[lower] : sorted[lower] + part * (sorted[lower + 1] - sorted[lower]);
}

/* Far above what a sum of values loses, far below what a score can differ by. */
static const double ROUNDING = 1e-12;

double ad_difference(double a, double b) {
  return fabs(a - b) <= ROUNDING * fmax(fabs(a), fabs(b)) ? 0.0 : a - b;
}

void ad_differences(size_t n, const double *a, const double *b, double *d) {
  double size = 0.0, low = INFINITY, high = -INFINITY;
  size_t first = n;
  for (size_t i = 0; i < n; i++) {
    size = fmax(size, fmax(fabs(a[i]), fabs(b[i])));
    d[i] = ad_difference(a[i], b[i]);
    first = first == n && !isnan(d[i]) ? i : first;
    low = fmin(low, d[i]);
    high = fmax(high, d[i]);
  }
  for (size_t i = 0; i < n && high - low <= ROUNDING * size; i++) {
    d[i] = isnan(d[i]) ? d[i] : d[first];
  }
}

size_t ad_resample_count(size_t n) {
  const size_t most = 10000, least = 1000, draws = 20000000;
  const size_t count = n == 0 ? most : draws / n;
  return count > most ? most : count < least ? least : count;
}
