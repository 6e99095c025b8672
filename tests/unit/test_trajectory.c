/* Twenty steps of training against PyTorch (tests/parity/reference.py): forward, backward, step gradient, clipping,
 * AdamW and schedule together, and the norms of the gradients of parts of a batch. */
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
#include "autodidact/learn/trainer.h"
#include "learn/exchange_alone.h"
#include "learn/trainer_internal.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"
#include "support/parity.h"

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
  struct exchange_alone alone;
  struct ad_gradient *gradient;
  float **room;    /* [buckets] not used by a rank alone */
  double *squares; /* [blocks] */
  struct ad_shard shard;
  struct ad_optimizer optimizer;
  struct ad_rows rows;
};

static void start_training(struct training *t, const char *name) {
  struct encoder_fixture *f = &t->fixture;
  fixture_load(f, name);
  assert_int_equal(
      ad_encoder_create(&t->encoder, test_math, &f->params, f->dataset.offset[f->dataset.count], BATCH, LANES, 1),
      AD_OK);
  ad__exchange_alone_init(&t->alone, &f->params, test_math->kernels);
  assert_int_equal(ad_gradient_create(&t->gradient, &f->params, t->alone.kernels, LANES, &t->alone.table), AD_OK);
  t->room = calloc(f->params.buckets, sizeof *t->room);
  t->squares = calloc(f->params.count, sizeof *t->squares);
  ad_gradient_receive(t->gradient, t->room, t->squares);
  assert_int_equal(ad_shard_create(&t->shard, &f->params, 0, 1), AD_OK);
  assert_int_equal(ad_optimizer_create(&t->optimizer, test_math->kernels, &t->shard, &SETTINGS), AD_OK);
  assert_int_equal(ad_rows_create(&t->rows, f->params.config.vocab), AD_OK);
}

static void end_training(struct training *t) {
  ad_rows_destroy(&t->rows);
  ad_optimizer_destroy(&t->optimizer);
  ad_shard_destroy(&t->shard);
  ad_gradient_destroy(t->gradient);
  free(t->room);
  free(t->squares);
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

static double gradient_norm(const struct training *t) {
  const struct ad_params *params = &t->fixture.params;
  size_t blocks = 0;
  for (uint32_t bucket = 0; bucket < params->buckets; bucket++) {
    blocks += ad_compact_blocks(params, bucket, &t->rows, ad_compact_count(params, bucket, &t->rows));
  }
  return ad_optimizer_norm(blocks, t->squares);
}

/* The norm of the mean gradient of the examples [first, end) of a step, from the dot products [BATCH,BATCH] of all. */
static double norm_of_part(const double *products, size_t first, size_t end) {
  double sum = 0.0;
  for (size_t i = first; i < end; i++) {
    for (size_t j = first; j < end; j++) {
      sum += products[i * BATCH + j];
    }
  }
  return end > first ? sqrt(sum) / (double)(end - first) : 0.0;
}

/* What one step shows: the loss before the update, the norm before clipping, and the relative error of the norm of one
 * lane's share of the gradient. */
struct seen {
  double loss, norm, lane_error;
};

/* One step, from 0. products [BATCH,BATCH]: of its examples' gradients, as PyTorch has them. */
static struct seen train_step(struct training *t, uint64_t step, const uint32_t *ids, double factor,
                              const double *products) {
  struct seen seen = {0};
  const size_t watched = step % LANES;
  struct encoder_fixture *f = &t->fixture;
  const struct ad_weights weights = ad_weights_float32(f->theta);
  const struct ad_replica theta = ad_weights_replica(&weights);
  float logits[BATCH * 8], dlogits[BATCH * 8];
  assert_true(f->params.config.classes <= 8);
  const struct ad_batch batch = fixture_batch(f, BATCH, ids, LANES);
  ad_rows_clear(&t->rows);
  ad_rows_add(&t->rows, batch.tokens, batch.ids);
  ad_rows_order(&t->rows);
  assert_int_equal(ad_encoder_forward(t->encoder, theta, &batch, NULL, logits), AD_OK);
  seen.loss = cross_entropy(&f->dataset, f->params.config.classes, ids, logits, dlogits);
  assert_int_equal(ad_gradient_begin(t->gradient, &t->rows, batch.lane_example), AD_OK);
  struct ad_lane_watch watch = {.lane = watched};
  const struct ad_gradient_sink *sink = ad_gradient_round(t->gradient, 0, LANES, 1, &watch);
  assert_int_equal(ad_encoder_backward(t->encoder, theta, &batch, NULL, dlogits, &t->rows, sink), AD_OK);
  assert_int_equal(ad_gradient_end(t->gradient), AD_OK);
  const size_t first = batch.lane_example[watched], end = batch.lane_example[watched + 1];
  assert_true(end > first);
  seen.lane_error = relative(sqrt(watch.squares), norm_of_part(products, first, end) * (double)(end - first) / BATCH);
  seen.norm = gradient_norm(t);
  const double scale = ad_optimizer_clip(&t->optimizer, seen.norm);
  uint64_t digest = 0;
  for (uint32_t bucket = 0; bucket < f->params.buckets; bucket++) {
    assert_int_equal(ad_optimizer_update(&t->optimizer, bucket, &t->rows, ad_gradient_reduced(t->gradient, bucket),
                                         step + 1, factor, scale, &weights, NULL, &digest),
                     AD_OK);
  }
  assert_true(digest == ad_shard_digest(&t->shard, f->theta));
  return seen;
}

static void run_fixture(const char *name) {
  struct training t;
  start_training(&t, name);
  uint32_t batches[STEPS * BATCH];
  double losses[STEPS], norms[STEPS], rates[STEPS], products[STEPS * BATCH * BATCH];
  fixture_read(t.fixture.file, "trajectory/batches", H5T_NATIVE_UINT32, STEPS * BATCH, batches);
  fixture_read(t.fixture.file, "trajectory/loss", H5T_NATIVE_DOUBLE, STEPS, losses);
  fixture_read(t.fixture.file, "trajectory/norm", H5T_NATIVE_DOUBLE, STEPS, norms);
  fixture_read(t.fixture.file, "trajectory/lr", H5T_NATIVE_DOUBLE, STEPS, rates);
  fixture_read(t.fixture.file, "trajectory/products", H5T_NATIVE_DOUBLE, STEPS * BATCH * BATCH, products);
  const size_t P = t.fixture.params.count;
  float *start = malloc(P * sizeof *start);
  memcpy(start, t.fixture.theta, P * sizeof *start);
  for (int step = 0; step < STEPS; step++) {
    char at[64];
    const double factor = ad_schedule_factor(AD_SCHEDULE_LINEAR, (uint64_t)step, STEPS, WARMUP);
    const struct seen seen =
        train_step(&t, (uint64_t)step, batches + step * BATCH, factor, products + step * BATCH * BATCH);
    snprintf(at, sizeof at, "%s, step %d", name, step + 1);
    expect(fabs(SETTINGS.lr * factor - rates[step]), RATE_TOLERANCE, at, "learning rate");
    expect(relative(seen.loss, losses[step]), LOSS_TOLERANCE, at, "loss");
    expect(relative(seen.norm, norms[step]), NORM_TOLERANCE, at, "gradient norm");
    expect(seen.lane_error, NORM_TOLERANCE, at, "a lane's gradient norm");
  }
  expect_final(&t.fixture.params, t.fixture.file, name, start, t.fixture.theta, CHANGE_TOLERANCE);
  free(start);
  end_training(&t);
}

static void test_trajectories(void **state) {
  (void)state;
  const struct ad_memory_stats before = ad_memory_stats();
  failures = 0;
  for (size_t i = 0; i < ENCODER_FIXTURE_COUNT; i++) {
    run_fixture(ENCODER_FIXTURES[i]);
  }
  assert_int_equal(failures, 0);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

/* The norm that a trainer's step tells of a part of its batch, from the dot products [N,N] of all examples' gradients.
 */
static double part_expected(const struct ad_trainer *t, size_t N, const double *products) {
  double sum = 0.0;
  const size_t first = t->lane_begin[t->part], end = t->lane_begin[t->part + 1];
  for (size_t i = first; i < end; i++) {
    for (size_t j = first; j < end; j++) {
      sum += products[t->ids[t->member[i]] * N + t->ids[t->member[j]]];
    }
  }
  return sqrt(sum) / (double)(end - first);
}

/* One step over all examples of the fixture, in so many lanes and rounds; the norm of its part, NaN where none is
 * watched. */
static double check_part(struct encoder_fixture *f, size_t lanes, size_t rounds, int watched, const double *products) {
  const size_t N = f->dataset.count;
  const struct ad_trainer_settings s = {
      .batch = N, .lanes = lanes, .rounds = rounds, .epochs = 1, .optimizer = SETTINGS};
  struct ad_trainer *t;
  struct ad_step step;
  assert_int_equal(
      ad_trainer_create(&t, test_math, &f->params, &(struct ad_replicas){.student = ad_weights_float32(f->theta)},
                        &f->dataset, &s, NULL),
      AD_OK);
  ad_trainer_watch(t, watched);
  assert_int_equal(ad_trainer_step(t, &step), AD_OK);
  if (watched) {
    assert_int_equal(step.part_examples, t->lane_begin[t->part + 1] - t->lane_begin[t->part]);
    expect(relative(step.part_norm, part_expected(t, N, products)), NORM_TOLERANCE, "all examples", "a part's norm");
    assert_true(lanes > 1 || relative(step.part_norm, step.norm) <= 1e-12);
  } else {
    assert_true(isnan(step.part_norm) && step.part_examples == 0);
  }
  ad_trainer_destroy(t);
  return step.part_norm;
}

static void test_parts(void **state) {
  (void)state;
  failures = 0;
  for (size_t i = 0; i < ENCODER_FIXTURE_COUNT; i++) {
    struct encoder_fixture f;
    fixture_load(&f, ENCODER_FIXTURES[i]);
    const size_t N = f.dataset.count, P = f.params.count;
    double *products = malloc(N * N * sizeof *products), in_rounds[2];
    float *theta = malloc(P * sizeof *theta);
    memcpy(theta, f.theta, P * sizeof *theta);
    fixture_read(f.file, "ce/products", H5T_NATIVE_DOUBLE, N * N, products);
    for (size_t k = 0; k < N; k++) {
      const size_t length = f.dataset.offset[k + 1] - f.dataset.offset[k];
      f.dataset.longest = length > f.dataset.longest ? length : f.dataset.longest;
    }
    const struct {
      size_t lanes, rounds;
      int watched;
    } cases[] = {{N, 1, 1}, {3, 1, 1}, {3, 2, 1}, {1, 1, 1}, {3, 1, 0}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
      memcpy(f.theta, theta, P * sizeof *theta);
      const double norm = check_part(&f, cases[c].lanes, cases[c].rounds, cases[c].watched, products);
      if (c == 1 || c == 2) {
        in_rounds[c - 1] = norm;
      }
    }
    assert_memory_equal(&in_rounds[0], &in_rounds[1], sizeof in_rounds[0]);
    free(products);
    free(theta);
    fixture_unload(&f);
  }
  assert_int_equal(failures, 0);
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_trajectories),
      cmocka_unit_test(test_parts),
  };
  return cmocka_run_group_tests_name(kernels, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
