/* Regression against SciPy, scikit-learn, PyTorch and transformers (tests/parity/regression.py): scores, rows of given
 * logits, R-Drop, an encoder's gradient with one target and with two, twenty steps of the trainer without and with a
 * teacher. And what a label may be. */
#include <math.h>
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
#include "autodidact/task/scores.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"
#include "support/parity.h"
#include "support/trajectory.h"

enum { MOST_ROWS = 64, MOST_TARGETS = 4 };

/* Scores: sums in double in another order. Rows: only scale and result are rounded to float32. The rest as in
 * test_loss.c. */
static const double SCORE_TOLERANCE = 1e-9, GIVEN_TOLERANCE = 2e-7, LOGITS_TOLERANCE = 2e-5, GRADIENT_TOLERANCE = 1e-4;

/* GROUP/NAME of the file, floats as the words of labels; *count floats. The caller frees it. */
static uint32_t *read_words(hid_t file, const char *group, const char *name, size_t *count) {
  float *values = read_array(file, group, name, H5T_NATIVE_FLOAT, count);
  uint32_t *words = malloc(*count * sizeof *words);
  assert_non_null(words);
  memcpy(words, values, *count * sizeof *words);
  free(values);
  return words;
}

/* --- Scores. */

static const struct {
  const char *name;
  size_t targets;
} score_cases[] = {{"one", 1},
                   {"three", 3},
                   {"near", 1},
                   {"reversed", 1},
                   {"tied-labels", 1},
                   {"tied-both", 1},
                   {"perfect", 1},
                   {"constant-labels", 1},
                   {"constant-predictions", 1},
                   {"constant-right", 1},
                   {"large", 2},
                   {"shifted", 1},
                   {"two-rows", 1},
                   {"zeros", 1}};

static void check_scores(hid_t file, const char *name, size_t C) {
  char group[64];
  size_t count;
  struct ad_scoring scoring;
  snprintf(group, sizeof group, "scores/%s", name);
  uint32_t *labels = read_words(file, group, "labels", &count);
  float *predictions = read_array(file, group, "predictions", H5T_NATIVE_FLOAT, &count);
  const struct ad_labels given = {&ad_task_regression, count / C, labels};
  assert_int_equal(ad_scoring_create(&scoring, given, C, predictions), AD_OK);
  for (size_t i = 0; i < ad_task_regression.score_count; i++) {
    const char *score = ad_task_regression.scores[i].name;
    const double expected = read_number(file, group, score), got = scoring.scores.value[i];
    expect(fabs(got - expected) / fmax(1.0, fabs(expected)), SCORE_TOLERANCE, name, score);
    double mean = 0.0;
    for (size_t c = 0; c < C; c++) {
      mean += scoring.target[c * ad_task_regression.score_count + i] / (double)C;
    }
    expect(fabs(mean - expected) / fmax(1.0, fabs(expected)), SCORE_TOLERANCE, name, "the mean over the targets");
  }
  assert_int_equal(scoring.targets, C);
  assert_int_equal(scoring.metrics.classes, 0);
  assert_true(isnan(ad_majority_share(given, C, NULL)));
  ad_scoring_destroy(&scoring);
  free(labels);
  free(predictions);
}

static void test_scores(void **state) {
  (void)state;
  const struct ad_memory_stats before = ad_memory_stats();
  const hid_t file = fixture_open("regression.h5");
  failures = 0;
  for (size_t i = 0; i < sizeof score_cases / sizeof *score_cases; i++) {
    check_scores(file, score_cases[i].name, score_cases[i].targets);
  }
  fixture_close(file);
  assert_int_equal(failures, 0);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

/* Outputs that are no numbers: no score, and the failure that a divergence is. A row without label. */
static void test_bad_scores(void **state) {
  (void)state;
  float logits[3] = {1.0f, 2.0f, NAN};
  uint32_t labels[3] = {0, 0, 0};
  struct ad_scoring scoring;
  const struct ad_labels given = {&ad_task_regression, 3, labels};
  assert_int_equal(ad_scoring_create(&scoring, given, 1, logits), AD_EDIVERGED);
  for (size_t i = 0; i < ad_task_regression.score_count; i++) {
    assert_true(isnan(scoring.scores.value[i]));
  }
  ad_scoring_destroy(&scoring);
  labels[1] = AD_NO_LABEL;
  assert_int_equal(ad_scoring_create(&scoring, given, 1, logits), AD_EINPUT);
  assert_non_null(strstr(ad_error_message(), "example 2 has no label"));
  ad_scoring_destroy(&scoring);
}

/* --- Given logits. */

static void check_rows(hid_t file, const char *name, size_t C) {
  char group[64];
  size_t count;
  float loss[MOST_ROWS], dlogits[MOST_ROWS * MOST_TARGETS];
  double mean = 0.0;
  snprintf(group, sizeof group, "rows/%s", name);
  float *logits = read_array(file, group, "logits", H5T_NATIVE_FLOAT, &count);
  uint32_t *labels = read_words(file, group, "labels", &count);
  double *gradient = read_array(file, group, "gradient", H5T_NATIVE_DOUBLE, &count);
  const size_t N = count / C;
  const double expected = read_number(file, group, "loss");
  assert_true(N <= MOST_ROWS && C <= MOST_TARGETS);
  ad_task_regression.loss(test_math->kernels, N, C, logits, labels, (float)(1.0 / (double)N), loss, dlogits);
  for (size_t n = 0; n < N; n++) {
    mean += loss[n] / (double)N;
  }
  expect(relative(mean, expected), GIVEN_TOLERANCE, name, "loss");
  expect(relative(ad_task_regression.mean_loss(N, C, logits, labels), expected), 1e-12, name, "mean loss");
  double error = 0.0, scale = 0.0;
  for (size_t i = 0; i < count; i++) {
    error += (dlogits[i] - gradient[i]) * (dlogits[i] - gradient[i]);
    scale += gradient[i] * gradient[i];
  }
  expect(sqrt(error / scale), GIVEN_TOLERANCE, name, "gradient");
  free(logits);
  free(labels);
  free(gradient);
}

/* Copies of R-Drop lie one after the other, as a trainer packs them. */
static void check_drop(hid_t file, const char *name, size_t C) {
  static const struct ad_teacher_settings drop = {.method = AD_TEACHER_RDROP};
  char group[64];
  size_t count;
  float logits[2 * MOST_ROWS], dlogits[2 * MOST_ROWS], loss[MOST_ROWS], apart[MOST_ROWS];
  uint32_t labels[2 * MOST_ROWS];
  snprintf(group, sizeof group, "rdrop/%s", name);
  float *first = read_array(file, group, "first", H5T_NATIVE_FLOAT, &count),
        *second = read_array(file, group, "second", H5T_NATIVE_FLOAT, &count);
  uint32_t *given = read_words(file, group, "labels", &count);
  double *gradient[2] = {read_array(file, group, "gradient/first", H5T_NATIVE_DOUBLE, &count),
                         read_array(file, group, "gradient/second", H5T_NATIVE_DOUBLE, &count)};
  const size_t N = count / C;
  const double weight = read_number(file, group, "weight"), each = 1.0 / (double)N;
  double sum = 0.0, distance = 0.0, error = 0.0, scale = 0.0;
  assert_true(count <= MOST_ROWS);
  memcpy(logits, first, count * sizeof *logits);
  memcpy(logits + count, second, count * sizeof *logits);
  memcpy(labels, given, count * sizeof *labels);
  memcpy(labels + count, given, count * sizeof *labels);
  ad_task_regression.loss(test_math->kernels, 2 * N, C, logits, labels, (float)(0.5 * each), loss, dlogits);
  ad_teacher_distance(&drop, &ad_task_regression, test_math->kernels, N, C, logits, NULL, (float)(weight * each), apart,
                      dlogits);
  for (size_t n = 0; n < N; n++) {
    sum += 0.5 * each * ((double)loss[n] + loss[N + n]);
    distance += each * apart[n];
  }
  for (size_t i = 0; i < 2 * count; i++) {
    const double right = gradient[i / count][i % count];
    error += (dlogits[i] - right) * (dlogits[i] - right);
    scale += right * right;
  }
  expect(relative(distance, read_number(file, group, "distance")), GIVEN_TOLERANCE, name, "distance");
  expect(relative(sum + weight * distance, read_number(file, group, "loss")), GIVEN_TOLERANCE, name, "loss");
  expect(sqrt(error / scale), 2.0 * GIVEN_TOLERANCE, name, "gradient"); /* two parts, each rounded */
  free(first);
  free(second);
  free(given);
  free(gradient[0]);
  free(gradient[1]);
}

static void test_rows(void **state) {
  (void)state;
  const hid_t file = fixture_open("regression.h5");
  failures = 0;
  check_rows(file, "one", 1);
  check_rows(file, "four", 4);
  check_rows(file, "one-row", 2);
  check_drop(file, "one", 1);
  check_drop(file, "three", 3);
  fixture_close(file);
  assert_int_equal(failures, 0);
}

/* --- An encoder. */

/* encoder-pooler-relu.h5 with a head of the first C rows of its classifier, and the labels of group C. */
static void load(struct encoder_fixture *f, hid_t file, const char *group, size_t C) {
  struct ad_params params;
  size_t count;
  fixture_load(f, "encoder-pooler-relu.h5");
  struct ad_model_config config = f->params.config;
  config.classes = (uint32_t)C;
  config.problem_type = ad_task_regression.problem_type;
  assert_int_equal(ad_params_create(&params, &config), AD_OK);
  float *theta = calloc(params.count, sizeof *theta);
  assert_non_null(theta);
  for (size_t i = 0; i < params.tensor_count; i++) {
    const struct ad_tensor *to = &params.tensors[i], *from = ad_params_find(&f->params, to->name);
    assert_true(from != NULL && from->count >= to->count);
    memcpy(theta + to->offset, f->theta + from->offset, to->count * sizeof *theta);
  }
  ad_params_destroy(&f->params);
  free(f->theta);
  free(f->dataset.label);
  f->params = params;
  f->theta = theta;
  f->dataset.task = &ad_task_regression;
  f->dataset.words = C;
  f->dataset.label = read_words(file, group, "labels", &count);
  assert_int_equal(count, f->dataset.count * C);
}

static void check_gradient(const char *group, size_t C) {
  struct encoder_fixture f;
  size_t count;
  const hid_t file = fixture_open("regression.h5");
  load(&f, file, group, C);
  const size_t B = f.dataset.count;
  float *logits = calloc(B * C, sizeof *logits), *dlogits = calloc(B * C, sizeof *dlogits), loss[MOST_ROWS];
  struct encoder_pass pass = encoder_pass_start(&f, TRAJECTORY_LANES, logits);
  float *right = read_array(file, group, "logits", H5T_NATIVE_FLOAT, &count);
  expect(distance(count, logits, right) / norm(count, right), LOGITS_TOLERANCE, group, "logits");
  assert_true(B <= MOST_ROWS);
  ad_task_regression.loss(test_math->kernels, B, C, logits, f.dataset.label, (float)(1.0 / (double)B), loss, dlogits);
  expect(relative(ad_task_regression.mean_loss(B, C, logits, f.dataset.label), read_number(file, group, "loss")),
         LOGITS_TOLERANCE, group, "loss");
  expect_gradient(&pass, dlogits, file, group, group, GRADIENT_TOLERANCE);
  encoder_pass_end(&pass);
  free(right);
  free(logits);
  free(dlogits);
  fixture_unload(&f);
  fixture_close(file);
}

static void test_gradient(void **state) {
  (void)state;
  failures = 0;
  check_gradient("1", 1);
  check_gradient("2", 2);
  assert_int_equal(failures, 0);
}

/* --- Twenty steps. */

static void check_run(size_t C, const char *run, const struct ad_teacher_settings *teacher) {
  char targets[8], group[64];
  struct encoder_fixture f;
  struct trajectory t;
  const hid_t file = fixture_open("regression.h5");
  snprintf(targets, sizeof targets, "%zu", C);
  snprintf(group, sizeof group, "%zu/%s", C, run);
  load(&f, file, targets, C);
  trajectory_start(&t, &f, teacher, NULL);
  expect_run(&t, file, group);
  trajectory_end(&t);
  fixture_unload(&f);
  fixture_close(file);
}

static void test_runs(void **state) {
  (void)state;
  const struct ad_memory_stats before = ad_memory_stats();
  const struct ad_teacher_settings none = {0}, drop = {.method = AD_TEACHER_RDROP, .every = 1, .weight = 3.0},
                                   sda = {.method = AD_TEACHER_SDA, .window = 3, .every = 1, .lag = 1, .weight = 3.0};
  failures = 0;
  for (size_t C = 1; C <= 2; C++) {
    check_run(C, "plain", &none);
    check_run(C, "plain", &drop);
    check_run(C, "sda", &sda);
  }
  assert_int_equal(failures, 0);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

/* --- Labels. */

static const struct ad_task *const task = &ad_task_regression;

static int parse_one(const char *text, double low, double high, float *value) {
  const struct ad_label_table table = {.task = task, .count = 1, .low = low, .high = high};
  const struct ad_text_span field = {text, strlen(text)};
  uint32_t word = 0;
  const int good = task->parse(&table, &field, 1, &word);
  memcpy(value, &word, sizeof *value);
  return good;
}

static void test_labels(void **state) {
  (void)state;
  static const struct {
    const char *text;
    float value;
  } good[] = {{"0", 0.0f},      {"-1.5", -1.5f}, {" 3.25 ", 3.25f}, {"+2", 2.0f},
              {"1e3", 1000.0f}, {".5", 0.5f},    {"5.", 5.0f},      {"0.1", 0.1f},
              {"1e-50", 0.0f},  {"-0", -0.0f},   {"3.000", 3.0f},   {"16777217", 16777216.0f}};
  static const char *const bad[] = {"",    " ",     "nan",  "NaN", "inf", "-inf", "Infinity", "1e39", "-1e39", "abc",
                                    "1,5", "1.5.2", "0x10", "1 2", "--1", "5e",   "1e400",    "e",    "-",     "３"};
  float value;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_true(parse_one(good[i].text, 0.0, 0.0, &value));
    assert_true(value == good[i].value);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_false(parse_one(bad[i], 0.0, 0.0, &value));
  }
  assert_true(parse_one("0", 0.0, 5.0, &value) && parse_one("5", 0.0, 5.0, &value));
  assert_false(parse_one("-0.001", 0.0, 5.0, &value));
  assert_false(parse_one("5.001", 0.0, 5.0, &value));
  /* As many fields as targets. */
  const struct ad_label_table two = {.task = task, .count = 2};
  const struct ad_text_span fields[3] = {{"1", 1}, {"2.5", 3}, {"3", 1}};
  uint32_t words[3];
  assert_true(task->parse(&two, fields, 2, words));
  assert_false(task->parse(&two, fields, 1, words));
  assert_false(task->parse(&two, fields, 3, words));
  struct ad_buffer text = {0};
  assert_int_equal(task->print(2, NULL, words, &text), AD_OK);
  assert_string_equal(text.data, "1 2.5");
  ad_buffer_destroy(&text);
  words[1] = AD_NO_LABEL;
  assert_false(task->is_label(2, words));
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_scores), cmocka_unit_test(test_bad_scores),
                                     cmocka_unit_test(test_rows),   cmocka_unit_test(test_gradient),
                                     cmocka_unit_test(test_runs),   cmocka_unit_test(test_labels)};
  return cmocka_run_group_tests_name(kernels, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
