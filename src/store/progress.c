#include "autodidact/store/progress.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

enum { TAIL = 1 << 16 }; /* bytes of the file's end: hundreds of rows, of which some are of evaluations and snapshots */

/* The end of a file into text [TAIL]; the bytes read, 0 where there is none. */
static size_t read_tail(const char *path, char *text) {
  struct stat info;
  const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ssize_t size = 0;
  if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
    size = pread(fd, text, TAIL, info.st_size > TAIL ? info.st_size - TAIL : 0);
  }
  if (fd >= 0) {
    ad_ignore(close(fd));
  }
  return size > 0 ? (size_t)size : 0;
}

/* 1 where the row [size] is a step's. */
static int read_row(const char *row, size_t size, uint64_t *step, uint64_t *steps) {
  json_t *object;
  if (ad_json_parse(&object, "timing.jsonl", 1, row, size) != AD_OK) {
    ad_error_clear();
    return 0;
  }
  const json_int_t done = json_integer_value(json_object_get(object, "step")),
                   all = json_integer_value(json_object_get(object, "steps"));
  json_decref(object);
  if (done < 0 || all < 1 || done > all) {
    return 0;
  }
  *step = (uint64_t)done;
  *steps = (uint64_t)all;
  return 1;
}

int ad_run_progress(const char *folder, uint64_t *step, uint64_t *steps) {
  char *path = ad_path_join(folder, "timing.jsonl"), *text = ad_malloc(TAIL, 1);
  int found = 0;
  if (path != NULL && text != NULL) {
    /* The last row may be on its way: whole ones end with a newline. */
    size_t size = read_tail(path, text);
    while (size > 0 && !found) {
      const char *end = memrchr(text, '\n', size);
      const char *before = end == NULL ? NULL : memrchr(text, '\n', (size_t)(end - text));
      const char *row = before == NULL ? text : before + 1;
      size = end == NULL ? 0 : (size_t)(row - text);
      found = end != NULL && read_row(row, (size_t)(end - row), step, steps);
    }
  }
  ad_free(path);
  ad_free(text);
  return found;
}
