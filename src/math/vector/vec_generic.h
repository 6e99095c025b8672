/* vec.h in plain C, for any processor with fused multiply-adds, and what the other sets must equal to the bit. */
#ifndef AD_MATH_VECTOR_VEC_GENERIC_H
#define AD_MATH_VECTOR_VEC_GENERIC_H

#include "vector/vec_common.h"

#define VEC_SET_NAME "generic"
#define VEC_TILE_TALL 0
enum { VEC_TILE_ROWS = 6, VEC_TILE_VECS = 1 }; /* register block of product.h: 12 of 16 registers accumulate */

typedef struct {
  float f[16];
} vec;
typedef struct {
  double d[16];
} vecd;
typedef struct {
  uint64_t q[16];
} vecq;

#define VEC_EACH(type, member, expression) \
  type r;                                  \
  for (int i = 0; i < 16; i++) {           \
    r.member[i] = (expression);            \
  }                                        \
  return r

VEC_INLINE vec vec_set1(float x) {
  VEC_EACH(vec, f, x);
}
VEC_INLINE vec vec_load(const float *p) {
  VEC_EACH(vec, f, p[i]);
}
VEC_INLINE void vec_store(float *p, vec x) {
  memcpy(p, x.f, sizeof x.f);
}
VEC_INLINE vec vec_load_fill(const float *p, size_t n, float fill) {
  VEC_EACH(vec, f, (size_t)i < n ? p[i] : fill);
}
VEC_INLINE void vec_store_n(float *p, vec x, size_t n) {
  memcpy(p, x.f, (n < 16 ? n : 16) * sizeof *p);
}

VEC_INLINE vec vec_sqrt(vec x) {
  VEC_EACH(vec, f, sqrtf(x.f[i]));
}
VEC_INLINE vec vec_abs(vec x) {
  VEC_EACH(vec, f, fabsf(x.f[i]));
}
VEC_INLINE vec vec_exp(vec x) {
  VEC_EACH(vec, f, Sleef_finz_expf1_u10purecfma(x.f[i]));
}
VEC_INLINE vec vec_tanh(vec x) {
  VEC_EACH(vec, f, Sleef_finz_tanhf1_u10purecfma(x.f[i]));
}
VEC_INLINE vec vec_add(vec x, vec y) {
  VEC_EACH(vec, f, x.f[i] + y.f[i]);
}
VEC_INLINE vec vec_sub(vec x, vec y) {
  VEC_EACH(vec, f, x.f[i] - y.f[i]);
}
VEC_INLINE vec vec_mul(vec x, vec y) {
  VEC_EACH(vec, f, x.f[i] * y.f[i]);
}
VEC_INLINE vec vec_div(vec x, vec y) {
  VEC_EACH(vec, f, x.f[i] / y.f[i]);
}
VEC_INLINE vec vec_min(vec x, vec y) {
  VEC_EACH(vec, f, x.f[i] < y.f[i] ? x.f[i] : y.f[i]);
}
VEC_INLINE vec vec_max(vec x, vec y) {
  VEC_EACH(vec, f, x.f[i] > y.f[i] ? x.f[i] : y.f[i]);
}
VEC_INLINE vec vec_fma(vec x, vec y, vec z) {
  VEC_EACH(vec, f, fmaf(x.f[i], y.f[i], z.f[i]));
}
VEC_INLINE vec vec_fnma(vec x, vec y, vec z) {
  VEC_EACH(vec, f, fmaf(-x.f[i], y.f[i], z.f[i]));
}
VEC_INLINE vec vec_select_positive(vec x, vec y, vec z) {
  VEC_EACH(vec, f, x.f[i] > 0.0f ? y.f[i] : z.f[i]);
}

VEC_INLINE float vec_sum(vec x) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) {
      x.f[i] += x.f[i + half];
    }
  }
  return x.f[0];
}
VEC_INLINE float vec_largest(vec x) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) {
      x.f[i] = x.f[i] > x.f[i + half] ? x.f[i] : x.f[i + half];
    }
  }
  return x.f[0];
}

VEC_INLINE vec vec_negate(vec x, uint32_t signs) {
  VEC_EACH(vec, f, (signs >> i & 1) != 0 ? -x.f[i] : x.f[i]);
}
VEC_INLINE vec vec_rotate(vec x, uint32_t by) {
  VEC_EACH(vec, f, x.f[((uint32_t)i - by) % 16]);
}
VEC_INLINE void vec_accumulate_fixed(uint64_t *sum, vec x, double scale) {
  const double anchor = VEC_ANCHOR;
  uint64_t zero;
  memcpy(&zero, &anchor, sizeof zero);
  for (int i = 0; i < 16; i++) {
    const double y = (double)x.f[i] * scale + anchor;
    uint64_t bits;
    memcpy(&bits, &y, sizeof bits);
    sum[i] += bits - zero;
  }
}

VEC_INLINE vecd vecd_zero(void) {
  VEC_EACH(vecd, d, 0.0);
}
VEC_INLINE vecd vecd_add_square(vecd sum, vec x) {
  VEC_EACH(vecd, d, fma((double)x.f[i], (double)x.f[i], sum.d[i]));
}
VEC_INLINE double vecd_sum(vecd x) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) {
      x.d[i] += x.d[i + half];
    }
  }
  return x.d[0];
}

VEC_INLINE vecq vecq_count(uint32_t first, uint32_t x) {
  VEC_EACH(vecq, q, (first + (uint32_t)i) ^ x);
}
VEC_INLINE vecq vecq_mul(vecq a, uint32_t m) {
  VEC_EACH(vecq, q, (a.q[i] & UINT32_MAX) * m);
}
VEC_INLINE vecq vecq_xor1(vecq a, uint32_t x) {
  VEC_EACH(vecq, q, a.q[i] ^ x);
}
VEC_INLINE vecq vecq_high_xor(vecq p, vecq a, uint32_t x) {
  VEC_EACH(vecq, q, (p.q[i] >> 32) ^ a.q[i] ^ x);
}
VEC_INLINE vecq vecq_high_xor1(vecq p, uint32_t x) {
  VEC_EACH(vecq, q, (p.q[i] >> 32) ^ x);
}
VEC_INLINE vec vecq_factor(vecq w, uint32_t threshold, float scale) {
  VEC_EACH(vec, f, (uint32_t)w.q[i] < threshold ? 0.0f : scale);
}

VEC_INLINE void vec_transpose(vec r[16]) {
  for (int i = 0; i < 16; i++) {
    for (int j = 0; j < i; j++) {
      const float held = r[i].f[j];
      r[i].f[j] = r[j].f[i];
      r[j].f[i] = held;
    }
  }
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
  vec r;
  vec_bf16_each(pairs, 0, r.f);
  return r;
}
VEC_INLINE vec vec_bf16_odd(const uint16_t *pairs) {
  vec r;
  vec_bf16_each(pairs, 1, r.f);
  return r;
}
VEC_INLINE vec vec_bf16_load(const uint16_t *p) {
  VEC_EACH(vec, f, vec_bf16_value(p[i]));
}
VEC_INLINE void vec_bf16_round(uint16_t *out, vec x) {
  vec_bf16_round_each(x.f, out);
}
VEC_INLINE void vec_bf16_pair(const uint16_t *a, const uint16_t *b, uint16_t *out) {
  vec_bf16_pair_each(a, b, out);
}
VEC_INLINE vec vec_bf16_fma(vec x, vec y, vec z) {
  VEC_EACH(vec, f, vec_bf16_fma1(x.f[i], y.f[i], z.f[i]));
}
VEC_INLINE vec vec_bf16_add(vec x, vec y) {
  VEC_EACH(vec, f, vec_bf16_add1(x.f[i], y.f[i]));
}
VEC_INLINE unsigned vec_flush_begin(void) {
  return 0;
}
VEC_INLINE void vec_flush_end(unsigned state) {
  (void)state;
}
VEC_INLINE int vec_flush_missed(const vec *results) {
  (void)results;
  return 0;
}

#endif
