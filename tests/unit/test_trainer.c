/* The trainer: rounds do not change bits, errors are told, allocation failures leave nothing behind. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "support/kernel_sets.h"
#include "support/small_training.h"

/* Trains to the end; theta holds the result, losses the loss of each step. */
static size_t train(struct small_training *f, const struct ad_trainer_settings *s, double *losses) {
  struct ad_trainer *trainer;
  size_t steps = 0;
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f->params,
                                     &(struct ad_replicas){.student = ad_weights_float32(f->theta)}, &f->data, s, NULL),
                   AD_OK);
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
    struct small_training reference, other;
    double losses[64], again[64];
    assert_int_equal(small_training_create(&reference, &small_model), 0);
    struct ad_trainer_settings s = small_settings(cases[c][0], cases[c][1], 1);
    const size_t steps = train(&reference, &s, losses);
    assert_true(losses[steps - 1] < losses[0]);
    for (size_t rounds = 2; rounds <= 9; rounds++) {
      assert_int_equal(small_training_create(&other, &small_model), 0);
      s.rounds = rounds;
      assert_int_equal(train(&other, &s, again), steps);
      assert_memory_equal(losses, again, steps * sizeof *losses);
      assert_memory_equal(reference.theta, other.theta, reference.params.count * sizeof *other.theta);
      small_training_destroy(&other);
    }
    small_training_destroy(&reference);
  }
}

static void test_errors(void **state) {
  (void)state;
  struct small_training f;
  struct ad_trainer *trainer;
  struct ad_step step;
  assert_int_equal(small_training_create(&f, &small_model), 0);
  struct ad_trainer_settings s = small_settings(4, 2000, 1);
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params,
                                     &(struct ad_replicas){.student = ad_weights_float32(f.theta)}, &f.data, &s, NULL),
                   AD_ECONFIG);
  s = small_settings(4, 8, 1);
  f.label[7] = 3;
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params,
                                     &(struct ad_replicas){.student = ad_weights_float32(f.theta)}, &f.data, &s, NULL),
                   AD_EINPUT);
  f.label[7] = 0;
  f.ids[3] = SMALL_VOCABULARY;
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params,
                                     &(struct ad_replicas){.student = ad_weights_float32(f.theta)}, &f.data, &s, NULL),
                   AD_EINPUT);
  f.ids[3] = 0;
  f.data.longest = 17;
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params,
                                     &(struct ad_replicas){.student = ad_weights_float32(f.theta)}, &f.data, &s, NULL),
                   AD_ECONFIG);
  f.data.longest = SMALL_MOST_TOKENS + 1;
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params,
                                     &(struct ad_replicas){.student = ad_weights_float32(f.theta)}, &f.data, &s, NULL),
                   AD_OK);
  f.theta[ad_params_find(&f.params, "encoder.layer.0.intermediate.dense.weight")->offset] = NAN;
  assert_int_equal(ad_trainer_step(trainer, &step), AD_EDIVERGED);
  assert_int_equal(ad_trainer_done(trainer), 0);
  ad_trainer_destroy(trainer);
  small_training_destroy(&f);
}

static void test_out_of_memory(void **state) {
  (void)state;
  struct small_training f;
  assert_int_equal(small_training_create(&f, &small_model), 0);
  const struct ad_trainer_settings s = small_settings(8, 8, 2);
  const size_t before = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n++) {
    struct ad_trainer *trainer = NULL;
    struct ad_step step;
    ad_memory_fail_at(n);
    status = ad_trainer_create(&trainer, test_math, &f.params,
                               &(struct ad_replicas){.student = ad_weights_float32(f.theta)}, &f.data, &s, NULL);
    if (status == AD_OK) {
      status = ad_trainer_step(trainer, &step);
    }
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    ad_trainer_destroy(trainer);
    assert_int_equal(ad_memory_stats().live_blocks, before);
  }
  small_training_destroy(&f);
}

static int run(const char *name) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounds), cmocka_unit_test(test_errors),
                                     cmocka_unit_test(test_out_of_memory)};
  return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
