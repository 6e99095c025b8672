/* Where the file of a split is. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "reader.h"

int ad__split_path(const struct ad_descriptor *descriptor, enum ad_split split, const struct ad_source *source,
                   const char *configured, const char *other, char **path) {
  const char *folder = ad_descriptor_place(descriptor, configured), *home = descriptor->home;
  if (other != NULL) {
    *path = ad_strdup(other);
  } else if (folder != NULL || source->file[0] == '/') {
    *path = ad_path_join(folder == NULL ? "" : folder, source->file);
  } else {
    return ad_fail(AD_ECONFIG,
                   "%s: the folder with \"%s\" (the %s split) is not known, expected it in the configuration "
                   "(data.folder)%s%s",
                   descriptor->name, source->file, ad_split_name(split),
                   home == NULL ? "" : "; the data are to be had from ", home == NULL ? "" : home);
  }
  if (*path == NULL) {
    return ad_fail_memory(strlen(source->file), "a path");
  }
  if (other == NULL && access(*path, F_OK) != 0 && errno == ENOENT) {
    const int status = ad_fail(AD_EINPUT,
                               "%s: there is no such file, expected the %s split of %s there (data.folder, for a "
                               "finished run --folder)%s%s",
                               *path, ad_split_name(split), descriptor->name,
                               home == NULL ? "" : "; the data are to be had from ", home == NULL ? "" : home);
    ad_free(*path);
    *path = NULL;
    return status;
  }
  return AD_OK;
}
