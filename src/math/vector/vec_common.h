/* What vec.h and its implementations share. */
#ifndef AD_MATH_VECTOR_VEC_COMMON_H
#define AD_MATH_VECTOR_VEC_COMMON_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/ieee754.h"
#include "base/sleef.h"

#define VEC_INLINE static inline __attribute__((always_inline))

enum { VEC_WIDTH = 16 };

/* Added to a double of magnitude below 2^51 it leaves the nearest integer, ties to even, in the low bits: conversions
 * to 64-bit integers differ between instruction sets, and not all have one. */
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

/* The 29 bits that a double has more than a float, near the middle between two floats: a few units of the double off,
 * and it would round to the other. */
enum { VEC_EXTRA = 29, VEC_NEAR = 4 };
#define VEC_EXTRA_MASK ((1ull << VEC_EXTRA) - 1)
#define VEC_MIDDLE (1ull << (VEC_EXTRA - 1))

VEC_INLINE int vec_is_near(uint64_t word) {
  return (word & VEC_EXTRA_MASK) - (VEC_MIDDLE - VEC_NEAR) <= 2 * VEC_NEAR;
}

/* x [16] = sum factor, by way of double; whether one of the doubles lies near the middle between two floats. */
VEC_INLINE int vec_quotients_each(const int64_t *sum, double factor, float *x) {
  uint64_t near = 0;
  for (int i = 0; i < 16; i++) {
    const double quotient = (double)sum[i] * factor;
    uint64_t word;
    memcpy(&word, &quotient, sizeof word);
    near |= (uint64_t)vec_is_near(word);
    x[i] = (float)quotient;
  }
  return near != 0;
}

#endif
