/* Matrix products against plain loops, and the row self-check. */
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/gemm.h"
#include "reference/check.h"

struct sizes {
  size_t M, N, K;
};

static const struct sizes SIZES[] = {{1, 1, 1}, {48, 5, 7}, {7, 33, 16}, {96, 32, 37}, {100, 37, 384}, {96, 384, 96}};

/* Leading dimensions are 3 longer than the rows; what lies between the rows stays. */
static void check_product(const struct sizes *s, int kind) {
  /* kind 0: nt, rows of Y are N long; 1: nn, 2: nn accumulating, rows of dX are K long. */
  const size_t M = s->M, in = kind == 0 ? s->K : s->N, out = kind == 0 ? s->N : s->K, ldin = in + 3, ldout = out + 3;
  float *x = check_normals(M * ldin, 1), *w = check_normals(s->N * s->K, 2), *y = check_normals(M * ldout, 3);
  double *reference = check_widen(y, M * ldout);
  for (size_t m = 0; m < M; m++) {
    for (size_t j = 0; j < out; j++) {
      double sum = kind == 2 ? reference[m * ldout + j] : 0.0;
      for (size_t i = 0; i < in; i++) {
        sum += (double)x[m * ldin + i] * (double)(kind == 0 ? w[j * s->K + i] : w[i * s->K + j]);
      }
      reference[m * ldout + j] = sum;
    }
  }
  if (kind == 0) {
    ad_gemm_nt(M, s->N, s->K, x, ldin, w, y, ldout);
  } else {
    ad_gemm_nn(M, s->N, s->K, x, ldin, w, y, ldout, kind == 2);
  }
  CHECK_CLOSE(check_error(M * ldout, y, reference, 0.0), 2e-6, "kind %d, %zu x %zu x %zu", kind, M, s->N, s->K);
  free(x);
  free(w);
  free(y);
  free(reference);
}

static void test_products(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
    for (int kind = 0; kind < 3; kind++) {
      check_product(&SIZES[i], kind);
    }
  }
}

static void test_weight_gradient(void **state) {
  (void)state;
  static const struct sizes sizes[] = {{0, 3, 4}, {1, 1, 1}, {13, 33, 16}, {100, 37, 50}};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    const size_t M = sizes[i].M, N = sizes[i].N, K = sizes[i].K;
    float *dy = check_normals(M * (N + 2), 1), *x = check_normals(M * (K + 5), 2), *dw = check_normals(N * K, 3);
    double *reference = calloc(N * K, sizeof *reference);
    for (size_t m = 0; m < M; m++) {
      for (size_t n = 0; n < N * K; n++) {
        reference[n] += (double)dy[m * (N + 2) + n / K] * (double)x[m * (K + 5) + n % K];
      }
    }
    ad_gemm_tn(M, N, K, dy, N + 2, x, K + 5, dw);
    CHECK_CLOSE(check_error(N * K, dw, reference, 1e-6), 2e-6, "M %zu, N %zu, K %zu", M, N, K);
    free(dy);
    free(x);
    free(dw);
    free(reference);
  }
}

/* The number of rows after it does not matter, for any OpenBLAS kernel: a lane alone has the bits it has in front of
 * others. */
static void test_rows_behind(void **state) {
  (void)state;
  static const struct sizes sizes[] = {{0, 32, 37},  {0, 37, 384},  {0, 32, 32},
                                       {0, 128, 32}, {0, 384, 384}, {0, 1536, 384}};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    const size_t N = sizes[i].N, K = sizes[i].K, M = 5 * AD_ROW_BLOCK;
    float *x = check_normals(M * (N > K ? N : K), 1), *w = check_normals(N * K, 2);
    float *all = malloc(M * (N > K ? N : K) * sizeof *all), *few = malloc(M * (N > K ? N : K) * sizeof *few);
    for (size_t rows = AD_ROW_BLOCK; rows < M; rows += AD_ROW_BLOCK) {
      ad_gemm_nt(M, N, K, x, K, w, all, N);
      ad_gemm_nt(rows, N, K, x, K, w, few, N);
      assert_memory_equal(all, few, rows * N * sizeof *all);
      ad_gemm_nn(M, N, K, x, N, w, all, K, 0);
      ad_gemm_nn(rows, N, K, x, N, w, few, K, 0);
      assert_memory_equal(all, few, rows * K * sizeof *all);
    }
    free(x);
    free(w);
    free(all);
    free(few);
  }
}

/* What ad_gemm_prepare promises, tried from outside: a lane that begins at a multiple of the alignment has the bits it
 * has at the top, for all shapes prepared. */
static void test_alignment(void **state) {
  (void)state;
  static const size_t shapes[][2] = {{32, 37}, {37, 32}, {37, 384}, {384, 384}, {1536, 384}, {384, 1536}};
  enum { COUNT = sizeof shapes / sizeof shapes[0], M = 4 * AD_ROW_BLOCK };
  const int alignment = ad_gemm_prepare(shapes, COUNT);
  assert_true(alignment == 1 || alignment == 12 || alignment == AD_ROW_BLOCK);
  assert_int_equal(ad_gemm_prepare(shapes, COUNT), alignment);
  for (size_t i = 0; i < COUNT; i++) {
    const size_t N = shapes[i][0], K = shapes[i][1];
    float *x = check_normals(M * (N + K), 1), *w = check_normals(N * K, 2);
    float *all = malloc(M * (N + K) * sizeof *all), *lane = malloc(M * (N + K) * sizeof *lane);
    for (size_t first = (size_t)alignment; first < 2 * AD_ROW_BLOCK;
         first += (size_t)alignment * (alignment == 1 ? 7 : 1)) {
      ad_gemm_nt(M, N, K, x, K, w, all, N);
      ad_gemm_nt(2 * AD_ROW_BLOCK, N, K, x + first * K, K, w, lane, N);
      assert_memory_equal(all + first * N, lane, 2 * AD_ROW_BLOCK * N * sizeof *all);
      ad_gemm_nn(M, N, K, x, N, w, all, K, 0);
      ad_gemm_nn(2 * AD_ROW_BLOCK, N, K, x + first * N, N, w, lane, K, 0);
      assert_memory_equal(all + first * K, lane, 2 * AD_ROW_BLOCK * K * sizeof *all);
    }
    free(x);
    free(w);
    free(all);
    free(lane);
  }
}

static void test_self_check(void **state) {
  (void)state;
  const int first = ad_gemm_rows_independent(100, 64, 48, 5);
  assert_true(first == 0 || first == 1);
  assert_int_equal(ad_gemm_rows_independent(100, 64, 48, 5), first);
  unsigned long n = 1;
  for (; n < 20; n++) { /* every allocation fails in turn */
    ad_memory_fail_at(n);
    const int status = ad_gemm_rows_independent(96, 8, 8, 5);
    ad_memory_fail_at(0);
    assert_int_equal(ad_memory_stats().live_blocks, 0);
    if (status >= 0) {
      break;
    }
    assert_int_equal(status, AD_ENOMEM);
  }
  assert_in_range(n, 2, 19);
  static const size_t shape[1][2] = {{9, 11}};
  ad_memory_fail_at(1);
  assert_int_equal(ad_gemm_prepare(shape, 1), AD_ENOMEM);
  ad_memory_fail_at(0);
  assert_true(ad_gemm_prepare(shape, 1) > 0); /* a failure is not remembered as an answer */
  assert_true(strlen(ad_gemm_core()) > 0 && strstr(ad_gemm_config(), "OpenBLAS") != NULL);
}

static int start(void **state) {
  (void)state;
  ad_gemm_start();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_products),  cmocka_unit_test(test_weight_gradient), cmocka_unit_test(test_rows_behind),
      cmocka_unit_test(test_alignment), cmocka_unit_test(test_self_check),
  };
  return cmocka_run_group_tests(tests, start, NULL);
}
