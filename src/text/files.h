/* What the files of a model folder say of a tokenizer. */
#ifndef AUTODIDACT_SRC_TEXT_FILES_H
#define AUTODIDACT_SRC_TEXT_FILES_H

#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "tokenizer.h"

/* X(field, name): the JSON files that say something of it. */
#define AD_TEXT_FILES(X)             \
  X(pipeline, "tokenizer.json")      \
  X(config, "tokenizer_config.json") \
  X(map, "special_tokens_map.json")  \
  X(added, "added_tokens.json")      \
  X(model, "config.json")

struct ad_text_files {
  const char *folder;
#define AD_TEXT_FIELD(field, name) \
  char *field##_path;              \
  json_t *field; /* NULL: there is no such file */
  AD_TEXT_FILES(AD_TEXT_FIELD)
#undef AD_TEXT_FIELD
  char *vocabulary_path; /* of the kind's own file, which the registry names */
  int has_vocabulary;    /* 1: it is there, and mapped */
  struct ad_file_map vocabulary;
  int quiet; /* 1: no warnings */
};

/* printf's format of the command that makes tokenizer.json; it takes the folder twice. */
#define AD_TEXT_CONVERSION                                    \
  "python3 -c 'from transformers import AutoTokenizer as T; " \
  "T.from_pretrained(\"%s\").save_pretrained(\"%s\")'"

/* Reads the JSON files of files->folder. On failure too: ad_text_files_destroy. AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_text_read_files(struct ad_text_files *files);
void ad_text_files_destroy(struct ad_text_files *files);

/* Whether a folder has a file of this name. AD_ENOMEM. */
int ad_text_has_file(const char *folder, const char *name, int *found);

/* Maps the file of the vocabulary, if it is there. AD_EIO, AD_ENOMEM. */
int ad_text_map_vocabulary(struct ad_text_files *files, const char *name);

/* Appends a vocabulary, tokens with their numbers, as the text of a vocab.txt. AD_EINPUT (a number that is missing,
 * twice there or no number), AD_ENOMEM. */
int ad_text_write_vocabulary(const char *path, const json_t *vocab, struct ad_buffer *text);

/* Warns of a file, printf-like, unless files->quiet. */
void ad_text_warn(const struct ad_text_files *files, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes a boolean if the key is there; `where` in the file: "normalizer: ", say. AD_EINPUT. */
int ad_text_boolean(const char *path, const char *where, const json_t *object, const char *key, int *option);

/* The same of the whole file, where null is -1, the choice by default. AD_EINPUT. */
int ad_text_choice(const char *path, const json_t *object, const char *key, int *option);

/* Whether a list of names, with a space before and behind each, has this one. */
int ad_text_is_listed(const char *list, const char *key);

/* Warns of each key of an object that is not in such a list; `inside` says of what in the file it is one. */
void ad_text_warn_keys(const struct ad_text_files *files, const char *path, const char *inside, const json_t *object,
                       const char *listed);

/* The longest input, the rows of the model, and the side from which transformers cuts: a warning, as it changes no id
 * of a text that is short enough. */
void ad_text_read_limits(const struct ad_text_files *files, struct ad_recipe *recipe);

/* The names of special tokens by special_tokens_map.json and tokenizer_config.json, none where they say nothing; and
 * the padding token by config.json. AD_ENOMEM. */
int ad_text_read_roles(const struct ad_text_files *files, struct ad_recipe *recipe);

/* The value of a key in special_tokens_map.json, or else in tokenizer_config.json; NULL: it is in neither. */
const json_t *ad_text_setting(const struct ad_text_files *files, const char *key);

/* For the classes that have RoBERTa's names of special tokens by themselves: names these, all but the unknown token's;
 * behind ad_text_read_added, adds those that only such classes have. AD_ENOMEM. */
int ad_text_name_as_roberta(struct ad_recipe *recipe);
int ad_text_add_as_roberta(const struct ad_text_files *files, struct ad_recipe *recipe);

/* The added tokens of tokenizer.json alone. AD_EINPUT, AD_ENOMEM. */
int ad_text_read_pipeline_added(const struct ad_text_files *files, struct ad_recipe *recipe);

/* The added tokens of all files, with the flags and in the order that transformers gives them. named: 1 where the class
 * has names of special tokens by itself; ruled: 1 where tokenizer.json has all rules. AD_EINPUT, AD_ENOMEM. */
int ad_text_read_added(const struct ad_text_files *files, int named, int ruled, struct ad_recipe *recipe);

#endif
