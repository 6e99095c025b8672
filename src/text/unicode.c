#include "unicode.h"

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "canonical_table.h"
#include "class_table.h"
#include "pages_table.h"
#include "unicode_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

unsigned ad_char_properties(uint32_t c) {
  const size_t run = ad_run_of(unicode_runs, COUNT(unicode_runs), UNICODE_BITS, unicode_pages, c);
  return unicode_runs[run] & ((1u << UNICODE_BITS) - 1);
}

int ad_char_is_space(uint32_t c) {
  if (c < 0x80) {
    return c == ' ' || (c >= '\t' && c <= '\r');
  }
  return c == 0x85 || c == 0xA0 || (c >= 0x1680 && (ad_char_properties(c) & AD_CHAR_KIND) == AD_CHAR_SPACE);
}

const char *ad_char_rules(void) {
  return UNICODE_RULES;
}

size_t ad_canonical_parts(uint32_t c, const uint64_t **parts) {
  return ad_parts_of(canonical_parts, COUNT(canonical_parts), c, parts);
}

enum ad_split_class ad_split_class(uint32_t c) {
  static const enum ad_split_class classes[] = {AD_SPLIT_OTHER, AD_SPLIT_LETTER, AD_SPLIT_NUMBER, AD_SPLIT_SPACE};
  size_t low = 0;
  size_t high = COUNT(unicode_classes);
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if (unicode_classes[middle] >> 2 <= c) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return classes[unicode_classes[low] & 3];
}

uint32_t ad_code_by_runs(const struct ad_code_run *runs, size_t count, uint32_t c) {
  size_t low = 0;
  size_t high = count;
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if ((uint32_t)runs[middle].first <= c) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const struct ad_code_run *run = &runs[low];
  const int32_t place = (int32_t)c - run->first;
  const int has = place >= 0 && place % run->step == 0 && place / run->step < run->count;
  return has ? (uint32_t)((int32_t)c + run->delta) : c;
}

uint32_t ad_char_lower(uint32_t c) {
  return ad_code_by_runs(unicode_lower, COUNT(unicode_lower), c);
}

static int reserve(struct ad_codes *codes, size_t need) {
  if (need <= codes->capacity) {
    return AD_OK;
  }
  void *code = codes->code;
  AD_TRY(ad_reserve(&code, &codes->capacity, need, sizeof *codes->code));
  codes->code = code;
  return AD_OK;
}

int ad_codes_push(struct ad_codes *codes, uint32_t c) {
  AD_TRY(reserve(codes, codes->count + 1));
  codes->code[codes->count++] = (int32_t)c;
  return AD_OK;
}

void ad_codes_clear(struct ad_codes *codes) {
  codes->count = 0;
  codes->unsettled = 0;
}

void ad_codes_destroy(struct ad_codes *codes) {
  ad_free(codes->code);
  *codes = (struct ad_codes){0};
}

static int push_lower(struct ad_codes *codes, uint32_t c, unsigned properties) {
  if (c == AD_CAPITAL_I_DOT) { /* the one character whose lower case is two */
    AD_TRY(ad_codes_push(codes, 'i'));
    return ad_codes_push(codes, AD_DOT_ABOVE);
  }
  return ad_codes_push(codes, (properties & AD_CHAR_LOWERS) != 0 ? ad_char_lower(c) : c);
}

static int ends_in_combining(const struct ad_codes *codes) {
  return codes->count > 0 && codes->code[codes->count - 1] >> AD_RANK_SHIFT != 0;
}

/* Appends a character that is its own decomposition. */
static int push_part(struct ad_codes *codes, uint32_t c, unsigned properties, int lower) {
  const unsigned order = (properties & AD_CHAR_ORDER) / 8;
  if ((properties & AD_CHAR_KIND) == AD_CHAR_MARK) {
    /* A mark that is no combining character ends a run of these: a NUL, which no text has, stands for it. */
    return order == 0 && ends_in_combining(codes) ? ad_codes_push(codes, 0) : AD_OK;
  }
  AD_TRY(lower ? push_lower(codes, c, properties) : ad_codes_push(codes, c));
  if (order != 0) {
    codes->code[codes->count - 1] |= (int32_t)(order << AD_RANK_SHIFT);
    codes->unsettled = 1;
  }
  return AD_OK;
}

int ad_codes_push_syllable(struct ad_codes *codes, uint32_t c) {
  const uint32_t place = c - AD_SYLLABLES;
  const uint32_t tail = place % AD_TAIL_COUNT;
  AD_TRY(ad_codes_push(codes, AD_LEADS + place / (AD_VOWEL_COUNT * AD_TAIL_COUNT)));
  AD_TRY(ad_codes_push(codes, AD_VOWELS + place / AD_TAIL_COUNT % AD_VOWEL_COUNT));
  return tail == 0 ? AD_OK : ad_codes_push(codes, AD_TAILS + tail);
}

int ad_codes_normalize(struct ad_codes *codes, uint32_t c, unsigned properties, int strip, int lower) {
  if (!strip) {
    return lower ? push_lower(codes, c, properties) : ad_codes_push(codes, c);
  }
  if ((properties & AD_CHAR_SPLITS) == 0) {
    return push_part(codes, c, properties, lower);
  }
  if (c - AD_SYLLABLES < AD_SYLLABLE_COUNT) {
    return ad_codes_push_syllable(codes, c);
  }
  const uint64_t *parts;
  const size_t count = ad_canonical_parts(c, &parts);
  for (size_t i = 0; i < count; i++) {
    const uint32_t part = (uint32_t)(parts[i] & 0x1FFFFF);
    const unsigned known = ad_char_properties(part);
    AD_TRY((known & AD_CHAR_KIND) == AD_CHAR_MARK ? AD_OK : push_part(codes, part, known, lower));
  }
  return AD_OK;
}

/* Sorts a run of combining characters, stably. Counting, as a hostile text is one long run. */
static void sort_run(int32_t *code, size_t count, int32_t *sorted) {
  size_t place[AD_RANKS + 1] = {0};
  for (size_t i = 0; i < count; i++) {
    place[ad_rank_of(code[i]) + 1]++;
  }
  for (size_t rank = 1; rank < AD_RANKS; rank++) {
    place[rank] += place[rank - 1];
  }
  for (size_t i = 0; i < count; i++) {
    sorted[place[ad_rank_of(code[i])]++] = code[i];
  }
  memcpy(code, sorted, count * sizeof *code);
}

int ad_codes_order(struct ad_codes *codes, struct ad_codes *scratch) {
  AD_TRY(reserve(scratch, codes->count));
  for (size_t i = 0; i < codes->count; i++) {
    const size_t start = i;
    while (i < codes->count && ad_rank_of(codes->code[i]) != 0) {
      i++;
    }
    if (i > start + 1) {
      sort_run(codes->code + start, i - start, scratch->code);
    }
  }
  return AD_OK;
}

int ad_codes_settle(struct ad_codes *codes, struct ad_codes *scratch) {
  if (!codes->unsettled) {
    return AD_OK;
  }
  AD_TRY(ad_codes_order(codes, scratch));
  size_t kept = 0;
  for (size_t i = 0; i < codes->count; i++) {
    codes->code[kept] = codes->code[i] & AD_CODE_BITS;
    kept += codes->code[kept] != 0;
  }
  codes->count = kept;
  codes->unsettled = 0;
  return AD_OK;
}

size_t ad_utf8_write(char *out, uint32_t c) {
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
