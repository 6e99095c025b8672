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

/* --- bfloat16 (docs/arithmetic.md): one number at a time, the specification --- */

/* Subnormal numbers count as zeros of their sign. */
VEC_INLINE float vec_flushed(float x) {
  return fabsf(x) < 0x1p-126f ? copysignf(0.0f, x) : x;
}

/* a b + c, rounded once with an exponent of any size, then flushed; no operand is subnormal. fmaf rounds to a multiple
 * of 2^-149: a magnitude that it has brought up to 2^-126 is looked at again, in double, which is exact there. */
VEC_INLINE float vec_bf16_fma1(float a, float b, float c) {
  const float sum = fmaf(a, b, c);
  if (fabsf(sum) == 0x1p-126f && fabs((double)a * (double)b + (double)c) < 0x1p-126 - 0x1p-151) {
    return copysignf(0.0f, sum);
  }
  return vec_flushed(sum);
}

VEC_INLINE float vec_bf16_add1(float a, float b) {
  return vec_flushed(vec_flushed(a) + vec_flushed(b));
}

/* The upper half of a float's bits, rounded to nearest even; subnormal numbers to zero; NaN stays one. */
VEC_INLINE uint16_t vec_bf16_round1(float x) {
  uint32_t word;
  x = vec_flushed(x);
  memcpy(&word, &x, sizeof word);
  if (x != x) {
    return (uint16_t)(word >> 16 | 0x40);
  }
  return (uint16_t)((word + 0x7fff + (word >> 16 & 1)) >> 16);
}

VEC_INLINE float vec_bf16_value(uint16_t x) {
  const uint32_t word = (uint32_t)x << 16;
  float value;
  memcpy(&value, &word, sizeof value);
  return value;
}

/* In plain C: the numbers at even and at odd places of pairs [32]; rounding; two rows side by side. */
VEC_INLINE void vec_bf16_each(const uint16_t *pairs, int odd, float *values) {
  for (int i = 0; i < 16; i++) {
    values[i] = vec_bf16_value(pairs[2 * i + odd]);
  }
}
VEC_INLINE void vec_bf16_round_each(const float *x, uint16_t *out) {
  for (int i = 0; i < 16; i++) {
    out[i] = vec_bf16_round1(x[i]);
  }
}
VEC_INLINE void vec_bf16_pair_each(const uint16_t *a, const uint16_t *b, uint16_t *out) {
  for (int i = 0; i < 16; i++) {
    out[2 * i] = a[i];
    out[2 * i + 1] = b[i];
  }
}

#endif
