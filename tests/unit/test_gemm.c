/* Matrix products against plain loops, and the row self-check: each backend with each set of vector kernels. */
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "math/gemm_backend.h"
#include "reference/check.h"
#include "support/kernel_sets.h"

struct sizes {
  size_t M, N, K;
};

static const struct sizes SIZES[] = {{1, 1, 1},      {48, 5, 7},    {7, 33, 16},     {96, 32, 37},
                                     {100, 37, 384}, {96, 384, 96}, {50, 200, 1600}, {33, 2304, 512}};

/* Leading dimensions are 3 longer than the rows; what lies between the rows stays. */
static void check_product(const struct sizes *s, int kind) {
  /* kind 0: nt, 1: nt adding, rows of Y are N long; 2: nn, 3: nn accumulating, rows of dX are K long. */
  const int transposed = kind < 2, adding = kind % 2;
  const size_t M = s->M, in = transposed ? s->K : s->N, out = transposed ? s->N : s->K, ldin = in + 3, ldout = out + 3;
  float *x = check_normals(M * ldin, 1), *w = check_normals(s->N * s->K, 2), *y = check_normals(M * ldout, 3);
  double *reference = check_widen(y, M * ldout);
  for (size_t m = 0; m < M; m++) {
    for (size_t j = 0; j < out; j++) {
      double sum = adding ? reference[m * ldout + j] : 0.0;
      for (size_t i = 0; i < in; i++) {
        sum += (double)x[m * ldin + i] * (double)(transposed ? w[j * s->K + i] : w[i * s->K + j]);
      }
      reference[m * ldout + j] = sum;
    }
  }
  if (transposed) {
    (adding ? ad_gemm_nt_add : ad_gemm_nt)(test_math->gemm, M, s->N, s->K, x, ldin, w, y, ldout);
  } else {
    ad_gemm_nn(test_math->gemm, M, s->N, s->K, x, ldin, w, y, ldout, adding);
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
    for (int kind = 0; kind < 4; kind++) {
      check_product(&SIZES[i], kind);
    }
  }
}

/* One case of lanes: their numbers of rows, gaps of 3 rows between them, and the part of the tree that is summed. */
struct lanes {
  size_t count[9], number, lo, hi;
  size_t N, K;
};

static const struct lanes LANES[] = {{{0}, 1, 0, 1, 3, 4},
                                     {{1}, 1, 0, 1, 1, 1},
                                     {{13}, 1, 0, 1, 33, 16},
                                     {{7, 5, 11}, 3, 0, 3, 37, 50},
                                     {{7, 0, 11, 1, 0, 9, 3, 4}, 8, 0, 8, 96, 130},
                                     {{7, 0, 11, 1, 0, 9, 3, 4}, 8, 4, 8, 130, 96},
                                     {{2, 3, 4, 5, 6, 7, 8, 9, 10}, 9, 0, 9, 70, 2100},
                                     {{2, 3, 4, 5, 6, 7, 8, 9, 10}, 9, 2, 9, 2100, 70},
                                     {{0, 0, 5}, 3, 0, 2, 20, 30}};

static size_t place_lanes(const struct lanes *l, struct ad_lane_rows *rows) {
  size_t end = 2;
  for (size_t lane = 0; lane < l->number; lane++) {
    rows[lane] = (struct ad_lane_rows){l->count[lane] > 0 ? end : 0, l->count[lane]};
    end += l->count[lane] > 0 ? l->count[lane] + 3 : 0;
  }
  return end;
}

static void test_weight_gradient(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof LANES / sizeof LANES[0]; i++) {
    const struct lanes *l = &LANES[i];
    const size_t N = l->N, K = l->K;
    struct ad_lane_rows rows[9];
    const size_t M = place_lanes(l, rows);
    float *dy = check_normals(M * (N + 2), 1), *x = check_normals(M * (K + 5), 2), *dw = check_normals(N * K, 3);
    float *work = ad_malloc(ad_gemm_tn_work(test_math->gemm, l->hi - l->lo, M, N, K), sizeof *work);
    double *reference = calloc(N * K, sizeof *reference);
    for (size_t lane = l->lo; lane < l->hi; lane++) {
      for (size_t m = rows[lane].first; m < rows[lane].first + rows[lane].count; m++) {
        for (size_t n = 0; n < N * K; n++) {
          reference[n] += (double)dy[m * (N + 2) + n / K] * (double)x[m * (K + 5) + n % K];
        }
      }
    }
    const struct ad_lanes lanes = {.rows = rows, .lo = l->lo, .hi = l->hi};
    ad_gemm_tn(test_math->gemm, &lanes, N, K, dy, N + 2, x, K + 5, dw, work);
    CHECK_CLOSE(check_error(N * K, dw, reference, 1e-6), 2e-6, "case %zu", i);
    free(dy);
    free(x);
    free(dw);
    ad_free(work);
    free(reference);
  }
}

/* The bits of a weight gradient are those of its lanes' own, added by the tree, wherever the lanes stand. */
static void test_weight_gradient_is_the_tree(void **state) {
  (void)state;
  enum { COUNT = 5, N = 100, K = 2100, GAP = 3 };
  static const size_t counts[COUNT] = {9, 17, 1, 30, 12};
  const struct ad_kernels *kernels = test_math->kernels;
  struct ad_lane_rows rows[COUNT];
  size_t M = 0;
  for (size_t lane = 0; lane < COUNT; lane++) {
    rows[lane] = (struct ad_lane_rows){M, counts[lane]};
    M += counts[lane] + GAP;
  }
  float *dy = check_normals(M * N, 1), *x = check_normals(M * K, 2), *whole = malloc(N * K * sizeof *whole);
  float *lane_sum[COUNT], *work = ad_malloc(ad_gemm_tn_work(test_math->gemm, COUNT, M, N, K), sizeof *work);
  for (size_t lane = 0; lane < COUNT; lane++) {
    lane_sum[lane] = malloc(N * K * sizeof *whole);
    const struct ad_lane_rows own = {0, counts[lane]};
    const struct ad_lanes alone = {.rows = &own, .hi = 1};
    ad_gemm_tn(test_math->gemm, &alone, N, K, dy + rows[lane].first * N, N, x + rows[lane].first * K, K, lane_sum[lane],
               work);
  }
  struct ad_lane_watch watch = {.lane = 3};
  const struct ad_lanes all = {.rows = rows, .hi = COUNT, .watch = &watch};
  ad_gemm_tn(test_math->gemm, &all, N, K, dy, N, x, K, whole, work);
  /* Tile by tile or at once: the sum of squares is that of the lane's own gradient, but for rounding. */
  const double squares = kernels->sum_squares(N * K, lane_sum[3]);
  assert_true(fabs(watch.squares - squares) <= 1e-12 * squares);
  kernels->add(N * K, lane_sum[0], lane_sum[1]); /* ((0 + 1) + (2 + 3)) + 4 */
  kernels->add(N * K, lane_sum[2], lane_sum[3]);
  kernels->add(N * K, lane_sum[0], lane_sum[2]);
  kernels->add(N * K, lane_sum[0], lane_sum[4]);
  assert_memory_equal(whole, lane_sum[0], N * K * sizeof *whole);
  for (size_t lane = 0; lane < COUNT; lane++) {
    free(lane_sum[lane]);
  }
  free(dy);
  free(x);
  free(whole);
  ad_free(work);
}

/* The number of rows after it does not matter, for any OpenBLAS kernel: a lane alone has the bits it has in front of
 * others. */
static void test_rows_behind(void **state) {
  (void)state;
  static const struct sizes sizes[] = {{0, 32, 37},  {0, 37, 384},  {0, 32, 32},
                                       {0, 128, 32}, {0, 384, 384}, {0, 1100, 96}};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    const size_t N = sizes[i].N, K = sizes[i].K, M = 5 * AD_ROW_BLOCK;
    float *x = check_normals(M * (N > K ? N : K), 1), *w = check_normals(N * K, 2);
    float *all = malloc(M * (N > K ? N : K) * sizeof *all), *few = malloc(M * (N > K ? N : K) * sizeof *few);
    for (size_t rows = AD_ROW_BLOCK; rows < M; rows += AD_ROW_BLOCK) {
      ad_gemm_nt(test_math->gemm, M, N, K, x, K, w, all, N);
      ad_gemm_nt(test_math->gemm, rows, N, K, x, K, w, few, N);
      assert_memory_equal(all, few, rows * N * sizeof *all);
      ad_gemm_nn(test_math->gemm, M, N, K, x, N, w, all, K, 0);
      ad_gemm_nn(test_math->gemm, rows, N, K, x, N, w, few, K, 0);
      assert_memory_equal(all, few, rows * K * sizeof *all);
    }
    free(x);
    free(w);
    free(all);
    free(few);
  }
}

/* Narrow and odd ones, and some that are long in each direction: more than a block of any backend. */
static const size_t SHAPES[][2] = {{32, 37}, {37, 32}, {37, 384}, {384, 384}, {1100, 96}, {96, 1100}};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof SHAPES[0] };

/* Each row is tried where that is cheap. Elsewhere 13 steps over all remainders by the rows of a tile. */
static size_t stride(size_t N, size_t K) {
  return N * K < 20000 ? 1 : 13;
}

/* What ad_gemm_prepare promises, tried from outside: a lane that begins at a multiple of the alignment has the bits it
 * has at the top, for all shapes prepared. */
static void test_alignment(void **state) {
  (void)state;
  enum { M = 4 * AD_ROW_BLOCK };
  const int alignment = ad_gemm_prepare(test_math->gemm, SHAPES, SHAPE_COUNT);
  assert_true(alignment == 1 || alignment == 12 || alignment == AD_ROW_BLOCK);
  assert_int_equal(ad_gemm_prepare(test_math->gemm, SHAPES, SHAPE_COUNT), alignment);
  for (size_t i = 0; i < SHAPE_COUNT; i++) {
    const size_t N = SHAPES[i][0], K = SHAPES[i][1];
    float *x = check_normals(M * (N + K), 1), *w = check_normals(N * K, 2);
    float *all = malloc(M * (N + K) * sizeof *all), *lane = malloc(M * (N + K) * sizeof *lane);
    for (size_t first = (size_t)alignment; first < 2 * AD_ROW_BLOCK;
         first += (size_t)alignment * (alignment == 1 ? stride(N, K) : 1)) {
      ad_gemm_nt(test_math->gemm, M, N, K, x, K, w, all, N);
      ad_gemm_nt(test_math->gemm, 2 * AD_ROW_BLOCK, N, K, x + first * K, K, w, lane, N);
      assert_memory_equal(all + first * N, lane, 2 * AD_ROW_BLOCK * N * sizeof *all);
      ad_gemm_nn(test_math->gemm, M, N, K, x, N, w, all, K, 0);
      ad_gemm_nn(test_math->gemm, 2 * AD_ROW_BLOCK, N, K, x + first * N, N, w, lane, K, 0);
      assert_memory_equal(all + first * K, lane, 2 * AD_ROW_BLOCK * K * sizeof *all);
    }
    free(x);
    free(w);
    free(all);
    free(lane);
  }
}

/* Rows have their bits whatever the number of rows, of all that ad_gemm_block allows. */
static void test_row_counts(void **state) {
  (void)state;
  enum { M = 2 * AD_ROW_BLOCK };
  const size_t block =
      ad_gemm_block(test_math->gemm, ad_gemm_prepare(test_math->gemm, SHAPES, SHAPE_COUNT), SHAPES, SHAPE_COUNT);
  assert_true(M % block == 0 && (block == 1) == (test_math->gemm->backend->version == NULL));
  for (size_t i = 0; i < SHAPE_COUNT; i++) {
    const size_t N = SHAPES[i][0], K = SHAPES[i][1];
    float *x = check_normals(M * (N + K), 1), *w = check_normals(N * K, 2), *sum = check_normals(M * K, 3);
    float *all = malloc(M * (N + K) * sizeof *all), *few = malloc(M * (N + K) * sizeof *few);
    for (size_t rows = block; rows < M; rows += block * (block == 1 ? stride(N, K) : 1)) {
      ad_gemm_nt(test_math->gemm, M, N, K, x, K, w, all, N);
      ad_gemm_nt(test_math->gemm, rows, N, K, x + (M - rows) * K, K, w, few, N);
      assert_memory_equal(all + (M - rows) * N, few, rows * N * sizeof *all);
      memcpy(all, sum, M * K * sizeof *all);
      memcpy(few, sum + (M - rows) * K, rows * K * sizeof *few);
      ad_gemm_nn(test_math->gemm, M, N, K, x, N, w, all, K, 1);
      ad_gemm_nn(test_math->gemm, rows, N, K, x + (M - rows) * N, N, w, few, K, 1);
      assert_memory_equal(all + (M - rows) * K, few, rows * K * sizeof *all);
    }
    free(x);
    free(w);
    free(sum);
    free(all);
    free(few);
  }
}

static void test_self_check(void **state) {
  (void)state;
  const int first = ad_gemm_rows_independent(test_math->gemm, 100, 64, 48, 5);
  assert_true(first == 0 || first == 1);
  assert_int_equal(ad_gemm_rows_independent(test_math->gemm, 100, 64, 48, 5), first);
  const size_t before = ad_memory_stats().live_blocks;
  unsigned long n = 1;
  for (; n < 20; n++) { /* every allocation fails in turn */
    ad_memory_fail_at(n);
    const int status = ad_gemm_rows_independent(test_math->gemm, 96, 8, 8, 5);
    ad_memory_fail_at(0);
    assert_int_equal(ad_memory_stats().live_blocks, before);
    if (status >= 0) {
      break;
    }
    assert_int_equal(status, AD_ENOMEM);
  }
  assert_in_range(n, 2, 19);
  static const size_t shape[1][2] = {{9, 11}};
  ad_memory_fail_at(1);
  assert_int_equal(ad_gemm_prepare(test_math->gemm, shape, 1), AD_ENOMEM);
  ad_memory_fail_at(0);
  assert_true(ad_gemm_prepare(test_math->gemm, shape, 1) > 0); /* a failure is not remembered as an answer */
  assert_true(strlen(ad_gemm_core(test_math->gemm)) > 0);
  assert_int_equal(strcmp(ad_arithmetic(test_math), "1") == 0, test_math->gemm->backend->version == NULL);
  assert_true(strlen(ad_gemm_openblas_core()) > 0);
}

/* Another name, and other kernels than this CPU has: from the environment, and nothing is left behind. */
static void test_choice(void **state) {
  (void)state;
  struct ad_math *math = test_math;
  struct ad_gemm *gemm;
  const size_t before = ad_memory_stats().live_blocks;
  assert_int_equal(ad_gemm_create(&gemm, test_math->kernels, "mkl"), AD_ECONFIG);
  assert_null(gemm);
  assert_non_null(strstr(ad_error_message(), "'mkl'"));
  setenv("AUTODIDACT_KERNELS", "v5", 1);
  assert_int_equal(ad_math_create(&math), AD_ECONFIG);
  unsetenv("AUTODIDACT_KERNELS");
  assert_null(math);
  assert_non_null(strstr(ad_error_message(), "AUTODIDACT_KERNELS: found 'v5'"));
  for (unsigned long n = 1; n <= 2; n++) {
    ad_memory_fail_at(n);
    assert_int_equal(ad_math_create(&math), AD_ENOMEM);
    ad_memory_fail_at(0);
    assert_null(math);
  }
  assert_int_equal(ad_gemm_create(&gemm, test_math->kernels, test_math->gemm->backend->name), AD_OK);
  assert_string_equal(ad_gemm_core(gemm), ad_gemm_core(test_math->gemm));
  ad_gemm_destroy(gemm);
  assert_int_equal(ad_memory_stats().live_blocks, before);
}

/* The yardstick is OpenBLAS's, whatever the backend. */
static void test_square(void **state) {
  (void)state;
  enum { n = 65 };
  float *x = check_normals(n * n, 1), *w = check_normals(n * n, 2), *y = malloc(n * n * sizeof *y);
  double *reference = calloc(n * n, sizeof *reference);
  for (size_t i = 0; i < n * n * n; i++) {
    reference[i / n] += (double)x[i / (n * n) * n + i % n] * (double)w[i / n % n * n + i % n];
  }
  ad_gemm_openblas_square(n, x, w, y);
  CHECK_CLOSE(check_error(n * n, y, reference, 0.0), 2e-6, "n %d", n);
  free(x);
  free(w);
  free(y);
  free(reference);
}

/* --- Models that come one after another in a process do not change each other's products. */

enum { UNEVEN_N = 16, UNEVEN_K = 20, MODEL = 2 };

static size_t most_rows; /* that the backend below was given at once */

/* Plain products, but that rows of one shape have other bits where more than a block goes at once. */
static void uneven_nt(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W,
                      float *Y, size_t ldy, int accumulate) {
  (void)gemm;
  const float more = N == UNEVEN_N && K == UNEVEN_K && M > AD_ROW_BLOCK ? 1.0F : 0.0F;
  most_rows = M > most_rows ? M : most_rows;
  for (size_t i = 0; i < M * N; i++) {
    float sum = more + (accumulate ? Y[i / N * ldy + i % N] : 0.0F);
    for (size_t k = 0; k < K; k++) {
      sum += X[i / N * ldx + k] * W[i % N * K + k];
    }
    Y[i / N * ldy + i % N] = sum;
  }
}

static void uneven_nn(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W,
                      float *dX, size_t ldx, int accumulate) {
  (void)gemm;
  most_rows = M > most_rows ? M : most_rows;
  for (size_t i = 0; i < M * K; i++) {
    float *out = &dX[i / K * ldx + i % K], sum = accumulate ? *out : 0.0F;
    for (size_t n = 0; n < N; n++) {
      sum += dY[i / K * ldy + n] * W[n * K + i % K];
    }
    *out = sum;
  }
}

static int never_small(size_t N, size_t K) {
  (void)N, (void)K;
  return 0;
}

/* The most rows that go at once of 4 blocks, forward and backward. */
static size_t rows_given(size_t N, size_t K) {
  enum { M = 4 * AD_ROW_BLOCK };
  float *x = check_normals(M * (N + K), 1), *w = check_normals(N * K, 2), *y = malloc(M * (N + K) * sizeof *y);
  most_rows = 0;
  ad_gemm_nt(test_math->gemm, M, N, K, x, K, w, y, N);
  const size_t forward = most_rows;
  ad_gemm_nn(test_math->gemm, M, N, K, x, N, w, y, K, 0);
  assert_int_equal(most_rows, forward);
  free(x);
  free(w);
  free(y);
  return forward;
}

static void test_models_in_turn(void **state) {
  (void)state;
  const struct ad_gemm_backend *in_use = test_math->gemm->backend;
  static const struct ad_gemm_backend uneven = {.block = 16, .is_small = never_small, .nt = uneven_nt, .nn = uneven_nn};
  static const size_t one[MODEL][2] = {{8, 12}, {UNEVEN_N, UNEVEN_K}}, other[MODEL][2] = {{8, 12}, {12, 8}};
  for (int order = 0; order < 2; order++) {
    int one_known = 0;
    ad_gemm_use(test_math->gemm, &uneven);
    for (int turn = 0; turn < 4; turn++) {
      const int is_one = turn % 2 == order;
      one_known |= is_one;
      assert_int_equal(ad_gemm_prepare(test_math->gemm, is_one ? one : other, MODEL), is_one ? AD_ROW_BLOCK : 1);
      assert_int_equal(rows_given(8, 12), 4 * AD_ROW_BLOCK);
      assert_int_equal(rows_given(12, 8), 4 * AD_ROW_BLOCK);
      assert_int_equal(rows_given(UNEVEN_N, UNEVEN_K), one_known ? AD_ROW_BLOCK : 4 * AD_ROW_BLOCK);
    }
  }
  /* As many shapes as are kept, and one more. */
  size_t shape[1][2] = {{1, 1}};
  int status = 1;
  for (ad_gemm_use(test_math->gemm, &uneven); status > 0 && shape[0][0] < 1000; shape[0][0]++) {
    status = ad_gemm_prepare(test_math->gemm, (const size_t(*)[2])shape, 1);
  }
  assert_int_equal(status, AD_EINTERNAL);
  assert_int_equal(shape[0][0], 258);
  ad_gemm_use(test_math->gemm, in_use);
}

static int run(const char *name) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_products),       cmocka_unit_test(test_weight_gradient),
      cmocka_unit_test(test_rows_behind),    cmocka_unit_test(test_weight_gradient_is_the_tree),
      cmocka_unit_test(test_alignment),      cmocka_unit_test(test_self_check),
      cmocka_unit_test(test_choice),         cmocka_unit_test(test_square),
      cmocka_unit_test(test_models_in_turn), cmocka_unit_test(test_row_counts),
  };
  printf("%s\n", name);
  return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
