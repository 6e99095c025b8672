#include "autodidact/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* What stands at a path that is no regular file. */
static const char *kind_of(mode_t mode) {
  return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

/* The descriptor that a path like /dev/stdin or /dev/fd/63 is the name of, as a shell's <(...) gives it; -1: another
 * path. */
static int descriptor_of(const char *path) {
  static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
  if (strcmp(path, "/dev/stdin") == 0) {
    return STDIN_FILENO;
  }
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    const char *digits = path + strlen(folders[i]);
    const size_t count = strncmp(path, folders[i], strlen(folders[i])) == 0 ? strspn(digits, "0123456789") : 0;
    if (count > 0 && count < 7 && digits[count] == '\0') {
      return (int)strtol(digits, NULL, 10);
    }
  }
  return -1;
}

int ad_file_check(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0) {
    return ad_fail(AD_EINPUT, "%s: %s", path, strerror(errno));
  }
  return S_ISREG(info.st_mode) ? AD_OK
                               : ad_fail(AD_EINPUT, "%s: expected a file, found %s", path, kind_of(info.st_mode));
}

/* Opens a regular file for reading and tells its size. What else has the name is refused and not waited for: nobody may
 * ever write into a pipe. */
static int open_input(const char *path, int *fd, size_t *size) {
  struct stat info;
  AD_TRY(ad_file_check(path));
  *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (*fd < 0) {
    return ad_fail(AD_EINPUT, "%s: %s", path, strerror(errno));
  }
  int status = fstat(*fd, &info) != 0 ? ad_fail(AD_EIO, "%s: %s", path, strerror(errno)) : AD_OK;
  if (status == AD_OK && !S_ISREG(info.st_mode)) {
    status = ad_fail(AD_EINPUT, "%s: expected a file, found %s", path, kind_of(info.st_mode));
  }
  if (status != AD_OK) {
    ad_ignore(close(*fd));
    return status;
  }
  *size = (size_t)info.st_size;
  return AD_OK;
}

/* Reads a pipe that this process holds to its end. */
static int read_pipe(const char *path, int fd, struct ad_buffer *out) {
  char piece[1 << 16];
  for (ssize_t count = 1; count != 0;) {
    count = read(fd, piece, sizeof piece);
    if (count < 0 && errno != EINTR) {
      return ad_fail(AD_EINPUT, "%s: could not be read: %s", path, strerror(errno));
    }
    AD_TRY(ad_buffer_append(out, piece, count > 0 ? (size_t)count : 0));
  }
  return AD_OK;
}

int ad_file_read(const char *path, struct ad_buffer *out) {
  struct ad_file_map map;
  AD_TRY(ad_file_map(path, &map));
  const int status = ad_buffer_append(out, map.data, map.size);
  ad_file_unmap(&map);
  return status;
}

static int map_pipe(const char *path, int fd, struct ad_file_map *map) {
  struct ad_buffer bytes = {0};
  const int status = read_pipe(path, fd, &bytes);
  if (status != AD_OK || bytes.size == 0) {
    ad_buffer_destroy(&bytes);
    return status;
  }
  *map = (struct ad_file_map){.data = bytes.data, .size = bytes.size, .copied = 1};
  return AD_OK;
}

int ad_file_map(const char *path, struct ad_file_map *map) {
  *map = (struct ad_file_map){0};
  struct stat info;
  int fd = descriptor_of(path);
  if (fd >= 0 && fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode)) {
    return map_pipe(path, fd, map);
  }
  size_t size = 0;
  AD_TRY(open_input(path, &fd, &size));
  int status = AD_OK;
  if (size > 0) {
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    status = data == MAP_FAILED ? ad_fail(AD_EIO, "%s: could not be mapped: %s", path, strerror(errno)) : AD_OK;
    *map = status == AD_OK ? (struct ad_file_map){.data = data, .size = size} : *map;
  }
  ad_ignore(close(fd));
  return status;
}

int ad_file_stream(const char *path, FILE **file) {
  struct stat info;
  size_t size;
  int fd = descriptor_of(path);
  *file = NULL;
  if (fd >= 0 && fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode)) {
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  } else {
    AD_TRY(open_input(path, &fd, &size));
  }
  *file = fd < 0 ? NULL : fdopen(fd, "r");
  if (*file == NULL) {
    const int status = ad_fail(AD_EIO, "%s: %s", path, strerror(errno));
    if (fd >= 0) {
      ad_ignore(close(fd));
    }
    return status;
  }
  return AD_OK;
}

void ad_file_unmap(struct ad_file_map *map) {
  if (map->copied) {
    ad_free((void *)(uintptr_t)map->data);
  } else if (map->data != NULL) {
    ad_ignore(munmap((void *)(uintptr_t)map->data, map->size));
  }
  *map = (struct ad_file_map){0};
}

void ad_file_forget(const struct ad_file_map *map, size_t begin, size_t end) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), first = (begin + page - 1) / page * page;
  const size_t last = end == map->size ? end : end / page * page;
  if (!map->copied && first < last) {
    ad_ignore(madvise((void *)((uintptr_t)map->data + first), last - first, MADV_DONTNEED));
  }
}

int ad_write_all(int fd, const void *data, size_t size) {
  const char *bytes = data;
  while (size > 0) {
    const ssize_t written = write(fd, bytes, size);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return -1;
    }
    bytes += written;
    size -= (size_t)written;
  }
  return 0;
}

int ad_folder_sync(const char *folder) {
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int status = AD_OK;
  /* Some file systems cannot sync a folder and say EINVAL. */
  if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) {
    status = ad_fail(AD_EIO, "%s: could not be synced: %s", folder, strerror(errno));
  }
  if (fd >= 0) {
    ad_ignore(close(fd));
  }
  return status;
}

int ad_file_rename(const char *from, const char *to) {
  struct stat info;
  const int replaces = lstat(to, &info) == 0;
  char *folder = ad_path_folder(to);
  if (folder == NULL) {
    return ad_fail_memory(strlen(to) + 1, "a path");
  }
  int status = AD_OK;
  if (rename(from, to) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be put in place: %s", to, strerror(errno));
  }
  if (status == AD_OK) {
    status = ad_folder_sync(folder);
    const int reason = errno;
    if (status != AD_OK && !replaces) {
      ad_ignore(rename(to, from)); /* what has failed is not there */
    }
    errno = reason;
  }
  ad_free(folder);
  return status;
}

int ad_file_create(const char *path) {
  ad_ignore(unlink(path));
  return open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

/* What errno says of a file on its way. */
static int fail_write(const struct ad_file_out *out) {
  const int reason = errno;
  const int status = ad_fail(AD_EIO, "%s: could not be written: %s", out->partial, strerror(reason));
  errno = reason;
  return status;
}

static void forget(struct ad_file_out *out) {
  ad_free(out->path);
  ad_free(out->partial);
  *out = (struct ad_file_out){.fd = -1};
}

int ad_file_begin(struct ad_file_out *out, const char *path) {
  struct ad_buffer partial = {0};
  *out = (struct ad_file_out){.fd = -1};
  AD_TRY(ad_buffer_printf(&partial, "%s.partial", path));
  *out = (struct ad_file_out){.path = ad_strdup(path), .partial = partial.data, .fd = -1};
  int status = out->path == NULL ? ad_fail_memory(strlen(path) + 1, "a path") : AD_OK;
  if (status == AD_OK) {
    out->fd = ad_file_create(out->partial);
    status = out->fd < 0 ? fail_write(out) : AD_OK;
  }
  if (status != AD_OK) {
    const int reason = errno;
    forget(out);
    errno = reason;
  }
  return status;
}

int ad_file_add(struct ad_file_out *out, const void *data, size_t size) {
  return ad_write_all(out->fd, data, size) == 0 ? AD_OK : fail_write(out);
}

int ad_file_end(struct ad_file_out *out, int status) {
  if (out->fd < 0) {
    return status;
  }
  int reason = errno;
  if (status == AD_OK && fsync(out->fd) != 0) {
    status = fail_write(out);
    reason = errno;
  }
  if (close(out->fd) != 0 && status == AD_OK) {
    status = fail_write(out);
    reason = errno;
  }
  if (status == AD_OK) {
    status = ad_file_rename(out->partial, out->path);
    reason = errno;
  }
  if (status != AD_OK) {
    ad_ignore(unlink(out->partial));
  }
  forget(out);
  errno = reason;
  return status;
}

int ad_file_write(const char *path, const void *data, size_t size) {
  struct ad_file_out out;
  AD_TRY(ad_file_begin(&out, path));
  return ad_file_end(&out, ad_file_add(&out, data, size));
}

int ad_make_folders(const char *path) {
  char *partial = ad_strdup(path);
  if (partial == NULL) {
    return ad_fail_memory(strlen(path), "a path");
  }
  int status = AD_OK;
  for (char *p = partial + 1; status == AD_OK && p[-1] != '\0'; p++) {
    if (*p != '/' && *p != '\0') {
      continue;
    }
    const char held = *p;
    *p = '\0';
    const int reason = mkdir(partial, 0777) == 0 ? 0 : errno;
    if (reason != 0 && !ad_is_folder(partial)) {
      status = ad_fail(AD_EIO, "%s: the folder could not be made: %s", partial,
                       reason == EEXIST ? "there is something else of that name" : strerror(reason));
    }
    *p = held;
  }
  ad_free(partial);
  return status;
}

int ad_remove_folder(const char *path) {
  const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  if (folder == NULL) {
    return errno == ENOENT ? AD_OK : ad_fail(AD_EIO, "%s: %s", path, strerror(errno));
  }
  int status = AD_OK;
  for (const struct dirent *entry = readdir(folder); status == AD_OK && entry != NULL; entry = readdir(folder)) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
        unlinkat(dirfd(folder), entry->d_name, 0) != 0) {
      status = ad_fail(AD_EIO, "%s/%s: could not be removed: %s", path, entry->d_name, strerror(errno));
    }
  }
  ad_ignore(closedir(folder));
  if (status == AD_OK && rmdir(path) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be removed: %s", path, strerror(errno));
  }
  return status;
}

int ad_is_inside(const char *path, const char *folder) {
  struct stat wanted, info;
  char real[PATH_MAX];
  if (stat(folder, &wanted) != 0 || realpath(path, real) == NULL) {
    return 0;
  }
  /* Upwards, by what the folders are, not by their names: there may be several for one. */
  for (;;) {
    if (stat(real, &info) == 0 && info.st_ino == wanted.st_ino && info.st_dev == wanted.st_dev) {
      return 1;
    }
    char *slash = strrchr(real, '/');
    if (slash == real && real[1] == '\0') {
      return 0;
    }
    slash[slash == real] = '\0';
  }
}

int ad_is_file(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

int ad_is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

char *ad_path_join(const char *folder, const char *name) {
  if (folder[0] == '\0' || name[0] == '/') {
    return ad_strdup(name);
  }
  struct ad_buffer path = {0};
  const char *separator = folder[strlen(folder) - 1] == '/' ? "" : "/";
  if (ad_buffer_printf(&path, "%s%s%s", folder, separator, name) != AD_OK) {
    return NULL;
  }
  return path.data;
}

int ad_path_absolute(const char *path, char **absolute) {
  char *here = path[0] == '/' ? NULL : get_current_dir_name();
  if (path[0] != '/' && here == NULL) {
    return ad_fail(AD_EIO, "the current folder: %s", strerror(errno));
  }
  while (path[0] == '.' && path[1] == '/') {
    path += 2;
  }
  *absolute = here == NULL ? ad_strdup(path) : ad_path_join(here, path);
  free(here);
  return *absolute == NULL ? ad_fail_memory(strlen(path) + 1, "a path") : AD_OK;
}

char *ad_path_folder(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? ad_strdup(".") : ad_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

const char *ad_path_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}
