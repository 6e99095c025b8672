/* The kernels of the teacher but for the window's: distances of logits against the naive ones and by differences, and
 * the moving average. */
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
  float distance[ROWS], alone, *d = check_copy(l->da, ROWS * C);
  k->squared_error(ROWS, C, l->a, l->z, scale, distance, d);
  for (size_t b = 0; b < ROWS; b++) {
    struct pair p = pair_of(l, b);
    const double expected = pair_error(&p);
    CHECK_CLOSE(fabs(distance[b] - expected), 1e-7 * expected, "%s: row %zu of C %zu", k->name, b, C);
    for (size_t c = 0; c < C; c++) {
      check_added(d[b * C + c], l->da[b * C + c], scale, check_slope(pair_error, &p, &p.a[c]), 1e-8, k->name, b, c);
    }
    float *row = check_copy(l->da + b * C, C);
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
  float divergence[ROWS], alone, *da = check_copy(l->da, ROWS * C), *dz = check_copy(l->dz, ROWS * C);
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
    float *row = check_copy(l->da + b * C, C), *other = check_copy(l->dz + b * C, C);
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
      float distance[ROWS], *da = check_copy(l.da, ROWS * C), *dz = check_copy(l.dz, ROWS * C);
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

/* All sets have the same bits. */
static void test_distances_same_bits(void **state) {
  (void)state;
  for (size_t i = 0; i < CLASS_COUNTS; i++) {
    enum { OUTPUTS = 4 };
    const size_t n = ROWS * CLASSES[i];
    struct logits l = make_logits(CLASSES[i], 5.0f);
    float *out[CHECK_SETS][OUTPUTS];
    int first = -1;
    for (int s = 0; s < CHECK_SETS; s++) {
      const struct ad_kernels *k = check_set(s);
      if (k == NULL) {
        continue;
      }
      out[s][0] = check_copy(l.da, n);
      out[s][1] = check_copy(l.dz, n);
      out[s][2] = calloc(n, sizeof(float));
      out[s][3] = calloc(n, sizeof(float));
      k->squared_error(ROWS, l.C, l.a, l.z, 0.3f, out[s][2], out[s][0]);
      k->symmetric_divergence(ROWS, l.C, l.a, l.z, 0.3f, out[s][3], out[s][0], out[s][1]);
      if (first < 0) {
        first = s;
        continue;
      }
      for (int o = 0; o < OUTPUTS; o++) {
        assert_memory_equal(out[first][o], out[s][o], n * sizeof(float));
        free(out[s][o]);
      }
    }
    for (int o = 0; o < OUTPUTS; o++) {
      free(out[first][o]);
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
    float *x = check_normals(n + 2, 1), *start = check_normals(n + 2, 2), *first = NULL;
    double *expected = check_widen(start + 1, n);
    for (size_t m = 0; m < n; m++) {
      expected[m] = decay * expected[m] + (1.0 - decay) * x[m + 1];
    }
    for (int s = 0; s < CHECK_SETS; s++) {
      const struct ad_kernels *k = check_set(s);
      if (k == NULL) {
        continue;
      }
      float *mean = check_copy(start, n + 2);
      k->moving_average(n, decay, x + 1, mean + 1);
      assert_true(mean[0] == start[0] && mean[n + 1] == start[n + 1]);
      /* Four roundings of half a unit: both factors, the product, the sum. */
      CHECK_CLOSE(check_error(n, mean + 1, expected, 1.0), 2.4e-7, "%s: %zu, decay %g", k->name, n, decay);
      if (decay == 1.0) {
        assert_memory_equal(mean, start, (n + 2) * sizeof *mean);
      } else if (decay == 0.0) {
        assert_memory_equal(mean + 1, x + 1, n * sizeof *mean);
      }
      if (first == NULL) {
        first = check_copy(mean, n + 2);
      }
      assert_memory_equal(mean, first, (n + 2) * sizeof *mean);
      free(mean);
    }
    free(x);
    free(start);
    free(first);
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_squared_error),    cmocka_unit_test(test_symmetric_divergence),
      cmocka_unit_test(test_distances_of_nan), cmocka_unit_test(test_distances_same_bits),
      cmocka_unit_test(test_moving_average),   cmocka_unit_test(test_moving_average_of_nan),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
