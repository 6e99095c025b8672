/* vec.h on Arm's Advanced SIMD (aarch64): four registers, lanes 4 i to 4 i + 3 in register i. */
#ifndef AD_MATH_VECTOR_VEC_NEON_H
#define AD_MATH_VECTOR_VEC_NEON_H

#include <arm_neon.h>

#include "vector/vec_common.h"

#define VEC_SET_NAME "neon"
#define VEC_TILE_TALL 0
enum { VEC_TILE_ROWS = 6, VEC_TILE_VECS = 1 }; /* register block of product.h: 24 of 32 registers accumulate */

typedef struct {
  float32x4_t q[4];
} vec;
typedef struct {
  float64x2_t d[8];
} vecd;
typedef struct {
  uint64x2_t w[8];
} vecq;

/* The function's result: member i of `count` is the expression. */
#define VEC_EACH(type, member, count, expression) \
  type r;                                         \
  for (int i = 0; i < (count); i++) {             \
    r.member[i] = (expression);                   \
  }                                               \
  return r

VEC_INLINE vec vec_set1(float x) {
  VEC_EACH(vec, q, 4, vdupq_n_f32(x));
}
VEC_INLINE vec vec_load(const float *p) {
  VEC_EACH(vec, q, 4, vld1q_f32(p + 4 * i));
}
VEC_INLINE void vec_store(float *p, vec x) {
  for (int i = 0; i < 4; i++) {
    vst1q_f32(p + 4 * i, x.q[i]);
  }
}
VEC_INLINE vec vec_load_fill(const float *p, size_t n, float fill) {
  if (n >= 16) {
    return vec_load(p);
  }
  float lanes[16];
  for (size_t i = 0; i < 16; i++) {
    lanes[i] = i < n ? p[i] : fill;
  }
  return vec_load(lanes);
}
VEC_INLINE void vec_store_n(float *p, vec x, size_t n) {
  if (n >= 16) {
    vec_store(p, x);
    return;
  }
  float lanes[16];
  vec_store(lanes, x);
  memcpy(p, lanes, n * sizeof *p);
}

VEC_INLINE vec vec_add(vec x, vec y) {
  VEC_EACH(vec, q, 4, vaddq_f32(x.q[i], y.q[i]));
}
VEC_INLINE vec vec_sub(vec x, vec y) {
  VEC_EACH(vec, q, 4, vsubq_f32(x.q[i], y.q[i]));
}
VEC_INLINE vec vec_mul(vec x, vec y) {
  VEC_EACH(vec, q, 4, vmulq_f32(x.q[i], y.q[i]));
}
VEC_INLINE vec vec_div(vec x, vec y) {
  VEC_EACH(vec, q, 4, vdivq_f32(x.q[i], y.q[i]));
}
VEC_INLINE vec vec_sqrt(vec x) {
  VEC_EACH(vec, q, 4, vsqrtq_f32(x.q[i]));
}
VEC_INLINE vec vec_abs(vec x) {
  VEC_EACH(vec, q, 4, vabsq_f32(x.q[i]));
}
VEC_INLINE vec vec_fma(vec x, vec y, vec z) {
  VEC_EACH(vec, q, 4, vfmaq_f32(z.q[i], x.q[i], y.q[i]));
}
VEC_INLINE vec vec_fnma(vec x, vec y, vec z) {
  VEC_EACH(vec, q, 4, vfmsq_f32(z.q[i], x.q[i], y.q[i]));
}
/* By comparison: Arm's own maximum and minimum order zeros, and give NaN where either is NaN. */
VEC_INLINE float32x4_t neon_larger(float32x4_t x, float32x4_t y) {
  return vbslq_f32(vcgtq_f32(x, y), x, y);
}
VEC_INLINE vec vec_max(vec x, vec y) {
  VEC_EACH(vec, q, 4, neon_larger(x.q[i], y.q[i]));
}
VEC_INLINE vec vec_min(vec x, vec y) {
  VEC_EACH(vec, q, 4, vbslq_f32(vcltq_f32(x.q[i], y.q[i]), x.q[i], y.q[i]));
}
VEC_INLINE vec vec_select_positive(vec x, vec y, vec z) {
  VEC_EACH(vec, q, 4, vbslq_f32(vcgtzq_f32(x.q[i]), y.q[i], z.q[i]));
}
VEC_INLINE vec vec_exp(vec x) {
  VEC_EACH(vec, q, 4, Sleef_finz_expf4_u10advsimd(x.q[i]));
}
VEC_INLINE vec vec_tanh(vec x) {
  VEC_EACH(vec, q, 4, Sleef_finz_tanhf4_u10advsimd(x.q[i]));
}

VEC_INLINE float vec_sum(vec x) {
  const float32x4_t four = vaddq_f32(vaddq_f32(x.q[0], x.q[2]), vaddq_f32(x.q[1], x.q[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
VEC_INLINE float vec_largest(vec x) {
  const float32x4_t four = neon_larger(neon_larger(x.q[0], x.q[2]), neon_larger(x.q[1], x.q[3]));
  const float32x4_t two = neon_larger(four, vextq_f32(four, four, 2));
  return vgetq_lane_f32(neon_larger(two, vextq_f32(two, two, 1)), 0);
}

VEC_INLINE vecd vecd_zero(void) {
  VEC_EACH(vecd, d, 8, vdupq_n_f64(0.0));
}
/* Lanes 2 i and 2 i + 1. */
VEC_INLINE float64x2_t neon_pair(vec x, int i) {
  const float32x4_t from = x.q[i / 2];
  return vcvt_f64_f32(i % 2 == 0 ? vget_low_f32(from) : vget_high_f32(from));
}
VEC_INLINE vecd vecd_add_square(vecd sum, vec x) {
  VEC_EACH(vecd, d, 8, vfmaq_f64(sum.d[i], neon_pair(x, i), neon_pair(x, i)));
}
VEC_INLINE double vecd_sum(vecd x) {
  for (int half = 4; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) {
      x.d[i] = vaddq_f64(x.d[i], x.d[i + half]);
    }
  }
  return vgetq_lane_f64(x.d[0], 0) + vgetq_lane_f64(x.d[0], 1);
}

VEC_INLINE vec vec_negate(vec x, uint32_t signs) {
  uint32_t flips[16];
  for (int i = 0; i < 16; i++) {
    flips[i] = (signs >> i & 1) << 31;
  }
  VEC_EACH(vec, q, 4, vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(x.q[i]), vld1q_u32(flips + 4 * i))));
}
VEC_INLINE vec vec_rotate(vec x, uint32_t by) {
  float twice[32];
  vec_store(twice, x);
  vec_store(twice + 16, x);
  return vec_load(twice + 16 - by);
}
VEC_INLINE void vec_accumulate_fixed(uint64_t *sum, vec x, double scale) {
  const float64x2_t anchor = vdupq_n_f64(VEC_ANCHOR);
  for (int i = 0; i < 8; i++) {
    const float64x2_t y = vaddq_f64(vmulq_n_f64(neon_pair(x, i), scale), anchor);
    const uint64x2_t value = vsubq_u64(vreinterpretq_u64_f64(y), vreinterpretq_u64_f64(anchor));
    vst1q_u64(sum + 2 * i, vaddq_u64(vld1q_u64(sum + 2 * i), value));
  }
}

VEC_INLINE vecq vecq_count(uint32_t first, uint32_t x) {
  uint64_t words[16];
  for (uint32_t i = 0; i < 16; i++) {
    words[i] = (first + i) ^ x;
  }
  VEC_EACH(vecq, w, 8, vld1q_u64(words + 2 * i));
}
VEC_INLINE vecq vecq_mul(vecq a, uint32_t m) {
  VEC_EACH(vecq, w, 8, vmull_n_u32(vmovn_u64(a.w[i]), m));
}
VEC_INLINE vecq vecq_xor1(vecq a, uint32_t x) {
  VEC_EACH(vecq, w, 8, veorq_u64(a.w[i], vdupq_n_u64(x)));
}
VEC_INLINE vecq vecq_high_xor(vecq p, vecq a, uint32_t x) {
  VEC_EACH(vecq, w, 8, veorq_u64(veorq_u64(vshrq_n_u64(p.w[i], 32), a.w[i]), vdupq_n_u64(x)));
}
VEC_INLINE vecq vecq_high_xor1(vecq p, uint32_t x) {
  VEC_EACH(vecq, w, 8, veorq_u64(vshrq_n_u64(p.w[i], 32), vdupq_n_u64(x)));
}
VEC_INLINE vec vecq_factor(vecq w, uint32_t threshold, float scale) {
  vec r;
  for (int i = 0; i < 4; i++) {
    const uint32x4_t words = vcombine_u32(vmovn_u64(w.w[2 * i]), vmovn_u64(w.w[2 * i + 1]));
    const uint32x4_t kept = vcgeq_u32(words, vdupq_n_u32(threshold));
    r.q[i] = vreinterpretq_f32_u32(vandq_u32(kept, vreinterpretq_u32_f32(vdupq_n_f32(scale))));
  }
  return r;
}

/* The 4 x 4 matrix of four rows, transposed in place. */
VEC_INLINE void neon_transpose4(float32x4_t r[4]) {
  const float32x4x2_t a = vtrnq_f32(r[0], r[1]), b = vtrnq_f32(r[2], r[3]);
  r[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
  r[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
  r[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
  r[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}
VEC_INLINE void vec_transpose(vec r[16]) {
  vec t[16];
  for (int i = 0; i < 4; i++) { /* block (i, j) of 4 x 4 becomes block (j, i) */
    for (int j = 0; j < 4; j++) {
      float32x4_t block[4] = {r[4 * i].q[j], r[4 * i + 1].q[j], r[4 * i + 2].q[j], r[4 * i + 3].q[j]};
      neon_transpose4(block);
      for (int k = 0; k < 4; k++) {
        t[4 * j + k].q[i] = block[k];
      }
    }
  }
  memcpy(r, t, sizeof t);
}

VEC_INLINE void vec_fixed_exchange(const float *entering, float *leaving, double scale, int64_t *sum) {
  vec_fixed_exchange_each(16, entering, leaving, scale, sum);
}
VEC_INLINE int vec_quotients(const int64_t *sum, double factor, vec *x) {
  float quotients[16];
  const int near = vec_quotients_each(sum, factor, quotients);
  *x = vec_load(quotients);
  return near;
}

VEC_INLINE void vec_stream(float *p, vec x) {
  vec_store(p, x);
}
VEC_INLINE void vec_stream_end(void) {}

VEC_INLINE vec vec_bf16_even(const uint16_t *pairs) {
  VEC_EACH(vec, q, 4, vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u16(vld1q_u16(pairs + 8 * i)), 16)));
}
VEC_INLINE vec vec_bf16_odd(const uint16_t *pairs) {
  const uint32x4_t mask = vdupq_n_u32(0xffff0000);
  VEC_EACH(vec, q, 4, vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_u16(vld1q_u16(pairs + 8 * i)), mask)));
}
VEC_INLINE vec vec_bf16_load(const uint16_t *p) {
  VEC_EACH(vec, q, 4, vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p + 4 * i), 16)));
}
VEC_INLINE void vec_bf16_round(uint16_t *out, vec x) {
  for (int i = 0; i < 4; i++) {
    const uint32x4_t word = vreinterpretq_u32_f32(x.q[i]);
    const uint32x4_t even = vandq_u32(vshrq_n_u32(word, 16), vdupq_n_u32(1));
    const uint32x4_t up = vaddq_u32(word, vaddq_u32(vdupq_n_u32(0x7fff), even));
    const uint32x4_t sign = vandq_u32(word, vdupq_n_u32(0x80000000));
    const uint32x4_t finite = vtstq_u32(word, vdupq_n_u32(0x7f800000)), ordered = vceqq_f32(x.q[i], x.q[i]);
    const uint32x4_t rounded = vbslq_u32(finite, up, sign);
    vst1_u16(out + 4 * i, vshrn_n_u32(vbslq_u32(ordered, rounded, vorrq_u32(word, vdupq_n_u32(0x400000))), 16));
  }
}
VEC_INLINE void vec_bf16_pair(const uint16_t *a, const uint16_t *b, uint16_t *out) {
  for (int i = 0; i < 16; i += 8) {
    const uint16x8x2_t both = {{vld1q_u16(a + i), vld1q_u16(b + i)}};
    vst2q_u16(out + 2 * i, both);
  }
}
VEC_INLINE vec vec_bf16_fma(vec x, vec y, vec z) {
  return vec_fma(x, y, z);
}
VEC_INLINE vec vec_bf16_add(vec x, vec y) {
  return vec_add(x, y);
}

/* Subnormal operands and results become zeros while FPCR.FZ is set. Arm decides before rounding what is subnormal, x86
 * afterwards: where anything was flushed (FPSR.UFC), the specification decides. */
enum { NEON_FZ = 1 << 24, NEON_UFC = 1 << 3 };
VEC_INLINE unsigned vec_flush_begin(void) {
  uint64_t state;
  __asm__ volatile("mrs %0, fpcr" : "=r"(state)::"memory");
  __asm__ volatile("msr fpcr, %0" ::"r"(state | NEON_FZ) : "memory");
  __asm__ volatile("msr fpsr, %0" ::"r"((uint64_t)0) : "memory");
  return (unsigned)state;
}
VEC_INLINE void vec_flush_end(unsigned state) {
  __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)state) : "memory");
}
/* The results are in memory, so that nothing of them is computed after the flags are read. */
VEC_INLINE int vec_flush_missed(const vec *results) {
  uint64_t flags;
  __asm__ volatile("mrs %0, fpsr" : "=r"(flags) : "r"(results) : "memory");
  if ((flags & NEON_UFC) != 0) {
    __asm__ volatile("msr fpsr, %0" ::"r"((uint64_t)0) : "memory");
    return 1;
  }
  return 0;
}

#endif
