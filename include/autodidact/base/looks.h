/* What a file is that could not be used: a Git LFS pointer, an archive, a page of a failed download, another encoding.
 */
#ifndef AUTODIDACT_BASE_LOOKS_H
#define AUTODIDACT_BASE_LOOKS_H

#include <stddef.h>

/* What the reader of a file takes itself, and does not report. */
enum ad_looks { AD_LOOKS_TEXT, AD_LOOKS_SAFETENSORS, AD_LOOKS_HDF5 };

/* For a reader that fails with AD_EINPUT or AD_ECONFIG. Where the file's bytes [size] look like another kind than
 * `own`, the message says which, and what to do. Returns `status`. */
int ad_looks_explain(int status, enum ad_looks own, const char *path, const char *data, size_t size);

/* As ad_looks_explain, for a file that is not in memory: its first bytes are read. */
int ad_looks_explain_file(int status, enum ad_looks own, const char *path);

/* Refuses what could pass for a text: a Git LFS pointer, UTF-16 and UTF-32. AD_EINPUT. */
int ad_looks_refuse(const char *path, const char *data, size_t size);

#endif
