/* Relative attention against the naive one; the naive backward against central differences, the fast one against the
 * naive. */
#include "reference/check.h"
#include "reference/naive.h"

struct shape {
  size_t queries, S, A, D;
};

enum { Q, K, V, R, BIASES, SEGMENTS, INPUTS };
static const char *const NAMES[INPUTS] = {"Q", "K", "V", "R", "biases", "segments"};

/* One call, inputs inside wider rows. */
struct call {
  struct shape shape;
  struct ad_dropout dropout;
  size_t H, ldc, rows[INPUTS], ld[INPUTS];
  float *x[INPUTS], *d[INPUTS]; /* inputs; their gradients */
  float *dcontext, *context, *work;
  uint32_t *types;
};

enum { EXAMPLE = 123456, GRADIENT = 10 };

static void call_make(struct call *c, struct shape s, float p) {
  const size_t H = s.A * s.D, rows[INPUTS] = {s.queries, s.S, s.S, s.queries + s.S - 1, 3, 2};
  *c = (struct call){.shape = s, .H = H, .ldc = H + 1, .dropout = ad_dropout_make(p, 0xFEDCBA9876543210ull, 9, 65535)};
  for (uint32_t i = 0; i < INPUTS; i++) {
    c->rows[i] = rows[i];
    c->ld[i] = i == Q ? H + 5 : i == K || i == V ? 2 * H + 3 : i == R ? H + 2 : H;
    c->x[i] = check_normals(rows[i] * c->ld[i], i);
    c->d[i] = check_normals(rows[i] * c->ld[i], GRADIENT + i);
  }
  memset(c->d[BIASES], 0, 3 * H * sizeof(float));
  memset(c->d[SEGMENTS], 0, 2 * H * sizeof(float));
  c->dcontext = check_normals(s.queries * c->ldc, 7);
  c->context = check_normals(s.queries * c->ldc, 8);
  c->types = malloc(s.S * sizeof *c->types);
  assert_non_null(c->types);
  for (size_t t = 0; t < s.S; t++) {
    c->types[t] = t + 1 == s.S ? 2 : t >= s.S / 2 && t % 7 != 6;
  }
  const size_t bytes = ad_relative_work(s.queries, s.S, s.D) * sizeof(float);
  assert_int_equal(bytes % 64, 0);
  c->work = aligned_alloc(64, bytes);
  assert_non_null(c->work);
  memset(c->work, 0xFF, bytes); /* NaN everywhere: nothing may rely on what was there */
}

static void call_free(struct call *c) {
  for (size_t i = 0; i < INPUTS; i++) {
    free(c->x[i]);
    free(c->d[i]);
  }
  free(c->dcontext);
  free(c->context);
  free(c->types);
  free(c->work);
}

static void call_run(struct call *c, const struct ad_kernels *k) {
  const struct shape *s = &c->shape;
  const struct ad_relative r = {.queries = s->queries,
                                .S = s->S,
                                .A = s->A,
                                .D = s->D,
                                .Q = c->x[Q],
                                .K = c->x[K],
                                .V = c->x[V],
                                .R = c->x[R],
                                .ldq = c->ld[Q],
                                .ldk = c->ld[K],
                                .ldr = c->ld[R],
                                .content_bias = c->x[BIASES],
                                .position_bias = c->x[BIASES] + c->H,
                                .segment_bias = c->x[BIASES] + 2 * c->H,
                                .segments = c->x[SEGMENTS],
                                .types = c->types,
                                .dropout = &c->dropout,
                                .example = EXAMPLE};
  const struct ad_relative_gradient d = {.dQ = c->d[Q],
                                         .dK = c->d[K],
                                         .dV = c->d[V],
                                         .dR = c->d[R],
                                         .dcontent_bias = c->d[BIASES],
                                         .dposition_bias = c->d[BIASES] + c->H,
                                         .dsegment_bias = c->d[BIASES] + 2 * c->H,
                                         .dsegments = c->d[SEGMENTS]};
  k->relative_attention(&r, c->context, c->ldc, c->work);
  k->relative_attention_backward(&r, c->dcontext, c->ldc, &d, c->work);
}

/* Head a of an array, as contiguous doubles. */
static double *gather(const float *x, size_t rows, size_t ld, size_t D, size_t a) {
  double *y = malloc(rows * D * sizeof *y);
  assert_non_null(y);
  for (size_t i = 0; i < rows * D; i++) {
    y[i] = x[i / D * ld + a * D + i % D];
  }
  return y;
}

static void compare_head(const struct call *c, const float *x, size_t rows, size_t ld, size_t a,
                         const double *reference, double tol, const char *what) {
  const size_t D = c->shape.D;
  float *y = malloc(rows * D * sizeof *y);
  assert_non_null(y);
  for (size_t i = 0; i < rows * D; i++) {
    y[i] = x[i / D * ld + a * D + i % D];
  }
  CHECK_CLOSE(check_error(rows * D, y, reference, 0.01), tol, "%s, queries %zu, S %zu, D %zu, head %zu, threshold %u",
              what, c->shape.queries, c->shape.S, D, a, c->dropout.threshold);
  free(y);
}

static void check_head(const struct call *c, size_t a) {
  const size_t q = c->shape.queries, S = c->shape.S, D = c->shape.D;
  double *x[INPUTS], *d[INPUTS], *p = malloc(q * S * sizeof *p), *context = malloc(q * D * sizeof *context);
  for (size_t i = 0; i < INPUTS; i++) {
    x[i] = gather(c->x[i], c->rows[i], c->ld[i], D, a);
    d[i] = malloc(c->rows[i] * D * sizeof(double));
    assert_non_null(d[i]);
  }
  double *dcontext = gather(c->dcontext, q, c->ldc, D, a);
  const struct naive_relative r = {q,         S,           D,        x[Q],        x[K],    x[V],       x[R],
                                   x[BIASES], x[SEGMENTS], c->types, &c->dropout, EXAMPLE, (uint32_t)a};
  naive_relative_attention(&r, p, context);
  naive_relative_backward(&r, p, dcontext, d[Q], d[K], d[V], d[R], d[BIASES], d[SEGMENTS]);
  compare_head(c, c->context, q, c->ldc, a, context, 4e-6, "context");
  for (size_t i = 0; i < INPUTS; i++) {
    /* Those of biases and segments are sums of terms that cancel. */
    compare_head(c, c->d[i], c->rows[i], c->ld[i], a, d[i], i < BIASES ? 1e-5 : 4e-5, NAMES[i]);
    free(x[i]);
    free(d[i]);
  }
  free(p);
  free(context);
  free(dcontext);
}

/* Between the heads' columns and the end of a row nothing may be written. */
static void check_untouched(const float *x, size_t rows, size_t ld, size_t H, uint32_t number) {
  float *before = check_normals(rows * ld, number);
  for (size_t r = 0; r < rows; r++) {
    assert_memory_equal(x + r * ld + H, before + r * ld + H, (ld - H) * sizeof *x);
  }
  free(before);
}

static const struct shape SHAPES[] = {
    {1, 1, 1, 1},    {1, 13, 3, 32}, {13, 13, 3, 32}, {2, 2, 2, 8},    {7, 7, 1, 37},     {16, 16, 2, 16},
    {33, 33, 2, 64}, {45, 45, 2, 5}, {64, 64, 1, 64}, {1, 100, 2, 64}, {128, 128, 1, 64}, {97, 97, 1, 32},
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

static void test_values(void **state) {
  (void)state;
  for (size_t i = 0; i < 2 * (size_t)SHAPE_COUNT; i++) {
    for (int s = 0; s < CHECK_SETS; s++) {
      const struct ad_kernels *k = check_set(s);
      if (k == NULL) {
        continue;
      }
      struct call c;
      call_make(&c, SHAPES[i / 2], i % 2 ? 0.1f : 0.0f);
      call_run(&c, k);
      for (size_t a = 0; a < c.shape.A; a++) {
        check_head(&c, a);
      }
      check_untouched(c.context, c.shape.queries, c.ldc, c.H, 8);
      for (uint32_t n = Q; n <= R; n++) {
        check_untouched(c.d[n], c.rows[n], c.ld[n], c.H, GRADIENT + n);
      }
      call_free(&c);
    }
  }
}

static void test_same_bits(void **state) {
  (void)state;
  const struct ad_kernels *best = ad_kernels_find(NULL);
  for (size_t i = 0; i < SHAPE_COUNT; i++) {
    struct call a;
    call_make(&a, SHAPES[i], 0.1f);
    call_run(&a, best);
    for (int s = 0; s < CHECK_SETS; s++) {
      if (check_set(s) == NULL || check_set(s) == best) {
        continue;
      }
      struct call b;
      call_make(&b, SHAPES[i], 0.1f);
      call_run(&b, check_set(s));
      assert_memory_equal(a.context, b.context, a.shape.queries * a.ldc * sizeof(float));
      for (size_t n = 0; n < INPUTS; n++) {
        assert_memory_equal(a.d[n], b.d[n], a.rows[n] * a.ld[n] * sizeof(float));
      }
      call_free(&b);
    }
    call_free(&a);
  }
}

/* The last query alone (the class token in the last layer) has the bits it has among all: context, and dQ. */
static void test_last_query_alone(void **state) {
  (void)state;
  for (size_t i = 0; i < SHAPE_COUNT; i++) {
    struct shape one = SHAPES[i];
    const size_t last = one.queries - 1;
    one.queries = 1;
    struct call all, alone;
    call_make(&all, SHAPES[i], 0.1f);
    call_make(&alone, one, 0.1f);
    memcpy(alone.x[Q], all.x[Q] + last * all.ld[Q], all.H * sizeof(float));
    memcpy(alone.dcontext, all.dcontext + last * all.ldc, all.H * sizeof(float));
    call_run(&all, ad_kernels_find(NULL));
    call_run(&alone, ad_kernels_find(NULL));
    assert_memory_equal(all.context + last * all.ldc, alone.context, all.H * sizeof(float));
    assert_memory_equal(all.d[Q] + last * all.ld[Q], alone.d[Q], all.H * sizeof(float));
    call_free(&all);
    call_free(&alone);
  }
}

/* The naive forward, weighted by d: what is differentiated. */
struct weighted {
  struct naive_relative of;
  double *d, *p, *context;
};

static double loss(void *context) {
  struct weighted *w = context;
  naive_relative_attention(&w->of, w->p, w->context);
  double sum = 0.0;
  for (size_t i = 0; i < w->of.queries * w->of.D; i++) {
    sum += w->d[i] * w->context[i];
  }
  return sum;
}

static void check_naive(struct shape s, float drop) {
  struct call c;
  call_make(&c, s, drop);
  double *x[INPUTS], *gradient[INPUTS], worst = 0.0, largest = 1.0;
  for (size_t i = 0; i < INPUTS; i++) {
    x[i] = gather(c.x[i], c.rows[i], c.ld[i], s.D, 0);
    gradient[i] = gather(c.d[i], c.rows[i], c.ld[i], s.D, 0);
  }
  struct weighted w = {
      .of = {s.queries, s.S, s.D, x[Q], x[K], x[V], x[R], x[BIASES], x[SEGMENTS], c.types, &c.dropout, EXAMPLE, 0},
      .d = gather(c.dcontext, s.queries, c.ldc, s.D, 0),
      .p = malloc(s.queries * s.S * sizeof(double)),
      .context = malloc(s.queries * s.D * sizeof(double))};
  (void)loss(&w);
  naive_relative_backward(&w.of, w.p, w.d, gradient[Q], gradient[K], gradient[V], gradient[R], gradient[BIASES],
                          gradient[SEGMENTS]);
  for (size_t i = 0; i < INPUTS; i++) {
    for (size_t j = 0; j < c.rows[i] * s.D; j++) {
      const double e = fabs(check_slope(loss, &w, x[i] + j) - gradient[i][j]);
      worst = e <= worst ? worst : e;
      largest = fabs(gradient[i][j]) > largest ? fabs(gradient[i][j]) : largest;
    }
  }
  for (size_t i = 0; i < INPUTS; i++) {
    free(x[i]);
    free(gradient[i]);
  }
  CHECK_CLOSE(worst / largest, 1e-8, "naive backward, queries %zu, S %zu, D %zu", s.queries, s.S, s.D);
  free(w.d);
  free(w.p);
  free(w.context);
  call_free(&c);
}

static void test_naive_backward(void **state) {
  (void)state;
  static const struct shape shapes[] = {{1, 1, 1, 3}, {1, 9, 1, 4}, {6, 6, 1, 5}, {13, 13, 1, 8}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    check_naive(shapes[i], 0.0f);
    check_naive(shapes[i], 0.3f);
  }
}

/* Scores of +-1e4 neither overflow nor lose their sum; a NaN in one query stays in its row of the context. */
static void test_extremes(void **state) {
  (void)state;
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k == NULL) {
      continue;
    }
    struct call c;
    call_make(&c, (struct shape){20, 20, 1, 16}, 0.0f);
    for (size_t i = 0; i < 20 * c.ld[Q]; i++) {
      c.x[Q][i] *= 2000.0f;
    }
    call_run(&c, k);
    for (size_t i = 0; i < 20 * 16; i++) {
      assert_true(fabsf(c.context[i / 16 * c.ldc + i % 16]) < 10.0f); /* a mean of the values, normals */
      assert_true(isfinite(c.d[Q][i / 16 * c.ld[Q] + i % 16]));
    }
    c.x[Q][7 * c.ld[Q] + 3] = NAN;
    call_run(&c, k);
    for (size_t i = 0; i < 20 * 16; i++) {
      assert_int_equal(isnan(c.context[i / 16 * c.ldc + i % 16]) != 0, i / 16 == 7);
    }
    call_free(&c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_naive_backward),   cmocka_unit_test(test_values),   cmocka_unit_test(test_same_bits),
      cmocka_unit_test(test_last_query_alone), cmocka_unit_test(test_extremes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
