/* What an architecture is: a table in a folder of its own, src/model/NAME/, and a line of
 * autodidact/model/architectures.h. The table says which tensors there are, what config.json means, and how the
 * embeddings and a layer are computed. What all have in common is done once: the parameter table (params.c), the folder
 * (config.c, load.c, save.c), and the encoder (encoder.c, encoder_backward.c), which follows the table once a call or a
 * layer. Not installed.
 *
 * Letters as in model/encoder.h. */
#ifndef AUTODIDACT_SRC_MODEL_ARCHITECTURE_H
#define AUTODIDACT_SRC_MODEL_ARCHITECTURE_H

#include "autodidact/base/json.h"
#include "autodidact/model/params.h"

struct ad_batch;
struct ad_encoder;
struct ad_masks;
struct ad__backward;

/* A tensor of an architecture. */
struct ad__tensor_row {
  const char *name;     /* in files, without the prefix; a layer's behind that of its layer */
  size_t rows, columns; /* columns 1: a vector [rows]; no rows: the model lacks it */
  enum ad_init init;
  unsigned treatment; /* AD_DECAY, AD_ROW_BLOCKED: of the embeddings' first tensor alone, which must have it */
  uint32_t part;      /* which of its layer's buckets it is in, ascending from one tensor to the next */
};
enum { AD_DECAY = 1, AD_ROW_BLOCKED = 2, AD_NEW_HEAD = 4, AD_OPTIONAL = 8 };

/* The list that a parameter table is made of. */
struct ad__tensors;

/* Appends a tensor, and returns its offset in the flat vector. */
size_t ad__tensor(struct ad__tensors *list, const struct ad__tensor_row *row);

/* The same of a tensor that files have as [rows, groups, columns / groups]. */
size_t ad__tensor_grouped(struct ad__tensors *list, const struct ad__tensor_row *row, size_t groups);

/* The list of linear layers. */
struct ad__linears;

/* Appends one; as of struct ad_linear. The architecture's own are appended in the order of the flat vector. */
void ad__linear(struct ad__linears *list, size_t offset, size_t rows, size_t columns, int transposed);

/* Makes the list and the shapes of a parameter table whose tensors are there (linear.c). AD_ENOMEM. */
int ad__list_linears(struct ad_params *params);

/* A name at the end of a tensor's name, and the one that the parameter table has in place of it. */
struct ad__alias {
  const char *old, *now;
};

/* What config.json (model_type) and Hugging Face's classes call a model of the architecture: the class name and
 * "Model", the class name and "ForSequenceClassification". */
struct ad__model_type {
  const char *name, *class_name; /* "bert", "Bert" */
};

/* A number of config.json that is one of the model configuration. */
struct ad__config_key {
  const char *name;
  size_t offset;   /* in struct ad_model_config: of a uint32_t, or where `most` is 0 of a float in [0, 1) */
  json_int_t most; /* a count is from 1 to this */
  double standard; /* where the file lacks it; a count of 0: the file must have it */
};

/* What stands between the last layer and the logits, where model.classifier is not cls: a matrix, its activation, and
 * the classifier. Dropout (classifier_dropout) stands before the classifier in any case. */
enum ad__head_activation { AD_HEAD_TANH, AD_HEAD_RELU, AD_HEAD_GELU };
enum ad__state_dropout { AD_STATE_KEPT, AD_STATE_CLASSIFIER, AD_STATE_HIDDEN }; /* none, or which of the model's */
struct ad__head {
  const char *dense[2];      /* weight [H,H] and bias */
  const char *classifier[2]; /* weight [C,H] and bias */
  enum ad__head_activation activation;
  int pretrained; /* 1: the matrix belongs to the encoder, a pooler; drawn anew where the files lack it */
  enum ad__state_dropout state_dropout; /* before the matrix */
};

/* The masked-language head: logits = norm(activation(x W^T + b)) E^T + bias, E being the word embedding, the first
 * tensor of the table. No dropout. E also names its width here. */
enum ad__vocabulary_activation { AD_VOCABULARY_CONFIG, AD_VOCABULARY_GELU }; /* the configuration's; always GELU */
struct ad__vocabulary {
  const char *dense[2];   /* weight [E,H] and bias [E]; NULL: the architecture has no such head */
  const char *norm[2];    /* weight and bias [E] */
  const char *bias;       /* [V] */
  const char *decoder[2]; /* copies of E and of the bias that files may have besides, or NULL */
  enum ad__vocabulary_activation activation;
};

/* Floats of work memory in a backward. */
struct ad__work {
  size_t columns; /* of a lane's column sums in any bucket but the head's */
  size_t sum;     /* the most of one sum over the lanes, the row table's and products' aside */
  size_t shared;  /* of a lane's sums of tensors that layers share */
  size_t rows; /* for each token, in products with a weight [H,H] that have other rows than tokens; 0: there are none */
};

/* Lists end with NULL. A function without a comment on errors has none. */
struct ad_architecture {
  const char *title;                        /* "BERT" */
  const struct ad__model_type *model_types; /* until name is NULL */
  const void *own;                          /* the architecture's own description, where others compute by one */

  struct ad_input_form form; /* of the input; first_position and `longest` are the model configuration's */
  int any_length;            /* 1: texts may have any length; `positions` is what this program has room for */

  /* --- Tensors, in the order of the flat vector: embeddings, layers, head. Those that layers share are among the
   * embeddings, whose bucket a backward completes last --- */
  uint32_t parts;        /* buckets of a layer, at least 1 */
  size_t embedding_size; /* bytes of the architecture's own struct of the embeddings' offsets */
  size_t layer_size;     /* the same of a layer's */
  void (*list_embedding)(struct ad__tensors *list, const struct ad_model_config *m, void *offsets);
  void (*list_layer)(struct ad__tensors *list, const struct ad_model_config *m, uint32_t layer, void *offsets);
  /* The linear layers, when the offsets of all tensors are known; the head's matrix is none of them. Every product of
   * an encoder with a weight is one of theirs. */
  void (*list_linears)(struct ad__linears *list, const struct ad_params *params);

  /* --- Their names in files --- */
  const char *prefix;               /* "bert.": of all but the head; files may lack it */
  const char *layer_prefix;         /* "encoder.layer.": then the layer's number and a dot */
  struct ad__head head;             /* without the prefix, which it has in files where it is `pretrained` */
  struct ad__vocabulary vocabulary; /* without the prefix, which it never has */
  const struct ad__alias *aliases;  /* until old is NULL */
  const char *const *inside;        /* names that begin so are of the encoder: each must have its place */
  const char *const *buffers;       /* names that begin so too, and are no parameters */

  /* --- config.json --- */
  const struct ad__config_key *numbers; /* until name is NULL; read and written before the others. NULL: none */
  const char *const *keys;              /* that read_config reads, or that say nothing here */
  /* Reads and checks the architecture's own keys of the file at `path` into m. AD_EINPUT naming file and key. */
  int (*read_config)(const char *path, const json_t *root, struct ad_model_config *m);
  /* Adds them. 0, or another number when out of memory. */
  int (*write_config)(const struct ad_model_config *m, json_t *root);
  /* AD_ECONFIG where the sizes make no model. */
  int (*check)(const struct ad_model_config *m);
  /* The sizes from the shapes of tensors (ad_params_recognise), but for the head's. What `shape` fails with. */
  int (*recognise)(struct ad_model_config *m, ad_shape_of shape, void *context);

  /* --- Memory of an encoder --- */
  size_t own_size;       /* bytes of the architecture's own struct beside the layers */
  size_t layer_own_size; /* the same of a layer */
  /* Takes what is kept beside the layers (ad__take, ad__take_gradient). own NULL: it is only counted. */
  void (*take)(struct ad_encoder *e, void *own);
  /* Takes a layer's activations but for input and output. */
  void (*take_layer)(struct ad_encoder *e, void *own, int last);
  struct ad__work (*work)(const struct ad_model_config *m);

  /* --- Computing: theta [P] is what the parameters in question are read from --- */
  /* The batch's embeddings, to layers[0].x. */
  void (*embed)(struct ad_encoder *e, const float *theta, const struct ad_batch *batch, const struct ad_masks *masks);
  /* layers[l].x to layers[l].out; of the last layer the read rows only. */
  void (*forward)(struct ad_encoder *e, const float *theta, const struct ad_batch *batch, const struct ad_masks *masks,
                  uint32_t l);
  /* dx, the gradient of layers[l].out, becomes that of layers[l].x, if any layer below is trained. Writes the layer's
   * buckets from the last to the first. AD_ENOMEM, or what the sink returns. */
  int (*backward)(struct ad__backward *p, uint32_t l);
  /* From dx, the gradient of layers[0].x. Writes bucket 0. Errors as above. */
  int (*embed_backward)(struct ad__backward *p);
};

/* The tables. */
#define AD_ARCHITECTURE_TABLE(ID, name) extern const struct ad_architecture ad_architecture_##name;
AD_ARCHITECTURES(AD_ARCHITECTURE_TABLE)
#undef AD_ARCHITECTURE_TABLE

/* The title of the architecture that a tensor of this name, with its prefix in files, is of and `a` is not, whatever
 * config.json says; NULL: of none. */
const char *ad__architecture_stranger(const struct ad_architecture *a, const char *name);

/* The table of an architecture. */
const struct ad_architecture *ad__architecture(enum ad_architecture_id id);

/* The one that config.json calls so, and the number of that model type among its own. 1, or 0 where there is none (type
 * may be NULL). */
int ad__architecture_find(const char *type, enum ad_architecture_id *id, uint32_t *variant);

/* What config.json calls them, for a message, into text [size]. */
void ad__architecture_types(char *text, size_t size);

#endif
