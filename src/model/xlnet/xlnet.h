/* XLNet (Yang et al. 2019), its content stream, which sees all tokens: its tensors, its memory, and what its table
 * (xlnet.c) points to. Private to model/xlnet/.
 *
 * Relative rows: an example of S tokens has 2S rows, from row 2 t on where its first token is row t. Number m below
 * 2S - 1 is that of the distance S - 1 - m from a query to a key; the last is nobody's. In the last layer, where only
 * the last token asks, it has the first S of them, from row t on. */
#ifndef AUTODIDACT_SRC_MODEL_XLNET_XLNET_H
#define AUTODIDACT_SRC_MODEL_XLNET_XLNET_H

#include "../encoder_internal.h"

/* No table limits the length. Of longer examples the relative rows would have no names for their masks. */
enum { XLNET_LONGEST = 1 << 15 };

/* Types of tokens: first text, second text, class token. */
enum { XLNET_TYPES = 3 };

/* X(field, name in files, rows, columns (1: a vector [rows]), groups of columns in files (0: none), init, treatment,
 * part of the layer's buckets). Rows and columns are expressions in the sizes of a `const struct ad_model_config *m`.
 * No forward reads the mask's embedding: it is kept for who trains further. */
#define XLNET_EMBEDDING(X)                                                                       \
  X(word, "word_embedding.weight", m->vocab, m->hidden, 0, NORMAL, AD_DECAY | AD_ROW_BLOCKED, 0) \
  X(mask, "mask_emb", 1, m->hidden, 1, NORMAL, 0, 0)

/* Attention, then feed-forward, which a backward completes first. Query, key, value and relative weights are
 * [in, out], the others [out, in]. */
#define XLNET_LAYER(X)                                                                   \
  X(query, "rel_attn.q", m->hidden, m->hidden, m->heads, NORMAL, AD_DECAY, 0)            \
  X(key, "rel_attn.k", m->hidden, m->hidden, m->heads, NORMAL, AD_DECAY, 0)              \
  X(value, "rel_attn.v", m->hidden, m->hidden, m->heads, NORMAL, AD_DECAY, 0)            \
  X(output, "rel_attn.o", m->hidden, m->hidden, m->heads, NORMAL, AD_DECAY, 0)           \
  X(relative, "rel_attn.r", m->hidden, m->hidden, m->heads, NORMAL, AD_DECAY, 0)         \
  X(content_bias, "rel_attn.r_w_bias", m->heads, m->hidden / m->heads, 0, NORMAL, 0, 0)  \
  X(position_bias, "rel_attn.r_r_bias", m->heads, m->hidden / m->heads, 0, NORMAL, 0, 0) \
  X(segment_bias, "rel_attn.r_s_bias", m->heads, m->hidden / m->heads, 0, NORMAL, 0, 0)  \
  X(segments, "rel_attn.seg_embed", 2, m->hidden, m->heads, NORMAL, AD_DECAY, 0)         \
  X(norm1_weight, "rel_attn.layer_norm.weight", m->hidden, 1, 0, ONE, 0, 0)              \
  X(norm1_bias, "rel_attn.layer_norm.bias", m->hidden, 1, 0, ZERO, 0, 0)                 \
  X(up_weight, "ff.layer_1.weight", m->ffn, m->hidden, 0, NORMAL, AD_DECAY, 1)           \
  X(up_bias, "ff.layer_1.bias", m->ffn, 1, 0, ZERO, 0, 1)                                \
  X(down_weight, "ff.layer_2.weight", m->hidden, m->ffn, 0, NORMAL, AD_DECAY, 1)         \
  X(down_bias, "ff.layer_2.bias", m->hidden, 1, 0, ZERO, 0, 1)                           \
  X(norm2_weight, "ff.layer_norm.weight", m->hidden, 1, 0, ONE, 0, 1)                    \
  X(norm2_bias, "ff.layer_norm.bias", m->hidden, 1, 0, ZERO, 0, 1)

enum { XLNET_ATTENTION, XLNET_FFN, XLNET_PARTS };

/* Offsets of the tensors in the flat vector. */
#define XLNET_FIELD(field, name, rows, columns, groups, init, treatment, part) size_t field;
struct xlnet_embedding_offsets {
  XLNET_EMBEDDING(XLNET_FIELD)
};
struct xlnet_layer_offsets {
  XLNET_LAYER(XLNET_FIELD)
};
#undef XLNET_FIELD

static inline const struct xlnet_embedding_offsets *ad__xlnet_embedding(const struct ad_encoder *e) {
  return e->params->embedding;
}

static inline const struct xlnet_layer_offsets *ad__xlnet_layer(const struct ad_encoder *e, uint32_t l) {
  return (const struct xlnet_layer_offsets *)e->params->layer + l;
}

/* Beside the layers. */
struct xlnet {
  float *sinusoid;            /* [longest,H] of the distances from 0 on */
  size_t known;               /* those that are there */
  float *relative;            /* [2T,H] the relative rows after dropout */
  float *relative_last;       /* [T,H] the last layer's */
  size_t longest;             /* the batch's longest example, where all share one example's relative rows; else 0 */
  float *zero;                /* [H] */
  float *work;                /* of attention */
  struct ad_lane_rows *lanes; /* [AD_MAX_LANES] their relative rows, in a backward */
  float *drelative;           /* [2T,H] gradient of a backward */
};

/* What one layer keeps for its backward. */
struct xlnet_layer {
  struct ad__block block;
  float *relative; /* [2T,H] the relative rows as keys; last layer: [T,H] */
};

static inline const struct ad__block *ad__xlnet_block(const struct ad_encoder *e, uint32_t l) {
  return &((const struct xlnet_layer *)e->layers[l].own)->block;
}

/* config.c */
extern const char *const ad__xlnet_keys[];
extern const struct ad__config_key ad__xlnet_numbers[];
int ad__xlnet_read_config(const char *path, const json_t *root, struct ad_model_config *m);
int ad__xlnet_write_config(const struct ad_model_config *m, json_t *root);

/* forward.c */
void ad__xlnet_embed(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                     const struct ad_masks *masks);
void ad__xlnet_forward(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                       const struct ad_masks *masks, uint32_t l);

/* The feed-forward part of layer l over a batch. */
struct ad__feed ad__xlnet_feed(const struct ad_encoder *e, const struct ad_batch *batch, const struct ad_masks *masks,
                               uint32_t l);

/* The attention of example b in layer l as the kernel takes it. */
struct ad_relative ad__xlnet_attention(const struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                                       const struct ad_dropout *dropout, uint32_t l, size_t b,
                                       const struct ad__qkv *at);

/* backward.c */
struct ad__work ad__xlnet_work(const struct ad_model_config *m);
int ad__xlnet_backward(struct ad__backward *p, uint32_t l);
int ad__xlnet_embed_backward(struct ad__backward *p);

#endif
