/* Lines of text encoded one after another, as they come. */
#ifndef AUTODIDACT_TEXT_STREAM_H
#define AUTODIDACT_TEXT_STREAM_H

#include <stdio.h>

#include "autodidact/text/tokenizer.h"

struct ad_stream_options {
  size_t limit; /* most tokens of a line; 0: none */
  enum ad_truncation truncation;
  int pair; /* 1: a line is two texts with a TAB between them */
};

/* Gets each line's encoding. A failure that it returns ends the stream. */
typedef int (*ad_encoding_taker)(void *context, const struct ad_tokenizer *tokenizer,
                                 const struct ad_encoding *encoding);

/* Reads the stream to its end; `name` is its name in messages. AD_EINPUT with the line (not UTF-8, no pair, another
 * kind of file), AD_EIO, AD_ENOMEM, or what `take` returns. */
int ad_tokenizer_stream(struct ad_tokenizer *tokenizer, FILE *stream, const char *name,
                        const struct ad_stream_options *options, ad_encoding_taker take, void *context);

#endif
