/* vec.h on AVX-512: one register. */
#ifndef AD_MATH_VECTOR_VEC_AVX512_H
#define AD_MATH_VECTOR_VEC_AVX512_H

#include <immintrin.h>

#include "vector/vec_common.h"

#define VEC_SET_NAME "v4"
#define VEC_TILE_TALL 1
enum { VEC_TILE_ROWS = 6, VEC_TILE_VECS = 4 }; /* register block of product.h: 24 of 32 registers accumulate */

typedef __m512 vec;
typedef struct {
  __m512d low, high;
} vecd; /* 16 doubles */
typedef struct {
  __m512i even, odd;
} vecq; /* 16 words of 32 bits, each in the low half of a 64-bit lane */

VEC_INLINE vec vec_set1(float x) {
  return _mm512_set1_ps(x);
}
VEC_INLINE vec vec_load(const float *p) {
  return _mm512_loadu_ps(p);
}
VEC_INLINE void vec_store(float *p, vec x) {
  _mm512_storeu_ps(p, x);
}
VEC_INLINE __mmask16 vec_first(size_t n) {
  return (__mmask16)((1u << n) - 1);
}
VEC_INLINE vec vec_load_fill(const float *p, size_t n, float fill) {
  return n >= 16 ? _mm512_loadu_ps(p) : _mm512_mask_loadu_ps(_mm512_set1_ps(fill), vec_first(n), p);
}
VEC_INLINE void vec_store_n(float *p, vec x, size_t n) {
  if (n >= 16) {
    _mm512_storeu_ps(p, x);
  } else {
    _mm512_mask_storeu_ps(p, vec_first(n), x);
  }
}

VEC_INLINE vec vec_add(vec a, vec b) {
  return _mm512_add_ps(a, b);
}
VEC_INLINE vec vec_sub(vec a, vec b) {
  return _mm512_sub_ps(a, b);
}
VEC_INLINE vec vec_mul(vec a, vec b) {
  return _mm512_mul_ps(a, b);
}
VEC_INLINE vec vec_div(vec a, vec b) {
  return _mm512_div_ps(a, b);
}
VEC_INLINE vec vec_sqrt(vec a) {
  return _mm512_sqrt_ps(a);
}
VEC_INLINE vec vec_fma(vec a, vec b, vec c) {
  return _mm512_fmadd_ps(a, b, c);
} /* a b + c, rounded once */
VEC_INLINE vec vec_fnma(vec a, vec b, vec c) {
  return _mm512_fnmadd_ps(a, b, c);
} /* c - a b, rounded once */
VEC_INLINE vec vec_max(vec a, vec b) {
  return _mm512_max_ps(a, b);
} /* b where either is NaN */
VEC_INLINE vec vec_min(vec a, vec b) {
  return _mm512_min_ps(a, b);
} /* likewise */
VEC_INLINE vec vec_abs(vec a) {
  return _mm512_abs_ps(a);
}
/* Lane by lane x > 0 ? a : b (b where x is NaN). */
VEC_INLINE vec vec_select_positive(vec x, vec a, vec b) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), b, a);
}
VEC_INLINE vec vec_exp(vec x) {
  return Sleef_finz_expf16_u10avx512f(x);
}
VEC_INLINE vec vec_tanh(vec x) {
  return Sleef_finz_tanhf16_u10avx512f(x);
}

/* Sum of the lanes by halving: ((0+8)+(4+12)) ... */
VEC_INLINE float vec_sum(vec x) {
  const __m256 a = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
  return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
VEC_INLINE float vec_largest(vec x) {
  const __m256 a = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 c = _mm_max_ps(b, _mm_movehl_ps(b, b));
  return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}

VEC_INLINE vecd vecd_zero(void) {
  return (vecd){_mm512_setzero_pd(), _mm512_setzero_pd()};
}
/* sum + x * x: the product is exact in double. */
VEC_INLINE vecd vecd_add_square(vecd sum, vec x) {
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(x));
  const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
  return (vecd){_mm512_fmadd_pd(low, low, sum.low), _mm512_fmadd_pd(high, high, sum.high)};
}
VEC_INLINE double vecd_sum(vecd x) {
  const __m512d a = _mm512_add_pd(x.low, x.high);
  const __m256d b = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
  const __m128d c = _mm_add_pd(_mm256_castpd256_pd128(b), _mm256_extractf128_pd(b, 1));
  return _mm_cvtsd_f64(_mm_add_sd(c, _mm_unpackhi_pd(c, c)));
}

/* x, lane i negated where bit i of signs is set. */
VEC_INLINE vec vec_negate(vec x, uint32_t signs) {
  const __m512i bits = _mm512_castps_si512(x), sign = _mm512_set1_epi32(INT32_MIN);
  return _mm512_castsi512_ps(_mm512_mask_xor_epi32(bits, (__mmask16)signs, bits, sign));
}
/* Lane (i + by) mod 16 of the result is lane i of x; by < 16. */
VEC_INLINE vec vec_rotate(vec x, uint32_t by) {
  static const int32_t lanes[32] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
                                    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return _mm512_permutexvar_ps(_mm512_loadu_si512(lanes + 16 - by), x);
}
/* sum[0 .. 16) += x scale, to the nearest integer, ties to even; |x scale| < 2^51, scale a power of two (so that the
 * product is exact in float too). */
VEC_INLINE void vec_accumulate_fixed(uint64_t *sum, vec x, double scale) {
  const __m512 y = _mm512_mul_ps(x, _mm512_set1_ps((float)scale));
  const __m256 half[2] = {_mm512_castps512_ps256(y), _mm512_extractf32x8_ps(y, 1)};
  for (int i = 0; i < 2; i++) {
    const __m512i value = _mm512_cvtps_epi64(half[i]);
    _mm512_storeu_si512(sum + 8 * i, _mm512_add_epi64(_mm512_loadu_si512(sum + 8 * i), value));
  }
}

/* first + lane number, xor x. */
VEC_INLINE vecq vecq_count(uint32_t first, uint32_t x) {
  const __m512i even = _mm512_add_epi32(_mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), _mm512_set1_epi32((int)first));
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi64(1));
  return (vecq){_mm512_xor_si512(even, _mm512_set1_epi32((int)x)), _mm512_xor_si512(odd, _mm512_set1_epi32((int)x))};
}
/* 64-bit products of the words with m. */
VEC_INLINE vecq vecq_mul(vecq a, uint32_t m) {
  const __m512i factor = _mm512_set1_epi64(m);
  return (vecq){_mm512_mul_epu32(a.even, factor), _mm512_mul_epu32(a.odd, factor)};
}
VEC_INLINE vecq vecq_xor1(vecq a, uint32_t x) {
  const __m512i word = _mm512_set1_epi32((int)x);
  return (vecq){_mm512_xor_si512(a.even, word), _mm512_xor_si512(a.odd, word)};
}
/* The high words of the products p, xor a, xor x. */
VEC_INLINE vecq vecq_high_xor(vecq p, vecq a, uint32_t x) {
  const __m512i word = _mm512_set1_epi32((int)x);
  return (vecq){_mm512_ternarylogic_epi64(_mm512_srli_epi64(p.even, 32), a.even, word, 0x96),
                _mm512_ternarylogic_epi64(_mm512_srli_epi64(p.odd, 32), a.odd, word, 0x96)};
}
VEC_INLINE vecq vecq_high_xor1(vecq p, uint32_t x) {
  return vecq_xor1((vecq){_mm512_srli_epi64(p.even, 32), _mm512_srli_epi64(p.odd, 32)}, x);
}
/* Lane by lane: word < threshold ? 0 : scale. */
VEC_INLINE vec vecq_factor(vecq w, uint32_t threshold, float scale) {
  const __m512i words = _mm512_mask_blend_epi32(0xAAAA, w.even, _mm512_slli_epi64(w.odd, 32));
  return _mm512_maskz_mov_ps(_mm512_cmpge_epu32_mask(words, _mm512_set1_epi32((int)threshold)), _mm512_set1_ps(scale));
}

/* sum [16] += entering - leaving in fixed point, x scale to the nearest integer, ties to even; leaving = entering. */
/* Times a power of two a float stays exact, so that it need not become a double on its way to an integer. */
VEC_INLINE void vec_fixed_exchange(const float *entering, float *leaving, double scale, int64_t *sum) {
  const __m256 factor = _mm256_set1_ps((float)scale);
  for (int i = 0; i < 16; i += 8) {
    const __m256 in = _mm256_loadu_ps(entering + i), out = _mm256_loadu_ps(leaving + i);
    const __m512i more = _mm512_cvtps_epi64(_mm256_mul_ps(in, factor));
    const __m512i less = _mm512_cvtps_epi64(_mm256_mul_ps(out, factor));
    _mm512_storeu_si512(sum + i, _mm512_add_epi64(_mm512_loadu_si512(sum + i), _mm512_sub_epi64(more, less)));
    _mm256_storeu_ps(leaving + i, in);
  }
}

/* As vec_quotients_each. */
VEC_INLINE int vec_quotients(const int64_t *sum, double factor, vec *x) {
  const __m512d by = _mm512_set1_pd(factor);
  const __m512i mask = _mm512_set1_epi64(VEC_EXTRA_MASK), least = _mm512_set1_epi64(VEC_MIDDLE - VEC_NEAR);
  __m256 half[2];
  int near = 0;
  for (int i = 0; i < 2; i++) {
    const __m512d quotient = _mm512_mul_pd(_mm512_cvtepi64_pd(_mm512_loadu_si512(sum + 8 * i)), by);
    const __m512i extra = _mm512_and_si512(_mm512_castpd_si512(quotient), mask);
    near |= _mm512_cmple_epu64_mask(_mm512_sub_epi64(extra, least), _mm512_set1_epi64(2 * VEC_NEAR));
    half[i] = _mm512_cvtpd_ps(quotient);
  }
  *x = _mm512_insertf32x8(_mm512_castps256_ps512(half[0]), half[1], 1);
  return near != 0;
}

/* Past the caches where it is a whole line of them: for what is not read soon. vec_stream_end before others may read
 * it. */
VEC_INLINE void vec_stream(float *p, vec x) {
  if ((uintptr_t)p % sizeof x == 0) {
    _mm512_stream_ps(p, x);
  } else {
    vec_store(p, x);
  }
}
VEC_INLINE void vec_stream_end(void) {
  _mm_sfence();
}

/* The 16 x 16 matrix r, transposed in place. */
VEC_INLINE void vec_transpose(vec r[16]) {
  __m512d t[16];
  for (int i = 0; i < 16; i += 4) { /* 4 x 4 blocks inside the 128-bit quarters */
    const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(r[i], r[i + 1]));
    const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(r[i], r[i + 1]));
    const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(r[i + 2], r[i + 3]));
    const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(r[i + 2], r[i + 3]));
    t[i] = _mm512_unpacklo_pd(a, c);
    t[i + 1] = _mm512_unpackhi_pd(a, c);
    t[i + 2] = _mm512_unpacklo_pd(b, d);
    t[i + 3] = _mm512_unpackhi_pd(b, d);
  }
  for (int i = 0; i < 4; i++) { /* then the quarters among themselves */
    const __m512 a = _mm512_castpd_ps(t[i]), b = _mm512_castpd_ps(t[i + 4]);
    const __m512 c = _mm512_castpd_ps(t[i + 8]), d = _mm512_castpd_ps(t[i + 12]);
    const __m512 ab02 = _mm512_shuffle_f32x4(a, b, 0x88), ab13 = _mm512_shuffle_f32x4(a, b, 0xDD);
    const __m512 cd02 = _mm512_shuffle_f32x4(c, d, 0x88), cd13 = _mm512_shuffle_f32x4(c, d, 0xDD);
    r[i] = _mm512_shuffle_f32x4(ab02, cd02, 0x88);
    r[i + 4] = _mm512_shuffle_f32x4(ab13, cd13, 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(ab02, cd02, 0xDD);
    r[i + 12] = _mm512_shuffle_f32x4(ab13, cd13, 0xDD);
  }
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
VEC_INLINE vec vec_bf16_even(const uint16_t *pairs) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(pairs), 16));
}
VEC_INLINE vec vec_bf16_odd(const uint16_t *pairs) {
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(pairs), _mm512_set1_epi32((int)0xffff0000)));
}
VEC_INLINE vec vec_bf16_load(const uint16_t *p) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p)), 16));
}
VEC_INLINE void vec_bf16_round(uint16_t *out, vec x) {
  const __m512i word = _mm512_castps_si512(x), half = _mm512_set1_epi32(0x7fff);
  const __m512i even = _mm512_and_si512(_mm512_srli_epi32(word, 16), _mm512_set1_epi32(1));
  const __m512i up = _mm512_add_epi32(word, _mm512_add_epi32(half, even));
  const __m512i nan = _mm512_or_si512(word, _mm512_set1_epi32(0x400000));
  const __m512i sign = _mm512_and_si512(word, _mm512_set1_epi32(INT32_MIN));
  /* Subnormal numbers and zeros; NaN. */
  const __mmask16 zero = _mm512_testn_epi32_mask(word, _mm512_set1_epi32(0x7f800000));
  const __mmask16 none = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  const __m512i rounded = _mm512_mask_mov_epi32(_mm512_mask_mov_epi32(up, zero, sign), none, nan);
  _mm256_storeu_si256((__m256i *)(void *)out, _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
}
VEC_INLINE void vec_bf16_pair(const uint16_t *a, const uint16_t *b, uint16_t *out) {
  const __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)a));
  const __m512i high = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)b));
  _mm512_storeu_si512(out, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
}

#endif
