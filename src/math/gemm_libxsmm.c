/* Matrix products by libxsmm: kernels made at run time for the exact shapes.
 *
 * libxsmm thinks in columns: C (m x n) = A (m x k) B (k x n), all column-major. A row-major matrix is its transpose, so
 * a row of activations is a column of B, and outputs lie along m. Each element of C is one chain of multiply-adds over k
 * whatever the blocking (the row self-check of gemm.c holds it to that), so the sizes below decide speed, not bits. */
#include <libxsmm.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/guard.h"
#include "autodidact/base/status.h"
#include "autodidact/math/tree.h"
#include "gemm_backend.h"

enum {
  PANEL = 64, /* outputs of a kernel: four AVX-512 registers */
  DEPTH = 1024, /* products longer than this are cut: a panel of 256 KiB stays in the second-level cache */
  ROWS = AD_ROW_BLOCK,
  /* A larger weight is read from a packed panel: kernels that walk over many pages miss in the TLB. */
  DIRECT = 1536 * 384,
  TILE = PANEL * AD_ROW_BLOCK /* floats of a tile of a weight gradient: 48 rows of W, 64 columns */
};

/* One thread a rank: one panel serves all products. */
static _Alignas(64) float panel[PANEL * DEPTH];
static const struct ad_kernels *vector_kernels;

static libxsmm_smmfunction kernel(size_t m, size_t n, size_t k, size_t lda, size_t ldb, size_t ldc, int accumulate,
                                  int flags) {
  const libxsmm_blasint a = (libxsmm_blasint)lda, b = (libxsmm_blasint)ldb, c = (libxsmm_blasint)ldc;
  const float alpha = 1.0f, beta = accumulate ? 1.0f : 0.0f;
  return libxsmm_smmdispatch((libxsmm_blasint)m, (libxsmm_blasint)n, (libxsmm_blasint)k, &a, &b, &c, &alpha, &beta,
                             &flags, NULL);
}

/* Makes a kernel and runs it, on ones. */
static int try_code(void *arch) {
  enum { A = 16, B = 3, DEEP = 4 };
  float x[A * DEEP], y[DEEP * B], z[A * B];
  for (size_t i = 0; i < A * DEEP; i++) {
    x[i] = 1.0f;
    y[i % (DEEP * B)] = 1.0f;
  }
  libxsmm_init();
  libxsmm_set_target_arch(arch);
  const libxsmm_smmfunction made = kernel(A, B, DEEP, A, DEEP, A, 0, LIBXSMM_GEMM_FLAG_NONE);
  if (made == NULL) {
    return AD_EIO;
  }
  made(x, y, z);
  for (size_t i = 0; i < A * B; i++) {
    if (z[i] != (float)DEEP) {
      return AD_EIO;
    }
  }
  return AD_OK;
}

static const char *start(const struct ad_kernels *kernels) {
  static char arch[8];
  vector_kernels = kernels;
  snprintf(arch, sizeof arch, "%s",
           strcmp(kernels->name, "v4") == 0   ? "skx"
           : strcmp(kernels->name, "v3") == 0 ? "hsw"
                                              : "");
  if (arch[0] == '\0') {
    return "the vector kernels in use are of no instruction set that it makes code for";
  }
  /* In a child process first: where the system refuses memory for code, libxsmm 1.17 runs what it may not, and crashes. */
  if (ad_guard("libxsmm", try_code, arch) != AD_OK) {
    return "the system does not let it make code (memory that is written and then run)";
  }
  libxsmm_init();
  /* The same code on every CPU of a kernel family, whatever else it can do. */
  libxsmm_set_target_arch(arch);
  return NULL;
}

static const char *core(void) {
  static char name[32];
  snprintf(name, sizeof name, "libxsmm %s", libxsmm_get_target_arch());
  return name;
}

static const char *config(void) {
  return "libxsmm " LIBXSMM_VERSION;
}

static int is_small(size_t N, size_t K) {
  (void)N;
  (void)K;
  return 0;
}

/* Asks for memory that a product will write, [rows, columns] (ld): stores to memory far away would wait for it one by one. */
static void fetch(const float *at, size_t rows, size_t columns, size_t ld) {
  enum { LINE = 16 };
  for (size_t row = 0; row < rows; row++) {
    for (size_t column = 0; column < columns; column += LINE) {
      __builtin_prefetch(at + row * ld + column, 0, 2);
    }
  }
}

/* C [rows, m] (ldc) = or += B [rows, k] (ldb) A, with A [k, m] (lda). */
static void rows_by_panel(size_t rows, size_t m, size_t k, const float *A, size_t lda, const float *B, size_t ldb,
                          float *C, size_t ldc, int accumulate) {
  const libxsmm_smmfunction block =
      rows < ROWS ? NULL : kernel(m, ROWS, k, lda, ldb, ldc, accumulate, LIBXSMM_GEMM_FLAG_NONE);
  size_t r = 0;
  for (; r + ROWS <= rows; r += ROWS) {
    fetch(C + r * ldc, ROWS, m, ldc);
    block(A, B + r * ldb, C + r * ldc);
  }
  if (r < rows) {
    kernel(m, rows - r, k, lda, ldb, ldc, accumulate, LIBXSMM_GEMM_FLAG_NONE)(A, B + r * ldb, C + r * ldc);
  }
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static void nt(size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W, float *Y, size_t ldy) {
  for (size_t n = 0; n < N; n += PANEL) {
    for (size_t k = 0; k < K; k += DEPTH) {
      const size_t m = least(N - n, PANEL), depth = least(K - k, DEPTH);
      vector_kernels->transpose(m, depth, W + n * K + k, K, panel, PANEL);
      rows_by_panel(M, m, depth, panel, PANEL, X + k, ldx, Y + n, ldy, k > 0);
    }
  }
}

static void nn(size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W, float *dX, size_t ldx,
               int accumulate) {
  const int direct = N * K <= DIRECT;
  for (size_t k = 0; k < K; k += PANEL) {
    for (size_t n = 0; n < N; n += DEPTH) {
      const size_t m = least(K - k, PANEL), depth = least(N - n, DEPTH);
      const float *A = W + n * K + k;
      if (!direct) {
        vector_kernels->copy(depth, m, A, K, panel, PANEL);
        A = panel;
      }
      rows_by_panel(M, m, depth, A, direct ? K : PANEL, dY + n, ldy, dX + k, ldx, accumulate || n > 0);
    }
  }
}

/* A tile's columns of an operand of a weight gradient: where the first of its rows `above` stands, and how far apart they are. */
struct columns {
  const float *at;
  size_t ld, above;
};

/* A tile of a weight gradient, [b, a] of dW [N,K], lane by lane. */
struct tile {
  const struct ad_lane_rows *rows;
  struct columns X, dY;
  libxsmm_smmfunction *kernels; /* [lane] for the tile's sizes */
  /* Where its sum goes, [left, columns] (ld): the rows that nobody has asked for yet, and how many each lane asks for. */
  const float *target;
  size_t left, columns, ld, share;
};

static void tile_leaf(void *context, size_t lane, float *out) {
  struct tile *t = context;
  const size_t rows = least(t->share, t->left);
  fetch(t->target, rows, t->columns, t->ld); /* on its way while the lane is computed */
  t->target += rows * t->ld;
  t->left -= rows;
  const size_t first = t->rows[lane].first;
  t->kernels[lane](t->X.at + (first - t->X.above) * t->X.ld, t->dY.at + (first - t->dY.above) * t->dY.ld, out);
}

struct gradient {
  const size_t *begin;
  size_t lo, hi, K;
  float *dW, *sum, *work;
  struct tile tile;
  size_t a, b, ldx, ldy; /* what the kernels were made for; 0: none yet */
  libxsmm_smmfunction kernels[AD_MAX_LANES];
};

/* The tile of rows [n, n + b) and columns [k, k + a) of dW. */
static void sum_tile(struct gradient *g, size_t n, size_t b, size_t k, size_t a) {
  struct tile *t = &g->tile;
  if (g->a != a || g->b != b || g->ldx != t->X.ld || g->ldy != t->dY.ld) {
    for (size_t lane = g->lo; lane < g->hi; lane++) {
      const size_t count = t->rows[lane].count;
      g->kernels[lane] = count == 0 ? NULL : kernel(a, b, count, t->X.ld, t->dY.ld, a, 0, LIBXSMM_GEMM_FLAG_TRANS_B);
    }
    g->a = a, g->b = b, g->ldx = t->X.ld, g->ldy = t->dY.ld;
  }
  float *target = g->dW + n * g->K + k;
  t->target = target, t->left = b, t->columns = a, t->ld = g->K;
  t->share = (b + (g->hi - g->lo) - 1) / (g->hi - g->lo);
  ad_tree_sum(vector_kernels, g->begin, g->lo, g->hi, a * b, tile_leaf, t, g->sum, g->work);
  vector_kernels->copy(b, a, g->sum, a, target, g->K);
}

/* Columns [from, from + width) of rows [first, end) of M (ld), copied to `to`: a kernel then walks over few pages. */
static struct columns pack(const float *M, size_t ld, size_t first, size_t end, size_t from, size_t width, float *to) {
  vector_kernels->copy(end - first, width, M + first * ld + from, ld, to, width);
  return (struct columns){to, width, first};
}

/* Tile by tile, the lanes' tiles and their sums in the first-level cache. The outer loop takes strips of the operand with
 * more columns, packed, while the other one passes by: X packed too, dY as it lies (to pack its narrower strips costs more
 * than it saves). */
static void tn(const struct ad_lane_rows *rows, const size_t *begin, size_t lo, size_t hi, size_t N, size_t K,
               const float *dY, size_t ldy, const float *X, size_t ldx, float *dW, float *work) {
  static struct gradient g; /* one thread a rank */
  size_t first = SIZE_MAX, end = 0;
  for (size_t lane = lo; lane < hi; lane++) {
    if (rows[lane].count > 0) {
      first = least(first, rows[lane].first);
      end = rows[lane].first + rows[lane].count > end ? rows[lane].first + rows[lane].count : end;
    }
  }
  if (first >= end) {
    memset(dW, 0, N * K * sizeof *dW);
    return;
  }
  g.begin = begin, g.lo = lo, g.hi = hi, g.K = K, g.dW = dW, g.a = 0;
  g.sum = work;
  g.work = g.sum + TILE;
  float *strip = g.work + ad_tree_work(hi - lo, TILE), *packed = strip + (end - first) * PANEL;
  g.tile = (struct tile){.rows = rows, .kernels = g.kernels};
  if (K >= N) {
    for (size_t k = 0; k < K; k += PANEL) {
      const size_t a = least(K - k, PANEL);
      g.tile.X = pack(X, ldx, first, end, k, a, strip);
      for (size_t n = 0; n < N; n += ROWS) {
        g.tile.dY = (struct columns){dY + n, ldy, 0};
        sum_tile(&g, n, least(N - n, ROWS), k, a);
      }
    }
    return;
  }
  for (size_t k = 0; k < K; k += PANEL) {
    pack(X, ldx, first, end, k, least(K - k, PANEL), packed + k * (end - first));
  }
  for (size_t n = 0; n < N; n += ROWS) {
    const size_t b = least(N - n, ROWS);
    g.tile.dY = pack(dY, ldy, first, end, n, b, strip);
    for (size_t k = 0; k < K; k += PANEL) {
      g.tile.X = (struct columns){packed + k * (end - first), least(K - k, PANEL), first};
      sum_tile(&g, n, b, k, least(K - k, PANEL));
    }
  }
}

static size_t tn_work(size_t lanes, size_t M, size_t N, size_t K) {
  return TILE + ad_tree_work(lanes, TILE) + M * (PANEL + (K < N ? K : 0));
}

const struct ad_gemm_backend ad_gemm_libxsmm = {"libxsmm", start, core, config, 1, is_small, nt, nn, tn, tn_work};
