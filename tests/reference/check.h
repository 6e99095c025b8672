/* What the kernel tests share: the instruction sets of this CPU, inputs, and errors that a NaN cannot pass. */
#ifndef AD_TESTS_REFERENCE_CHECK_H
#define AD_TESTS_REFERENCE_CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off: cmocka.h wants the headers above before it. */
#include <cmocka.h>
/* clang-format on */

#include "autodidact/base/random.h"
#include "autodidact/math/kernels.h"

enum { CHECK_SETS = 4 };

/* The set number i, best first, or NULL where this CPU or build does not have it. */
static inline const struct ad_kernels *check_set(int i) {
  static const char *const names[CHECK_SETS] = {"v4", "v3", "neon", "generic"};
  return ad_kernels_find(names[i]);
}

/* Standard normals, rounded to float; the stream's number makes arrays differ. Exactly sized, so that the address
 * sanitizer sees a step past the end. The caller frees. */
static inline float *check_normals(size_t n, uint32_t number) {
  float *x = malloc((n > 0 ? n : 1) * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < n; i++) {
    x[i] = (float)ad_random_normal(1, AD_STREAM_TEST, number, i);
  }
  return x;
}

static inline double *check_widen(const float *x, size_t n) {
  double *y = malloc((n > 0 ? n : 1) * sizeof *y);
  assert_non_null(y);
  for (size_t i = 0; i < n; i++) {
    y[i] = x[i];
  }
  return y;
}

/* Largest difference over the largest reference (or over `floor`, if that is larger); NaN if any value is. */
static inline double check_error(size_t n, const float *x, const double *reference, double floor) {
  double worst = 0.0, largest = floor;
  for (size_t i = 0; i < n; i++) {
    const double e = fabs(x[i] - reference[i]);
    if (isnan(e)) {
      return NAN;
    }
    worst = e > worst ? e : worst;
    largest = fabs(reference[i]) > largest ? fabs(reference[i]) : largest;
  }
  return largest > 0.0 ? worst / largest : worst;
}

#define CHECK_CLOSE(err, tol, ...)                                                                 \
  do {                                                                                             \
    const double check_err_ = (err);                                                               \
    if (!(check_err_ <= (tol))) {                                                                  \
      print_error("%s:%d: error %g, allowed %g: ", __FILE__, __LINE__, check_err_, (double)(tol)); \
      print_error(__VA_ARGS__);                                                                    \
      print_error("\n");                                                                           \
      fail();                                                                                      \
    }                                                                                              \
  } while (0)

/* Central difference of loss(context) by *x. In double its error is about 1e-9 of the loss. */
static inline double check_slope(double (*loss)(void *context), void *context, double *x) {
  const double held = *x, step = 1e-5 * (fabs(held) > 1.0 ? fabs(held) : 1.0);
  *x = held + step;
  const double above = loss(context);
  *x = held - step;
  const double below = loss(context);
  *x = held;
  return (above - below) / (2.0 * step);
}

/* Copy of x [n], the caller's. */
static inline float *check_copy(const float *x, size_t n) {
  float *y = malloc((n > 0 ? n : 1) * sizeof *y);
  assert_non_null(y);
  memcpy(y, x, n * sizeof *y);
  return y;
}

#endif
