/* What checkpoints, snapshots and logits share of HDF5: attributes, files made in memory, messages. Not installed. */
#ifndef AUTODIDACT_STORE_HDF5_FILE_H
#define AUTODIDACT_STORE_HDF5_FILE_H

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

/* Failures are told by this program's messages. To be called before anything else of HDF5. */
void ad__hdf5_quiet(void);

/* Records "PATH: what: HDF5's reason" and returns the status. */
int ad__hdf5_fail(int status, const char *path, const char *what);

/* Opens a regular file for reading, without a lock: what has its name never changes, and not every file system can
 * lock. The caller closes it (ad__hdf5_done). AD_EINPUT. */
int ad__hdf5_open(const char *path, hid_t *file);

/* Opens a dataset of such a file, at `path`, as the files of this program have it: hard links lead to it, and its
 * values lie in the file, plain or deflated. With `views` it may be a virtual one over whole parts of this file or of
 * files in the same folder, which HDF5 is not asked to read. So nothing outside is ever opened, whatever the file says.
 * *set -1, AD_OK: there is nothing of this name. AD_EINPUT; the caller closes it (ad__hdf5_done). */
int ad__hdf5_open_set(hid_t file, const char *path, const char *name, int views, hid_t *set);

/* 1 where a dataset is a virtual one; 1 where it can hold so many bytes of values, as it has room for them in the file.
 */
int ad__hdf5_is_view(hid_t set);
int ad__hdf5_can_hold(hid_t set, uint64_t bytes);

/* Closes what was written into or made to be: 0, or -1 where that fails. An id below 0 is nothing, 0. */
int ad__hdf5_close(hid_t id);

/* Closes what was only read, or is in memory only, as properties, spaces and types are: nothing can be lost by it. */
void ad__hdf5_done(hid_t id);

/* Writes attributes: one number; `count` numbers as an array, also where that is 1 or 0; a text. 0 or -1. */
int ad__hdf5_put_number(hid_t object, const char *name, uint64_t value);
int ad__hdf5_put_numbers(hid_t object, const char *name, size_t count, const uint64_t *values);
int ad__hdf5_put_text(hid_t object, const char *name, const char *text);

/* Reads an attribute of exactly `count` integers. 0, or -1 where it is not there or another one. */
int ad__hdf5_get_numbers(hid_t object, const char *name, size_t count, uint64_t *values);

/* Reads an attribute that is a text of fixed length into text [size]. 0, or -1 where it is not there or another one. */
int ad__hdf5_get_text(hid_t object, const char *name, size_t size, char *text);

/* Properties of something that is to be made, without times: the same values are the same bytes. The caller closes;
 * negative: failed. */
hid_t ad__hdf5_timeless(hid_t kind);

/* An empty file in memory; negative: failed. ad__hdf5_put_image writes its bytes to path whole or not at all
 * (base/file.h), and closes it. AD_EIO: errno tells why. AD_ENOMEM. */
hid_t ad__hdf5_create_image(void);
int ad__hdf5_put_image(hid_t file, const char *path);

#endif
