/* Twenty steps of training against PyTorch (tests/parity/reference.py): forward, backward, step gradient, clipping,
 * AdamW and schedule together. */
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
#include "autodidact/learn/gradient.h"
#include "autodidact/learn/optimizer.h"
#include "autodidact/learn/schedule.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"

enum { STEPS = 20, WARMUP = 4, BATCH = 4, LANES = 3 };

/* What was asked for of the losses, relative, and the same of the norms; the rates are the same formula in double. The
 * numbers of PyTorch are float64; in clipping it divides by norm + 1e-6. */
static const double LOSS_TOLERANCE = 1e-3, NORM_TOLERANCE = 1e-3, RATE_TOLERANCE = 1e-18;

/* Of what a tensor has moved in 20 steps. Weight decay where there should be none, or none where it should be, is 2e-3
 * of that (weights of size 0.2) or 1e-2 (layer norms): the losses alone would not show it. */
static const double CHANGE_TOLERANCE = 5e-4;
static const struct ad_optimizer_settings SETTINGS = {.lr = 1e-3,
                                                      .head_lr = 1e-3,
                                                      .layer_decay = 1.0,
                                                      .beta1 = 0.9,
                                                      .beta2 = 0.999,
                                                      .eps = 1e-8,
                                                      .decay = 0.01,
                                                      .clip = 1.0,
                                                      .bias_correction = 1};

struct training {
  struct encoder_fixture fixture;
  struct ad_encoder *encoder;
  struct ad_gradient *gradient;
  struct ad_shard shard;
  struct ad_optimizer optimizer;
  struct ad_rows rows;
};

static void start_training(struct training *t, const char *name) {
  struct encoder_fixture *f = &t->fixture;
  fixture_load(f, name);
  assert_int_equal(ad_encoder_create(&t->encoder, &f->params, f->dataset.offset[f->dataset.count], BATCH, LANES, 1),
                   AD_OK);
  assert_int_equal(ad_gradient_create(&t->gradient, &f->params, LANES), AD_OK);
  assert_int_equal(ad_shard_create(&t->shard, &f->params, 0, 1), AD_OK);
  assert_int_equal(ad_optimizer_create(&t->optimizer, &t->shard, &SETTINGS), AD_OK);
  assert_int_equal(ad_rows_create(&t->rows, f->params.config.vocab), AD_OK);
}

static void end_training(struct training *t) {
  ad_rows_destroy(&t->rows);
  ad_optimizer_destroy(&t->optimizer);
  ad_shard_destroy(&t->shard);
  ad_gradient_destroy(t->gradient);
  ad_encoder_destroy(t->encoder);
  fixture_unload(&t->fixture);
}

/* Mean cross entropy from its definition, in double, and its gradient at the logits [BATCH,C]. */
static double cross_entropy(const struct ad_dataset *dataset, size_t C, const uint32_t *ids, const float *logits,
                            float *dlogits) {
  double loss = 0.0;
  for (size_t b = 0; b < BATCH; b++) {
    const float *row = logits + b * C;
    const uint32_t label = dataset->label[ids[b]];
    double sum = 0.0;
    for (size_t c = 0; c < C; c++) {
      sum += exp(row[c]);
    }
    for (size_t c = 0; c < C; c++) {
      dlogits[b * C + c] = (float)((exp(row[c]) / sum - (c == label)) / BATCH);
    }
    loss += log(sum) - row[label];
  }
  return loss / BATCH;
}

/* The only partial sum of a bucket: one rank has all lanes. */
static const float *whole_bucket(const struct training *t, uint32_t bucket) {
  size_t count;
  const struct ad_partial *partial = ad_gradient_partials(t->gradient, bucket, &count);
  assert_int_equal(count, 1);
  assert_false(partial->empty);
  return partial->values;
}

static double gradient_norm(const struct training *t) {
  const struct ad_params *params = &t->fixture.params;
  double sum = 0.0;
  for (uint32_t bucket = 0; bucket < params->buckets; bucket++) {
    const size_t floats = ad_compact_count(params, bucket, &t->rows);
    const size_t blocks = ad_compact_blocks(params, bucket, &t->rows, floats);
    double *squares = calloc(blocks, sizeof *squares);
    ad_optimizer_squares(&t->optimizer, bucket, &t->rows, whole_bucket(t, bucket), squares);
    const double bucket_norm = ad_optimizer_norm(blocks, squares);
    sum += bucket_norm * bucket_norm;
    free(squares);
  }
  return sqrt(sum);
}

/* One step, from 0; gives the loss before the update and the norm before clipping. */
static void train_step(struct training *t, uint64_t step, const uint32_t *ids, double factor, double *loss,
                       double *before_clipping) {
  struct encoder_fixture *f = &t->fixture;
  float logits[BATCH * 8], dlogits[BATCH * 8];
  assert_true(f->params.config.classes <= 8);
  const struct ad_batch batch = fixture_batch(f, BATCH, ids, LANES);
  ad_rows_clear(&t->rows);
  ad_rows_add(&t->rows, batch.tokens, batch.ids);
  ad_rows_order(&t->rows);
  assert_int_equal(ad_encoder_forward(t->encoder, f->theta, &batch, NULL, logits), AD_OK);
  *loss = cross_entropy(&f->dataset, f->params.config.classes, ids, logits, dlogits);
  ad_gradient_begin(t->gradient, &t->rows, batch.lane_example);
  const struct ad_gradient_sink *sink = ad_gradient_round(t->gradient, 0, LANES, 1);
  assert_int_equal(ad_encoder_backward(t->encoder, f->theta, &batch, NULL, dlogits, &t->rows, sink), AD_OK);
  *before_clipping = gradient_norm(t);
  const double scale = ad_optimizer_clip(&t->optimizer, *before_clipping);
  for (uint32_t bucket = 0; bucket < f->params.buckets; bucket++) {
    assert_int_equal(ad_optimizer_update(&t->optimizer, bucket, &t->rows, whole_bucket(t, bucket), step + 1, factor,
                                         scale, f->theta, NULL),
                     AD_OK);
  }
}

/* 1 and a message where the error is not within the tolerance. */
static int exceeds(double error, double tolerance, const char *fixture, int step, const char *what) {
  if (!(error <= tolerance)) {
    print_error("%s, step %d: %s differs by %.3g, allowed %.3g\n", fixture, step, what, error, tolerance);
    return 1;
  }
  return 0;
}

static double relative(double got, double expected) {
  return fabs(got - expected) / fabs(expected);
}

/* The tensors that the file has after the last step, by how far they moved from `start` [P]. */
static int check_final(const struct encoder_fixture *f, const char *name, const float *start) {
  int failures = 0, compared = 0;
  for (size_t i = 0; i < f->params.tensor_count; i++) {
    const struct ad_tensor *tensor = &f->params.tensors[i];
    char path[160];
    snprintf(path, sizeof path, "trajectory/final/%s", tensor->name);
    if ((!tensor->vector && strcmp(tensor->name, "classifier.weight") != 0) || strstr(path, "key.bias") != NULL) {
      continue;
    }
    float *expected = calloc(tensor->count, sizeof *expected);
    fixture_read(f->file, path, H5T_NATIVE_FLOAT, tensor->count, expected);
    const double moved = distance(tensor->count, expected, start + tensor->offset);
    const double error = distance(tensor->count, expected, f->theta + tensor->offset) / moved;
    failures += exceeds(error, CHANGE_TOLERANCE, name, STEPS, tensor->name);
    compared++;
    free(expected);
  }
  assert_true(compared > 0);
  return failures;
}

static int run_fixture(const char *name) {
  struct training t;
  start_training(&t, name);
  uint32_t batches[STEPS * BATCH];
  double losses[STEPS], norms[STEPS], rates[STEPS];
  fixture_read(t.fixture.file, "trajectory/batches", H5T_NATIVE_UINT32, STEPS * BATCH, batches);
  fixture_read(t.fixture.file, "trajectory/loss", H5T_NATIVE_DOUBLE, STEPS, losses);
  fixture_read(t.fixture.file, "trajectory/norm", H5T_NATIVE_DOUBLE, STEPS, norms);
  fixture_read(t.fixture.file, "trajectory/lr", H5T_NATIVE_DOUBLE, STEPS, rates);
  const size_t P = t.fixture.params.count;
  float *start = malloc(P * sizeof *start);
  memcpy(start, t.fixture.theta, P * sizeof *start);
  int failures = 0;
  for (int step = 0; step < STEPS; step++) {
    const double factor = ad_schedule_factor(AD_SCHEDULE_LINEAR, (uint64_t)step, STEPS, WARMUP);
    double loss, before_clipping;
    train_step(&t, (uint64_t)step, batches + step * BATCH, factor, &loss, &before_clipping);
    failures += exceeds(fabs(SETTINGS.lr * factor - rates[step]), RATE_TOLERANCE, name, step, "learning rate");
    failures += exceeds(relative(loss, losses[step]), LOSS_TOLERANCE, name, step, "loss");
    failures += exceeds(relative(before_clipping, norms[step]), NORM_TOLERANCE, name, step, "gradient norm");
  }
  failures += check_final(&t.fixture, name, start);
  free(start);
  end_training(&t);
  return failures;
}

static void test_trajectories(void **state) {
  (void)state;
  const struct ad_memory_stats before = ad_memory_stats();
  int failures = 0;
  for (size_t i = 0; i < ENCODER_FIXTURE_COUNT; i++) {
    failures += run_fixture(ENCODER_FIXTURES[i]);
  }
  assert_int_equal(failures, 0);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_trajectories),
  };
  return cmocka_run_group_tests_name(kernels, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
