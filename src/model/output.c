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

int ad_folder_sync(const char *folder) {
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

static int sync_parent(const char *path) {
  char *parent = parent_of(path);
  if (parent == NULL) {
    return ad_fail_memory(strlen(path) + 1, "a path");
  }
  const int status = ad_folder_sync(parent);
  ad_free(parent);
  return status;
}

int ad_output_begin(struct ad_output *output, const char *path) {
  *output = (struct ad_output){.path = ad_strdup(path), .temporary = partial_name(path), .fd = -1};
  int status = AD_OK;
  if (output->path == NULL || output->temporary == NULL) {
    status = ad_fail_memory(strlen(path) + 1, "a path");
  } else {
    output->fd = open(output->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (output->fd < 0) {
      status = ad_fail(AD_EIO, "%s: could not be written: %s", output->temporary, strerror(errno));
    }
  }
  if (status != AD_OK) {
    ad_free(output->path);
    ad_free(output->temporary);
  }
  return status;
}

int ad_output_write(struct ad_output *output, const void *data, size_t size) {
  const char *bytes = data;
  while (size > 0) {
    const ssize_t written = write(output->fd, bytes, size);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return ad_fail(AD_EIO, "%s: could not be written: %s", output->temporary, strerror(errno));
    }
    bytes += written;
    size -= (size_t)written;
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
    status = sync_parent(output->path);
  } else {
    unlink(output->temporary);
  }
  ad_free(output->path);
  ad_free(output->temporary);
  return status;
}

/* 1 if the folder is there and holds something, 0 if not. */
static int holds_something(const char *folder) {
  DIR *entries = opendir(folder);
  if (entries == NULL) {
    return 0;
  }
  int found = 0;
  for (const struct dirent *entry = readdir(entries); entry != NULL && !found; entry = readdir(entries)) {
    found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  }
  closedir(entries);
  return found;
}

/* Removes the named files and the folder; what else is there stays, and the folder with it. */
static void remove_files(const char *folder, const char *const *names, size_t count) {
  char path[4096];
  for (size_t i = 0; i < count; i++) {
    for (int partial = 0; partial < 2; partial++) {
      const int length = snprintf(path, sizeof path, "%s/%s%s", folder, names[i], partial ? ".partial" : "");
      if (length > 0 && (size_t)length < sizeof path) {
        unlink(path);
      }
    }
  }
  rmdir(folder);
}

int ad_folder_begin(char **temporary, const char *folder, const char *const *names, size_t count) {
  *temporary = NULL;
  struct stat info;
  if (stat(folder, &info) == 0 && (!S_ISDIR(info.st_mode) || holds_something(folder))) {
    return ad_fail(AD_EINPUT, "%s: exists already%s; choose another name or remove it", folder,
                   S_ISDIR(info.st_mode) ? " and is not empty" : " and is no folder");
  }
  char *parent = parent_of(folder);
  if (parent == NULL) {
    return ad_fail_memory(strlen(folder) + 1, "a path");
  }
  int status = ad_make_folders(parent);
  ad_free(parent);
  AD_TRY(status);
  char *partial = partial_name(folder);
  if (partial == NULL) {
    return ad_fail_memory(strlen(folder) + 1, "a path");
  }
  remove_files(partial, names, count);
  if (mkdir(partial, 0777) != 0) {
    status = ad_fail(AD_EIO, "%s: the folder could not be made: %s", partial, strerror(errno));
    ad_free(partial);
    return status;
  }
  *temporary = partial;
  return AD_OK;
}

int ad_folder_end(char *temporary, const char *folder, const char *const *names, size_t count, int status) {
  if (status == AD_OK) {
    status = ad_folder_sync(temporary);
  }
  if (status == AD_OK && rename(temporary, folder) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be put in place: %s", folder, strerror(errno));
  }
  if (status == AD_OK) {
    status = sync_parent(folder);
  } else {
    remove_files(temporary, names, count);
  }
  ad_free(temporary);
  return status;
}
