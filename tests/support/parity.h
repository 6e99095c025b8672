/* Comparison with an HDF5 file of expected numbers: the errors, arrays of a group of the file, an encoder's gradient
 * and the tensors after a training.
 *
 * Letters as in encoder_fixture.h. */
#ifndef AUTODIDACT_TESTS_SUPPORT_PARITY_H
#define AUTODIDACT_TESTS_SUPPORT_PARITY_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"

/* Errors above their tolerance. A test sets it to 0 first and asserts in the end that it is 0. */
static int failures;

/* Counts and prints an error that is above its tolerance or NaN. name and what begin the message. */
static inline void expect(double error, double tolerance, const char *name, const char *what) {
  if (!(error <= tolerance)) {
    print_error("%s: %s differs by %.3g, allowed %.3g\n", name, what, error, tolerance);
    failures++;
  }
}

static inline double relative(double got, double expected) {
  return fabs(got - expected) / fabs(expected);
}

/* The array GROUP/KEY of the file and its *count elements. The caller frees it. */
static inline void *read_array(hid_t file, const char *group, const char *key, hid_t type, size_t *count) {
  char path[96];
  snprintf(path, sizeof path, "%s/%s", group, key);
  return fixture_read_new(file, path, type, count);
}

static inline double read_number(hid_t file, const char *group, const char *key) {
  char path[96];
  snprintf(path, sizeof path, "%s/%s", group, key);
  return fixture_scalar(file, path);
}

/* An encoder and a batch of a fixture's examples. */
struct encoder_pass {
  struct encoder_fixture *fixture;
  struct ad_encoder *encoder;
  struct ad_batch batch;
};

/* Of all N examples in so many lanes. logits [N,C] receives what the encoder gives. The caller ends the pass. */
static inline struct encoder_pass encoder_pass_start(struct encoder_fixture *f, size_t lanes, float *logits) {
  const size_t N = f->dataset.count;
  struct encoder_pass pass = {.fixture = f};
  uint32_t *ids = calloc(N, sizeof *ids);
  assert_non_null(ids);
  for (uint32_t n = 0; n < N; n++) {
    ids[n] = n;
  }
  pass.batch = fixture_batch(f, N, ids, lanes);
  free(ids);
  assert_int_equal(ad_encoder_create(&pass.encoder, test_math, &f->params, f->dataset.offset[N], N, lanes, 1), AD_OK);
  assert_int_equal(ad_encoder_forward(pass.encoder, ad_replica_float32(f->theta), &pass.batch, NULL, logits), AD_OK);
  return pass;
}

static inline void encoder_pass_end(struct encoder_pass *pass) {
  ad_encoder_destroy(pass->encoder);
}

/* The gradient of sum(logits dlogits) after a forward, tensor by tensor, against GROUP/gradient/TENSOR of the file. */
static inline void expect_gradient(const struct encoder_pass *pass, const float *dlogits, hid_t file, const char *name,
                                   const char *group, double tolerance) {
  const struct encoder_fixture *f = pass->fixture;
  const struct ad_replica theta = ad_replica_float32(f->theta);
  const size_t P = f->params.count;
  float *expected = calloc(P, sizeof *expected), *got = malloc(P * sizeof *got);
  char path[64], what[192];
  assert_true(expected != NULL && got != NULL);
  snprintf(path, sizeof path, "%s/gradient", group);
  const struct encoder_fixture other = {.file = file, .params = f->params};
  fixture_vector(&other, path, expected);
  memset(got, 0xff, P * sizeof *got); /* NaN: what is not written shows */
  assert_int_equal(ad_encoder_gradient(pass->encoder, theta, &pass->batch, NULL, dlogits, got), AD_OK);
  for (size_t i = 0; i < f->params.tensor_count; i++) {
    const struct ad_tensor *tensor = &f->params.tensors[i];
    const double scale = fixture_gradient_scale(f, tensor, expected);
    assert_true(scale > 0.0);
    snprintf(what, sizeof what, "%s of %s", path, tensor->name);
    expect(distance(tensor->count, got + tensor->offset, expected + tensor->offset) / scale, tolerance, name, what);
  }
  free(expected);
  free(got);
}

/* Whether the files tell where a training took a tensor: vectors and the classifier, but not a bias of keys, whose
 * gradient is rounding alone. */
static inline int is_followed(const struct ad_tensor *tensor) {
  return (tensor->vector || strcmp(tensor->name, "classifier.weight") == 0) && !fixture_is_key_bias(tensor);
}

/* Tensors of theta [P] after the last step, against trajectory/final/TENSOR of the file. Errors are relative to how far
 * a tensor moved from start [P]. */
static inline void expect_final(const struct ad_params *params, hid_t file, const char *name, const float *start,
                                const float *theta, double tolerance) {
  int compared = 0;
  for (size_t i = 0; i < params->tensor_count; i++) {
    const struct ad_tensor *tensor = &params->tensors[i];
    char path[160];
    if (!is_followed(tensor)) {
      continue;
    }
    snprintf(path, sizeof path, "trajectory/final/%s", tensor->name);
    float *expected = calloc(tensor->count, sizeof *expected);
    fixture_read(file, path, H5T_NATIVE_FLOAT, tensor->count, expected);
    const double moved = distance(tensor->count, expected, start + tensor->offset);
    expect(distance(tensor->count, expected, theta + tensor->offset) / moved, tolerance, name, path);
    compared++;
    free(expected);
  }
  assert_true(compared > 0);
}

#endif
