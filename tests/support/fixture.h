/* Reading the HDF5 files of expected numbers under tests/parity/data. Whatever is not as expected fails the test. */
#ifndef AUTODIDACT_TESTS_SUPPORT_FIXTURE_H
#define AUTODIDACT_TESTS_SUPPORT_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <hdf5.h>

/* Opens tests/parity/data/NAME. The caller closes it: fixture_close. */
static inline hid_t fixture_open(const char *name) {
  char path[4096];
  const char *source = getenv("AD_SOURCE");
  snprintf(path, sizeof path, "%s/tests/parity/data/%s", source == NULL ? "." : source, name);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) {
    fail_msg("%s cannot be read: run from the top of the source tree or set AD_SOURCE to it", path);
  }
  return file;
}

static inline void fixture_close(hid_t file) {
  assert_true(H5Fclose(file) >= 0);
}

/* Elements of a dataset. */
static inline size_t fixture_count(hid_t file, const char *path) {
  const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  if (dataset < 0) {
    fail_msg("no dataset %s", path);
  }
  const hid_t space = H5Dget_space(dataset);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  H5Dclose(dataset);
  assert_true(count >= 0);
  return (size_t)count;
}

/* Reads the whole dataset, which must have `count` elements, converted to `type` (H5T_NATIVE_FLOAT, ...). */
static inline void fixture_read(hid_t file, const char *path, hid_t type, size_t count, void *out) {
  const size_t found = fixture_count(file, path);
  if (found != count) {
    fail_msg("%s has %zu elements, expected %zu", path, found, count);
  }
  const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  assert_true(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
  H5Dclose(dataset);
}

/* The same into new memory, to be released by free(); *count elements. */
static inline void *fixture_read_new(hid_t file, const char *path, hid_t type, size_t *count) {
  *count = fixture_count(file, path);
  void *values = malloc((*count + 1) * H5Tget_size(type));
  assert_non_null(values);
  fixture_read(file, path, type, *count, values);
  return values;
}

static inline double fixture_scalar(hid_t file, const char *path) {
  double value;
  fixture_read(file, path, H5T_NATIVE_DOUBLE, 1, &value);
  return value;
}

/* A number stored as an attribute of the file. */
static inline double fixture_number(hid_t file, const char *name) {
  const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  if (attribute < 0) {
    fail_msg("no attribute %s", name);
  }
  double value;
  assert_true(H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) >= 0);
  H5Aclose(attribute);
  return value;
}

/* A text stored as an attribute (fixed length) into text [size]. */
static inline void fixture_text(hid_t file, const char *name, size_t size, char *text) {
  const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  if (attribute < 0) {
    fail_msg("no attribute %s", name);
  }
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  assert_true(H5Aread(attribute, type, text) >= 0);
  H5Tclose(type);
  H5Aclose(attribute);
}

/* The Euclidean norm, and the norm of a - b, in double. */
static inline double norm(size_t n, const float *a) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += (double)a[i] * a[i];
  }
  return sqrt(sum);
}

static inline double distance(size_t n, const float *a, const float *b) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
  }
  return sqrt(sum);
}

#endif
