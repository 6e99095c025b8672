/* Matrix products: C [M,N] = A B or C += A B, with A read element by element at any strides and the rows
 * of B and C contiguous.
 *
 * Each element of C is one chain of fused multiply-adds over k = 0 .. K-1, started from 0 or from C, whatever the
 * blocking: its bits depend on nothing but its row of A and column of B. */
#ifndef AD_MATH_VECTOR_PRODUCT_H
#define AD_MATH_VECTOR_PRODUCT_H

#include "vector/vec.h"

struct product {
  size_t K;
  const float *A; /* A(i, k) = A[i * row + k * column] */
  size_t row, column;
  const float *B;
  size_t ldb;
  float *C;
  size_t ldc;
  int accumulate;
};

/* A block of `rows` x (16 `vecs`), constants at every call; `width` (at most 16 vecs) columns exist. */
VEC_INLINE void product_tile(const struct product *p, size_t i, size_t n, const int rows, const int vecs,
                             size_t width) {
  const float *a = p->A + i * p->row, *b = p->B + n;
  float *c = p->C + i * p->ldc + n;
  vec sum[VEC_TILE_ROWS][VEC_TILE_VECS];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int w = 0; w < vecs; w++) {
      sum[r][w] = p->accumulate ? vec_load_n(c + (size_t)r * p->ldc + 16 * w, width - 16 * (size_t)w) : vec_set1(0.0f);
    }
  }
  for (size_t k = 0; k < p->K; k++) {
    vec line[VEC_TILE_VECS];
#pragma GCC unroll 4
    for (int w = 0; w < vecs; w++) {
      line[w] = vec_load_n(b + k * p->ldb + 16 * w, width - 16 * (size_t)w);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      const vec x = vec_set1(a[(size_t)r * p->row + k * p->column]);
#pragma GCC unroll 4
      for (int w = 0; w < vecs; w++) {
        sum[r][w] = vec_fma(x, line[w], sum[r][w]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int w = 0; w < vecs; w++) {
      vec_store_n(c + (size_t)r * p->ldc + 16 * w, sum[r][w], width - 16 * (size_t)w);
    }
  }
}

/* All rows of a column panel; the rows are shared out evenly, so that no block is much flatter than the others. */
VEC_INLINE void product_panel(const struct product *p, size_t M, size_t n, const int vecs, size_t width) {
  const size_t blocks = (M + VEC_TILE_ROWS - 1) / VEC_TILE_ROWS;
  for (size_t done = 0, block = 0; block < blocks; block++) {
    const size_t rows = (M - done + blocks - block - 1) / (blocks - block);
    switch (rows) {
      case 1:
        product_tile(p, done, n, 1, vecs, width);
        break;
      case 2:
        product_tile(p, done, n, 2, vecs, width);
        break;
      case 3:
        product_tile(p, done, n, 3, vecs, width);
        break;
      case 4:
        product_tile(p, done, n, 4, vecs, width);
        break;
      case 5:
        product_tile(p, done, n, 5, vecs, width);
        break;
      default:
        product_tile(p, done, n, 6, vecs, width);
    }
    done += rows;
  }
}

static void product(const struct product *p, size_t M, size_t N) {
  size_t n = 0;
#if VEC_TILE_TALL
  for (; n + 64 <= N; n += 64) {
    product_panel(p, M, n, 4, 64);
  }
  if (n + 32 <= N) {
    product_panel(p, M, n, 2, 32);
    n += 32;
  }
#endif
  for (; n + 16 <= N; n += 16) {
    product_panel(p, M, n, 1, 16);
  }
  if (n < N) {
    product_panel(p, M, n, 1, N - n);
  }
}

#endif
