/* Distribution functions against SciPy and mpmath (tests/parity/distributions.py), linear systems against what they are
 * made from, and sorting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "autodidact/base/random.h"
#include "autodidact/base/sort.h"
#include "statistics/cholesky.h"
#include "statistics/distributions.h"

static double call(const char *name, double a, double b, double c) {
#define AD_CALL(function, ...)          \
  if (strcmp(name, #function) == 0) {   \
    return ad__##function(__VA_ARGS__); \
  }
  AD_CALL(normal_lower, a)
  AD_CALL(normal_upper, a)
  AD_CALL(normal_density, a)
  AD_CALL(normal_upper_quantile, a)
  AD_CALL(t_upper, a, b)
  AD_CALL(t_upper_quantile, a, b)
  AD_CALL(f_lower_quantile, a, b, c)
  AD_CALL(coins_lower, (size_t)a, (size_t)b)
  AD_CALL(log_gamma, a)
#undef AD_CALL
  fail_msg("unknown function %s", name);
  return NAN;
}

static void test_values(void **state) {
  (void)state;
  char path[1024], name[40];
  double a, b, c, expected;
  size_t count = 0;
  snprintf(path, sizeof path, "%s/tests/parity/data/distributions.txt", getenv("AD_SOURCE"));
  FILE *file = fopen(path, "re");
  assert_non_null(file);
  while (fscanf(file, "%39s %lf %lf %lf %lf", name, &a, &b, &c, &expected) == 5) {
    const double found = call(name, a, b, c);
    if (!(fabs(found - expected) <= 1e-13 * fabs(expected))) {
      fail_msg("%s(%.17g, %.17g, %.17g) is %.17g, expected %.17g", name, a, b, c, found, expected);
    }
    count++;
  }
  assert_true(feof(file) && count > 300);
  assert_int_equal(fclose(file), 0);
}

static void test_edges(void **state) {
  (void)state;
  assert_true(ad__normal_upper_quantile(0) == INFINITY && ad__normal_upper_quantile(1) == -INFINITY);
  assert_true(ad__normal_upper_quantile(0.5) == 0 && ad__t_upper_quantile(0.5, 3) == 0);
  assert_true(ad__t_upper_quantile(0, 3) == INFINITY && ad__t_upper_quantile(1, 3) == -INFINITY);
  assert_true(ad__t_upper(0, 3) == 0.5 && ad__t_upper(INFINITY, 3) == 0 && ad__t_upper(-INFINITY, 3) == 1);
  assert_true(ad__f_lower_quantile(0, 2, 3) == 0 && ad__f_lower_quantile(1, 2, 3) == INFINITY);
  assert_true(ad__coins_lower(0, 0) == 1 && ad__coins_lower(7, 7) == 1);
  const double none[] = {ad__normal_upper_quantile(-0.1),
                         ad__normal_upper_quantile(NAN),
                         ad__t_upper(1, 0),
                         ad__t_upper(NAN, 3),
                         ad__t_upper_quantile(0.1, -1),
                         ad__t_upper_quantile(2, 3),
                         ad__f_lower_quantile(0.5, 0, 1),
                         ad__f_lower_quantile(NAN, 1, 1),
                         ad__log_gamma(0)};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    assert_true(isnan(none[i]));
  }
}

/* A = M M' + I of random M: A^-1 A and the solution of A x = b for a known x. */
static void test_cholesky(void **state) {
  (void)state;
  enum { MOST = 40 };
  static double m[MOST * MOST], a[MOST * MOST], l[MOST * MOST], x[MOST], b[MOST];
  for (size_t n = 1; n <= MOST; n += 13) {
    for (size_t i = 0; i < n * n; i++) {
      m[i] = ad_random_normal(n, AD_STREAM_TEST, 0, i);
    }
    for (size_t i = 0; i < n * n; i++) {
      a[i] = i / n == i % n;
      for (size_t k = 0; k < n; k++) {
        a[i] += m[i / n * n + k] * m[i % n * n + k];
      }
    }
    for (size_t i = 0; i < n; i++) {
      x[i] = ad_random_normal(n, AD_STREAM_TEST, 1, i);
    }
    for (size_t i = 0; i < n; i++) {
      b[i] = 0;
      for (size_t k = 0; k < n; k++) {
        b[i] += a[i * n + k] * x[k];
      }
    }
    memcpy(l, a, sizeof l);
    assert_int_equal(ad__cholesky(n, l), 0);
    ad__cholesky_solve(n, l, b);
    ad__cholesky_invert(n, l);
    for (size_t i = 0; i < n; i++) {
      assert_true(fabs(b[i] - x[i]) <= 1e-12);
      for (size_t j = 0; j < n; j++) {
        double one = 0;
        for (size_t k = 0; k < n; k++) {
          one += l[i * n + k] * a[k * n + j];
        }
        assert_true(fabs(one - (i == j)) <= 1e-12);
      }
    }
  }
  double none[] = {1, 2, 2, 1}, not_a_number[] = {NAN};
  assert_int_not_equal(ad__cholesky(2, none), 0);
  assert_int_not_equal(ad__cholesky(1, not_a_number), 0);
}

static int compare_doubles(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Against the C library's sort; many equal values. */
static void test_sort(void **state) {
  (void)state;
  enum { MOST = 300 };
  double values[MOST], sorted[MOST], expected[MOST];
  uint64_t keys[MOST];
  size_t order[MOST];
  for (size_t n = 0; n <= MOST; n += n < 9 ? 1 : 97) {
    for (size_t i = 0; i < n; i++) {
      values[i] = (double)ad_random_below(n, AD_STREAM_TEST, 2, i, 50) - 25;
      keys[i] = (uint64_t)(values[i] + 25) << 58;
      sorted[i] = expected[i] = values[i];
    }
    qsort(expected, n, sizeof *expected, compare_doubles);
    ad_sort_doubles(n, sorted);
    ad_sort_u64(n, keys);
    ad_sort_places(n, values, order);
    for (size_t i = 0; i < n; i++) {
      assert_true(sorted[i] == expected[i] && values[order[i]] == expected[i]);
      assert_true(keys[i] == (uint64_t)(expected[i] + 25) << 58);
      assert_true(i == 0 || expected[i] > expected[i - 1] || order[i] > order[i - 1]);
    }
  }
  double zeros[] = {0.0, -0.0, -INFINITY, 0.0, -0.0, INFINITY};
  ad_sort_doubles(6, zeros);
  assert_true(isinf(zeros[0]) && signbit(zeros[1]) && signbit(zeros[2]) && !signbit(zeros[3]) && isinf(zeros[5]));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_edges),
                                     cmocka_unit_test(test_cholesky), cmocka_unit_test(test_sort)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
