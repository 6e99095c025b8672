#include "hdf5_file.h"

#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/looks.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/hdf5.h"

enum { REASON = 200, GROW = 1 << 20 };

void ad__hdf5_quiet(void) {
  ad_ignore(H5Eset_auto2(H5E_DEFAULT, NULL, NULL));
}

/* HDF5's own report, of which the deepest line says what the system said. */
static herr_t deepest(unsigned depth, const H5E_error2_t *error, void *text) {
  (void)depth;
  snprintf(text, REASON, "%s", error->desc == NULL ? "" : error->desc);
  return 0;
}

int ad__hdf5_fail(int status, const char *path, const char *what) {
  char reason[REASON] = "";
  ad_ignore(H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, deepest, reason));
  return ad_looks_explain_file(ad_fail(status, "%s: %s%s%s", path, what, reason[0] == '\0' ? "" : ": ", reason),
                               AD_LOOKS_HDF5, path);
}

int ad__hdf5_close(hid_t id) {
  return id < 0 || H5Idec_ref(id) >= 0 ? 0 : -1;
}

void ad__hdf5_done(hid_t id) {
  ad_ignore(ad__hdf5_close(id));
}

int ad__hdf5_open(const char *path, hid_t *file) {
  *file = -1;
  ad__hdf5_quiet();
  AD_TRY(ad_file_check(path));
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  /* sec2, whatever HDF5_DRIVER says. */
  if (access >= 0 && H5Pset_fapl_sec2(access) >= 0 && H5Pset_file_locking(access, 0, 1) >= 0) {
    *file = H5Fopen(path, H5F_ACC_RDONLY, access);
  }
  const int status = *file < 0 ? ad__hdf5_fail(AD_EINPUT, path, "could not be read as HDF5") : AD_OK;
  ad__hdf5_done(access);
  return status;
}

/* Whether hard links lead to `name`: 1; 0: there is nothing; -1: other links do, which may lead out of the file. */
static int is_inside(hid_t file, const char *name) {
  char part[256];
  if (strlen(name) >= sizeof part) {
    return 0;
  }
  for (const char *end = name + (name[0] == '/'); end != NULL;) {
    H5L_info_t info;
    end = strchr(end, '/');
    snprintf(part, sizeof part, "%.*s", (int)(end == NULL ? strlen(name) : (size_t)(end - name)), name);
    end = end == NULL ? NULL : end + 1;
    if (H5Lexists(file, part, H5P_DEFAULT) <= 0) {
      return 0;
    }
    if (H5Lget_info(file, part, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD) {
      return -1;
    }
  }
  return 1;
}

/* What is not as this program makes a virtual dataset, or NULL: each part is told by numbers, and in a file beside this
 * one, or in this one. HDF5 would look for others in many folders, and show zeros where it finds none. */
static const char *check_parts(hid_t how) {
  size_t count = 0;
  if (H5Pget_virtual_count(how, &count) < 0) {
    return "a virtual dataset that cannot be read";
  }
  for (size_t i = 0; i < count; i++) {
    char source[64] = "";
    const ssize_t length = H5Pget_virtual_filename(how, i, source, sizeof source);
    const hid_t space = H5Pget_virtual_vspace(how, i);
    const int limited = space >= 0 && H5Sget_select_npoints(space) >= 0;
    ad__hdf5_done(space);
    if (length <= 0 || length >= (ssize_t)sizeof source || strpbrk(source, "/%") != NULL || strcmp(source, "..") == 0) {
      return "a virtual dataset over a file elsewhere";
    }
    if (!limited) {
      return "a virtual dataset without limits";
    }
  }
  return NULL;
}

static const char *check_filters(hid_t how) {
  const int count = H5Pget_nfilters(how);
  for (int i = 0; i < count; i++) {
    unsigned flags, settings;
    size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(how, (unsigned)i, &flags, &values, NULL, 0, NULL, &settings);
    if (filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_DEFLATE) {
      return "a filter that this program does not use";
    }
  }
  return count < 0 ? "properties that cannot be read" : NULL;
}

/* What is not as this program makes it, or NULL. Before anything is asked for that lets HDF5 open the sources. */
static const char *check_layout(hid_t set, int views) {
  const hid_t how = H5Dget_create_plist(set);
  const H5D_layout_t layout = how < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(how);
  const char *wrong = layout == H5D_LAYOUT_ERROR        ? "properties that cannot be read"
                      : layout == H5D_VIRTUAL && views  ? check_parts(how)
                      : layout == H5D_VIRTUAL           ? "a virtual dataset, expected its values"
                      : H5Pget_external_count(how) != 0 ? "its values lie in another file"
                      : layout == H5D_CHUNKED           ? check_filters(how)
                                                        : NULL;
  ad__hdf5_done(how);
  return wrong;
}

int ad__hdf5_open_set(hid_t file, const char *path, const char *name, int views, hid_t *set) {
  *set = -1;
  const int inside = is_inside(file, name);
  if (inside <= 0) {
    return inside == 0 ? AD_OK : ad_fail(AD_EINPUT, "%s: %s: a link that may lead out of the file", path, name);
  }
  *set = H5Dopen2(file, name, H5P_DEFAULT);
  if (*set < 0) {
    return ad__hdf5_fail(AD_EINPUT, path, name);
  }
  const char *wrong = check_layout(*set, views);
  if (wrong != NULL) {
    ad__hdf5_done(*set);
    *set = -1;
    return ad_fail(AD_EINPUT, "%s: %s: %s: not made by this program, and not read", path, name, wrong);
  }
  return AD_OK;
}

int ad__hdf5_is_view(hid_t set) {
  const hid_t how = H5Dget_create_plist(set);
  const int result = H5Pget_layout(how) == H5D_VIRTUAL;
  ad__hdf5_done(how);
  return result;
}

int ad__hdf5_can_hold(hid_t set, uint64_t bytes) {
  const hsize_t most_deflated = 1040; /* times what is stored: deflate cannot do more than 1,032 */
  const hsize_t stored = H5Dget_storage_size(set);
  hsize_t size = 0;
  const hid_t file = H5Iget_file_id(set);
  const int told = H5Fget_filesize(file, &size) >= 0;
  ad__hdf5_done(file);
  return told && stored <= size && bytes / most_deflated <= stored;
}

static int put_attribute(hid_t object, const char *name, hid_t file_type, hid_t memory_type, hid_t space,
                         const void *values) {
  const hid_t attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
  const int written = attribute < 0 || H5Awrite(attribute, memory_type, values) < 0 ? -1 : 0;
  const int closed = ad__hdf5_close(attribute);
  ad__hdf5_done(space);
  return written == 0 ? closed : written;
}

int ad__hdf5_put_number(hid_t object, const char *name, uint64_t value) {
  return put_attribute(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, H5Screate(H5S_SCALAR), &value);
}

int ad__hdf5_put_numbers(hid_t object, const char *name, size_t count, const uint64_t *values) {
  const hsize_t shape = count;
  return put_attribute(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, H5Screate_simple(1, &shape, NULL), values);
}

int ad__hdf5_put_text(hid_t object, const char *name, const char *text) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  const int result = type < 0 || H5Tset_size(type, strlen(text) + 1) < 0
                         ? -1
                         : put_attribute(object, name, type, type, H5Screate(H5S_SCALAR), text);
  ad__hdf5_done(type);
  return result;
}

int ad__hdf5_get_text(hid_t object, const char *name, size_t size, char *text) {
  const hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
  const hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute), space = type < 0 ? -1 : H5Aget_space(attribute);
  const size_t length =
      type < 0 || H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 ? 0 : H5Tget_size(type);
  const int fits = length > 0 && length < size && space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
  const int failed = !fits || H5Aread(attribute, type, text) < 0;
  text[failed ? 0 : length] = '\0';
  ad__hdf5_done(space);
  ad__hdf5_done(type);
  ad__hdf5_done(attribute);
  return failed ? -1 : 0;
}

int ad__hdf5_get_numbers(hid_t object, const char *name, size_t count, uint64_t *values) {
  const hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
  if (attribute < 0) {
    return -1;
  }
  const hid_t space = H5Aget_space(attribute), type = H5Aget_type(attribute);
  const int fits = H5Sget_simple_extent_npoints(space) == (hssize_t)count && H5Tget_class(type) == H5T_INTEGER;
  const int result = fits && H5Aread(attribute, H5T_NATIVE_UINT64, values) >= 0 ? 0 : -1;
  ad__hdf5_done(type);
  ad__hdf5_done(space);
  ad__hdf5_done(attribute);
  return result;
}

hid_t ad__hdf5_timeless(hid_t kind) {
  const hid_t how = H5Pcreate(kind);
  if (how >= 0 && H5Pset_obj_track_times(how, 0) < 0) {
    ad__hdf5_done(how);
    return -1;
  }
  return how;
}

hid_t ad__hdf5_create_image(void) {
  ad__hdf5_quiet();
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS), how = ad__hdf5_timeless(H5P_FILE_CREATE);
  /* Objects as virtual datasets need them, but the oldest superblock: a newer one holds a mark that it is being written
   * and a checksum, and the image of an open file has the one without the other. */
  const int set = access >= 0 && how >= 0 && H5Pset_fapl_core(access, GROW, 0) >= 0 &&
                  H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110) >= 0;
  const hid_t file = set ? H5Fcreate("image", H5F_ACC_TRUNC, how, access) : -1;
  ad__hdf5_done(how);
  ad__hdf5_done(access);
  return file;
}

int ad__hdf5_put_image(hid_t file, const char *path) {
  const ssize_t size = H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file, NULL, 0);
  void *image = size > 0 ? ad_malloc((size_t)size, 1) : NULL;
  int status = AD_OK;
  if (size > 0 && image == NULL) {
    status = ad_fail_memory((size_t)size, path);
  } else if (size <= 0 || H5Fget_file_image(file, image, (size_t)size) != size) {
    status = ad__hdf5_fail(AD_EIO, path, "could not be made");
  }
  ad__hdf5_done(file);
  if (status == AD_OK) {
    status = ad_file_write(path, image, (size_t)size);
  }
  ad_free(image);
  return status;
}

const char *ad_hdf5_version(void) {
  static char text[40];
  unsigned major, minor, release;
  if (H5get_libversion(&major, &minor, &release) < 0) {
    return "unknown";
  }
  snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
  return text;
}
