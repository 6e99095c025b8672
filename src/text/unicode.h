/* What BERT's tokenizer needs of Unicode: kinds of characters, decomposition without accents, lower case; to the letter
 * as Hugging Face's library `tokenizers` has them, whose version unicode_table.h names. Its tables are of several
 * versions of Unicode. */
#ifndef AUTODIDACT_SRC_TEXT_UNICODE_H
#define AUTODIDACT_SRC_TEXT_UNICODE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* BERT's kinds of characters. Private-use code points count as control characters, unassigned ones as words. */
enum ad_char_kind {
  AD_CHAR_DROP,        /* control characters, NUL, U+FFFD: removed from the text */
  AD_CHAR_SPACE,       /* ends a word */
  AD_CHAR_PUNCTUATION, /* a word of its own: all ASCII symbols, and Unicode's categories P* */
  AD_CHAR_MARK,        /* category Mn: an accent */
  AD_CHAR_WORD         /* everything else */
};

/* The bits of ad_char_properties. */
#define AD_CHAR_KIND 7u     /* mask of enum ad_char_kind */
#define AD_CHAR_ORDER 56u   /* mask: its place among combining characters; 0: it is none, and ends a run of them */
#define AD_CHAR_SPLITS 64u  /* it decomposes into something else than itself and marks */
#define AD_CHAR_LOWERS 128u /* it may have a lower case other than itself */
#define AD_CHAR_LETTER 256u /* \w of regular expressions */
#define AD_CHAR_ALONE 512u  /* of the blocks that BERT takes for Chinese, whose characters are words of their own */

unsigned ad_char_properties(uint32_t c);

/* 1 for what regular expressions call white space: AD_CHAR_SPACE, and three control characters. */
int ad_char_is_space(uint32_t c);

/* The classes of GPT-2's pattern (ByteLevel), Unicode's L, N and white space, in the tables of the library. */
enum ad_split_class { AD_SPLIT_OTHER, AD_SPLIT_LETTER, AD_SPLIT_NUMBER, AD_SPLIT_SPACE };
enum ad_split_class ad_split_class(uint32_t c);

/* The lower case of a character, of AD_CAPITAL_I_DOT its first one: that alone has two, i and AD_DOT_ABOVE. */
#define AD_CAPITAL_I_DOT 0x0130u
#define AD_DOT_ABOVE 0x0307u
uint32_t ad_char_lower(uint32_t c);

/* The rules that all of this follows, for keys of what is kept: "tokenizers 0.23.3". */
const char *ad_char_rules(void);

/* A growing sequence of code points. Zero-initialise before use. */
struct ad_codes {
  int32_t *code;   /* [count], owned */
  size_t count;    /* code points in use */
  size_t capacity; /* code points allocated */
  int unsettled;   /* combining characters among them are not in order yet */
};

void ad_codes_clear(struct ad_codes *codes);
void ad_codes_destroy(struct ad_codes *codes);
int ad_codes_push(struct ad_codes *codes, uint32_t c); /* AD_OK or AD_ENOMEM */

/* Hangul syllables decompose and compose by arithmetic (the Unicode Standard, section 3.12). */
enum { AD_SYLLABLES = 0xAC00, AD_SYLLABLE_COUNT = 11172, AD_LEADS = 0x1100, AD_VOWELS = 0x1161, AD_TAILS = 0x11A7 };
enum { AD_LEAD_COUNT = 19, AD_VOWEL_COUNT = 21, AD_TAIL_COUNT = 28 };

/* Appends the parts of such a syllable. AD_OK, AD_ENOMEM. */
int ad_codes_push_syllable(struct ad_codes *codes, uint32_t c);

/* The full canonical decomposition of another character: the number of its parts, 0 where it is its own; a part is the
 * low 21 bits of an entry at *parts. */
size_t ad_canonical_parts(uint32_t c, const uint64_t **parts);

/* A combining character keeps its rank among these above its 21 bits until a run of them is in order. */
#define AD_RANK_SHIFT 24
#define AD_CODE_BITS ((1 << AD_RANK_SHIFT) - 1)
enum { AD_RANKS = 64 };

static inline unsigned ad_rank_of(int32_t code) {
  return (unsigned)code >> AD_RANK_SHIFT;
}

/* Sorts each run of combining characters by rank, stably. `scratch` is work memory. AD_OK, AD_ENOMEM. */
int ad_codes_order(struct ad_codes *codes, struct ad_codes *scratch);

/* Appends what normalising makes of a character of these properties: with `strip` its decomposition without marks, with
 * `lower` its lower case. After the last one ad_codes_settle puts combining characters into canonical order; `scratch`
 * is work memory. AD_OK, AD_ENOMEM. */
int ad_codes_normalize(struct ad_codes *codes, uint32_t c, unsigned properties, int strip, int lower);
int ad_codes_settle(struct ad_codes *codes, struct ad_codes *scratch);

/* Reads the code point at text [size > 0], known to be valid UTF-8; returns its number of bytes. */
static inline size_t ad_utf8_read(const char *text, size_t size, uint32_t *c) {
  const unsigned char *byte = (const unsigned char *)text;
  if (byte[0] < 0x80 || size == 1) {
    *c = byte[0];
    return 1;
  }
  if (byte[0] < 0xE0 || size == 2) {
    *c = (byte[0] & 0x1Fu) << 6 | (byte[1] & 0x3Fu);
    return 2;
  }
  if (byte[0] < 0xF0 || size == 3) {
    *c = (byte[0] & 0x0Fu) << 12 | (byte[1] & 0x3Fu) << 6 | (byte[2] & 0x3Fu);
    return 3;
  }
  *c = (byte[0] & 0x07u) << 18 | (byte[1] & 0x3Fu) << 12 | (byte[2] & 0x3Fu) << 6 | (byte[3] & 0x3Fu);
  return 4;
}

/* The number of bytes before the first that is no ASCII; `size` when all are. */
static inline size_t ad_ascii_bytes(const char *text, size_t size) {
  size_t i = 0;
  uint64_t eight;
  for (; i + sizeof eight <= size; i += sizeof eight) {
    memcpy(&eight, text + i, sizeof eight);
    if ((eight & 0x8080808080808080u) != 0) {
      break;
    }
  }
  while (i < size && (unsigned char)text[i] < 0x80) {
    i++;
  }
  return i;
}

/* The place in a table of runs, whose entries have a first code point above `bits` bits, of the run that has c;
 * `pages` has the place for each 256th code point up to U+20000. */
static inline size_t ad_run_of(const uint32_t *runs, size_t count, unsigned bits, const uint16_t *pages, uint32_t c) {
  const uint32_t page = c >> 8;
  size_t low = pages[page < 0x200 ? page : 0x200];
  size_t high = page < 0x200 ? pages[page + 1] + 1u : count;
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if (runs[middle] >> bits <= c) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/* Code points that become others: `count` of them from `first` on, `step` apart, have `delta` added. */
struct ad_code_run {
  int32_t first;
  int16_t count, step;
  int32_t delta;
};

/* What c becomes by a table of such runs [count]; c where no run has it. */
uint32_t ad_code_by_runs(const struct ad_code_run *runs, size_t count, uint32_t c);

/* The first entry of a sorted table [count] that is not below `key`; count where all are. */
static inline size_t ad_lower_bound(const uint64_t *table, size_t count, uint64_t key) {
  size_t low = 0;
  while (low < count) {
    const size_t middle = (low + count) / 2;
    if (table[middle] < key) {
      low = middle + 1;
    } else {
      count = middle;
    }
  }
  return low;
}

/* The entries of a character in a sorted table of parts [count], code point << 21 | part: their number, *parts the
 * first one. */
static inline size_t ad_parts_of(const uint64_t *table, size_t count, uint32_t c, const uint64_t **parts) {
  const size_t begin = ad_lower_bound(table, count, (uint64_t)c << 21);
  size_t end = begin;
  while (end < count && table[end] >> 21 == c) {
    end++;
  }
  *parts = table + begin;
  return end - begin;
}

/* Writes a code point to out [4]; returns its number of bytes. */
size_t ad_utf8_write(char *out, uint32_t c);

#endif
