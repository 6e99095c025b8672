/* Reading segments of snapshots: nothing in the file is trusted before it has been checked. */
#include <inttypes.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/guard.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "snapshot_internal.h"

static int damaged(const char *path, const char *what) {
  return ad_fail(AD_EINPUT, "%s: %s: not a whole segment of snapshots", path, what);
}

/* The shape of a dataset of the right type; *rows of one that has them. 0 or -1. */
static int get_shape(hid_t set, enum snapshot_column c, struct column *column, size_t *rows) {
  const hsize_t most = (hsize_t)1 << 40; /* of a dimension: products of two elements still fit */
  const int lead = snapshot_column_once(c) ? 0 : 1;
  const hid_t space = H5Dget_space(set), found = H5Dget_type(set), expected = snapshot_type(c, 0);
  hsize_t shape[3] = {0};
  const int rank = H5Sget_simple_extent_ndims(space);
  int result = H5Tequal(found, expected) > 0 && rank >= lead && rank <= lead + 2 &&
                       H5Sget_simple_extent_dims(space, shape, NULL) == rank
                   ? 0
                   : -1;
  column->rank = rank - lead;
  for (int d = 0; d < rank && result == 0; d++) {
    result = shape[d] > 0 && shape[d] < most && (d == 0 || shape[d] < most / shape[d - 1]) ? 0 : -1;
  }
  if (lead > 0 && result == 0) {
    *rows = (size_t)shape[0];
  }
  for (int d = 0; d < column->rank && result == 0; d++) {
    column->shape[d] = (size_t)shape[lead + d];
  }
  H5Tclose(expected);
  H5Tclose(found);
  H5Sclose(space);
  return result;
}

static int is_virtual(hid_t set) {
  const hid_t how = H5Dget_create_plist(set);
  const int result = H5Pget_layout(how) == H5D_VIRTUAL;
  H5Pclose(how);
  return result;
}

/* The values of a dataset, which must have the digest that stands beside it; a virtual one has none. */
static int get_values(hid_t set, enum snapshot_column c, struct column *column, size_t count, const char *path) {
  uint64_t digest;
  const hid_t type = snapshot_type(c, 1);
  int status = AD_OK;
  column->data = ad_malloc(count, snapshot_element(c));
  if (column->data == NULL) {
    status = ad_fail_memory(count * snapshot_element(c), path);
  } else if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, column->data) < 0) {
    status = hdf5_fail(AD_EINPUT, path, snapshot_column_name(c));
  } else if (!is_virtual(set) && (hdf5_get_numbers(set, "xxh3", 1, &digest) != 0 || ad_digest(column->data, count * snapshot_element(c)) != digest)) {
    status = ad_fail(AD_EINPUT, "%s: %s does not have the digest that was stored with it: the file is damaged", path,
                     snapshot_column_name(c));
  }
  H5Tclose(type);
  return status;
}

static int get_column(hid_t file, struct table *table, enum snapshot_column c, int with_rows, const char *path) {
  struct column *column = &table->column[c];
  const char *name = snapshot_column_name(c), *slash = strchr(name, '/');
  char group[32] = "";
  if (slash != NULL) {
    memcpy(group, name, (size_t)(slash - name));
  }
  if ((group[0] != '\0' && H5Lexists(file, group, H5P_DEFAULT) <= 0) || H5Lexists(file, name, H5P_DEFAULT) <= 0) {
    return c == COLUMN_STEP ? damaged(path, name) : AD_OK;
  }
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  size_t rows = 0;
  int status = set < 0 || get_shape(set, c, column, &rows) != 0 ? damaged(path, name) : AD_OK;
  const int once = snapshot_column_once(c);
  if (status == AD_OK && c == COLUMN_STEP) {
    table->rows = rows;
  } else if (status == AD_OK && !once && rows != table->rows) {
    status = damaged(path, name);
  }
  if (status == AD_OK && (once || c == COLUMN_STEP || (with_rows && !is_virtual(set)))) {
    status = get_values(set, c, column, snapshot_width(column) * (once ? 1 : rows), path);
  }
  column->present = status == AD_OK;
  if (set >= 0) {
    H5Dclose(set);
  }
  return status;
}

/* Steps ascend, and the tensors lie where all.h5 will look for them. */
static int check_table(const struct table *table, const char *path) {
  const struct column *column = table->column;
  const uint64_t *step = column[COLUMN_STEP].data;
  for (size_t i = 1; i < table->rows; i++) {
    if (step[i] <= step[i - 1]) {
      return damaged(path, "its steps do not ascend");
    }
  }
  if (column[COLUMN_STEP].rank != 0 || (column[COLUMN_PARAMETERS].present && column[COLUMN_PARAMETERS].rank != 1)) {
    return damaged(path, "dimensions");
  }
  const struct column *names = &column[COLUMN_NAMES], *offsets = &column[COLUMN_OFFSETS],
                      *shapes = &column[COLUMN_SHAPES];
  const size_t N = names->shape[0];
  if (names->present != offsets->present || names->present != shapes->present ||
      (names->present && (names->rank != 1 || offsets->rank != 1 || offsets->shape[0] != N || shapes->rank != 2 ||
                          shapes->shape[0] != N || shapes->shape[1] != 2)) ||
      (column[COLUMN_PARAMETERS].present && !names->present)) {
    return damaged(path, "tensors");
  }
  return AD_OK;
}

/* The table of a file that is open. */
static int read_table(hid_t file, struct table *table, const char *path, int with_rows) {
  uint64_t format = 0;
  int status = AD_OK;
  if (hdf5_get_numbers(file, "format", 1, &format) != 0) {
    status = damaged(path, "it has no format");
  } else if (format != SNAPSHOT_FORMAT) {
    status =
        ad_fail(AD_EINPUT, "%s: snapshots of format %" PRIu64 ", this program reads %d", path, format, SNAPSHOT_FORMAT);
  }
  for (size_t c = 0; c < COLUMNS && status == AD_OK; c++) {
    status = get_column(file, table, (enum snapshot_column)c, with_rows, path);
  }
  return status == AD_OK ? check_table(table, path) : status;
}

static int read_file(struct table *table, const char *path, int with_rows) {
  *table = (struct table){0};
  const hid_t file = hdf5_open(path);
  if (file < 0) {
    return hdf5_fail(AD_EINPUT, path, "could not be read as HDF5");
  }
  const int status = read_table(file, table, path, with_rows);
  H5Fclose(file);
  return status;
}

static int guard(const char *path);

int snapshot_read(struct table *table, const char *path, int with_rows, uint64_t last) {
  *table = (struct table){0};
  AD_TRY(guard(path));
  const int status = read_file(table, path, with_rows);
  const uint64_t *step = table->column[COLUMN_STEP].data;
  while (status == AD_OK && with_rows && table->rows > 0 && step[table->rows - 1] > last) {
    table->rows--;
  }
  return status;
}

int ad_snapshots_check(const char *path) {
  struct table table;
  const int status = snapshot_read(&table, path, 1, UINT64_MAX);
  snapshot_table_destroy(&table);
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
};

static int open_columns(struct ad_snapshot_file *f) {
  for (size_t c = 0; c < COLUMNS; c++) {
    const struct column *column = &f->table.column[c];
    const enum snapshot_column which = (enum snapshot_column)c;
    if (!column->present) {
      continue;
    }
    f->set[f->count] = H5Dopen2(f->file, snapshot_column_name(which), H5P_DEFAULT);
    if (f->set[f->count] < 0) {
      return damaged(f->path, snapshot_column_name(which));
    }
    f->which[f->count] = which;
    f->columns[f->count++] = (struct ad_snapshot_column){.name = snapshot_column_name(which),
                                                         .unit = snapshot_column_unit(which),
                                                         .meaning = snapshot_column_meaning(which),
                                                         .once = snapshot_column_once(which),
                                                         .dimensions = (size_t)column->rank,
                                                         .shape = {column->shape[0], column->shape[1]},
                                                         .count = snapshot_width(column),
                                                         .bytes = snapshot_element(which),
                                                         .kind = snapshot_column_kind(which)};
  }
  f->is_virtual = is_virtual(f->set[0]);
  return AD_OK;
}

static int open_file(struct ad_snapshot_file **file, const char *path) {
  *file = NULL;
  struct ad_snapshot_file *f = ad_calloc(1, sizeof *f);
  char *copy = ad_strdup(path);
  if (f == NULL || copy == NULL) {
    ad_free(f);
    ad_free(copy);
    return ad_fail_memory(sizeof *f, "a file of snapshots");
  }
  f->path = copy;
  f->file = hdf5_open(path);
  int status = f->file < 0 ? hdf5_fail(AD_EINPUT, path, "could not be read as HDF5")
                           : read_table(f->file, &f->table, path, 0);
  status = status == AD_OK ? open_columns(f) : status;
  if (status != AD_OK) {
    ad_snapshot_file_close(f);
    return status;
  }
  *file = f;
  return AD_OK;
}

int ad_snapshot_file_open(struct ad_snapshot_file **file, const char *path) {
  *file = NULL;
  AD_TRY(guard(path));
  return open_file(file, path);
}

void ad_snapshot_file_close(struct ad_snapshot_file *file) {
  if (file == NULL) {
    return;
  }
  for (size_t i = 0; i < file->count; i++) {
    H5Dclose(file->set[i]);
  }
  if (file->file >= 0) {
    H5Fclose(file->file);
  }
  snapshot_table_destroy(&file->table);
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

int ad_snapshot_file_get(const struct ad_snapshot_file *file, size_t column, size_t row, void *values) {
  if (column >= file->count || (!file->columns[column].once && row >= file->table.rows)) {
    return ad_fail(AD_EINTERNAL, "%s: a row beyond its end", file->path);
  }
  const struct ad_snapshot_column *c = &file->columns[column];
  const hid_t space = H5Dget_space(file->set[column]), type = snapshot_type(file->which[column], 1);
  const hsize_t start[3] = {row}, block[3] = {1, c->shape[0], c->shape[1]}, count = c->count;
  const hid_t memory = H5Screate_simple(1, &count, NULL);
  if (!c->once) {
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, block, NULL);
  }
  const int failed = H5Dread(file->set[column], type, memory, space, H5P_DEFAULT, values) < 0;
  H5Sclose(memory);
  H5Tclose(type);
  H5Sclose(space);
  return failed ? hdf5_fail(AD_EINPUT, file->path, c->name) : AD_OK;
}

/* --- HDF5 may crash on a damaged file, also while it unpacks values: all of it is read in another process first --- */

/* Rows of all.h5, which lie in other files. */
static int look_at_rows(const struct ad_snapshot_file *f) {
  int status = AD_OK;
  for (size_t i = 0; i < f->count && status == AD_OK; i++) {
    void *values = ad_malloc(f->columns[i].count, f->columns[i].bytes);
    status = values == NULL ? ad_fail_memory(f->columns[i].count * f->columns[i].bytes, f->path) : AD_OK;
    for (size_t row = 0; status == AD_OK && row < f->table.rows; row++) {
      status = ad_snapshot_file_get(f, i, row, values);
    }
    ad_free(values);
  }
  return status;
}

static int look(void *context) {
  struct table table;
  struct ad_snapshot_file *file;
  int status = read_file(&table, context, 1);
  snapshot_table_destroy(&table);
  AD_TRY(status);
  AD_TRY(open_file(&file, context));
  status = file->is_virtual ? look_at_rows(file) : AD_OK;
  ad_snapshot_file_close(file);
  return status;
}

static int guard(const char *path) {
  return ad_guard(path, look, (void *)(uintptr_t)path);
}
