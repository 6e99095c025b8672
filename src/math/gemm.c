#include "autodidact/math/gemm.h"

#include <cblas.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

void ad_gemm_nt(size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W, float *Y, size_t ldy) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)M, (blasint)N, (blasint)K, 1.0f, X, (blasint)ldx, W, (blasint)K,
              0.0f, Y, (blasint)ldy);
}

void ad_gemm_nn(size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W, float *dX, size_t ldx, int accumulate) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)M, (blasint)K, (blasint)N, 1.0f, dY, (blasint)ldy, W, (blasint)K,
              accumulate ? 1.0f : 0.0f, dX, (blasint)ldx);
}

void ad_gemm_tn(size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *X, size_t ldx, float *dW) {
  if (M == 0) {
    memset(dW, 0, N * K * sizeof *dW);
    return;
  }
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)N, (blasint)K, (blasint)M, 1.0f, dY, (blasint)ldy, X, (blasint)ldx,
              0.0f, dW, (blasint)K);
}

void ad_gemm_start(void) { openblas_set_num_threads(1); }

const char *ad_gemm_core(void) { return openblas_get_corename(); }

const char *ad_gemm_config(void) { return openblas_get_config(); }
