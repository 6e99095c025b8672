#include "autodidact/math/gemm.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/build.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "gemm_backend.h"

/* The first is taken where none is named. */
static const struct ad_gemm_backend *const BACKENDS[] = {&ad_gemm_chain, &ad_gemm_openblas};
enum { BACKEND_COUNT = sizeof BACKENDS / sizeof BACKENDS[0] };

void ad_gemm_use(struct ad_gemm *gemm, const struct ad_gemm_backend *used) {
  gemm->backend = used;
  gemm->known_count = 0;
}

static const struct ad_gemm_shape *find_shape(const struct ad_gemm *g, size_t N, size_t K) {
  for (size_t k = 0; k < g->known_count; k++) {
    if (g->known[k].N == N && g->known[k].K == K) {
      return &g->known[k];
    }
  }
  return NULL;
}

static void describe_arithmetic(struct ad_gemm *g) {
  const struct ad_gemm_backend *used = g->backend;
  if (used->version != NULL) {
    /* Its own order of sums may change with each version. */
    snprintf(g->arithmetic, sizeof g->arithmetic, "%d, products by openblas-%s %s", AD_ARITHMETIC, used->core(),
             used->version());
  } else {
    snprintf(g->arithmetic, sizeof g->arithmetic, "%d", AD_ARITHMETIC);
  }
}

static int find_backend(const char *name, const struct ad_gemm_backend **found) {
  size_t i = 0;
  while (name != NULL && name[0] != '\0' && i < BACKEND_COUNT && strcmp(name, BACKENDS[i]->name) != 0) {
    i++;
  }
  if (i == BACKEND_COUNT) {
    return ad_fail(AD_ECONFIG, "AUTODIDACT_GEMM: found '%s', expected chain or openblas", name);
  }
  *found = BACKENDS[i];
  return BACKENDS[i] == &ad_gemm_openblas ? ad_gemm_openblas_room() : AD_OK;
}

int ad_gemm_create(struct ad_gemm **gemm, const struct ad_kernels *kernels, const char *name) {
  *gemm = NULL;
  const struct ad_gemm_backend *backend = NULL;
  ad_gemm_openblas_start(); /* the yardstick, whatever is chosen */
  AD_TRY(find_backend(name, &backend));
  struct ad_gemm *g = ad_calloc(1, sizeof *g);
  if (g == NULL) {
    return ad_fail_memory(sizeof *g, "the matrix products");
  }
  g->kernels = kernels;
  ad_gemm_use(g, backend);
  describe_arithmetic(g);
  *gemm = g;
  return AD_OK;
}

void ad_gemm_destroy(struct ad_gemm *gemm) {
  ad_free(gemm);
}

/* Its buffer has 128 MiB, and it tries for ever to get that. */
int ad_gemm_openblas_room(void) {
  return ad_memory_mappable((size_t)160 << 20);
}

const char *ad_gemm_core(const struct ad_gemm *gemm) {
  return gemm->backend->core();
}

/* Where a block of rows is so small that the library has another algorithm for it, or nothing else makes rows
 * independent, rows go block by block, so that their number does not decide. */
static size_t rows_at_once(const struct ad_gemm *g, size_t M, size_t N, size_t K) {
  const struct ad_gemm_shape *shape = find_shape(g, N, K);
  return (shape != NULL && shape->alignment == AD_ROW_BLOCK) || g->backend->is_small(N, K) ? AD_ROW_BLOCK : M;
}

/* Rows that a product is rounded up to, at an alignment: the least that has been seen to keep the bits. */
static size_t block_of(const struct ad_gemm *g, int alignment) {
  return alignment == 1 ? g->backend->block : (size_t)alignment;
}

static void product_nt(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W,
                       float *Y, size_t ldy, int accumulate) {
  const size_t step = rows_at_once(gemm, M, N, K);
  for (size_t m = 0; m < M; m += step) {
    gemm->backend->nt(gemm, M - m < step ? M - m : step, N, K, X + m * ldx, ldx, W, Y + m * ldy, ldy, accumulate);
  }
}

void ad_gemm_nt(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W,
                float *Y, size_t ldy) {
  product_nt(gemm, M, N, K, X, ldx, W, Y, ldy, 0);
}

void ad_gemm_nt_add(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W,
                    float *Y, size_t ldy) {
  product_nt(gemm, M, N, K, X, ldx, W, Y, ldy, 1);
}

void ad_gemm_nn(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W,
                float *dX, size_t ldx, int accumulate) {
  const size_t step = rows_at_once(gemm, M, N, K);
  for (size_t m = 0; m < M; m += step) {
    gemm->backend->nn(gemm, M - m < step ? M - m : step, N, K, dY + m * ldy, ldy, W, dX + m * ldx, ldx, accumulate);
  }
}

void ad_gemm_tn(struct ad_gemm *gemm, const struct ad_lanes *lanes, size_t N, size_t K, const float *dY, size_t ldy,
                const float *X, size_t ldx, float *dW, float *work) {
  gemm->backend->tn(gemm, lanes, N, K, dY, ldy, X, ldx, dW, work);
}

size_t ad_gemm_tn_work(const struct ad_gemm *gemm, size_t lanes, size_t M, size_t N, size_t K) {
  return gemm->backend->tn_work(lanes, M, N, K);
}

/* Y [M,N] = X W^T (W [N,K]) or X W (W [K,N]) for the rows of the self-check, X [M,K]. */
static void check_product(struct ad_gemm *g, int transposed, size_t M, size_t N, size_t K, const float *X,
                          const float *W, float *Y) {
  if (transposed) {
    ad_gemm_nt(g, M, N, K, X, K, W, Y, N);
  } else {
    ad_gemm_nn(g, M, K, N, X, K, W, Y, N, 0);
  }
}

/* Rows in pieces (of all sizes in turn where rows are not rounded up), then rows moved down by `shift`, against
 * `whole`. */
static int check_rows(struct ad_gemm *g, int transposed, size_t M, size_t N, size_t K, size_t shift, const float *X,
                      const float *W, float *moved, float *whole, float *other) {
  const size_t block = g->backend->is_small(N, K) ? AD_ROW_BLOCK : block_of(g, shift % 12 == 0 ? 12 : 1);
  check_product(g, transposed, M, N, K, X, W, whole);
  for (size_t m = 0, piece = block; m < M; m += piece, piece += block == 1) {
    piece = piece < M - m ? piece : M - m;
    check_product(g, transposed, piece, N, K, X + m * K, W, other + m * N);
  }
  if (memcmp(whole, other, M * N * sizeof *whole) != 0) {
    return 0;
  }
  memcpy(moved + shift * K, X, (M - shift) * K * sizeof *X);
  memcpy(moved, X + (M - shift) * K, shift * K * sizeof *X);
  check_product(g, transposed, M, N, K, moved, W, other);
  return memcmp(whole, other + shift * N, (M - shift) * N * sizeof *whole) == 0 &&
         memcmp(whole + (M - shift) * N, other, shift * N * sizeof *whole) == 0;
}

int ad_gemm_rows_independent(struct ad_gemm *gemm, size_t M, size_t N, size_t K, size_t shift) {
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
  result = check_rows(gemm, 1, M, N, K, shift, X, W, moved, whole, other) &&
           check_rows(gemm, 0, M, K, N, shift, X, W, moved, whole, other);
done:
  ad_free(X);
  ad_free(moved);
  ad_free(W);
  ad_free(whole);
  ad_free(other);
  return result;
}

/* What a shape needs: 1, 12, AD_ROW_BLOCK, or AD_ENOMEM. */
static int alignment_of(struct ad_gemm *g, size_t N, size_t K) {
  enum { ROWS = 2 * AD_ROW_BLOCK };
  static const struct {
    int alignment;
    size_t shift; /* for 1 a number that divides no block size a kernel might have */
  } tries[] = {{1, 5}, {12, 12}};
  for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
    const int independent = ad_gemm_rows_independent(g, ROWS, N, K, tries[i].shift);
    if (independent != 0) {
      return independent < 0 ? independent : tries[i].alignment;
    }
  }
  return AD_ROW_BLOCK;
}

/* The same, kept for the next time. */
static int settle_shape(struct ad_gemm *g, size_t N, size_t K) {
  const struct ad_gemm_shape *before = find_shape(g, N, K);
  if (before != NULL) {
    return before->alignment;
  }
  if (g->known_count == AD_GEMM_KNOWN) {
    return ad_fail(AD_EINTERNAL, "models of more than %d shapes of matrix products in one process", AD_GEMM_KNOWN);
  }
  const int alignment = alignment_of(g, N, K);
  if (alignment > 0) {
    g->known[g->known_count++] = (struct ad_gemm_shape){N, K, alignment};
  }
  return alignment;
}

int ad_gemm_prepare(struct ad_gemm *gemm, const size_t (*shapes)[2], size_t count) {
  int result = 1;
  for (size_t i = 0; i < count; i++) {
    const int alignment = settle_shape(gemm, shapes[i][0], shapes[i][1]);
    AD_TRY(alignment);
    result = alignment > result ? alignment : result;
  }
  return result;
}

size_t ad_gemm_block(const struct ad_gemm *gemm, int alignment, const size_t (*shapes)[2], size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (gemm->backend->is_small(shapes[i][0], shapes[i][1])) {
      return AD_ROW_BLOCK;
    }
  }
  return block_of(gemm, alignment);
}
