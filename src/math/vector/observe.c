/* What snapshots measure of parameters: distances, and a count sketch in 64-bit fixed point. The sketch is plain C that
 * the compiler vectorises; integers, so that all instruction sets give the same bits. */
#include "vector/set.h"
#include "vector/vec.h"

double AD_KERNEL(sum_squared_differences)(size_t n, const float *a, const float *b) {
  vecd sum = vecd_zero();
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    sum = vecd_add_square(sum, vec_sub(vec_load_n(a + i, n - i), vec_load_n(b + i, n - i)));
  }
  return vecd_sum(sum);
}

/* x scale to the nearest integer, ties to even: added to 1.5 2^52, the integer stands in the low bits of the double.
 * Conversions of the instruction sets differ, and not all of them have one. */
VEC_INLINE uint64_t fixed(float x, double scale) {
  const double most = 0x1p51 - 1.0, anchor = 0x1.8p52;
  double v = (double)x * scale;
  v = v < most ? v : most;
  v = (v > -most ? v : -most) + anchor;
  uint64_t bits, zero;
  memcpy(&bits, &v, sizeof bits);
  memcpy(&zero, &anchor, sizeof zero);
  return bits - zero;
}

/* The float with its sign turned where bit i of signs is set. */
VEC_INLINE float turned(float x, uint32_t signs, uint32_t i) {
  uint32_t word;
  memcpy(&word, &x, sizeof word);
  word ^= (signs >> i) << 31;
  memcpy(&x, &word, sizeof x);
  return x;
}

void AD_KERNEL(sketch)(size_t n, size_t lane, double scale, uint32_t shift, const uint32_t *words, const float *x,
                       uint64_t *sum) {
  while (n > 0) {
    const size_t room = AD_SKETCH_GROUP - lane, count = n < room ? n : room;
    const uint32_t word = *words++, signs = word >> 16 >> lane;
    uint64_t *place = sum + ((word & 0xffff) >> shift) + lane;
    if (count == AD_SKETCH_GROUP) {
      for (uint32_t i = 0; i < AD_SKETCH_GROUP; i++) {
        place[i] += fixed(turned(x[i], signs, i), scale);
      }
    } else {
      for (uint32_t i = 0; i < count; i++) {
        place[i] += fixed(turned(x[i], signs, i), scale);
      }
    }
    x += count;
    n -= count;
    lane = 0;
  }
}
