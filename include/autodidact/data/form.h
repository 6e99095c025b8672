/* The form of a model's input: what of a packed example is the model's choice. The special tokens around the texts are
 * the tokenizer's (src/text/tokenizer.h, struct ad_frame). */
#ifndef AUTODIDACT_DATA_FORM_H
#define AUTODIDACT_DATA_FORM_H

#include <stdint.h>

struct ad_input_form {
  uint32_t second_type;    /* token type of a pair's second segment; all other tokens have type 0 */
  uint32_t first_position; /* position of an example's first token: a row of the model's table. Above 0, a token of the
                              id first_position - 1 is padding: that is its position, and it is not counted */
  uint32_t longest;        /* tokens of an example, special ones included, at most */
  int cls_last;            /* 1: the row that the classifier reads is an example's last token, not its first */
  uint32_t cls_type;       /* the last token's type then */
};

#endif
