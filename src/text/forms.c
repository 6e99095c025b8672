#include "forms.h"

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "compatible_table.h"
#include "form_table.h"
#include "pages_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The bits of a run: the rank among combining characters, a mark, and for each form whether it may change here. */
#define RANK 63u
#define MARK 64u
#define MOVES 128u

static unsigned properties(uint32_t c) {
  const size_t run = ad_run_of(form_runs, COUNT(form_runs), FORM_BITS, form_pages, c);
  return form_runs[run] & ((1u << FORM_BITS) - 1);
}

int ad_form_is_mark(uint32_t c) {
  return (properties(c) & MARK) != 0;
}

/* ---- Decomposition ---- */

static int push(struct ad_codes *codes, uint32_t c) {
  return ad_codes_push(codes, c | (properties(c) & RANK) << AD_RANK_SHIFT);
}

/* Appends the parts of a character, which are the low bits of entries [count]. */
static int push_parts(struct ad_codes *codes, const uint64_t *parts, size_t count) {
  for (size_t i = 0; i < count; i++) {
    AD_TRY(push(codes, (uint32_t)(parts[i] & 0x1FFFFF)));
  }
  return AD_OK;
}

static int is_compatible(enum ad_form form) {
  return form == AD_FORM_NFKD || form == AD_FORM_NFKC;
}

static int push_decomposed(struct ad_codes *codes, enum ad_form form, uint32_t c) {
  const uint64_t *parts;
  size_t count = 0;
  if (c - AD_SYLLABLES < AD_SYLLABLE_COUNT) {
    return ad_codes_push_syllable(codes, c);
  }
  if (is_compatible(form)) {
    const uint32_t single = ad_code_by_runs(form_singles, COUNT(form_singles), c);
    if (single != c) {
      return push(codes, single);
    }
    count = ad_parts_of(compatible_parts, COUNT(compatible_parts), c, &parts);
  }
  count = count > 0 ? count : ad_canonical_parts(c, &parts);
  return count > 0 ? push_parts(codes, parts, count) : push(codes, c);
}

/* ---- Composition ---- */

/* What two characters become; 0: they stay. */
static uint32_t compose(uint32_t a, uint32_t b) {
  if (a - AD_LEADS < AD_LEAD_COUNT && b - AD_VOWELS < AD_VOWEL_COUNT) {
    return AD_SYLLABLES + ((a - AD_LEADS) * AD_VOWEL_COUNT + (b - AD_VOWELS)) * AD_TAIL_COUNT;
  }
  if (a - AD_SYLLABLES < AD_SYLLABLE_COUNT && (a - AD_SYLLABLES) % AD_TAIL_COUNT == 0 &&
      b - AD_TAILS - 1 < AD_TAIL_COUNT - 1) {
    return a + (b - AD_TAILS);
  }
  const uint64_t key = (uint64_t)a << 42 | (uint64_t)b << 21;
  const size_t at = ad_lower_bound(form_pairs, COUNT(form_pairs), key);
  return at < COUNT(form_pairs) && form_pairs[at] >> 21 == key >> 21 ? (uint32_t)(form_pairs[at] & 0x1FFFFF) : 0;
}

/* Each character joins the last starter, unless one of its rank or above stands between them. */
static void compose_all(struct ad_codes *codes) {
  size_t kept = 0;
  size_t starter = SIZE_MAX;
  for (size_t i = 0; i < codes->count; i++) {
    const int32_t code = codes->code[i];
    const unsigned rank = ad_rank_of(code);
    if (starter != SIZE_MAX && (kept == starter + 1 || ad_rank_of(codes->code[kept - 1]) < rank)) {
      const uint32_t both = compose((uint32_t)codes->code[starter], (uint32_t)(code & AD_CODE_BITS));
      if (both != 0) {
        codes->code[starter] = (int32_t)both;
        continue;
      }
    }
    starter = rank == 0 ? kept : starter;
    codes->code[kept++] = code;
  }
  codes->count = kept;
}

/* ---- Texts ---- */

size_t ad_form_kept(enum ad_form form, const char *text, size_t size) {
  size_t i = 0;
  while ((i += ad_ascii_bytes(text + i, size - i)) < size) {
    uint32_t c;
    const size_t bytes = ad_utf8_read(text + i, size - i, &c);
    if ((properties(c) & MOVES << form) != 0) {
      return i;
    }
    i += bytes;
  }
  return size;
}

/* Where the piece that belongs together begins: at the character before, which may take the next one up. */
static size_t piece_start(const char *text, size_t from, size_t at) {
  if (at > from) {
    do {
      at--;
    } while (at > from && ((unsigned char)text[at] & 0xC0) == 0x80);
  }
  return at;
}

/* Decomposes a piece from its start, over what the form may change, to the next character that it keeps. */
static int push_piece(enum ad_form form, const char *text, size_t size, size_t moved, size_t *at,
                      struct ad_codes *codes) {
  while (*at < size) {
    uint32_t c;
    const size_t bytes = ad_utf8_read(text + *at, size - *at, &c);
    if (*at > moved && (properties(c) & MOVES << form) == 0) {
      break;
    }
    AD_TRY(push_decomposed(codes, form, c));
    *at += bytes;
  }
  return AD_OK;
}

static int write_codes(const struct ad_codes *codes, struct ad_buffer *out) {
  for (size_t i = 0; i < codes->count; i++) {
    char bytes[4];
    AD_TRY(ad_buffer_append(out, bytes, ad_utf8_write(bytes, (uint32_t)(codes->code[i] & AD_CODE_BITS))));
  }
  return AD_OK;
}

int ad_form_apply(enum ad_form form, const char *text, size_t size, struct ad_codes *codes, struct ad_codes *scratch,
                  struct ad_buffer *out) {
  size_t at = 0;
  while (at < size) {
    const size_t moved = at + ad_form_kept(form, text + at, size - at);
    const size_t start = moved == size ? size : piece_start(text, at, moved);
    AD_TRY(ad_buffer_append(out, text + at, start - at));
    at = start;
    ad_codes_clear(codes);
    AD_TRY(push_piece(form, text, size, moved, &at, codes));
    AD_TRY(ad_codes_order(codes, scratch));
    if (form == AD_FORM_NFC || form == AD_FORM_NFKC) {
      compose_all(codes);
    }
    AD_TRY(write_codes(codes, out));
  }
  return AD_OK;
}
