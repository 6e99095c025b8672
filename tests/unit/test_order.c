/* The order of the examples, lanes and packed batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"
#include "autodidact/data/batch.h"
#include "autodidact/data/order.h"
#include "autodidact/math/gemm.h"

/* Every epoch gives every example once; the short last batch is kept; epochs and seeds differ. */
static void test_epochs(void **state) {
  (void)state;
  enum { N = 103, B = 10 };
  struct ad_order order;
  assert_int_equal(ad_order_create(&order, N, B, 5), AD_OK);
  assert_int_equal(order.steps, 11);
  uint32_t epochs[3][N];
  for (uint64_t step = 0; step < 33; step++) {
    size_t count = 0;
    uint32_t ids[B];
    assert_int_equal(ad_order_batch(&order, step, ids, &count), AD_OK);
    assert_int_equal(count, step % 11 == 10 ? 3 : B);
    memcpy(epochs[step / 11] + step % 11 * B, ids, count * sizeof *ids);
  }
  for (int epoch = 0; epoch < 3; epoch++) {
    int seen[N] = {0};
    for (int i = 0; i < N; i++) {
      assert_true(epochs[epoch][i] < N);
      seen[epochs[epoch][i]]++;
    }
    for (int i = 0; i < N; i++) {
      assert_int_equal(seen[i], 1);
    }
    uint32_t permutation[N];
    ad_random_permutation(5, AD_STREAM_ORDER, (uint32_t)epoch, N, permutation);
    assert_memory_equal(epochs[epoch], permutation, sizeof permutation);
  }
  assert_memory_not_equal(epochs[0], epochs[1], sizeof epochs[0]);
  ad_order_destroy(&order);
}

/* A step's ids do not depend on which steps were asked for before: what a resumed run relies on. */
static void test_any_step(void **state) {
  (void)state;
  enum { N = 50, B = 8 };
  struct ad_order forward, backward;
  assert_int_equal(ad_order_create(&forward, N, B, 1), AD_OK);
  assert_int_equal(ad_order_create(&backward, N, B, 1), AD_OK);
  uint32_t ids[30][B], again[B];
  size_t counts[30], count;
  for (uint64_t step = 0; step < 30; step++) {
    assert_int_equal(ad_order_batch(&forward, step, ids[step], &counts[step]), AD_OK);
  }
  for (uint64_t step = 30; step-- > 0;) {
    assert_int_equal(ad_order_batch(&backward, step, again, &count), AD_OK);
    assert_int_equal(count, counts[step]);
    assert_memory_equal(again, ids[step], count * sizeof *again);
  }
  assert_int_equal(ad_order_batch(&forward, UINT64_MAX, again, &count), AD_EINTERNAL);
  ad_order_destroy(&forward);
  ad_order_destroy(&backward);
}

static void test_order_limits(void **state) {
  (void)state;
  struct ad_order order;
  assert_int_equal(ad_order_create(&order, 0, 1, 1), AD_EINPUT);
  assert_int_equal(ad_order_create(&order, 10, 0, 1), AD_ECONFIG);
  ad_memory_fail_at(1);
  assert_int_equal(ad_order_create(&order, 10, 1, 1), AD_ENOMEM);
  ad_order_destroy(&order);
  /* A batch larger than the data is one short batch. */
  assert_int_equal(ad_order_create(&order, 3, SIZE_MAX, 1), AD_OK);
  assert_int_equal(order.steps, 1);
  uint32_t ids[3];
  size_t count;
  assert_int_equal(ad_order_batch(&order, 7, ids, &count), AD_OK);
  assert_int_equal(count, 3);
  ad_order_destroy(&order);
}

/* Several tasks: a batch has examples of one; at temperature 1 an epoch has every example once. */
static void test_tasks(void **state) {
  (void)state;
  enum { N = 61 + 103 + 5, B = 8, STEPS = 8 + 13 + 1, EPOCHS = 3 };
  const struct ad_order_tasks tasks = {.count = 3, .begin = {0, 61, 164, N}, .temperature = 1.0};
  struct ad_order order;
  assert_int_equal(ad_order_create_tasks(&order, &tasks, B, 3), AD_OK);
  assert_int_equal(order.steps, STEPS);
  int differs = 0;
  uint32_t first[STEPS];
  for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
    int seen[N] = {0}, batches[3] = {0};
    for (uint64_t i = 0; i < STEPS; i++) {
      uint32_t ids[B];
      size_t count;
      assert_int_equal(ad_order_batch(&order, epoch * STEPS + i, ids, &count), AD_OK);
      const size_t t = ids[0] < 61 ? 0 : ids[0] < 164 ? 1 : 2;
      batches[t]++;
      for (size_t k = 0; k < count; k++) {
        assert_true(ids[k] >= tasks.begin[t] && ids[k] < tasks.begin[t + 1]);
        seen[ids[k]]++;
      }
      differs += epoch > 0 && first[i] != ids[0];
      first[i] = epoch == 0 ? ids[0] : first[i];
    }
    for (size_t i = 0; i < N; i++) {
      assert_int_equal(seen[i], 1);
    }
    assert_true(batches[0] == 8 && batches[1] == 13 && batches[2] == 1);
  }
  assert_true(differs > STEPS / 2);
  ad_order_destroy(&order);
}

/* A step's ids do not depend on the steps before; passes of a task follow one another over the epochs. */
static void test_tasks_any_step(void **state) {
  (void)state;
  enum { N = 40 + 7, B = 4, STEPS = 10 + 2, ALL = 5 * STEPS };
  const struct ad_order_tasks tasks = {.count = 2, .begin = {0, 40, N}, .temperature = 1e6};
  struct ad_order forward, backward;
  uint32_t ids[ALL][B], again[B], seen[N] = {0};
  size_t counts[ALL], count;
  assert_int_equal(ad_order_create_tasks(&forward, &tasks, B, 11), AD_OK);
  assert_int_equal(ad_order_create_tasks(&backward, &tasks, B, 11), AD_OK);
  assert_int_equal(forward.steps, STEPS);
  assert_true(forward.batches[0] == 6 && forward.batches[1] == 6);
  for (uint64_t step = 0; step < ALL; step++) {
    assert_int_equal(ad_order_batch(&forward, step, ids[step], &counts[step]), AD_OK);
    for (size_t i = 0; i < counts[step]; i++) {
      seen[ids[step][i]]++;
    }
  }
  for (uint64_t step = ALL; step-- > 0;) {
    assert_int_equal(ad_order_batch(&backward, step, again, &count), AD_OK);
    assert_int_equal(count, counts[step]);
    assert_memory_equal(again, ids[step], count * sizeof *again);
  }
  /* 30 batches of each: 3 passes over the first's 10, 15 over the second's 2. */
  for (size_t i = 0; i < N; i++) {
    assert_int_equal(seen[i], i < 40 ? 3 : 15);
  }
  ad_order_destroy(&forward);
  ad_order_destroy(&backward);
}

/* Shares by exact fractions: of 12,500 + 2,104 + 30 batches those in proportion to N^(1/temperature), the largest
 * remainders first (worked in Python with fractions and decimal). */
static void test_shares(void **state) {
  (void)state;
  static const struct {
    double temperature;
    size_t batches[3];
  } cases[] = {{1.0, {12500, 2104, 30}}, {2.0, {10029, 4114, 491}}, {5.0, {7319, 5125, 2190}}, {0.5, {14230, 403, 1}}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct ad_order_tasks tasks = {
        .count = 3, .begin = {0, 400000, 467328, 468288}, .temperature = cases[i].temperature};
    struct ad_order order;
    assert_int_equal(ad_order_create_tasks(&order, &tasks, 32, 0), AD_OK);
    assert_int_equal(order.steps, 14634);
    assert_memory_equal(order.batches, cases[i].batches, sizeof cases[i].batches);
    ad_order_destroy(&order);
  }
  /* At least one batch, where the share is less than a half. */
  const struct ad_order_tasks tasks = {.count = 3, .begin = {0, 1000, 1001, 1002}, .temperature = 0.5};
  struct ad_order order;
  assert_int_equal(ad_order_create_tasks(&order, &tasks, 10, 0), AD_OK);
  assert_true(order.batches[0] == 100 && order.batches[1] == 1 && order.batches[2] == 1);
  ad_order_destroy(&order);
  const struct ad_order_tasks empty = {.count = 2, .begin = {0, 7, 7}, .temperature = 1.0};
  assert_int_equal(ad_order_create_tasks(&order, &empty, 10, 0), AD_EINPUT);
  ad_memory_fail_at(2);
  assert_int_equal(ad_order_create_tasks(&order, &tasks, 10, 0), AD_ENOMEM);
}

/* Worked by hand: 9 -> lane 0; 7 (position 1) -> lane 1; 7 (position 4) -> lane 2; 5 -> lane 1 (7 = 7: the lower lane);
 * 4 -> lane 2 (7 < 9 < 12); 2 -> lane 0 (9 < 11 < 12); 2 (position 6) -> lane 0 (11 = 11: the lower lane). So 13, 12
 * and 11 tokens. The tree's left half has two places: 13 goes left, 12 right, 11 left again, where it comes second. */
static void test_lanes_by_hand(void **state) {
  (void)state;
  const uint32_t lengths[7] = {5, 7, 2, 9, 7, 4, 2};
  const uint32_t expected[7] = {2, 3, 6, 4, 5, 0, 1};
  const size_t expected_begin[4] = {0, 3, 5, 7};
  size_t begin[4];
  uint32_t member[7];
  uint64_t work[7];
  ad_lanes_assign(7, lengths, 3, begin, member, work);
  assert_memory_equal(begin, expected_begin, sizeof begin);
  assert_memory_equal(member, expected, sizeof member);
}

/* Puts lanes, heaviest first, on the places from `at` on. */
static void number_plainly(size_t W, const uint32_t *lanes, const size_t *load, uint32_t at, uint32_t *number) {
  uint32_t side[2][64];
  size_t room[2] = {W, 0}, count[2] = {0, 0};
  double mean[2] = {0.0, 0.0};
  if (W == 1) {
    number[lanes[0]] = at;
    return;
  }
  for (room[0] = 32; room[0] >= W;) {
    room[0] /= 2;
  }
  room[1] = W - room[0];
  for (size_t i = 0; i < W; i++) {
    int to = mean[1] < mean[0];
    to = count[to] == room[to] ? !to : to;
    side[to][count[to]++] = lanes[i];
    mean[to] = 0.0;
    for (size_t k = 0; k < count[to]; k++) {
      mean[to] += (double)load[side[to][k]] / (double)room[to];
    }
  }
  number_plainly(room[0], side[0], load, at, number);
  number_plainly(room[1], side[1], load, at + (uint32_t)room[0], number);
}

/* The rule of the header, written in the plainest way. */
static void assign_plainly(size_t count, const uint32_t *lengths, size_t W, uint32_t *lane) {
  size_t load[64] = {0};
  int done[64] = {0};
  for (size_t n = 0; n < count; n++) {
    size_t longest = count;
    for (size_t i = 0; i < count; i++) {
      if (!done[i] && (longest == count || lengths[i] > lengths[longest])) {
        longest = i;
      }
    }
    size_t lightest = 0;
    for (size_t w = 0; w < W; w++) {
      lightest = load[w] < load[lightest] ? w : lightest;
    }
    done[longest] = 1;
    load[lightest] += lengths[longest];
    lane[longest] = (uint32_t)lightest;
  }
  uint32_t heaviest[64], number[64];
  for (uint32_t w = 0; w < W; w++) {
    size_t before = 0;
    for (uint32_t v = 0; v < W; v++) {
      before += load[v] > load[w] || (load[v] == load[w] && v < w);
    }
    heaviest[before] = w;
  }
  number_plainly(W, heaviest, load, 0, number);
  for (size_t i = 0; i < count; i++) {
    lane[i] = number[lane[i]];
  }
}

static void test_lanes_random(void **state) {
  (void)state;
  for (uint32_t trial = 0; trial < 500; trial++) {
    const size_t count = ad_random_below(trial, AD_STREAM_TEST, 0, 0, 65),
                 W = 1 + ad_random_below(trial, AD_STREAM_TEST, 0, 1, 16);
    uint32_t lengths[64] = {0}, lane[64], member[64];
    uint64_t work[64];
    size_t begin[17];
    for (size_t i = 0; i < count; i++) {
      lengths[i] = (uint32_t)ad_random_below(trial, AD_STREAM_TEST, 1, i, 20);
    }
    assign_plainly(count, lengths, W, lane);
    ad_lanes_assign(count, lengths, W, begin, member, work);
    assert_int_equal(begin[0], 0);
    assert_int_equal(begin[W], count);
    size_t k = 0;
    for (size_t w = 0; w < W; w++) {
      assert_true(begin[w] == k);
      for (size_t i = 0; i < count; i++) {
        if (lane[i] == w) {
          assert_int_equal(member[k], i);
          k++;
        }
      }
    }
    assert_int_equal(k, count);
  }
}

static void test_lanes_of_ranks(void **state) {
  (void)state;
  for (size_t W = 1; W <= 9; W++) {
    for (size_t R = 1; R <= W; R++) {
      assert_int_equal(ad_lanes_first(W, R, 0), 0);
      assert_int_equal(ad_lanes_first(W, R, R), W);
      for (size_t r = 0; r < R; r++) {
        assert_true(ad_lanes_first(W, R, r) < ad_lanes_first(W, R, r + 1));
      }
    }
  }
}

/* Example i has i + 2 tokens 100 i, 100 i + 1, ..., two of them in the first segment. */
enum { EXAMPLES = 6, TOKENS = 2 + 3 + 4 + 5 + 6 + 7 };
static size_t offsets[EXAMPLES + 1];
static uint32_t tokens[TOKENS], firsts[EXAMPLES], labels[EXAMPLES];
static struct ad_dataset dataset = {
    .count = EXAMPLES, .offset = offsets, .ids = tokens, .first = firsts, .label = labels};

static int make_dataset(void **state) {
  (void)state;
  size_t t = 0;
  for (uint32_t i = 0; i < EXAMPLES; i++) {
    offsets[i] = t;
    firsts[i] = 2;
    for (uint32_t j = 0; j < i + 2; j++) {
      tokens[t++] = 100 * i + j;
    }
  }
  offsets[EXAMPLES] = t;
  return 0;
}

static void check_batch(const struct ad_batch *batch, const uint32_t *expected, size_t count) {
  assert_int_equal(batch->examples, count);
  size_t t = 0;
  for (size_t b = 0; b < count; b++) {
    const uint32_t id = expected[b];
    assert_int_equal(batch->example[b], id);
    assert_int_equal(batch->offset[b], t);
    for (uint32_t j = 0; j < id + 2; j++, t++) {
      assert_int_equal(batch->ids[t], 100 * id + j);
      assert_int_equal(batch->types[t], j >= 2);
      assert_int_equal(batch->positions[t], j);
      assert_int_equal(batch->places[t], j);
      assert_int_equal(batch->token_stream[t], id);
    }
  }
  assert_int_equal(batch->offset[count], t);
  assert_int_equal(batch->tokens, t);
  for (; t < ad_round_rows(batch->tokens); t++) {
    assert_int_equal(batch->ids[t] | batch->types[t] | batch->positions[t] | batch->places[t] | batch->token_stream[t],
                     0);
  }
}

/* BERT's. */
static const struct ad_input_form form = {.second_type = 1, .first_position = 0, .longest = 64};

static void test_pack(void **state) {
  (void)state;
  struct ad_packer packer;
  struct ad_batch batch;
  assert_int_equal(ad_packer_create(&packer, &form, TOKENS + AD_ROW_BLOCK, EXAMPLES, 4, 1), AD_OK);
  const uint32_t ids[5] = {5, 0, 3, 1, 4};
  const uint32_t lengths[5] = {7, 2, 5, 3, 6};
  size_t begin[4];
  uint32_t member[5];
  uint64_t work[5];
  ad_lanes_assign(5, lengths, 3, begin, member, work); /* 6 2 | 7 | 5 3 */
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 3, begin, member, &batch), AD_OK);
  check_batch(&batch, (const uint32_t[]){0, 4, 5, 3, 1}, 5);
  assert_int_equal(batch.lanes, 3);
  assert_memory_equal(batch.lane_example, ((const size_t[]){0, 2, 3, 5}), 4 * sizeof(size_t));
  /* The middle lane alone; its padding covers what the larger batch left. */
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 1, begin + 1, member, &batch), AD_OK);
  check_batch(&batch, (const uint32_t[]){5}, 1);
  assert_memory_equal(batch.lane_example, ((const size_t[]){0, 1}), 2 * sizeof(size_t));
  /* Empty lanes, no member array. */
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 4, (const size_t[]){0, 0, 2, 2, 3}, NULL, &batch), AD_OK);
  check_batch(&batch, ids, 3);
  assert_memory_equal(batch.lane_example, ((const size_t[]){0, 0, 2, 2, 3}), 5 * sizeof(size_t));
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 1, (const size_t[]){0, 0}, NULL, &batch), AD_OK);
  check_batch(&batch, ids, 0);
  ad_packer_destroy(&packer);
}

/* RoBERTa's form: one token type, positions from 2. */
static void test_pack_form(void **state) {
  (void)state;
  struct ad_packer packer;
  struct ad_batch batch;
  const struct ad_input_form other = {.second_type = 0, .first_position = 2, .longest = 64};
  const uint32_t ids[] = {5, 3};
  assert_int_equal(ad_packer_create(&packer, &other, TOKENS + AD_ROW_BLOCK, EXAMPLES, 1, 1), AD_OK);
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 1, (const size_t[]){0, 2}, NULL, &batch), AD_OK);
  assert_true(dataset.first[5] < batch.length[0]); /* a pair */
  for (size_t b = 0; b < 2; b++) {
    for (size_t t = batch.offset[b]; t < batch.offset[b + 1]; t++) {
      assert_int_equal(batch.types[t], 0);
      assert_int_equal(batch.positions[t], 2 + t - batch.offset[b]);
      assert_int_equal(batch.places[t], t - batch.offset[b]);
    }
  }
  ad_packer_destroy(&packer);
}

/* A token of padding inside an example has its own position and is not counted; its place is like any other's. */
static void test_pack_padding(void **state) {
  (void)state;
  enum { PADDING = 502 };
  struct ad_packer packer;
  struct ad_batch batch;
  const struct ad_input_form other = {.first_position = PADDING + 1, .longest = 64};
  const uint32_t ids[] = {5}, expected[] = {503, 504, PADDING, 505, 506, 507, 508};
  assert_int_equal(ad_packer_create(&packer, &other, TOKENS + AD_ROW_BLOCK, EXAMPLES, 1, 1), AD_OK);
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 1, (const size_t[]){0, 1}, NULL, &batch), AD_OK);
  assert_memory_equal(batch.positions, expected, sizeof expected);
  for (uint32_t t = 0; t < batch.tokens; t++) {
    assert_int_equal(batch.places[t], t);
  }
  ad_packer_destroy(&packer);
}

/* Two copies of each example in its lane, all first ones first, each with a stream of its own. */
static void test_pack_copies(void **state) {
  (void)state;
  struct ad_packer packer;
  struct ad_batch batch;
  const uint32_t ids[] = {5, 0, 3}, expected[] = {5, 0, 5, 0, 3, 3}, copy[] = {0, 0, 1, 1, 0, 1};
  assert_int_equal(ad_packer_create(&packer, &form, TOKENS + AD_ROW_BLOCK, 6, 2, 1), AD_OK);
  packer.copies = AD_BATCH_COPIES;
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 2, (const size_t[]){0, 2, 3}, NULL, &batch), AD_OK);
  assert_int_equal(batch.examples, 6);
  assert_memory_equal(batch.lane_example, ((const size_t[]){0, 4, 6}), 3 * sizeof(size_t));
  assert_memory_equal(batch.example, expected, sizeof expected);
  assert_memory_equal(batch.copy, copy, sizeof copy);
  for (size_t b = 0; b < 6; b++) {
    assert_int_equal(batch.length[b], expected[b] + 2);
    assert_int_equal(batch.stream[b], expected[b] + copy[b] * 2147483648u);
    for (size_t t = batch.offset[b]; t < batch.offset[b + 1]; t++) {
      assert_int_equal(batch.ids[t], 100 * expected[b] + (t - batch.offset[b]));
      assert_int_equal(batch.token_stream[t], batch.stream[b]);
    }
  }
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 1, (const size_t[]){0, 4}, NULL, &batch), AD_EINTERNAL);
  ad_packer_destroy(&packer);
}

static void test_pack_bounds(void **state) {
  (void)state;
  struct ad_packer packer;
  struct ad_batch batch;
  const uint32_t ids[16] = {5, 5, 5, 5, 5, 5, 5, 5, 6};
  assert_int_equal(ad_packer_create(&packer, &form, 48, 7, 2, 1), AD_OK);
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 1, (const size_t[]){0, 8}, NULL, &batch), AD_EINTERNAL);
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 1, (const size_t[]){0, 7}, NULL, &batch), AD_EINTERNAL);
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 1, (const size_t[]){8, 9}, NULL, &batch), AD_EINTERNAL);
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 3, (const size_t[]){0, 1, 1, 1}, NULL, &batch), AD_EINTERNAL);
  assert_int_equal(ad_packer_fill(&packer, &dataset, ids, 1, (const size_t[]){0, 6}, NULL, &batch), AD_OK);
  ad_packer_destroy(&packer);
  const size_t live = ad_memory_stats().live_blocks;
  for (unsigned long n = 1; n <= 10; n++) {
    ad_memory_fail_at(n);
    assert_int_equal(ad_packer_create(&packer, &form, 48, 6, 2, 1), AD_ENOMEM);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  ad_memory_fail_at(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_epochs),         cmocka_unit_test(test_any_step),
      cmocka_unit_test(test_order_limits),   cmocka_unit_test(test_tasks),
      cmocka_unit_test(test_tasks_any_step), cmocka_unit_test(test_shares),
      cmocka_unit_test(test_lanes_by_hand),  cmocka_unit_test(test_lanes_random),
      cmocka_unit_test(test_lanes_of_ranks), cmocka_unit_test(test_pack),
      cmocka_unit_test(test_pack_form),      cmocka_unit_test(test_pack_padding),
      cmocka_unit_test(test_pack_copies),    cmocka_unit_test(test_pack_bounds),
  };
  return cmocka_run_group_tests(tests, make_dataset, NULL);
}
