/* The exact window against sums over what it should hold: every mean to the bit, in memory and on disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "support/kernel_sets.h"
#include "support/small_training.h"

enum { N = 2 * AD_WINDOW_PIECE + 37, VECTORS = 40 };

/* Numbers of every size that parameters have: some vectors differ from the one before in the last bits only, so that
 * means fall on midpoints between floats. */
static float *make_vectors(void) {
  float *x = malloc(sizeof *x * N * VECTORS);
  assert_non_null(x);
  for (size_t v = 0; v < VECTORS; v++) {
    for (size_t i = 0; i < N; i++) {
      const uint64_t key = v * N + i;
      float *value = &x[v * N + i];
      if (v > 0 && i % 3 == 0) {
        uint32_t bits;
        memcpy(&bits, &x[(v - 1) * N + i], sizeof bits);
        bits += (uint32_t)ad_random_below(7, AD_STREAM_TEST, 3, key, 3);
        memcpy(value, &bits, sizeof bits);
      } else {
        const int exponent = (int)ad_random_below(7, AD_STREAM_TEST, 4, key, 50) - 44;
        const double fraction = (double)ad_random_below(7, AD_STREAM_TEST, 5, key, 1u << 24) / 0x1p23 - 1.0;
        *value = (float)ldexp(fraction, exponent);
      }
    }
  }
  return x;
}

/* x enters, without or with a mean asked for. */
static void enter_all(struct ad_window *w, const float *x, float *mean) {
  for (size_t at = 0; at < N; at += AD_WINDOW_PIECE) {
    const size_t length = N - at < AD_WINDOW_PIECE ? N - at : AD_WINDOW_PIECE;
    assert_int_equal(ad_window_enter(w, at, length, x + at, mean == NULL ? NULL : mean + at), AD_OK);
  }
}

/* mean [N] is that of the vectors 0 .. last. */
static void check_mean(const float *mean, const float *x, size_t last, uint64_t K) {
  for (size_t i = 0; i < N; i += 1 + i % 2) {
    const float expected = defined_mean(x, N, i, 0, last, 1, K, VECTORS);
    assert_memory_equal(&mean[i], &expected, sizeof expected);
  }
}

/* The mean after the vectors 0 .. last, or with `with` of the window as if vector last had entered. */
static void check_window(const struct ad_window *w, const float *x, size_t last, uint64_t K, int with) {
  static float mean[N];
  for (size_t at = 0; at < N; at += AD_WINDOW_PIECE) {
    const size_t length = N - at < AD_WINDOW_PIECE ? N - at : AD_WINDOW_PIECE;
    assert_int_equal(with ? ad_window_mean_with(w, at, length, x + last * N + at, mean + at)
                          : ad_window_mean(w, at, length, mean + at),
                     AD_OK);
  }
  check_mean(mean, x, last, K);
}

static void test_means(void **state) {
  (void)state;
  static const uint64_t sizes[] = {1, 2, 3, 5, 6, 33, 0};
  static _Alignas(64) float mean[N + 1];
  float *x = make_vectors();
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    for (int disk = 0; disk < 2; disk++) {
      struct ad_window w;
      assert_int_equal(ad_window_create(&w, test_math->kernels, N, sizes[s], VECTORS, disk ? "/tmp" : NULL), AD_OK);
      assert_int_equal(ad_window_filled(&w), 0);
      for (size_t v = 0; v < VECTORS; v++) {
        if (v % 7 == 6) {
          check_window(&w, x, v, sizes[s], 1);
        }
        /* On whole lines and beside them. */
        enter_all(&w, x + v * N, v % 3 == 0 ? NULL : mean + v % 3 - 1);
        if (v % 3 != 0 && (v < 6 || v % 7 == 6)) {
          check_mean(mean + v % 3 - 1, x, v, sizes[s]);
        }
        ad_window_entered(&w);
        assert_int_equal(ad_window_filled(&w), sizes[s] > 0 && v + 1 > sizes[s] ? sizes[s] : v + 1);
        if (v < 4 || v % 7 == 6) {
          check_window(&w, x, v, sizes[s], 0);
        }
      }
      assert_int_equal(ad_window_verify(&w), AD_OK);
      if (sizes[s] > 1) {
        w.sum[N - 1] ^= 1;
        assert_int_equal(ad_window_verify(&w), AD_EINTERNAL);
      }
      ad_window_destroy(&w);
    }
  }
  free(x);
}

static void test_range(void **state) {
  (void)state;
  static const float bad[] = {64.0f, -64.0f, INFINITY, NAN};
  static const uint64_t sizes[] = {1, 3, 0};
  for (size_t s = 0; s < 3; s++) {
    struct ad_window w;
    float x[5] = {63.999996f, -63.999996f, 0.0f, -0.0f, 1e-45f}, mean[5];
    assert_int_equal(ad_window_create(&w, test_math->kernels, 5, sizes[s], 4, NULL), AD_OK);
    assert_int_equal(ad_window_enter(&w, 0, 5, x, NULL), AD_OK);
    ad_window_entered(&w);
    for (size_t b = 0; b < 4; b++) {
      float y[5] = {0};
      y[b] = bad[b];
      assert_int_equal(ad_window_enter(&w, 0, 5, y, b % 2 == 0 ? NULL : mean), AD_EDIVERGED);
      assert_int_equal(ad_window_mean_with(&w, 0, 5, y, mean), AD_EDIVERGED);
      assert_non_null(strstr(ad_error_message(), "64"));
    }
    assert_int_equal(ad_window_mean(&w, 0, 5, mean), AD_OK);
    assert_true(mean[0] == x[0] && mean[1] == x[1] && mean[2] == 0.0f);
    ad_window_destroy(&w);
  }
}

static void test_errors(void **state) {
  (void)state;
  struct ad_window w;
  float mean[4];
  const size_t before = ad_memory_stats().live_blocks;
  assert_int_equal(ad_window_create(&w, test_math->kernels, 4, 3, 4, "/no/such/folder"), AD_EIO);
  assert_non_null(strstr(ad_error_message(), "/no/such/folder"));
  assert_int_equal(ad_window_create(&w, test_math->kernels, 1ull << 48, 3, 4, "/tmp"), AD_ENOMEM);
  assert_int_equal(ad_memory_stats().live_blocks, before);
  assert_int_equal(ad_window_create(&w, test_math->kernels, 4, 3, 4, NULL), AD_OK);
  assert_int_equal(ad_window_mean(&w, 0, 4, mean), AD_EINTERNAL);
  ad_window_destroy(&w);
  for (int disk = 0; disk < 2; disk++) {
    int status = AD_ENOMEM;
    for (unsigned long n = 1; status != AD_OK; n++) {
      ad_memory_fail_at(n);
      status = ad_window_create(&w, test_math->kernels, 100, 5, 9, disk ? "/tmp" : NULL);
      ad_memory_fail_at(0);
      assert_true(status == AD_OK || status == AD_ENOMEM);
      if (status == AD_OK) {
        assert_true(ad_window_bytes(100, 5, disk) >= 100 * (disk ? 8 : 28));
        ad_window_destroy(&w);
      }
      assert_int_equal(ad_memory_stats().live_blocks, before);
    }
  }
}

static int run(const char *name) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_means), cmocka_unit_test(test_range),
                                     cmocka_unit_test(test_errors)};
  return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
  return run_with_kernel_sets(run);
}
