/* What math/gemm.c asks of a backend of matrix products. Not installed. */
#ifndef AD_MATH_GEMM_BACKEND_H
#define AD_MATH_GEMM_BACKEND_H

#include "autodidact/math/gemm.h"

struct ad_gemm_backend {
  const char *name; /* as AUTODIDACT_GEMM names it */
  const char *(*core)(void);
  /* Of the library, whose arithmetic is one of its own. NULL: each output is the chain that docs/arithmetic.md asks
   * for. */
  const char *(*version)(void);
  /* The least number that row counts must be rounded up to where rows are independent (the self-check holds it to
   * that). */
  size_t block;
  /* A block of AD_ROW_BLOCK rows of a product N x K has another algorithm than a larger one: rows must go block by
   * block. */
  int (*is_small)(size_t N, size_t K);
  /* As in math/gemm.h, of rows that go at once. */
  void (*nt)(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W, float *Y,
             size_t ldy, int accumulate);
  void (*nn)(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W, float *dX,
             size_t ldx, int accumulate);
  void (*tn)(struct ad_gemm *gemm, const struct ad_lanes *lanes, size_t N, size_t K, const float *dY, size_t ldy,
             const float *X, size_t ldx, float *dW, float *work);
  size_t (*tn_work)(size_t lanes, size_t M, size_t N, size_t K);
};

enum {
  AD_GEMM_PANEL = 64,   /* outputs at once: four AVX-512 registers */
  AD_GEMM_DEPTH = 1024, /* products longer than this are cut: a panel of 256 KiB stays in the second-level cache */
  AD_GEMM_KNOWN = 256
};

struct ad_gemm {
  _Alignas(
      64) float panel[AD_GEMM_PANEL * AD_GEMM_DEPTH]; /* of a weight, packed: one thread, one panel for all products */
  const struct ad_gemm_backend *backend;
  const struct ad_kernels *kernels;
  size_t begin[AD_MAX_LANES + 1];
  char arithmetic[96]; /* ad_arithmetic */
  /* What ad_gemm_prepare has found, with this backend. It is a property of the shape, whatever models a process has
   * seen. */
  struct ad_gemm_shape {
    size_t N, K;
    int alignment;
  } known[AD_GEMM_KNOWN];
  size_t known_count;
};

/* Asks for memory that will be written: stores to memory far away would wait for it one by one. */
static inline void ad_gemm_fetch(const float *at, size_t rows, size_t columns, size_t ld) {
  enum { LINE = 16 };
  for (size_t row = 0; row < rows; row++) {
    for (size_t column = 0; column < columns; column += LINE) {
      __builtin_prefetch(at + row * ld + column, 0, 2);
    }
  }
}

/* Which lanes are summands, as of struct ad_tree: by lanes->begin, or else by the running count of their rows in
 * count [hi + 1]. */
static inline const size_t *ad_lanes_begin(const struct ad_lanes *lanes, size_t *count) {
  count[lanes->lo] = 0;
  for (size_t lane = lanes->lo; lane < lanes->hi; lane++) {
    count[lane + 1] = count[lane] + lanes->rows[lane].count;
  }
  return lanes->begin != NULL ? lanes->begin : count;
}

/* The tree over lanes of a product. */
static inline struct ad_tree ad_gemm_tree(struct ad_gemm *gemm, const struct ad_lanes *lanes) {
  return (struct ad_tree){gemm->kernels, ad_lanes_begin(lanes, gemm->begin), lanes->watch};
}

/* What `add` adds to a lane's tile. */
static inline void ad_lanes_add(const struct ad_lanes *lanes, size_t lane, const struct ad_tile *tile, float *out) {
  if (lanes->add != NULL) {
    lanes->add(lanes->context, lane, tile, out);
  }
}

extern const struct ad_gemm_backend ad_gemm_chain;
extern const struct ad_gemm_backend ad_gemm_openblas;

/* OpenBLAS computes with one thread from now on. */
void ad_gemm_openblas_start(void);

/* From now on products are this backend's, and nothing is known of any shape. For ad_gemm_create and tests. */
void ad_gemm_use(struct ad_gemm *gemm, const struct ad_gemm_backend *used);

#endif
