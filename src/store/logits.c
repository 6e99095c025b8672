/* Logits of one evaluation as an HDF5 file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/guard.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/logits.h"
#include "autodidact/task/heads.h"
#include "hdf5_file.h"

enum { LOGITS_FORMAT = 1 };

/* The student's have no name of their own in it. */
const char *ad_logits_name(enum ad_variant variant, uint64_t step, char name[AD_LOGITS_NAME]) {
  const int named = variant != AD_VARIANT_STUDENT;
  snprintf(name, AD_LOGITS_NAME, "dev-%s%sstep-%08" PRIu64 ".h5", named ? ad_variant_name(variant) : "",
           named ? "-" : "", step);
  return name;
}

int ad_logits_name_read(const char *name, enum ad_variant *variant, uint64_t *step) {
  char model[16] = "student";
  if (sscanf(name, "dev-step-%19" SCNu64, step) != 1 &&
      sscanf(name, "dev-%15[a-z]-step-%19" SCNu64, model, step) != 2) {
    return 0;
  }
  *variant = ad_variant_find(model);
  return *variant < AD_VARIANTS;
}

/* One dataset of the file, written whole. 0 or -1. */
static int put(hid_t file, const char *name, hid_t type, int rank, const hsize_t *shape, const void *data, size_t bytes,
               const char *unit, const char *meaning) {
  const hid_t space = H5Screate_simple(rank, shape, NULL), how = ad__hdf5_timeless(H5P_DATASET_CREATE);
  const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
  int failed = set < 0 || H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0 ||
               ad__hdf5_put_number(set, "xxh3", ad_digest(data, bytes)) != 0 ||
               ad__hdf5_put_text(set, "unit", unit) != 0 || ad__hdf5_put_text(set, "meaning", meaning) != 0;
  failed = ad__hdf5_close(set) != 0 || failed;
  ad__hdf5_done(how);
  ad__hdf5_done(space);
  return failed ? -1 : 0;
}

int ad_logits_write(const char *path, struct ad_labels labels, size_t C, const float *logits) {
  const hid_t file = ad__hdf5_create_image();
  const size_t N = labels.count, Q = ad_task_words(labels.task, C);
  const hsize_t shape[2] = {N, C}, words[2] = {N, Q};
  const int named = labels.task != ad_task_find(NULL); /* files of the first task have never named it */
  if (file < 0 || ad__hdf5_put_number(file, "format", LOGITS_FORMAT) != 0 ||
      (named && ad__hdf5_put_text(file, "task", labels.task->name) != 0) ||
      put(file, "logits", H5T_IEEE_F32LE, 2, shape, logits, N * C * sizeof *logits, "1",
          "logits of each example, in the order of the data") != 0 ||
      put(file, "labels", H5T_STD_U32LE, Q == 1 ? 1 : 2, words, labels.words, N * Q * sizeof *labels.words,
          labels.task->classes == AD_CLASSES_ONE ? "class" : "1", "label of each example") != 0) {
    const int status = ad__hdf5_fail(AD_EIO, path, "could not be made");
    ad__hdf5_done(file);
    return status;
  }
  return ad__hdf5_put_image(file, path);
}

static int damaged(const char *path, const char *what) {
  return ad_fail(AD_EINPUT, "%s: %s: not a whole file of logits", path, what);
}

/* A dataset of this type, of so many dimensions at least and 2 at most, the first of shape[0]; shape of 0: any. What it
 * has is in shape [2] then, 1 for a dimension that is not there. */
static int get(hid_t file, const char *path, const char *name, hid_t type, int least, hsize_t *shape, size_t element,
               void **values) {
  hid_t set;
  AD_TRY(ad__hdf5_open_set(file, path, name, 0, &set));
  if (set < 0) {
    return damaged(path, name);
  }
  hsize_t found[2] = {0, 1}, size = 0;
  uint64_t digest;
  const hid_t space = H5Dget_space(set), stored = H5Dget_type(set);
  const int rank = H5Sget_simple_extent_ndims(space);
  int status = AD_OK;
  if (H5Tequal(stored, type) <= 0 || rank < least || rank > 2 ||
      H5Sget_simple_extent_dims(space, found, NULL) != rank || H5Fget_filesize(file, &size) < 0 || found[0] == 0 ||
      found[1] == 0 || found[0] > size / found[1] || found[0] * found[1] > size / element ||
      H5Dget_storage_size(set) != found[0] * found[1] * element || (shape[0] > 0 && shape[0] != found[0])) {
    status = damaged(path, name);
  }
  const size_t bytes = status == AD_OK ? (size_t)(found[0] * found[1]) * element : 0;
  *values = status == AD_OK ? ad_malloc(bytes, 1) : NULL;
  if (status == AD_OK && *values == NULL) {
    status = ad_fail_memory(bytes, path);
  }
  if (status == AD_OK && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *values) < 0) {
    status = ad__hdf5_fail(AD_EINPUT, path, name);
  }
  if (status == AD_OK && (ad__hdf5_get_numbers(set, "xxh3", 1, &digest) != 0 || ad_digest(*values, bytes) != digest)) {
    status =
        ad_fail(AD_EINPUT, "%s: %s does not have the digest that was stored with it: the file is damaged", path, name);
  }
  memcpy(shape, found, sizeof found);
  ad__hdf5_done(stored);
  ad__hdf5_done(space);
  ad__hdf5_done(set);
  return status;
}

static const struct ad_task *read_task(hid_t file) {
  char name[AD_TASK_NAME];
  return H5Aexists(file, "task") <= 0                              ? ad_task_find(NULL)
         : ad__hdf5_get_text(file, "task", sizeof name, name) == 0 ? ad_task_named(name)
                                                                   : NULL;
}

static int read_file(struct ad_logits *out, const char *path) {
  *out = (struct ad_logits){0};
  hid_t file;
  AD_TRY(ad__hdf5_open(path, &file));
  hsize_t shape[2] = {0, 0}, words[2] = {0, 0};
  uint64_t format = 0;
  void *logits = NULL, *labels = NULL;
  int status = ad__hdf5_get_numbers(file, "format", 1, &format) != 0 ? damaged(path, "it has no format") : AD_OK;
  if (status == AD_OK && format != LOGITS_FORMAT) {
    status = ad_fail(AD_EINPUT, "%s: logits of format %" PRIu64 ", this program reads %d", path, format, LOGITS_FORMAT);
  }
  status = status == AD_OK ? get(file, path, "logits", H5T_IEEE_F32LE, 2, shape, sizeof(float), &logits) : status;
  words[0] = shape[0];
  status = status == AD_OK ? get(file, path, "labels", H5T_STD_U32LE, 1, words, sizeof(uint32_t), &labels) : status;
  *out = (struct ad_logits){.task = status == AD_OK ? read_task(file) : NULL,
                            .N = (size_t)shape[0],
                            .C = (size_t)shape[1],
                            .Q = (size_t)words[1],
                            .logits = logits,
                            .labels = labels};
  ad__hdf5_done(file);
  if (status != AD_OK) {
    ad_logits_destroy(out);
  }
  return status;
}

/* HDF5 may crash on a damaged file. */
static int look(void *context) {
  struct ad_logits logits;
  const int status = read_file(&logits, context);
  ad_logits_destroy(&logits);
  return status;
}

int ad_logits_read(struct ad_logits *out, const char *path) {
  *out = (struct ad_logits){0};
  AD_TRY(ad_guard(path, look, (void *)(uintptr_t)path));
  return read_file(out, path);
}

void ad_logits_destroy(struct ad_logits *logits) {
  ad_free(logits->logits);
  ad_free(logits->labels);
  *logits = (struct ad_logits){0};
}
