/* The flat parameter vector into a Hugging Face folder. */
#include <stdio.h>
#include <string.h>

#include "architecture.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/safetensors.h"
#include "autodidact/text/tokenizer.h"
#include "folder.h"
#include "output.h"

enum { CONFIG, WEIGHTS, OWN }; /* the tokenizer's follow */

size_t ad_model_files(const struct ad_tokenizer *tokenizer, const char *names[AD_MODEL_FILES]) {
  size_t count;
  const char *const *files = ad_tokenizer_files(tokenizer, &count);
  names[CONFIG] = "config.json";
  names[WEIGHTS] = "model.safetensors";
  memcpy(names + OWN, files, count * sizeof *files);
  return OWN + count;
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
  char(*names)[sizeof params->tensors->name + 32] = ad_calloc(count, sizeof *names);
  int status = AD_OK;
  if (sources == NULL || names == NULL) {
    status = ad_fail_memory(count * (sizeof *sources + sizeof *names), "the list of tensors");
  }
  for (size_t i = 0; status == AD_OK && i < count; i++) {
    const struct ad_tensor *tensor = &params->tensors[i];
    /* In Hugging Face's classes the encoder is a member, of BERT `bert`, and the classifier stands beside it. */
    snprintf(names[i], sizeof *names, "%s%s", tensor->new_head ? "" : params->architecture->prefix, tensor->name);
    sources[i] = (struct ad_safetensor_source){.name = names[i], .data = theta + tensor->offset};
    sources[i].dimensions = ad_tensor_shape(tensor, sources[i].shape);
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
  int status = ad_json_print(value, JSON_INDENT(2) | JSON_REAL_PRECISION(9), &text);
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

/* One of the tokenizer's files, `name`. */
static int write_tokenizer(const char *path, const char *name, const struct ad_params *params,
                           const struct ad_tokenizer *tokenizer) {
  struct ad_buffer text = {0};
  int status = ad_tokenizer_print(tokenizer, name, params->form.longest, params->form.second_type > 0, &text);
  if (status == AD_OK) {
    status = ad_file_write(path, text.data, text.size);
  }
  ad_buffer_destroy(&text);
  return status;
}

/* The number of the padding token; of a tokenizer without one, whose number nothing reads, the first. */
static size_t pad_id(const struct ad_tokenizer *tokenizer) {
  const uint32_t pad = ad_tokenizer_pad(tokenizer);
  return pad < ad_tokenizer_vocab(tokenizer) ? pad : 0;
}

static int save(const char *folder, int replace, const struct ad_params *params, const float *theta,
                const struct ad_tokenizer *tokenizer, const char *const *class_names) {
  if (ad_tokenizer_vocab(tokenizer) > params->config.vocab) {
    return ad_fail(AD_EINPUT, "%s: a tokenizer of %zu entries, expected no more than the %u that the model has", folder,
                   ad_tokenizer_vocab(tokenizer), params->config.vocab);
  }
  AD_TRY(check_class_names(folder, class_names, params->config.classes));
  AD_TRY(check_theta(folder, params, theta));
  struct ad_output_folder output;
  const char *names[AD_MODEL_FILES];
  const size_t count = ad_model_files(tokenizer, names);
  AD_TRY(ad_output_folder_begin(&output, folder, replace, names, count));
  char *paths[AD_MODEL_FILES] = {0};
  int status = AD_OK;
  for (size_t i = 0; i < count; i++) {
    paths[i] = ad_path_join(output.temporary, names[i]);
    if (paths[i] == NULL) {
      status = ad_fail_memory(strlen(folder) + 40, "a path");
    }
  }
  if (status == AD_OK) {
    status = write_json(paths[CONFIG], ad_folder_make_config(&params->config, class_names, pad_id(tokenizer)));
  }
  if (status == AD_OK) {
    status = write_weights(paths[WEIGHTS], params, theta);
  }
  for (size_t i = OWN; status == AD_OK && i < count; i++) {
    status = write_tokenizer(paths[i], names[i], params, tokenizer);
  }
  for (size_t i = 0; i < count; i++) {
    ad_free(paths[i]);
  }
  return ad_output_folder_end(&output, status);
}

int ad_model_save(const char *folder, int replace, const struct ad_params *params, const float *theta,
                  const struct ad_tokenizer *tokenizer, const char *const *class_names) {
  /* "model/" and "model" are the same folder; the temporary name needs the second form. */
  size_t length = strlen(folder);
  while (length > 1 && folder[length - 1] == '/') {
    length--;
  }
  char *name = ad_strndup(folder, length);
  if (name == NULL) {
    return ad_fail_memory(length + 1, "a path");
  }
  const int status = save(name, replace, params, theta, tokenizer, class_names);
  ad_free(name);
  return status;
}
