/* Rates of the vector kernels and of the matrix products, on one core: kernels [SET [products]], SET v4, v3, neon
 * or generic; of the products alone. Products with bfloat16 operands: each way that runs here, by its name, with the
 * quotient of its rate and that of the float32 product. */
#include "autodidact/math/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/bfloat16.h"
#include "autodidact/math/context.h"

/* One shape of a training step; the arrays are as long as the largest kernel wants them. */
struct shape {
  const char *name;
  size_t T, S, H, A, F;
};

enum { LANES = 8 };

struct bench {
  struct shape s;
  const struct ad_kernels *k;
  struct ad_gemm *gemm;
  struct ad_dropout mask, none;
  struct ad_distance_bias distances; /* of S */
  float *a, *b, *c, *d;              /* [T, F] each */
  float *gamma, *beta, *sums;        /* [F], [F], [3 F] */
  float *mean, *rstd;                /* [T] */
  float *work, *products, *gradient; /* the last: of bfloat16 */
  struct ad_bf16_products *bf16;
  ad_bf16 *rows[2], *packed[2]; /* [T, F], [T, H]; up and down */
  ad_bf16 *kept, *halves;       /* [T, F] */
  struct ad_lane_rows lanes[LANES];
  uint32_t *examples, *positions;
};

typedef void (*bench_run)(struct bench *b);

static void norm(struct bench *b) {
  b->k->norm(b->s.T, b->s.H, b->a, b->gamma, b->beta, 1e-12f, &b->mask, b->examples, b->positions, b->mean, b->rstd,
             b->b);
}
static void residual(struct bench *b, const struct ad_dropout *mask) {
  b->k->bias_residual_norm(b->s.T, b->s.H, b->a, b->beta, b->c, b->gamma, b->beta, 1e-12f, mask, b->examples,
                           b->positions, b->mean, b->rstd, b->b);
}
static void residual_masked(struct bench *b) {
  residual(b, &b->mask);
}
static void residual_plain(struct bench *b) {
  residual(b, &b->none);
}
static void residual_backward(struct bench *b) {
  b->k->bias_residual_norm_backward(b->s.T, b->s.H, b->a, b->b, b->mean, b->rstd, b->gamma, &b->mask, b->examples,
                                    b->positions, b->c, b->d, b->sums, b->sums + b->s.H, b->sums + 2 * b->s.H);
}
static void gelu(struct bench *b) {
  b->k->bias_activation(b->s.T, b->s.F, 0, b->a, b->beta, b->b);
}
static void gelu_backward(struct bench *b) {
  b->k->bias_activation_backward(b->s.T, b->s.F, 0, b->c, b->a, b->b, b->sums);
}
static void bf16_gelu(struct bench *b) {
  b->k->bf16_bias_activation(b->s.T, b->s.F, 0, b->d, b->beta, NULL, NULL, NULL, b->kept, b->rows[0]);
}
static void bf16_gelu_backward(struct bench *b) {
  b->k->bf16_activation_backward(b->s.T, b->s.F, 0, b->c, b->kept, NULL, NULL, NULL, b->halves, b->sums, b->rows[0]);
}
static void bf16_normalise(struct bench *b) {
  b->k->bf16_normalise(b->s.T, b->s.H, b->a, b->mean, b->rstd, b->gamma, b->beta, b->rows[1]);
}
static void bf16_round(struct bench *b) {
  b->k->bf16_round(b->s.T, b->s.F, b->a, b->s.F, b->rows[0]);
}
static void bf16_values(struct bench *b) {
  b->k->bf16_values(b->s.T, b->s.F, b->kept, b->a, b->s.F);
}
static void gelu_tanh(struct bench *b) {
  b->k->bias_activation(b->s.T, b->s.F, 1, b->a, b->beta, b->b);
}
static void dropout(struct bench *b) {
  b->k->dropout(b->s.T, b->s.H, b->a, &b->mask, b->examples, b->positions);
}
static void bias(struct bench *b) {
  b->k->bias(b->s.T, 3 * b->s.H, b->a, 3 * b->s.H, b->beta);
}
static void column_sum(struct bench *b) {
  b->k->column_sum(b->s.T, 3 * b->s.H, b->a, 3 * b->s.H, b->sums);
}
static void add(struct bench *b) {
  b->k->add(b->s.T * b->s.F, b->a, b->b);
}
static void sum_squares(struct bench *b) {
  (void)b->k->sum_squares(b->s.T * b->s.F, b->a);
}
static void adamw(struct bench *b) {
  const struct ad_adamw a = {1e-5, 0.9, 0.999, 1e-8, 0.01, 0.5, 0.1, 1.0};
  b->k->adamw(b->s.T * b->s.F, &a, b->a, b->b, b->c, b->d, NULL);
}
/* Q, K, V [T, 3H] in a; the examples of S tokens one after another. */
static void attend(struct bench *b, const struct ad_dropout *mask, const struct ad_distance_bias *bias) {
  const size_t H = b->s.H, ld = 3 * H, S = b->s.S;
  for (size_t t = 0; t + S <= b->s.T; t += S) {
    const float *qkv = b->a + t * ld;
    b->k->attention(S, S, b->s.A, H / b->s.A, qkv, ld, qkv + H, qkv + 2 * H, ld, mask, (uint32_t)t, bias, b->b + t * H,
                    H, b->work);
  }
}
static void attention(struct bench *b) {
  attend(b, &b->mask, NULL);
}
static void attention_plain(struct bench *b) {
  attend(b, &b->none, NULL);
}
static void attention_biased(struct bench *b) {
  attend(b, &b->mask, &b->distances);
}
static void attend_backward(struct bench *b, const struct ad_distance_bias *bias) {
  const size_t H = b->s.H, ld = 3 * H, S = b->s.S;
  for (size_t t = 0; t + S <= b->s.T; t += S) {
    const float *qkv = b->a + t * ld;
    float *d = b->c + t * ld;
    b->k->attention_backward(S, S, b->s.A, H / b->s.A, qkv, ld, qkv + H, qkv + 2 * H, ld, &b->mask, (uint32_t)t, bias,
                             b->b + t * H, H, d, d + H, d + 2 * H, b->work);
  }
}
static void attention_backward(struct bench *b) {
  attend_backward(b, NULL);
}
static void attention_backward_biased(struct bench *b) {
  attend_backward(b, &b->distances);
}
static void product_up(struct bench *b) {
  ad_gemm_nt(b->gemm, b->s.T, b->s.F, b->s.H, b->a, b->s.H, b->c, b->b, b->s.F);
}
static void product_down(struct bench *b) {
  ad_gemm_nt(b->gemm, b->s.T, b->s.H, b->s.F, b->a, b->s.F, b->c, b->b, b->s.H);
}
static void product_backward(struct bench *b) {
  ad_gemm_nn(b->gemm, b->s.T, b->s.F, b->s.H, b->a, b->s.F, b->c, b->b, b->s.H, 0);
}
static void product_weights(struct bench *b) {
  const struct ad_lanes lanes = {.rows = b->lanes, .hi = LANES};
  ad_gemm_tn(b->gemm, &lanes, b->s.F, b->s.H, b->a, b->s.F, b->c, b->s.H, b->d, b->products);
}

static void fill(size_t n, float *x) {
  for (size_t i = 0; i < n; i++) {
    x[i] = (float)(i % 1013) / 1013.0f;
  }
}

static float *filled(size_t n) {
  float *x = ad_malloc(n, sizeof *x);
  if (x != NULL) {
    fill(n, x);
  }
  return x;
}

/* Least time of a call, over about 30 ms. */
static double least(struct bench *b, bench_run run) {
  double best = 1e9;
  run(b);
  for (const double end = ad_clock() + 0.03; ad_clock() < end;) {
    const double start = ad_clock();
    run(b);
    const double took = ad_clock() - start;
    best = took < best ? took : best;
  }
  return best;
}

static void print(const char *name, double seconds, double amount, const char *unit) {
  printf("  %-28s %9.1f us %8.1f %s\n", name, 1e6 * seconds, 1e-9 * amount / seconds, unit);
}

/* Bytes that must move at least, as floats a row element of H or F read or written. */
static void measure_kernels(struct bench *b) {
  const struct {
    const char *name;
    bench_run run;
    size_t floats; /* moved */
  } kernels[] = {
      {"norm + dropout", norm, 2 * b->s.H},
      {"bias_residual_norm", residual_plain, 4 * b->s.H},
      {"the same with dropout", residual_masked, 4 * b->s.H},
      {"its backward", residual_backward, 4 * b->s.H},
      {"bias + GELU", gelu, 3 * b->s.F},
      {"its backward", gelu_backward, 3 * b->s.F},
      {"bias + GELU (tanh)", gelu_tanh, 3 * b->s.F},
      {"bfloat16: bias + GELU", bf16_gelu, 2 * b->s.F},
      {"its backward", bf16_gelu_backward, 5 * b->s.F / 2},
      {"bfloat16: layer norm again", bf16_normalise, 3 * b->s.H / 2},
      {"bfloat16: rounding", bf16_round, 3 * b->s.F / 2},
      {"bfloat16: values", bf16_values, 3 * b->s.F / 2},
      {"dropout", dropout, 2 * b->s.H},
      {"bias", bias, 6 * b->s.H},
      {"column_sum", column_sum, 3 * b->s.H},
      {"add", add, 3 * b->s.F},
      {"sum_squares", sum_squares, b->s.F},
      {"adamw", adamw, 7 * b->s.F},
  };
  for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
    print(kernels[i].name, least(b, kernels[i].run), 4.0 * (double)(b->s.T * kernels[i].floats), "GB/s");
  }
  const double pairs = (double)(b->s.T / b->s.S * b->s.S) * (double)b->s.S * (double)b->s.H;
  print("attention", least(b, attention_plain), 4 * pairs, "GF/s");
  print("the same with dropout", least(b, attention), 4 * pairs, "GF/s");
  print("its backward, with dropout", least(b, attention_backward), 10 * pairs, "GF/s");
  print("attention, bias by distance", least(b, attention_biased), 4 * pairs, "GF/s");
  print("its backward", least(b, attention_backward_biased), 10 * pairs, "GF/s");
}

/* Operands that are rounded and packed: as a step has them once for many products. */
static void bf16_up(struct bench *b) {
  ad_bf16_product(b->bf16, b->s.T, b->s.F, b->s.H, b->rows[1], b->packed[0], b->b, b->s.F, 0);
}
static void bf16_down(struct bench *b) {
  ad_bf16_product(b->bf16, b->s.T, b->s.H, b->s.F, b->rows[0], b->packed[1], b->b, b->s.H, 0);
}
static void bf16_weights(struct bench *b) {
  const struct ad_lanes lanes = {.rows = b->lanes, .hi = LANES};
  ad_bf16_tn(b->bf16, &lanes, b->s.F, b->s.H, b->rows[0], b->rows[1], b->d, b->gradient);
}

static void bf16_pack(struct bench *b) {
  ad_bf16_pack_nt(b->bf16, b->s.F, b->s.H, b->c, 0, ad_bf16_panels(b->s.F), b->packed[0]);
}
static void bf16_pack_backward(struct bench *b) {
  ad_bf16_pack_nn(b->bf16, b->s.H, b->s.F, b->c, 0, ad_bf16_panels(b->s.F), b->packed[0]);
}

static const struct product {
  const char *name;
  bench_run run, bf16;
} PRODUCTS[] = {{"product T x F x H (nt)", product_up, bf16_up},
                {"product T x H x F (nt)", product_down, bf16_down},
                {"product dX (nn)", product_backward, bf16_down},
                {"product dW (tn)", product_weights, bf16_weights}};
enum { PRODUCT_COUNT = sizeof PRODUCTS / sizeof PRODUCTS[0], TURNS = 7 };

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Medians of the quotients of both, taken in turn. */
static void measure_bf16(struct bench *b, double flops) {
  const size_t T = b->s.T, F = b->s.F, H = b->s.H;
  ad_bf16_round(b->bf16, T, F, b->a, F, b->rows[0]);
  ad_bf16_round(b->bf16, T, H, b->c, H, b->rows[1]);
  ad_bf16_pack_nt(b->bf16, F, H, b->c, 0, ad_bf16_panels(F), b->packed[0]);
  ad_bf16_pack_nt(b->bf16, H, F, b->c, 0, ad_bf16_panels(H), b->packed[1]);
  printf("  bfloat16 by %s\n", ad_bf16_name(b->bf16));
  for (size_t i = 0; i < PRODUCT_COUNT; i++) {
    double seconds[TURNS], quotients[TURNS];
    for (size_t turn = 0; turn < TURNS; turn++) {
      const double before = least(b, PRODUCTS[i].run);
      seconds[turn] = least(b, PRODUCTS[i].bf16);
      quotients[turn] = before / seconds[turn];
    }
    qsort(seconds, TURNS, sizeof *seconds, by_value);
    qsort(quotients, TURNS, sizeof *quotients, by_value);
    printf("  %-28s %9.1f us %8.1f GF/s %7.2f times float32\n", PRODUCTS[i].name, 1e6 * seconds[TURNS / 2],
           1e-9 * flops / seconds[TURNS / 2], quotients[TURNS / 2]);
  }
  const double bytes = 4.0 * (double)(F * H); /* that are read */
  print("weight packed, forward", least(b, bf16_pack), bytes, "GB/s");
  print("the same, backward", least(b, bf16_pack_backward), bytes, "GB/s");
}

static void measure_products(struct bench *b) {
  static const char *const ways[] = {"amx", "avx512_bf16", "fma"};
  /* Kernels have brought some down to subnormal numbers, on which some CPUs are slow. */
  fill(b->s.T * b->s.F, b->a);
  fill(b->s.F * b->s.H, b->c);
  const double flops = 2.0 * (double)b->s.T * (double)b->s.F * (double)b->s.H;
  for (size_t i = 0; i < PRODUCT_COUNT; i++) {
    print(PRODUCTS[i].name, least(b, PRODUCTS[i].run), flops, "GF/s");
  }
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    if (ad_bf16_create(&b->bf16, b->k, ways[i]) != AD_OK) {
      continue;
    }
    b->gradient = filled(ad_bf16_tn_work(b->bf16, LANES, b->s.T, b->s.F, b->s.H));
    if (b->gradient != NULL) {
      measure_bf16(b, flops);
    }
    ad_free(b->gradient);
    ad_bf16_destroy(b->bf16);
  }
}

static int bench_shape(const struct ad_math *math, const struct shape *s, int products_only) {
  const size_t n = s->T * s->F > s->F * s->H ? s->T * s->F : s->F * s->H;
  struct bench b = {.s = *s,
                    .k = math->kernels,
                    .gemm = math->gemm,
                    .mask = ad_dropout_make(0.1f, 1, 2, 3),
                    .a = filled(n),
                    .b = filled(n),
                    .c = filled(n),
                    .d = filled(n),
                    .gamma = filled(s->F),
                    .beta = filled(s->F),
                    .sums = filled(3 * s->F),
                    .mean = filled(s->T),
                    .rstd = filled(s->T),
                    .work = filled(ad_attention_work(s->S, s->S, s->H / s->A)),
                    .products = filled(ad_gemm_tn_work(math->gemm, LANES, s->T, s->F, s->H)),
                    .rows = {ad_calloc(s->T * s->F, sizeof(ad_bf16)), ad_calloc(s->T * s->H, sizeof(ad_bf16))},
                    .packed = {ad_calloc(s->F * s->H, sizeof(ad_bf16)), ad_calloc(s->F * s->H, sizeof(ad_bf16))},
                    .kept = ad_calloc(s->T * s->F, sizeof(ad_bf16)),
                    .halves = ad_calloc(s->T * s->F, sizeof(ad_bf16)),
                    .examples = ad_calloc(s->T, sizeof(uint32_t)),
                    .positions = ad_calloc(s->T, sizeof(uint32_t))};
  float *values = filled(s->A * 2 * s->S), *sums = filled(s->A * 2 * s->S);
  b.distances = (struct ad_distance_bias){s->S, values, sums, NULL};
  void *const blocks[] = {b.a,    b.b,       b.c,       b.d,         b.gamma,     b.beta,      b.sums,
                          b.mean, b.rstd,    b.work,    b.products,  b.examples,  b.positions, values,
                          sums,   b.rows[0], b.rows[1], b.packed[0], b.packed[1], b.kept,      b.halves};
  for (size_t i = 0; i < LANES; i++) {
    b.lanes[i] = (struct ad_lane_rows){i * s->T / LANES, (i + 1) * s->T / LANES - i * s->T / LANES};
  }
  int status = AD_OK;
  for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
    if (blocks[i] == NULL) {
      status = AD_ENOMEM;
    }
  }
  if (status == AD_OK) {
    printf("%s: T %zu, S %zu, H %zu, A %zu, F %zu\n", b.s.name, b.s.T, b.s.S, b.s.H, b.s.A, b.s.F);
    if (!products_only) {
      measure_kernels(&b);
    }
    measure_products(&b);
  }
  for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
    ad_free(blocks[i]);
  }
  return status;
}

int main(int argc, char **argv) {
  static const struct shape shapes[] = {
      {"MiniLM, glosses", 32 * 13, 13, 384, 12, 1536},
      {"BERT-base, 128 tokens", 16 * 128, 128, 768, 12, 3072},
      {"BERT-base, 512 tokens", 2 * 512, 512, 768, 12, 3072},
  };
  if (argc > 1) {
    setenv("AUTODIDACT_KERNELS", argv[1], 1);
  }
  struct ad_math *math;
  if (ad_math_create(&math) != AD_OK) {
    fprintf(stderr, "%s\n", ad_error_message());
    return 1;
  }
  printf("vector kernels %s, matrix products %s\n", math->kernels->name, ad_gemm_core(math->gemm));
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    if (bench_shape(math, &shapes[i], argc > 2) != AD_OK) {
      fprintf(stderr, "out of memory\n");
      return 2;
    }
  }
  return 0;
}
