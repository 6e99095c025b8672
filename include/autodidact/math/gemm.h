/* Matrix products on OpenBLAS, one thread.
 *
 * All matrices float32, row-major. Where the number of rows M counts tokens, the caller rounds it up to a multiple of
 * AD_ROW_BLOCK with zero rows: then the bits of a row do not depend on the other rows (docs/design.md, section 3).
 * Products so small that OpenBLAS would choose another kernel by their size are done in pieces of AD_ROW_BLOCK rows,
 * always. */
#ifndef AUTODIDACT_MATH_GEMM_H
#define AUTODIDACT_MATH_GEMM_H

#include <stddef.h>

enum { AD_ROW_BLOCK = 48 };

/* The smallest multiple of AD_ROW_BLOCK that holds `rows` rows. */
static inline size_t ad_round_rows(size_t rows) {
  return (rows + AD_ROW_BLOCK - 1) / AD_ROW_BLOCK * AD_ROW_BLOCK;
}

/* Y [M,N] (ldy) = X [M,K] (ldx) W^T, W [N,K]: a linear layer forward. */
void ad_gemm_nt(size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W, float *Y, size_t ldy);

/* dX [M,K] (ldx) = dY [M,N] (ldy) W; with accumulate, dX += . The gradient of a linear layer's input. */
void ad_gemm_nn(size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W, float *dX, size_t ldx,
                int accumulate);

/* dW [N,K] = dY^T X over rows [0, M) of dY [M,N] (ldy) and X [M,K] (ldx): a weight gradient. M may be 0 (zeros). */
void ad_gemm_tn(size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *X, size_t ldx, float *dW);

/* One thread, whatever the build of OpenBLAS and the environment say. Call once at start. */
void ad_gemm_start(void);

/* Name of the OpenBLAS kernels in use ("SkylakeX", "Haswell"), and its version line. Static storage. */
const char *ad_gemm_core(void);
const char *ad_gemm_config(void);

/* Row self-check: for a layer with W [N,K], forward (nt) and backward (nn), have rows the same bits when M of them
 * (rounded up to AD_ROW_BLOCK) are multiplied at once, in pieces of AD_ROW_BLOCK, and when they stand `shift` rows
 * further down? 1 yes, 0 no, or AD_ENOMEM. */
int ad_gemm_rows_independent(size_t M, size_t N, size_t K, size_t shift);

/* Runs the self-check for the shapes [count] (N, K) of a model's layers and returns the alignment, in rows, that the
 * first row of each lane needs so that a lane's bits are its own: 1 where rows are independent (OpenBLAS 0.3.21 with
 * AVX-512); 12 where a row's bits depend on its number modulo 12 (its Haswell and Zen kernels, AVX2); otherwise
 * AD_ROW_BLOCK, and from then on all products go in pieces of so many rows. Or AD_ENOMEM. Shapes already checked cost
 * nothing. */
int ad_gemm_prepare(const size_t (*shapes)[2], size_t count);

/* The number that the rows of these shapes' products are rounded up to, at the alignment that ad_gemm_prepare has
 * returned for them: 16, 12 or AD_ROW_BLOCK. */
size_t ad_gemm_block(int alignment, const size_t (*shapes)[2], size_t count);

#endif
