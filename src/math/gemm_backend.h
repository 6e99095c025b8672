/* What math/gemm.c asks of a backend of matrix products. Not installed. */
#ifndef AD_MATH_GEMM_BACKEND_H
#define AD_MATH_GEMM_BACKEND_H

#include "autodidact/math/gemm.h"
#include "autodidact/math/kernels.h"

struct ad_gemm_backend {
  const char *name; /* as AUTODIDACT_GEMM names it */
  /* Makes ready, with these vector kernels. */
  void (*start)(const struct ad_kernels *kernels);
  const char *(*core)(void);
  /* Of the library, whose arithmetic is one of its own. NULL: each output is the chain that docs/arithmetic.md asks for. */
  const char *(*version)(void);
  /* The least number that row counts must be rounded up to where rows are independent (the self-check holds it to that). */
  size_t block;
  /* A block of AD_ROW_BLOCK rows of a product N x K has another algorithm than a larger one: rows must go block by block. */
  int (*is_small)(size_t N, size_t K);
  /* As in math/gemm.h, of rows that go at once. */
  void (*nt)(size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W, float *Y, size_t ldy);
  void (*nn)(size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W, float *dX, size_t ldx,
             int accumulate);
  /* begin [hi + 1]: running count of the rows of the lanes, from `lo` on. */
  void (*tn)(const struct ad_lane_rows *rows, const size_t *begin, size_t lo, size_t hi, size_t N, size_t K,
             const float *dY, size_t ldy, const float *X, size_t ldx, float *dW, float *work);
  size_t (*tn_work)(size_t lanes, size_t M, size_t N, size_t K);
};

extern const struct ad_gemm_backend ad_gemm_chain;
extern const struct ad_gemm_backend ad_gemm_openblas;

/* Of the backend in use. */
int ad_gemm_has_chains(void);

/* From now on products are this one's, started already, and nothing is known of any shape. For ad_gemm_start and tests. */
void ad_gemm_use(const struct ad_gemm_backend *used);

#endif
