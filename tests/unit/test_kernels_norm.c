/* Layer norm kernels against the naive ones, and their backwards against central differences. */
#include "reference/naive.h"
#include "reference/rows.h"

static const size_t ROWS[] = {0, 1, 5, 49}, COLUMNS[] = {1, 7, 16, 37, 100, 384};
static const float EPS = 1e-5f;

/* Inputs: 0 z, 1 dout; 2 gamma, 3 beta. Outputs: 0 mean, 1 rstd, 2 out, 3 dz, 4 dgamma, 5 dbeta. */
static void run_norm(const struct ad_kernels *k, struct job *j, size_t first, size_t count) {
  const size_t at = first * j->H;
  k->norm(count, j->H, j->in[0] + at, j->in[2], j->in[3], EPS, &j->dropout, j->examples + first, j->positions + first,
          j->out[0] + first, j->out[1] + first, j->out[2] + at);
  k->norm_backward(count, j->H, j->in[1] + at, j->in[0] + at, j->out[0] + first, j->out[1] + first, j->in[2],
                   &j->dropout, j->examples + first, j->positions + first, j->out[3] + at, j->out[4], j->out[5]);
}

/* Inputs: 0 y, 1 residual, 2 dout; 3 bias, 4 gamma, 5 beta. Outputs: 0 z, 1 mean, 2 rstd, 3 out, 4 dz, 5 dy, 6 dgamma
 * and dbeta, 7 dbias. */
static void run_residual(const struct ad_kernels *k, struct job *j, size_t first, size_t count) {
  const size_t at = first * j->H;
  memcpy(j->out[0] + at, j->in[0] + at, count * j->H * sizeof(float));
  k->bias_residual_norm(count, j->H, j->out[0] + at, j->in[3], j->in[1] + at, j->in[4], j->in[5], EPS, &j->dropout,
                        j->examples + first, j->positions + first, j->out[1] + first, j->out[2] + first,
                        j->out[3] + at);
  k->bias_residual_norm_backward(count, j->H, j->in[2] + at, j->out[0] + at, j->out[1] + first, j->out[2] + first,
                                 j->in[4], &j->dropout, j->examples + first, j->positions + first, j->out[4] + at,
                                 j->out[5] + at, j->out[6], j->out[6] + j->H, j->out[7]);
}

/* The naive forward of rows [first, end) in double, weighted by dout: what the central differences differentiate. */
struct reference {
  const struct job *job;
  int residual_form;
  size_t first, end;
  double *x[8]; /* the inputs, widened */
  double *z, *out, *mean, *rstd;
};

static void forward_row(const struct reference *r, size_t t) {
  const struct job *j = r->job;
  const size_t H = j->H;
  if (r->residual_form) {
    naive_bias_residual(H, r->x[0] + t * H, r->x[3], r->x[1] + t * H, &j->dropout, j->examples[t], j->positions[t],
                        r->z + t * H);
    naive_norm(H, r->z + t * H, r->x[4], r->x[5], EPS, NULL, 0, 0, r->mean + t, r->rstd + t, r->out + t * H);
  } else {
    naive_norm(H, r->x[0] + t * H, r->x[2], r->x[3], EPS, &j->dropout, j->examples[t], j->positions[t], r->mean + t,
               r->rstd + t, r->out + t * H);
  }
}

static double loss(void *context) {
  const struct reference *r = context;
  const double *weight = r->x[r->residual_form ? 2 : 1];
  double sum = 0.0;
  for (size_t t = r->first; t < r->end; t++) {
    forward_row(r, t);
    for (size_t n = t * r->job->H; n < (t + 1) * r->job->H; n++) {
      sum += weight[n] * r->out[n];
    }
  }
  return sum;
}

/* Slopes by input i: of rows [T,H] or of a vector [H] (then plus what the output held before). */
static double *slopes(struct reference *r, int i, int vector, const float *before) {
  const size_t H = r->job->H, count = vector ? H : r->job->T * H;
  double *slope = malloc((count + 1) * sizeof *slope);
  for (size_t n = 0; n < count; n++) {
    r->first = vector ? 0 : n / H;
    r->end = vector ? r->job->T : n / H + 1;
    slope[n] = check_slope(loss, r, r->x[i] + n) + (before != NULL ? (double)before[n] : 0.0);
  }
  return slope;
}

static void compare(const struct job *j, int i, size_t from, size_t count, const double *reference, double floor,
                    double tol, const char *set) {
  CHECK_CLOSE(check_error(count, j->out[i] + from, reference, floor), tol, "%s: output %d, T %zu, H %zu, threshold %u",
              set, i, j->T, j->H, j->dropout.threshold);
}

static void check_values(struct job *j, int residual_form, job_run run) {
  struct reference r = {.job = j, .residual_form = residual_form, .end = j->T};
  const size_t H = j->H, TH = j->T * H;
  for (int i = 0; i < (residual_form ? 6 : 4); i++) {
    r.x[i] = check_widen(j->in[i], i < (residual_form ? 3 : 2) ? TH : H);
  }
  r.z = calloc(TH + 1, sizeof *r.z);
  r.out = calloc(TH + 1, sizeof *r.out);
  r.mean = calloc(j->T + 1, sizeof *r.mean);
  r.rstd = calloc(j->T + 1, sizeof *r.rstd);
  (void)loss(&r);
  job_reset(j);
  const int wide = residual_form ? 6 : 4;
  double *dgamma = slopes(&r, residual_form ? 4 : 2, 1, j->out[wide]);
  double *dbeta = slopes(&r, residual_form ? 5 : 3, 1, residual_form ? j->out[6] + H : j->out[5]);
  double *dx = slopes(&r, residual_form ? 1 : 0, 0, NULL), *dy = NULL, *dbias = NULL;
  if (residual_form) {
    dy = slopes(&r, 0, 0, NULL);
    dbias = slopes(&r, 3, 1, j->out[7]);
  }
  r.first = 0;
  r.end = j->T;
  (void)loss(&r);
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k == NULL) {
      continue;
    }
    job_reset(j);
    run(k, j, 0, j->T);
    const int o = residual_form; /* the residual form has z in front */
    if (residual_form) {
      compare(j, 0, 0, TH, r.z, 0.0, 2e-7, k->name);
    }
    compare(j, o, 0, j->T, r.mean, 1.0, 2e-7, k->name);
    compare(j, o + 1, 0, j->T, r.rstd, 0.0, 2e-6, k->name);
    compare(j, o + 2, 0, TH, r.out, 1.0, 1e-6, k->name);
    compare(j, o + 3, 0, TH, dx, 1.0, 3e-6, k->name);
    compare(j, wide, 0, H, dgamma, 1.0, 2e-6, k->name);
    compare(j, residual_form ? 6 : 5, residual_form ? H : 0, H, dbeta, 1.0, 2e-6, k->name);
    if (residual_form) {
      compare(j, 5, 0, TH, dy, 1.0, 3e-6, k->name);
      compare(j, 7, 0, H, dbias, 1.0, 3e-6, k->name);
    }
  }
  free(dgamma);
  free(dbeta);
  free(dx);
  free(dy);
  free(dbias);
  for (int i = 0; i < 8; i++) {
    free(r.x[i]);
  }
  free(r.z);
  free(r.out);
  free(r.mean);
  free(r.rstd);
}

static void make(struct job *j, int residual_form, size_t T, size_t H, float p) {
  job_make(j, T, H, p, residual_form ? 3 : 2, residual_form ? 3 : 2);
  const size_t TH = T * H;
  const size_t plain[6] = {T, T, TH, TH, H, H}, residual[8] = {TH, T, T, TH, TH, TH, 2 * H, H};
  for (int i = 0; i < (residual_form ? 8 : 6); i++) {
    job_output(j, i, residual_form ? residual[i] : plain[i]);
  }
}

static void each_size(int residual_form, job_run run) {
  for (size_t a = 0; a < sizeof ROWS / sizeof ROWS[0]; a++) {
    for (size_t b = 0; b < sizeof COLUMNS / sizeof COLUMNS[0]; b++) {
      for (int p = 0; p < 2; p++) {
        struct job j;
        make(&j, residual_form, ROWS[a], COLUMNS[b], p ? 0.1f : 0.0f);
        job_check_bits(&j, run);
        if (ROWS[a] <= 5 || COLUMNS[b] <= 37) { /* the larger ones add only time to the differences */
          check_values(&j, residual_form, run);
        }
        job_free(&j);
      }
    }
  }
}

static void test_norm(void **state) {
  (void)state;
  each_size(0, run_norm);
}

static void test_bias_residual_norm(void **state) {
  (void)state;
  each_size(1, run_residual);
}

/* out may be z; dz may be dout; dy may be dz without dropout. */
static void test_in_place(void **state) {
  (void)state;
  enum { T = 3, H = 37 };
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k == NULL) {
      continue;
    }
    for (int p = 0; p < 2; p++) {
      struct job j;
      make(&j, 0, T, H, p ? 0.3f : 0.0f);
      job_reset(&j);
      run_norm(k, &j, 0, T);
      float mean[T], rstd[T], dgamma[H], dbeta[H], *z = check_normals(T * H, 0), *dout = check_normals(T * H, 1);
      memset(dgamma, 0, sizeof dgamma);
      memset(dbeta, 0, sizeof dbeta);
      k->norm_backward(T, H, dout, j.in[0], j.out[0], j.out[1], j.in[2], &j.dropout, j.examples, j.positions, dout,
                       dgamma, dbeta);
      assert_memory_equal(dout, j.out[3], T * H * sizeof(float));
      k->norm(T, H, z, j.in[2], j.in[3], EPS, &j.dropout, j.examples, j.positions, mean, rstd, z);
      assert_memory_equal(z, j.out[2], T * H * sizeof(float));
      free(z);
      free(dout);
      job_free(&j);
    }
    struct job j;
    make(&j, 1, T, H, 0.0f);
    job_reset(&j);
    run_residual(k, &j, 0, T);
    float *d = check_normals(T * H, 2), sums[3 * H];
    memset(sums, 0, sizeof sums);
    k->bias_residual_norm_backward(T, H, d, j.out[0], j.out[1], j.out[2], j.in[4], NULL, NULL, NULL, d, d, sums,
                                   sums + H, sums + 2 * H);
    assert_memory_equal(d, j.out[4], T * H * sizeof(float));
    assert_memory_equal(j.out[5], j.out[4], T * H * sizeof(float));
    free(d);
    job_free(&j);
  }
}

/* A large common offset must not eat the variance (two passes), and a NaN stays in its row. */
static void test_offset_and_nan(void **state) {
  (void)state;
  enum { T = 3, H = 100 };
  for (int s = 0; s < CHECK_SETS; s++) {
    const struct ad_kernels *k = check_set(s);
    if (k == NULL) {
      continue;
    }
    struct job j;
    make(&j, 0, T, H, 0.0f);
    for (size_t i = 0; i < T * H; i++) {
      j.in[0][i] += 4096.0f;
    }
    double *z = check_widen(j.in[0], T * H), *gamma = check_widen(j.in[2], H), *beta = check_widen(j.in[3], H),
           out[T * H];
    for (size_t t = 0; t < T; t++) {
      naive_norm(H, z + t * H, gamma, beta, EPS, NULL, 0, 0, NULL, NULL, out + t * H);
    }
    job_reset(&j);
    run_norm(k, &j, 0, T);
    CHECK_CLOSE(check_error(T * H, j.out[2], out, 1.0), 1e-3, "%s: offset", k->name); /* 4096 2^-24 and its like */
    j.in[0][H + 99] = NAN;
    job_reset(&j);
    run_norm(k, &j, 0, T);
    for (size_t i = 0; i < T * H; i++) {
      assert_int_equal(isnan(j.out[2][i]) != 0, i / H == 1);
      assert_int_equal(isnan(j.out[3][i]) != 0, i / H == 1);
    }
    free(z);
    free(gamma);
    free(beta);
    job_free(&j);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_norm),
      cmocka_unit_test(test_bias_residual_norm),
      cmocka_unit_test(test_in_place),
      cmocka_unit_test(test_offset_and_nan),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
