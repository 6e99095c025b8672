/* The exact window's kernels against integer arithmetic of 128 bits. */
#include "reference/check.h"

enum { LENGTHS = 41 };

/* x 2^shift to the nearest integer, ties to even, from the parts of x = digits 2^exponent. */
static int64_t exact_fixed(float x, int shift) {
  int exponent;
  const int64_t digits = (int64_t)ldexpf(frexpf(x, &exponent), 24);
  const int up = exponent - 24 + shift;
  if (up >= 0) {
    return digits * ((int64_t)1 << up);
  }
  if (up < -40) {
    return 0; /* below 2^24 2^-40 */
  }
  const int64_t unit = (int64_t)1 << -up, magnitude = digits < 0 ? -digits : digits;
  int64_t whole = magnitude / unit;
  const int64_t rest = magnitude % unit;
  whole += 2 * rest > unit || (2 * rest == unit && whole % 2 == 1);
  return digits < 0 ? -whole : whole;
}

/* The sign of sum - point count 2^shift, exact. point has at most 30 significant bits. */
static int compare(int64_t sum, uint64_t count, int shift, double point) {
  int exponent;
  const double fraction = ldexp(frexp(point, &exponent), 30);
  const __int128 digits = (__int128)fraction;
  assert_true((double)digits == fraction);
  const int up = exponent - 30 + shift;
  const __int128 left = up < 0 ? (__int128)sum * ((__int128)1 << -up) : (__int128)sum;
  const __int128 right = digits * (__int128)count * (up > 0 ? (__int128)1 << up : 1);
  return left < right ? -1 : left > right;
}

/* From the definition: no float is nearer to sum / (count 2^shift), and where one is as near, `mean` is the even one.
 */
static void check_mean(const char *set, int64_t sum, uint64_t count, int shift, float mean) {
  const double near = (double)sum / (double)count / ldexp(1.0, shift);
  CHECK_CLOSE(fabs(mean - near), 1e-7 * fabs(near), "%s: %lld / %llu 2^-%d", set, (long long)sum,
              (unsigned long long)count, shift);
  if (sum == 0) {
    assert_true(mean == 0.0f && !signbit(mean));
    return;
  }
  uint32_t bits;
  memcpy(&bits, &mean, sizeof bits);
  const int even = bits % 2 == 0;
  const double below = nextafterf(mean, -INFINITY), above = nextafterf(mean, INFINITY);
  const int low = compare(sum, count, shift, (below + mean) / 2), high = compare(sum, count, shift, (above + mean) / 2);
  if (!((low > 0 || (low == 0 && even)) && (high < 0 || (high == 0 && even)))) {
    fail_msg("%s: %lld / %llu 2^-%d is not %.9g (%d, %d)", set, (long long)sum, (unsigned long long)count, shift,
             (double)mean, low, high);
  }
}

/* All sets: the right mean, hence the same bits. */
static void check_means(size_t n, const int64_t *sums, uint64_t count, int shift) {
  float *mean = malloc(n * sizeof *mean), *first = NULL;
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k == NULL) {
      continue;
    }
    memset(mean, 0xff, n * sizeof *mean);
    k->window_mean(n, ldexp(1.0, shift), count, sums, mean);
    for (size_t i = 0; i < n; i++) {
      check_mean(k->name, sums[i], count, shift, mean[i]);
    }
    if (first == NULL) {
      first = check_copy(mean, n);
    }
    assert_memory_equal(mean, first, n * sizeof *mean);
  }
  free(mean);
  free(first);
}

/* The last one divides 2^64 - 1 into 25 binary digits, the last one 1: so 1 over it lies above a midpoint, by 2^-64 of
 * itself. */
static const uint64_t COUNTS[] = {1,
                                  2,
                                  3,
                                  4,
                                  5,
                                  6,
                                  7,
                                  10,
                                  64,
                                  1000,
                                  1024,
                                  4095,
                                  65536,
                                  65537,
                                  999999,
                                  (1ull << 39) + 1,
                                  (1ull << 40) - 1,
                                  UINT64_MAX / 33502085};
enum { COUNT_COUNTS = sizeof COUNTS / sizeof *COUNTS };

/* The grid of a window of this size. */
static int shift_for(uint64_t count) {
  int digits = 0;
  while ((1ull << digits) < count) {
    digits++;
  }
  return 57 - digits;
}

static uint64_t word(uint32_t substream, uint64_t i) {
  return ad_random_below(7, AD_STREAM_TEST, substream, 2 * i, 1ull << 32) << 32 |
         ad_random_below(7, AD_STREAM_TEST, substream, 2 * i + 1, 1ull << 32);
}

/* Quotients of 25 digits, the last one 1: midpoints between two floats; and the nearest sums on both sides of them. */
static void test_mean_ties(void **state) {
  (void)state;
  enum { TIES = 400 };
  static int64_t sums[6 * TIES];
  for (size_t i = 0; i < COUNT_COUNTS; i++) {
    const uint64_t count = COUNTS[i];
    size_t n = 0;
    for (uint64_t t = 0; t < TIES; t++) {
      const uint64_t quotient = (1u << 24) + 2 * (word(1, t) % (1u << 23)) + 1;
      if (quotient > INT64_MAX / count) {
        continue;
      }
      uint64_t sum = quotient * count;
      for (uint64_t up = t % 40; up > 0 && sum < 1ull << 62; up--) {
        sum *= 2;
      }
      for (int d = -1; d <= 1; d++) {
        sums[n++] = (int64_t)sum + d;
        sums[n++] = -(int64_t)sum + d;
      }
    }
    assert_true(n > 0 || count > 1ull << 38);
    if (n > 0) {
      check_means(n, sums, count, shift_for(count));
    }
  }
}

static void test_mean_extremes(void **state) {
  (void)state;
  static const int64_t sums[] = {0,
                                 1,
                                 -1,
                                 2,
                                 3,
                                 -5,
                                 (1 << 24) - 1,
                                 1 << 24,
                                 (1 << 24) + 1,
                                 (1 << 25) + 3,
                                 (int64_t)1 << 53,
                                 ((int64_t)1 << 53) + 1,
                                 ((int64_t)1 << 54) - 1,
                                 (int64_t)1 << 62,
                                 INT64_MAX,
                                 INT64_MAX - 1,
                                 INT64_MAX - ((int64_t)1 << 38),
                                 INT64_MAX - ((int64_t)1 << 38) - 1,
                                 -INT64_MAX,
                                 -INT64_MAX + ((int64_t)1 << 38)};
  for (size_t i = 0; i < COUNT_COUNTS; i++) {
    const int shifts[] = {0, shift_for(COUNTS[i]), 57};
    for (int s = 0; s < 3; s++) {
      check_means(sizeof sums / sizeof *sums, sums, COUNTS[i], shifts[s]);
    }
  }
}

/* Sums of all magnitudes, more than the piece that the kernel goes by. */
static void test_mean_random(void **state) {
  (void)state;
  enum { N = 20000 };
  static int64_t sums[N];
  for (size_t i = 0; i < COUNT_COUNTS; i++) {
    for (uint64_t n = 0; n < N; n++) {
      sums[n] = (int64_t)(word(2, n * COUNT_COUNTS + i) >> (1 + n % 63)) * (n % 2 == 0 ? 1 : -1);
    }
    check_means(N, sums, COUNTS[i], shift_for(COUNTS[i]));
  }
}

/* Any length at an odd address: what lies beside is left alone, and each mean is the one of a call by itself. */
static void test_mean_lengths(void **state) {
  (void)state;
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (size_t i = 0; k != NULL && i < 3 * LENGTHS; i++) {
      const size_t n = i % LENGTHS;
      const uint64_t count = i / LENGTHS + 2;
      const double scale = ldexp(1.0, 40);
      int64_t *sums = malloc((n + 1) * sizeof *sums);
      float *mean = check_normals(n + 2, 3), *before = check_copy(mean, n + 2), alone;
      for (size_t m = 0; m <= n; m++) {
        sums[m] = (int64_t)word(3, m) >> 1;
      }
      k->window_mean(n, scale, count, sums + 1, mean + 1);
      assert_true(mean[0] == before[0] && mean[n + 1] == before[n + 1]);
      for (size_t m = 0; m < n; m++) {
        k->window_mean(1, scale, count, sums + 1 + m, &alone);
        assert_memory_equal(&alone, &mean[m + 1], sizeof alone);
      }
      free(sums);
      free(mean);
      free(before);
    }
  }
}

/* Values of all binades from 2^-64 to 64, with both of a tie's sides, and exact ties of the grid 2^-shift. */
static float window_value(uint64_t i, int shift) {
  const int sign = word(4, i) % 2 == 0 ? 1 : -1;
  if (i % 4 == 0) {
    return (float)(sign * ldexp((double)(2 * (word(5, i) % 5000) + 1), -shift - 1));
  }
  return (float)(sign * ldexp(1.0 + (double)(word(6, i) % (1u << 23)) / (1u << 23), (int)(i % 70) - 64));
}

/* Three vectors enter a sum: fresh, fresh without a ring, in place of the first. */
static void test_push(void **state) {
  (void)state;
  static const int shifts[] = {57, 56, 47, 40, 18, 0};
  for (size_t i = 0; i < 6 * (LENGTHS + 1); i++) {
    const int shift = shifts[i % 6];
    const size_t n = i / 6 < LENGTHS ? i / 6 : 3001;
    for (int s = 0; s < CHECK_SETS; s++) {
      const struct ad_kernels *k = check_set(s);
      if (k == NULL) {
        continue;
      }
      float *x = malloc(3 * (n + 1) * sizeof *x), *slot = check_normals(n + 2, 5);
      int64_t *sum = malloc((n + 2) * sizeof *sum);
      const float outer[] = {slot[0], slot[n + 1]};
      /* At 2^57 one value near 64 fills the sum: the others are then small, as in a window of several. */
      for (size_t m = 0; m < 3 * (n + 1); m++) {
        x[m] = window_value(m * 6 + i, shift);
        x[m] = shift == 57 && m >= n + 1 ? x[m] / 64.0f : x[m];
      }
      for (size_t m = 0; m < n + 2; m++) {
        sum[m] = m == 0 || m == n + 1 ? 77 : 0;
      }
      assert_int_equal(k->window_push(n, ldexp(1.0, shift), 1, x + 1, slot + 1, sum + 1, 1, NULL), 1);
      assert_memory_equal(slot + 1, x + 1, n * sizeof *x);
      for (size_t m = 0; m < n; m++) {
        assert_int_equal(sum[m + 1], exact_fixed(x[1 + m], shift));
        sum[m + 1] /= 2; /* room for the next */
      }
      assert_int_equal(k->window_push(n, ldexp(1.0, shift), 1, x + n + 1, NULL, sum + 1, 1, NULL), 1);
      assert_int_equal(k->window_push(n, ldexp(1.0, shift), 0, x + 2 * n + 2, slot + 1, sum + 1, 1, NULL), 1);
      assert_memory_equal(slot + 1, x + 2 * n + 2, n * sizeof *x);
      for (size_t m = 0; m < n; m++) {
        const __int128 first = exact_fixed(x[1 + m], shift), second = exact_fixed(x[n + 1 + m], shift);
        assert_true(sum[m + 1] == first / 2 + second + exact_fixed(x[2 * n + 2 + m], shift) - first);
      }
      assert_true(sum[0] == 77 && sum[n + 1] == 77 && slot[0] == outer[0] && slot[n + 1] == outer[1]);
      free(x);
      free(slot);
      free(sum);
    }
  }
}

/* A push that gives the mean too: sums and ring as without, the mean is window_mean's, on whole lines and beside them.
 * Sums of few ulps times the count make many means doubtful. */
static void test_push_mean(void **state) {
  (void)state;
  enum { N = 2 * LENGTHS + 5, SHIFT = 47 };
  for (size_t i = 0; i < COUNT_COUNTS * 4; i++) {
    const uint64_t count = COUNTS[i / 4];
    const int fresh = i % 4 == 0, offset = i % 4 == 2;
    for (int s = 0; s < CHECK_SETS; s++) {
      const struct ad_kernels *k = check_set(s);
      for (size_t n = 1; k != NULL && n < N - 1; n++) {
        _Alignas(64) float mean[N], x[N], slot[N], slots[N];
        float expected[N];
        int64_t sum[N], sums[N];
        for (size_t m = 0; m < N; m++) {
          x[m] = window_value(m + i, SHIFT);
          slot[m] = slots[m] = window_value(m + 7 * i, SHIFT);
          sum[m] = sums[m] = (int64_t)(word(7, m * N + i) >> (4 + m % 60)) * (m % 2 == 0 ? 1 : -1);
          mean[m] = -1.0f;
        }
        const double scale = ldexp(1.0, shift_for(count) < SHIFT ? shift_for(count) : SHIFT);
        float *ring = i % 4 == 1 ? NULL : slot, *other_ring = i % 4 == 1 ? NULL : slots;
        assert_int_equal(k->window_push(n, scale, fresh, x, ring, sum, count, mean + offset), 1);
        assert_int_equal(k->window_push(n, scale, fresh, x, other_ring, sums, 1, NULL), 1);
        k->window_mean(n, scale, count, sums, expected);
        assert_memory_equal(sum, sums, sizeof sum);
        assert_memory_equal(slot, slots, sizeof slot);
        assert_memory_equal(mean + offset, expected, n * sizeof *mean);
        assert_true(mean[offset + n] == -1.0f && (offset == 0 || mean[0] == -1.0f));
      }
    }
  }
}

/* Out of range at any place: nothing is done, with a ring or without. The largest value in range is taken. */
static void test_push_range(void **state) {
  (void)state;
  static const float bad[] = {64.0f, -64.0f, 1e30f, INFINITY, -INFINITY, NAN};
  enum { N = 40 };
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (size_t i = 0; k != NULL && i < 6 * N * 4; i++) {
      const size_t at = i / 24, n = at + 1 + (i / 6) % 2 * (N - at - 1);
      const int with_ring = (int)(i / 12) % 2;
      float *x = check_normals(n, 6), *slot = check_normals(n, 7), *slot_before = check_copy(slot, n);
      float mean[N];
      int64_t sum[N], before[N];
      for (size_t m = 0; m < N; m++) {
        mean[m] = NAN;
        sum[m] = before[m] = (int64_t)m << 40;
      }
      x[at] = bad[i % 6];
      for (int fresh = 0; fresh < 2; fresh++) {
        assert_int_equal(k->window_push(n, 0x1p50, fresh, x, with_ring ? slot : NULL, sum, 3, mean), 0);
        assert_true(isnan(mean[0]) && isnan(mean[n - 1]));
        assert_memory_equal(sum, before, sizeof sum);
        assert_memory_equal(slot, slot_before, n * sizeof *slot);
      }
      x[at] = nextafterf(copysignf(64.0f, x[at]), 0.0f);
      assert_int_equal(k->window_push(n, 0x1p50, 1, x, slot, sum, 1, NULL), 1);
      assert_true(sum[at] == before[at] + exact_fixed(x[at], 50));
      free(x);
      free(slot);
      free(slot_before);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mean_ties),    cmocka_unit_test(test_mean_extremes), cmocka_unit_test(test_mean_random),
      cmocka_unit_test(test_mean_lengths), cmocka_unit_test(test_push),          cmocka_unit_test(test_push_mean),
      cmocka_unit_test(test_push_range),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
