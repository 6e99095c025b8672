#include "autodidact/mpi/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/shard.h"
#include "autodidact/store/run_files.h"
#include "comm_internal.h"

/* A save under way on one rank. */
struct save {
  const struct ad_comm *comm;
  const struct ad_checkpoint_vectors *vectors;
  struct ad_checkpoint *file; /* NULL on a rank that does not write */
  int gathered;               /* 1: rank 0 writes for all */
  void *piece;                /* bytes, of the largest piece */
  size_t capacity;
};

/* What rank `rank` gives of a bucket of a vector; frozen buckets are rank 0's. */
static void range_of(const struct ad_checkpoint_vectors *vectors, const struct ad_comm *comm, size_t v, uint32_t bucket,
                     int rank, size_t *begin, size_t *end) {
  const struct ad_params *params = vectors->params;
  const int whole = (vectors->last_is_whole && v + 1 == vectors->count) || bucket < params->frozen;
  if (!whole) {
    ad_shard_range(params, bucket, (uint32_t)rank, (uint32_t)comm->size, begin, end);
    return;
  }
  *begin = params->bucket_begin[bucket];
  *end = rank == 0 ? params->bucket_begin[bucket + 1] : *begin;
}

/* The bytes of a piece, in parts that MPI can count. */
enum { PART = 1 << 30 };

static int send_bytes(const struct ad_comm *comm, int to, const char *bytes, size_t size) {
  for (size_t at = 0, part; at < size; at += part) {
    int count;
    part = size - at < PART ? size - at : PART;
    AD_TRY(ad_mpi_count(part, &count));
    MPI_Send(bytes + at, count, MPI_BYTE, to, AD_TAG_CHECKPOINT, comm->world);
  }
  return AD_OK;
}

static int receive_bytes(const struct ad_comm *comm, int from, char *bytes, size_t size) {
  for (size_t at = 0, part; at < size; at += part) {
    int count;
    part = size - at < PART ? size - at : PART;
    AD_TRY(ad_mpi_count(part, &count));
    MPI_Recv(bytes + at, count, MPI_BYTE, from, AD_TAG_CHECKPOINT, comm->world, MPI_STATUS_IGNORE);
  }
  return AD_OK;
}

/* This rank's piece of a bucket, where it lies or copied into s->piece (which reserve_piece has made large enough), its
 * digest onto *digest. */
static int read_piece(struct save *s, size_t v, size_t slot, uint32_t bucket, size_t begin, size_t end,
                      uint64_t *digest, const void **piece) {
  const struct ad_state_vector *vector = &s->vectors->list[v];
  *piece = s->piece;
  if (end == begin) {
    return AD_OK;
  }
  const int whole = s->vectors->last_is_whole && v + 1 == s->vectors->count;
  if (v > 0 && !whole && bucket < s->vectors->params->frozen) {
    memset(s->piece, 0, (end - begin) * vector->bytes); /* nobody has that: 0, and the digest holds it */
  } else {
    const void *place = s->vectors->place(s->vectors->context, v, slot, bucket, begin);
    if (place == NULL) {
      AD_TRY(s->vectors->read(s->vectors->context, v, slot, bucket, begin, end - begin, s->piece));
    } else {
      *piece = place;
    }
  }
  *digest += ad_block_digest(s->vectors->params, bucket, begin, end - begin, vector->bytes, *piece);
  return AD_OK;
}

/* This rank's piece of a bucket of a row into the file; nothing more after a failure. */
static void save_own(struct save *s, size_t v, size_t slot, uint32_t bucket, uint64_t *digest, int *failed) {
  size_t begin, end;
  const void *piece;
  range_of(s->vectors, s->comm, v, bucket, s->comm->rank, &begin, &end);
  *failed = *failed == AD_OK ? read_piece(s, v, slot, bucket, begin, end, digest, &piece) : *failed;
  if (*failed == AD_OK && end > begin) {
    *failed = ad_checkpoint_put(s->file, v, slot, begin, end - begin, piece);
  }
}

/* A bucket of a row, from all ranks into the file that rank 0 writes. *failed stays with the first failure: all ranks
 * must come to every message, whatever happened to them. */
static void gather_bucket(struct save *s, size_t v, size_t slot, uint32_t bucket, uint64_t *digest, int *failed) {
  const size_t bytes = s->vectors->list[v].bytes;
  size_t begin, end;
  const void *piece;
  range_of(s->vectors, s->comm, v, bucket, s->comm->rank, &begin, &end);
  int status = read_piece(s, v, slot, bucket, begin, end, digest, &piece);
  if (s->comm->rank != 0) {
    /* A rank that failed sends what it has, because rank 0 waits for it: the file is thrown away. */
    const int moved = end > begin ? send_bytes(s->comm, 0, piece, (end - begin) * bytes) : AD_OK;
    status = status == AD_OK ? moved : status;
  } else {
    for (int r = 0; r < s->comm->size; r++) {
      range_of(s->vectors, s->comm, v, bucket, r, &begin, &end);
      if (end > begin && r > 0) {
        const int moved = receive_bytes(s->comm, r, s->piece, (end - begin) * bytes);
        status = status == AD_OK ? moved : status;
      }
      if (status == AD_OK && end > begin) {
        status = ad_checkpoint_put(s->file, v, slot, begin, end - begin, r > 0 ? s->piece : piece);
      }
    }
  }
  *failed = *failed == AD_OK ? status : *failed;
}

static void save_vectors(struct save *s, int *failed) {
  const struct ad_checkpoint_vectors *vectors = s->vectors;
  for (size_t v = 0; v < vectors->count; v++) {
    const size_t rows = vectors->list[v].filled;
    uint64_t *digests = ad_calloc(rows, sizeof *digests);
    const int settled = ad_comm_settle(
        s->comm, digests == NULL ? ad_fail_memory(rows * sizeof *digests, "the digests of a checkpoint") : AD_OK);
    if (settled != AD_OK) {
      *failed = *failed == AD_OK ? settled : *failed;
      ad_free(digests);
      return;
    }
    for (size_t slot = 0; slot < rows; slot++) {
      for (uint32_t b = 0; b < vectors->params->buckets; b++) {
        (s->gathered ? gather_bucket : save_own)(s, v, slot, b, &digests[slot], failed);
      }
    }
    const int summed = ad_comm_sum(s->comm, rows, digests);
    *failed = *failed == AD_OK ? summed : *failed;
    if (s->file != NULL && s->comm->rank == 0) {
      const int put = ad_checkpoint_put_digests(s->file, v, digests);
      *failed = *failed == AD_OK ? put : *failed;
    }
    ad_free(digests);
  }
}

/* The largest piece of any rank, so that gathering never fails for memory in its midst. */
static int reserve_piece(struct save *s) {
  size_t most = 1;
  for (uint32_t b = 0; b < s->vectors->params->buckets; b++) {
    for (int r = 0; r < s->comm->size; r++) {
      for (size_t v = 0; v < s->vectors->count; v++) {
        size_t begin, end;
        range_of(s->vectors, s->comm, v, b, r, &begin, &end);
        const size_t bytes = (end - begin) * s->vectors->list[v].bytes;
        most = (r == s->comm->rank || (s->gathered && s->comm->rank == 0)) && bytes > most ? bytes : most;
      }
    }
  }
  return ad_reserve(&s->piece, &s->capacity, most, 1);
}

/* Takes the space of a file, so that writing it cannot fail for want of it; asks quotas too. A file system that cannot
 * do that does not fail here. What is too much is given back when the file gets its size. */
static int take_room(int fd, const char *path, size_t bytes) {
  if (fallocate(fd, 0, 0, (off_t)bytes) != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
    return ad_fail(AD_EIO, "%s: a checkpoint needs %zu bytes: %s", path, bytes, strerror(errno));
  }
  return AD_OK;
}

/* Whether there is room, before any rank opens the file. An earlier try's file goes first. */
static int check_room(const char *path, size_t bytes) {
  struct statvfs info;
  const int fd = ad_file_create(path);
  if (fd < 0) {
    return ad_fail(AD_EIO, "%s: could not be made: %s", path, strerror(errno));
  }
  const double available = fstatvfs(fd, &info) == 0 ? (double)info.f_bavail * (double)info.f_frsize : -1.0;
  int status = available >= 0.0 && available < (double)bytes
                   ? ad_fail(AD_EIO, "%s: a checkpoint needs %zu bytes, %.0f are free", path, bytes, available)
                   : take_room(fd, path, bytes);
  if (close(fd) != 0 && status == AD_OK) {
    status = ad_fail(AD_EIO, "%s: could not be closed: %s", path, strerror(errno));
  }
  return status;
}

/* The file on every rank that writes: rank 0 makes it and tells the others where values belong. */
static int open_output(struct save *s, const char *partial, uint64_t step, const char *state) {
  const struct ad_checkpoint_vectors *v = s->vectors;
  uint64_t places[AD_STATE_VECTORS] = {0};
  int status = AD_OK;
  if (s->comm->rank == 0) {
    status = ad_checkpoint_create(&s->file, partial, v->params, v->list, v->count, step, state);
  }
  AD_TRY(ad_comm_settle(s->comm, status));
  if (s->gathered) {
    return AD_OK;
  }
  if (s->comm->rank == 0) {
    ad_checkpoint_places(s->file, places);
  }
  AD_TRY(ad_comm_broadcast(s->comm, sizeof places, places));
  if (s->comm->rank != 0) {
    status = ad_checkpoint_join(&s->file, partial, v->params, v->list, v->count, places);
  }
  return ad_comm_settle(s->comm, status);
}

/* All of a save but the rename, after the room has been checked. */
static int write_file(struct save *s, const char *partial, uint64_t step, const char *state) {
  int failed = open_output(s, partial, step, state);
  if (failed == AD_OK) {
    save_vectors(s, &failed);
    const int passed = s->vectors->midway == NULL ? AD_OK : s->vectors->midway(s->vectors->context);
    failed = failed == AD_OK ? passed : failed;
    if (s->file != NULL && failed == AD_OK) {
      failed = ad_checkpoint_finish(s->file);
      s->file = NULL;
    }
    failed = ad_comm_settle(s->comm, failed);
  }
  ad_checkpoint_close(s->file);
  return failed;
}

int ad_mpi_checkpoint_save(const struct ad_comm *comm, const char *run, uint64_t step, const char *state,
                           const struct ad_checkpoint_vectors *vectors, enum ad_writer writer) {
  struct save s = {.comm = comm, .vectors = vectors};
  s.gathered = writer == AD_WRITER_ROOT || comm->size == 1;
  char *path = ad_checkpoint_path(run, step), *folder = ad_path_join(run, AD_RUN_FOLDER_CHECKPOINTS);
  struct ad_buffer name = {0};
  char *partial = path == NULL || ad_buffer_printf(&name, "%s.partial", path) != AD_OK ? NULL : name.data;
  int status = folder == NULL || partial == NULL ? ad_fail_memory(strlen(run) + 64, "a path") : reserve_piece(&s);
  if (status == AD_OK && comm->rank == 0) {
    status = ad_make_folders(folder);
    status = status == AD_OK ? check_room(partial, ad_checkpoint_bytes(vectors->params, vectors->list, vectors->count))
                             : status;
  }
  status = ad_comm_settle(comm, status);
  if (status == AD_OK) {
    status = write_file(&s, partial, step, state);
  }
  if (status == AD_OK && comm->rank == 0) {
    status = ad_file_rename(partial, path);
  }
  status = ad_comm_settle(comm, status);
  if (status != AD_OK && comm->rank == 0 && partial != NULL) {
    ad_ignore(unlink(partial));
  }
  ad_buffer_destroy(&name);
  ad_free(s.piece);
  ad_free(folder);
  ad_free(path);
  return status;
}

/* A row of a vector from the file into place; *own is the digest of what of it counts as this rank's. Pieces are small
 * enough to stay in the cache until their digest is computed and they are in place; none reaches over a shard's end. */
static int load_row(struct save *s, size_t v, size_t slot, size_t in_file, uint64_t *own) {
  enum { CACHED = 1 << 18 }; /* bytes */
  const struct ad_checkpoint_vectors *vectors = s->vectors;
  const struct ad_params *params = vectors->params;
  const size_t bytes = vectors->list[v].bytes, most = CACHED / bytes;
  for (uint32_t b = 0; b < params->buckets; b++) {
    size_t begin, end;
    range_of(vectors, s->comm, v, b, s->comm->rank, &begin, &end);
    const int whole = vectors->last_is_whole && v + 1 == vectors->count;
    const size_t first = vectors->all && !whole && b >= params->frozen ? params->bucket_begin[b] : begin;
    const size_t last = vectors->all && !whole && b >= params->frozen ? params->bucket_begin[b + 1] : end;
    if (last == first) {
      continue;
    }
    const int placed = b >= params->frozen || whole;
    for (size_t at = first, length; at < last; at += length) {
      length = ad_block_run(params, b, at, at < begin ? begin : at < end ? end : last, most);
      void *place = placed ? vectors->place(vectors->context, v, slot, b, at) : NULL;
      if (place == NULL) {
        AD_TRY(ad_reserve(&s->piece, &s->capacity, length * bytes, 1));
      }
      void *values = place == NULL ? s->piece : place;
      AD_TRY(ad_checkpoint_get(s->file, in_file, slot, at, length, values));
      *own += at >= begin && at < end ? ad_block_digest(params, b, at, length, bytes, values) : 0;
      if (placed && place == NULL) {
        AD_TRY(vectors->write(vectors->context, v, slot, b, at, length, values));
      }
    }
  }
  return AD_OK;
}

static int load_vector(struct save *s, const char *path, size_t v) {
  const struct ad_state_vector *vector = &s->vectors->list[v], *held;
  const int in_file = ad_checkpoint_find(s->file, vector->name);
  ad_checkpoint_vectors(s->file, &held);
  int status = AD_OK;
  if (in_file < 0 || held[in_file].slots != vector->slots || held[in_file].bytes != vector->bytes) {
    status = ad_fail(AD_ECONFIG, "%s: it has no \"%s\" of %zu rows, which these settings need", path, vector->name,
                     vector->slots);
  }
  uint64_t *own = ad_calloc(vector->slots, sizeof *own);
  if (own == NULL) {
    status = ad_fail_memory(vector->slots * sizeof *own, "the digests of a checkpoint");
  }
  for (size_t slot = 0; status == AD_OK && slot < held[in_file].filled; slot++) {
    status = load_row(s, v, slot, (size_t)in_file, &own[slot]);
  }
  status = ad_comm_settle(s->comm, status);
  status = status == AD_OK ? ad_comm_sum(s->comm, vector->slots, own) : status;
  for (size_t slot = 0; status == AD_OK && slot < held[in_file].filled; slot++) {
    if (own[slot] != ad_checkpoint_digests(s->file, (size_t)in_file)[slot]) {
      status = ad_fail(AD_EINPUT, "%s: damaged: row %zu of \"%s\" does not match its digest", path, slot, vector->name);
    }
  }
  ad_free(own);
  return status;
}

/* Opens the file on all ranks, by the index that rank 0 reads. */
static int open_on_all(struct save *s, const char *path) {
  struct ad_buffer index = {0};
  const int root = s->comm->rank == 0;
  int status = ad_comm_settle(s->comm, root ? ad_checkpoint_index(path, &index) : AD_OK);
  uint64_t size = index.size;
  status = status == AD_OK ? ad_comm_broadcast(s->comm, sizeof size, &size) : status;
  if (status == AD_OK && !root) {
    index.data = ad_malloc(size, 1);
    index.size = size;
  }
  status = status == AD_OK
               ? ad_comm_settle(s->comm, index.data == NULL ? ad_fail_memory(size, "the index of a checkpoint") : AD_OK)
               : status;
  status = status == AD_OK ? ad_comm_broadcast(s->comm, index.size, index.data) : status;
  status = status == AD_OK ? ad_checkpoint_open_index(&s->file, path, &index, s->vectors->params) : status;
  ad_buffer_destroy(&index);
  return ad_comm_settle(s->comm, status);
}

int ad_mpi_checkpoint_load(const struct ad_comm *comm, const char *path, const struct ad_checkpoint_vectors *vectors,
                           char **state) {
  struct save s = {.comm = comm, .vectors = vectors};
  *state = NULL;
  int status = open_on_all(&s, path);
  for (size_t v = 0; status == AD_OK && v < vectors->count; v++) {
    status = load_vector(&s, path, v);
  }
  if (status == AD_OK) {
    *state = ad_strdup(ad_checkpoint_state(s.file));
    status = ad_comm_settle(comm, *state == NULL ? ad_fail_memory(1024, "the state of a checkpoint") : AD_OK);
  }
  ad_checkpoint_close(s.file);
  ad_free(s.piece);
  return status;
}

/* The digests of a vector's rows, of all ranks. */
static int digest_vector(struct save *s, size_t v, uint64_t *digests) {
  const struct ad_checkpoint_vectors *vectors = s->vectors;
  int status = AD_OK;
  for (size_t slot = 0; slot < vectors->list[v].filled && status == AD_OK; slot++) {
    for (uint32_t b = 0; b < vectors->params->buckets && status == AD_OK; b++) {
      size_t begin, end;
      const void *piece;
      range_of(vectors, s->comm, v, b, s->comm->rank, &begin, &end);
      status = read_piece(s, v, slot, b, begin, end, &digests[slot], &piece);
    }
  }
  status = ad_comm_settle(s->comm, status);
  return status == AD_OK ? ad_comm_sum(s->comm, vectors->list[v].filled, digests) : status;
}

static int compare_vector(struct save *s, const char *path, size_t v) {
  const struct ad_state_vector *vector = &s->vectors->list[v], *held;
  const int in_file = ad_checkpoint_find(s->file, vector->name);
  ad_checkpoint_vectors(s->file, &held);
  if (in_file < 0 || held[in_file].filled != vector->filled || held[in_file].slots != vector->slots) {
    return ad_fail(AD_EINPUT, "%s: it has no \"%s\" of %zu rows", path, vector->name, vector->filled);
  }
  uint64_t *digests = ad_calloc(vector->filled, sizeof *digests);
  int status = ad_comm_settle(
      s->comm,
      digests == NULL ? ad_fail_memory(vector->filled * sizeof *digests, "the digests of a checkpoint") : AD_OK);
  status = status == AD_OK ? digest_vector(s, v, digests) : status;
  for (size_t slot = 0; status == AD_OK && slot < vector->filled; slot++) {
    if (digests[slot] != ad_checkpoint_digests(s->file, (size_t)in_file)[slot]) {
      status = ad_fail(AD_EINPUT, "%s: row %zu of \"%s\" is another one", path, slot, vector->name);
    }
  }
  ad_free(digests);
  return status;
}

int ad_mpi_checkpoint_compare(const struct ad_comm *comm, const char *path,
                              const struct ad_checkpoint_vectors *vectors) {
  struct save s = {.comm = comm, .vectors = vectors};
  int status = open_on_all(&s, path);
  status = status == AD_OK ? ad_comm_settle(comm, reserve_piece(&s)) : status;
  for (size_t v = 0; status == AD_OK && v < vectors->count; v++) {
    status = compare_vector(&s, path, v);
  }
  ad_checkpoint_close(s.file);
  ad_free(s.piece);
  return status;
}
