/* The parameter table: every tensor of the model, its place in the one flat float32 vector [P], and how it is treated.
 *
 * Letters: H hidden, A heads, F feed-forward, L layers, V vocabulary, C classes, P parameters. Shapes and names are
 * those of the Hugging Face file, row-major, outermost first (a weight is [out, in]). The three attention weights lie
 * one after another, so that they are also one [3H, H] matrix; their biases likewise [3H]. */
#ifndef AUTODIDACT_MODEL_PARAMS_H
#define AUTODIDACT_MODEL_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/choices.h"
#include "autodidact/math/kernels.h"

struct ad_model_config {
  uint32_t hidden, heads, ffn, layers, vocab, positions, types, classes;
  float layer_norm_eps;
  float hidden_dropout, attention_dropout, classifier_dropout; /* probabilities in [0, 1) */
  enum ad_activation activation;
  enum ad_classifier classifier;
  int cased; /* 1: the tokenizer keeps case (do_lower_case = false) */
};

/* X(field, Hugging Face name, rows, columns (1: a vector [rows]), weight decay).
 * Rows and columns are expressions in the sizes of a `const struct ad_model_config *m`. */
#define AD_EMBEDDING_TENSORS(X)                                                    \
  X(word, "embeddings.word_embeddings.weight", m->vocab, m->hidden, 1)             \
  X(position, "embeddings.position_embeddings.weight", m->positions, m->hidden, 1) \
  X(type, "embeddings.token_type_embeddings.weight", m->types, m->hidden, 1)       \
  X(norm_weight, "embeddings.LayerNorm.weight", m->hidden, 1, 0)                   \
  X(norm_bias, "embeddings.LayerNorm.bias", m->hidden, 1, 0)

/* After "encoder.layer.N.": its two halves. A backward completes feed-forward first. */
#define AD_ATTENTION_TENSORS(X)                                              \
  X(query_weight, "attention.self.query.weight", m->hidden, m->hidden, 1)    \
  X(key_weight, "attention.self.key.weight", m->hidden, m->hidden, 1)        \
  X(value_weight, "attention.self.value.weight", m->hidden, m->hidden, 1)    \
  X(query_bias, "attention.self.query.bias", m->hidden, 1, 0)                \
  X(key_bias, "attention.self.key.bias", m->hidden, 1, 0)                    \
  X(value_bias, "attention.self.value.bias", m->hidden, 1, 0)                \
  X(output_weight, "attention.output.dense.weight", m->hidden, m->hidden, 1) \
  X(output_bias, "attention.output.dense.bias", m->hidden, 1, 0)             \
  X(norm1_weight, "attention.output.LayerNorm.weight", m->hidden, 1, 0)      \
  X(norm1_bias, "attention.output.LayerNorm.bias", m->hidden, 1, 0)
#define AD_FFN_TENSORS(X)                                         \
  X(up_weight, "intermediate.dense.weight", m->ffn, m->hidden, 1) \
  X(up_bias, "intermediate.dense.bias", m->ffn, 1, 0)             \
  X(down_weight, "output.dense.weight", m->hidden, m->ffn, 1)     \
  X(down_bias, "output.dense.bias", m->hidden, 1, 0)              \
  X(norm2_weight, "output.LayerNorm.weight", m->hidden, 1, 0)     \
  X(norm2_bias, "output.LayerNorm.bias", m->hidden, 1, 0)

/* The pooler's rows are 0 where the classifier stands on the bare [CLS] state. */
#define AD_HEAD_TENSORS(X)                                                                                     \
  X(pooler_weight, "pooler.dense.weight", m->classifier == AD_CLASSIFIER_POOLER ? m->hidden : 0, m->hidden, 1) \
  X(pooler_bias, "pooler.dense.bias", m->classifier == AD_CLASSIFIER_POOLER ? m->hidden : 0, 1, 0)             \
  X(classifier_weight, "classifier.weight", m->classes, m->hidden, 1)                                          \
  X(classifier_bias, "classifier.bias", m->classes, 1, 0)

/* Offsets (in floats) of the tensors in the flat vector. */
#define AD_OFFSET_FIELD(field, name, rows, columns, decay) size_t field;
struct ad_embedding_offsets {
  AD_EMBEDDING_TENSORS(AD_OFFSET_FIELD)
};
struct ad_layer_offsets {
  AD_ATTENTION_TENSORS(AD_OFFSET_FIELD)
  AD_FFN_TENSORS(AD_OFFSET_FIELD)
};
struct ad_head_offsets {
  AD_HEAD_TENSORS(AD_OFFSET_FIELD)
};
#undef AD_OFFSET_FIELD

struct ad_tensor {
  char name[80]; /* "encoder.layer.0.attention.self.query.weight": without a "bert." prefix */
  size_t offset; /* first float in the flat vector */
  size_t rows, columns;
  size_t count;    /* rows * columns */
  int vector;      /* 1: shape [rows], 0: shape [rows, columns] */
  uint32_t layer;  /* 0 embeddings, 1 + n encoder layer n, L + 1 head */
  uint32_t bucket; /* what is exchanged together */
  int decay;       /* weight decay applies */
  int new_head;    /* the classifier: head learning rate, drawn anew where the file has none */
  int row_blocked; /* the row table, below */
};

/* The tensor of which a step touches few rows, those of its tokens: the word embedding. Its blocks are its rows
 * (model/shard.h), and a gradient has its touched rows only (struct ad_rows). It is the first tensor of its bucket. */
struct ad_row_table {
  uint32_t bucket;
  size_t begin, end; /* floats of the flat vector */
  size_t rows, width;
};

struct ad_params {
  struct ad_model_config config;
  size_t count;              /* P */
  struct ad_tensor *tensors; /* [tensor_count] in the order of the flat vector, none of them empty */
  size_t tensor_count;
  uint32_t buckets;     /* embeddings, `parts` for each layer, head; a backward completes the last one first */
  uint32_t parts;
  size_t *bucket_begin; /* [buckets + 1] offsets */
  uint32_t frozen;      /* the first so many buckets are not trained: they belong to no shard */
  struct ad_row_table table;
  struct ad_embedding_offsets embedding;
  struct ad_layer_offsets *layer; /* [L] */
  struct ad_head_offsets head;
};

/* Builds the table. The caller owns it: ad_params_destroy. AD_ECONFIG (sizes that make no model: hidden not a multiple
 * of heads, a zero size, fewer than 2 classes), AD_ENOMEM. */
int ad_params_create(struct ad_params *params, const struct ad_model_config *config);
void ad_params_destroy(struct ad_params *params);

/* From now on the embeddings and the first `layers` encoder layers are not trained: forwards read them, and that is all.
 * To be called before anything is made for these parameters. AD_ECONFIG: more layers than there are. */
int ad_params_freeze(struct ad_params *params, uint32_t layers);

/* The same by the text of model.freeze: none, embeddings, encoder, or a number of layers. AD_ECONFIG. */
int ad_params_freeze_named(struct ad_params *params, const char *what);

/* Floats at the front of the flat vector that are not trained. */
static inline size_t ad_params_frozen(const struct ad_params *params) {
  return params->bucket_begin[params->frozen];
}

/* The first encoder layer that is trained; L where only the head is. */
uint32_t ad_params_first_layer(const struct ad_params *params);

/* The layers from this one on are done when a backward has completed bucket `bucket`; L: none is. */
uint32_t ad_params_done_from(const struct ad_params *params, uint32_t bucket);

/* The tensor of this name, with or without a leading "bert."; NULL if there is none. */
const struct ad_tensor *ad_params_find(const struct ad_params *params, const char *name);

/* Draws tensor number `index` anew into theta [P]: weights from N(0, 0.02^2) by (seed, tensor number), biases 0, layer
 * norm weights 1 (BERT's initialisation, Devlin et al. 2019). */
void ad_params_draw(const struct ad_params *params, size_t index, uint64_t seed, float *theta);

#endif
