/* A count sketch in 64-bit fixed point, of a group of values: inside the update and on its own. It is made of integers,
 * so that all instruction sets give the same bits. */
#ifndef AD_MATH_VECTOR_SKETCH_H
#define AD_MATH_VECTOR_SKETCH_H

#include "autodidact/math/kernels.h"
#include "vector/vec.h"

/* x as it is added: no less than -RANGE, no more than RANGE, a NaN as -RANGE, and its signs. */
VEC_INLINE vec sketch_signed(vec x, uint32_t signs) {
  const vec inside = vec_min(vec_max(x, vec_set1(-AD_SKETCH_RANGE)), vec_set1(AD_SKETCH_RANGE));
  return vec_negate(inside, signs);
}

/* A whole group: its sums fill at most two cache lines. */
VEC_INLINE void sketch_group(const struct ad_sketch *s, uint32_t word, vec x) {
  const uint32_t h = (word & 0xffff) >> s->shift, turn = h % AD_SKETCH_GROUP;
  vec_accumulate_fixed(s->sum + (h - turn), vec_rotate(sketch_signed(x, word >> 16), turn), s->scale);
}

/* n values of a group, from its number `lane` on. */
VEC_INLINE void sketch_part(const struct ad_sketch *s, uint32_t word, size_t lane, size_t n, const float *x) {
  const uint32_t h = (word & 0xffff) >> s->shift;
  uint64_t part[AD_SKETCH_GROUP] = {0};
  vec_accumulate_fixed(part, sketch_signed(vec_load_n(x, n), word >> 16 >> lane), s->scale);
  for (size_t i = 0; i < n; i++) {
    s->sum[h / AD_SKETCH_GROUP * AD_SKETCH_GROUP + (h + lane + i) % AD_SKETCH_GROUP] += part[i];
  }
}

#endif
