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
#include "autodidact/statistics/compare.h"
#include "autodidact/statistics/components.h"
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
    assert_int_equal(ad_summarize(&s, n, x, 0.95), AD_OK);
    assert_int_equal(s.n, n);
    expect_figure(&c, "mean", s.mean);
    expect_figure(&c, "median", s.median);
    expect_figure(&c, "sd", s.sd);
    expect_figure(&c, "minimum", s.minimum);
    expect_figure(&c, "maximum", s.maximum);
    expect_figure(&c, "lower", s.lower);
    expect_figure(&c, "upper", s.upper);
    expect_figure(&c, "iqr", s.iqr);
    expect_interval(&c, "mean", s.mean_interval);
    expect_interval(&c, "sd", s.sd_interval);
    free(x);
  }
}

static void test_wilson(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "wilson"); i++) {
    const struct fixture_case c = case_open(file, "wilson", i);
    expect_interval(&c, "share", ad_wilson((size_t)case_number(&c, "count"), (size_t)case_number(&c, "n"), 0.95));
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

static void test_paired(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "paired"); i++) {
    const struct fixture_case c = case_open(file, "paired", i);
    size_t n;
    double *a = case_array(&c, "a", &n), *b = case_array(&c, "b", &n);
    struct ad_paired p;
    assert_int_equal(ad_compare_paired(&p, n, a, b, &HOW), AD_OK);
    expect_figure(&c, "mean", p.mean);
    expect_figure(&c, "sd", p.sd);
    expect_figure(&c, "effect", p.effect);
    expect_interval(&c, "t", p.t);
    expect_figure(&c, "t_p", p.t_p);
    expect_interval(&c, "bootstrap", p.bootstrap);
    expect_figure(&c, "w", p.w);
    expect_figure(&c, "wilcoxon_p", p.wilcoxon_p);
    expect_figure(&c, "superiority", p.superiority);
    expect_interval(&c, "superiority", p.superiority_interval);
    free(a);
    free(b);
  }
}

static void test_unpaired(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "unpaired"); i++) {
    const struct fixture_case c = case_open(file, "unpaired", i);
    size_t na, nb;
    double *a = case_array(&c, "a", &na), *b = case_array(&c, "b", &nb);
    struct ad_unpaired u;
    assert_int_equal(ad_compare_unpaired(&u, na, a, nb, b, &HOW), AD_OK);
    expect_figure(&c, "mean", u.mean);
    expect_figure(&c, "df", u.df);
    expect_interval(&c, "t", u.t);
    expect_figure(&c, "t_p", u.t_p);
    expect_figure(&c, "superiority", u.superiority);
    expect_interval(&c, "superiority", u.superiority_interval);
    free(a);
    free(b);
  }
}

static void test_brown_forsythe(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "brown-forsythe"); i++) {
    const struct fixture_case c = case_open(file, "brown-forsythe", i);
    size_t k, n, first = 0, counts[8];
    double *sizes = case_array(&c, "counts", &k), *x = case_array(&c, "x", &n);
    const double *values[8];
    for (size_t g = 0; g < k; g++) {
      counts[g] = (size_t)sizes[g];
      values[g] = x + first;
      first += counts[g];
    }
    struct ad_spread s;
    assert_int_equal(ad_brown_forsythe(&s, k, counts, values), AD_OK);
    expect_figure(&c, "f", s.f);
    expect_figure(&c, "p", s.p);
    free(sizes);
    free(x);
  }
}

static void test_sd_ratio(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "sd-ratio"); i++) {
    const struct fixture_case c = case_open(file, "sd-ratio", i);
    size_t na, nb;
    double *a = case_array(&c, "a", &na), *b = case_array(&c, "b", &nb);
    struct ad_sd_ratio r;
    assert_int_equal(ad_compare_sd(&r, na, a, nb, b, (int)case_number(&c, "paired"), &HOW), AD_OK);
    expect_figure(&c, "ratio", r.ratio);
    expect_figure(&c, "p", r.p);
    expect_interval(&c, "ratio", r.interval);
    free(a);
    free(b);
  }
}

/* A row: degrees of freedom, mean square, variance, and three intervals. */
static void check_component(const struct fixture_case *c, const struct ad_component *item, const double *row) {
  near(c->path, item->name, (double)item->df, NULL, row[0]);
  near(c->path, item->name, item->ms.value, item->ms.why, row[1]);
  near(c->path, item->name, item->variance.value, item->variance.why, row[2]);
  near(c->path, "Satterthwaite, low", item->satterthwaite.low, item->satterthwaite.why, row[3]);
  near(c->path, "Satterthwaite, high", item->satterthwaite.high, item->satterthwaite.why, row[4]);
  near(c->path, "MLS, low", item->mls.low, item->mls.why, row[5]);
  near(c->path, "MLS, high", item->mls.high, item->mls.why, row[6]);
  near(c->path, "bootstrap, low", item->bootstrap.low, item->bootstrap.why, row[7]);
  near(c->path, "bootstrap, high", item->bootstrap.high, item->bootstrap.why, row[8]);
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
    assert_int_equal(ad_variance_components(&found, &design, &HOW), AD_OK);
    if (found.count * 9 != count || (count == 0) != (found.why != NULL)) {
      fail_msg("%s: %zu components, expected %zu (%s)", c.path, found.count, count / 9,
               found.why == NULL ? "there" : found.why);
    }
    for (size_t k = 0; k < found.count; k++) {
      check_component(&c, &found.items[k], table + 9 * k);
    }
    expect_figure(&c, "mean", found.mean.mean);
    expect_figure(&c, "error", found.mean.error);
    expect_figure(&c, "df", found.mean.df);
    expect_figure(&c, "p", found.mean.p);
    expect_interval(&c, "mean", found.mean.interval);
    if (found.why == NULL) {
      near(c.path, "cells", (double)found.cells, NULL, case_number(&c, "cells"));
    }
    free(values);
    free(table);
  }
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
  assert_int_equal(ad_variance_components(&found, &two, &HOW), AD_OK);
  assert_string_equal(found.items[0].ems, "6 V(init) + V(init x order)");
  assert_string_equal(found.items[1].ems, "4 V(order) + V(init x order)");
  assert_string_equal(found.items[2].ems, "V(init x order)");
  assert_int_equal(ad_variance_components(&found, &three, &HOW), AD_OK);
  assert_string_equal(found.items[0].ems,
                      "12 V(init) + 4 V(init x order) + 3 V(init x dropout) + V(init x order x dropout)");
  assert_string_equal(found.items[4].ems, "3 V(init x dropout) + V(init x order x dropout)");
}

/* The same call gives the same interval, another seed another one. */
static void test_draws(void **state) {
  (void)state;
  const double a[] = {1, 2, 4, 3, 7}, b[] = {2, 2, 1, 5, 6};
  struct ad_paired first, again, other;
  struct ad_resampling how = {1, 1000, 0.95};
  assert_int_equal(ad_compare_paired(&first, 5, a, b, &how), AD_OK);
  assert_int_equal(ad_compare_paired(&again, 5, a, b, &how), AD_OK);
  how.seed = 2;
  assert_int_equal(ad_compare_paired(&other, 5, a, b, &how), AD_OK);
  assert_memory_equal(&first.bootstrap, &again.bootstrap, sizeof first.bootstrap);
  assert_true(first.bootstrap.low != other.bootstrap.low || first.bootstrap.high != other.bootstrap.high);
  assert_int_equal(ad_resample_count(10), 10000);
  assert_int_equal(ad_resample_count(10000), 2000);
  assert_int_equal(ad_resample_count(1000000), 1000);
}

static int all_of_them(void) {
  const double a[] = {1, 2, 4, 3, 7, NAN}, b[] = {2, 2, 1, 5, 6, 3};
  const double *const both[] = {a, b};
  const size_t counts[] = {5, 5};
  struct ad_figure p[2] = {{0.1, NULL}, {0.2, NULL}};
  const struct ad_design design = {2, {"init", "order", ""}, {2, 3, 1}, a},
                         whole = {2, {"init", "order", ""}, {2, 3, 1}, b};
  union {
    struct ad_summary summary;
    struct ad_correlation correlation;
    struct ad_paired paired;
    struct ad_unpaired unpaired;
    struct ad_spread spread;
    struct ad_sd_ratio ratio;
    struct ad_components components;
  } out;
  AD_TRY(ad_summarize(&out.summary, 5, a, 0.95));
  AD_TRY(ad_spearman(&out.correlation, 5, a, b, 0.95));
  AD_TRY(ad_holm(2, p, p));
  AD_TRY(ad_compare_paired(&out.paired, 5, a, b, &HOW));
  AD_TRY(ad_compare_unpaired(&out.unpaired, 5, a, 5, b, &HOW));
  AD_TRY(ad_brown_forsythe(&out.spread, 2, counts, both));
  AD_TRY(ad_compare_sd(&out.ratio, 5, a, 5, b, 1, &HOW));
  AD_TRY(ad_variance_components(&out.components, &design, &HOW));
  return ad_variance_components(&out.components, &whole, &HOW);
}

static void test_out_of_memory(void **state) {
  (void)state;
  check_without_memory(all_of_them, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_summary),      cmocka_unit_test(test_wilson),         cmocka_unit_test(test_spearman),
      cmocka_unit_test(test_holm),         cmocka_unit_test(test_paired),         cmocka_unit_test(test_unpaired),
      cmocka_unit_test(test_sd_ratio),     cmocka_unit_test(test_brown_forsythe), cmocka_unit_test(test_components),
      cmocka_unit_test(test_expectations), cmocka_unit_test(test_draws),          cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, open_statistics, close_statistics);
}
