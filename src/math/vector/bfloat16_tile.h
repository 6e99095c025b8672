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
  const float *A;      /* [M, words of all blocks] (lda), the chains' words by turns */
  size_t lda;
  const float *B; /* [words of all blocks, width], likewise */
  float *C;
  size_t ldc;
  int accumulate;
  /* The columns [n, n + width) of `rows` rows by the specification, from C's own values on, outside of the stretch in
   * which subnormal numbers are zeros: where vec_flush_missed. NULL: it never is. */
  void (*exact)(const struct bf16_product *p, size_t i, size_t n, size_t rows, size_t width);
  unsigned state; /* what vec_flush_begin has found */
};

/* Chains of a block that are made side by side: both, where there are registers for them and for the totals. */
enum {
  BF16_ABREAST = VEC_TILE_TALL ? 2 : 1,
  BF16_ROWS = VEC_TILE_TALL ? 4 : VEC_TILE_ROWS,
  BF16_VECS = VEC_TILE_TALL ? 2 : 1,
  /* Blocks at once: those of B, 16 KiB, stay in the first-level cache while all rows pass by. */
  BF16_BLOCKS = (16 << 10) / (BF16_WORDS * BF16_VECS * 64)
};

typedef vec bf16_sums[BF16_ROWS][BF16_VECS];

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
#pragma GCC unroll 1
  for (const float *end = a + 2 * steps; a < end; a += 2, b += 2 * ldb) {
    vec line[BF16_ABREAST][BF16_VECS];
#pragma GCC unroll 2
    for (int c = 0; c < BF16_ABREAST; c++) {
#pragma GCC unroll 2
      for (int w = 0; w < vecs; w++) {
        line[c][w] = vec_load(b + (size_t)c * ldb + 16 * w);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
      for (int c = 0; c < BF16_ABREAST; c++) {
        const vec x = vec_set1(a[(size_t)r * lda + (size_t)c]);
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
  const float *A = p->A + i * p->lda, *B = p->B + n;
  float *c = p->C + i * p->ldc + n;
  bf16_sums total, chain[2]; /* over even places, over odd ones */
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int w = 0; w < vecs; w++) {
      total[r][w] =
          p->accumulate ? vec_load_n(c + (size_t)r * p->ldc + 16 * w, width - 16 * (size_t)w) : vec_set1(0.0f);
    }
  }
  for (size_t k = 0; k < p->inner; k += BF16_VALUES, A += BF16_WORDS, B += BF16_WORDS * p->width) {
    const size_t steps = bf16_steps(p->inner - k);
#pragma GCC unroll 2
    for (int odd = 0; odd < 2; odd += BF16_ABREAST) {
      bf16_chains(steps, A + odd, p->lda, B + (size_t)odd * p->width, p->width, rows, vecs, &chain[odd]);
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
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int w = 0; w < vecs; w++) {
      vec_store_n(c + (size_t)r * p->ldc + 16 * w, total[r][w], width - 16 * (size_t)w);
    }
  }
}

/* Functions of their own: so many live at once that registers of sums would go to addresses of others. */
#define BF16_TILE(rows, vecs)                                                                                       \
  static __attribute__((noinline)) void bf16_tile_##rows##x##vecs(const struct bf16_product *p, size_t i, size_t n, \
                                                                  size_t width) {                                   \
    bf16_tile(p, i, n, rows, vecs, vecs == 1 ? width : 16 * vecs);                                                  \
  }
BF16_TILE(1, 1)
BF16_TILE(2, 1)
BF16_TILE(3, 1)
BF16_TILE(4, 1)
#if VEC_TILE_TALL
BF16_TILE(1, 2)
BF16_TILE(2, 2)
BF16_TILE(3, 2)
BF16_TILE(4, 2)
#else
BF16_TILE(5, 1)
BF16_TILE(6, 1)
#endif
#undef BF16_TILE

typedef void (*bf16_tiles)(const struct bf16_product *p, size_t i, size_t n, size_t width);

static const bf16_tiles BF16_TILES[][BF16_ROWS] = {
#if VEC_TILE_TALL
    {bf16_tile_1x1, bf16_tile_2x1, bf16_tile_3x1, bf16_tile_4x1},
    {bf16_tile_1x2, bf16_tile_2x2, bf16_tile_3x2, bf16_tile_4x2},
#else
    {bf16_tile_1x1, bf16_tile_2x1, bf16_tile_3x1, bf16_tile_4x1, bf16_tile_5x1, bf16_tile_6x1},
#endif
};

/* All rows of a column panel, shared out evenly: so many in each of the first tiles, and one less in the others. */
VEC_INLINE void bf16_panel(const struct bf16_product *p, size_t M, size_t n, const int vecs, size_t width) {
  const size_t tiles = (M + BF16_ROWS - 1) / BF16_ROWS, rows = (M + tiles - 1) / tiles;
  const size_t first = (M - tiles * (rows - 1)) * rows;
  size_t i = 0;
  for (const bf16_tiles tile = BF16_TILES[vecs - 1][rows - 1]; i < first; i += rows) {
    tile(p, i, n, width);
  }
  for (; i < M; i += rows - 1) {
    BF16_TILES[vecs - 1][rows - 2](p, i, n, width);
  }
}

/* Columns [n, n + width) of all rows, some blocks after others. */
VEC_INLINE void bf16_columns(const struct bf16_product *p, size_t M, size_t n, const int vecs, size_t width) {
  const size_t blocks = bf16_blocks(p->inner);
  for (size_t b = 0; b < blocks; b += BF16_BLOCKS) {
    struct bf16_product some = *p;
    some.A += b * BF16_WORDS;
    some.B += b * BF16_WORDS * p->width;
    some.inner = blocks - b > BF16_BLOCKS ? BF16_BLOCKS * BF16_VALUES : p->inner - b * BF16_VALUES;
    some.accumulate |= b > 0;
    bf16_panel(&some, M, n, vecs, width);
  }
}

/* Not inlined: nothing of it may move out of the stretch in which subnormal numbers are zeros. */
static __attribute__((noinline)) void bf16_panels(const struct bf16_product *p, size_t M, size_t N) {
  size_t n = 0;
#if VEC_TILE_TALL
  for (; n + 32 <= N; n += 32) {
    bf16_columns(p, M, n, 2, 32);
  }
#endif
  for (; n < N; n += 16) {
    bf16_columns(p, M, n, 1, N - n < 16 ? N - n : 16);
  }
}

/* Zeros that are left out would make +0 of a chain's -0. That counts where the total is -0, so from the third block on:
 * there one step of them is made. */
static size_t bf16_inner(size_t inner) {
  const size_t whole = bf16_blocks(inner) * BF16_VALUES, more = inner + BF16_VALUES / BF16_CHAIN;
  return inner <= 2 * BF16_VALUES ? inner : more < whole ? more : whole;
}

static void bf16_product(struct bf16_product *p, size_t M, size_t N) {
  p->lda = bf16_blocks(p->inner) * BF16_WORDS;
  p->inner = bf16_inner(p->inner);
  p->state = vec_flush_begin();
  bf16_panels(p, M, N);
  vec_flush_end(p->state);
}

#endif
