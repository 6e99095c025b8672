#include "cholesky.h"

#include <math.h>

int ad__cholesky(size_t n, double *a) {
  for (size_t i = 0; i < n; i++) {
    double *row = a + i * n;
    for (size_t j = 0; j <= i; j++) {
      const double *other = a + j * n;
      double rest = row[j];
      for (size_t k = 0; k < j; k++) {
        rest -= row[k] * other[k];
      }
      if (i == j && !(rest > 0.0)) {
        return -1;
      }
      row[j] = i == j ? sqrt(rest) : rest / other[j];
    }
  }
  return 0;
}

/* L becomes its inverse M. Row i of M is -1/L[i,i] times the sum of L[i,k] M[k,:]; what was used of row i of L makes
 * room for the sum. */
static void invert_triangle(size_t n, double *a) {
  for (size_t i = 0; i < n; i++) {
    double *row = a + i * n;
    for (size_t k = 0; k < i; k++) {
      const double *other = a + k * n, l = row[k];
      for (size_t j = 0; j < k; j++) {
        row[j] += l * other[j];
      }
      row[k] = l * other[k];
    }
    for (size_t j = 0; j < i; j++) {
      row[j] /= -row[i];
    }
    row[i] = 1 / row[i];
  }
}

void ad__cholesky_invert(size_t n, double *a) {
  invert_triangle(n, a);
  /* M' M: row i reads the rows below it, which are M's still. */
  for (size_t i = 0; i < n; i++) {
    double *row = a + i * n;
    const double diagonal = row[i];
    for (size_t j = 0; j <= i; j++) {
      row[j] *= diagonal;
    }
    for (size_t k = i + 1; k < n; k++) {
      const double *below = a + k * n;
      for (size_t j = 0; j <= i; j++) {
        row[j] += below[i] * below[j];
      }
    }
    for (size_t j = 0; j < i; j++) {
      a[j * n + i] = row[j];
    }
  }
}

void ad__cholesky_solve(size_t n, const double *a, double *b) {
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < i; k++) {
      b[i] -= a[i * n + k] * b[k];
    }
    b[i] /= a[i * n + i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; k++) {
      b[i] -= a[k * n + i] * b[k];
    }
    b[i] /= a[i * n + i];
  }
}
