/* Activations, tanh, embeddings, biases, additions: against the naive ones, and their backwards against differences. */
#include "reference/naive.h"
#include "reference/rows.h"

static const size_t ROWS[] = {0, 1, 5, 49}, COLUMNS[] = {1, 7, 16, 37, 384};

/* Inputs: 0 u, 1 dg; 2 bias. Outputs: 0 u with bias, 1 g, 2 du, 3 dbias. */
static void run_activation(const struct ad_kernels *k, struct job *j, size_t first, size_t count) {
  const size_t at = first * j->H;
  memcpy(j->out[0] + at, j->in[0] + at, count * j->H * sizeof(float));
  k->bias_activation(count, j->H, j->variant, j->out[0] + at, j->in[2], j->out[1] + at);
  memcpy(j->out[2] + at, j->in[1] + at, count * j->H * sizeof(float));
  k->bias_activation_backward(count, j->H, j->variant, j->out[2] + at, j->out[0] + at, j->out[2] + at, j->out[3]);
}

/* Inputs: 0 x, 1 dy; 2 bias. Outputs: 0 y, 1 dx, 2 dbias. */
static void run_tanh(const struct ad_kernels *k, struct job *j, size_t first, size_t count) {
  const size_t at = first * j->H;
  memcpy(j->out[0] + at, j->in[0] + at, count * j->H * sizeof(float));
  k->bias_tanh(count, j->H, j->out[0] + at, j->in[2]);
  k->tanh_backward(count, j->H, j->in[1] + at, j->out[0] + at, j->out[1] + at, j->out[2]);
}

enum { WORDS = 11, POSITIONS = 7, TYPES = 2 };

/* Tables of the embeddings are made from normals here; ids follow from the row. Output: 0 the sum of the three, 1 that
 * of the first two. */
static void ids_of(size_t t, uint32_t *id, uint32_t *position, uint32_t *type) {
  *id = (uint32_t)(t * 5 % WORDS);
  *position = (uint32_t)(t * 3 % POSITIONS);
  *type = (uint32_t)(t % TYPES);
}

static void run_embed(const struct ad_kernels *k, struct job *j, size_t first, size_t count) {
  float *word = check_normals(WORDS * j->H, 20), *position = check_normals(POSITIONS * j->H, 21);
  float *type = check_normals(TYPES * j->H, 22);
  uint32_t ids[64], positions[64], types[64];
  for (size_t t = 0; t < count; t++) {
    ids_of(first + t, &ids[t], &positions[t], &types[t]);
  }
  k->embed(count, j->H, ids, positions, types, word, position, type, j->out[0] + first * j->H);
  k->embed(count, j->H, ids, positions, types, word, position, NULL, j->out[1] + first * j->H);
  free(word);
  free(position);
  free(type);
}

/* Inputs: 0 x; 1 bias. Rows of the output 0 are 3 longer than H; output 1 is the column sum; output 2 a scatter, row t
 * going to row t / 2. */
static void run_bias(const struct ad_kernels *k, struct job *j, size_t first, size_t count) {
  const size_t H = j->H, ld = H + 3;
  for (size_t t = first; t < first + count; t++) {
    memcpy(j->out[0] + t * ld, j->in[0] + t * H, H * sizeof(float));
  }
  k->bias(count, H, j->out[0] + first * ld, ld, j->in[1]);
  k->column_sum(count, H, j->out[0] + first * ld, ld, j->out[1]);
  uint32_t rows[64];
  for (size_t t = 0; t < count; t++) {
    rows[t] = (uint32_t)((first + t) / 2);
  }
  k->scatter_add(count, H, rows, j->in[0] + first * H, j->out[2]);
}

static void run_dropout(const struct ad_kernels *k, struct job *j, size_t first, size_t count) {
  const size_t at = first * j->H;
  memcpy(j->out[0] + at, j->in[0] + at, count * j->H * sizeof(float));
  k->dropout(count, j->H, j->out[0] + at, &j->dropout, j->examples + first, j->positions + first);
}

static double activation_loss(void *context) {
  const double *c = context; /* x, kind */
  return c[1] < 3.0 ? naive_activation((int)c[1], c[0]) : tanh(c[0]);
}

/* Values and slopes of an elementwise function: outputs y, value; dx, slope; the column sums. kind 3 is tanh. */
static void check_elementwise(struct job *j, int kind, job_run run, int y, int dx, int dbias, double tol) {
  const size_t H = j->H, TH = j->T * H;
  double *value = calloc(TH + 1, sizeof *value), *slope = calloc(TH + 1, sizeof *slope), *sum = calloc(H, sizeof *sum);
  job_reset(j);
  for (size_t n = 0; n < H; n++) {
    sum[n] = j->out[dbias][n];
  }
  for (size_t i = 0; i < TH; i++) {
    double c[2] = {(double)(j->in[0][i] + j->in[2][i % H]), kind};
    value[i] = activation_loss(c);
    slope[i] = j->in[1][i] * check_slope(activation_loss, c, &c[0]);
    sum[i % H] += slope[i];
  }
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k != NULL) {
      job_reset(j);
      run(k, j, 0, j->T);
      CHECK_CLOSE(check_error(TH, j->out[y], value, 0.0), tol, "%s: kind %d, T %zu, H %zu", k->name, kind, j->T, H);
      CHECK_CLOSE(check_error(TH, j->out[dx], slope, 0.1), 1e-6, "%s: slope, kind %d, T %zu, H %zu", k->name, kind,
                  j->T, H);
      CHECK_CLOSE(check_error(H, j->out[dbias], sum, 1.0), 1e-6, "%s: sum, kind %d, T %zu, H %zu", k->name, kind, j->T,
                  H);
    }
  }
  free(value);
  free(slope);
  free(sum);
}

static void test_activation(void **state) {
  (void)state;
  for (size_t a = 0; a < sizeof ROWS / sizeof ROWS[0]; a++) {
    for (size_t b = 0; b < sizeof COLUMNS / sizeof COLUMNS[0]; b++) {
      for (int kind = 0; kind < 3; kind++) {
        struct job j;
        job_make(&j, ROWS[a], COLUMNS[b], 0.0f, 2, 1);
        j.variant = kind;
        const size_t count[4] = {j.T * j.H, j.T * j.H, j.T * j.H, j.H};
        for (int i = 0; i < 4; i++) {
          job_output(&j, i, count[i]);
        }
        job_check_bits(&j, run_activation);
        check_elementwise(&j, kind, run_activation, 1, 2, 3, 3e-7);
        job_free(&j);
      }
    }
  }
}

static void test_tanh(void **state) {
  (void)state;
  for (size_t a = 0; a < sizeof ROWS / sizeof ROWS[0]; a++) {
    for (size_t b = 0; b < sizeof COLUMNS / sizeof COLUMNS[0]; b++) {
      struct job j;
      job_make(&j, ROWS[a], COLUMNS[b], 0.0f, 2, 1);
      job_output(&j, 0, j.T * j.H);
      job_output(&j, 1, j.T * j.H);
      job_output(&j, 2, j.H);
      job_check_bits(&j, run_tanh);
      check_elementwise(&j, 3, run_tanh, 0, 1, 2, 2e-7);
      job_free(&j);
    }
  }
}

/* The whole line of floats that matters, value by value: relative errors also in the tail, where 1 + erf would cancel.
 *
 * The bound, in roundings u = 6e-8: t carries 2 u, which the slope of R multiplies by up to 3.2; the polynomial, exp
 * and the products add 6 u, and the argument of exp x^2 u. For x > 0 one minus the tail (at most 1/2) and a product add
 * 2 u. */
static void test_activation_range(void **state) {
  (void)state;
  enum { N = 64000 };
  static float u[N], g[N], d[N], bias[N], one[N];
  static double value[N], slope[N];
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (int kind = 0; k != NULL && kind < 2; kind++) {
      memset(bias, 0, sizeof bias);
      for (size_t i = 0; i < N; i++) {
        u[i] = ((float)i - N / 2) * (kind == 0 ? 3e-4f : 1.5e-4f) + 1e-5f;
        one[i] = 1.0f;
        value[i] = naive_activation(kind, u[i]);
        slope[i] = naive_activation_slope(kind, u[i]);
      }
      k->bias_activation(1, N, kind, u, bias, g);
      k->bias_activation_backward(1, N, kind, one, u, d, bias);
      for (size_t i = 0; i < N; i++) {
        const double x = u[i], tail = 1e-6 + 1e-7 * x * x * (kind == 0 ? 1.0 : fabs(x));
        if (fabs(value[i]) > 1e-30) {
          CHECK_CLOSE(fabs(g[i] - value[i]) / fabs(value[i]), x < 0 ? tail : 8.7e-7, "%s: kind %d at %g", k->name, kind,
                      x);
        }
        CHECK_CLOSE(fabs(d[i] - slope[i]), 4e-7, "%s: slope, kind %d at %g", k->name, kind, x);
      }
    }
  }
}

static void test_embed(void **state) {
  (void)state;
  for (size_t a = 0; a < sizeof ROWS / sizeof ROWS[0]; a++) {
    for (size_t b = 0; b < sizeof COLUMNS / sizeof COLUMNS[0]; b++) {
      struct job j;
      job_make(&j, ROWS[a], COLUMNS[b], 0.0f, 0, 0);
      job_output(&j, 0, j.T * j.H);
      job_output(&j, 1, j.T * j.H);
      job_check_bits(&j, run_embed);
      float *word = check_normals(WORDS * j.H, 20), *position = check_normals(POSITIONS * j.H, 21);
      float *type = check_normals(TYPES * j.H, 22);
      const struct ad_kernels *k = ad_kernels_find(NULL);
      job_reset(&j);
      run_embed(k, &j, 0, j.T);
      for (size_t t = 0; t < j.T; t++) {
        uint32_t id, at, kind;
        ids_of(t, &id, &at, &kind);
        for (size_t n = 0; n < j.H; n++) { /* float additions in the documented order: equal, not close */
          const float two = word[id * j.H + n] + position[at * j.H + n];
          assert_true(j.out[0][t * j.H + n] == two + type[kind * j.H + n] && j.out[1][t * j.H + n] == two);
        }
      }
      free(word);
      free(position);
      free(type);
      job_free(&j);
    }
  }
}

static void test_bias_and_sums(void **state) {
  (void)state;
  for (size_t a = 0; a < sizeof ROWS / sizeof ROWS[0]; a++) {
    for (size_t b = 0; b < sizeof COLUMNS / sizeof COLUMNS[0]; b++) {
      struct job j;
      job_make(&j, ROWS[a], COLUMNS[b], 0.0f, 1, 1);
      const size_t H = j.H, ld = H + 3;
      job_output(&j, 0, j.T * ld);
      job_output(&j, 1, H);
      job_output(&j, 2, (j.T / 2 + 1) * H);
      job_check_bits(&j, run_bias);
      for (int s = 0; s < CHECK_SETS; s++) {
        const struct ad_kernels *k = check_set(s);
        if (k == NULL) {
          continue;
        }
        job_reset(&j);
        float *sum = malloc(H * sizeof *sum), *pad = malloc((j.T * 3 + 1) * sizeof *pad);
        float *scattered = malloc((j.T / 2 + 1) * H * sizeof *scattered);
        memcpy(sum, j.out[1], H * sizeof *sum);
        memcpy(scattered, j.out[2], (j.T / 2 + 1) * H * sizeof *scattered);
        for (size_t t = 0; t < j.T; t++) {
          memcpy(pad + 3 * t, j.out[0] + t * ld + H, 3 * sizeof *pad);
        }
        run_bias(k, &j, 0, j.T);
        for (size_t t = 0; t < j.T; t++) {
          assert_memory_equal(pad + 3 * t, j.out[0] + t * ld + H,
                              3 * sizeof *pad); /* between the rows nothing changes */
          for (size_t n = 0; n < H; n++) {
            const float x = j.in[0][t * H + n] + j.in[1][n];
            assert_true(j.out[0][t * ld + n] == x);
            sum[n] += x;
            scattered[t / 2 * H + n] += j.in[0][t * H + n];
          }
        }
        assert_memory_equal(sum, j.out[1], H * sizeof *sum); /* row after row: the same float additions */
        assert_memory_equal(scattered, j.out[2], (j.T / 2 + 1) * H * sizeof *scattered);
        free(sum);
        free(pad);
        free(scattered);
      }
      job_free(&j);
    }
  }
}

/* Rows up to the next multiple of 16 become columns of zeros; behind them nothing changes. */
static void test_transpose(void **state) {
  (void)state;
  for (size_t a = 0; a < sizeof ROWS / sizeof ROWS[0]; a++) {
    for (size_t b = 0; b < sizeof COLUMNS / sizeof COLUMNS[0]; b++) {
      const size_t M = ROWS[a], N = COLUMNS[b], ldx = N + 3, filled = (M + 15) / 16 * 16, ldy = filled + 2;
      float *x = check_normals(M * ldx + 1, 1);
      for (int s = 0; s < CHECK_SETS; s++) {
        const struct ad_kernels *k = check_set(s);
        if (k == NULL) {
          continue;
        }
        float *y = check_normals(N * ldy, 2), *before = check_normals(N * ldy, 2);
        k->transpose(M, N, x, ldx, y, ldy);
        for (size_t n = 0; n < N; n++) {
          for (size_t m = 0; m < ldy; m++) {
            const float expected = m < M ? x[m * ldx + n] : m < filled ? 0.0f : before[n * ldy + m];
            assert_true(y[n * ldy + m] == expected);
          }
        }
        free(y);
        free(before);
      }
      free(x);
    }
  }
}

/* What has no arithmetic of its own: copies, and sums of two, which are those of C. */
static void test_copy_and_sum(void **state) {
  (void)state;
  for (size_t a = 0; a < sizeof ROWS / sizeof ROWS[0]; a++) {
    for (size_t b = 0; b < sizeof COLUMNS / sizeof COLUMNS[0]; b++) {
      const size_t M = ROWS[a], N = COLUMNS[b], ldx = N + 3, ldy = N + 5;
      float *x = check_normals(M * ldx + 1, 1), *before = check_normals(M * ldy + 1, 2);
      for (int s = 0; s < CHECK_SETS; s++) {
        const struct ad_kernels *k = check_set(s);
        if (k == NULL) {
          continue;
        }
        float *y = check_normals(M * ldy + 1, 2), *sum = check_normals(M * ldy + 1, 3);
        k->copy(M, N, x, ldx, y, ldy);
        for (size_t i = 0; i < M * ldy; i++) {
          assert_true(y[i] == (i % ldy < N ? x[i / ldy * ldx + i % ldy] : before[i]));
        }
        const float behind = sum[M * N];
        k->sum(M * N, x, y, sum);
        for (size_t i = 0; i < M * N; i++) {
          assert_true(sum[i] == x[i] + y[i]);
        }
        assert_true(sum[M * N] == behind);
        k->sum(M * N, x, y, y);
        assert_memory_equal(y, sum, M * N * sizeof *y);
        free(y);
        free(sum);
      }
      free(x);
      free(before);
    }
  }
}

static void test_dropout(void **state) {
  (void)state;
  for (size_t a = 0; a < sizeof ROWS / sizeof ROWS[0]; a++) {
    for (size_t b = 0; b < sizeof COLUMNS / sizeof COLUMNS[0]; b++) {
      struct job j;
      job_make(&j, ROWS[a], COLUMNS[b], 0.1f, 1, 0);
      job_output(&j, 0, j.T * j.H);
      job_check_bits(&j, run_dropout);
      for (int s = 0; s < CHECK_SETS; s++) {
        const struct ad_kernels *k = check_set(s);
        if (k == NULL) {
          continue;
        }
        job_reset(&j);
        run_dropout(k, &j, 0, j.T);
        for (size_t i = 0; i < j.T * j.H; i++) {
          const double f = naive_factor(&j.dropout, j.examples[i / j.H], j.positions[i / j.H], i % j.H);
          assert_true(j.out[0][i] == j.in[0][i] * (float)f);
        }
      }
      job_free(&j);
    }
  }
}

/* A NaN goes through every activation and stays where it is. */
static void test_nan(void **state) {
  (void)state;
  enum { H = 37, AT = 35 };
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    for (int kind = 0; k != NULL && kind < 4; kind++) {
      struct job j;
      job_make(&j, 1, H, 0.0f, 2, 1);
      j.variant = kind;
      for (int i = 0; i < 4; i++) {
        job_output(&j, i, H);
      }
      job_reset(&j);
      j.in[0][AT] = NAN;
      (kind < 3 ? run_activation : run_tanh)(k, &j, 0, 1);
      for (size_t n = 0; n < H; n++) {
        assert_int_equal(isnan(j.out[kind < 3 ? 1 : 0][n]) != 0, n == AT);
      }
      job_free(&j);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_activation), cmocka_unit_test(test_tanh),      cmocka_unit_test(test_activation_range),
      cmocka_unit_test(test_embed),      cmocka_unit_test(test_dropout),   cmocka_unit_test(test_bias_and_sums),
      cmocka_unit_test(test_nan),        cmocka_unit_test(test_transpose), cmocka_unit_test(test_copy_and_sum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
