/* Products with bfloat16 operands by VDPBF16PS of AVX512_BF16: sum = fma(low, low, fma(high, high, sum)) in each word
 * of 32 bits, subnormal numbers being zeros. A chain of 16 goes in eight of them, so its numbers are put together two
 * by two, the earlier one in the upper half of a word. */
#include "bfloat16_way.h"

/* Words of the even places 2 and 0, of the odd ones 3 and 1, and so on. */
static const uint8_t places[AD_BF16_DEPTH] = {2,  0,  3,  1,  6,  4,  7,  5,  10, 8,  11, 9,  14, 12, 15, 13,
                                              18, 16, 19, 17, 22, 20, 23, 21, 26, 24, 27, 25, 30, 28, 31, 29};

#if defined(__x86_64__) && defined(AD_HAVE_AVX512_BF16)
#include <cpuid.h>

#define BF16_CHAIN 8
#define BF16_STEP(x, line, sum) _mm512_dpbf16_ps(sum, (__m512bh)(x), (__m512bh)(line))
#include "vector/bfloat16_tile.h"

enum { DEPTH = AD_BF16_DEPTH, CHAIN = BF16_CHAIN };

/* CPUs with AMX make one such instruction in the time of four fused multiply-adds. */
static enum ad_bf16_runs runs(const struct ad_kernels *kernels) {
  enum { AMX_BF16 = 1 << 22 };
  unsigned a, b, c, d;
  if (strcmp(kernels->name, "v4") != 0 || !__builtin_cpu_supports("avx512bf16")) {
    return AD_BF16_ABSENT;
  }
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & AMX_BF16) != 0 ? AD_BF16_SLOW : AD_BF16_FAST;
}

static void make_left(const struct ad_kernels *kernels, size_t M, size_t blocks, const ad_bf16 *rows, size_t ld,
                      void *out) {
  (void)kernels;
  const __m512i from = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)places));
  ad_bf16 *to = out;
  for (size_t m = 0; m < M; m++) {
    for (size_t b = 0; b < blocks; b++, to += DEPTH) {
      const __m512i line = _mm512_loadu_si512(rows + m * ld + b * DEPTH);
      _mm512_storeu_si512(to, _mm512_permutexvar_epi16(from, line));
    }
  }
}

static void make_right(const struct ad_kernels *kernels, size_t width, size_t blocks, const ad_bf16 *packed,
                       void *out) {
  (void)kernels;
  const __m512i upper = _mm512_set1_epi32((int)0xffff0000);
  ad_bf16 *to = out;
  for (size_t k = 0; k < blocks * CHAIN; k++, packed += 4 * width, to += 4 * width) {
    for (size_t n = 0; n < 2 * width; n += 32) {
      const __m512i first = _mm512_loadu_si512(packed + n), second = _mm512_loadu_si512(packed + 2 * width + n);
      const __m512i even = _mm512_or_si512(_mm512_slli_epi32(first, 16), _mm512_andnot_si512(upper, second));
      const __m512i odd = _mm512_or_si512(_mm512_and_si512(first, upper), _mm512_srli_epi32(second, 16));
      _mm512_storeu_si512(to + n, even);
      _mm512_storeu_si512(to + 2 * width + n, odd);
    }
  }
}

static void product(const struct ad_kernels *kernels, size_t M, size_t N, size_t width, size_t inner, const void *A,
                    size_t ld, const void *B, float *C, size_t ldc, int accumulate) {
  (void)kernels;
  (void)ld;
  bf16_product(
      &(struct bf16_product){
          .inner = inner, .width = width, .A = A, .B = B, .C = C, .ldc = ldc, .accumulate = accumulate},
      M, N);
}

#else
static enum ad_bf16_runs runs(const struct ad_kernels *kernels) {
  (void)kernels;
  return AD_BF16_ABSENT;
}
#define make_left NULL
#define make_right NULL
#define product NULL
#endif

const struct ad_bf16_way ad_bf16_dot = {
    "avx512_bf16", runs, sizeof(ad_bf16), sizeof(ad_bf16), places, make_left, make_right, product, NULL};
