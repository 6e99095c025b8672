/* Loading a tokenizer from a Hugging Face folder: vocab.txt, tokenizer.json, tokenizer_config.json. What these files
 * can say and this tokenizer cannot do is refused, as the ids would silently differ. */
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "tokenizer.h"

/* The files of a folder, as far as they are there. */
struct folder {
  char *vocab_path;
  char *json_path;
  char *config_path;
  struct ad_file_map vocab; /* vocab.txt */
  json_t *json;             /* tokenizer.json */
  json_t *config;           /* tokenizer_config.json */
};

static const char *type_name(const json_t *value) {
  static const char *const names[] = {"an object", "an array", "a string", "a number",
                                      "a number",  "true",     "false",    "null"};
  return value == NULL ? "nothing" : names[json_typeof(value)];
}

/* Takes a boolean if the key is there; null is -1, the choice by default. */
static int take_boolean(const char *path, const json_t *object, const char *key, int *option) {
  const json_t *value = json_object_get(object, key);
  if (value == NULL) {
    return AD_OK;
  }
  if (json_is_null(value)) {
    *option = -1;
    return AD_OK;
  }
  if (!json_is_boolean(value)) {
    return ad_fail(AD_EINPUT, "%s: \"%s\" is %s, expected true or false", path, key, type_name(value));
  }
  *option = json_is_true(value);
  return AD_OK;
}

/* Refuses a string other than the expected one; the key may be missing. */
static int expect_string(const char *path, const json_t *object, const char *key, const char *expected) {
  const json_t *value = json_object_get(object, key);
  if (value == NULL) {
    return AD_OK;
  }
  if (!json_is_string(value)) {
    return ad_fail(AD_EINPUT, "%s: \"%s\" is %s, expected \"%s\"", path, key, type_name(value), expected);
  }
  if (strcmp(json_string_value(value), expected) != 0) {
    return ad_fail(AD_EINPUT, "%s: \"%s\" is \"%s\", expected \"%s\"", path, key, json_string_value(value), expected);
  }
  return AD_OK;
}

/* Refuses an added token that is none of the five special ones; an object with "content", or its plain text. */
static int expect_special(const char *path, const json_t *token) {
  const json_t *content = json_is_object(token) ? json_object_get(token, "content") : token;
  if (!json_is_string(content)) {
    return ad_fail(AD_EINPUT, "%s: an added token is %s, expected its text", path, type_name(content));
  }
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    if (strcmp(json_string_value(content), ad_special_names[i]) == 0) {
      return AD_OK;
    }
  }
  return ad_fail(AD_EINPUT, "%s: added token \"%s\", expected none but [UNK], [CLS], [SEP], [PAD], [MASK]", path,
                 json_string_value(content));
}

/* tokenizer_config.json: its options, and nothing in it that this tokenizer does not do. */
static int read_config(const char *path, const json_t *config, struct ad_tokenizer_options *options) {
  static const char *const keys[] = {"unk_token", "cls_token", "sep_token", "pad_token", "mask_token"};
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    const json_t *token = json_object_get(config, keys[i]);
    if (token != NULL && !json_is_null(token)) {
      const json_t *content = json_is_object(token) ? json_object_get(token, "content") : token;
      if (!json_is_string(content) || strcmp(json_string_value(content), ad_special_names[i]) != 0) {
        return ad_fail(AD_EINPUT, "%s: \"%s\" is %s, expected \"%s\"", path, keys[i],
                       json_is_string(content) ? json_string_value(content) : type_name(content), ad_special_names[i]);
      }
    }
  }
  int basic = 1;
  AD_TRY(take_boolean(path, config, "do_basic_tokenize", &basic));
  if (!basic) {
    return ad_fail(AD_EINPUT, "%s: \"do_basic_tokenize\" is false, expected true", path);
  }
  const json_t *never = json_object_get(config, "never_split");
  if (never != NULL && !json_is_null(never) && !(json_is_array(never) && json_array_size(never) == 0)) {
    return ad_fail(AD_EINPUT, "%s: \"never_split\" is not empty, expected null", path);
  }
  json_t *added = json_object_get(config, "added_tokens_decoder");
  const char *id;
  json_t *token;
  json_object_foreach(added, id, token) {
    AD_TRY(expect_special(path, token));
  }
  AD_TRY(take_boolean(path, config, "do_lower_case", &options->lower_case));
  AD_TRY(take_boolean(path, config, "strip_accents", &options->strip_accents));
  return take_boolean(path, config, "tokenize_chinese_chars", &options->split_cjk);
}

/* tokenizer.json: the options of its normalizer, and nothing in it that this tokenizer does not do. */
static int read_pipeline(const char *path, const json_t *json, struct ad_tokenizer_options *options) {
  const json_t *model = json_object_get(json, "model");
  const json_t *normalizer = json_object_get(json, "normalizer");
  const json_t *splitter = json_object_get(json, "pre_tokenizer");
  if (!json_is_object(json_object_get(model, "vocab")) || !json_is_object(normalizer) || !json_is_object(splitter)) {
    return ad_fail(AD_EINPUT, "%s: expected the objects \"model\" with \"vocab\", \"normalizer\" and \"pre_tokenizer\"",
                   path);
  }
  AD_TRY(expect_string(path, model, "type", "WordPiece"));
  AD_TRY(expect_string(path, model, "unk_token", "[UNK]"));
  AD_TRY(expect_string(path, model, "continuing_subword_prefix", "##"));
  AD_TRY(expect_string(path, normalizer, "type", "BertNormalizer"));
  AD_TRY(expect_string(path, splitter, "type", "BertPreTokenizer"));
  const json_t *longest = json_object_get(model, "max_input_chars_per_word");
  if (longest != NULL && json_integer_value(longest) != 100) {
    return ad_fail(AD_EINPUT, "%s: \"max_input_chars_per_word\" is %lld, expected 100", path,
                   (long long)json_integer_value(longest));
  }
  int clean = 1;
  AD_TRY(take_boolean(path, normalizer, "clean_text", &clean));
  if (!clean) {
    return ad_fail(AD_EINPUT, "%s: \"clean_text\" is false, expected true", path);
  }
  size_t i;
  json_t *token;
  json_array_foreach(json_object_get(json, "added_tokens"), i, token) {
    AD_TRY(expect_special(path, token));
  }
  AD_TRY(take_boolean(path, normalizer, "lowercase", &options->lower_case));
  AD_TRY(take_boolean(path, normalizer, "strip_accents", &options->strip_accents));
  return take_boolean(path, normalizer, "handle_chinese_chars", &options->split_cjk);
}

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
static int compare_vocabularies(const struct folder *folder, const struct ad_tokenizer *tokenizer) {
  const json_t *vocab = json_object_get(json_object_get(folder->json, "model"), "vocab");
  const size_t count = ad_tokenizer_vocab(tokenizer);
  if (json_object_size(vocab) != count) {
    return ad_fail(AD_EINPUT, "%s has %zu tokens, %s has %zu; expected the same vocabulary", folder->vocab_path, count,
                   folder->json_path, json_object_size(vocab));
  }
  for (size_t i = 0; i < count; i++) {
    const char *token = ad_tokenizer_token(tokenizer, (uint32_t)i);
    const json_t *id = json_object_get(vocab, token);
    if (!json_is_integer(id) || json_integer_value(id) != (json_int_t)i) {
      return ad_fail(AD_EINPUT, "%s:%zu: token \"%s\" has another id in %s", folder->vocab_path, i + 1, token,
                     folder->json_path);
    }
  }
  return AD_OK;
}

static int load_files(struct folder *folder, const char *path) {
  folder->vocab_path = ad_path_join(path, "vocab.txt");
  folder->json_path = ad_path_join(path, "tokenizer.json");
  folder->config_path = ad_path_join(path, "tokenizer_config.json");
  if (folder->vocab_path == NULL || folder->json_path == NULL || folder->config_path == NULL) {
    return ad_fail_memory(strlen(path), "a path");
  }
  if (!ad_is_folder(path)) {
    return ad_fail(AD_EINPUT, "%s: expected a model folder with vocab.txt or tokenizer.json", path);
  }
  if (ad_is_file(folder->json_path)) {
    AD_TRY(ad_json_read(&folder->json, folder->json_path));
  }
  if (ad_is_file(folder->config_path)) {
    AD_TRY(ad_json_read(&folder->config, folder->config_path));
  }
  if (folder->json == NULL && !ad_is_file(folder->vocab_path)) {
    return ad_fail(AD_EINPUT, "%s: neither vocab.txt nor tokenizer.json", path);
  }
  return ad_is_file(folder->vocab_path) ? ad_file_map(folder->vocab_path, &folder->vocab) : AD_OK;
}

static int build(const struct folder *folder, struct ad_tokenizer **tokenizer) {
  struct ad_tokenizer_options options = {.lower_case = 1, .strip_accents = -1, .split_cjk = 1};
  if (folder->json != NULL) {
    AD_TRY(read_pipeline(folder->json_path, folder->json, &options));
  }
  if (folder->config != NULL) {
    AD_TRY(read_config(folder->config_path, folder->config, &options));
  }
  if (ad_is_file(folder->vocab_path)) {
    const char *text = folder->vocab.data == NULL ? "" : folder->vocab.data;
    AD_TRY(ad_tokenizer_create_with(tokenizer, folder->vocab_path, text, folder->vocab.size, &options));
    return folder->json == NULL ? AD_OK : compare_vocabularies(folder, *tokenizer);
  }
  struct ad_buffer text = {0};
  json_t *vocab = json_object_get(json_object_get(folder->json, "model"), "vocab");
  int status = write_vocabulary(folder->json_path, vocab, &text);
  if (status == AD_OK) {
    status =
        ad_tokenizer_create_with(tokenizer, folder->json_path, text.data == NULL ? "" : text.data, text.size, &options);
  }
  ad_buffer_destroy(&text);
  return status;
}

int ad_tokenizer_load(struct ad_tokenizer **tokenizer, const char *path) {
  *tokenizer = NULL;
  struct folder folder = {0};
  int status = load_files(&folder, path);
  if (status == AD_OK) {
    status = build(&folder, tokenizer);
  }
  if (status != AD_OK) {
    ad_tokenizer_destroy(*tokenizer);
    *tokenizer = NULL;
  }
  json_decref(folder.json);
  json_decref(folder.config);
  ad_file_unmap(&folder.vocab);
  ad_free(folder.vocab_path);
  ad_free(folder.json_path);
  ad_free(folder.config_path);
  return status;
}
