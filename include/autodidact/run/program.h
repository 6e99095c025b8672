/* Start and end of a program whose processes work together, as autodidact's own (examples/ has small ones):
 *
 *   int main(int argc, char **argv) {
 *     struct ad_math *math;
 *     int status = ad_program_start(&argc, &argv, &math);
 *     status = status == AD_OK ? work(math, argc, argv) : status;
 *     return ad_program_end(status, math);
 *   }
 */
#ifndef AUTODIDACT_RUN_PROGRAM_H
#define AUTODIDACT_RUN_PROGRAM_H

#include "autodidact/base/status.h"

struct ad_math; /* math/context.h */

/* What each process needs, with ranks or without: the floating-point state, and room to map what MPI and OpenBLAS map.
 * The former alone is ad_float_start (base/float_state.h). Not collective. AD_EINTERNAL, AD_ENOMEM. */
int ad_program_prepare(void);

/* Starts MPI (also without mpirun: one rank), makes what the program computes with (math/context.h), and checks the
 * arithmetic. Standard output and messages are rank 0's from now on; that of others goes to /dev/null. Errors are
 * reported by ad_program_end, which also releases *math. Collective over the world. AD_EINTERNAL, AD_ECONFIG, AD_EIO,
 * AD_ENOMEM.
 */
int ad_program_start(int *argc, char ***argv, struct ad_math **math);

/* In place of ad_program_start, after ad_mpi_start_on (mpi/caller.h): joins the ranks of the caller's communicator.
 * Standard output stays as it is. Messages are the first rank's; ad_log_to (base/log.h) says where they go. Collective
 * over these ranks; ends with ad_program_end, which leaves MPI running. The same errors. */
int ad_program_join(struct ad_math **math);

/* Prints the message of a failure on the lowest rank that failed, ends MPI, and releases math. Returns the exit code
 * (base/status.h), also where standard output could not be written. Where one rank failed and the others wait for it
 * elsewhere, brings all of them down instead. Every rank comes here once, whatever ad_program_start returned.
 * Collective over the world. */
int ad_program_end(int status, struct ad_math *math);

/* The same for a process alone: message and exit code. Not collective. */
int ad_program_report(int status);

/* 1 for the first process of those that a launcher started, known before MPI is started. Not collective. */
int ad_program_is_first(void);

#endif
