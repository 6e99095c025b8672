/* Dropout: the rate, the independence of what must be independent, and the same mask in every kernel that uses one. */
#include "reference/check.h"
#include "reference/naive.h"

static void test_make(void **state) {
  (void)state;
  const struct ad_dropout none = ad_dropout_make(0.0f, 1, 2, 3), d = ad_dropout_make(0.25f, 1, 2, 3);
  assert_int_equal(none.threshold, 0);
  assert_true(none.scale == 1.0f);
  assert_int_equal(d.threshold, 0x40000000);
  assert_true(d.scale == (float)(1.0 / 0.75));
  assert_true(d.seed == 1 && d.step == 2 && d.site == 3);
  assert_int_equal(ad_dropout_make(nextafterf(1.0f, 0.0f), 1, 2, 3).threshold, 0xFFFFFF00u);
}

/* Kept elements are exactly x scale; the share of dropped ones is within 5 sigma, over rows, columns, steps, sites,
 * seeds. */
static void test_rate(void **state) {
  (void)state;
  enum { T = 200, H = 1000 };
  float *x = malloc(T * H * sizeof *x);
  uint32_t examples[T], positions[T];
  for (uint32_t t = 0; t < T; t++) {
    examples[t] = t / 10;
    positions[t] = t % 10;
  }
  static const struct {
    float p;
    uint64_t seed;
    uint32_t step, site;
  } cases[] = {{0.1f, 1, 1, 1},          {0.1f, 1, 2, 1}, {0.1f, 1, 1, 2},
               {0.1f, 1ull << 32, 1, 1}, {0.5f, 7, 0, 0}, {0.01f, 7, 0, 0}};
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (size_t c = 0; k != NULL && c < sizeof cases / sizeof cases[0]; c++) {
      const struct ad_dropout d = ad_dropout_make(cases[c].p, cases[c].seed, cases[c].step, cases[c].site);
      for (size_t i = 0; i < T * H; i++) {
        x[i] = 3.0f;
      }
      k->dropout(T, H, x, &d, examples, positions);
      size_t dropped = 0;
      for (size_t i = 0; i < T * H; i++) {
        assert_true(x[i] == 0.0f || x[i] == 3.0f * d.scale);
        dropped += x[i] == 0.0f;
      }
      const double p = cases[c].p, sigma = sqrt(p * (1.0 - p) * T * H);
      CHECK_CLOSE(fabs((double)dropped - p * T * H) / sigma, 5.0, "%s: case %zu", k->name, c);
    }
  }
  free(x);
}

/* Two masks that differ in one part of the key agree as often as independent ones do. */
static void test_independence(void **state) {
  (void)state;
  enum { H = 40000 };
  const struct ad_kernels *k = ad_kernels_find(NULL);
  float *x = malloc(H * sizeof *x), *y = malloc(H * sizeof *y);
  const struct ad_dropout base = ad_dropout_make(0.5f, 3, 4, 5);
  for (int part = 0; part < 6; part++) {
    struct ad_dropout other = base;
    uint32_t example = 6, position = 7;
    other.seed += part == 0 ? 1 : part == 1 ? 1ull << 32 : 0;
    other.step += part == 2;
    other.site += part == 3;
    const uint32_t example2 = example + (part == 4), position2 = position + (part == 5);
    for (size_t i = 0; i < H; i++) {
      x[i] = y[i] = 1.0f;
    }
    k->dropout(1, H, x, &base, &example, &position);
    k->dropout(1, H, y, &other, &example2, &position2);
    size_t equal = 0;
    for (size_t i = 0; i < H; i++) {
      equal += x[i] == y[i];
    }
    CHECK_CLOSE(fabs((double)equal - 0.5 * H) / sqrt(0.25 * H), 5.0, "part %d", part);
  }
  free(x);
  free(y);
}

/* The mask of attention, read off: with Q = 0 all probabilities are 1/S; with V = identity the context is the mask / S.
 * The same in the backward: dV = P'^T for dcontext = identity. */
static void test_attention_mask(void **state) {
  (void)state;
  enum { MAX = 80 };
  static const size_t sizes[] = {1, 13, 64, 80};
  static float zero[MAX * MAX], identity[MAX * MAX], context[MAX * MAX], dV[MAX * MAX], other[2][MAX * MAX];
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (size_t i = 0; k != NULL && i < 4; i++) {
      const size_t S = sizes[i];
      const struct ad_dropout d = ad_dropout_make(0.4f, 0xABCDEF0123456789ull, 77, 1234);
      float *work = aligned_alloc(64, ad_attention_work(S, S, S) * sizeof *work);
      for (size_t n = 0; n < S * S; n++) {
        identity[n] = n / S == n % S ? 1.0f : 0.0f;
      }
      k->attention(S, S, 1, S, zero, S, zero, identity, S, &d, 99, NULL, context, S, work);
      k->attention_backward(S, S, 1, S, zero, S, zero, identity, S, &d, 99, NULL, identity, S, other[0], other[1], dV,
                            work);
      for (size_t q = 0; q < S; q++) {
        for (size_t key = 0; key < S; key++) {
          const double f = naive_factor(&d, 99, 0, q * S + key);
          CHECK_CLOSE(fabs(context[q * S + key] - f / (double)S), 1e-6, "%s: S %zu, query %zu, key %zu", k->name, S, q,
                      key);
          assert_true(context[q * S + key] == dV[key * S + q]);
        }
      }
      free(work);
    }
  }
}

/* Backward of norm and of bias_residual_norm drop what their forward dropped. */
static void test_norm_masks(void **state) {
  (void)state;
  enum { H = 150 };
  static float y[H], zero[H], one[H], out[H], dz[H], dy[H], sums[3 * H];
  const struct ad_dropout d = ad_dropout_make(0.5f, 8, 9, 10);
  const uint32_t example = 3, position = 4;
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k == NULL) {
      continue;
    }
    float mean, rstd;
    for (size_t n = 0; n < H; n++) {
      one[n] = 1.0f;
      y[n] = (float)(n % 7) + 1.0f;
    }
    k->norm(1, H, y, zero, one, 1e-5f, &d, &example, &position, &mean, &rstd, out); /* out is the mask */
    memset(sums, 0, sizeof sums);
    k->norm_backward(1, H, one, y, &mean, &rstd, one, &d, &example, &position, dz, sums,
                     sums + H); /* dbeta is the mask */
    for (size_t n = 0; n < H; n++) {
      assert_true(out[n] == (float)naive_factor(&d, example, position, n));
      assert_true(sums[H + n] == out[n]);
    }
    k->bias_residual_norm(1, H, y, zero, zero, one, zero, 1e-5f, &d, &example, &position, &mean, &rstd, out);
    k->bias_residual_norm_backward(1, H, out, y, &mean, &rstd, one, &d, &example, &position, dz, dy, sums, sums + H,
                                   sums + 2 * H);
    for (size_t n = 0; n < H; n++) {
      const float f = (float)naive_factor(&d, example, position, n);
      assert_true(y[n] == f * ((float)(n % 7) + 1.0f));
      assert_true(dy[n] == dz[n] * f);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_make),           cmocka_unit_test(test_rate),       cmocka_unit_test(test_independence),
      cmocka_unit_test(test_attention_mask), cmocka_unit_test(test_norm_masks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
