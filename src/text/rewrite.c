#include "rewrite.h"

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* ---- Single characters ---- */

/* Nmt: characters that go, and those that become a space. */
static int nmt_drops(uint32_t c) {
  return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
}

static int nmt_spaces(uint32_t c) {
  return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
         c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
}

/* What becomes of a character: up to three in `to`; returns how many. */
static size_t map(enum ad_rewrite_kind kind, uint32_t c, uint32_t to[3]) {
  to[0] = c;
  if (kind == AD_REWRITE_LOWER && c < 0x80) {
    to[0] = c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    return 1;
  }
  const unsigned properties = kind == AD_REWRITE_MARK || kind == AD_REWRITE_NMT ? 0 : ad_char_properties(c);
  switch (kind) {
    case AD_REWRITE_CLEAN:
      to[0] = (properties & AD_CHAR_KIND) == AD_CHAR_SPACE ? ' ' : c;
      return (properties & AD_CHAR_KIND) != AD_CHAR_DROP;
    case AD_REWRITE_CJK:
      if ((properties & AD_CHAR_ALONE) != 0) {
        to[0] = to[2] = ' ';
        to[1] = c;
        return 3;
      }
      return 1;
    case AD_REWRITE_ACCENT:
      return (properties & AD_CHAR_KIND) != AD_CHAR_MARK;
    case AD_REWRITE_MARK:
      return !ad_form_is_mark(c);
    case AD_REWRITE_LOWER:
      to[0] = (properties & AD_CHAR_LOWERS) != 0 ? ad_char_lower(c) : c;
      to[1] = AD_DOT_ABOVE;
      return c == AD_CAPITAL_I_DOT ? 2 : 1;
    case AD_REWRITE_NMT:
      to[0] = nmt_spaces(c) ? ' ' : c;
      return !nmt_drops(c);
    default:
      return 1;
  }
}

void ad_rewrite_prepare(struct ad_rewrite *step) {
  for (uint32_t c = 0; step->kind <= AD_REWRITE_NMT && c < 128; c++) {
    uint32_t to[3];
    step->plain[c] = map(step->kind, c, to) == 1 && to[0] == c;
    step->plain_all = (c == 0 || step->plain_all) && step->plain[c];
  }
}

/* The number of bytes before the first character that does not stay. */
static size_t kept_bytes(const struct ad_rewrite *step, const char *text, size_t size) {
  size_t i = 0;
  while (i < size) {
    uint32_t c, to[3];
    i += step->plain_all ? ad_ascii_bytes(text + i, size - i) : 0;
    while (i < size && step->plain[(unsigned char)text[i]]) {
      i++;
    }
    if (i == size) {
      break;
    }
    const size_t bytes = ad_utf8_read(text + i, size - i, &c);
    if (map(step->kind, c, to) != 1 || to[0] != c) {
      break;
    }
    i += bytes;
  }
  return i;
}

static int map_all(const struct ad_rewrite *step, const char *text, size_t size, size_t kept, struct ad_buffer *out) {
  for (size_t at = 0; at < size;) {
    AD_TRY(ad_buffer_append(out, text + at, kept));
    at += kept;
    if (at < size) {
      uint32_t c, to[3];
      char bytes[12];
      size_t used = 0;
      at += ad_utf8_read(text + at, size - at, &c);
      const size_t count = map(step->kind, c, to);
      for (size_t i = 0; i < count; i++) {
        used += ad_utf8_write(bytes + used, to[i]);
      }
      AD_TRY(ad_buffer_append(out, bytes, used));
      kept = kept_bytes(step, text + at, size - at);
    }
  }
  return AD_OK;
}

/* ---- Ends, patterns ---- */

static size_t leading_space(const char *text, size_t size) {
  size_t at = 0;
  while (at < size) {
    uint32_t c;
    const size_t bytes = ad_utf8_read(text + at, size - at, &c);
    if (!ad_char_is_space(c)) {
      break;
    }
    at += bytes;
  }
  return at;
}

static size_t without_trailing_space(const char *text, size_t size) {
  while (size > 0) {
    size_t start = size - 1;
    uint32_t c;
    while (start > 0 && ((unsigned char)text[start] & 0xC0) == 0x80) {
      start--;
    }
    ad_utf8_read(text + start, size - start, &c);
    if (!ad_char_is_space(c)) {
      break;
    }
    size = start;
  }
  return size;
}

static int strip(const struct ad_rewrite *step, const char *text, size_t size, struct ad_buffer *out, int *changed) {
  const size_t end = step->right ? without_trailing_space(text, size) : size;
  const size_t start = step->left ? leading_space(text, end) : 0;
  *changed = start > 0 || end < size;
  return *changed ? ad_buffer_append(out, text + start, end - start) : AD_OK;
}

static int replace(const struct ad_rewrite *step, const char *text, size_t size, struct ad_buffer *out, int *changed) {
  size_t length = 0, done = 0;
  size_t at = ad_pattern_find(&step->pattern, text, size, 0, &length);
  *changed = at < size;
  while (at < size) {
    AD_TRY(ad_buffer_append(out, text + done, at - done));
    AD_TRY(ad_buffer_puts(out, step->text));
    done = at + length;
    at = ad_pattern_find(&step->pattern, text, size, done, &length);
  }
  return *changed ? ad_buffer_append(out, text + done, size - done) : AD_OK;
}

/* ---- Any step ---- */

int ad_rewrite_apply(const struct ad_rewrite *step, const char *text, size_t size, struct ad_codes codes[2],
                     struct ad_buffer *out, int *changed) {
  switch (step->kind) {
    case AD_REWRITE_FORM:
      *changed = ad_form_kept(step->form, text, size) < size;
      return *changed ? ad_form_apply(step->form, text, size, &codes[0], &codes[1], out) : AD_OK;
    case AD_REWRITE_STRIP:
      return strip(step, text, size, out, changed);
    case AD_REWRITE_REPLACE:
      return replace(step, text, size, out, changed);
    case AD_REWRITE_PREPEND:
      *changed = size > 0;
      AD_TRY(*changed ? ad_buffer_puts(out, step->text) : AD_OK);
      return ad_buffer_append(out, text, size);
    case AD_REWRITE_CHARSMAP:
      *changed = ad_charsmap_kept(step->charsmap, text, size) < size;
      return *changed ? ad_charsmap_apply(step->charsmap, text, size, out) : AD_OK;
    default:
      break;
  }
  const size_t kept = kept_bytes(step, text, size);
  *changed = kept < size;
  return *changed ? map_all(step, text, size, kept, out) : AD_OK;
}

void ad_rewrite_destroy(struct ad_rewrite *step) {
  ad_pattern_destroy(&step->pattern);
  ad_free(step->text);
  ad_charsmap_destroy(step->charsmap);
}
