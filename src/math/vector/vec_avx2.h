/* vec.h on AVX2 and FMA: two registers, lanes 0-7 and 8-15. */
#ifndef AD_MATH_VECTOR_VEC_AVX2_H
#define AD_MATH_VECTOR_VEC_AVX2_H

#include <immintrin.h>

#include "vector/vec_common.h"

#define VEC_SET_NAME "v3"
#define VEC_TILE_TALL 0
enum { VEC_TILE_ROWS = 6, VEC_TILE_VECS = 1 }; /* register block of product.h: 12 of 16 registers accumulate */

typedef struct {
  __m256 a, b;
} vec;
typedef struct {
  __m256d q[4];
} vecd;
typedef struct {
  __m256i even[2], odd[2]; /* words 0 2 4 6, 8 10 12 14; 1 3 5 7, 9 11 13 15 */
} vecq;

VEC_INLINE vec vec_set1(float x) {
  return (vec){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
VEC_INLINE vec vec_load(const float *p) {
  return (vec){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
VEC_INLINE void vec_store(float *p, vec x) {
  _mm256_storeu_ps(p, x.a);
  _mm256_storeu_ps(p + 8, x.b);
}
/* Lanes [from, from + 8) of a mask of the first n lanes. */
VEC_INLINE __m256i vec_first(size_t n, size_t from) {
  static const int32_t lanes[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256((const __m256i *)(const void *)(lanes + 16 - n + from));
}
VEC_INLINE vec vec_load_fill(const float *p, size_t n, float fill) {
  if (n >= 16) {
    return vec_load(p);
  }
  const __m256 other = _mm256_set1_ps(fill);
  const __m256i a = vec_first(n, 0), b = vec_first(n, 8);
  return (vec){_mm256_blendv_ps(other, _mm256_maskload_ps(p, a), _mm256_castsi256_ps(a)),
               _mm256_blendv_ps(other, _mm256_maskload_ps(p + 8, b), _mm256_castsi256_ps(b))};
}
VEC_INLINE void vec_store_n(float *p, vec x, size_t n) {
  if (n >= 16) {
    vec_store(p, x);
  } else {
    _mm256_maskstore_ps(p, vec_first(n, 0), x.a);
    _mm256_maskstore_ps(p + 8, vec_first(n, 8), x.b);
  }
}

VEC_INLINE vec vec_add(vec x, vec y) {
  return (vec){_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)};
}
VEC_INLINE vec vec_sub(vec x, vec y) {
  return (vec){_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)};
}
VEC_INLINE vec vec_mul(vec x, vec y) {
  return (vec){_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)};
}
VEC_INLINE vec vec_div(vec x, vec y) {
  return (vec){_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)};
}
VEC_INLINE vec vec_sqrt(vec x) {
  return (vec){_mm256_sqrt_ps(x.a), _mm256_sqrt_ps(x.b)};
}
VEC_INLINE vec vec_fma(vec x, vec y, vec z) {
  return (vec){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
VEC_INLINE vec vec_fnma(vec x, vec y, vec z) {
  return (vec){_mm256_fnmadd_ps(x.a, y.a, z.a), _mm256_fnmadd_ps(x.b, y.b, z.b)};
}
VEC_INLINE vec vec_max(vec x, vec y) {
  return (vec){_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)};
}
VEC_INLINE vec vec_min(vec x, vec y) {
  return (vec){_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)};
}
VEC_INLINE vec vec_abs(vec x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return (vec){_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
VEC_INLINE vec vec_select_positive(vec x, vec y, vec z) {
  const __m256 zero = _mm256_setzero_ps();
  return (vec){_mm256_blendv_ps(z.a, y.a, _mm256_cmp_ps(x.a, zero, _CMP_GT_OQ)),
               _mm256_blendv_ps(z.b, y.b, _mm256_cmp_ps(x.b, zero, _CMP_GT_OQ))};
}
VEC_INLINE vec vec_exp(vec x) {
  return (vec){Sleef_finz_expf8_u10avx2(x.a), Sleef_finz_expf8_u10avx2(x.b)};
}
VEC_INLINE vec vec_tanh(vec x) {
  return (vec){Sleef_finz_tanhf8_u10avx2(x.a), Sleef_finz_tanhf8_u10avx2(x.b)};
}

VEC_INLINE float vec_sum(vec x) {
  const __m256 a = _mm256_add_ps(x.a, x.b);
  const __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
  return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
VEC_INLINE float vec_largest(vec x) {
  const __m256 a = _mm256_max_ps(x.a, x.b);
  const __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 c = _mm_max_ps(b, _mm_movehl_ps(b, b));
  return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}

VEC_INLINE vecd vecd_zero(void) {
  const __m256d zero = _mm256_setzero_pd();
  return (vecd){{zero, zero, zero, zero}};
}
VEC_INLINE vecd vecd_add_square(vecd sum, vec x) {
  const __m128 quarter[4] = {_mm256_castps256_ps128(x.a), _mm256_extractf128_ps(x.a, 1), _mm256_castps256_ps128(x.b),
                             _mm256_extractf128_ps(x.b, 1)};
  for (int i = 0; i < 4; i++) {
    const __m256d y = _mm256_cvtps_pd(quarter[i]);
    sum.q[i] = _mm256_fmadd_pd(y, y, sum.q[i]);
  }
  return sum;
}
VEC_INLINE double vecd_sum(vecd x) {
  const __m256d b = _mm256_add_pd(_mm256_add_pd(x.q[0], x.q[2]), _mm256_add_pd(x.q[1], x.q[3]));
  const __m128d c = _mm_add_pd(_mm256_castpd256_pd128(b), _mm256_extractf128_pd(b, 1));
  return _mm_cvtsd_f64(_mm_add_sd(c, _mm_unpackhi_pd(c, c)));
}

VEC_INLINE vec vec_negate(vec x, uint32_t signs) {
  const __m256i word = _mm256_set1_epi32((int)signs), lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i a = _mm256_srlv_epi32(word, lane), b = _mm256_srli_epi32(a, 8);
  return (vec){_mm256_xor_ps(x.a, _mm256_castsi256_ps(_mm256_slli_epi32(a, 31))),
               _mm256_xor_ps(x.b, _mm256_castsi256_ps(_mm256_slli_epi32(b, 31)))};
}
VEC_INLINE vec vec_rotate(vec x, uint32_t by) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), turn = _mm256_set1_epi32((int)(by % 8));
  const __m256i from = _mm256_sub_epi32(lane, turn); /* modulo 8 */
  const __m256 a = _mm256_permutevar8x32_ps(x.a, from), b = _mm256_permutevar8x32_ps(x.b, from);
  const __m256 other = _mm256_castsi256_ps(_mm256_cmpgt_epi32(turn, lane)); /* these come from the other half */
  const __m256 low = _mm256_blendv_ps(a, b, other), high = _mm256_blendv_ps(b, a, other);
  return by < 8 ? (vec){low, high} : (vec){high, low};
}
VEC_INLINE void vec_accumulate_fixed(uint64_t *sum, vec x, double scale) {
  const __m256d factor = _mm256_set1_pd(scale), anchor = _mm256_set1_pd(VEC_ANCHOR);
  const __m128 quarter[4] = {_mm256_castps256_ps128(x.a), _mm256_extractf128_ps(x.a, 1), _mm256_castps256_ps128(x.b),
                             _mm256_extractf128_ps(x.b, 1)};
  for (int i = 0; i < 4; i++) {
    __m256i *place = (__m256i *)(void *)(sum + 4 * i);
    const __m256d y = _mm256_add_pd(_mm256_mul_pd(_mm256_cvtps_pd(quarter[i]), factor), anchor);
    const __m256i value = _mm256_sub_epi64(_mm256_castpd_si256(y), _mm256_castpd_si256(anchor));
    _mm256_storeu_si256(place, _mm256_add_epi64(_mm256_loadu_si256(place), value));
  }
}

VEC_INLINE vecq vecq_count(uint32_t first, uint32_t x) {
  const __m256i start = _mm256_add_epi32(_mm256_setr_epi64x(0, 2, 4, 6), _mm256_set1_epi32((int)first));
  const __m256i word = _mm256_set1_epi32((int)x);
  vecq r;
  for (int i = 0; i < 2; i++) {
    r.even[i] = _mm256_xor_si256(_mm256_add_epi32(start, _mm256_set1_epi64x(8 * i)), word);
    r.odd[i] = _mm256_xor_si256(_mm256_add_epi32(start, _mm256_set1_epi64x(8 * i + 1)), word);
  }
  return r;
}
VEC_INLINE vecq vecq_mul(vecq a, uint32_t m) {
  const __m256i factor = _mm256_set1_epi64x(m);
  for (int i = 0; i < 2; i++) {
    a.even[i] = _mm256_mul_epu32(a.even[i], factor);
    a.odd[i] = _mm256_mul_epu32(a.odd[i], factor);
  }
  return a;
}
VEC_INLINE vecq vecq_xor1(vecq a, uint32_t x) {
  const __m256i word = _mm256_set1_epi32((int)x);
  for (int i = 0; i < 2; i++) {
    a.even[i] = _mm256_xor_si256(a.even[i], word);
    a.odd[i] = _mm256_xor_si256(a.odd[i], word);
  }
  return a;
}
VEC_INLINE vecq vecq_high_xor1(vecq p, uint32_t x) {
  for (int i = 0; i < 2; i++) {
    p.even[i] = _mm256_srli_epi64(p.even[i], 32);
    p.odd[i] = _mm256_srli_epi64(p.odd[i], 32);
  }
  return vecq_xor1(p, x);
}
VEC_INLINE vecq vecq_high_xor(vecq p, vecq a, uint32_t x) {
  vecq r = vecq_high_xor1(p, x);
  for (int i = 0; i < 2; i++) {
    r.even[i] = _mm256_xor_si256(r.even[i], a.even[i]);
    r.odd[i] = _mm256_xor_si256(r.odd[i], a.odd[i]);
  }
  return r;
}
VEC_INLINE vec vecq_factor(vecq w, uint32_t threshold, float scale) {
  const __m256i limit = _mm256_set1_epi32((int)threshold);
  __m256 factor[2];
  for (int i = 0; i < 2; i++) {
    const __m256i words = _mm256_blend_epi32(w.even[i], _mm256_slli_epi64(w.odd[i], 32), 0xAA);
    const __m256i kept = _mm256_cmpeq_epi32(_mm256_max_epu32(words, limit), words);
    factor[i] = _mm256_and_ps(_mm256_castsi256_ps(kept), _mm256_set1_ps(scale));
  }
  return (vec){factor[0], factor[1]};
}

VEC_INLINE void vec_transpose8(__m256 r[8]) {
  __m256 t[8];
  for (int i = 0; i < 8; i += 4) { /* 4 x 4 blocks inside the 128-bit halves */
    const __m256 a = _mm256_unpacklo_ps(r[i], r[i + 1]), b = _mm256_unpackhi_ps(r[i], r[i + 1]);
    const __m256 c = _mm256_unpacklo_ps(r[i + 2], r[i + 3]), d = _mm256_unpackhi_ps(r[i + 2], r[i + 3]);
    t[i] = _mm256_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm256_shuffle_ps(a, c, 0xEE);
    t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm256_shuffle_ps(b, d, 0xEE);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
  }
}
VEC_INLINE void vec_transpose(vec r[16]) {
  __m256 block[4][8]; /* top left, top right, bottom left, bottom right */
  for (int i = 0; i < 8; i++) {
    block[0][i] = r[i].a;
    block[1][i] = r[i].b;
    block[2][i] = r[i + 8].a;
    block[3][i] = r[i + 8].b;
  }
  for (int i = 0; i < 4; i++) {
    vec_transpose8(block[i]);
  }
  for (int i = 0; i < 8; i++) {
    r[i] = (vec){block[0][i], block[2][i]};
    r[i + 8] = (vec){block[1][i], block[3][i]};
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

/* As in vec_avx512.h, the line in two halves. */
VEC_INLINE void vec_stream(float *p, vec x) {
  if ((uintptr_t)p % sizeof x == 0) {
    _mm256_stream_ps(p, x.a);
    _mm256_stream_ps(p + 8, x.b);
  } else {
    vec_store(p, x);
  }
}
VEC_INLINE void vec_stream_end(void) {
  _mm_sfence();
}

/* While subnormal operands and results are zeros (a rule of x86 that the specification has taken over). */
VEC_INLINE unsigned vec_flush_begin(void) {
  const unsigned state = _mm_getcsr();
  _mm_setcsr(state | 0x8040);
  return state;
}
VEC_INLINE void vec_flush_end(unsigned state) {
  _mm_setcsr(state);
}
VEC_INLINE int vec_flush_missed(const vec *results) {
  (void)results;
  return 0;
}
VEC_INLINE vec vec_bf16_fma(vec x, vec y, vec z) {
  return vec_fma(x, y, z);
}
VEC_INLINE vec vec_bf16_add(vec x, vec y) {
  return vec_add(x, y);
}
VEC_INLINE __m256i vec_words(const uint16_t *pairs) {
  return _mm256_loadu_si256((const __m256i *)(const void *)pairs);
}
VEC_INLINE vec vec_bf16_even(const uint16_t *pairs) {
  return (vec){_mm256_castsi256_ps(_mm256_slli_epi32(vec_words(pairs), 16)),
               _mm256_castsi256_ps(_mm256_slli_epi32(vec_words(pairs + 16), 16))};
}
VEC_INLINE vec vec_bf16_odd(const uint16_t *pairs) {
  const __m256i mask = _mm256_set1_epi32((int)0xffff0000);
  return (vec){_mm256_castsi256_ps(_mm256_and_si256(vec_words(pairs), mask)),
               _mm256_castsi256_ps(_mm256_and_si256(vec_words(pairs + 16), mask))};
}
VEC_INLINE __m256 vec_widened(const uint16_t *p) {
  const __m128i halves = _mm_loadu_si128((const __m128i *)(const void *)p);
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}
VEC_INLINE vec vec_bf16_load(const uint16_t *p) {
  return (vec){vec_widened(p), vec_widened(p + 8)};
}
/* Eight floats, each rounded in the upper half of its word, which is moved down. */
VEC_INLINE __m256i vec_rounded(__m256 x) {
  const __m256i word = _mm256_castps_si256(x), exponent = _mm256_set1_epi32(0x7f800000);
  const __m256i even = _mm256_and_si256(_mm256_srli_epi32(word, 16), _mm256_set1_epi32(1));
  const __m256i up = _mm256_add_epi32(word, _mm256_add_epi32(_mm256_set1_epi32(0x7fff), even));
  const __m256i nan = _mm256_or_si256(word, _mm256_set1_epi32(0x400000));
  const __m256i sign = _mm256_and_si256(word, _mm256_set1_epi32(INT32_MIN));
  const __m256i zero = _mm256_cmpeq_epi32(_mm256_and_si256(word, exponent), _mm256_setzero_si256());
  const __m256i none = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  const __m256i rounded = _mm256_blendv_epi8(_mm256_blendv_epi8(up, sign, zero), nan, none);
  return _mm256_srli_epi32(rounded, 16);
}
VEC_INLINE void vec_bf16_round(uint16_t *out, vec x) {
  const __m256i packed = _mm256_packus_epi32(vec_rounded(x.a), vec_rounded(x.b));
  _mm256_storeu_si256((__m256i *)(void *)out, _mm256_permute4x64_epi64(packed, 0xD8));
}
VEC_INLINE void vec_bf16_pair(const uint16_t *a, const uint16_t *b, uint16_t *out) {
  const __m256i x = vec_words(a), y = vec_words(b);
  const __m256i low = _mm256_unpacklo_epi16(x, y), high = _mm256_unpackhi_epi16(x, y);
  _mm256_storeu_si256((__m256i *)(void *)out, _mm256_permute2x128_si256(low, high, 0x20));
  _mm256_storeu_si256((__m256i *)(void *)(out + 16), _mm256_permute2x128_si256(low, high, 0x31));
}

#endif
