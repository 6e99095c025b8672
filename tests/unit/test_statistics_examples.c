/* Statistics of a study against SciPy, statsmodels and the published formulas (tests/parity/study_statistics.py):
 * single examples, ensembles, searches, power, trajectories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "autodidact/learn/ensemble.h"
#include "autodidact/statistics/calibration.h"
#include "autodidact/statistics/examples.h"
#include "autodidact/statistics/power.h"
#include "autodidact/statistics/search.h"
#include "autodidact/statistics/trajectory.h"
#include "support/statistics.h"

static void test_jordan(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "jordan"); i++) {
    const struct fixture_case c = case_open(file, "jordan", i);
    size_t shape[3], count;
    assert_int_equal(case_shape(&c, "wrong", shape), 2);
    uint8_t *wrong = case_values(&c, "wrong", H5T_NATIVE_UINT8, &count);
    struct ad_jordan j;
    assert_int_equal(ad_distribution_variance(&j, shape[0], shape[1], 3, wrong), AD_OK);
    expect_figure(&c, "error", j.error);
    expect_figure(&c, "test", j.test);
    expect_figure(&c, "distribution", j.distribution);
    expect_figure(&c, "noise", j.noise);
    expect_figure(&c, "floor", j.floor);
    expect_figure(&c, "halves", j.halves);
    free(wrong);
  }
}

static void test_multi_bootstrap(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "multi-bootstrap"); i++) {
    const struct fixture_case c = case_open(file, "multi-bootstrap", i);
    size_t a[3], b[3], count;
    case_shape(&c, "a", a);
    case_shape(&c, "b", b);
    uint8_t *wrong_a = case_values(&c, "a", H5T_NATIVE_UINT8, &count),
            *wrong_b = case_values(&c, "b", H5T_NATIVE_UINT8, &count);
    struct ad_multi_bootstrap m;
    assert_int_equal(ad_multi_bootstrap(&m, a[0], wrong_a, b[0], wrong_b, a[1], (int)case_number(&c, "paired"), &HOW),
                     AD_OK);
    expect_figure(&c, "difference", m.difference);
    expect_figure(&c, "p", m.p);
    expect_interval(&c, "difference", m.interval);
    free(wrong_a);
    free(wrong_b);
  }
}

static void test_mcnemar(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "mcnemar"); i++) {
    const struct fixture_case c = case_open(file, "mcnemar", i);
    size_t N;
    uint8_t *a = case_values(&c, "a", H5T_NATIVE_UINT8, &N), *b = case_values(&c, "b", H5T_NATIVE_UINT8, &N);
    struct ad_mcnemar m;
    ad_mcnemar_of(&m, N, a, b);
    assert_true((double)m.only_a == case_number(&c, "only_a") && (double)m.only_b == case_number(&c, "only_b"));
    expect_figure(&c, "p", m.p);
    free(a);
    free(b);
  }
}

static void check_calibration(const struct fixture_case *c, const struct ad_calibration *found, const double *row) {
  near(c->path, "nll", found->nll.value, found->nll.why, row[0]);
  near(c->path, "brier", found->brier.value, found->brier.why, row[1]);
  near(c->path, "ece", found->ece.value, found->ece.why, row[2]);
}

static void test_ensemble(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "ensemble"); i++) {
    const struct fixture_case c = case_open(file, "ensemble", i);
    size_t shape[3], count, N;
    case_shape(&c, "logits", shape);
    const size_t K = shape[0], C = shape[2];
    float *logits = case_values(&c, "logits", H5T_NATIVE_FLOAT, &count);
    uint32_t *labels = case_values(&c, "labels", H5T_NATIVE_UINT32, &N);
    double *each = case_array(&c, "each", &count), *ensemble = case_array(&c, "ensemble", &count), brier = 0.0,
           square = 0.0;
    struct ad_calibration found;
    struct ad_vote vote;
    assert_int_equal(ad_vote_create(&vote, K, N, C, labels), AD_OK);
    for (size_t k = 0; k < K; k++) {
      ad_calibrate(&found, N, C, logits + k * N * C, labels);
      check_calibration(&c, &found, each + 3 * k);
      brier += found.brier.value / (double)K;
      square += ad_probability_square(N, C, logits + k * N * C);
      assert_int_equal(ad_vote_add(&vote, logits + k * N * C), AD_OK);
    }
    ad_calibrate_probabilities(&found, N, C, vote.probability, (double)K, labels);
    check_calibration(&c, &found, ensemble);
    struct ad_ambiguity ambiguity;
    ad_ambiguity_of(&ambiguity, K, N, C, brier, square, vote.probability);
    expect_figure(&c, "diversity", ambiguity.diversity);
    if (K > 1) {
      /* The identity: the ensemble's own score is the mean one less the diversity. */
      near(c.path, "ambiguity", ambiguity.ensemble.value, ambiguity.ensemble.why, ensemble[1]);
    }
    const struct ad_figure churn = ad_churn(K, vote.prediction, K, vote.prediction, N);
    expect_figure(&c, "churn", churn);
    ad_vote_destroy(&vote);
    free(logits);
    free(labels);
    free(each);
    free(ensemble);
  }
  struct ad_calibration none;
  const uint32_t label = 0;
  ad_calibrate(&none, 1, 2, (const float[]){NAN, 1.0f}, &label);
  assert_non_null(none.nll.why);
  ad_calibrate(&none, 0, 2, NULL, NULL);
  assert_non_null(none.ece.why);
  assert_non_null(ad_churn(0, NULL, 1, &label, 1).why);
}

static void test_best_of(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "best-of"); i++) {
    const struct fixture_case c = case_open(file, "best-of", i);
    size_t N, count, n[32];
    double *x = case_array(&c, "x", &N), *table = case_array(&c, "table", &count);
    struct ad_best_of best[32];
    const size_t points = ad_best_of_counts(N, 32, n);
    assert_int_equal(points, count / 4);
    assert_int_equal(ad_best_of(best, points, n, N, x, (int)case_number(&c, "higher"), 0.95), AD_OK);
    for (size_t k = 0; k < points; k++) {
      const double *row = table + 4 * k;
      assert_int_equal(n[k], k + 1);
      near(c.path, "plug-in", best[k].plug_in.value, best[k].plug_in.why, row[0]);
      near(c.path, "unbiased", best[k].unbiased.value, best[k].unbiased.why, row[1]);
      near(c.path, "band, low", best[k].band.low, best[k].band.why, row[2]);
      near(c.path, "band, high", best[k].band.high, best[k].band.why, row[3]);
    }
    free(x);
    free(table);
  }
  size_t n[80];
  const size_t points = ad_best_of_counts(10000, 80, n);
  assert_true(points > 40 && n[points - 1] <= 5000 && n[points - 1] > 2500);
  struct ad_best_of one;
  assert_int_equal(ad_best_of(&one, 1, (const size_t[]){3}, 2, (const double[]){1, 2}, 1, 0.95), AD_OK);
  assert_non_null(one.unbiased.why);
  assert_int_equal(ad_best_of(&one, 1, (const size_t[]){1}, 2, (const double[]){NAN, 2}, 1, 0.95), AD_OK);
  assert_non_null(one.plug_in.why);
}

static void test_frontier(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "frontier"); i++) {
    const struct fixture_case c = case_open(file, "frontier", i);
    size_t shape[3], count, F;
    case_shape(&c, "scores", shape);
    double *scores = case_array(&c, "scores", &count), *share = case_array(&c, "share", &F),
           *table = case_array(&c, "table", &count);
    struct ad_early_plan plan[8], plain[8];
    const size_t budgets = count / 3;
    assert_int_equal(
        ad_early_frontier(plan, plain, budgets, shape[0], F, scores, share, (int)case_number(&c, "higher"), &HOW),
        AD_OK);
    for (size_t b = 0; b < budgets; b++) {
      near(c.path, "plan", plan[b].expected.value, plan[b].expected.why, table[3 * b]);
      near(c.path, "cost", plan[b].cost, NULL, table[3 * b + 1]);
      near(c.path, "plain", plain[b].expected.value, plain[b].expected.why, table[3 * b + 2]);
    }
    free(scores);
    free(share);
    free(table);
  }
}

/* Rows of arguments, the last number what is expected. */
static void check_power(hid_t file, const char *path, size_t columns, struct ad_figure (*of)(const double *row)) {
  size_t count;
  double *table = fixture_read_new(file, path, H5T_NATIVE_DOUBLE, &count);
  for (size_t i = 0; i < count; i += columns) {
    const struct ad_figure found = of(table + i);
    near(path, "power", found.value, found.why, table[i + columns - 1]);
  }
  free(table);
}

static struct ad_figure of_t(const double *row) {
  return ad_power_t(row[0], row[1], 0.05);
}
static struct ad_figure of_smallest(const double *row) {
  return ad_smallest_effect(row[0], 0.05, 0.8);
}

static void test_power(void **state) {
  const hid_t file = *(hid_t *)*state;
  check_power(file, "power/t/table", 3, of_t);
  check_power(file, "power/smallest/table", 2, of_smallest);
  assert_non_null(ad_power_t(NAN, 5, 0.05).why);
  assert_non_null(ad_power_t(1.0, 0.5, 0.05).why);
  assert_non_null(ad_smallest_effect(0.0, 0.05, 0.8).why);
}

static void test_trajectory(void **state) {
  const hid_t file = *(hid_t *)*state;
  const struct fixture_case bands = {file, "bands"}, noise = {file, "noise"}, sketch = {file, "sketch"};
  size_t shape[3], count, m;
  case_shape(&bands, "values", shape);
  double *values = case_array(&bands, "values", &count), *quantiles = case_array(&bands, "quantiles", &count);
  struct ad_band band[16];
  assert_int_equal(ad_bands(band, shape[0], shape[1], values), AD_OK);
  for (size_t i = 0; i < count; i++) {
    const struct ad_figure q = band[i / 5].quantile[i % 5];
    near("bands", "quantile", q.value, q.why, quantiles[i]);
  }
  double *few_norm = case_array(&noise, "few_norm", &count), *many_norm = case_array(&noise, "many_norm", &count);
  double *few = case_array(&noise, "few", &count), *many = case_array(&noise, "many", &count);
  struct ad_noise_scale scale;
  ad_noise_scale_of(&scale, count, few_norm, many_norm, few, many);
  expect_figure(&noise, "gradient", scale.gradient);
  expect_figure(&noise, "covariance", scale.covariance);
  expect_figure(&noise, "scale", scale.scale);
  ad_noise_scale_of(&scale, count, few_norm, many_norm, many, many);
  assert_true(scale.steps == 0 && scale.scale.why != NULL);
  int64_t *a = case_values(&sketch, "a", H5T_NATIVE_INT64, &m), *b = case_values(&sketch, "b", H5T_NATIVE_INT64, &m);
  m /= 2;
  near("sketch", "product", ad_sketch_product(m, a + m, a, b + m, b), NULL, case_number(&sketch, "product"));
  void *all[] = {values, quantiles, few_norm, many_norm, few, many, a, b};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    free(all[i]);
  }
}

static int all_of_them(void) {
  const uint8_t wrong[] = {0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1};
  const double values[] = {0.1, 0.3, 0.2, 0.4, 0.3, 0.5}, share[] = {0.5, 1.0};
  const size_t n[] = {1, 2};
  struct ad_jordan jordan;
  struct ad_multi_bootstrap multi;
  struct ad_best_of best[2];
  struct ad_early_plan plan[2], plain[2];
  struct ad_band band[2];
  AD_TRY(ad_distribution_variance(&jordan, 4, 3, 2, wrong));
  AD_TRY(ad_multi_bootstrap(&multi, 2, wrong, 2, wrong + 6, 3, 1, &HOW));
  AD_TRY(ad_best_of(best, 2, n, 6, values, 1, 0.95));
  AD_TRY(ad_early_frontier(plan, plain, 2, 3, 2, values, share, 1, &HOW));
  return ad_bands(band, 3, 2, values);
}

static void test_out_of_memory(void **state) {
  (void)state;
  check_without_memory(all_of_them, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_jordan),     cmocka_unit_test(test_multi_bootstrap), cmocka_unit_test(test_ensemble),
      cmocka_unit_test(test_best_of),    cmocka_unit_test(test_frontier),        cmocka_unit_test(test_power),
      cmocka_unit_test(test_trajectory), cmocka_unit_test(test_mcnemar),         cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, open_statistics, close_statistics);
}
