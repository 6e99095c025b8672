/* The schema of a checkpoint: making and writing one. checkpoint_read.c reads. */
#include "autodidact/store/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/shard.h"
#include "checkpoint_internal.h"

enum { PAGE = 4096 };

static hid_t type_of(const struct ad_state_vector *vector) {
  return vector->bytes == sizeof(float) ? H5T_IEEE_F32LE : H5T_STD_I64LE;
}

static hid_t memory_type_of(const struct ad_state_vector *vector) {
  return vector->bytes == sizeof(float) ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT64;
}

hid_t checkpoint_memory_type(const struct ad_state_vector *vector) {
  return memory_type_of(vector);
}

/* Shape of a vector: [P], or [filled,P] of one that has several rows or could have. */
static int is_ring(const struct ad_state_vector *vector) {
  return strcmp(vector->name, "window_ring") == 0 || strcmp(vector->name, "past") == 0;
}

int checkpoint_rank(const struct ad_state_vector *vector) {
  return is_ring(vector) ? 2 : 1;
}

/* A text as a dataset of its own: attributes end at 64 KiB. With several writers all write the same. */
static int put_text(hid_t file, const char *name, const char *text) {
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, strlen(text) + 1);
  H5Tset_strpad(type, H5T_STR_NULLTERM);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const int result = set < 0 || H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0 ? -1 : 0;
  if (set >= 0) {
    H5Dclose(set);
  }
  H5Sclose(space);
  H5Tclose(type);
  return result;
}

/* A flat vector without values: its space is taken, nothing is filled in. */
static int make_flat(struct ad_checkpoint *c, hid_t group, size_t v) {
  const struct ad_state_vector *vector = &c->vectors[v];
  const hsize_t ring[2] = {vector->filled, c->P}, plain[1] = {c->P};
  const int rank = checkpoint_rank(vector);
  const hid_t space = H5Screate_simple(rank, rank == 2 ? ring : plain, NULL), how = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_fill_time(how, H5D_FILL_TIME_NEVER);
  H5Pset_alloc_time(how, H5D_ALLOC_TIME_EARLY);
  c->flat[v] = H5Dcreate2(group, vector->name, type_of(vector), space, H5P_DEFAULT, how, H5P_DEFAULT);
  H5Pclose(how);
  H5Sclose(space);
  return c->flat[v] < 0 || hdf5_put_number(c->flat[v], "slots", vector->slots) != 0 ? -1 : 0;
}

/* The tensor as a virtual dataset: the range of the flat vector that it is. */
static int make_tensor(const struct ad_checkpoint *c, hid_t group, const struct ad_state_vector *vector,
                       const struct ad_tensor *tensor) {
  const int ring = checkpoint_rank(vector) == 2, lead = ring ? 1 : 0;
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
    result = set < 0 || H5Dclose(set) < 0 ? -1 : 0;
  }
  H5Pclose(how);
  H5Sclose(of_flat);
  H5Sclose(space);
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
    if (group >= 0) {
      H5Gclose(group);
    }
  }
  if (flat >= 0) {
    H5Gclose(flat);
  }
  return result;
}

struct ad_checkpoint *checkpoint_allocate(const char *path) {
  hdf5_quiet();
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
  c->fd = -1;
  for (size_t v = 0; v < AD_STATE_VECTORS; v++) {
    c->flat[v] = -1;
  }
  return c;
}

int ad_checkpoint_create(struct ad_checkpoint **checkpoint, const char *path, int64_t fapl,
                         const struct ad_params *params, const struct ad_state_vector *vectors, size_t count,
                         uint64_t step, const char *state) {
  struct ad_checkpoint *c = *checkpoint = checkpoint_allocate(path);
  if (c == NULL) {
    return AD_ENOMEM;
  }
  c->P = params->count;
  c->count = count;
  c->step = step;
  c->state = ad_strdup(state);
  if (c->state == NULL) {
    return ad_fail_memory(strlen(state) + 1, "the state of a checkpoint");
  }
  for (size_t v = 0; v < count; v++) {
    snprintf(c->names[v], sizeof c->names[v], "%s", vectors[v].name);
    c->vectors[v] = (struct ad_state_vector){c->names[v], vectors[v].bytes, vectors[v].slots, vectors[v].filled};
  }
  /* Virtual datasets need the format of HDF5 1.10. */
  const hid_t access = fapl >= 0 ? H5Pcopy((hid_t)fapl) : H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pset_alignment(access, PAGE, PAGE); /* whole pages are copied faster, and file systems write them without reading */
  H5Pset_file_locking(access, 0, 1); /* nobody else has the temporary name, and not every file system can lock */
  c->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  if (c->file < 0) {
    return hdf5_fail(AD_EIO, path, "could not be made");
  }
  if (hdf5_put_number(c->file, "format", CHECKPOINT_FORMAT) != 0 || hdf5_put_number(c->file, "step", step) != 0 ||
      put_text(c->file, "state", state) != 0 ||
      hdf5_put_number(c->file, "state_xxh3", ad_digest(state, strlen(state))) != 0 || make_vectors(c, params) != 0) {
    return hdf5_fail(AD_EIO, c->path, "could not be written");
  }
  return AD_OK;
}

static hid_t select_piece(const struct ad_checkpoint *c, size_t vector, size_t slot, size_t flat, size_t length) {
  const hid_t space = H5Dget_space(c->flat[vector]);
  const int rank = checkpoint_rank(&c->vectors[vector]);
  const hsize_t start[2] = {rank == 2 ? slot : flat, flat}, count[2] = {rank == 2 ? 1 : length, length};
  if (length == 0) {
    H5Sselect_none(space);
  } else {
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
  }
  return space;
}

int ad_checkpoint_put(struct ad_checkpoint *checkpoint, int64_t transfer, size_t vector, size_t slot, size_t flat,
                      size_t length, const void *values) {
  struct ad_checkpoint *c = checkpoint;
  const hsize_t shape = length > 0 ? length : 1;
  const hid_t space = select_piece(c, vector, slot, flat, length), memory = H5Screate_simple(1, &shape, NULL);
  if (length == 0) {
    H5Sselect_none(memory);
  }
  const herr_t result = H5Dwrite(c->flat[vector], memory_type_of(&c->vectors[vector]), memory, space,
                                 transfer >= 0 ? (hid_t)transfer : H5P_DEFAULT, values);
  H5Sclose(memory);
  H5Sclose(space);
  return result < 0 ? hdf5_fail(AD_EIO, c->path, "could not be written") : AD_OK;
}

int ad_checkpoint_put_digests(struct ad_checkpoint *checkpoint, size_t vector, const uint64_t *digests) {
  struct ad_checkpoint *c = checkpoint;
  const size_t rows = c->vectors[vector].filled;
  c->stored[vector].digests = ad_malloc(rows, sizeof *digests);
  if (c->stored[vector].digests != NULL) {
    memcpy(c->stored[vector].digests, digests, rows * sizeof *digests);
  }
  /* With several writers all must come to this. */
  const int put = hdf5_put_numbers(c->flat[vector], "xxh3", rows, digests);
  return put != 0                             ? hdf5_fail(AD_EIO, c->path, "could not be written")
         : c->stored[vector].digests == NULL ? ad_fail_memory(rows * sizeof *digests, "the digests of a checkpoint")
                                              : AD_OK;
}

/* Where the values have come to lie, for the index; before the datasets are closed. */
static int make_index(struct ad_checkpoint *c, struct ad_buffer *index) {
  for (size_t v = 0; v < c->count; v++) {
    const haddr_t at = c->vectors[v].filled > 0 ? H5Dget_offset(c->flat[v]) : 0;
    if (at == HADDR_UNDEF || c->stored[v].digests == NULL) {
      return ad_fail(AD_EINTERNAL, "%s: \"%s\" has no place or no digests", c->path, c->vectors[v].name);
    }
    c->stored[v].at = (size_t)at;
  }
  return checkpoint_pack(c, index);
}

int ad_checkpoint_finish(struct ad_checkpoint *checkpoint, struct ad_buffer *index) {
  struct ad_checkpoint *c = checkpoint;
  int status = hdf5_put_number(c->file, "complete", 1) == 0 && H5Fflush(c->file, H5F_SCOPE_GLOBAL) >= 0
                   ? AD_OK
                   : hdf5_fail(AD_EIO, c->path, "could not be written");
  status = status == AD_OK ? make_index(c, index) : status;
  for (size_t v = 0; v < c->count; v++) {
    if (c->flat[v] >= 0 && H5Dclose(c->flat[v]) < 0 && status == AD_OK) {
      status = hdf5_fail(AD_EIO, c->path, "could not be written");
    }
    c->flat[v] = -1;
  }
  const hid_t file = c->file;
  c->file = -1;
  if (H5Fclose(file) < 0 && status == AD_OK) {
    status = hdf5_fail(AD_EIO, c->path, "could not be closed");
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
    if (c->flat[v] >= 0) {
      H5Dclose(c->flat[v]);
    }
    ad_free(c->stored[v].digests);
  }
  if (c->file >= 0) {
    H5Fclose(c->file);
  } else if (c->fd >= 0) {
    close(c->fd);
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
