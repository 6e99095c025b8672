/* The exact window: sums of parameters in 64-bit fixed point, and their mean, rounded once. Integers, so that all
 * instruction sets give the same bits. Plain C that the compiler vectorises, but for vec_fixed_exchange. */
#include "vector/set.h"
#include "vector/vec.h"

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
      sum[i] += vec_fixed(x[i], scale);
    }
    if (slot != NULL) {
      memcpy(slot, x, n * sizeof *slot);
    }
    return 1;
  }
  /* All vectors side by side: what is read of each comes from memory, and is fetched ahead only so. */
  size_t i = 0;
  for (; i + VEC_WIDTH <= n; i += VEC_WIDTH) {
    vec_fixed_exchange(x + i, slot + i, scale, sum + i);
  }
  vec_fixed_exchange_each(n - i, x + i, slot + i, scale, sum + i);
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

/* The 29 bits that a double has more than a float, seen from below the middle between two floats. */
enum { EXTRA = 29, NEAR = 4 };
#define EXTRA_MASK ((1ull << EXTRA) - 1)
#define MIDDLE (1ull << (EXTRA - 1))

VEC_INLINE int is_doubtful(uint64_t word) {
  return (word & EXTRA_MASK) - (MIDDLE - NEAR) <= 2 * NEAR;
}

/* Rounds a mean whose quotient (its bits are `word`) lies near the middle of two floats, without a division: the middle
 * times count scale is exact in double (25 bits and at most 28) and tells on which side sum lies. No branches, so that
 * it vectorises. */
VEC_INLINE float resolve(int64_t sum, uint64_t word, double count_scale) {
  const uint64_t magnitude = word & (UINT64_MAX >> 1), sign = word ^ magnitude;
  /* Of others the result is not used: zero, so that all conversions are in range. */
  const uint64_t below = is_doubtful(word) ? (magnitude - (MIDDLE - NEAR)) & ~EXTRA_MASK : 0;
  const uint64_t middle = is_doubtful(word) ? below | MIDDLE : 0;
  double edge;
  memcpy(&edge, &middle, sizeof edge);
  const double product = edge * count_scale, whole = floor(product);
  /* Unsigned: the middle above the largest sum is 2^63. */
  const uint64_t size = sum < 0 ? 0 - (uint64_t)sum : (uint64_t)sum, floored = (uint64_t)whole;
  const uint64_t odd = below >> EXTRA & 1, on_it = (size == floored) & !(product > whole);
  /* Above the middle; or on it, and the lower float is odd. */
  const uint64_t up = (size > floored) | (on_it & odd);
  const uint64_t rounded = (below + (up << EXTRA)) | sign;
  double mean;
  memcpy(&mean, &rounded, sizeof mean);
  return (float)mean;
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
   * lies within NEAR of the middle between two floats. Parameters that hardly move have such means often: pieces with
   * one are done again, exactly. */
  enum { PIECE = 256 };
  const double factor = 1.0 / (scale * (double)count), count_scale = scale * (double)count;
  const int large = count >= 1ull << 28;
  for (size_t from = 0; from < n; from += PIECE) {
    const size_t to = n - from < PIECE ? n : from + PIECE;
    uint64_t doubtful = 0;
    for (size_t i = from; i < to; i++) {
      const double quotient = (double)sum[i] * factor;
      uint64_t word;
      memcpy(&word, &quotient, sizeof word);
      doubtful |= (uint64_t)is_doubtful(word);
      mean[i] = (float)quotient;
    }
    if (!doubtful) {
      continue;
    }
    for (size_t i = from; i < to; i++) {
      const double quotient = (double)sum[i] * factor;
      uint64_t word;
      memcpy(&word, &quotient, sizeof word);
      const float exact = resolve(sum[i], word, count_scale);
      mean[i] = is_doubtful(word) ? exact : mean[i];
    }
    for (size_t i = from; large && i < to; i++) {
      mean[i] = exact_mean(sum[i], count, ilogb(scale));
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
