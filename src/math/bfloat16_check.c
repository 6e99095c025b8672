/* Whether products with bfloat16 operands are those of docs/arithmetic.md: a CPU or an emulator whose instruction
 * rounds otherwise would else change bits in silence. */
#include "autodidact/base/build.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "bfloat16_way.h"
#include "vector/vec_common.h"

enum { M = 37, N = 70, K = 72, CHAIN = AD_BF16_DEPTH / 2 };

/* Bits that neither end in a NaN nor overflow: of one in four the exponent lies where products become subnormal. */
static float draw(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  const uint32_t word = (uint32_t)(*state >> 32), exponent = (word & 3) == 0 ? 60 + (word >> 2) % 8 : 110 + word % 30;
  const uint32_t bits = (word & 0x807fffff) | exponent << 23;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* A row of X times a row of W. */
static float expected(const float *x, const float *w) {
  float sum = 0.0f;
  for (size_t block = 0; block < K; block += AD_BF16_DEPTH) {
    float chain[2] = {0.0f, 0.0f};
    for (size_t k = block; k < block + AD_BF16_DEPTH; k++) {
      const float a = k < K ? vec_bf16_value(vec_bf16_round1(x[k])) : 0.0f;
      chain[k % 2] = vec_bf16_fma1(a, k < K ? vec_bf16_value(vec_bf16_round1(w[k])) : 0.0f, chain[k % 2]);
    }
    sum = vec_bf16_add1(sum, vec_bf16_add1(chain[0], chain[1]));
  }
  return sum;
}

int ad_bf16_check(const struct ad_bf16_products *products) {
  const size_t rows = M * ad_bf16_depth(K), packed = ad_bf16_packed(N, K), floats = (M + N) * K + M * N;
  float *X = ad_malloc(floats, sizeof *X);
  ad_bf16 *x = ad_malloc(rows + packed, sizeof *x);
  if (X == NULL || x == NULL) {
    ad_free(X);
    ad_free(x);
    return ad_fail_memory(floats * sizeof *X, "the check of products with bfloat16 operands");
  }
  float *W = X + M * K, *Y = W + N * K;
  ad_bf16 *w = x + rows;
  uint64_t state = 4;
  for (size_t i = 0; i < (M + N) * K; i++) {
    X[i] = draw(&state);
  }
  ad_bf16_round(products, M, K, X, K, x);
  ad_bf16_pack_nt(products, N, K, W, 0, ad_bf16_panels(N), w);
  ad_bf16_product(products, M, N, K, x, w, Y, N, 0);
  int wrong = 0;
  for (size_t i = 0; i < M * N; i++) {
    const float sum = expected(X + i / N * K, W + i % N * K);
    wrong |= memcmp(&sum, &Y[i], sizeof sum) != 0;
  }
  ad_free(X);
  ad_free(x);
  return wrong == 0 ? AD_OK
                    : ad_fail(AD_EINTERNAL, "bfloat16 products by %s do not have the bits of arithmetic %d",
                              ad_bf16_name(products), AD_ARITHMETIC);
}
