/* The kernels of the teacher: distances of logits against the naive ones and by differences, the moving average, and
 * the exact window against integer arithmetic of 128 bits. */
#include "reference/check.h"
#include "reference/naive.h"

enum { MOST_CLASSES = 64, ROWS = 6, LENGTHS = 41 };

/* --- Distances of logits. */

static const size_t CLASSES[] = {2, 3, 5, 14, 33, 64};
enum { CLASS_COUNTS = sizeof CLASSES / sizeof *CLASSES };

/* Two sets of logits [ROWS,C] and what is added to. Row 4: equal rows; row 5: +-3000. */
struct logits {
  size_t C;
  float *a, *z, *da, *dz;
};

static struct logits make_logits(size_t C, float spread) {
  struct logits l = {C, check_normals(ROWS * C, 1), check_normals(ROWS * C, 2), check_normals(ROWS * C, 3),
                     check_normals(ROWS * C, 4)};
  for (size_t i = 0; i < ROWS * C; i++) {
    l.a[i] *= spread;
    l.z[i] *= spread;
  }
  memcpy(l.a + 4 * C, l.z + 4 * C, C * sizeof(float));
  for (size_t c = 0; c < C; c++) {
    l.a[5 * C + c] = c % 2 == 0 ? 3000.0f : -3000.0f;
    l.z[5 * C + c] = c % 2 == 0 ? -3000.0f : 3000.0f;
  }
  return l;
}

static void free_logits(struct logits *l) {
  free(l->a);
  free(l->z);
  free(l->da);
  free(l->dz);
}

static float *copy_of(const float *x, size_t n) {
  float *y = malloc((n > 0 ? n : 1) * sizeof *y);
  assert_non_null(y);
  memcpy(y, x, n * sizeof *y);
  return y;
}

/* One pair of rows in double. */
struct pair {
  size_t C;
  double a[MOST_CLASSES], z[MOST_CLASSES];
};

static struct pair pair_of(const struct logits *l, size_t row) {
  struct pair p = {.C = l->C};
  for (size_t c = 0; c < l->C; c++) {
    p.a[c] = l->a[row * l->C + c];
    p.z[c] = l->z[row * l->C + c];
  }
  return p;
}

static double pair_error(void *context) {
  const struct pair *p = context;
  return naive_squared_error(p->C, p->a, p->z);
}

static double pair_divergence(void *context) {
  const struct pair *p = context;
  return 0.5 * (naive_divergence(p->C, p->a, p->z) + naive_divergence(p->C, p->z, p->a));
}

/* got = before + scale slope, but for its rounding to float. */
static void check_added(double got, double before, double scale, double slope, double tolerance, const char *set,
                        size_t row, size_t c) {
  const double expected = before + scale * slope;
  CHECK_CLOSE(fabs(got - expected), 6e-8 * fabs(expected) + tolerance * (1.0 + fabs(slope)), "%s: row %zu, logit %zu",
              set, row, c);
}

static void check_squared_error(const struct ad_kernels *k, const struct logits *l) {
  const size_t C = l->C;
  const float scale = 0.175f;
  float distance[ROWS], alone, *d = copy_of(l->da, ROWS * C);
  k->squared_error(ROWS, C, l->a, l->z, scale, distance, d);
  for (size_t b = 0; b < ROWS; b++) {
    struct pair p = pair_of(l, b);
    const double expected = pair_error(&p);
    CHECK_CLOSE(fabs(distance[b] - expected), 1e-7 * expected, "%s: row %zu of C %zu", k->name, b, C);
    for (size_t c = 0; c < C; c++) {
      check_added(d[b * C + c], l->da[b * C + c], scale, check_slope(pair_error, &p, &p.a[c]), 1e-8, k->name, b, c);
    }
    float *row = copy_of(l->da + b * C, C);
    k->squared_error(1, C, l->a + b * C, l->z + b * C, scale, &alone, row);
    assert_memory_equal(&alone, &distance[b], sizeof alone);
    assert_memory_equal(row, d + b * C, C * sizeof *row);
    free(row);
  }
  assert_true(distance[4] == 0.0f && distance[5] == 3.6e7f);
  assert_memory_equal(d + 4 * C, l->da + 4 * C, C * sizeof *d);
  free(d);
}

static void test_squared_error(void **state) {
  (void)state;
  static const float spreads[] = {1.0f, 30.0f, 3000.0f};
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (size_t i = 0; k != NULL && i < 3 * CLASS_COUNTS; i++) {
      struct logits l = make_logits(CLASSES[i % CLASS_COUNTS], spreads[i / CLASS_COUNTS]);
      check_squared_error(k, &l);
      free_logits(&l);
    }
  }
}

/* differences: the slopes also by central differences, whose own error is small for small logits only. */
static void check_divergence(const struct ad_kernels *k, const struct logits *l, int differences) {
  const size_t C = l->C;
  const float scale = 0.6f;
  float divergence[ROWS], alone, *da = copy_of(l->da, ROWS * C), *dz = copy_of(l->dz, ROWS * C);
  k->symmetric_divergence(ROWS, C, l->a, l->z, scale, divergence, da, dz);
  for (size_t b = 0; b < ROWS; b++) {
    struct pair p = pair_of(l, b);
    const double expected = pair_divergence(&p);
    CHECK_CLOSE(fabs(divergence[b] - expected), 1e-7 * expected + 1e-13, "%s: row %zu of C %zu", k->name, b, C);
    for (size_t c = 0; c < C; c++) {
      const double of_a = naive_divergence_slope(C, p.a, p.z, c), of_z = naive_divergence_slope(C, p.z, p.a, c);
      check_added(da[b * C + c], l->da[b * C + c], scale, of_a, 1e-10, k->name, b, c);
      check_added(dz[b * C + c], l->dz[b * C + c], scale, of_z, 1e-10, k->name, b, c);
      if (differences && b < 5) {
        CHECK_CLOSE(fabs(of_a - check_slope(pair_divergence, &p, &p.a[c])), 1e-8, "the reference: row %zu", b);
        CHECK_CLOSE(fabs(of_z - check_slope(pair_divergence, &p, &p.z[c])), 1e-8, "the reference: row %zu", b);
      }
    }
    float *row = copy_of(l->da + b * C, C), *other = copy_of(l->dz + b * C, C);
    k->symmetric_divergence(1, C, l->a + b * C, l->z + b * C, scale, &alone, row, other);
    assert_memory_equal(&alone, &divergence[b], sizeof alone);
    assert_memory_equal(row, da + b * C, C * sizeof *row);
    assert_memory_equal(other, dz + b * C, C * sizeof *other);
    free(row);
    free(other);
  }
  assert_true(divergence[4] == 0.0f);
  assert_memory_equal(da + 4 * C, l->da + 4 * C, C * sizeof *da);
  assert_memory_equal(dz + 4 * C, l->dz + 4 * C, C * sizeof *dz);
  CHECK_CLOSE(fabs(divergence[5] - 6000.0), 1e-3, "%s: +-3000", k->name);
  free(da);
  free(dz);
}

static void test_symmetric_divergence(void **state) {
  (void)state;
  static const float spreads[] = {0.01f, 1.0f, 30.0f, 3000.0f};
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (size_t i = 0; k != NULL && i < 4 * CLASS_COUNTS; i++) {
      const float spread = spreads[i / CLASS_COUNTS];
      struct logits l = make_logits(CLASSES[i % CLASS_COUNTS], spread);
      check_divergence(k, &l, spread <= 1.0f);
      free_logits(&l);
    }
  }
}

/* A NaN or an infinite logit shows in its row and in no other. */
static void test_distances_of_nan(void **state) {
  (void)state;
  enum { C = 3, AT = 2 * C + 1 };
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (size_t i = 0; k != NULL && i < 6; i++) {
      struct logits l = make_logits(C, 1.0f);
      float distance[ROWS], *da = copy_of(l.da, ROWS * C), *dz = copy_of(l.dz, ROWS * C);
      (i < 3 ? l.a : l.z)[AT] = bad[i % 3];
      k->squared_error(ROWS, C, l.a, l.z, 1.0f, distance, l.da);
      k->symmetric_divergence(ROWS, C, l.a, l.z, 1.0f, distance, da, dz);
      for (size_t n = 0; n < ROWS * C; n++) {
        assert_int_equal(isfinite(l.da[n]) == 0, n == AT);
        assert_true(n / C == AT / C || (isfinite(da[n]) && isfinite(dz[n])));
      }
      assert_false(isfinite(da[AT]) && isfinite(dz[AT]));
      for (size_t b = 0; b < ROWS; b++) {
        assert_int_equal(isfinite(distance[b]) == 0, b == AT / C);
      }
      k->squared_error(ROWS, C, l.a, l.z, 1.0f, distance, l.da);
      assert_false(isfinite(distance[AT / C]));
      free_logits(&l);
      free(da);
      free(dz);
    }
  }
}

/* v3 has the bits of v4. */
static void test_distances_same_bits(void **state) {
  (void)state;
  const struct ad_kernels *v4 = check_set(0), *v3 = check_set(1);
  if (v4 == NULL || v3 == NULL) {
    skip();
  }
  for (size_t i = 0; i < CLASS_COUNTS; i++) {
    enum { KERNELS = 2, OUTPUTS = 4 };
    const size_t n = ROWS * CLASSES[i];
    struct logits l = make_logits(CLASSES[i], 5.0f);
    float *out[KERNELS][OUTPUTS];
    for (int s = 0; s < KERNELS; s++) {
      const struct ad_kernels *k = s == 0 ? v4 : v3;
      out[s][0] = copy_of(l.da, n);
      out[s][1] = copy_of(l.dz, n);
      out[s][2] = calloc(n, sizeof(float));
      out[s][3] = calloc(n, sizeof(float));
      k->squared_error(ROWS, l.C, l.a, l.z, 0.3f, out[s][2], out[s][0]);
      k->symmetric_divergence(ROWS, l.C, l.a, l.z, 0.3f, out[s][3], out[s][0], out[s][1]);
    }
    for (int o = 0; o < OUTPUTS; o++) {
      assert_memory_equal(out[0][o], out[1][o], n * sizeof(float));
      free(out[0][o]);
      free(out[1][o]);
    }
    free_logits(&l);
  }
}

/* --- The moving average: any length, at an odd address. */

static void test_moving_average(void **state) {
  (void)state;
  static const double decays[] = {0.0, 0.5, 0.9, 0.999, 1.0};
  for (size_t i = 0; i < 5 * LENGTHS; i++) {
    const size_t n = i % LENGTHS;
    const double decay = decays[i / LENGTHS];
    float *x = check_normals(n + 2, 1), *start = check_normals(n + 2, 2), *v4 = NULL;
    double *expected = check_widen(start + 1, n);
    for (size_t m = 0; m < n; m++) {
      expected[m] = decay * expected[m] + (1.0 - decay) * x[m + 1];
    }
    for (int s = 0; s < CHECK_SETS; s++) {
      const struct ad_kernels *k = check_set(s);
      if (k == NULL) {
        continue;
      }
      float *mean = copy_of(start, n + 2);
      k->moving_average(n, decay, x + 1, mean + 1);
      assert_true(mean[0] == start[0] && mean[n + 1] == start[n + 1]);
      /* Four roundings of half a unit: both factors, the product, the sum. */
      CHECK_CLOSE(check_error(n, mean + 1, expected, 1.0), 2.4e-7, "%s: %zu, decay %g", k->name, n, decay);
      if (decay == 1.0) {
        assert_memory_equal(mean, start, (n + 2) * sizeof *mean);
      } else if (decay == 0.0) {
        assert_memory_equal(mean + 1, x + 1, n * sizeof *mean);
      }
      if (v4 != NULL && strcmp(k->name, "v3") == 0) {
        assert_memory_equal(mean, v4, (n + 2) * sizeof *mean);
      }
      if (s == 0) {
        v4 = copy_of(mean, n + 2);
      }
      free(mean);
    }
    free(x);
    free(start);
    free(v4);
    free(expected);
  }
}

static void test_moving_average_of_nan(void **state) {
  (void)state;
  enum { N = 37 };
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (size_t at = 0; k != NULL && at < N; at++) {
      float *x = check_normals(N, 1), *mean = check_normals(N, 2);
      (at % 2 == 0 ? x : mean)[at] = NAN;
      k->moving_average(N, 0.9, x, mean);
      for (size_t m = 0; m < N; m++) {
        assert_int_equal(isnan(mean[m]) != 0, m == at);
      }
      free(x);
      free(mean);
    }
  }
}

/* --- The exact window. */

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
      first = copy_of(mean, n);
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
      float *mean = check_normals(n + 2, 3), *before = copy_of(mean, n + 2), alone;
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

/* A push that gives the mean too: sums and ring as without, the mean is window_mean's, on whole lines and beside them. Sums of
 * few ulps times the count make many means doubtful. */
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
      float *x = check_normals(n, 6), *slot = check_normals(n, 7), *slot_before = copy_of(slot, n);
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
      cmocka_unit_test(test_squared_error),
      cmocka_unit_test(test_symmetric_divergence),
      cmocka_unit_test(test_distances_of_nan),
      cmocka_unit_test(test_distances_same_bits),
      cmocka_unit_test(test_moving_average),
      cmocka_unit_test(test_moving_average_of_nan),
      cmocka_unit_test(test_mean_ties),
      cmocka_unit_test(test_mean_extremes),
      cmocka_unit_test(test_mean_random),
      cmocka_unit_test(test_mean_lengths),
      cmocka_unit_test(test_push),
      cmocka_unit_test(test_push_mean),
      cmocka_unit_test(test_push_range),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
