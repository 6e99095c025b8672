/* autodidact doctor: is this machine fit, and how fast is it? */
#include <errno.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "arguments.h"
#include "autodidact/base/build.h"
#include "autodidact/base/float_state.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/mpi/runtime.h"
#include "autodidact/run/doctor.h"
#include "autodidact/run/session.h"
#include "autodidact/store/hdf5.h"
#include "commands.h"

#ifdef H5_HAVE_PARALLEL
static const char *const hdf5_kind = "parallel";
#else
static const char *const hdf5_kind = "not parallel";
#endif

static void line(const char *name, const char *value) {
  printf("%-18s %s\n", name, value);
}

/* What the row self-check finds. */
static int check_rows(const struct ad_math *math) {
  const int alignment = ad_doctor_rows(math);
  AD_TRY(alignment);
  if (alignment == 1) {
    line("row check", "rows of a product do not depend on other rows");
  } else {
    printf("%-18s rows depend on their number modulo %d: each lane starts at a multiple of it, at some cost in speed\n",
           "row check", alignment);
  }
  return AD_OK;
}

/* The way of products with bfloat16 operands. */
static int tell_bfloat16(const struct ad_math *math) {
  struct ad_math bfloat16;
  const int status = ad_math_bfloat16(&bfloat16, math);
  if (status == AD_OK || status == AD_ECONFIG) {
    line("bfloat16 products", status == AD_OK ? ad_bf16_name(bfloat16.bf16) : ad_error_message());
  }
  ad_math_bfloat16_destroy(&bfloat16);
  return status == AD_ECONFIG ? AD_OK : status;
}

static int check_disk(void) {
  struct statvfs disk;
  if (statvfs(".", &disk) != 0) {
    return ad_fail(AD_EIO, "the current folder's file system could not be read");
  }
  printf("%-18s %.1f GB free in the current folder\n", "disk", 1e-9 * (double)disk.f_bavail * (double)disk.f_frsize);
  if (access(".", W_OK) != 0) {
    line("disk", "the current folder cannot be written");
  }
  return AD_OK;
}

/* What the ranks of a machine share of a base encoder: the parameters, and of each rank two buckets of an encoder
 * layer. */
static double shared_gigabytes(long ranks) {
  static const double parameters = 110e6, layer = 7.1e6;
  return 1e-9 * sizeof(float) * (parameters + 2.0 * layer * (double)ranks);
}

static void check_shared_memory(void) {
  struct statvfs folder;
  const long ranks = sysconf(_SC_NPROCESSORS_ONLN);
  const int fd = memfd_create("autodidact", MFD_CLOEXEC);
  char room[80] = "is not there";
  if (statvfs("/dev/shm", &folder) == 0) {
    const double block = 1e-9 * (double)folder.f_frsize;
    snprintf(room, sizeof room, "%.2f GB free of %.2f GB", block * (double)folder.f_bavail,
             block * (double)folder.f_blocks);
  }
  printf("%-18s %s; a base encoder on %ld rank%s shares %.2f GB%s\n", "/dev/shm", room, ranks, ranks == 1 ? "" : "s",
         shared_gigabytes(ranks),
         fd >= 0 ? ", which does not lie there" : ", which is not possible here: comm.shared=false");
  if (fd >= 0) {
    ad_ignore(close(fd));
  }
}

/* Where Open MPI's mpirun keeps the files of a job. */
static void check_temporary_folder(void) {
  static const char *const names[] = {"TMPDIR", "TEMP", "TMP"};
  const char *folder = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && folder == NULL; i++) {
    folder = getenv(names[i]);
  }
  folder = folder == NULL ? "/tmp" : folder;
  struct statvfs disk;
  if (statvfs(folder, &disk) != 0 || access(folder, W_OK) != 0) {
    printf("%-18s %s: %s; mpirun needs it: set TMPDIR\n", "temporary files", ad_shown(folder), strerror(errno));
  } else {
    printf("%-18s %.1f GB free in %s; mpirun needs 0.02\n", "temporary files",
           1e-9 * (double)disk.f_bavail * (double)disk.f_frsize, ad_shown(folder));
  }
}

int ad_command_doctor(const struct ad_math *math, int argc, char **argv) {
  size_t count;
  int help;
  const struct arguments arguments = {"doctor",
                                      "",
                                      "Checks MPI, HDF5, BLAS kernels, threads, row independence, disk and shared "
                                      "memory, and prints the speed of sgemm.",
                                      NULL,
                                      0,
                                      0,
                                      0};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  double openblas = 0.0, in_use = 0.0;
  printf("%-18s %s (%s), %s\n", "program", ad_build_version(), ad_build_commit(), ad_build_compiler());
  line("mpi", ad_mpi_version());
  printf("%-18s %s, %s\n", "hdf5", ad_hdf5_version(), hdf5_kind);
  line("arithmetic", ad_arithmetic(math));
  line("floating point", ad_float_state());
  line("matrix products", ad_gemm_core(math->gemm));
  AD_TRY(tell_bfloat16(math));
  line("vector kernels", math->kernels->name);
  line("datasets", ad_shown(ad_session_datasets()));
  printf("%-18s %ld processors online, one thread a rank\n", "threads", sysconf(_SC_NPROCESSORS_ONLN));
  AD_TRY(check_rows(math));
  AD_TRY(check_disk());
  check_shared_memory();
  check_temporary_folder();
  AD_TRY(ad_doctor_rates(math, &in_use, &openblas));
  printf("%-18s %.1f GF/s on one core; OpenBLAS (%s): %.1f (%d x %d x %d, medians of %d)\n", "sgemm", in_use,
         ad_gemm_openblas_core(), openblas, AD_DOCTOR_SQUARE, AD_DOCTOR_SQUARE, AD_DOCTOR_SQUARE, AD_DOCTOR_REPEATS);
  return AD_OK;
}
