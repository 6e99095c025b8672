/* Sixteen floats at once: the small vocabulary the kernels are written in.
 *
 * One implementation for each instruction set: v4 (AVX-512, one register), v3 (AVX2 and FMA, two), neon (Arm, four) and
 * generic (plain C). All give the same bits for every operation here, so a kernel written with them does too. Lane i is
 * the i-th float in memory. Functions ending in _n touch the first min(n, 16) floats only; n > 0. SLEEF's forms named
 * finz agree to the bit between vector widths. AD_KERNEL_GENERIC asks for plain C whatever the compiler could do. */
#ifndef AD_MATH_VECTOR_VEC_H
#define AD_MATH_VECTOR_VEC_H

#if defined(AD_KERNEL_GENERIC)
#include "vector/vec_generic.h"
#elif defined(__AVX512F__) && defined(__AVX512DQ__)
#include "vector/vec_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "vector/vec_avx2.h"
#elif defined(__aarch64__)
#include "vector/vec_neon.h"
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
