#include "autodidact/data/order.h"

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/sort.h"
#include "autodidact/base/status.h"
#include "autodidact/math/tree.h"

_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "the sort keys are 64 bits wide");

int ad_order_create(struct ad_order *order, size_t count, size_t batch, uint64_t seed) {
  *order = (struct ad_order){0};
  if (count == 0 || count >= UINT32_MAX) {
    return ad_fail(AD_EINPUT, "%zu examples to train on, expected 1 to %u", count, UINT32_MAX - 1);
  }
  if (batch == 0) {
    return ad_fail(AD_ECONFIG, "a batch of 0 examples, expected at least 1");
  }
  uint32_t *permutation = ad_malloc(count, sizeof *permutation);
  if (permutation == NULL) {
    return ad_fail_memory(count * sizeof *permutation, "the order of the examples");
  }
  *order = (struct ad_order){.count = count,
                             .batch = batch,
                             .steps = count / batch + (count % batch != 0),
                             .seed = seed,
                             .permutation = permutation};
  ad_random_permutation(seed, AD_STREAM_ORDER, 0, count, permutation);
  return AD_OK;
}

void ad_order_destroy(struct ad_order *order) {
  ad_free(order->permutation);
  *order = (struct ad_order){0};
}

void ad_order_epoch(struct ad_order *order, uint32_t epoch) {
  if (order->epoch != epoch) {
    ad_random_permutation(order->seed, AD_STREAM_ORDER, epoch, order->count, order->permutation);
    order->epoch = epoch;
  }
}

int ad_order_batch(struct ad_order *order, uint64_t step, uint32_t *ids, size_t *count) {
  const uint64_t epoch = step / order->steps;
  if (epoch > UINT32_MAX) {
    return ad_fail(AD_EINTERNAL, "step %llu is past the last epoch that the order knows", (unsigned long long)step);
  }
  ad_order_epoch(order, (uint32_t)epoch);
  const size_t begin = (size_t)(step % order->steps) * order->batch;
  const size_t left = order->count - begin;
  *count = left < order->batch ? left : order->batch;
  memcpy(ids, order->permutation + begin, *count * sizeof *ids);
  return AD_OK;
}

/* The lanes [lo, hi) of `order`, heaviest first, to the halves of the tree, and so on inside of these. */
static void balance(const size_t *load, uint32_t *order, uint32_t *spare, size_t lo, size_t hi) {
  if (hi - lo < 2) {
    return;
  }
  const size_t middle = ad_tree_split(lo, hi), left_room = middle - lo, right_room = hi - middle;
  size_t left = 0, right = 0, left_load = 0, right_load = 0;
  for (size_t i = lo; i < hi; i++) {
    const uint32_t lane = order[i];
    if (right == right_room || (left < left_room && left_load * right_room <= right_load * left_room)) {
      order[lo + left++] = lane;
      left_load += load[lane];
    } else {
      spare[right++] = lane;
      right_load += load[lane];
    }
  }
  memcpy(order + middle, spare, right * sizeof *spare);
  balance(load, order, spare, lo, middle);
  balance(load, order, spare, middle, hi);
}

/* The new number of each lane, into number [W]. */
static void renumber(size_t W, const size_t *load, uint32_t *number) {
  static uint64_t key[AD_MAX_LANES]; /* one thread a rank */
  static uint32_t order[AD_MAX_LANES], spare[AD_MAX_LANES];
  for (size_t w = 0; w < W; w++) {
    key[w] = (uint64_t)(UINT32_MAX - (load[w] < UINT32_MAX ? load[w] : UINT32_MAX)) << 32 | w;
  }
  ad_sort_u64(W, key);
  for (size_t w = 0; w < W; w++) {
    order[w] = (uint32_t)key[w];
  }
  balance(load, order, spare, 0, W);
  for (size_t w = 0; w < W; w++) {
    number[order[w]] = (uint32_t)w;
  }
}

void ad_lanes_assign(size_t count, const uint32_t *lengths, size_t W, size_t *lane_begin, uint32_t *member,
                     uint64_t *work) {
  /* Ascending keys are descending lengths, then ascending positions; no two are equal, so any sort gives one result. */
  for (size_t i = 0; i < count; i++) {
    work[i] = (uint64_t)(UINT32_MAX - lengths[i]) << 32 | i;
  }
  ad_sort_u64(count, work);

  /* lane_begin serves as the lanes' token counts, member as each position's lane, until both are laid out below. */
  memset(lane_begin, 0, (W + 1) * sizeof *lane_begin);
  for (size_t i = 0; i < count; i++) {
    size_t lightest = 0;
    for (size_t w = 1; w < W; w++) {
      if (lane_begin[w] < lane_begin[lightest]) {
        lightest = w;
      }
    }
    const uint32_t position = (uint32_t)work[i];
    lane_begin[lightest] += lengths[position];
    member[position] = (uint32_t)lightest;
  }

  static uint32_t number[AD_MAX_LANES];
  renumber(W, lane_begin, number);

  /* Counting sort by lane; positions inside a lane stay ascending. */
  memset(lane_begin, 0, (W + 1) * sizeof *lane_begin);
  for (size_t i = 0; i < count; i++) {
    work[i] = number[member[i]];
    lane_begin[work[i] + 1]++;
  }
  for (size_t w = 0; w < W; w++) {
    lane_begin[w + 1] += lane_begin[w];
  }
  for (size_t i = count; i-- > 0;) {
    member[--lane_begin[work[i] + 1]] = (uint32_t)i;
  }
  /* Each end has been counted down to its lane's begin: shift them into place. */
  memmove(lane_begin, lane_begin + 1, W * sizeof *lane_begin);
  lane_begin[W] = count;
}
