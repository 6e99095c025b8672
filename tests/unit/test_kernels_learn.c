/* Classifier, cross entropy, sums and AdamW against the naive ones; the choice of the kernels. */
#include "autodidact/base/status.h"
#include "reference/naive.h"
#include "reference/rows.h"

/* Inputs: 0 h (T = B rows); 1 weight in a variant x H array is made apart, as is dlogits. variant = C. Outputs: 0
 * logits, 1 dh, 2 dweight, 3 dbias. */
static void run_classify(const struct ad_kernels *k, struct job *j, size_t first, size_t count) {
  const size_t C = (size_t)j->variant, H = j->H;
  float *weight = check_normals(C * H, 30), *bias = check_normals(C, 31), *d = check_normals(j->T * C, 32);
  k->classify(count, C, H, j->in[0] + first * H, weight, bias, j->out[0] + first * C);
  k->classify_backward(count, C, H, d + first * C, j->in[0] + first * H, weight, j->out[1] + first * H, j->out[2],
                       j->out[3]);
  free(weight);
  free(bias);
  free(d);
}

struct classify {
  size_t B, C, H;
  double *h, *weight, *bias, *d, *logits;
};

static double classify_loss(void *context) {
  const struct classify *c = context;
  double sum = 0.0;
  for (size_t b = 0; b < c->B; b++) {
    naive_classify(c->C, c->H, c->h + b * c->H, c->weight, c->bias, c->logits + b * c->C);
    for (size_t i = b * c->C; i < (b + 1) * c->C; i++) {
      sum += c->d[i] * c->logits[i];
    }
  }
  return sum;
}

static void classify_compare(struct classify *c, double *x, size_t n, const float *before, const float *got,
                             const char *what) {
  double *slope = malloc((n + 1) * sizeof *slope);
  for (size_t i = 0; i < n; i++) {
    slope[i] = check_slope(classify_loss, c, x + i) + (before != NULL ? (double)before[i] : 0.0);
  }
  CHECK_CLOSE(check_error(n, got, slope, 1.0), 1e-6, "%s, B %zu, C %zu, H %zu", what, c->B, c->C, c->H);
  free(slope);
}

static void test_classify(void **state) {
  (void)state;
  static const size_t sizes[][3] = {{0, 2, 16}, {1, 2, 1}, {5, 3, 7}, {4, 26, 37}, {3, 2, 384}};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    const size_t B = sizes[i][0], C = sizes[i][1], H = sizes[i][2];
    struct job j;
    job_make(&j, B, H, 0.0f, 1, 0);
    j.variant = (int)C;
    job_output(&j, 0, B * C);
    job_output(&j, 1, B * H);
    job_output(&j, 2, C * H);
    job_output(&j, 3, C);
    job_check_bits(&j, run_classify);
    float *weight = check_normals(C * H, 30), *bias = check_normals(C, 31), *d = check_normals(B * C, 32);
    float *dweight = check_normals(C * H, 102), *dbias = check_normals(C, 103);
    struct classify c = {B,
                         C,
                         H,
                         check_widen(j.in[0], B * H),
                         check_widen(weight, C * H),
                         check_widen(bias, C),
                         check_widen(d, B * C),
                         malloc((B * C + 1) * sizeof(double))};
    for (int s = 0; s < CHECK_SETS; s++) {
      const struct ad_kernels *k = check_set(s);
      if (k == NULL) {
        continue;
      }
      job_reset(&j);
      run_classify(k, &j, 0, B);
      (void)classify_loss(&c);
      CHECK_CLOSE(check_error(B * C, j.out[0], c.logits, 1.0), 1e-6, "%s: B %zu, C %zu, H %zu", k->name, B, C, H);
      classify_compare(&c, c.h, B * H, NULL, j.out[1], "dh");
      classify_compare(&c, c.weight, C * H, dweight, j.out[2], "dweight");
      classify_compare(&c, c.bias, C, dbias, j.out[3], "dbias");
    }
    float *const floats[] = {weight, bias, d, dweight, dbias};
    double *const doubles[] = {c.h, c.weight, c.bias, c.d, c.logits};
    for (int n = 0; n < 5; n++) {
      free(floats[n]);
      free(doubles[n]);
    }
    job_free(&j);
  }
}

struct entropy {
  size_t C, label;
  double logits[64];
};

static double entropy_loss(void *context) {
  const struct entropy *e = context;
  return naive_cross_entropy(e->C, e->logits, e->label);
}

static void test_cross_entropy(void **state) {
  (void)state;
  static const size_t classes[] = {2, 3, 14, 26, 64};
  static const float spread[] = {1.0f, 30.0f, 3000.0f};
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (size_t i = 0; k != NULL && i < 15; i++) {
      enum { B = 7 };
      struct entropy e = {.C = classes[i % 5]};
      float *logits = check_normals(B * e.C, (uint32_t)i), loss[B], alone, *d = malloc(B * e.C * sizeof *d), row[64];
      uint32_t labels[B];
      for (size_t n = 0; n < B * e.C; n++) {
        logits[n] *= spread[i / 5];
      }
      for (uint32_t b = 0; b < B; b++) {
        labels[b] = b % (uint32_t)e.C;
      }
      k->cross_entropy(B, e.C, logits, labels, 0.25f, loss, d);
      for (size_t b = 0; b < B; b++) {
        e.label = labels[b];
        for (size_t c = 0; c < e.C; c++) {
          e.logits[c] = logits[b * e.C + c];
        }
        const double reference = entropy_loss(&e);
        CHECK_CLOSE(fabs(loss[b] - reference), 1e-7 * fabs(reference) + 1e-12 * spread[i / 5], "%s: row %zu", k->name,
                    b);
        for (size_t c = 0; c < e.C; c++) {
          CHECK_CLOSE(fabs(d[b * e.C + c] - 0.25 * check_slope(entropy_loss, &e, &e.logits[c])), 1e-7,
                      "%s: slope of %zu, C %zu, spread %g", k->name, c, e.C, (double)spread[i / 5]);
        }
        k->cross_entropy(1, e.C, logits + b * e.C, labels + b, 0.25f, &alone, row);
        assert_memory_equal(&alone, &loss[b], sizeof alone);
        assert_memory_equal(row, d + b * e.C, e.C * sizeof *d);
        k->cross_entropy(1, e.C, logits + b * e.C, labels + b, 0.25f, &alone, NULL);
        assert_memory_equal(&alone, &loss[b], sizeof alone);
      }
      free(logits);
      free(d);
    }
  }
}

static void test_cross_entropy_extremes(void **state) {
  (void)state;
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k == NULL) {
      continue;
    }
    static const float logits[4][3] = {{1e30f, -1e30f, 0}, {-3e38f, -3e38f, -3e38f}, {0, NAN, 1}, {INFINITY, 0, 0}};
    static const uint32_t labels[4] = {0, 1, 0, 1};
    float loss[4], d[4][3];
    k->cross_entropy(4, 3, logits[0], labels, 1.0f, loss, d[0]);
    assert_true(loss[0] == 0.0f && d[0][0] == 0.0f);
    CHECK_CLOSE(fabs(loss[1] - log(3.0)), 1e-7, "equal logits");
    CHECK_CLOSE(fabs(d[1][1] + 2.0 / 3.0), 1e-7, "equal logits");
    for (int c = 0; c < 3; c++) {
      assert_true(isnan(d[2][c]));
    }
    assert_true(isnan(loss[2]) && !isfinite(loss[3]));
  }
}

/* The same of many classes, with float exponentials: a loss is good to a few float roundings of itself and of the sum's
 * logarithm, a slope to those of its probability's exponent and its own. In place, and without slopes, it gives the
 * same bits. */
static void test_wide_cross_entropy(void **state) {
  (void)state;
  static const size_t classes[] = {2, 15, 16, 1023, 1024, 1025, 30522};
  static const float spread[] = {1.0f, 8.0f, 1000.0f};
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (size_t i = 0; k != NULL && i < 21; i++) {
      enum { B = 3 };
      const size_t C = classes[i % 7];
      float *logits = check_normals(B * C, (uint32_t)i), loss[B], alone[B], *d = malloc(B * C * sizeof *d);
      double *wide = malloc(C * sizeof *wide);
      uint32_t labels[B];
      for (size_t n = 0; n < B * C; n++) {
        logits[n] *= spread[i / 7];
      }
      for (uint32_t b = 0; b < B; b++) {
        labels[b] = (uint32_t)((b + 1) * (C - 1) / B);
      }
      k->wide_cross_entropy(B, C, logits, labels, 0.25f, loss, d);
      for (size_t b = 0; b < B; b++) {
        for (size_t c = 0; c < C; c++) {
          wide[c] = logits[b * C + c];
        }
        const double reference = naive_cross_entropy(C, wide, labels[b]), own = wide[labels[b]];
        CHECK_CLOSE(fabs(loss[b] - reference), 3e-7 * (1.0 + fabs(reference)), "%s: row %zu, C %zu", k->name, b, C);
        for (size_t c = 0; c < C; c++) {
          const double log_p = wide[c] - own - reference, p = exp(log_p),
                       slope = 0.25 * (p - (c == labels[b] ? 1.0 : 0.0));
          CHECK_CLOSE(fabs(d[b * C + c] - slope), (1e-6 + 1e-7 * fabs(log_p)) * 0.25 * p + 1e-7 * fabs(slope) + 1e-37,
                      "%s: slope of %zu, C %zu, spread %g", k->name, c, C, (double)spread[i / 7]);
        }
        k->wide_cross_entropy(1, C, logits + b * C, labels + b, 0.25f, &alone[b], NULL);
      }
      assert_memory_equal(alone, loss, sizeof loss);
      k->wide_cross_entropy(B, C, logits, labels, 0.25f, loss, logits);
      assert_memory_equal(alone, loss, sizeof loss);
      assert_memory_equal(logits, d, B * C * sizeof *d);
      free(logits);
      free(wide);
      free(d);
    }
  }
}

static void test_wide_cross_entropy_extremes(void **state) {
  (void)state;
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k == NULL) {
      continue;
    }
    static const float logits[4][3] = {{1e30f, -1e30f, 0}, {-3e38f, -3e38f, -3e38f}, {0, NAN, 1}, {INFINITY, 0, 0}};
    static const uint32_t labels[4] = {0, 1, 0, 1};
    float loss[4], d[4][3];
    k->wide_cross_entropy(4, 3, logits[0], labels, 1.0f, loss, d[0]);
    assert_true(loss[0] == 0.0f && d[0][0] == 0.0f);
    CHECK_CLOSE(fabs(loss[1] - log(3.0)), 2e-7, "equal logits");
    CHECK_CLOSE(fabs(d[1][1] + 2.0 / 3.0), 2e-7, "equal logits");
    for (int c = 0; c < 3; c++) {
      assert_true(isnan(d[2][c]));
    }
    assert_true(isnan(loss[2]) && !isfinite(loss[3]));
  }
}

/* The rule of sums inside a row, in double: 16 partial sums, halved. */
static void test_sum_squares_and_add(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 7, 16, 17, 37, 4096, 5001};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    const size_t n = sizes[i];
    float *x = check_normals(n, 1), *y = check_normals(n, 2), *z = malloc((n + 1) * sizeof *z);
    double part[16] = {0.0};
    for (size_t m = 0; m < n; m++) {
      part[m % 16] += (double)x[m] * (double)x[m];
    }
    for (size_t half = 8; half > 0; half /= 2) {
      for (size_t m = 0; m < half; m++) {
        part[m] += part[m + half];
      }
    }
    for (int s = 0; s < CHECK_SETS; s++) {
      const struct ad_kernels *k = check_set(s);
      if (k == NULL) {
        continue;
      }
      assert_true(k->sum_squares(n, x) == part[0]);
      memcpy(z, x, n * sizeof *z);
      k->add(n, z, y);
      for (size_t m = 0; m < n; m++) {
        assert_true(z[m] == x[m] + y[m]);
      }
      if (n > 0) {
        z[n - 1] = NAN;
        assert_true(isnan(k->sum_squares(n, z)));
      }
    }
    free(x);
    free(y);
    free(z);
  }
}

enum { WATCH_BUCKETS = 32, WATCH_WORDS = 16 };
static uint64_t watch_sum[WATCH_BUCKETS];
static uint32_t watch_words[WATCH_WORDS];

/* With a sketch: number t decides where in a group it begins, and whether there is one. */
static void begin_watch(struct ad_watch *watch, uint32_t t) {
  memset(watch_sum, 1, sizeof watch_sum);
  for (uint32_t i = 0; i < WATCH_WORDS; i++) {
    watch_words[i] = 2654435761u * (i + 16 * t + 1);
  }
  watch->sketch = (struct ad_sketch){t % 3 == 0 ? NULL : watch_sum, 0x1p36, 11, watch_words, t % 2 == 0 ? 0 : t % 16};
}

/* What a watched update tells is what the kernels for it tell of its result. */
static void check_watch(const struct ad_kernels *k, const struct ad_watch *watch, size_t n, const float *theta,
                        const float *before, const float *gradient) {
  uint64_t expected[WATCH_BUCKETS];
  assert_true(watch->squares[AD_SQUARES_VALUE] == k->sum_squares(n, theta));
  assert_true(watch->squares[AD_SQUARES_GRADIENT] == (gradient == NULL ? 0.0 : k->sum_squares(n, gradient)));
  assert_true(watch->squares[AD_SQUARES_UPDATE] == k->sum_squared_differences(n, theta, before));
  memset(expected, 1, sizeof expected);
  if (watch->sketch.sum != NULL) {
    struct ad_sketch sketch = watch->sketch;
    sketch.sum = expected;
    k->sketch(n, &sketch, theta);
  }
  assert_memory_equal(watch_sum, expected, sizeof expected);
}

enum { ADAMW_N = 133 };

/* Moments of zero that are not there. theta, pieces [ADAMW_N]. */
static void check_still(const struct ad_kernels *k, float *theta, float *pieces) {
  const struct ad_adamw still = {1e-3, 0.9, 0.999, 1e-8, 0.01, 0.5, 0.5, 1.0};
  float zero[2][ADAMW_N] = {0};
  memcpy(pieces, theta, ADAMW_N * sizeof *theta);
  pieces[3] = -0.0f;
  memcpy(theta, pieces, ADAMW_N * sizeof *theta);
  float held[ADAMW_N];
  struct ad_watch watch;
  begin_watch(&watch, 20);
  memcpy(held, pieces, ADAMW_N * sizeof *theta);
  k->adamw(ADAMW_N, &still, NULL, theta, zero[0], zero[1], NULL);
  k->adamw(ADAMW_N, &still, NULL, pieces, NULL, NULL, &watch);
  assert_memory_equal(theta, pieces, ADAMW_N * sizeof *theta);
  check_watch(k, &watch, ADAMW_N, theta, held, NULL);
  assert_memory_equal(zero[0], zero[1], ADAMW_N * sizeof *theta);
}

/* A NaN stays where it is. theta, m, v [ADAMW_N]. */
static void check_nan(const struct ad_kernels *k, float *theta, float *m, float *v) {
  m[5] = NAN;
  k->adamw(ADAMW_N, &(struct ad_adamw){1e-3, 0.9, 0.999, 1e-8, 0.0, 1.0, 1.0, 1.0}, NULL, theta, m, v, NULL);
  for (size_t i = 0; i < ADAMW_N; i++) {
    assert_int_equal(isnan(theta[i]) != 0, i == 5);
  }
}

/* Twenty steps beside the formula in double; then one with no gradient; all sets equal; a part of the array = that part
 * of the whole. */
static void test_adamw(void **state) {
  (void)state;
  enum { N = ADAMW_N, STEPS = 20 };
  float first[3][N];
  int have_first = 0;
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k == NULL) {
      continue;
    }
    float *theta = check_normals(N, 1), m[N] = {0}, v[N] = {0}, *pieces = check_normals(N, 1), pm[N] = {0}, pv[N] = {0};
    double *x = check_widen(theta, N), xm[N] = {0}, xv[N] = {0};
    for (int t = 1; t <= STEPS; t++) {
      const struct ad_adamw a = {.lr = 1e-3 / t,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .eps = 1e-8,
                                 .decay = t % 2 ? 0.01 : 0.0,
                                 .correction1 = 1.0 - pow(0.9, t),
                                 .correction2 = 1.0 - pow(0.999, t),
                                 .gradient_scale = t == 3 ? 0.37 : 1.0};
      float *g = t == STEPS ? NULL : check_normals(N, 100 + (uint32_t)t);
      float held[N];
      memcpy(held, theta, sizeof held);
      struct ad_watch watch;
      begin_watch(&watch, (uint32_t)t);
      k->adamw(N, &a, g, theta, m, v, &watch);
      check_watch(k, &watch, N, theta, held, g);
      k->adamw(50, &a, g, pieces, pm, pv, NULL);
      k->adamw(N - 50, &a, g == NULL ? NULL : g + 50, pieces + 50, pm + 50, pv + 50, NULL);
      for (size_t i = 0; i < N; i++) {
        naive_adamw(&a, g == NULL ? 0.0 : (double)g[i], &x[i], &xm[i], &xv[i]);
      }
      free(g);
    }
    CHECK_CLOSE(check_error(N, theta, x, 0.0), 1e-6, "%s: theta", k->name); /* some 20 roundings of 6e-8 */
    CHECK_CLOSE(check_error(N, m, xm, 0.0), 1e-6, "%s: m", k->name);
    CHECK_CLOSE(check_error(N, v, xv, 0.0), 2e-6, "%s: v", k->name);
    assert_memory_equal(theta, pieces, sizeof m);
    assert_memory_equal(v, pv, sizeof v);
    if (!have_first) {
      have_first = 1;
      memcpy(first[0], theta, sizeof m);
      memcpy(first[1], m, sizeof m);
      memcpy(first[2], v, sizeof m);
    } else {
      assert_memory_equal(first[0], theta, sizeof m);
      assert_memory_equal(first[1], m, sizeof m);
      assert_memory_equal(first[2], v, sizeof m);
    }
    check_still(k, theta, pieces);
    check_nan(k, theta, m, v);
    free(theta);
    free(pieces);
    free(x);
  }
}

static void test_select(void **state) {
  (void)state;
  const struct ad_kernels *best = ad_kernels_find(NULL);
  assert_non_null(best);
  int first = 0;
  while (check_set(first) == NULL) {
    first++;
  }
  assert_ptr_equal(best, check_set(first));
  assert_non_null(check_set(CHECK_SETS - 1)); /* generic runs anywhere */
  assert_ptr_equal(ad_kernels_find(""), best);
  assert_null(ad_kernels_find("v5"));
  assert_non_null(strstr(ad_error_message(), "'v5'"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_classify),
      cmocka_unit_test(test_cross_entropy),
      cmocka_unit_test(test_cross_entropy_extremes),
      cmocka_unit_test(test_wide_cross_entropy),
      cmocka_unit_test(test_wide_cross_entropy_extremes),
      cmocka_unit_test(test_sum_squares_and_add),
      cmocka_unit_test(test_adamw),
      cmocka_unit_test(test_select),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
