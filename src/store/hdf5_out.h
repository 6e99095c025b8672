/* HDF5 files that are too large for memory: HDF5's own writes go through base/file.h. Not installed. */
#ifndef AUTODIDACT_STORE_HDF5_OUT_H
#define AUTODIDACT_STORE_HDF5_OUT_H

#include "autodidact/base/file.h"
#include "hdf5_file.h"

struct ad__hdf5_out {
  struct ad_file_out file;
  hid_t driver;
  int reason; /* errno of the first write that failed; 0: none has */
};

/* Begins the file PATH with an empty HDF5 file in it, open as *id. HDF5 is never told that the disk has failed, since
 * it crashes at its end where a file could not be closed: whoever writes asks ad__hdf5_out_check after each part. *out
 * must not move. It is the caller's, also after a failure: ad__hdf5_out_end. AD_EIO, AD_ENOMEM. */
int ad__hdf5_out_begin(struct ad__hdf5_out *out, const char *path, hid_t *id);

/* AD_EIO where a write has failed, and errno tells why. */
int ad__hdf5_out_check(const struct ad__hdf5_out *out);

/* After the HDF5 file was closed: gives the file its name where status is AD_OK, as ad_file_end. AD_EIO. */
int ad__hdf5_out_end(struct ad__hdf5_out *out, int status);

#endif
