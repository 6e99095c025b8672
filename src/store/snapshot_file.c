/* Files of snapshots: HDF5 made in memory, then written whole. snapshot_view.c makes all.h5, snapshot_read.c reads. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "snapshot_internal.h"

enum { DEFLATE = 1, CHUNK = 1 << 16 };

static const struct {
  const char *name;
  enum ad__snapshot_type type;
  int once, rank;
  const char *unit, *meaning;
} columns[COLUMNS] = {
#define SNAPSHOT_ROW(column, name, type, once, rank, unit, meaning) {name, TYPE_##type, once, rank, unit, meaning},
    SNAPSHOT_COLUMNS(SNAPSHOT_ROW)
#undef SNAPSHOT_ROW
};

const char *ad__snapshot_column_name(enum snapshot_column column) {
  return columns[column].name;
}

const char *ad__snapshot_column_unit(enum snapshot_column column) {
  return columns[column].unit;
}

const char *ad__snapshot_column_meaning(enum snapshot_column column) {
  return columns[column].meaning;
}

char ad__snapshot_column_kind(enum snapshot_column column) {
  static const char kinds[] = {[TYPE_COUNT] = 'u', [TYPE_DIGEST] = 'u', [TYPE_REAL] = 'f', [TYPE_FIXED] = 'i',
                               [TYPE_FLOAT] = 'f', [TYPE_LABEL] = 'u',  [TYPE_NAME] = 's'};
  return kinds[columns[column].type];
}

int ad__snapshot_column_once(enum snapshot_column column) {
  return columns[column].once;
}

int ad__snapshot_column_rank(enum snapshot_column column) {
  return columns[column].rank;
}

size_t ad__snapshot_element(enum snapshot_column column) {
  static const size_t bytes[] = {
      [TYPE_COUNT] = 8, [TYPE_DIGEST] = 8,          [TYPE_REAL] = 8, [TYPE_FIXED] = 8, [TYPE_FLOAT] = 4,
      [TYPE_LABEL] = 4, [TYPE_NAME] = SNAPSHOT_NAME};
  return bytes[columns[column].type];
}

size_t ad__snapshot_width(const struct column *column) {
  size_t width = 1;
  for (int d = 0; d < column->rank; d++) {
    width *= column->shape[d];
  }
  return width;
}

void ad__snapshot_table_destroy(struct table *table) {
  for (size_t c = 0; c < COLUMNS; c++) {
    ad_free(table->column[c].data);
  }
  *table = (struct table){0};
}

int ad__snapshot_same_shapes(const struct table *a, const struct table *b) {
  for (size_t c = 0; c < COLUMNS; c++) {
    const struct column *x = &a->column[c], *y = &b->column[c];
    if (x->present != y->present ||
        (x->present && (x->rank != y->rank || memcmp(x->shape, y->shape, (size_t)x->rank * sizeof *x->shape) != 0))) {
      return 0;
    }
  }
  return 1;
}

void ad__snapshot_segment_name(uint64_t first, char name[SNAPSHOT_FILE]) {
  snprintf(name, SNAPSHOT_FILE, "segment-%09" PRIu64 ".h5", first);
}

int64_t ad__snapshot_segment_first(const char *name) {
  char *end, expected[SNAPSHOT_FILE];
  if (strncmp(name, "segment-", 8) != 0 || name[8] < '0' || name[8] > '9') {
    return -1;
  }
  const unsigned long long step = strtoull(name + 8, &end, 10);
  ad__snapshot_segment_name(step, expected);
  return step < INT64_MAX && strcmp(name, expected) == 0 ? (int64_t)step : -1;
}

char *ad__snapshot_segment_path(const char *folder, uint64_t first) {
  char name[SNAPSHOT_FILE];
  ad__snapshot_segment_name(first, name);
  char *path = ad_path_join(folder, name);
  if (path == NULL) {
    ad_fail_memory(strlen(folder) + sizeof name, "a path");
  }
  return path;
}

hid_t ad__snapshot_type(enum snapshot_column column, int in_memory) {
  hid_t type;
  switch (columns[column].type) {
    case TYPE_COUNT:
    case TYPE_DIGEST:
      return H5Tcopy(in_memory ? H5T_NATIVE_UINT64 : H5T_STD_U64LE);
    case TYPE_FIXED:
      return H5Tcopy(in_memory ? H5T_NATIVE_INT64 : H5T_STD_I64LE);
    case TYPE_REAL:
      return H5Tcopy(in_memory ? H5T_NATIVE_DOUBLE : H5T_IEEE_F64LE);
    case TYPE_FLOAT:
      return H5Tcopy(in_memory ? H5T_NATIVE_FLOAT : H5T_IEEE_F32LE);
    case TYPE_LABEL:
      return H5Tcopy(in_memory ? H5T_NATIVE_UINT32 : H5T_STD_U32LE);
    case TYPE_NAME:
      break;
  }
  type = H5Tcopy(H5T_C_S1);
  if (type >= 0 && (H5Tset_size(type, SNAPSHOT_NAME) < 0 || H5Tset_strpad(type, H5T_STR_NULLTERM) < 0)) {
    ad__hdf5_done(type);
    return -1;
  }
  return type;
}

hid_t ad__snapshot_make_file(const struct table *table) {
  const hid_t group_how = ad__hdf5_timeless(H5P_GROUP_CREATE);
  hid_t file = ad__hdf5_create_image();
  int failed = file < 0 || ad__hdf5_put_number(file, "format", SNAPSHOT_FORMAT) != 0;
  for (size_t c = 0; c < COLUMNS && !failed; c++) {
    char group[32];
    const size_t length = strcspn(columns[c].name, "/");
    snprintf(group, sizeof group, "%.*s", (int)length, columns[c].name);
    if (table->column[c].present && columns[c].name[length] == '/' && H5Lexists(file, group, H5P_DEFAULT) <= 0) {
      const hid_t made = H5Gcreate2(file, group, H5P_DEFAULT, group_how, H5P_DEFAULT);
      failed = made < 0 || ad__hdf5_close(made) != 0;
    }
  }
  if (failed) {
    ad__hdf5_done(file);
    file = -1;
  }
  ad__hdf5_done(group_how);
  return file;
}

int ad__snapshot_dimensions(const struct column *column, int once, size_t rows, hsize_t shape[3]) {
  int rank = 0;
  if (!once) {
    shape[rank++] = rows;
  }
  for (int d = 0; d < column->rank; d++) {
    shape[rank++] = column->shape[d];
  }
  return rank;
}

/* Chunks of about CHUNK bytes: several rows, or a part of one. 0 or -1. */
static int set_chunks(hid_t how, int rank, const hsize_t shape[3], size_t element, size_t width) {
  const size_t row = element * width, rows = row < CHUNK ? CHUNK / row : 1;
  hsize_t chunk[3] = {rows < shape[0] ? rows : shape[0]};
  for (int d = 1; d < rank; d++) {
    chunk[d] = shape[d];
  }
  if (row > CHUNK && rank == 2) {
    chunk[1] = CHUNK / element;
  }
  return H5Pset_chunk(how, rank, chunk) < 0 || H5Pset_shuffle(how) < 0 || H5Pset_deflate(how, DEFLATE) < 0 ? -1 : 0;
}

int ad__snapshot_describe(hid_t set, enum snapshot_column c, int tensor) {
  const char *meaning = tensor ? "this tensor after the update" : columns[c].meaning;
  if (ad__hdf5_put_text(set, "unit", columns[c].unit) != 0 || ad__hdf5_put_text(set, "meaning", meaning) != 0) {
    return -1;
  }
  return columns[c].type == TYPE_FIXED ? ad__hdf5_put_number(set, "fraction_bits", AD_SKETCH_SHIFT) : 0;
}

int ad__snapshot_put_column(hid_t file, const struct table *table, enum snapshot_column c) {
  const struct column *column = &table->column[c];
  const int once = columns[c].once;
  const size_t width = ad__snapshot_width(column), count = width * (once ? 1 : table->rows);
  hsize_t shape[3];
  const int rank = ad__snapshot_dimensions(column, once, table->rows, shape);
  const hid_t type = ad__snapshot_type(c, 0), memory = ad__snapshot_type(c, 1),
              how = ad__hdf5_timeless(H5P_DATASET_CREATE);
  const hid_t space = H5Screate_simple(rank, shape, NULL);
  const int ready = once || set_chunks(how, rank, shape, ad__snapshot_element(c), width) == 0;
  const hid_t set = ready ? H5Dcreate2(file, columns[c].name, type, space, H5P_DEFAULT, how, H5P_DEFAULT) : -1;
  int failed = set < 0 || H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, column->data) < 0 ||
               ad__hdf5_put_number(set, "xxh3", ad_digest(column->data, count * ad__snapshot_element(c))) != 0 ||
               ad__snapshot_describe(set, c, 0) != 0;
  failed = ad__hdf5_close(set) != 0 || failed;
  ad__hdf5_done(space);
  ad__hdf5_done(how);
  ad__hdf5_done(memory);
  ad__hdf5_done(type);
  return failed ? -1 : 0;
}

int ad__snapshot_end_file(hid_t file, int failed, const char *path) {
  if (!failed) {
    return ad__hdf5_put_image(file, path);
  }
  const int status = ad__hdf5_fail(AD_EIO, path, "could not be made");
  ad__hdf5_done(file);
  return status;
}

int ad__snapshot_write(const struct table *table, const char *path) {
  const hid_t file = ad__snapshot_make_file(table);
  int failed = file < 0;
  for (size_t c = 0; c < COLUMNS && !failed; c++) {
    failed = table->column[c].present && ad__snapshot_put_column(file, table, (enum snapshot_column)c) != 0;
  }
  return ad__snapshot_end_file(file, failed, path);
}
