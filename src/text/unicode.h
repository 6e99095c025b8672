/* What BERT's tokenizer needs of Unicode: kinds of characters, normal forms, lower case; to the letter as Python's
 * unicodedata and str.lower with Unicode 14.0 have them. */
#ifndef AUTODIDACT_SRC_TEXT_UNICODE_H
#define AUTODIDACT_SRC_TEXT_UNICODE_H

#include <stddef.h>
#include <stdint.h>

/* BERT's kinds of characters. Surrogates, private and unassigned code points count as control characters. */
enum ad_char_kind {
  AD_CHAR_DROP,        /* control characters, NUL, U+FFFD: removed from the text */
  AD_CHAR_SPACE,       /* ends a word */
  AD_CHAR_PUNCTUATION, /* a word of its own: all ASCII symbols, and Unicode's categories P* */
  AD_CHAR_MARK,        /* category Mn: an accent */
  AD_CHAR_WORD         /* everything else */
};

/* The other bits of ad_char_properties. */
#define AD_CHAR_KIND 7u       /* mask of enum ad_char_kind */
#define AD_CHAR_CASED 8u      /* cased and not case-ignorable */
#define AD_CHAR_IGNORABLE 16u /* case-ignorable */
#define AD_CHAR_INERT 32u     /* text of such characters alone is its own NFC */

unsigned ad_char_properties(uint32_t c);

/* 1 for the blocks that BERT takes for Chinese, whose characters are words of their own. */
int ad_char_is_cjk(uint32_t c);

/* A growing sequence of code points. Zero-initialise before use. */
struct ad_codes {
  int32_t *code;   /* [count], owned */
  size_t count;    /* code points in use */
  size_t capacity; /* code points allocated */
};

int ad_codes_push(struct ad_codes *codes, uint32_t c); /* AD_OK or AD_ENOMEM */
void ad_codes_destroy(struct ad_codes *codes);

/* Each replaces `codes` by its normal form composed (NFC) / its lower case, final sigma included / its normal form
 * decomposed (NFD) without the marks. Of assigned characters only. The old content goes to `scratch`. AD_OK, AD_ENOMEM.
 */
int ad_codes_compose(struct ad_codes *codes, struct ad_codes *scratch);
int ad_codes_lower(struct ad_codes *codes, struct ad_codes *scratch);
int ad_codes_strip(struct ad_codes *codes, struct ad_codes *scratch);

/* The number of bytes before the first that is no valid UTF-8; `size` when all are. */
size_t ad_utf8_valid(const char *text, size_t size);

/* Reads the code point at text [size > 0], known to be valid UTF-8; returns its number of bytes. */
size_t ad_utf8_read(const char *text, size_t size, uint32_t *c);

#endif
