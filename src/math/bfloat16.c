/* Products with bfloat16 operands: cutting them up, and the choice of the way they are made. The sizes below decide
 * speed alone, but for TILE: it orders the squares of a watched lane (docs/arithmetic.md). */
#include "autodidact/math/bfloat16.h"

#include <stdint.h>
#include <string.h>

#include "autodidact/base/build.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "bfloat16_way.h"
#include "gemm_backend.h"

enum {
  DEPTH = AD_BF16_DEPTH,
  PANEL = AD_BF16_PANEL,
  BLOCKS = 32,     /* of the inner dimension at once: 1,024 values */
  CHUNK = 512,     /* values of a row of weights at once */
  BYTES = 3 << 17, /* of rows at once, in their way's own form */
  ROWS = 96,       /* of these, times a panel, whose results are asked for ahead */
  STRIP = 32,      /* rows of W in a tile of a weight gradient */
  TILE = STRIP * PANEL,
  GROUP = 1024 /* rows of W that are packed at once for a weight gradient */
};

/* The fastest first. */
static const struct ad_bf16_way *const WAYS[] = {&ad_bf16_amx, &ad_bf16_dot, &ad_bf16_fma};
enum { WAY_COUNT = sizeof WAYS / sizeof WAYS[0] };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static size_t round16(size_t n) {
  return (n + 15) / 16 * 16;
}

/* Bytes of an element of rows or panels, which a way may have a form of its own for. */
static size_t element(size_t own) {
  return own > 0 ? own : sizeof(ad_bf16);
}

size_t ad_bf16_panel_form(const struct ad_bf16_products *products) {
  size_t number = 0;
  while (products->own_panels && WAYS[number++] != products->way) {
  }
  return number;
}

void ad_bf16_common_panels(struct ad_bf16_products *products) {
  products->own_panels = 0;
}

const char *ad_bf16_name(const struct ad_bf16_products *products) {
  return products->way->name;
}

void ad_bf16_round(const struct ad_bf16_products *products, size_t M, size_t K, const float *X, size_t ldx,
                   ad_bf16 *rows) {
  products->kernels->bf16_round(M, K, X, ldx, rows);
}

/* `natural`, some blocks of a panel, to its place in a packed weight. */
static void keep_panel(const struct ad_bf16_products *p, size_t width, size_t blocks, const ad_bf16 *natural,
                       ad_bf16 *packed) {
  if (p->own_panels) {
    p->way->make_right(p->kernels, width, blocks, natural, packed);
  }
}

/* Where a part of a panel is made before keep_panel. */
static ad_bf16 *natural_panel(const struct ad_bf16_products *p, ad_bf16 *packed) {
  return p->own_panels ? p->right : packed;
}

/* Pairs lie inside a row: words of 32 bits, transposed. Rows are read CHUNK values at once, as memory likes it. */
void ad_bf16_pack_nt(const struct ad_bf16_products *products, size_t N, size_t K, const float *W, size_t begin,
                     size_t end, ad_bf16 *packed) {
  const struct ad_kernels *kernels = products->kernels;
  const size_t depth = ad_bf16_depth(K);
  for (size_t p = begin; p < end; p++) {
    const size_t count = least(N - p * PANEL, PANEL), width = round16(count);
    for (size_t k = 0; k < depth; k += CHUNK) {
      const size_t columns = least(depth - k, CHUNK);
      ad_bf16 *to = packed + p * PANEL * depth + k * width, *panel = natural_panel(products, to);
      kernels->bf16_round(count, least(K - k, CHUNK), W + p * PANEL * K + k, K, products->pack);
      kernels->transpose(count, columns / 2, (const float *)(const void *)products->pack, columns / 2,
                         (float *)(void *)panel, width);
      keep_panel(products, width, columns / DEPTH, panel, to);
    }
  }
}

/* Pairs are of neighbouring rows. */
void ad_bf16_pack_nn(const struct ad_bf16_products *products, size_t N, size_t K, const float *W, size_t begin,
                     size_t end, ad_bf16 *packed) {
  const struct ad_kernels *kernels = products->kernels;
  const size_t depth = ad_bf16_depth(N), last = least(end * PANEL, K);
  for (size_t n = 0; n < N; n += DEPTH) {
    const size_t rows = least(N - n, DEPTH);
    for (size_t from = begin * PANEL; from < last; from += CHUNK) {
      const size_t to = least(last, from + CHUNK), ld = ad_bf16_depth(to - from);
      kernels->bf16_round(rows, to - from, W + n * K + from, K, products->pack);
      for (size_t k = from; k < to; k += PANEL) {
        const size_t count = least(to - k, PANEL), width = round16(count);
        ad_bf16 *place = packed + k * depth + n * width, *panel = natural_panel(products, place);
        kernels->bf16_pairs(rows, count, products->pack + (k - from), ld, width, panel);
        keep_panel(products, width, 1, panel, place);
      }
    }
  }
}

/* Rows in the way's own form, at `own` where it has one; how far apart they are. */
static const void *left_of(const struct ad_bf16_products *p, size_t M, size_t blocks, const ad_bf16 *rows, size_t *ld,
                           void *own) {
  if (p->way->left == 0) {
    return rows;
  }
  p->way->make_left(p->kernels, M, blocks, rows, *ld, own);
  *ld = blocks * DEPTH;
  return own;
}

/* A panel in the way's own form, likewise. */
static const void *right_of(const struct ad_bf16_products *p, size_t width, size_t blocks, const ad_bf16 *packed,
                            void *own) {
  if (p->way->right == 0) {
    return packed;
  }
  p->way->make_right(p->kernels, width, blocks, packed, own);
  return own;
}

/* Rows that are in the caches while all panels pass by. */
static size_t rows_at_once(const struct ad_bf16_products *p, size_t blocks) {
  const size_t bytes = blocks * DEPTH * element(p->way->left);
  return BYTES / bytes / ROWS * ROWS;
}

static void end(const struct ad_bf16_products *p) {
  if (p->way->end != NULL) {
    p->way->end();
  }
}

/* Rows that are in the caches times a panel. */
static void rows_by_panel(const struct ad_bf16_products *p, size_t M, size_t N, size_t blocks, const void *A, size_t ld,
                          const void *B, float *C, size_t ldc, int accumulate) {
  const size_t row = ld * element(p->way->left);
  for (size_t m = 0; m < M; m += ROWS) {
    const size_t count = least(M - m, ROWS);
    ad_gemm_fetch(C + m * ldc, count, N, ldc);
    p->way->product(p->kernels, count, N, round16(N), blocks * DEPTH, (const unsigned char *)A + m * row, ld, B,
                    C + m * ldc, ldc, accumulate);
  }
}

void ad_bf16_product(const struct ad_bf16_products *products, size_t M, size_t outputs, size_t inner,
                     const ad_bf16 *rows, const ad_bf16 *packed, float *Y, size_t ldy, int accumulate) {
  const size_t depth = ad_bf16_depth(inner);
  for (size_t k = 0; k < depth; k += BLOCKS * DEPTH) {
    const size_t blocks = least((depth - k) / DEPTH, BLOCKS), step = rows_at_once(products, blocks);
    for (size_t m = 0; m < M; m += step) {
      const size_t count = least(M - m, step);
      size_t ld = depth;
      const void *A = left_of(products, count, blocks, rows + m * depth + k, &ld, products->left);
      for (size_t n = 0; n < outputs; n += PANEL) {
        const size_t N = least(outputs - n, PANEL), width = round16(N);
        const ad_bf16 *panel = packed + n * depth + k * width;
        const void *B = products->own_panels ? panel : right_of(products, width, blocks, panel, products->right);
        rows_by_panel(products, count, N, blocks, A, ld, B, Y + m * ldy + n, ldy, accumulate || k > 0);
      }
    }
  }
  end(products);
}

/* --- Weight gradients --- */

/* Both operands of a weight gradient in the way's own forms: for each lane rows [N, depth] of dY transposed, and a
 * panel of X. */
struct gradient {
  const struct ad_bf16_products *products;
  const struct ad_lanes *lanes;
  size_t left, right;   /* bytes of an element */
  unsigned char *A, *B; /* lane after lane: [rows of the group, depth], [depth, width] */
  ad_bf16 *natural;     /* one lane's before it takes the way's own form: max(rows of the group, PANEL) x depth */
  size_t group, width;  /* rows of the group; of the panel */
  size_t before[AD_MAX_LANES]; /* depths of the lanes before each */
  /* Of the tile. */
  size_t n, b, a;
};

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
      p->kernels->bf16_pairs(least(rows - t, DEPTH), columns, x + t * ldx + n, ldx, PANEL, p->pack);
      p->kernels->transpose(DEPTH / 2, columns, (const float *)(const void *)p->pack, PANEL,
                            (float *)(void *)(out + n * depth + t), depth / 2);
    }
  }
}

static void pack_left(struct gradient *g, size_t N, size_t n, const ad_bf16 *dY) {
  const struct ad_bf16_products *p = g->products;
  const size_t ldy = ad_bf16_depth(N);
  for (size_t lane = g->lanes->lo; lane < g->lanes->hi; lane++) {
    const struct ad_lane_rows rows = g->lanes->rows[lane];
    void *own = g->A + g->before[lane] * g->group * g->left;
    size_t ld = depth_of(g, lane);
    if (ld > 0) {
      ad_bf16 *to = p->way->left == 0 ? own : g->natural;
      transpose_lane(p, rows.count, g->group, dY + rows.first * ldy + n, ldy, to);
      left_of(p, g->group, ld / DEPTH, to, &ld, own);
    }
  }
}

static void pack_right(struct gradient *g, size_t K, size_t k, const ad_bf16 *X) {
  const struct ad_bf16_products *p = g->products;
  const size_t ldx = ad_bf16_depth(K);
  for (size_t lane = g->lanes->lo; lane < g->lanes->hi; lane++) {
    const struct ad_lane_rows rows = g->lanes->rows[lane];
    void *own = g->B + g->before[lane] * g->width * g->right;
    if (rows.count > 0) {
      ad_bf16 *to = p->way->right == 0 ? own : g->natural;
      p->kernels->bf16_pairs(rows.count, g->a, X + rows.first * ldx + k, ldx, g->width, to);
      right_of(p, g->width, depth_of(g, lane) / DEPTH, to, own);
    }
  }
}

static void tile_leaf(void *context, size_t lane, float *out) {
  struct gradient *g = context;
  const struct ad_bf16_products *p = g->products;
  const size_t depth = depth_of(g, lane), before = g->before[lane];
  p->way->product(p->kernels, g->b, g->a, g->width, g->lanes->rows[lane].count,
                  g->A + (before * g->group + g->n * depth) * g->left, depth, g->B + before * g->width * g->right, out,
                  g->a, 0);
}

/* The most that the lanes' depths come to: M rows at most, and a block for each lane. */
static size_t most_depth(size_t lanes, size_t M) {
  return ad_bf16_depth(M) + lanes * DEPTH;
}

static size_t floats(size_t bytes) {
  return ad_whole_lines((bytes + sizeof(float) - 1) / sizeof(float));
}

/* Bytes of the parts of the work memory. */
struct parts {
  size_t left, right, natural;
};

static struct parts parts_of(const struct ad_bf16_products *p, size_t lanes, size_t M, size_t N) {
  const size_t depth = most_depth(lanes, M), rows = least(N, GROUP);
  return (struct parts){
      depth * rows * element(p->way->left), depth * PANEL * element(p->way->right),
      p->way->left == 0 && p->way->right == 0 ? 0 : ad_bf16_depth(M) * (rows > PANEL ? rows : PANEL) * sizeof(ad_bf16)};
}

size_t ad_bf16_tn_work(const struct ad_bf16_products *products, size_t lanes, size_t M, size_t N, size_t K) {
  (void)K;
  const struct parts parts = parts_of(products, lanes, M, N);
  return TILE + ad_whole_lines(ad_tree_work(lanes, TILE)) + floats(parts.left) + floats(parts.right) +
         floats(parts.natural);
}

void ad_bf16_tn(const struct ad_bf16_products *products, const struct ad_lanes *lanes, size_t N, size_t K,
                const ad_bf16 *dY, const ad_bf16 *X, float *dW, float *work) {
  size_t begin[AD_MAX_LANES + 1], M = 0;
  begin[lanes->lo] = 0;
  for (size_t lane = lanes->lo; lane < lanes->hi; lane++) {
    begin[lane + 1] = begin[lane] + lanes->rows[lane].count;
    M += lanes->rows[lane].count;
  }
  if (M == 0) {
    memset(dW, 0, N * K * sizeof *dW);
    return;
  }
  const struct parts parts = parts_of(products, lanes->hi - lanes->lo, M, N);
  float *sum = work, *tree_work = sum + TILE;
  float *A = tree_work + ad_whole_lines(ad_tree_work(lanes->hi - lanes->lo, TILE)), *B = A + floats(parts.left);
  struct gradient g = {.products = products,
                       .lanes = lanes,
                       .left = element(products->way->left),
                       .right = element(products->way->right),
                       .A = (unsigned char *)A,
                       .B = (unsigned char *)B,
                       .natural = (ad_bf16 *)(void *)(B + floats(parts.right))};
  for (size_t lane = lanes->lo, depth = 0; lane < lanes->hi; lane++) {
    g.before[lane] = depth;
    depth += depth_of(&g, lane);
  }
  const struct ad_tree tree = {products->kernels, begin, lanes->watch};
  for (size_t group = 0; group < N; group += GROUP) {
    g.group = least(N - group, GROUP);
    pack_left(&g, N, group, dY);
    for (size_t k = 0; k < K; k += PANEL) {
      g.a = least(K - k, PANEL), g.width = round16(g.a);
      pack_right(&g, K, k, X);
      for (g.n = 0; g.n < g.group; g.n += STRIP) {
        g.b = least(g.group - g.n, STRIP);
        ad_tree_sum(&tree, lanes->lo, lanes->hi, g.a * g.b, tile_leaf, &g, sum, tree_work);
        products->kernels->copy(g.b, g.a, sum, g.a, dW + (group + g.n) * K + k, K);
      }
    }
  }
  end(products);
}

/* --- The way --- */

static int make(struct ad_bf16_products *p) {
  const size_t panel = BLOCKS * DEPTH * PANEL * sizeof(float);
  p->left = ad_malloc(BYTES, 1);
  p->right = ad_malloc(panel, 1);
  p->pack = ad_malloc(PANEL * CHUNK, sizeof *p->pack);
  return p->left == NULL || p->right == NULL || p->pack == NULL
             ? ad_fail_memory(BYTES + panel, "products with bfloat16 operands")
             : AD_OK;
}

/* The next way from number `from` on that is wanted and runs here; WAY_COUNT: none. */
static size_t find_way(const struct ad_kernels *kernels, const char *name, size_t from) {
  const int named = name != NULL && name[0] != '\0';
  for (size_t i = from; i < WAY_COUNT; i++) {
    if (named ? strcmp(name, WAYS[i]->name) == 0 && WAYS[i]->runs(kernels) != AD_BF16_ABSENT
              : WAYS[i]->runs(kernels) == AD_BF16_FAST) {
      return i;
    }
  }
  return WAY_COUNT;
}

/* The first way that has the arithmetic's bits. */
static int choose(struct ad_bf16_products *p, const char *name) {
  size_t i = find_way(p->kernels, name, 0);
  if (i == WAY_COUNT) {
    return ad_fail(
        AD_ECONFIG,
        "AUTODIDACT_BFLOAT16: found '%s', expected amx, avx512_bf16 or fma, as far as the CPU and the kernels "
        "%s have them",
        name, p->kernels->name);
  }
  for (;;) {
    p->way = WAYS[i];
    p->own_panels = p->way->right == sizeof(ad_bf16); /* that take no more room */
    const int status = ad_bf16_check(p);
    i = find_way(p->kernels, name, i + 1);
    if (status != AD_EINTERNAL || i == WAY_COUNT) {
      return status;
    }
    ad_log(AD_LOG_WARNING, "%s; they are made by %s instead", ad_error_message(), WAYS[i]->name);
  }
}

int ad_bf16_create(struct ad_bf16_products **products, const struct ad_kernels *kernels, const char *name) {
  *products = NULL;
  struct ad_bf16_products *p = ad_calloc(1, sizeof *p);
  if (p == NULL) {
    return ad_fail_memory(sizeof *p, "products with bfloat16 operands");
  }
  p->kernels = kernels;
  int status = make(p);
  status = status == AD_OK ? choose(p, name) : status;
  if (status != AD_OK) {
    ad_bf16_destroy(p);
    return status;
  }
  *products = p;
  return AD_OK;
}

void ad_bf16_destroy(struct ad_bf16_products *products) {
  if (products == NULL) {
    return;
  }
  ad_free(products->left);
  ad_free(products->right);
  ad_free(products->pack);
  ad_free(products);
}
