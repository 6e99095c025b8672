/* Writing and reading a checkpoint against the same bytes by plain write and read with fsync, in turn.
 *
 *   [mpirun -n R] build/bench/tests/bench/bench_checkpoint FOLDER [REPETITIONS [WRITER]]
 *
 * Three sizes: MiniLM-L6's parameters and both moments; the same with a window of four and its sum; BERT-base's
 * parameters and moments. Every rank has its shard (WRITER root: rank 0 writes for all). Prints bytes/s and the medians
 * of the ratios. Plain: rank 0 writes from memory in pieces of 1 MiB, fsyncs, renames; and reads. Both arms read into
 * memory that has been written before, as the moments of a run that goes on have, once from the page cache (warm) and
 * once after the file was dropped from it (cold). In each repetition an arm is measured twice, as ours, plain, plain,
 * ours. */
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
#include "autodidact/model/shard.h"
#include "autodidact/mpi/checkpoint.h"
#include "autodidact/mpi/comm.h"
#include "bench.h"

enum { MOST = 100, VECTORS = 5, RING = 4, PIECE = 1 << 20 };

static const struct ad_model_config base = {.hidden = 768,
                                            .heads = 12,
                                            .ffn = 3072,
                                            .layers = 12,
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

static const struct {
  const char *name;
  const struct ad_model_config *model;
  size_t vectors;
} cases[] = {{"MiniLM-L6", &bench_minilm, 3}, {"MiniLM-L6, window", &bench_minilm, VECTORS}, {"BERT-base", &base, 3}};

/* What is timed, and of it each arm. */
enum what { WRITE, WARM, COLD, WHATS };
static const char *const whats[WHATS] = {"write", "read warm", "read cold"};

/* The rows [P] of the vectors one after another, each at a cache line, as a trainer's are. */
struct store {
  const struct ad_params *params;
  char *bytes;
};

static size_t row_bytes(const struct ad_params *params, size_t vector) {
  enum { LINE = 64 };
  return (list[vector].bytes * params->count + LINE - 1) / LINE * LINE;
}

static void *place(void *context, size_t vector, size_t slot, uint32_t bucket, size_t flat) {
  const struct store *s = context;
  (void)bucket;
  size_t at = 0;
  for (size_t v = 0; v < vector; v++) {
    at += list[v].slots * row_bytes(s->params, v);
  }
  return s->bytes + at + slot * row_bytes(s->params, vector) + list[vector].bytes * flat;
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

/* Out of the page cache. */
static int forget(const char *path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const int result = fd < 0 ? errno : posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  if (fd >= 0) {
    close(fd);
  }
  return result == 0 ? AD_OK : ad_fail(AD_EIO, "%s: %s", path, strerror(result));
}

struct bench {
  const struct ad_comm *comm;
  const struct ad_checkpoint_vectors *vectors;
  enum ad_writer writer;
  const char *folder;
  char path[4096], plain[4096], partial[4096];
  size_t size; /* bytes of the vectors */
};

/* Seconds of one arm of one thing. */
static int measure(const struct bench *b, enum what what, int plain, double *seconds) {
  const int first = ad_comm_rank(b->comm) == 0;
  struct store *s = b->vectors->context;
  char *state = NULL;
  int status = AD_OK;
  if (what == COLD && first) {
    AD_TRY(forget(plain ? b->plain : b->path));
  }
  ad_comm_wait(b->comm);
  const double start = ad_clock();
  if (plain) {
    status = !first          ? AD_OK
             : what == WRITE ? plain_write(b->partial, b->plain, s->bytes, b->size)
                             : plain_read(b->plain, s->bytes, b->size);
  } else {
    status = what == WRITE ? ad_mpi_checkpoint_save(b->comm, b->folder, 1, "{}", b->vectors, b->writer)
                           : ad_mpi_checkpoint_load(b->comm, b->path, b->vectors, &state);
  }
  status = ad_comm_settle(b->comm, status);
  *seconds = ad_clock() - start;
  ad_free(state);
  return status;
}

static int repeat(const struct bench *b, size_t repetitions, const char *name) {
  double ratio[WHATS][MOST];
  for (size_t i = 0; i < repetitions; i++) {
    for (enum what w = 0; w < WHATS; w++) {
      double seconds[2] = {0.0, 0.0};
      for (int turn = 0; turn < 4; turn++) { /* a disk is faster at what comes second */
        const int plain = turn == 1 || turn == 2;
        double one;
        AD_TRY(measure(b, w, plain, &one));
        seconds[plain] += one / 2.0;
      }
      ratio[w][i] = seconds[1] / seconds[0];
      if (ad_comm_rank(b->comm) == 0) {
        printf("%s%s %5.0f MB/s, plain %5.0f: %.2f", w == 0 ? "  " : "   ", whats[w],
               1e-6 * (double)b->size / seconds[0], 1e-6 * (double)b->size / seconds[1], ratio[w][i]);
      }
    }
    if (ad_comm_rank(b->comm) == 0) {
      printf("\n");
      unlink(b->plain);
      unlink(b->path);
    }
  }
  if (ad_comm_rank(b->comm) == 0) {
    printf("%s, %.0f MB, %u ranks: medians of %zu times the plain rate:", name, 1e-6 * (double)b->size,
           ad_comm_size(b->comm), repetitions);
    for (enum what w = 0; w < WHATS; w++) {
      printf(" %s %.2f%s", whats[w], bench_median(ratio[w], repetitions), w + 1 < WHATS ? "," : "\n");
    }
    fflush(stdout);
  }
  return AD_OK;
}

/* Writes what this rank has of the vectors; rank 0, which is the plain arm, all. */
static void fill(const struct ad_comm *comm, const struct ad_checkpoint_vectors *vectors) {
  const struct ad_params *params = vectors->params;
  for (size_t v = 0; v < vectors->count; v++) {
    for (size_t slot = 0; slot < list[v].filled; slot++) {
      for (uint32_t b = 0; b < params->buckets; b++) {
        size_t begin, end;
        ad_shard_range(params, b, ad_comm_rank(comm), ad_comm_size(comm), &begin, &end);
        begin = ad_comm_rank(comm) == 0 ? params->bucket_begin[b] : begin;
        end = ad_comm_rank(comm) == 0 ? params->bucket_begin[b + 1] : end;
        uint32_t *values = place(vectors->context, v, slot, b, begin);
        for (size_t i = 0; i < (end - begin) * list[v].bytes / 4; i++) {
          values[i] = (uint32_t)((begin + i) * 2654435761u);
        }
      }
    }
  }
}

static int run(const struct ad_comm *comm, const char *folder, size_t repetitions, enum ad_writer writer,
               size_t number) {
  struct ad_params params;
  AD_TRY(ad_params_create(&params, cases[number].model));
  struct store store = {.params = &params};
  const struct ad_checkpoint_vectors vectors = {
      .params = &params, .list = list, .count = cases[number].vectors, .context = &store, .place = place};
  struct bench b = {.comm = comm, .vectors = &vectors, .writer = writer, .folder = folder};
  for (size_t v = 0; v < vectors.count; v++) {
    b.size += list[v].slots * row_bytes(&params, v);
  }
  snprintf(b.path, sizeof b.path, "%s/checkpoints/step-000000001.h5", folder);
  snprintf(b.plain, sizeof b.plain, "%s/plain", folder);
  snprintf(b.partial, sizeof b.partial, "%s/plain.partial", folder);
  store.bytes = ad_malloc(b.size, 1);
  int status = store.bytes == NULL ? ad_fail_memory(b.size, "the vectors") : AD_OK;
  if (status == AD_OK) {
    fill(comm, &vectors);
    status = repeat(&b, repetitions, cases[number].name);
  }
  ad_free(store.bytes);
  ad_params_destroy(&params);
  return status;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  struct ad_comm *comm;
  size_t repetitions = argc > 2 ? (size_t)atoi(argv[2]) : 5;
  repetitions = repetitions < 1 ? 1 : repetitions > MOST ? MOST : repetitions;
  int status = argc < 2 ? ad_fail(AD_ECONFIG, "usage: bench_checkpoint FOLDER [REPETITIONS [all|root]]")
                        : ad_comm_create(&comm, 1);
  if (status == AD_OK) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases && status == AD_OK; i++) {
      status =
          run(comm, argv[1], repetitions, argc > 3 && strcmp(argv[3], "root") == 0 ? AD_WRITER_ROOT : AD_WRITER_ALL, i);
    }
    ad_comm_destroy(comm);
  }
  if (status != AD_OK) {
    fprintf(stderr, "%s\n", ad_error_message());
  }
  MPI_Finalize();
  return status == AD_OK ? 0 : 1;
}
