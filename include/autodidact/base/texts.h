/* Pieces of text, and long lists of texts in the order of the alphabet: doubled ones, and finding one, without
 * comparing each with each. */
#ifndef AUTODIDACT_BASE_TEXTS_H
#define AUTODIDACT_BASE_TEXTS_H

#include <stddef.h>

/* Bytes inside something larger; not terminated and not owned. */
struct ad_text_span {
  const char *data; /* [size]; NULL: there is none */
  size_t size;
};

/* The numbers of texts [count] in the order of the texts (strcmp), equal ones ascending, into order [count]. */
void ad_texts_order(const char *const *texts, size_t count, size_t *order);

/* The number of the first text that is there before, and in *before that of its first occurrence; count where none is.
 */
size_t ad_texts_doubled(const char *const *texts, size_t count, const size_t *order, size_t *before);

/* The first text that is equal to `text`; count where none is. */
size_t ad_texts_find(const char *const *texts, size_t count, const size_t *order, const char *text);

#endif
