/* Files of snapshots: HDF5 made in memory, then written whole. snapshot_read.c reads them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "snapshot_internal.h"

enum { DEFLATE = 1, CHUNK = 1 << 16 };

static const struct {
  const char *name;
  enum snapshot_type type;
  int once;
  const char *unit, *meaning;
} columns[COLUMNS] = {
#define SNAPSHOT_ROW(column, name, type, once, unit, meaning) {name, TYPE_##type, once, unit, meaning},
    SNAPSHOT_COLUMNS(SNAPSHOT_ROW)
#undef SNAPSHOT_ROW
};

const char *snapshot_column_name(enum snapshot_column column) {
  return columns[column].name;
}

const char *snapshot_column_unit(enum snapshot_column column) {
  return columns[column].unit;
}

const char *snapshot_column_meaning(enum snapshot_column column) {
  return columns[column].meaning;
}

char snapshot_column_kind(enum snapshot_column column) {
  static const char kinds[] = {[TYPE_COUNT] = 'u', [TYPE_DIGEST] = 'u', [TYPE_REAL] = 'f', [TYPE_FIXED] = 'i',
                               [TYPE_FLOAT] = 'f', [TYPE_LABEL] = 'u',  [TYPE_NAME] = 's'};
  return kinds[columns[column].type];
}

int snapshot_column_once(enum snapshot_column column) {
  return columns[column].once;
}

size_t snapshot_element(enum snapshot_column column) {
  static const size_t bytes[] = {
      [TYPE_COUNT] = 8, [TYPE_DIGEST] = 8,          [TYPE_REAL] = 8, [TYPE_FIXED] = 8, [TYPE_FLOAT] = 4,
      [TYPE_LABEL] = 4, [TYPE_NAME] = SNAPSHOT_NAME};
  return bytes[columns[column].type];
}

size_t snapshot_width(const struct column *column) {
  size_t width = 1;
  for (int d = 0; d < column->rank; d++) {
    width *= column->shape[d];
  }
  return width;
}

void snapshot_table_destroy(struct table *table) {
  for (size_t c = 0; c < COLUMNS; c++) {
    ad_free(table->column[c].data);
  }
  *table = (struct table){0};
}

char *snapshot_segment_path(const char *folder, uint64_t first) {
  char name[64];
  snprintf(name, sizeof name, "segment-%09" PRIu64 ".h5", first);
  char *path = ad_path_join(folder, name);
  if (path == NULL) {
    ad_fail_memory(strlen(folder) + sizeof name, "a path");
  }
  return path;
}

hid_t snapshot_type(enum snapshot_column column, int in_memory) {
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
  H5Tset_size(type, SNAPSHOT_NAME);
  H5Tset_strpad(type, H5T_STR_NULLTERM);
  return type;
}

/* A file in memory with the groups of its columns; negative: failed. */
static hid_t make_file(const struct table *table) {
  const hid_t group_how = hdf5_timeless(H5P_GROUP_CREATE);
  hid_t file = hdf5_create_image();
  int failed = file < 0 || hdf5_put_number(file, "format", SNAPSHOT_FORMAT) != 0;
  for (size_t c = 0; c < COLUMNS && !failed; c++) {
    char group[32];
    const size_t length = strcspn(columns[c].name, "/");
    snprintf(group, sizeof group, "%.*s", (int)length, columns[c].name);
    if (table->column[c].present && columns[c].name[length] == '/' && H5Lexists(file, group, H5P_DEFAULT) <= 0) {
      const hid_t made = H5Gcreate2(file, group, H5P_DEFAULT, group_how, H5P_DEFAULT);
      failed = made < 0 || H5Gclose(made) < 0;
    }
  }
  if (failed && file >= 0) {
    H5Fclose(file);
    file = -1;
  }
  H5Pclose(group_how);
  return file;
}

/* Dimensions of a dataset: rows first, but for what is there once. */
static int dimensions(const struct column *column, int once, size_t rows, hsize_t shape[3]) {
  int rank = 0;
  if (!once) {
    shape[rank++] = rows;
  }
  for (int d = 0; d < column->rank; d++) {
    shape[rank++] = column->shape[d];
  }
  return rank;
}

/* Chunks of about CHUNK bytes: several rows, or a part of one. */
static void set_chunks(hid_t how, int rank, const hsize_t shape[3], size_t element, size_t width) {
  const size_t row = element * width, rows = row < CHUNK ? CHUNK / row : 1;
  hsize_t chunk[3] = {rows < shape[0] ? rows : shape[0]};
  for (int d = 1; d < rank; d++) {
    chunk[d] = shape[d];
  }
  if (row > CHUNK && rank == 2) {
    chunk[1] = CHUNK / element;
  }
  H5Pset_chunk(how, rank, chunk);
  H5Pset_shuffle(how);
  H5Pset_deflate(how, DEFLATE);
}

/* What every dataset says of itself. */
static int describe(hid_t set, enum snapshot_column c, int tensor) {
  const char *meaning = tensor ? "this tensor after the update" : columns[c].meaning;
  if (hdf5_put_text(set, "unit", columns[c].unit) != 0 || hdf5_put_text(set, "meaning", meaning) != 0) {
    return -1;
  }
  return columns[c].type == TYPE_FIXED ? hdf5_put_number(set, "fraction_bits", AD_SKETCH_SHIFT) : 0;
}

static int put_column(hid_t file, const struct table *table, enum snapshot_column c) {
  const struct column *column = &table->column[c];
  const int once = columns[c].once;
  const size_t width = snapshot_width(column), count = width * (once ? 1 : table->rows);
  hsize_t shape[3];
  const int rank = dimensions(column, once, table->rows, shape);
  const hid_t type = snapshot_type(c, 0), memory = snapshot_type(c, 1), how = hdf5_timeless(H5P_DATASET_CREATE);
  const hid_t space = H5Screate_simple(rank, shape, NULL);
  if (!once) {
    set_chunks(how, rank, shape, snapshot_element(c), width);
  }
  const hid_t set = H5Dcreate2(file, columns[c].name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
  int failed = set < 0 || H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, column->data) < 0 ||
               hdf5_put_number(set, "xxh3", ad_digest(column->data, count * snapshot_element(c))) != 0 ||
               describe(set, c, 0) != 0;
  if (set >= 0 && H5Dclose(set) < 0) {
    failed = 1;
  }
  H5Sclose(space);
  H5Pclose(how);
  H5Tclose(memory);
  H5Tclose(type);
  return failed ? -1 : 0;
}

int snapshot_write(const struct table *table, const char *path) {
  const hid_t file = make_file(table);
  int failed = file < 0;
  for (size_t c = 0; c < COLUMNS && !failed; c++) {
    failed = table->column[c].present && put_column(file, table, (enum snapshot_column)c) != 0;
  }
  if (failed) {
    const int status = hdf5_fail(AD_EIO, path, "could not be made");
    if (file >= 0) {
      H5Fclose(file);
    }
    return status;
  }
  return hdf5_put_image(file, path);
}

/* What a virtual dataset shows: its dimensions, and of each segment the part [from, from + length) of a row. */
struct view {
  const char *name;
  int rank;
  hsize_t shape[3];
  size_t from, length; /* of a row of the source, a flat one; length 0: rows as they are */
};

static int put_view(hid_t file, const struct view *view, enum snapshot_column c, const struct column *column,
                    const struct segment *segments, size_t count) {
  const hid_t type = snapshot_type(c, 0), how = hdf5_timeless(H5P_DATASET_CREATE);
  const hid_t space = H5Screate_simple(view->rank, view->shape, NULL);
  hsize_t start[3] = {0}, block[3], source_start[3] = {0};
  int failed = 0;
  for (size_t i = 0; i < count && !failed; i++) {
    char name[64], path[64];
    hsize_t source_shape[3], source_block[3];
    const int source_rank = dimensions(column, 0, segments[i].rows, source_shape);
    memcpy(block, view->shape, sizeof block);
    memcpy(source_block, source_shape, sizeof source_block);
    block[0] = segments[i].rows;
    if (view->length > 0) {
      source_start[1] = view->from;
      source_block[1] = view->length;
    }
    snprintf(name, sizeof name, "segment-%09" PRIu64 ".h5", segments[i].first);
    snprintf(path, sizeof path, "/%s", columns[c].name);
    const hid_t source = H5Screate_simple(source_rank, source_shape, NULL);
    failed = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, block, NULL) < 0 ||
             H5Sselect_hyperslab(source, H5S_SELECT_SET, source_start, NULL, source_block, NULL) < 0 ||
             H5Pset_virtual(how, space, name, path, source) < 0;
    H5Sclose(source);
    start[0] += segments[i].rows;
  }
  H5Sselect_all(space);
  const hid_t set = failed ? -1 : H5Dcreate2(file, view->name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
  failed = set < 0 || describe(set, c, view->length > 0) != 0;
  if (set >= 0 && H5Dclose(set) < 0) {
    failed = 1;
  }
  H5Sclose(space);
  H5Pclose(how);
  H5Tclose(type);
  return failed ? -1 : 0;
}

/* Each tensor of the parameters, with its own name and shape. */
static int put_tensors(hid_t file, const struct table *table, size_t rows, const struct segment *segments,
                       size_t count) {
  const struct column *names = &table->column[COLUMN_NAMES];
  const uint64_t *offsets = table->column[COLUMN_OFFSETS].data, *shapes = table->column[COLUMN_SHAPES].data;
  for (size_t i = 0; i < names->shape[0]; i++) {
    char name[SNAPSHOT_NAME + 16];
    const size_t first = shapes[2 * i], second = shapes[2 * i + 1];
    struct view view = {.name = name, .shape = {rows, first, second}, .from = offsets[i]};
    snprintf(name, sizeof name, "parameters/%.*s", SNAPSHOT_NAME, (const char *)names->data + i * SNAPSHOT_NAME);
    view.rank = second == 0 ? 2 : 3;
    view.length = first * (second == 0 ? 1 : second);
    if (put_view(file, &view, COLUMN_PARAMETERS, &table->column[COLUMN_PARAMETERS], segments, count) != 0) {
      return -1;
    }
  }
  return 0;
}

int snapshot_write_all(const struct table *table, const char *folder, const struct segment *segments, size_t count) {
  size_t rows = 0;
  for (size_t i = 0; i < count; i++) {
    rows += segments[i].rows;
  }
  char *path = ad_path_join(folder, "all.h5");
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + 16, "a path");
  }
  const hid_t file = make_file(table);
  int failed = file < 0;
  for (size_t c = 0; c < COLUMNS && !failed; c++) {
    const struct column *column = &table->column[c];
    struct view view = {.name = columns[c].name};
    if (!column->present) {
      continue;
    }
    view.rank = dimensions(column, columns[c].once, rows, view.shape);
    failed = (columns[c].once ? put_column(file, table, (enum snapshot_column)c)
                              : put_view(file, &view, (enum snapshot_column)c, column, segments, count)) != 0;
  }
  if (!failed && table->column[COLUMN_PARAMETERS].present) {
    failed = put_tensors(file, table, rows, segments, count) != 0;
  }
  int status;
  if (failed) {
    status = hdf5_fail(AD_EIO, path, "could not be made");
    if (file >= 0) {
      H5Fclose(file);
    }
  } else {
    status = hdf5_put_image(file, path);
  }
  ad_free(path);
  return status;
}
