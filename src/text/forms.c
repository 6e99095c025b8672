#include "forms.h"

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "canonical_table.h"
#include "compatible_table.h"
#include "form_table.h"
#include "pages_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The bits of a run: the rank among combining characters, a mark, and for each form whether it may change here. */
#define RANK 63u
#define MARK 64u
#define MOVES 128u

/* Hangul syllables decompose and compose by arithmetic (the Unicode Standard, section 3.12). */
enum { SYLLABLES = 0xAC00, SYLLABLE_COUNT = 11172, LEADS = 0x1100, VOWELS = 0x1161, TAILS = 0x11A7 };
enum { LEAD_COUNT = 19, VOWEL_COUNT = 21, TAIL_COUNT = 28 };

/* A character keeps its rank above its 21 bits until all are composed. */
#define RANK_SHIFT 24
#define CODE_BITS ((1 << RANK_SHIFT) - 1)

static unsigned properties(uint32_t c) {
  const size_t run = ad_run_of(form_runs, COUNT(form_runs), FORM_BITS, form_pages, c);
  return form_runs[run] & ((1u << FORM_BITS) - 1);
}

int ad_form_is_mark(uint32_t c) {
  return (properties(c) & MARK) != 0;
}

/* ---- Decomposition ---- */

/* The first entry of a sorted table that is not below `key`. */
static size_t lower_bound(const uint64_t *table, size_t count, uint64_t key) {
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

static int push(struct ad_codes *codes, uint32_t c) {
  return ad_codes_push(codes, c | (properties(c) & RANK) << RANK_SHIFT);
}

/* Appends the parts of a character by a table; *found: it has some. */
static int push_parts(struct ad_codes *codes, const uint64_t *table, size_t count, uint32_t c, int *found) {
  *found = 0;
  for (size_t i = lower_bound(table, count, (uint64_t)c << 21); i < count && table[i] >> 21 == c; i++) {
    *found = 1;
    AD_TRY(push(codes, (uint32_t)(table[i] & 0x1FFFFF)));
  }
  return AD_OK;
}

/* The one character that a compatibility decomposition gives; the same where there is none. */
static uint32_t single_of(uint32_t c) {
  size_t low = 0;
  size_t high = COUNT(form_singles);
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if ((uint32_t)form_singles[middle].first <= c) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const struct form_single *run = &form_singles[low];
  const int32_t place = (int32_t)c - run->first;
  const int has = place >= 0 && place % run->step == 0 && place / run->step < run->count;
  return has ? (uint32_t)((int32_t)c + run->delta) : c;
}

static int push_syllable(struct ad_codes *codes, uint32_t c) {
  const uint32_t place = c - SYLLABLES;
  const uint32_t tail = place % TAIL_COUNT;
  AD_TRY(ad_codes_push(codes, LEADS + place / (VOWEL_COUNT * TAIL_COUNT)));
  AD_TRY(ad_codes_push(codes, VOWELS + place / TAIL_COUNT % VOWEL_COUNT));
  return tail == 0 ? AD_OK : ad_codes_push(codes, TAILS + tail);
}

static int is_compatible(enum ad_form form) {
  return form == AD_FORM_NFKD || form == AD_FORM_NFKC;
}

static int push_decomposed(struct ad_codes *codes, enum ad_form form, uint32_t c) {
  int found = 0;
  if (c - SYLLABLES < SYLLABLE_COUNT) {
    return push_syllable(codes, c);
  }
  if (is_compatible(form)) {
    const uint32_t single = single_of(c);
    if (single != c) {
      return push(codes, single);
    }
    AD_TRY(push_parts(codes, compatible_parts, COUNT(compatible_parts), c, &found));
  }
  if (!found) {
    AD_TRY(push_parts(codes, canonical_parts, COUNT(canonical_parts), c, &found));
  }
  return found ? AD_OK : push(codes, c);
}

/* ---- Order ---- */

static unsigned rank_of(int32_t code) {
  return (unsigned)code >> RANK_SHIFT;
}

/* Sorts a run of combining characters, stably. Counting, as a hostile text is one long run. */
static void sort_run(int32_t *code, size_t count, int32_t *sorted) {
  size_t place[RANK + 2] = {0};
  for (size_t i = 0; i < count; i++) {
    place[rank_of(code[i]) + 1]++;
  }
  for (size_t rank = 1; rank <= RANK; rank++) {
    place[rank] += place[rank - 1];
  }
  for (size_t i = 0; i < count; i++) {
    sorted[place[rank_of(code[i])]++] = code[i];
  }
  memcpy(code, sorted, count * sizeof *code);
}

static int reserve(struct ad_codes *codes, size_t need) {
  void *code = codes->code;
  AD_TRY(ad_reserve(&code, &codes->capacity, need, sizeof *codes->code));
  codes->code = code;
  return AD_OK;
}

static int put_in_order(struct ad_codes *codes, struct ad_codes *scratch) {
  AD_TRY(reserve(scratch, codes->count));
  for (size_t i = 0; i < codes->count; i++) {
    const size_t start = i;
    while (i < codes->count && rank_of(codes->code[i]) != 0) {
      i++;
    }
    if (i > start + 1) {
      sort_run(codes->code + start, i - start, scratch->code);
    }
  }
  return AD_OK;
}

/* ---- Composition ---- */

/* What two characters become; 0: they stay. */
static uint32_t compose(uint32_t a, uint32_t b) {
  if (a - LEADS < LEAD_COUNT && b - VOWELS < VOWEL_COUNT) {
    return SYLLABLES + ((a - LEADS) * VOWEL_COUNT + (b - VOWELS)) * TAIL_COUNT;
  }
  if (a - SYLLABLES < SYLLABLE_COUNT && (a - SYLLABLES) % TAIL_COUNT == 0 && b - TAILS - 1 < TAIL_COUNT - 1) {
    return a + (b - TAILS);
  }
  const uint64_t key = (uint64_t)a << 42 | (uint64_t)b << 21;
  const size_t at = lower_bound(form_pairs, COUNT(form_pairs), key);
  return at < COUNT(form_pairs) && form_pairs[at] >> 21 == key >> 21 ? (uint32_t)(form_pairs[at] & 0x1FFFFF) : 0;
}

/* Each character joins the last starter, unless one of its rank or above stands between them. */
static void compose_all(struct ad_codes *codes) {
  size_t kept = 0;
  size_t starter = SIZE_MAX;
  for (size_t i = 0; i < codes->count; i++) {
    const int32_t code = codes->code[i];
    const unsigned rank = rank_of(code);
    if (starter != SIZE_MAX && (kept == starter + 1 || rank_of(codes->code[kept - 1]) < rank)) {
      const uint32_t both = compose((uint32_t)codes->code[starter], (uint32_t)(code & CODE_BITS));
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
    AD_TRY(ad_buffer_append(out, bytes, ad_utf8_write(bytes, (uint32_t)(codes->code[i] & CODE_BITS))));
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
    AD_TRY(put_in_order(codes, scratch));
    if (form == AD_FORM_NFC || form == AD_FORM_NFKC) {
      compose_all(codes);
    }
    AD_TRY(write_codes(codes, out));
  }
  return AD_OK;
}
