/* The form of a model's input: what of a packed example is the model's choice. The special tokens around the texts are
 * the tokenizer's (src/text/tokenizer.h, struct ad_frame). */
#ifndef AUTODIDACT_DATA_FORM_H
#define AUTODIDACT_DATA_FORM_H

#include <stdint.h>

struct ad_input_form {
  uint32_t second_type;    /* token type of a pair's second segment; all other tokens have type 0 */
  uint32_t first_position; /* position of an example's first token: a row of the model's table */
  uint32_t longest;        /* tokens of an example, special ones included, at most */
};

#endif
