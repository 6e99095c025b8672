#include "autodidact/base/shown.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "autodidact/base/status.h"

enum { COPIES = 16, COPY = 1001, LONGEST = 12 /* of one escape, with its NUL */ };

int ad_is_plain(int32_t c) {
  if (c < 0x80) {
    return c >= ' ' && c != 0x7F;
  }
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CS:
      return 0;
    case UTF8PROC_CATEGORY_CF:
      return c == 0x200C || c == 0x200D;
    case UTF8PROC_CATEGORY_CN:
      return c != 0xFFFE && c != 0xFFFF;
    default:
      return 1;
  }
}

/* What stands for the character or byte at text [size > 0]: puts it into piece and returns its length; *taken: of the
 * text. */
static size_t show_one(const char *text, size_t size, char piece[LONGEST], size_t *taken) {
  utf8proc_int32_t c = -1;
  const utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size, &c);
  *taken = length > 0 ? (size_t)length : 1;
  if (length > 0 && ad_is_plain(c)) {
    memcpy(piece, text, *taken);
    return *taken;
  }
  const char *letter = length > 0 && c != 0 && c < 0x80 ? strchr("\nn\tt\rr", c) : NULL;
  if (letter != NULL) {
    return (size_t)snprintf(piece, LONGEST, "\\%c", letter[1]);
  }
  const unsigned value = length > 0 ? (unsigned)c : (unsigned)(unsigned char)text[0];
  return (size_t)snprintf(piece, LONGEST,
                          length <= 0 || value < 0x80 ? "\\x%02x"
                          : value < 0x10000           ? "\\u%04x"
                                                      : "\\U%08x",
                          value);
}

size_t ad_escape(const char *text, size_t length, char *out, size_t size) {
  size_t used = 0;
  for (size_t i = 0, taken; i < length; i += taken) {
    char piece[LONGEST];
    const size_t width = show_one(text + i, length - i, piece, &taken);
    if (used + width >= size) {
      break;
    }
    memcpy(out + used, piece, width);
    used += width;
  }
  out[used] = '\0';
  return used;
}

int ad_escape_append(struct ad_buffer *out, const char *text, size_t length) {
  for (size_t i = 0, taken; i < length; i += taken) {
    char piece[LONGEST];
    const size_t width = show_one(text + i, length - i, piece, &taken);
    AD_TRY(ad_buffer_append(out, piece, width));
  }
  return AD_OK;
}

static int is_shown_as_it_is(const char *text, size_t length) {
  char piece[LONGEST];
  for (size_t i = 0, taken; i < length; i += taken) {
    if (show_one(text + i, length - i, piece, &taken) != taken || piece[0] != text[i]) {
      return 0;
    }
  }
  return 1;
}

const char *ad_shown(const char *text) {
  static _Thread_local char copies[COPIES][COPY];
  static _Thread_local unsigned next;
  const size_t length = text == NULL ? 0 : strlen(text);
  if (is_shown_as_it_is(text, length)) {
    return text == NULL ? "" : text;
  }
  char *copy = copies[next++ % COPIES];
  ad_escape(text, length, copy, COPY);
  return copy;
}
