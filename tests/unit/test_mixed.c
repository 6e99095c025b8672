/* Means and variances of runs that share seeds against lme4 (tests/parity/mixed_models.py), and designs of which there
 * is no interval. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "autodidact/statistics/mixed.h"
#include "support/statistics.h"

static int open_mixed(void **state) {
  static hid_t file;
  file = fixture_open("mixed.h5");
  *state = (void *)&file;
  return 0;
}

/* level [n, factors] as columns; the caller frees *block. */
static struct ad_seeds seeds_of(const uint32_t *level, size_t n, size_t factors, uint32_t **block) {
  struct ad_seeds seeds = {.n = n, .factors = factors, .names = {"init", "order", "dropout"}};
  *block = malloc((n * factors + 1) * sizeof **block);
  for (size_t f = 0; f < factors; f++) {
    seeds.level[f] = *block + f * n;
    for (size_t i = 0; i < n; i++) {
      (*block)[f * n + i] = level[i * factors + f];
    }
  }
  return seeds;
}

static void within(const char *place, size_t k, struct ad_figure found, double expected, double size) {
  if (isnan(expected)) {
    assert_non_null(found.why);
  } else if (found.why != NULL || !(fabs(found.value - expected) <= 1e-6 * fabs(expected) + 1e-9 * size)) {
    fail_msg("%s, figure %zu: %.12g (%s), expected %.12g", place, k, found.value, found.why ? found.why : "there",
             expected);
  }
}

static void test_against_lme4(void **state) {
  const hid_t file = *(hid_t *)*state;
  for (size_t i = 0; i < case_count(file, "/"); i++) {
    const struct fixture_case c = case_open(file, "/", i);
    size_t n, count, shape[3];
    double *y = case_array(&c, "y", &n), *variance = case_array(&c, "variance", &count);
    uint32_t *level = case_values(&c, "level", H5T_NATIVE_UINT32, &count), *block;
    case_shape(&c, "level", shape);
    const struct ad_seeds seeds = seeds_of(level, n, shape[1], &block);
    struct ad_terms terms;
    struct ad_mixed m;
    assert_int_equal(ad_terms_of(&terms, &seeds), AD_OK);
    assert_int_equal(ad_mixed_mean(&m, n, y, &terms, 0.95), AD_OK);
    for (size_t t = 0; t <= m.terms; t++) {
      within(c.path, 100 + t, m.variance[t], variance[t], 1.0);
    }
    double *e = case_array(&c, "estimates", &count);
    const struct ad_figure found[] = {m.mean,
                                      m.error,
                                      m.df,
                                      m.p,
                                      {m.interval.low, m.interval.why},
                                      {m.interval.high, m.interval.why},
                                      m.sd,
                                      {m.sd_interval.low, m.sd_interval.why},
                                      {m.sd_interval.high, m.sd_interval.why},
                                      m.reml_error};
    for (size_t k = 0; k < sizeof found / sizeof *found; k++) {
      within(c.path, k, found[k], e[k], e[9]);
    }
    ad_terms_destroy(&terms);
    free(block);
    free(level);
    free(variance);
    free(y);
    free(e);
  }
}

/* Terms and rest of `n` runs of a design, as "init order, rest init x order". */
static void expect_terms(size_t n, size_t factors, const uint32_t *level, const char *expected) {
  uint32_t *block;
  const struct ad_seeds seeds = seeds_of(level, n, factors, &block);
  struct ad_terms terms;
  char text[300] = "";
  assert_int_equal(ad_terms_of(&terms, &seeds), AD_OK);
  for (size_t t = 0; t < terms.count; t++) {
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s, ", terms.name[t]);
  }
  snprintf(text + strlen(text), sizeof text - strlen(text), "rest %s", terms.rest);
  assert_string_equal(text, expected);
  ad_terms_destroy(&terms);
  free(block);
}

static void test_terms(void **state) {
  (void)state;
  expect_terms(3, 1, (uint32_t[]){0, 1, 2}, "rest init");
  expect_terms(4, 2, (uint32_t[]){0, 0, 0, 1, 1, 0, 1, 1}, "init, order, rest init x order");
  expect_terms(4, 2, (uint32_t[]){0, 0, 0, 1, 1, 2, 1, 3}, "init, rest order");
  expect_terms(3, 2, (uint32_t[]){0, 4, 1, 4, 2, 4}, "rest init");
  expect_terms(4, 3, (uint32_t[]){0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0}, "init, order, dropout, rest init x order");
}

static struct ad_mixed mean_of(size_t n, size_t factors, const uint32_t *level, const double *values) {
  uint32_t *block;
  const struct ad_seeds seeds = seeds_of(level, n, factors, &block);
  struct ad_terms terms;
  struct ad_mixed m;
  assert_int_equal(ad_terms_of(&terms, &seeds), AD_OK);
  assert_int_equal(ad_mixed_mean(&m, n, values, &terms, 0.95), AD_OK);
  ad_terms_destroy(&terms);
  free(block);
  return m;
}

/* The mean is there wherever there are values; an interval only where the design can speak of other seeds. Two levels
 * can where the table is complete. */
static void test_no_interval(void **state) {
  (void)state;
  const uint32_t thin[] = {0, 0, 0, 1, 1, 0, 1, 1, 2, 0, 2, 1};
  struct ad_mixed m = mean_of(6, 2, thin, (double[]){1, 2, 4, 3, 7, 5});
  assert_true(m.interval.why == NULL && m.p.why != NULL && m.sd.why == NULL && m.sd_interval.why != NULL);
  m = mean_of(5, 2, thin, (double[]){1, 2, 4, 3, 7});
  assert_true(m.mean.why == NULL && m.variance[0].why == NULL && m.interval.why != NULL && m.p.why != NULL);
  m = mean_of(6, 2, thin, (double[]){0.1, 0.1, 0.1, 0.1, 0.1, 0.1});
  assert_true(m.mean.why == NULL && m.interval.why != NULL && m.sd.value == 0.0);
  m = mean_of(6, 2, thin, (double[]){1, 1, 2, 2, 5, 5}); /* nothing but init */
  assert_true(m.mean.why == NULL && m.interval.why != NULL && m.error.why != NULL);
  m = mean_of(1, 1, (uint32_t[]){0}, (double[]){3});
  assert_true(m.mean.value == 3.0 && m.interval.why != NULL && m.sd.why != NULL);
  m = mean_of(0, 1, NULL, NULL);
  assert_true(m.mean.why != NULL && m.interval.why != NULL);
  m = mean_of(3, 1, (uint32_t[]){0, 1, 2}, (double[]){1, NAN, 2});
  assert_true(m.mean.why != NULL && m.interval.why != NULL);
}

static int all_of_them(void) {
  const uint32_t init[] = {0, 0, 0, 1, 1, 1, 2, 2, 2}, order[] = {0, 1, 2, 0, 1, 2, 0, 1, 2};
  const double values[] = {1, 2, 4, 3, 7, 5, 2, 2, 6};
  const struct ad_seeds seeds = {9, 2, {"init", "order"}, {init, order}};
  struct ad_terms terms;
  struct ad_mixed m;
  int status = ad_terms_of(&terms, &seeds);
  status = status == AD_OK ? ad_mixed_mean(&m, 9, values, &terms, 0.95) : status;
  ad_terms_destroy(&terms);
  return status;
}

static void test_out_of_memory(void **state) {
  (void)state;
  check_without_memory(all_of_them, 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_against_lme4),
      cmocka_unit_test(test_terms),
      cmocka_unit_test(test_no_interval),
      cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, open_mixed, close_statistics);
}
