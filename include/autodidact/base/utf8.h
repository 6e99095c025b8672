/* Texts of files: whether they are UTF-8, and what to say where they are not. */
#ifndef AUTODIDACT_BASE_UTF8_H
#define AUTODIDACT_BASE_UTF8_H

#include <stddef.h>

/* The number of bytes before the first that is no valid UTF-8; `size` when all are. */
size_t ad_utf8_valid(const char *text, size_t size);

/* The bytes of a byte order mark at the start of text [size]: 3 or 0. */
size_t ad_utf8_mark(const char *text, size_t size);

/* ad_fail(AD_EINPUT) of text [size] that is no UTF-8 from byte `bad` on: its line, counted from `line`, the bytes, and
 * the encoding that they look like. name: of the file. */
int ad_utf8_fail(const char *name, size_t line, const char *text, size_t size, size_t bad);

/* Refuses a text that is not UTF-8, by ad_utf8_fail from line 1. AD_EINPUT. */
int ad_utf8_check(const char *name, const char *text, size_t size);

#endif
