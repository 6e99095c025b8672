#include "resample.h"

#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/sort.h"
#include "autodidact/base/status.h"

void ad__draw_indices(const struct ad_resampling *how, uint32_t purpose, size_t replicate, size_t n, size_t below,
                      uint32_t *index) {
  const uint32_t key[2] = {(uint32_t)how->seed, (uint32_t)(how->seed >> 32)};
  for (size_t i = 0; i < n; i += 4) {
    const uint32_t counter[4] = {(uint32_t)(i / 4), (uint32_t)replicate, purpose, AD_STREAM_STATS};
    uint32_t words[4];
    ad_philox(counter, key, words);
    for (size_t j = 0; j < 4 && i + j < n; j++) {
      index[i + j] = (uint32_t)((uint64_t)words[j] * below >> 32);
    }
  }
}

double ad__rank_values(size_t n, const double *values, double *ranks, size_t *order) {
  double ties = 0.0;
  ad_sort_places(n, values, order);
  for (size_t first = 0, next; first < n; first = next) {
    for (next = first + 1; next < n && values[order[next]] == values[order[first]]; next++) {
    }
    const double t = (double)(next - first);
    ties += t * t * t - t;
    for (size_t i = first; i < next; i++) {
      ranks[order[i]] = (double)(first + 1 + next) / 2.0;
    }
  }
  return ties;
}

int ad__all_finite(size_t n, const double *values) {
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(values[i])) {
      return 0;
    }
  }
  return 1;
}

int ad__all_equal(size_t n, const double *values) {
  for (size_t i = 1; i < n; i++) {
    if (ad_difference(values[i], values[0]) != 0.0) {
      return 0;
    }
  }
  return 1;
}

int ad__sort_copy(size_t n, const double *values, const char *what, double **sorted) {
  *sorted = ad_malloc(n, sizeof **sorted);
  if (*sorted == NULL) {
    return ad_fail_memory(n * sizeof **sorted, what);
  }
  memcpy(*sorted, values, n * sizeof **sorted);
  ad_sort_doubles(n, *sorted);
  return AD_OK;
}

struct ad_interval ad__percentile_interval(size_t count, double *replicates, double level) {
  for (size_t i = 0; i < count; i++) {
    if (isnan(replicates[i])) {
      return ad_interval_none("not defined in some resamples: too few different values");
    }
  }
  ad_sort_doubles(count, replicates);
  if (count == 0 || replicates[0] == replicates[count - 1]) {
    return ad_interval_none("all resamples give the same value");
  }
  const double low = ad_quantile_sorted(count, replicates, 0.5 - level / 2),
               high = ad_quantile_sorted(count, replicates, 0.5 + level / 2);
  return isfinite(low) && isfinite(high) ? ad_interval_of(low, high)
                                         : ad_interval_none("not finite in many resamples: too few different values");
}
