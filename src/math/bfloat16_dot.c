/* Products with bfloat16 operands by VDPBF16PS of AVX512_BF16: sum = fma(low, low, fma(high, high, sum)) in each word
 * of 32 bits, subnormal numbers being zeros. A chain of 16 goes in eight of them, so its numbers are put together two
 * by two, the earlier one in the upper half of a word. */
#include "bfloat16_way.h"

#if defined(__x86_64__) && defined(AD_HAVE_AVX512_BF16)
#include <immintrin.h>
#include <string.h>

enum { DEPTH = AD_BF16_DEPTH, CHAIN = DEPTH / 4, ROWS = 6, VECTORS = 4 };

static int runs(const struct ad_kernels *kernels) {
  return strcmp(kernels->name, "v4") == 0 && __builtin_cpu_supports("avx512bf16");
}

/* In a block: words of places 2 and 0, 6 and 4, ..., 30 and 28; then of 3 and 1, ..., 31 and 29. */
static void make_left(const struct ad_kernels *kernels, size_t M, size_t blocks, const ad_bf16 *rows, size_t ld,
                      void *out) {
  (void)kernels;
  static const uint16_t places[DEPTH] = {2, 0, 6, 4, 10, 8, 14, 12, 18, 16, 22, 20, 26, 24, 30, 28,
                                         3, 1, 7, 5, 11, 9, 15, 13, 19, 17, 23, 21, 27, 25, 31, 29};
  const __m512i from = _mm512_loadu_si512(places);
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
  for (size_t b = 0; b < blocks; b++, to += DEPTH * width) {
    for (size_t k = 0; k < CHAIN; k++, packed += 4 * width) {
      for (size_t n = 0; n < 2 * width; n += 32) {
        const __m512i first = _mm512_loadu_si512(packed + n), second = _mm512_loadu_si512(packed + 2 * width + n);
        const __m512i even = _mm512_or_si512(_mm512_slli_epi32(first, 16), _mm512_andnot_si512(upper, second));
        const __m512i odd = _mm512_or_si512(_mm512_and_si512(first, upper), _mm512_srli_epi32(second, 16));
        _mm512_storeu_si512(to + 2 * k * width + n, even);
        _mm512_storeu_si512(to + 2 * (CHAIN + k) * width + n, odd);
      }
    }
  }
}

struct dot {
  size_t blocks, width;
  const ad_bf16 *A, *B;
  float *C;
  size_t ldc;
  int accumulate;
};

#define INLINE static inline __attribute__((always_inline))

INLINE __m512 pairs_of(const ad_bf16 *a) {
  int32_t word;
  memcpy(&word, a, sizeof word);
  return _mm512_castsi512_ps(_mm512_set1_epi32(word));
}

/* A chain from zero: a, rows that are `lda` apart; b, rows of pairs that are `ldb` apart. */
INLINE void chain(const ad_bf16 *a, size_t lda, const ad_bf16 *b, size_t ldb, const int rows, const int vectors,
                  __m512 sum[ROWS][VECTORS]) {
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int w = 0; w < vectors; w++) {
      sum[r][w] = _mm512_setzero_ps();
    }
  }
#pragma GCC unroll 8
  for (size_t k = 0; k < CHAIN; k++) {
    __m512bh line[VECTORS];
#pragma GCC unroll 4
    for (int w = 0; w < vectors; w++) {
      line[w] = (__m512bh)_mm512_loadu_ps((const float *)(const void *)(b + k * ldb + 32 * w));
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      const __m512bh x = (__m512bh)pairs_of(a + (size_t)r * lda + 2 * k);
#pragma GCC unroll 4
      for (int w = 0; w < vectors; w++) {
        sum[r][w] = _mm512_dpbf16_ps(sum[r][w], x, line[w]);
      }
    }
  }
}

INLINE __mmask16 first(size_t n) {
  return n >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << n) - 1);
}

/* A block of `rows` x (16 `vectors`), constants at every call; `width` columns exist. */
INLINE void tile(const struct dot *p, size_t i, size_t n, const int rows, const int vectors, size_t width) {
  const size_t lda = DEPTH * p->blocks, ldb = 2 * p->width;
  float *c = p->C + i * p->ldc + n;
  __m512 total[ROWS][VECTORS], even[ROWS][VECTORS], odd[ROWS][VECTORS];
  for (int r = 0; r < rows; r++) {
    for (int w = 0; w < vectors; w++) {
      total[r][w] = p->accumulate
                        ? _mm512_maskz_loadu_ps(first(width - 16 * (size_t)w), c + (size_t)r * p->ldc + 16 * w)
                        : _mm512_setzero_ps();
    }
  }
  for (size_t b = 0; b < p->blocks; b++) {
    const ad_bf16 *A = p->A + i * lda + b * DEPTH, *B = p->B + b * DEPTH * p->width + 2 * n;
    chain(A, lda, B, ldb, rows, vectors, even);
    chain(A + DEPTH / 2, lda, B + CHAIN * ldb, ldb, rows, vectors, odd);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
      for (int w = 0; w < vectors; w++) {
        total[r][w] = _mm512_add_ps(total[r][w], _mm512_add_ps(even[r][w], odd[r][w]));
      }
    }
  }
  for (int r = 0; r < rows; r++) {
    for (int w = 0; w < vectors; w++) {
      _mm512_mask_storeu_ps(c + (size_t)r * p->ldc + 16 * w, first(width - 16 * (size_t)w), total[r][w]);
    }
  }
}

INLINE void panel(const struct dot *p, size_t M, size_t n, const int vectors, size_t width) {
  const size_t blocks = (M + ROWS - 1) / ROWS;
  for (size_t done = 0, block = 0; block < blocks; block++) {
    const size_t rows = (M - done + blocks - block - 1) / (blocks - block);
    switch (rows) {
      case 1:
        tile(p, done, n, 1, vectors, width);
        break;
      case 2:
        tile(p, done, n, 2, vectors, width);
        break;
      case 3:
        tile(p, done, n, 3, vectors, width);
        break;
      case 4:
        tile(p, done, n, 4, vectors, width);
        break;
      case 5:
        tile(p, done, n, 5, vectors, width);
        break;
      default:
        tile(p, done, n, 6, vectors, width);
    }
    done += rows;
  }
}

/* Not inlined: its additions must stay in the stretch in which subnormal numbers are zeros. */
static __attribute__((noinline)) void panels(const struct dot *p, size_t M, size_t N) {
  size_t n = 0;
  for (; n + 64 <= N; n += 64) {
    panel(p, M, n, 4, 64);
  }
  if (n + 32 <= N) {
    panel(p, M, n, 2, 32);
    n += 32;
  }
  for (; n < N; n += 16) {
    panel(p, M, n, 1, N - n < 16 ? N - n : 16);
  }
}

static void product(const struct ad_kernels *kernels, size_t M, size_t N, size_t width, size_t blocks, const void *A,
                    size_t ld, const void *B, float *C, size_t ldc, int accumulate) {
  (void)kernels;
  (void)ld;
  const struct dot p = {blocks, width, A, B, C, ldc, accumulate};
  const unsigned state = _mm_getcsr();
  _mm_setcsr(state | 0x8040);
  panels(&p, M, N);
  _mm_setcsr(state);
}

#else
static int runs(const struct ad_kernels *kernels) {
  (void)kernels;
  return 0;
}
#define make_left NULL
#define make_right NULL
#define product NULL
#endif

const struct ad_bf16_way ad_bf16_dot = {"avx512_bf16", runs,       sizeof(ad_bf16), sizeof(ad_bf16),
                                        make_left,     make_right, product};
