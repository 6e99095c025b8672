/* The registry of teacher methods: a toy one, which is one file and one line (tests/toys/teacher_method.c), is there
 * for the configuration, the trainer and the costs; and what each line says of its method is what its table does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "autodidact/base/config.h"
#include "autodidact/base/status.h"
#include "support/kernel_sets.h"
#include "support/small_training.h"

static void test_configuration(void **state) {
  (void)state;
  struct ad_config config;
  struct ad_buffer text = {0};
  assert_int_equal(ad_config_create(&config), AD_OK);
  assert_int_equal(ad_config_override(&config, "teacher.method=toy"), AD_OK);
  assert_int_equal(config.teacher_method, AD_TEACHER_TOY);
  assert_int_equal(ad_config_get(&config, "teacher.method", &text), AD_OK);
  assert_string_equal(text.data, "toy");
  assert_int_equal(ad_config_help(&text, 0), AD_OK);
  assert_non_null(strstr(text.data, "toy       twice its past parameters\n"));
  assert_non_null(strstr(text.data, "rdrop, toy; default none)"));
  assert_non_null(strstr(ad_config_condition("teacher.lag"), " toy"));
  assert_null(strstr(ad_config_condition("teacher.window"), " toy"));
  ad_buffer_destroy(&text);
  ad_config_destroy(&config);
}

/* Whether a key has an effect where this is all that is set. */
static int reads(const char *method, const char *key) {
  char set[64];
  struct ad_config config;
  assert_int_equal(ad_config_create(&config), AD_OK);
  snprintf(set, sizeof set, "teacher.method=%s", method);
  assert_int_equal(ad_config_override(&config, set), AD_OK);
  const int effect = ad_config_has_effect(&config, NULL, key);
  ad_config_destroy(&config);
  return effect;
}

static void test_lines(void **state) {
  (void)state;
  static const char *const names[] = {
#define NAME(ID, name, ...) #name,
      AD_TEACHER_METHODS(NAME)
#undef NAME
  };
  for (enum ad_teacher_method m = 0; m < AD_TEACHER_METHOD_COUNT; m++) {
    const struct ad_teacher_settings s = {.method = m, .window = 2, .every = 1};
    const int teacher = ad_teacher_has(&s, AD_VARIANT_TEACHER), means = ad_teacher_has(&s, AD_VARIANT_RUN);
    assert_int_equal(reads(names[m], "teacher.lag"), teacher);
    assert_int_equal(reads(names[m], "teacher.dropout"), teacher);
    assert_int_equal(reads(names[m], "teacher.weight"), ad_teacher_has_distance(&s));
    assert_int_equal(reads(names[m], "teacher.every"), ad_teacher_keeps_students(&s));
    assert_int_equal(reads(names[m], "eval.means"), !means);
    assert_true(reads(names[m], "teacher.window") || ad_teacher_bytes(&s, 1000, 9) == 0);
  }
}

static void test_toy(void **state) {
  (void)state;
  struct small_training f;
  struct ad_trainer *trainer;
  struct ad_trainer_settings s = small_settings(8, 8, 1);
  struct ad_state_vector vectors[AD_STATE_VECTORS];
  size_t teacher, mean, past;
  s.teacher = (struct ad_teacher_settings){.method = AD_TEACHER_TOY, .every = 1, .lag = 1, .weight = 1.0, .start = 1};
  assert_int_equal(small_training_create(&f, &small_model), 0);
  ad_teacher_replicas(&s.teacher, &teacher, &mean, &past);
  assert_true(teacher == 1 && mean == 0 && past == 0);
  assert_true(ad_teacher_passes(&s.teacher) == 4.0);
  const size_t P = f.params.count;
  float *before = malloc(P * sizeof *before);
  float *teacher_values = malloc(P * sizeof(float));
  const struct ad_replicas replicas = {.student = ad_weights_float32(f.theta),
                                       .teacher = ad_weights_float32(teacher_values)};
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL), AD_OK);
  for (int t = 0; t < 3; t++) {
    struct ad_step step;
    memcpy(before, f.theta, P * sizeof *before);
    assert_int_equal(ad_trainer_step(trainer, &step), AD_OK);
    assert_true(t == 0 ? isnan(step.distance) : step.distance > 0.0 && step.weight == 1.0);
    for (size_t i = 0; i < P; i++) {
      assert_true(teacher_values[i] == 2.0f * before[i]);
    }
  }
  const size_t count = ad_trainer_vectors(trainer, vectors);
  assert_string_equal(vectors[count - 1].name, "teacher");
  ad_trainer_destroy(trainer);
  free(teacher_values);
  free(before);
  small_training_destroy(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_configuration), cmocka_unit_test(test_lines),
                                     cmocka_unit_test(test_toy)};
  if (test_math_start(NULL, NULL) != AD_OK) {
    return 1;
  }
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  test_math_end();
  return failed;
}
