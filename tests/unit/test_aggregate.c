/* Figures over settings. Expected numbers are SciPy's: trim_mean(x, 0.25), mannwhitneyu(y, x).statistic / len(x) /
 * len(y); those of changes are fractions worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "autodidact/statistics/aggregate.h"
#include "support/statistics.h"

static void test_relative_change(void **state) {
  (void)state;
  double a[] = {1, 2, 6}, b[] = {2, 4, 6}, each[3];
  struct ad_figure change = ad_relative_change(3, a, b, each);
  near("change", "mean", change.value, change.why, -0.25);
  const double expected[] = {-0.25 - 0.5 / 4, -0.25 - 1.0 / 4, -0.25 + 1.5 / 4};
  for (size_t i = 0; i < 3; i++) {
    near("change", "each", each[i], NULL, expected[i]);
  }
  change = ad_relative_change(3, a, b, a); /* in place */
  assert_true(change.value == -0.25 && a[2] == each[2]);
  /* The same ratio in decimals that binary numbers round: no spread at all. */
  double c[] = {0.1 * 1.1, 0.2 * 1.1, 0.7 * 1.1}, d[] = {0.1, 0.2, 0.7};
  change = ad_relative_change(3, c, d, each);
  near("change", "ratio", change.value, change.why, 0.1);
  assert_true(each[0] == change.value && each[1] == change.value && each[2] == change.value);
}

static void test_no_change(void **state) {
  (void)state;
  double a[] = {1, NAN}, b[] = {1, -1}, each[2] = {0, 0};
  assert_non_null(ad_relative_change(0, a, b, each).why);
  assert_non_null(ad_relative_change(2, a, b, each).why);
  assert_non_null(ad_relative_change(2, b, b, each).why);
  assert_non_null(ad_relative_change(1, a, b + 1, each).why); /* below 0 "more" would be lower */
  assert_true(isnan(each[0]) && isnan(each[1]));
}

static void test_probability(void **state) {
  (void)state;
  const double x[] = {3.1, 2.0, 2.0, 5.5, 0.3}, y[] = {2.0, 4.4, 1.0, 7.25};
  struct ad_figure p;
  assert_int_equal(ad_probability_lower(&p, 5, x, 4, y), AD_OK);
  near("probability", "lower", p.value, p.why, 0.6);
  assert_int_equal(ad_probability_lower(&p, 5, x, 5, x), AD_OK);
  assert_true(p.value == 0.5);
  assert_int_equal(ad_probability_lower(&p, 0, x, 4, y), AD_OK);
  assert_non_null(p.why);
  assert_int_equal(ad_probability_lower(&p, 1, &(double){NAN}, 4, y), AD_OK);
  assert_non_null(p.why);
}

static void test_interquartile_mean(void **state) {
  (void)state;
  const double x[] = {9.0, 1.0, 4.0, 2.0, 100.0, 3.0, 5.5, -7.0, 6.25};
  struct ad_figure m;
  assert_int_equal(ad_interquartile_mean(&m, 9, x), AD_OK);
  near("interquartile", "nine", m.value, m.why, 4.15);
  assert_int_equal(ad_interquartile_mean(&m, 3, x), AD_OK);
  near("interquartile", "three", m.value, m.why, 14.0 / 3);
  assert_int_equal(ad_interquartile_mean(&m, 0, x), AD_OK);
  assert_non_null(m.why);
}

static int all_of_them(void) {
  const double x[] = {1, 2, 3, 4};
  struct ad_figure f;
  int status = ad_probability_lower(&f, 4, x, 4, x);
  return status == AD_OK ? ad_interquartile_mean(&f, 4, x) : status;
}

static void test_out_of_memory(void **state) {
  (void)state;
  check_without_memory(all_of_them, 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_relative_change), cmocka_unit_test(test_no_change),
      cmocka_unit_test(test_probability),     cmocka_unit_test(test_interquartile_mean),
      cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
