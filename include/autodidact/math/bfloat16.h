/* Products of linear layers whose operands are rounded to bfloat16 and whose sums are float32 (docs/arithmetic.md). All
 * CPUs give the same bits: by AMX (TDPBF16PS), AVX512_BF16 (VDPBF16PS), fused multiply-adds of vectors, or plain C.
 *
 * A *row* of K values in bfloat16 has ad_bf16_depth(K) elements, zeros behind the K-th. A *packed* operand holds the
 * other factor in panels of AD_BF16_PANEL outputs: panel p stands at 64 p depth, as [depth / 2][width][2], a pair of
 * neighbours along the inner dimension side by side. width: the panel's outputs, rounded up to 16, zeros behind them.
 * Rows do not depend on the CPU. A way of multiplying may have a form of its own for packed operands: ranks that share
 * them have the same one, or all the common one, which is the above (ad_bf16_panel_form).
 *
 * Letters: M rows (tokens or examples), N outputs and K inputs of a linear layer. Row-major. Not reentrant: one work
 * memory serves all calls with the same struct ad_bf16_products. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MATH_BFLOAT16_H
#define AUTODIDACT_MATH_BFLOAT16_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/math/gemm.h"

/* The upper half of a float's bits. */
typedef uint16_t ad_bf16;

enum {
  AD_BF16_DEPTH = 32, /* values of the inner dimension in a block: two chains of 16 */
  AD_BF16_PANEL = 64  /* outputs at once */
};

/* K rounded up to whole blocks. */
static inline size_t ad_bf16_depth(size_t K) {
  return (K + AD_BF16_DEPTH - 1) / AD_BF16_DEPTH * AD_BF16_DEPTH;
}

/* Elements of a packed operand of `outputs` outputs over `inner` values each. */
static inline size_t ad_bf16_packed(size_t outputs, size_t inner) {
  return (outputs + 15) / 16 * 16 * ad_bf16_depth(inner);
}

struct ad_kernels;
struct ad_bf16_products;

/* Products by the way of this name (amx, avx512_bf16, fma), or by the fastest that this CPU and these kernels have,
 * where name is NULL or "". A way that does not have the arithmetic's bits on known numbers is passed over with a line
 * in the log; AD_EINTERNAL where that is all there is, or the named one. AD_ECONFIG (an unknown name, or one that this
 * CPU does not have), AD_ENOMEM. The caller owns it. */
int ad_bf16_create(struct ad_bf16_products **products, const struct ad_kernels *kernels, const char *name);
void ad_bf16_destroy(struct ad_bf16_products *products);

/* Name of the way in use. Static storage. */
const char *ad_bf16_name(const struct ad_bf16_products *products);

/* Rows rounded to the nearest, ties to even, subnormal numbers to zero: X [M,K] (ldx) to rows [M, depth(K)]. */
void ad_bf16_round(const struct ad_bf16_products *products, size_t M, size_t K, const float *X, size_t ldx,
                   ad_bf16 *rows);

/* A weight W [N,K] rounded and packed. For X W^T, panels [begin, end) of its N outputs: a forward. For dY W, panels of
 * its K columns: the gradient of an input. packed: all of it, as of ad_bf16_packed(N, K) or (K, N). */
void ad_bf16_pack_nt(const struct ad_bf16_products *products, size_t N, size_t K, const float *W, size_t begin,
                     size_t end, ad_bf16 *packed);
void ad_bf16_pack_nn(const struct ad_bf16_products *products, size_t N, size_t K, const float *W, size_t begin,
                     size_t end, ad_bf16 *packed);

/* The form of packed operands: 0, the common one, or the number of a way that has its own. */
size_t ad_bf16_panel_form(const struct ad_bf16_products *products);

/* From now on the common form, before anything is packed. */
void ad_bf16_common_panels(struct ad_bf16_products *products);

/* Panels of an operand with so many outputs. */
static inline size_t ad_bf16_panels(size_t outputs) {
  return (outputs + AD_BF16_PANEL - 1) / AD_BF16_PANEL;
}

/* Y [M,outputs] (ldy) = rows [M, depth(inner)] times a packed operand; with accumulate, Y continues. */
void ad_bf16_product(const struct ad_bf16_products *products, size_t M, size_t outputs, size_t inner,
                     const ad_bf16 *rows, const ad_bf16 *packed, float *Y, size_t ldy, int accumulate);

/* A weight gradient, as ad_gemm_tn: dW [N,K] = the tree over lanes of dY^T X, from rows dY [M, depth(N)] and X
 * [M, depth(K)]. work: ad_bf16_tn_work floats, aligned 64. */
void ad_bf16_tn(const struct ad_bf16_products *products, const struct ad_lanes *lanes, size_t N, size_t K,
                const ad_bf16 *dY, const ad_bf16 *X, float *dW, float *work);
size_t ad_bf16_tn_work(const struct ad_bf16_products *products, size_t lanes, size_t M, size_t N, size_t K);

#endif
