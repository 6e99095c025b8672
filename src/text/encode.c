/* From text to ids: special tokens, what is between them, truncation. */
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "tokenizer.h"

#define HEAD_TOKENS 128 /* of AD_TRUNCATE_HEAD_TAIL */

int ad_encoding_reserve(struct ad_encoding *encoding, size_t more) {
  if (encoding->capacity - encoding->count >= more) {
    return AD_OK;
  }
  void *ids = encoding->ids;
  AD_TRY(ad_reserve(&ids, &encoding->capacity, encoding->count + more, sizeof *encoding->ids));
  encoding->ids = ids;
  return AD_OK;
}

int ad_encoding_push(struct ad_encoding *encoding, uint32_t id) {
  AD_TRY(ad_encoding_reserve(encoding, 1));
  encoding->ids[encoding->count++] = id;
  return AD_OK;
}

/* The special token that a text begins with, its size into *size; AD_SPECIAL_COUNT when it begins with none. */
static int find_special(const struct ad_tokenizer *tokenizer, const char *text, size_t left, size_t *size) {
  for (int i = 0; i < AD_SPECIAL_COUNT; i++) {
    *size = strlen(ad_special_names[i]);
    if (left >= *size && memcmp(text, ad_special_names[i], *size) == 0 && tokenizer->special[i] != AD_TRIE_NONE) {
      return i;
    }
  }
  return AD_SPECIAL_COUNT;
}

/* Appends the tokens of a text, special tokens in it taken as such before anything else is looked at. */
static int push_text(struct ad_tokenizer *tokenizer, const char *text, size_t size, const char *which,
                     struct ad_encoding *encoding) {
  const size_t valid = ad_utf8_valid(text, size);
  if (valid < size) {
    return ad_fail(AD_EINPUT, "invalid UTF-8 at byte %zu of the %s, found 0x%02X", valid + 1, which,
                   (unsigned)(unsigned char)text[valid]);
  }
  size_t plain = 0; /* where the text not yet encoded begins */
  for (size_t i = 0; i < size;) {
    const char *bracket = memchr(text + i, '[', size - i);
    if (bracket == NULL) {
      break;
    }
    i = (size_t)(bracket - text);
    size_t length;
    const int special = find_special(tokenizer, bracket, size - i, &length);
    if (special == AD_SPECIAL_COUNT) {
      i++;
      continue;
    }
    AD_TRY(ad_words_push(tokenizer, text + plain, i - plain, encoding));
    AD_TRY(ad_encoding_push(encoding, tokenizer->special[special]));
    i += length;
    plain = i;
  }
  return size > plain ? ad_words_push(tokenizer, text + plain, size - plain, encoding) : AD_OK;
}

/* Takes `count` ids out at `from`. */
static void cut(struct ad_encoding *encoding, size_t from, size_t count) {
  memmove(encoding->ids + from, encoding->ids + from + count, (encoding->count - from - count) * sizeof *encoding->ids);
  encoding->count -= count;
}

/* [CLS] a [SEP]: cut to limit tokens. */
static void truncate_single(struct ad_encoding *encoding, size_t limit, enum ad_truncation truncation) {
  const size_t excess = encoding->count - limit;
  const size_t kept = limit - 2;
  const size_t head = truncation == AD_TRUNCATE_HEAD_TAIL && kept > HEAD_TOKENS ? HEAD_TOKENS : kept;
  cut(encoding, 1 + head, excess);
  encoding->first = encoding->count;
}

/* [CLS] a [SEP] b [SEP]: the longer text loses tokens until both are equally long; then the shorter keeps half of what
 * there is room for, and the longer (of two equally long ones the second) the rest. */
static void truncate_pair(struct ad_encoding *encoding, size_t limit) {
  const size_t a = encoding->first - 2;
  const size_t b = encoding->count - encoding->first - 1;
  const size_t kept = limit - 3;
  const size_t shorter = a < b ? a : b;
  const size_t least = shorter < kept / 2 ? shorter : kept / 2;
  const size_t keep_a = a <= b ? least : kept - least;
  cut(encoding, encoding->first + (kept - keep_a), b - (kept - keep_a));
  cut(encoding, 1 + keep_a, a - keep_a);
  encoding->first -= a - keep_a;
}

int ad_tokenizer_encode(struct ad_tokenizer *tokenizer, const char *a, size_t a_size, const char *b, size_t b_size,
                        size_t limit, enum ad_truncation truncation, struct ad_encoding *encoding) {
  const size_t least = b == NULL ? 3 : 5;
  if (limit != 0 && limit < least) {
    return ad_fail(AD_ECONFIG, "a limit of %zu tokens, expected at least %zu for %s", limit, least,
                   b == NULL ? "a text" : "a pair of texts");
  }
  encoding->count = 0;
  encoding->truncated = 0;
  AD_TRY(ad_encoding_push(encoding, tokenizer->special[AD_SPECIAL_CLS]));
  AD_TRY(push_text(tokenizer, a, a_size, b == NULL ? "text" : "first text", encoding));
  AD_TRY(ad_encoding_push(encoding, tokenizer->special[AD_SPECIAL_SEP]));
  encoding->first = encoding->count;
  if (b != NULL) {
    AD_TRY(push_text(tokenizer, b, b_size, "second text", encoding));
    AD_TRY(ad_encoding_push(encoding, tokenizer->special[AD_SPECIAL_SEP]));
  }
  if (limit != 0 && encoding->count > limit) {
    encoding->truncated = 1;
    if (b == NULL) {
      truncate_single(encoding, limit, truncation);
    } else {
      truncate_pair(encoding, limit);
    }
  }
  return AD_OK;
}

void ad_encoding_destroy(struct ad_encoding *encoding) {
  ad_free(encoding->ids);
  *encoding = (struct ad_encoding){0};
}
