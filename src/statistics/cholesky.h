/* Symmetric positive definite systems, row-major, in one order of operations: the same bits on any machine. */
#ifndef AUTODIDACT_SRC_STATISTICS_CHOLESKY_H
#define AUTODIDACT_SRC_STATISTICS_CHOLESKY_H

#include <stddef.h>

/* A = L L' in a [n,n]: its lower triangle becomes L, what is above stays. Not 0: A is not positive definite. */
int ad__cholesky(size_t n, double *a);

/* The inverse of A from L in a [n,n], both triangles. */
void ad__cholesky_invert(size_t n, double *a);

/* x of A x = b from L in a [n,n]; b [n] becomes x. */
void ad__cholesky_solve(size_t n, const double *a, double *b);

#endif
