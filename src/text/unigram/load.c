/* Unigram from a folder: tokenizer.json alone says what gives a text its ids. */
#include <math.h>
#include <string.h>

#include "../pipeline.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "unigram.h"

#define UNKNOWN_PENALTY 10.0 /* below the worst score */

static const char place[] = "model";

/* ---- Reading ---- */

/* Writes the vocabulary as the text of a vocab.txt. */
static int write_vocabulary(const char *path, const json_t *vocab, struct ad_buffer *text) {
  size_t i;
  json_t *piece;
  json_array_foreach(vocab, i, piece) {
    const char *token = json_string_value(json_array_get(piece, 0));
    if (token == NULL || json_array_size(piece) != 2 || !json_is_number(json_array_get(piece, 1))) {
      return ad_pipeline_refuse(path, place, "vocab", piece, "a list of [token, score], each a text and a number");
    }
    if (token[0] == '\0' || strpbrk(token, "\r\n") != NULL) {
      return ad_fail(AD_EINPUT, "%s: model: \"vocab\": token %zu is %s, expected a text without line ends", path, i,
                     token[0] == '\0' ? "empty" : "several lines");
    }
    if (i == 0 && ad_utf8_mark(token, strlen(token)) > 0) {
      return ad_fail(AD_EINPUT, "%s: model: \"vocab\": token 0 begins with a byte order mark, expected none", path);
    }
    AD_TRY(ad_buffer_puts(text, token));
    AD_TRY(ad_buffer_append(text, "\n", 1));
  }
  return AD_OK;
}

/* "unk_id", which may be null or missing: then there is no token for what is unknown. */
static int read_unknown(const char *path, const json_t *model, size_t count, uint32_t *unk) {
  const json_t *value = json_object_get(model, "unk_id");
  *unk = AD_TRIE_NONE;
  if (value == NULL || json_is_null(value)) {
    return AD_OK;
  }
  if (!json_is_integer(value) || json_integer_value(value) < 0 || (size_t)json_integer_value(value) >= count) {
    return ad_pipeline_refuse(path, place, "unk_id", value, "the number of a token of \"vocab\", or null");
  }
  *unk = (uint32_t)json_integer_value(value);
  return AD_OK;
}

static void find_bytes(struct ad_tokenizer *tokenizer) {
  struct ad_unigram *u = tokenizer->own;
  for (unsigned byte = 0; byte < 256; byte++) {
    char name[8];
    snprintf(name, sizeof name, "<0x%02X>", byte);
    u->byte[byte] = ad_trie_value(&tokenizer->trie, name, strlen(name));
  }
}

/* What the model says beside its vocabulary. */
static int fill(struct ad_tokenizer *tokenizer, const char *path, const json_t *model) {
  struct ad_unigram *u = tokenizer->own;
  const struct ad_buffer *text = &tokenizer->recipe.kept[0].text;
  AD_TRY(read_unknown(path, model, tokenizer->count, &u->unk));
  AD_TRY(ad_text_boolean(path, "model: ", model, "byte_fallback", &u->fallback));
  u->score = ad_malloc(tokenizer->count, sizeof *u->score);
  if (u->score == NULL) {
    return ad_fail_memory(tokenizer->count * sizeof *u->score, "the scores of a vocabulary");
  }
  AD_TRY(ad_unigram_read_scores(path, text->data, text->size, u->score, tokenizer->count));
  double worst = INFINITY;
  for (size_t i = 0; i < tokenizer->count; i++) {
    worst = u->score[i] < worst ? u->score[i] : worst;
  }
  u->unknown = worst - UNKNOWN_PENALTY;
  find_bytes(tokenizer);
  return AD_OK;
}

static int make(const char *path, const json_t *model, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  struct ad_buffer text = {0};
  char name[1000];
  snprintf(name, sizeof name, "%s: vocab", path);
  int status = write_vocabulary(path, json_object_get(model, "vocab"), &text);
  if (status == AD_OK) {
    status = ad_tokenizer_make(tokenizer, &ad_tokenizer_unigram, name, text.data, text.size, recipe);
  }
  ad_buffer_destroy(&text);
  return status == AD_OK ? fill(*tokenizer, path, model) : status;
}

int ad_unigram_load(const struct ad_text_files *files, struct ad_recipe *recipe, struct ad_tokenizer **tokenizer) {
  const char *path = files->pipeline_path;
  const json_t *model = json_object_get(files->pipeline, "model"), *vocab = json_object_get(model, "vocab");
  if (files->pipeline == NULL) {
    return ad_fail(AD_EINPUT, "%s: there is no tokenizer.json beside %s; transformers makes it: " AD_TEXT_CONVERSION,
                   files->folder, files->vocabulary_path, files->folder, files->folder);
  }
  if (!json_is_array(vocab) || json_array_size(vocab) == 0) {
    return ad_pipeline_refuse(path, place, "vocab", vocab, "a list of [token, score] that is not empty");
  }
  AD_TRY(ad_recipe_create(recipe));
  AD_TRY(ad_pipeline_read_folder(recipe, files));
  AD_TRY(ad_pipeline_read(recipe, path, files->pipeline, 0));
  ad_text_warn_keys(files, path, "model: ", model, " type unk_id vocab byte_fallback ");
  return make(path, model, recipe, tokenizer);
}

/* ---- The table ---- */

static int create(struct ad_tokenizer *tokenizer) {
  struct ad_unigram *u = ad_calloc(1, sizeof *u);
  tokenizer->own = u;
  if (u != NULL) {
    u->kept = ad_calloc(AD_KEPT_PIECES, sizeof *u->kept);
  }
  return u == NULL || u->kept == NULL ? ad_fail_memory(AD_KEPT_PIECES * sizeof *u->kept, "a tokenizer") : AD_OK;
}

static void destroy(struct ad_tokenizer *tokenizer) {
  struct ad_unigram *u = tokenizer->own;
  if (u != NULL) {
    ad_free(u->score);
    ad_free(u->best);
    ad_free(u->kept);
    ad_free(u);
  }
}

static int encode(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding) {
  return ad_pipeline_encode(tokenizer, text, size, ad_unigram_push, encoding);
}

static uint64_t digest(const struct ad_tokenizer *tokenizer, uint64_t known) {
  const struct ad_unigram *u = tokenizer->own;
  const uint32_t numbers[] = {u->unk, (uint32_t)u->fallback};
  known = ad_digest_pair(known, ad_digest(u->score, tokenizer->count * sizeof *u->score));
  known = ad_digest_pair(known, ad_digest(numbers, sizeof numbers));
  return ad_pipeline_digest(tokenizer->recipe.pipeline, ad_frames_digest(tokenizer, known));
}

static int owns(const json_t *model) {
  return json_is_array(json_object_get(model, "vocab"));
}

const struct ad_tokenizer_kind ad_tokenizer_unigram = {.owns = owns,
                                                       .load = ad_unigram_load,
                                                       .create = create,
                                                       .destroy = destroy,
                                                       .encode = encode,
                                                       .digest = digest,
                                                       .word_mark = "\u2581"};
