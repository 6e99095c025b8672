/* Sizes that the attention kernels and ad_attention_work share. */
#ifndef AD_MATH_ATTENTION_H
#define AD_MATH_ATTENTION_H

#include <stddef.h>

enum { ATTENTION_BLOCK = 32 }; /* queries handled at once: their probabilities stay in the second-level cache */

/* Keys rounded up to whole vectors. */
static inline size_t attention_keys(size_t S) {
  return (S + 15) / 16 * 16;
}

#endif
