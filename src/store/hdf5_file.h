/* What checkpoints, snapshots and logits share of HDF5: attributes, files made in memory, messages. Not installed. */
#ifndef AUTODIDACT_STORE_HDF5_FILE_H
#define AUTODIDACT_STORE_HDF5_FILE_H

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

/* Failures are told by this program's messages. To be called before anything else of HDF5. */
void hdf5_quiet(void);

/* Records "PATH: what: HDF5's reason" and returns the status. */
int hdf5_fail(int status, const char *path, const char *what);

/* Opens a file for reading, without a lock: what has its name never changes, and not every file system can lock.
 * Negative: failed. */
hid_t hdf5_open(const char *path);

/* Writes attributes: one number; `count` numbers as an array, also where that is 1 or 0; a text. 0 or -1. */
int hdf5_put_number(hid_t object, const char *name, uint64_t value);
int hdf5_put_numbers(hid_t object, const char *name, size_t count, const uint64_t *values);
int hdf5_put_text(hid_t object, const char *name, const char *text);

/* Reads an attribute of exactly `count` integers. 0, or -1 where it is not there or another one. */
int hdf5_get_numbers(hid_t object, const char *name, size_t count, uint64_t *values);

/* Properties of something that is to be made, without times: the same values are the same bytes. The caller closes. */
hid_t hdf5_timeless(hid_t kind);

/* An empty file in memory; negative: failed. hdf5_put_image writes its bytes to path whole or not at all (base/file.h),
 * and closes it. AD_EIO: errno tells why. AD_ENOMEM. */
hid_t hdf5_create_image(void);
int hdf5_put_image(hid_t file, const char *path);

#endif
