/* Products with bfloat16 operands by fused multiply-adds of the vector kernels, on any CPU. */
#include "bfloat16_way.h"

static enum ad_bf16_runs runs(const struct ad_kernels *kernels) {
  (void)kernels;
  return AD_BF16_FAST;
}

static void make_left(const struct ad_kernels *kernels, size_t M, size_t blocks, const ad_bf16 *rows, size_t ld,
                      void *out) {
  kernels->bf16_left(M, blocks, rows, ld, out);
}

static void make_right(const struct ad_kernels *kernels, size_t width, size_t blocks, const ad_bf16 *packed,
                       void *out) {
  kernels->bf16_right(width, blocks, packed, out);
}

static void product(const struct ad_kernels *kernels, size_t M, size_t N, size_t width, size_t inner, const void *A,
                    size_t ld, const void *B, float *C, size_t ldc, int accumulate) {
  (void)ld; /* A is as make_left leaves it */
  kernels->bf16_product(M, N, width, inner, A, B, C, ldc, accumulate);
}

const struct ad_bf16_way ad_bf16_fma = {"fma",     runs,       sizeof(float), sizeof(float), ad_bf16_in_order,
                                        make_left, make_right, product,       NULL};
