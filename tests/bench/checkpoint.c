/* Writing and reading a checkpoint against the same bytes by plain write and read with fsync, in turn.
 *
 *   [mpirun -n R] build/release/tests/bench/bench_checkpoint FOLDER [REPETITIONS [WRITER]]
 *
 * MiniLM-L6's parameters, both moments, and a window of four with its sum: 817 MB, every rank its shard (WRITER root: rank
 * 0 for all). Prints bytes/s of both and the medians of the ratios. Plain: rank 0 writes from memory in pieces of 1 MiB,
 * fsyncs, renames; reads. Both read from the page
 * cache into memory that nobody has touched yet, as a run that goes on does. */
#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/mpi/checkpoint.h"
#include "autodidact/mpi/comm.h"

enum { MOST = 100, VECTORS = 5, RING = 4, PIECE = 1 << 20 };

static const struct ad_model_config minilm = {.hidden = 384,
                                              .heads = 12,
                                              .ffn = 1536,
                                              .layers = 6,
                                              .vocab = 30522,
                                              .positions = 512,
                                              .types = 2,
                                              .classes = 2,
                                              .layer_norm_eps = 1e-12f};

static const struct ad_state_vector list[VECTORS] = {{"student", 4, 1, 1},
                                                     {"moment1", 4, 1, 1},
                                                     {"moment2", 4, 1, 1},
                                                     {"window_sum", 8, 1, 1},
                                                     {"window_ring", 4, RING, RING}};

/* The vectors one after another, [P] for each row. */
struct store {
  const struct ad_params *params;
  char *bytes;
};

static char *place(const struct store *s, size_t vector, size_t slot, size_t flat) {
  size_t at = 0;
  for (size_t v = 0; v < vector; v++) {
    at += list[v].bytes * list[v].slots * s->params->count;
  }
  return s->bytes + at + list[vector].bytes * (slot * s->params->count + flat);
}

static int read_piece(void *context, size_t vector, size_t slot, uint32_t bucket, size_t flat, size_t count, void *values) {
  (void)bucket;
  memcpy(values, place(context, vector, slot, flat), count * list[vector].bytes);
  return AD_OK;
}

static int write_piece(void *context, size_t vector, size_t slot, uint32_t bucket, size_t flat, size_t count,
                       const void *values) {
  (void)bucket;
  memcpy(place(context, vector, slot, flat), values, count * list[vector].bytes);
  return AD_OK;
}

static int plain_write(const char *partial, const char *path, const char *bytes, size_t size) {
  const int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  for (size_t at = 0; fd >= 0 && at < size;) {
    const ssize_t count = write(fd, bytes + at, size - at < PIECE ? size - at : PIECE);
    if (count < 0) {
      break;
    }
    at += (size_t)count;
  }
  if (fd < 0 || fsync(fd) != 0 || close(fd) != 0) {
    return ad_fail(AD_EIO, "%s: %s", partial, strerror(errno));
  }
  return ad_file_rename(partial, path);
}

static int plain_read(const char *path, char *bytes, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  size_t at = 0;
  for (ssize_t count = 1; fd >= 0 && count > 0 && at < size; at += count > 0 ? (size_t)count : 0) {
    count = read(fd, bytes + at, size - at < PIECE ? size - at : PIECE);
  }
  if (fd >= 0) {
    close(fd);
  }
  return at == size ? AD_OK : ad_fail(AD_EIO, "%s: could not be read", path);
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, size_t n) {
  qsort(values, n, sizeof *values, compare);
  return values[n / 2];
}

/* Seconds of the four, in turn: checkpoint and plain written, checkpoint and plain read. */
static int measure(const struct ad_comm *comm, const char *folder, const struct ad_checkpoint_vectors *vectors, size_t size,
                   enum ad_writer writer, double seconds[4]) {
  struct store *s = vectors->context;
  char path[4096], plain[4096], partial[4096], *state = NULL;
  snprintf(path, sizeof path, "%s/checkpoints/step-000000001.h5", folder);
  snprintf(plain, sizeof plain, "%s/plain", folder);
  snprintf(partial, sizeof partial, "%s/plain.partial", folder);
  const int first = ad_comm_rank(comm) == 0;
  for (int what = 0; what < 4; what++) {
    if (what >= 2) {
      ad_free(s->bytes);
      s->bytes = ad_malloc(size, 1);
      AD_TRY(s->bytes == NULL ? ad_fail_memory(size, "the vectors") : AD_OK);
    }
    ad_comm_wait(comm);
    const double start = ad_clock();
    int status = AD_OK;
    if (what == 0) {
      status = ad_mpi_checkpoint_save(comm, folder, 1, "{}", vectors, writer);
    } else if (what == 1) {
      status = first ? plain_write(partial, plain, s->bytes, size) : AD_OK;
    } else if (what == 2) {
      status = ad_mpi_checkpoint_load(comm, path, vectors, &state);
    } else {
      status = first ? plain_read(plain, s->bytes, size) : AD_OK;
    }
    AD_TRY(ad_comm_settle(comm, status));
    seconds[what] = ad_clock() - start;
  }
  ad_free(state);
  if (first) {
    unlink(plain);
    unlink(path);
  }
  return AD_OK;
}

static int run(const struct ad_comm *comm, const char *folder, size_t repetitions, enum ad_writer writer) {
  struct ad_params params;
  AD_TRY(ad_params_create(&params, &minilm));
  size_t size = 0;
  for (size_t v = 0; v < VECTORS; v++) {
    size += list[v].bytes * list[v].slots * params.count;
  }
  struct store store = {&params, ad_malloc(size, 1)};
  if (store.bytes == NULL) {
    return ad_fail_memory(size, "the vectors");
  }
  for (size_t i = 0; i < size / 4; i++) {
    ((uint32_t *)(void *)store.bytes)[i] = (uint32_t)(i * 2654435761u);
  }
  const struct ad_checkpoint_vectors vectors = {
      .params = &params, .list = list, .count = VECTORS, .context = &store, .read = read_piece, .write = write_piece};
  double write_ratio[MOST], read_ratio[MOST];
  for (size_t i = 0; i < repetitions; i++) {
    double s[4];
    AD_TRY(measure(comm, folder, &vectors, size, writer, s));
    write_ratio[i] = s[1] / s[0];
    read_ratio[i] = s[3] / s[2];
    if (ad_comm_rank(comm) == 0) {
      printf("write %6.0f MB/s, plain %6.0f MB/s: %.2f    read %6.0f MB/s, plain %6.0f MB/s: %.2f\n", 1e-6 * (double)size / s[0],
             1e-6 * (double)size / s[1], write_ratio[i], 1e-6 * (double)size / s[2], 1e-6 * (double)size / s[3], read_ratio[i]);
    }
  }
  if (ad_comm_rank(comm) == 0) {
    printf("medians of %zu on %u ranks, %.0f MB: write %.2f, read %.2f times the plain rate\n", repetitions,
           ad_comm_size(comm), 1e-6 * (double)size, median(write_ratio, repetitions), median(read_ratio, repetitions));
  }
  ad_free(store.bytes);
  ad_params_destroy(&params);
  return AD_OK;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  struct ad_comm *comm;
  size_t repetitions = argc > 2 ? (size_t)atoi(argv[2]) : 5;
  repetitions = repetitions < 1 ? 1 : repetitions > MOST ? MOST : repetitions;
  int status = argc < 2 ? ad_fail(AD_ECONFIG, "usage: bench_checkpoint FOLDER [REPETITIONS [all|root]]") : ad_comm_create(&comm, 1);
  if (status == AD_OK) {
    status = run(comm, argv[1], repetitions, argc > 3 && strcmp(argv[3], "root") == 0 ? AD_WRITER_ROOT : AD_WRITER_ALL);
    ad_comm_destroy(comm);
  }
  if (status != AD_OK) {
    fprintf(stderr, "%s\n", ad_error_message());
  }
  MPI_Finalize();
  return status == AD_OK ? 0 : 1;
}
