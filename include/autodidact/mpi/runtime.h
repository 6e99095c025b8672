/* Start and end of MPI, and the only abort of the program. */
#ifndef AUTODIDACT_MPI_RUNTIME_H
#define AUTODIDACT_MPI_RUNTIME_H

/* The rank, as text, that a launcher gave this process in its environment: known before MPI is started. NULL: no
 * launcher started it. Not collective; the environment's storage. */
const char *ad_mpi_launched_rank(void);

/* Starts MPI (also without mpirun: one rank) and reports rank and size. Collective over the world. AD_OK or
 * AD_EINTERNAL.
 */
int ad_mpi_start(int *argc, char ***argv, int *rank, int *size);

/* This rank among those of ad_mpi_start_on (mpi/caller.h); -1: no communicator was handed over. Not collective. */
int ad_mpi_joined(void);

/* Takes the room of what MPI itself has mapped of the folder for shared memory, so that no later store ends in SIGBUS.
 * Not collective. AD_ENOMEM. */
int ad_mpi_reserve(void);

/* The MPI library's version line. Not collective; static storage. */
const char *ad_mpi_version(void);

/* Ends MPI, where ad_mpi_start started it; else gives the caller's communicator back. Collective over the world (the
 * caller's ranks); every rank must come here. */
void ad_mpi_finish(void);

/* How a command ends on all ranks together. Every rank comes here once with its status. Returns the rank that is to
 * report the failure: the lowest that failed, or -1 where none did. When this rank failed and the others do not come
 * within a few seconds, they wait for it elsewhere. It then returns this rank, *alone is 1, and the caller must abort.
 * Collective over the world. */
int ad_mpi_end(int status, int *alone);

/* Prints nothing; brings all ranks down with this exit code. Not collective; does not return. */
_Noreturn void ad_mpi_abort(int exit_code);

#endif
