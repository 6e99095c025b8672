/* Rates of matrix products on one core, as JSON: OpenBLAS on large squares (the yardstick), and OpenBLAS and this
 * program's own products in the shapes of an encoder.
 *
 *     bench_sgemm                       the yardstick alone
 *     bench_sgemm H F TOKENS LANES      the products of a layer of hidden size H and feed-forward size F, for a batch
 * of so many tokens
 *
 * Rates are medians over rounds that go through all products in turn. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/context.h"
#include "autodidact/math/tree.h"
#include "bench.h"

enum { ROUNDS = 7, SQUARES = 3, MOST = 64, LANES = AD_MAX_LANES };
static const size_t SQUARE[SQUARES] = {1024, 2048, 3072};

struct bench {
  struct ad_gemm *gemm;
  float *a, *b, *c, *work;
  size_t tokens, lanes;
  struct ad_lane_rows rows[LANES];
};

enum kind { SQUARE_PRODUCT, FORWARD, INPUT, WEIGHT };

struct product {
  const char *name; /* of the weight */
  enum kind kind;
  int own; /* this program's, else OpenBLAS as it is */
  size_t M, N, K;
  double rate[ROUNDS];
};

static void openblas(struct bench *b, const struct product *p) {
  const blasint M = (blasint)p->M, N = (blasint)p->N, K = (blasint)p->K;
  if (p->kind == WEIGHT) {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, N, K, M, 1.0f, b->a, N, b->b, K, 0.0f, b->c, K);
  } else if (p->kind == INPUT) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, M, K, N, 1.0f, b->a, N, b->c, K, 0.0f, b->b, K);
  } else {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, M, N, K, 1.0f, b->b, K, b->c, K, 0.0f, b->a, N);
  }
}

static void own(struct bench *b, const struct product *p) {
  if (p->kind == WEIGHT) {
    const struct ad_lanes lanes = {.rows = b->rows, .hi = b->lanes};
    ad_gemm_tn(b->gemm, &lanes, p->N, p->K, b->a, p->N, b->b, p->K, b->c, b->work);
  } else if (p->kind == INPUT) {
    ad_gemm_nn(b->gemm, p->M, p->N, p->K, b->a, p->N, b->c, b->b, p->K, 0);
  } else {
    ad_gemm_nt(b->gemm, p->M, p->N, p->K, b->b, p->K, b->c, b->a, p->N);
  }
}

/* Flops a second over at least 15 ms. */
static double rate(struct bench *b, const struct product *p) {
  const double flops = 2.0 * (double)p->M * (double)p->N * (double)p->K, start = ad_clock();
  size_t calls = 0;
  double took;
  do {
    (p->own ? own : openblas)(b, p);
    calls++;
    took = ad_clock() - start;
  } while (took < 0.015);
  return flops * (double)calls / took;
}

static size_t list(struct bench *b, size_t H, size_t F, struct product *products) {
  size_t count = 0;
  for (size_t i = 0; i < SQUARES; i++) {
    products[count++] = (struct product){"square", SQUARE_PRODUCT, 0, SQUARE[i], SQUARE[i], SQUARE[i], {0}};
  }
  const struct {
    const char *name;
    size_t N, K;
  } weights[] = {{"query, key, value", 3 * H, H}, {"attention output", H, H}, {"up", F, H}, {"down", H, F}};
  for (size_t i = 0; H > 0 && i < sizeof weights / sizeof *weights; i++) {
    for (int kind = FORWARD; kind <= WEIGHT; kind++) {
      for (int is_own = 0; is_own <= 1; is_own++) {
        products[count++] =
            (struct product){weights[i].name, (enum kind)kind, is_own, b->tokens, weights[i].N, weights[i].K, {0}};
      }
    }
  }
  return count;
}

static void print(const struct bench *b, struct product *products, size_t count) {
  static const char *const kinds[] = {"square", "forward", "input", "weight"};
  double best = 0.0;
  for (size_t i = 0; i < count; i++) {
    qsort(products[i].rate, ROUNDS, sizeof(double), bench_compare);
    best =
        products[i].kind == SQUARE_PRODUCT && products[i].rate[ROUNDS / 2] > best ? products[i].rate[ROUNDS / 2] : best;
  }
  printf("{\"yardstick\":%.0f,\"openblas\":\"%s\",\"own\":\"%s\",\"lanes\":%zu,\"products\":[", best,
         openblas_get_corename(), ad_gemm_core(b->gemm), b->lanes);
  for (size_t i = 0; i < count; i++) {
    const struct product *p = &products[i];
    printf("%s\n {\"weight\":\"%s\",\"kind\":\"%s\",\"by\":\"%s\",\"M\":%zu,\"N\":%zu,\"K\":%zu,\"flops_s\":%.0f}",
           i > 0 ? "," : "", p->name, kinds[p->kind], p->own ? "own" : "openblas", p->M, p->N, p->K,
           p->rate[ROUNDS / 2]);
  }
  printf("\n]}\n");
}

static float *filled(size_t n) {
  float *x = ad_malloc(n, sizeof *x);
  for (size_t i = 0; x != NULL && i < n; i++) {
    x[i] = (float)(i % 1013) / 1013.0f - 0.5f;
  }
  return x;
}

static int run(struct ad_gemm *gemm, size_t H, size_t F, size_t tokens, size_t lanes) {
  static struct product products[MOST];
  struct bench b = {.gemm = gemm, .tokens = ad_round_rows(tokens), .lanes = lanes};
  const size_t square = SQUARE[SQUARES - 1], widest = 3 * H > F ? 3 * H : F, weight = widest * (F > H ? F : H);
  size_t n = square * square;
  n = b.tokens * widest > n ? b.tokens * widest : n;
  n = weight > n ? weight : n;
  b.a = filled(n);
  b.b = filled(n);
  b.c = filled(n);
  const size_t up = ad_gemm_tn_work(gemm, lanes, b.tokens, F, H),
               qkv = ad_gemm_tn_work(gemm, lanes, b.tokens, 3 * H, H);
  b.work = filled(up > qkv ? up : qkv);
  if (b.a == NULL || b.b == NULL || b.c == NULL || b.work == NULL) {
    return ad_fail_memory(4 * n * sizeof(float), "the matrices");
  }
  for (size_t lane = 0; lane < lanes; lane++) {
    const size_t first = lane * b.tokens / lanes;
    b.rows[lane] = (struct ad_lane_rows){first, (lane + 1) * b.tokens / lanes - first};
  }
  const size_t count = list(&b, H, F, products);
  for (int round = -1; round < ROUNDS; round++) {
    for (size_t i = 0; i < count; i++) {
      const double found = rate(&b, &products[i]);
      products[i].rate[round < 0 ? 0 : round] = found; /* the first goes over in the second */
    }
  }
  print(&b, products, count);
  ad_free(b.a);
  ad_free(b.b);
  ad_free(b.c);
  ad_free(b.work);
  return AD_OK;
}

int main(int argc, char **argv) {
  size_t sizes[4] = {0};
  for (int i = 1; i < argc && argc == 5; i++) {
    sizes[i - 1] = strtoul(argv[i], NULL, 10);
  }
  if (argc != 1 &&
      (argc != 5 || sizes[0] == 0 || sizes[1] == 0 || sizes[2] == 0 || sizes[3] == 0 || sizes[3] > LANES)) {
    fprintf(stderr, "usage: bench_sgemm [H F TOKENS LANES]\n");
    return 1;
  }
  struct ad_math *math;
  int status = ad_math_create(&math);
  status = status == AD_OK ? run(math->gemm, sizes[0], sizes[1], sizes[2], sizes[3]) : status;
  if (status != AD_OK) {
    fprintf(stderr, "bench_sgemm: %s\n", ad_error_message());
  }
  ad_math_destroy(math);
  return ad_status_exit_code(status);
}
