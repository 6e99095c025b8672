/* Matrix products, one thread, by one of two backends. `chain` is our own: each output is one chain of fused
 * multiply-adds (docs/arithmetic.md), by the vector kernels in use. `openblas` has an arithmetic of its own.
 * ad_gemm_create chooses; math/context.h has it beside the vector kernels.
 *
 * All matrices float32, row-major. Where the number of rows M counts tokens, the caller rounds it up to a multiple of
 * ad_gemm_block with zero rows. It begins lanes at the alignment of ad_gemm_prepare. Then the bits of a row do not
 * depend on the other rows (docs/design.md, section 3).
 *
 * Letters: M rows (tokens or examples), N outputs and K inputs of a linear layer. Not reentrant: one panel of work
 * memory serves all calls with the same struct ad_gemm. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MATH_GEMM_H
#define AUTODIDACT_MATH_GEMM_H

#include <stddef.h>

#include "autodidact/math/tree.h"

enum { AD_ROW_BLOCK = 48 };

/* The smallest multiple of AD_ROW_BLOCK that holds `rows` rows. */
static inline size_t ad_round_rows(size_t rows) {
  return (rows + AD_ROW_BLOCK - 1) / AD_ROW_BLOCK * AD_ROW_BLOCK;
}

struct ad_gemm;

/* Products with these vector kernels, by the backend of this name (chain, openblas), or by chain where name is NULL or
 * "". One thread, whatever the build of OpenBLAS and the environment say. The caller owns it. AD_ECONFIG (an unknown
 * name), AD_ENOMEM (also: no room for OpenBLAS's buffer). */
int ad_gemm_create(struct ad_gemm **gemm, const struct ad_kernels *kernels, const char *name);
void ad_gemm_destroy(struct ad_gemm *gemm);

/* Y [M,N] (ldy) = X [M,K] (ldx) W^T, W [N,K]: a linear layer forward. */
void ad_gemm_nt(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W,
                float *Y, size_t ldy);

/* Y += X W^T: the gradient of the input where a layer has its weight as [in, out]. */
void ad_gemm_nt_add(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W,
                    float *Y, size_t ldy);

/* dX [M,K] (ldx) = dY [M,N] (ldy) W; with accumulate, dX += . The gradient of a linear layer's input; forward where
 * its weight is [in, out], N x K. */
void ad_gemm_nn(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W,
                float *dX, size_t ldx, int accumulate);

/* Rows [first, first + count) of a lane. */
struct ad_lane_rows {
  size_t first, count;
};

/* A tile of a weight gradient dW [N,K]: its rows [n, n + rows), its columns [k, k + columns). */
struct ad_tile {
  size_t n, rows, k, columns;
};

/* Adds to a lane's tile, out [tile->rows, tile->columns]. */
typedef void (*ad_tile_add)(void *context, size_t lane, const struct ad_tile *tile, float *out);

/* The lanes [lo, hi) that a product is summed over, each by its rows [hi]. A lane is a summand where it has rows; where
 * `begin` is given, as in struct ad_tree. watch as of that struct, or NULL. `add`, or NULL, adds to a lane's summand
 * what else belongs to it, tile by tile. */
struct ad_lanes {
  const struct ad_lane_rows *rows;
  size_t lo, hi;
  struct ad_lane_watch *watch;
  const size_t *begin; /* [hi + 1] or NULL */
  ad_tile_add add;
  void *context;
};

/* A weight gradient, lane by lane: dW [N,K] = the tree sum (math/tree.h) over the lanes of dY^T X over the lane's rows
 * of dY [M,N] (ldy) and X [M,K] (ldx), and of what `add` adds. Zeros where no lane is a summand. work:
 * ad_gemm_tn_work(hi - lo, M, N, K) floats, aligned 64, M rows at most from the first lane's to the last's. */
void ad_gemm_tn(struct ad_gemm *gemm, const struct ad_lanes *lanes, size_t N, size_t K, const float *dY, size_t ldy,
                const float *X, size_t ldx, float *dW, float *work);
size_t ad_gemm_tn_work(const struct ad_gemm *gemm, size_t lanes, size_t M, size_t N, size_t K);

/* Name of the product kernels in use ("chain", "SkylakeX", "Haswell"). Static storage. */
const char *ad_gemm_core(const struct ad_gemm *gemm);

/* Name of OpenBLAS's kernels, whatever the backend: the yardstick of `doctor` and of the benchmarks. */
const char *ad_gemm_openblas_core(void);

/* AD_OK where OpenBLAS has room for the buffer that its first product takes; else AD_ENOMEM. */
int ad_gemm_openblas_room(void);

/* Y [n,n] = X W^T by OpenBLAS, whatever the backend, all [n,n]: the yardstick's product. Where
 * ad_gemm_openblas_room is not AD_OK it may not come back. */
void ad_gemm_openblas_square(size_t n, const float *X, const float *W, float *Y);

/* Row self-check for a layer with W [N,K], forward (nt) and backward (nn). Compares the bits of M rows (rounded up to
 * AD_ROW_BLOCK) when they are multiplied at once, in pieces as small as the backend allows, and `shift` rows further
 * down. 1 the same, 0 not, or AD_ENOMEM. */
int ad_gemm_rows_independent(struct ad_gemm *gemm, size_t M, size_t N, size_t K, size_t shift);

/* Runs the self-check for the shapes [count] (N, K) of a model's layers. Returns the alignment, in rows, that the first
 * row of each lane needs so that a lane's bits are its own. It is 1 where rows are independent (chain; OpenBLAS 0.3.21
 * with AVX-512), and 12 where a row's bits depend on its number modulo 12 (OpenBLAS's Haswell and Zen kernels, AVX2).
 * Otherwise it is AD_ROW_BLOCK: from then on products of the shapes that need it are made in pieces of so many rows.
 * What is found of a shape, and so of a model, does not depend on earlier calls. Or AD_ENOMEM; AD_EINTERNAL (more than
 * 256 shapes in a process). Shapes already checked cost little. */
int ad_gemm_prepare(struct ad_gemm *gemm, const size_t (*shapes)[2], size_t count);

/* The number that the rows of these shapes' products are rounded up to: 1 (chain: none is added), 16, 12 or
 * AD_ROW_BLOCK. alignment: what ad_gemm_prepare has returned for them. */
size_t ad_gemm_block(const struct ad_gemm *gemm, int alignment, const size_t (*shapes)[2], size_t count);

#endif
