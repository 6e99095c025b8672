/* The encoder's memory, shared by its forward and its backward. Not installed. */
#ifndef AUTODIDACT_MODEL_ENCODER_INTERNAL_H
#define AUTODIDACT_MODEL_ENCODER_INTERNAL_H

#include "autodidact/base/memory.h"
#include "autodidact/model/encoder.h"

/* What one layer keeps for its backward. M rows: all T tokens, or in the last layer the B [CLS] rows. */
struct layer_state {
  float *x;             /* [T,H] input: the output of the layer before */
  float *qkv;           /* [T,3H] query, key, value side by side; last layer: [T,2H] key, value */
  float *xc;            /* [B,H] last layer: the [CLS] rows of x; else x itself */
  float *q;             /* queries: in qkv, or last layer: [B,H] */
  float *context;       /* [M,H] */
  float *z1, *y1;       /* [M,H] before and after the first layer norm */
  float *mean1, *rstd1; /* [M] */
  float *u, *g;         /* [M,F] before and after the activation */
  float *z2;            /* [M,H] before the second layer norm */
  float *mean2, *rstd2; /* [M] */
  float *out;           /* [M,H] */
};

struct ad_encoder {
  const struct ad_params *params;
  const struct ad_kernels *kernels;
  struct ad_gemm *gemm;
  size_t token_rows;   /* capacity T, rounded */
  size_t example_rows; /* capacity B with gaps between aligned lanes, rounded */
  size_t alignment;    /* of a lane's first row, tokens and [CLS] rows alike */
  size_t block;        /* products have a multiple of this many rows */
  int training;
  const float *frozen; /* [P] where frozen parameters are read; NULL: with the others */

  struct ad_arena arena;      /* holds everything below up to lane_sums */
  struct layer_state *layers; /* [L]; without training all share their memory but for x and out */
  float *embedded;            /* [T,H] before the layer norm */
  float *mean0, *rstd0;       /* [T] */
  float *pooled;              /* [B,H] tanh(pooler), or the [CLS] state */
  float *dropped;             /* [B,H] pooled after dropout */
  float *attention_work;
  uint32_t *cls_position; /* [B] zeros */
  uint32_t *cls_row;      /* [B] packed row of each [CLS]; 0 in a gap */
  uint32_t *cls_stream;   /* [B] stream of its example; 0 in a gap */
  size_t *lane_cls;       /* [AD_MAX_LANES + 1] first [CLS] row of each lane; the last: rows in use */

  /* backward */
  struct ad_lane_rows *lane_rows[2]; /* [AD_MAX_LANES] each: [CLS] rows; tokens */
  float *dx, *dz, *dy; /* [T,H]; with the head alone trained there is only dy [B,H] */
  float *df;           /* [T,F] */
  float *dqkv;         /* [T,3H] */

  /* ad_encoder_reserve, or grown on first use: [lanes][stride] column sums of a bucket, and levels of the tree */
  void *lane_sums;
  size_t lane_sums_capacity; /* floats */
  void *tree_work;
  size_t tree_work_capacity; /* floats */
};

/* Rows of a product for `rows` rows in use. */
static inline size_t product_rows(const struct ad_encoder *e, size_t rows) {
  return (rows + e->block - 1) / e->block * e->block;
}

/* Whether any layer is trained, so that a gradient goes further down than the head. */
static inline int trains_layers(const struct ad_params *params) {
  return ad_params_first_layer(params) < params->config.layers;
}

enum ad_dropout_kind {
  AD_MASK_EMBEDDING = 0,
  AD_MASK_ATTENTION = 0,
  AD_MASK_ATTENTION_OUTPUT = 1,
  AD_MASK_FFN_OUTPUT = 2,
  AD_MASK_CLASSIFIER = 0
};

/* The mask of one place: `level` 0 embeddings, 1 + n layer n, L + 1 classifier. Without masks: no dropout. */
struct ad_dropout ad_encoder_dropout(float p, const struct ad_masks *masks, uint32_t level, enum ad_dropout_kind kind);

#endif
