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

/* The folder that holds `path`; the caller owns it. */
static char *parent_of(const char *path) {
  const char *slash = strrchr(path, '/');
  if (slash == NULL) {
    return ad_strdup(".");
  }
  return ad_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static char *partial_name(const char *path) {
  struct ad_buffer text = {0};
  if (ad_buffer_printf(&text, "%s.partial", path) != AD_OK) {
    ad_buffer_destroy(&text);
  }
  return text.data;
}

static int sync_folder(const char *folder) {
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return ad_fail(AD_EIO, "%s: %s", folder, strerror(errno));
  }
  /* Some file systems cannot sync a folder and say EINVAL. */
  const int failed = fsync(fd) != 0 && errno != EINVAL;
  const int status = failed ? ad_fail(AD_EIO, "%s: %s", folder, strerror(errno)) : AD_OK;
  close(fd);
  return status;
}

static void release(struct ad_output *output) {
  ad_free(output->path);
  ad_free(output->temporary);
  ad_free(output->parent);
}

int ad_output_begin(struct ad_output *output, const char *path) {
  /* All names are made here, so that nothing but the machine can fail after the rename. */
  *output =
      (struct ad_output){.path = ad_strdup(path), .temporary = partial_name(path), .parent = parent_of(path), .fd = -1};
  int status = AD_OK;
  if (output->path == NULL || output->temporary == NULL || output->parent == NULL) {
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
  if (status == AD_OK && rename(output->temporary, output->path) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be put in place: %s", output->path, strerror(errno));
  }
  if (status == AD_OK) {
    status = sync_folder(output->parent);
  } else {
    unlink(output->temporary);
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
  closedir(entries);
  return status;
}

/* Removes the files of these names and the folder; what else is there stays, and the folder with it. A link in its place
 * goes, and what it leads to stays. */
static void remove_files(const char *folder, const char *const *names, size_t count) {
  char name[256];
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  for (size_t i = 0; fd >= 0 && i < count; i++) {
    snprintf(name, sizeof name, "%s.partial", names[i]);
    unlinkat(fd, names[i], 0);
    unlinkat(fd, name, 0);
  }
  if (fd >= 0) {
    close(fd);
    rmdir(folder);
  } else if (readlink(folder, name, sizeof name) >= 0) {
    unlink(folder);
  }
}

int ad_output_folder_begin(struct ad_output_folder *output, const char *path, int replace, const char *const *names,
                           size_t count) {
  *output = (struct ad_output_folder){.path = path, .names = names, .count = count};
  AD_TRY(check_free(path, names, replace ? count : 0));
  output->temporary = partial_name(path);
  output->parent = parent_of(path);
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

/* Puts `temporary` in the place of `path`; afterwards `temporary` holds what was there, if anything was. */
static int put_in_place(const char *temporary, const char *path) {
  if (rename(temporary, path) == 0) { /* nothing there, or an empty folder */
    return 0;
  }
  if (errno != ENOTEMPTY && errno != EEXIST) {
    return -1;
  }
  if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return -1;
  }
  /* A file system that cannot exchange: for a moment there is no `path`, but both folders are whole. */
  char *aside = partial_name(temporary);
  if (aside == NULL) {
    errno = ENOMEM;
    return -1;
  }
  int failed = rename(path, aside) != 0;
  if (!failed && rename(temporary, path) != 0) {
    const int held = errno;
    failed = 1;
    rename(aside, path);
    errno = held;
  }
  if (!failed) {
    failed = rename(aside, temporary) != 0;
  }
  ad_free(aside);
  return failed ? -1 : 0;
}

int ad_output_folder_end(struct ad_output_folder *output, int status) {
  if (status == AD_OK) {
    status = sync_folder(output->temporary);
  }
  if (status == AD_OK && put_in_place(output->temporary, output->path) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be put in place: %s", output->path, strerror(errno));
  }
  if (status == AD_OK) {
    status = sync_folder(output->parent);
  }
  remove_files(output->temporary, output->names, output->count);
  ad_free(output->temporary);
  ad_free(output->parent);
  return status;
}
