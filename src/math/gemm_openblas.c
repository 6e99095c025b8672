/* Matrix products by OpenBLAS. */
#include <cblas.h>
#include <stdio.h>

#include "gemm_backend.h"

void ad_gemm_openblas_start(void) {
  openblas_set_num_threads(1);
}

static const char *core(void) {
  return openblas_get_corename();
}

/* "0.3.21" of "OpenBLAS 0.3.21 ...". */
static const char *version(void) {
  static char text[32];
  if (sscanf(openblas_get_config(), "%*s %31s", text) != 1) {
    snprintf(text, sizeof text, "of no known version");
  }
  return text;
}

/* OpenBLAS takes other kernels, with other bits, for products of up to 100^3 multiplications (x86-64, AVX-512). */
static int is_small(size_t N, size_t K) {
  return (double)AD_ROW_BLOCK * (double)N * (double)K <= 1e6;
}

static void nt(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W, float *Y,
               size_t ldy, int accumulate) {
  (void)gemm;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)M, (blasint)N, (blasint)K, 1.0f, X, (blasint)ldx, W,
              (blasint)K, accumulate ? 1.0f : 0.0f, Y, (blasint)ldy);
}

static void nn(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W,
               float *dX, size_t ldx, int accumulate) {
  (void)gemm;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)M, (blasint)K, (blasint)N, 1.0f, dY, (blasint)ldy, W,
              (blasint)K, accumulate ? 1.0f : 0.0f, dX, (blasint)ldx);
}

struct leaves {
  const struct ad_lanes *lanes;
  size_t N, K, ldy, ldx;
  const float *dY, *X;
};

static void product_leaf(void *context, size_t lane, float *out) {
  const struct leaves *p = context;
  const struct ad_lane_rows r = p->lanes->rows[lane];
  const struct ad_tile whole = {0, p->N, 0, p->K};
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)p->N, (blasint)p->K, (blasint)r.count, 1.0f,
              p->dY + r.first * p->ldy, (blasint)p->ldy, p->X + r.first * p->ldx, (blasint)p->ldx, 0.0f, out,
              (blasint)p->K);
  ad_lanes_add(p->lanes, lane, &whole, out);
}

/* Whole matrices, one a level of the tree: in smaller pieces OpenBLAS would pack its operands again for each. */
static void tn(struct ad_gemm *gemm, const struct ad_lanes *lanes, size_t N, size_t K, const float *dY, size_t ldy,
               const float *X, size_t ldx, float *dW, float *work) {
  struct leaves p = {lanes, N, K, ldy, ldx, dY, X};
  const struct ad_tree tree = ad_gemm_tree(gemm, lanes);
  ad_tree_sum(&tree, lanes->lo, lanes->hi, N * K, product_leaf, &p, dW, work);
}

static size_t tn_work(size_t lanes, size_t M, size_t N, size_t K) {
  (void)M;
  return ad_tree_work(lanes, N * K);
}

const struct ad_gemm_backend ad_gemm_openblas = {"openblas", core, version, 16, is_small, nt, nn, tn, tn_work};

const char *ad_gemm_openblas_core(void) {
  return core();
}

void ad_gemm_openblas_square(size_t n, const float *X, const float *W, float *Y) {
  openblas_set_num_threads(1);
  nt(NULL, n, n, n, X, n, W, Y, n, 0);
}
