/* The transformer of BERT's family: a layer norm behind each of its two halves, learned positions, attention over all
 * tokens. Its tensors, its memory, its computation. An architecture's table says by a struct post_norm what its own is
 * like, and takes the rest by POST_NORM_TABLE. Private to model/.
 *
 * E: width of the embeddings, H unless they are projected. */
#ifndef AUTODIDACT_SRC_MODEL_POST_NORM_POST_NORM_H
#define AUTODIDACT_SRC_MODEL_POST_NORM_POST_NORM_H

#include "../encoder_internal.h"

/* What differs between such architectures (the member `own` of a table). Modules by their names in files, which
 * ".weight" and ".bias" follow; NULL: there is none. */
struct post_norm {
  const char *word, *position, *type, *norm;
  const char *project;  /* from E to H; there where the embeddings have a width of their own */
  const char *distance; /* a bias of the scores by distance; there where the configuration has buckets for it */
  const char *query, *key, *value, *output, *norm1, *up, *down, *norm2; /* behind the layer's prefix */
  int undropped;                          /* 1: no dropout between attention's output and its residual */
  uint32_t (*bucket)(ptrdiff_t distance); /* of key - query: which row of the bias */
};

/* BERT's names of a layer's modules, which others have too. */
#define POST_NORM_BERT_LAYER                                                                             \
  .query = "attention.self.query", .key = "attention.self.key", .value = "attention.self.value",         \
  .output = "attention.output.dense", .norm1 = "attention.output.LayerNorm", .up = "intermediate.dense", \
  .down = "output.dense", .norm2 = "output.LayerNorm"

/* Old names of layer norms; buffers that files have beside embeddings. Members of a table (architecture.h). */
extern const struct ad__alias ad__post_norm_aliases[];
extern const char *const ad__post_norm_buffers[];

/* X(field, module, kind, rows, columns (1: a vector [rows]), init, treatment, part of the layer's buckets).
 * Rows and columns are expressions in the sizes of a `const struct ad_model_config *m` and in E. */
#define POST_NORM_EMBEDDING(X)                                                                   \
  X(word, word, "weight", m->vocab, E, NORMAL, AD_DECAY | AD_ROW_BLOCKED, 0)                     \
  X(position, position, "weight", m->positions, E, NORMAL, AD_DECAY, 0)                          \
  X(type, type, "weight", m->types, E, NORMAL, AD_DECAY, 0)                                      \
  X(norm_weight, norm, "weight", E, 1, ONE, 0, 0)                                                \
  X(norm_bias, norm, "bias", E, 1, ZERO, 0, 0)                                                   \
  X(project_weight, project, "weight", m->embedding > 0 ? m->hidden : 0, E, NORMAL, AD_DECAY, 0) \
  X(project_bias, project, "bias", m->embedding > 0 ? m->hidden : 0, 1, ZERO, 0, 0)              \
  X(distance, distance, "weight", m->buckets, m->heads, NORMAL, 0, 0)

/* Attention, then feed-forward, which a backward completes first. The three weights lie one after another, so that they
 * are also one [3H,H] matrix; their biases likewise [3H]. */
#define POST_NORM_LAYER(X)                                                      \
  X(query_weight, query, "weight", m->hidden, m->hidden, NORMAL, AD_DECAY, 0)   \
  X(key_weight, key, "weight", m->hidden, m->hidden, NORMAL, AD_DECAY, 0)       \
  X(value_weight, value, "weight", m->hidden, m->hidden, NORMAL, AD_DECAY, 0)   \
  X(query_bias, query, "bias", m->hidden, 1, ZERO, 0, 0)                        \
  X(key_bias, key, "bias", m->hidden, 1, ZERO, 0, 0)                            \
  X(value_bias, value, "bias", m->hidden, 1, ZERO, 0, 0)                        \
  X(output_weight, output, "weight", m->hidden, m->hidden, NORMAL, AD_DECAY, 0) \
  X(output_bias, output, "bias", m->hidden, 1, ZERO, 0, 0)                      \
  X(norm1_weight, norm1, "weight", m->hidden, 1, ONE, 0, 0)                     \
  X(norm1_bias, norm1, "bias", m->hidden, 1, ZERO, 0, 0)                        \
  X(up_weight, up, "weight", m->ffn, m->hidden, NORMAL, AD_DECAY, 1)            \
  X(up_bias, up, "bias", m->ffn, 1, ZERO, 0, 1)                                 \
  X(down_weight, down, "weight", m->hidden, m->ffn, NORMAL, AD_DECAY, 1)        \
  X(down_bias, down, "bias", m->hidden, 1, ZERO, 0, 1)                          \
  X(norm2_weight, norm2, "weight", m->hidden, 1, ONE, 0, 1)                     \
  X(norm2_bias, norm2, "bias", m->hidden, 1, ZERO, 0, 1)

enum { POST_NORM_ATTENTION, POST_NORM_FFN, POST_NORM_PARTS };

/* Offsets of the tensors in the flat vector. */
#define POST_NORM_FIELD(field, module, kind, rows, columns, init, treatment, part) size_t field;
struct post_norm_embedding_offsets {
  POST_NORM_EMBEDDING(POST_NORM_FIELD)
};
struct post_norm_layer_offsets {
  POST_NORM_LAYER(POST_NORM_FIELD)
};
#undef POST_NORM_FIELD

static inline const struct post_norm *ad__post_norm(const struct ad_model_config *m) {
  return ad__architecture(m->architecture)->own;
}

static inline const struct post_norm_embedding_offsets *ad__post_norm_embedding(const struct ad_encoder *e) {
  return e->params->embedding;
}

static inline const struct post_norm_layer_offsets *ad__post_norm_layer(const struct ad_encoder *e, uint32_t l) {
  return (const struct post_norm_layer_offsets *)e->params->layer + l;
}

/* Beside the layers. */
struct post_norm_state {
  float *embedded;      /* [T,E] before the layer norm */
  float *normed;        /* [T,E] behind layer norm and dropout, where that is projected; else NULL */
  float *mean0, *rstd0; /* [T] */
  float *distances;     /* [A, 2 longest - 1] the scores' bias by key - query; NULL: there is none */
  size_t longest;       /* tokens of the batch's longest example */
  float *attention_work;
  float *dnormed; /* [T,E] gradient of normed */
};

/* post_norm.c: the members of a table (architecture.h). */
void ad__post_norm_list_embedding(struct ad__tensors *list, const struct ad_model_config *m, void *offsets);
void ad__post_norm_list_layer(struct ad__tensors *list, const struct ad_model_config *m, uint32_t layer, void *offsets);
void ad__post_norm_list_linears(struct ad__linears *list, const struct ad_params *params);
int ad__post_norm_check(const struct ad_model_config *m);
int ad__post_norm_recognise(struct ad_model_config *m, ad_shape_of shape, void *context);
void ad__post_norm_take(struct ad_encoder *e, void *own);
void ad__post_norm_take_layer(struct ad_encoder *e, void *own, int last);

/* The dropout between attention's output and its residual in layer l. */
struct ad_dropout ad__post_norm_output_dropout(const struct ad_model_config *m, const struct ad_masks *masks,
                                               uint32_t l);

/* The feed-forward part of layer l over a batch. */
struct ad__feed ad__post_norm_feed(const struct ad_encoder *e, const struct ad_batch *batch, uint32_t l);

/* distance.c: nothing where the scores have no bias. */
/* Floats of it for examples of so many tokens, and of a lane's sums for its gradient. */
size_t ad__post_norm_distances(const struct ad_model_config *m, size_t longest);
size_t ad__post_norm_shared(const struct ad_model_config *m);
/* Spreads the table over the distances of a batch. */
void ad__post_norm_spread(struct ad_encoder *e, const float *theta, const struct ad_batch *batch);
/* What attention takes of it. places: of the queries, or NULL where these are all tokens. sums: a lane's shared ones,
 * or NULL. Without values there is no bias. */
struct ad_distance_bias ad__post_norm_bias(const struct ad_encoder *e, const uint32_t *places, float *sums);
/* The table's gradient. AD_ENOMEM. */
int ad__post_norm_distance_gradient(struct ad__backward *p);

/* forward.c */
void ad__post_norm_embed(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                         const struct ad_masks *masks);
void ad__post_norm_forward(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                           const struct ad_masks *masks, uint32_t l);

/* backward.c */
struct ad__work ad__post_norm_work(const struct ad_model_config *m);
int ad__post_norm_backward(struct ad__backward *p, uint32_t l);
int ad__post_norm_embed_backward(struct ad__backward *p);

/* Keys with BERT's names, which most of these architectures have: the sizes where a file lacks them (0: it must not),
 * and those of config.c's two functions. */
#define POST_NORM_NUMBER(name, field, most, standard) {name, offsetof(struct ad_model_config, field), most, standard}
#define POST_NORM_NUMBERS(hidden_, heads_, ffn_, layers_, vocab_, positions_, types_) \
  POST_NORM_NUMBER("hidden_size", hidden, 1 << 16, hidden_),                          \
      POST_NORM_NUMBER("num_attention_heads", heads, 1 << 16, heads_),                \
      POST_NORM_NUMBER("intermediate_size", ffn, 1 << 20, ffn_),                      \
      POST_NORM_NUMBER("num_hidden_layers", layers, 1000, layers_),                   \
      POST_NORM_NUMBER("vocab_size", vocab, 1 << 24, vocab_),                         \
      POST_NORM_NUMBER("max_position_embeddings", positions, 1 << 20, positions_),    \
      POST_NORM_NUMBER("type_vocab_size", types, 1 << 16, types_),                    \
      POST_NORM_NUMBER("layer_norm_eps", layer_norm_eps, 0, 1e-12),                   \
      POST_NORM_NUMBER("hidden_dropout_prob", hidden_dropout, 0, 0.1),                \
      POST_NORM_NUMBER("attention_probs_dropout_prob", attention_dropout, 0, 0.1)
#define POST_NORM_KEYS "classifier_dropout", "hidden_act", "position_embedding_type"
int ad__post_norm_read_config(const char *path, const json_t *root, struct ad_model_config *m);
int ad__post_norm_write_config(const struct ad_model_config *m, json_t *root);

#define POST_NORM_TABLE(description)                                                                                \
  .own = (description), .parts = POST_NORM_PARTS, .embedding_size = sizeof(struct post_norm_embedding_offsets),     \
  .layer_size = sizeof(struct post_norm_layer_offsets), .list_embedding = ad__post_norm_list_embedding,             \
  .list_layer = ad__post_norm_list_layer, .list_linears = ad__post_norm_list_linears, .check = ad__post_norm_check, \
  .recognise = ad__post_norm_recognise, .own_size = sizeof(struct post_norm_state),                                 \
  .layer_own_size = sizeof(struct ad__block), .take = ad__post_norm_take, .take_layer = ad__post_norm_take_layer,   \
  .work = ad__post_norm_work, .embed = ad__post_norm_embed, .forward = ad__post_norm_forward,                       \
  .backward = ad__post_norm_backward, .embed_backward = ad__post_norm_embed_backward

#endif
