/* Files and paths. A missing or unreadable input is AD_EINPUT (the user's to mend); a failing write is AD_EIO. Every
 * message names the path. */
#ifndef AUTODIDACT_BASE_FILE_H
#define AUTODIDACT_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "autodidact/base/buffer.h"

/* Appends the whole file to `out`. AD_EINPUT (missing, a directory, no permission), AD_EIO, AD_ENOMEM. */
int ad_file_read(const char *path, struct ad_buffer *out);

/* AD_EINPUT where there is no regular file at `path`: nothing there, a folder, a pipe, a device. Never waits. */
int ad_file_check(const char *path);

/* A read-only mapping of a whole regular file; data is NULL for an empty file. A pipe is refused and not waited for,
 * but for one that this process holds (/dev/stdin, /dev/fd/N, as a shell's <(...)): that is read into memory, once. */
struct ad_file_map {
  const char *data; /* [size] bytes, valid until ad_file_unmap */
  size_t size;
  int copied; /* 1: data are in memory of their own */
};
int ad_file_map(const char *path, struct ad_file_map *map);
void ad_file_unmap(struct ad_file_map *map);

/* The bytes [begin, end) leave this process's memory, as far as they fill whole pages; who reads them again has them
 * from the file. */
void ad_file_forget(const struct ad_file_map *map, size_t begin, size_t end);

/* Opens the same kinds of input as a stream; *file is the caller's (fclose). */
int ad_file_stream(const char *path, FILE **file);

/* Writes all bytes to a descriptor, however many calls that takes: a call may write fewer. 0, or -1 and errno. */
int ad_write_all(int fd, const void *data, size_t size);

/* Writes a file whole or not at all: temporary name in the same folder, fsync, rename, fsync of the folder. AD_EIO, and
 * errno says why (ENOSPC: the disk is full). */
int ad_file_write(const char *path, const void *data, size_t size);

/* The same, piece by piece. `end` takes the status of what came before, hands it on, and gives the file its name only
 * where that is AD_OK; else nothing of it stays. One that was not begun is left alone. AD_EIO, AD_ENOMEM. */
struct ad_file_out {
  char *path, *partial; /* its name, and the temporary one; owned */
  int fd;               /* -1: not begun */
};
int ad_file_begin(struct ad_file_out *out, const char *path);
int ad_file_add(struct ad_file_out *out, const void *data, size_t size);
int ad_file_end(struct ad_file_out *out, int status);

/* Renames what has been synced, and syncs its new folder, so that the name survives a crash. Where that fails and
 * nothing had the name before, it is gone again. AD_EIO, and errno says why. */
int ad_file_rename(const char *from, const char *to);

/* Makes an empty file for writing in place of whatever has that name, which is not followed where it is a link. Returns
 * its descriptor, or -1 and errno. */
int ad_file_create(const char *path);

/* Syncs the names in a folder. AD_EIO. */
int ad_folder_sync(const char *folder);

/* Makes a folder and its parents; one that exists is fine. AD_EIO. */
int ad_make_folders(const char *path);

/* Removes a folder and the files in it. One that does not exist is fine. One with folders inside, or a link to one, is
 * a failure. AD_EIO. */
int ad_remove_folder(const char *path);

/* Existence tests (follow links); 1 or 0. What is no folder counts as a file: opening it gives the message. */
int ad_is_file(const char *path);
int ad_is_folder(const char *path);

/* Whether something that exists is a folder that exists or is inside it, at any depth and by any names; 1 or 0. */
int ad_is_inside(const char *path, const char *folder);

/* "folder/name" (just name when folder is empty or name is absolute). The caller owns it; NULL when out of memory. */
char *ad_path_join(const char *folder, const char *name);

/* The path from the root of one that is read from the current folder. The caller owns it. AD_EIO, AD_ENOMEM. */
int ad_path_absolute(const char *path, char **absolute);

/* The folder that holds `path`, "." where it names none. The caller owns it; NULL when out of memory. */
char *ad_path_folder(const char *path);

/* The part after the last slash. Points into path. */
const char *ad_path_name(const char *path);

#endif
