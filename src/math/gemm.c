#include "autodidact/math/gemm.h"

#include <cblas.h>
#include <stdint.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* OpenBLAS takes other kernels, with other bits, for products of up to 100^3 multiplications (x86-64, AVX-512). Where a
 * block of rows is that small, the rows go block by block, so that the number of rows does not decide. */
static int always_in_pieces; /* set by ad_gemm_prepare where nothing else makes rows independent */

static int is_small(size_t N, size_t K) {
  return (double)AD_ROW_BLOCK * (double)N * (double)K <= 1e6;
}

static size_t rows_at_once(size_t M, size_t N, size_t K) {
  return always_in_pieces || is_small(N, K) ? AD_ROW_BLOCK : M;
}

/* Rows that a product is rounded up to, at an alignment: the least that has been seen to keep the bits. */
static size_t block_of(int alignment) {
  return alignment == 1 ? 16 : (size_t)alignment;
}

void ad_gemm_nt(size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W, float *Y, size_t ldy) {
  const size_t step = rows_at_once(M, N, K);
  for (size_t m = 0; m < M; m += step) {
    const size_t rows = M - m < step ? M - m : step;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows, (blasint)N, (blasint)K, 1.0f, X + m * ldx,
                (blasint)ldx, W, (blasint)K, 0.0f, Y + m * ldy, (blasint)ldy);
  }
}

void ad_gemm_nn(size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W, float *dX, size_t ldx,
                int accumulate) {
  const size_t step = rows_at_once(M, N, K);
  for (size_t m = 0; m < M; m += step) {
    const size_t rows = M - m < step ? M - m : step;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)K, (blasint)N, 1.0f, dY + m * ldy,
                (blasint)ldy, W, (blasint)K, accumulate ? 1.0f : 0.0f, dX + m * ldx, (blasint)ldx);
  }
}

void ad_gemm_tn(size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *X, size_t ldx, float *dW) {
  if (M == 0) {
    memset(dW, 0, N * K * sizeof *dW);
    return;
  }
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)N, (blasint)K, (blasint)M, 1.0f, dY, (blasint)ldy, X,
              (blasint)ldx, 0.0f, dW, (blasint)K);
}

void ad_gemm_start(void) {
  openblas_set_num_threads(1);
}

const char *ad_gemm_core(void) {
  return openblas_get_corename();
}

const char *ad_gemm_config(void) {
  return openblas_get_config();
}

/* Y [M,N] = X W^T (W [N,K]) or X W (W [K,N]) for the rows of the self-check, X [M,K]. */
static void check_product(int transposed, size_t M, size_t N, size_t K, const float *X, const float *W, float *Y) {
  if (transposed) {
    ad_gemm_nt(M, N, K, X, K, W, Y, N);
  } else {
    ad_gemm_nn(M, K, N, X, K, W, Y, N, 0);
  }
}

/* Rows in pieces, then rows moved down by `shift`, against `whole`. */
static int check_rows(int transposed, size_t M, size_t N, size_t K, size_t shift, const float *X, const float *W,
                      float *moved, float *whole, float *other) {
  const size_t piece = is_small(N, K) ? AD_ROW_BLOCK : block_of(shift % 12 == 0 ? 12 : 1);
  check_product(transposed, M, N, K, X, W, whole);
  for (size_t m = 0; m < M; m += piece) {
    check_product(transposed, piece, N, K, X + m * K, W, other + m * N);
  }
  if (memcmp(whole, other, M * N * sizeof *whole) != 0) {
    return 0;
  }
  memcpy(moved + shift * K, X, (M - shift) * K * sizeof *X);
  memcpy(moved, X + (M - shift) * K, shift * K * sizeof *X);
  check_product(transposed, M, N, K, moved, W, other);
  return memcmp(whole, other + shift * N, (M - shift) * N * sizeof *whole) == 0 &&
         memcmp(whole + (M - shift) * N, other, shift * N * sizeof *whole) == 0;
}

int ad_gemm_rows_independent(size_t M, size_t N, size_t K, size_t shift) {
  M = ad_round_rows(M > 0 ? M : 1);
  const size_t size = M * (N > K ? N : K);
  float *X = ad_malloc(size, sizeof *X), *moved = ad_malloc(size, sizeof *moved), *W = ad_malloc(N * K, sizeof *W);
  float *whole = ad_malloc(size, sizeof *whole), *other = ad_malloc(size, sizeof *other);
  int result;
  if (X == NULL || moved == NULL || W == NULL || whole == NULL || other == NULL) {
    result = ad_fail_memory((4 * size + N * K) * sizeof *X, "the row self-check");
    goto done;
  }
  /* Any numbers with full mantissas will do, so that another order of additions shows. */
  uint32_t state = 1;
  for (size_t i = 0; i < size + N * K; i++) {
    state = state * 1664525u + 1013904223u;
    *(i < size ? &X[i] : &W[i - size]) = (float)(int32_t)state * 0x1p-31f;
  }
  result = check_rows(1, M, N, K, shift, X, W, moved, whole, other) &&
           check_rows(0, M, K, N, shift, X, W, moved, whole, other);
done:
  ad_free(X);
  ad_free(moved);
  ad_free(W);
  ad_free(whole);
  ad_free(other);
  return result;
}

/* What a shape needs: 1, 12, AD_ROW_BLOCK, or AD_ENOMEM. */
static int alignment_of(size_t N, size_t K) {
  enum { ROWS = 2 * AD_ROW_BLOCK };
  static const struct {
    int alignment;
    size_t shift; /* for 1 a number that divides no block size a kernel might have */
  } tries[] = {{1, 5}, {12, 12}};
  for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
    const int independent = ad_gemm_rows_independent(ROWS, N, K, tries[i].shift);
    if (independent != 0) {
      return independent < 0 ? independent : tries[i].alignment;
    }
  }
  return AD_ROW_BLOCK;
}

int ad_gemm_prepare(const size_t (*shapes)[2], size_t count) {
  enum { KNOWN = 64 };
  static struct {
    size_t N, K;
    int alignment;
  } known[KNOWN];
  static size_t known_count;
  int result = 1;
  for (size_t i = 0; i < count; i++) {
    size_t k = 0;
    while (k < known_count && (known[k].N != shapes[i][0] || known[k].K != shapes[i][1])) {
      k++;
    }
    const int alignment = k < known_count ? known[k].alignment : alignment_of(shapes[i][0], shapes[i][1]);
    if (alignment < 0) {
      return alignment;
    }
    if (k == known_count && known_count < KNOWN) {
      known[known_count].N = shapes[i][0];
      known[known_count].K = shapes[i][1];
      known[known_count++].alignment = alignment;
    }
    result = alignment > result ? alignment : result;
  }
  always_in_pieces |= result == AD_ROW_BLOCK;
  return result;
}

size_t ad_gemm_block(int alignment, const size_t (*shapes)[2], size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (is_small(shapes[i][0], shapes[i][1])) {
      return AD_ROW_BLOCK;
    }
  }
  return block_of(alignment);
}
