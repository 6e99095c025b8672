/* Trains on the ranks but the last of a program that runs MPI itself, which has its last rank for other work. What the
 * library has to say goes through a function of the program:
 *
 *   mpirun -n 3 split CONFIG.yaml [key=value ...] */
#include <autodidact/base/log.h>
#include <autodidact/mpi/caller.h>
#include <autodidact/run/program.h>
#include <autodidact/run/training.h>
#include <stdio.h>

static void tell(void *context, enum ad_log_level level, const char *text) {
  if (level <= AD_LOG_WARNING) {
    fprintf(stderr, "%s: %s\n", (const char *)context, text);
  }
}

static int train(const struct ad_math *math, size_t count, char **words) {
  const struct ad_training_frame frame = {.quiet = 1};
  struct ad_training *training;
  int more = 1, status = ad_training_create(&training, math, &frame);
  status = status == AD_OK ? ad_training_configure(training, count, words) : status;
  status = status == AD_OK ? ad_training_open(training) : status;
  while (status == AD_OK && more) {
    status = ad_training_step(training, &more);
  }
  status = status == AD_OK ? ad_training_finish(training) : status;
  const int closed = ad_training_close(training, status != AD_OK);
  return status == AD_OK ? closed : status;
}

/* The exit code on each rank of the part. */
static int train_on(MPI_Comm part, size_t count, char **words) {
  static char name[] = "split";
  struct ad_math *math = NULL;
  int rank, size;
  ad_log_to(tell, name);
  int status = ad_mpi_start_on(part, &rank, &size);
  status = status == AD_OK ? ad_program_join(&math) : status;
  status = status == AD_OK ? train(math, count, words) : status;
  return ad_program_end(status, math);
}

int main(int argc, char **argv) {
  int provided, rank, size, code = 0;
  MPI_Comm part;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const int trains = size == 1 || rank < size - 1;
  MPI_Comm_split(MPI_COMM_WORLD, trains ? 0 : MPI_UNDEFINED, rank, &part);
  if (argc < 2) {
    fprintf(stderr, "usage: mpirun -n 3 split CONFIG.yaml [key=value ...]\n");
    code = 1;
  } else if (trains) {
    code = train_on(part, (size_t)argc - 1, argv + 1);
  } else {
    printf("rank %d of %d has other work\n", rank, size);
  }
  MPI_Allreduce(MPI_IN_PLACE, &code, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  if (part != MPI_COMM_NULL) {
    MPI_Comm_free(&part);
  }
  MPI_Finalize();
  return code;
}
