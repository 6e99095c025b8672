/* Metrics against scikit-learn (tests/parity/metrics.py). */
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
#include "autodidact/task/metrics.h"
#include "support/fixture.h"

static const char *const CASES[] = {"binary",          "binary-skewed",   "mostly-wrong",        "three",
                                    "twenty-six",      "perfect",         "all-wrong",           "never-predicted",
                                    "absent-label",    "absent-class",    "one-class-predicted", "one-class-labelled",
                                    "one-class-right", "one-class-wrong", "one-example"};

/* Integer counts on both sides, then a few operations in double, in another order. */
static const double TOLERANCE = 1e-14;

static void check(hid_t file, const char *name, const char *figure, double value) {
  char path[64];
  snprintf(path, sizeof path, "%s/%s", name, figure);
  const double expected = fixture_scalar(file, path);
  if (!(fabs(value - expected) <= TOLERANCE)) {
    fail_msg("%s: %.17g, expected %.17g", path, value, expected);
  }
}

static double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : (double)part / (double)whole;
}

/* Counts, precision and recall of each class, by their definitions from scikit-learn's confusion matrix [C,C]. */
static void check_classes(const struct ad_metrics *metrics, const uint64_t *confusion) {
  const size_t C = metrics->classes;
  for (uint32_t c = 0; c < C; c++) {
    uint64_t row = 0, column = 0;
    for (size_t k = 0; k < C; k++) {
      row += confusion[c * C + k];
      column += confusion[k * C + c];
    }
    assert_true(metrics->labels[c] == row && metrics->predictions[c] == column);
    assert_true(metrics->right[c] == confusion[c * C + c]);
    assert_true(fabs(ad_metrics_precision(metrics, c) - share(confusion[c * C + c], column)) <= TOLERANCE);
    assert_true(fabs(ad_metrics_recall(metrics, c) - share(confusion[c * C + c], row)) <= TOLERANCE);
  }
}

/* The sparse matrix is the dense one, in its order; and ranked, in the order of its wrong counts. */
static void check_confusion(size_t count, size_t C, const uint32_t *labels, const uint32_t *predictions,
                            const uint64_t *confusion) {
  struct ad_confusion sparse;
  size_t next = 0, wrong = 0;
  assert_int_equal(ad_confusion_create(&sparse, count, labels, predictions), AD_OK);
  for (size_t i = 0; i < C * C; i++) {
    if (confusion[i] > 0) {
      const struct ad_confused *p = &sparse.items[next++];
      assert_true(p->label == i / C && p->prediction == i % C && p->count == confusion[i]);
      wrong += i / C != i % C;
    }
  }
  assert_int_equal(sparse.count, next);
  assert_int_equal(ad_confusion_rank(&sparse), wrong);
  for (size_t i = 0; i < sparse.count; i++) {
    const struct ad_confused *p = &sparse.items[i];
    assert_true((p->label != p->prediction) == (i < wrong) && confusion[p->label * C + p->prediction] == p->count);
    assert_true(i == 0 || i == wrong || sparse.items[i - 1].count >= p->count);
  }
  ad_confusion_destroy(&sparse);
}

static void run_case(hid_t file, const char *name) {
  char path[64];
  size_t count, cells;
  snprintf(path, sizeof path, "%s/classes", name);
  const uint32_t classes = (uint32_t)fixture_scalar(file, path);
  snprintf(path, sizeof path, "%s/labels", name);
  uint32_t *labels = fixture_read_new(file, path, H5T_NATIVE_UINT32, &count);
  snprintf(path, sizeof path, "%s/predictions", name);
  uint32_t *predictions = fixture_read_new(file, path, H5T_NATIVE_UINT32, &count);
  snprintf(path, sizeof path, "%s/confusion", name);
  uint64_t *confusion = fixture_read_new(file, path, H5T_NATIVE_UINT64, &cells);
  struct ad_metrics metrics;
  assert_int_equal(ad_metrics_create(&metrics, classes), AD_OK);
  assert_int_equal(cells, classes * classes);
  /* In two calls, after counts that are thrown away. */
  assert_int_equal(ad_metrics_add(&metrics, count, labels, predictions), AD_OK);
  ad_metrics_clear(&metrics);
  assert_int_equal(ad_metrics_add(&metrics, count / 3, labels, predictions), AD_OK);
  assert_int_equal(ad_metrics_add(&metrics, count - count / 3, labels + count / 3, predictions + count / 3), AD_OK);
  check_classes(&metrics, confusion);
  check_confusion(count, classes, labels, predictions, confusion);
  assert_int_equal(ad_metrics_examples(&metrics), count);
  check(file, name, "accuracy", ad_metrics_accuracy(&metrics));
  check(file, name, "accuracy", 1.0 - ad_metrics_error(&metrics));
  check(file, name, "macro_f1", ad_metrics_macro_f1(&metrics));
  check(file, name, "matthews", ad_metrics_matthews(&metrics));
  ad_metrics_destroy(&metrics);
  free(labels);
  free(predictions);
  free(confusion);
}

static void test_cases(void **state) {
  (void)state;
  const hid_t file = fixture_open("metrics.h5");
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    run_case(file, CASES[i]);
  }
  fixture_close(file);
}

/* The figures do not change when all counts are multiplied: 4e9 examples overflow 64 bits in products of counts. */
static void test_large_counts(void **state) {
  (void)state;
  const uint64_t counts[9] = {40, 3, 7, 1, 55, 4, 9, 2, 61};
  struct ad_metrics small, large;
  assert_int_equal(ad_metrics_create(&small, 3), AD_OK);
  assert_int_equal(ad_metrics_create(&large, 3), AD_OK);
  for (size_t i = 0; i < 9; i++) {
    small.labels[i / 3] += counts[i];
    small.predictions[i % 3] += counts[i];
    small.right[i / 3] += i / 3 == i % 3 ? counts[i] : 0;
  }
  for (size_t c = 0; c < 3; c++) {
    large.labels[c] = small.labels[c] * 1000000000u;
    large.predictions[c] = small.predictions[c] * 1000000000u;
    large.right[c] = small.right[c] * 1000000000u;
  }
  assert_true(fabs(ad_metrics_matthews(&small) - ad_metrics_matthews(&large)) <= TOLERANCE);
  assert_true(fabs(ad_metrics_macro_f1(&small) - ad_metrics_macro_f1(&large)) <= TOLERANCE);
  /* Class 0: 40 right, row 50, column 50. */
  assert_true(fabs(ad_metrics_f1(&large, 0) - 0.8) <= TOLERANCE);
  ad_metrics_destroy(&small);
  ad_metrics_destroy(&large);
}

static void test_nothing_counted(void **state) {
  (void)state;
  struct ad_metrics metrics;
  assert_int_equal(ad_metrics_create(&metrics, 2), AD_OK);
  assert_true(isnan(ad_metrics_accuracy(&metrics)) && isnan(ad_metrics_error(&metrics)));
  assert_true(isnan(ad_metrics_macro_f1(&metrics)) && isnan(ad_metrics_matthews(&metrics)));
  assert_true(ad_metrics_f1(&metrics, 1) == 0.0);
  assert_true(ad_metrics_precision(&metrics, 1) == 0.0 && ad_metrics_recall(&metrics, 1) == 0.0);
  ad_metrics_destroy(&metrics);
}

static void test_refused(void **state) {
  (void)state;
  struct ad_metrics metrics;
  assert_int_equal(ad_metrics_create(&metrics, 1), AD_ECONFIG);
  ad_memory_fail_at(1);
  assert_int_equal(ad_metrics_create(&metrics, 3), AD_ENOMEM);
  ad_metrics_destroy(&metrics);
  assert_int_equal(ad_metrics_create(&metrics, 3), AD_OK);
  const uint32_t fine[] = {0, 1, 2}, wrong[] = {0, 1, 3};
  assert_int_equal(ad_metrics_add(&metrics, 3, wrong, fine), AD_EINTERNAL);
  assert_int_equal(ad_metrics_add(&metrics, 3, fine, wrong), AD_EINTERNAL);
  assert_int_equal(ad_metrics_examples(&metrics), 0);
  ad_metrics_destroy(&metrics);
}

static void test_predict(void **state) {
  (void)state;
  assert_int_equal(ad_metrics_predict(3, (const float[]){-1.0f, 2.0f, 1.5f}), 1);
  assert_int_equal(ad_metrics_predict(3, (const float[]){2.0f, 2.0f, 2.0f}), 0);
  assert_int_equal(ad_metrics_predict(2, (const float[]){-INFINITY, -5.0f}), 1);
  assert_int_equal(ad_metrics_predict(3, (const float[]){NAN, 1.0f, NAN}), 1);
  assert_int_equal(ad_metrics_predict(2, (const float[]){NAN, NAN}), 0);
}

/* scipy.special.softmax. */
static void test_probabilities(void **state) {
  (void)state;
  static const float logits[] = {0.5f, -1.25f, 3.0f, 0.0f}, large[] = {1000.0f, 999.0f};
  static const double expected[] = {0.07161888037172127, 0.012445495267699686, 0.8724965776008389, 0.04343904675974027};
  double found[4];
  ad_metrics_probabilities(4, logits, found);
  for (size_t c = 0; c < 4; c++) {
    assert_true(fabs(found[c] - expected[c]) <= 1e-15);
  }
  ad_metrics_probabilities(2, large, found);
  assert_true(fabs(found[0] - 0.7310585786300049) <= 1e-15 && fabs(found[1] - 0.2689414213699951) <= 1e-15);
  ad_metrics_probabilities(2, (const float[]){NAN, 1.0f}, found);
  assert_true(isnan(found[0]) && isnan(found[1]));
  ad_metrics_probabilities(2, (const float[]){INFINITY, 1.0f}, found);
  assert_true(isnan(found[0]) && isnan(found[1]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cases),   cmocka_unit_test(test_large_counts), cmocka_unit_test(test_nothing_counted),
      cmocka_unit_test(test_refused), cmocka_unit_test(test_predict),      cmocka_unit_test(test_probabilities),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
