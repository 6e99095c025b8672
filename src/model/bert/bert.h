/* BERT (Devlin et al. 2019): its tensors, its memory, and what its table (bert.c) points to. Private to model/bert/. */
#ifndef AUTODIDACT_SRC_MODEL_BERT_BERT_H
#define AUTODIDACT_SRC_MODEL_BERT_BERT_H

#include "../encoder_internal.h"

/* X(field, name in files, rows, columns (1: a vector [rows]), init, treatment, part of the layer's buckets).
 * Rows and columns are expressions in the sizes of a `const struct ad_model_config *m`. */
#define BERT_EMBEDDING(X)                                                                                 \
  X(word, "embeddings.word_embeddings.weight", m->vocab, m->hidden, NORMAL, AD_DECAY | AD_ROW_BLOCKED, 0) \
  X(position, "embeddings.position_embeddings.weight", m->positions, m->hidden, NORMAL, AD_DECAY, 0)      \
  X(type, "embeddings.token_type_embeddings.weight", m->types, m->hidden, NORMAL, AD_DECAY, 0)            \
  X(norm_weight, "embeddings.LayerNorm.weight", m->hidden, 1, ONE, 0, 0)                                  \
  X(norm_bias, "embeddings.LayerNorm.bias", m->hidden, 1, ZERO, 0, 0)

/* Attention, then feed-forward, which a backward completes first. The three weights lie one after another, so that they
 * are also one [3H,H] matrix; their biases likewise [3H]. */
#define BERT_LAYER(X)                                                                          \
  X(query_weight, "attention.self.query.weight", m->hidden, m->hidden, NORMAL, AD_DECAY, 0)    \
  X(key_weight, "attention.self.key.weight", m->hidden, m->hidden, NORMAL, AD_DECAY, 0)        \
  X(value_weight, "attention.self.value.weight", m->hidden, m->hidden, NORMAL, AD_DECAY, 0)    \
  X(query_bias, "attention.self.query.bias", m->hidden, 1, ZERO, 0, 0)                         \
  X(key_bias, "attention.self.key.bias", m->hidden, 1, ZERO, 0, 0)                             \
  X(value_bias, "attention.self.value.bias", m->hidden, 1, ZERO, 0, 0)                         \
  X(output_weight, "attention.output.dense.weight", m->hidden, m->hidden, NORMAL, AD_DECAY, 0) \
  X(output_bias, "attention.output.dense.bias", m->hidden, 1, ZERO, 0, 0)                      \
  X(norm1_weight, "attention.output.LayerNorm.weight", m->hidden, 1, ONE, 0, 0)                \
  X(norm1_bias, "attention.output.LayerNorm.bias", m->hidden, 1, ZERO, 0, 0)                   \
  X(up_weight, "intermediate.dense.weight", m->ffn, m->hidden, NORMAL, AD_DECAY, 1)            \
  X(up_bias, "intermediate.dense.bias", m->ffn, 1, ZERO, 0, 1)                                 \
  X(down_weight, "output.dense.weight", m->hidden, m->ffn, NORMAL, AD_DECAY, 1)                \
  X(down_bias, "output.dense.bias", m->hidden, 1, ZERO, 0, 1)                                  \
  X(norm2_weight, "output.LayerNorm.weight", m->hidden, 1, ONE, 0, 1)                          \
  X(norm2_bias, "output.LayerNorm.bias", m->hidden, 1, ZERO, 0, 1)

enum { BERT_ATTENTION, BERT_FFN, BERT_PARTS };

/* Offsets of the tensors in the flat vector. */
#define BERT_FIELD(field, name, rows, columns, init, treatment, part) size_t field;
struct bert_embedding_offsets {
  BERT_EMBEDDING(BERT_FIELD)
};
struct bert_layer_offsets {
  BERT_LAYER(BERT_FIELD)
};
#undef BERT_FIELD

static inline const struct bert_embedding_offsets *ad__bert_embedding(const struct ad_encoder *e) {
  return e->params->embedding;
}

static inline const struct bert_layer_offsets *ad__bert_layer(const struct ad_encoder *e, uint32_t l) {
  return (const struct bert_layer_offsets *)e->params->layer + l;
}

/* Beside the layers. */
struct bert {
  float *embedded;      /* [T,H] before the layer norm */
  float *mean0, *rstd0; /* [T] */
  float *attention_work;
  float *df;   /* [T,F] gradients of a backward */
  float *dqkv; /* [T,3H] */
};

/* What one layer keeps for its backward. M rows: all T tokens, or in the last layer the B [CLS] rows. */
struct bert_layer {
  float *qkv;           /* [T,3H] query, key, value side by side; last layer: [T,2H] key, value */
  float *xc;            /* [B,H] last layer: the [CLS] rows of x; else x itself */
  float *q;             /* queries: in qkv, or last layer: [B,H] */
  float *context;       /* [M,H] */
  float *z1, *y1;       /* [M,H] before and after the first layer norm */
  float *mean1, *rstd1; /* [M] */
  float *u, *g;         /* [M,F] before and after the activation */
  float *z2;            /* [M,H] before the second layer norm */
  float *mean2, *rstd2; /* [M] */
};

/* config.c */
extern const char *const ad__bert_keys[];
int ad__bert_read_config(const char *path, const json_t *root, struct ad_model_config *m);
int ad__bert_write_config(const struct ad_model_config *m, json_t *root);

/* forward.c */
void ad__bert_embed(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                    const struct ad_masks *masks);
void ad__bert_forward(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                      const struct ad_masks *masks, uint32_t l);

/* backward.c */
void ad__bert_work(const struct ad_model_config *m, size_t *columns, size_t *sum);
int ad__bert_backward(struct ad__backward *p, uint32_t l);
int ad__bert_embed_backward(struct ad__backward *p);

#endif
