/* A checkpoint compared with itself: digests, sums, and what its virtual datasets show. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/guard.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/window.h"
#include "autodidact/model/shard.h"
#include "checkpoint_internal.h"

enum { PIECE = 64 * AD_BLOCK /* elements that are read at once, at least */ };

static int damaged(const struct ad_checkpoint *c, const char *what, const char *name) {
  return ad_fail(AD_EINPUT, "%s: damaged: %s \"%s\"", c->path, what, name);
}

/* --- The table of parameters, from the names and shapes of the student's tensors --- */

/* Rows and columns of the tensor (columns 1 of a vector); 0 where there is none of that name. AD_EINPUT. */
static int shape_of(void *context, const char *tensor, uint32_t shape[2]) {
  const struct ad_checkpoint *c = context;
  char path[160];
  hsize_t found[2] = {0, 1};
  hid_t set;
  snprintf(path, sizeof path, "/student/%s", tensor);
  shape[0] = shape[1] = 0;
  AD_TRY(ad__hdf5_open_set(c->file, c->path, path, 1, &set));
  if (set < 0) {
    return AD_OK;
  }
  const hid_t space = H5Dget_space(set);
  const int rank = H5Sget_simple_extent_ndims(space);
  const int fits = (rank == 1 || rank == 2) && H5Sget_simple_extent_dims(space, found, NULL) == rank &&
                   found[0] <= UINT32_MAX && found[1] <= UINT32_MAX;
  ad__hdf5_done(space);
  ad__hdf5_done(set);
  shape[0] = fits ? (uint32_t)found[0] : 0;
  shape[1] = fits ? (uint32_t)found[1] : 0;
  return AD_OK;
}

int ad_checkpoint_params(const struct ad_checkpoint *checkpoint, struct ad_params *params) {
  const struct ad_checkpoint *c = checkpoint;
  struct ad_model_config config;
  *params = (struct ad_params){0};
  AD_TRY(ad_params_recognise(&config, shape_of, (void *)(uintptr_t)c));
  const int status = ad_params_create(params, &config);
  if (status == AD_ECONFIG || (status == AD_OK && params->count != c->P)) {
    ad_params_destroy(params);
    *params = (struct ad_params){0};
    return damaged(c, "the shapes of the tensors are no model's in", "student");
  }
  return status;
}

/* --- Virtual datasets --- */

/* Whether a tensor's dataset is the range of the flat vector that it should be. */
static int shows_tensor(hid_t set, const struct ad_checkpoint *c, size_t v, const struct ad_tensor *tensor) {
  const struct ad_state_vector *vector = &c->vectors[v];
  const int lead = ad__checkpoint_rank(vector) - 1, rank = lead + (tensor->vector ? 1 : 2);
  hsize_t shape[3] = {0}, begin[2] = {0}, end[2] = {0};
  char file[8] = "", name[64] = "", flat[64];
  snprintf(flat, sizeof flat, "/flat/%s", vector->name);
  const hid_t space = H5Dget_space(set), type = H5Dget_type(set), how = H5Dget_create_plist(set);
  int good = H5Sget_simple_extent_ndims(space) == rank && H5Sget_simple_extent_dims(space, shape, NULL) == rank &&
             (lead == 0 || shape[0] == vector->filled) && shape[lead] == tensor->rows &&
             (tensor->vector || shape[lead + 1] == tensor->columns) && H5Tget_size(type) == vector->bytes &&
             H5Tget_class(type) == (vector->bytes == 4 ? H5T_FLOAT : H5T_INTEGER);
  if (good && vector->filled > 0) {
    size_t maps = 0;
    good = H5Pget_layout(how) == H5D_VIRTUAL && H5Pget_virtual_count(how, &maps) >= 0 && maps == 1 &&
           H5Pget_virtual_filename(how, 0, file, sizeof file) == 1 && file[0] == '.' &&
           H5Pget_virtual_dsetname(how, 0, name, sizeof name) > 0 && strcmp(name, flat) == 0;
    const hid_t source = good ? H5Pget_virtual_srcspace(how, 0) : -1;
    good = source >= 0 && H5Sget_select_bounds(source, begin, end) >= 0 && begin[lead] == tensor->offset &&
           end[lead] == tensor->offset + tensor->count - 1 &&
           (lead == 0 || (begin[0] == 0 && end[0] == vector->filled - 1)) &&
           H5Sget_select_npoints(source) == (hssize_t)(vector->filled * tensor->count);
    ad__hdf5_done(source);
  }
  ad__hdf5_done(how);
  ad__hdf5_done(type);
  ad__hdf5_done(space);
  return good;
}

static int check_tensors(const struct ad_checkpoint *c, const struct ad_params *params, size_t v) {
  for (size_t i = 0; i < params->tensor_count; i++) {
    char path[160];
    snprintf(path, sizeof path, "/%s/%s", c->vectors[v].name, params->tensors[i].name);
    hid_t set;
    AD_TRY(ad__hdf5_open_set(c->file, c->path, path, 1, &set));
    const int good = set >= 0 && shows_tensor(set, c, v, &params->tensors[i]);
    ad__hdf5_done(set);
    if (!good) {
      return damaged(c, "not there, or not the part of the flat vector that it should be:", path);
    }
  }
  return AD_OK;
}

/* --- Values --- */

/* The digest of a row, and of its part that is trained. `room` has space for the longest piece. */
static int digest_row(const struct ad_checkpoint *c, const struct ad_params *params, size_t v, size_t row, void *room,
                      uint64_t *all, uint64_t *trained) {
  *all = *trained = 0;
  for (uint32_t b = 0; b < params->buckets; b++) {
    const size_t end = params->bucket_begin[b + 1];
    for (size_t at = params->bucket_begin[b], length; at < end; at += length) {
      length = ad_block_run(params, b, at, end, PIECE);
      AD_TRY(ad_checkpoint_get(c, v, row, at, length, room));
      const uint64_t digest = ad_block_digest(params, b, at, length, c->vectors[v].bytes, room);
      *all += digest;
      *trained += b >= params->frozen ? digest : 0;
    }
  }
  return AD_OK;
}

static int check_vector(const struct ad_checkpoint *c, const struct ad_params *params, size_t v, void *room,
                        uint64_t *student) {
  const size_t rows = c->vectors[v].filled;
  const uint64_t *stored = ad_checkpoint_digests(c, v);
  uint64_t found, trained;
  int status = AD_OK;
  for (size_t row = 0; status == AD_OK && row < rows; row++) {
    status = digest_row(c, params, v, row, room, &found, &trained);
    if (status == AD_OK && found != stored[row]) {
      status = ad_fail(AD_EINPUT, "%s: damaged: row %zu of \"%s\" does not match its digest", c->path, row,
                       c->vectors[v].name);
    }
    if (v == 0) {
      *student = trained;
    }
  }
  return status;
}

/* A piece of the window's sum, from the ring's rows. values [length]; sums [2,length]: as stored, and made again. */
static int compare_sums(const struct ad_checkpoint *c, const struct ad_params *params, size_t sum, size_t ring,
                        size_t at, size_t length, float *values, int64_t *sums) {
  const double scale = ad_window_scale(c->vectors[ring].slots);
  AD_TRY(ad_checkpoint_get(c, sum, 0, at, length, sums));
  memset(sums + length, 0, length * sizeof *sums);
  for (size_t row = 0; row < c->vectors[ring].filled; row++) {
    AD_TRY(ad_checkpoint_get(c, ring, row, at, length, values));
    for (size_t i = 0; i < length; i++) {
      /* As unsigned numbers, which may wrap: the values are not to be trusted. */
      const int64_t value = values[i] > -64.0f && values[i] < 64.0f ? ad_window_fixed(scale, values[i]) : 0;
      sums[length + i] = (int64_t)((uint64_t)sums[length + i] + (uint64_t)value);
    }
  }
  for (size_t i = 0; i < length; i++) {
    if (sums[i] != sums[length + i]) {
      size_t t = 0;
      while (t + 1 < params->tensor_count && params->tensors[t + 1].offset <= at + i) {
        t++;
      }
      return ad_fail(AD_EINPUT, "%s: the window's sum is %" PRId64 " at element %zu of %s, its ring gives %" PRId64,
                     c->path, sums[i], at + i - params->tensors[t].offset, params->tensors[t].name, sums[length + i]);
    }
  }
  return AD_OK;
}

static int check_window(const struct ad_checkpoint *c, const struct ad_params *params) {
  const int sum = ad_checkpoint_find(c, "window_sum"), ring = ad_checkpoint_find(c, "window_ring");
  if (sum < 0 || ring < 0) {
    return AD_OK; /* of all students so far there is no ring, of one no sum */
  }
  float *values = ad_malloc(PIECE, sizeof *values);
  int64_t *sums = ad_malloc(2 * PIECE, sizeof *sums);
  int status = values == NULL || sums == NULL ? ad_fail_memory(PIECE * 20, "a piece of the window") : AD_OK;
  for (size_t at = ad_params_frozen(params); status == AD_OK && at < c->P; at += PIECE) {
    status =
        compare_sums(c, params, (size_t)sum, (size_t)ring, at, c->P - at < PIECE ? c->P - at : PIECE, values, sums);
  }
  ad_free(values);
  ad_free(sums);
  return status;
}

struct probe {
  const char *path;
  int tensors;
};

static int look(void *context) {
  const struct probe *probe = context;
  struct ad_checkpoint *c;
  struct ad_params params;
  AD_TRY(ad_checkpoint_open(&c, probe->path, NULL));
  int status = AD_OK;
  if (probe->tensors) {
    AD_TRY(ad_checkpoint_params(c, &params));
    for (size_t v = 0; v < c->count && status == AD_OK; v++) {
      status = check_tensors(c, &params, v);
    }
    ad_params_destroy(&params);
  }
  ad_checkpoint_close(c);
  return status;
}

int ad_checkpoint_probe(const char *path, int tensors) {
  struct probe probe = {path, tensors};
  return ad_guard(path, look, &probe);
}

/* The index tells what HDF5 does. */
static int check_index(const struct ad_checkpoint *c) {
  struct ad_buffer told = {0}, expected = {0};
  int status = ad_checkpoint_index(c->path, &told);
  status = status == AD_OK ? ad__checkpoint_pack(c, &expected) : status;
  if (status == AD_OK && (told.size != expected.size || memcmp(told.data, expected.data, told.size) != 0)) {
    status = ad_fail(AD_EINPUT, "%s: damaged: its index tells something else than HDF5 does", c->path);
  }
  ad_buffer_destroy(&told);
  ad_buffer_destroy(&expected);
  return status;
}

int ad_checkpoint_check(const struct ad_checkpoint *checkpoint, const struct ad_params *params, uint64_t *student) {
  const struct ad_checkpoint *c = checkpoint;
  const size_t most = ad_block_run_most(params, PIECE);
  void *room = ad_malloc(most, sizeof(int64_t));
  int status = room == NULL ? ad_fail_memory(most * sizeof(int64_t), "a piece of a checkpoint") : AD_OK;
  for (size_t v = 0; status == AD_OK && v < c->count; v++) {
    status = check_vector(c, params, v, room, student);
    status = status == AD_OK ? check_tensors(c, params, v) : status;
  }
  ad_free(room);
  status = status == AD_OK ? check_index(c) : status;
  return status == AD_OK ? check_window(c, params) : status;
}
