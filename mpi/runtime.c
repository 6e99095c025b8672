#include "autodidact/mpi/runtime.h"

#include <mpi.h>
#include <stdlib.h>

#include "autodidact/base/status.h"

int ad_mpi_start(int *argc, char ***argv, int *rank, int *size) {
  if (MPI_Init(argc, argv) != MPI_SUCCESS) {
    return ad_fail(AD_EINTERNAL, "MPI could not be started");
  }
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  MPI_Comm_size(MPI_COMM_WORLD, size);
  return AD_OK;
}

const char *ad_mpi_version(void) {
  static char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version(text, &length);
  return text;
}

void ad_mpi_finish(void) { MPI_Finalize(); }

_Noreturn void ad_mpi_abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  _Exit(exit_code);
}
