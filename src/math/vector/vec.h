/* Sixteen floats at once: the small vocabulary the kernels are written in.
 *
 * One implementation per instruction set; v3 (AVX2 and FMA, two registers) and v4 (AVX-512, one register) give the same
 * bits for every operation here, so a kernel written with them does too. Lane i is the i-th float in memory. The
 * functions ending in _n touch the first min(n, 16) floats only; n > 0. SLEEF's deterministic variants (finz: with FMA,
 * cinz: without) are used because they agree to the bit between vector widths. */
#ifndef AD_MATH_VECTOR_VEC_H
#define AD_MATH_VECTOR_VEC_H

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include "vector/vec_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "vector/vec_avx2.h"
#else
#include "vector/vec_generic.h"
#endif

/* Loads up to 16 floats; the other lanes are 0. */
VEC_INLINE vec vec_load_n(const float *p, size_t n) {
  return vec_load_fill(p, n, 0.0f);
}

/* sum[0 .. min(n,16)) += x: one row's addition to a column sum. */
VEC_INLINE void vec_accumulate_n(float *sum, vec x, size_t n) {
  vec_store_n(sum, vec_add(vec_load_n(sum, n), x), n);
}

#endif
