#include "autodidact/model/replica.h"

#include <string.h>

#include "autodidact/math/context.h"
#include "autodidact/model/params.h"
#include "autodidact/model/shard.h"

void ad_replica_write(const struct ad_weights *weights, size_t flat, size_t count, const float *values) {
  float *at = weights->values + flat;
  if (at != values) {
    memcpy(at, values, count * sizeof *at);
  }
}

void ad_replica_refresh(const struct ad_weights *weights, const struct ad_shard *shard) {
  for (uint32_t b = 0; b < shard->params->buckets; b++) {
    const size_t begin = shard->begin[b];
    ad_replica_write(weights, begin, shard->end[b] - begin, ad_weights_master(weights, begin, shard->local[b]));
  }
}

void ad_replica_copy(const struct ad_weights *to, struct ad_replica from, size_t begin, size_t end) {
  memcpy(to->values + begin, from.values + begin, (end - begin) * sizeof *to->values);
}

/* --- Packed operands --- */

size_t ad_weights_packed(const struct ad_math *math, const struct ad_params *params, int trained) {
  if (math->bf16 == NULL) {
    return 0;
  }
  const size_t first = ad_params_first_linear(params);
  const size_t skipped = first < params->linear_count ? params->linears[first].backward : params->packed_backward;
  return params->packed_forward + (trained ? params->packed_backward - skipped : 0);
}

struct ad_weights ad_weights_of(const struct ad_math *math, float *values, ad_bf16 *packed, int trained) {
  struct ad_weights weights = ad_weights_float32(values);
  if (math->bf16 != NULL && values != NULL) {
    weights.type = AD_REPLICA_BFLOAT16;
    weights.packed = packed;
    weights.trained = trained;
    weights.products = math->bf16;
  }
  return weights;
}

/* The way of packing by which the weight's columns, or its rows, are outputs. */
typedef void (*pack)(const struct ad_bf16_products *products, size_t N, size_t K, const float *W, size_t begin,
                     size_t end, ad_bf16 *packed);

/* A share of a layer's panels for one of its products. */
static void pack_share(const struct ad_weights *weights, const struct ad_linear *linear, int by_columns, ad_bf16 *to,
                       uint32_t rank, uint32_t size) {
  const pack way = by_columns ? ad_bf16_pack_nn : ad_bf16_pack_nt;
  const size_t panels = ad_bf16_panels(by_columns ? linear->columns : linear->rows);
  way(weights->products, linear->rows, linear->columns, weights->values + linear->offset, panels * rank / size,
      panels * (rank + 1) / size, to);
}

void ad_weights_pack(const struct ad_weights *weights, const struct ad_params *params, uint32_t rank, uint32_t size) {
  const size_t first = ad_params_first_linear(params);
  if (weights->type == AD_REPLICA_FLOAT32 || weights->values == NULL) {
    return;
  }
  /* Frozen parameters are the student's alone. */
  for (size_t i = weights->trained ? 0 : first; i < params->linear_count; i++) {
    const struct ad_linear *linear = &params->linears[i];
    pack_share(weights, linear, linear->transposed, weights->packed + linear->forward, rank, size);
    if (weights->trained && i >= first) {
      ad_bf16 *backward = weights->packed + params->packed_forward + linear->backward - params->linears[first].backward;
      pack_share(weights, linear, !linear->transposed, backward, rank, size);
    }
  }
}
