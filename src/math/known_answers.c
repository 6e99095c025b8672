/* Whether functions and products of this process are those of docs/arithmetic.md: a library of another version, a
 * compiler's mistake or an emulator would else change bits in silence. */
#include <math.h>
#include <string.h>

#include "autodidact/base/build.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/elementary.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/context.h"
#include "gemm_backend.h"

/* Uniform in [0, 1), 24 bits: exact in float and double. */
static double draw(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 40) * 0x1p-24;
}

static int compare(const char *what, const char *by, const void *values, size_t bytes, uint64_t expected) {
  const uint64_t found = ad_digest(values, bytes);
  char text[2][17];
  return found == expected ? AD_OK
                           : ad_fail(AD_EINTERNAL,
                                     "%s do not have the bits of arithmetic %d: their digest is %s, expected %s (%s, "
                                     "SLEEF %s)",
                                     what, AD_ARITHMETIC, ad_digest_text(found, text[0]),
                                     ad_digest_text(expected, text[1]), by, ad_math_version());
}

/* Digests of what follows, by SLEEF 3.5.1: they change only with the arithmetic. */
static const uint64_t DOUBLES = 0x162edfd03aa0dd98, FLOATS = 0x774d3a70b7eed129, BIASED = 0x494932cae1577da8,
                      RELATIVE = 0x8375fec89d2c0eb2;

static int check_doubles(void) {
  enum { COUNT = 200 };
  double y[6][COUNT];
  uint64_t state = 1;
  for (size_t i = 0; i < COUNT; i++) {
    y[0][i] = ad_math_exp(40.0 * draw(&state) - 20.0);
    y[1][i] = ad_math_log(1000.0 * draw(&state) + 0x1p-30);
    y[2][i] = ad_math_log1p(4.0 * draw(&state) - 0.5);
    y[3][i] = ad_math_cos(0x1.921fb54442d18p2 * draw(&state));
    const double base = 0.5 + draw(&state);
    y[4][i] = ad_math_pow(base, 1000.0 * draw(&state));
    y[5][i] = ad_math_sin(0x1p15 * draw(&state));
  }
  return compare("exp, log, log1p, cos, pow and sin", "doubles", y, sizeof y, DOUBLES);
}

enum { TOKENS = 32, DISTANCES = 2 * TOKENS - 1 };

/* One head of one column whose scores have a bias, and its gradients, from x [4 TOKENS + DISTANCES]. */
static int check_biased(const struct ad_kernels *kernels, const float *x, float *work) {
  float y[4 * TOKENS + DISTANCES] = {0}, *at[] = {y, y + TOKENS, y + 2 * TOKENS, y + 3 * TOKENS, y + 4 * TOKENS};
  const struct ad_distance_bias bias = {TOKENS, x + 4 * TOKENS, at[4], NULL};
  kernels->attention(TOKENS, TOKENS, 1, 1, x, 1, x + TOKENS, x + 2 * TOKENS, 1, NULL, 0, &bias, at[0], 1, work);
  kernels->attention_backward(TOKENS, TOKENS, 1, 1, x, 1, x + TOKENS, x + 2 * TOKENS, 1, NULL, 0, &bias, x + 3 * TOKENS,
                              1, at[1], at[2], at[3], work);
  return compare("attention with a bias", kernels->name, y, sizeof y, BIASED);
}

/* The same of relative attention, from x [4 TOKENS + DISTANCES + 5]. */
static int check_relative(const struct ad_kernels *kernels, const float *x, float *work) {
  static const uint32_t types[TOKENS] = {[20] = 1, [TOKENS - 1] = 2};
  const float *rest = x + 4 * TOKENS + DISTANCES;
  float y[4 * TOKENS + DISTANCES + 5] = {0}, *dR = y + 4 * TOKENS, *drest = dR + DISTANCES;
  const struct ad_relative relative = {.queries = TOKENS,
                                       .S = TOKENS,
                                       .A = 1,
                                       .D = 1,
                                       .Q = x,
                                       .K = x + TOKENS,
                                       .V = x + 2 * TOKENS,
                                       .R = x + 4 * TOKENS,
                                       .ldq = 1,
                                       .ldk = 1,
                                       .ldr = 1,
                                       .content_bias = rest,
                                       .position_bias = rest + 1,
                                       .segment_bias = rest + 2,
                                       .segments = rest + 3,
                                       .types = types};
  const struct ad_relative_gradient gradient = {y + TOKENS, y + 2 * TOKENS, y + 3 * TOKENS, dR,
                                                drest,      drest + 1,      drest + 2,      drest + 3};
  kernels->relative_attention(&relative, y, 1, work);
  kernels->relative_attention_backward(&relative, x + 3 * TOKENS, 1, &gradient, work);
  return compare("relative attention", kernels->name, y, sizeof y, RELATIVE);
}

/* tanh, exp inside both forms of GELU and inside a softmax. */
int ad_kernels_check(const struct ad_kernels *kernels) {
  enum { COUNT = 256 };
  _Alignas(64) float x[COUNT], zero[COUNT] = {0}, y[4][COUNT];
  uint64_t state = 2;
  for (size_t i = 0; i < COUNT; i++) {
    x[i] = (float)(24.0 * draw(&state) - 12.0);
  }
  memcpy(y[0], x, sizeof x);
  kernels->bias_tanh(1, COUNT, y[0], zero);
  for (int form = AD_ACTIVATION_GELU_ERF; form <= AD_ACTIVATION_GELU_TANH; form++) {
    float u[COUNT];
    memcpy(u, x, sizeof u);
    kernels->bias_activation(1, COUNT, form, u, zero, y[1 + form]);
  }
  /* One head of one column: a context is a mean of values, weighted by exp. */
  const size_t size = ad_relative_work(TOKENS, TOKENS, 1); /* attention needs less */
  float *work = ad_malloc(size, sizeof *work);
  if (work == NULL) {
    return ad_fail_memory(size * sizeof *work, "the check of the vector kernels");
  }
  memset(y[3], 0, sizeof y[3]);
  kernels->attention(TOKENS, TOKENS, 1, 1, x, 1, x + TOKENS, x + 2 * TOKENS, 1, NULL, 0, NULL, y[3], 1, work);
  int status = check_biased(kernels, x, work);
  status = status == AD_OK ? check_relative(kernels, x, work) : status;
  ad_free(work);
  AD_TRY(status);
  return compare("exp and tanh", kernels->name, y, sizeof y, FLOATS);
}

/* Products by the backend in use, at edges of its panels, against the chains that docs/arithmetic.md asks for. */
static int check_products(struct ad_gemm *gemm) {
  enum { M = 7, N = 83, K = 37 };
  static float X[M * K], W[N * K], dY[M * N], Y[M * N], dX[M * K], dW[N * K];
  uint64_t state = 3;
  for (size_t i = 0; i < M * K; i++) {
    X[i] = (float)(draw(&state) - 0.5);
  }
  for (size_t i = 0; i < N * K; i++) {
    W[i] = (float)(draw(&state) - 0.5);
  }
  for (size_t i = 0; i < M * N; i++) {
    dY[i] = (float)(draw(&state) - 0.5);
  }
  float *work = ad_malloc(ad_gemm_tn_work(gemm, 1, M, N, K), sizeof *work);
  if (work == NULL) {
    return ad_fail_memory(ad_gemm_tn_work(gemm, 1, M, N, K) * sizeof *work, "the check of the products");
  }
  const struct ad_lanes lane = {.rows = &(struct ad_lane_rows){0, M}, .lo = 0, .hi = 1};
  ad_gemm_nt(gemm, M, N, K, X, K, W, Y, N);
  ad_gemm_nn(gemm, M, N, K, dY, N, W, dX, K, 0);
  ad_gemm_tn(gemm, &lane, N, K, dY, N, X, K, dW, work);
  ad_free(work);
  int wrong = 0;
  for (size_t i = 0; i < M * N; i++) {
    float sum = 0.0f;
    for (size_t k = 0; k < K; k++) {
      sum = fmaf(X[i / N * K + k], W[i % N * K + k], sum);
    }
    wrong |= Y[i] != sum;
  }
  for (size_t i = 0; i < M * K; i++) {
    float sum = 0.0f;
    for (size_t n = 0; n < N; n++) {
      sum = fmaf(dY[i / K * N + n], W[n * K + i % K], sum);
    }
    wrong |= dX[i] != sum;
  }
  for (size_t i = 0; i < N * K; i++) {
    float sum = 0.0f;
    for (size_t m = 0; m < M; m++) {
      sum = fmaf(dY[m * N + i / K], X[m * K + i % K], sum);
    }
    wrong |= dW[i] != sum;
  }
  return wrong == 0 ? AD_OK
                    : ad_fail(AD_EINTERNAL, "matrix products by %s do not have the bits of arithmetic %d",
                              ad_gemm_core(gemm), AD_ARITHMETIC);
}

int ad_arithmetic_check(const struct ad_math *math) {
  AD_TRY(check_doubles());
  AD_TRY(ad_kernels_check(math->kernels));
  return math->gemm->backend->version == NULL ? check_products(math->gemm) : AD_OK;
}
