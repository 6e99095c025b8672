/* The exact window: sums of parameters in 64-bit fixed point, and their mean, rounded once. Integers, so that all
 * instruction sets give the same bits. */
#include "vector/set.h"
#include "vector/vec.h"

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

/* Rounds a mean whose quotient (its bits are `word`) lies near the middle of two floats, without a division: the middle
 * times count scale is exact in double (25 bits and at most 28) and tells on which side sum lies. No branches, so that
 * it vectorises. */
VEC_INLINE float resolve(int64_t sum, uint64_t word, double count_scale) {
  const uint64_t magnitude = word & (UINT64_MAX >> 1), sign = word ^ magnitude;
  /* Of others the result is not used: zero, so that all conversions are in range. */
  const uint64_t below = vec_is_near(word) ? (magnitude - (VEC_MIDDLE - VEC_NEAR)) & ~VEC_EXTRA_MASK : 0;
  const uint64_t middle = vec_is_near(word) ? below | VEC_MIDDLE : 0;
  double edge;
  memcpy(&edge, &middle, sizeof edge);
  const double product = edge * count_scale, whole = floor(product);
  /* Unsigned: the middle above the largest sum is 2^63. */
  const uint64_t size = sum < 0 ? 0 - (uint64_t)sum : (uint64_t)sum, floored = (uint64_t)whole;
  const uint64_t odd = below >> VEC_EXTRA & 1, on_it = (size == floored) & !(product > whole);
  /* Above the middle; or on it, and the lower float is odd. */
  const uint64_t up = (size > floored) | (on_it & odd);
  const uint64_t rounded = (below + (up << VEC_EXTRA)) | sign;
  double mean;
  memcpy(&mean, &rounded, sizeof mean);
  return (float)mean;
}

/* What sums are divided by. */
struct divisor {
  uint64_t count;
  double scale, count_scale, factor; /* factor = 1 / count_scale */
  int is_power;                      /* count is a power of two */
};

VEC_INLINE struct divisor divide_by(double scale, uint64_t count) {
  const double count_scale = scale * (double)count;
  return (struct divisor){count, scale, count_scale, 1.0 / count_scale, (count & (count - 1)) == 0};
}

/* Means of which one is doubtful at least. From 2^28 vectors on resolve's product is not exact. */
VEC_INLINE vec doubtful_means(const int64_t *sum, const struct divisor *by) {
  float mean[VEC_WIDTH];
  for (size_t i = 0; i < VEC_WIDTH; i++) {
    const double quotient = (double)sum[i] * by->factor;
    uint64_t word;
    memcpy(&word, &quotient, sizeof word);
    const float exact = resolve(sum[i], word, by->count_scale);
    mean[i] = vec_is_near(word) ? exact : (float)quotient;
  }
  for (size_t i = 0; i < VEC_WIDTH && by->count >= 1ull << 28; i++) {
    mean[i] = exact_mean(sum[i], by->count, ilogb(by->scale));
  }
  return vec_load(mean);
}

/* Means of sixteen sums. By a power of two the conversion is the one rounding, and the result far from the smallest
 * floats. Else the quotient in double is within 3 units in the last place of the true one; rounded to float it is right
 * unless it lies near the middle between two floats. Parameters that hardly move have such means often. */
VEC_INLINE vec means(const int64_t *sum, const struct divisor *by) {
  vec mean;
  if (by->is_power) {
    float each[VEC_WIDTH];
    for (size_t i = 0; i < VEC_WIDTH; i++) {
      each[i] = (float)sum[i] * (float)by->factor;
    }
    return vec_load(each);
  }
  return vec_quotients(sum, by->factor, &mean) ? doubtful_means(sum, by) : mean;
}

/* Of fewer than sixteen. */
static void last_means(size_t n, const int64_t *sum, const struct divisor *by, float *mean) {
  int64_t padded[VEC_WIDTH] = {0};
  if (n > 0) {
    memcpy(padded, sum, n * sizeof *sum);
    vec_store_n(mean, means(padded, by), n);
  }
}

void AD_KERNEL(window_mean)(size_t n, double scale, uint64_t count, const int64_t *sum, float *mean) {
  const struct divisor by = divide_by(scale, count);
  size_t i = 0;
  for (; i + VEC_WIDTH <= n; i += VEC_WIDTH) {
    vec_store(mean + i, means(sum + i, &by));
  }
  last_means(n - i, sum + i, &by, mean + i);
}

static void add_fresh(size_t n, double scale, const float *x, float *slot, int64_t *sum) {
  for (size_t i = 0; i < n; i++) {
    sum[i] += vec_fixed(x[i], scale);
  }
  if (slot != NULL) {
    memcpy(slot, x, n * sizeof *slot);
  }
}

int AD_KERNEL(window_push)(size_t n, double scale, int fresh, const float *x, float *slot, int64_t *sum, uint64_t count,
                           float *mean) {
  int outside = 0;
  for (size_t i = 0; i < n; i++) {
    outside |= !(fabsf(x[i]) < AD_WINDOW_RANGE);
  }
  if (outside) {
    return 0;
  }
  if (slot == NULL || fresh) {
    add_fresh(n, scale, x, slot, sum);
    if (mean != NULL) {
      AD_KERNEL(window_mean)(n, scale, count, sum, mean);
    }
    return 1;
  }
  /* All vectors side by side: what is read of each comes from memory, and is fetched ahead only so. */
  const struct divisor by = divide_by(scale, count);
  size_t i = 0;
  for (; i + VEC_WIDTH <= n; i += VEC_WIDTH) {
    vec_fixed_exchange(x + i, slot + i, scale, sum + i);
    if (mean != NULL) {
      vec_stream(mean + i, means(sum + i, &by));
    }
  }
  vec_fixed_exchange_each(n - i, x + i, slot + i, scale, sum + i);
  if (mean != NULL) {
    last_means(n - i, sum + i, &by, mean + i);
    vec_stream_end();
  }
  return 1;
}

void AD_KERNEL(moving_average)(size_t n, double decay, const float *x, float *mean) {
  const vec keep = vec_set1((float)decay), take = vec_set1((float)(1.0 - decay));
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    const vec taken = vec_mul(take, vec_load_n(x + i, n - i));
    vec_store_n(mean + i, vec_fma(keep, vec_load_n(mean + i, n - i), taken), n - i);
  }
}
