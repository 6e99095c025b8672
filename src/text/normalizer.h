/* The normalizers of tokenizer.json. */
#ifndef AUTODIDACT_SRC_TEXT_NORMALIZER_H
#define AUTODIDACT_SRC_TEXT_NORMALIZER_H

#include "autodidact/base/buffer.h"
#include "autodidact/base/json.h"

struct ad_normalizer;

/* Makes what a "normalizer" of the file `path` says; NULL or JSON's null: nothing is changed. The caller owns it:
 * ad_normalizer_destroy. AD_EINPUT (a component or an option that is not known), AD_ENOMEM. */
int ad_normalizer_create(struct ad_normalizer **out, const char *path, const json_t *component);

/* Appends a text [size bytes] of valid UTF-8 normalised to `out`. AD_ENOMEM. */
int ad_normalizer_apply(struct ad_normalizer *n, const char *text, size_t size, struct ad_buffer *out);
void ad_normalizer_destroy(struct ad_normalizer *n);

#endif
