/* What the fuzz targets share. A target is one file, tests/fuzz/NAME.c, that includes this and defines fuzz_input: the
 * program reads any bytes as if a user had handed them in, and `demand` says what must hold of what comes back.
 *
 * An input that stands for several files has its parts one after another, with the byte 0xFF, which is in no UTF-8,
 * between them. Files lie in a folder of the process's own. Besides what a target demands, each input must give back
 * all memory that it took (base/memory.h). */
#ifndef AUTODIDACT_TESTS_FUZZ_H
#define AUTODIDACT_TESTS_FUZZ_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

/* The target's own: looks at one input. What it keeps for the next one is counted here, in blocks of memory. */
void fuzz_input(const uint8_t *data, size_t size);
static size_t fuzz_kept;

#define demand(holds) ((holds) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #holds))

static inline _Noreturn void fuzz_broken(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: does not hold: %s\n  last message: %s\n", file, line, what, ad_error_message());
  abort();
}

/* 1: done. 0: refused as a user's input may be, with a message. Any other status is a finding. */
static inline int fuzz_accepted(int status) {
  demand(status == AD_OK || status == AD_EINPUT || status == AD_ECONFIG);
  demand(status == AD_OK || ad_error_message()[0] != '\0');
  return status == AD_OK;
}

/* The folder for files, and the path of one in it; the last four paths stay valid. */
static inline const char *fuzz_folder(void) {
  static char folder[256];
  if (folder[0] == '\0') {
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/fuzz.XXXXXX", parent == NULL ? "/tmp" : parent);
    demand(mkdtemp(folder) != NULL);
  }
  return folder;
}

static inline const char *fuzz_path(const char *name) {
  static char paths[4][512];
  static unsigned turn;
  char *path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder(), name);
  return path;
}

/* Writes a file, and gives its path; removes one. */
static inline const char *fuzz_put(const char *name, const void *data, size_t size) {
  const char *path = fuzz_path(name);
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  demand(file >= 0 && write(file, data, size) == (ssize_t)size && close(file) == 0);
  return path;
}

static inline void fuzz_drop(const char *name) {
  unlink(fuzz_path(name));
}

struct fuzz_part {
  const uint8_t *data;
  size_t size;
};

/* Cuts an input into parts [count]; those that are not there are empty. The last one may hold any byte. */
static inline void fuzz_cut(const uint8_t *data, size_t size, struct fuzz_part *parts, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const uint8_t *end = i + 1 < count && size > 0 ? memchr(data, 0xFF, size) : NULL;
    parts[i] = (struct fuzz_part){data, end == NULL ? size : (size_t)(end - data)};
    data += parts[i].size + (end != NULL);
    size -= parts[i].size + (end != NULL);
  }
}

/* A part as a file; none where it is empty. */
static inline void fuzz_put_part(const char *name, struct fuzz_part part) {
  if (part.size == 0) {
    fuzz_drop(name);
  } else {
    fuzz_put(name, part.data, part.size);
  }
}

/* A string of the part's bytes up to its first NUL; the caller frees it. */
static inline char *fuzz_text(struct fuzz_part part) {
  char *text = calloc(part.size + 1, 1);
  demand(text != NULL);
  memcpy(text, part.data, part.size);
  return text;
}

/* Reads every byte, so that a sanitizer sees the memory. */
static inline void fuzz_touch(const void *data, size_t size) {
  const volatile unsigned char *bytes = data;
  for (size_t i = 0; i < size; i++) {
    (void)bytes[i];
  }
}

/* The linker hands calls of ad_file_map to these (CMakeLists.txt): a mapping ends at a page, a block of the heap at its
 * last byte, behind which a sanitizer sees every read. */
int __real_ad_file_map(const char *path, struct ad_file_map *map);
void __real_ad_file_unmap(struct ad_file_map *map);
int __wrap_ad_file_map(const char *path, struct ad_file_map *map);
void __wrap_ad_file_unmap(struct ad_file_map *map);

int __wrap_ad_file_map(const char *path, struct ad_file_map *map) {
  struct ad_file_map mapped;
  *map = (struct ad_file_map){0};
  AD_TRY(__real_ad_file_map(path, &mapped));
  if (mapped.data != NULL) {
    void *copy = NULL;
    demand(posix_memalign(&copy, 64, mapped.size) == 0);
    memcpy(copy, mapped.data, mapped.size);
    *map = (struct ad_file_map){.data = copy, .size = mapped.size};
    __real_ad_file_unmap(&mapped);
  }
  return AD_OK;
}

void __wrap_ad_file_unmap(struct ad_file_map *map) {
  free((void *)(uintptr_t)map->data);
  *map = (struct ad_file_map){0};
}

/* And ad_guard: in a child process a sanitizer's report is lost, and what was covered too. fuzz_guarded 1: a child all
 * the same, for bytes that a library may crash on. */
static int fuzz_guarded;
int __real_ad_guard(const char *path, int (*look)(void *context), void *context);
int __wrap_ad_guard(const char *path, int (*look)(void *context), void *context);

int __wrap_ad_guard(const char *path, int (*look)(void *context), void *context) {
  return fuzz_guarded ? __real_ad_guard(path, look, context) : look(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ad_log_set_level(AD_LOG_ERROR);
  ad_error_clear();
  fuzz_input(data, size);
  demand(ad_memory_stats().live_blocks == fuzz_kept);
  return 0;
}

#endif
