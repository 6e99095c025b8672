/* What the attention kernels have in common: rows of scores to probabilities, their dropout, and both undone. A row has
 * S scores and room for whole vectors. */
#ifndef AD_MATH_VECTOR_SOFTMAX_H
#define AD_MATH_VECTOR_SOFTMAX_H

#include "vector/mask.h"

/* Softmax of scale times the row p [S], in place; zeros behind it. A NaN makes the whole row NaN. */
static void softmax(size_t S, float scale, float *p) {
  vec largest = vec_set1(-INFINITY), sum = vec_set1(0.0f);
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    largest = vec_max(vec_load_fill(p + k, S - k, -INFINITY), largest);
  }
  const vec max = vec_set1(vec_largest(largest)), factor = vec_set1(scale);
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    const vec e = vec_exp(vec_mul(vec_sub(vec_load_fill(p + k, S - k, -INFINITY), max), factor));
    vec_store(p + k, e);
    sum = vec_add(sum, e);
  }
  const vec share = vec_set1(1.0f / vec_sum(sum));
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    vec_store(p + k, vec_mul(vec_load(p + k), share));
  }
}

/* The factors of the scores [begin, end) of a head into room; where those of `begin` are. NULL: no dropout. */
static const float *softmax_mask(const struct ad_dropout *dropout, uint32_t example, uint32_t head, size_t begin,
                                 size_t end, float *room) {
  if (!mask_is_on(dropout)) {
    return NULL;
  }
  struct mask_row row;
  AD_KERNEL(mask_row)(dropout, example, head, &row);
  const size_t first = begin / 64;
  for (size_t piece = first; piece * 64 < end; piece++) {
    AD_KERNEL(mask_fill)(&row, piece, room + (piece - first) * 64);
  }
  return room + begin % 64;
}

/* The row p [S] times its factors [S]. */
static void softmax_drop(size_t S, const float *mask, float *p) {
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    vec_store(p + k, vec_mul(vec_load(p + k), vec_load_n(mask + k, S - k)));
  }
}

/* g masked, and the sum of p g. */
VEC_INLINE vec softmax_inner(size_t S, const float *mask, const float *p, float *g) {
  vec sum = vec_set1(0.0f);
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    vec d = vec_load(g + k);
    if (mask != NULL) {
      d = vec_mul(d, vec_load_n(mask + k, S - k));
      vec_store(g + k, d);
    }
    sum = vec_fma(d, vec_load(p + k), sum);
  }
  return vec_set1(vec_sum(sum));
}

/* From g, the gradient of the masked probabilities, to that of the scores: scale p (g - sum(p g)), g masked first. p is
 * masked too: as such the gradient of V wants it. mask NULL: no dropout. */
static void softmax_backward(size_t S, float scale, const float *mask, float *p, float *g) {
  const vec factor = vec_set1(scale), mean = softmax_inner(S, mask, p, g);
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    const vec x = vec_load(p + k);
    vec_store(g + k, vec_mul(vec_mul(x, factor), vec_sub(vec_load(g + k), mean)));
    if (mask != NULL) {
      vec_store(p + k, vec_mul(x, vec_load_n(mask + k, S - k)));
    }
  }
}

#endif
