/* From text to ids: clean-up and splitting (BERT's BasicTokenizer), WordPiece, special tokens, truncation. */
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "tokenizer.h"

#define LONGEST_WORD 100 /* characters; a longer word is [UNK] */
#define HEAD_TOKENS 128  /* of AD_TRUNCATE_HEAD_TAIL */

static int reserve(struct ad_encoding *encoding, size_t more) {
  if (encoding->capacity - encoding->count >= more) {
    return AD_OK;
  }
  void *ids = encoding->ids;
  AD_TRY(ad_reserve(&ids, &encoding->capacity, encoding->count + more, sizeof *encoding->ids));
  encoding->ids = ids;
  return AD_OK;
}

static int push(struct ad_encoding *encoding, uint32_t id) {
  AD_TRY(reserve(encoding, 1));
  encoding->ids[encoding->count++] = id;
  return AD_OK;
}

/* Appends the pieces of one word [size > 0 bytes, `characters` of them code points]: from its start on, always the
 * longest piece in the vocabulary; [UNK] for the whole when there is none somewhere. All being valid UTF-8, the longest
 * match of bytes is that of characters. */
static inline int push_word(const struct ad_tokenizer *tokenizer, const char *word, size_t size, size_t characters,
                            const unsigned char fold[256], struct ad_encoding *encoding) {
  AD_TRY(reserve(encoding, size));
  const struct ad_trie *trie = &tokenizer->trie;
  const size_t before = encoding->count;
  size_t start = 0;
  uint32_t from = characters > LONGEST_WORD ? AD_TRIE_NONE : 0;
  while (start < size) {
    uint32_t found = AD_TRIE_NONE;
    size_t end = start;
    uint32_t node = from;
    for (size_t i = start; i < size && node != AD_TRIE_NONE;) {
      node = ad_trie_step(trie, node, fold[(unsigned char)word[i++]]);
      if (node != AD_TRIE_NONE && trie->node[node].value != AD_TRIE_NONE) {
        found = trie->node[node].value;
        end = i;
      }
    }
    if (found == AD_TRIE_NONE) {
      encoding->count = before;
      encoding->ids[encoding->count++] = tokenizer->special[AD_SPECIAL_UNK];
      return AD_OK;
    }
    encoding->ids[encoding->count++] = found;
    start = end;
    from = tokenizer->continuation;
  }
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

/* Whether the cleaned word is one of the special tokens: [SEP] written with a zero-width space inside, say. Hugging
 * Face keeps such a word whole. */
static int special_word(const struct ad_tokenizer *tokenizer) {
  char text[8];
  const struct ad_codes *word = &tokenizer->word;
  if (word->count == 0 || word->count >= sizeof text || word->code[0] != '[') {
    return AD_SPECIAL_COUNT;
  }
  for (size_t i = 0; i < word->count; i++) {
    text[i] = (char)(word->code[i] < 0x80 ? word->code[i] : 0);
  }
  size_t size;
  const int special = find_special(tokenizer, text, word->count, &size);
  return special != AD_SPECIAL_COUNT && size == word->count ? special : AD_SPECIAL_COUNT;
}

static size_t utf8_write(char *out, uint32_t c) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xC0 | c >> 6);
    out[1] = (char)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xE0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3F));
    out[2] = (char)(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | c >> 18);
  out[1] = (char)(0x80 | (c >> 12 & 0x3F));
  out[2] = (char)(0x80 | (c >> 6 & 0x3F));
  out[3] = (char)(0x80 | (c & 0x3F));
  return 4;
}

/* Appends the tokens of code points [count > 0] without punctuation or space among them. */
static int push_codes(struct ad_tokenizer *tokenizer, const int32_t *code, size_t count, struct ad_encoding *encoding) {
  if (count > LONGEST_WORD) {
    return push(encoding, tokenizer->special[AD_SPECIAL_UNK]);
  }
  char bytes[4 * LONGEST_WORD];
  size_t size = 0;
  for (size_t i = 0; i < count; i++) {
    size += utf8_write(bytes + size, (uint32_t)code[i]);
  }
  return push_word(tokenizer, bytes, size, count, tokenizer->same, encoding);
}

/* Ends the word gathered in tokenizer->word: normal form, case, accents, punctuation, pieces. */
static int end_word(struct ad_tokenizer *tokenizer, struct ad_encoding *encoding) {
  struct ad_codes *word = &tokenizer->word;
  if (word->count == 0) {
    return AD_OK;
  }
  AD_TRY(ad_codes_compose(word, &tokenizer->scratch));
  int special = special_word(tokenizer);
  if (special == AD_SPECIAL_COUNT && tokenizer->options.lower_case) {
    AD_TRY(ad_codes_lower(word, &tokenizer->scratch));
  }
  if (special == AD_SPECIAL_COUNT && tokenizer->options.strip_accents) {
    AD_TRY(ad_codes_strip(word, &tokenizer->scratch));
    special = special_word(tokenizer); /* one with an accent, where case is kept */
  }
  if (special != AD_SPECIAL_COUNT) {
    word->count = 0;
    return push(encoding, tokenizer->special[special]);
  }
  size_t start = 0;
  for (size_t i = 0; i <= word->count; i++) {
    const int end = i == word->count;
    if (!end && (ad_char_properties((uint32_t)word->code[i]) & AD_CHAR_KIND) != AD_CHAR_PUNCTUATION) {
      continue;
    }
    if (i > start) {
      AD_TRY(push_codes(tokenizer, word->code + start, i - start, encoding));
    }
    if (!end) {
      AD_TRY(push_codes(tokenizer, word->code + i, 1, encoding));
    }
    start = i + 1;
  }
  word->count = 0;
  return AD_OK;
}

/* The slow path: text without ASCII space, of any other characters. */
static int push_unicode(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding) {
  tokenizer->word.count = 0;
  for (size_t i = 0; i < size;) {
    uint32_t c;
    i += ad_utf8_read(text + i, size - i, &c);
    const unsigned kind = ad_char_properties(c) & AD_CHAR_KIND;
    const int alone = kind != AD_CHAR_DROP && tokenizer->options.split_cjk && ad_char_is_cjk(c);
    if (kind == AD_CHAR_DROP) {
      continue;
    }
    if (kind == AD_CHAR_SPACE || alone) {
      AD_TRY(end_word(tokenizer, encoding));
    }
    if (kind != AD_CHAR_SPACE) {
      AD_TRY(ad_codes_push(&tokenizer->word, c));
    }
    if (alone) {
      AD_TRY(end_word(tokenizer, encoding));
    }
  }
  return end_word(tokenizer, encoding);
}

/* Appends the tokens of a text without special tokens. Words of ASCII go straight to the trie. On meeting anything
 * else, the tokens since the last ASCII space are taken back and the run up to the next one goes the slow path: dropped
 * characters join what is around them, and case and normal form depend on the neighbours. */
static int push_plain(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding) {
  const unsigned char *kind = tokenizer->kind;
  size_t run = 0;
  size_t before = encoding->count;
  size_t i = 0;
  while (i < size) {
    const size_t start = i++;
    switch (kind[(unsigned char)text[start]]) {
      case AD_BYTE_WORD:
        while (i < size && kind[(unsigned char)text[i]] == AD_BYTE_WORD) {
          i++;
        }
        AD_TRY(push_word(tokenizer, text + start, i - start, i - start, tokenizer->fold, encoding));
        break;
      case AD_BYTE_PUNCTUATION:
        AD_TRY(push_word(tokenizer, text + start, 1, 1, tokenizer->fold, encoding));
        break;
      case AD_BYTE_SPACE:
        run = i;
        before = encoding->count;
        break;
      default:
        while (i < size && kind[(unsigned char)text[i]] != AD_BYTE_SPACE) {
          i++;
        }
        encoding->count = before;
        AD_TRY(push_unicode(tokenizer, text + run, i - run, encoding));
        break;
    }
  }
  return AD_OK;
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
    AD_TRY(push_plain(tokenizer, text + plain, i - plain, encoding));
    AD_TRY(push(encoding, tokenizer->special[special]));
    i += length;
    plain = i;
  }
  return size > plain ? push_plain(tokenizer, text + plain, size - plain, encoding) : AD_OK;
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

/* [CLS] a [SEP] b [SEP]: the longer text loses its last token until the pair fits, b where they are equal. */
static void truncate_pair(struct ad_encoding *encoding, size_t limit) {
  const size_t a = encoding->first - 2;
  const size_t b = encoding->count - encoding->first - 1;
  const size_t excess = encoding->count - limit;
  const size_t apart = a > b ? a - b : b - a;
  const size_t longer = excess < apart ? excess : apart; /* taken until both are equally long */
  const size_t from_a = (a > b ? longer : 0) + (excess - longer) / 2;
  const size_t from_b = excess - from_a;
  cut(encoding, encoding->first + b - from_b, from_b);
  cut(encoding, 1 + a - from_a, from_a);
  encoding->first -= from_a;
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
  AD_TRY(push(encoding, tokenizer->special[AD_SPECIAL_CLS]));
  AD_TRY(push_text(tokenizer, a, a_size, b == NULL ? "text" : "first text", encoding));
  AD_TRY(push(encoding, tokenizer->special[AD_SPECIAL_SEP]));
  encoding->first = encoding->count;
  if (b != NULL) {
    AD_TRY(push_text(tokenizer, b, b_size, "second text", encoding));
    AD_TRY(push(encoding, tokenizer->special[AD_SPECIAL_SEP]));
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
