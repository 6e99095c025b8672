#include "autodidact/base/delimited.h"

#include <string.h>

#include "autodidact/base/status.h"

/* Whether an entry would be read as another one, or as several, without quotes. */
static int needs_quotes(char delimiter, const char *text, size_t size) {
  const int quotes = delimiter == '\t' ? text[0] == '"' : memchr(text, '"', size) != NULL;
  return quotes || memchr(text, delimiter, size) != NULL || memchr(text, '\n', size) != NULL ||
         memchr(text, '\r', size) != NULL;
}

int ad_delimited_put(struct ad_buffer *out, char delimiter, const char *text, size_t size) {
  if (size == 0 || !needs_quotes(delimiter, text, size)) {
    return ad_buffer_append(out, text, size);
  }
  AD_TRY(ad_buffer_puts(out, "\""));
  for (const char *end = text + size; text < end;) {
    const char *quote = memchr(text, '"', (size_t)(end - text));
    const size_t piece = (size_t)((quote == NULL ? end : quote + 1) - text);
    AD_TRY(ad_buffer_append(out, text, piece));
    AD_TRY(quote == NULL ? AD_OK : ad_buffer_puts(out, "\""));
    text += piece;
  }
  return ad_buffer_puts(out, "\"");
}
