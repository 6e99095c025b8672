/* What a training step needs of the other ranks, as a table of functions: mpi/ fills it in, tests may too, and
 * src/learn/exchange_alone.c does for a rank alone. The gradient (learn/gradient.h) hands it the partial sums of the
 * backward.
 *
 * Letters: R ranks, W lanes. Rank r computes the lanes [r W / R, (r + 1) W / R) and owns shard r (model/shard.h), or
 * everything. Every function is collective over the ranks and called in the same order by all. All return AD_OK or what
 * failed here. Words: docs/glossary.md. */
#ifndef AUTODIDACT_LEARN_EXCHANGE_H
#define AUTODIDACT_LEARN_EXCHANGE_H

#include "autodidact/model/encoder.h"
#include "autodidact/model/replica.h"
#include "autodidact/model/shard.h"

/* A sum over some lanes of a bucket. */
struct ad_partial {
  struct ad_span span; /* lanes of the step, a node of the tree over [0, W) */
  int empty;           /* no examples in these lanes: not a summand; values is NULL */
  float *values;       /* compact bucket (model/shard.h) */
};

struct ad_exchange {
  void *context;
  uint32_t rank, size;
  uint32_t shard, shards;        /* this rank updates shard `rank` of `size`, or 0 of 1: everything */
  uint32_t node_rank, node_size; /* among the ranks that share a replica */
  int in_place;                  /* 1: the gradient of a bucket stays in the one partial sum that was handed in */

  /* Starts a step: its touched rows and the first example of each lane [W + 1], read until the step's end. */
  int (*step_begin)(void *context, const struct ad_rows *rows, const size_t *lane_begin);

  /* Memory [compact bucket] for partial sum `part` of a bucket, good until reduce_end of the next bucket but one. NULL
   * in place of this function: the gradient has memory of its own. */
  float *(*place)(void *context, uint32_t bucket, size_t part);

  /* Finishes the tree of a bucket: `begin` hands in this rank's partial sums (which must not be touched until `end`).
   * `end` writes the sum over all lanes, of the shard that this rank updates, into room. It does not need room where
   * the exchange works in place. *gradient points to the sum, until the step's end. The sum of squares of each of its
   * blocks goes into squares (ad_compact_squares), taken while it is in cache. A bucket is ended before the next one
   * begins. */
  int (*reduce_begin)(void *context, uint32_t bucket, const struct ad_partial *partials, size_t count);
  int (*reduce_end)(void *context, uint32_t bucket, float *room, double *squares, const float **gradient);

  /* Lets the reduction under way go on. 1: `end` would find all that it waits for; 0: not yet. Not collective. */
  int (*reduce_ready)(void *context);

  /* values: counts[0] doubles of rank 0, counts[1] of rank 1, ...; a rank has filled in its own, on return all are
   * there. */
  int (*share)(void *context, const size_t *counts, double *values);

  /* Sums of `count` numbers over the shards, modulo 2^64: they stay as they are where each rank updates everything. */
  int (*sum)(void *context, size_t count, uint64_t *values);

  /* Brings each rank's shard of the replicas of `count` vectors to all other replicas; nobody reads them while they are
   * on their way. Where each rank updates everything, all have it. */
  int (*publish)(void *context, size_t count, const struct ad_weights *vectors);

  /* Waits for the ranks that share this rank's replicas; what they wrote there is then seen. */
  int (*wait)(void *context);
};

/* Packs the operands of vectors anew (model/replica.h), the ranks of a node together, where there are any. Nobody may
 * be reading them. What the exchange returns. */
int ad_exchange_pack(const struct ad_exchange *exchange, const struct ad_params *params, size_t count,
                     const struct ad_weights *vectors);

/* `publish`, and what is packed follows. */
int ad_exchange_publish(const struct ad_exchange *exchange, const struct ad_params *params, size_t count,
                        const struct ad_weights *vectors);

#endif
