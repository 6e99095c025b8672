/* Unicode's normal forms and what belongs to them, to the letter as Hugging Face's library `tokenizers` has them. */
#ifndef AUTODIDACT_SRC_TEXT_FORMS_H
#define AUTODIDACT_SRC_TEXT_FORMS_H

#include "autodidact/base/buffer.h"
#include "unicode.h"

/* In the order of the table's bits. */
enum ad_form { AD_FORM_NFD, AD_FORM_NFKD, AD_FORM_NFC, AD_FORM_NFKC };

/* Whether a character is a mark to StripAccents: of the categories M*. */
int ad_form_is_mark(uint32_t c);

/* Appends a text [size bytes] of valid UTF-8 in a normal form. `codes` and `scratch` are work memory. AD_ENOMEM. */
int ad_form_apply(enum ad_form form, const char *text, size_t size, struct ad_codes *codes, struct ad_codes *scratch,
                  struct ad_buffer *out);

/* The number of bytes before the first character that the form may change; `size` when there is none. */
size_t ad_form_kept(enum ad_form form, const char *text, size_t size);

#endif
