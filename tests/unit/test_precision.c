/* The encoder with bfloat16 operands: against PyTorch that rounds them likewise (tests/parity/bfloat16.py), against its
 * own float32, by every way of products, and what is packed of its parameters. */
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
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"

static const char *const NAMES[] = {"pooler-gelu",    "cls-tanh", "roberta",  "electra-odd",
                                    "distilbert-odd", "mpnet",    "xlnet-odd"};
enum { COUNT = sizeof NAMES / sizeof *NAMES };
static const size_t LANES[] = {1, 3, 8};

/* Norm of the difference over the norm of PyTorch's numbers. A number next to the middle of two bfloat16 numbers may be
 * rounded the other way, which moves it by 2^-8 at most. Some numbers in a thousand are so near. */
static const double LOGITS = 1e-4, PARITY = 2e-3;
/* Against float32: every operand of every product is off by 2^-9 at most, layer upon layer. */
static const double ROUNDING = 3e-2;

static struct ad_math bf16; /* the running group's */

/* What a test computes with: a fixture, its parameters packed, logits and the gradient of the mean cross entropy. */
struct pass {
  struct encoder_fixture f;
  struct ad_weights theta;
  ad_bf16 *packed;
  float *logits, *gradient;
};

static void pass_load(struct pass *p, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "encoder-%s.h5", name);
  fixture_load(&p->f, path);
  const struct ad_params *params = &p->f.params;
  p->packed = ad_malloc(ad_weights_packed(&bf16, params), sizeof *p->packed);
  p->logits = calloc(p->f.dataset.count * params->config.classes, sizeof *p->logits);
  p->gradient = calloc(params->count, sizeof *p->gradient);
  assert_true(p->packed != NULL && p->logits != NULL && p->gradient != NULL);
  p->theta = ad_weights_of(&bf16, p->f.theta, p->packed, 1);
  ad_weights_pack(&p->theta, params, 0, 1);
}

static void pass_unload(struct pass *p) {
  ad_free(p->packed);
  free(p->logits);
  free(p->gradient);
  fixture_unload(&p->f);
}

/* Mean cross entropy's gradient at the logits. */
static void loss_gradient(const struct pass *p, float *d) {
  const size_t B = p->f.dataset.count, C = p->f.params.config.classes;
  for (size_t b = 0; b < B; b++) {
    double sum = 0.0;
    for (size_t c = 0; c < C; c++) {
      sum += exp(p->logits[b * C + c]);
    }
    for (size_t c = 0; c < C; c++) {
      d[b * C + c] = (float)((exp(p->logits[b * C + c]) / sum - (c == p->f.dataset.label[b])) / (double)B);
    }
  }
}

static void differentiate(struct pass *p, const struct ad_math *math, struct ad_replica theta, size_t lanes) {
  const size_t B = p->f.dataset.count, T = p->f.dataset.offset[B];
  struct ad_encoder *encoder;
  uint32_t ids[64];
  for (uint32_t b = 0; b < B; b++) {
    ids[b] = b;
  }
  const struct ad_batch batch = fixture_batch(&p->f, B, ids, lanes);
  float *d = calloc(B * p->f.params.config.classes, sizeof *d);
  assert_int_equal(ad_encoder_create(&encoder, math, &p->f.params, T, B, lanes, 1), AD_OK);
  assert_int_equal(ad_encoder_forward(encoder, theta, &batch, NULL, p->logits), AD_OK);
  loss_gradient(p, d);
  assert_int_equal(ad_encoder_gradient(encoder, theta, &batch, NULL, d, p->gradient), AD_OK);
  ad_encoder_destroy(encoder);
  free(d);
}

/* The largest relative error of a tensor's gradient; which one. */
static double gradient_error(const struct pass *p, const float *expected, const char **worst) {
  double most = 0.0;
  for (size_t i = 0; i < p->f.params.tensor_count; i++) {
    const struct ad_tensor *t = &p->f.params.tensors[i];
    if (fixture_is_unread(t) || fixture_is_key_bias(t)) {
      continue;
    }
    const double error =
        distance(t->count, p->gradient + t->offset, expected + t->offset) / norm(t->count, expected + t->offset);
    if (!(error <= most)) {
      most = error;
      *worst = t->name;
    }
  }
  return most;
}

static void test_parity(void **state) {
  (void)state;
  const hid_t file = fixture_open("bfloat16.h5");
  for (size_t i = 0; i < COUNT; i++) {
    struct pass p;
    char path[64];
    pass_load(&p, NAMES[i]);
    const size_t n = p.f.dataset.count * p.f.params.config.classes;
    float *logits = calloc(n, sizeof *logits), *gradient = calloc(p.f.params.count, sizeof *gradient);
    snprintf(path, sizeof path, "%s/logits", NAMES[i]);
    fixture_read(file, path, H5T_NATIVE_FLOAT, n, logits);
    const hid_t own = p.f.file;
    snprintf(path, sizeof path, "%s/ce/gradient", NAMES[i]);
    p.f.file = file;
    fixture_vector(&p.f, path, gradient);
    p.f.file = own;
    for (size_t k = 0; k < sizeof LANES / sizeof *LANES; k++) {
      const char *worst = "";
      differentiate(&p, &bf16, ad_weights_replica(&p.theta), LANES[k]);
      const double of_logits = distance(n, p.logits, logits) / norm(n, logits);
      const double of_gradient = gradient_error(&p, gradient, &worst);
      if (!(of_logits <= LOGITS && of_gradient <= PARITY)) {
        fail_msg("%s, %zu lanes: logits differ by %.3g, the gradient of %s by %.3g", NAMES[i], LANES[k], of_logits,
                 worst, of_gradient);
      }
    }
    free(logits);
    free(gradient);
    pass_unload(&p);
  }
  fixture_close(file);
}

/* Near float32, and not equal to it. */
static void test_float32(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT; i++) {
    struct pass p;
    const char *worst = "";
    pass_load(&p, NAMES[i]);
    differentiate(&p, test_math, ad_replica_float32(p.f.theta), 3);
    float *expected = p.gradient;
    p.gradient = calloc(p.f.params.count, sizeof *p.gradient);
    differentiate(&p, &bf16, ad_weights_replica(&p.theta), 3);
    const double error = gradient_error(&p, expected, &worst);
    if (!(error <= ROUNDING) || error < PARITY) {
      fail_msg("%s: the gradient of %s differs from float32's by %.3g", NAMES[i], worst, error);
    }
    free(expected);
    pass_unload(&p);
  }
}

/* Every way that this CPU has gives the same bits. */
static void test_ways(void **state) {
  (void)state;
  static const char *const ways[] = {"fma", "avx512_bf16", "amx"};
  struct pass p;
  pass_load(&p, "electra-odd");
  differentiate(&p, &bf16, ad_weights_replica(&p.theta), 3);
  float *expected = p.gradient;
  p.gradient = calloc(p.f.params.count, sizeof *p.gradient);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    struct ad_math named = *test_math, way;
    named.way = ways[i];
    if (ad_math_bfloat16(&way, &named) == AD_OK) {
      assert_string_equal(ad_bf16_name(way.bf16), ways[i]);
      for (int common = 0; common < 2; common++) { /* forms of packed weights */
        p.theta.products = way.bf16;
        ad_weights_pack(&p.theta, &p.f.params, 0, 1);
        differentiate(&p, &way, ad_weights_replica(&p.theta), 3);
        assert_memory_equal(p.gradient, expected, p.f.params.count * sizeof *expected);
        ad_bf16_common_panels(way.bf16);
      }
    } else {
      assert_true(i > 0);
      printf("way %s: not of this CPU\n", ways[i]);
    }
    ad_math_bfloat16_destroy(&way);
  }
  free(expected);
  pass_unload(&p);
}

/* The shares of several ranks make the whole; a vector that frozen layers are not read from has less packed. */
static void test_packed(void **state) {
  (void)state;
  enum { RANKS = 3 };
  struct pass p;
  pass_load(&p, "pooler-gelu");
  const size_t n = ad_weights_packed(&bf16, &p.f.params);
  assert_int_equal(ad_weights_packed(test_math, &p.f.params), 0);
  ad_bf16 *shared = ad_malloc(n, sizeof *shared);
  memset(p.packed, 0xff, n * sizeof *p.packed);
  memset(shared, 0xff, n * sizeof *shared);
  ad_weights_pack(&p.theta, &p.f.params, 0, 1);
  struct ad_weights other = ad_weights_of(&bf16, p.f.theta, shared, 1);
  for (uint32_t r = 0; r < RANKS; r++) {
    ad_weights_pack(&other, &p.f.params, r, RANKS);
  }
  assert_memory_equal(shared, p.packed, n * sizeof *shared);
  for (size_t i = 0; i < n; i++) {
    assert_int_not_equal(shared[i], 0xffff); /* all of it is written */
  }
  assert_int_equal(ad_params_freeze_named(&p.f.params, "1"), AD_OK);
  other = ad_weights_of(&bf16, p.f.theta, shared, 0);
  memset(shared, 0xff, n * sizeof *shared);
  ad_weights_pack(&other, &p.f.params, 0, 1);
  const size_t first = p.f.params.linears[ad_params_first_linear(&p.f.params)].packed;
  assert_true(first > 0);
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(shared[i], i < first ? 0xffff : p.packed[i]);
  }
  ad_free(shared);
  pass_unload(&p);
}

static void test_refused(void **state) {
  (void)state;
  struct pass p;
  struct ad_encoder *encoder;
  struct ad_math named = *test_math, way;
  float logits[64];
  const uint32_t ids[] = {0};
  named.way = "vdp";
  assert_int_equal(ad_math_bfloat16(&way, &named), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "vdp"));
  ad_math_bfloat16_destroy(&way);
  named.way = NULL;
  for (unsigned long n = 1, failed = 1; failed; n++) {
    ad_memory_fail_at(n);
    const int status = ad_math_bfloat16(&way, &named);
    ad_memory_fail_at(0);
    failed = status != AD_OK;
    assert_true(failed ? status == AD_ENOMEM && way.bf16 == NULL : n > 3);
    ad_math_bfloat16_destroy(&way);
  }
  pass_load(&p, "pooler-gelu");
  const struct ad_batch batch = fixture_batch(&p.f, 1, ids, 1);
  assert_int_equal(ad_encoder_create(&encoder, &bf16, &p.f.params, 64, 1, 1, 0), AD_OK);
  assert_int_equal(ad_encoder_forward(encoder, ad_replica_float32(p.f.theta), &batch, NULL, logits), AD_EINTERNAL);
  ad_encoder_destroy(encoder);
  assert_int_equal(ad_encoder_create(&encoder, test_math, &p.f.params, 64, 1, 1, 0), AD_OK);
  assert_int_equal(ad_encoder_forward(encoder, ad_weights_replica(&p.theta), &batch, NULL, logits), AD_EINTERNAL);
  ad_encoder_destroy(encoder);
  for (unsigned long n = 1;; n++) {
    ad_memory_fail_at(n);
    const int status = ad_encoder_create(&encoder, &bf16, &p.f.params, 64, 1, 1, 1);
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      assert_true(n > 1);
      break;
    }
    assert_int_equal(status, AD_ENOMEM);
  }
  ad_encoder_destroy(encoder);
  pass_unload(&p);
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_parity), cmocka_unit_test(test_float32),
                                     cmocka_unit_test(test_ways), cmocka_unit_test(test_packed),
                                     cmocka_unit_test(test_refused)};
  const int status = ad_math_bfloat16(&bf16, test_math);
  const int failed = status == AD_OK ? cmocka_run_group_tests_name(kernels, tests, NULL, NULL) : 1;
  ad_math_bfloat16_destroy(&bf16);
  return failed;
}

/* OpenBLAS has products of its own. */
static int refuse_openblas(void) {
  int refused = 0;
  if (test_math_start(NULL, "openblas") == AD_OK) {
    refused = ad_math_bfloat16(&bf16, test_math) == AD_ECONFIG && strstr(ad_error_message(), "openblas") != NULL;
    ad_math_bfloat16_destroy(&bf16);
    test_math_end();
  }
  return refused ? 0 : 1;
}

int main(void) {
  return run_with_kernel_sets(run) + refuse_openblas();
}
