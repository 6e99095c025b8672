/* Products with bfloat16 operands by fused multiply-adds, and the packing that all ways of making them share. */
#include "autodidact/math/bfloat16.h"

#include "vector/set.h"
#include "vector/vec.h"

enum { DEPTH = AD_BF16_DEPTH, CHAIN = DEPTH / 2 };

void AD_KERNEL(bf16_round)(size_t M, size_t K, const float *x, size_t ldx, uint16_t *rows) {
  const size_t depth = ad_bf16_depth(K);
  for (size_t m = 0; m < M; m++) {
    for (size_t k = 0; k < depth; k += VEC_WIDTH) {
      vec_bf16_round(rows + m * depth + k, k < K ? vec_load_n(x + m * ldx + k, K - k) : vec_set1(0.0f));
    }
  }
}

/* 16 elements of a row; zeros where it has fewer. */
VEC_INLINE const uint16_t *sixteen(const uint16_t *x, size_t n, uint16_t *padded) {
  if (n >= 16) {
    return x;
  }
  memset(padded, 0, 16 * sizeof *padded);
  memcpy(padded, x, n * sizeof *padded);
  return padded;
}

void AD_KERNEL(bf16_pairs)(size_t rows, size_t N, const uint16_t *x, size_t ldx, size_t width, uint16_t *out) {
  static const uint16_t zeros[16];
  uint16_t padded[2][16];
  for (size_t k = 0; k < ad_bf16_depth(rows); k += 2) {
    for (size_t n = 0; n < N; n += 16) {
      const uint16_t *a = k < rows ? sixteen(x + k * ldx + n, N - n, padded[0]) : zeros;
      const uint16_t *b = k + 1 < rows ? sixteen(x + (k + 1) * ldx + n, N - n, padded[1]) : zeros;
      vec_bf16_pair(a, b, out + k * width + 2 * n);
    }
  }
}

void AD_KERNEL(bf16_left)(size_t M, size_t blocks, const uint16_t *rows, size_t ld, float *out) {
  for (size_t m = 0; m < M; m++) {
    for (size_t b = 0; b < blocks; b++, out += DEPTH) {
      const uint16_t *from = rows + m * ld + b * DEPTH;
      vec_store(out, vec_bf16_even(from));
      vec_store(out + CHAIN, vec_bf16_odd(from));
    }
  }
}

void AD_KERNEL(bf16_right)(size_t width, size_t blocks, const uint16_t *packed, float *out) {
  for (size_t b = 0; b < blocks; b++, out += DEPTH * width) {
    for (size_t k = 0; k < CHAIN; k++, packed += 2 * width) {
      for (size_t n = 0; n < width; n += 16) {
        vec_store(out + k * width + n, vec_bf16_even(packed + 2 * n));
        vec_store(out + (CHAIN + k) * width + n, vec_bf16_odd(packed + 2 * n));
      }
    }
  }
}

struct bf16_product {
  size_t blocks, width;
  const float *A; /* [M, 32 blocks], of each block the even numbers first */
  const float *B; /* [32 blocks, width], likewise */
  float *C;
  size_t ldc;
  int accumulate;
};

/* What the columns [n, n + 16 vecs) of `rows` rows come to, by the specification, from C's own values on. */
VEC_INLINE void exact_tile(const struct bf16_product *p, size_t i, size_t n, int rows, size_t width) {
  for (size_t r = i; r < i + (size_t)rows; r++) {
    for (size_t w = n; w < n + width; w++) {
      float *c = p->C + r * p->ldc + w, sum = p->accumulate ? *c : 0.0f;
      for (size_t b = 0; b < p->blocks; b++) {
        float chain[2] = {0.0f, 0.0f};
        for (size_t k = 0; k < DEPTH; k++) {
          const size_t at = b * DEPTH + k;
          chain[k / CHAIN] = vec_bf16_fma1(p->A[r * DEPTH * p->blocks + at], p->B[at * p->width + w], chain[k / CHAIN]);
        }
        sum = vec_bf16_add1(sum, vec_bf16_add1(chain[0], chain[1]));
      }
      *c = sum;
    }
  }
}

/* A chain of 16 from zero: a, ROWS rows that are `lda` apart; b, rows that are `ldb` apart. */
VEC_INLINE void chain(const float *a, size_t lda, const float *b, size_t ldb, const int rows, const int vecs,
                      vec sum[VEC_TILE_ROWS][VEC_TILE_VECS]) {
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int w = 0; w < vecs; w++) {
      sum[r][w] = vec_set1(0.0f);
    }
  }
  for (size_t k = 0; k < CHAIN; k++) {
    vec line[VEC_TILE_VECS];
#pragma GCC unroll 4
    for (int w = 0; w < vecs; w++) {
      line[w] = vec_load(b + k * ldb + 16 * w);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      const vec x = vec_set1(a[(size_t)r * lda + k]);
#pragma GCC unroll 4
      for (int w = 0; w < vecs; w++) {
        sum[r][w] = vec_bf16_fma(x, line[w], sum[r][w]);
      }
    }
  }
}

/* A block of `rows` x (16 `vecs`), constants at every call; `width` (at most 16 vecs) columns exist. */
VEC_INLINE void bf16_tile(const struct bf16_product *p, size_t i, size_t n, const int rows, const int vecs,
                          size_t width) {
  const size_t lda = DEPTH * p->blocks;
  float *c = p->C + i * p->ldc + n;
  vec total[VEC_TILE_ROWS][VEC_TILE_VECS], even[VEC_TILE_ROWS][VEC_TILE_VECS], odd[VEC_TILE_ROWS][VEC_TILE_VECS];
  for (int r = 0; r < rows; r++) {
    for (int w = 0; w < vecs; w++) {
      total[r][w] =
          p->accumulate ? vec_load_n(c + (size_t)r * p->ldc + 16 * w, width - 16 * (size_t)w) : vec_set1(0.0f);
    }
  }
  for (size_t b = 0; b < p->blocks; b++) {
    const float *A = p->A + i * lda + b * DEPTH, *B = p->B + b * DEPTH * p->width + n;
    chain(A, lda, B, p->width, rows, vecs, even);
    chain(A + CHAIN, lda, B + CHAIN * p->width, p->width, rows, vecs, odd);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
      for (int w = 0; w < vecs; w++) {
        total[r][w] = vec_bf16_add(total[r][w], vec_bf16_add(even[r][w], odd[r][w]));
      }
    }
  }
  if (vec_flush_missed()) {
    exact_tile(p, i, n, rows, width);
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
  for (; n + 64 <= N; n += 64) {
    bf16_panel(p, M, n, 4, 64);
  }
  if (n + 32 <= N) {
    bf16_panel(p, M, n, 2, 32);
    n += 32;
  }
#endif
  for (; n < N; n += 16) {
    bf16_panel(p, M, n, 1, N - n < 16 ? N - n : 16);
  }
}

void AD_KERNEL(bf16_product)(size_t M, size_t N, size_t width, size_t blocks, const float *A, const float *B, float *C,
                             size_t ldc, int accumulate) {
  const struct bf16_product p = {blocks, width, A, B, C, ldc, accumulate};
  const unsigned state = vec_flush_begin();
  bf16_panels(&p, M, N);
  vec_flush_end(state);
}
