/* The product of the generic kernels with two accumulators, as a compiler or a reviewer might take to be as good:
 * planted.sh shows that the golden trainings find it. Short sums keep their bits, or the check at the start would find
 * it first. */
#include <math.h>

#include "vector/set.h"

void AD_KERNEL(product)(size_t M, size_t N, size_t K, const float *A, size_t row, size_t column, const float *B,
                        size_t ldb, float *C, size_t ldc, int accumulate) {
  enum { LONG = 100 };
  for (size_t i = 0; i < M; i++) {
    for (size_t n = 0; n < N; n++) {
      float sum[2] = {accumulate ? C[i * ldc + n] : 0.0f, 0.0f};
      for (size_t k = 0; k < K; k++) {
        float *s = &sum[K > LONG ? k % 2 : 0];
        *s = fmaf(A[i * row + k * column], B[k * ldb + n], *s);
      }
      C[i * ldc + n] = sum[0] + sum[1];
    }
  }
}
