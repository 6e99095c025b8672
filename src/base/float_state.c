#include "autodidact/base/float_state.h"

#include <fenv.h>
#include <stdint.h>
#include <stdio.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "autodidact/base/status.h"
#include "ieee754.h"

/* The CPU's word, and what of it makes other results: the rounding, and subnormal inputs or results taken as zero. */
#if defined(__x86_64__)
enum { ROUNDING = 0x6000, SUBNORMALS = 0x8040, TRAPS = 0x1f80 };

/* Bits of TRAPS mask exceptions: turned over, as on Arm they are set where there is a trap. */
static uint64_t control(void) {
  return _mm_getcsr() ^ TRAPS;
}
#elif defined(__aarch64__)
enum { ROUNDING = 3 << 22, SUBNORMALS = 1 << 24, TRAPS = 0x9f00 | 1 << 25 /* default NaN */ | 3 /* FIZ, AH */ };

static uint64_t control(void) {
  return __builtin_aarch64_get_fpcr();
}
#else
enum { ROUNDING = 0, SUBNORMALS = 0, TRAPS = 0 };

static uint64_t control(void) {
  return 0;
}
#endif

static int is_set(void) {
  return (control() & (ROUNDING | SUBNORMALS | TRAPS)) == 0 && fegetround() == FE_TONEAREST;
}

int ad_float_start(void) {
  if (fesetenv(FE_DFL_ENV) != 0) {
    return ad_fail(AD_EINTERNAL, "the floating-point state cannot be set");
  }
#if defined(__aarch64__)
  /* The C library leaves the default NaN and newer bits as they are. */
  __builtin_aarch64_set_fpcr((unsigned)(control() & ~(uint64_t)(ROUNDING | SUBNORMALS | TRAPS)));
#endif
  return ad_float_check();
}

int ad_float_check(void) {
  return is_set() ? AD_OK
                  : ad_fail(AD_EINTERNAL,
                            "the floating-point state is \"%s\", expected to nearest, subnormals kept: a library has "
                            "changed it",
                            ad_float_state());
}

const char *ad_float_state(void) {
  static char text[96];
  const int nearest = fegetround() == FE_TONEAREST && (control() & ROUNDING) == 0;
  snprintf(text, sizeof text, "%s, subnormals %s%s", nearest ? "to nearest" : "not to nearest",
           (control() & SUBNORMALS) == 0 ? "kept" : "flushed", (control() & TRAPS) == 0 ? "" : ", traps");
  return text;
}
