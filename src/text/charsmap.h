/* The charsmap of a `Precompiled` normalizer: SentencePiece's rules, as Hugging Face's library `tokenizers` applies
 * them. Not installed. */
#ifndef AUTODIDACT_SRC_TEXT_CHARSMAP_H
#define AUTODIDACT_SRC_TEXT_CHARSMAP_H

#include "autodidact/base/buffer.h"
#include "autodidact/base/json.h"

struct ad_charsmap;

/* Reads the base64 of a charsmap: the size of a Darts double array, the array, the texts that its values point into.
 * The caller owns it: ad_charsmap_destroy. AD_EINPUT with path and key, AD_ENOMEM. */
int ad_charsmap_create(struct ad_charsmap **charsmap, const char *path, const json_t *base64);
void ad_charsmap_destroy(struct ad_charsmap *charsmap);

/* The number of bytes at the start of a text [size bytes] of valid UTF-8 that stay as they are. */
size_t ad_charsmap_kept(const struct ad_charsmap *charsmap, const char *text, size_t size);

/* Appends a text rewritten. AD_EINPUT: a value of the array points outside of the texts. AD_ENOMEM. */
int ad_charsmap_apply(const struct ad_charsmap *charsmap, const char *text, size_t size, struct ad_buffer *out);

#endif
