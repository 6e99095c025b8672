/* Entries of tables as text. */
#ifndef AUTODIDACT_BASE_DELIMITED_H
#define AUTODIDACT_BASE_DELIMITED_H

#include "autodidact/base/buffer.h"

/* Appends an entry [size], in quotes (RFC 4180) where it has the delimiter, an end of line or a quote. Between TABs
 * only a quote in front asks for quotes, as readers of such tables take it. AD_ENOMEM. */
int ad_delimited_put(struct ad_buffer *out, char delimiter, const char *text, size_t size);

#endif
