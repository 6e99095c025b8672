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

/* A folder whose files have the given names [count] and no others. */
struct ad_output_folder {
  const char *path; /* not owned; without a slash at the end */
  char *temporary;  /* "PATH.partial", owned */
  char *parent;     /* the folder of both, owned */
  const char *const *names;
  size_t count;
};

/* Makes the temporary folder, to be filled with files; what an interrupted earlier attempt left there is removed.
 * `path` must not exist or be empty; with `replace` it may hold files of these names. AD_EINPUT where it holds
 * something else; AD_EIO, AD_ENOMEM (then there is nothing to end). */
int ad_output_folder_begin(struct ad_output_folder *output, const char *path, int replace, const char *const *names,
                           size_t count);

/* With status AD_OK: renames the temporary folder to `path`, in place of what is there. Otherwise removes it. Returns
 * the first failure. */
int ad_output_folder_end(struct ad_output_folder *output, int status);

#endif
