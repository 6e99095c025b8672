/* Matrix products by the kernel `product` of the vector sets: each output is one chain of fused multiply-adds, so all
 * sets give the same bits (docs/arithmetic.md). The sizes below decide speed alone. */
#include <stdint.h>
#include <string.h>

#include "gemm_backend.h"

enum {
  PANEL = AD_GEMM_PANEL,
  DEPTH = AD_GEMM_DEPTH,
  ROWS = 48, /* rows of W in a tile of a weight gradient */
  TILE = PANEL * ROWS,
  /* A larger weight is read from a packed panel: a kernel that walks over many pages misses in the TLB. */
  DIRECT = 1536 * 384
};

static const char *core(void) {
  return "chain";
}

static int is_small(size_t N, size_t K) {
  (void)N;
  (void)K;
  return 0;
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* C [rows, width] (ldc) = or += A [rows, depth] (lda) B (ldb), block by block: a block's rows of A stay in the
 * second-level cache while the strips of B pass by. */
static void rows_by_panel(const struct ad_kernels *kernels, size_t rows, size_t width, size_t depth, const float *A,
                          size_t lda, const float *B, size_t ldb, float *C, size_t ldc, int accumulate) {
  for (size_t r = 0; r < rows; r += ROWS) {
    const size_t count = least(rows - r, ROWS);
    ad_gemm_fetch(C + r * ldc, count, width, ldc);
    kernels->product(count, width, depth, A + r * lda, lda, 1, B, ldb, C + r * ldc, ldc, accumulate);
  }
}

static void nt(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W, float *Y,
               size_t ldy, int accumulate) {
  const struct ad_kernels *kernels = gemm->kernels;
  float *panel = gemm->panel;
  for (size_t n = 0; n < N; n += PANEL) {
    for (size_t k = 0; k < K; k += DEPTH) {
      const size_t width = least(N - n, PANEL), depth = least(K - k, DEPTH);
      kernels->transpose(width, depth, W + n * K + k, K, panel, PANEL);
      rows_by_panel(kernels, M, width, depth, X + k, ldx, panel, PANEL, Y + n, ldy, accumulate || k > 0);
    }
  }
}

static void nn(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W,
               float *dX, size_t ldx, int accumulate) {
  const struct ad_kernels *kernels = gemm->kernels;
  float *panel = gemm->panel;
  const int direct = N * K <= DIRECT;
  for (size_t k = 0; k < K; k += PANEL) {
    for (size_t n = 0; n < N; n += DEPTH) {
      const size_t width = least(K - k, PANEL), depth = least(N - n, DEPTH);
      const float *B = W + n * K + k;
      if (!direct) {
        kernels->copy(depth, width, B, K, panel, PANEL);
        B = panel;
      }
      rows_by_panel(kernels, M, width, depth, dY + n, ldy, B, direct ? K : PANEL, dX + k, ldx, accumulate || n > 0);
    }
  }
}

/* A tile's columns of an operand of a weight gradient: where the first of its rows `above` stands, and how far apart
 * they are. */
struct columns {
  const float *at;
  size_t ld, above;
};

/* A tile of a weight gradient, lane by lane. */
struct tile {
  const struct ad_kernels *kernels;
  const struct ad_lanes *lanes;
  struct columns X, dY;
  struct ad_tile at;
  /* Where its sum goes, [left, at.columns] (ld): the rows that nobody has asked for yet, and how many each lane asks
   * for. */
  const float *target;
  size_t left, ld, share;
};

static void tile_leaf(void *context, size_t lane, float *out) {
  struct tile *t = context;
  const struct ad_lane_rows r = t->lanes->rows[lane];
  const size_t rows = least(t->share, t->left);
  ad_gemm_fetch(t->target, rows, t->at.columns, t->ld); /* on its way while the lane is computed */
  t->target += rows * t->ld;
  t->left -= rows;
  if (r.count > 0) {
    t->kernels->product(t->at.rows, t->at.columns, r.count, t->dY.at + (r.first - t->dY.above) * t->dY.ld, 1, t->dY.ld,
                        t->X.at + (r.first - t->X.above) * t->X.ld, t->X.ld, out, t->at.columns, 0);
  } else {
    memset(out, 0, t->at.rows * t->at.columns * sizeof *out);
  }
  ad_lanes_add(t->lanes, lane, &t->at, out);
}

struct gradient {
  struct ad_tree tree;
  const struct ad_lanes *lanes;
  size_t K;
  float *dW, *sum, *work;
  struct tile tile;
};

/* The tile of rows [n, n + b) and columns [k, k + a) of dW. */
static void sum_tile(struct gradient *g, size_t n, size_t b, size_t k, size_t a) {
  struct tile *t = &g->tile;
  const size_t lo = g->lanes->lo, hi = g->lanes->hi;
  float *target = g->dW + n * g->K + k;
  t->at = (struct ad_tile){n, b, k, a};
  t->target = target, t->left = b, t->ld = g->K;
  t->share = (b + (hi - lo) - 1) / (hi - lo);
  ad_tree_sum(&g->tree, lo, hi, a * b, tile_leaf, t, g->sum, g->work);
  t->kernels->copy(b, a, g->sum, a, target, g->K);
}

/* Columns [from, from + width) of rows [first, end) of M (ld), copied to `to`: a kernel then walks over few pages. */
static struct columns pack(const struct ad_kernels *kernels, const float *M, size_t ld, size_t first, size_t end,
                           size_t from, size_t width, float *to) {
  kernels->copy(end - first, width, M + first * ld + from, ld, to, width);
  return (struct columns){to, width, first};
}

/* Tile by tile, the lanes' tiles and their sums in the first-level cache. The outer loop takes strips of the operand
 * with more columns, packed, while the other one passes by: X packed too, dY as it lies (to pack its narrower strips
 * costs more than it saves). */
static void tn(struct ad_gemm *gemm, const struct ad_lanes *lanes, size_t N, size_t K, const float *dY, size_t ldy,
               const float *X, size_t ldx, float *dW, float *work) {
  const struct ad_lane_rows *rows = lanes->rows;
  size_t first = SIZE_MAX, end = 0;
  for (size_t lane = lanes->lo; lane < lanes->hi; lane++) {
    if (rows[lane].count > 0) {
      first = least(first, rows[lane].first);
      end = rows[lane].first + rows[lane].count > end ? rows[lane].first + rows[lane].count : end;
    }
  }
  if (first >= end) {
    first = end = 0;
  }
  struct gradient g = {
      ad_gemm_tree(gemm, lanes), lanes, K, dW, work, work + TILE, {.kernels = gemm->kernels, .lanes = lanes}};
  float *strip = g.work + ad_tree_work(lanes->hi - lanes->lo, TILE), *packed = strip + (end - first) * PANEL;
  if (K >= N) {
    for (size_t k = 0; k < K; k += PANEL) {
      const size_t a = least(K - k, PANEL);
      g.tile.X = pack(gemm->kernels, X, ldx, first, end, k, a, strip);
      for (size_t n = 0; n < N; n += ROWS) {
        g.tile.dY = (struct columns){dY + n, ldy, 0};
        sum_tile(&g, n, least(N - n, ROWS), k, a);
      }
    }
    return;
  }
  for (size_t k = 0; k < K; k += PANEL) {
    pack(gemm->kernels, X, ldx, first, end, k, least(K - k, PANEL), packed + k * (end - first));
  }
  for (size_t n = 0; n < N; n += ROWS) {
    const size_t b = least(N - n, ROWS);
    g.tile.dY = pack(gemm->kernels, dY, ldy, first, end, n, b, strip);
    for (size_t k = 0; k < K; k += PANEL) {
      g.tile.X = (struct columns){packed + k * (end - first), least(K - k, PANEL), first};
      sum_tile(&g, n, b, k, least(K - k, PANEL));
    }
  }
}

static size_t tn_work(size_t lanes, size_t M, size_t N, size_t K) {
  return TILE + ad_tree_work(lanes, TILE) + M * (PANEL + (K < N ? K : 0));
}

const struct ad_gemm_backend ad_gemm_chain = {"chain", core, NULL, 1, is_small, nt, nn, tn, tn_work};
