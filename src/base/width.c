#include "autodidact/base/width.h"

#include <string.h>
#include <utf8proc.h>

/* Vowels and finals that stand in the square of the Hangul consonant before them: utf8proc gives them a column. */
static int joins_hangul(utf8proc_int32_t c) {
  return (c >= 0x1160 && c <= 0x11FF) || (c >= 0xD7B0 && c <= 0xD7FF);
}

size_t ad_text_width(const char *text, size_t size) {
  const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
  size_t width = 0;
  for (size_t i = 0; i < size;) {
    utf8proc_int32_t c;
    const utf8proc_ssize_t length = utf8proc_iterate(bytes + i, (utf8proc_ssize_t)(size - i), &c);
    width += length <= 0 ? 1 : joins_hangul(c) ? 0 : (size_t)utf8proc_charwidth(c);
    i += length > 0 ? (size_t)length : 1;
  }
  return width;
}

int ad_text_fill(const char *text, size_t width) {
  const size_t own = ad_text_width(text, strlen(text));
  return own < width ? (int)(width - own) : 0;
}

size_t ad_text_widest(size_t width, const char *text) {
  const size_t own = ad_text_width(text, strlen(text));
  return own > width ? own : width;
}
