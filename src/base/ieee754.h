/* What compiler options must not take away: refused where it is compiled (docs/arithmetic.md). Not installed. */
#ifndef AUTODIDACT_SRC_BASE_IEEE754_H
#define AUTODIDACT_SRC_BASE_IEEE754_H

#include <float.h>

#if defined(__FAST_MATH__) || defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "docs/arithmetic.md: no option may relax IEEE 754"
#endif
#if FLT_EVAL_METHOD != 0
#error "docs/arithmetic.md: floats must be computed as floats, doubles as doubles (FLT_EVAL_METHOD 0)"
#endif
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "docs/arithmetic.md: digests and files take numbers as they lie, little-endian"
#endif

#endif
