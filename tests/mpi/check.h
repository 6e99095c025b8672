/* Checks for programs of several ranks: a failed one ends all ranks at once, so that none waits for those that left. */
#ifndef AUTODIDACT_TESTS_MPI_CHECK_H
#define AUTODIDACT_TESTS_MPI_CHECK_H

#include <mpi.h>
#include <stdio.h>

#include "autodidact/base/status.h"

static inline void check_failed(const char *file, int line, const char *what) {
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  fprintf(stderr, "%s:%d: rank %d of %d: not true: %s (last message: %s)\n", file, line, rank, size, what,
          ad_error_message());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

#define CHECK(condition)                            \
  do {                                              \
    if (!(condition)) {                             \
      check_failed(__FILE__, __LINE__, #condition); \
    }                                               \
  } while (0)

#endif
