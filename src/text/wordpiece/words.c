/* From plain text to ids: normalising, splitting into words and punctuation, WordPiece. */
#include "../pipeline.h"
#include "autodidact/base/status.h"
#include "wordpiece.h"

#define LONGEST_WORD 100 /* characters; a longer word is [UNK] */

/* Appends the pieces of one word [size > 0 bytes, `characters` of them code points]: from its start on, always the
 * longest piece in the vocabulary; [UNK] for the whole when there is none somewhere. All being valid UTF-8, the longest
 * match of bytes is that of characters. */
static inline int push_word(const struct ad_tokenizer *tokenizer, const char *word, size_t size, size_t characters,
                            const unsigned char fold[256], struct ad_encoding *encoding) {
  AD_TRY(ad_encoding_reserve(encoding, size));
  const struct ad_wordpiece *w = tokenizer->own;
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
    from = w->continuation;
  }
  return AD_OK;
}

/* Appends the tokens of code points [count > 0] without punctuation or space among them. */
static int push_codes(struct ad_tokenizer *tokenizer, const int32_t *code, size_t count, struct ad_encoding *encoding) {
  if (count > LONGEST_WORD) {
    return ad_encoding_push(encoding, tokenizer->special[AD_SPECIAL_UNK]);
  }
  char bytes[4 * LONGEST_WORD];
  size_t size = 0;
  for (size_t i = 0; i < count; i++) {
    size += ad_utf8_write(bytes + size, (uint32_t)code[i]);
  }
  const struct ad_wordpiece *w = tokenizer->own;
  return push_word(tokenizer, bytes, size, count, w->same, encoding);
}

/* Ends the word gathered in `word`: order, punctuation, pieces. */
static int end_word(struct ad_tokenizer *tokenizer, struct ad_encoding *encoding) {
  struct ad_wordpiece *w = tokenizer->own;
  struct ad_codes *word = &w->word;
  AD_TRY(ad_codes_settle(word, &w->scratch));
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
  ad_codes_clear(word);
  return AD_OK;
}

/* The slow path: text without ASCII space, of any other characters. */
static int push_unicode(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding) {
  const struct ad_tokenizer_options *options = &tokenizer->recipe.options;
  struct ad_wordpiece *w = tokenizer->own;
  ad_codes_clear(&w->word);
  for (size_t i = 0; i < size;) {
    uint32_t c;
    i += ad_utf8_read(text + i, size - i, &c);
    const unsigned properties = ad_char_properties(c);
    const unsigned kind = properties & AD_CHAR_KIND;
    const int alone = options->split_cjk && (properties & AD_CHAR_ALONE) != 0;
    if (kind == AD_CHAR_DROP) {
      continue;
    }
    if (kind == AD_CHAR_SPACE || alone) {
      AD_TRY(end_word(tokenizer, encoding));
    }
    if (kind != AD_CHAR_SPACE) {
      AD_TRY(ad_codes_normalize(&w->word, c, properties, options->strip_accents, options->lower_case));
    }
    if (alone) {
      AD_TRY(end_word(tokenizer, encoding));
    }
  }
  return end_word(tokenizer, encoding);
}

/* Appends the code points to `out` and empties them. */
static int write_codes(struct ad_tokenizer *tokenizer, struct ad_buffer *out) {
  struct ad_wordpiece *w = tokenizer->own;
  struct ad_codes *codes = &w->word;
  AD_TRY(ad_codes_settle(codes, &w->scratch));
  for (size_t i = 0; i < codes->count; i++) {
    char bytes[4];
    AD_TRY(ad_buffer_append(out, bytes, ad_utf8_write(bytes, (uint32_t)codes->code[i])));
  }
  ad_codes_clear(codes);
  return AD_OK;
}

int ad_words_normalize(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_buffer *out) {
  const struct ad_tokenizer_options *options = &tokenizer->recipe.options;
  struct ad_codes *codes = &((struct ad_wordpiece *)tokenizer->own)->word;
  ad_codes_clear(codes);
  for (size_t i = 0; i < size;) {
    uint32_t c;
    i += ad_utf8_read(text + i, size - i, &c);
    const unsigned properties = ad_char_properties(c);
    const unsigned kind = properties & AD_CHAR_KIND;
    const int alone = options->split_cjk && (properties & AD_CHAR_ALONE) != 0;
    if (alone || kind == AD_CHAR_SPACE) {
      AD_TRY(ad_codes_push(codes, ' '));
    }
    if (kind != AD_CHAR_SPACE && kind != AD_CHAR_DROP) {
      AD_TRY(ad_codes_normalize(codes, c, properties, options->strip_accents, options->lower_case));
    }
    if (alone) {
      AD_TRY(ad_codes_push(codes, ' '));
    }
  }
  return write_codes(tokenizer, out);
}

/* A piece of a pipeline. */
static int push_piece(struct ad_tokenizer *tokenizer, const char *piece, size_t size, struct ad_encoding *encoding) {
  const struct ad_wordpiece *w = tokenizer->own;
  size_t characters = 0;
  for (size_t i = 0; i < size; i++) {
    characters += ((unsigned char)piece[i] & 0xC0) != 0x80;
  }
  return push_word(tokenizer, piece, size, characters, w->same, encoding);
}

/* Words of ASCII go straight to the trie. On meeting anything
 * else, the tokens since the last ASCII space are taken back and the run up to the next one goes the slow path: dropped
 * characters join what is around them, and case and normal form depend on the neighbours. */
int ad_words_push(struct ad_tokenizer *tokenizer, const char *text, size_t size, struct ad_encoding *encoding) {
  const struct ad_wordpiece *w = tokenizer->own;
  const unsigned char *kind = w->kind;
  if (tokenizer->recipe.pipeline != NULL) {
    return ad_pipeline_encode(tokenizer, text, size, push_piece, encoding);
  }
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
        AD_TRY(push_word(tokenizer, text + start, i - start, i - start, w->fold, encoding));
        break;
      case AD_BYTE_PUNCTUATION:
        AD_TRY(push_word(tokenizer, text + start, 1, 1, w->fold, encoding));
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
