/* The parameter table: every tensor of the model, its place in the one flat float32 vector [P], and how it is treated.
 * It is made of an architecture's list of tensors (src/model/architecture.h).
 *
 * Letters: H hidden, A heads, F feed-forward, L layers, V vocabulary, C classes, P parameters. Shapes and names are
 * those of the Hugging Face file, row-major, outermost first (a weight is [out, in]). Words: docs/glossary.md. */
#ifndef AUTODIDACT_MODEL_PARAMS_H
#define AUTODIDACT_MODEL_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/choices.h"
#include "autodidact/data/form.h"
#include "autodidact/math/kernels.h"
#include "autodidact/model/architectures.h"

/* X(field, what people are told that it is): sizes, 0 where the architecture does not have them. */
#define AD_MODEL_SIZES(X)                                                                         \
  X(hidden, "hidden")                                                                             \
  X(embedding, "embeddings") /* their width, from which they are projected; 0: it is hidden's */  \
  X(heads, "heads")                                                                               \
  X(ffn, "feed-forward")                                                                          \
  X(layers, "layers")                                                                             \
  X(vocab, "vocabulary")                                                                          \
  X(positions, "positions")                                                                       \
  X(first_position, "first position") /* of struct ad_input_form */                               \
  X(types, "types")                                                                               \
  X(classes, "classes")                                                                           \
  X(buckets, "buckets of distances") /* for a bias of the scores by distance; 0: there is none */ \
  X(padding, "untrained token")      /* 1 + the one whose embedding is not trained; 0: there is none */

struct ad_heads; /* task/heads.h */

struct ad_model_config {
  enum ad_architecture_id architecture;
  uint32_t variant; /* which of the architecture's model types */
#define AD_MODEL_SIZE_FIELD(field, name) uint32_t field;
  AD_MODEL_SIZES(AD_MODEL_SIZE_FIELD)
#undef AD_MODEL_SIZE_FIELD
  float layer_norm_eps;
  float hidden_dropout, attention_dropout, classifier_dropout; /* probabilities in [0, 1) */
  enum ad_activation activation;
  enum ad_classifier classifier;
  int cased;     /* 1: the tokenizer keeps case (do_lower_case = false) */
  int masked_lm; /* 1: the head is the vocabulary's, for masked-language modelling, and there are no classes. A pooler
                    that `classifier` asks for is kept as it is: it has no gradient, and no decay */
  /* What the head is for, as a task names it (task/task.h), static; NULL: as the first task. */
  const char *problem_type;
  float threshold; /* from which probability on a text has a class of several (task/ranking.h); 0: not chosen */
  const struct ad_heads *tasks; /* of several tasks (task/heads.h), which are the classes; NULL: one task */
};

/* Numbers in a row of logits: C, or of a masked-language head V. */
static inline uint32_t ad_model_logits(const struct ad_model_config *m) {
  return m->masked_lm ? m->vocab : m->classes;
}

/* The width of the embeddings. */
static inline uint32_t ad_model_embedding(const struct ad_model_config *m) {
  return m->embedding > 0 ? m->embedding : m->hidden;
}

enum ad_init { AD_INIT_ZERO, AD_INIT_ONE, AD_INIT_NORMAL }; /* N(0, 0.02^2), as Devlin et al. (2019) draw BERT */

struct ad_tensor {
  char name[80]; /* "encoder.layer.0.attention.self.query.weight": without the architecture's prefix */
  size_t offset; /* first float in the flat vector */
  size_t rows, columns;
  size_t count;    /* rows * columns */
  int vector;      /* 1: shape [rows], 0: shape [rows, columns] */
  size_t groups;   /* where there are any the shape in files is [rows, groups, columns / groups] */
  uint32_t layer;  /* 0 embeddings, 1 + n encoder layer n, L + 1 head */
  uint32_t bucket; /* what is exchanged together */
  int decay;       /* weight decay applies */
  enum ad_init init;
  int new_head;    /* the classifier and what comes with it: head learning rate, drawn anew where the file has none */
  int optional;    /* drawn anew where the file lacks it or another such tensor */
  int row_blocked; /* the row table, below */
};

/* The tensor of which a step touches few rows, those of its tokens: the word embedding. Its blocks are its rows
 * (model/shard.h), and a gradient has its touched rows only (struct ad_rows). It is the first tensor of its bucket. */
struct ad_row_table {
  uint32_t bucket;
  size_t begin, end; /* floats of the flat vector */
  size_t rows, width;
};

/* Offsets (in floats) of the head's tensors in the flat vector: the classifier, and what it stands on, which has no
 * rows where that is the bare [CLS] state. Of a masked-language head the classifier's weight is the word embedding,
 * and a pooler that is kept lies in [kept, kept_end). */
struct ad_head_offsets {
  size_t dense_weight, dense_bias, norm_weight, norm_bias, classifier_weight, classifier_bias, kept, kept_end;
};

/* Words of the vocabulary that a masked-language head's backward takes at once: what is made for them stays in the
 * caches. */
enum { AD_VOCABULARY_BLOCK = 1024 };

/* A linear layer: where its weight lies, which may be several tensors one behind another. With bfloat16 products read
 * packed operands in its place (model/replica.h). */
struct ad_linear {
  size_t offset;        /* in the flat vector */
  size_t rows, columns; /* of the weight */
  int transposed;       /* 1: it is [in, out]; 0: [out, in] */
  int vocabulary;       /* 1: it is the word embedding, whose rows a backward takes AD_VOCABULARY_BLOCK at once */
  size_t packed;        /* first element of what is packed of it */
};

struct ad_architecture;

struct ad_params {
  struct ad_model_config config;
  const struct ad_architecture *architecture;
  struct ad_input_form form; /* of the model's input */
  size_t count;              /* P */
  struct ad_tensor *tensors; /* [tensor_count] in the order of the flat vector, none of them empty */
  size_t tensor_count;
  uint32_t buckets; /* embeddings, `parts` for each layer, head; a backward completes the last one first */
  uint32_t parts;
  size_t *bucket_begin; /* [buckets + 1] offsets */
  uint32_t frozen;      /* the first so many buckets are not trained: they belong to no shard */
  struct ad_row_table table;
  void *embedding; /* the architecture's own offsets, and behind them, in the same memory, */
  void *layer;     /* [L] those of each layer */
  struct ad_head_offsets head;
  struct ad_linear *linears; /* [linear_count] in the order of the flat vector */
  size_t linear_count;
  size_t (*shapes)[2]; /* [shape_count] rows and columns of their weights, each once */
  size_t shape_count;
  size_t packed; /* elements of what is packed of all of them */
};

/* Rows and columns of a tensor, by its name (columns 1: a vector); 0 and 0 where there is none. */
typedef int (*ad_shape_of)(void *context, const char *name, uint32_t shape[2]);

/* The sizes of the model whose tensors have these shapes, whatever its architecture: they make no model where it is
 * none. Heads, epsilon, dropout and activation are not seen in shapes: one head, 1e-12, none, GELU. What `shape` fails
 * with. */
int ad_params_recognise(struct ad_model_config *config, ad_shape_of shape, void *context);

/* The shape of a tensor in files; its number of dimensions. */
size_t ad_tensor_shape(const struct ad_tensor *tensor, size_t shape[3]);

/* Builds the table. The caller owns it: ad_params_destroy. AD_ECONFIG (sizes that make no model: hidden not a multiple
 * of heads, a zero size, fewer than 2 classes, a masked-language head where the architecture has none), AD_ENOMEM. */
int ad_params_create(struct ad_params *params, const struct ad_model_config *config);
void ad_params_destroy(struct ad_params *params);

/* From now on the embeddings and the first `layers` encoder layers are not trained: forwards read them, and that is
 * all. To be called before anything is made for these parameters. AD_ECONFIG: more layers than there are. */
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

/* The linear layer whose weight begins at `offset`, which must be one. */
const struct ad_linear *ad_params_linear(const struct ad_params *params, size_t offset);

/* Rows of its weight that a backward takes at once. */
static inline size_t ad_linear_block(const struct ad_linear *linear) {
  return linear->vocabulary && linear->rows > AD_VOCABULARY_BLOCK ? AD_VOCABULARY_BLOCK : linear->rows;
}

/* The first linear layer that is trained; linear_count: none is. */
size_t ad_params_first_linear(const struct ad_params *params);

/* The tensor of this name, with or without the architecture's prefix; NULL if there is none. */
const struct ad_tensor *ad_params_find(const struct ad_params *params, const char *name);

/* Draws tensor number `index` anew into theta [P], as its `init` says, by (seed, tensor number). */
void ad_params_draw(const struct ad_params *params, size_t index, uint64_t seed, float *theta);

#endif
