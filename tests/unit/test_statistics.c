/* Statistics of a study against SciPy, statsmodels and the published formulas (tests/parity/study_statistics.py): one
 * arm, two arms, variance components. test_statistics_examples.c has the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "autodidact/statistics/components.h"
#include "autodidact/statistics/exchange.h"
#include "autodidact/statistics/sequential.h"
#include "autodidact/statistics/spread.h"
#include "autodidact/statistics/summary.h"
#include "support/statistics.h"

static void test_summary(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "summary"); i++) {
    const struct fixture_case c = case_open(file, "summary", i);
    size_t n;
    double *x = case_array(&c, "x", &n);
    struct ad_summary s;
    assert_int_equal(ad_summarize(&s, n, x), AD_OK);
    assert_int_equal(s.n, n);
    expect_figure(&c, "mean", s.mean);
    expect_figure(&c, "median", s.median);
    expect_figure(&c, "sd", s.sd);
    expect_figure(&c, "minimum", s.minimum);
    expect_figure(&c, "maximum", s.maximum);
    expect_figure(&c, "lower", s.lower);
    expect_figure(&c, "upper", s.upper);
    expect_figure(&c, "iqr", s.iqr);
    free(x);
  }
}

static void test_wilson(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "wilson"); i++) {
    const struct fixture_case c = case_open(file, "wilson", i);
    expect_interval(&c, "share", ad_wilson(case_number(&c, "count"), (size_t)case_number(&c, "n"), 0.95));
  }
  assert_non_null(ad_wilson(3, 2, 0.95).why);
}

static void test_spearman(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "spearman"); i++) {
    const struct fixture_case c = case_open(file, "spearman", i);
    size_t n;
    double *x = case_array(&c, "x", &n), *y = case_array(&c, "y", &n);
    struct ad_correlation r;
    assert_int_equal(ad_spearman(&r, n, x, y, 0.95), AD_OK);
    expect_figure(&c, "rho", r.rho);
    expect_figure(&c, "p", r.p);
    expect_interval(&c, "rho", r.interval);
    free(x);
    free(y);
  }
}

static void test_holm(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "holm"); i++) {
    const struct fixture_case c = case_open(file, "holm", i);
    size_t n;
    double *p = case_array(&c, "p", &n), *expected = case_array(&c, "adjusted", &n);
    struct ad_figure tests[8], adjusted[8];
    for (size_t k = 0; k < n; k++) {
      tests[k] = isnan(p[k]) ? ad_figure_none("no test") : ad_figure_of(p[k]);
    }
    assert_int_equal(ad_holm(n, tests, adjusted), AD_OK);
    for (size_t k = 0; k < n; k++) {
      near(c.path, "adjusted", adjusted[k].value, adjusted[k].why, expected[k]);
    }
    free(p);
    free(expected);
  }
}

/* A row: degrees of freedom, mean square, variance. */
static void check_component(const struct fixture_case *c, const struct ad_component *item, const double *row) {
  near(c->path, item->name, (double)item->df, NULL, row[0]);
  near(c->path, item->name, item->ms.value, item->ms.why, row[1]);
  near(c->path, item->name, item->variance.value, item->variance.why, row[2]);
}

static void test_components(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "components"); i++) {
    const struct fixture_case c = case_open(file, "components", i);
    size_t cells, count;
    struct ad_design design = {.names = {"init", "order", "dropout"}, .levels = {1, 1, 1}};
    design.factors = case_shape(&c, "values", design.levels);
    double *values = case_array(&c, "values", &cells), *table = case_array(&c, "table", &count);
    design.values = values;
    struct ad_components found;
    assert_int_equal(ad_variance_components(&found, &design), AD_OK);
    if (found.count * 3 != count || (count == 0) != (found.why != NULL)) {
      fail_msg("%s: %zu components, expected %zu (%s)", c.path, found.count, count / 3,
               found.why == NULL ? "there" : found.why);
    }
    for (size_t k = 0; k < found.count; k++) {
      check_component(&c, &found.items[k], table + 3 * k);
    }
    free(values);
    free(table);
  }
}

/* A row: ratio, its interval, p. The runs of a case are [levels, runs of each], or [1,I,J] of a grid. */
static void test_spread(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "spread"); i++) {
    const struct fixture_case c = case_open(file, "spread", i);
    size_t n, count, shape[3] = {1, 1, 1};
    uint32_t level[2][128];
    const size_t grid = case_shape(&c, "a", shape) == 3, J = grid ? shape[2] : shape[1];
    double *a = case_array(&c, "a", &n), *b = case_array(&c, "b", &n), *table = case_array(&c, "table", &count);
    for (size_t k = 0; k < n; k++) {
      level[0][k] = (uint32_t)(k / J);
      level[1][k] = (uint32_t)(grid ? k % J : k);
    }
    const struct ad_seeds seeds = {n, 2, {"init", "order"}, {level[0], level[1]}};
    struct ad_terms terms;
    struct ad_spreads s;
    assert_int_equal(ad_terms_of(&terms, &seeds), AD_OK);
    assert_int_equal(ad_compare_spread(&s, n, a, b, &terms, &HOW), AD_OK);
    assert_int_equal(s.count * 4, count);
    for (size_t k = 0; k < s.count; k++) {
      const struct ad_spread *item = &s.items[k];
      near(c.path, item->source, item->ratio.value, item->ratio.why, table[4 * k]);
      near(c.path, item->source, item->interval.low, item->interval.why, table[4 * k + 1]);
      near(c.path, item->source, item->interval.high, item->interval.why, table[4 * k + 2]);
      near(c.path, item->source, item->p.value, item->p.why, table[4 * k + 3]);
    }
    ad_terms_destroy(&terms);
    free(a);
    free(b);
    free(table);
  }
}

/* Few levels have a ratio and no interval; arms that do not vary, holes and three crossed seeds have neither. */
static void test_no_spread(void **state) {
  (void)state;
  const uint32_t init[] = {0, 0, 0, 1, 1, 1, 2, 2, 2}, order[] = {0, 1, 2, 0, 1, 2, 0, 1, 2},
                 dropout[] = {0, 1, 0, 1, 0, 1, 0, 1, 0};
  const double a[] = {1, 2, 4, 3, 7, 5, 2, 2, 6}, b[] = {2, 2, 1, 5, 6, 3, 1, 1, 9}, same[9] = {0};
  struct ad_seeds seeds = {9, 2, {"init", "order", "dropout"}, {init, order, dropout}};
  struct ad_terms terms;
  struct ad_spreads s;
  assert_int_equal(ad_terms_of(&terms, &seeds), AD_OK);
  assert_int_equal(ad_compare_spread(&s, 9, a, b, &terms, &HOW), AD_OK);
  assert_true(s.count == 3 && s.items[0].ratio.why == NULL && s.items[0].interval.why != NULL &&
              s.items[1].p.why != NULL);
  assert_int_equal(ad_compare_spread(&s, 9, a, same, &terms, &HOW), AD_OK);
  assert_true(s.items[0].ratio.why != NULL && s.items[0].test != NULL);
  ad_terms_destroy(&terms);
  seeds.n = 8;
  assert_int_equal(ad_terms_of(&terms, &seeds), AD_OK);
  assert_int_equal(ad_compare_spread(&s, 8, a, b, &terms, &HOW), AD_OK);
  assert_true(s.count == 1 && s.items[0].ratio.why != NULL);
  ad_terms_destroy(&terms);
  seeds = (struct ad_seeds){9, 3, {"init", "order", "dropout"}, {init, order, dropout}};
  assert_int_equal(ad_terms_of(&terms, &seeds), AD_OK);
  assert_int_equal(ad_compare_spread(&s, 9, a, b, &terms, &HOW), AD_OK);
  assert_true(s.count == 1 && s.items[0].ratio.why != NULL);
  ad_terms_destroy(&terms);
}

/* The equations as a reader sees them. */
static void test_expectations(void **state) {
  (void)state;
  double values[24];
  for (size_t i = 0; i < 24; i++) {
    values[i] = (double)(i * i % 7);
  }
  struct ad_components found;
  const struct ad_design two = {2, {"init", "order", ""}, {4, 6, 1}, values},
                         three = {3, {"init", "order", "dropout"}, {2, 3, 4}, values};
  assert_int_equal(ad_variance_components(&found, &two), AD_OK);
  assert_string_equal(found.items[0].ems, "6 V(init) + V(init x order)");
  assert_string_equal(found.items[1].ems, "4 V(order) + V(init x order)");
  assert_string_equal(found.items[2].ems, "V(init x order)");
  assert_int_equal(ad_variance_components(&found, &three), AD_OK);
  assert_string_equal(found.items[0].ems,
                      "12 V(init) + 4 V(init x order) + 3 V(init x dropout) + V(init x order x dropout)");
  assert_string_equal(found.items[4].ems, "3 V(init x dropout) + V(init x order x dropout)");
}

/* Bounds of z as the tables for this spending function have them (Lan, DeMets; Jennison, Turnbull 2000). */
static void test_looks(void **state) {
  (void)state;
  static const double z[][5] = {{1.95996},
                                {2.96259, 1.96857},
                                {0},
                                {4.33263, 2.96311, 2.35902, 2.01409},
                                {4.87688, 3.35695, 2.68026, 2.28979, 2.03100}};
  for (size_t looks = 1; looks <= 5; looks++) {
    double t[5], p[5];
    for (size_t k = 0; k < looks; k++) {
      t[k] = (double)(k + 1) / (double)looks;
    }
    assert_int_equal(ad_sequential_bounds(looks, t, 0.05, p), AD_OK);
    for (size_t k = 0; k < looks && z[looks - 1][0] > 0; k++) {
      const double expected = erfc(z[looks - 1][k] / sqrt(2));
      if (!(fabs(p[k] - expected) <= 1e-4 * expected + 3e-6)) {
        fail_msg("look %zu of %zu: p %.8g, expected %.8g", k + 1, looks, p[k], expected);
      }
    }
  }
}

/* McNemar's exact test where levels are pairs; whole levels otherwise. */
static void test_exchange(void **state) {
  (void)state;
  struct ad_figure p;
  assert_int_equal(ad_exchange_test(&p, 7, (const long[]){1, 1, 1, 1, 1, 0, -1}), AD_OK);
  near("exchange", "5 of 6", p.value, p.why, 14.0 / 64);
  assert_int_equal(ad_exchange_test(&p, 3, (const long[]){3, 2, -1}), AD_OK);
  near("exchange", "levels", p.value, p.why, 4.0 / 8);
  assert_int_equal(ad_exchange_test(&p, 2, (const long[]){1, -1}), AD_OK);
  near("exchange", "none", p.value, p.why, 1.0);
  assert_int_equal(ad_exchange_test(&p, 2, (const long[]){0, 0}), AD_OK);
  assert_non_null(p.why);
}

static int all_of_them(void) {
  const double a[] = {1, 2, 4, 3, 7, 9}, b[] = {2, 2, 1, 5, 6, 3};
  struct ad_figure p[2] = {{0.1, NULL}, {0.2, NULL}};
  const struct ad_design whole = {2, {"init", "order", ""}, {2, 3, 1}, b};
  const uint32_t init[] = {0, 0, 0, 1, 1, 1}, order[] = {0, 1, 2, 0, 1, 2};
  const struct ad_seeds seeds = {6, 2, {"init", "order"}, {init, order}};
  union {
    struct ad_summary summary;
    struct ad_correlation correlation;
    struct ad_spreads spreads;
    struct ad_components components;
  } out;
  struct ad_terms terms;
  AD_TRY(ad_summarize(&out.summary, 5, a));
  AD_TRY(ad_spearman(&out.correlation, 5, a, b, 0.95));
  AD_TRY(ad_holm(2, p, p));
  AD_TRY(ad_exchange_test(p, 2, (const long[]){1, 2}));
  AD_TRY(ad_sequential_bounds(1, (const double[]){1.0}, 0.05, (double[1]){0}));
  AD_TRY(ad_variance_components(&out.components, &whole));
  int status = ad_terms_of(&terms, &seeds);
  status = status == AD_OK ? ad_compare_spread(&out.spreads, 6, a, b, &terms, &HOW) : status;
  ad_terms_destroy(&terms);
  return status;
}

static void test_out_of_memory(void **state) {
  (void)state;
  check_without_memory(all_of_them, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_summary),   cmocka_unit_test(test_wilson),       cmocka_unit_test(test_spearman),
      cmocka_unit_test(test_holm),      cmocka_unit_test(test_components),   cmocka_unit_test(test_spread),
      cmocka_unit_test(test_no_spread), cmocka_unit_test(test_expectations), cmocka_unit_test(test_out_of_memory),
      cmocka_unit_test(test_looks),     cmocka_unit_test(test_exchange),
  };
  return cmocka_run_group_tests(tests, open_statistics, close_statistics);
}
