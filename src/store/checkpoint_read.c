/* Reading a checkpoint: nothing in the file is trusted before it has been checked. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/looks.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run_files.h"
#include "checkpoint_internal.h"

const struct ad__checkpoint_known ad__checkpoint_known[CHECKPOINT_KNOWN] = {
    {"student", 4},     {"moment1", 4}, {"moment2", 4}, {"teacher", 4}, {"window_sum", 8},
    {"window_ring", 4}, {"run_sum", 8}, {"past", 4},    {"best", 4}};

enum { MOST_SLOTS = 1 << 30 };

/* Reads the dataset "state", one text; c->state is NULL where it is no such text. AD_EINPUT, AD_ENOMEM. */
static int get_state(struct ad_checkpoint *c) {
  hid_t set;
  AD_TRY(ad__hdf5_open_set(c->file, c->path, "state", 0, &set));
  if (set < 0) {
    return AD_OK;
  }
  const hid_t type = H5Dget_type(set), space = H5Dget_space(set);
  const size_t size = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 ? H5Tget_size(type) : 0;
  int status = AD_OK;
  if (size > 0 && size <= CHECKPOINT_MOST_STATE && H5Sget_simple_extent_npoints(space) == 1) {
    c->state = ad_calloc(size + 1, 1);
    status = c->state == NULL ? ad_fail_memory(size, "the state of a checkpoint")
             : H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, c->state) < 0
                 ? ad__hdf5_fail(AD_EINPUT, c->path, "state")
                 : AD_OK;
  }
  ad__hdf5_done(space);
  ad__hdf5_done(type);
  ad__hdf5_done(set);
  return status;
}

int ad__checkpoint_damaged(const struct ad_checkpoint *c, const char *what) {
  return ad_looks_explain_file(ad_fail(AD_EINPUT, "%s: %s: not a whole checkpoint of this program", c->path, what),
                               AD_LOOKS_HDF5, c->path);
}

int ad__checkpoint_add(struct ad_checkpoint *c, size_t which, uint64_t P, uint64_t rows, uint64_t slots, uint64_t at) {
  const size_t v = c->count, bytes = ad__checkpoint_known[which].bytes, most = c->size / bytes;
  c->vectors[v] = (struct ad_state_vector){c->names[v], bytes, (size_t)slots, (size_t)rows};
  snprintf(c->names[v], sizeof c->names[v], "%s", ad__checkpoint_known[which].name);
  const int ring = ad__checkpoint_rank(&c->vectors[v]) == 2;
  /* The values must be there before anybody asks for memory to read them into. What a ring without rows has for its
   * place does not matter. */
  if (P == 0 || P >= most || rows > most / P || (rows > 0 && (at > c->size || rows * P * bytes > c->size - at)) ||
      (v > 0 && P != c->P) || slots == 0 || slots > MOST_SLOTS || (ring ? rows > slots : rows != 1 || slots != 1)) {
    return -1;
  }
  c->P = (size_t)P;
  c->stored[v].at = rows > 0 ? (size_t)at : 0;
  c->count++;
  return 0;
}

/* Each row has a digest. */
static int read_digests(struct ad_checkpoint *c, size_t v) {
  const size_t rows = c->vectors[v].filled;
  c->stored[v].digests = ad_calloc(rows, sizeof(uint64_t));
  if (c->stored[v].digests == NULL) {
    return ad_fail_memory(rows * sizeof(uint64_t), "the digests of a checkpoint");
  }
  return ad__hdf5_get_numbers(c->flat[v], "xxh3", rows, c->stored[v].digests) == 0
             ? AD_OK
             : ad__checkpoint_damaged(c, "it has no digests");
}

/* Whether the values lie in the file as they do in memory, one after another, all of them: they are read without HDF5,
 * straight to where they belong. */
static int is_plain(hid_t set, hid_t memory_type, hsize_t bytes) {
  const hid_t how = H5Dget_create_plist(set), type = H5Dget_type(set);
  const int fits = H5Pget_layout(how) == H5D_CONTIGUOUS && H5Tequal(type, memory_type) > 0 &&
                   H5Dget_storage_size(set) == bytes && (bytes == 0 || H5Dget_offset(set) != HADDR_UNDEF);
  ad__hdf5_done(type);
  ad__hdf5_done(how);
  return fits;
}

/* Opens the vector number `which`, if it is there, and takes its shape. */
static int open_vector(struct ad_checkpoint *c, size_t which) {
  char path[64];
  snprintf(path, sizeof path, "/flat/%s", ad__checkpoint_known[which].name);
  const size_t v = c->count;
  AD_TRY(ad__hdf5_open_set(c->file, c->path, path, 0, &c->flat[v]));
  if (c->flat[v] < 0) {
    return AD_OK;
  }
  uint64_t slots = 0;
  hsize_t shape[2] = {0, 0};
  const hid_t space = H5Dget_space(c->flat[v]);
  const int rank = H5Sget_simple_extent_ndims(space);
  const int fits = (rank == 1 || rank == 2) && H5Sget_simple_extent_dims(space, shape, NULL) == rank &&
                   ad__hdf5_get_numbers(c->flat[v], "slots", 1, &slots) == 0;
  ad__hdf5_done(space);
  const uint64_t P = rank == 2 ? shape[1] : shape[0], rows = rank == 2 ? shape[0] : 1;
  if (!fits || ad__checkpoint_add(c, which, P, rows, slots, H5Dget_offset(c->flat[v])) != 0 ||
      ad__checkpoint_rank(&c->vectors[v]) != rank ||
      !is_plain(c->flat[v], ad__checkpoint_memory_type(&c->vectors[v]), P * rows * ad__checkpoint_known[which].bytes)) {
    return ad__checkpoint_damaged(c, path);
  }
  return read_digests(c, v);
}

static int open_all(struct ad_checkpoint *c) {
  uint64_t format, complete, digest;
  if (ad__hdf5_get_numbers(c->file, "format", 1, &format) != 0 ||
      ad__hdf5_get_numbers(c->file, "step", 1, &c->step) != 0) {
    return ad__checkpoint_damaged(c, "it has no format");
  }
  if (format != CHECKPOINT_FORMAT) {
    return ad_fail(AD_EINPUT, "%s: checkpoint of format %" PRIu64 ", this program reads %d", c->path, format,
                   CHECKPOINT_FORMAT);
  }
  if (ad__hdf5_get_numbers(c->file, "complete", 1, &complete) != 0 || complete != 1) {
    return ad__checkpoint_damaged(c, "it was not written to its end");
  }
  AD_TRY(get_state(c));
  if (c->state == NULL || ad__hdf5_get_numbers(c->file, "state_xxh3", 1, &digest) != 0 ||
      ad_digest(c->state, strlen(c->state)) != digest) {
    return ad__checkpoint_damaged(c, "its state does not match its digest");
  }
  for (size_t i = 0; i < CHECKPOINT_KNOWN; i++) {
    AD_TRY(open_vector(c, i));
  }
  if (c->count == 0 || strcmp(c->vectors[0].name, "student") != 0) {
    return ad__checkpoint_damaged(c, "it has no student");
  }
  return AD_OK;
}

int ad__checkpoint_check_count(const struct ad_checkpoint *c, const struct ad_params *params) {
  return params == NULL || params->count == c->P
             ? AD_OK
             : ad_fail(AD_EINPUT, "%s: it holds %zu parameters, the model has %zu", c->path, c->P, params->count);
}

int ad__checkpoint_open_file(struct ad_checkpoint **checkpoint, const char *path) {
  struct stat info;
  struct ad_checkpoint *c = *checkpoint = ad__checkpoint_allocate(path);
  if (c == NULL) {
    return AD_ENOMEM;
  }
  AD_TRY(ad_file_check(path));
  c->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (c->fd < 0 || fstat(c->fd, &info) != 0) {
    return ad_fail(AD_EINPUT, "%s: could not be opened: %s", path, strerror(errno));
  }
  c->size = (size_t)info.st_size;
  return AD_OK;
}

int ad_checkpoint_open(struct ad_checkpoint **checkpoint, const char *path, const struct ad_params *params) {
  int status = ad__checkpoint_open_file(checkpoint, path);
  struct ad_checkpoint *c = *checkpoint;
  status = status == AD_OK ? ad__hdf5_open(path, &c->file) : status;
  status = status == AD_OK ? open_all(c) : status;
  status = status == AD_OK ? ad__checkpoint_check_count(c, params) : status;
  if (status != AD_OK) {
    ad_checkpoint_close(c);
    *checkpoint = NULL;
  }
  return status;
}

uint64_t ad_checkpoint_step(const struct ad_checkpoint *checkpoint) {
  return checkpoint->step;
}

const char *ad_checkpoint_state(const struct ad_checkpoint *checkpoint) {
  return checkpoint->state;
}

size_t ad_checkpoint_floats(const struct ad_checkpoint *checkpoint) {
  return checkpoint->P;
}

size_t ad_checkpoint_vectors(const struct ad_checkpoint *checkpoint, const struct ad_state_vector **vectors) {
  *vectors = checkpoint->vectors;
  return checkpoint->count;
}

int ad_checkpoint_find(const struct ad_checkpoint *checkpoint, const char *name) {
  for (size_t v = 0; v < checkpoint->count; v++) {
    if (strcmp(checkpoint->vectors[v].name, name) == 0) {
      return (int)v;
    }
  }
  return -1;
}

int ad__checkpoint_pread(const struct ad_checkpoint *c, size_t at, size_t size, void *bytes) {
  for (size_t done = 0; done < size;) {
    const ssize_t count = pread(c->fd, (char *)bytes + done, size - done, (off_t)(at + done));
    if (count == 0) {
      return ad__checkpoint_damaged(c, "it ends too early");
    }
    if (count < 0 && errno != EINTR) {
      return ad_fail(AD_EINPUT, "%s: could not be read: %s", c->path, strerror(errno));
    }
    done += count > 0 ? (size_t)count : 0;
  }
  return AD_OK;
}

int ad_checkpoint_get(const struct ad_checkpoint *checkpoint, size_t vector, size_t slot, size_t flat, size_t length,
                      void *values) {
  const struct ad_checkpoint *c = checkpoint;
  if (length == 0) {
    return AD_OK;
  }
  if (vector >= c->count || slot >= c->vectors[vector].filled || flat > c->P || length > c->P - flat) {
    return ad_fail(AD_EINTERNAL, "%s: a piece beyond a vector's end", c->path);
  }
  const size_t bytes = c->vectors[vector].bytes;
  return ad__checkpoint_pread(c, c->stored[vector].at + (slot * c->P + flat) * bytes, length * bytes, values);
}

const uint64_t *ad_checkpoint_digests(const struct ad_checkpoint *checkpoint, size_t vector) {
  return checkpoint->stored[vector].digests;
}

const char *ad_checkpoint_name(uint64_t step, char name[AD_CHECKPOINT_NAME]) {
  snprintf(name, AD_CHECKPOINT_NAME, "%s/step-%09" PRIu64 ".h5", AD_RUN_FOLDER_CHECKPOINTS, step);
  return name;
}

char *ad_checkpoint_path(const char *run, uint64_t step) {
  char name[AD_CHECKPOINT_NAME];
  return ad_path_join(run, ad_checkpoint_name(step, name));
}

static int newest_first(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* The step in "step-000000123.h5", or -1. */
static int64_t step_of(const char *name) {
  char *end;
  if (strncmp(name, "step-", 5) != 0 || name[5] < '0' || name[5] > '9') {
    return -1;
  }
  const unsigned long long step = strtoull(name + 5, &end, 10);
  return strcmp(end, ".h5") == 0 && step < INT64_MAX ? (int64_t)step : -1;
}

int ad_checkpoint_list(const char *run, uint64_t **steps, size_t *count) {
  void *list = NULL;
  size_t capacity = 0;
  char *path = ad_path_join(run, AD_RUN_FOLDER_CHECKPOINTS);
  *steps = NULL;
  *count = 0;
  if (path == NULL) {
    return ad_fail_memory(strlen(run) + 16, "a path");
  }
  DIR *folder = opendir(path);
  int status = folder == NULL && errno != ENOENT ? ad_fail(AD_EIO, "%s: %s", path, strerror(errno)) : AD_OK;
  for (const struct dirent *entry = folder == NULL ? NULL : readdir(folder); status == AD_OK && entry != NULL;
       entry = readdir(folder)) {
    const int64_t step = step_of(entry->d_name);
    if (step >= 0) {
      status = ad_reserve(&list, &capacity, *count + 1, sizeof **steps);
      if (status == AD_OK) {
        ((uint64_t *)list)[(*count)++] = (uint64_t)step;
      }
    }
  }
  if (folder != NULL) {
    ad_ignore(closedir(folder));
  }
  ad_free(path);
  if (status != AD_OK) {
    ad_free(list);
    *count = 0;
    return status;
  }
  *steps = list;
  if (*count > 0) {
    qsort(list, *count, sizeof **steps, newest_first);
  }
  return AD_OK;
}
