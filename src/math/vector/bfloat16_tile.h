/* Matrix products over blocks of bfloat16 numbers: C [M,N] = A B or C += A B. Each block adds the sum of two chains
 * that begin with zero, over its even places and over its odd ones (docs/arithmetic.md).
 *
 * BF16_CHAIN: steps of a chain. BF16_STEP(x, line, sum): one step, of a word of A and 16 words of B. A word is a
 * number, or a pair of them, as the file that includes this has it. */
#ifndef AD_MATH_VECTOR_BFLOAT16_TILE_H
#define AD_MATH_VECTOR_BFLOAT16_TILE_H

#include "vector/vec.h"

#ifndef BF16_CHAIN
#define BF16_CHAIN 16
#define BF16_STEP vec_bf16_fma
#endif

enum { BF16_WORDS = 2 * BF16_CHAIN, BF16_VALUES = 32 }; /* of a block */

VEC_INLINE size_t bf16_blocks(size_t inner) {
  return (inner + BF16_VALUES - 1) / BF16_VALUES;
}

/* Steps of a block with so many values, or more. */
VEC_INLINE size_t bf16_steps(size_t values) {
  const size_t of_step = BF16_VALUES / BF16_CHAIN;
  return values < BF16_VALUES ? (values + of_step - 1) / of_step : BF16_CHAIN;
}

struct bf16_product {
  size_t inner, width; /* places behind the inner-th hold zeros: their steps are left out */
  const float *A;      /* [M, words of all blocks], of each block the even places first */
  const float *B;      /* [words of all blocks, width], likewise */
  float *C;
  size_t ldc;
  int accumulate;
  /* The columns [n, n + width) of `rows` rows by the specification, from C's own values on, outside of the stretch in
   * which subnormal numbers are zeros: where vec_flush_missed. NULL: it never is. */
  void (*exact)(const struct bf16_product *p, size_t i, size_t n, size_t rows, size_t width);
  unsigned state; /* what vec_flush_begin has found */
};

/* Chains of a block that are made side by side: both, where there are registers for twice the sums. */
enum { BF16_ABREAST = VEC_TILE_TALL ? 2 : 1, BF16_TILE_VECS = VEC_TILE_TALL ? 2 : 1 };

typedef vec bf16_sums[VEC_TILE_ROWS][BF16_TILE_VECS];

/* BF16_ABREAST chains of so many steps from zero: a, rows that are `lda` apart; b, rows that are `ldb` apart. */
VEC_INLINE void bf16_chains(size_t steps, const float *a, size_t lda, const float *b, size_t ldb, const int rows,
                            const int vecs, bf16_sums sum[BF16_ABREAST]) {
#pragma GCC unroll 2
  for (int c = 0; c < BF16_ABREAST; c++) {
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
      for (int w = 0; w < vecs; w++) {
        sum[c][r][w] = vec_set1(0.0f);
      }
    }
  }
  for (size_t k = 0; k < steps; k++) {
    vec line[BF16_ABREAST][BF16_TILE_VECS];
#pragma GCC unroll 2
    for (int c = 0; c < BF16_ABREAST; c++) {
#pragma GCC unroll 2
      for (int w = 0; w < vecs; w++) {
        line[c][w] = vec_load(b + ((size_t)c * BF16_CHAIN + k) * ldb + 16 * w);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
      for (int c = 0; c < BF16_ABREAST; c++) {
        const vec x = vec_set1(a[(size_t)r * lda + (size_t)c * BF16_CHAIN + k]);
#pragma GCC unroll 2
        for (int w = 0; w < vecs; w++) {
          sum[c][r][w] = BF16_STEP(x, line[c][w], sum[c][r][w]);
        }
      }
    }
  }
}

/* A block of `rows` x (16 `vecs`), constants at every call; `width` (at most 16 vecs) columns exist. */
VEC_INLINE void bf16_tile(const struct bf16_product *p, size_t i, size_t n, const int rows, const int vecs,
                          size_t width) {
  const size_t blocks = bf16_blocks(p->inner), lda = BF16_WORDS * blocks;
  float *c = p->C + i * p->ldc + n;
  bf16_sums total, chain[2]; /* over even places, over odd ones */
  for (int r = 0; r < rows; r++) {
    for (int w = 0; w < vecs; w++) {
      total[r][w] =
          p->accumulate ? vec_load_n(c + (size_t)r * p->ldc + 16 * w, width - 16 * (size_t)w) : vec_set1(0.0f);
    }
  }
  for (size_t b = 0; b < blocks; b++) {
    const size_t steps = bf16_steps(p->inner - b * BF16_VALUES);
    const float *A = p->A + i * lda + b * BF16_WORDS, *B = p->B + b * BF16_WORDS * p->width + n;
#pragma GCC unroll 2
    for (int odd = 0; odd < 2; odd += BF16_ABREAST) {
      bf16_chains(steps, A + odd * BF16_CHAIN, lda, B + (size_t)odd * BF16_CHAIN * p->width, p->width, rows, vecs,
                  &chain[odd]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
      for (int w = 0; w < vecs; w++) {
        total[r][w] = vec_bf16_add(total[r][w], vec_bf16_add(chain[0][r][w], chain[1][r][w]));
      }
    }
  }
  if (vec_flush_missed(total[0])) {
    vec_flush_end(p->state);
    p->exact(p, i, n, (size_t)rows, width);
    (void)vec_flush_begin();
    return;
  }
  for (int r = 0; r < rows; r++) {
    for (int w = 0; w < vecs; w++) {
      vec_store_n(c + (size_t)r * p->ldc + 16 * w, total[r][w], width - 16 * (size_t)w);
    }
  }
}

/* All rows of a column panel, shared out evenly. */
VEC_INLINE void bf16_panel(const struct bf16_product *p, size_t M, size_t n, const int vecs, size_t width) {
  const size_t blocks = (M + VEC_TILE_ROWS - 1) / VEC_TILE_ROWS;
  for (size_t done = 0, block = 0; block < blocks; block++) {
    const size_t rows = (M - done + blocks - block - 1) / (blocks - block);
    switch (rows) {
      case 1:
        bf16_tile(p, done, n, 1, vecs, width);
        break;
      case 2:
        bf16_tile(p, done, n, 2, vecs, width);
        break;
      case 3:
        bf16_tile(p, done, n, 3, vecs, width);
        break;
      case 4:
        bf16_tile(p, done, n, 4, vecs, width);
        break;
      case 5:
        bf16_tile(p, done, n, 5, vecs, width);
        break;
      default:
        bf16_tile(p, done, n, 6, vecs, width);
    }
    done += rows;
  }
}

/* Not inlined: nothing of it may move out of the stretch in which subnormal numbers are zeros. */
static __attribute__((noinline)) void bf16_panels(const struct bf16_product *p, size_t M, size_t N) {
  size_t n = 0;
#if VEC_TILE_TALL
  for (; n + 32 <= N; n += 32) {
    bf16_panel(p, M, n, 2, 32);
  }
#endif
  for (; n < N; n += 16) {
    bf16_panel(p, M, n, 1, N - n < 16 ? N - n : 16);
  }
}

static void bf16_product(struct bf16_product *p, size_t M, size_t N) {
  p->state = vec_flush_begin();
  bf16_panels(p, M, N);
  vec_flush_end(p->state);
}

#endif
