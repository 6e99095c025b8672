/* The ledger's file. ledger_tree.c compares it with the folder. */
#include "autodidact/store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "ledger_internal.h"

static char *path_of(const struct ad_ledger *l, const char *name) {
  char *path = ad_path_join(l->folder, name);
  if (path == NULL) {
    ad_fail_memory(strlen(l->folder) + strlen(name) + 2, "a path");
  }
  return path;
}

/* --- Entries. */

size_t ad__ledger_position(const struct ad_ledger *l, const char *name) {
  size_t low = 0, high = l->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (strcmp(l->entries[middle].name, name) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

static struct ad_ledger_entry *find(const struct ad_ledger *l, const char *name) {
  const size_t at = ad__ledger_position(l, name);
  return at < l->count && strcmp(l->entries[at].name, name) == 0 ? &l->entries[at] : NULL;
}

const struct ad_ledger_entry *ad_ledger_find(const struct ad_ledger *ledger, const char *name) {
  return find(ledger, name);
}

/* Takes a line in; entry->name is copied. */
static int take(struct ad_ledger *l, const struct ad_ledger_entry *entry) {
  struct ad_ledger_entry *known = find(l, entry->name);
  if (known == NULL) {
    const size_t at = ad__ledger_position(l, entry->name);
    void *entries = l->entries;
    AD_TRY(ad_reserve(&entries, &l->capacity, l->count + 1, sizeof *entry));
    l->entries = entries;
    known = &l->entries[at];
    char *name = ad_strdup(entry->name);
    if (name == NULL) {
      return ad_fail_memory(strlen(entry->name) + 1, "the name of a file");
    }
    memmove(known + 1, known, (l->count++ - at) * sizeof *known);
    known->name = name;
  }
  known->sealed = entry->sealed;
  known->bytes = entry->bytes;
  known->digest = entry->digest;
  return AD_OK;
}

/* A place below the folder, in characters that need no escaping; nothing else is ever removed. */
static int is_name(const char *name) {
  const size_t length = strlen(name);
  for (const char *part = name; part < name + length + 1;) {
    const size_t width = strcspn(part, "/");
    if (width == 0 || (width == 1 && part[0] == '.') || (width == 2 && part[0] == '.' && part[1] == '.')) {
      return 0;
    }
    part += width + 1;
  }
  for (const char *p = name; *p != '\0'; p++) {
    if ((unsigned char)*p < 0x20 || *p == '"' || *p == '\\') {
      return 0;
    }
  }
  return length > 0 && strstr(name, ".partial") == NULL && strcmp(name, AD_RUN_FILE_LEDGER) != 0;
}

/* --- Reading. */

static int read_line(struct ad_ledger *l, const char *path, size_t number, const char *text, size_t size) {
  json_t *line;
  AD_TRY(ad_json_parse(&line, path, number, text, size));
  const json_t *bytes = json_object_get(line, "bytes");
  const char *name = json_string_value(json_object_get(line, "file")),
             *digest = json_string_value(json_object_get(line, "xxh3"));
  const int sealed = digest != NULL;
  int status = AD_OK;
  if (name == NULL || !is_name(name) ||
      (sealed && (!json_is_integer(bytes) || json_integer_value(bytes) < 0 || strlen(digest) != 16 ||
                  strspn(digest, "0123456789abcdef") != 16))) {
    status = ad_fail(AD_EINPUT, "%s:%zu: expected a file that a run has made, its size and digest", path, number);
  } else {
    status = take(
        l, &(struct ad_ledger_entry){(char *)(uintptr_t)name, sealed, sealed ? (uint64_t)json_integer_value(bytes) : 0,
                                     sealed ? strtoull(digest, NULL, 16) : 0});
  }
  json_decref(line);
  return status;
}

/* A line without its end was being written when the machine went down: it stands for nothing yet. */
static int read_lines(struct ad_ledger *l, const char *path) {
  struct ad_file_map map;
  AD_TRY(ad_file_map(path, &map));
  int status = AD_OK;
  for (size_t number = 1; status == AD_OK && l->whole < map.size; number++) {
    const char *text = map.data + l->whole, *end = memchr(text, '\n', map.size - l->whole);
    if (end == NULL) {
      break;
    }
    status = read_line(l, path, number, text, (size_t)(end - text));
    l->whole += (uint64_t)(end - text) + 1;
  }
  ad_file_unmap(&map);
  return status;
}

int ad_ledger_open(struct ad_ledger *ledger, const char *folder) {
  struct stat info;
  *ledger = (struct ad_ledger){.folder = ad_strdup(folder), .fd = -1};
  char *path = ledger->folder == NULL ? NULL : path_of(ledger, AD_RUN_FILE_LEDGER);
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + 1, "a path");
  }
  int status = AD_OK;
  if (lstat(path, &info) == 0) {
    ledger->there = 1;
    status = S_ISREG(info.st_mode) ? read_lines(ledger, path)
                                   : ad_fail(AD_EINPUT, "%s: expected a file, found something else", path);
  } else if (errno != ENOENT && errno != ENOTDIR) {
    status = ad_fail(AD_EIO, "%s: %s", path, strerror(errno));
  }
  ad_free(path);
  return status;
}

void ad_ledger_close(struct ad_ledger *ledger) {
  for (size_t i = 0; i < ledger->count; i++) {
    ad_free(ledger->entries[i].name);
  }
  if (ledger->folder != NULL && ledger->fd >= 0) {
    ad_ignore(close(ledger->fd));
  }
  ad_free(ledger->entries);
  ad_free(ledger->folder);
  *ledger = (struct ad_ledger){.fd = -1};
}

/* --- Appending. */

static int open_for_appending(struct ad_ledger *l, const char *path) {
  if (l->fd >= 0) {
    return AD_OK;
  }
  l->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (l->fd < 0 || ftruncate(l->fd, (off_t)l->whole) != 0) {
    return ad_fail(AD_EIO, "%s: could not be opened: %s", path, strerror(errno));
  }
  AD_TRY(l->there ? AD_OK : ad_folder_sync(l->folder));
  l->there = 1;
  return AD_OK;
}

/* Whole or not at all: what was written of it is cut off again where the disk is full. */
static int append(struct ad_ledger *l, const struct ad_buffer *text) {
  char *path = path_of(l, AD_RUN_FILE_LEDGER);
  int status = path == NULL ? AD_ENOMEM : open_for_appending(l, path);
  if (status == AD_OK && (ad_write_all(l->fd, text->data, text->size) != 0 || fsync(l->fd) != 0)) {
    const int reason = errno;
    status = ad_fail(AD_EIO, "%s: could not be written: %s", path, strerror(reason));
    if (ftruncate(l->fd, (off_t)l->whole) != 0) {
      status = ad_fail(AD_EIO, "%s: could neither be written nor cut: %s", path, strerror(errno));
    }
    errno = reason;
  }
  l->whole += status == AD_OK ? text->size : 0;
  ad_free(path);
  return status;
}

static int print(const struct ad_ledger_entry *entry, struct ad_buffer *text) {
  char digest[17];
  return entry->sealed ? ad_buffer_printf(text, "{\"file\":\"%s\",\"bytes\":%" PRIu64 ",\"xxh3\":\"%s\"}\n",
                                          entry->name, entry->bytes, ad_digest_text(entry->digest, digest))
                       : ad_buffer_printf(text, "{\"file\":\"%s\"}\n", entry->name);
}

int ad__ledger_add(struct ad_ledger *l, const struct ad_ledger_entry *entry) {
  struct ad_buffer text = {0};
  int status = print(entry, &text);
  status = status == AD_OK ? append(l, &text) : status;
  ad_buffer_destroy(&text);
  return status == AD_OK ? take(l, entry) : status;
}

/* That a file of this name would lie in the run's own folders, and in nobody's way. */
static int check_place(const struct ad_ledger *l, const char *name) {
  struct stat info;
  char *path = path_of(l, name);
  int status = path == NULL ? AD_ENOMEM : AD_OK, there = 1;
  for (char *end = path == NULL ? NULL : path + strlen(path) - strlen(name); status == AD_OK && there && end != NULL;) {
    char *slash = strchr(end, '/');
    if (slash != NULL) {
      *slash = '\0';
    }
    there = lstat(path, &info) == 0;
    if (there && S_ISLNK(info.st_mode)) {
      status = ad_fail(AD_EINPUT, "%s: a symbolic link: a run writes into files and folders of its own only", path);
    } else if (there && slash == NULL && find(l, name) == NULL) {
      status = ad_fail(AD_EINPUT, "%s: is there already, and no run has made it", path);
    }
    if (slash != NULL) {
      *slash = '/';
    }
    end = slash == NULL ? NULL : slash + 1;
  }
  ad_free(path);
  return status;
}

int ad_ledger_record(struct ad_ledger *ledger, const char *name) {
  const struct ad_ledger_entry *known = find(ledger, name);
  if (!is_name(name)) {
    return ad_fail(AD_EINTERNAL, "%s: no name for a file of a run", name);
  }
  AD_TRY(check_place(ledger, name));
  return known != NULL && !known->sealed
             ? AD_OK
             : ad__ledger_add(ledger, &(struct ad_ledger_entry){.name = (char *)(uintptr_t)name});
}

/* --- Sealing. */

/* What the entry must say of its file; *there 0: there is none. */
static int measure(const struct ad_ledger *l, const char *name, struct ad_ledger_entry *entry, int *there) {
  struct stat info;
  char *path = path_of(l, name);
  int status = path == NULL ? AD_ENOMEM : AD_OK;
  *entry = (struct ad_ledger_entry){.name = (char *)(uintptr_t)name};
  *there = path != NULL && lstat(path, &info) == 0 && S_ISREG(info.st_mode);
  if (*there) {
    entry->sealed = 1;
    entry->bytes = (uint64_t)info.st_size;
    status = ad_digest_file(path, &entry->digest);
  }
  ad_free(path);
  return status;
}

int ad_ledger_seal_all(struct ad_ledger *ledger, const char *but) {
  struct ad_buffer text = {0};
  int status = AD_OK, there;
  for (size_t i = 0; status == AD_OK && i < ledger->count; i++) {
    struct ad_ledger_entry *known = &ledger->entries[i], now = {.name = known->name};
    if (but == NULL || strncmp(known->name, but, strlen(but)) != 0) {
      status = measure(ledger, known->name, &now, &there);
    }
    if (status == AD_OK && (now.sealed || known->sealed)) {
      status = print(&now, &text);
      *known = now;
    }
  }
  status = status == AD_OK && text.size > 0 ? append(ledger, &text) : status;
  ad_buffer_destroy(&text);
  return status;
}

int ad_ledger_unseal(struct ad_ledger *ledger) {
  struct ad_buffer text = {0};
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && i < ledger->count; i++) {
    status =
        ledger->entries[i].sealed ? print(&(struct ad_ledger_entry){.name = ledger->entries[i].name}, &text) : AD_OK;
  }
  status = status == AD_OK && text.size > 0 ? append(ledger, &text) : status;
  for (size_t i = 0; status == AD_OK && i < ledger->count; i++) {
    ledger->entries[i] = (struct ad_ledger_entry){.name = ledger->entries[i].name};
  }
  ad_buffer_destroy(&text);
  return status;
}

int ad_ledger_seal(struct ad_ledger *ledger, const char *name) {
  struct ad_ledger_entry now;
  int there;
  AD_TRY(measure(ledger, name, &now, &there));
  return there ? ad__ledger_add(ledger, &now) : ad_fail(AD_EINPUT, "%s/%s: missing", ledger->folder, name);
}

int ad_ledger_seal_text(struct ad_ledger *ledger, const char *name, const char *text, size_t size) {
  AD_TRY(ad_ledger_record(ledger, name));
  return ad__ledger_add(ledger, &(struct ad_ledger_entry){(char *)(uintptr_t)name, 1, size, ad_digest(text, size)});
}
