/* Attention against the naive one; the naive backward against central differences, the fast one against the naive. Each
 * with and without a bias by distance. */
#include "reference/check.h"
#include "reference/naive.h"

struct shape {
  size_t queries, S, A, D;
};

/* One call: Q, K, V inside wider rows, as in the packed [T, 3H] matrix. */
struct call {
  struct shape shape;
  struct ad_dropout dropout;
  size_t H, ldq, ldk, ldc;
  float *Q, *K, *V, *dcontext;   /* inputs */
  float *context, *dQ, *dK, *dV; /* outputs */
  float *values, *sums;          /* [A, distances] of the bias, which are made anyway */
  struct ad_distance_bias distances;
  const struct ad_distance_bias *bias; /* those, or NULL */
  float *work;
};

enum { EXAMPLE = 123456 };

static size_t call_distances(const struct call *c) {
  return 2 * c->distances.longest - 1;
}

static void call_make(struct call *c, struct shape shape, float p, int biased) {
  const size_t H = shape.A * shape.D;
  *c = (struct call){.shape = shape,
                     .H = H,
                     .ldq = H + 5,
                     .ldk = 2 * H + 3,
                     .ldc = H + 1,
                     .dropout = ad_dropout_make(p, 0xFEDCBA9876543210ull, 9, 65535)};
  c->Q = check_normals(shape.queries * c->ldq, 1);
  c->K = check_normals(shape.S * c->ldk, 2);
  c->V = check_normals(shape.S * c->ldk, 3);
  c->dcontext = check_normals(shape.queries * c->ldc, 4);
  c->context = check_normals(shape.queries * c->ldc, 5);
  c->dQ = check_normals(shape.queries * c->ldq, 6);
  c->dK = check_normals(shape.S * c->ldk, 7);
  c->dV = check_normals(shape.S * c->ldk, 8);
  c->distances.longest = shape.S + shape.D % 3; /* at least S */
  c->values = check_normals(shape.A * call_distances(c), 9);
  c->sums = check_normals(shape.A * call_distances(c), 10);
  c->distances.values = c->values;
  c->distances.sums = c->sums;
  c->bias = biased ? &c->distances : NULL;
  const size_t bytes = ad_attention_work(shape.queries, shape.S, shape.D) * sizeof(float);
  assert_int_equal(bytes % 64, 0); /* so that an arena stays aligned, and aligned_alloc is happy */
  c->work = aligned_alloc(64, bytes);
  assert_non_null(c->work);
  memset(c->work, 0xFF, bytes); /* NaN everywhere: nothing may rely on what was there */
}

static void call_free(struct call *c) {
  float *const arrays[] = {c->Q, c->K, c->V, c->dcontext, c->context, c->dQ, c->dK, c->dV, c->values, c->sums, c->work};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
    free(arrays[i]);
  }
}

static void call_run(struct call *c, const struct ad_kernels *k) {
  const struct shape *s = &c->shape;
  k->attention(s->queries, s->S, s->A, s->D, c->Q, c->ldq, c->K, c->V, c->ldk, &c->dropout, EXAMPLE, c->bias,
               c->context, c->ldc, c->work);
  k->attention_backward(s->queries, s->S, s->A, s->D, c->Q, c->ldq, c->K, c->V, c->ldk, &c->dropout, EXAMPLE, c->bias,
                        c->dcontext, c->ldc, c->dQ, c->dK, c->dV, c->work);
}

/* Head a of an array, as contiguous doubles. */
static double *gather(const float *x, size_t rows, size_t ld, size_t D, size_t a) {
  double *y = malloc(rows * D * sizeof *y);
  for (size_t i = 0; i < rows * D; i++) {
    y[i] = x[i / D * ld + a * D + i % D];
  }
  return y;
}

static void compare_head(const struct call *c, const float *x, size_t rows, size_t ld, size_t a,
                         const double *reference, double tol, const char *what) {
  const size_t D = c->shape.D;
  float *y = malloc(rows * D * sizeof *y);
  for (size_t i = 0; i < rows * D; i++) {
    y[i] = x[i / D * ld + a * D + i % D];
  }
  CHECK_CLOSE(check_error(rows * D, y, reference, 0.01), tol, "%s, queries %zu, S %zu, D %zu, head %zu, threshold %u",
              what, c->shape.queries, c->shape.S, D, a, c->dropout.threshold);
  free(y);
}

/* Head a of [A, distances], as far as S goes. */
static double *gather_distances(const struct call *c, const float *x, size_t a) {
  const size_t S = c->shape.S, first = a * call_distances(c) + c->distances.longest - S;
  return check_widen(x + first, 2 * S - 1);
}

/* The gradient of the bias is added to what was there, normals; beyond S that stays. */
static void compare_sums(const struct call *c, size_t a, double *dbias) {
  const size_t S = c->shape.S, N = call_distances(c), outside = c->distances.longest - S;
  float *before = check_normals(c->shape.A * N, 10);
  double *begun = gather_distances(c, before, a);
  for (size_t i = 0; i < 2 * S - 1; i++) {
    dbias[i] = c->bias == NULL ? begun[i] : begun[i] + dbias[i];
  }
  CHECK_CLOSE(check_error(2 * S - 1, c->sums + a * N + outside, dbias, 0.01), 2e-6,
              "dbias, queries %zu, S %zu, head %zu", c->shape.queries, S, a);
  assert_memory_equal(c->sums + a * N, before + a * N, outside * sizeof *before);
  assert_memory_equal(c->sums + (a + 1) * N - outside, before + (a + 1) * N - outside, outside * sizeof *before);
  free(before);
  free(begun);
}

static void check_head(const struct call *c, size_t a) {
  const size_t q = c->shape.queries, S = c->shape.S, D = c->shape.D;
  double *Q = gather(c->Q, q, c->ldq, D, a), *K = gather(c->K, S, c->ldk, D, a), *V = gather(c->V, S, c->ldk, D, a);
  double *d = gather(c->dcontext, q, c->ldc, D, a), *p = malloc(q * S * sizeof *p);
  double *context = malloc(q * D * sizeof *context), *dQ = malloc(q * D * sizeof *dQ);
  double *dK = malloc(S * D * sizeof *dK), *dV = malloc(S * D * sizeof *dV);
  double *bias = gather_distances(c, c->values, a), *dbias = malloc((2 * S - 1) * sizeof *dbias);
  naive_attention(q, S, D, Q, K, V, c->bias == NULL ? NULL : bias, &c->dropout, EXAMPLE, (uint32_t)a, p, context);
  naive_attention_backward(q, S, D, Q, K, V, &c->dropout, EXAMPLE, (uint32_t)a, p, d, dQ, dK, dV, dbias);
  compare_head(c, c->context, q, c->ldc, a, context, 2e-6, "context");
  compare_head(c, c->dQ, q, c->ldq, a, dQ, 4e-6, "dQ");
  compare_head(c, c->dK, S, c->ldk, a, dK, 4e-6, "dK");
  compare_head(c, c->dV, S, c->ldk, a, dV, 2e-6, "dV");
  compare_sums(c, a, dbias);
  double *const arrays[] = {Q, K, V, d, p, context, dQ, dK, dV, bias, dbias};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
    free(arrays[i]);
  }
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
    {33, 33, 2, 64}, {45, 45, 2, 5}, {64, 64, 1, 64}, {1, 100, 2, 64}, {128, 128, 1, 64}, {131, 131, 1, 32},
};

static void test_values(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof SHAPES / sizeof SHAPES[0]; i++) {
    for (int form = 0; form < 4; form++) {
      for (int s = 0; s < CHECK_SETS; s++) {
        const struct ad_kernels *k = check_set(s);
        if (k == NULL) {
          continue;
        }
        struct call c;
        call_make(&c, SHAPES[i], form % 2 ? 0.1f : 0.0f, form / 2);
        call_run(&c, k);
        for (size_t a = 0; a < c.shape.A; a++) {
          check_head(&c, a);
        }
        check_untouched(c.context, c.shape.queries, c.ldc, c.H, 5);
        check_untouched(c.dQ, c.shape.queries, c.ldq, c.H, 6);
        check_untouched(c.dK, c.shape.S, c.ldk, c.H, 7);
        check_untouched(c.dV, c.shape.S, c.ldk, c.H, 8);
        call_free(&c);
      }
    }
  }
}

static void compare_gradients(const struct call *a, const struct call *b) {
  assert_memory_equal(a->dQ, b->dQ, a->shape.queries * a->ldq * sizeof(float));
  assert_memory_equal(a->dK, b->dK, a->shape.S * a->ldk * sizeof(float));
  assert_memory_equal(a->dV, b->dV, a->shape.S * a->ldk * sizeof(float));
}

static void test_same_bits(void **state) {
  (void)state;
  const struct ad_kernels *best = ad_kernels_find(NULL);
  for (size_t i = 0; i < 2 * (sizeof SHAPES / sizeof SHAPES[0]); i++) {
    struct call a;
    call_make(&a, SHAPES[i / 2], 0.1f, i % 2);
    call_run(&a, best);
    for (int s = 0; s < CHECK_SETS; s++) {
      if (check_set(s) == NULL || check_set(s) == best) {
        continue;
      }
      struct call b;
      call_make(&b, SHAPES[i / 2], 0.1f, i % 2);
      call_run(&b, check_set(s));
      assert_memory_equal(a.context, b.context, a.shape.queries * a.ldc * sizeof(float));
      assert_memory_equal(a.sums, b.sums, a.shape.A * call_distances(&a) * sizeof(float));
      compare_gradients(&a, &b);
      call_free(&b);
    }
    call_free(&a);
  }
}

/* The bits of the gradients depend on neither whether that of the bias is wanted nor how much room it has. */
static void test_room(void **state) {
  (void)state;
  const struct shape shape = {45, 45, 2, 6};
  enum { MORE = 7 };
  const struct ad_kernels *k = ad_kernels_find(NULL);
  struct call a, b, c;
  call_make(&a, shape, 0.1f, 1);
  call_make(&b, shape, 0.1f, 1);
  call_make(&c, shape, 0.1f, 1);
  const size_t N = call_distances(&a), wide = N + 2 * MORE;
  float *values = calloc(2 * wide, sizeof *values), *sums = calloc(2 * wide, sizeof *sums);
  for (size_t i = 0; i < 2 * N; i++) {
    values[i / N * wide + MORE + i % N] = a.values[i];
    a.sums[i] = 0.0f;
  }
  b.distances = (struct ad_distance_bias){a.distances.longest + MORE, values, sums, NULL};
  c.distances.sums = NULL;
  call_run(&a, k);
  call_run(&b, k);
  call_run(&c, k);
  compare_gradients(&a, &b);
  compare_gradients(&a, &c);
  for (size_t i = 0; i < 2; i++) {
    assert_memory_equal(a.sums + i * N, sums + i * wide + MORE, N * sizeof *sums);
  }
  call_free(&a);
  call_free(&b);
  call_free(&c);
  free(values);
  free(sums);
}

/* Some queries of an example have the bits that they have among all, if their places are told; none leave no gradient.
 */
static void test_places(void **state) {
  (void)state;
  static const uint32_t PLACES[] = {0, 3, 4, 17, 44};
  enum { SOME = sizeof PLACES / sizeof *PLACES };
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (int biased = 0; biased < 2 && k != NULL; biased++) {
      struct call all, some, none;
      call_make(&all, (struct shape){45, 45, 2, 6}, 0.0f, biased);
      call_make(&some, (struct shape){SOME, 45, 2, 6}, 0.0f, biased);
      call_make(&none, (struct shape){1, 45, 2, 6}, 0.0f, biased);
      for (size_t i = 0; i < SOME; i++) {
        memcpy(some.Q + i * some.ldq, all.Q + PLACES[i] * all.ldq, all.H * sizeof(float));
        memcpy(some.dcontext + i * some.ldc, all.dcontext + PLACES[i] * all.ldc, all.H * sizeof(float));
      }
      some.distances.places = PLACES;
      none.shape.queries = 0;
      call_run(&all, k);
      call_run(&some, k);
      call_run(&none, k);
      for (size_t i = 0; i < SOME; i++) {
        assert_memory_equal(some.context + i * some.ldc, all.context + PLACES[i] * all.ldc, all.H * sizeof(float));
        assert_memory_equal(some.dQ + i * some.ldq, all.dQ + PLACES[i] * all.ldq, all.H * sizeof(float));
      }
      for (size_t i = 0; i < 45 * none.H; i++) {
        const size_t at = i / none.H * none.ldk + i % none.H;
        assert_true(none.dK[at] == 0.0f && none.dV[at] == 0.0f);
      }
      call_free(&all);
      call_free(&some);
      call_free(&none);
    }
  }
}

/* The first query alone ([CLS] in the last layer) has the bits it has among all: context, and dQ with its gradient. */
static void test_first_query_alone(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof SHAPES / sizeof SHAPES[0]; i++) {
    for (int s = 0; s < CHECK_SETS; s++) {
      const struct ad_kernels *k = check_set(s);
      if (k == NULL) {
        continue;
      }
      struct shape one = SHAPES[i];
      one.queries = 1;
      struct call all, first;
      call_make(&all, SHAPES[i], 0.1f, i % 2);
      call_make(&first, one, 0.1f, i % 2);
      call_run(&all, k);
      call_run(&first, k);
      assert_memory_equal(all.context, first.context, all.H * sizeof(float));
      assert_memory_equal(all.dQ, first.dQ, all.H * sizeof(float));
      call_free(&all);
      call_free(&first);
    }
  }
}

/* The naive forward of one head, weighted by d: what is differentiated. */
struct head {
  size_t queries, S, D;
  struct ad_dropout dropout;
  double *x; /* Q, K, V, bias one after another */
  double *d, *p, *context;
};

static double loss(void *context) {
  struct head *h = context;
  const size_t QD = h->queries * h->D, SD = h->S * h->D;
  naive_attention(h->queries, h->S, h->D, h->x, h->x + QD, h->x + QD + SD, h->x + QD + 2 * SD, &h->dropout, EXAMPLE, 0,
                  h->p, h->context);
  double sum = 0.0;
  for (size_t i = 0; i < QD; i++) {
    sum += h->d[i] * h->context[i];
  }
  return sum;
}

static void test_naive_backward(void **state) {
  (void)state;
  static const struct shape shapes[] = {{1, 1, 1, 3}, {1, 9, 1, 4}, {6, 6, 1, 5}, {13, 13, 1, 8}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    for (int drop = 0; drop < 2; drop++) {
      const size_t q = shapes[i].queries, S = shapes[i].S, D = shapes[i].D, QD = q * D, SD = S * D,
                   n = QD + 2 * SD + 2 * S - 1;
      float *x = check_normals(n, 1), *d = check_normals(QD, 2);
      struct head h = {.queries = q,
                       .S = S,
                       .D = D,
                       .dropout = ad_dropout_make(drop ? 0.3f : 0.0f, 5, 6, 7),
                       .x = check_widen(x, n),
                       .d = check_widen(d, QD),
                       .p = malloc(q * S * sizeof(double)),
                       .context = malloc(QD * sizeof(double))};
      double *gradient = malloc(n * sizeof *gradient), worst = 0.0, largest = 1.0;
      (void)loss(&h);
      naive_attention_backward(q, S, D, h.x, h.x + QD, h.x + QD + SD, &h.dropout, EXAMPLE, 0, h.p, h.d, gradient,
                               gradient + QD, gradient + QD + SD, gradient + QD + 2 * SD);
      for (size_t j = 0; j < n; j++) {
        const double e = fabs(check_slope(loss, &h, h.x + j) - gradient[j]);
        worst = e <= worst ? worst : e;
        largest = fabs(gradient[j]) > largest ? fabs(gradient[j]) : largest;
      }
      CHECK_CLOSE(worst / largest, 1e-8, "naive backward, queries %zu, S %zu, D %zu", q, S, D);
      free(x);
      free(d);
      free(h.x);
      free(h.d);
      free(h.p);
      free(h.context);
      free(gradient);
    }
  }
}

/* Scores of +-1e4 neither overflow nor lose their sum; a NaN in one query stays in its row. */
static void test_extremes(void **state) {
  (void)state;
  for (int form = 0; form < 2 * CHECK_SETS; form++) {
    const struct ad_kernels *k = check_set(form / 2);
    if (k == NULL) {
      continue;
    }
    struct call c;
    call_make(&c, (struct shape){20, 20, 1, 16}, 0.0f, form % 2);
    for (size_t i = 0; i < 20 * c.ldq; i++) {
      c.Q[i] *= 2000.0f;
    }
    call_run(&c, k);
    for (size_t q = 0; q < 20; q++) {
      for (size_t n = 0; n < 16; n++) {
        assert_true(isfinite(c.context[q * c.ldc + n]) && isfinite(c.dQ[q * c.ldq + n]));
        assert_true(fabsf(c.context[q * c.ldc + n]) < 10.0f); /* a mean of the values, normals */
      }
    }
    c.Q[7 * c.ldq + 3] = NAN;
    call_run(&c, k);
    for (size_t q = 0; q < 20; q++) {
      for (size_t n = 0; n < 16; n++) {
        assert_int_equal(isnan(c.context[q * c.ldc + n]) != 0, q == 7);
      }
    }
    call_free(&c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_naive_backward),
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_same_bits),
      cmocka_unit_test(test_places),
      cmocka_unit_test(test_first_query_alone),
      cmocka_unit_test(test_extremes),
      cmocka_unit_test(test_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
