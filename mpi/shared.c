/* Memory that the ranks of a node share.
 *
 * Not MPI_Win_allocate_shared: Open MPI makes its segments in /dev/shm without taking their pages, so that a small one
 * (64 MiB in a container) aborts all ranks without a word, and a full one ends a store in SIGBUS. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "comm_internal.h"

/* Bytes that this machine could still give, as the kernel estimates it; 0 where it does not tell. */
static uint64_t available(void) {
  uint64_t kibibytes = 0;
  char line[128];
  FILE *file = fopen("/proc/meminfo", "re");
  while (file != NULL && fgets(line, sizeof line, file) != NULL &&
         sscanf(line, "MemAvailable: %" SCNu64, &kibibytes) != 1) {
  }
  if (file != NULL) {
    ad_ignore(fclose(file));
  }
  return kibibytes * 1024;
}

static int fail_room(uint64_t size, int reason) {
  return ad_fail(AD_ENOMEM,
                 "the ranks of this node share %.0f MiB of memory, which could not be had: %s; %.0f MiB are available, "
                 "and ulimit -f must allow a file of that size",
                 (double)size / 0x1p20, strerror(reason), (double)available() / 0x1p20);
}

/* What the node's first rank tells the others: where its file is open. */
struct place {
  int64_t pid, fd;
};

/* The node's first rank makes the file, the others open it through that rank's entry in /proc. */
static int make_file(uint64_t size, struct place *place) {
  const int fd = memfd_create("autodidact", MFD_CLOEXEC);
  *place = (struct place){getpid(), fd};
  if (fd < 0) {
    return ad_fail(AD_EIO, "memory that the ranks of a node share could not be made: %s", strerror(errno));
  }
  return ftruncate(fd, (off_t)size) == 0 ? AD_OK : fail_room(size, errno);
}

static int open_file(const struct place *place, int *fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%" PRId64 "/fd/%" PRId64, place->pid, place->fd);
  *fd = open(path, O_RDWR | O_CLOEXEC);
  return *fd >= 0 ? AD_OK
                  : ad_fail(AD_EIO,
                            "the ranks of this node cannot share memory (%s: %s): comm.shared=false gives each its own",
                            path, strerror(errno));
}

/* Takes the pages of this rank's part, near the core that it runs on, and maps all. */
static int map_file(struct ad_shared *shared, int fd, uint64_t begin, uint64_t end) {
  const int reason = end > begin ? posix_fallocate(fd, (off_t)begin, (off_t)(end - begin)) : 0;
  if (reason != 0) {
    return fail_room(shared->size, reason);
  }
  void *memory = mmap(NULL, shared->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    return ad_fail_memory(shared->size, "the memory that the ranks of a node share");
  }
  shared->memory = memory;
  return AD_OK;
}

/* begin [ranks of the node + 1]: where each rank's part begins in the file, at whole pages. */
static int share(struct ad_shared *shared, const struct ad_comm *comm, const uint64_t *begin) {
  const int first = comm->node_rank == 0;
  struct place place = {.fd = -1};
  int status = ad_mpi_settle(comm->node, first ? make_file(shared->size, &place) : AD_OK);
  int fd = (int)place.fd;
  if (status == AD_OK) {
    MPI_Bcast(&place, 2, MPI_INT64_T, 0, comm->node);
    status = first ? AD_OK : open_file(&place, &fd);
    status = status == AD_OK ? map_file(shared, fd, begin[comm->node_rank], begin[comm->node_rank + 1]) : status;
    status = ad_mpi_settle(comm->node, status); /* only now have all opened it */
  }
  if (fd >= 0) {
    ad_ignore(close(fd));
  }
  for (int r = 0; r < comm->node_size && status == AD_OK; r++) {
    shared->part[r] = shared->memory + begin[r];
  }
  return status;
}

int ad_shared_create(struct ad_shared *shared, const struct ad_comm *comm, size_t bytes) {
  const size_t ranks = (size_t)comm->node_size;
  const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), own = (bytes + page - 1) / page * page;
  uint64_t *begin = ad_calloc(ranks + 1, sizeof *begin);
  *shared = (struct ad_shared){.part = ad_calloc(ranks, sizeof *shared->part)};
  int status = ad_mpi_settle(comm->node, begin == NULL || shared->part == NULL
                                             ? ad_fail_memory(ranks * 16, "the list of shared memory")
                                             : AD_OK);
  if (status == AD_OK) {
    MPI_Allgather(&own, 1, MPI_UINT64_T, begin + 1, 1, MPI_UINT64_T, comm->node);
    for (size_t r = 0; r < ranks; r++) {
      begin[r + 1] += begin[r];
    }
    shared->size = begin[ranks] > 0 ? begin[ranks] : page;
    status = share(shared, comm, begin);
  }
  ad_free(begin);
  if (status != AD_OK) {
    ad_shared_destroy(shared);
    return status;
  }
  shared->own = shared->part[comm->node_rank];
  return AD_OK;
}

void ad_shared_destroy(struct ad_shared *shared) {
  if (shared->memory != NULL) {
    ad_ignore(munmap(shared->memory, shared->size));
  }
  ad_free(shared->part);
  *shared = (struct ad_shared){0};
}

void ad_shared_wait(const struct ad_shared *shared, const struct ad_comm *comm) {
  (void)shared;
  atomic_thread_fence(memory_order_seq_cst);
  MPI_Barrier(comm->node);
  atomic_thread_fence(memory_order_seq_cst);
}
