/* What math/bfloat16.c and bfloat16_gradient.c ask of a way to multiply bfloat16 numbers. Not installed. */
#ifndef AD_MATH_BFLOAT16_WAY_H
#define AD_MATH_BFLOAT16_WAY_H

#include "autodidact/math/bfloat16.h"
#include "autodidact/math/kernels.h"

/* SLOW: slower than fused multiply-adds, so that it must be asked for. */
enum ad_bf16_runs { AD_BF16_ABSENT, AD_BF16_SLOW, AD_BF16_FAST };

struct ad_bf16_way {
  const char *name; /* as AUTODIDACT_BFLOAT16 names it */
  /* Whether this CPU, its system and these kernels allow it. It may ask the system for leave. */
  enum ad_bf16_runs (*runs)(const struct ad_kernels *kernels);
  /* Bytes of an element of its own forms of rows and panels; 0: it takes them as they are. */
  size_t left, right;
  /* [32] A block's places in the order of its forms, as far as these hold bfloat16 numbers. */
  const uint8_t *places;
  /* rows (ld) of so many blocks to [M, 32 blocks] of its own; a panel of that many pairs to one of its own. */
  void (*make_left)(const struct ad_kernels *kernels, size_t M, size_t blocks, const ad_bf16 *rows, size_t ld,
                    void *out);
  void (*make_right)(const struct ad_kernels *kernels, size_t width, size_t blocks, const ad_bf16 *packed, void *out);
  /* C [M,N] (ldc) = or += A B, N in (width - 16, width]; A rows that are ld elements apart. The blocks' places behind
   * the inner-th hold zeros; with accumulate there are none, so that a sum of -0 does not tell whether they count. */
  void (*product)(const struct ad_kernels *kernels, size_t M, size_t N, size_t width, size_t inner, const void *A,
                  size_t ld, const void *B, float *C, size_t ldc, int accumulate);
  /* After some products: it holds nothing of the CPU any more. NULL: it never does. */
  void (*end)(void);
};

struct ad_bf16_products {
  const struct ad_bf16_way *way;
  const struct ad_kernels *kernels;
  int own_panels; /* 1: weights are packed in the way's own form */
  void *left;     /* rows in the way's own form */
  void *right;    /* a panel, likewise */
  ad_bf16 *pack;  /* rows or pairs on their way into a panel */
};

/* 0, 1, 2, ..., 31. */
extern const uint8_t ad_bf16_in_order[AD_BF16_DEPTH];

/* Columns of a panel with n outputs. */
static inline size_t ad_bf16_width(size_t n) {
  return (n + 15) / 16 * 16;
}

/* Bytes of an element of rows or panels; own: of a way's own form, or 0. */
static inline size_t ad_bf16_element(size_t own) {
  return own > 0 ? own : sizeof(ad_bf16);
}

/* Whether they have the arithmetic's bits, on some thousand numbers against its loops. AD_EINTERNAL, AD_ENOMEM. */
int ad_bf16_check(const struct ad_bf16_products *products);

extern const struct ad_bf16_way ad_bf16_amx;
extern const struct ad_bf16_way ad_bf16_dot;
extern const struct ad_bf16_way ad_bf16_fma;

#endif
