/* Hugging Face model folders: config.json and model.safetensors in and out of the parameter table's flat vector.
 *
 * Letters as in params.h: H hidden, V vocabulary, C classes, P parameters. A folder is read strictly: what would change
 * what the encoder computes is an error; what is left out or made anew is listed in the report. */
#ifndef AUTODIDACT_MODEL_HUGGINGFACE_H
#define AUTODIDACT_MODEL_HUGGINGFACE_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/model/params.h"
#include "autodidact/text/tokenizer.h"

/* A list of strings. Zero-initialise before use. */
struct ad_names {
  char **items; /* [count], owned */
  size_t count;
  size_t capacity;
};

/* Appends a copy. AD_ENOMEM. */
int ad_names_add(struct ad_names *names, const char *name);
void ad_names_destroy(struct ad_names *names);

/* A classifier in the folder fits where its kind, its problem type, its shape and the number of its classes are those
 * of the options. Names are compared where the options have some, and "LABEL_0", "LABEL_1" ... are none. A head of
 * numbers needs no names, and that of a single number fits whatever its name is. */
struct ad_model_options {
  uint32_t classes;               /* C; 0 with AD_HEAD_REQUIRE: as the folder says */
  const char *problem_type;       /* the data's, as struct ad_model_config has it; not looked at with AD_HEAD_REQUIRE */
  enum ad_classifier classifier;  /* not looked at with AD_HEAD_REQUIRE: as the folder says */
  const char *const *class_names; /* [classes] or NULL: the data's */
  enum ad_head_use head;
  const struct ad_heads *tasks; /* of several tasks together; NULL: one task */
  const char *task;             /* its name: of a folder with several heads the one of this name; NULL: all of them */
  uint64_t seed_init;           /* draws what the folder lacks (ad_params_draw) */
  size_t vocab;                 /* entries of the tokenizer, at most V; 0: not checked */
  uint32_t types;               /* kinds of segments that the texts have: 2 for pairs; 0: not checked */
  int cls_last;  /* the tokenizer has its class token last (ad_tokenizer_cls_last); looked at with vocab alone */
  int one_type;  /* the tokenizer gives both texts of a pair one type (ad_tokenizer_one_type), as models do then */
  int cased;     /* the tokenizer keeps case; only copied into the configuration */
  int masked_lm; /* 1: the head is that of a masked-language model; the first three are not looked at then */
};

struct ad_model_report {
  size_t loaded;               /* tensors of the table taken from the files */
  int head_loaded;             /* 1: the folder's classifier is used */
  char head_note[240];         /* why, or why not */
  struct ad_names drawn;       /* names of the tensors drawn anew */
  struct ad_names ignored;     /* names of tensors in the files that the model has no place for */
  struct ad_names class_names; /* of the head in use; empty where neither folder nor options name them */
  struct ad_names unknown;     /* keys of config.json of which it is not known what they change */
};
void ad_model_report_destroy(struct ad_model_report *report);

/* Reads config.json alone: sizes, epsilon, dropout, activation, kind of classifier (our own key
 * "autodidact_classifier": "cls" beside Hugging Face's keys; absent: pooler); config->classes and class_names from
 * id2label, or num_labels, or 2 as Hugging Face has it. Without problem_type a head of one number is a regression, as
 * transformers has it, and others are classifiers. Where the class is ...ForMaskedLM there are no classes, and
 * config->masked_lm is 1. Keys without meaning for classification are passed over,
 * unknown ones too (they are in the report of ad_model_open). The caller owns class_names. AD_EINPUT naming file and
 * key (another model_type, an unknown activation, relative positions, a decoder, pruned heads, quantised weights, code
 * of its own, sizes out of range), AD_ENOMEM. */
int ad_model_read_config(const char *folder, struct ad_model_config *config, struct ad_names *class_names);

/* The problem type itself; NULL: the first task's. */
const char *ad_model_problem(const char *problem_type);

/* "gelu", ...: as config.json has it. Static storage. */
const char *ad_activation_name(enum ad_activation activation);

/* Appends the paths of the folder's safetensors files: model.safetensors, or the shards of its index. The caller owns
 * paths; it is empty after a failure. AD_EINPUT (none there, only weights in a format that is not read), AD_ENOMEM. */
int ad_model_list_files(const char *folder, struct ad_names *paths);

/* One digest of what a folder gives a training: names and bytes of its weight files, configuration, vocabulary and
 * tokenizer files. AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_model_digest(const char *folder, uint64_t *digest);

/* A model folder, opened: configuration, names and shapes are checked, the values not yet read. */
struct ad_model;

/* Opens config.json and model.safetensors, or the shards that model.safetensors.index.json lists. Names may have the
 * architecture's prefix ("bert.") and old forms (LayerNorm.gamma). The caller owns the model: ad_model_close. AD_EINPUT
 * with file, tensor, found, expected: a missing or foreign tensor, a wrong shape or type, a name used twice, V below
 * options->vocab, a head that is to be kept and does not fit. AD_ECONFIG (options that make no model), AD_EIO,
 * AD_ENOMEM. */
int ad_model_open(struct ad_model **model, const char *folder, const struct ad_model_options *options);
void ad_model_close(struct ad_model *model);

/* The table and the report, owned by the model. */
const struct ad_params *ad_model_params(const struct ad_model *model);
const struct ad_model_report *ad_model_get_report(const struct ad_model *model);

/* All parameters into theta [P], memory of the caller's choice. AD_EINPUT naming tensor and index for NaN and
 * infinities. */
int ad_model_read(const struct ad_model *model, float *theta);

/* Tensor number `index` of the table alone into values [its count], for those who need not hold all. Errors as above;
 * AD_EINTERNAL (the folder lacks the tensor: it would be drawn). */
int ad_model_read_tensor(const struct ad_model *model, size_t index, float *values);

/* Open, read and close in one call. The caller owns params (ad_params_destroy), *theta [P] (ad_free) and report
 * (ad_model_report_destroy; NULL: not wanted); after a failure there is nothing to release. Errors as above. */
int ad_model_load(const char *folder, const struct ad_model_options *options, struct ad_params *params, float **theta,
                  struct ad_model_report *report);

/* A new model from sizes alone, all of it drawn from `seed`; ownership as in ad_model_load. AD_ECONFIG, AD_ENOMEM. */
int ad_model_draw(const struct ad_model_config *config, uint64_t seed, struct ad_params *params, float **theta);

/* Writes a folder that Hugging Face's AutoTokenizer and AutoModelForSequenceClassification (of a masked-language head
 * AutoModelForMaskedLM) load with equal logits:
 * config.json, model.safetensors (F32, with the architecture's prefix), and the tokenizer's files.
 * class_names [C] may be NULL (LABEL_0, LABEL_1, ...). A classifier on the bare [CLS] state has no counterpart there:
 * config.json then names the bare encoder's class, and "autodidact_classifier": "cls" tells this program. Whole or
 * not at all: filled under the name "FOLDER.partial", then renamed. `folder` must not exist or be empty; with `replace`
 * it may hold an earlier model, that is files of these names and no others. AD_EINPUT (it holds something else;
 * class names used twice; a tokenizer of more than V entries), AD_EDIVERGED (theta is not finite), AD_EIO, AD_ENOMEM.
 */
int ad_model_save(const char *folder, int replace, const struct ad_params *params, const float *theta,
                  const struct ad_tokenizer *tokenizer, const char *const *class_names);

/* The names of the files that ad_model_save writes with such a tokenizer, and their number. Static storage. */
enum { AD_MODEL_FILES = 2 + AD_TOKENIZER_FILES };
size_t ad_model_files(const struct ad_tokenizer *tokenizer, const char *names[AD_MODEL_FILES]);

#endif
