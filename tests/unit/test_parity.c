/* The encoder against PyTorch: logits, losses and every gradient tensor on tiny models (tests/parity/reference.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "model/post_norm/post_norm.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"

/* What was asked for: norm of the difference over the norm of PyTorch's (float64) numbers. */
static const double LOGITS_TOLERANCE = 2e-5, GRADIENT_TOLERANCE = 1e-4;
static const size_t LANES[] = {1, 3, 8, 16};
enum { LANE_COUNTS = sizeof LANES / sizeof *LANES };

static int failures;

static void expect(double error, double tolerance, const char *fixture, size_t lanes, const char *what) {
  if (!(error <= tolerance)) {
    print_error("%s, %zu lanes: %s differs by %.3g, allowed %.3g\n", fixture, lanes, what, error, tolerance);
    failures++;
  }
}

static void check_logits(const struct encoder_fixture *f, const char *name, size_t lanes, const float *logits) {
  const size_t n = f->dataset.count * f->params.config.classes;
  expect(distance(n, logits, f->logits) / norm(n, f->logits), LOGITS_TOLERANCE, name, lanes, "logits");
}

/* The gradient of the batch mean of cross entropy + weight * mean over C of (logits - teacher)^2 at the logits, and the
 * loss itself: from the definition, in double. */
static double loss_gradient(const struct encoder_fixture *f, const float *logits, double weight, float *dlogits) {
  const size_t B = f->dataset.count, C = f->params.config.classes;
  double loss = 0.0;
  for (size_t b = 0; b < B; b++) {
    const float *row = logits + b * C;
    double sum = 0.0;
    for (size_t c = 0; c < C; c++) {
      sum += exp(row[c]);
    }
    loss += log(sum) - row[f->dataset.label[b]];
    for (size_t c = 0; c < C; c++) {
      const double difference = (double)row[c] - f->teacher[b * C + c];
      loss += weight * difference * difference / C;
      dlogits[b * C + c] =
          (float)((exp(row[c]) / sum - (c == f->dataset.label[b]) + 2.0 * weight * difference / C) / B);
    }
  }
  return loss / B;
}

/* Rows of an embedding that no token uses have no gradient at all, not merely a small one. */
static void check_untouched(const struct ad_tensor *tensor, const char *name, size_t lanes, const float *got,
                            const float *expected) {
  for (size_t row = 0; row < tensor->rows; row++) {
    const size_t at = tensor->offset + row * tensor->columns;
    if (norm(tensor->columns, expected + at) == 0.0) {
      expect(norm(tensor->columns, got + at), 0.0, name, lanes, tensor->name);
    }
  }
}

static void check_gradient(const struct encoder_fixture *f, const char *name, size_t lanes, const float *got,
                           const float *expected) {
  for (size_t i = 0; i < f->params.tensor_count; i++) {
    const struct ad_tensor *tensor = &f->params.tensors[i];
    const double difference = distance(tensor->count, got + tensor->offset, expected + tensor->offset);
    const double scale = fixture_gradient_scale(f, tensor, expected);
    if (fixture_is_unread(tensor)) {
      expect(scale + difference, 0.0, name, lanes, tensor->name);
      continue;
    }
    assert_true(scale > 0.0);
    expect(difference / scale, GRADIENT_TOLERANCE, name, lanes, tensor->name);
    if (strstr(tensor->name, "_embedding") != NULL) {
      check_untouched(tensor, name, lanes, got, expected);
    }
  }
}

static void check_loss(struct encoder_fixture *f, struct ad_encoder *encoder, const char *name,
                       const struct ad_batch *batch, const float *logits, const char *kind) {
  char path[32];
  const double weight = strcmp(kind, "distill") == 0 ? fixture_scalar(f->file, "distill/weight") : 0.0;
  float *dlogits = calloc(f->dataset.count * f->params.config.classes, sizeof *dlogits);
  float *expected = calloc(f->params.count, sizeof *expected), *got = malloc(f->params.count * sizeof *got);
  memset(got, 0xff, f->params.count * sizeof *got); /* NaN: what is not written shows */
  snprintf(path, sizeof path, "%s/loss", kind);
  const double loss = fixture_scalar(f->file, path);
  expect(fabs(loss_gradient(f, logits, weight, dlogits) - loss) / loss, LOGITS_TOLERANCE, name, batch->lanes, path);
  snprintf(path, sizeof path, "%s/gradient", kind);
  fixture_vector(f, path, expected);
  assert_int_equal(ad_encoder_gradient(encoder, ad_replica_float32(f->theta), batch, NULL, dlogits, got), AD_OK);
  check_gradient(f, name, batch->lanes, got, expected);
  free(dlogits);
  free(expected);
  free(got);
}

/* Without memory for the backward: the same bits. */
static void check_evaluation(struct encoder_fixture *f, const struct ad_batch *batch, const float *logits) {
  const size_t n = f->dataset.count * f->params.config.classes;
  struct ad_encoder *encoder;
  float *again = calloc(n, sizeof *again);
  assert_int_equal(ad_encoder_create(&encoder, test_math, &f->params, batch->tokens, batch->examples, batch->lanes, 0),
                   AD_OK);
  assert_int_equal(ad_encoder_forward(encoder, ad_replica_float32(f->theta), batch, NULL, again), AD_OK);
  assert_memory_equal(again, logits, n * sizeof *again);
  ad_encoder_destroy(encoder);
  free(again);
}

static void run_fixture(const char *name) {
  struct encoder_fixture f;
  fixture_load(&f, name);
  const size_t B = f.dataset.count, n = B * f.params.config.classes;
  uint32_t ids[64];
  for (uint32_t b = 0; b < B; b++) {
    ids[b] = b;
  }
  struct ad_encoder *encoder;
  assert_int_equal(ad_encoder_create(&encoder, test_math, &f.params, f.dataset.offset[B], B, 16, 1), AD_OK);
  float *logits = calloc(n, sizeof *logits);
  for (size_t i = 0; i < LANE_COUNTS; i++) {
    const struct ad_batch batch = fixture_batch(&f, B, ids, LANES[i]);
    assert_int_equal(ad_encoder_forward(encoder, ad_replica_float32(f.theta), &batch, NULL, logits), AD_OK);
    check_logits(&f, name, LANES[i], logits);
    check_evaluation(&f, &batch, logits);
    check_loss(&f, encoder, name, &batch, logits, "ce");
    check_loss(&f, encoder, name, &batch, logits, "distill");
  }
  ad_encoder_destroy(encoder);
  free(logits);
  fixture_unload(&f);
}

static void test_fixtures(void **state) {
  (void)state;
  const struct ad_memory_stats before = ad_memory_stats();
  failures = 0;
  for (size_t i = 0; i < ENCODER_FIXTURE_COUNT; i++) {
    run_fixture(ENCODER_FIXTURES[i]);
  }
  assert_int_equal(failures, 0);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

/* The bucket of every distance, where an architecture has a bias of scores by distance. */
static void test_buckets(void **state) {
  (void)state;
  enum { FARTHEST = 4096 };
  static uint32_t expected[2 * FARTHEST + 1];
  size_t compared = 0;
  for (size_t i = 0; i < ENCODER_FIXTURE_COUNT; i++) {
    struct encoder_fixture f;
    fixture_load(&f, ENCODER_FIXTURES[i]);
    assert_int_equal(H5Lexists(f.file, "buckets", H5P_DEFAULT) > 0, f.params.config.buckets > 0);
    if (f.params.config.buckets > 0) {
      fixture_read(f.file, "buckets", H5T_NATIVE_UINT32, 2 * FARTHEST + 1, expected);
      for (ptrdiff_t d = -FARTHEST; d <= FARTHEST; d++) {
        assert_int_equal(ad__post_norm(&f.params.config)->bucket(d), expected[d + FARTHEST]);
        compared++;
      }
    }
    fixture_unload(&f);
  }
  assert_true(compared > 0);
}

/* The examples one by one give the logits that they have in the batch. */
static void test_single_examples(void **state) {
  (void)state;
  for (size_t i = 0; i < ENCODER_FIXTURE_COUNT; i++) {
    struct encoder_fixture f;
    fixture_load(&f, ENCODER_FIXTURES[i]);
    const size_t C = f.params.config.classes;
    struct ad_encoder *encoder;
    assert_int_equal(ad_encoder_create(&encoder, test_math, &f.params, f.dataset.offset[f.dataset.count], 1, 1, 0),
                     AD_OK);
    float *logits = calloc(f.dataset.count * C, sizeof *logits);
    for (uint32_t b = 0; b < f.dataset.count; b++) {
      const struct ad_batch batch = fixture_batch(&f, 1, &b, 1);
      assert_int_equal(ad_encoder_forward(encoder, ad_replica_float32(f.theta), &batch, NULL, logits + b * C), AD_OK);
    }
    failures = 0;
    check_logits(&f, ENCODER_FIXTURES[i], 1, logits);
    assert_int_equal(failures, 0);
    free(logits);
    ad_encoder_destroy(encoder);
    fixture_unload(&f);
  }
}

/* logits [B,C], and the gradient [P] of half the sum of their squares. */
static void differentiate(struct encoder_fixture *f, float *logits, float *gradient) {
  const size_t B = f->dataset.count;
  struct ad_encoder *encoder;
  uint32_t ids[64];
  for (uint32_t b = 0; b < B; b++) {
    ids[b] = b;
  }
  const struct ad_batch batch = fixture_batch(f, B, ids, 2);
  const struct ad_replica theta = ad_replica_float32(f->theta);
  assert_int_equal(ad_encoder_create(&encoder, test_math, &f->params, f->dataset.offset[B], B, 2, 1), AD_OK);
  assert_int_equal(ad_encoder_forward(encoder, theta, &batch, NULL, logits), AD_OK);
  assert_int_equal(ad_encoder_gradient(encoder, theta, &batch, NULL, logits, gradient), AD_OK);
  ad_encoder_destroy(encoder);
}

/* Positions from 2 on, as RoBERTa has them: with the table moved down by two rows the same bits. */
static void test_form(void **state) {
  (void)state;
  enum { MOVED = 2 };
  struct encoder_fixture f;
  fixture_load(&f, ENCODER_FIXTURES[0]);
  const size_t B = f.dataset.count, n = B * f.params.config.classes;
  struct encoder_fixture moved = {.dataset = f.dataset};
  struct ad_model_config config = f.params.config;
  config.positions += MOVED;
  assert_int_equal(ad_params_create(&moved.params, &config), AD_OK);
  moved.params.form.first_position = MOVED;
  moved.params.form.longest = f.params.form.longest;
  assert_int_equal(ad_packer_create(&moved.packer, &moved.params.form, f.dataset.offset[B], B, 2, 1), AD_OK);
  const size_t P = f.params.count, Q = moved.params.count;
  moved.theta = calloc(Q, sizeof *moved.theta);
  float *logits = calloc(2 * n, sizeof *logits), *gradient = calloc(P, sizeof *gradient);
  float *other = calloc(Q, sizeof *other);
  for (size_t i = 0; i < f.params.tensor_count; i++) {
    const struct ad_tensor *from = &f.params.tensors[i], *to = &moved.params.tensors[i];
    memcpy(moved.theta + to->offset + (to->count - from->count), f.theta + from->offset, from->count * sizeof(float));
  }
  differentiate(&f, logits, gradient);
  differentiate(&moved, logits + n, other);
  assert_memory_equal(logits, logits + n, n * sizeof *logits);
  for (size_t i = 0; i < f.params.tensor_count; i++) {
    const struct ad_tensor *from = &f.params.tensors[i], *to = &moved.params.tensors[i];
    assert_memory_equal(gradient + from->offset, other + to->offset + (to->count - from->count),
                        from->count * sizeof(float));
  }
  free(logits);
  free(gradient);
  free(other);
  free(moved.theta);
  ad_packer_destroy(&moved.packer);
  ad_params_destroy(&moved.params);
  fixture_unload(&f);
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fixtures),
      cmocka_unit_test(test_single_examples),
      cmocka_unit_test(test_form),
      cmocka_unit_test(test_buckets),
  };
  return cmocka_run_group_tests_name(kernels, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
