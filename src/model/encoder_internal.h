/* The encoder's memory, and what an architecture's layers use of it in a forward and in a backward. Not installed. */
#ifndef AUTODIDACT_MODEL_ENCODER_INTERNAL_H
#define AUTODIDACT_MODEL_ENCODER_INTERNAL_H

#include "architecture.h"
#include "autodidact/base/memory.h"
#include "autodidact/math/bfloat16.h"
#include "autodidact/model/encoder.h"

/* An activation [M,n] that a backward reads again: floats, or with bfloat16 rounded rows. A forward computes with the
 * rounded numbers too. */
struct ad__kept {
  size_t n;
  float *values; /* [M,n]; NULL with bfloat16 */
  ad_bf16 *rows; /* [M, depth(n)]; NULL with float32 */
};

/* Read rows are those that the head reads: of each example its [CLS], or those that the batch names (struct ad_reads).
 * B counts them here.
 *
 * What the encoder knows of a layer's memory. M rows: all T tokens, or in the last layer the B read rows. */
struct ad__layer {
  float *begin;    /* of its activations, which end where the next layer's begin */
  float *x;        /* [T,H] input: the output of the layer before */
  ad_bf16 *x_rows; /* [T, depth(H)] with bfloat16: x rounded, which the lowest trained layer keeps; of others it is
                      state_rows */
  float *out;      /* [M,H] */
  void *own;       /* the architecture's */
};

/* A factor of products with weights: rows of activations or of gradients. */
struct ad__operand {
  const float *values; /* [M,n] (ld); with bfloat16 it may be NULL */
  size_t ld;
  const ad_bf16 *rows; /* with bfloat16: the same rounded, [M, depth]; else NULL */
  size_t depth;        /* of n numbers */
};

/* Rows with bfloat16 that are floats at once, on their way from a product to what is kept: they stay in the caches. */
enum { AD_DRAFT_ROWS = 192 };

/* A buffer of a backward, [T,columns]. */
struct ad__gradient {
  float *values;
  size_t columns;
};
enum { AD_GRADIENTS = 16 };

/* What a masked-language head keeps and needs beside `pooled`, which is what its activation reads, and `dropped`, which
 * its last product reads. E: the width of the embeddings. */
struct ad__words {
  float *z;            /* [B,E] behind the activation */
  float *mean, *rstd;  /* [B] of its layer norm */
  float *dz;           /* [B,E] */
  float *block;        /* [B, AD_VOCABULARY_BLOCK] of logits or their gradient, where rows have gaps; or NULL */
  uint32_t *token;     /* [T] rows of tokens whose words are in a block, lane by lane in their order */
  size_t *token_begin; /* [AD_MAX_LANES + 1] the first of each lane */
};

struct ad_encoder {
  const struct ad_params *params;
  const struct ad_math *math;
  const struct ad_kernels *kernels; /* math's */
  size_t token_rows;                /* capacity T, rounded */
  size_t read_rows;                 /* capacity B with gaps between aligned lanes, rounded */
  size_t alignment;                 /* of a lane's first row, tokens and read rows alike */
  size_t block;                     /* products have a multiple of this many rows */
  int training;
  struct ad_replica frozen; /* where frozen parameters are read; without values: with the others */
  struct ad_replica theta;  /* of the running forward or backward */

  struct ad_arena arena;    /* holds everything below up to lane_sums */
  void *own;                /* the architecture's, beside the layers */
  struct ad__layer *layers; /* [L]; without training all share their memory but for x and out */
  /* With bfloat16. */
  ad_bf16 *state_rows;    /* of a product's input of hidden size */
  ad_bf16 *inner_rows;    /* of the feed-forward part's activation, */
  ad_bf16 *gradient_rows; /* of a gradient that comes to a product, in a backward */
  ad_bf16 *weight;        /* packed for the gradient of an input, which is its only use in a round */
  float *draft;           /* [AD_DRAFT_ROWS, max(3H, F)], or of an example: [S,6H] */
  float *y1;              /* [T,H] a block's, of the running forward */

  float *pooled;  /* [B,H], of a masked-language head [B,E], as the next one: of the head's matrix: tanh(y), or y itself
                     where the activation is another; or the  [CLS] state */
  float *dropped; /* [B,H] what the classifier reads */
  uint32_t *read_place;              /* [B] place of each read row's token in its example */
  uint32_t *read_row;                /* [B] packed row of each; 0 in a gap */
  uint32_t *read_stream;             /* [B] stream of its example; 0 in a gap */
  struct ad__words words;            /* of a masked-language head */
  size_t reads;                      /* read rows in use, gaps included */
  struct ad_lane_rows *lane_rows[2]; /* [AD_MAX_LANES] each: read rows of a lane; its tokens, in a backward */

  /* backward */
  float *dx, *dz, *dy;                         /* [T,H]; with the head alone trained there is only dy [B,H] */
  float *df, *dqkv;                            /* [T,F], [T,3H]; NULL with bfloat16: drafts */
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

/* `count` floats of the encoder's memory, zeroed; NULL while it is only counted. */
float *ad__take(struct ad_encoder *e, size_t count);

/* The same of elements of `size` bytes. */
void *ad__take_sized(struct ad_encoder *e, size_t count, size_t size);

/* Rounded rows [M, depth(n)]; NULL with float32, too. */
ad_bf16 *ad__take_rows(struct ad_encoder *e, size_t M, size_t n);

/* An activation [M,n] of a layer. */
struct ad__kept ad__take_kept(struct ad_encoder *e, size_t M, size_t n);

/* A buffer of a backward, [T,columns]: its rows between lanes are zeroed before each backward. Of an encoder that is
 * made for it (trains_layers); else NULL. */
float *ad__take_gradient(struct ad_encoder *e, size_t columns);

/* Rows of a product for `rows` rows in use. */
static inline size_t product_rows(const struct ad_encoder *e, size_t rows) {
  return (rows + e->block - 1) / e->block * e->block;
}

/* --- Products with a linear layer's weight, which begins at `offset` (products.c). M rows in use --- */

/* The input x [M,n] (ld) of products, and the gradient dy [M,n] (ld) of an output. With bfloat16 they are rounded, once
 * for all products that read them, into state_rows and gradient_rows. */
struct ad__operand ad__input(const struct ad_encoder *e, size_t M, size_t n, const float *x, size_t ld);
struct ad__operand ad__output_gradient(const struct ad_encoder *e, size_t M, size_t n, const float *dy, size_t ld);

/* The same into `rows`. */
struct ad__operand ad__operand(const struct ad_encoder *e, size_t M, size_t n, const float *values, size_t ld,
                               ad_bf16 *rows);

/* Its rows from `first` on. */
static inline struct ad__operand ad__from(const struct ad__operand *x, size_t first) {
  return (struct ad__operand){x->values == NULL ? NULL : x->values + first * x->ld, x->ld,
                              x->rows == NULL ? NULL : x->rows + first * x->depth, x->depth};
}

/* An activation as it was kept. */
static inline struct ad__operand ad__operand_kept(const struct ad__kept *x) {
  return (struct ad__operand){x->values, x->n, x->rows, ad_bf16_depth(x->n)};
}

/* y [M,outputs] (ld): the layer's product, forward. */
void ad__product(const struct ad_encoder *e, size_t M, const struct ad__operand *x, size_t offset, float *y, size_t ld);

/* dx [M,inputs] (ld), or added to it: the gradient of the layer's input. */
void ad__input_gradient(const struct ad_encoder *e, size_t M, const struct ad__operand *dy, size_t offset, float *dx,
                        size_t ld, int accumulate);

/* The same in two steps, of which the first serves any number of the second, each of other rows. */
void ad__pack_transposed(const struct ad_encoder *e, size_t offset);
void ad__input_product(const struct ad_encoder *e, size_t M, const struct ad__operand *dy, size_t offset, float *dx,
                       size_t ld, int accumulate);

/* The same of rows [n, n + count) of the word embedding [V,E], the last weight of a masked-language head: y
 * [M,count] (ld), with bfloat16 all V at once; and dx [M,E], to which blocks from n = 0 on add, each with its columns
 * dy [M,count]. */
void ad__words_product(const struct ad_encoder *e, size_t M, const struct ad__operand *x, size_t n, size_t count,
                       float *y, size_t ld);
void ad__words_input_gradient(const struct ad_encoder *e, size_t M, const struct ad__operand *dy, size_t n,
                              size_t count, float *dx);

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
  const float *dlogits;
  uint32_t bucket;    /* the one being written */
  size_t bucket_base; /* its first float in the flat vector, less what its layout lacks (the row table's) */
  size_t stride;      /* floats of a lane's row of column sums */
  size_t shared;      /* the same of shared sums; 0: there are none, or the embeddings are frozen */
  float *place[AD_MAX_PARTS];
};

/* The rows of a lane: tokens, or else read rows. */
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
 * by the tree. Rows: tokens, or else read rows. AD_ENOMEM, or what the sink returns. */
int ad__weight_gradient(struct ad__backward *p, size_t offset, const struct ad__operand *dy,
                        const struct ad__operand *x, int tokens);

/* The same over other rows of each lane, rows [lanes], `most` of them in any batch. */
int ad__weight_gradient_of(struct ad__backward *p, size_t offset, const struct ad__operand *dy,
                           const struct ad__operand *x, const struct ad_lane_rows *rows, size_t most);

/* The gradient of rows [n, n + count) of the word embedding: over the read rows of each lane dy^T x, to which `add`
 * adds the rest of the lane's summand; combined by the tree. Errors as above. */
int ad__words_gradient(struct ad__backward *p, const struct ad__operand *dy, const struct ad__operand *x, size_t n,
                       size_t count, ad_tile_add add, void *context);

/* n values at `offset` of the bucket: a lane's by `leaf`, combined by the tree. AD_ENOMEM. */
int ad__sum_parts(struct ad__backward *p, size_t offset, size_t n, ad_tree_leaf leaf, void *context);

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

/* The read rows of the example whose tokens end before row `end`: from *row on, which moves behind them. */
struct ad_lane_rows ad__example_reads(const struct ad_encoder *e, size_t lane, size_t end, size_t *row);

/* --- What layers with two layer norms have in common (block.c) --- */

/* What such a layer keeps for its backward. M rows: all T tokens, or in the last layer the B read rows. */
struct ad__block {
  struct ad__kept qkv;     /* [T,3H] query, key, value side by side; last layer: [T,2H] key, value */
  float *xc;               /* [B,H] last layer: the read rows of x; else x itself */
  struct ad__kept q;       /* queries: qkv, or last layer: [B,H] */
  struct ad__kept context; /* [M,H] */
  float *z1;               /* [M,H] before the first layer norm */
  float *y1;               /* [M,H] after it; with bfloat16 until the next layer's */
  float *mean1, *rstd1;    /* [M] */
  struct ad__kept u;       /* [M,F] before the activation */
  float *g;                /* [M,F] after it, and a dropout there; NULL with bfloat16 */
  float *z2;               /* [M,H] before the second layer norm */
  float *mean2, *rstd2;    /* [M] */
};

/* Takes it. own NULL: it is only counted. */
void ad__take_block(struct ad_encoder *e, struct ad__block *own, int last);

/* A layer's feed-forward part up to its second product. */
struct ad__feed {
  int tokens; /* 1: its rows are tokens; 0: read rows */
  size_t rows;
  const uint32_t *streams, *places; /* [rows] that name the masks */
  size_t up, down;                  /* offsets of the weights */
  struct ad_dropout dropout;        /* behind the activation */
};

/* Of layer l, without dropout: offsets of its weights. */
struct ad__feed ad__feed_of(const struct ad_encoder *e, const struct ad_batch *batch, uint32_t l, size_t up,
                            size_t down);

/* u = y1 W1^T + bias, which is kept, and g = dropout(activation(u)), the input of the second product. */
struct ad__operand ad__feed(struct ad_encoder *e, const struct ad__feed *f, const struct ad__block *s,
                            const struct ad__operand *y1, const float *bias);

/* Its backward from dy, the gradient of the second product: du, the gradient of u, whose column sums are added to the
 * lanes' from `column` on; and g again, for the second weight's gradient. dy may lie in state_rows, not in inner_rows
 * or gradient_rows. */
void ad__feed_backward(struct ad__backward *p, const struct ad__feed *f, const struct ad__block *s,
                       const struct ad__operand *dy, size_t column, struct ad__operand *du, struct ad__operand *g);

/* Floats of kept rows [first, first + count): where they are, or at `draft`. */
const float *ad__values(const struct ad_encoder *e, const struct ad__kept *x, size_t first, size_t count, float *draft);

/* Where rows from `first` on are written before ad__keep: where they stay, or `draft`. */
float *ad__draft(const struct ad_encoder *e, const struct ad__kept *x, size_t first, float *draft);
void ad__keep(const struct ad_encoder *e, const struct ad__kept *x, size_t first, size_t count, const float *draft);

/* Rows of M at once: all, or with bfloat16 as many as a draft has. */
static inline size_t ad__draft_rows(const struct ad_encoder *e, size_t M) {
  return e->math->bf16 == NULL || M < AD_DRAFT_ROWS ? M : AD_DRAFT_ROWS;
}

/* An example's queries, keys and values as attention takes them: its S tokens begin at row t; its queries are these
 * rows. */
struct ad__qkv {
  const float *q, *k, *v;
  size_t ldq, ldk;
  float *behind; /* the draft's rest: [S,3H], or in the last layer [S,2H] */
};
struct ad__qkv ad__qkv(const struct ad_encoder *e, const struct ad__block *s, size_t t, size_t S,
                       struct ad_lane_rows queries, int last);

/* Where their gradients go, with the same leading dimensions. float32: to dqkv, and dq of the last layer to dy;
 * bfloat16: to the draft's rest, and dq of the last layer to dy. */
struct ad__qkv_gradient {
  float *dq, *dk, *dv;
};
struct ad__qkv_gradient ad__qkv_gradient(const struct ad_encoder *e, const struct ad__qkv *at, size_t t, size_t row,
                                         int last);

/* The layer norm of z [M,H] as an operand: its values, which float32 keeps, or made again in state_rows. */
struct ad__operand ad__normed(const struct ad_encoder *e, size_t M, const float *values, const float *z,
                              const float *mean, const float *rstd, const float *gamma, const float *beta);

/* --- The masked-language head (vocabulary.c) --- */

/* Takes its memory. */
void ad__words_take(struct ad_encoder *e);

/* Floats of a lane's column sums in its backward. */
static inline size_t ad__words_columns(const struct ad_model_config *m) {
  return (size_t)3 * ad_model_embedding(m);
}

/* logits [B,V]. */
void ad__words_forward(struct ad_encoder *e, const float *theta, const struct ad_batch *batch, float *logits);

/* dx becomes the gradient of the last layer's output. Writes the head's bucket. AD_ENOMEM, or what the sink returns. */
int ad__words_backward(struct ad__backward *p);

/* The gradient of the word embedding, in its bucket: of each lane first the head's part, then the rows of its tokens,
 * values [T,E]. Errors as above. */
int ad__words_table_gradient(struct ad__backward *p, const float *values);

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
