/* Loading a tokenizer from a Hugging Face folder: vocab.txt, tokenizer.json, and the settings around them. What these
 * files can say and this tokenizer cannot do is refused, as the ids would silently differ. */
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "files.h"

/* Writes the vocabulary of tokenizer.json as the text of a vocab.txt. */
static int write_vocabulary(const char *path, json_t *vocab, struct ad_buffer *text) {
  const size_t count = json_object_size(vocab);
  const char **tokens = ad_calloc(count, sizeof *tokens);
  if (tokens == NULL) {
    return ad_fail_memory(count * sizeof *tokens, path);
  }
  int status = AD_OK;
  const char *token;
  json_t *id;
  json_object_foreach(vocab, token, id) {
    const json_int_t place = json_is_integer(id) ? json_integer_value(id) : -1;
    if (place < 0 || (size_t)place >= count || tokens[place] != NULL) {
      status = ad_fail(AD_EINPUT, "%s: token \"%s\" has no id of its own in 0 .. %zu", path, token, count - 1);
      goto done;
    }
    if (strchr(token, '\n') != NULL) {
      status = ad_fail(AD_EINPUT, "%s: token %lld has a line feed in it", path, (long long)place);
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

/* Refuses a vocab.txt and a tokenizer.json that give a token different ids. */
static int compare_vocabularies(const struct ad_text_files *files, const struct ad_tokenizer *tokenizer) {
  const json_t *vocab = json_object_get(json_object_get(files->pipeline, "model"), "vocab");
  const size_t count = tokenizer->count;
  if (json_object_size(vocab) != count) {
    return ad_fail(AD_EINPUT, "%s has %zu tokens, %s has %zu; expected the same vocabulary", files->vocab_path, count,
                   files->pipeline_path, json_object_size(vocab));
  }
  for (size_t i = 0; i < count; i++) {
    const char *token = ad_tokenizer_token(tokenizer, (uint32_t)i);
    const json_t *id = json_object_get(vocab, token);
    if (!json_is_integer(id) || json_integer_value(id) != (json_int_t)i) {
      return ad_fail(AD_EINPUT, "%s:%zu: token \"%s\" has another id in %s", files->vocab_path, i + 1, token,
                     files->pipeline_path);
    }
  }
  return AD_OK;
}

static int read_if_there(const char *path, json_t **object) {
  return ad_is_file(path) ? ad_json_read(object, path) : AD_OK;
}

static int load_files(struct ad_text_files *files, const char *path) {
  files->vocab_path = ad_path_join(path, "vocab.txt");
  int missing = files->vocab_path == NULL;
#define AD_TEXT_PATH(field, name)                 \
  files->field##_path = ad_path_join(path, name); \
  missing |= files->field##_path == NULL;
  AD_TEXT_FILES(AD_TEXT_PATH)
#undef AD_TEXT_PATH
  if (missing) {
    return ad_fail_memory(strlen(path), "a path");
  }
  AD_TRY(ad_check_model_folder(path));
#define AD_TEXT_READ(field, name) AD_TRY(read_if_there(files->field##_path, &files->field));
  AD_TEXT_FILES(AD_TEXT_READ)
#undef AD_TEXT_READ
  if (files->pipeline == NULL && !ad_is_file(files->vocab_path)) {
    return ad_fail(AD_EINPUT, "%s: neither vocab.txt nor tokenizer.json", path);
  }
  return ad_is_file(files->vocab_path) ? ad_file_map(files->vocab_path, &files->vocab) : AD_OK;
}

static void release_files(struct ad_text_files *files) {
  ad_file_unmap(&files->vocab);
  ad_free(files->vocab_path);
#define AD_TEXT_RELEASE(field, name) \
  json_decref(files->field);         \
  ad_free(files->field##_path);
  AD_TEXT_FILES(AD_TEXT_RELEASE)
#undef AD_TEXT_RELEASE
}

static int make_recipe(const struct ad_text_files *files, struct ad_recipe *recipe) {
  const struct ad_text_class *class;
  int ruled;
  AD_TRY(ad_text_read_class(files, &class, &ruled));
  AD_TRY(ad_text_read_settings(files, ruled, recipe));
  AD_TRY(ad_text_read_added(files, class, ruled, recipe));
  return files->pipeline == NULL ? AD_OK : ad_text_read_pipeline(files, class, ruled, recipe);
}

static int build(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  if (ad_is_file(files->vocab_path)) {
    const char *text = files->vocab.data == NULL ? "" : files->vocab.data;
    AD_TRY(ad_tokenizer_make(tokenizer, files->vocab_path, text, files->vocab.size, recipe));
    return files->pipeline == NULL ? AD_OK : compare_vocabularies(files, *tokenizer);
  }
  struct ad_buffer text = {0};
  json_t *vocab = json_object_get(json_object_get(files->pipeline, "model"), "vocab");
  int status = write_vocabulary(files->pipeline_path, vocab, &text);
  if (status == AD_OK) {
    status = ad_tokenizer_make(tokenizer, files->pipeline_path, text.data == NULL ? "" : text.data, text.size, recipe);
  }
  ad_buffer_destroy(&text);
  return status;
}

/* Whether this folder is another one than the last: a process that loads one for many trainings warns once. */
static int is_new(const char *path) {
  static uint64_t last;
  const uint64_t digest = ad_digest(path, strlen(path));
  const int other = digest != last;
  last = digest;
  return other;
}

int ad_tokenizer_load(struct ad_tokenizer **tokenizer, const char *path) {
  *tokenizer = NULL;
  struct ad_text_files files = {.quiet = !is_new(path)};
  struct ad_recipe recipe;
  int status = ad_recipe_create(&recipe);
  if (status == AD_OK) {
    status = load_files(&files, path);
  }
  if (status == AD_OK) {
    status = make_recipe(&files, &recipe);
  }
  if (status == AD_OK) {
    status = build(&files, &recipe, tokenizer);
  }
  if (status != AD_OK) {
    ad_tokenizer_destroy(*tokenizer);
    *tokenizer = NULL;
  }
  ad_recipe_destroy(&recipe);
  release_files(&files);
  return status;
}
