/* What a training step needs of the other ranks, as a table of functions: mpi/ fills it in, tests may too, and without
 * it a rank is alone.
 *
 * Letters: R ranks, W lanes. Rank r computes the lanes [r W / R, (r + 1) W / R) and owns shard r (model/shard.h). Every
 * function is collective over the ranks and called in the same order by all. All return AD_OK or what failed here. */
#ifndef AUTODIDACT_LEARN_EXCHANGE_H
#define AUTODIDACT_LEARN_EXCHANGE_H

#include "autodidact/learn/gradient.h"

struct ad_exchange {
  void *context;
  uint32_t rank, size;
  uint32_t node_rank, node_size; /* among the ranks that share a replica */
  int whole; /* 1: reduce_end gives every rank the whole compact bucket (optim.shard = false), 0: its shard's part */

  /* Starts a step: its touched rows and the first example of each lane [W + 1], read until the step's end. */
  int (*step_begin)(void *context, const struct ad_rows *rows, const size_t *lane_begin);

  /* Memory [compact bucket] for partial sum `part` of a bucket, good until reduce_end of the next bucket but one. */
  float *(*place)(void *context, uint32_t bucket, size_t part);

  /* Finishes the tree of a bucket: `begin` hands in this rank's partial sums (which must not be touched until `end`),
   * `end` writes the sum over all lanes, the shard's part or the whole, into gradient, and the sum of squares of each of
   * its blocks into squares (ad_compact_squares), taken while it is in cache. A bucket is ended before the next one
   * begins. */
  int (*reduce_begin)(void *context, uint32_t bucket, const struct ad_partial *partials, size_t count);
  int (*reduce_end)(void *context, uint32_t bucket, float *gradient, double *squares);

  /* Lets the reduction under way go on. 1: `end` would find all that it waits for; 0: not yet. Not collective. */
  int (*reduce_ready)(void *context);

  /* values: counts[0] doubles of rank 0, counts[1] of rank 1, ...; a rank has filled in its own, on return all are
   * there. */
  int (*share)(void *context, const size_t *counts, double *values);

  /* Sums of `count` numbers over the ranks, modulo 2^64. */
  int (*sum)(void *context, size_t count, uint64_t *values);

  /* Brings each rank's shard of `count` vectors [P] to all replicas; nobody reads them while they are on their way. */
  int (*publish)(void *context, size_t count, float *const *vectors);

  /* Waits for the ranks that share this rank's replicas; what they wrote there is then seen. */
  int (*wait)(void *context);
};

#endif
