/* The exact window: sums of parameters in 64-bit fixed point, and their mean, rounded once. Plain C that the compiler
 * vectorises; integers, so that all instruction sets give the same bits. */
#include "vector/set.h"
#include "vector/vec.h"

/* x scale, exact in double as scale is a power of two, to the nearest integer (ties to even). */
VEC_INLINE int64_t fixed(float x, double scale) {
  return (int64_t)rint((double)x * scale);
}

int AD_KERNEL(window_push)(size_t n, double scale, int fresh, const float *x, float *slot, int64_t *sum) {
  int outside = 0;
  for (size_t i = 0; i < n; i++) {
    outside |= !(fabsf(x[i]) < AD_WINDOW_RANGE);
  }
  if (outside) {
    return 0;
  }
  if (slot == NULL || fresh) {
    for (size_t i = 0; i < n; i++) {
      sum[i] += fixed(x[i], scale);
    }
    if (slot != NULL) {
      memcpy(slot, x, n * sizeof *slot);
    }
    return 1;
  }
  for (size_t i = 0; i < n; i++) {
    const float leaver = slot[i];
    sum[i] += fixed(x[i], scale) - fixed(leaver, scale);
    slot[i] = x[i];
  }
  return 1;
}

/* sum / (count scale) to the nearest float, ties to even, by integers alone. scale = 2^shift, 0 <= shift <= 57. */
static float exact_mean(int64_t sum, uint64_t count, int shift) {
  if (sum == 0) {
    return 0.0f;
  }
  enum { DIGITS = 24, SPARE = 64 };
  typedef unsigned __int128 wide;
  const uint64_t magnitude = sum < 0 ? 0u - (uint64_t)sum : (uint64_t)sum;
  const wide numerator = (wide)magnitude << SPARE, quotient = numerator / count;
  const int inexact = quotient * count != numerator;
  int bits = 0;
  for (wide left = quotient; left != 0; left >>= 1) {
    bits++;
  }
  /* magnitude >= 1 and count < 2^40, so that quotient has 24 bits at least. */
  const int cut = bits - DIGITS;
  uint32_t digits = (uint32_t)(quotient >> cut);
  if (cut > 0) {
    const wide rest = quotient & (((wide)1 << cut) - 1), half = (wide)1 << (cut - 1);
    digits += rest > half || (rest == half && (inexact || (digits & 1) != 0));
  }
  const float mean = ldexpf((float)digits, cut - SPARE - shift);
  return sum < 0 ? -mean : mean;
}

void AD_KERNEL(window_mean)(size_t n, double scale, uint64_t count, const int64_t *sum, float *mean) {
  if ((count & (count - 1)) == 0) {
    /* The conversion is the one rounding; the factor is a power of two and the result far from the smallest floats. */
    const float factor = (float)(1.0 / (scale * (double)count));
    for (size_t i = 0; i < n; i++) {
      mean[i] = (float)sum[i] * factor;
    }
    return;
  }
  /* In double the quotient is within 3 units in the last place of the true one; rounded to float it is right unless it
   * lies within 4 of a midpoint between two floats, whose 29 last bits are 1000... Those are done exactly. */
  enum { PIECE = 512 };
  const double factor = 1.0 / (scale * (double)count);
  for (size_t from = 0; from < n; from += PIECE) {
    const size_t to = n - from < PIECE ? n : from + PIECE;
    uint64_t doubtful = 0;
    for (size_t i = from; i < to; i++) {
      const double quotient = (double)sum[i] * factor;
      uint64_t word;
      memcpy(&word, &quotient, sizeof word);
      doubtful |= (word & 0x1fffffff) - 0x0ffffffc <= 8;
      mean[i] = (float)quotient;
    }
    for (size_t i = from; i < to && doubtful; i++) {
      const double quotient = (double)sum[i] * factor;
      uint64_t word;
      memcpy(&word, &quotient, sizeof word);
      if ((word & 0x1fffffff) - 0x0ffffffc <= 8) {
        mean[i] = exact_mean(sum[i], count, ilogb(scale));
      }
    }
  }
}

void AD_KERNEL(moving_average)(size_t n, double decay, const float *x, float *mean) {
  const vec keep = vec_set1((float)decay), take = vec_set1((float)(1.0 - decay));
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    const vec taken = vec_mul(take, vec_load_n(x + i, n - i));
    vec_store_n(mean + i, vec_fma(keep, vec_load_n(mean + i, n - i), taken), n - i);
  }
}
