#include "autodidact/run/program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/float_state.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/context.h"
#include "autodidact/mpi/runtime.h"

/* Which rank this is; -1: MPI was not started. */
static int own_rank = -1;

int ad_program_is_first(void) {
  const char *rank = ad_mpi_launched_rank();
  return rank == NULL || strcmp(rank, "0") == 0;
}

int ad_program_prepare(void) {
  /* A file larger than `ulimit -f` allows is then a write that fails, and is told as one. */
  signal(SIGXFSZ, SIG_IGN);
  AD_TRY(ad_float_start());
  /* MPI and OpenBLAS crash or wait for ever where they may map too little. */
  return ad_memory_mappable((size_t)160 << 20);
}

/* Standard output and messages are the first rank's; errors are told by the rank that ad_program_end chooses. */
static int speak_alone(int rank) {
  if (rank == 0) {
    return AD_OK;
  }
  ad_log_mute(1);
  return freopen("/dev/null", "w", stdout) == NULL ? ad_fail(AD_EIO, "/dev/null: could not be opened") : AD_OK;
}

static int make_math(struct ad_math **math) {
  AD_TRY(ad_mpi_reserve());
  AD_TRY(ad_float_start());
  AD_TRY(ad_math_create(math));
  return ad_arithmetic_check(*math);
}

int ad_program_start(int *argc, char ***argv, struct ad_math **math) {
  int size;
  *math = NULL;
  AD_TRY(ad_program_prepare());
  AD_TRY(ad_mpi_start(argc, argv, &own_rank, &size));
  AD_TRY(speak_alone(own_rank));
  return make_math(math);
}

int ad_program_join(struct ad_math **math) {
  *math = NULL;
  own_rank = ad_mpi_joined();
  if (own_rank < 0) {
    return ad_fail(AD_EINTERNAL, "no communicator was handed over, expected ad_mpi_start_on before");
  }
  ad_log_mute(own_rank != 0);
  AD_TRY(ad_program_prepare());
  return make_math(math);
}

static int flush_output(void) {
  return fflush(stdout) != 0 || ferror(stdout) ? ad_fail(AD_EIO, "standard output could not be written") : AD_OK;
}

int ad_program_report(int status) {
  status = status == AD_OK ? flush_output() : status;
  if (status != AD_OK) {
    const char *message = ad_error_message();
    ad_log(AD_LOG_ERROR, "%s", message[0] != '\0' ? message : ad_status_text(status));
  }
  return ad_status_exit_code(status);
}

int ad_program_end(int status, struct ad_math *math) {
  int alone = 0;
  if (own_rank < 0) {
    return ad_program_report(status);
  }
  status = status == AD_OK ? flush_output() : status;
  const int speaker = ad_mpi_end(status, &alone);
  const int exit_code = speaker == own_rank || speaker < 0 ? ad_program_report(status) : ad_status_exit_code(status);
  if (alone) {
    ad_mpi_abort(exit_code);
  }
  ad_mpi_finish();
  own_rank = -1;
  ad_log_mute(0);
  ad_math_destroy(math);
  return exit_code;
}
