#include "unicode.h"

#include <string.h>
#include <utf8proc.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "unicode_table.h"

#define CAPITAL_I_DOT 0x0130
#define DOT_ABOVE 0x0307
#define CAPITAL_SIGMA 0x03A3
#define SMALL_SIGMA 0x03C3
#define FINAL_SIGMA 0x03C2

unsigned ad_char_properties(uint32_t c) {
  size_t low = 0;
  size_t high = sizeof unicode_runs / sizeof *unicode_runs;
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if (unicode_runs[middle] >> 8 <= c) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return unicode_runs[low] & 0xFF;
}

int ad_char_is_cjk(uint32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B820 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
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

void ad_codes_destroy(struct ad_codes *codes) {
  ad_free(codes->code);
  *codes = (struct ad_codes){0};
}

static void swap(struct ad_codes *a, struct ad_codes *b) {
  const struct ad_codes held = *a;
  *a = *b;
  *b = held;
}

/* Appends the full canonical decomposition of every character of `from` to `to`, not yet in canonical order. */
static int decompose(const struct ad_codes *from, struct ad_codes *to) {
  for (size_t i = 0; i < from->count; i++) {
    if (from->code[i] < 0x80) {
      AD_TRY(ad_codes_push(to, (uint32_t)from->code[i]));
      continue;
    }
    for (;;) {
      const size_t room = to->capacity - to->count;
      const utf8proc_ssize_t length =
          utf8proc_decompose_char(from->code[i], room == 0 ? NULL : to->code + to->count, (utf8proc_ssize_t)room,
                                  UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, NULL);
      if (length < 0) {
        return ad_fail(AD_EINTERNAL, "U+%04X: %s", (unsigned)from->code[i], utf8proc_errmsg(length));
      }
      if ((size_t)length <= room) {
        to->count += (size_t)length;
        break;
      }
      AD_TRY(reserve(to, to->count + (size_t)length));
    }
  }
  return AD_OK;
}

static unsigned combining_class(int32_t c) {
  return c < 0x300 ? 0 : (unsigned)utf8proc_get_property(c)->combining_class;
}

/* Sorts a run of combining characters by class, stably. Counting, as a hostile text is one long run. */
static int sort_run(int32_t *code, size_t count, struct ad_codes *scratch) {
  size_t place[257] = {0};
  AD_TRY(reserve(scratch, count));
  for (size_t i = 0; i < count; i++) {
    place[combining_class(code[i]) + 1]++;
  }
  for (size_t class = 1; class < 257; class ++) {
    place[class] += place[class - 1];
  }
  for (size_t i = 0; i < count; i++) {
    scratch->code[place[combining_class(code[i])]++] = code[i];
  }
  memcpy(code, scratch->code, count * sizeof *code);
  return AD_OK;
}

/* Puts every run of combining characters into canonical order. */
static int order_marks(struct ad_codes *codes, struct ad_codes *scratch) {
  for (size_t i = 0; i < codes->count; i++) {
    unsigned previous = combining_class(codes->code[i]);
    const size_t start = i;
    int ordered = 1;
    while (previous != 0 && i + 1 < codes->count) {
      const unsigned next = combining_class(codes->code[i + 1]);
      if (next == 0) {
        break;
      }
      ordered &= previous <= next;
      previous = next;
      i++;
    }
    if (!ordered) {
      AD_TRY(sort_run(codes->code + start, i + 1 - start, scratch));
    }
  }
  return AD_OK;
}

/* codes = NFD(codes). */
static int to_nfd(struct ad_codes *codes, struct ad_codes *scratch) {
  scratch->count = 0;
  AD_TRY(decompose(codes, scratch));
  swap(codes, scratch);
  return order_marks(codes, scratch);
}

int ad_codes_compose(struct ad_codes *codes, struct ad_codes *scratch) {
  size_t i = 0;
  while (i < codes->count && (ad_char_properties((uint32_t)codes->code[i]) & AD_CHAR_INERT) != 0) {
    i++;
  }
  if (i == codes->count) {
    return AD_OK;
  }
  AD_TRY(to_nfd(codes, scratch));
  const utf8proc_ssize_t count =
      utf8proc_normalize_utf32(codes->code, (utf8proc_ssize_t)codes->count, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  if (count < 0) {
    return ad_fail(AD_EINTERNAL, "composing %zu characters: %s", codes->count, utf8proc_errmsg(count));
  }
  codes->count = (size_t)count;
  return AD_OK;
}

/* Whether the capital sigma at `place` ends its word: a cased letter before it and none after, the case-ignorable
 * ones not counted (Unicode's Final_Sigma, as CPython has it). */
static int is_final_sigma(const struct ad_codes *codes, size_t place) {
  unsigned properties = 0;
  for (size_t i = place; i-- > 0;) {
    properties = ad_char_properties((uint32_t)codes->code[i]);
    if ((properties & AD_CHAR_IGNORABLE) == 0) {
      break;
    }
  }
  if ((properties & AD_CHAR_CASED) == 0) {
    return 0;
  }
  for (size_t i = place + 1; i < codes->count; i++) {
    properties = ad_char_properties((uint32_t)codes->code[i]);
    if ((properties & AD_CHAR_IGNORABLE) == 0) {
      return (properties & AD_CHAR_CASED) == 0;
    }
  }
  return 1;
}

int ad_codes_lower(struct ad_codes *codes, struct ad_codes *scratch) {
  scratch->count = 0;
  AD_TRY(reserve(scratch, codes->count));
  for (size_t i = 0; i < codes->count; i++) {
    const int32_t c = codes->code[i];
    if (c == CAPITAL_SIGMA) {
      AD_TRY(ad_codes_push(scratch, is_final_sigma(codes, i) ? FINAL_SIGMA : SMALL_SIGMA));
    } else if (c == CAPITAL_I_DOT) {
      AD_TRY(ad_codes_push(scratch, 'i')); /* the one character whose lower case is two; utf8proc has simple mappings */
      AD_TRY(ad_codes_push(scratch, DOT_ABOVE));
    } else if (c < 0x80) {
      AD_TRY(ad_codes_push(scratch, (uint32_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c)));
    } else {
      AD_TRY(ad_codes_push(scratch, (uint32_t)utf8proc_tolower(c)));
    }
  }
  swap(codes, scratch);
  return AD_OK;
}

int ad_codes_strip(struct ad_codes *codes, struct ad_codes *scratch) {
  AD_TRY(to_nfd(codes, scratch));
  size_t kept = 0;
  for (size_t i = 0; i < codes->count; i++) {
    const int32_t c = codes->code[i];
    if (c < 0x80 || (ad_char_properties((uint32_t)c) & AD_CHAR_KIND) != AD_CHAR_MARK) {
      codes->code[kept++] = c;
    }
  }
  codes->count = kept;
  return AD_OK;
}

size_t ad_utf8_valid(const char *text, size_t size) {
  const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
  size_t i = 0;
  while (i < size) {
    uint64_t block;
    if (size - i >= sizeof block) {
      memcpy(&block, bytes + i, sizeof block);
      if ((block & UINT64_C(0x8080808080808080)) == 0) {
        i += sizeof block;
        continue;
      }
    }
    if (bytes[i] < 0x80) {
      i++;
      continue;
    }
    utf8proc_int32_t c;
    const utf8proc_ssize_t length = utf8proc_iterate(bytes + i, (utf8proc_ssize_t)(size - i), &c);
    if (length <= 0) {
      return i;
    }
    i += (size_t)length;
  }
  return size;
}

size_t ad_utf8_read(const char *text, size_t size, uint32_t *c) {
  utf8proc_int32_t code = 0;
  const utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size, &code);
  *c = (uint32_t)code;
  return length > 0 ? (size_t)length : 1;
}
