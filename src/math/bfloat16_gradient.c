/* Weight gradients with bfloat16 operands: for each lane dY^T X, then the tree over lanes, tile by tile. The sizes
 * below decide speed alone, but for STRIP and ORDER: they order the squares of a watched lane (docs/arithmetic.md). */
#include <stdint.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "bfloat16_way.h"
#include "gemm_backend.h"

enum {
  DEPTH = AD_BF16_DEPTH,
  PANEL = AD_BF16_PANEL,
  STRIP = 32, /* rows of W in a tile */
  TILE = STRIP * PANEL,
  ORDER = 1024,   /* rows of W whose squares are added column by column of tiles */
  BYTES = 1 << 19 /* of what stays in the second-level cache while the other operand passes by */
};

/* Both operands in the way's own forms: rows [N, depth] of dY transposed, a group of them at once, and panels of X.
 * The wider operand is packed part by part and stays in the cache; the narrower one is packed as a whole. */
struct gradient {
  const struct ad_bf16_products *products;
  const struct ad_lanes *lanes;
  size_t N, K;
  const ad_bf16 *dY, *X;
  float *dW;
  size_t left, right;     /* bytes of an element */
  unsigned char *A, *B;   /* lane after lane: [rows of the group, depth]; panel after panel, likewise: [depth, width] */
  ad_bf16 *natural;       /* one lane's rows before they take a form of floats */
  double *squares;        /* of the watched lane's tiles [strips, panels], or NULL */
  float *sum, *tree_work; /* a tile's */
  size_t group, panels;   /* rows of dY and panels of X that are taken at once */
  size_t depth;           /* of all lanes */
  size_t count[AD_MAX_LANES + 1];
  const size_t *begin;         /* of struct ad_tree */
  size_t before[AD_MAX_LANES]; /* depths of the lanes before each */
};

/* A tile of dW, from rows of the group and a panel. */
struct tile {
  const struct gradient *g;
  const unsigned char *A, *B;
  size_t first, group; /* row of the group, rows of it */
  struct ad_tile at;
  /* Where its sum goes: the rows that nobody has asked for yet, and how many each lane asks for. */
  const float *target;
  size_t left, share;
};

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static size_t most(size_t a, size_t b) {
  return a > b ? a : b;
}

static size_t whole(size_t n, size_t unit) {
  return (n + unit - 1) / unit * unit;
}

static size_t depth_of(const struct gradient *g, size_t lane) {
  return ad_bf16_depth(g->lanes->rows[lane].count);
}

/* Columns [n, n + count) of a lane's rows x, transposed to [count, depth]. */
static void transpose_lane(const struct ad_bf16_products *p, size_t rows, size_t count, const ad_bf16 *x, size_t ldx,
                           ad_bf16 *out) {
  const size_t depth = ad_bf16_depth(rows);
  for (size_t t = 0; t < depth; t += DEPTH) {
    for (size_t n = 0; n < count; n += PANEL) {
      const size_t columns = least(count - n, PANEL);
      p->kernels->bf16_pairs(least(rows - t, DEPTH), columns, x + t * ldx + n, ldx, PANEL, p->way->places, p->pack);
      p->kernels->transpose(DEPTH / 2, columns, (const float *)(const void *)p->pack, PANEL,
                            (float *)(void *)(out + n * depth + t), depth / 2);
    }
  }
}

static void pack_left(const struct gradient *g, size_t n, size_t count) {
  const struct ad_bf16_products *p = g->products;
  const size_t ld = ad_bf16_depth(g->N);
  const int floats = g->left > sizeof(ad_bf16);
  for (size_t lane = g->lanes->lo; lane < g->lanes->hi; lane++) {
    const struct ad_lane_rows rows = g->lanes->rows[lane];
    void *own = g->A + g->before[lane] * count * g->left;
    const size_t depth = depth_of(g, lane);
    transpose_lane(p, rows.count, count, g->dY + rows.first * ld + n, ld, floats ? g->natural : own);
    if (floats) {
      p->way->make_left(p->kernels, count, depth / DEPTH, g->natural, depth, own);
    }
  }
}

/* Where the panel stands that is k columns behind the first. */
static unsigned char *panel_at(const struct gradient *g, size_t k) {
  return g->B + k * g->depth * g->right;
}

/* Columns [k, end) of a lane's rows x, block by block of rows, as they lie in memory. */
static void pack_lane(const struct gradient *g, size_t lane, size_t k, size_t end) {
  const struct ad_bf16_products *p = g->products;
  const struct ad_lane_rows rows = g->lanes->rows[lane];
  const size_t ld = ad_bf16_depth(g->K), base = k;
  const int floats = g->right > sizeof(ad_bf16);
  for (size_t t = 0; t < rows.count; t += DEPTH) {
    for (k = base; k < end; k += PANEL) {
      const size_t columns = least(end - k, PANEL), width = ad_bf16_width(columns);
      void *own = panel_at(g, k - base) + (g->before[lane] + t) * width * g->right;
      p->kernels->bf16_pairs(least(rows.count - t, DEPTH), columns, g->X + (rows.first + t) * ld + k, ld, width,
                             p->way->places, floats ? p->pack : own);
      if (floats) {
        p->way->make_right(p->kernels, width, 1, p->pack, own);
      }
    }
  }
}

static void pack_right(const struct gradient *g, size_t k, size_t end) {
  for (size_t lane = g->lanes->lo; lane < g->lanes->hi; lane++) {
    pack_lane(g, lane, k, end);
  }
}

/* --- Tiles --- */

static void tile_leaf(void *context, size_t lane, float *out) {
  struct tile *t = context;
  const struct gradient *g = t->g;
  const struct ad_bf16_products *p = g->products;
  const size_t depth = depth_of(g, lane), before = g->before[lane], a = t->at.columns, width = ad_bf16_width(a);
  const size_t rows = least(t->share, t->left);
  ad_gemm_fetch(t->target, rows, a, g->K); /* on its way while the lane is computed */
  t->target += rows * g->K;
  t->left -= rows;
  if (depth > 0) {
    p->way->product(p->kernels, t->at.rows, a, width, g->lanes->rows[lane].count,
                    t->A + (before * t->group + t->first * depth) * g->left, depth, t->B + before * width * g->right,
                    out, a, 0);
  } else {
    memset(out, 0, t->at.rows * a * sizeof *out);
  }
  ad_lanes_add(g->lanes, lane, &t->at, out);
}

/* The tile of rows [n, n + b) of a group of so many rows, from row `group` on, and of the panel at column k. */
static void sum_tile(const struct gradient *g, size_t group, size_t rows, size_t n, size_t k, const unsigned char *B) {
  const struct ad_lanes *lanes = g->lanes;
  const size_t b = least(rows - n, STRIP), a = least(g->K - k, PANEL), count = lanes->hi - lanes->lo;
  float *target = g->dW + (group + n) * g->K + k;
  struct ad_lane_watch watch = {.lane = lanes->watch == NULL ? 0 : lanes->watch->lane};
  struct tile t = {g, g->A, B, n, rows, {group + n, b, k, a}, target, b, (b + count - 1) / count};
  const struct ad_tree tree = {g->products->kernels, g->begin, g->squares == NULL ? NULL : &watch};
  ad_tree_sum(&tree, lanes->lo, lanes->hi, a * b, tile_leaf, &t, g->sum, g->tree_work);
  g->products->kernels->copy(b, a, g->sum, a, target, g->K);
  if (g->squares != NULL) {
    g->squares[(group + n) / STRIP * ad_bf16_panels(g->K) + k / PANEL] = watch.squares;
  }
}

/* In the order of docs/arithmetic.md, which is not that of the tiles. */
static void add_squares(const struct gradient *g) {
  for (size_t from = 0; from < g->N; from += ORDER) {
    for (size_t k = 0; k < ad_bf16_panels(g->K); k++) {
      for (size_t n = from; n < least(g->N, from + ORDER); n += STRIP) {
        g->lanes->watch->squares += g->squares[n / STRIP * ad_bf16_panels(g->K) + k];
      }
    }
  }
}

static void sum_group(const struct gradient *g, size_t n, size_t rows) {
  const int kept = g->K <= g->N; /* from the first group on */
  if (kept && n == 0) {
    pack_right(g, 0, g->K);
  }
  pack_left(g, n, rows);
  for (size_t from = 0; from < g->K; from += g->panels * PANEL) {
    const size_t end = least(g->K, from + g->panels * PANEL), base = kept ? 0 : from;
    if (!kept) {
      pack_right(g, from, end);
    }
    for (size_t strip = 0; strip < rows; strip += STRIP) {
      for (size_t k = from; k < end; k += PANEL) {
        sum_tile(g, n, rows, strip, k, panel_at(g, k - base));
      }
    }
  }
}

/* --- Memory --- */

/* Columns of an operand, in elements of so many bytes, that stay in the cache. */
static size_t resident(size_t bytes, size_t depth, size_t unit) {
  return most(BYTES / (most(depth, DEPTH) * bytes) / unit * unit, unit);
}

static size_t floats(size_t bytes) {
  return ad_whole_lines((bytes + sizeof(float) - 1) / sizeof(float));
}

/* Floats of the parts of the work memory. */
struct parts {
  size_t squares, tree, left, right, natural;
};

/* Of lanes whose depths come to `depth` at most. Fewer rows may be in larger groups, which take no more than BYTES. */
static struct parts parts_of(const struct ad_bf16_products *p, size_t lanes, size_t depth, size_t N, size_t K) {
  const size_t left = ad_bf16_element(p->way->left), right = ad_bf16_element(p->way->right);
  const size_t all_left = depth * N * left, all_right = depth * ad_bf16_width(K) * right;
  const size_t rows = K > N ? all_left : least(all_left, most(BYTES, depth * STRIP * left));
  const size_t columns = K > N ? least(all_right, most(BYTES, depth * PANEL * right)) : all_right;
  return (struct parts){.squares = floats(whole(N, STRIP) / STRIP * ad_bf16_panels(K) * sizeof(double)),
                        .tree = ad_whole_lines(ad_tree_work(lanes, TILE)),
                        .left = floats(rows),
                        .right = floats(columns),
                        .natural = left > sizeof(ad_bf16) ? floats(rows / left * sizeof(ad_bf16)) : 0};
}

size_t ad_bf16_tn_work(const struct ad_bf16_products *products, size_t lanes, size_t M, size_t N, size_t K) {
  /* The most that the lanes' depths come to: M rows at most, and a block for each lane. */
  const struct parts parts = parts_of(products, lanes, ad_bf16_depth(M) + lanes * DEPTH, N, K);
  return TILE + parts.squares + parts.tree + parts.left + parts.right + parts.natural;
}

static void take_memory(struct gradient *g, float *work) {
  const struct parts parts = parts_of(g->products, g->lanes->hi - g->lanes->lo, g->depth, g->N, g->K);
  g->sum = work;
  g->tree_work = g->sum + TILE;
  float *squares = g->tree_work + parts.tree, *A = squares + parts.squares, *B = A + parts.left;
  g->squares = g->lanes->watch == NULL ? NULL : (double *)(void *)squares;
  g->A = (unsigned char *)A;
  g->B = (unsigned char *)B;
  g->natural = (ad_bf16 *)(void *)(B + parts.right);
}

void ad_bf16_tn(const struct ad_bf16_products *products, const struct ad_lanes *lanes, size_t N, size_t K,
                const ad_bf16 *dY, const ad_bf16 *X, float *dW, float *work) {
  struct gradient g = {.products = products,
                       .lanes = lanes,
                       .N = N,
                       .K = K,
                       .dY = dY,
                       .X = X,
                       .dW = dW,
                       .left = ad_bf16_element(products->way->left),
                       .right = ad_bf16_element(products->way->right)};
  g.begin = ad_lanes_begin(lanes, g.count);
  for (size_t lane = lanes->lo; lane < lanes->hi; lane++) {
    g.before[lane] = g.depth;
    g.depth += depth_of(&g, lane);
  }
  take_memory(&g, work);
  g.group = K > N ? N : resident(g.left, g.depth, STRIP);
  g.panels = K > N ? resident(g.right, g.depth, PANEL) / PANEL : 1;
  for (size_t n = 0; n < N; n += g.group) {
    sum_group(&g, n, least(N - n, g.group));
  }
  if (g.squares != NULL) {
    add_squares(&g);
  }
  if (products->way->end != NULL) {
    products->way->end();
  }
}
