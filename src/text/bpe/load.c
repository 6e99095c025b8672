/* Byte pair encoding from a folder: tokenizer.json; or vocab.json and merges.txt, whose pipeline is RoBERTa's. */
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "bpe.h"

/* ---- Merges ---- */

/* The merges of a file, while they are read. */
struct reading {
  struct ad_tokenizer *tokenizer;
  const char *path;
  uint32_t rank;
  uint64_t digest;
  struct ad_buffer joined; /* work memory */
};

static int refuse_merge(const struct reading *r, const char *why, const char *token, size_t size) {
  return ad_fail(AD_EINPUT, "%s: merge %u: %s \"%.*s\"", r->path, r->rank + 1, why, (int)(size < 200 ? size : 200),
                 token);
}

/* A merge by the texts of its parts. */
static int put_merge(struct reading *r, const char *left, size_t left_size, const char *right, size_t right_size) {
  struct ad_bpe *bpe = r->tokenizer->own;
  ad_buffer_clear(&r->joined);
  AD_TRY(ad_buffer_append(&r->joined, left, left_size));
  AD_TRY(ad_buffer_append(&r->joined, right, right_size));
  const struct ad_merge merge = {.left = ad_trie_value(&r->tokenizer->trie, left, left_size),
                                 .right = ad_trie_value(&r->tokenizer->trie, right, right_size),
                                 .rank = r->rank,
                                 .id = ad_trie_value(&r->tokenizer->trie, r->joined.data, r->joined.size)};
  if (left_size == 0 || right_size == 0) {
    return refuse_merge(r, "a part is empty, so it leads back to", r->joined.data, r->joined.size);
  }
  if (merge.left == AD_TRIE_NONE || merge.right == AD_TRIE_NONE || merge.id == AD_TRIE_NONE) {
    const int is_left = merge.left == AD_TRIE_NONE, is_right = !is_left && merge.right == AD_TRIE_NONE;
    return refuse_merge(r, "the vocabulary has no token",
                        is_left    ? left
                        : is_right ? right
                                   : r->joined.data,
                        is_left    ? left_size
                        : is_right ? right_size
                                   : r->joined.size);
  }
  if (!ad_bpe_put(bpe, &merge)) {
    return refuse_merge(r, "it is there already, and gives", r->joined.data, r->joined.size);
  }
  r->digest = ad_digest_pair(r->digest, (uint64_t)merge.left << 32 | merge.right);
  r->rank++;
  return AD_OK;
}

/* A merge as "a b" [size bytes]. */
static int put_line(struct reading *r, const char *line, size_t size) {
  const char *space = memchr(line, ' ', size);
  if (size >= 8 && memcmp(line, "#version", 8) == 0) {
    return AD_OK;
  }
  const size_t left = space == NULL ? 0 : (size_t)(space - line);
  if (space == NULL || memchr(space + 1, ' ', size - left - 1) != NULL) {
    return refuse_merge(r, "expected two tokens with a space between them, found", line, size);
  }
  return put_merge(r, line, left, space + 1, size - left - 1);
}

static int read_list(struct reading *r, const json_t *merges) {
  size_t i;
  json_t *value;
  AD_TRY(ad_bpe_make_table(r->tokenizer->own, json_array_size(merges)));
  json_array_foreach(merges, i, value) {
    const json_t *left = json_array_get(value, 0), *right = json_array_get(value, 1);
    if (json_is_string(value)) {
      AD_TRY(put_line(r, json_string_value(value), json_string_length(value)));
    } else if (json_array_size(value) == 2 && json_is_string(left) && json_is_string(right)) {
      AD_TRY(put_merge(r, json_string_value(left), json_string_length(left), json_string_value(right),
                       json_string_length(right)));
    } else {
      char text[80];
      return refuse_merge(r, "expected \"a b\" or [\"a\", \"b\"], found", ad_json_show(value, text, sizeof text), 80);
    }
  }
  return AD_OK;
}

static int read_lines(struct reading *r, const char *text, size_t size) {
  size_t lines = 1;
  AD_TRY(ad_utf8_check(r->path, text, size));
  for (size_t i = 0; i < size; i++) {
    lines += text[i] == '\n';
  }
  AD_TRY(ad_bpe_make_table(r->tokenizer->own, lines));
  for (size_t i = 0; i < size;) {
    const char *end = memchr(text + i, '\n', size - i);
    const size_t next = end == NULL ? size : (size_t)(end - text) + 1;
    size_t length = (end == NULL ? size : next - 1) - i;
    length -= length > 0 && text[i + length - 1] == '\r';
    AD_TRY(put_line(r, text + i, length));
    i = next;
  }
  return AD_OK;
}

/* ---- The model ---- */

static int is_nothing(const json_t *value) {
  return value == NULL || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
}

/* Options that change ids and have no other value here. */
static int check_model(const char *path, const json_t *model) {
  static const char *const empty[] = {"continuing_subword_prefix", "end_of_word_suffix"};
  const json_t *dropout = json_object_get(model, "dropout"), *fallback = json_object_get(model, "byte_fallback");
  AD_TRY(ad_component_check(path, "model", model,
                            " type dropout unk_token continuing_subword_prefix end_of_word_suffix fuse_unk "
                            "byte_fallback ignore_merges vocab merges "));
  for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
    if (!is_nothing(json_object_get(model, empty[i]))) {
      return ad_pipeline_refuse(path, "model", empty[i], json_object_get(model, empty[i]), "null or nothing");
    }
  }
  if (!is_nothing(dropout) && !(json_is_number(dropout) && !(json_number_value(dropout) > 0))) {
    return ad_pipeline_refuse(path, "model", "dropout", dropout, "null");
  }
  if (fallback != NULL && !json_is_false(fallback)) {
    return ad_pipeline_refuse(path, "model", "byte_fallback", fallback, "false");
  }
  if (!json_is_object(json_object_get(model, "vocab"))) {
    return ad_pipeline_refuse(path, "model", "vocab", json_object_get(model, "vocab"),
                              "an object of tokens and their numbers");
  }
  return json_is_array(json_object_get(model, "merges"))
             ? AD_OK
             : ad_pipeline_refuse(path, "model", "merges", json_object_get(model, "merges"), "a list of merges");
}

/* Whether every byte has a token, so that none is unknown. */
static int is_complete(const struct ad_bpe *bpe) {
  int complete = bpe->bytes;
  for (unsigned byte = 0; byte < 256; byte++) {
    complete &= bpe->byte_id[byte] != AD_TRIE_NONE;
  }
  return complete;
}

static int read_options(struct ad_tokenizer *tokenizer, const char *path, const json_t *model) {
  struct ad_bpe *bpe = tokenizer->own;
  const json_t *unknown = json_object_get(model, "unk_token");
  const char *token = json_string_value(unknown);
  AD_TRY(ad_text_boolean(path, "model: ", model, "fuse_unk", &bpe->fuse_unknown));
  AD_TRY(ad_text_boolean(path, "model: ", model, "ignore_merges", &bpe->whole));
  bpe->unknown = token == NULL ? AD_TRIE_NONE : ad_trie_value(&tokenizer->trie, token, strlen(token));
  if (unknown != NULL && !json_is_null(unknown) && bpe->unknown == AD_TRIE_NONE && !is_complete(bpe)) {
    return ad_pipeline_refuse(path, "model", "unk_token", unknown, "a token of the vocabulary");
  }
  const uint32_t options[] = {bpe->unknown, (uint32_t)bpe->fuse_unknown, (uint32_t)bpe->whole};
  bpe->digest = ad_digest_pair(bpe->digest, ad_digest(options, sizeof options));
  return AD_OK;
}

static int make(const char *path, const json_t *vocab, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  struct ad_buffer text = {0};
  int status = ad_text_write_vocabulary(path, vocab, &text);
  if (status == AD_OK) {
    status =
        ad_tokenizer_make(tokenizer, &ad_tokenizer_bpe, path, text.data == NULL ? "" : text.data, text.size, recipe);
  }
  ad_buffer_destroy(&text);
  return status;
}

/* ---- tokenizer.json ---- */

/* Refuses a vocab.json beside it that gives a token another id. */
static int compare_vocabularies(const struct ad_text_files *files, const struct ad_tokenizer *tokenizer) {
  json_t *vocab = NULL, *id;
  const char *token;
  if (!files->has_vocabulary) {
    return AD_OK;
  }
  int status = ad_json_read(&vocab, files->vocabulary_path);
  json_object_foreach(vocab, token, id) {
    const uint32_t known = ad_trie_value(&tokenizer->trie, token, strlen(token));
    if (known != AD_TRIE_NONE && (!json_is_integer(id) || json_integer_value(id) != (json_int_t)known)) {
      status = ad_fail(AD_EINPUT, "%s: token \"%s\" has another id in %s", files->vocabulary_path, token,
                       files->pipeline_path);
      break;
    }
  }
  json_decref(vocab);
  return status;
}

static int load_pipeline(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  const char *path = files->pipeline_path;
  const json_t *model = json_object_get(files->pipeline, "model");
  AD_TRY(check_model(path, model));
  AD_TRY(ad_pipeline_read_folder(recipe, files));
  AD_TRY(ad_pipeline_read(recipe, path, files->pipeline, 1));
  AD_TRY(make(path, json_object_get(model, "vocab"), recipe, tokenizer));
  struct reading reading = {.tokenizer = *tokenizer, .path = path};
  const int status = read_list(&reading, json_object_get(model, "merges"));
  ((struct ad_bpe *)(*tokenizer)->own)->digest = reading.digest;
  ad_buffer_destroy(&reading.joined);
  AD_TRY(status);
  AD_TRY(read_options(*tokenizer, path, model));
  return compare_vocabularies(files, *tokenizer);
}

/* ---- vocab.json and merges.txt ---- */

/* RoBERTa's class of transformers, or none. */
static int check_class(const struct ad_text_files *files) {
  const json_t *value = json_object_get(files->config, "tokenizer_class");
  const char *class = json_string_value(value);
  const int known =
      class != NULL && (strcmp(class, "RobertaTokenizer") == 0 || strcmp(class, "RobertaTokenizerFast") == 0);
  return value == NULL || json_is_null(value) || known
             ? AD_OK
             : ad_pipeline_refuse(files->config_path, "without a tokenizer.json", "tokenizer_class", value,
                                  "RobertaTokenizer");
}

/* RoBERTa's pipeline: ByteLevel, with a space before the text by "add_prefix_space". */
static int read_fixed(const struct ad_text_files *files, struct ad_recipe *recipe) {
  int prefix = 0;
  AD_TRY(ad_text_choice(files->config_path, files->config, "add_prefix_space", &prefix));
  json_t *root = json_pack("{s: {s: s, s: b}}", "pre_tokenizer", "type", "ByteLevel", "add_prefix_space", prefix > 0);
  const int status =
      root == NULL ? ad_fail_memory(1000, "a tokenizer") : ad_pipeline_read(recipe, files->folder, root, 1);
  json_decref(root);
  AD_TRY(status);
  AD_TRY(ad_recipe_rename(recipe, AD_SPECIAL_UNK, "<unk>"));
  AD_TRY(ad_text_name_as_roberta(recipe));
  AD_TRY(ad_text_read_added(files, 1, 0, recipe));
  AD_TRY(ad_text_add_as_roberta(files, recipe));
  ad_text_read_limits(files, recipe);
  const char *cls = recipe->special[AD_SPECIAL_CLS], *sep = recipe->special[AD_SPECIAL_SEP];
  if (cls == NULL || sep == NULL) {
    return ad_fail(AD_EINPUT, "%s: \"%s\" is null, expected the name of a token", files->folder,
                   ad_special_keys[cls == NULL ? AD_SPECIAL_CLS : AD_SPECIAL_SEP]);
  }
  return ad_recipe_frame(recipe, cls, sep, 2);
}

static int keep(const struct ad_text_files *files, const char *merges, struct ad_recipe *recipe) {
  AD_TRY(ad_recipe_keep(recipe, files->vocabulary_path, "vocab.json"));
  AD_TRY(ad_recipe_keep(recipe, merges, "merges.txt"));
  AD_TRY(files->config == NULL ? AD_OK : ad_recipe_keep(recipe, files->config_path, "tokenizer_config.json"));
  AD_TRY(files->map == NULL ? AD_OK : ad_recipe_keep(recipe, files->map_path, "special_tokens_map.json"));
  return files->added == NULL ? AD_OK : ad_recipe_keep(recipe, files->added_path, "added_tokens.json");
}

/* By the vocabulary read, with the path of merges.txt. */
static int build_pair(const struct ad_text_files *files, const json_t *vocab, const char *merges,
                      struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  AD_TRY(read_fixed(files, recipe));
  AD_TRY(keep(files, merges, recipe));
  AD_TRY(make(files->vocabulary_path, vocab, recipe, tokenizer));
  struct reading reading = {.tokenizer = *tokenizer, .path = merges};
  const struct ad_buffer *text = &(*tokenizer)->recipe.kept[1].text;
  const int status = read_lines(&reading, text->data == NULL ? "" : text->data, text->size);
  struct ad_bpe *bpe = (*tokenizer)->own;
  bpe->digest = reading.digest;
  bpe->unknown = AD_TRIE_NONE;
  ad_buffer_destroy(&reading.joined);
  return status;
}

static int load_pair(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  json_t *vocab = NULL;
  AD_TRY(check_class(files));
  if (!files->has_vocabulary) {
    return ad_fail(AD_EINPUT, "%s: neither vocab.json nor tokenizer.json", files->folder);
  }
  char *merges = ad_path_join(files->folder, "merges.txt");
  int status = merges == NULL ? ad_fail_memory(strlen(files->folder) + 20, "a path") : AD_OK;
  if (status == AD_OK) {
    status = ad_json_read(&vocab, files->vocabulary_path);
  }
  if (status == AD_OK) {
    status = build_pair(files, vocab, merges, recipe, tokenizer);
  }
  json_decref(vocab);
  ad_free(merges);
  return status;
}

int ad_bpe_load(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  AD_TRY(ad_recipe_create(recipe));
  return files->pipeline != NULL ? load_pipeline(files, recipe, tokenizer) : load_pair(files, recipe, tokenizer);
}
