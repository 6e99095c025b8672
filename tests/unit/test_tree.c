/* The fixed tree, and shards for fake ranks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/tree.h"
#include "autodidact/model/shard.h"

/* A leaf with numbers whose sum depends on the order: lane and place scaled over many binades. */
static void leaf(void *context, size_t lane, float *out) {
  const size_t n = *(const size_t *)context;
  for (size_t i = 0; i < n; i++) {
    out[i] = (float)(((lane * 7919 + i * 104729) % 1009) + 1) * (lane % 3 == 0 ? 1e-3f : 1.7f);
  }
}

/* The definition, by recursion, lanes without examples passed over. */
static int reference(const size_t *begin, size_t lo, size_t hi, size_t i, size_t n, float *sum) {
  if (begin[lo] == begin[hi]) {
    return 0;
  }
  if (hi - lo == 1) {
    float values[8];
    leaf(&n, lo, values);
    *sum = values[i];
    return 1;
  }
  size_t half = 1;
  while (2 * half < hi - lo) {
    half *= 2;
  }
  float left = 0.0f, right = 0.0f;
  const int has_left = reference(begin, lo, lo + half, i, n, &left),
            has_right = reference(begin, lo + half, hi, i, n, &right);
  *sum = has_left && has_right ? left + right : has_left ? left : right;
  return has_left || has_right;
}

static void test_sum(void **state) {
  (void)state;
  enum { N = 5, MOST = 40 };
  const struct ad_kernels *kernels = ad_kernels_find(NULL);
  float out[N], work[N * 8];
  size_t n = N;
  for (size_t lanes = 1; lanes <= MOST; lanes++) {
    for (size_t empty = 0; empty < 4; empty++) {
      size_t begin[MOST + 1] = {0};
      for (size_t l = 0; l < lanes; l++) {
        begin[l + 1] = begin[l] + (empty == 0 || (l * 5 + empty) % 4 != 0);
      }
      assert_true(ad_tree_work(lanes, N) <= sizeof work / sizeof *work);
      ad_tree_sum(&(struct ad_tree){.kernels = kernels, .begin = begin}, 0, lanes, N, leaf, &n, out, work);
      for (size_t i = 0; i < N; i++) {
        float expected = 0.0f;
        reference(begin, 0, lanes, i, N, &expected);
        assert_memory_equal(&out[i], &expected, sizeof expected);
      }
    }
  }
}

/* The parts of any R ranks cover the lanes, are nodes, and are as few as can be: no two neighbours of one rank are
 * halves of a node. */
static void test_parts(void **state) {
  (void)state;
  for (size_t W = 1; W <= 70; W++) {
    for (size_t R = 1; R <= W; R++) {
      size_t next = 0;
      for (size_t r = 0; r < R; r++) {
        struct ad_span parts[AD_MAX_PARTS];
        const size_t count = ad_tree_parts(W, r * W / R, (r + 1) * W / R, parts);
        assert_true(count >= 1 && count <= AD_MAX_PARTS);
        for (size_t p = 0; p < count; p++) {
          assert_int_equal(parts[p].lo, next);
          assert_true(ad_tree_is_node(W, parts[p].lo, parts[p].hi));
          assert_false(p > 0 && ad_tree_is_node(W, parts[p - 1].lo, parts[p].hi));
          next = parts[p].hi;
        }
      }
      assert_int_equal(next, W);
    }
  }
  assert_false(ad_tree_is_node(8, 2, 6));
  assert_false(ad_tree_is_node(6, 4, 5) && ad_tree_is_node(6, 3, 5));
}

static const struct ad_model_config small = {.hidden = 12,
                                             .heads = 3,
                                             .ffn = 300,
                                             .layers = 3,
                                             .vocab = 50,
                                             .positions = 400,
                                             .types = 2,
                                             .classes = 3,
                                             .layer_norm_eps = 1e-12f};

/* Shards of R ranks cut every bucket without gap or overlap, at block boundaries, and their compact parts do the same.
 */
static void test_shards(void **state) {
  (void)state;
  struct ad_params params;
  struct ad_rows rows;
  const uint32_t touched[] = {49, 3, 3, 17, 0, 18};
  assert_int_equal(ad_params_create(&params, &small), AD_OK);
  assert_int_equal(ad_rows_create(&rows, small.vocab), AD_OK);
  ad_rows_add(&rows, 6, touched);
  ad_rows_order(&rows);
  assert_int_equal(rows.count, 5);
  assert_int_equal(rows.ids[rows.slot[17]], 17);
  for (uint32_t R = 1; R <= 9; R++) {
    size_t total = 0;
    for (uint32_t b = 0; b < params.buckets; b++) {
      size_t flat = params.bucket_begin[b], compact = 0;
      for (uint32_t r = 0; r < R; r++) {
        size_t begin, end, compact_begin, compact_end;
        ad_shard_range(&params, b, r, R, &begin, &end);
        assert_int_equal(begin, flat);
        assert_true(end >= begin);
        ad_compact_range(&params, b, &rows, begin, end, &compact_begin, &compact_end);
        assert_int_equal(compact_begin, compact);
        flat = end;
        compact = compact_end;
      }
      assert_int_equal(flat, params.bucket_begin[b + 1]);
      assert_int_equal(compact, ad_compact_count(&params, b, &rows));
    }
    for (uint32_t r = 0; r < R; r++) {
      struct ad_shard shard;
      assert_int_equal(ad_shard_create(&shard, &params, r, R), AD_OK);
      total += shard.count;
      ad_shard_destroy(&shard);
    }
    assert_int_equal(total, params.count);
  }
  ad_rows_destroy(&rows);
  ad_params_destroy(&params);
}

static void test_out_of_memory(void **state) {
  (void)state;
  const size_t before = ad_memory_stats().live_blocks;
  struct ad_params params;
  struct ad_shard shard;
  for (int call = 0; call < 2; call++) {
    int status = AD_ENOMEM;
    for (unsigned long n = 1; status != AD_OK; n++) {
      if (call == 1) {
        assert_int_equal(ad_params_create(&params, &small), AD_OK);
      }
      ad_memory_fail_at(n);
      status = call == 0 ? ad_params_create(&params, &small) : ad_shard_create(&shard, &params, 0, 2);
      ad_memory_fail_at(0);
      assert_true(status == AD_OK || status == AD_ENOMEM);
      if (call == 1 && status == AD_OK) {
        ad_shard_destroy(&shard);
      }
      ad_params_destroy(&params);
      assert_int_equal(ad_memory_stats().live_blocks, before);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sum), cmocka_unit_test(test_parts),
                                     cmocka_unit_test(test_shards), cmocka_unit_test(test_out_of_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
