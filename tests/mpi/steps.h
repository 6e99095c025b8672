/* Steps with made-up gradients: every lane's part of a bucket is a pure function of (step, bucket, lane, index), so
 * that any rank can compute what the others hand in, and the sum over all lanes alone. */
#ifndef AUTODIDACT_TESTS_MPI_STEPS_H
#define AUTODIDACT_TESTS_MPI_STEPS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/data/order.h"
#include "autodidact/learn/exchange.h"
#include "check.h"

/* Buckets of odd sizes, of one block and of several. */
static const struct ad_model_config small = {.hidden = 12,
                                             .heads = 3,
                                             .ffn = 701,
                                             .layers = 2,
                                             .vocab = 53,
                                             .positions = 400,
                                             .types = 2,
                                             .classes = 3,
                                             .layer_norm_eps = 1e-12f};

enum lanes_filled { LANES_ALL, LANES_SOME, LANES_ONE };

struct steps {
  struct ad_params params;
  const struct ad_kernels *kernels;
  size_t W;
  int integers; /* 1: gradients are small whole numbers, so that any order of summation gives the same */

  struct ad_rows rows; /* of the step */
  size_t *lane_begin;  /* [W + 1] of the step */
  size_t step;
};

struct steps_leaf {
  const struct steps *steps;
  uint32_t bucket;
  size_t n;
};

static inline uint64_t steps_mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/* Numbers over many binades: their sum depends on the order. */
static inline float steps_value(uint64_t key, size_t index, int integers) {
  const uint64_t bits = steps_mix(steps_mix(key) + 0x9e3779b97f4a7c15u * (index + 1));
  const float whole = (float)((int64_t)(bits >> 32 & 0xffff) - 0x8000);
  return integers ? whole : whole / (float)(1u << (bits & 15));
}

static inline void steps_leaf(void *context, size_t lane, float *out) {
  const struct steps_leaf *leaf = context;
  const uint64_t key = (leaf->steps->step * 64 + leaf->bucket) * AD_MAX_LANES + lane;
  for (size_t i = 0; i < leaf->n; i++) {
    out[i] = steps_value(key, i, leaf->steps->integers);
  }
}

/* out = the sum over the lanes [lo, hi) of a whole compact bucket, computed here. */
static inline void steps_sum(const struct steps *s, uint32_t bucket, size_t lo, size_t hi, float *out) {
  struct steps_leaf leaf = {s, bucket, ad_compact_count(&s->params, bucket, &s->rows)};
  float *work = malloc((ad_tree_work(hi - lo, leaf.n) + 1) * sizeof *work);
  CHECK(work != NULL);
  const struct ad_tree tree = {.kernels = s->kernels, .begin = s->lane_begin};
  ad_tree_sum(&tree, lo, hi, leaf.n, steps_leaf, &leaf, out, work);
  free(work);
}

static inline void steps_create(struct steps *s, const struct ad_model_config *config, size_t W) {
  *s = (struct steps){.W = W, .kernels = ad_kernels_find(NULL), .lane_begin = calloc(W + 1, sizeof *s->lane_begin)};
  CHECK(s->kernels != NULL && s->lane_begin != NULL);
  CHECK(ad_params_create(&s->params, config) == AD_OK);
  CHECK(ad_rows_create(&s->rows, config->vocab) == AD_OK);
}

static inline void steps_destroy(struct steps *s) {
  ad_rows_destroy(&s->rows);
  ad_params_destroy(&s->params);
  free(s->lane_begin);
}

/* Step number `step`: touches about every `sparsity`-th row, and fills the lanes so. */
static inline void steps_begin(struct steps *s, size_t step, size_t sparsity, enum lanes_filled filled) {
  s->step = step;
  ad_rows_clear(&s->rows);
  for (uint32_t id = 0; id < s->params.config.vocab; id++) {
    if (steps_mix(step * 1000003 + id) % sparsity == 0) {
      ad_rows_add(&s->rows, 1, &id);
    }
  }
  ad_rows_order(&s->rows);
  for (size_t l = 0; l < s->W; l++) {
    const int full = filled == LANES_ALL || (filled == LANES_ONE ? l == step % s->W : (l * 5 + step) % 3 != 0);
    s->lane_begin[l + 1] = s->lane_begin[l] + (full ? 1 + l % 2 : 0);
  }
}

/* The partial sums of `rank` of `size`, written to memory[part] (each a whole compact bucket). Returns how many. */
static inline size_t steps_partials(const struct steps *s, uint32_t bucket, size_t rank, size_t size,
                                    float *const *memory, struct ad_partial *partials) {
  struct ad_span parts[AD_MAX_PARTS];
  const size_t count =
      ad_tree_parts(s->W, ad_lanes_first(s->W, size, rank), ad_lanes_first(s->W, size, rank + 1), parts);
  for (size_t p = 0; p < count; p++) {
    const int empty = s->lane_begin[parts[p].lo] == s->lane_begin[parts[p].hi];
    partials[p] = (struct ad_partial){parts[p], empty, empty ? NULL : memory[p]};
    if (!empty) {
      steps_sum(s, bucket, parts[p].lo, parts[p].hi, memory[p]);
    }
  }
  return count;
}

/* Reduces all buckets in the order of a backward, each begun while the one before is under way. Partial sums are
 * written where the exchange says, or to elsewhere[part]. end(context, bucket) ends a bucket's reduction. */
static inline void steps_reduce(const struct steps *s, const struct ad_exchange *x, float *const *elsewhere,
                                void (*end)(void *context, uint32_t bucket), void *context) {
  CHECK(x->step_begin(x->context, &s->rows, s->lane_begin) == AD_OK);
  for (uint32_t b = s->params.buckets; b-- > 0;) {
    struct ad_partial partials[AD_MAX_PARTS];
    struct ad_span parts[AD_MAX_PARTS];
    float *memory[AD_MAX_PARTS];
    const size_t count =
        ad_tree_parts(s->W, ad_lanes_first(s->W, x->size, x->rank), ad_lanes_first(s->W, x->size, x->rank + 1), parts);
    for (size_t p = 0; p < count; p++) {
      memory[p] = elsewhere == NULL ? x->place(x->context, b, p) : elsewhere[p];
    }
    CHECK(steps_partials(s, b, x->rank, x->size, memory, partials) == count);
    if (b + 1 < s->params.buckets) {
      end(context, b + 1);
    }
    CHECK(x->reduce_begin(x->context, b, partials, count) == AD_OK);
    (void)x->reduce_ready(x->context);
  }
  end(context, 0);
}

/* Ends a bucket's reduction and compares the shard's part, or the whole, bit for bit. own, expected: room for a bucket
 * each; expected then has the sum, own had NaN where nothing was written. [*begin, *end) is the part. */
static inline void steps_end(const struct steps *s, const struct ad_exchange *x, uint32_t bucket, float *own,
                             double *squares, float *expected, size_t *begin, size_t *end) {
  const float *gradient;
  size_t flat_begin, flat_end;
  ad_shard_range(&s->params, bucket, x->shard, x->shards, &flat_begin, &flat_end);
  ad_compact_range(&s->params, bucket, &s->rows, flat_begin, flat_end, begin, end);
  memset(own, 0xff, (*end - *begin) * sizeof *own);
  CHECK(x->reduce_end(x->context, bucket, own, squares, &gradient) == AD_OK);
  steps_sum(s, bucket, 0, s->W, expected);
  CHECK(memcmp(gradient, expected + *begin, (*end - *begin) * sizeof *gradient) == 0);
}

/* Every rank writes its shard of theta [P], the replica; afterwards all have all. */
static inline void steps_publish(const struct steps *s, const struct ad_exchange *x, float *theta) {
  const uint64_t key = s->step + 77;
  for (uint32_t b = 0; b < s->params.buckets; b++) {
    size_t begin, end;
    ad_shard_range(&s->params, b, x->rank, x->size, &begin, &end);
    for (size_t i = begin; i < end; i++) {
      theta[i] = steps_value(key, i, 0);
    }
  }
  const struct ad_weights weights = ad_weights_float32(theta);
  CHECK(x->publish(x->context, 1, &weights) == AD_OK);
  for (size_t i = 0; i < s->params.count; i++) {
    CHECK(theta[i] == steps_value(key, i, 0));
  }
}

/* The most floats of any bucket, all rows touched. */
static inline size_t steps_floats(const struct steps *s) {
  size_t most = 0;
  for (uint32_t b = 0; b < s->params.buckets; b++) {
    const size_t count = s->params.bucket_begin[b + 1] - s->params.bucket_begin[b];
    most = count > most ? count : most;
  }
  return most;
}

#endif
