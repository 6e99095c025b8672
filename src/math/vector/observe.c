/* What snapshots measure of parameters that are not being updated. */
#include "vector/set.h"
#include "vector/sketch.h"

double AD_KERNEL(sum_squared_differences)(size_t n, const float *a, const float *b) {
  vecd sum = vecd_zero();
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    sum = vecd_add_square(sum, vec_sub(vec_load_n(a + i, n - i), vec_load_n(b + i, n - i)));
  }
  return vecd_sum(sum);
}

void AD_KERNEL(sketch)(size_t n, const struct ad_sketch *sketch, const float *x) {
  const uint32_t *words = sketch->words;
  size_t lane = sketch->lane;
  while (n > 0) {
    const size_t room = AD_SKETCH_GROUP - lane, count = n < room ? n : room;
    if (count == AD_SKETCH_GROUP) {
      sketch_group(sketch, *words++, vec_load(x));
    } else {
      sketch_part(sketch, *words++, lane, count, x);
    }
    x += count;
    n -= count;
    lane = 0;
  }
}
