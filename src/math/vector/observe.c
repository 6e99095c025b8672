/* What snapshots measure of parameters: distances, and a count sketch in 64-bit fixed point. The sketch is
 * made of integers, so that all instruction sets give the same bits. */
#include "vector/set.h"
#include "vector/vec.h"

double AD_KERNEL(sum_squared_differences)(size_t n, const float *a, const float *b) {
  vecd sum = vecd_zero();
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    sum = vecd_add_square(sum, vec_sub(vec_load_n(a + i, n - i), vec_load_n(b + i, n - i)));
  }
  return vecd_sum(sum);
}

void AD_KERNEL(sketch)(size_t n, size_t lane, double scale, uint32_t shift, const uint32_t *words, const float *x,
                       uint64_t *sum) {
  const vec least = vec_set1(-AD_SKETCH_RANGE), zero = vec_set1(0.0f);
  while (n > 0) {
    const size_t room = AD_SKETCH_GROUP - lane, count = n < room ? n : room;
    const uint32_t word = *words++;
    uint64_t *place = sum + ((word & 0xffff) >> shift) + lane;
    /* No less than -RANGE, no more than RANGE; a NaN is -RANGE. */
    const vec above = vec_max(vec_load_n(x, count), least);
    const vec inside = vec_sub(zero, vec_max(vec_sub(zero, above), least));
    const vec turned = vec_negate(inside, word >> 16 >> lane);
    if (count == AD_SKETCH_GROUP) {
      vec_accumulate_fixed(place, turned, scale);
    } else {
      uint64_t part[AD_SKETCH_GROUP] = {0};
      vec_accumulate_fixed(part, turned, scale);
      for (size_t i = 0; i < count; i++) {
        place[i] += part[i];
      }
    }
    x += count;
    n -= count;
    lane = 0;
  }
}
