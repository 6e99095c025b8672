/* Nothing is allocated inside a step: neither through base/memory.h nor past it, by this library or by those it calls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "support/allocations.h"
#include "support/kernel_sets.h"
#include "support/small_training.h"

static int set_up(void **state) {
  (void)state;
  return test_math_start(NULL, NULL);
}

static int tear_down(void **state) {
  (void)state;
  test_math_end();
  return 0;
}

static void test_counter(void **state) {
  (void)state;
  const size_t before = allocations.calls, asked = ad_memory_stats().allocations;
  void *block = ad_malloc(10, 1);
  assert_int_equal(ad_memory_stats().allocations, asked + 1);
  assert_int_equal(allocations.calls, before + ALLOCATIONS_COUNTED);
  ad_free(block);
}

/* Texts of many lengths and words, so that steps differ in tokens and in rows of the word embedding: late steps have
 * more than early ones. */
enum { EXAMPLES = 90, MOST_TOKENS = 60, WORDS = 2500, BATCH = 16 };
static const struct ad_model_config model = {.hidden = 48,
                                             .heads = 4,
                                             .ffn = 96,
                                             .layers = 3,
                                             .vocab = WORDS,
                                             .positions = MOST_TOKENS,
                                             .types = 2,
                                             .classes = 3,
                                             .layer_norm_eps = 1e-12f,
                                             .hidden_dropout = 0.1f,
                                             .attention_dropout = 0.1f,
                                             .classifier_dropout = 0.1f};

struct lesson {
  struct ad_params params;
  size_t offset[EXAMPLES + 1];
  uint32_t ids[EXAMPLES * MOST_TOKENS], first[EXAMPLES], label[EXAMPLES];
  struct ad_dataset data;
  float *vector[8];
};

static void lesson_create(struct lesson *l) {
  memset(l, 0, sizeof *l);
  assert_int_equal(ad_params_create(&l->params, &model), AD_OK);
  l->data = (struct ad_dataset){.count = EXAMPLES,
                                .offset = l->offset,
                                .ids = l->ids,
                                .first = l->first,
                                .task = &ad_task_classification,
                                .words = 1,
                                .label = l->label,
                                .longest = MOST_TOKENS};
  for (size_t i = 0; i < EXAMPLES; i++) {
    const size_t length = 3 + ad_random_below(1, AD_STREAM_TEST, 0, i, MOST_TOKENS - 2);
    for (size_t t = 0; t < length; t++) {
      l->ids[l->offset[i] + t] = (uint32_t)ad_random_below(1, AD_STREAM_TEST, 1, i * 100 + t, WORDS);
    }
    l->offset[i + 1] = l->offset[i] + length;
    l->first[i] = (uint32_t)length;
    l->label[i] = (uint32_t)(i % 3);
  }
  for (size_t v = 0; v < sizeof l->vector / sizeof *l->vector; v++) {
    l->vector[v] = ad_calloc(l->params.count, sizeof(float));
    assert_non_null(l->vector[v]);
  }
  for (size_t i = 0; i < l->params.tensor_count; i++) {
    ad_params_draw(&l->params, i, 3, l->vector[0]);
  }
}

static void lesson_destroy(struct lesson *l) {
  for (size_t v = 0; v < sizeof l->vector / sizeof *l->vector; v++) {
    ad_free(l->vector[v]);
  }
  ad_params_destroy(&l->params);
}

static void check_steps(const struct ad_teacher_settings *teacher, size_t rounds) {
  static struct lesson l;
  struct ad_trainer *trainer;
  struct ad_trainer_settings s = small_settings(BATCH, 8, rounds);
  size_t most = 0, first = 0;
  lesson_create(&l);
  s.teacher = *teacher;
  s.epochs = 3;
  struct ad_weights past[sizeof l.vector / sizeof *l.vector];
  for (size_t v = 3; v < sizeof l.vector / sizeof *l.vector; v++) {
    past[v - 3] = ad_weights_float32(l.vector[v]);
  }
  const struct ad_replicas replicas = {ad_weights_float32(l.vector[0]), ad_weights_float32(l.vector[1]),
                                       ad_weights_float32(l.vector[2]), past};
  assert_int_equal(ad_trainer_create(&trainer, test_math, &l.params, &replicas, &l.data, &s, NULL), AD_OK);
  while (ad_trainer_done(trainer) < ad_trainer_total(trainer)) {
    struct ad_step step;
    const size_t asked = ad_memory_stats().allocations, before = allocations.calls;
    assert_int_equal(ad_trainer_step(trainer, &step), AD_OK);
    const size_t seam = ad_memory_stats().allocations - asked, all = allocations.calls - before;
    if (seam > 0 || all > 0) {
      fail_msg("method %d, %zu rounds: step %d allocates %zu times through base/memory.h, %zu times in all",
               (int)teacher->method, rounds, (int)step.step, seam, all);
    }
    most = step.tokens > most ? step.tokens : most;
    first = step.step == 1 ? step.tokens : first;
  }
  assert_true(most > first);
  ad_trainer_destroy(trainer);
  lesson_destroy(&l);
}

static void test_steps(void **state) {
  (void)state;
  static const enum ad_teacher_method methods[] = {AD_TEACHER_NONE, AD_TEACHER_SE,  AD_TEACHER_SDA,
                                                   AD_TEACHER_SDV,  AD_TEACHER_EMA, AD_TEACHER_RDROP};
  for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
    for (size_t rounds = 1; rounds <= 3; rounds += 2) {
      const struct ad_teacher_settings teacher = {.method = methods[m],
                                                  .window = 3,
                                                  .every = 1,
                                                  .lag = 1,
                                                  .weight = 1.0,
                                                  .start = 1,
                                                  .decay = 0.9,
                                                  .means = methods[m] == AD_TEACHER_SE};
      check_steps(&teacher, rounds);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_counter), cmocka_unit_test(test_steps)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
