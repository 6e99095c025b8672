#include "autodidact/statistics/exchange.h"

#include <stdlib.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* Adds +size and -size with equal chances; share [2 * total + 1] of the sums from -total on. next: work memory. */
static void spread_sums(double *share, double *next, size_t total, size_t size) {
  for (size_t s = 0; s <= 2 * total; s++) {
    next[s] = 0.5 * ((s >= size ? share[s - size] : 0.0) + (s + size <= 2 * total ? share[s + size] : 0.0));
  }
  for (size_t s = 0; s <= 2 * total; s++) {
    share[s] = next[s];
  }
}

int ad_exchange_test(struct ad_figure *p, size_t m, const long *d) {
  size_t total = 0, seen;
  long sum = 0;
  for (size_t i = 0; i < m; i++) {
    total += (size_t)labs(d[i]);
    sum += d[i];
  }
  seen = (size_t)labs(sum);
  if (total == 0) {
    *p = ad_figure_none("the arms do not differ at any level");
    return AD_OK;
  }
  double *share = ad_calloc(2 * (2 * total + 1), sizeof *share), tail = 0.0;
  if (share == NULL) {
    return ad_fail_memory(2 * (2 * total + 1) * sizeof *share, "the distribution of sums");
  }
  share[total] = 1.0;
  for (size_t i = 0; i < m; i++) {
    if (d[i] != 0) {
      spread_sums(share, share + 2 * total + 1, total, (size_t)labs(d[i]));
    }
  }
  for (size_t s = 0; s <= 2 * total; s++) {
    tail += s + seen <= total || s >= total + seen ? share[s] : 0.0;
  }
  ad_free(share);
  *p = ad_figure_of(tail < 1.0 ? tail : 1.0);
  return AD_OK;
}
