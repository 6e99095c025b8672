/* The elementary functions of the arithmetic (docs/arithmetic.md): the same bits in all kernel sets on millions of
 * arguments, the same digests on every CPU, close to the C library; and the check at the start, which finds a wrong
 * one. */
#include "autodidact/base/build.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/elementary.h"
#include "autodidact/base/status.h"
#include "math/gemm_backend.h"
#include "reference/check.h"
#include "support/kernel_sets.h"

/* --- Vectors: three million floats of all exponents and signs. */

enum { CHUNK = 4096, STRIDE = 1361 };

/* The next floats that are numbers or infinities; how many. */
static size_t next_floats(uint64_t *bits, float x[CHUNK]) {
  size_t n = 0;
  for (; n < CHUNK && *bits <= UINT32_MAX; *bits += STRIDE) {
    const uint32_t word = (uint32_t)*bits;
    if ((word & 0x7fffffff) <= 0x7f800000) {
      memcpy(&x[n++], &word, sizeof word);
    }
  }
  return n;
}

enum { GELU, GELU_BY_TANH, TANH, GELU_SLOPE, GELU_BY_TANH_SLOPE, FUNCTIONS };

static void apply(const struct ad_kernels *k, int function, size_t n, const float *x, float *y) {
  static const float zero[CHUNK];
  static float u[CHUNK], sums[CHUNK], one[CHUNK];
  for (size_t i = 0; i < n; i++) {
    one[i] = 1.0f;
  }
  memcpy(u, x, n * sizeof *u);
  switch (function) {
    case TANH:
      memcpy(y, x, n * sizeof *y);
      k->bias_tanh(1, n, y, zero);
      break;
    case GELU:
    case GELU_BY_TANH:
      k->bias_activation(1, n, function == GELU ? AD_ACTIVATION_GELU_ERF : AD_ACTIVATION_GELU_TANH, u, zero, y);
      break;
    default:
      k->bias_activation_backward(1, n, function == GELU_SLOPE ? AD_ACTIVATION_GELU_ERF : AD_ACTIVATION_GELU_TANH, one,
                                  u, y, sums);
  }
}

/* Equal bits; of NaNs, which the arithmetic leaves open, only that both are. */
static void check_equal(const char *set, int function, size_t n, const float *x, const float *y, const float *z) {
  for (size_t i = 0; i < n; i++) {
    if (memcmp(&y[i], &z[i], sizeof *y) != 0 && !(isnan(y[i]) && isnan(z[i]))) {
      print_error("%s, function %d: %a gives %a, expected %a\n", set, function, (double)x[i], (double)y[i],
                  (double)z[i]);
      fail();
    }
  }
}

/* Without the bits of NaNs. */
static uint64_t digest_of(size_t n, const float *values) {
  static float copy[CHUNK];
  for (size_t i = 0; i < n; i++) {
    copy[i] = isnan(values[i]) ? 1e30f : values[i];
  }
  return ad_digest(copy, n * sizeof *copy);
}

/* Of all results, on every CPU. */
static const uint64_t VECTORS = 0x9fa11d88264765e2;

static void test_vectors(void **state) {
  (void)state;
  static float x[CHUNK], y[CHUNK], z[CHUNK];
  const struct ad_kernels *generic = check_set(CHECK_SETS - 1);
  uint64_t bits = 0, digest = 0;
  size_t count = 0;
  for (size_t n; (n = next_floats(&bits, x)) > 0; count += n) {
    for (int function = 0; function < FUNCTIONS; function++) {
      apply(generic, function, n, x, z);
      digest = ad_digest_pair(digest, digest_of(n, z));
      for (int s = 0; s < CHECK_SETS - 1; s++) {
        if (check_set(s) != NULL) {
          apply(check_set(s), function, n, x, y);
          check_equal(check_set(s)->name, function, n, x, y, z);
        }
      }
    }
  }
  assert_true(count > 3000000);
  char text[2][17];
  assert_string_equal(ad_digest_text(digest, text[0]), ad_digest_text(VECTORS, text[1]));
}

/* --- Doubles: the one form that there is, on a million arguments each. */

static double uniform(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 11) * 0x1p-53;
}

struct function {
  const char *name;
  double (*ours)(double x);
  double (*library)(double x);
  double low, high;
  uint64_t digest; /* of the million results */
};

static double pow_of_betas(double x) {
  return ad_math_pow(0.999, x);
}
static double pow_of_betas_by_library(double x) {
  return pow(0.999, x);
}
static double square_root_by_pow(double x) {
  return ad_math_pow(x, 0.5);
}

static const struct function DOUBLES[] = {
    {"exp", ad_math_exp, exp, -745.0, 709.0, 0xfb738defaecceb16},
    {"log", ad_math_log, log, 0x1p-1000, 1e6, 0xc20e66d69d0f4b61},
    {"log1p", ad_math_log1p, log1p, -0.999, 1e3, 0x139eb56eeb31fbf1},
    {"cos", ad_math_cos, cos, 0.0, 0x1.921fb54442d18p2, 0x7d376e995ac1b21a},
    {"sin", ad_math_sin, sin, 0.0, 0x1p15, 0xf7ac3ea91dfa7198},
    {"pow(0.999, x)", pow_of_betas, pow_of_betas_by_library, 0.0, 1e6, 0x79500311f9607e71},
    {"pow(x, 0.5)", square_root_by_pow, sqrt, 0.0, 1e9, 0x321e5081acc11daf},
};

static void test_doubles(void **state) {
  (void)state;
  enum { COUNT = 1000000 };
  double *y = malloc(COUNT * sizeof *y);
  assert_non_null(y);
  for (size_t f = 0; f < sizeof DOUBLES / sizeof *DOUBLES; f++) {
    const struct function *d = &DOUBLES[f];
    uint64_t at = 1;
    double worst = 0.0;
    for (size_t i = 0; i < COUNT; i++) {
      const double x = d->low + (d->high - d->low) * uniform(&at), reference = d->library(x);
      y[i] = d->ours(x);
      const double error = fabs(y[i] - reference) / (fabs(reference) + 0x1p-1022);
      worst = error <= worst ? worst : error;
    }
    /* Both are within a unit in the last place, 2.3e-16. Zeros of cos and log cost it nothing; the smallest
     * exponentials are subnormal, hence the floor. */
    CHECK_CLOSE(worst, 5e-16, "%s", d->name);
    char text[2][17];
    assert_string_equal(ad_digest_text(ad_digest(y, COUNT * sizeof *y), text[0]), ad_digest_text(d->digest, text[1]));
  }
  free(y);
}

static void test_check(void **state) {
  (void)state;
  for (int s = 0; s < CHECK_SETS; s++) {
    if (check_set(s) != NULL) {
      assert_int_equal(test_math_start(check_set(s)->name, NULL), AD_OK);
      assert_int_equal(ad_arithmetic_check(test_math), AD_OK);
      test_math_end();
    }
  }
}

/* --- Wrong ones are found. */

static void tanh_off_by_one_bit(size_t T, size_t H, float *x, const float *bias) {
  ad_kernels_find(NULL)->bias_tanh(T, H, x, bias);
  x[H - 1] = nextafterf(x[H - 1], 2.0f);
}

static void attention_without_bias(size_t queries, size_t S, size_t A, size_t D, const float *Q, size_t ldq,
                                   const float *K, const float *V, size_t ldk, const struct ad_dropout *dropout,
                                   uint32_t example, const struct ad_distance_bias *bias, float *context, size_t ldc,
                                   float *work) {
  (void)bias;
  ad_kernels_find(NULL)->attention(queries, S, A, D, Q, ldq, K, V, ldk, dropout, example, NULL, context, ldc, work);
}

/* Two accumulators, as a compiler or a library might take to be faster. */
static void nt_in_halves(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W,
                         float *Y, size_t ldy, int accumulate) {
  (void)gemm;
  for (size_t i = 0; i < M * N; i++) {
    float sum[2] = {accumulate ? Y[i / N * ldy + i % N] : 0.0f, 0.0f};
    for (size_t k = 0; k < K; k++) {
      sum[k % 2] = fmaf(X[i / N * ldx + k], W[i % N * K + k], sum[k % 2]);
    }
    Y[i / N * ldy + i % N] = sum[0] + sum[1];
  }
}

static void test_wrong(void **state) {
  (void)state;
  struct ad_kernels kernels = *ad_kernels_find(NULL);
  assert_int_equal(ad_kernels_check(&kernels), AD_OK);
  kernels.bias_tanh = tanh_off_by_one_bit;
  assert_int_equal(ad_kernels_check(&kernels), AD_EINTERNAL);
  assert_non_null(strstr(ad_error_message(), "arithmetic 1"));
  kernels = *ad_kernels_find(NULL);
  kernels.attention = attention_without_bias;
  assert_int_equal(ad_kernels_check(&kernels), AD_EINTERNAL);
  assert_non_null(strstr(ad_error_message(), "attention with a bias"));
  assert_int_equal(test_math_start(NULL, NULL), AD_OK);
  assert_null(test_math->gemm->backend->version); /* chains */
  struct ad_gemm_backend backend = ad_gemm_chain;
  backend.nt = nt_in_halves;
  ad_gemm_use(test_math->gemm, &backend);
  assert_int_equal(ad_arithmetic_check(test_math), AD_EINTERNAL);
  assert_non_null(strstr(ad_error_message(), "arithmetic 1"));
  test_math_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors), cmocka_unit_test(test_doubles),
                                     cmocka_unit_test(test_check), cmocka_unit_test(test_wrong)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
