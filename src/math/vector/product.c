/* The product of all linear layers. */
#include "vector/product.h"

#include "vector/set.h"

void AD_KERNEL(product)(size_t M, size_t N, size_t K, const float *A, size_t row, size_t column, const float *B,
                        size_t ldb, float *C, size_t ldc, int accumulate) {
  product(&(struct product){K, A, row, column, B, ldb, C, ldc, accumulate}, M, N);
}
