#include "files.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"

static int read_if_there(const char *path, json_t **object) {
  return ad_is_file(path) ? ad_json_read(object, path) : AD_OK;
}

int ad_text_read_files(struct ad_text_files *files) {
  int missing = 0;
#define AD_TEXT_PATH(field, name)                          \
  files->field##_path = ad_path_join(files->folder, name); \
  missing |= files->field##_path == NULL;
  AD_TEXT_FILES(AD_TEXT_PATH)
#undef AD_TEXT_PATH
  if (missing) {
    return ad_fail_memory(strlen(files->folder), "a path");
  }
  AD_TRY(ad_check_model_folder(files->folder));
#define AD_TEXT_READ(field, name) AD_TRY(read_if_there(files->field##_path, &files->field));
  AD_TEXT_FILES(AD_TEXT_READ)
#undef AD_TEXT_READ
  return AD_OK;
}

int ad_text_has_file(const char *folder, const char *name, int *found) {
  char *path = ad_path_join(folder, name);
  if (path == NULL) {
    return ad_fail_memory(strlen(folder), "a path");
  }
  *found = ad_is_file(path);
  ad_free(path);
  return AD_OK;
}

int ad_text_map_vocabulary(struct ad_text_files *files, const char *name) {
  files->vocabulary_path = ad_path_join(files->folder, name);
  if (files->vocabulary_path == NULL) {
    return ad_fail_memory(strlen(files->folder), "a path");
  }
  files->has_vocabulary = ad_is_file(files->vocabulary_path);
  return files->has_vocabulary ? ad_file_map(files->vocabulary_path, &files->vocabulary) : AD_OK;
}

void ad_text_files_destroy(struct ad_text_files *files) {
  ad_file_unmap(&files->vocabulary);
  ad_free(files->vocabulary_path);
#define AD_TEXT_RELEASE(field, name) \
  json_decref(files->field);         \
  ad_free(files->field##_path);
  AD_TEXT_FILES(AD_TEXT_RELEASE)
#undef AD_TEXT_RELEASE
}

void ad_text_warn(const struct ad_text_files *files, const char *format, ...) {
  if (!files->quiet) {
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ad_log(AD_LOG_WARNING, "%s", text);
  }
}

int ad_text_boolean(const char *path, const char *where, const json_t *object, const char *key, int *option) {
  const json_t *value = json_object_get(object, key);
  char text[80];
  if (value != NULL && !json_is_boolean(value)) {
    return ad_fail(AD_EINPUT, "%s: %s\"%s\" is %s, expected true or false", path, where, key,
                   ad_json_show(value, text, sizeof text));
  }
  *option = value == NULL ? *option : json_is_true(value);
  return AD_OK;
}

int ad_text_choice(const char *path, const json_t *object, const char *key, int *option) {
  if (json_is_null(json_object_get(object, key))) {
    *option = -1;
    return AD_OK;
  }
  return ad_text_boolean(path, "", object, key, option);
}

int ad_text_is_listed(const char *list, const char *key) {
  char word[80];
  snprintf(word, sizeof word, " %.70s ", key);
  return strchr(key, ' ') == NULL && strstr(list, word) != NULL;
}

void ad_text_warn_keys(const struct ad_text_files *files, const char *path, const char *inside, const json_t *object,
                       const char *listed) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    if (!ad_text_is_listed(listed, key)) {
      char text[80];
      ad_text_warn(files, "%s: %sthe key \"%.60s\" (%s) is not known, and has no effect", path, inside, key,
                   ad_json_show(value, text, sizeof text));
    }
  }
}

void ad_text_read_limits(const struct ad_text_files *files, struct ad_recipe *recipe) {
  const json_t *longest = json_object_get(files->config, "model_max_length");
  const json_t *side = json_object_get(files->config, "truncation_side");
  const json_t *rows = json_object_get(files->model, "vocab_size");
  char text[80];
  const char *shown = ad_json_show(side, text, sizeof text);
  recipe->rows = json_is_integer(rows) && json_integer_value(rows) > 0 ? (size_t)json_integer_value(rows) : 0;
  /* Past all models: Hugging Face writes 10^30 for "no limit". */
  if (json_is_number(longest) && json_number_value(longest) >= 1 && json_number_value(longest) < 1e9) {
    recipe->longest = (size_t)json_number_value(longest);
  }
  if (side != NULL && !json_is_null(side) && strcmp(shown, "\"right\"") != 0) {
    ad_text_warn(files, "%s: \"truncation_side\" is %s, but texts are cut as data.truncation says", files->config_path,
                 shown);
  }
}

int ad_text_write_vocabulary(const char *path, const json_t *vocab, struct ad_buffer *text) {
  const size_t count = json_object_size(vocab);
  const char **tokens = ad_calloc(count, sizeof *tokens);
  if (tokens == NULL) {
    return ad_fail_memory(count * sizeof *tokens, path);
  }
  int status = AD_OK;
  const char *token;
  json_t *id;
  json_object_foreach((json_t *)(uintptr_t)vocab, token, id) {
    const json_int_t place = json_is_integer(id) ? json_integer_value(id) : -1;
    if (place < 0 || (size_t)place >= count || tokens[place] != NULL) {
      status = ad_fail(AD_EINPUT, "%s: token \"%s\" has no id of its own in 0 .. %zu", path, token, count - 1);
      goto done;
    }
    if (strpbrk(token, "\r\n") != NULL || (place == 0 && ad_utf8_mark(token, strlen(token)) > 0)) {
      status = ad_fail(AD_EINPUT, "%s: token %lld has a line end or a byte order mark in it, expected none", path,
                       (long long)place);
      goto done;
    }
    if (strstr(token, AD_JSON_NO_KEY) != NULL) {
      status = ad_fail(AD_EINPUT, "%s: token %lld has U+0000, U+FFFF or half a surrogate pair in it, expected none",
                       path, (long long)place);
      goto done;
    }
    tokens[place] = token;
  }
  for (size_t i = 0; i < count && status == AD_OK; i++) {
    status = ad_buffer_puts(text, tokens[i]);
    if (status == AD_OK) {
      status = ad_buffer_append(text, "\n", 1);
    }
  }
done:
  ad_free(tokens);
  return status;
}
