/* Class weights, label smoothing and labels that are probabilities against PyTorch (tests/parity/losses.py): rows of
 * given logits, an encoder's gradient, twenty steps of the trainer without and with a teacher; the gradient against
 * differences of the loss. */
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
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"
#include "support/parity.h"
#include "support/trajectory.h"

enum { MOST_CLASSES = 5, MOST_ROWS = 64 };

/* As in test_distillation.c: at given logits only scale and result are rounded to float32. */
static const double GIVEN_TOLERANCE = 2e-7, LOGITS_TOLERANCE = 2e-5, GRADIENT_TOLERANCE = 1e-4;

static const char *const MODELS[] = {"cls-tanh", "pooler-relu"};
enum { MODEL_COUNT = sizeof MODELS / sizeof *MODELS };

/* Weights of a group of the file [C] into weights, and all settings. */
static struct ad_loss_settings read_settings(hid_t file, const char *name, double *weights, size_t *C) {
  size_t count;
  double *stored = read_array(file, name, "weights", H5T_NATIVE_DOUBLE, &count);
  assert_true(count <= MOST_CLASSES);
  memcpy(weights, stored, count * sizeof *weights);
  free(stored);
  const hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
  assert_true(group >= 0);
  const struct ad_loss_settings settings = {.weights = weights, .smoothing = fixture_number(group, "smoothing")};
  H5Gclose(group);
  *C = count;
  return settings;
}

/* The mean that PyTorch takes divides by the weights of the labels. */
static double sum_weights(const struct ad_loss_settings *settings, size_t N, const uint32_t *labels) {
  double sum = 0.0;
  for (size_t i = 0; i < N; i++) {
    sum += settings->weights[labels[i]];
  }
  return sum;
}

/* The mean loss of rows, by the task, and dlogits of it. */
static double mean_loss(const struct ad_loss_settings *settings, size_t N, size_t C, const float *logits,
                        const uint32_t *labels, float *dlogits) {
  float loss[MOST_ROWS];
  double sum = 0.0;
  assert_true(N <= MOST_ROWS);
  const double all = sum_weights(settings, N, labels);
  ad_task_classification.weighted_loss(settings, N, C, logits, labels, (float)(1.0 / all), loss, dlogits);
  for (size_t i = 0; i < N; i++) {
    sum += loss[i];
  }
  return sum / all;
}

/* --- Given logits. */

static void check_rows(hid_t file, const char *name) {
  char group[64];
  double weights[MOST_CLASSES];
  size_t C, N, n;
  float dlogits[MOST_ROWS * MOST_CLASSES], alone[MOST_CLASSES], loss;
  snprintf(group, sizeof group, "rows/%s", name);
  const struct ad_loss_settings settings = read_settings(file, group, weights, &C);
  uint32_t *labels = read_array(file, group, "labels", H5T_NATIVE_UINT32, &N);
  float *logits = read_array(file, group, "logits", H5T_NATIVE_FLOAT, &n);
  float *expected = read_array(file, group, "gradient", H5T_NATIVE_FLOAT, &n);
  assert_int_equal(n, N * C);
  expect(relative(mean_loss(&settings, N, C, logits, labels, dlogits), read_number(file, group, "loss")),
         GIVEN_TOLERANCE, name, "loss");
  const double all = sum_weights(&settings, N, labels);
  for (size_t i = 0; i < N; i++) {
    const double scale = norm(C, expected + i * C) + weights[labels[i]] / all;
    expect(distance(C, dlogits + i * C, expected + i * C) / scale, GIVEN_TOLERANCE, name, "a row's gradient");
    ad_task_classification.weighted_loss(&settings, 1, C, logits + i * C, labels + i, (float)(1.0 / all), &loss, alone);
    assert_memory_equal(alone, dlogits + i * C, C * sizeof *alone);
  }
  free(labels);
  free(logits);
  free(expected);
}

static void test_rows(void **state) {
  (void)state;
  static const char *const names[] = {"weights", "smoothing", "both", "two", "one-row"};
  const hid_t file = fixture_open("losses.h5");
  failures = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    check_rows(file, names[i]);
  }
  fixture_close(file);
  assert_int_equal(failures, 0);
}

/* --- Labels that are probabilities. */

static void check_soft_rows(hid_t file, const char *name) {
  char group[64];
  double weights[MOST_CLASSES], sum = 0.0;
  size_t C, n;
  float dlogits[MOST_ROWS * MOST_CLASSES], alone[MOST_CLASSES], loss[MOST_ROWS];
  snprintf(group, sizeof group, "soft/%s", name);
  const struct ad_loss_settings settings = read_settings(file, group, weights, &C);
  float *logits = read_array(file, group, "logits", H5T_NATIVE_FLOAT, &n);
  float *targets = read_array(file, group, "targets", H5T_NATIVE_FLOAT, &n);
  float *expected = read_array(file, group, "gradient", H5T_NATIVE_FLOAT, &n);
  const size_t N = n / C;
  assert_true(N * C == n && N <= MOST_ROWS);
  ad_task_classification.soft_loss(&settings, N, C, logits, targets, (float)(1.0 / (double)N), loss, dlogits);
  for (size_t i = 0; i < N; i++) {
    sum += loss[i];
    const double scale = norm(C, expected + i * C) + 1.0 / (double)N;
    expect(distance(C, dlogits + i * C, expected + i * C) / scale, GIVEN_TOLERANCE, name, "a row's gradient");
    ad_task_classification.soft_loss(&settings, 1, C, logits + i * C, targets + i * C, (float)(1.0 / (double)N),
                                     loss + i, alone);
    assert_memory_equal(alone, dlogits + i * C, C * sizeof *alone);
  }
  expect(relative(sum / (double)N, read_number(file, group, "loss")), GIVEN_TOLERANCE, name, "loss");
  free(logits);
  free(targets);
  free(expected);
}

static void test_soft_rows(void **state) {
  (void)state;
  static const char *const names[] = {"plain", "weights", "smoothing", "both", "one-row"};
  const hid_t file = fixture_open("losses.h5");
  failures = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    check_soft_rows(file, names[i]);
  }
  fixture_close(file);
  assert_int_equal(failures, 0);
}

/* A label that is one class has the loss of that class. */
static void test_soft_single(void **state) {
  (void)state;
  enum { N = 3, C = 3 };
  static const struct ad_loss_settings settings[] = {{NULL, 0.0}, {NULL, 0.25}};
  static const uint32_t labels[N] = {2, 0, 1};
  static const float logits[N * C] = {0.5f, -1.0f, 2.0f, 3.0f, 0.25f, -2.0f, 0.0f, 0.0f, 1.0f};
  float targets[N * C] = {0}, loss[2][N], dlogits[2][N * C];
  for (size_t i = 0; i < N; i++) {
    targets[i * C + labels[i]] = 1.0f;
  }
  for (size_t k = 0; k < 2; k++) {
    ad_task_classification.soft_loss(&settings[k], N, C, logits, targets, 0.5f, loss[0], dlogits[0]);
    ad_task_classification.weighted_loss(&settings[k], N, C, logits, labels, 0.5f, loss[1], dlogits[1]);
    assert_memory_equal(loss[0], loss[1], sizeof loss[0]);
    assert_memory_equal(dlogits[0], dlogits[1], sizeof dlogits[0]);
  }
}

/* Central differences: float loss is good to 1e-7 of about 6, over a width of 0.016 4e-5; the cut-off term is below. */
static void test_differences(void **state) {
  (void)state;
  enum { N = 5, C = 4 };
  static const double weights[C] = {0.5, 2.0, 1.0, 0.125};
  static const uint32_t labels[N] = {0, 1, 2, 3, 1};
  const struct ad_loss_settings settings = {.weights = weights, .smoothing = 0.2};
  const float width = 0x1p-7f;
  float logits[N * C], loss[N], dlogits[N * C], up[N], down[N], ignored[N * C];
  for (size_t k = 0; k < (size_t)N * C; k++) {
    logits[k] = (float)sin((double)k);
  }
  ad_task_classification.weighted_loss(&settings, N, C, logits, labels, 2.0f, loss, dlogits);
  for (size_t k = 0; k < (size_t)N * C; k++) {
    const float value = logits[k];
    logits[k] = value + width;
    const float above = logits[k];
    ad_task_classification.weighted_loss(&settings, N, C, logits, labels, 1.0f, up, ignored);
    logits[k] = value - width;
    const float below = logits[k];
    ad_task_classification.weighted_loss(&settings, N, C, logits, labels, 1.0f, down, ignored);
    logits[k] = value;
    const double slope = ((double)up[k / C] - down[k / C]) / ((double)above - below);
    assert_true(fabs(dlogits[k] - 2.0 * slope) <= 5e-4);
  }
}

/* --- An encoder. */

static void check_gradient(const char *name) {
  char path[64];
  struct encoder_fixture f;
  double weights[MOST_CLASSES];
  size_t C;
  const hid_t file = fixture_open("losses.h5");
  const struct ad_loss_settings settings = read_settings(file, name, weights, &C);
  snprintf(path, sizeof path, "encoder-%s.h5", name);
  fixture_load(&f, path);
  const size_t B = f.dataset.count;
  float *logits = calloc(B * C, sizeof *logits), *dlogits = calloc(B * C, sizeof *dlogits);
  struct encoder_pass pass = encoder_pass_start(&f, TRAJECTORY_LANES, logits);
  expect(relative(mean_loss(&settings, B, C, logits, f.dataset.label, dlogits), read_number(file, name, "loss")),
         LOGITS_TOLERANCE, name, "loss");
  expect_gradient(&pass, dlogits, file, name, name, GRADIENT_TOLERANCE);
  encoder_pass_end(&pass);
  free(logits);
  free(dlogits);
  fixture_unload(&f);
  fixture_close(file);
}

static void test_gradient(void **state) {
  (void)state;
  failures = 0;
  for (size_t i = 0; i < MODEL_COUNT; i++) {
    check_gradient(MODELS[i]);
  }
  assert_int_equal(failures, 0);
}

/* --- Twenty steps. */

/* `teacher` against MODEL/RUN of the file, of "soft/RUN" with its targets. */
static void check_run(const char *name, const char *run, const struct ad_teacher_settings *teacher) {
  char path[64];
  struct encoder_fixture f;
  struct trajectory t;
  double weights[MOST_CLASSES];
  size_t C;
  const hid_t file = fixture_open("losses.h5");
  const struct ad_loss_settings settings = read_settings(file, name, weights, &C);
  snprintf(path, sizeof path, "encoder-%s.h5", name);
  fixture_load(&f, path);
  if (strncmp(run, "soft/", 5) == 0) {
    size_t n;
    f.dataset.targets = read_array(file, name, "soft/targets", H5T_NATIVE_FLOAT, &n);
    assert_int_equal(n, f.dataset.count * C);
  }
  trajectory_start(&t, &f, teacher, &settings);
  snprintf(path, sizeof path, "%s/%s", name, run);
  expect_run(&t, file, path);
  trajectory_end(&t);
  free(f.dataset.targets);
  fixture_unload(&f);
  fixture_close(file);
}

static void test_runs(void **state) {
  (void)state;
  const struct ad_memory_stats before = ad_memory_stats();
  const struct ad_teacher_settings none = {0}, drop = {.method = AD_TEACHER_RDROP, .every = 1, .weight = 3.0},
                                   sda = {.method = AD_TEACHER_SDA, .window = 3, .every = 1, .lag = 1, .weight = 3.0};
  failures = 0;
  for (size_t i = 0; i < MODEL_COUNT; i++) {
    check_run(MODELS[i], "plain", &none);
    check_run(MODELS[i], "plain", &drop);
    check_run(MODELS[i], "sda", &sda);
    check_run(MODELS[i], "soft/plain", &none);
    check_run(MODELS[i], "soft/plain", &drop);
    check_run(MODELS[i], "soft/sda", &sda);
  }
  assert_int_equal(failures, 0);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

/* --- Weights from a text. */

static void test_balanced(void **state) {
  (void)state;
  char text[][2] = {"a", "b", "c", "d"}, *names[] = {text[0], text[1], text[2], text[3]};
  double weights[4];
  size_t N, C;
  const hid_t file = fixture_open("losses.h5");
  uint32_t *labels = fixture_read_new(file, "balanced/labels", H5T_NATIVE_UINT32, &N);
  double *expected = fixture_read_new(file, "balanced/weights", H5T_NATIVE_DOUBLE, &C);
  const struct ad_labels given = {&ad_task_classification, N, labels};
  assert_int_equal(C, 4);
  assert_int_equal(ad_class_weights_parse("balanced", C, names, given, weights), AD_OK);
  for (size_t c = 0; c < C; c++) {
    assert_true(relative(weights[c], expected[c]) <= 1e-15);
  }
  for (size_t i = 0; i < N; i++) {
    labels[i] = labels[i] == 2 ? 1 : labels[i];
  }
  assert_int_equal(ad_class_weights_parse("balanced", C, names, given, weights), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "no training example is of class \"c\""));
  free(labels);
  free(expected);
  fixture_close(file);
}

static void test_lists(void **state) {
  (void)state;
  char text[][4] = {"neg", "pos"}, *names[] = {text[0], text[1]};
  static const char *const bad[] = {"",    "1",    "1,",    "1,2,",  "1,2,3", "1;2",        "a,b",
                                    "0,1", "-1,1", "nan,1", "1,inf", "1e7,1", "balanced,1", "Balanced"};
  const struct ad_labels none = {&ad_task_classification, 0, NULL};
  double weights[2];
  assert_int_equal(ad_class_weights_parse("1,2.5", 2, names, none, weights), AD_OK);
  assert_true(weights[0] == 1.0 && weights[1] == 2.5);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(ad_class_weights_parse(bad[i], 2, names, none, weights), AD_ECONFIG);
    assert_non_null(strstr(ad_error_message(), "expected none, balanced, or 2 numbers from 1e-6 to 1e6"));
  }
}

/* A task that has no such loss is refused. */
static void test_refused(void **state) {
  (void)state;
  struct encoder_fixture f;
  struct ad_trainer *trainer;
  struct ad_task other = ad_task_classification;
  other.weighted_loss = NULL;
  other.soft_loss = NULL;
  fixture_load(&f, "encoder-cls-tanh.h5");
  f.dataset.task = &other;
  const struct ad_trainer_settings settings = {
      .batch = 2, .lanes = 1, .rounds = 1, .epochs = 1, .loss = {.smoothing = 0.1}};
  const struct ad_replicas replicas = {.student = ad_weights_float32(f.theta)};
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.dataset, &settings, NULL),
                   AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "the task classification has neither"));
  float targets[8] = {0};
  struct ad_trainer_settings plain = settings;
  plain.loss.smoothing = 0.0;
  f.dataset.targets = targets; /* not looked at */
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.dataset, &plain, NULL), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "probabilities of classes, and the task classification has none"));
  fixture_unload(&f);
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows),        cmocka_unit_test(test_differences), cmocka_unit_test(test_soft_rows),
      cmocka_unit_test(test_soft_single), cmocka_unit_test(test_gradient),    cmocka_unit_test(test_runs),
      cmocka_unit_test(test_balanced),    cmocka_unit_test(test_lists),       cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests_name(kernels, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
