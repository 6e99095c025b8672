/* The flat parameter vector into a Hugging Face folder. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/safetensors.h"
#include "folder.h"
#include "output.h"

enum { CONFIG, WEIGHTS, VOCABULARY, TOKENIZER, SPECIAL_TOKENS, FILES };
static const char *const file_names[FILES] = {"config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json",
                                              "special_tokens_map.json"};

/* The number of lines, and into *place the first that is `token` (that number when none is). */
static size_t count_lines(const struct ad_vocabulary *vocabulary, const char *token, size_t *place) {
  const char *line = vocabulary->text, *end = vocabulary->text + vocabulary->size;
  const size_t length = strlen(token);
  size_t count = 0, first = SIZE_MAX;
  while (line < end) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    stop = stop == NULL ? end : stop;
    if (first == SIZE_MAX && (size_t)(stop - line) == length && memcmp(line, token, length) == 0) {
      first = count;
    }
    count++;
    line = stop + 1;
  }
  *place = first == SIZE_MAX ? count : first;
  return count;
}

static int check_class_names(const char *folder, const char *const *names, size_t count) {
  for (size_t i = 0; names != NULL && i < count; i++) {
    for (size_t j = 0; j < i; j++) {
      if (strcmp(names[i], names[j]) == 0) {
        return ad_fail(AD_EINPUT, "%s: classes %zu and %zu are both named \"%.80s\"", folder, j, i, names[i]);
      }
    }
  }
  return AD_OK;
}

static int check_theta(const char *folder, const struct ad_params *params, const float *theta) {
  for (size_t i = 0; i < params->tensor_count; i++) {
    const struct ad_tensor *tensor = &params->tensors[i];
    const size_t bad = ad_first_not_finite(theta + tensor->offset, tensor->count);
    if (bad < tensor->count) {
      return ad_fail(AD_EDIVERGED, "%s: not written: element %zu of %s is not finite", folder, bad, tensor->name);
    }
  }
  return AD_OK;
}

static int write_weights(const char *path, const struct ad_params *params, const float *theta) {
  const size_t count = params->tensor_count;
  struct ad_safetensor_source *sources = ad_calloc(count, sizeof *sources);
  char(*names)[sizeof params->tensors->name + 8] = ad_calloc(count, sizeof *names);
  int status = AD_OK;
  if (sources == NULL || names == NULL) {
    status = ad_fail_memory(count * (sizeof *sources + sizeof *names), "the list of tensors");
  }
  for (size_t i = 0; status == AD_OK && i < count; i++) {
    const struct ad_tensor *tensor = &params->tensors[i];
    /* In BertForSequenceClassification the encoder is the member `bert`, the classifier stands beside it. */
    snprintf(names[i], sizeof *names, "%s%s", tensor->new_head ? "" : "bert.", tensor->name);
    sources[i] = (struct ad_safetensor_source){.name = names[i],
                                               .dimensions = tensor->vector ? 1 : 2,
                                               .shape = {tensor->rows, tensor->columns},
                                               .data = theta + tensor->offset};
  }
  if (status == AD_OK) {
    status = ad_safetensors_write(path, sources, count);
  }
  ad_free(sources);
  ad_free(names);
  return status;
}

/* Writes and releases `value`. NULL: it could not be made. */
static int write_json(const char *path, json_t *value) {
  if (value == NULL) {
    return ad_fail_memory(4096, "a JSON file");
  }
  struct ad_buffer text = {0};
  /* 9 digits tell all floats apart; config.c has chosen decimals of so many at most. */
  int status = ad_folder_print_json(value, JSON_INDENT(2) | JSON_REAL_PRECISION(9), &text);
  json_decref(value);
  if (status == AD_OK) {
    status = ad_buffer_append(&text, "\n", 1);
  }
  if (status == AD_OK) {
    status = ad_file_write(path, text.data, text.size);
  }
  ad_buffer_destroy(&text);
  return status;
}

static json_t *special_tokens(void) {
  return json_pack("{s:s, s:s, s:s, s:s, s:s}", "unk_token", "[UNK]", "sep_token", "[SEP]", "pad_token", "[PAD]",
                   "cls_token", "[CLS]", "mask_token", "[MASK]");
}

static json_t *tokenizer_config(const struct ad_model_config *m, const struct ad_vocabulary *vocabulary) {
  json_t *root = special_tokens();
  json_t *strip = vocabulary->strip_accents < 0 ? json_null() : json_boolean(vocabulary->strip_accents);
  int failed = root == NULL;
  failed |= json_object_set_new(root, "tokenizer_class", json_string("BertTokenizer"));
  failed |= json_object_set_new(root, "do_basic_tokenize", json_true());
  failed |= json_object_set_new(root, "do_lower_case", json_boolean(!vocabulary->cased));
  failed |= json_object_set_new(root, "strip_accents", strip);
  failed |= json_object_set_new(root, "tokenize_chinese_chars", json_boolean(vocabulary->split_cjk));
  failed |= json_object_set_new(root, "model_max_length", json_integer(m->positions));
  if (failed) {
    json_decref(root);
    return NULL;
  }
  return root;
}

/* One file of the folder. */
static int write_file(int file, const char *path, const struct ad_params *params, const float *theta,
                      const struct ad_vocabulary *vocabulary, const char *const *class_names, size_t pad_id) {
  switch (file) {
    case CONFIG:
      return write_json(path, ad_folder_make_config(&params->config, class_names, pad_id));
    case WEIGHTS:
      return write_weights(path, params, theta);
    case VOCABULARY:
      return ad_file_write(path, vocabulary->text, vocabulary->size);
    case TOKENIZER:
      return write_json(path, tokenizer_config(&params->config, vocabulary));
    default:
      return write_json(path, special_tokens());
  }
}

static int save(const char *folder, const struct ad_params *params, const float *theta,
                const struct ad_vocabulary *vocabulary, const char *const *class_names) {
  size_t pad_id = 0;
  const size_t lines = count_lines(vocabulary, "[PAD]", &pad_id);
  if (lines != params->config.vocab || pad_id == lines) {
    return ad_fail(AD_EINPUT, "%s: a vocabulary of %zu lines%s, expected %u with [PAD] among them", folder, lines,
                   pad_id == lines ? " without [PAD]" : "", params->config.vocab);
  }
  AD_TRY(check_class_names(folder, class_names, params->config.classes));
  AD_TRY(check_theta(folder, params, theta));
  char *temporary;
  AD_TRY(ad_folder_begin(&temporary, folder, file_names, FILES));
  int status = AD_OK;
  for (int file = 0; status == AD_OK && file < FILES; file++) {
    char *path = ad_path_join(temporary, file_names[file]);
    status = path == NULL ? ad_fail_memory(strlen(folder) + 32, "a path")
                          : write_file(file, path, params, theta, vocabulary, class_names, pad_id);
    ad_free(path);
  }
  return ad_folder_end(temporary, folder, file_names, FILES, status);
}

int ad_model_save(const char *folder, const struct ad_params *params, const float *theta,
                  const struct ad_vocabulary *vocabulary, const char *const *class_names) {
  /* "model/" and "model" are the same folder; the temporary name needs the second form. */
  size_t length = strlen(folder);
  while (length > 1 && folder[length - 1] == '/') {
    length--;
  }
  char *name = ad_strndup(folder, length);
  if (name == NULL) {
    return ad_fail_memory(length + 1, "a path");
  }
  const int status = save(name, params, theta, vocabulary, class_names);
  ad_free(name);
  return status;
}
