#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

static char *partial_name(const char *path) {
  struct ad_buffer text = {0};
  if (ad_buffer_printf(&text, "%s.partial", path) != AD_OK) {
    ad_buffer_destroy(&text);
  }
  return text.data;
}

static void release(struct ad_output *output) {
  ad_free(output->path);
  ad_free(output->temporary);
}

int ad_output_begin(struct ad_output *output, const char *path) {
  *output = (struct ad_output){.path = ad_strdup(path), .temporary = partial_name(path), .fd = -1};
  int status = AD_OK;
  if (output->path == NULL || output->temporary == NULL) {
    status = ad_fail_memory(strlen(path) + 1, "a path");
  } else {
    output->fd = ad_file_create(output->temporary);
    if (output->fd < 0) {
      status = ad_fail(AD_EIO, "%s: could not be written: %s", output->temporary, strerror(errno));
    }
  }
  if (status != AD_OK) {
    release(output);
  }
  return status;
}

int ad_output_write(struct ad_output *output, const void *data, size_t size) {
  if (ad_write_all(output->fd, data, size) != 0) {
    return ad_fail(AD_EIO, "%s: could not be written: %s", output->temporary, strerror(errno));
  }
  return AD_OK;
}

int ad_output_end(struct ad_output *output, int status) {
  if (status == AD_OK && fsync(output->fd) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be written: %s", output->temporary, strerror(errno));
  }
  if (close(output->fd) != 0 && status == AD_OK) {
    status = ad_fail(AD_EIO, "%s: could not be written: %s", output->temporary, strerror(errno));
  }
  status = status == AD_OK ? ad_file_rename(output->temporary, output->path) : status;
  if (status != AD_OK) {
    ad_ignore(unlink(output->temporary));
  }
  release(output);
  return status;
}

static int is_named(const char *name, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(name, names[i]) == 0) {
      return 1;
    }
  }
  return 0;
}

/* That nothing stands in the way at `path`: no file, and no folder that holds anything but `names`. */
static int check_free(const char *path, const char *const *names, size_t count) {
  DIR *entries = opendir(path);
  if (entries == NULL) {
    const int missing = errno == ENOENT;
    return missing ? AD_OK : ad_fail(AD_EINPUT, "%s: cannot become a folder: %s", path, strerror(errno));
  }
  int status = AD_OK;
  for (const struct dirent *entry = readdir(entries); entry != NULL && status == AD_OK; entry = readdir(entries)) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !is_named(name, names, count)) {
      status = ad_fail(AD_EINPUT, "%s: exists and holds %s; choose another name or remove it", path, name);
    }
  }
  ad_ignore(closedir(entries));
  return status;
}

/* Removes the files of these names and the folder; what else is there stays, and the folder with it. A link in its
 * place goes, and what it leads to stays. */
static void remove_files(const char *folder, const char *const *names, size_t count) {
  char name[256];
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  for (size_t i = 0; fd >= 0 && i < count; i++) {
    snprintf(name, sizeof name, "%s.partial", names[i]);
    ad_ignore(unlinkat(fd, names[i], 0));
    ad_ignore(unlinkat(fd, name, 0));
  }
  if (fd >= 0) {
    ad_ignore(close(fd));
    ad_ignore(rmdir(folder));
  } else if (readlink(folder, name, sizeof name) >= 0) {
    ad_ignore(unlink(folder));
  }
}

int ad_output_folder_begin(struct ad_output_folder *output, const char *path, int replace, const char *const *names,
                           size_t count) {
  *output = (struct ad_output_folder){.path = path, .names = names, .count = count};
  AD_TRY(check_free(path, names, replace ? count : 0));
  output->temporary = partial_name(path);
  output->parent = ad_path_folder(path);
  int status = AD_OK;
  if (output->temporary == NULL || output->parent == NULL) {
    status = ad_fail_memory(strlen(path) + 1, "a path");
  } else {
    status = ad_make_folders(output->parent);
  }
  if (status == AD_OK) {
    remove_files(output->temporary, names, count);
    if (mkdir(output->temporary, 0777) != 0) {
      status = ad_fail(AD_EIO, "%s: the folder could not be made: %s", output->temporary, strerror(errno));
    }
  }
  if (status != AD_OK) {
    ad_free(output->temporary);
    ad_free(output->parent);
  }
  return status;
}

/* Exchanges two folders. For a moment there may be no `path`, where a file system cannot do that at once; both are
 * whole. 0 or -1. */
static int exchange(const char *temporary, const char *path) {
  if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return -1;
  }
  char *aside = partial_name(temporary);
  if (aside == NULL) {
    errno = ENOMEM;
    return -1;
  }
  int failed = rename(path, aside) != 0;
  if (!failed && rename(temporary, path) != 0) {
    const int held = errno;
    failed = 1;
    ad_ignore(rename(aside, path));
    errno = held;
  }
  if (!failed) {
    failed = rename(aside, temporary) != 0;
  }
  ad_free(aside);
  return failed ? -1 : 0;
}

/* Puts `temporary` in the place of `path`, and back where the folder that holds them cannot be synced; afterwards
 * `temporary` holds what is to be thrown away, if anything is. */
static int put_in_place(const char *temporary, const char *path, const char *parent) {
  const int plain = rename(temporary, path) == 0; /* nothing there, or an empty folder */
  if (!plain && ((errno != ENOTEMPTY && errno != EEXIST) || exchange(temporary, path) != 0)) {
    return ad_fail(AD_EIO, "%s: could not be put in place: %s", path, strerror(errno));
  }
  const int status = ad_folder_sync(parent);
  if (status != AD_OK) {
    ad_ignore(plain ? rename(path, temporary) : exchange(temporary, path));
  }
  return status;
}

int ad_output_folder_end(struct ad_output_folder *output, int status) {
  status = status == AD_OK ? ad_folder_sync(output->temporary) : status;
  status = status == AD_OK ? put_in_place(output->temporary, output->path, output->parent) : status;
  remove_files(output->temporary, output->names, output->count);
  ad_free(output->temporary);
  ad_free(output->parent);
  return status;
}
