#include "autodidact/data/order.h"

#include <string.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/sort.h"
#include "autodidact/base/status.h"
#include "autodidact/math/tree.h"

_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "the sort keys are 64 bits wide");

/* --- Batches of an epoch. */

/* What rounding down has left of `steps`, to the largest remainders, the first task of equal ones. */
static void give_rest(size_t K, size_t left, double *remainder, size_t *batches) {
  for (; left > 0; left--) {
    size_t largest = 0;
    for (size_t t = 1; t < K; t++) {
      largest = remainder[t] > remainder[largest] ? t : largest;
    }
    batches[largest]++;
    remainder[largest] = -1.0;
  }
}

/* Batches that exceed the total, from the tasks that have most. */
static void take_excess(size_t K, size_t excess, size_t *batches) {
  for (; excess > 0; excess--) {
    size_t largest = 0;
    for (size_t t = 1; t < K; t++) {
      largest = batches[t] > batches[largest] ? t : largest;
    }
    batches[largest]--;
  }
}

/* steps >= K. */
static void share_batches(struct ad_order *o) {
  const size_t K = o->tasks.count;
  double share[AD_MOST_HEADS], sum = 0.0;
  size_t given = 0;
  for (size_t t = 0; t < K; t++) {
    const double N = (double)(o->tasks.begin[t + 1] - o->tasks.begin[t]);
    share[t] = ad_math_pow(N, 1.0 / o->tasks.temperature);
    sum += share[t];
  }
  for (size_t t = 0; t < K; t++) {
    const double exact = (double)o->steps * share[t] / sum;
    const size_t whole = (size_t)exact;
    o->batches[t] = whole > 0 ? whole : 1;
    share[t] = whole > 0 ? exact - (double)whole : -1.0;
    given += o->batches[t];
  }
  if (given <= o->steps) {
    give_rest(K, o->steps - given, share, o->batches);
  } else {
    take_excess(K, given - o->steps, o->batches);
  }
}

/* --- Create. */

static int check(const struct ad_order_tasks *tasks, size_t batch) {
  const size_t N = tasks->begin[tasks->count];
  for (size_t t = 0; t < tasks->count; t++) {
    if (tasks->begin[t + 1] <= tasks->begin[t] || N >= UINT32_MAX) {
      return ad_fail(AD_EINPUT, "%zu examples to train on, expected 1 to %u", tasks->begin[t + 1] - tasks->begin[t],
                     UINT32_MAX - 1);
    }
  }
  return batch > 0 ? AD_OK : ad_fail(AD_ECONFIG, "a batch of 0 examples, expected at least 1");
}

/* The turns of an epoch; one task has its batches in their order. */
static void draw_turns(struct ad_order *o, uint32_t epoch) {
  o->epoch = epoch;
  if (o->tasks.count > 1) {
    ad_random_permutation(o->seed, AD_STREAM_TASKS, epoch, o->steps, o->turn);
  } else {
    for (size_t i = 0; i < o->steps; i++) {
      o->turn[i] = (uint32_t)i;
    }
  }
  /* Each task's batches keep their order: its turns are numbered anew as they come. */
  size_t task_end[AD_MOST_HEADS], next[AD_MOST_HEADS], end = 0;
  for (size_t t = 0; t < o->tasks.count; t++) {
    next[t] = end;
    end += o->batches[t];
    task_end[t] = end;
  }
  for (size_t i = 0; i < o->steps; i++) {
    size_t t = 0;
    while (o->turn[i] >= task_end[t]) {
      t++;
    }
    o->turn[i] = (uint32_t)next[t]++;
  }
}

static void draw_pass(struct ad_order *o, size_t t, uint32_t pass) {
  const struct ad_order_tasks *tasks = &o->tasks;
  const size_t begin = tasks->begin[t], N = tasks->begin[t + 1] - begin;
  o->pass_of[t] = pass;
  ad_random_permutation(o->seed, AD_STREAM_ORDER, pass * (uint32_t)tasks->count + (uint32_t)t, N,
                        o->permutation + begin);
}

int ad_order_create_tasks(struct ad_order *order, const struct ad_order_tasks *tasks, size_t batch, uint64_t seed) {
  *order = (struct ad_order){0};
  AD_TRY(check(tasks, batch));
  struct ad_order o = {.count = tasks->begin[tasks->count], .batch = batch, .seed = seed, .tasks = *tasks};
  for (size_t t = 0; t < tasks->count; t++) {
    const size_t N = tasks->begin[t + 1] - tasks->begin[t];
    o.passes[t] = o.batches[t] = N / batch + (N % batch != 0);
    o.steps += o.passes[t];
  }
  if (tasks->temperature != 1.0 && tasks->count > 1) {
    share_batches(&o);
  }
  o.permutation = ad_malloc(o.count, sizeof *o.permutation);
  o.turn = ad_malloc(o.steps, sizeof *o.turn);
  if (o.permutation == NULL || o.turn == NULL) {
    ad_order_destroy(&o);
    return ad_fail_memory((o.count + o.steps) * sizeof *o.turn, "the order of the examples");
  }
  for (size_t t = 0; t < tasks->count; t++) {
    draw_pass(&o, t, 0);
  }
  draw_turns(&o, 0);
  *order = o;
  return AD_OK;
}

int ad_order_create(struct ad_order *order, size_t count, size_t batch, uint64_t seed) {
  const struct ad_order_tasks one = {.count = 1, .begin = {0, count}, .temperature = 1.0};
  return ad_order_create_tasks(order, &one, batch, seed);
}

void ad_order_destroy(struct ad_order *order) {
  ad_free(order->turn);
  ad_free(order->permutation);
  *order = (struct ad_order){0};
}

/* --- Batches. */

static int fail_far(uint64_t step) {
  return ad_fail(AD_EINTERNAL, "step %llu is past the last epoch that the order knows", (unsigned long long)step);
}

int ad_order_batch(struct ad_order *order, uint64_t step, uint32_t *ids, size_t *count) {
  struct ad_order *o = order;
  const uint64_t epoch = step / o->steps;
  if (epoch > UINT32_MAX) {
    return fail_far(step);
  }
  if (o->epoch != epoch) {
    draw_turns(o, (uint32_t)epoch);
  }
  size_t t = 0, batch = o->turn[step % o->steps]; /* which of the epoch's batches of task t */
  for (; batch >= o->batches[t]; t++) {
    batch -= o->batches[t];
  }
  const uint64_t number = epoch * o->batches[t] + batch, pass = number / o->passes[t];
  if (pass > (UINT32_MAX - t) / o->tasks.count) {
    return fail_far(step);
  }
  if (o->pass_of[t] != pass) {
    draw_pass(o, t, (uint32_t)pass);
  }
  const size_t begin = o->tasks.begin[t] + (size_t)(number % o->passes[t]) * o->batch;
  const size_t left = o->tasks.begin[t + 1] - begin;
  *count = left < o->batch ? left : o->batch;
  for (size_t i = 0; i < *count; i++) {
    ids[i] = (uint32_t)o->tasks.begin[t] + o->permutation[begin + i];
  }
  return AD_OK;
}

/* --- Lanes. */

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
