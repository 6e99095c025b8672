#include "hdf5_file.h"

#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

enum { REASON = 200, GROW = 1 << 20 };

void hdf5_quiet(void) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* HDF5's own report, of which the deepest line says what the system said. */
static herr_t deepest(unsigned depth, const H5E_error2_t *error, void *text) {
  (void)depth;
  snprintf(text, REASON, "%s", error->desc == NULL ? "" : error->desc);
  return 0;
}

int hdf5_fail(int status, const char *path, const char *what) {
  char reason[REASON] = "";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, deepest, reason);
  return ad_fail(status, "%s: %s%s%s", path, what, reason[0] == '\0' ? "" : ": ", reason);
}

hid_t hdf5_open(const char *path) {
  hdf5_quiet();
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_sec2(access); /* whatever HDF5_DRIVER says: a checkpoint's values are read by its file descriptor */
  H5Pset_file_locking(access, 0, 1);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}

static int put_attribute(hid_t object, const char *name, hid_t file_type, hid_t memory_type, hid_t space,
                         const void *values) {
  const hid_t attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
  const int result = attribute < 0 || H5Awrite(attribute, memory_type, values) < 0 ? -1 : 0;
  if (attribute >= 0) {
    H5Aclose(attribute);
  }
  H5Sclose(space);
  return result;
}

int hdf5_put_number(hid_t object, const char *name, uint64_t value) {
  return put_attribute(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, H5Screate(H5S_SCALAR), &value);
}

int hdf5_put_numbers(hid_t object, const char *name, size_t count, const uint64_t *values) {
  const hsize_t shape = count;
  return put_attribute(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, H5Screate_simple(1, &shape, NULL), values);
}

int hdf5_put_text(hid_t object, const char *name, const char *text) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, strlen(text) + 1);
  const int result = put_attribute(object, name, type, type, H5Screate(H5S_SCALAR), text);
  H5Tclose(type);
  return result;
}

int hdf5_get_numbers(hid_t object, const char *name, size_t count, uint64_t *values) {
  const hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
  if (attribute < 0) {
    return -1;
  }
  const hid_t space = H5Aget_space(attribute), type = H5Aget_type(attribute);
  const int fits = H5Sget_simple_extent_npoints(space) == (hssize_t)count && H5Tget_class(type) == H5T_INTEGER;
  const int result = fits && H5Aread(attribute, H5T_NATIVE_UINT64, values) >= 0 ? 0 : -1;
  H5Tclose(type);
  H5Sclose(space);
  H5Aclose(attribute);
  return result;
}

hid_t hdf5_timeless(hid_t kind) {
  const hid_t how = H5Pcreate(kind);
  H5Pset_obj_track_times(how, 0);
  return how;
}

hid_t hdf5_create_image(void) {
  hdf5_quiet();
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS), how = hdf5_timeless(H5P_FILE_CREATE);
  H5Pset_fapl_core(access, GROW, 0);
  /* Objects as virtual datasets need them, but the oldest superblock: a newer one holds a mark that it is being written
   * and a checksum, and the image of an open file has the one without the other. */
  H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110);
  const hid_t file = H5Fcreate("image", H5F_ACC_TRUNC, how, access);
  H5Pclose(how);
  H5Pclose(access);
  return file;
}

int hdf5_put_image(hid_t file, const char *path) {
  const ssize_t size = H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file, NULL, 0);
  void *image = size > 0 ? ad_malloc((size_t)size, 1) : NULL;
  int status = AD_OK;
  if (size > 0 && image == NULL) {
    status = ad_fail_memory((size_t)size, path);
  } else if (size <= 0 || H5Fget_file_image(file, image, (size_t)size) != size) {
    status = hdf5_fail(AD_EIO, path, "could not be made");
  }
  H5Fclose(file);
  if (status == AD_OK) {
    status = ad_file_write(path, image, (size_t)size);
  }
  ad_free(image);
  return status;
}
