/* Multi-label classification against scikit-learn, PyTorch and transformers (tests/parity/multi_label.py): scores and
 * thresholds of given logits, loss and R-Drop's distance, an encoder's gradient, twenty steps of the trainer without
 * and with a teacher; and how labels are read and written. */
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
#include "autodidact/learn/ensemble.h"
#include "autodidact/task/ranking.h"
#include "autodidact/task/scores.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"
#include "support/parity.h"
#include "support/trajectory.h"

enum { MOST_ROWS = 300, MOST_CLASSES = 40, WORDS = 2 };

/* Both sides count and then compute in double. */
static const double SCORE_TOLERANCE = 1e-9;
/* A threshold is a float32. */
static const double THRESHOLD_TOLERANCE = 1e-7;
/* As in test_loss.c. */
static const double GIVEN_TOLERANCE = 2e-7, LOGITS_TOLERANCE = 2e-5, GRADIENT_TOLERANCE = 1e-4;

static const struct ad_task *const task = &ad_task_multi_label;

/* Columns of a dataset with rows. */
static size_t columns_of(hid_t file, const char *group, const char *key) {
  char path[96];
  hsize_t shape[2];
  snprintf(path, sizeof path, "%s/%s", group, key);
  const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT), space = H5Dget_space(dataset);
  assert_int_equal(H5Sget_simple_extent_dims(space, shape, NULL), 2);
  H5Sclose(space);
  H5Dclose(dataset);
  return (size_t)shape[1];
}

/* Labels of the file, 0 or 1 for each class, as sets of words [N,Q]. The caller frees them. */
static uint32_t *read_labels(hid_t file, const char *group, size_t *N, size_t *C) {
  size_t count;
  uint32_t *flags = read_array(file, group, "labels", H5T_NATIVE_UINT32, &count);
  *C = columns_of(file, group, "labels");
  *N = count / *C;
  const size_t Q = ad_task_words(task, *C);
  uint32_t *labels = calloc(*N * Q, sizeof *labels);
  for (size_t i = 0; i < count; i++) {
    labels[i / *C * Q + i % *C / 31] |= flags[i] << i % *C % 31;
  }
  free(flags);
  return labels;
}

/* --- Scores. */

static void check_score(hid_t file, const char *group, const struct ad_scoring *s, const char *key) {
  const double expected = read_number(file, group, key), got = ad_scores_get(&s->scores, key);
  if (isnan(expected)) {
    assert_true(isnan(got));
  } else {
    expect(fabs(got - expected), SCORE_TOLERANCE, group, key);
  }
}

static void check_average_precisions(hid_t file, const char *group, const struct ad_scoring *s, size_t C) {
  size_t count;
  double *expected = read_array(file, group, "average_precision", H5T_NATIVE_DOUBLE, &count);
  assert_int_equal(count, C);
  for (size_t c = 0; c < C; c++) {
    assert_int_equal(isnan(expected[c]), isnan(s->average_precision[c]));
    if (!isnan(expected[c])) {
      expect(fabs(s->average_precision[c] - expected[c]), SCORE_TOLERANCE, group, "average precision");
    }
  }
  free(expected);
}

static void check_scores(hid_t file, const char *name) {
  char group[64];
  size_t N, C, n;
  struct ad_scoring at, best;
  snprintf(group, sizeof group, "scores/%s", name);
  uint32_t *words = read_labels(file, group, &N, &C);
  float *logits = read_array(file, group, "logits", H5T_NATIVE_FLOAT, &n);
  const struct ad_labels labels = {task, N, words};
  assert_int_equal(ad_scoring_create_at(&at, labels, C, logits, read_number(file, group, "threshold")), AD_OK);
  static const char *const keys[] = {"micro_f1", "macro_f1", "map", "exact"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    check_score(file, group, &at, keys[i]);
  }
  check_average_precisions(file, group, &at, C);
  assert_int_equal(ad_scoring_create(&best, labels, C, logits), AD_OK);
  expect(fabs(best.scores.threshold - read_number(file, group, "best")), THRESHOLD_TOLERANCE, group, "threshold");
  expect(fabs(ad_scores_first(&best.scores) - read_number(file, group, "best_f1")), SCORE_TOLERANCE, group, "best F1");
  assert_true(best.scores.threshold == (float)best.scores.threshold);
  ad_scoring_destroy(&at);
  ad_scoring_destroy(&best);
  free(words);
  free(logits);
}

static void test_scores(void **state) {
  (void)state;
  static const char *const names[] = {"five",   "five-low", "words",    "thirty-one", "thirty-two", "tied",
                                      "few",    "perfect",  "reversed", "all",        "none",       "none-right",
                                      "absent", "zero",     "one-row",  "large"};
  const hid_t file = fixture_open("multi_label.h5");
  failures = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    check_scores(file, names[i]);
  }
  fixture_close(file);
  assert_int_equal(failures, 0);
}

/* Logits that are no numbers are told by the loss; a model's threshold of 0 is 0.5. */
static void test_not_finite(void **state) {
  (void)state;
  static const float logits[] = {1.0f, NAN, -1.0f, 2.0f};
  static const uint32_t words[] = {1, 2};
  struct ad_scoring s;
  const struct ad_labels labels = {task, 2, words};
  assert_int_equal(ad_scoring_create(&s, labels, 2, logits), AD_EDIVERGED);
  assert_true(s.scores.threshold == AD_THRESHOLD && isnan(ad_scores_get(&s.scores, "map")));
  ad_scoring_destroy(&s);
  assert_int_equal(ad_scoring_create_at(&s, labels, 2, (const float[]){1.0f, -1.0f, -1.0f, 2.0f}, 0.0), AD_OK);
  assert_true(s.scores.threshold == AD_THRESHOLD && ad_scores_get(&s.scores, "exact") == 1.0);
  ad_scoring_destroy(&s);
  const struct ad_labels none = {task, 1, (const uint32_t[]){AD_NO_LABEL}};
  assert_int_equal(ad_scoring_create(&s, none, 2, logits), AD_EINPUT);
  ad_scoring_destroy(&s);
}

/* --- Loss and distance at given logits. */

static double mean_loss(size_t N, size_t C, const float *logits, const uint32_t *labels, float *dlogits) {
  float loss[MOST_ROWS];
  double sum = 0.0;
  assert_true(N <= MOST_ROWS);
  task->loss(test_math->kernels, N, C, logits, labels, (float)(1.0 / (double)N), loss, dlogits);
  for (size_t i = 0; i < N; i++) {
    sum += loss[i];
  }
  return sum / (double)N;
}

static void check_rows(hid_t file, const char *name) {
  char group[64];
  size_t N, C, n;
  float dlogits[MOST_ROWS];
  snprintf(group, sizeof group, "rows/%s", name);
  uint32_t *labels = read_labels(file, group, &N, &C);
  float *logits = read_array(file, group, "logits", H5T_NATIVE_FLOAT, &n);
  float *expected = read_array(file, group, "gradient", H5T_NATIVE_FLOAT, &n);
  const double loss = read_number(file, group, "loss");
  assert_true(n == N * C && n <= MOST_ROWS);
  expect(relative(mean_loss(N, C, logits, labels, dlogits), loss), GIVEN_TOLERANCE, name, "loss");
  expect(relative(task->mean_loss(N, C, logits, labels), loss), 1e-12, name, "mean loss");
  for (size_t i = 0; i < N; i++) {
    const double scale = norm(C, expected + i * C);
    expect(distance(C, dlogits + i * C, expected + i * C) / scale, GIVEN_TOLERANCE, name, "a row's gradient");
  }
  free(labels);
  free(logits);
  free(expected);
}

static void check_drop(hid_t file, const char *name) {
  char group[64];
  size_t n;
  float apart[MOST_ROWS], dfirst[MOST_ROWS] = {0}, dsecond[MOST_ROWS] = {0};
  snprintf(group, sizeof group, "rdrop/%s", name);
  const size_t C = columns_of(file, group, "first");
  float *first = read_array(file, group, "first", H5T_NATIVE_FLOAT, &n);
  float *second = read_array(file, group, "second", H5T_NATIVE_FLOAT, &n);
  float *by_first = read_array(file, group, "gradient/first", H5T_NATIVE_FLOAT, &n);
  float *by_second = read_array(file, group, "gradient/second", H5T_NATIVE_FLOAT, &n);
  const size_t N = n / C;
  double sum = 0.0;
  task->copies_distance(test_math->kernels, N, C, first, second, (float)(1.0 / (double)N), apart, dfirst, dsecond);
  for (size_t i = 0; i < N; i++) {
    sum += apart[i];
  }
  expect(relative(sum / (double)N, read_number(file, group, "distance")), GIVEN_TOLERANCE, name, "distance");
  expect(distance(n, dfirst, by_first) / norm(n, by_first), GIVEN_TOLERANCE, name, "first gradient");
  expect(distance(n, dsecond, by_second) / norm(n, by_second), GIVEN_TOLERANCE, name, "second gradient");
  free(first);
  free(second);
  free(by_first);
  free(by_second);
}

static void test_given_logits(void **state) {
  (void)state;
  const hid_t file = fixture_open("multi_label.h5");
  failures = 0;
  check_rows(file, "three");
  check_rows(file, "forty");
  check_rows(file, "one-row");
  check_drop(file, "two");
  check_drop(file, "seven");
  fixture_close(file);
  assert_int_equal(failures, 0);
}

/* --- Several models. */

/* The first row of the file has probabilities that a double rounds to 1: the loss is of the others. */
static void test_votes(void **state) {
  (void)state;
  enum { K = 3 };
  size_t N, C, n;
  struct ad_scoring s;
  const hid_t file = fixture_open("multi_label.h5");
  failures = 0;
  uint32_t *words = read_labels(file, "ensemble", &N, &C);
  float *logits = read_array(file, "ensemble", "logits", H5T_NATIVE_FLOAT, &n);
  double *expected = read_array(file, "ensemble", "probability", H5T_NATIVE_DOUBLE, &n);
  float *mean = malloc(n * sizeof *mean);
  assert_int_equal(n, N * C);
  ad_vote_on_each(K, n, logits, mean);
  for (size_t i = 0; i < n; i++) {
    double p;
    assert_true(isfinite(mean[i]));
    task->probabilities(1, mean + i, &p);
    expect(fabs(p - expected[i]), GIVEN_TOLERANCE, "ensemble", "probability");
  }
  const struct ad_labels labels = {task, N - 1, words + 1};
  assert_int_equal(ad_scoring_create_at(&s, labels, C, mean + C, 0.5), AD_OK);
  expect(relative(ad_scores_loss(&s.scores), read_number(file, "ensemble", "loss")), GIVEN_TOLERANCE, "vote", "loss");
  expect(fabs(ad_scores_get(&s.scores, "map") - read_number(file, "ensemble", "map")), SCORE_TOLERANCE, "vote", "mAP");
  ad_scoring_destroy(&s);
  free(words);
  free(logits);
  free(expected);
  free(mean);
  fixture_close(file);
  assert_int_equal(failures, 0);
}

static void test_numbered_sets(void **state) {
  (void)state;
  enum { K = 3, N = 2, Q = 2 };
  static const uint32_t labels[N * Q] = {1, 0, 7, 1};
  static const uint32_t predictions[K * N * Q] = {1, 0, 7, 0, 1, 1, 7, 1, 1, 1, 7, 0};
  static const uint32_t expected[K * N] = {0, 1, 2, 0, 2, 1};
  uint32_t numbers[K * N];
  ad_vote_number_sets(K, N, Q, labels, predictions, numbers);
  assert_memory_equal(numbers, expected, sizeof expected);
}

/* --- An encoder. */

/* The encoder of the reference with the labels of the file, which replace its own. */
static void load(struct encoder_fixture *f, hid_t file) {
  size_t N, C;
  fixture_load(f, "encoder-pooler-relu.h5");
  free(f->dataset.label);
  f->dataset.label = read_labels(file, "model", &N, &C);
  f->dataset.task = task;
  assert_true(N == f->dataset.count && C == f->params.config.classes);
}

static void test_gradient(void **state) {
  (void)state;
  struct encoder_fixture f;
  size_t n;
  const hid_t file = fixture_open("multi_label.h5");
  failures = 0;
  load(&f, file);
  const size_t B = f.dataset.count, C = f.params.config.classes;
  float *logits = calloc(B * C, sizeof *logits), *dlogits = calloc(B * C, sizeof *dlogits);
  float *wanted = read_array(file, "model", "logits", H5T_NATIVE_FLOAT, &n);
  struct encoder_pass pass = encoder_pass_start(&f, TRAJECTORY_LANES, logits);
  expect(distance(n, logits, wanted) / norm(n, wanted), LOGITS_TOLERANCE, "model", "logits");
  expect(relative(mean_loss(B, C, logits, f.dataset.label, dlogits), read_number(file, "model", "loss")),
         LOGITS_TOLERANCE, "model", "loss");
  expect_gradient(&pass, dlogits, file, "pooler-relu", "model", GRADIENT_TOLERANCE);
  encoder_pass_end(&pass);
  free(logits);
  free(dlogits);
  free(wanted);
  fixture_unload(&f);
  fixture_close(file);
  assert_int_equal(failures, 0);
}

/* --- Twenty steps. */

static void check_run(const char *group, const struct ad_teacher_settings *teacher) {
  struct encoder_fixture f;
  struct trajectory t;
  const hid_t file = fixture_open("multi_label.h5");
  load(&f, file);
  trajectory_start(&t, &f, teacher, NULL);
  expect_run(&t, file, group);
  trajectory_end(&t);
  fixture_unload(&f);
  fixture_close(file);
}

static void test_runs(void **state) {
  (void)state;
  const struct ad_teacher_settings none = {0}, drop = {.method = AD_TEACHER_RDROP, .every = 1, .weight = 3.0},
                                   sda = {.method = AD_TEACHER_SDA, .window = 3, .every = 1, .lag = 1, .weight = 3.0};
  failures = 0;
  check_run("model/plain", &none);
  check_run("model/plain", &drop);
  check_run("model/sda", &sda);
  assert_int_equal(failures, 0);
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_scores),        cmocka_unit_test(test_not_finite),
                                     cmocka_unit_test(test_given_logits),  cmocka_unit_test(test_votes),
                                     cmocka_unit_test(test_numbered_sets), cmocka_unit_test(test_gradient),
                                     cmocka_unit_test(test_runs)};
  return cmocka_run_group_tests_name(kernels, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
