/* A run's snapshots: rows in memory, segments on disk. */
#include "autodidact/store/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run_files.h"
#include "snapshot_internal.h"

struct ad_snapshots {
  char *folder; /* RUN/snapshots */
  struct table table;
  size_t bytes;   /* of a row */
  void *segments; /* struct segment [count] on disk, ascending */
  size_t count, capacity;
  uint64_t last;            /* step of the last snapshot */
  int any;                  /* there is one */
  int given_up;             /* the disk was full */
  size_t leave;             /* bytes that must stay free */
  struct ad_ledger *ledger; /* NULL: none */
};

/* --- Layout --- */

static void set_column(struct table *table, enum snapshot_column c, size_t first, size_t second) {
  table->column[c] = (struct column){.present = 1, .rank = ad__snapshot_column_rank(c), .shape = {first, second}};
}

/* The columns that a layout has, without data. */
static void lay_out(struct table *table, const struct ad_snapshot_layout *l) {
  const size_t N = l->params->tensor_count, C = l->params->config.classes;
  *table = (struct table){0};
  set_column(table, COLUMN_STEP, 0, 0);
  for (enum snapshot_column c = COLUMN_EPOCH; c <= COLUMN_DIGEST && (l->content & AD_SNAPSHOT_SCALARS); c++) {
    set_column(table, c, 0, 0);
  }
  for (enum snapshot_column c = COLUMN_VALUES; c <= COLUMN_DISTANCES && (l->content & AD_SNAPSHOT_NORMS); c++) {
    if (c != COLUMN_DISTANCES || l->teacher) {
      set_column(table, c, N, 0);
    }
  }
  if (l->content & AD_SNAPSHOT_SKETCH) {
    set_column(table, COLUMN_SKETCH, l->sketch, 0);
  }
  if (l->content & AD_SNAPSHOT_PROBE) {
    set_column(table, COLUMN_STUDENT, l->probe, C);
    if (l->labels != NULL) {
      set_column(table, COLUMN_LABELS, l->probe, 0);
    }
    if (l->teacher_logits) {
      set_column(table, COLUMN_TEACHER, l->probe, C);
    }
  }
  if (l->content & AD_SNAPSHOT_PARAMETERS) {
    set_column(table, COLUMN_PARAMETERS, l->params->count, 0);
  }
  set_column(table, COLUMN_NAMES, N, 0);
  set_column(table, COLUMN_OFFSETS, N, 0);
  set_column(table, COLUMN_SHAPES, N, 2);
}

static size_t row_bytes(const struct table *table) {
  size_t bytes = 0;
  for (enum snapshot_column c = 0; c < COLUMNS; c++) {
    if (table->column[c].present && !ad__snapshot_column_once(c)) {
      bytes += ad__snapshot_width(&table->column[c]) * ad__snapshot_element(c);
    }
  }
  return bytes;
}

size_t ad_snapshot_bytes(const struct ad_snapshot_layout *layout) {
  struct table table;
  lay_out(&table, layout);
  return row_bytes(&table);
}

/* What is in each file once. */
static int fill_once(struct table *table, const struct ad_snapshot_layout *l) {
  const struct ad_params *params = l->params;
  for (enum snapshot_column c = 0; c < COLUMNS; c++) {
    struct column *column = &table->column[c];
    if (column->present && ad__snapshot_column_once(c)) {
      column->data = ad_calloc(ad__snapshot_width(column), ad__snapshot_element(c));
      if (column->data == NULL) {
        return ad_fail_memory(ad__snapshot_width(column) * ad__snapshot_element(c), "the tables of the snapshots");
      }
    }
  }
  char *names = table->column[COLUMN_NAMES].data;
  uint64_t *offsets = table->column[COLUMN_OFFSETS].data, *shapes = table->column[COLUMN_SHAPES].data;
  for (size_t i = 0; i < params->tensor_count; i++) {
    const struct ad_tensor *tensor = &params->tensors[i];
    memcpy(names + i * SNAPSHOT_NAME, tensor->name, strlen(tensor->name));
    offsets[i] = tensor->offset;
    shapes[2 * i] = tensor->rows;
    shapes[2 * i + 1] = tensor->vector ? 0 : tensor->columns;
  }
  if (table->column[COLUMN_LABELS].present) {
    memcpy(table->column[COLUMN_LABELS].data, l->labels, l->probe * sizeof *l->labels);
  }
  return AD_OK;
}

/* --- Segments on disk --- */

static int first_first(const void *a, const void *b) {
  const struct segment *x = a, *y = b;
  return x->first < y->first ? -1 : x->first > y->first;
}

/* The segments in the folder, by their names; with `clear` files that were being written are removed. */
static int list_segments(const char *path, int clear, void **segments, size_t *capacity, size_t *count) {
  DIR *folder = opendir(path);
  *count = 0;
  if (folder == NULL) {
    return errno == ENOENT ? AD_OK : ad_fail(AD_EIO, "%s: %s", path, strerror(errno));
  }
  int status = AD_OK;
  for (const struct dirent *entry = readdir(folder); status == AD_OK && entry != NULL; entry = readdir(folder)) {
    const int64_t step = ad__snapshot_segment_first(entry->d_name);
    const size_t length = strlen(entry->d_name), tail = strlen(".partial");
    if (step >= 0) {
      status = ad_reserve(segments, capacity, *count + 1, sizeof(struct segment));
      if (status == AD_OK) {
        ((struct segment *)*segments)[(*count)++] = (struct segment){.first = (uint64_t)step};
      }
    } else if (clear && length > tail && strcmp(entry->d_name + length - tail, ".partial") == 0 &&
               (strncmp(entry->d_name, "segment-", 8) == 0 || strcmp(entry->d_name, SNAPSHOT_VIEW ".partial") == 0) &&
               unlinkat(dirfd(folder), entry->d_name, 0) != 0) {
      status = ad_fail(AD_EIO, "%s/%s: could not be removed: %s", path, entry->d_name, strerror(errno));
    }
  }
  ad_ignore(closedir(folder));
  if (status == AD_OK && *count > 0) {
    qsort(*segments, *count, sizeof(struct segment), first_first);
  }
  return status;
}

int ad_snapshots_list(const char *run, uint64_t **first, size_t *count) {
  void *list = NULL;
  size_t capacity = 0;
  char *folder = ad_path_join(run, AD_RUN_FOLDER_SNAPSHOTS);
  *first = NULL;
  *count = 0;
  int status =
      folder == NULL ? ad_fail_memory(strlen(run) + 16, "a path") : list_segments(folder, 0, &list, &capacity, count);
  if (status == AD_OK && *count > 0) {
    *first = ad_malloc(*count, sizeof **first);
    status = *first == NULL ? ad_fail_memory(*count * sizeof **first, "the list of snapshots") : AD_OK;
  }
  for (size_t i = 0; status == AD_OK && i < *count; i++) {
    (*first)[i] = ((struct segment *)list)[i].first;
  }
  *count = status == AD_OK ? *count : 0;
  ad_free(list);
  ad_free(folder);
  return status;
}

char *ad_snapshots_path(const char *run, uint64_t first) {
  char *folder = ad_path_join(run, AD_RUN_FOLDER_SNAPSHOTS);
  char *path = folder == NULL ? NULL : ad__snapshot_segment_path(folder, first);
  ad_free(folder);
  return path;
}

/* Rows and steps of a segment; all of a run's have the shapes of `table`. */
static int look_into(const char *folder, const struct table *table, struct segment *segment, uint64_t after,
                     int first) {
  struct table found = {0};
  char *path = ad__snapshot_segment_path(folder, segment->first);
  if (path == NULL) {
    return AD_ENOMEM;
  }
  int status = ad__snapshot_read(&found, path, 0, 0);
  if (status == AD_OK) {
    const uint64_t *steps = found.column[COLUMN_STEP].data;
    segment->rows = found.rows;
    segment->last = steps[found.rows - 1];
    if (steps[0] != segment->first || (!first && segment->first <= after)) {
      status =
          ad_fail(AD_EINPUT, "%s: its first step is %" PRIu64 ", expected %" PRIu64 " and behind the file before it",
                  path, steps[0], segment->first);
    } else if (!ad__snapshot_same_shapes(&found, table)) {
      status = ad_fail(AD_EINPUT, "%s: its datasets are not those that this configuration makes", path);
    }
  }
  ad__snapshot_table_destroy(&found);
  ad_free(path);
  return status;
}

/* --- A run's snapshots --- */

static int open_folder(struct ad_snapshots *s) {
  AD_TRY(list_segments(s->folder, 1, &s->segments, &s->capacity, &s->count));
  struct segment *segments = s->segments;
  for (size_t i = 0; i < s->count; i++) {
    AD_TRY(look_into(s->folder, &s->table, &segments[i], s->last, !s->any));
    s->last = segments[i].last;
    s->any = 1;
  }
  return AD_OK;
}

int ad_snapshots_open(struct ad_snapshots **snapshots, const char *run, const struct ad_snapshot_layout *layout) {
  *snapshots = NULL;
  struct ad_snapshots *s = ad_calloc(1, sizeof *s);
  if (s == NULL) {
    return ad_fail_memory(sizeof *s, "the snapshots");
  }
  lay_out(&s->table, layout);
  s->bytes = row_bytes(&s->table);
  s->folder = ad_path_join(run, AD_RUN_FOLDER_SNAPSHOTS);
  int status = s->folder == NULL ? ad_fail_memory(strlen(run) + 16, "a path") : fill_once(&s->table, layout);
  if (status == AD_OK) {
    status = open_folder(s);
  }
  if (status != AD_OK) {
    ad_snapshots_destroy(s);
    return status;
  }
  *snapshots = s;
  return AD_OK;
}

void ad_snapshots_destroy(struct ad_snapshots *snapshots) {
  if (snapshots == NULL) {
    return;
  }
  ad__snapshot_table_destroy(&snapshots->table);
  ad_free(snapshots->segments);
  ad_free(snapshots->folder);
  ad_free(snapshots);
}

static void drop_rows(struct ad_snapshots *s) {
  s->table.rows = 0;
  for (enum snapshot_column c = 0; c < COLUMNS; c++) {
    struct column *column = &s->table.column[c];
    if (!ad__snapshot_column_once(c)) {
      ad_free(column->data);
      column->data = NULL;
      column->capacity = 0;
    }
  }
}

void ad_snapshots_record(struct ad_snapshots *snapshots, struct ad_ledger *ledger) {
  snapshots->ledger = ledger;
}

/* Before a segment is written, and all.h5 behind it. */
static int record(struct ad_snapshots *s, uint64_t first) {
  char segment[SNAPSHOT_FILE], name[2 * SNAPSHOT_FILE];
  if (s->ledger == NULL) {
    return AD_OK;
  }
  ad__snapshot_segment_name(first, segment);
  snprintf(name, sizeof name, "%s/%s", AD_RUN_FOLDER_SNAPSHOTS, segment);
  AD_TRY(ad_ledger_record(s->ledger, name));
  return ad_ledger_record(s->ledger, AD_SNAPSHOTS_ALL);
}

static int write_segment(struct ad_snapshots *s) {
  const uint64_t *steps = s->table.column[COLUMN_STEP].data;
  const struct segment segment = {.first = steps[0], .last = steps[s->table.rows - 1], .rows = s->table.rows};
  AD_TRY(ad_reserve(&s->segments, &s->capacity, s->count + 1, sizeof segment));
  char *path = ad__snapshot_segment_path(s->folder, segment.first);
  if (path == NULL) {
    return AD_ENOMEM;
  }
  int status = ad__snapshot_write(&s->table, path);
  ad_free(path);
  if (status == AD_OK) {
    ((struct segment *)s->segments)[s->count++] = segment;
    status = ad__snapshot_write_all(&s->table, s->folder, s->segments, s->count);
  }
  return status;
}

void ad_snapshots_leave(struct ad_snapshots *snapshots, size_t bytes) {
  snapshots->leave = bytes;
}

static void give_up(struct ad_snapshots *s) {
  ad_log(AD_LOG_WARNING, "%s; the run goes on without further snapshots", ad_error_message());
  ad_error_clear();
  s->given_up = 1;
  drop_rows(s);
}

/* Whether a segment leaves the room that it must. Its rows take that much at most. */
static int leaves_room(const struct ad_snapshots *s) {
  struct statvfs info;
  if (s->leave == 0 || statvfs(s->folder, &info) != 0) {
    return 1;
  }
  const double available = (double)info.f_bavail * (double)info.f_frsize, segment = (double)(s->table.rows * s->bytes);
  if (available >= segment + (double)s->leave) {
    return 1;
  }
  ad_fail(AD_EIO, "%s: %.0f bytes are free, a segment of %.0f would leave less than the %zu that a checkpoint needs",
          s->folder, available, segment, s->leave);
  return 0;
}

int ad_snapshots_flush(struct ad_snapshots *snapshots) {
  struct ad_snapshots *s = snapshots;
  if (s->table.rows == 0 || s->given_up) {
    return AD_OK;
  }
  errno = 0;
  int status = record(s, ((const uint64_t *)s->table.column[COLUMN_STEP].data)[0]);
  status = status == AD_OK ? ad_make_folders(s->folder) : status;
  if (status == AD_OK && !leaves_room(s)) {
    give_up(s);
    return AD_OK;
  }
  status = status == AD_OK ? write_segment(s) : status;
  const int reason = errno;
  if (status == AD_EIO && (reason == ENOSPC || reason == EDQUOT)) {
    give_up(s);
    return AD_OK;
  }
  AD_TRY(status);
  drop_rows(s);
  return AD_OK;
}

/* One more row: from `values`, or NaN (0 where there is none) where they are NULL. */
static int put(struct ad_snapshots *s, enum snapshot_column c, const void *values) {
  struct column *column = &s->table.column[c];
  const size_t width = ad__snapshot_width(column), element = ad__snapshot_element(c);
  if (!column->present) {
    return AD_OK;
  }
  AD_TRY(ad_reserve(&column->data, &column->capacity, (s->table.rows + 1) * width, element));
  char *row = (char *)column->data + s->table.rows * width * element;
  if (values != NULL) {
    memcpy(row, values, width * element);
    return AD_OK;
  }
  const double real = NAN;
  const float narrow = NAN;
  const int floats = c == COLUMN_STUDENT || c == COLUMN_TEACHER || c == COLUMN_PARAMETERS;
  const int reals = (c >= COLUMN_LOSS && c <= COLUMN_FACTOR) || (c >= COLUMN_VALUES && c <= COLUMN_DISTANCES);
  memset(row, 0, width * element);
  for (size_t i = 0; i < width && (floats || reals); i++) {
    memcpy(row + i * element, floats ? (const void *)&narrow : (const void *)&real, element);
  }
  return AD_OK;
}

static int put_scalars(struct ad_snapshots *s, const struct ad_step *step) {
  if (step == NULL) {
    for (enum snapshot_column c = COLUMN_EPOCH; c <= COLUMN_DIGEST; c++) {
      AD_TRY(put(s, c, NULL));
    }
    return AD_OK;
  }
  const uint64_t counts[] = {step->epoch, step->examples, step->tokens, step->part_examples};
  const double reals[] = {step->loss, step->distance, step->weight, step->norm, step->part_norm, step->factor};
  for (int i = 0; i < COLUMN_LOSS - COLUMN_EPOCH; i++) {
    AD_TRY(put(s, (enum snapshot_column)(COLUMN_EPOCH + i), &counts[i]));
  }
  for (int i = 0; i <= COLUMN_FACTOR - COLUMN_LOSS; i++) {
    AD_TRY(put(s, (enum snapshot_column)(COLUMN_LOSS + i), &reals[i]));
  }
  return put(s, COLUMN_DIGEST, &step->parameters);
}

int ad_snapshots_add(struct ad_snapshots *snapshots, const struct ad_snapshot *snapshot) {
  struct ad_snapshots *s = snapshots;
  if (s->given_up) {
    return AD_OK;
  }
  if (s->any && snapshot->step <= s->last) {
    return ad_fail(AD_EINTERNAL, "a snapshot of step %" PRIu64 " behind one of step %" PRIu64, snapshot->step, s->last);
  }
  const size_t N = s->table.column[COLUMN_NAMES].shape[0];
  AD_TRY(put(s, COLUMN_STEP, &snapshot->step));
  AD_TRY(put_scalars(s, snapshot->scalars));
  for (int n = 0; n < AD_NORMS; n++) {
    AD_TRY(put(s, (enum snapshot_column)(COLUMN_VALUES + n), snapshot->norm == NULL ? NULL : snapshot->norm + n * N));
  }
  AD_TRY(put(s, COLUMN_SKETCH, snapshot->sketch));
  AD_TRY(put(s, COLUMN_STUDENT, snapshot->student));
  AD_TRY(put(s, COLUMN_TEACHER, snapshot->teacher));
  AD_TRY(put(s, COLUMN_PARAMETERS, snapshot->parameters));
  s->table.rows++;
  s->last = snapshot->step;
  s->any = 1;
  return s->table.rows >= AD_SNAPSHOT_ROWS || s->table.rows * s->bytes >= AD_SNAPSHOT_BYTES ? ad_snapshots_flush(s)
                                                                                            : AD_OK;
}

/* --- Going on from a step --- */

/* Drops what lies behind `step` of one segment; its rows that stay into segment->rows. */
static int cut_segment(const char *folder, uint64_t step, struct segment *segment) {
  struct table table = {0};
  char *path = ad__snapshot_segment_path(folder, segment->first);
  if (path == NULL) {
    return AD_ENOMEM;
  }
  int status = AD_OK;
  if (segment->first <= step) {
    status = ad__snapshot_read(&table, path, 1, step);
    segment->rows = table.rows;
    if (status == AD_OK) {
      status = ad__snapshot_write(&table, path);
    }
  } else {
    segment->rows = 0;
    if (unlink(path) != 0) {
      status = ad_fail(AD_EIO, "%s: could not be removed: %s", path, strerror(errno));
    }
  }
  ad__snapshot_table_destroy(&table);
  ad_free(path);
  return status;
}

/* all.h5 over the segments that are left, in the shapes of the first; or no all.h5. */
static int show_all(const char *folder, const struct segment *segments, size_t count) {
  struct table table = {0};
  char *path = count > 0 ? ad__snapshot_segment_path(folder, segments[0].first) : ad_path_join(folder, SNAPSHOT_VIEW);
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + 16, "a path");
  }
  int status = AD_OK;
  if (count > 0) {
    status = ad__snapshot_read(&table, path, 0, 0);
    if (status == AD_OK) {
      status = ad__snapshot_write_all(&table, folder, segments, count);
    }
  } else if (unlink(path) != 0 && errno != ENOENT) {
    status = ad_fail(AD_EIO, "%s: could not be removed: %s", path, strerror(errno));
  }
  ad__snapshot_table_destroy(&table);
  ad_free(path);
  return status;
}

/* Steps and rows of each segment, as its own file tells them. */
static int measure(const char *folder, struct segment *segments, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct table table = {0};
    char *path = ad__snapshot_segment_path(folder, segments[i].first);
    int status = path == NULL ? AD_ENOMEM : ad__snapshot_read(&table, path, 0, 0);
    if (status == AD_OK) {
      segments[i].rows = table.rows;
      segments[i].last = ((const uint64_t *)table.column[COLUMN_STEP].data)[table.rows - 1];
    }
    ad__snapshot_table_destroy(&table);
    ad_free(path);
    AD_TRY(status);
  }
  return AD_OK;
}

int ad_snapshots_cut(const char *run, uint64_t step) {
  void *list = NULL;
  size_t capacity = 0, count = 0, left = 0;
  char *folder = ad_path_join(run, AD_RUN_FOLDER_SNAPSHOTS);
  if (folder == NULL) {
    return ad_fail_memory(strlen(run) + 16, "a path");
  }
  int status = ad_snapshots_complete(run, step);
  status = status == AD_OK ? list_segments(folder, 1, &list, &capacity, &count) : status;
  struct segment *segments = list;
  if (status == AD_OK) {
    status = measure(folder, segments, count);
  }
  /* all.h5 last: where this is interrupted, the next attempt finds what is left. From the last segment backwards, so
   * that those on disk are always a run's first ones. */
  for (size_t i = count; i > 0 && status == AD_OK && segments[i - 1].last > step; i--) {
    status = cut_segment(folder, step, &segments[i - 1]);
  }
  while (status == AD_OK && left < count && segments[left].rows > 0) {
    left++;
  }
  if (status == AD_OK && ad_is_folder(folder)) {
    status = show_all(folder, segments, left);
  }
  ad_free(list);
  ad_free(folder);
  return status;
}
