/* Reading segments of snapshots: nothing in the file is trusted before it has been checked. */
#include <inttypes.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "snapshot_internal.h"

static int damaged(const char *path, const char *what) {
  return ad_fail(AD_EINPUT, "%s: %s: not a whole segment of snapshots", path, what);
}

static int get_number(hid_t object, const char *name, uint64_t *value) {
  const hid_t attribute = H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
  if (attribute < 0) {
    return -1;
  }
  const hid_t space = H5Aget_space(attribute), type = H5Aget_type(attribute);
  const int fits = H5Sget_simple_extent_npoints(space) == 1 && H5Tget_class(type) == H5T_INTEGER;
  const int result = fits && H5Aread(attribute, H5T_NATIVE_UINT64, value) >= 0 ? 0 : -1;
  H5Tclose(type);
  H5Sclose(space);
  H5Aclose(attribute);
  return result;
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

/* The values of a dataset, which must have the digest that stands beside it. */
static int get_values(hid_t set, enum snapshot_column c, struct column *column, size_t count, const char *path) {
  uint64_t digest;
  const hid_t type = snapshot_type(c, 1);
  int status = AD_OK;
  column->data = ad_malloc(count, snapshot_element(c));
  if (column->data == NULL) {
    status = ad_fail_memory(count * snapshot_element(c), path);
  } else if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, column->data) < 0) {
    status = snapshot_fail(AD_EINPUT, path, snapshot_column_name(c));
  } else if (get_number(set, "xxh3", &digest) != 0 || ad_digest(column->data, count * snapshot_element(c)) != digest) {
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
  if (status == AD_OK && (once || with_rows || c == COLUMN_STEP)) {
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

int snapshot_read(struct table *table, const char *path, int with_rows, uint64_t last) {
  *table = (struct table){0};
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) {
    return snapshot_fail(AD_EINPUT, path, "could not be read as HDF5");
  }
  uint64_t format = 0;
  int status = AD_OK;
  if (get_number(file, "format", &format) != 0) {
    status = damaged(path, "it has no format");
  } else if (format != SNAPSHOT_FORMAT) {
    status =
        ad_fail(AD_EINPUT, "%s: snapshots of format %" PRIu64 ", this program reads %d", path, format, SNAPSHOT_FORMAT);
  }
  for (size_t c = 0; c < COLUMNS && status == AD_OK; c++) {
    status = get_column(file, table, (enum snapshot_column)c, with_rows, path);
  }
  if (status == AD_OK) {
    status = check_table(table, path);
  }
  H5Fclose(file);
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
