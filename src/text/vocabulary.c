/* Building a tokenizer from the text of its vocabulary. */
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/looks.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "kind.h"

/* Checks one line, whose line end is taken off already. */
static int check_line(const char *name, size_t line, const char *text, size_t size) {
  if (size == 0) {
    return ad_fail(AD_EINPUT, "%s:%zu: empty line, expected a token", name, line);
  }
  if (memchr(text, '\0', size) != NULL || memchr(text, '\r', size) != NULL) {
    return ad_fail(AD_EINPUT, "%s:%zu: a token with a NUL or a carriage return", name, line);
  }
  return AD_OK;
}

/* Copies the lines into text and names and finds the tokens. */
static int read_lines(struct ad_tokenizer *tokenizer, const char *name, const char *vocabulary, size_t size) {
  size_t lines = 0;
  for (size_t i = 0; i < size; i++) {
    lines += vocabulary[i] == '\n' || i + 1 == size;
  }
  tokenizer->text = ad_malloc(size + 1, 1);
  tokenizer->names = ad_malloc(size + 1, 1);
  tokenizer->tokens = ad_malloc(lines, sizeof *tokenizer->tokens);
  if (tokenizer->text == NULL || tokenizer->names == NULL || tokenizer->tokens == NULL) {
    return ad_fail_memory(2 * (size + 1) + lines * sizeof *tokenizer->tokens, "a vocabulary");
  }
  if (lines >= INT32_MAX) {
    return ad_fail(AD_EINPUT, "%s: %zu tokens, expected fewer than %d", name, lines, INT32_MAX);
  }
  size_t used = 0;
  for (size_t i = 0; i < size;) {
    const char *end = memchr(vocabulary + i, '\n', size - i);
    const size_t next = end == NULL ? size : (size_t)(end - vocabulary) + 1;
    size_t length = (end == NULL ? size : next - 1) - i;
    length -= length > 0 && vocabulary[i + length - 1] == '\r';
    AD_TRY(check_line(name, tokenizer->count + 1, vocabulary + i, length));
    memcpy(tokenizer->text + used, vocabulary + i, length);
    memcpy(tokenizer->names + used, vocabulary + i, length);
    tokenizer->text[used + length] = '\n';
    tokenizer->names[used + length] = '\0';
    tokenizer->tokens[tokenizer->count++] = tokenizer->names + used;
    used += length + 1;
    i = next;
  }
  tokenizer->text_size = used;
  return AD_OK;
}

static int by_token(const void *a, const void *b, void *tokens) {
  const char *const *token = tokens;
  return strcmp(token[*(const uint32_t *)a], token[*(const uint32_t *)b]);
}

static int refuse_doubled(const char *name, const char *token, uint32_t a, uint32_t b) {
  return ad_fail(AD_EINPUT, "%s:%u: token \"%s\" stands in line %u already", name, (a > b ? a : b) + 1, token,
                 (a > b ? b : a) + 1);
}

/* Sorts the tokens, refuses doubled ones, and builds the trie. */
static int build_trie(struct ad_tokenizer *tokenizer, const char *name) {
  const size_t count = tokenizer->count;
  uint32_t *ids = ad_malloc(count, sizeof *ids);
  const char **sorted = ad_malloc(count, sizeof *sorted);
  int status = AD_OK;
  if (ids == NULL || sorted == NULL) {
    status = ad_fail_memory(count * (sizeof *ids + sizeof *sorted), "sorting a vocabulary");
    goto done;
  }
  for (size_t i = 0; i < count; i++) {
    ids[i] = (uint32_t)i;
  }
  qsort_r(ids, count, sizeof *ids, by_token, tokenizer->tokens);
  for (size_t i = 0; i < count; i++) {
    sorted[i] = tokenizer->tokens[ids[i]];
    if (i > 0 && strcmp(sorted[i - 1], sorted[i]) == 0) {
      status = refuse_doubled(name, sorted[i], ids[i - 1], ids[i]);
      goto done;
    }
  }
  status = ad_trie_create(&tokenizer->trie, sorted, ids, count);
done:
  ad_free(ids);
  ad_free(sorted);
  return status;
}

static uint32_t find_token(const struct ad_tokenizer *tokenizer, const char *token) {
  return ad_trie_value(&tokenizer->trie, token, strlen(token));
}

/* Numbers the added tokens: as the vocabulary does, and behind it in their order, as AddedVocabulary::add_tokens of the
 * library does. */
static int number_added(struct ad_tokenizer *tokenizer, const char *name) {
  struct ad_added *added = &tokenizer->recipe.added;
  tokenizer->total = tokenizer->count;
  for (size_t i = 0; i < added->count; i++) {
    struct ad_added_token *token = &added->items[i];
    const uint32_t known = find_token(tokenizer, token->content);
    const int64_t id = known != AD_TRIE_NONE ? (int64_t)known : (int64_t)tokenizer->total;
    if (token->id >= 0 && token->id != id) {
      return ad_fail(AD_EINPUT,
                     "%s: the added token \"%s\" has the number %lld in the tokenizer's files, expected %lld%s", name,
                     token->content, (long long)token->id, (long long)id,
                     known != AD_TRIE_NONE ? " as in the vocabulary" : ", the next one behind the vocabulary");
    }
    token->id = id;
    tokenizer->total += known == AD_TRIE_NONE;
  }
  if (tokenizer->total >= INT32_MAX) {
    return ad_fail(AD_EINPUT, "%s: %zu tokens, expected fewer than %d", name, tokenizer->total, INT32_MAX);
  }
  return AD_OK;
}

/* A name like [MASK] that neither vocabulary nor model know is text: nothing was learned for it. */
static void forget_implied(struct ad_tokenizer *tokenizer) {
  struct ad_recipe *recipe = &tokenizer->recipe;
  for (size_t i = recipe->added.count; recipe->rows > 0 && i-- > 0;) {
    struct ad_added_token *token = &recipe->added.items[i];
    if (token->id < (int64_t)tokenizer->count) {
      continue;
    }
    if (!token->implied || token->id < (int64_t)recipe->rows) {
      return;
    }
    token->id = -1;
    tokenizer->total--;
  }
}

static int find_special(struct ad_tokenizer *tokenizer, const char *name) {
  const struct ad_recipe *recipe = &tokenizer->recipe;
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    const char *special = recipe->special[i];
    const struct ad_added_token *token = special == NULL ? NULL : ad_added_find(&recipe->added, special);
    uint32_t id = special == NULL ? AD_TRIE_NONE : find_token(tokenizer, special);
    if (id == AD_TRIE_NONE && token != NULL && token->id >= 0 && i != AD_SPECIAL_UNK) {
      id = (uint32_t)token->id;
    }
    tokenizer->special[i] = id;
    const int needed = i == AD_SPECIAL_UNK || (i != AD_SPECIAL_MASK && !recipe->alone);
    if (id == AD_TRIE_NONE && needed && tokenizer->kind->named) {
      return ad_fail(AD_EINPUT, "%s: no token %s (\"%s\"), expected one among the %zu lines", name,
                     special == NULL ? "at all" : special, ad_special_keys[i], tokenizer->count);
    }
  }
  return AD_OK;
}

/* Numbers the tokens of a frame. One with a number in a file must be the token of this number. */
static int find_frame(struct ad_tokenizer *tokenizer, const char *name, struct ad_frame *frame) {
  for (unsigned i = 0; i < frame->before + frame->between + frame->after; i++) {
    struct ad_frame_token *token = &frame->token[i];
    const struct ad_added_token *added = ad_added_find(&tokenizer->recipe.added, token->content);
    const uint32_t known = find_token(tokenizer, token->content);
    const int64_t id = known != AD_TRIE_NONE ? (int64_t)known : added != NULL ? added->id : -1;
    if (id < 0) {
      return ad_fail(AD_EINPUT, "%s: no token \"%s\", which \"post_processor\" puts around texts", name,
                     token->content);
    }
    if (token->id >= 0 && token->id != id) {
      return ad_fail(AD_EINPUT,
                     "%s: \"post_processor\" gives the token \"%s\" the number %lld, expected %lld as in the "
                     "vocabulary",
                     name, token->content, (long long)token->id, (long long)id);
    }
    token->id = id;
  }
  return AD_OK;
}

/* The matcher of those added tokens that are normalised, or of those that are not. patterns and places: memory for all;
 * starts: where in tokenizer->normalized each pattern begins. */
static int make_matcher(struct ad_tokenizer *tokenizer, const char *name, int normalized, const char **patterns,
                        uint32_t *places, size_t *starts) {
  const struct ad_added *added = &tokenizer->recipe.added;
  struct ad_buffer *text = &tokenizer->normalized;
  size_t count = 0;
  for (size_t i = 0; i < added->count; i++) {
    const struct ad_added_token *token = &added->items[i];
    if (token->id < 0 || token->normalized != normalized || token->content[0] == '\0') {
      continue;
    }
    starts[count] = text->size;
    AD_TRY(normalized ? ad_text_normalize(tokenizer, token->content, strlen(token->content), text)
                      : ad_buffer_puts(text, token->content));
    if (text->size == starts[count]) {
      return ad_fail(AD_EINPUT, "%s: nothing is left of the added token \"%s\" when it is normalised", name,
                     token->content);
    }
    AD_TRY(ad_buffer_append(text, "", 1));
    places[count++] = (uint32_t)i;
  }
  for (size_t i = 0; i < count; i++) {
    patterns[i] = text->data + starts[i];
  }
  size_t doubled = SIZE_MAX;
  struct ad_matcher *matcher = normalized ? &tokenizer->normal : &tokenizer->raw;
  const int status = ad_matcher_create(matcher, patterns, places, count, &doubled);
  return doubled == SIZE_MAX ? status
                             : ad_fail(AD_EINPUT, "%s: the added token \"%s\" normalised is the same as another one",
                                       name, added->items[doubled].content);
}

static int make_matchers(struct ad_tokenizer *tokenizer, const char *name) {
  const size_t count = tokenizer->recipe.added.count;
  const char **patterns = ad_malloc(count, sizeof *patterns);
  uint32_t *places = ad_malloc(count, sizeof *places);
  size_t *starts = ad_malloc(count, sizeof *starts);
  int status = AD_OK;
  if (patterns == NULL || places == NULL || starts == NULL) {
    status = ad_fail_memory(count * (sizeof *patterns + sizeof *places + sizeof *starts), "added tokens");
  }
  for (int normalized = 0; status == AD_OK && normalized < 2; normalized++) {
    ad_buffer_clear(&tokenizer->normalized);
    status = make_matcher(tokenizer, name, normalized, patterns, places, starts);
  }
  ad_free(patterns);
  ad_free(places);
  ad_free(starts);
  return status;
}

static int build(struct ad_tokenizer *tokenizer, const char *name, const char *vocabulary, size_t size) {
  const size_t mark = ad_utf8_mark(vocabulary, size);
  AD_TRY(ad_utf8_check(name, vocabulary, size));
  AD_TRY(read_lines(tokenizer, name, vocabulary + mark, size - mark));
  AD_TRY(build_trie(tokenizer, name));
  AD_TRY(tokenizer->kind->create == NULL ? AD_OK : tokenizer->kind->create(tokenizer));
  AD_TRY(number_added(tokenizer, name));
  forget_implied(tokenizer);
  AD_TRY(find_special(tokenizer, name));
  AD_TRY(find_frame(tokenizer, name, &tokenizer->recipe.frame[0]));
  AD_TRY(find_frame(tokenizer, name, &tokenizer->recipe.frame[1]));
  return make_matchers(tokenizer, name);
}

int ad_tokenizer_make(struct ad_tokenizer **out, const struct ad_tokenizer_kind *kind, const char *name,
                      const char *vocabulary, size_t size, struct ad_recipe *recipe) {
  *out = NULL;
  struct ad_tokenizer *tokenizer = ad_calloc(1, sizeof *tokenizer);
  if (tokenizer == NULL) {
    return ad_fail_memory(sizeof *tokenizer, "a tokenizer");
  }
  tokenizer->kind = kind;
  tokenizer->recipe = *recipe;
  *recipe = (struct ad_recipe){0};
  struct ad_tokenizer_options *options = &tokenizer->recipe.options;
  options->lower_case = options->lower_case != 0; /* -1, the default, is on */
  options->split_cjk = options->split_cjk != 0;
  options->strip_accents = options->strip_accents < 0 ? options->lower_case : options->strip_accents;
  const int status = build(tokenizer, name, vocabulary, size);
  if (status != AD_OK) {
    ad_tokenizer_destroy(tokenizer);
    return ad_looks_explain(status, AD_LOOKS_TEXT, name, vocabulary, size);
  }
  *out = tokenizer;
  return AD_OK;
}

void ad_tokenizer_destroy(struct ad_tokenizer *tokenizer) {
  if (tokenizer == NULL) {
    return;
  }
  if (tokenizer->kind->destroy != NULL) {
    tokenizer->kind->destroy(tokenizer);
  }
  ad_recipe_destroy(&tokenizer->recipe);
  ad_free(tokenizer->text);
  ad_free(tokenizer->names);
  ad_free(tokenizer->tokens);
  ad_trie_destroy(&tokenizer->trie);
  ad_matcher_destroy(&tokenizer->raw);
  ad_matcher_destroy(&tokenizer->normal);
  ad_buffer_destroy(&tokenizer->normalized);
  ad_free(tokenizer);
}
