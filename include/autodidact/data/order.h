/* Which examples a step sees, and in which lane: pure functions of (seed.order, step), never stored.
 *
 * Letters: N examples of the training split, B examples in a batch, W lanes, R ranks. Words: docs/glossary.md. */
#ifndef AUTODIDACT_DATA_ORDER_H
#define AUTODIDACT_DATA_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/task/heads.h"

/* Examples of several tasks: those of task t are [begin[t], begin[t + 1]). A batch has examples of one of them. */
struct ad_order_tasks {
  size_t count;                    /* K, at least 1 */
  size_t begin[AD_MOST_HEADS + 1]; /* ascending from 0; the last one is N */
  double temperature;              /* > 0; 1: in proportion to size, the larger the more alike */
};

/* Which batches an epoch has, and their permutations: kept, so that steps are slices of them; any step may be asked for
 * at any time. */
struct ad_order {
  size_t count; /* N */
  size_t batch; /* B; the last batch of a pass over a task's examples may be shorter */
  size_t steps; /* of an epoch */
  uint64_t seed;
  struct ad_order_tasks tasks;
  size_t passes[AD_MOST_HEADS];    /* batches of a pass over all examples of a task */
  size_t batches[AD_MOST_HEADS];   /* and those that it has in an epoch */
  uint32_t pass_of[AD_MOST_HEADS]; /* the pass that its part of `permutation` is of */
  uint32_t epoch;                  /* that `turn` is of */
  uint32_t *turn;                  /* [steps] of an epoch: which one of its batches, numbered task by task; owned */
  uint32_t *permutation;           /* [N], owned */
};

/* Order of the examples of one task: N of them (0 < N < 2^32 - 1) in batches of B > 0, at epoch 0. The caller owns it:
 * ad_order_destroy. AD_EINPUT (no examples), AD_ECONFIG (batch 0), AD_ENOMEM. */
int ad_order_create(struct ad_order *order, size_t count, size_t batch, uint64_t seed);

/* The same of several tasks, each with examples. An epoch has as many batches as passes over all tasks have. Task t
 * has the share N_t^(1/temperature) / sum of them, at least one; what rounding down leaves goes to the largest
 * remainders (ties: the first task). At temperature 1 each task has those of one pass. An epoch's batches come in an
 * order drawn by the epoch; a task's passes follow one another over the epochs, each with a permutation of its own. */
int ad_order_create_tasks(struct ad_order *order, const struct ad_order_tasks *tasks, size_t batch, uint64_t seed);
void ad_order_destroy(struct ad_order *order);

/* The example ids of a step (from 0, counted over all epochs) into ids [B]; *count of them, less than B only in the
 * last step of a pass. No allocation. AD_EINTERNAL when an epoch or a pass is not below 2^32 / K. */
int ad_order_batch(struct ad_order *order, uint64_t step, uint32_t *ids, size_t *count);

/* Cuts a batch of count < 2^32 examples into W lanes, 1 to AD_MAX_LANES, by token count. The longest example comes
 * first (ties: the lower position). Each goes to the lane that has fewest tokens (ties: the lower lane). The lanes are
 * then numbered anew, so that ranks have equal shares. Heaviest first (ties: the lower lane) each goes to the half of
 * the tree (math/tree.h) with fewer tokens a lane (ties: the left one), as long as that has room. The same rule applies
 * inside each half. lengths [count] are token counts. On return lane w holds the batch positions member[lane_begin[w]
 * .. lane_begin[w + 1]), ascending; lane_begin [W + 1], member [count]. work [count] is scratch. No allocation; a
 * function of (count, lengths, W) alone. */
void ad_lanes_assign(size_t count, const uint32_t *lengths, size_t W, size_t *lane_begin, uint32_t *member,
                     uint64_t *work);

/* Rank r of R owns the lanes [ad_lanes_first(W, R, r), ad_lanes_first(W, R, r + 1)): r W / R, rounded down. */
static inline size_t ad_lanes_first(size_t W, size_t R, size_t r) {
  return r * W / R;
}

#endif
