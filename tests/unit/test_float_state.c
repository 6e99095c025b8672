/* The floating-point state: each change that makes other results is seen, and undone by the start. */
#include <fenv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <cmocka.h>

#include "autodidact/base/float_state.h"
#include "autodidact/base/status.h"

static void expect_found(const char *words) {
  assert_int_equal(ad_float_check(), AD_EINTERNAL);
  assert_non_null(strstr(ad_error_message(), words));
  assert_non_null(strstr(ad_float_state(), words));
  assert_int_equal(ad_float_start(), AD_OK);
  assert_int_equal(ad_float_check(), AD_OK);
  assert_string_equal(ad_float_state(), "to nearest, subnormals kept");
}

static void test_rounding(void **state) {
  (void)state;
  static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    fesetround(modes[i]);
    expect_found("not to nearest");
  }
}

#if defined(__x86_64__)
static void test_subnormals(void **state) {
  (void)state;
  static const unsigned bits[] = {0x8000 /* results to zero */, 0x0040 /* operands to zero */};
  for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
    _mm_setcsr(_mm_getcsr() | bits[i]);
    expect_found("subnormals flushed");
  }
}

static void test_traps(void **state) {
  (void)state;
  static const unsigned masks[] = {0x0100 /* subnormal operand */, 0x0200 /* division by zero */,
                                   0x0800 /* underflow */};
  for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
    _mm_setcsr(_mm_getcsr() & ~masks[i]);
    expect_found("traps");
  }
}
#elif defined(__aarch64__)
static void test_subnormals(void **state) {
  (void)state;
  __builtin_aarch64_set_fpcr(__builtin_aarch64_get_fpcr() | 1u << 24);
  expect_found("subnormals flushed");
}

static void test_traps(void **state) {
  (void)state;
  __builtin_aarch64_set_fpcr(__builtin_aarch64_get_fpcr() | 1u << 25); /* every NaN becomes the default one */
  expect_found("traps");
}
#endif

int main(void) {
  assert_int_equal(ad_float_start(), AD_OK);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rounding),
#if defined(__x86_64__) || defined(__aarch64__)
      cmocka_unit_test(test_subnormals),
      cmocka_unit_test(test_traps),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
