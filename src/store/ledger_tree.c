/* The ledger against its folder: what is not the run's, and removing what is. Nothing here follows a symbolic link. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/lease.h"
#include "autodidact/store/run.h"
#include "ledger_internal.h"

enum { LONGEST = 4096 };

enum place {
  OWN,     /* a file that the run has made, or a folder of such */
  PARTIAL, /* one that was being written */
  LINK,    /* a symbolic link in the place of either */
  FOREIGN,
  PASSED /* nobody's business: the ledger, leases, logs of jobs, what a file system keeps of files that are gone */
};

static int ends_with(const char *text, const char *tail) {
  const size_t length = strlen(text), width = strlen(tail);
  return length >= width && strcmp(text + length - width, tail) == 0;
}

/* NAME-JOB.log, NAME-JOB_TASK.log (launch/submit), slurm-JOB.out (sbatch). */
static int is_job_log(const char *name) {
  const char *tail = name + (ends_with(name, ".log") || ends_with(name, ".out") ? strlen(name) - 4 : 0), *p = tail;
  while (p > name && (isdigit((unsigned char)p[-1]) || (p[-1] == '_' && isdigit((unsigned char)p[0])))) {
    p--;
  }
  return p < tail && p > name + 1 && p[-1] == '-' && p[0] != '_';
}

static int is_passed(const char *name, const struct stat *info) {
  const char *file = ad_path_name(name);
  if (!S_ISREG(info->st_mode)) {
    return 0;
  }
  return strncmp(file, ".nfs", 4) == 0 || strncmp(file, ".fuse_hidden", 12) == 0 ||
         (file == name &&
          (strcmp(name, AD_RUN_FILE_LEDGER) == 0 || ad_lease_is_file(name, AD_RUN_LEASE) || is_job_log(name)));
}

/* The name without what marks a file, or a folder, that is being written. */
static void whole_name(const char *name, char out[LONGEST]) {
  static const char mark[] = ".partial";
  const size_t width = sizeof mark - 1;
  size_t used = 0;
  while (*name != '\0') {
    if (strncmp(name, mark, width) == 0 && (name[width] == '/' || name[width] == '\0' || name[width] == '.')) {
      name += width;
    } else {
      out[used++] = *name++;
    }
  }
  out[used] = '\0';
}

static int is_folder_of_own(const struct ad_ledger *l, const char *name) {
  char prefix[LONGEST + 1];
  const size_t length = (size_t)snprintf(prefix, sizeof prefix, "%s/", name), at = ad__ledger_position(l, prefix);
  return at < l->count && strncmp(l->entries[at].name, prefix, length) == 0;
}

static enum place judge(const struct ad_ledger *l, const char *name, const struct stat *info) {
  char whole[LONGEST];
  if (is_passed(name, info)) {
    return PASSED;
  }
  whole_name(name, whole);
  const int file = ad_ledger_find(l, whole) != NULL, folder = is_folder_of_own(l, whole);
  if (S_ISLNK(info->st_mode)) {
    return file || folder ? LINK : FOREIGN;
  }
  if (!(S_ISDIR(info->st_mode) ? folder : file)) {
    return FOREIGN;
  }
  return strcmp(name, whole) == 0 ? OWN : PARTIAL;
}

/* Walks through what the run has made; `visit` is told of each file and link, of a folder behind what is in it. */
struct walk {
  const struct ad_ledger *ledger;
  int (*visit)(const struct walk *w, int folder, const char *name, enum place place, int is_folder);
  const char *under; /* for removing: names begin so */
  int partial;       /* for removing: only what was being written */
  int which;         /* for listing */
  struct ad_ledger_names *names;
};

static int walk_folder(const struct walk *w, int fd, const char *prefix);

static int walk_entry(const struct walk *w, int folder, const char *prefix, const char *file) {
  char name[LONGEST];
  struct stat info;
  const int length = snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] == '\0' ? "" : "/", file);
  if (fstatat(folder, file, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? AD_OK : ad_fail(AD_EIO, "%s/%s: %s", w->ledger->folder, name, strerror(errno));
  }
  const enum place place = length >= LONGEST ? FOREIGN : judge(w->ledger, name, &info);
  if (S_ISDIR(info.st_mode) && (place == OWN || place == PARTIAL)) {
    const int fd = openat(folder, file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AD_TRY(fd < 0 ? ad_fail(AD_EIO, "%s/%s: %s", w->ledger->folder, name, strerror(errno)) : walk_folder(w, fd, name));
  }
  return place == PASSED ? AD_OK : w->visit(w, folder, name, place, S_ISDIR(info.st_mode));
}

/* Closes fd. */
static int walk_folder(const struct walk *w, int fd, const char *prefix) {
  DIR *opened = fdopendir(fd);
  if (opened == NULL) {
    ad_ignore(close(fd));
    return ad_fail(AD_EIO, "%s/%s: %s", w->ledger->folder, prefix, strerror(errno));
  }
  int status = AD_OK;
  for (const struct dirent *entry = readdir(opened); status == AD_OK && entry != NULL; entry = readdir(opened)) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      status = walk_entry(w, fd, prefix, entry->d_name);
    }
  }
  ad_ignore(closedir(opened));
  return status;
}

/* The folder itself may be reached by a link. */
static int walk(const struct walk *w) {
  const char *folder = w->ledger->folder;
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return errno == ENOENT ? AD_OK : ad_fail(errno == ENOTDIR ? AD_EINPUT : AD_EIO, "%s: %s", folder, strerror(errno));
  }
  return walk_folder(w, fd, "");
}

/* --- Listing. */

static int note(const struct walk *w, int folder, const char *name, enum place place, int is_folder) {
  (void)folder;
  struct ad_ledger_names *names = w->names;
  if (!(place == FOREIGN && (w->which & AD_LEDGER_FOREIGN)) && !(place == LINK && (w->which & AD_LEDGER_LINKS))) {
    return AD_OK;
  }
  void *items = names->items;
  AD_TRY(ad_reserve(&items, &names->capacity, names->count + 1, sizeof *names->items));
  names->items = items;
  char text[LONGEST + 1];
  snprintf(text, sizeof text, "%s%s", name, is_folder ? "/" : "");
  names->items[names->count] = ad_strdup(text);
  return names->items[names->count++] == NULL ? ad_fail_memory(strlen(text) + 1, "a name") : AD_OK;
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

int ad_ledger_list(const struct ad_ledger *ledger, int which, struct ad_ledger_names *names) {
  *names = (struct ad_ledger_names){0};
  const struct walk w = {.ledger = ledger, .visit = note, .which = which, .names = names};
  AD_TRY(walk(&w));
  if (names->count > 0) {
    qsort(names->items, names->count, sizeof *names->items, by_text);
  }
  return AD_OK;
}

void ad_ledger_names_destroy(struct ad_ledger_names *names) {
  for (size_t i = 0; i < names->count; i++) {
    ad_free(names->items[i]);
  }
  ad_free(names->items);
  *names = (struct ad_ledger_names){0};
}

/* --- Removing. */

static int is_under(const char *name, const char *under) {
  char whole[LONGEST];
  whole_name(name, whole);
  return strncmp(whole, under, strlen(under)) == 0;
}

static int remove_entry(const struct walk *w, int folder, const char *name, enum place place, int is_folder) {
  char inside[LONGEST + 1];
  snprintf(inside, sizeof inside, "%s%s", name, is_folder ? "/" : "");
  if (place == FOREIGN || !is_under(inside, w->under) || (w->partial && place != PARTIAL)) {
    return AD_OK;
  }
  if (unlinkat(folder, ad_path_name(name), is_folder ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT &&
      !(is_folder && (errno == ENOTEMPTY || errno == EEXIST))) {
    return ad_fail(AD_EIO, "%s/%s: could not be removed: %s", w->ledger->folder, name, strerror(errno));
  }
  return AD_OK;
}

int ad_ledger_remove_partial(const struct ad_ledger *ledger) {
  const struct walk w = {.ledger = ledger, .visit = remove_entry, .under = "", .partial = 1};
  return walk(&w);
}

/* The list goes behind the files. */
static int forget_all(struct ad_ledger *l) {
  char *path = ad_path_join(l->folder, AD_RUN_FILE_LEDGER), *folder = ad_strdup(l->folder);
  int status = path == NULL || folder == NULL ? ad_fail_memory(strlen(l->folder) + 32, "a path") : AD_OK;
  if (status == AD_OK && unlink(path) != 0 && errno != ENOENT) {
    status = ad_fail(AD_EIO, "%s: could not be removed: %s", path, strerror(errno));
  }
  if (status == AD_OK) {
    ad_ledger_close(l);
    l->folder = folder;
    folder = NULL;
  }
  ad_free(folder);
  ad_free(path);
  return status;
}

int ad_ledger_remove(struct ad_ledger *ledger, const char *under) {
  const struct walk w = {.ledger = ledger, .visit = remove_entry, .under = under};
  /* Sealed files must be there. */
  for (size_t i = ad__ledger_position(ledger, under); under[0] != '\0' && i < ledger->count; i++) {
    if (strncmp(ledger->entries[i].name, under, strlen(under)) == 0 && ledger->entries[i].sealed) {
      AD_TRY(ad__ledger_add(ledger, &(struct ad_ledger_entry){.name = ledger->entries[i].name}));
    }
  }
  AD_TRY(walk(&w));
  return under[0] == '\0' ? forget_all(ledger) : AD_OK;
}
