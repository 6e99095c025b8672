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
  char *vocab_path;
  struct ad_file_map vocab; /* vocab.txt */
#define AD_TEXT_FIELD(field, name) \
  char *field##_path;              \
  json_t *field; /* NULL: there is no such file */
  AD_TEXT_FILES(AD_TEXT_FIELD)
#undef AD_TEXT_FIELD
  int quiet; /* 1: no warnings */
};

/* A class of transformers that tokenises as BERT does. */
struct ad_text_class {
  const char *name; /* without the "Fast" that it may end in */
  int pipeline; /* 1: where there is a tokenizer.json, all rules are those of that file; 0: its flags count for nothing
                 */
  int alone;    /* 1: vocab.txt is enough */
  int names;    /* 1: it has names of special tokens by itself */
};

/* Warns of a file, printf-like, unless files->quiet. */
void ad_text_warn(const struct ad_text_files *files, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes a boolean if the key is there; null is -1, the choice by default. AD_EINPUT. */
int ad_text_boolean(const char *path, const json_t *object, const char *key, int *option);

/* Whether a list of names, with a space before and behind each, has this one. */
int ad_text_is_listed(const char *list, const char *key);

/* Warns of each key of an object that is not in such a list; `inside` says of what in the file it is one. */
void ad_text_warn_keys(const struct ad_text_files *files, const char *path, const char *inside, const json_t *object,
                       const char *listed);

/* The class that the files name; 1 in *ruled where tokenizer.json has all rules. AD_EINPUT: one that tokenises
 * otherwise. */
int ad_text_read_class(const struct ad_text_files *files, const struct ad_text_class **class, int *ruled);

/* Options and names of special tokens by tokenizer_config.json and its like. AD_EINPUT with file and key: a setting
 * that would give other ids than this tokenizer can. AD_ENOMEM. */
int ad_text_read_settings(const struct ad_text_files *files, int ruled, struct ad_recipe *recipe);

/* The added tokens of all files, with the flags and in the order that transformers gives them. AD_EINPUT, AD_ENOMEM. */
int ad_text_read_added(const struct ad_text_files *files, const struct ad_text_class *class, int ruled,
                       struct ad_recipe *recipe);

/* Checks tokenizer.json, all but its vocabulary and added tokens, and where it rules takes options and names from it;
 * elsewhere it warns of flags that disagree. AD_EINPUT, AD_ENOMEM. */
int ad_text_read_pipeline(const struct ad_text_files *files, const struct ad_text_class *class, int ruled,
                          struct ad_recipe *recipe);

#endif
