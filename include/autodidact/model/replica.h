/* Master and replica: a vector of parameters [P] as a training changes it, and as forwards read it.
 *
 * The master are float32 values. A rank has those of its shard (model/shard.h), and nobody else changes them. The
 * replica has all P values, once a node; its type may be narrower. A struct ad_replica reads and cannot write. A struct
 * ad_weights has both, and ad_replica_write is the way from one to the other.
 *
 * With float32 the two are the same memory: then nothing is copied, and a node holds one vector.
 *
 * Letters: P parameters. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MODEL_REPLICA_H
#define AUTODIDACT_MODEL_REPLICA_H

#include <stddef.h>

enum ad_replica_type { AD_REPLICA_FLOAT32, AD_REPLICA_TYPES };

/* Bytes of a value. */
size_t ad_replica_bytes(enum ad_replica_type type);

/* What forwards read. values NULL: there is no such vector. */
struct ad_replica {
  enum ad_replica_type type;
  const void *values; /* [P] */
};

/* What updates change. values NULL: there is no such vector. Neither memory is owned. */
struct ad_weights {
  enum ad_replica_type type; /* of the replica */
  void *values;              /* [P] of the replica, which the ranks of a node share */
  float *master;             /* [shard->count]; NULL: the master's values are those of the replica, which is float32 */
};

struct ad_shard;

/* Values that are there as float32, to be read by forwards; to be changed as well. */
static inline struct ad_replica ad_replica_float32(const float *values) {
  return (struct ad_replica){AD_REPLICA_FLOAT32, values};
}
static inline struct ad_weights ad_weights_float32(float *values) {
  return (struct ad_weights){AD_REPLICA_FLOAT32, values, NULL};
}

/* The replica, for reading. */
static inline struct ad_replica ad_weights_replica(const struct ad_weights *weights) {
  return (struct ad_replica){weights->type, weights->values};
}

/* The master's values from `flat` of the flat vector and `local` of the shard's own vectors on, inside the shard. Who
 * has changed them calls ad_replica_write. */
static inline float *ad_weights_master(const struct ad_weights *weights, size_t flat, size_t local) {
  return weights->master != NULL ? weights->master + local : (float *)weights->values + flat;
}

/* Brings `count` values of the master, from `flat` on, into the replica of this node. The other nodes get them by the
 * exchange (`publish`). */
void ad_replica_write(const struct ad_weights *weights, size_t flat, size_t count, const float *values);

/* The same of all of a shard's master: after it was loaded. */
void ad_replica_refresh(const struct ad_weights *weights, const struct ad_shard *shard);

/* Copies the values [begin, end) of a replica into another one of the same type. */
void ad_replica_copy(const struct ad_weights *to, struct ad_replica from, size_t begin, size_t end);

/* All values [P] as float32, for files and digests: a replica of this type has the master's own bits. */
static inline const float *ad_replica_floats(struct ad_replica replica) {
  _Static_assert(AD_REPLICA_TYPES == 1, "a replica of another type has not the master's bits: files need the master");
  return replica.values;
}

#endif
