/* Text files as they are or packed by gzip (RFC 1952), which are read alike. */
#ifndef AUTODIDACT_BASE_GZIP_H
#define AUTODIDACT_BASE_GZIP_H

#include "autodidact/base/file.h"

/* Whether bytes [size] begin as gzip's do; 1 or 0. */
int ad_is_gzip(const char *data, size_t size);

/* As ad_file_map. A file that gzip has packed, in one member or in several, is unpacked into memory: the map has the
 * bytes that were packed. The caller ends it: ad_file_unmap. AD_EINPUT (also: damaged, cut short, with other bytes
 * behind), AD_EIO, AD_ENOMEM. */
int ad_text_map(const char *path, struct ad_file_map *map);

#endif
