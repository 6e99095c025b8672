/* Building a tokenizer from the text of its vocabulary. */
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "tokenizer.h"

const char *const ad_special_names[AD_SPECIAL_COUNT] = {
#define AD_SPECIAL_NAME(field, name) [field] = name,
    AD_SPECIAL_MAP(AD_SPECIAL_NAME)
#undef AD_SPECIAL_NAME
};

/* Checks one line, whose line end is taken off already. */
static int check_line(const char *name, size_t line, const char *text, size_t size) {
  if (size == 0) {
    return ad_fail(AD_EINPUT, "%s:%zu: empty line, expected a token", name, line);
  }
  if (memchr(text, '\0', size) != NULL || memchr(text, '\r', size) != NULL) {
    return ad_fail(AD_EINPUT, "%s:%zu: a token with a NUL or a carriage return", name, line);
  }
  const size_t valid = ad_utf8_valid(text, size);
  if (valid < size) {
    return ad_fail(AD_EINPUT, "%s:%zu: invalid UTF-8 at byte %zu of the line", name, line, valid + 1);
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

/* The node after the bytes of a text; AD_TRIE_NONE when no token begins so. */
static uint32_t find_node(const struct ad_trie *trie, const char *text) {
  uint32_t node = 0;
  while (*text != '\0' && node != AD_TRIE_NONE) {
    node = ad_trie_step(trie, node, (unsigned char)*text++);
  }
  return node;
}

static int find_special(struct ad_tokenizer *tokenizer, const char *name) {
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    const uint32_t node = find_node(&tokenizer->trie, ad_special_names[i]);
    tokenizer->special[i] = node == AD_TRIE_NONE ? AD_TRIE_NONE : tokenizer->trie.node[node].value;
    if (tokenizer->special[i] == AD_TRIE_NONE && i != AD_SPECIAL_MASK) {
      return ad_fail(AD_EINPUT, "%s: no token %s, expected one among the %zu lines", name, ad_special_names[i],
                     tokenizer->count);
    }
  }
  tokenizer->continuation = find_node(&tokenizer->trie, "##");
  return AD_OK;
}

static void fill_tables(struct ad_tokenizer *tokenizer) {
  for (unsigned byte = 0; byte < 256; byte++) {
    const unsigned kind = byte < 0x80 ? ad_char_properties(byte) & AD_CHAR_KIND : (unsigned)AD_CHAR_DROP;
    tokenizer->kind[byte] = kind == AD_CHAR_SPACE         ? AD_BYTE_SPACE
                            : kind == AD_CHAR_PUNCTUATION ? AD_BYTE_PUNCTUATION
                            : kind == AD_CHAR_WORD        ? AD_BYTE_WORD
                                                          : AD_BYTE_OTHER;
    tokenizer->same[byte] = (unsigned char)byte;
    tokenizer->fold[byte] =
        (unsigned char)(tokenizer->options.lower_case && byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
  }
}

int ad_tokenizer_create_with(struct ad_tokenizer **out, const char *name, const char *vocabulary, size_t size,
                             const struct ad_tokenizer_options *options) {
  *out = NULL;
  struct ad_tokenizer *tokenizer = ad_calloc(1, sizeof *tokenizer);
  if (tokenizer == NULL) {
    return ad_fail_memory(sizeof *tokenizer, "a tokenizer");
  }
  tokenizer->options = *options;
  tokenizer->options.lower_case = options->lower_case != 0; /* -1, the default, is on */
  tokenizer->options.split_cjk = options->split_cjk != 0;
  if (options->strip_accents < 0) {
    tokenizer->options.strip_accents = tokenizer->options.lower_case;
  }
  fill_tables(tokenizer);
  int status = read_lines(tokenizer, name, vocabulary, size);
  if (status == AD_OK) {
    status = build_trie(tokenizer, name);
  }
  if (status == AD_OK) {
    status = find_special(tokenizer, name);
  }
  if (status != AD_OK) {
    ad_tokenizer_destroy(tokenizer);
    return status;
  }
  *out = tokenizer;
  return AD_OK;
}

int ad_tokenizer_create(struct ad_tokenizer **tokenizer, const char *name, const char *vocabulary, size_t size,
                        int cased) {
  const struct ad_tokenizer_options options = {.lower_case = !cased, .strip_accents = -1, .split_cjk = 1};
  return ad_tokenizer_create_with(tokenizer, name, vocabulary, size, &options);
}

void ad_tokenizer_destroy(struct ad_tokenizer *tokenizer) {
  if (tokenizer == NULL) {
    return;
  }
  ad_free(tokenizer->text);
  ad_free(tokenizer->names);
  ad_free(tokenizer->tokens);
  ad_trie_destroy(&tokenizer->trie);
  ad_codes_destroy(&tokenizer->word);
  ad_codes_destroy(&tokenizer->scratch);
  ad_free(tokenizer);
}

size_t ad_tokenizer_vocab(const struct ad_tokenizer *tokenizer) {
  return tokenizer->count;
}

const char *ad_tokenizer_text(const struct ad_tokenizer *tokenizer, size_t *size) {
  *size = tokenizer->text_size;
  return tokenizer->text;
}

int ad_tokenizer_cased(const struct ad_tokenizer *tokenizer) {
  return !tokenizer->options.lower_case;
}

struct ad_tokenizer_options ad_tokenizer_options(const struct ad_tokenizer *tokenizer) {
  return tokenizer->options;
}

int ad_tokenizer_config(const struct ad_tokenizer *tokenizer, struct ad_buffer *out) {
  const struct ad_tokenizer_options *options = &tokenizer->options;
  return ad_buffer_printf(out,
                          "{\n"
                          "  \"tokenizer_class\": \"BertTokenizer\",\n"
                          "  \"do_lower_case\": %s,\n"
                          "  \"strip_accents\": %s,\n"
                          "  \"tokenize_chinese_chars\": %s,\n"
                          "  \"unk_token\": \"[UNK]\",\n"
                          "  \"cls_token\": \"[CLS]\",\n"
                          "  \"sep_token\": \"[SEP]\",\n"
                          "  \"pad_token\": \"[PAD]\",\n"
                          "  \"mask_token\": \"[MASK]\"\n"
                          "}\n",
                          options->lower_case ? "true" : "false", options->strip_accents ? "true" : "false",
                          options->split_cjk ? "true" : "false");
}

const char *ad_tokenizer_token(const struct ad_tokenizer *tokenizer, uint32_t id) {
  return id < tokenizer->count ? tokenizer->tokens[id] : NULL;
}
