/* How wide a text is on a terminal: tables line up by this, not by bytes. */
#ifndef AUTODIDACT_BASE_WIDTH_H
#define AUTODIDACT_BASE_WIDTH_H

#include <stddef.h>

/* Columns of a text [size] in UTF-8: two for a character of Chinese, Japanese or Korean, none for an accent on another
 * character, one for a byte that is no UTF-8. */
size_t ad_text_width(const char *text, size_t size);

/* Spaces that fill a text up to `width` columns, 0 where it is as wide: printf("%s%*s", text, ad_text_fill(text,
 * width), "") stands left, "%*s%s" right. */
int ad_text_fill(const char *text, size_t width);

/* The largest of `width` and the columns of a text. */
size_t ad_text_widest(size_t width, const char *text);

#endif
