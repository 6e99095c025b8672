/* The table of WordPiece, and such a tokenizer from a vocabulary alone. */
#include "wordpiece.h"

#include <string.h>

#include "../pipeline.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

static void fill_tables(struct ad_wordpiece *w, int lower_case) {
  for (unsigned byte = 0; byte < 256; byte++) {
    const unsigned kind = byte < 0x80 ? ad_char_properties(byte) & AD_CHAR_KIND : (unsigned)AD_CHAR_DROP;
    w->kind[byte] = kind == AD_CHAR_SPACE         ? AD_BYTE_SPACE
                    : kind == AD_CHAR_PUNCTUATION ? AD_BYTE_PUNCTUATION
                    : kind == AD_CHAR_WORD        ? AD_BYTE_WORD
                                                  : AD_BYTE_OTHER;
    w->same[byte] = (unsigned char)byte;
    w->fold[byte] = (unsigned char)(lower_case && byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
  }
}

static int create(struct ad_tokenizer *tokenizer) {
  struct ad_wordpiece *w = ad_calloc(1, sizeof *w);
  if (w == NULL) {
    return ad_fail_memory(sizeof *w, "a tokenizer");
  }
  fill_tables(w, tokenizer->recipe.options.lower_case);
  w->continuation = ad_trie_find(&tokenizer->trie, "##");
  tokenizer->own = w;
  return AD_OK;
}

static void destroy(struct ad_tokenizer *tokenizer) {
  struct ad_wordpiece *w = tokenizer->own;
  if (w != NULL) {
    ad_codes_destroy(&w->word);
    ad_codes_destroy(&w->scratch);
  }
  ad_free(w);
}

static uint64_t frames_digest(const struct ad_tokenizer *tokenizer, uint64_t digest) {
  const struct ad_recipe *recipe = &tokenizer->recipe;
  digest = recipe->pipeline == NULL ? digest : ad_pipeline_digest(recipe->pipeline, digest);
  return ad_recipe_is_framed(recipe, 1) ? digest : ad_frames_digest(tokenizer, digest);
}

/* ---- Files ---- */

enum { VOCABULARY, CONFIG, SPECIAL, FILES };
static const char *const files[FILES] = {"vocab.txt", "tokenizer_config.json", "special_tokens_map.json"};

static int print_json(json_t *root, int failed, struct ad_buffer *out) {
  int status =
      failed ? ad_fail_memory(4096, "the configuration of a tokenizer") : ad_json_print(root, JSON_INDENT(2), out);
  json_decref(root);
  return status == AD_OK ? ad_buffer_puts(out, "\n") : status;
}

static int print_config(const struct ad_tokenizer *tokenizer, size_t longest, int types, struct ad_buffer *out) {
  const struct ad_tokenizer_options *options = &tokenizer->recipe.options;
  const char *class = ad_recipe_is_framed(&tokenizer->recipe, 1) ? "BertTokenizer" : "MPNetTokenizer";
  json_t *root = json_pack("{s:s, s:b, s:b, s:b, s:I}", "tokenizer_class", class, "do_lower_case", options->lower_case,
                           "strip_accents", options->strip_accents, "tokenize_chinese_chars", options->split_cjk,
                           "model_max_length", (json_int_t)longest);
  int failed = root == NULL || ad_recipe_write_names(tokenizer, root) || ad_recipe_write_added(tokenizer, root);
  if (!failed && !types) {
    failed = json_object_set_new(root, "model_input_names", json_pack("[s, s]", "input_ids", "attention_mask"));
  }
  return print_json(root, failed, out);
}

static int print(const struct ad_tokenizer *tokenizer, const char *file, size_t longest, int types,
                 struct ad_buffer *out) {
  if (strcmp(file, files[VOCABULARY]) == 0) {
    return ad_buffer_append(out, tokenizer->text, tokenizer->text_size);
  }
  if (strcmp(file, files[CONFIG]) == 0) {
    return print_config(tokenizer, longest, types, out);
  }
  if (strcmp(file, files[SPECIAL]) == 0) {
    json_t *root = json_object();
    return print_json(root, root == NULL || ad_recipe_write_names(tokenizer, root), out);
  }
  return ad_fail(AD_EINTERNAL, "%s: no file of a WordPiece tokenizer", file);
}

const struct ad_tokenizer_kind ad_tokenizer_wordpiece = {.named = 1,
                                                         .load = ad_wordpiece_load,
                                                         .create = create,
                                                         .destroy = destroy,
                                                         .normalize = ad_words_normalize,
                                                         .encode = ad_words_push,
                                                         .digest = frames_digest,
                                                         .print = print,
                                                         .word_mark = "##",
                                                         .mark_continues = 1,
                                                         .files = files,
                                                         .file_count = FILES};

int ad_tokenizer_create_with(struct ad_tokenizer **tokenizer, const char *name, const char *vocabulary, size_t size,
                             const struct ad_tokenizer_options *options) {
  struct ad_recipe recipe;
  *tokenizer = NULL;
  int status = ad_recipe_create(&recipe);
  if (status == AD_OK) {
    status = ad_recipe_add_special(&recipe);
  }
  if (status == AD_OK) {
    status = ad_recipe_frame(&recipe, recipe.special[AD_SPECIAL_CLS], recipe.special[AD_SPECIAL_SEP], 1);
  }
  recipe.options = *options;
  recipe.rows = 1; /* a new model has rows for the vocabulary alone */
  if (status == AD_OK) {
    status = ad_tokenizer_make(tokenizer, &ad_tokenizer_wordpiece, name, vocabulary, size, &recipe);
  }
  ad_recipe_destroy(&recipe);
  return status;
}

int ad_tokenizer_create(struct ad_tokenizer **tokenizer, const char *name, const char *vocabulary, size_t size,
                        int cased) {
  const struct ad_tokenizer_options options = {.lower_case = !cased, .strip_accents = -1, .split_cjk = 1};
  return ad_tokenizer_create_with(tokenizer, name, vocabulary, size, &options);
}
