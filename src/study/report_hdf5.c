#include "report_hdf5.h"

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

hid_t report_open(const char *path) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
}

/* 1 where every link on the way exists. */
static int exists(hid_t file, const char *name) {
  char part[200];
  for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    const size_t length = (size_t)(slash - name);
    if (length >= sizeof part) {
      return 0;
    }
    memcpy(part, name, length);
    part[length] = '\0';
    if (H5Lexists(file, part, H5P_DEFAULT) <= 0) {
      return 0;
    }
  }
  return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

int report_read(hid_t file, const char *name, hid_t type, int rank, size_t most, size_t *shape, void **data) {
  *data = NULL;
  const hid_t set = exists(file, name) ? H5Dopen2(file, name, H5P_DEFAULT) : -1;
  if (set < 0) {
    return 0;
  }
  const hid_t space = H5Dget_space(set);
  hsize_t extent[4] = {0};
  size_t count = 1;
  int result = space >= 0 && rank <= 4 && H5Sget_simple_extent_ndims(space) == rank &&
               H5Sget_simple_extent_dims(space, extent, NULL) == rank;
  for (int d = 0; d < rank && result; d++) {
    result = extent[d] > 0 && extent[d] <= most / count;
    count *= result ? (size_t)extent[d] : 1;
    shape[d] = (size_t)extent[d];
  }
  if (result) {
    *data = ad_malloc(count, H5Tget_size(type));
    if (*data == NULL) {
      result = ad_fail_memory(count * H5Tget_size(type), name);
    } else if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *data) < 0) {
      ad_free(*data);
      *data = NULL;
      result = 0;
    }
  }
  if (space >= 0) {
    H5Sclose(space);
  }
  H5Dclose(set);
  return result;
}
