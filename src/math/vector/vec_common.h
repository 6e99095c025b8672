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

/* x scale, exact in double as scale is a power of two, to the nearest integer (ties to even). */
VEC_INLINE int64_t vec_fixed(float x, double scale) {
  return (int64_t)rint((double)x * scale);
}

/* sum += entering - leaving in fixed point, leaving = entering, one by one. */
VEC_INLINE void vec_fixed_exchange_each(size_t n, const float *entering, float *leaving, double scale, int64_t *sum) {
  for (size_t i = 0; i < n; i++) {
    sum[i] += vec_fixed(entering[i], scale) - vec_fixed(leaving[i], scale);
    leaving[i] = entering[i];
  }
}

#endif
