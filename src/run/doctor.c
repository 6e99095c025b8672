#include "autodidact/run/doctor.h"

#include <stdlib.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

int ad_doctor_rows(const struct ad_math *math) {
  static const size_t shapes[][2] = {{384, 384}, {1152, 384}, {768, 384},  {1536, 384}, {384, 1536},
                                     {768, 768}, {2304, 768}, {1536, 768}, {3072, 768}, {768, 3072}};
  return ad_gemm_prepare(math->gemm, shapes, sizeof shapes / sizeof *shapes);
}

static int compare_doubles(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* A square product, n = AD_DOCTOR_SQUARE: OpenBLAS's, the yardstick, and the one in use. */
static void square_openblas(const struct ad_math *math, const float *X, const float *W, float *Y) {
  (void)math;
  ad_gemm_openblas_square(AD_DOCTOR_SQUARE, X, W, Y);
}
static void square_in_use(const struct ad_math *math, const float *X, const float *W, float *Y) {
  enum { N = AD_DOCTOR_SQUARE };
  ad_gemm_nt(math->gemm, N, N, N, X, N, W, Y, N);
}

/* Its median rate, in GF/s. */
static int sgemm_rate(void (*product)(const struct ad_math *math, const float *X, const float *W, float *Y),
                      const struct ad_math *math, double *rate) {
  const size_t n = (size_t)AD_DOCTOR_SQUARE * AD_DOCTOR_SQUARE;
  float *memory = ad_malloc(3 * n, sizeof *memory);
  if (memory == NULL) {
    return ad_fail_memory(3 * n * sizeof *memory, "a product");
  }
  for (size_t i = 0; i < 3 * n; i++) {
    memory[i] = (float)(i % 7) - 3.0f;
  }
  double seconds[AD_DOCTOR_REPEATS];
  for (int r = -1; r < AD_DOCTOR_REPEATS; r++) {
    const double start = ad_clock();
    product(math, memory, memory + n, memory + 2 * n);
    if (r >= 0) {
      seconds[r] = ad_clock() - start;
    }
  }
  ad_free(memory);
  qsort(seconds, AD_DOCTOR_REPEATS, sizeof *seconds, compare_doubles);
  *rate = 2e-9 * AD_DOCTOR_SQUARE * (double)n / seconds[AD_DOCTOR_REPEATS / 2];
  return AD_OK;
}

int ad_doctor_rates(const struct ad_math *math, double *in_use, double *openblas) {
  AD_TRY(ad_gemm_openblas_room());
  AD_TRY(sgemm_rate(square_openblas, math, openblas));
  return sgemm_rate(square_in_use, math, in_use);
}
