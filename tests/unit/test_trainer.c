/* The trainer: rounds do not change bits, errors are told, allocation failures leave nothing behind. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/trainer.h"

enum { N = 21, MOST_TOKENS = 9, VOCABULARY = 40 };

static const struct ad_model_config small = {.hidden = 32,
                                             .heads = 4,
                                             .ffn = 64,
                                             .layers = 2,
                                             .vocab = VOCABULARY,
                                             .positions = 16,
                                             .types = 2,
                                             .classes = 3,
                                             .layer_norm_eps = 1e-12f,
                                             .hidden_dropout = 0.1f,
                                             .attention_dropout = 0.1f,
                                             .classifier_dropout = 0.1f};

struct fixture {
  struct ad_params params;
  float *theta;
  size_t offset[N + 1];
  uint32_t ids[N * MOST_TOKENS], first[N], label[N];
  struct ad_dataset data;
};

static void create(struct fixture *f) {
  assert_int_equal(ad_params_create(&f->params, &small), AD_OK);
  f->theta = ad_malloc(f->params.count, sizeof *f->theta);
  assert_non_null(f->theta);
  for (size_t i = 0; i < f->params.tensor_count; i++) {
    ad_params_draw(&f->params, i, 3, f->theta);
  }
  f->offset[0] = 0;
  f->data = (struct ad_dataset){.count = N, .offset = f->offset, .ids = f->ids, .first = f->first, .label = f->label};
  for (size_t i = 0; i < N; i++) {
    const size_t length = 2 + ad_random_below(1, AD_STREAM_TEST, 0, i, MOST_TOKENS - 1);
    for (size_t t = 0; t < length; t++) {
      f->ids[f->offset[i] + t] = (uint32_t)ad_random_below(1, AD_STREAM_TEST, 1, i * 100 + t, VOCABULARY);
    }
    f->offset[i + 1] = f->offset[i] + length;
    f->first[i] = (uint32_t)(1 + length / 2);
    f->label[i] = (uint32_t)ad_random_below(1, AD_STREAM_TEST, 2, i, 3);
    f->data.longest = length > f->data.longest ? length : f->data.longest;
  }
}

static void destroy(struct fixture *f) {
  ad_free(f->theta);
  ad_params_destroy(&f->params);
}

static struct ad_trainer_settings settings(size_t batch, size_t lanes, size_t rounds) {
  return (struct ad_trainer_settings){.batch = batch,
                                      .lanes = lanes,
                                      .rounds = rounds,
                                      .epochs = 2,
                                      .schedule = AD_SCHEDULE_LINEAR,
                                      .optimizer = {.lr = 1e-2,
                                                    .head_lr = 2e-2,
                                                    .layer_decay = 0.9,
                                                    .beta1 = 0.9,
                                                    .beta2 = 0.999,
                                                    .eps = 1e-8,
                                                    .decay = 0.01,
                                                    .clip = 1.0,
                                                    .bias_correction = 1}};
}

/* Trains to the end; theta holds the result, losses the loss of each step. */
static size_t train(struct fixture *f, const struct ad_trainer_settings *s, double *losses) {
  struct ad_trainer *trainer;
  size_t steps = 0;
  assert_int_equal(
      ad_trainer_create(&trainer, &f->params, &(struct ad_replicas){.student = f->theta}, &f->data, s, NULL), AD_OK);
  while (ad_trainer_done(trainer) < ad_trainer_total(trainer)) {
    struct ad_step step;
    assert_int_equal(ad_trainer_step(trainer, &step), AD_OK);
    losses[steps++] = step.loss;
  }
  ad_trainer_destroy(trainer);
  return steps;
}

static void test_rounds(void **state) {
  (void)state;
  /* Batches smaller than the lanes, uneven last batches, lanes that are no power of two. */
  static const size_t cases[][2] = {{8, 8}, {5, 8}, {16, 8}, {8, 1}, {10, 5}, {21, 13}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    struct fixture reference, other;
    double losses[64], again[64];
    create(&reference);
    struct ad_trainer_settings s = settings(cases[c][0], cases[c][1], 1);
    const size_t steps = train(&reference, &s, losses);
    assert_true(losses[steps - 1] < losses[0]);
    for (size_t rounds = 2; rounds <= 9; rounds++) {
      create(&other);
      s.rounds = rounds;
      assert_int_equal(train(&other, &s, again), steps);
      assert_memory_equal(losses, again, steps * sizeof *losses);
      assert_memory_equal(reference.theta, other.theta, reference.params.count * sizeof *other.theta);
      destroy(&other);
    }
    destroy(&reference);
  }
}

static void test_errors(void **state) {
  (void)state;
  struct fixture f;
  struct ad_trainer *trainer;
  struct ad_step step;
  create(&f);
  struct ad_trainer_settings s = settings(4, 2000, 1);
  assert_int_equal(ad_trainer_create(&trainer, &f.params, &(struct ad_replicas){.student = f.theta}, &f.data, &s, NULL),
                   AD_ECONFIG);
  s = settings(4, 8, 1);
  f.label[7] = 3;
  assert_int_equal(ad_trainer_create(&trainer, &f.params, &(struct ad_replicas){.student = f.theta}, &f.data, &s, NULL),
                   AD_EINPUT);
  f.label[7] = 0;
  f.ids[3] = VOCABULARY;
  assert_int_equal(ad_trainer_create(&trainer, &f.params, &(struct ad_replicas){.student = f.theta}, &f.data, &s, NULL),
                   AD_EINPUT);
  f.ids[3] = 0;
  f.data.longest = 17;
  assert_int_equal(ad_trainer_create(&trainer, &f.params, &(struct ad_replicas){.student = f.theta}, &f.data, &s, NULL),
                   AD_ECONFIG);
  f.data.longest = MOST_TOKENS + 1;
  assert_int_equal(ad_trainer_create(&trainer, &f.params, &(struct ad_replicas){.student = f.theta}, &f.data, &s, NULL),
                   AD_OK);
  f.theta[f.params.layer[0].up_weight] = NAN;
  assert_int_equal(ad_trainer_step(trainer, &step), AD_EDIVERGED);
  assert_int_equal(ad_trainer_done(trainer), 0);
  ad_trainer_destroy(trainer);
  destroy(&f);
}

static void test_out_of_memory(void **state) {
  (void)state;
  struct fixture f;
  create(&f);
  const struct ad_trainer_settings s = settings(8, 8, 2);
  const size_t before = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n++) {
    struct ad_trainer *trainer = NULL;
    struct ad_step step;
    ad_memory_fail_at(n);
    status = ad_trainer_create(&trainer, &f.params, &(struct ad_replicas){.student = f.theta}, &f.data, &s, NULL);
    if (status == AD_OK) {
      status = ad_trainer_step(trainer, &step);
    }
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    ad_trainer_destroy(trainer);
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
  destroy(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounds), cmocka_unit_test(test_errors),
                                     cmocka_unit_test(test_out_of_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
