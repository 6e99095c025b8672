/* Output that must appear whole or not at all, for files too large for one buffer and for whole folders. Private to
 * model/. */
#ifndef AUTODIDACT_MODEL_OUTPUT_H
#define AUTODIDACT_MODEL_OUTPUT_H

#include <stddef.h>

/* A file being written under its temporary name "PATH.partial". */
struct ad_output {
  char *path;      /* owned */
  char *temporary; /* owned */
  int fd;
};

/* Begins a file; ad_output_end ends it in any case. AD_EIO, AD_ENOMEM (then there is nothing to end). */
int ad_output_begin(struct ad_output *output, const char *path);

/* Appends data [size]. AD_EIO naming the path. */
int ad_output_write(struct ad_output *output, const void *data, size_t size);

/* With status AD_OK: fsync and rename into place. Otherwise removes the temporary file. Releases the struct; returns
 * the first failure. */
int ad_output_end(struct ad_output *output, int status);

/* Makes the names in a folder survive a crash. AD_EIO. */
int ad_folder_sync(const char *folder);

/* "FOLDER.partial", made empty: the place to fill before ad_folder_commit. What an interrupted earlier attempt left
 * there under the names [count] is removed. *temporary is the caller's. AD_EINPUT where `folder` exists and is not
 * empty; AD_EIO, AD_ENOMEM. */
int ad_folder_begin(char **temporary, const char *folder, const char *const *names, size_t count);

/* With status AD_OK: renames `temporary` to `folder`. Otherwise removes the files `names` and the temporary folder.
 * Releases `temporary`; returns the first failure. */
int ad_folder_end(char *temporary, const char *folder, const char *const *names, size_t count, int status);

#endif
