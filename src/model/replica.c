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

size_t ad_weights_packed(const struct ad_math *math, const struct ad_params *params) {
  return math->bf16 != NULL ? params->packed : 0;
}

struct ad_weights ad_weights_of(const struct ad_math *math, float *values, ad_bf16 *packed, int frozen) {
  struct ad_weights weights = ad_weights_float32(values);
  if (math->bf16 != NULL && values != NULL) {
    weights.type = AD_REPLICA_BFLOAT16;
    weights.packed = packed;
    weights.frozen = frozen;
    weights.products = math->bf16;
  }
  return weights;
}

void ad_weights_pack(const struct ad_weights *weights, const struct ad_params *params, uint32_t rank, uint32_t size) {
  if (weights->type == AD_REPLICA_FLOAT32 || weights->values == NULL) {
    return;
  }
  for (size_t i = weights->frozen ? 0 : ad_params_first_linear(params); i < params->linear_count; i++) {
    const struct ad_linear *linear = &params->linears[i];
    const size_t panels = ad_bf16_panels(linear->transposed ? linear->columns : linear->rows);
    (linear->transposed ? ad_bf16_pack_nn : ad_bf16_pack_nt)(
        weights->products, linear->rows, linear->columns, weights->values + linear->offset, panels * rank / size,
        panels * (rank + 1) / size, weights->packed + linear->packed);
  }
}
