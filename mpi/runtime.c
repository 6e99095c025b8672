#include "autodidact/mpi/runtime.h"

#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <time.h>

#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "comm_internal.h"

static MPI_Comm end_comm; /* of ad_mpi_end alone, so that its message meets no other */

static const double PATIENCE = 3.0;     /* seconds a failed rank waits for the others */
static const double LONGEST_NAP = 0.05; /* of these, that count at once */

/* A process that no launcher started is a world of its own: it needs neither Open MPI's daemon nor its folders in /tmp, which
 * take time and which many runs started at once would race for. What the user has set stays. */
static void settle_alone(void) {
  static const char *const launched[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (size_t i = 0; i < sizeof launched / sizeof *launched; i++) {
    if (getenv(launched[i]) != NULL) {
      return;
    }
  }
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
}

int ad_mpi_start(int *argc, char ***argv, int *rank, int *size) {
  settle_alone();
  int provided;
  /* Threads that never call MPI may be beside the one that does. */
  if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
    return ad_fail(AD_EINTERNAL, "MPI could not be started");
  }
  MPI_Comm_dup(MPI_COMM_WORLD, &end_comm);
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

int ad_mpi_end_on(MPI_Comm comm, int status, int *alone) {
  int rank, size, lowest, done = 0;
  MPI_Request request;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  /* A rank that only knows that another one failed has no message, and speaks where nobody else does. */
  const int own = status >= 0 ? INT_MAX : ad_error_message()[0] != '\0' ? rank : size + rank;
  double waited = 0.0;
  MPI_Iallreduce(&own, &lowest, 1, MPI_INT, MPI_MIN, comm, &request);
  for (double last = ad_clock(), now; !done && (status >= 0 || waited < PATIENCE); last = now) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    nanosleep(&(struct timespec){.tv_nsec = done ? 0 : 200000}, NULL);
    /* Where all ranks were suspended for a while, that is no sign of a rank that is stuck. */
    now = ad_clock();
    waited += now - last < LONGEST_NAP ? now - last : LONGEST_NAP;
  }
  *alone = !done;
  return !done ? rank : lowest == INT_MAX ? -1 : lowest % size;
}

int ad_mpi_end(int status, int *alone) { return ad_mpi_end_on(end_comm, status, alone); }

void ad_mpi_finish(void) {
  MPI_Comm_free(&end_comm);
  MPI_Finalize();
}

_Noreturn void ad_mpi_abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  _Exit(exit_code);
}
