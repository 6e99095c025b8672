/* What several benchmarks share. */
#ifndef AUTODIDACT_BENCH_H
#define AUTODIDACT_BENCH_H

#include <stdlib.h>

#include "autodidact/model/params.h"

static const struct ad_model_config bench_minilm = {.hidden = 384,
                                                    .heads = 12,
                                                    .ffn = 1536,
                                                    .layers = 6,
                                                    .vocab = 30522,
                                                    .positions = 512,
                                                    .types = 2,
                                                    .classes = 2,
                                                    .layer_norm_eps = 1e-12f};

static inline int bench_compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts the values [n], n > 0; the upper of the middle two where n is even. */
static inline double bench_median(double *values, size_t n) {
  qsort(values, n, sizeof *values, bench_compare);
  return values[n / 2];
}

#endif
