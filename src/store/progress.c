#include "autodidact/store/progress.h"

#include <fcntl.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run_files.h"

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

/* One row [size]; what is none, as its end is missing or another program wrote it, is passed over. */
static int read_row(const char *text, size_t size, struct ad_timing_row *row) {
  json_t *object;
  int status = ad_json_parse(&object, AD_RUN_FILE_TIMING, 1, text, size);
  status = status == AD_OK ? ad_timing_row_read(row, object) : status;
  json_decref(object);
  if (status != AD_OK) {
    ad_error_clear();
  }
  return status == AD_OK;
}

/* 1 where the row [size] is a step's. */
static int read_step(const char *text, size_t size, uint64_t *step, uint64_t *steps) {
  struct ad_timing_row row;
  if (!read_row(text, size, &row) || row.kind != AD_TIMING_STEP || row.steps < 1 || row.step > row.steps) {
    return 0;
  }
  *step = row.step;
  *steps = row.steps;
  return 1;
}

int ad_run_progress(const char *folder, uint64_t *step, uint64_t *steps) {
  char *path = ad_path_join(folder, AD_RUN_FILE_TIMING), *text = ad_malloc(TAIL, 1);
  int found = 0;
  if (path != NULL && text != NULL) {
    /* The last row may be on its way: whole ones end with a newline. */
    size_t size = read_tail(path, text);
    while (size > 0 && !found) {
      const char *end = memrchr(text, '\n', size);
      const char *before = end == NULL ? NULL : memrchr(text, '\n', (size_t)(end - text));
      const char *row = before == NULL ? text : before + 1;
      size = end == NULL ? 0 : (size_t)(row - text);
      found = end != NULL && read_step(row, (size_t)(end - row), step, steps);
    }
  }
  ad_free(path);
  ad_free(text);
  return found;
}

int ad_timings_read(struct ad_timings *timings, const char *path) {
  struct ad_file_map map;
  *timings = (struct ad_timings){0};
  AD_TRY(ad_file_map(path, &map));
  int status = AD_OK;
  for (size_t at = 0; at < map.size && status == AD_OK;) {
    const char *text = map.data + at, *end = memchr(text, '\n', map.size - at);
    const size_t size = end == NULL ? map.size - at : (size_t)(end - text);
    struct ad_timing_row row;
    if (read_row(text, size, &row)) {
      void *rows = timings->rows;
      status = ad_reserve(&rows, &timings->capacity, timings->count + 1, sizeof row);
      timings->rows = rows;
      if (status == AD_OK) {
        timings->rows[timings->count++] = row;
      }
    } else {
      timings->damaged += end != NULL;
    }
    at += size + 1;
  }
  ad_file_unmap(&map);
  return status;
}

void ad_timings_destroy(struct ad_timings *timings) {
  ad_free(timings->rows);
  *timings = (struct ad_timings){0};
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int ad_timings_summarise(const struct ad_timings *timings, enum ad_timing kind, struct ad_timing_summary *summary) {
  double *seconds = ad_malloc(timings->count + 1, sizeof *seconds);
  size_t count = 0;
  *summary = (struct ad_timing_summary){0};
  if (seconds == NULL) {
    return ad_fail_memory(timings->count * sizeof *seconds, "times");
  }
  for (size_t i = 0; i < timings->count; i++) {
    if (timings->rows[i].kind == kind && isfinite(timings->rows[i].seconds)) {
      seconds[count++] = timings->rows[i].seconds;
    }
  }
  if (count > 0) {
    qsort(seconds, count, sizeof *seconds, by_value);
    *summary = (struct ad_timing_summary){.count = count, .median = seconds[count / 2], .largest = seconds[count - 1]};
    for (size_t i = 0; i < count; i++) {
      summary->sum += seconds[i];
    }
  }
  ad_free(seconds);
  return AD_OK;
}
