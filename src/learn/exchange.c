#include "autodidact/learn/exchange.h"

#include "autodidact/base/status.h"

int ad_exchange_pack(const struct ad_exchange *exchange, const struct ad_params *params, size_t count,
                     const struct ad_weights *vectors) {
  int packed = 0;
  for (size_t i = 0; i < count; i++) {
    ad_weights_pack(&vectors[i], params, exchange->node_rank, exchange->node_size);
    packed |= vectors[i].type == AD_REPLICA_BFLOAT16;
  }
  return packed ? exchange->wait(exchange->context) : AD_OK;
}

int ad_exchange_publish(const struct ad_exchange *exchange, const struct ad_params *params, size_t count,
                        const struct ad_weights *vectors) {
  AD_TRY(exchange->publish(exchange->context, count, vectors));
  return ad_exchange_pack(exchange, params, count, vectors);
}
