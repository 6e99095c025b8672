#include "autodidact/store/lease.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "owner.h"

enum { FILE_TEXT = AD_LEASE_NAME + 16 };

static double seconds(const struct timespec *time) {
  return (double)time->tv_sec + 1e-9 * (double)time->tv_nsec;
}

static double clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return seconds(&now);
}

/* Whether a lease is held by somebody who lives; `now` by the clock that set its time. Who that is into *entry. */
static int is_alive(const char *path, double patience, double now, struct ad_lease_entry *entry) {
  char text[OWNER_TEXT] = "";
  struct owner owner;
  struct stat info;
  /* Opened, so that a network file system asks its server. */
  const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    return 0;
  }
  const ssize_t size = read(fd, text, sizeof text - 1);
  const int known = size >= 0 && fstat(fd, &info) == 0;
  ad_ignore(close(fd));
  if (!known) {
    return 1;
  }
  text[size] = '\0';
  const enum owner_presence presence = ad__owner_read(text, &owner) ? ad__owner_find(&owner) : OWNER_ELSEWHERE;
  entry->beat = seconds(&info.st_mtim);
  entry->certain = presence == OWNER_PRESENT;
  entry->since = owner.since;
  entry->pid = owner.pid;
  snprintf(entry->host, sizeof entry->host, "%s", owner.host);
  return info.st_mtime != 0 &&
         (presence == OWNER_PRESENT || (presence == OWNER_ELSEWHERE && now - entry->beat <= patience));
}

/* "NAME.N" */
static int read_name(const char *file, struct ad_lease_entry *entry) {
  const char *dot = strrchr(file, '.');
  char *end;
  *entry = (struct ad_lease_entry){0};
  if (dot == NULL || dot == file || dot - file >= AD_LEASE_NAME || !isdigit((unsigned char)dot[1])) {
    return 0;
  }
  const unsigned long generation = strtoul(dot + 1, &end, 10);
  memcpy(entry->name, file, (size_t)(dot - file));
  entry->generation = (unsigned)generation;
  return *end == '\0' && generation > 0 && generation < UINT_MAX;
}

static char *lease_path(const char *folder, const char *name, unsigned generation) {
  char file[FILE_TEXT];
  snprintf(file, sizeof file, "%.31s.%u", name, generation);
  char *path = ad_path_join(folder, file);
  if (path == NULL) {
    ad_fail_memory(strlen(folder) + sizeof file, "a path");
  }
  return path;
}

/* Files on their way to become leases: .NAME-HOST-PID-NUMBER */
int ad_lease_is_file(const char *file, const char *name) {
  struct ad_lease_entry entry;
  const size_t length = strlen(name);
  return (read_name(file, &entry) && strcmp(entry.name, name) == 0) ||
         (file[0] == '.' && strncmp(file + 1, name, length) == 0 && file[1 + length] == '-');
}

/* --- Taking one. */

/* Somebody who wants a lease. */
struct taker {
  const char *folder, *name;
  double patience;
  char text[OWNER_TEXT];
  char *own; /* the path of a file with that text; owned */
  int fd;    /* of it */
  double now;
};

static int write_text(int fd, const char *path, const char *text) {
  return fd >= 0 && ad_write_all(fd, text, strlen(text)) == 0 && fsync(fd) == 0
             ? AD_OK
             : ad_fail(AD_EIO, "%s: could not be written: %s", path, strerror(errno));
}

/* The taker's file under a name of its own; its time is the file server's now. */
static int make_own(struct taker *t) {
  static unsigned long counter;
  char file[FILE_TEXT + 128], host[64] = "?";
  struct stat info;
  gethostname(host, sizeof host - 1);
  snprintf(file, sizeof file, ".%s-%s-%ld-%lu", t->name, host, (long)getpid(), counter++);
  ad__owner_print(t->text);
  t->own = ad_path_join(t->folder, file);
  if (t->own == NULL) {
    return ad_fail_memory(strlen(t->folder) + sizeof file, "a path");
  }
  ad_ignore(unlink(t->own)); /* of a process that had our number */
  t->fd = open(t->own, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  AD_TRY(write_text(t->fd, t->own, t->text));
  if (fstat(t->fd, &info) != 0) {
    return ad_fail(AD_EIO, "%s: %s", t->own, strerror(errno));
  }
  t->now = seconds(&info.st_mtim);
  return AD_OK;
}

/* A file system without links: the name is made where it is not there. Until its text is in it, it counts by its age.
 */
static int create_exclusively(const struct taker *t, const char *path, int *fd) {
  *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (*fd < 0 && errno == EEXIST) {
    return AD_OK;
  }
  const int status = write_text(*fd, path, t->text);
  if (status != AD_OK && *fd >= 0) {
    ad_ignore(close(*fd));
    *fd = -1;
    ad_ignore(unlink(path));
  }
  return status;
}

/* Makes `path` with the taker's text. AD_OK with *fd -1: somebody else has that name. */
static int make_lease(const struct taker *t, const char *path, int *fd) {
  struct stat info;
  const int linked = link(t->own, path) == 0, reason = errno;
  *fd = -1;
  if (!linked && (reason == EPERM || reason == EOPNOTSUPP || reason == ENOSYS || reason == EMLINK)) {
    return create_exclusively(t, path, fd);
  }
  /* A network file system may have done it and lost the answer. */
  if (!linked && (fstat(t->fd, &info) != 0 || info.st_nlink != 2)) {
    return reason == EEXIST ? AD_OK : ad_fail(AD_EIO, "%s: could not be made: %s", path, strerror(reason));
  }
  *fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  return *fd >= 0 ? AD_OK : ad_fail(AD_EIO, "%s: could not be opened: %s", path, strerror(errno));
}

/* Another file of the folder: 0 where it is a lease that stands against one of this generation. What a killed taker
 * left on its way goes. */
static int is_no_rival(const struct taker *t, unsigned generation, const char *file) {
  struct ad_lease_entry other;
  if (!ad_lease_is_file(file, t->name)) {
    return 1;
  }
  const int on_its_way = file[0] == '.';
  char *path = ad_path_join(t->folder, file);
  int none = path != NULL && (on_its_way || (read_name(file, &other) && other.generation <= generation));
  if (none && (on_its_way || other.generation < generation)) {
    const int alive = is_alive(path, t->patience, t->now, &other);
    none = on_its_way || !alive;
    if (on_its_way && !alive) {
      ad_ignore(unlink(path));
    }
  }
  ad_free(path);
  return none;
}

/* Whether the lease that was made is the only one of its name: who looked into the folder while others came and went
 * may have known too little. */
static int is_only_one(const struct taker *t, unsigned generation) {
  int only = 1;
  DIR *opened = opendir(t->folder);
  for (const struct dirent *file = opened == NULL ? NULL : readdir(opened); only && file != NULL;
       file = readdir(opened)) {
    only = is_no_rival(t, generation, file->d_name);
  }
  if (opened != NULL) {
    ad_ignore(closedir(opened));
  }
  return opened != NULL && only;
}

static int try_to_take(struct ad_lease *lease, const struct taker *t, unsigned known, int *taken) {
  char *before = lease_path(t->folder, t->name, known), *path = lease_path(t->folder, t->name, known + 1);
  struct ad_lease_entry unused;
  int fd = -1, status = before == NULL || path == NULL ? AD_ENOMEM : AD_OK;
  if (status == AD_OK && (known == 0 || !is_alive(before, t->patience, t->now, &unused))) {
    status = make_lease(t, path, &fd);
  }
  if (fd >= 0 && is_only_one(t, known + 1)) {
    ad_ignore(unlink(before)); /* a holder that was only slow finds it gone */
    *lease = (struct ad_lease){.path = path, .fd = fd, .generation = known + 1};
    *taken = 1;
    path = NULL;
  } else if (fd >= 0) {
    ad_ignore(close(fd));
    ad_ignore(unlink(path));
  }
  ad_free(before);
  ad_free(path);
  return status;
}

int ad_lease_take(struct ad_lease *lease, const char *folder, const char *name, unsigned known, double patience,
                  int *taken) {
  struct taker t = {.folder = folder, .name = name, .patience = patience, .fd = -1};
  *lease = (struct ad_lease){.fd = -1};
  *taken = 0;
  AD_TRY(ad_make_folders(folder));
  int status = make_own(&t);
  status = status == AD_OK ? try_to_take(lease, &t, known, taken) : status;
  /* Closed first: a network file system keeps what is open under another name. */
  if (t.fd >= 0) {
    ad_ignore(close(t.fd));
    ad_ignore(unlink(t.own));
  }
  ad_free(t.own);
  return status;
}

/* --- Holding it. */

int ad_lease_held(const struct ad_lease *lease) {
  struct stat info, named;
  return lease->fd >= 0 && fstat(lease->fd, &info) == 0 && info.st_nlink > 0 &&
         (lease->path == NULL ||
          (lstat(lease->path, &named) == 0 && named.st_ino == info.st_ino && named.st_dev == info.st_dev));
}

int ad_lease_beat(const struct ad_lease *lease) {
  return lease->fd >= 0 && futimens(lease->fd, NULL) == 0 && ad_lease_held(lease);
}

void ad_lease_end(struct ad_lease *lease, int done) {
  if (lease->path == NULL) {
    return;
  }
  const struct timespec times[2] = {{0, 0}, {0, 0}};
  /* Not somebody else's of that name. */
  const int held = ad_lease_held(lease), left = held && !done && futimens(lease->fd, times) == 0;
  ad_ignore(close(lease->fd));
  if (held && !left && unlink(lease->path) != 0) {
    ad_log(AD_LOG_WARNING, "%s: could not be removed, and stays: %s", lease->path, strerror(errno));
  }
  ad_free(lease->path);
  *lease = (struct ad_lease){.fd = -1};
}

/* --- Looking at those of others. */

static int tidy_folder(const char *folder, DIR *opened, double patience,
                       int (*finished)(const void *context, const char *name), const void *context) {
  for (const struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened)) {
    struct ad_lease_entry lease;
    const char *file = entry->d_name;
    const int on_its_way = file[0] == '.' && file[1] != '\0' && strcmp(file, "..") != 0;
    if (!on_its_way && !(finished != NULL && read_name(file, &lease) && finished(context, lease.name))) {
      continue;
    }
    char *path = ad_path_join(folder, file);
    if (path == NULL) {
      return ad_fail_memory(strlen(folder) + FILE_TEXT, "a path");
    }
    if (!is_alive(path, patience, clock_now(), &lease)) {
      ad_ignore(unlink(path));
    }
    ad_free(path);
  }
  return AD_OK;
}

int ad_lease_tidy(const char *folder, double patience, int (*finished)(const void *context, const char *name),
                  const void *context) {
  DIR *opened = opendir(folder);
  if (opened == NULL) {
    return errno == ENOENT ? AD_OK : ad_fail(AD_EIO, "%s: %s", folder, strerror(errno));
  }
  const int status = tidy_folder(folder, opened, patience, finished, context);
  ad_ignore(closedir(opened));
  return status;
}

static int by_name(const void *a, const void *b) {
  const struct ad_lease_entry *x = a, *y = b;
  const int order = strcmp(x->name, y->name);
  return order != 0 ? order : (x->generation < y->generation) - (x->generation > y->generation);
}

/* only: the name that is wanted, or NULL. */
static int read_names(DIR *folder, const char *only, void **entries, size_t *count) {
  size_t capacity = 0;
  for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    struct ad_lease_entry e;
    if (!read_name(entry->d_name, &e) || (only != NULL && strcmp(e.name, only) != 0)) {
      continue;
    }
    AD_TRY(ad_reserve(entries, &capacity, *count + 1, sizeof e));
    ((struct ad_lease_entry *)*entries)[(*count)++] = e;
  }
  return AD_OK;
}

static int look_at(const char *folder, double patience, struct ad_lease_entry *entries, size_t *count) {
  size_t kept = 0;
  if (*count > 0) {
    qsort(entries, *count, sizeof *entries, by_name);
  }
  for (size_t i = 0; i < *count; i++) {
    if (kept > 0 && strcmp(entries[kept - 1].name, entries[i].name) == 0) {
      continue; /* an earlier generation */
    }
    char *path = lease_path(folder, entries[i].name, entries[i].generation);
    if (path == NULL) {
      return AD_ENOMEM;
    }
    struct ad_lease_entry *e = &entries[kept++];
    *e = entries[i];
    e->alive = is_alive(path, patience, clock_now(), e);
    ad_free(path);
  }
  *count = kept;
  return AD_OK;
}

static int list(const char *folder, const char *only, double patience, struct ad_lease_entry **entries, size_t *count) {
  void *found = NULL;
  *entries = NULL;
  *count = 0;
  DIR *opened = opendir(folder);
  if (opened == NULL) {
    return errno == ENOENT ? AD_OK : ad_fail(AD_EIO, "%s: %s", folder, strerror(errno));
  }
  int status = read_names(opened, only, &found, count);
  ad_ignore(closedir(opened));
  status = status == AD_OK ? look_at(folder, patience, found, count) : status;
  if (status != AD_OK) {
    ad_free(found);
    found = NULL;
    *count = 0;
  }
  *entries = found;
  return status;
}

int ad_lease_list(const char *folder, double patience, struct ad_lease_entry **entries, size_t *count) {
  return list(folder, NULL, patience, entries, count);
}

int ad_lease_find(const char *folder, const char *name, double patience, struct ad_lease_entry *entry) {
  struct ad_lease_entry *entries;
  size_t count;
  *entry = (struct ad_lease_entry){0};
  AD_TRY(list(folder, name, patience, &entries, &count));
  if (count > 0) {
    *entry = entries[0];
  }
  ad_free(entries);
  return AD_OK;
}
