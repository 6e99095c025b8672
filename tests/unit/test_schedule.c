/* Learning-rate factors against those of transformers (tests/parity/metrics.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "autodidact/learn/optimizer.h"
#include "autodidact/learn/schedule.h"
#include "support/fixture.h"

static const char *const RUNS[] = {"20-0.2", "100-0.1", "187-0.06", "30-0.1", "70-0.1",
                                   "7-0.5",  "10-0.0",  "10-0.999", "1-0.0",  "1-0.1"};

/* Both sides compute in double; the argument of the cosine is rounded in another order. */
static const double TOLERANCE = 1e-15;

static void check_kind(hid_t file, const char *run, const char *name, enum ad_schedule kind, uint64_t total,
                       uint64_t warmup) {
  char path[64];
  size_t count;
  snprintf(path, sizeof path, "%s/%s", run, name);
  double *expected = fixture_read_new(file, path, H5T_NATIVE_DOUBLE, &count);
  assert_int_equal(count, total + 1);
  for (uint64_t t = 0; t < total; t++) {
    const double factor = ad_schedule_factor(kind, t, total, warmup);
    if (!(fabs(factor - expected[t]) <= TOLERANCE)) {
      fail_msg("%s, step %d: %.17g, expected %.17g", path, (int)t, factor, expected[t]);
    }
  }
  free(expected);
}

static void test_factors(void **state) {
  (void)state;
  const hid_t file = fixture_open("schedule.h5");
  for (size_t i = 0; i < sizeof RUNS / sizeof *RUNS; i++) {
    char path[64];
    snprintf(path, sizeof path, "%s/total", RUNS[i]);
    const uint64_t total = (uint64_t)fixture_scalar(file, path);
    snprintf(path, sizeof path, "%s/share", RUNS[i]);
    const uint64_t warmup = ad_schedule_warmup(total, fixture_scalar(file, path));
    snprintf(path, sizeof path, "%s/warmup", RUNS[i]);
    assert_int_equal(warmup, (uint64_t)fixture_scalar(file, path));
    check_kind(file, RUNS[i], "linear", AD_SCHEDULE_LINEAR, total, warmup);
    check_kind(file, RUNS[i], "constant", AD_SCHEDULE_CONSTANT, total, warmup);
    check_kind(file, RUNS[i], "cosine", AD_SCHEDULE_COSINE, total, warmup);
  }
  fixture_close(file);
}

static void test_ends(void **state) {
  (void)state;
  assert_int_equal(ad_schedule_warmup(0, 0.5), 0);
  assert_int_equal(ad_schedule_warmup(10, 1.0), 10);
  for (uint64_t t = 10; t < 30; t += 3) {
    assert_true(ad_schedule_factor(AD_SCHEDULE_LINEAR, t, 10, 2) == 0.0);
    assert_true(ad_schedule_factor(AD_SCHEDULE_COSINE, t, 10, 2) == 0.0);
    assert_true(ad_schedule_factor(AD_SCHEDULE_CONSTANT, t, 10, 2) == 1.0);
  }
}

/* Powers of 1/2 are exact. */
static void test_layers(void **state) {
  (void)state;
  assert_true(ad_schedule_layer(0.5, 4, 3) == 1.0);
  assert_true(ad_schedule_layer(0.5, 3, 3) == 0.5);
  assert_true(ad_schedule_layer(0.5, 1, 3) == 0.125);
  assert_true(ad_schedule_layer(0.5, 0, 3) == 0.0625);
  for (uint32_t layer = 0; layer < 14; layer++) {
    assert_true(ad_schedule_layer(1.0, layer, 12) == 1.0);
    assert_true(fabs(ad_schedule_layer(0.95, layer, 12) - pow(0.95, 13 - layer)) <= 1e-15);
  }
}

/* The layer of a tensor by its name: 0 embeddings, 1 + n encoder layer n, L + 1 the head. */
static uint32_t layer_of(const char *name, uint32_t L) {
  unsigned n;
  if (sscanf(name, "encoder.layer.%u.", &n) == 1) {
    return n + 1;
  }
  return strncmp(name, "embeddings.", 11) == 0 ? 0 : L + 1;
}

/* AdamW's first step with a gradient of ones moves every parameter by its learning rate, less a part eps; these betas
 * are exact in float32. */
static void test_layer_decay(void **state) {
  (void)state;
  enum { L = 3, V = 11 };
  const struct ad_model_config config = {
      .hidden = 8, .heads = 2, .ffn = 20, .layers = L, .vocab = V, .positions = 6, .types = 2, .classes = 3};
  const struct ad_optimizer_settings settings = {
      .lr = 0.5, .head_lr = 2.0, .layer_decay = 0.5, .beta1 = 0.5, .beta2 = 0.75, .eps = 1e-8, .bias_correction = 1};
  struct ad_params params;
  struct ad_shard shard;
  struct ad_optimizer optimizer;
  struct ad_rows rows;
  assert_int_equal(ad_params_create(&params, &config), AD_OK);
  assert_int_equal(ad_shard_create(&shard, &params, 0, 1), AD_OK);
  assert_int_equal(ad_optimizer_create(&optimizer, ad_kernels_find(NULL), &shard, &settings), AD_OK);
  assert_int_equal(ad_rows_create(&rows, V), AD_OK);
  for (uint32_t id = 0; id < V; id++) {
    ad_rows_add(&rows, 1, &id);
  }
  ad_rows_order(&rows);
  float *theta = calloc(params.count, sizeof *theta), *ones = malloc(params.count * sizeof *ones);
  for (size_t i = 0; i < params.count; i++) {
    ones[i] = 1.0f;
  }
  const struct ad_weights weights = ad_weights_float32(theta);
  uint64_t digest = 0;
  for (uint32_t b = 0; b < params.buckets; b++) {
    assert_int_equal(ad_optimizer_update(&optimizer, b, &rows, ones, 1, 1.0, 1.0, &weights, NULL, &digest), AD_OK);
  }
  assert_true(digest == ad_shard_digest(&shard, theta));
  for (size_t i = 0; i < params.tensor_count; i++) {
    const struct ad_tensor *tensor = &params.tensors[i];
    const double rate = strncmp(tensor->name, "classifier.", 11) == 0
                            ? settings.head_lr
                            : settings.lr * pow(0.5, L + 1 - layer_of(tensor->name, L));
    for (size_t k = tensor->offset; k < tensor->offset + tensor->count; k++) {
      if (!(fabs(theta[k] + rate) <= 1e-6 * rate)) {
        fail_msg("%s: moved by %g, expected %g", tensor->name, -theta[k], rate);
      }
    }
  }
  free(theta);
  free(ones);
  ad_rows_destroy(&rows);
  ad_optimizer_destroy(&optimizer);
  ad_shard_destroy(&shard);
  ad_params_destroy(&params);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_factors),
      cmocka_unit_test(test_ends),
      cmocka_unit_test(test_layers),
      cmocka_unit_test(test_layer_decay),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
