/* Products with bfloat16 operands against the arithmetic's loops (docs/arithmetic.md), to the bit: each way of making
 * them with each set of vector kernels. */
#include "autodidact/math/bfloat16.h"

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "math/bfloat16_way.h"
#include "reference/check.h"
#include "support/kernel_sets.h"

static struct ad_bf16_products *products;

/* --- The arithmetic, one number at a time --- */

static uint32_t bits_of(float x) {
  uint32_t word;
  memcpy(&word, &x, sizeof word);
  return word;
}

static float float_of(uint32_t word) {
  float x;
  memcpy(&x, &word, sizeof x);
  return x;
}

static float flushed(float x) {
  return (bits_of(x) & 0x7f800000) == 0 ? float_of(bits_of(x) & 0x80000000) : x;
}

/* The nearest of the numbers below and above, which have zeros in the lower half; of two as near the even one. */
static float rounded(float x) {
  if (isnan(x) || isinf(x) || flushed(x) == 0.0f) {
    return flushed(x);
  }
  const uint32_t word = bits_of(x), below = word & 0xffff0000, rest = word & 0xffff;
  const int up = rest > 0x8000 || (rest == 0x8000 && (word & 0x10000) != 0);
  return float_of(below + (up ? 0x10000 : 0));
}

/* Tiny is decided after rounding with an exponent of any size: near 2^-126, by scaling up first. Large numbers may
 * cancel to zero, which needs no scaling. */
static float step(float a, float b, float c) {
  const float sum = fmaf(a, b, c);
  if (fabsf(sum) > 0x1p-126f || sum == 0.0f || isnan(sum)) {
    return sum;
  }
  const float scaled = fmaf(a * 0x1p60f, b, c * 0x1p60f); /* exact factors; no overflow where the sum is small */
  return fabsf(scaled) >= 0x1p-66f ? scaled * 0x1p-60f : copysignf(0.0f, sum);
}

static float sum_of(float a, float b) {
  return flushed(flushed(a) + flushed(b));
}

/* sum continues over K pairs of numbers that are `lda` and `ldb` apart: blocks of 32, even places and odd places. */
static float dot(size_t K, const float *a, size_t lda, const float *b, size_t ldb, float sum) {
  for (size_t block = 0; block < K; block += 32) {
    float chain[2] = {0.0f, 0.0f};
    for (size_t k = block; k < block + 32; k++) {
      const int there = k < K;
      chain[k % 2] = step(there ? rounded(a[k * lda]) : 0.0f, there ? rounded(b[k * ldb]) : 0.0f, chain[k % 2]);
    }
    sum = sum_of(sum, sum_of(chain[0], chain[1]));
  }
  return sum;
}

/* --- Cases --- */

enum { NORMAL, WIDE, TINY, KINDS };

/* Normals; numbers of all sizes; sizes whose products lie around the smallest normal number, with zeros and subnormal
 * numbers among them. */
static float *numbers(size_t n, uint32_t number, int kind) {
  float *x = check_normals(n, number);
  for (size_t i = 0; i < n && kind != NORMAL; i++) {
    const uint32_t word = bits_of(x[i]), draw = word * 2654435761u >> 16;
    const int exponent = kind == WIDE ? (int)(draw % 80) - 40 : (int)(draw % 9) - 68;
    x[i] = draw % 13 == 0   ? copysignf(0.0f, x[i])
           : draw % 17 == 0 ? copysignf(0x1.3p-130f, x[i])
                            : ldexpf(x[i], exponent);
  }
  return x;
}

struct sizes {
  size_t M, N, K;
};
static const struct sizes SIZES[] = {{1, 1, 1},     {5, 3, 2},    {33, 17, 31},  {48, 64, 32},  {31, 65, 33},
                                     {50, 130, 97}, {70, 48, 64}, {9, 18, 1056}, {300, 16, 40}, {3, 20, 2100}};
enum { SIZE_COUNT = sizeof SIZES / sizeof SIZES[0] };

static ad_bf16 *rows_of(size_t M, size_t K, const float *x, size_t ldx) {
  ad_bf16 *rows = malloc(M * ad_bf16_depth(K) * sizeof *rows);
  assert_non_null(rows);
  ad_bf16_round(products, M, K, x, ldx, rows);
  return rows;
}

static void check_rounding(void **state) {
  (void)state;
  static const uint32_t words[] = {0,          0x80000000, 0x00000001, 0x807fffff, 0x00800000, 0x007fffff,
                                   0x3f808000, 0x3f818000, 0x3f808001, 0x3f817fff, 0x7f7fffff, 0xff7f8000,
                                   0x7f800000, 0xff800000, 0x7f7f7fff, 0x4b7fffff, 0xc2280000};
  enum { COUNT = sizeof words / sizeof words[0], DEPTH = 32 };
  float x[COUNT + 2];
  for (size_t i = 0; i < COUNT; i++) {
    x[i] = float_of(words[i]);
  }
  x[COUNT] = float_of(0x7f800001); /* NaN by its last bit only */
  x[COUNT + 1] = NAN;
  ad_bf16 rows[DEPTH];
  ad_bf16_round(products, 1, COUNT + 2, x, COUNT + 2, rows);
  for (size_t i = 0; i < COUNT; i++) {
    assert_int_equal(rows[i], bits_of(rounded(x[i])) >> 16);
  }
  for (size_t i = COUNT; i < COUNT + 2; i++) {
    assert_true(isnan(float_of((uint32_t)rows[i] << 16)));
  }
  for (size_t i = COUNT + 2; i < DEPTH; i++) {
    assert_int_equal(rows[i], 0);
  }
}

static void assert_rows(size_t M, size_t n, const ad_bf16 *rows, const float *expected) {
  const size_t depth = ad_bf16_depth(n);
  for (size_t i = 0; i < M * depth; i++) {
    const size_t m = i / depth, k = i % depth;
    assert_int_equal(rows[i], k < n ? bits_of(rounded(expected[m * n + k])) >> 16 : 0);
  }
}

/* Rows read again, and the layer norm made again, against the float32 kernels. */
static void check_kept_rows(void **state) {
  (void)state;
  enum { T = 5, MOST = 97 };
  static const size_t widths[] = {1, 16, 40, 64, MOST};
  const struct ad_kernels *k = products->kernels;
  for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
    const size_t n = widths[i];
    float *z = numbers(T * n, 1, NORMAL), *gamma = numbers(n, 2, NORMAL), *beta = numbers(n, 3, NORMAL);
    float *out = malloc(T * n * sizeof *out), mean[T], rstd[T];
    ad_bf16 *rows = rows_of(T, n, z, n), made[T * 128];
    assert_non_null(out);
    k->bf16_values(T, n, rows, out, n);
    for (size_t j = 0; j < T * n; j++) {
      assert_int_equal(bits_of(out[j]), bits_of(rounded(z[j])));
    }
    k->norm(T, n, z, gamma, beta, 1e-5f, NULL, NULL, NULL, mean, rstd, out);
    k->bf16_normalise(T, n, z, mean, rstd, gamma, beta, made);
    assert_rows(T, n, made, out);
    free(z);
    free(gamma);
    free(beta);
    free(out);
    free(rows);
  }
}

/* The activation from what is kept, forward and backward, against the float32 kernels one after another. */
static void check_activation_of(size_t F, int activation, const struct ad_dropout *dropout) {
  enum { T = 4 };
  static const uint32_t examples[T] = {3, 1, 4, 1}, places[T] = {0, 1, 2, 700};
  const struct ad_kernels *k = products->kernels;
  const size_t depth = ad_bf16_depth(F);
  float *u = numbers(T * F, 1, NORMAL), *bias = numbers(F, 2, NORMAL), *dg = numbers(T * F, 3, NORMAL);
  float *sums = numbers(F, 4, NORMAL), *expected_sums = numbers(F, 4, NORMAL), *g = malloc(T * F * sizeof *g);
  float *x = malloc(T * F * sizeof *x), *zero = calloc(F, sizeof *zero);
  ad_bf16 *kept = malloc(T * depth * sizeof *kept), *made = malloc(T * depth * sizeof *made);
  ad_bf16 *again = malloc(T * depth * sizeof *again), *du = malloc(T * depth * sizeof *du);
  assert_true(g != NULL && x != NULL && zero != NULL && kept != NULL && made != NULL && again != NULL && du != NULL);
  k->bf16_bias_activation(T, F, activation, u, bias, dropout, examples, places, kept, made);
  for (size_t i = 0; i < T * F; i++) {
    x[i] = u[i] + bias[i % F];
  }
  assert_rows(T, F, kept, x);
  k->bf16_values(T, F, kept, x, F);
  k->bias_activation(T, F, activation, x, zero, g);
  k->dropout(T, F, g, dropout, examples, places);
  assert_rows(T, F, made, g);
  k->bf16_activation_backward(T, F, activation, dg, kept, dropout, examples, places, du, sums, again);
  k->dropout(T, F, dg, dropout, examples, places);
  k->bias_activation_backward(T, F, activation, dg, x, dg, expected_sums);
  assert_rows(T, F, du, dg);
  assert_memory_equal(again, made, T * depth * sizeof *made);
  assert_memory_equal(sums, expected_sums, F * sizeof *sums);
  float *all[] = {u, bias, dg, sums, expected_sums, g, x, zero};
  ad_bf16 *halves[] = {kept, made, again, du};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    free(all[i]);
  }
  for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
    free(halves[i]);
  }
}

static void check_activation(void **state) {
  (void)state;
  static const size_t widths[] = {1, 16, 70, 129};
  const struct ad_dropout masks[] = {ad_dropout_make(0.0f, 0, 0, 0), ad_dropout_make(0.3f, 7, 5, 9)};
  for (size_t i = 0; i < 4 * 3 * 2; i++) {
    check_activation_of(widths[i / 6], (int)(i / 2 % 3), &masks[i % 2]);
  }
}

/* X W^T and dY W, from zero and continuing; what lies between the rows of the result stays. */
static void check_product(const struct sizes *s, int kind, int backward, int adding) {
  const size_t in = backward ? s->N : s->K, out = backward ? s->K : s->N, ldout = out + 3, depth = ad_bf16_depth(in);
  float *x = numbers(s->M * (in + 3), 1, kind), *w = numbers(s->N * s->K, 2, kind), *y = numbers(s->M * ldout, 3, kind);
  float *expected = malloc(s->M * ldout * sizeof *y);
  memcpy(expected, y, s->M * ldout * sizeof *y);
  for (size_t i = 0; i < s->M * out; i++) {
    const size_t m = i / out, j = i % out;
    float *at = expected + m * ldout + j;
    *at = dot(in, x + m * (in + 3), 1, backward ? w + j : w + j * s->K, backward ? s->K : 1, adding ? *at : 0.0f);
  }
  ad_bf16 *rows = rows_of(s->M, in, x, in + 3), *packed = calloc(ad_bf16_packed(out, in), sizeof *packed);
  const size_t panels = ad_bf16_panels(out);
  for (size_t p = 0; p < panels; p++) {
    (backward ? ad_bf16_pack_nn : ad_bf16_pack_nt)(products, s->N, s->K, w, p, p + 1, packed);
  }
  assert_true(depth % 32 == 0);
  ad_bf16_product(products, s->M, out, in, rows, packed, y, ldout, adding);
  for (size_t i = 0; i < s->M * ldout; i++) {
    if (bits_of(y[i]) != bits_of(expected[i])) {
      fail_msg("%zu x %zu x %zu, kind %d, backward %d, adding %d: element %zu is %a, expected %a", s->M, s->N, s->K,
               kind, backward, adding, i, (double)y[i], (double)expected[i]);
    }
  }
  free(x);
  free(w);
  free(y);
  free(expected);
  free(rows);
  free(packed);
}

static void check_products(void **state) {
  (void)state;
  for (size_t i = 0; i < 4 * KINDS * SIZE_COUNT; i++) {
    check_product(&SIZES[i / (4 * KINDS)], (int)(i / 4 % KINDS), i % 2 == 0, i / 2 % 2 == 0);
  }
}

/* Of a watched lane's own gradient [N,K], as docs/arithmetic.md has it: tiles of 32 x 64, of each 1,024 rows column by
 * column. */
static double squares_of(size_t N, size_t K, const float *dw) {
  double squares = 0.0;
  for (size_t from = 0; from < N; from += 1024) {
    const size_t end = N - from < 1024 ? N : from + 1024;
    for (size_t k = 0; k < K; k += 64) {
      for (size_t n = from; n < end; n += 32) {
        const size_t rows = end - n < 32 ? end - n : 32, columns = K - k < 64 ? K - k : 64;
        float tile[32 * 64];
        for (size_t i = 0; i < rows * columns; i++) {
          tile[i] = dw[(n + i / columns) * K + k + i % columns];
        }
        squares += products->kernels->sum_squares(rows * columns, tile);
      }
    }
  }
  return squares;
}

/* Lanes with gaps of three rows between them, one of them empty, and a part of the tree. */
static void check_gradient(size_t N, size_t K, int kind) {
  enum { COUNT = 5, WATCHED = 1 };
  static const size_t counts[COUNT] = {9, 33, 0, 64, 1};
  struct ad_lane_watch watch = {.lane = WATCHED};
  struct ad_lane_rows rows[COUNT];
  size_t M = 2;
  for (size_t lane = 0; lane < COUNT; lane++) {
    rows[lane] = (struct ad_lane_rows){M, counts[lane]};
    M += counts[lane] + 3;
  }
  float *dy = numbers(M * N, 1, kind), *x = numbers(M * K, 2, kind), *dw = malloc(N * K * sizeof *dw);
  float *own = malloc(N * K * sizeof *own); /* of the watched lane */
  assert_true(dw != NULL && own != NULL);
  ad_bf16 *dy_rows = rows_of(M, N, dy, N), *x_rows = rows_of(M, K, x, K);
  float *work = ad_malloc(ad_bf16_tn_work(products, COUNT, M, N, K), sizeof *work);
  const struct ad_lanes lanes = {.rows = rows, .hi = COUNT, .watch = &watch};
  ad_bf16_tn(products, &lanes, N, K, dy_rows, x_rows, dw, work);
  for (size_t i = 0; i < N * K; i++) {
    float lane[COUNT];
    for (size_t l = 0; l < COUNT; l++) {
      lane[l] = dot(counts[l], dy + rows[l].first * N + i / K, N, x + rows[l].first * K + i % K, K, 0.0f);
    }
    own[i] = lane[WATCHED];
    const float expected = ((lane[0] + lane[1]) + lane[3]) + lane[4]; /* ((0 1) (2 3)) 4, without the empty one */
    if (bits_of(dw[i]) != bits_of(expected)) {
      fail_msg("%zu x %zu, kind %d: element %zu is %a, expected %a", N, K, kind, i, (double)dw[i], (double)expected);
    }
  }
  const double squares = squares_of(N, K, own);
  assert_memory_equal(&watch.squares, &squares, sizeof squares);
  const struct ad_lanes none = {.rows = rows, .lo = 2, .hi = 3};
  ad_bf16_tn(products, &none, N, K, dy_rows, x_rows, dw, work);
  for (size_t i = 0; i < N * K; i++) {
    assert_int_equal(bits_of(dw[i]), 0);
  }
  free(dy);
  free(x);
  free(dw);
  free(own);
  free(dy_rows);
  free(x_rows);
  ad_free(work);
}

static void check_gradients(void **state) {
  (void)state;
  /* The last three: more of both operands than is taken at once. */
  static const size_t shapes[][2] = {{1, 1}, {3, 20}, {17, 65}, {50, 64}, {100, 70}, {1030, 5}, {1410, 6}, {5, 1410}};
  for (size_t i = 0; i < KINDS * sizeof shapes / sizeof shapes[0]; i++) {
    check_gradient(shapes[i / KINDS][0], shapes[i / KINDS][1], (int)(i % KINDS));
  }
}

/* 2^-126 - t: which t are flushed, by x86's rule (tiny is decided after rounding to 24 bits). */
static void check_edge(void **state) {
  (void)state;
  for (int e = 149; e <= 155; e++) {
    for (int m = 4; m < 8; m++) {
      const double t = ldexp((double)m / 4, -e);
      const float x[4] = {0x1p-63f, 0.0f, ldexpf((float)m / 4, -80)}, w[4] = {0x1p-63f, 0.0f, -ldexpf(1.0f, 80 - e)};
      float y;
      ad_bf16 *rows = rows_of(1, 4, x, 4), packed[16 * 32];
      ad_bf16_pack_nt(products, 1, 4, w, 0, 1, packed);
      ad_bf16_product(products, 1, 1, 4, rows, packed, &y, 1, 0);
      assert_int_equal(bits_of(y), t <= 0x1p-151 ? 0x00800000 : 0);
      free(rows);
    }
  }
}

/* A lane's sum that has become -0, and a last block whose chains do so before its zeros: these make +0 of each. */
static void check_last_zeros(void **state) {
  (void)state;
  enum { M = 68 };
  float dy[M] = {0.0f}, x[M] = {0.0f}, dw;
  _Alignas(64) float work[1 << 15];
  dy[0] = -0x1.8p-126f, x[0] = 1.0f;
  dy[32] = 0x1.4p-126f, x[32] = 1.0f;
  dy[66] = dy[67] = -0x1p-100f, x[66] = x[67] = 0x1p-100f;
  ad_bf16 *dy_rows = rows_of(M, 1, dy, 1), *x_rows = rows_of(M, 1, x, 1);
  const struct ad_lane_rows rows = {0, M};
  const struct ad_lanes lanes = {.rows = &rows, .hi = 1};
  assert_true(ad_bf16_tn_work(products, 1, M, 1, 1) <= sizeof work / sizeof work[0]);
  ad_bf16_tn(products, &lanes, 1, 1, dy_rows, x_rows, &dw, work);
  assert_int_equal(bits_of(dot(M, dy, 1, x, 1, 0.0f)), 0);
  assert_int_equal(bits_of(dw), 0);
  free(dy_rows);
  free(x_rows);
}

/* A way that adds both products of a pair at once, as other instructions do. */
static void wrong_product(const struct ad_kernels *kernels, size_t M, size_t N, size_t width, size_t inner,
                          const void *A, size_t ld, const void *B, float *C, size_t ldc, int accumulate) {
  const ad_bf16 *a = A, *b = B;
  (void)kernels;
  for (size_t i = 0; i < M * N; i++) {
    const size_t m = i / N, n = i % N;
    float sum = accumulate ? C[m * ldc + n] : 0.0f;
    for (size_t k = 0; k < inner; k += 2) {
      float x[2], w[2];
      for (size_t j = 0; j < 2; j++) {
        x[j] = float_of((uint32_t)a[m * ld + k + j] << 16);
        w[j] = float_of((uint32_t)b[k * width + 2 * n + j] << 16);
      }
      sum = sum_of(sum, (float)((double)x[0] * (double)w[0] + (double)x[1] * (double)w[1]));
    }
    C[m * ldc + n] = sum;
  }
}

static void check_start(void **state) {
  (void)state;
  struct ad_bf16_way wrong = {.name = "wrong", .product = wrong_product};
  struct ad_bf16_products other = *products;
  assert_int_equal(ad_bf16_check(products), AD_OK);
  other.way = &wrong;
  other.own_panels = 0;
  assert_int_equal(ad_bf16_check(&other), AD_EINTERNAL);
  assert_non_null(strstr(ad_error_message(), "by wrong do not have the bits"));
  struct ad_bf16_products *none;
  assert_int_equal(ad_bf16_create(&none, test_math->kernels, "amz"), AD_ECONFIG);
  assert_null(none);
}

static int run(const char *name) {
  static const char *const WAYS[] = {"amx", "avx512_bf16", "fma"};
  int failed = 0;
  for (size_t i = 0; i < sizeof WAYS / sizeof WAYS[0]; i++) {
    if (ad_bf16_create(&products, test_math->kernels, WAYS[i]) != AD_OK) {
      printf("kernels %s: no products by %s\n", name, WAYS[i]);
      failed += i == 2; /* that one is everywhere */
      continue;
    }
    printf("kernels %s, products by %s\n", name, ad_bf16_name(products));
    const struct CMUnitTest tests[] = {cmocka_unit_test(check_rounding),   cmocka_unit_test(check_products),
                                       cmocka_unit_test(check_gradients),  cmocka_unit_test(check_last_zeros),
                                       cmocka_unit_test(check_edge),       cmocka_unit_test(check_kept_rows),
                                       cmocka_unit_test(check_activation), cmocka_unit_test(check_start)};
    failed += cmocka_run_group_tests_name(name, tests, NULL, NULL);
    if (ad_bf16_panel_form(products) != 0) {
      const struct CMUnitTest shared[] = {cmocka_unit_test(check_products), cmocka_unit_test(check_start)};
      ad_bf16_common_panels(products);
      printf("the same with the common form of panels\n");
      failed += cmocka_run_group_tests_name(name, shared, NULL, NULL) + (ad_bf16_panel_form(products) != 0);
    }
    ad_bf16_destroy(products);
  }
  return failed;
}

int main(void) {
  return run_with_kernel_sets(run);
}
