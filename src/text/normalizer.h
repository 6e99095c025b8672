/* The normalizer of a tokenizer.json: a chain of steps, each to the letter as Hugging Face's library `tokenizers` has
 * it. Not installed. */
#ifndef AUTODIDACT_SRC_TEXT_NORMALIZER_H
#define AUTODIDACT_SRC_TEXT_NORMALIZER_H

#include "autodidact/base/buffer.h"
#include "autodidact/base/json.h"

/* Holds work memory: one thread at a time. */
struct ad_normalizer;

/* Reads the object "normalizer" of the file at `path`, which is for messages; NULL or null: none, and texts stay as
 * they are. The caller owns it: ad_normalizer_destroy. AD_EINPUT with path and key: a type or a setting that is not
 * known. AD_ENOMEM. */
int ad_normalizer_create(struct ad_normalizer **out, const char *path, const json_t *component);

/* Appends a text [size bytes] of valid UTF-8 normalised to `out`. AD_EINPUT: a damaged charsmap. AD_ENOMEM. */
int ad_normalizer_apply(struct ad_normalizer *normalizer, const char *text, size_t size, struct ad_buffer *out);

/* NULL is allowed. */
void ad_normalizer_destroy(struct ad_normalizer *normalizer);

#endif
