/* Master and replica: a vector of parameters [P] as a training changes it, and as forwards read it.
 *
 * The master are float32 values. A rank has those of its shard (model/shard.h), and nobody else changes them. The
 * replica has all P values, once a node. A struct ad_replica reads and cannot write. A struct ad_weights has both, and
 * ad_replica_write is the way from one to the other.
 *
 * Master and replica are the same memory: then nothing is copied, and a node holds one vector. With bfloat16 a replica
 * has packed operands besides: the weights of linear layers as products read them (math/bfloat16.h). They follow the
 * values by ad_weights_pack.
 *
 * Letters: P parameters. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MODEL_REPLICA_H
#define AUTODIDACT_MODEL_REPLICA_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/math/bfloat16.h"

/* What products read: the values, or the operands packed of them. */
enum ad_replica_type { AD_REPLICA_FLOAT32, AD_REPLICA_BFLOAT16, AD_REPLICA_TYPES };

/* What forwards read. values NULL: there is no such vector. */
struct ad_replica {
  enum ad_replica_type type;
  const float *values;   /* [P] */
  const ad_bf16 *packed; /* of type bfloat16: operands of forwards */
};

/* What updates change. values NULL: there is no such vector. No memory is owned. */
struct ad_weights {
  enum ad_replica_type type;               /* of the replica */
  float *values;                           /* [P] of the replica, which the ranks of a node share */
  float *master;                           /* [shard->count]; NULL: the master's values are those of the replica */
  ad_bf16 *packed;                         /* of type bfloat16: ad_weights_packed elements, shared likewise */
  int frozen;                              /* 1: frozen layers are read from it, and packed too */
  const struct ad_bf16_products *products; /* that pack; NULL with float32 */
};

struct ad_math;
struct ad_params;
struct ad_shard;

/* Values that are there as float32, to be read by forwards; to be changed as well. */
static inline struct ad_replica ad_replica_float32(const float *values) {
  return (struct ad_replica){AD_REPLICA_FLOAT32, values, NULL};
}
static inline struct ad_weights ad_weights_float32(float *values) {
  return (struct ad_weights){.type = AD_REPLICA_FLOAT32, .values = values};
}

/* The replica, for reading. */
static inline struct ad_replica ad_weights_replica(const struct ad_weights *weights) {
  return (struct ad_replica){weights->type, weights->values, weights->packed};
}

/* The master's values from `flat` of the flat vector and `local` of the shard's own vectors on, inside the shard. Who
 * has changed them calls ad_replica_write. */
static inline float *ad_weights_master(const struct ad_weights *weights, size_t flat, size_t local) {
  return weights->master != NULL ? weights->master + local : weights->values + flat;
}

/* Brings `count` values of the master, from `flat` on, into the replica of this node. The other nodes get them by the
 * exchange (`publish`). */
void ad_replica_write(const struct ad_weights *weights, size_t flat, size_t count, const float *values);

/* The same of all of a shard's master: after it was loaded. */
void ad_replica_refresh(const struct ad_weights *weights, const struct ad_shard *shard);

/* Elements of a vector's packed operands in the precision of `math`: 0 with float32. */
size_t ad_weights_packed(const struct ad_math *math, const struct ad_params *params);

/* A vector [P] of that precision, or none (values NULL), and the memory for what is packed of it, which it is not yet.
 * Neither is owned. */
struct ad_weights ad_weights_of(const struct ad_math *math, float *values, ad_bf16 *packed, int frozen);

/* The values packed anew: share `rank` of `size`. Nobody may be reading; who shares the vector waits for the others
 * afterwards. Nothing with float32, or where there is no such vector. */
void ad_weights_pack(const struct ad_weights *weights, const struct ad_params *params, uint32_t rank, uint32_t size);

/* Copies the values [begin, end) of a replica into another one, whose packed operands do not follow. */
void ad_replica_copy(const struct ad_weights *to, struct ad_replica from, size_t begin, size_t end);

/* All values [P], for files and digests: a replica has the master's own bits. */
static inline const float *ad_replica_floats(struct ad_replica replica) {
  return replica.values;
}

#endif
