/* What a process computes with: vector kernels and matrix products. They are chosen once, at the start, and handed to
 * whatever is created to compute; nothing looks at the environment later. */
#ifndef AUTODIDACT_MATH_CONTEXT_H
#define AUTODIDACT_MATH_CONTEXT_H

#include "autodidact/math/bfloat16.h"
#include "autodidact/math/gemm.h"
#include "autodidact/math/kernels.h"

struct ad_math {
  const struct ad_kernels *kernels;
  struct ad_gemm *gemm; /* owned */
  const char *way;      /* of AUTODIDACT_BFLOAT16, or NULL */
  /* Of a context for bfloat16, owned: products of linear layers are these, all others gemm's. NULL: float32. */
  struct ad_bf16_products *bf16;
  char arithmetic[40]; /* of such a context */
};

/* The kernels and products that the environment variables AUTODIDACT_KERNELS and AUTODIDACT_GEMM name, or the best that
 * can be had here (ad_kernels_find, ad_gemm_create). The caller owns it, and it must outlive all that is created with
 * it. AD_ECONFIG, AD_ENOMEM. */
int ad_math_create(struct ad_math **math);
void ad_math_destroy(struct ad_math *math);

/* A context for bfloat16 with the same kernels, which must be destroyed before `math`. Its products go the way that
 * AUTODIDACT_BFLOAT16 names, or the fastest here. The caller owns it: ad_math_bfloat16_destroy, after a failure too.
 * AD_ECONFIG (the products are OpenBLAS's, or as ad_bf16_create), AD_EINTERNAL, AD_ENOMEM. */
int ad_math_bfloat16(struct ad_math *bfloat16, const struct ad_math *math);
void ad_math_bfloat16_destroy(struct ad_math *bfloat16);

/* The arithmetic, which decides the bits (docs/arithmetic.md): "1" by version (base/build.h), "1, bfloat16 2"
 * of a context for bfloat16, "1, products by openblas-Haswell 0.3.21" where the products are not of that version. The
 * text is the context's. */
const char *ad_arithmetic(const struct ad_math *math);

/* Whether this process computes by it: elementary functions, vector kernels and (but for OpenBLAS's) products on a few
 * hundred numbers against known answers. AD_OK, AD_EINTERNAL (the message says what differs), AD_ENOMEM. */
int ad_arithmetic_check(const struct ad_math *math);

#endif
