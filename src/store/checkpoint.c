/* The schema of a checkpoint: making and writing one. checkpoint_read.c reads.
 *
 * HDF5 never writes to the disk: what it keeps, all but the values, is made in memory, where it cannot fail halfway,
 * and written with everything else by plain writes, each of which is looked at. */
#include "autodidact/store/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "checkpoint_internal.h"

enum { PAGE = 4096 };

static hid_t type_of(const struct ad_state_vector *vector) {
  return vector->bytes == sizeof(float) ? H5T_IEEE_F32LE : H5T_STD_I64LE;
}

static hid_t memory_type_of(const struct ad_state_vector *vector) {
  return vector->bytes == sizeof(float) ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT64;
}

hid_t ad__checkpoint_memory_type(const struct ad_state_vector *vector) {
  return memory_type_of(vector);
}

/* Shape of a vector: [P], or [filled,P] of one that has several rows or could have. */
static int is_ring(const struct ad_state_vector *vector) {
  return strcmp(vector->name, "window_ring") == 0 || strcmp(vector->name, "past") == 0;
}

int ad__checkpoint_rank(const struct ad_state_vector *vector) {
  return is_ring(vector) ? 2 : 1;
}

/* The text as a dataset of its own: attributes end at 64 KiB. */
static int put_text(hid_t file, const char *name, const char *text) {
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  const int ready = type >= 0 && H5Tset_size(type, strlen(text) + 1) >= 0 &&
                    H5Tset_strpad(type, H5T_STR_NULLTERM) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0;
  const hid_t set = ready ? H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) : -1;
  const int written = set < 0 || H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0 ? -1 : 0;
  const int closed = ad__hdf5_close(set);
  ad__hdf5_done(space);
  ad__hdf5_done(type);
  return written == 0 ? closed : written;
}

/* A flat vector without values: its space is taken, nothing is filled in. Where that is, for the writers of values. */
static int make_flat(struct ad_checkpoint *c, hid_t group, size_t v) {
  const struct ad_state_vector *vector = &c->vectors[v];
  const hsize_t ring[2] = {vector->filled, c->P}, plain[1] = {c->P};
  const int rank = ad__checkpoint_rank(vector);
  const hid_t space = H5Screate_simple(rank, rank == 2 ? ring : plain, NULL), how = H5Pcreate(H5P_DATASET_CREATE);
  const int ready =
      how >= 0 && H5Pset_fill_time(how, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_alloc_time(how, H5D_ALLOC_TIME_EARLY) >= 0;
  c->flat[v] = ready ? H5Dcreate2(group, vector->name, type_of(vector), space, H5P_DEFAULT, how, H5P_DEFAULT) : -1;
  ad__hdf5_done(how);
  ad__hdf5_done(space);
  const haddr_t at = c->flat[v] < 0 ? HADDR_UNDEF : vector->filled > 0 ? H5Dget_offset(c->flat[v]) : 0;
  c->stored[v].at = at == HADDR_UNDEF ? 0 : (size_t)at;
  return at == HADDR_UNDEF || ad__hdf5_put_number(c->flat[v], "slots", vector->slots) != 0 ? -1 : 0;
}

/* The tensor as a virtual dataset: the range of the flat vector that it is. */
static int make_tensor(const struct ad_checkpoint *c, hid_t group, const struct ad_state_vector *vector,
                       const struct ad_tensor *tensor) {
  const int ring = ad__checkpoint_rank(vector) == 2, lead = ring ? 1 : 0;
  hsize_t shape[3] = {vector->filled}, flat[2] = {vector->filled, c->P}, start[2] = {0, 0},
          count[2] = {vector->filled, 0};
  char source[80];
  snprintf(source, sizeof source, "/flat/%s", vector->name);
  shape[lead] = tensor->rows;
  shape[lead + 1] = tensor->columns;
  flat[lead] = c->P;
  start[lead] = tensor->offset;
  count[lead] = tensor->count;
  const hid_t space = H5Screate_simple(lead + (tensor->vector ? 1 : 2), shape, NULL);
  const hid_t of_flat = H5Screate_simple(lead + 1, flat, NULL), how = H5Pcreate(H5P_DATASET_CREATE);
  /* A ring that holds nothing yet has nothing to show. */
  int result = vector->filled > 0 && (H5Sselect_hyperslab(of_flat, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
                                      H5Pset_virtual(how, space, ".", source, of_flat) < 0)
                   ? -1
                   : 0;
  if (result == 0) {
    const hid_t set = H5Dcreate2(group, tensor->name, type_of(vector), space, H5P_DEFAULT, how, H5P_DEFAULT);
    result = set < 0 ? -1 : ad__hdf5_close(set);
  }
  ad__hdf5_done(how);
  ad__hdf5_done(of_flat);
  ad__hdf5_done(space);
  return result;
}

static int make_vectors(struct ad_checkpoint *c, const struct ad_params *params) {
  const hid_t flat = H5Gcreate2(c->file, "flat", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  int result = flat < 0 ? -1 : 0;
  for (size_t v = 0; result == 0 && v < c->count; v++) {
    const hid_t group = H5Gcreate2(c->file, c->vectors[v].name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    result = group < 0 ? -1 : make_flat(c, flat, v);
    for (size_t i = 0; result == 0 && i < params->tensor_count; i++) {
      result = make_tensor(c, group, &c->vectors[v], &params->tensors[i]);
    }
    result = ad__hdf5_close(group) != 0 ? -1 : result;
  }
  return ad__hdf5_close(flat) != 0 ? -1 : result;
}

struct ad_checkpoint *ad__checkpoint_allocate(const char *path) {
  ad__hdf5_quiet();
  struct ad_checkpoint *c = ad_calloc(1, sizeof *c);
  char *copy = ad_strdup(path);
  if (c == NULL || copy == NULL) {
    ad_free(c);
    ad_free(copy);
    ad_fail_memory(sizeof *c, "a checkpoint");
    return NULL;
  }
  c->path = copy;
  c->file = -1;
  c->fd = c->out = -1;
  for (size_t v = 0; v < AD_STATE_VECTORS; v++) {
    c->flat[v] = -1;
  }
  return c;
}

/* One for writing, with the file open. *checkpoint is the caller's, whatever the status. */
static int open_output(struct ad_checkpoint **checkpoint, const char *path, const struct ad_params *params,
                       const struct ad_state_vector *vectors, size_t count) {
  struct ad_checkpoint *c = *checkpoint = ad__checkpoint_allocate(path);
  if (c == NULL) {
    return AD_ENOMEM;
  }
  c->P = params->count;
  c->count = count;
  for (size_t v = 0; v < count; v++) {
    snprintf(c->names[v], sizeof c->names[v], "%s", vectors[v].name);
    c->vectors[v] = (struct ad_state_vector){c->names[v], vectors[v].bytes, vectors[v].slots, vectors[v].filled};
  }
  c->out = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  return c->out < 0 ? ad_fail(AD_EIO, "%s: could not be made: %s", path, strerror(errno)) : AD_OK;
}

/* An empty HDF5 file in memory of which only the pages that are written take room, so not those of the values. The
 * driver stdio, as sec2 asks for the path that a link leads to, and memory has none. Virtual datasets need the format
 * of HDF5 1.10. */
static int open_image(struct ad_checkpoint *c) {
  char path[64];
  c->fd = memfd_create("checkpoint", MFD_CLOEXEC);
  if (c->fd < 0) {
    return ad_fail(AD_EIO, "%s: no memory for HDF5's part of it: %s", c->path, strerror(errno));
  }
  snprintf(path, sizeof path, "/proc/self/fd/%d", c->fd);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  const int ready = access >= 0 && H5Pset_fapl_stdio(access) >= 0 && H5Pset_file_locking(access, 0, 1) >= 0 &&
                    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0 &&
                    /* whole pages are copied faster, and file systems write them without reading */
                    H5Pset_alignment(access, PAGE, PAGE) >= 0;
  c->file = ready ? H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access) : -1;
  ad__hdf5_done(access);
  return c->file < 0 ? ad__hdf5_fail(AD_EIO, c->path, "HDF5's part of it could not be made") : AD_OK;
}

int ad_checkpoint_create(struct ad_checkpoint **checkpoint, const char *path, const struct ad_params *params,
                         const struct ad_state_vector *vectors, size_t count, uint64_t step, const char *state) {
  AD_TRY(open_output(checkpoint, path, params, vectors, count));
  struct ad_checkpoint *c = *checkpoint;
  c->step = step;
  c->state = ad_strdup(state);
  if (c->state == NULL) {
    return ad_fail_memory(strlen(state) + 1, "the state of a checkpoint");
  }
  AD_TRY(open_image(c));
  if (ad__hdf5_put_number(c->file, "format", CHECKPOINT_FORMAT) != 0 ||
      ad__hdf5_put_number(c->file, "step", step) != 0 || put_text(c->file, "state", state) != 0 ||
      ad__hdf5_put_number(c->file, "state_xxh3", ad_digest(state, strlen(state))) != 0 ||
      make_vectors(c, params) != 0) {
    return ad__hdf5_fail(AD_EIO, c->path, "HDF5's part of it could not be made");
  }
  return AD_OK;
}

void ad_checkpoint_places(const struct ad_checkpoint *checkpoint, uint64_t *places) {
  for (size_t v = 0; v < checkpoint->count; v++) {
    places[v] = checkpoint->stored[v].at;
  }
}

int ad_checkpoint_join(struct ad_checkpoint **checkpoint, const char *path, const struct ad_params *params,
                       const struct ad_state_vector *vectors, size_t count, const uint64_t *places) {
  AD_TRY(open_output(checkpoint, path, params, vectors, count));
  for (size_t v = 0; v < count; v++) {
    (*checkpoint)->stored[v].at = (size_t)places[v];
  }
  return AD_OK;
}

int ad__checkpoint_pwrite(const struct ad_checkpoint *c, size_t at, size_t size, const void *bytes) {
  for (size_t done = 0; done < size;) {
    const ssize_t count = pwrite(c->out, (const char *)bytes + done, size - done, (off_t)(at + done));
    if (count < 0 && errno != EINTR) {
      return ad_fail(AD_EIO, "%s: could not be written: %s", c->path, strerror(errno));
    }
    done += count > 0 ? (size_t)count : 0;
  }
  return AD_OK;
}

int ad_checkpoint_put(struct ad_checkpoint *checkpoint, size_t vector, size_t slot, size_t flat, size_t length,
                      const void *values) {
  const struct ad_checkpoint *c = checkpoint;
  const size_t bytes = c->vectors[vector].bytes;
  return ad__checkpoint_pwrite(c, c->stored[vector].at + (slot * c->P + flat) * bytes, length * bytes, values);
}

int ad_checkpoint_put_digests(struct ad_checkpoint *checkpoint, size_t vector, const uint64_t *digests) {
  struct ad_checkpoint *c = checkpoint;
  const size_t rows = c->vectors[vector].filled;
  c->stored[vector].digests = ad_malloc(rows, sizeof *digests);
  if (c->stored[vector].digests == NULL) {
    return ad_fail_memory(rows * sizeof *digests, "the digests of a checkpoint");
  }
  memcpy(c->stored[vector].digests, digests, rows * sizeof *digests);
  return ad__hdf5_put_numbers(c->flat[vector], "xxh3", rows, digests) == 0
             ? AD_OK
             : ad__hdf5_fail(AD_EIO, c->path, "HDF5's part of it could not be made");
}

/* Ends HDF5's part, of which all ids are closed, whatever the status. */
static int end_image(struct ad_checkpoint *c) {
  struct stat info;
  int failed = ad__hdf5_put_number(c->file, "complete", 1) != 0;
  for (size_t v = 0; v < c->count; v++) {
    failed = c->stored[v].digests == NULL || failed;
    failed = ad__hdf5_close(c->flat[v]) != 0 || failed;
    c->flat[v] = -1;
  }
  failed = H5Fclose(c->file) < 0 || failed;
  c->file = -1;
  if (failed || fstat(c->fd, &info) != 0) {
    return ad__hdf5_fail(AD_EIO, c->path, "HDF5's part of it could not be made");
  }
  c->size = (size_t)info.st_size;
  return AD_OK;
}

/* What is beyond the end, room that was held, is given back. */
static int end_file(struct ad_checkpoint *c) {
  size_t size;
  AD_TRY(end_image(c));
  AD_TRY(ad__checkpoint_seal(c, &size));
  return ftruncate(c->out, (off_t)size) == 0
             ? AD_OK
             : ad_fail(AD_EIO, "%s: could not be cut to its size: %s", c->path, strerror(errno));
}

int ad_checkpoint_finish(struct ad_checkpoint *checkpoint) {
  struct ad_checkpoint *c = checkpoint;
  int status = c->file >= 0 ? end_file(c) : AD_OK;
  if (status == AD_OK && fsync(c->out) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be synced: %s", c->path, strerror(errno));
  }
  const int closed = close(c->out);
  c->out = -1;
  if (closed != 0 && status == AD_OK) {
    status = ad_fail(AD_EIO, "%s: could not be closed: %s", c->path, strerror(errno));
  }
  ad_checkpoint_close(c);
  return status;
}

void ad_checkpoint_close(struct ad_checkpoint *checkpoint) {
  struct ad_checkpoint *c = checkpoint;
  if (c == NULL) {
    return;
  }
  for (size_t v = 0; v < AD_STATE_VECTORS; v++) {
    ad__hdf5_done(c->flat[v]);
    ad_free(c->stored[v].digests);
  }
  ad__hdf5_done(c->file);
  if (c->fd >= 0) {
    ad_ignore(close(c->fd));
  }
  if (c->out >= 0) {
    ad_ignore(close(c->out));
  }
  ad_free(c->state);
  ad_free(c->path);
  ad_free(c);
}

size_t ad_checkpoint_bytes(const struct ad_params *params, const struct ad_state_vector *vectors, size_t count) {
  enum { TENSOR = PAGE, REST = 1 << 16 }; /* metadata, generously */
  size_t bytes = REST;
  for (size_t v = 0; v < count; v++) {
    bytes += vectors[v].bytes * vectors[v].filled * params->count + params->tensor_count * TENSOR +
             2 * vectors[v].filled * sizeof(uint64_t);
  }
  return bytes;
}
