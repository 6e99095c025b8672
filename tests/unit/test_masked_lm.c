/* Masked-language heads against transformers (tests/parity/masked_lm.py): logits and every gradient, with float32 and
 * with bfloat16 operands; and the same bits whichever ranks compute the lanes, with every set of kernels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/shard.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"

static const char *const NAMES[] = {"bert", "bert-odd", "roberta", "roberta-odd", "distilbert", "mpnet", "electra"};
enum { COUNT = sizeof NAMES / sizeof *NAMES, MOST_READ = 64, PARTED = 8 };
static const size_t LANES[] = {1, 3, PARTED};

/* Norm of the difference over the norm of PyTorch's numbers. With bfloat16 as in test_precision.c. */
static const double LOGITS[] = {2e-5, 1e-4}, GRADIENT[] = {1e-4, 2e-3};

struct masked {
  struct encoder_fixture f;
  size_t M, V;
  uint32_t *read, *word; /* [M] */
  float *logits;         /* [M,V] */
  struct ad_weights theta;
  ad_bf16 *packed;
};

/* A batch of some lanes, and what points into it. */
struct lanes {
  struct ad_batch batch;
  struct ad_reads reads;
  uint32_t row[MOST_READ];
  size_t lane[MOST_LANES + 1];
  size_t first; /* number of its first read row among all */
};

static void load(struct masked *m, const char *name, const struct ad_math *math) {
  char path[64];
  size_t count;
  snprintf(path, sizeof path, "masked-%s.h5", name);
  *m = (struct masked){.f = {.file = fixture_open(path)}};
  struct encoder_fixture *f = &m->f;
  const struct ad_model_config config = fixture_config(f->file);
  assert_true(config.masked_lm && config.classes == 0);
  assert_int_equal(ad_params_create(&f->params, &config), AD_OK);
  fixture_examples(f);
  m->V = config.vocab;
  m->read = fixture_read_new(f->file, "read", H5T_NATIVE_UINT32, &m->M);
  m->word = fixture_read_new(f->file, "word", H5T_NATIVE_UINT32, &count);
  assert_true(count == m->M && m->M <= MOST_READ);
  m->logits = calloc(m->M * m->V, sizeof *m->logits);
  f->theta = calloc(f->params.count, sizeof *f->theta);
  fixture_vector(f, "weights", f->theta);
  m->packed = ad_malloc(ad_weights_packed(math, &f->params) + 1, sizeof *m->packed);
  m->theta = ad_weights_of(math, f->theta, m->packed, 1);
  ad_weights_pack(&m->theta, &f->params, 0, 1);
  assert_int_equal(ad_packer_create(&f->packer, &f->params.form, f->dataset.offset[f->dataset.count], f->dataset.count,
                                    MOST_LANES, 1),
                   AD_OK);
}

static void unload(struct masked *m) {
  free(m->read);
  free(m->word);
  free(m->logits);
  ad_free(m->packed);
  fixture_unload(&m->f);
}

/* The lanes [lo, hi) of W, to which the examples are dealt in equal runs. */
static void pack(struct masked *m, size_t W, size_t lo, size_t hi, struct lanes *out) {
  const struct ad_dataset *d = &m->f.dataset;
  size_t begin[MOST_LANES + 1];
  uint32_t ids[64];
  for (size_t w = 0; w <= W; w++) {
    begin[w] = w * d->count / W;
  }
  for (uint32_t b = 0; b < d->count; b++) {
    ids[b] = b;
  }
  assert_int_equal(ad_packer_fill(&m->f.packer, d, ids, hi - lo, begin + lo, NULL, &out->batch), AD_OK);
  const size_t origin = d->offset[begin[lo]];
  size_t i = 0, count = 0;
  for (; i < m->M && m->read[i] < origin; i++) {
  }
  out->first = i;
  for (size_t w = lo; w < hi; w++) {
    out->lane[w - lo] = count;
    for (; i < m->M && m->read[i] < d->offset[begin[w + 1]]; i++) {
      out->row[count++] = (uint32_t)(m->read[i] - origin);
    }
  }
  out->lane[hi - lo] = count;
  out->reads = (struct ad_reads){count, out->row, out->lane};
  out->batch.reads = &out->reads;
}

/* Mean cross entropy's gradient at the logits of the read rows from number `first` on, and the loss. */
static double loss_gradient(const struct masked *m, size_t first, size_t count, float *d) {
  double loss = 0.0;
  for (size_t i = first; i < first + count; i++) {
    const float *row = m->logits + i * m->V;
    double sum = 0.0;
    for (size_t v = 0; v < m->V; v++) {
      sum += exp(row[v]);
    }
    loss += log(sum) - row[m->word[i]];
    for (size_t v = 0; v < m->V; v++) {
      d[(i - first) * m->V + v] = (float)((exp(row[v]) / sum - (v == m->word[i])) / (double)m->M);
    }
  }
  return loss / (double)m->M;
}

static struct ad_encoder *create(const struct masked *m, const struct ad_math *math, int training) {
  struct ad_encoder *encoder;
  const struct ad_dataset *d = &m->f.dataset;
  assert_int_equal(ad_encoder_create(&encoder, math, &m->f.params, d->offset[d->count], m->M, MOST_LANES, training),
                   AD_OK);
  return encoder;
}

/* The logits, and the gradient [P] of the loss, which is returned. */
static double differentiate(struct masked *m, const struct ad_math *math, size_t lanes, float *gradient) {
  struct lanes all;
  struct ad_encoder *encoder = create(m, math, 1);
  float *d = calloc(m->M * m->V, sizeof *d);
  pack(m, lanes, 0, lanes, &all);
  memset(gradient, 0xff, m->f.params.count * sizeof *gradient); /* NaN: what is not written shows */
  assert_int_equal(ad_encoder_forward(encoder, ad_weights_replica(&m->theta), &all.batch, NULL, m->logits), AD_OK);
  const double loss = loss_gradient(m, 0, m->M, d);
  assert_int_equal(ad_encoder_gradient(encoder, ad_weights_replica(&m->theta), &all.batch, NULL, d, gradient), AD_OK);
  ad_encoder_destroy(encoder);
  free(d);
  return loss;
}

static void compare_gradient(const struct masked *m, const char *name, double tolerance, const float *got,
                             const float *expected) {
  for (size_t i = 0; i < m->f.params.tensor_count; i++) {
    const struct ad_tensor *t = &m->f.params.tensors[i];
    const double scale = fixture_gradient_scale(&m->f, t, expected);
    const double error = distance(t->count, got + t->offset, expected + t->offset) / scale;
    if (!(error <= tolerance)) {
      fail_msg("%s: the gradient of %s differs by %.3g, allowed %.3g", name, t->name, error, tolerance);
    }
  }
}

static void check_parity(const char *name, const struct ad_math *math, int rounded) {
  struct masked m;
  load(&m, name, math);
  const size_t n = m.M * m.V, P = m.f.params.count;
  float *logits = calloc(n, sizeof *logits), *expected = calloc(P, sizeof *expected), *got = calloc(P, sizeof *got);
  fixture_read(m.f.file, rounded ? "bfloat16/logits" : "logits", H5T_NATIVE_FLOAT, n, logits);
  fixture_vector(&m.f, rounded ? "bfloat16/gradient" : "gradient", expected);
  for (size_t i = 0; i < sizeof LANES / sizeof *LANES; i++) {
    const double loss = differentiate(&m, math, LANES[i], got);
    const double error = distance(n, m.logits, logits) / norm(n, logits);
    if (!(error <= LOGITS[rounded])) {
      fail_msg("%s: logits differ by %.3g, allowed %.3g", name, error, LOGITS[rounded]);
    }
    assert_true(rounded || fabs(loss / fixture_scalar(m.f.file, "loss") - 1.0) <= LOGITS[0]);
    compare_gradient(&m, name, GRADIENT[rounded], got, expected);
  }
  /* Without memory for a backward: the same bits. */
  struct lanes all;
  struct ad_encoder *encoder = create(&m, math, 0);
  pack(&m, PARTED, 0, PARTED, &all);
  memcpy(logits, m.logits, n * sizeof *logits);
  assert_int_equal(ad_encoder_forward(encoder, ad_weights_replica(&m.theta), &all.batch, NULL, m.logits), AD_OK);
  assert_memory_equal(m.logits, logits, n * sizeof *logits);
  ad_encoder_destroy(encoder);
  free(logits);
  free(expected);
  free(got);
  unload(&m);
}

static void test_parity(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT; i++) {
    check_parity(NAMES[i], test_math, 0);
  }
}

static void test_bfloat16(void **state) {
  (void)state;
  struct ad_math bf16;
  if (strcmp(ad_gemm_core(test_math->gemm), "chain") != 0) {
    return;
  }
  assert_int_equal(ad_math_bfloat16(&bf16, test_math), AD_OK);
  for (size_t i = 0; i < COUNT; i++) {
    check_parity(NAMES[i], &bf16, 1);
  }
  ad_math_bfloat16_destroy(&bf16);
}

/* Frozen embeddings, the last weight among them, and a frozen encoder: the rest of the gradient keeps its bits. */
static void check_frozen(const struct ad_math *math) {
  struct masked m;
  load(&m, "bert", math);
  const size_t P = m.f.params.count, n = m.M * m.V;
  float *whole = calloc(P, sizeof *whole), *part = calloc(P, sizeof *part), *logits = calloc(n, sizeof *logits);
  differentiate(&m, math, PARTED, whole);
  memcpy(logits, m.logits, n * sizeof *logits);
  for (uint32_t layers = 0; layers <= m.f.params.config.layers; layers++) {
    assert_int_equal(ad_params_freeze(&m.f.params, layers), AD_OK);
    const size_t frozen = ad_params_frozen(&m.f.params);
    assert_true(frozen > m.f.params.table.end);
    differentiate(&m, math, PARTED, part);
    assert_memory_equal(m.logits, logits, n * sizeof *logits);
    assert_memory_equal(part + frozen, whole + frozen, (P - frozen) * sizeof *part);
    for (size_t i = 0; i < frozen; i++) {
      assert_true(part[i] == 0.0f);
    }
  }
  free(whole);
  free(part);
  free(logits);
  unload(&m);
}

static void test_frozen(void **state) {
  (void)state;
  struct ad_math bf16;
  check_frozen(test_math);
  if (strcmp(ad_gemm_core(test_math->gemm), "chain") == 0) {
    assert_int_equal(ad_math_bfloat16(&bf16, test_math), AD_OK);
    check_frozen(&bf16);
    ad_math_bfloat16_destroy(&bf16);
  }
}

/* --- Ranks --- */

/* A sink: the parts of each bucket, one behind another. */
struct partials {
  const struct ad_params *params;
  struct ad_span span[2 * PARTED]; /* in lanes of the step */
  float *values[2 * PARTED];       /* [P] */
  size_t count, begun;             /* parts; those of earlier ranks */
};

static float *place(void *context, uint32_t bucket, size_t part) {
  const struct partials *p = context;
  return p->values[p->begun + part] + p->params->bucket_begin[bucket];
}

static int done(void *context, uint32_t bucket) {
  (void)context;
  (void)bucket;
  return AD_OK;
}

/* What a rank with the lanes [lo, hi) of PARTED leaves. */
static void compute_rank(struct masked *m, const struct ad_math *math, const struct ad_rows *rows, size_t lo, size_t hi,
                         struct partials *out) {
  struct lanes own;
  struct ad_span parts[AD_MAX_PARTS];
  struct ad_encoder *encoder = create(m, math, 1);
  float *d = calloc(m->M * m->V, sizeof *d);
  pack(m, PARTED, lo, hi, &own);
  out->begun = out->count;
  const size_t count = ad_tree_parts(PARTED, lo, hi, parts);
  for (size_t i = 0; i < count; i++) {
    out->values[out->count] = calloc(m->f.params.count, sizeof **out->values);
    out->span[out->count++] = parts[i];
    parts[i] = (struct ad_span){parts[i].lo - lo, parts[i].hi - lo};
  }
  const struct ad_gradient_sink sink = {.context = out, .part = parts, .parts = count, .place = place, .done = done};
  const struct ad_replica theta = ad_weights_replica(&m->theta);
  assert_int_equal(ad_encoder_forward(encoder, theta, &own.batch, NULL, m->logits + own.first * m->V), AD_OK);
  loss_gradient(m, own.first, own.reads.count, d);
  assert_int_equal(ad_encoder_backward(encoder, theta, &own.batch, NULL, d, rows, &sink), AD_OK);
  ad_encoder_destroy(encoder);
  free(d);
}

/* The node [lo, hi) of the tree, in the memory of its first part. */
static float *finish(const struct partials *p, const struct ad_kernels *kernels, size_t lo, size_t hi) {
  for (size_t i = 0; i < p->count; i++) {
    if (p->span[i].lo == lo && p->span[i].hi == hi) {
      return p->values[i];
    }
  }
  const size_t middle = ad_tree_split(lo, hi);
  float *left = finish(p, kernels, lo, middle), *right = finish(p, kernels, middle, hi);
  kernels->add(p->params->count, left, right);
  return left;
}

/* PARTED lanes by 1 to 5 ranks: no lane is empty, and some have no read row. */
static void check_ranks(const char *name, const struct ad_math *math, float *gradient) {
  struct masked m;
  struct ad_rows rows;
  load(&m, name, math);
  differentiate(&m, math, PARTED, gradient);
  assert_int_equal(ad_rows_create(&rows, m.V), AD_OK);
  ad_rows_fill(&rows);
  for (size_t ranks = 2; ranks <= 5; ranks++) {
    struct partials p = {.params = &m.f.params};
    for (size_t r = 0; r < ranks; r++) {
      compute_rank(&m, math, &rows, r * PARTED / ranks, (r + 1) * PARTED / ranks, &p);
    }
    const float *whole = finish(&p, math->kernels, 0, PARTED);
    assert_memory_equal(whole, gradient, m.f.params.count * sizeof *whole);
    for (size_t i = 0; i < p.count; i++) {
      free(p.values[i]);
    }
  }
  ad_rows_destroy(&rows);
  unload(&m);
}

/* The gradients of the first set of kernels, which the others must have too. */
static float first_set[2][100000];

static void check_bits(const struct ad_math *math, int rounded) {
  static float gradient[100000];
  static int begun[2];
  check_ranks("bert", math, gradient);
  if (!begun[rounded]) {
    memcpy(first_set[rounded], gradient, sizeof gradient);
  }
  begun[rounded] = 1;
  assert_memory_equal(first_set[rounded], gradient, sizeof gradient);
  for (size_t i = 1; i < COUNT; i++) {
    check_ranks(NAMES[i], math, gradient);
  }
}

static void test_ranks(void **state) {
  (void)state;
  struct ad_math bf16;
  if (strcmp(ad_gemm_core(test_math->gemm), "chain") != 0) {
    return; /* a library's arithmetic is its own, and needs lanes that are aligned */
  }
  check_bits(test_math, 0);
  assert_int_equal(ad_math_bfloat16(&bf16, test_math), AD_OK);
  check_bits(&bf16, 1);
  ad_math_bfloat16_destroy(&bf16);
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_parity), cmocka_unit_test(test_bfloat16),
                                     cmocka_unit_test(test_ranks), cmocka_unit_test(test_frozen)};
  return cmocka_run_group_tests_name(kernels, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
