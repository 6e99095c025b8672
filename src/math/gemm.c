#include "autodidact/math/gemm.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/build.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/tree.h"
#include "gemm_backend.h"

/* The first is taken where none is named. */
static const struct ad_gemm_backend *const BACKENDS[] = {&ad_gemm_chain, &ad_gemm_openblas};
enum { BACKEND_COUNT = sizeof BACKENDS / sizeof BACKENDS[0] };

static const struct ad_gemm_backend *backend; /* NULL before ad_gemm_start */

/* What ad_gemm_prepare has found, with this backend. It is a property of the shape, whatever models a process has seen. */
enum { KNOWN = 256 };
static struct shape {
  size_t N, K;
  int alignment;
} known[KNOWN];
static size_t known_count;

void ad_gemm_use(const struct ad_gemm_backend *used) {
  backend = used;
  known_count = 0;
}

static const struct shape *find_shape(size_t N, size_t K) {
  for (size_t k = 0; k < known_count; k++) {
    if (known[k].N == N && known[k].K == K) {
      return &known[k];
    }
  }
  return NULL;
}

int ad_gemm_start(void) {
  const char *wanted = getenv("AUTODIDACT_GEMM");
  const struct ad_kernels *kernels = ad_kernels_select();
  if (kernels == NULL) {
    return AD_ECONFIG;
  }
  ad_gemm_openblas.start(kernels); /* the yardstick, whatever is chosen */
  size_t i = 0;
  while (wanted != NULL && wanted[0] != '\0' && i < BACKEND_COUNT && strcmp(wanted, BACKENDS[i]->name) != 0) {
    i++;
  }
  if (i == BACKEND_COUNT) {
    return ad_fail(AD_ECONFIG, "AUTODIDACT_GEMM: found '%s', expected chain or openblas", wanted);
  }
  AD_TRY(BACKENDS[i] == &ad_gemm_openblas ? ad_gemm_openblas_room() : AD_OK);
  BACKENDS[i]->start(kernels);
  ad_gemm_use(BACKENDS[i]);
  return AD_OK;
}

/* Its buffer has 128 MiB, and it tries for ever to get that. */
int ad_gemm_openblas_room(void) {
  return ad_memory_mappable((size_t)160 << 20);
}

const char *ad_gemm_core(void) {
  return backend->core();
}

int ad_gemm_has_chains(void) {
  return backend->version == NULL;
}

const char *ad_arithmetic(void) {
  static char text[96];
  if (backend->version != NULL) {
    /* Its own order of sums may change with each version. */
    snprintf(text, sizeof text, "%d, products by openblas-%s %s", AD_ARITHMETIC, backend->core(), backend->version());
  } else {
    snprintf(text, sizeof text, "%d", AD_ARITHMETIC);
  }
  return text;
}

/* Where a block of rows is so small that the library has another algorithm for it, or nothing else makes rows
 * independent, rows go block by block, so that their number does not decide. */
static size_t rows_at_once(size_t M, size_t N, size_t K) {
  const struct shape *shape = find_shape(N, K);
  return (shape != NULL && shape->alignment == AD_ROW_BLOCK) || backend->is_small(N, K) ? AD_ROW_BLOCK : M;
}

/* Rows that a product is rounded up to, at an alignment: the least that has been seen to keep the bits. */
static size_t block_of(int alignment) {
  return alignment == 1 ? backend->block : (size_t)alignment;
}

void ad_gemm_nt(size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W, float *Y, size_t ldy) {
  const size_t step = rows_at_once(M, N, K);
  for (size_t m = 0; m < M; m += step) {
    backend->nt(M - m < step ? M - m : step, N, K, X + m * ldx, ldx, W, Y + m * ldy, ldy);
  }
}

void ad_gemm_nn(size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W, float *dX, size_t ldx,
                int accumulate) {
  const size_t step = rows_at_once(M, N, K);
  for (size_t m = 0; m < M; m += step) {
    backend->nn(M - m < step ? M - m : step, N, K, dY + m * ldy, ldy, W, dX + m * ldx, ldx, accumulate);
  }
}

void ad_gemm_tn(const struct ad_lane_rows *rows, size_t lo, size_t hi, size_t N, size_t K, const float *dY, size_t ldy,
                const float *X, size_t ldx, float *dW, float *work) {
  static size_t begin[AD_MAX_LANES + 1]; /* one thread a rank */
  begin[lo] = 0;
  for (size_t lane = lo; lane < hi; lane++) {
    begin[lane + 1] = begin[lane] + rows[lane].count;
  }
  backend->tn(rows, begin, lo, hi, N, K, dY, ldy, X, ldx, dW, work);
}

size_t ad_gemm_tn_work(size_t lanes, size_t M, size_t N, size_t K) {
  return backend->tn_work(lanes, M, N, K);
}

/* Y [M,N] = X W^T (W [N,K]) or X W (W [K,N]) for the rows of the self-check, X [M,K]. */
static void check_product(int transposed, size_t M, size_t N, size_t K, const float *X, const float *W, float *Y) {
  if (transposed) {
    ad_gemm_nt(M, N, K, X, K, W, Y, N);
  } else {
    ad_gemm_nn(M, K, N, X, K, W, Y, N, 0);
  }
}

/* Rows in pieces (of all sizes in turn where rows are not rounded up), then rows moved down by `shift`, against `whole`. */
static int check_rows(int transposed, size_t M, size_t N, size_t K, size_t shift, const float *X, const float *W,
                      float *moved, float *whole, float *other) {
  const size_t block = backend->is_small(N, K) ? AD_ROW_BLOCK : block_of(shift % 12 == 0 ? 12 : 1);
  check_product(transposed, M, N, K, X, W, whole);
  for (size_t m = 0, piece = block; m < M; m += piece, piece += block == 1) {
    piece = piece < M - m ? piece : M - m;
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

/* The same, kept for the next time. */
static int settle_shape(size_t N, size_t K) {
  const struct shape *before = find_shape(N, K);
  if (before != NULL) {
    return before->alignment;
  }
  if (known_count == KNOWN) {
    return ad_fail(AD_EINTERNAL, "models of more than %d shapes of matrix products in one process", KNOWN);
  }
  const int alignment = alignment_of(N, K);
  if (alignment > 0) {
    known[known_count++] = (struct shape){N, K, alignment};
  }
  return alignment;
}

int ad_gemm_prepare(const size_t (*shapes)[2], size_t count) {
  int result = 1;
  AD_TRY(backend == NULL ? ad_gemm_start() : AD_OK); /* a program of the library's may have forgotten it */
  for (size_t i = 0; i < count; i++) {
    const int alignment = settle_shape(shapes[i][0], shapes[i][1]);
    AD_TRY(alignment);
    result = alignment > result ? alignment : result;
  }
  return result;
}

size_t ad_gemm_block(int alignment, const size_t (*shapes)[2], size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (backend->is_small(shapes[i][0], shapes[i][1])) {
      return AD_ROW_BLOCK;
    }
  }
  return block_of(alignment);
}
