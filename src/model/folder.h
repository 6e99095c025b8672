/* What the readers and writers of a Hugging Face folder share. Private to model/. */
#ifndef AUTODIDACT_MODEL_FOLDER_H
#define AUTODIDACT_MODEL_FOLDER_H

#include <stddef.h>

#include "autodidact/base/json.h"
#include "autodidact/model/huggingface.h"
#include "autodidact/model/safetensors.h"
#include "autodidact/task/heads.h"

/* What config.json says, all of it that is used. */
struct ad_folder_config {
  struct ad_model_config config; /* classes: of a head, where the folder has one */
  struct ad_names class_names;   /* owned */
  struct ad_names unknown;       /* owned: keys that may or may not change what the model computes */
  int classes_stated;            /* id2label or num_labels is there; otherwise classes is Hugging Face's default */
  int untied;                    /* tie_word_embeddings is false */
  char head_refusal[160];        /* "" or why a classifier in the folder is none for classification of texts */
};

/* Reads and checks "folder/config.json". Errors as of ad_model_read_config; nothing to release after a failure. */
int ad_folder_read_config(const char *folder, struct ad_folder_config *out);

/* 1 where the head is for what the options ask for. If not, says so in note [size]. */
int ad__problem_fits(const struct ad_folder_config *found, const struct ad_model_options *options, char *note,
                     size_t size);

/* Logits that a head for such a problem (NULL: the first task's) has at least. */
size_t ad__least_logits(const char *problem_type);

/* 1 where a folder names its classes: LABEL_0, LABEL_1, ... is what Hugging Face writes where nobody did. */
int ad__has_class_names(const struct ad_names *own);
/* The key of config.json for several tasks: [{"name": "sst2", "problem_type": .., "labels": [..]}, ..] in the order
 * of their rows of the classifier. Into the JSON (not 0: out of memory), and from it, once the classes are known.
 * AD_EINPUT. */
#define AD_CONFIG_TASKS "autodidact_tasks"
int ad__heads_write(json_t *root, const struct ad_heads *heads, const char *const *class_names);
int ad__heads_read(const char *path, const json_t *root, struct ad_folder_config *out);

/* The rows of the classifier's tensors in a folder that are used; total 0: all. */
struct ad__head_rows {
  size_t first, count, total;
};

/* Lets what was found be the head of options->task, where the folder has several. Where it has none of that name, its
 * classifier is refused. AD_ENOMEM. */
int ad__heads_choose(const struct ad_model_options *options, struct ad_folder_config *found,
                     struct ad__head_rows *rows);

/* Puts before a note [size] that the head of one of several tasks is taken, where it is. */
void ad__heads_note(const struct ad__head_rows *rows, char *note, size_t size);

/* 1 where a tensor of the folder has more rows than are used. How many rows of the classifier's tensor are used; and
 * these into values. AD_EINPUT, AD_ENOMEM. */
int ad__heads_cut(const struct ad__head_rows *rows, const struct ad_architecture *a, const struct ad_tensor *tensor);
size_t ad__heads_rows(const struct ad__head_rows *rows, const struct ad_safetensor *classifier);
int ad__heads_read_rows(const struct ad_safetensors *file, const struct ad_safetensor *tensor,
                        const struct ad__head_rows *rows, float *values);

/* The JSON of a config.json for ad_model_save; NULL when out of memory. */
json_t *ad_folder_make_config(const struct ad_model_config *config, const char *const *class_names, size_t pad_id);

/* --- For an architecture's part of config.json: `path` is the file's, `root` what it holds. AD_EINPUT naming file,
 * key, what was found and what was expected --- */

/* A failure: what the key has is wrong. */
int ad__config_wrong(const char *path, const json_t *root, const char *key, const char *expected);

/* A size by another name that Hugging Face takes too, instead of `own`; where that is there, both must say the same.
 * From 1 to `most`. */
int ad__config_other(const char *path, const json_t *root, const char *name, const char *own, json_int_t most,
                     uint32_t *value);

/* An integer from 1 to `most`. Limits are far above any model, low enough that no product of two sizes overflows. */
int ad__config_count(const char *path, const json_t *root, const char *key, json_int_t most, uint32_t *out);

/* A number in [low, high), as a float too; absent or null: `standard`, Hugging Face's own default. */
int ad__config_real(const char *path, const json_t *root, const char *key, float standard, double low, double high,
                    float *out);

/* pad_token_id, below m->vocab, into m->padding; absent: `standard`; null: there is none. */
int ad__config_padding(const char *path, const json_t *root, uint32_t standard, struct ad_model_config *m);

/* An activation; absent: GELU. */
int ad__config_activation(const char *path, const json_t *root, const char *key, enum ad_activation *out);

/* A float by its shortest decimal: 0.1, not 0.100000001. */
json_t *ad__config_make_real(float value);

#define AD_WEIGHT_INDEX "model.safetensors.index.json"

/* The safetensors files of a folder, plain names: model.safetensors, or the shards of the index in the order of its
 * tensors; then *map is its weight_map (the caller's, json_decref), otherwise NULL. On failure both are to be released
 * all the same. AD_EINPUT (no weights, only such as are not read, an index that is none), AD_EIO, AD_ENOMEM. */
int ad_folder_list_weights(const char *folder, struct ad_names *names, json_t **map);

/* The first element of values [count] that is NaN or infinite; count when there is none. */
size_t ad_first_not_finite(const float *values, size_t count);

#endif
