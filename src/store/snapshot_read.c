/* Reading files of snapshots: nothing in them is trusted before it has been checked. */
#include <inttypes.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/guard.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "snapshot_internal.h"

/* What a file may be: a segment, all.h5, or either. */
enum kind { SEGMENT, VIEWS, EITHER };

static int damaged(const char *path, const char *what) {
  return ad_fail(AD_EINPUT, "%s: %s: not a whole file of snapshots", path, what);
}

/* The shape of a dataset of the right type, which must have room for its values; *rows of one that has them. 0 or -1.
 */
static int get_shape(hid_t set, enum snapshot_column c, struct column *column, size_t *rows, int is_view) {
  const hsize_t most = (hsize_t)1 << 40; /* of a dimension: products of two elements still fit */
  const int lead = ad__snapshot_column_once(c) ? 0 : 1;
  const hid_t space = H5Dget_space(set), found = H5Dget_type(set), expected = ad__snapshot_type(c, 0);
  hsize_t shape[3] = {0}, count = 1;
  const int rank = H5Sget_simple_extent_ndims(space);
  int result = H5Tequal(found, expected) > 0 && rank == lead + ad__snapshot_column_rank(c) &&
                       H5Sget_simple_extent_dims(space, shape, NULL) == rank
                   ? 0
                   : -1;
  column->rank = rank - lead;
  for (int d = 0; d < rank && result == 0; d++) {
    result = shape[d] > 0 && shape[d] < most / count ? 0 : -1;
    count *= shape[d];
  }
  /* As many as the file has room for, and as a segment has before it is closed. */
  if (result == 0 && !is_view &&
      (!ad__hdf5_can_hold(set, count * ad__snapshot_element(c)) ||
       (lead > 0 &&
        (shape[0] > AD_SNAPSHOT_ROWS || (count - count / shape[0]) * ad__snapshot_element(c) >= AD_SNAPSHOT_BYTES)))) {
    result = -1;
  }
  if (lead > 0 && result == 0) {
    *rows = (size_t)shape[0];
  }
  for (int d = 0; d < column->rank && result == 0; d++) {
    column->shape[d] = (size_t)shape[lead + d];
  }
  ad__hdf5_done(expected);
  ad__hdf5_done(found);
  ad__hdf5_done(space);
  return result;
}

/* The values of a dataset, which must have the digest that stands beside it. */
static int get_values(hid_t set, enum snapshot_column c, struct column *column, size_t count, const char *path) {
  uint64_t digest;
  const hid_t type = ad__snapshot_type(c, 1);
  int status = AD_OK;
  column->data = ad_malloc(count, ad__snapshot_element(c));
  if (column->data == NULL) {
    status = ad_fail_memory(count * ad__snapshot_element(c), path);
  } else if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, column->data) < 0) {
    status = ad__hdf5_fail(AD_EINPUT, path, ad__snapshot_column_name(c));
  } else if (ad__hdf5_get_numbers(set, "xxh3", 1, &digest) != 0 ||
             ad_digest(column->data, count * ad__snapshot_element(c)) != digest) {
    status = ad_fail(AD_EINPUT, "%s: %s does not have the digest that was stored with it: the file is damaged", path,
                     ad__snapshot_column_name(c));
  }
  ad__hdf5_done(type);
  return status;
}

/* The shape of an open column, and its values where they are there once, are steps, or are asked for. */
static int take_column(hid_t set, struct table *table, enum snapshot_column c, int is_view, int with_rows,
                       const char *path) {
  struct column *column = &table->column[c];
  const int once = ad__snapshot_column_once(c);
  size_t rows = 0;
  if (get_shape(set, c, column, &rows, is_view) != 0) {
    return ad_fail(AD_EINPUT, "%s: %s: another type or shape than a segment has, or more values than the file can hold",
                   path, ad__snapshot_column_name(c));
  }
  table->rows = c == COLUMN_STEP ? rows : table->rows;
  if (!once && rows != table->rows) {
    return damaged(path, ad__snapshot_column_name(c));
  }
  column->present = 1;
  return !is_view && (once || c == COLUMN_STEP || with_rows)
             ? get_values(set, c, column, ad__snapshot_width(column) * (once ? 1 : rows), path)
             : AD_OK;
}

/* The table of an open file: of a segment with its steps, of all.h5 without. *kind: which one it is. Steps come first,
 * and tell what all columns with rows must be. */
static int get_columns(hid_t file, struct table *table, int with_rows, enum kind *kind, const char *path) {
  int status = AD_OK;
  for (enum snapshot_column c = 0; c < COLUMNS && status == AD_OK; c++) {
    hid_t set;
    const char *name = ad__snapshot_column_name(c);
    const int views = *kind != SEGMENT && !ad__snapshot_column_once(c);
    AD_TRY(ad__hdf5_open_set(file, path, name, views, &set));
    if (set < 0) {
      status = c == COLUMN_STEP ? damaged(path, name) : AD_OK;
      continue;
    }
    const int is_view = views && ad__hdf5_is_view(set);
    *kind = *kind != EITHER ? *kind : is_view ? VIEWS : SEGMENT;
    status = views && is_view != (*kind == VIEWS) ? damaged(path, name)
                                                  : take_column(set, table, c, is_view, with_rows, path);
    ad__hdf5_done(set);
  }
  return status;
}

static int check_steps(const struct table *table, const char *path) {
  const uint64_t *step = table->column[COLUMN_STEP].data;
  for (size_t i = 1; i < table->rows; i++) {
    if (step[i] <= step[i - 1]) {
      return damaged(path, "its steps do not ascend");
    }
  }
  return AD_OK;
}

/* The tensors lie where all.h5 will look for them. */
static int check_table(const struct table *table, const char *path) {
  const struct column *column = table->column;
  const struct column *names = &column[COLUMN_NAMES], *offsets = &column[COLUMN_OFFSETS],
                      *shapes = &column[COLUMN_SHAPES];
  const size_t N = names->shape[0];
  if (names->present != offsets->present || names->present != shapes->present ||
      (names->present && (offsets->shape[0] != N || shapes->shape[0] != N || shapes->shape[1] != 2)) ||
      (column[COLUMN_PARAMETERS].present && !names->present)) {
    return damaged(path, "tensors");
  }
  return AD_OK;
}

/* The table of a file that is open. */
static int read_table(hid_t file, struct table *table, const char *path, int with_rows, enum kind *kind) {
  uint64_t format = 0;
  if (ad__hdf5_get_numbers(file, "format", 1, &format) != 0) {
    return damaged(path, "it has no format");
  }
  if (format != SNAPSHOT_FORMAT) {
    return ad_fail(AD_EINPUT, "%s: snapshots of format %" PRIu64 ", this program reads %d", path, format,
                   SNAPSHOT_FORMAT);
  }
  AD_TRY(get_columns(file, table, with_rows, kind, path));
  AD_TRY(check_table(table, path));
  return *kind == SEGMENT ? check_steps(table, path) : AD_OK;
}

static int read_segment(struct table *table, const char *path, int with_rows) {
  enum kind kind = SEGMENT;
  hid_t file;
  *table = (struct table){0};
  AD_TRY(ad__hdf5_open(path, &file));
  const int status = read_table(file, table, path, with_rows, &kind);
  ad__hdf5_done(file);
  return status;
}

static int guard(const char *path);

int ad__snapshot_read(struct table *table, const char *path, int with_rows, uint64_t last) {
  *table = (struct table){0};
  AD_TRY(guard(path));
  const int status = read_segment(table, path, with_rows);
  const uint64_t *step = table->column[COLUMN_STEP].data;
  while (status == AD_OK && with_rows && table->rows > 0 && step[table->rows - 1] > last) {
    table->rows--;
  }
  return status;
}

int ad_snapshots_check(const char *path) {
  struct table table;
  const int status = ad__snapshot_read(&table, path, 1, UINT64_MAX);
  ad__snapshot_table_destroy(&table);
  return status;
}

/* --- Files whose values are read as they are asked for --- */

struct ad_snapshot_file {
  char *path;
  hid_t file, set[COLUMNS];
  enum snapshot_column which[COLUMNS]; /* [count] */
  struct ad_snapshot_column columns[COLUMNS];
  size_t count;
  int is_virtual;
  struct table table; /* shapes, steps, what is there once */
  void *segments;     /* of all.h5: struct segment [segment_count] */
  size_t segment_count;
  struct reader *reader;
};

/* Of all.h5: the segment that was read last. */
struct reader {
  struct ad_snapshot_file *segment; /* NULL: none */
  size_t number;
};

static void list_column(struct ad_snapshot_file *f, enum snapshot_column c) {
  const struct column *column = &f->table.column[c];
  f->which[f->count] = c;
  f->columns[f->count++] = (struct ad_snapshot_column){.name = ad__snapshot_column_name(c),
                                                       .unit = ad__snapshot_column_unit(c),
                                                       .meaning = ad__snapshot_column_meaning(c),
                                                       .once = ad__snapshot_column_once(c),
                                                       .dimensions = (size_t)column->rank,
                                                       .shape = {column->shape[0], column->shape[1]},
                                                       .count = ad__snapshot_width(column),
                                                       .bytes = ad__snapshot_element(c),
                                                       .kind = ad__snapshot_column_kind(c)};
}

static int open_columns(struct ad_snapshot_file *f) {
  int status = AD_OK;
  for (enum snapshot_column c = 0; c < COLUMNS && status == AD_OK; c++) {
    if (f->table.column[c].present) {
      status = ad__hdf5_open_set(f->file, f->path, ad__snapshot_column_name(c), f->is_virtual, &f->set[f->count]);
      list_column(f, c);
    }
  }
  return status;
}

static struct ad_snapshot_file *allocate(const char *path) {
  struct ad_snapshot_file *f = ad_calloc(1, sizeof *f);
  if (f != NULL) {
    f->file = -1;
    f->path = ad_strdup(path);
    f->reader = ad_calloc(1, sizeof *f->reader);
  }
  if (f == NULL || f->path == NULL || f->reader == NULL) {
    ad_snapshot_file_close(f);
    ad_fail_memory(sizeof *f, "a file of snapshots");
    return NULL;
  }
  return f;
}

/* Opens the file itself, and of all.h5 no segment. */
static int open_file(struct ad_snapshot_file **file, const char *path, enum kind kind) {
  *file = NULL;
  struct ad_snapshot_file *f = allocate(path);
  if (f == NULL) {
    return AD_ENOMEM;
  }
  int status = ad__hdf5_open(path, &f->file);
  status = status == AD_OK ? read_table(f->file, &f->table, path, 0, &kind) : status;
  f->is_virtual = kind == VIEWS;
  status = status == AD_OK ? open_columns(f) : status;
  if (status == AD_OK && f->is_virtual) {
    status = ad__snapshot_list_views(f->file, path, &f->table, &f->segments, &f->segment_count);
  }
  if (status != AD_OK) {
    ad_snapshot_file_close(f);
    return status;
  }
  *file = f;
  return AD_OK;
}

/* The file of segment number i, beside all.h5; the caller frees it. */
static char *segment_path(const struct ad_snapshot_file *f, size_t i) {
  char *folder = ad_strndup(f->path, (size_t)(ad_path_name(f->path) - f->path));
  char *path =
      folder == NULL ? NULL : ad__snapshot_segment_path(folder, ((const struct segment *)f->segments)[i].first);
  ad_free(folder);
  if (path == NULL) {
    ad_fail_memory(strlen(f->path) + SNAPSHOT_FILE, "a path");
  }
  return path;
}

/* Makes segment number i the one that is read. */
static int open_segment(const struct ad_snapshot_file *f, size_t i) {
  const struct segment *segment = &((const struct segment *)f->segments)[i];
  char *path = segment_path(f, i);
  if (path == NULL) {
    return AD_ENOMEM;
  }
  ad_snapshot_file_close(f->reader->segment);
  f->reader->number = i;
  int status = open_file(&f->reader->segment, path, SEGMENT);
  const struct table *table = status == AD_OK ? &f->reader->segment->table : NULL;
  if (table != NULL && (table->rows != segment->rows || !ad__snapshot_same_shapes(table, &f->table) ||
                        *(const uint64_t *)table->column[COLUMN_STEP].data != segment->first)) {
    status = ad_fail(AD_EINPUT, "%s: its snapshots are not the %zu from step %" PRIu64 " on that all.h5 shows of it",
                     path, segment->rows, segment->first);
  }
  ad_free(path);
  return status;
}

/* Looks at every segment of all.h5 and takes its steps. */
static int join_segments(struct ad_snapshot_file *f) {
  uint64_t *steps = ad_malloc(f->table.rows, sizeof *steps);
  f->table.column[COLUMN_STEP].data = steps;
  int status = steps == NULL ? ad_fail_memory(f->table.rows * sizeof *steps, "the steps of snapshots") : AD_OK;
  for (size_t i = 0, row = 0; i < f->segment_count && status == AD_OK; i++) {
    const size_t rows = ((const struct segment *)f->segments)[i].rows;
    char *path = segment_path(f, i);
    status = path == NULL ? AD_ENOMEM : guard(path);
    ad_free(path);
    status = status == AD_OK ? open_segment(f, i) : status;
    if (status == AD_OK) {
      memcpy(steps + row, f->reader->segment->table.column[COLUMN_STEP].data, rows * sizeof *steps);
      row += rows;
    }
  }
  status = status == AD_OK ? check_steps(&f->table, f->path) : status;
  return status == AD_EINPUT ? ad_fail_prefix(status, "%s: what it shows cannot be read", f->path) : status;
}

int ad_snapshot_file_open(struct ad_snapshot_file **file, const char *path) {
  *file = NULL;
  AD_TRY(guard(path));
  AD_TRY(open_file(file, path, EITHER));
  const int status = (*file)->is_virtual ? join_segments(*file) : AD_OK;
  if (status != AD_OK) {
    ad_snapshot_file_close(*file);
    *file = NULL;
  }
  return status;
}

void ad_snapshot_file_close(struct ad_snapshot_file *file) {
  if (file == NULL) {
    return;
  }
  if (file->reader != NULL) {
    ad_snapshot_file_close(file->reader->segment);
  }
  for (size_t i = 0; i < file->count; i++) {
    ad__hdf5_done(file->set[i]);
  }
  ad__hdf5_done(file->file);
  ad__snapshot_table_destroy(&file->table);
  ad_free(file->segments);
  ad_free(file->reader);
  ad_free(file->path);
  ad_free(file);
}

size_t ad_snapshot_file_rows(const struct ad_snapshot_file *file, const uint64_t **steps) {
  *steps = file->table.column[COLUMN_STEP].data;
  return file->table.rows;
}

size_t ad_snapshot_file_columns(const struct ad_snapshot_file *file, const struct ad_snapshot_column **columns) {
  *columns = file->columns;
  return file->count;
}

int ad_snapshot_file_is_virtual(const struct ad_snapshot_file *file) {
  return file->is_virtual;
}

int ad_snapshot_file_find(const struct ad_snapshot_file *file, const char *name) {
  for (size_t i = 0; i < file->count; i++) {
    if (strcmp(file->columns[i].name, name) == 0) {
      return (int)i;
    }
  }
  return -1;
}

/* One row of a column that lies in the file itself. */
static int get_row(const struct ad_snapshot_file *file, size_t column, size_t row, void *values) {
  const struct ad_snapshot_column *c = &file->columns[column];
  const hid_t space = H5Dget_space(file->set[column]), type = ad__snapshot_type(file->which[column], 1);
  const hsize_t start[3] = {row}, block[3] = {1, c->shape[0], c->shape[1]}, count = c->count;
  const hid_t memory = H5Screate_simple(1, &count, NULL);
  const int failed = (!c->once && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, block, NULL) < 0) ||
                     H5Dread(file->set[column], type, memory, space, H5P_DEFAULT, values) < 0;
  ad__hdf5_done(memory);
  ad__hdf5_done(type);
  ad__hdf5_done(space);
  return failed ? ad__hdf5_fail(AD_EINPUT, file->path, c->name) : AD_OK;
}

int ad_snapshot_file_get(const struct ad_snapshot_file *file, size_t column, size_t row, void *values) {
  if (column >= file->count || (!file->columns[column].once && row >= file->table.rows)) {
    return ad_fail(AD_EINTERNAL, "%s: a row beyond its end", file->path);
  }
  if (!file->is_virtual || file->columns[column].once) {
    return get_row(file, column, row, values);
  }
  size_t i = 0;
  for (const struct segment *segments = file->segments; row >= segments[i].rows; i++) {
    row -= segments[i].rows;
  }
  if (file->reader->segment == NULL || file->reader->number != i) {
    AD_TRY(open_segment(file, i));
  }
  /* All have the same columns, so they have the same numbers. */
  return get_row(file->reader->segment, column, row, values);
}

/* --- HDF5 may crash on a damaged file, also while it unpacks values: all of it is read in another process first --- */

/* Of all.h5 what it shows; its segments are looked at one by one. */
static int look(void *context) {
  struct table table = {0};
  enum kind kind = EITHER;
  void *segments = NULL;
  size_t count;
  hid_t file;
  AD_TRY(ad__hdf5_open(context, &file));
  int status = read_table(file, &table, context, 1, &kind);
  if (status == AD_OK && kind == VIEWS) {
    status = ad__snapshot_list_views(file, context, &table, &segments, &count);
  }
  ad__snapshot_table_destroy(&table);
  ad_free(segments);
  ad__hdf5_done(file);
  return status;
}

static int guard(const char *path) {
  return ad_guard(path, look, (void *)(uintptr_t)path);
}

int ad_snapshots_complete(const char *run, uint64_t step) {
  struct ad_snapshot_file *file = NULL;
  char *all = ad_path_join(run, AD_SNAPSHOTS_ALL);
  int status = all == NULL ? ad_fail_memory(strlen(run) + 32, "a path") : AD_OK;
  if (status == AD_OK && ad_is_file(all)) {
    status = guard(all);
    status = status == AD_OK ? open_file(&file, all, VIEWS) : status;
  }
  for (size_t i = 0; file != NULL && i < file->segment_count && status == AD_OK; i++) {
    char *path = segment_path(file, i);
    const int needed = ((const struct segment *)file->segments)[i].first <= step;
    status = path == NULL ? AD_ENOMEM : needed ? ad_file_check(path) : AD_OK;
    if (status == AD_EINPUT) {
      status =
          ad_fail(AD_EINPUT, "%s; all.h5 shows it: put it back, or remove all.h5 to do without it", ad_error_message());
    }
    ad_free(path);
  }
  ad_snapshot_file_close(file);
  ad_free(all);
  return status;
}
