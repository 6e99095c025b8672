/* The encoder's memory, and what an architecture's layers use of it in a forward and in a backward. Not installed. */
#ifndef AUTODIDACT_MODEL_ENCODER_INTERNAL_H
#define AUTODIDACT_MODEL_ENCODER_INTERNAL_H

#include "architecture.h"
#include "autodidact/base/memory.h"
#include "autodidact/model/encoder.h"

/* An activation [M,n] that products read, and the gradients of their weights. With bfloat16 the values last until the
 * same buffer is filled again, in the next layer or the one after it; the rounded rows last until the backward. */
struct ad__activation {
  float *values;
  ad_bf16 *rows; /* [M, depth(n)]; NULL with float32 */
};

/* What the encoder knows of a layer's memory. M rows: all T tokens, or in the last layer the B [CLS] rows. */
struct ad__layer {
  float *begin;            /* of its activations, which end where the next layer's begin */
  struct ad__activation x; /* [T,H] input: the output of the layer before */
  float *out;              /* [M,H] */
  void *own;               /* the architecture's */
};

/* A factor of products with weights: rows of activations or of gradients. */
struct ad__operand {
  const float *values; /* [M,n] (ld) */
  size_t ld;
  const ad_bf16 *rows; /* with bfloat16: the same rounded, [M, depth(n)]; else NULL */
};

/* A buffer of a backward, [T,columns]. */
struct ad__gradient {
  float *values;
  size_t columns;
};
enum { AD_GRADIENTS = 16 };

struct ad_encoder {
  const struct ad_params *params;
  const struct ad_math *math;
  const struct ad_kernels *kernels; /* math's */
  size_t token_rows;                /* capacity T, rounded */
  size_t example_rows;              /* capacity B with gaps between aligned lanes, rounded */
  size_t alignment;                 /* of a lane's first row, tokens and [CLS] rows alike */
  size_t block;                     /* products have a multiple of this many rows */
  int training;
  struct ad_replica frozen; /* where frozen parameters are read; without values: with the others */
  struct ad_replica theta;  /* of the running forward or backward */

  struct ad_arena arena;    /* holds everything below up to lane_sums */
  void *own;                /* the architecture's, beside the layers */
  float *shared[3];         /* with bfloat16, of the blocks: context [T,H], y1 [T,H], g [T,F] */
  struct ad__layer *layers; /* [L]; without training all share their memory but for x and out */
  ad_bf16 *input_rows;      /* with bfloat16: of a product's input, */
  ad_bf16 *gradient_rows;   /* of a gradient that comes to it, in a backward */
  ad_bf16 *weight;          /* packed for the gradient of an input, which is its only use in a round */
  float *pooled;            /* [B,H] of the head's matrix: tanh(y), or y itself where the activation is another; or the
                               [CLS] state */
  float *dropped;           /* [B,H] what the classifier reads */
  uint32_t *cls_place;      /* [B] place of each [CLS] in its example */
  uint32_t *cls_row;        /* [B] packed row of each [CLS]; 0 in a gap */
  uint32_t *cls_stream;     /* [B] stream of its example; 0 in a gap */
  size_t *lane_cls;         /* [AD_MAX_LANES + 1] first [CLS] row of each lane; the last: rows in use */

  /* backward */
  struct ad_lane_rows *lane_rows[2];           /* [AD_MAX_LANES] each: [CLS] rows; tokens */
  float *dx, *dz, *dy;                         /* [T,H]; with the head alone trained there is only dy [B,H] */
  struct ad__gradient gradients[AD_GRADIENTS]; /* those and the architecture's */
  size_t gradient_count;

  /* ad_encoder_reserve, or grown on first use: [lanes][stride] column sums of a bucket; [lanes][shared] sums of what
   * layers share; levels of the tree */
  void *lane_sums;
  size_t lane_sums_capacity; /* floats */
  void *shared_sums;
  size_t shared_sums_capacity; /* floats */
  void *tree_work;
  size_t tree_work_capacity; /* floats */
};

/* What a layer with two layer norms keeps for its backward. M rows: all T tokens, or in the last layer the B [CLS]
 * rows.
 */
struct ad__block {
  float *qkv;                    /* [T,3H] query, key, value side by side; last layer: [T,2H] key, value */
  float *xc;                     /* [B,H] last layer: the [CLS] rows of x; else x itself */
  float *q;                      /* queries: in qkv, or last layer: [B,H] */
  struct ad__activation context; /* [M,H] */
  float *z1;                     /* [M,H] before the first layer norm */
  struct ad__activation y1;      /* [M,H] after it */
  float *mean1, *rstd1;          /* [M] */
  float *u;                      /* [M,F] before the activation */
  struct ad__activation g;       /* [M,F] after it, and a dropout there */
  float *z2;                     /* [M,H] before the second layer norm */
  float *mean2, *rstd2;          /* [M] */
};

/* Takes it. own NULL: it is only counted. */
void ad__take_block(struct ad_encoder *e, struct ad__block *own, int last);

/* What the layers' activations share, before them; dqkv [T,3H], df [T,F]: gradients of a backward. */
void ad__share_block(struct ad_encoder *e, float *dqkv, float *df);

/* `count` floats of the encoder's memory, zeroed; NULL while it is only counted. */
float *ad__take(struct ad_encoder *e, size_t count);

/* An activation of a layer. shared: as many floats, which all layers may fill in turn, of ad__take_shared: NULL with
 * float32, where layers have their own; else the buffer of a gradient, which no forward needs, or new ones where there
 * is no backward. */
struct ad__activation ad__take_activation(struct ad_encoder *e, size_t M, size_t n, float *shared);
float *ad__take_shared(struct ad_encoder *e, size_t count, float *gradient);

/* A buffer of a backward, [T,columns]: its rows between lanes are zeroed before each backward. Of an encoder that is
 * made for it (trains_layers); else NULL. */
float *ad__take_gradient(struct ad_encoder *e, size_t columns);

/* Rows of a product for `rows` rows in use. */
static inline size_t product_rows(const struct ad_encoder *e, size_t rows) {
  return (rows + e->block - 1) / e->block * e->block;
}

/* --- Products with a linear layer's weight, which begins at `offset` (products.c). M rows in use --- */

/* The input x [M,n] (ld) of products, and the gradient dy [M,n] (ld) of an output. With bfloat16 they are rounded, once
 * for all products that read them, into memory where the next of their kind takes their place. */
struct ad__operand ad__input(const struct ad_encoder *e, size_t M, size_t n, const float *x, size_t ld);
struct ad__operand ad__output_gradient(const struct ad_encoder *e, size_t M, size_t n, const float *dy, size_t ld);

/* The same of an activation [M,n]: rounded into its own rows in a forward; and as it was then, in a backward. */
struct ad__operand ad__round(const struct ad_encoder *e, size_t M, size_t n, const struct ad__activation *x);
static inline struct ad__operand ad__kept(size_t n, const struct ad__activation *x) {
  return (struct ad__operand){x->values, n, x->rows};
}

/* y [M,outputs] (ld): the layer's product, forward. */
void ad__product(const struct ad_encoder *e, size_t M, const struct ad__operand *x, size_t offset, float *y, size_t ld);

/* dx [M,inputs] (ld), or added to it: the gradient of the layer's input. */
void ad__input_gradient(const struct ad_encoder *e, size_t M, const struct ad__operand *dy, size_t offset, float *dx,
                        size_t ld, int accumulate);

/* Whether any layer is trained, so that a gradient goes further down than the head. */
static inline int trains_layers(const struct ad_params *params) {
  return ad_params_first_layer(params) < params->config.layers;
}

/* Floats of the sums that a lane has for tensors shared by layers: none where the embeddings are frozen. And of the
 * tree over the lanes, as in ad_encoder_backward_bytes. */
size_t ad__shared_floats(const struct ad_params *params);
size_t ad__tree_floats(const struct ad_math *math, const struct ad_params *params, size_t tokens, size_t lanes,
                       size_t touched);

/* AD_EINTERNAL where parameters are not of the encoder's precision. */
int ad__check_replica(const struct ad_encoder *e, struct ad_replica theta);

/* Floats of work memory for the gradient of a weight [N,K] over so many lanes with at most M rows (products.c). */
size_t ad__weight_gradient_floats(const struct ad_math *math, size_t lanes, size_t M, size_t N, size_t K);

/* --- A backward --- */

/* What every function of it needs. */
struct ad__backward {
  struct ad_encoder *e;
  const float *theta;
  const struct ad_batch *batch;
  const struct ad_masks *masks;
  const struct ad_rows *rows;
  const struct ad_gradient_sink *sink;
  uint32_t bucket;    /* the one being written */
  size_t bucket_base; /* its first float in the flat vector, less what its layout lacks (the row table's) */
  size_t stride;      /* floats of a lane's row of column sums */
  size_t shared;      /* the same of shared sums; 0: there are none, or the embeddings are frozen */
  float *place[AD_MAX_PARTS];
};

/* The rows of a lane: tokens, or else [CLS] rows. */
static inline struct ad_lane_rows ad__lane_rows(const struct ad__backward *p, size_t lane, int tokens) {
  return p->e->lane_rows[tokens][lane];
}

/* Column sums of a lane, from `column` on. */
static inline float *ad__lane_sum(const struct ad__backward *p, size_t lane, size_t column) {
  return (float *)p->e->lane_sums + lane * p->stride + column;
}

/* Sums of a lane over all layers for tensors that they share, from `column` on: zero when a backward begins, and only
 * added to. NULL where nobody reads them, the embeddings being frozen. */
static inline float *ad__shared_sum(const struct ad__backward *p, size_t lane, size_t column) {
  return p->shared == 0 ? NULL : (float *)p->e->shared_sums + lane * p->shared + column;
}

/* Part `part` of layer l's buckets. */
static inline uint32_t ad__layer_bucket(const struct ad_params *params, uint32_t l, uint32_t part) {
  return 1 + params->parts * l + part;
}

/* Whether nobody reads a gradient below layer l. */
static inline int ad__is_lowest(const struct ad__backward *p, uint32_t l) {
  return p->e->params->frozen > 0 && l == ad_params_first_layer(p->e->params);
}

/* Opens a bucket: memory for its parts, and `stride` zeroed column sums for each lane. AD_ENOMEM. */
int ad__bucket_open(struct ad__backward *p, uint32_t bucket, size_t stride);

/* All of it is written. What the sink returns. */
int ad__bucket_close(struct ad__backward *p);

/* The gradient of the weight at `offset` of a linear layer: dy^T x (of a transposed one x^T dy) lane by lane, combined
 * by the tree. Rows: tokens, or else [CLS] rows. AD_ENOMEM, or what the sink returns. */
int ad__weight_gradient(struct ad__backward *p, size_t offset, const struct ad__operand *dy,
                        const struct ad__operand *x, int tokens);

/* The same over other rows of each lane, rows [lanes], `most` of them in any batch. */
int ad__weight_gradient_of(struct ad__backward *p, size_t offset, const struct ad__operand *dy,
                           const struct ad__operand *x, const struct ad_lane_rows *rows, size_t most);

/* The gradient [n] at `offset`: the lanes' column sums from `column` on, combined by the tree. AD_ENOMEM. */
int ad__column_gradient(struct ad__backward *p, size_t offset, size_t column, size_t n);

/* The same of the lanes' shared sums, for embed_backward. AD_ENOMEM. */
int ad__shared_gradient(struct ad__backward *p, size_t offset, size_t column, size_t n);

/* The gradient of the table [rows,width] at `offset`, whose row index[t] has the gradient values[t] of token t,
 * combined by the tree. index [T]; values [T,width]. Rows from `used` on are in no index. Tokens of the id padding - 1
 * have no gradient (0: all have one). AD_ENOMEM. */
int ad__table_gradient(struct ad__backward *p, size_t offset, size_t rows, size_t used, uint32_t padding,
                       const uint32_t *index, const float *values, size_t width);

/* The same of the row table, which ids index; its padding is the model configuration's. values [T, its width]. */
int ad__row_table_gradient(struct ad__backward *p, const float *values);

enum ad_dropout_kind {
  AD_MASK_EMBEDDING = 0,
  AD_MASK_RELATIVE = 1,
  AD_MASK_ATTENTION = 0,
  AD_MASK_ATTENTION_OUTPUT = 1,
  AD_MASK_FFN_OUTPUT = 2,
  AD_MASK_FFN_INNER = 3,
  AD_MASK_CLASSIFIER = 0,
  AD_MASK_HEAD_STATE = 1
};

/* Dropout before the head's matrix, where the architecture has one. */
struct ad_dropout ad__head_state_dropout(const struct ad_params *params, const struct ad_masks *masks);

/* The head's activation as the kernels know it; not of tanh. */
static inline int ad__head_function(const struct ad__head *head) {
  return head->activation == AD_HEAD_RELU ? AD_ACTIVATION_RELU : AD_ACTIVATION_GELU_ERF;
}

/* The mask of one place: `level` 0 embeddings, 1 + n layer n, L + 1 head. Without masks: no dropout. */
struct ad_dropout ad_encoder_dropout(float p, const struct ad_masks *masks, uint32_t level, enum ad_dropout_kind kind);

#endif
