/* Included before each file of the program where warnings are errors (CMakeLists.txt): the result of these functions
 * must be used. One that changes nothing is given to ad_ignore (base/status.h). stdio's printing is not among them: a
 * stream keeps its error until fflush or fclose, which are. tests/system/structure.py finds an HDF5 function that is
 * not here. */
#ifndef AUTODIDACT_USED_RESULTS_H
#define AUTODIDACT_USED_RESULTS_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define AD_USED(name) extern __typeof__(name) name __attribute__((warn_unused_result));

#define AD_USED_POSIX(X) \
  X(close)               \
  X(closedir)            \
  X(dup2)                \
  X(fallocate)           \
  X(fclose)              \
  X(fcntl)               \
  X(fdatasync)           \
  X(fflush)              \
  X(flock)               \
  X(fseeko)              \
  X(fsync)               \
  X(ftruncate)           \
  X(fwrite)              \
  X(futimens)            \
  X(link)                \
  X(linkat)              \
  X(mkdir)               \
  X(mkdirat)             \
  X(msync)               \
  X(munmap)              \
  X(pipe2)               \
  X(posix_fallocate)     \
  X(pwrite)              \
  X(read)                \
  X(pread)               \
  X(rename)              \
  X(renameat)            \
  X(rmdir) X(setenv) X(setrlimit) X(symlink) X(truncate) X(unlink) X(unlinkat) X(unsetenv) X(write) X(writev)

AD_USED_POSIX(AD_USED)

#ifdef AD_USES_HDF5
#include <hdf5.h>

/* clang-format off */
#define AD_USED_HDF5(X) \
  X(H5Acreate2) X(H5Aexists) X(H5Aget_space) X(H5Aget_type) X(H5Aopen) X(H5Aread) X(H5Awrite) X(H5Dcreate2) \
  X(H5Dget_create_plist) X(H5Dget_offset) X(H5Dget_space) X(H5Dget_storage_size) X(H5Dget_type) X(H5Dopen2) \
  X(H5Dread) X(H5Dset_extent) X(H5Dwrite) X(H5Eset_auto2) X(H5Ewalk2) X(H5FDregister) X(H5FDunregister) \
  X(H5Fclose) X(H5Fcreate) X(H5Fflush) X(H5Fget_file_image) X(H5Fget_filesize) X(H5Fopen) X(H5Gcreate2) \
  X(H5Idec_ref) X(H5Iget_file_id) X(H5Lexists) X(H5Lget_info) X(H5Pcreate) X(H5Pget_driver_info) \
  X(H5Pget_external_count) X(H5Pget_filter2) X(H5Pget_layout) X(H5Pget_nfilters) X(H5Pget_virtual_count) \
  X(H5Pget_virtual_dsetname) X(H5Pget_virtual_filename) X(H5Pget_virtual_srcspace) X(H5Pget_virtual_vspace) \
  X(H5Pset_alignment) X(H5Pset_alloc_time) X(H5Pset_chunk) X(H5Pset_chunk_cache) X(H5Pset_deflate) \
  X(H5Pset_driver) X(H5Pset_fapl_core) X(H5Pset_fapl_sec2) X(H5Pset_fapl_stdio) X(H5Pset_file_locking) \
  X(H5Pset_fill_time) X(H5Pset_libver_bounds) X(H5Pset_obj_track_times) X(H5Pset_shuffle) X(H5Pset_virtual) \
  X(H5Screate) X(H5Screate_simple) X(H5Sget_select_bounds) X(H5Sget_select_npoints) \
  X(H5Sget_simple_extent_dims) X(H5Sget_simple_extent_ndims) X(H5Sget_simple_extent_npoints) \
  X(H5Sselect_all) X(H5Sselect_hyperslab) X(H5Tcopy) X(H5Tenum_create) X(H5Tenum_insert) X(H5Tequal) \
  X(H5Tget_class) X(H5Tget_size) X(H5Tis_variable_str) X(H5Tset_cset) X(H5Tset_size) X(H5Tset_strpad)
/* clang-format on */

AD_USED_HDF5(AD_USED)
#endif

#endif
