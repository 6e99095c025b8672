#include "autodidact/mpi/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "autodidact/mpi/caller.h"
#include "comm_internal.h"

/* Where MPI keeps what the ranks of a node share. */
#define SHARED_FOLDER "/dev/shm"

static struct {
  MPI_Comm ranks, end; /* end: of ad_mpi_end alone, so that its message meets no other */
  int joined, ours;    /* the caller's communicator; MPI was started here */
} mpi;

static const double PATIENCE = 3.0;     /* seconds a failed rank waits for the others */
static const double LONGEST_NAP = 0.05; /* of these, that count at once */

const char *ad_mpi_launched_rank(void) {
  static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  const char *rank = NULL;
  for (size_t i = 0; rank == NULL && i < sizeof names / sizeof *names; i++) {
    rank = getenv(names[i]);
  }
  return rank;
}

/* A process that no launcher started is a world of its own: it needs neither Open MPI's daemon nor its folders in /tmp,
 * which take time and which many runs started at once would race for. What the user has set stays. */
static void settle_alone(void) {
  if (ad_mpi_launched_rank() != NULL) {
    return;
  }
  ad_ignore(setenv("OMPI_MCA_ess_singleton_isolated", "1", 0));
  ad_ignore(setenv("OMPI_MCA_orte_create_session_dirs", "0", 0));
}

/* Open MPI's own shared memory lies in files in /dev/shm. Where that is as small as containers have it, System V's
 * memory takes their place, which lies elsewhere (Open MPI goes on with files where there is none of that, and what the
 * user has set stays). By the folder's size, not by what is free: all ranks of a node must decide alike. */
static void settle_small_folder(void) {
  enum { SMALL = 1 << 30 };
  struct statvfs folder;
  if (statvfs(SHARED_FOLDER, &folder) == 0 && (double)folder.f_blocks * (double)folder.f_frsize < SMALL) {
    ad_ignore(setenv("OMPI_MCA_shmem_sysv_priority", "100", 0));
  }
}

int ad_mpi_start(int *argc, char ***argv, int *rank, int *size) {
  settle_alone();
  settle_small_folder();
  int provided;
  /* Threads that never call MPI may be beside the one that does. */
  if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
    return ad_fail(AD_EINTERNAL, "MPI could not be started");
  }
  mpi.ours = 1;
  MPI_Comm_dup(MPI_COMM_WORLD, &mpi.end);
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  MPI_Comm_size(MPI_COMM_WORLD, size);
  return AD_OK;
}

int ad_mpi_start_on(MPI_Comm comm, int *rank, int *size) {
  int started, ended = 0, level = MPI_THREAD_SINGLE;
  MPI_Initialized(&started);
  if (started) {
    MPI_Finalized(&ended);
  }
  if (!started || ended || comm == MPI_COMM_NULL) {
    return ad_fail(AD_EINTERNAL, "a communicator for autodidact: %s",
                   started && !ended ? "MPI_COMM_NULL, expected one with this rank" : "MPI does not run");
  }
  MPI_Query_thread(&level);
  if (level < MPI_THREAD_FUNNELED) {
    return ad_fail(AD_EINTERNAL,
                   "MPI was started for programs without threads, expected MPI_Init_thread with "
                   "MPI_THREAD_FUNNELED");
  }
  if (mpi.joined || mpi.ours) {
    return ad_fail(AD_EINTERNAL, "autodidact was started already, expected ad_mpi_finish before another start");
  }
  mpi.joined = 1;
  MPI_Comm_dup(comm, &mpi.ranks);
  MPI_Comm_dup(comm, &mpi.end);
  MPI_Comm_rank(comm, rank);
  MPI_Comm_size(comm, size);
  return AD_OK;
}

MPI_Comm ad_mpi_ranks(void) {
  return mpi.joined ? mpi.ranks : MPI_COMM_WORLD;
}

int ad_mpi_joined(void) {
  int rank = -1;
  if (mpi.joined) {
    MPI_Comm_rank(mpi.ranks, &rank);
  }
  return rank;
}

static int fail_room(const char *path, double bytes, int error) {
  struct statvfs folder = {0};
  (void)statvfs(SHARED_FOLDER, &folder);
  const double block = (double)folder.f_frsize / 0x1p20;
  return ad_fail(
      AD_ENOMEM,
      "%s: %.0f MiB of MPI's own memory that the ranks of this node share could not be had: %s. " SHARED_FOLDER
      " has %.1f MiB free of %.0f: "
      "make room, or make it larger (docker run --shm-size, mount -o remount,size=)",
      path, bytes / 0x1p20, strerror(error), block * (double)folder.f_bavail, block * (double)folder.f_blocks);
}

/* The room of one file, if it is one in the folder for shared memory. */
static int reserve_file(const char *path) {
  const int fd =
      strncmp(path, SHARED_FOLDER "/", sizeof SHARED_FOLDER) == 0 ? open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK) : -1;
  struct stat file;
  int error = 0;
  if (fd < 0) {
    return AD_OK; /* none of the folder's, or one that has no name any more */
  }
  do {
    error = fstat(fd, &file) == 0 && file.st_size > 0 ? posix_fallocate(fd, 0, file.st_size) : 0;
  } while (error == EINTR);
  ad_ignore(close(fd));
  return error == 0 ? AD_OK : fail_room(path, (double)file.st_size, error);
}

int ad_mpi_reserve(void) {
  char line[PATH_MAX + 100], shared[8];
  int status = AD_OK, at = 0;
  FILE *maps = fopen("/proc/self/maps", "re");
  while (maps != NULL && status == AD_OK && fgets(line, sizeof line, maps) != NULL) {
    /* FROM-TO rw-s OFFSET DEVICE INODE PATH */
    if (sscanf(line, "%*s %7s %*s %*s %*s %n", shared, &at) == 1 && strcmp(shared, "rw-s") == 0) {
      line[strcspn(line, "\n")] = '\0';
      status = reserve_file(line + at);
    }
  }
  if (maps != NULL) {
    ad_ignore(fclose(maps));
  }
  return status;
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

int ad_mpi_end(int status, int *alone) {
  return ad_mpi_end_on(mpi.end, status, alone);
}

void ad_mpi_finish(void) {
  MPI_Comm_free(&mpi.end);
  if (mpi.joined) {
    MPI_Comm_free(&mpi.ranks);
    mpi.joined = 0;
    return;
  }
  mpi.ours = 0;
  MPI_Finalize();
}

_Noreturn void ad_mpi_abort(int exit_code) {
  MPI_Abort(ad_mpi_ranks(), exit_code);
  _Exit(exit_code);
}
