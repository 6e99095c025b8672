/* What vec.h and its three implementations share. */
#ifndef AD_MATH_VECTOR_VEC_COMMON_H
#define AD_MATH_VECTOR_VEC_COMMON_H

#include <math.h>
#include <sleef.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VEC_INLINE static inline __attribute__((always_inline))

enum { VEC_WIDTH = 16 };

/* Added to a double of magnitude below 2^51 it leaves the nearest integer, ties to even, in the low bits: conversions to
 * 64-bit integers differ between instruction sets, and not all have one. */
#define VEC_ANCHOR 0x1.8p52

#endif
