/* The rows of a run's text files: the texts that are promised (docs/user-guide.md), and that reading and printing are
 * each other's inverse. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/rows.h"
#include "autodidact/store/run_state.h"

static json_t *parse(const char *text) {
  json_t *object;
  assert_int_equal(ad_json_parse(&object, "row", 1, text, strlen(text)), AD_OK);
  return object;
}

static void test_steps(void **state) {
  (void)state;
  static const char *const texts[] = {
      "{\"step\":7,\"epoch\":2,\"examples\":32,\"tokens\":801,\"loss\":0.10000000000000001,\"norm\":2.5,\"factor\":1,"
      "\"parameters\":\"00000000deadbeef\",\"chain\":\"ffffffffffffffff\"}",
      "{\"step\":1,\"epoch\":1,\"examples\":1,\"tokens\":2,\"loss\":3,\"distance\":null,\"weight\":0,\"norm\":1,"
      "\"factor\":0.5,\"parameters\":\"0123456789abcdef\",\"chain\":\"0000000000000000\"}",
      "{\"step\":2,\"epoch\":1,\"examples\":1,\"tokens\":2,\"loss\":3,\"distance\":0.25,\"weight\":1.5,\"norm\":1,"
      "\"factor\":0.5,\"parameters\":\"0123456789abcdef\",\"chain\":\"0000000000000001\"}"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct ad_step_row row;
    char text[AD_ROW_TEXT];
    json_t *object = parse(texts[i]);
    assert_int_equal(ad_step_row_read(&row, object), AD_OK);
    assert_string_equal(ad_step_row_print(&row, text), texts[i]);
    assert_false(ad_evaluation_row_is(object));
    json_decref(object);
    if (i == 0) {
      assert_true(row.step == 7 && row.epoch == 2 && row.examples == 32 && row.tokens == 801 && row.loss == 0.1);
      assert_true(row.parameters == 0xdeadbeef && row.chain == UINT64_MAX && !row.taught && isnan(row.distance));
    }
  }
  const struct ad_step step = {.step = 7,
                               .epoch = 2,
                               .examples = 32,
                               .tokens = 801,
                               .loss = 0.1,
                               .distance = NAN,
                               .norm = 2.5,
                               .factor = 1.0,
                               .parameters = 0xdeadbeef,
                               .chain = UINT64_MAX};
  const struct ad_step_row row = ad_step_row_of(&step, 0);
  char text[AD_ROW_TEXT];
  assert_string_equal(ad_step_row_print(&row, text), texts[0]);
}

static void test_no_steps(void **state) {
  (void)state;
  static const char *const texts[] = {
      "{}",
      "{\"step\":1,\"epoch\":1,\"loss\":1,\"norm\":1,\"parameters\":\"0123456789abcdef\"}",
      "{\"step\":-1,\"epoch\":1,\"loss\":1,\"norm\":1,\"parameters\":\"0123456789abcdef\",\"chain\":"
      "\"0123456789abcdef\"}",
      "{\"step\":1.5,\"epoch\":1,\"loss\":1,\"norm\":1,\"parameters\":\"0123456789abcdef\",\"chain\":"
      "\"0123456789abcdef\"}",
      "{\"step\":1,\"epoch\":1,\"loss\":\"1\",\"norm\":1,\"parameters\":\"0123456789abcdef\",\"chain\":"
      "\"0123456789abcdef\"}",
      "{\"step\":1,\"epoch\":1,\"loss\":1,\"norm\":1,\"parameters\":\"0123456789ABCDEF\",\"chain\":"
      "\"0123456789abcdef\"}",
      "{\"step\":1,\"epoch\":1,\"loss\":1,\"norm\":1,\"parameters\":\"0123456789abcdef\",\"chain\":"
      "\"123456789abcdef\"}"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct ad_step_row row;
    json_t *object = parse(texts[i]);
    assert_int_equal(ad_step_row_read(&row, object), AD_EINPUT);
    json_decref(object);
  }
}

static void test_evaluations(void **state) {
  (void)state;
  static const char expected[] =
      "{\"eval\":\"dev\",\"model\":\"window\",\"step\":9,\"epoch\":3,\"examples\":872,\"error\":0.125,\"accuracy\":0."
      "875,"
      "\"macro_f1\":0.80000000000000004,\"matthews\":-0.5,\"loss\":0.25}";
  const struct ad_evaluation_row row = {
      AD_VARIANT_WINDOW,
      9,
      3,
      {.examples = 872, .task = &ad_task_classification, .value = {0.125, 0.875, 0.8, -0.5, 0.25}}};
  struct ad_evaluation_row read;
  char text[AD_ROW_TEXT];
  assert_string_equal(ad_evaluation_row_print(&row, text), expected);
  json_t *object = parse(expected);
  assert_true(ad_evaluation_row_is(object));
  assert_int_equal(ad_evaluation_row_read(&read, object), AD_OK);
  assert_string_equal(ad_evaluation_row_print(&read, text), expected);
  json_object_set_new(object, "model", json_string("nobody"));
  assert_int_equal(ad_evaluation_row_read(&read, object), AD_EINPUT);
  json_decref(object);
  const struct ad_scores none = ad_scores_read(NULL);
  assert_true(none.examples == 0 && isnan(ad_scores_first(&none)) && isnan(ad_scores_loss(&none)));
}

static void test_times(void **state) {
  (void)state;
  static const struct {
    struct ad_timing_row row;
    const char *text;
  } cases[] = {
      {{AD_TIMING_STEP, .step = 3, .steps = 9, .seconds = 0.5}, "{\"step\":3,\"steps\":9,\"seconds\":0.500000}"},
      {{AD_TIMING_EVALUATION, .step = 3, .seconds = 2.0}, "{\"eval\":\"dev\",\"step\":3,\"seconds\":2.000000}"},
      {{AD_TIMING_SNAPSHOT, .step = 3, .seconds = 2.0}, "{\"snapshot\":3,\"seconds\":2.000000}"},
      {{AD_TIMING_SNAPSHOTS, .seconds = 2.0}, "{\"snapshots\":\"written\",\"seconds\":2.000000}"},
      {{AD_TIMING_CHECKPOINT, .step = 3, .seconds = 2.0}, "{\"checkpoint\":3,\"seconds\":2.000000}"},
      {{AD_TIMING_RESUMED, .step = 3, .ranks = "4 on 2 nodes", .host = "a"},
       "{\"resumed\":3,\"ranks\":\"4 on 2 nodes\",\"host\":\"a\"}"},
      {{AD_TIMING_MEMORY, .predicted = 4e9, .used = 3.0}, "{\"memory\":{\"predicted\":4000000000,\"used\":3}}"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct ad_timing_row *row = &cases[i].row;
    struct ad_timing_row read;
    char text[AD_ROW_TEXT];
    assert_string_equal(ad_timing_row_print(row, text), cases[i].text);
    json_t *object = parse(text);
    assert_int_equal(ad_timing_row_read(&read, object), AD_OK);
    json_decref(object);
    assert_int_equal(read.kind, row->kind);
    assert_true(read.step == row->step && read.steps == row->steps);
    assert_true(row->seconds == 0.0 || read.seconds == row->seconds);
    assert_true(row->kind != AD_TIMING_MEMORY || (read.predicted == 4e9 && read.used == 3.0));
  }
  struct ad_timing_row read;
  json_t *object = parse("{\"seconds\":1}");
  assert_int_equal(ad_timing_row_read(&read, object), AD_EINPUT);
  json_decref(object);
}

static const struct ad_result full = {
    .step = 4,
    .steps = 8,
    .model = AD_VARIANT_TEACHER,
    .kept = {1, 1, 0, 0},
    .digest = {0xab, 0xcd, 0, 0},
    .has_dev = 1,
    .dev = {.examples = 10, .task = &ad_task_classification, .value = {0.5, 0.5, 0.25, 0.0, 1.0}},
    .last = {{.examples = 10, .task = &ad_task_classification, .value = {0.25, 0.75, 0.5, 0.5, 2.0}},
             {.examples = 10, .task = &ad_task_classification, .value = {0.5, 0.5, 0.25, 0.0, 1.0}}}};

static void test_results(void **state) {
  (void)state;
  static const char expected[] =
      "{\"step\":4,\"steps\":8,\"model\":\"teacher\",\"parameters\":\"00000000000000cd\",\"variants\":{\"student\":"
      "\"00000000000000ab\"},\"dev\":{\"examples\":10,\"error\":0.5,\"accuracy\":0.5,\"macro_f1\":0.25,\"matthews\":0,"
      "\"loss\":1},\"last\":{\"student\":{\"examples\":10,\"error\":0.25,\"accuracy\":0.75,\"macro_f1\":0.5,"
      "\"matthews\":"
      "0.5,\"loss\":2},\"teacher\":{\"examples\":10,\"error\":0.5,\"accuracy\":0.5,\"macro_f1\":0.25,\"matthews\":0,"
      "\"loss\":1}}}\n";
  struct ad_buffer text = {0};
  struct ad_result read;
  assert_int_equal(ad_result_print(&full, &text), AD_OK);
  assert_string_equal(text.data, expected);
  json_t *object = parse(expected);
  assert_int_equal(ad_result_read(&read, object), AD_OK);
  ad_buffer_clear(&text);
  assert_int_equal(ad_result_print(&read, &text), AD_OK);
  assert_string_equal(text.data, expected);
  json_object_del(object, "parameters");
  assert_int_equal(ad_result_read(&read, object), AD_EINPUT);
  json_decref(object);
  ad_buffer_clear(&text);
  /* Without dev, and nothing beside the result. */
  assert_int_equal(ad_result_print(&(struct ad_result){.step = 1, .steps = 1, .kept = {1}}, &text), AD_OK);
  assert_string_equal(text.data,
                      "{\"step\":1,\"steps\":1,\"model\":\"student\",\"parameters\":\"0000000000000000\"}\n");
  ad_buffer_destroy(&text);
}

/* What a checkpoint of an earlier program says is read, and comes out with the same bytes. */
static void test_states(void **state) {
  (void)state;
  static const char expected[] =
      "{\"trainer\":{\"done\":4,\"chain\":\"f000000000000001\",\"entered\":5,\"newest\":1,\"window\":5,\"run\":4},"
      "\"run\":{"
      "\"log_bytes\":1234,\"evaluated\":4,\"best_step\":2,\"best_error\":0.25,\"best_scores\":\"\\\"examples\\\":8,"
      "\\\"error\\\":0.25,\\\"accuracy\\\":0.75,\\\"macro_f1\\\":0.5,\\\"matthews\\\":0.5,\\\"loss\\\":0.5\",\"dev_"
      "error\":"
      "0.5,\"seconds\":1.5,\"examples\":16,\"rows\":[{\"step\":2,\"epoch\":1.0,\"error\":[0.25,null,null,null],"
      "\"loss\":0.5},"
      "{\"step\":4,\"epoch\":2.0,\"error\":[0.5,null,null,null],\"loss\":null}],\"last_scores\":[\"\\\"examples\\\":8,"
      "\\\"error\\\":0.5,\\\"accuracy\\\":0.5,\\\"macro_f1\\\":0.25,\\\"matthews\\\":0,\\\"loss\\\":1\",\"\",\"\",\"\"]"
      "}}";
  struct ad_run_state s;
  char *text;
  assert_int_equal(ad_run_state_read(&s, "c.h5", expected), AD_OK);
  assert_true(s.trainer.done == 4 && s.trainer.chain == 0xf000000000000001 && s.trainer.teacher.entered == 5);
  assert_true(s.log_bytes == 1234 && s.best_step == 2 && ad_scores_get(&s.best, "error") == 0.25);
  assert_true(ad_scores_loss(&s.last[AD_VARIANT_STUDENT]) == 1.0);
  assert_true(s.last[AD_VARIANT_TEACHER].examples == 0 && s.count == 2 && s.points[1].score[0] == 0.5 &&
              isnan(s.points[1].loss));
  assert_int_equal(ad_run_state_print(&s, &text), AD_OK);
  assert_string_equal(text, expected);
  ad_free(text);
  ad_run_state_destroy(&s);
  static const char *const bad[] = {"{}", "{\"trainer\":{},\"run\":{}}", "[]"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(ad_run_state_read(&s, "c.h5", bad[i]), AD_EINPUT);
    ad_run_state_destroy(&s);
  }
}

/* A run that has just begun: nothing was evaluated. */
static void test_first_state(void **state) {
  (void)state;
  struct ad_run_state s = ad_run_state_begin(), read;
  char *text;
  assert_int_equal(ad_run_state_print(&s, &text), AD_OK);
  assert_int_equal(ad_run_state_read(&read, "c.h5", text), AD_OK);
  assert_true(isnan(read.dev_score) && read.best.examples == 0 && read.count == 0);
  assert_true(isnan(read.peak) && read.stale == 0 && strstr(text, "patience") == NULL);
  ad_free(text);
  ad_run_state_destroy(&read);
  /* With early stopping, to the bit. */
  s.peak = 1.0 / 3.0;
  s.stale = 2;
  assert_int_equal(ad_run_state_print(&s, &text), AD_OK);
  assert_int_equal(ad_run_state_read(&read, "c.h5", text), AD_OK);
  assert_true(read.peak == 1.0 / 3.0 && read.stale == 2);
  memcpy(strstr(text, "\"stale\""), "\"stake\"", 7);
  ad_run_state_destroy(&read);
  assert_int_equal(ad_run_state_read(&read, "c.h5", text), AD_EINPUT);
  ad_free(text);
  ad_run_state_destroy(&read);
}

static void test_logits_names(void **state) {
  (void)state;
  char name[AD_LOGITS_NAME];
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    enum ad_variant read;
    uint64_t step;
    assert_true(ad_logits_name_read(ad_logits_name(v, 1234567890, name), &read, &step));
    assert_true(read == v && step == 1234567890);
  }
  assert_string_equal(ad_logits_name(AD_VARIANT_STUDENT, 8, name), "dev-step-00000008.h5");
  assert_string_equal(ad_logits_name(AD_VARIANT_RUN, 8, name), "dev-run-step-00000008.h5");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps),       cmocka_unit_test(test_no_steps),
                                     cmocka_unit_test(test_evaluations), cmocka_unit_test(test_times),
                                     cmocka_unit_test(test_results),     cmocka_unit_test(test_states),
                                     cmocka_unit_test(test_first_state), cmocka_unit_test(test_logits_names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
