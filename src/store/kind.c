#include "autodidact/store/kind.h"

#include "autodidact/base/guard.h"
#include "autodidact/base/status.h"
#include "hdf5_file.h"

struct question {
  const char *path, *dataset;
};

static int look(void *context) {
  const struct question *q = context;
  hid_t file;
  AD_TRY(ad__hdf5_open(q->path, &file));
  const int found = H5Lexists(file, q->dataset, H5P_DEFAULT) > 0;
  ad__hdf5_done(file);
  return found ? AD_OK
               : ad_fail(AD_EINPUT, "%s: HDF5, but neither a checkpoint nor snapshots nor logits of this program",
                         q->path);
}

int ad_file_kind(const char *path, enum ad_file_kind *kind) {
  static const char *const datasets[] = {
      [AD_FILE_CHECKPOINT] = "state", [AD_FILE_SNAPSHOTS] = "step", [AD_FILE_LOGITS] = "logits"};
  int status = AD_EINPUT;
  for (int k = AD_FILE_CHECKPOINT; k <= AD_FILE_LOGITS && status == AD_EINPUT; k++) {
    struct question question = {path, datasets[k]};
    *kind = (enum ad_file_kind)k;
    status = ad_guard(path, look, &question);
  }
  return status;
}
