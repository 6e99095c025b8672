#include "autodidact/model/replica.h"

#include <string.h>

#include "autodidact/model/shard.h"

size_t ad_replica_bytes(enum ad_replica_type type) {
  static const size_t sizes[AD_REPLICA_TYPES] = {[AD_REPLICA_FLOAT32] = sizeof(float)};
  return sizes[type];
}

void ad_replica_write(const struct ad_weights *weights, size_t flat, size_t count, const float *values) {
  switch (weights->type) {
    case AD_REPLICA_FLOAT32: {
      float *at = (float *)weights->values + flat;
      if (at != values) {
        memcpy(at, values, count * sizeof *at);
      }
      break;
    }
    case AD_REPLICA_TYPES:
      break;
  }
}

void ad_replica_refresh(const struct ad_weights *weights, const struct ad_shard *shard) {
  for (uint32_t b = 0; b < shard->params->buckets; b++) {
    const size_t begin = shard->begin[b];
    ad_replica_write(weights, begin, shard->end[b] - begin, ad_weights_master(weights, begin, shard->local[b]));
  }
}

void ad_replica_copy(const struct ad_weights *to, struct ad_replica from, size_t begin, size_t end) {
  const size_t size = ad_replica_bytes(to->type);
  memcpy((char *)to->values + begin * size, (const char *)from.values + begin * size, (end - begin) * size);
}
