#include <hdf5.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run.h"

/* One dataset of the file, written whole. 0 or -1. */
static int write_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *shape, const void *data) {
  const hid_t space = H5Screate_simple(rank, shape, NULL);
  const hid_t set = space < 0 ? -1 : H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  int result = set < 0 || H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0 ? -1 : 0;
  if (set >= 0 && H5Dclose(set) < 0) {
    result = -1;
  }
  if (space >= 0 && H5Sclose(space) < 0) {
    result = -1;
  }
  return result;
}

int ad_run_keep_logits(const struct ad_run *run, const char *name, size_t N, size_t C, const float *logits,
                       const uint32_t *labels) {
  char *folder = ad_path_join(run->folder, "logits");
  char *path = folder == NULL ? NULL : ad_path_join(folder, name);
  int status = AD_OK;
  if (path == NULL) {
    status = ad_fail_memory(strlen(run->folder) + strlen(name) + 16, "a path");
    goto out;
  }
  AD_TRY_GOTO(ad_make_folders(folder), out);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t shape[2] = {N, C};
  int failed = file < 0 || write_dataset(file, "logits", H5T_NATIVE_FLOAT, 2, shape, logits) != 0 ||
               write_dataset(file, "labels", H5T_NATIVE_UINT32, 1, shape, labels) != 0;
  if (file >= 0 && H5Fclose(file) < 0) {
    failed = 1;
  }
  if (failed) {
    status = ad_fail(AD_EIO, "%s: could not be written", path);
  }
out:
  ad_free(path);
  ad_free(folder);
  return status;
}
