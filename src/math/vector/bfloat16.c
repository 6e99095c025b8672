/* Products with bfloat16 operands by fused multiply-adds, and the packing that all ways of making them share. */
#include "autodidact/math/bfloat16.h"

#include "vector/bfloat16_tile.h"
#include "vector/set.h"

enum {
  DEPTH = AD_BF16_DEPTH,
  CHAIN = BF16_CHAIN,
  AHEAD = 8 /* rows that are asked for ahead: parts of a weight's rows are short, and lie far apart */
};

void AD_KERNEL(bf16_round)(size_t M, size_t K, const float *x, size_t ldx, uint16_t *rows) {
  const size_t depth = ad_bf16_depth(K);
  for (size_t m = 0; m < M; m++) {
    for (size_t k = 0; k < depth; k += VEC_WIDTH) {
      __builtin_prefetch(x + (m + AHEAD) * ldx + k, 0, 2);
      vec_bf16_round(rows + m * depth + k, k < K ? vec_load_n(x + m * ldx + k, K - k) : vec_set1(0.0f));
    }
  }
}

void AD_KERNEL(bf16_values)(size_t M, size_t K, const uint16_t *rows, float *x, size_t ldx) {
  const size_t depth = ad_bf16_depth(K);
  for (size_t m = 0; m < M; m++) {
    for (size_t k = 0; k < K; k += VEC_WIDTH) {
      vec_store_n(x + m * ldx + k, vec_bf16_load(rows + m * depth + k), K - k);
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

void AD_KERNEL(bf16_pairs)(size_t rows, size_t N, const uint16_t *x, size_t ldx, size_t width, const uint8_t *places,
                           uint16_t *out) {
  static const uint16_t zeros[16];
  uint16_t padded[2][16];
  for (size_t k = 0; k < ad_bf16_depth(rows); k += 2) {
    const size_t block = k / DEPTH * DEPTH, first = block + places[k - block], second = block + places[k - block + 1];
    for (size_t n = 0; n < N; n += 16) {
      const uint16_t *a = first < rows ? sixteen(x + first * ldx + n, N - n, padded[0]) : zeros;
      const uint16_t *b = second < rows ? sixteen(x + second * ldx + n, N - n, padded[1]) : zeros;
      __builtin_prefetch(x + (first + DEPTH) * ldx + n, 0, 2);
      __builtin_prefetch(x + (second + DEPTH) * ldx + n, 0, 2);
      vec_bf16_pair(a, b, out + k * width + 2 * n);
    }
  }
}

void AD_KERNEL(bf16_left)(size_t M, size_t blocks, const uint16_t *rows, size_t ld, float *out) {
  for (size_t m = 0; m < M; m++) {
    for (size_t k = 0; k < blocks * DEPTH; k += VEC_WIDTH, out += VEC_WIDTH) {
      vec_store(out, vec_bf16_load(rows + m * ld + k));
    }
  }
}

void AD_KERNEL(bf16_right)(size_t width, size_t blocks, const uint16_t *packed, float *out) {
  for (size_t k = 0; k < blocks * CHAIN; k++, packed += 2 * width, out += 2 * width) {
    for (size_t n = 0; n < width; n += 16) {
      vec_store(out + n, vec_bf16_even(packed + 2 * n));
      vec_store(out + width + n, vec_bf16_odd(packed + 2 * n));
    }
  }
}

static void exact(const struct bf16_product *p, size_t i, size_t n, size_t rows, size_t width) {
  const size_t blocks = bf16_blocks(p->inner);
  for (size_t r = i; r < i + rows; r++) {
    for (size_t w = n; w < n + width; w++) {
      float *c = p->C + r * p->ldc + w, sum = p->accumulate ? *c : 0.0f;
      for (size_t b = 0; b < blocks; b++) {
        float chain[2] = {0.0f, 0.0f};
        for (size_t k = 0; k < DEPTH; k++) {
          const size_t at = b * DEPTH + k;
          chain[k % 2] = vec_bf16_fma1(p->A[r * p->lda + at], p->B[at * p->width + w], chain[k % 2]);
        }
        sum = vec_bf16_add1(sum, vec_bf16_add1(chain[0], chain[1]));
      }
      *c = sum;
    }
  }
}

void AD_KERNEL(bf16_product)(size_t M, size_t N, size_t width, size_t inner, const float *A, const float *B, float *C,
                             size_t ldc, int accumulate) {
  bf16_product(
      &(struct bf16_product){
          .inner = inner, .width = width, .A = A, .B = B, .C = C, .ldc = ldc, .accumulate = accumulate, .exact = exact},
      M, N);
}
