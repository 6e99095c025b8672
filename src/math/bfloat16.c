/* Products with bfloat16 operands: cutting them up, and the choice of the way they are made. The sizes below decide
 * speed alone. */
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
  ROWS = 96        /* of these, times a panel, whose results are asked for ahead */
};

const uint8_t ad_bf16_in_order[DEPTH] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                         16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

/* The fastest first. */
static const struct ad_bf16_way *const WAYS[] = {&ad_bf16_amx, &ad_bf16_dot, &ad_bf16_fma};
enum { WAY_COUNT = sizeof WAYS / sizeof WAYS[0] };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
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
    const size_t count = least(N - p * PANEL, PANEL), width = ad_bf16_width(count);
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
  const uint8_t *places = products->own_panels ? products->way->places : ad_bf16_in_order;
  const size_t depth = ad_bf16_depth(N), last = least(end * PANEL, K);
  for (size_t n = 0; n < N; n += DEPTH) {
    const size_t rows = least(N - n, DEPTH);
    for (size_t from = begin * PANEL; from < last; from += CHUNK) {
      const size_t to = least(last, from + CHUNK), ld = ad_bf16_depth(to - from);
      kernels->bf16_round(rows, to - from, W + n * K + from, K, products->pack);
      for (size_t k = from; k < to; k += PANEL) {
        const size_t count = least(to - k, PANEL), width = ad_bf16_width(count);
        kernels->bf16_pairs(rows, count, products->pack + (k - from), ld, width, places,
                            packed + k * depth + n * width);
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
  const size_t bytes = blocks * DEPTH * ad_bf16_element(p->way->left);
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
  const size_t row = ld * ad_bf16_element(p->way->left);
  for (size_t m = 0; m < M; m += ROWS) {
    const size_t count = least(M - m, ROWS);
    ad_gemm_fetch(C + m * ldc, count, N, ldc);
    p->way->product(p->kernels, count, N, ad_bf16_width(N), blocks * DEPTH, (const unsigned char *)A + m * row, ld, B,
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
        const size_t N = least(outputs - n, PANEL), width = ad_bf16_width(N);
        const ad_bf16 *panel = packed + n * depth + k * width;
        const void *B = products->own_panels ? panel : right_of(products, width, blocks, panel, products->right);
        rows_by_panel(products, count, N, blocks, A, ld, B, Y + m * ldy + n, ldy, accumulate || k > 0);
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
