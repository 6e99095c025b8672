/* A driver of HDF5 that writes to an open file, and keeps what fails to itself. */
#include "hdf5_out.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>
#endif

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* An open file, as HDF5 knows it: its own part comes first. */
struct driven {
  H5FD_t of_hdf5;
  struct ad__hdf5_out *out;
  haddr_t allocated, size; /* bytes that HDF5 has given out; of the file */
};

static struct driven *driven_of(H5FD_t *file) {
  return (struct driven *)(void *)file;
}

static const struct driven *const_driven_of(const H5FD_t *file) {
  return (const struct driven *)(const void *)file;
}

static H5FD_t *open_driven(const char *name, unsigned flags, hid_t access, haddr_t most) {
  (void)name, (void)flags, (void)most;
  struct ad__hdf5_out *const *out = H5Pget_driver_info(access);
  struct driven *d = out == NULL ? NULL : ad_calloc(1, sizeof *d);
  if (d == NULL) {
    return NULL;
  }
  d->out = *out;
  return &d->of_hdf5;
}

static herr_t close_driven(H5FD_t *file) {
  ad_free(driven_of(file));
  return 0;
}

/* Many small pieces become a few larger ones. */
static herr_t query(const H5FD_t *file, unsigned long *flags) {
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

static haddr_t get_allocated(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return const_driven_of(file)->allocated;
}

static herr_t set_allocated(H5FD_t *file, H5FD_mem_t type, haddr_t end) {
  (void)type;
  driven_of(file)->allocated = end;
  return 0;
}

static haddr_t get_size(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return const_driven_of(file)->size;
}

/* What was never written is zeros. */
static herr_t read_driven(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size, void *bytes) {
  (void)type, (void)transfer;
  const struct driven *d = driven_of(file);
  size_t done = 0;
  for (ssize_t count = 1; done < size && count != 0;) {
    count = pread(d->out->file.fd, (char *)bytes + done, size - done, (off_t)(at + done));
    if (count < 0 && errno != EINTR) {
      return -1;
    }
    done += count > 0 ? (size_t)count : 0;
  }
  memset((char *)bytes + done, 0, size - done);
  return 0;
}

static herr_t write_driven(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size, const void *bytes) {
  (void)type, (void)transfer;
  struct driven *d = driven_of(file);
  for (size_t done = 0; done < size && d->out->reason == 0;) {
    const ssize_t count = pwrite(d->out->file.fd, (const char *)bytes + done, size - done, (off_t)(at + done));
    d->out->reason = count < 0 && errno != EINTR ? errno : 0;
    done += count > 0 ? (size_t)count : 0;
  }
  d->size = at + size > d->size ? at + size : d->size;
  return 0;
}

/* The file ends where what was given out ends. */
static herr_t cut(H5FD_t *file, hid_t transfer, hbool_t closing) {
  (void)transfer, (void)closing;
  struct driven *d = driven_of(file);
  if (d->size != d->allocated && d->out->reason == 0 && ftruncate(d->out->file.fd, (off_t)d->allocated) != 0) {
    d->out->reason = errno;
  }
  d->size = d->allocated;
  return 0;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)(H5_VFD_RESERVED + 1),
#endif
    .name = "autodidact",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(struct ad__hdf5_out *),
    .open = open_driven,
    .close = close_driven,
    .query = query,
    .get_eoa = get_allocated,
    .set_eoa = set_allocated,
    .get_eof = get_size,
    .read = read_driven,
    .write = write_driven,
    .truncate = cut,
    .fl_map = H5FD_FLMAP_DICHOTOMY};

int ad__hdf5_out_begin(struct ad__hdf5_out *out, const char *path, hid_t *id) {
  *out = (struct ad__hdf5_out){.file.fd = -1, .driver = -1};
  *id = -1;
  ad__hdf5_quiet();
  AD_TRY(ad_file_begin(&out->file, path));
  out->driver = H5FDregister(&driver);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS), how = ad__hdf5_timeless(H5P_FILE_CREATE);
  const int ready = out->driver >= 0 && access >= 0 && how >= 0 && H5Pset_driver(access, out->driver, &out) >= 0;
  *id = ready ? H5Fcreate(path, H5F_ACC_TRUNC, how, access) : -1;
  const int status = *id < 0 ? ad__hdf5_fail(AD_EIO, out->file.partial, "could not be made") : ad__hdf5_out_check(out);
  ad__hdf5_done(how);
  ad__hdf5_done(access);
  return status;
}

int ad__hdf5_out_check(const struct ad__hdf5_out *out) {
  if (out->reason == 0) {
    return AD_OK;
  }
  const int status = ad_fail(AD_EIO, "%s: could not be written: %s", out->file.partial, strerror(out->reason));
  errno = out->reason;
  return status;
}

int ad__hdf5_out_end(struct ad__hdf5_out *out, int status) {
  if (out->driver >= 0) {
    ad_ignore(H5FDunregister(out->driver));
    out->driver = -1;
  }
  status = status == AD_OK ? ad__hdf5_out_check(out) : status;
  return ad_file_end(&out->file, status);
}
