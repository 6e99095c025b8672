/* Learning-rate factors against those of transformers (tests/parity/metrics.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "autodidact/learn/schedule.h"
#include "support/fixture.h"

static const char *const RUNS[] = {"20-0.2", "100-0.1", "187-0.06", "30-0.1",  "70-0.1",
                                   "7-0.5",  "10-0.0",  "10-0.999", "1-0.0", "1-0.1"};

/* Both sides compute in double; the argument of the cosine is rounded in another order. */
static const double TOLERANCE = 1e-15;

static void check_kind(hid_t file, const char *run, const char *name, enum ad_schedule kind, uint64_t total,
                       uint64_t warmup) {
  char path[64];
  size_t count;
  snprintf(path, sizeof path, "%s/%s", run, name);
  double *expected = fixture_read_new(file, path, H5T_NATIVE_DOUBLE, &count);
  assert_int_equal(count, total + 1);
  for (uint64_t t = 0; t < total; t++) {
    const double factor = ad_schedule_factor(kind, t, total, warmup);
    if (!(fabs(factor - expected[t]) <= TOLERANCE)) {
      fail_msg("%s, step %d: %.17g, expected %.17g", path, (int)t, factor, expected[t]);
    }
  }
  free(expected);
}

static void test_factors(void **state) {
  (void)state;
  const hid_t file = fixture_open("schedule.h5");
  for (size_t i = 0; i < sizeof RUNS / sizeof *RUNS; i++) {
    char path[64];
    snprintf(path, sizeof path, "%s/total", RUNS[i]);
    const uint64_t total = (uint64_t)fixture_scalar(file, path);
    snprintf(path, sizeof path, "%s/share", RUNS[i]);
    const uint64_t warmup = ad_schedule_warmup(total, fixture_scalar(file, path));
    snprintf(path, sizeof path, "%s/warmup", RUNS[i]);
    assert_int_equal(warmup, (uint64_t)fixture_scalar(file, path));
    check_kind(file, RUNS[i], "linear", AD_SCHEDULE_LINEAR, total, warmup);
    check_kind(file, RUNS[i], "constant", AD_SCHEDULE_CONSTANT, total, warmup);
    check_kind(file, RUNS[i], "cosine", AD_SCHEDULE_COSINE, total, warmup);
  }
  fixture_close(file);
}

static void test_ends(void **state) {
  (void)state;
  assert_int_equal(ad_schedule_warmup(0, 0.5), 0);
  assert_int_equal(ad_schedule_warmup(10, 1.0), 10);
  for (uint64_t t = 10; t < 30; t += 3) {
    assert_true(ad_schedule_factor(AD_SCHEDULE_LINEAR, t, 10, 2) == 0.0);
    assert_true(ad_schedule_factor(AD_SCHEDULE_COSINE, t, 10, 2) == 0.0);
    assert_true(ad_schedule_factor(AD_SCHEDULE_CONSTANT, t, 10, 2) == 1.0);
  }
}

/* Powers of 1/2 are exact. */
static void test_layers(void **state) {
  (void)state;
  assert_true(ad_schedule_layer(0.5, 4, 3) == 1.0);
  assert_true(ad_schedule_layer(0.5, 3, 3) == 0.5);
  assert_true(ad_schedule_layer(0.5, 1, 3) == 0.125);
  assert_true(ad_schedule_layer(0.5, 0, 3) == 0.0625);
  for (uint32_t bucket = 0; bucket < 14; bucket++) {
    assert_true(ad_schedule_layer(1.0, bucket, 12) == 1.0);
    assert_true(fabs(ad_schedule_layer(0.95, bucket, 12) - pow(0.95, 13 - bucket)) <= 1e-15);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_factors),
      cmocka_unit_test(test_ends),
      cmocka_unit_test(test_layers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
