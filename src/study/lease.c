#include "autodidact/study/lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

enum { OWNER_TEXT = 256, NAME_TEXT = 64 };

/* The kernel's number for a boot of a machine, and the namespace that process numbers belong to: where both are ours,
 * so are the numbers. */
static void describe_place(char text[OWNER_TEXT]) {
  char boot[64] = "?", space[64] = "?";
  FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
  if (file != NULL) {
    if (fgets(boot, sizeof boot, file) == NULL) {
      boot[0] = '?';
    }
    boot[strcspn(boot, "\n")] = '\0';
    fclose(file);
  }
  const ssize_t length = readlink("/proc/self/ns/pid", space, sizeof space - 1);
  space[length > 0 ? length : 1] = '\0';
  snprintf(text, OWNER_TEXT, "%s %s", boot, space);
}

/* When a process began, in clock ticks since the boot; 0: there is none of that number. */
static unsigned long long start_of(long pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    return 0;
  }
  const size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = '\0';
  /* The name in brackets may hold anything; field 3, the state, follows it, the start is field 22. */
  char *at = strrchr(text, ')');
  char state = '?';
  unsigned long long start = 0;
  if (at == NULL || sscanf(at + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                           &state, &start) != 2 ||
      state == 'Z' || state == 'X') {
    return 0;
  }
  return start;
}

/* "PID START PLACE": what a lease's file holds, behind the host's name for people. */
static void describe_owner(char text[OWNER_TEXT]) {
  char place[OWNER_TEXT], host[100] = "?";
  describe_place(place);
  gethostname(host, sizeof host - 1);
  host[strcspn(host, " \n")] = '\0';
  snprintf(text, OWNER_TEXT, "%s %ld %llu %.120s\n", host, (long)getpid(), start_of((long)getpid()), place);
}

enum presence { GONE, PRESENT, ELSEWHERE };

/* Whether the process that wrote `text` exists, as far as this one can tell. */
static enum presence find_owner(const char *text) {
  char place[OWNER_TEXT];
  long pid = 0;
  unsigned long long start = 0;
  int used = 0;
  describe_place(place);
  if (sscanf(text, "%*s %ld %llu %n", &pid, &start, &used) < 2 || used == 0 ||
      strncmp(text + used, place, strlen(place)) != 0) {
    return ELSEWHERE;
  }
  return start != 0 && start_of(pid) == start ? PRESENT : GONE;
}

/* Whether a lease is held by somebody who lives; `now` by the clock that set its time. */
static int is_alive(const char *path, double patience, double now, struct ad_lease_entry *entry) {
  char text[OWNER_TEXT] = "";
  struct stat info;
  /* Opened, so that a network file system asks its server. */
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return 0;
  }
  const ssize_t size = read(fd, text, sizeof text - 1);
  const int known = size >= 0 && fstat(fd, &info) == 0;
  close(fd);
  if (!known) {
    return 1;
  }
  text[size] = '\0';
  if (info.st_mtime == 0) {
    return 0;
  }
  const enum presence owner = find_owner(text);
  entry->beat = (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec;
  entry->certain = owner == PRESENT;
  return owner == PRESENT || (owner == ELSEWHERE && now - entry->beat <= patience);
}

static char *lease_path(const char *folder, uint64_t id, unsigned generation) {
  char name[NAME_TEXT];
  snprintf(name, sizeof name, "%016" PRIx64 ".%u", id, generation);
  return ad_path_join(folder, name);
}

/* The owner's file under a name of its own; its time is the file server's now. */
static int make_own(const char *folder, char **path, int *fd, double *now) {
  static unsigned long counter;
  char name[NAME_TEXT + 100], host[64] = "?", owner[OWNER_TEXT];
  struct stat info;
  gethostname(host, sizeof host - 1);
  snprintf(name, sizeof name, ".%s-%ld-%lu", host, (long)getpid(), counter++);
  describe_owner(owner);
  *path = ad_path_join(folder, name);
  if (*path == NULL) {
    return ad_fail_memory(strlen(folder) + sizeof name, "a path");
  }
  *fd = open(*path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  const size_t size = strlen(owner);
  if (*fd < 0 || write(*fd, owner, size) != (ssize_t)size || fsync(*fd) != 0 || fstat(*fd, &info) != 0) {
    return ad_fail(AD_EIO, "%s: could not be written: %s", *path, strerror(errno));
  }
  *now = (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec;
  return AD_OK;
}

/* link(2), also where a network file system did it and lost the answer. AD_OK with *done 0: the name was there. */
static int link_once(const char *own, int fd, const char *path, int *done) {
  struct stat info;
  *done = link(own, path) == 0;
  const int reason = errno;
  if (!*done) {
    *done = fstat(fd, &info) == 0 && info.st_nlink == 2;
  }
  return *done || reason == EEXIST ? AD_OK : ad_fail(AD_EIO, "%s: could not be made: %s", path, strerror(reason));
}

static int try_to_take(struct ad_lease *lease, const char *folder, uint64_t id, unsigned known, double patience,
                       const char *own, int fd, double now, int *taken) {
  char *before = lease_path(folder, id, known), *path = lease_path(folder, id, known + 1);
  struct ad_lease_entry unused;
  int status = before == NULL || path == NULL ? ad_fail_memory(strlen(folder) + NAME_TEXT, "a path") : AD_OK;
  if (status == AD_OK && (known == 0 || !is_alive(before, patience, now, &unused))) {
    status = link_once(own, fd, path, taken);
  }
  if (status == AD_OK && *taken) {
    unlink(before); /* a holder that was only slow finds it gone */
    *lease = (struct ad_lease){.path = path, .fd = fd, .generation = known + 1};
    path = NULL;
  }
  ad_free(before);
  ad_free(path);
  return status;
}

int ad_lease_take(struct ad_lease *lease, const char *dir, uint64_t id, unsigned known, double patience, int *taken) {
  char *folder = ad_path_join(dir, "leases"), *own = NULL;
  int fd = -1;
  double now = 0.0;
  *lease = (struct ad_lease){.fd = -1};
  *taken = 0;
  int status = folder == NULL ? ad_fail_memory(strlen(dir) + 16, "a path") : ad_make_folders(folder);
  status = status == AD_OK ? make_own(folder, &own, &fd, &now) : status;
  status = status == AD_OK ? try_to_take(lease, folder, id, known, patience, own, fd, now, taken) : status;
  if (own != NULL) {
    unlink(own);
  }
  if (!*taken && fd >= 0) {
    close(fd);
  }
  ad_free(own);
  ad_free(folder);
  return status;
}

int ad_lease_beat(const struct ad_lease *lease) {
  struct stat info;
  return lease->fd >= 0 && futimens(lease->fd, NULL) == 0 && fstat(lease->fd, &info) == 0 && info.st_nlink > 0;
}

void ad_lease_end(struct ad_lease *lease, int done) {
  if (lease->path == NULL) {
    return;
  }
  if (done) {
    struct stat info;
    /* Not somebody else's of that name: generations are made once, but the folder may have been emptied by hand. */
    if (fstat(lease->fd, &info) == 0 && info.st_nlink > 0) {
      unlink(lease->path);
    }
  } else {
    const struct timespec times[2] = {{0, 0}, {0, 0}};
    if (futimens(lease->fd, times) != 0) {
      unlink(lease->path);
    }
  }
  close(lease->fd);
  ad_free(lease->path);
  *lease = (struct ad_lease){.fd = -1};
}

/* "ID.N" */
static int read_name(const char *name, struct ad_lease_entry *entry) {
  int used = 0;
  *entry = (struct ad_lease_entry){0};
  return sscanf(name, "%16" SCNx64 ".%u%n", &entry->id, &entry->generation, &used) == 2 && name[used] == '\0';
}

static int tidy_folder(const char *folder, DIR *opened, double patience,
                       int (*finished)(const void *context, uint64_t id), const void *context) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  for (const struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened)) {
    struct ad_lease_entry lease;
    const char *name = entry->d_name;
    const int on_its_way = name[0] == '.' && name[1] != '\0' && strcmp(name, "..") != 0;
    if (!on_its_way && !(read_name(name, &lease) && finished(context, lease.id))) {
      continue;
    }
    char *path = ad_path_join(folder, name);
    if (path == NULL) {
      return ad_fail_memory(strlen(folder) + NAME_TEXT, "a path");
    }
    if (!is_alive(path, patience, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec, &lease)) {
      unlink(path);
    }
    ad_free(path);
  }
  return AD_OK;
}

int ad_lease_tidy(const char *dir, double patience, int (*finished)(const void *context, uint64_t id),
                  const void *context) {
  char *folder = ad_path_join(dir, "leases");
  if (folder == NULL) {
    return ad_fail_memory(strlen(dir) + 16, "a path");
  }
  DIR *opened = opendir(folder);
  int status = opened != NULL || errno == ENOENT ? AD_OK : ad_fail(AD_EIO, "%s: %s", folder, strerror(errno));
  if (opened != NULL) {
    status = tidy_folder(folder, opened, patience, finished, context);
    closedir(opened);
  }
  ad_free(folder);
  return status;
}

static int by_id(const void *a, const void *b) {
  const struct ad_lease_entry *x = a, *y = b;
  return x->id != y->id ? (x->id < y->id ? -1 : 1) : (x->generation < y->generation) - (x->generation > y->generation);
}

static int read_names(DIR *folder, void **entries, size_t *count) {
  size_t capacity = 0;
  for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    struct ad_lease_entry e;
    if (!read_name(entry->d_name, &e)) {
      continue;
    }
    AD_TRY(ad_reserve(entries, &capacity, *count + 1, sizeof e));
    ((struct ad_lease_entry *)*entries)[(*count)++] = e;
  }
  return AD_OK;
}

static int look_at(const char *folder, double patience, struct ad_lease_entry *entries, size_t *count) {
  struct timespec now;
  size_t kept = 0;
  clock_gettime(CLOCK_REALTIME, &now);
  if (*count > 0) {
    qsort(entries, *count, sizeof *entries, by_id);
  }
  for (size_t i = 0; i < *count; i++) {
    if (kept > 0 && entries[kept - 1].id == entries[i].id) {
      continue; /* an earlier generation */
    }
    char *path = lease_path(folder, entries[i].id, entries[i].generation);
    if (path == NULL) {
      return ad_fail_memory(strlen(folder) + NAME_TEXT, "a path");
    }
    struct ad_lease_entry *e = &entries[kept++];
    *e = entries[i];
    e->alive = is_alive(path, patience, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec, e);
    ad_free(path);
  }
  *count = kept;
  return AD_OK;
}

int ad_lease_list(const char *dir, double patience, struct ad_lease_entry **entries, size_t *count) {
  char *folder = ad_path_join(dir, "leases");
  void *list = NULL;
  *entries = NULL;
  *count = 0;
  if (folder == NULL) {
    return ad_fail_memory(strlen(dir) + 16, "a path");
  }
  DIR *opened = opendir(folder);
  int status = opened != NULL || errno == ENOENT ? AD_OK : ad_fail(AD_EIO, "%s: %s", folder, strerror(errno));
  if (opened != NULL) {
    status = read_names(opened, &list, count);
    closedir(opened);
  }
  status = status == AD_OK ? look_at(folder, patience, list, count) : status;
  if (status != AD_OK) {
    ad_free(list);
    list = NULL;
    *count = 0;
  }
  *entries = list;
  ad_free(folder);
  return status;
}
