/* Dropout masks inside the kernels (the formula is in autodidact/math/kernels.h). */
#ifndef AD_MATH_VECTOR_MASK_H
#define AD_MATH_VECTOR_MASK_H

#include "vector/set.h"
#include "vector/vec.h"

/* What the 64-column pieces of one row share: the key, and the first three of Philox's ten rounds as far as they do not
 * depend on the block number. */
struct mask_row {
  uint32_t key0, key1;         /* of the fourth round */
  uint32_t a2, b0, c0, c1, c2; /* xor terms, by the round (a: first) and the word they enter */
  uint32_t threshold;
  float scale;
};

VEC_INLINE int mask_is_on(const struct ad_dropout *dropout) {
  return dropout != NULL && dropout->threshold != 0;
}

void AD_KERNEL(mask_row)(const struct ad_dropout *dropout, uint32_t example, uint32_t position, struct mask_row *row);

/* Factors (0 or scale) of the columns [64 piece, 64 piece + 64) into factors [64]. */
void AD_KERNEL(mask_fill)(const struct mask_row *row, size_t piece, float *factors);

/* The factors of one row, column by column: start, then next for n = 0, 16, 32, ... */
struct mask_stream {
  struct mask_row row;
  float factors[64];
};
VEC_INLINE void mask_start(struct mask_stream *mask, const struct ad_dropout *dropout, uint32_t example,
                           uint32_t position) {
  AD_KERNEL(mask_row)(dropout, example, position, &mask->row);
}
VEC_INLINE vec mask_next(struct mask_stream *mask, size_t n) {
  if (n % 64 == 0) {
    AD_KERNEL(mask_fill)(&mask->row, n / 64, mask->factors);
  }
  return vec_load(mask->factors + n % 64);
}

#endif
