/* Which examples a step sees, and in which lane: pure functions of (seed.order, step), never stored.
 *
 * Letters: N examples of the training split, B examples in a batch, W lanes, R ranks. Words: docs/glossary.md. */
#ifndef AUTODIDACT_DATA_ORDER_H
#define AUTODIDACT_DATA_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* The permutation of one epoch is kept, so that its steps are slices of it; any step may be asked for at any time. */
struct ad_order {
  size_t count;          /* N */
  size_t batch;          /* B; the last batch of an epoch may be shorter */
  size_t steps;          /* steps of an epoch: N / B, rounded up */
  uint64_t seed;         /* seed.order */
  uint32_t epoch;        /* the epoch that `permutation` is of */
  uint32_t *permutation; /* [N], owned */
};

/* Order of N examples (0 < N < 2^32 - 1) in batches of B > 0, at epoch 0. The caller owns it: ad_order_destroy.
 * AD_EINPUT (no examples), AD_ECONFIG (batch 0), AD_ENOMEM. */
int ad_order_create(struct ad_order *order, size_t count, size_t batch, uint64_t seed);
void ad_order_destroy(struct ad_order *order);

/* The permutation of an epoch (from 0) into order->permutation; does nothing where it is there already. No allocation.
 */
void ad_order_epoch(struct ad_order *order, uint32_t epoch);

/* The example ids of a step (from 0, counted over all epochs) into ids [B]; *count of them, less than B only in the
 * last step of an epoch. No allocation. AD_EINTERNAL when the epoch of the step is not below 2^32. */
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
