/* For a program that runs MPI itself and lends some of its ranks. The only public header with mpi.h. */
#ifndef AUTODIDACT_MPI_CALLER_H
#define AUTODIDACT_MPI_CALLER_H

#include <mpi.h>

/* In place of ad_mpi_start: all work is done by the ranks of `comm`, which is duplicated. MPI_COMM_WORLD is not used
 * from here to ad_mpi_finish, and what headers say of the world is then said of these ranks. The caller starts MPI,
 * with MPI_THREAD_FUNNELED at least, and ends it. ad_program_join (run/program.h) goes on from here. Reports rank and
 * size. Collective over comm. AD_EINTERNAL: MPI does not run, has no threads, comm is MPI_COMM_NULL, or the library was
 * started already. */
int ad_mpi_start_on(MPI_Comm comm, int *rank, int *size);

#endif
