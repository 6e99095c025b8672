/* all.h5: virtual datasets over a run's segments. The same list of views makes them and checks them; HDF5 is never
 * asked to read through one, as it shows zeros where it cannot open a source, and looks for sources in many folders. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "snapshot_internal.h"

/* What a virtual dataset shows: its dimensions, and of each segment the part [from, from + length) of a row. */
struct view {
  const char *name;
  enum snapshot_column source;
  const struct column *column; /* of the source */
  int rank;
  hsize_t shape[3];
  size_t from, length; /* of a row of the source, a flat one; length 0: rows as they are */
};

/* Calls take for each column of the table that has rows, and for each tensor of its parameters; stops at what is not 0.
 */
static int each_view(const struct table *table, size_t rows, int (*take)(void *context, const struct view *view),
                     void *context) {
  int result = 0;
  for (enum snapshot_column c = 0; c < COLUMNS && result == 0; c++) {
    struct view view = {.name = ad__snapshot_column_name(c), .source = c, .column = &table->column[c]};
    if (view.column->present && !ad__snapshot_column_once(c)) {
      view.rank = ad__snapshot_dimensions(view.column, 0, rows, view.shape);
      result = take(context, &view);
    }
  }
  const struct column *names = &table->column[COLUMN_NAMES], *parameters = &table->column[COLUMN_PARAMETERS];
  const uint64_t *offsets = table->column[COLUMN_OFFSETS].data, *shapes = table->column[COLUMN_SHAPES].data;
  for (size_t i = 0; parameters->present && i < names->shape[0] && result == 0; i++) {
    char name[SNAPSHOT_NAME + 16];
    const size_t first = shapes[2 * i], second = shapes[2 * i + 1];
    snprintf(name, sizeof name, "parameters/%.*s", SNAPSHOT_NAME, (const char *)names->data + i * SNAPSHOT_NAME);
    const struct view view = {.name = name,
                              .source = COLUMN_PARAMETERS,
                              .column = parameters,
                              .rank = second == 0 ? 2 : 3,
                              .shape = {rows, first, second},
                              .from = offsets[i],
                              .length = first * (second == 0 ? 1 : second)};
    result = take(context, &view);
  }
  return result;
}

/* What the part of a view over one segment is: where in the view it begins, the file, the dataset, the block of it. */
struct part {
  char file[SNAPSHOT_FILE], set[64];
  int rank;
  hsize_t at[3], block[3], shape[3], source_at[3], source_block[3];
};

static struct part part_of(const struct view *view, const struct segment *segment, hsize_t at) {
  struct part part = {.at = {at}, .source_at = {0, view->length > 0 ? view->from : 0, 0}};
  part.rank = ad__snapshot_dimensions(view->column, 0, segment->rows, part.shape);
  memcpy(part.block, view->shape, sizeof part.block);
  memcpy(part.source_block, part.shape, sizeof part.source_block);
  part.block[0] = segment->rows;
  part.source_block[1] = view->length > 0 ? view->length : part.source_block[1];
  ad__snapshot_segment_name(segment->first, part.file);
  snprintf(part.set, sizeof part.set, "/%s", ad__snapshot_column_name(view->source));
  return part;
}

/* --- Making --- */

struct making {
  hid_t file;
  const struct segment *segments; /* [count] */
  size_t count;
};

static int map_part(hid_t how, hid_t space, const struct part *part) {
  const hid_t source = H5Screate_simple(part->rank, part->shape, NULL);
  const int failed = source < 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET, part->at, NULL, part->block, NULL) < 0 ||
                     H5Sselect_hyperslab(source, H5S_SELECT_SET, part->source_at, NULL, part->source_block, NULL) < 0 ||
                     H5Pset_virtual(how, space, part->file, part->set, source) < 0;
  ad__hdf5_done(source);
  return failed ? -1 : 0;
}

static int put_view(void *context, const struct view *view) {
  const struct making *m = context;
  const hid_t type = ad__snapshot_type(view->source, 0), how = ad__hdf5_timeless(H5P_DATASET_CREATE);
  const hid_t space = H5Screate_simple(view->rank, view->shape, NULL);
  int failed = 0;
  hsize_t at = 0;
  for (size_t i = 0; i < m->count && !failed; i++) {
    const struct part part = part_of(view, &m->segments[i], at);
    failed = map_part(how, space, &part) != 0;
    at += m->segments[i].rows;
  }
  failed = failed || H5Sselect_all(space) < 0;
  const hid_t set = failed ? -1 : H5Dcreate2(m->file, view->name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
  failed = set < 0 || ad__snapshot_describe(set, view->source, view->length > 0) != 0;
  failed = ad__hdf5_close(set) != 0 || failed;
  ad__hdf5_done(space);
  ad__hdf5_done(how);
  ad__hdf5_done(type);
  return failed ? -1 : 0;
}

int ad__snapshot_write_all(const struct table *table, const char *folder, const struct segment *segments,
                           size_t count) {
  size_t rows = 0;
  for (size_t i = 0; i < count; i++) {
    rows += segments[i].rows;
  }
  char *path = ad_path_join(folder, SNAPSHOT_VIEW);
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + 16, "a path");
  }
  struct making making = {.file = ad__snapshot_make_file(table), .segments = segments, .count = count};
  int failed = making.file < 0;
  for (enum snapshot_column c = 0; c < COLUMNS && !failed; c++) {
    failed =
        table->column[c].present && ad__snapshot_column_once(c) && ad__snapshot_put_column(making.file, table, c) != 0;
  }
  failed = failed || each_view(table, rows, put_view, &making) != 0;
  const int status = ad__snapshot_end_file(making.file, failed, path);
  ad_free(path);
  return status;
}

/* --- Checking --- */

struct checking {
  hid_t file;
  const char *path;
  const struct segment *segments; /* [count] */
  size_t count;
};

/* Whether a selection is the block [at, at + block) and nothing else. */
static int is_block(hid_t space, int rank, const hsize_t *at, const hsize_t *block) {
  hsize_t begin[3], end[3], points = 1;
  if (space < 0 || H5Sget_simple_extent_ndims(space) != rank || H5Sget_select_bounds(space, begin, end) < 0) {
    return 0;
  }
  int same = 1;
  for (int d = 0; d < rank; d++) {
    same = same && begin[d] == at[d] && end[d] == at[d] + block[d] - 1;
    points *= block[d];
  }
  return same && H5Sget_select_npoints(space) == (hssize_t)points;
}

static int shows_part(hid_t how, size_t i, int rank, const struct part *part) {
  char file[SNAPSHOT_FILE] = "", set[64] = "";
  if (H5Pget_virtual_filename(how, i, file, sizeof file) <= 0 || strcmp(file, part->file) != 0 ||
      H5Pget_virtual_dsetname(how, i, set, sizeof set) <= 0 || strcmp(set, part->set) != 0) {
    return 0;
  }
  const hid_t space = H5Pget_virtual_vspace(how, i), source = H5Pget_virtual_srcspace(how, i);
  const int same =
      is_block(space, rank, part->at, part->block) && is_block(source, part->rank, part->source_at, part->source_block);
  ad__hdf5_done(source);
  ad__hdf5_done(space);
  return same;
}

static int shows_view(hid_t set, const struct view *view, const struct checking *k) {
  hsize_t shape[3] = {0}, at = 0;
  size_t maps = 0;
  const hid_t space = H5Dget_space(set), type = H5Dget_type(set), expected = ad__snapshot_type(view->source, 0),
              how = H5Dget_create_plist(set);
  int same = H5Tequal(type, expected) > 0 && H5Sget_simple_extent_ndims(space) == view->rank &&
             H5Sget_simple_extent_dims(space, shape, NULL) == view->rank &&
             memcmp(shape, view->shape, (size_t)view->rank * sizeof *shape) == 0 && H5Pget_layout(how) == H5D_VIRTUAL &&
             H5Pget_virtual_count(how, &maps) >= 0 && maps == k->count;
  for (size_t i = 0; i < k->count && same; i++) {
    const struct part part = part_of(view, &k->segments[i], at);
    same = shows_part(how, i, view->rank, &part);
    at += k->segments[i].rows;
  }
  ad__hdf5_done(how);
  ad__hdf5_done(expected);
  ad__hdf5_done(type);
  ad__hdf5_done(space);
  return same;
}

static int check_view(void *context, const struct view *view) {
  const struct checking *k = context;
  hid_t set;
  AD_TRY(ad__hdf5_open_set(k->file, k->path, view->name, 1, &set));
  const int same = set >= 0 && shows_view(set, view, k);
  ad__hdf5_done(set);
  return same ? AD_OK
              : ad_fail(AD_EINPUT, "%s: %s is not there, or does not show what step shows of the segments beside it",
                        k->path, view->name);
}

/* The segments that `step` shows: first step by the file's name, rows by the part. */
static int list_parts(hid_t set, const char *path, void **segments, size_t *count) {
  size_t capacity = 0, maps = 0;
  const hid_t how = H5Dget_create_plist(set);
  int status = H5Pget_virtual_count(how, &maps) >= 0 ? ad_reserve(segments, &capacity, maps, sizeof(struct segment))
                                                     : ad__hdf5_fail(AD_EINPUT, path, "step");
  for (*count = 0; *count < maps && status == AD_OK; ++*count) {
    char name[SNAPSHOT_FILE] = "";
    const ssize_t length = H5Pget_virtual_filename(how, *count, name, sizeof name);
    const hid_t space = H5Pget_virtual_vspace(how, *count);
    const hssize_t rows = space < 0 ? -1 : H5Sget_select_npoints(space);
    const int64_t first = length > 0 && length < SNAPSHOT_FILE ? ad__snapshot_segment_first(name) : -1;
    ad__hdf5_done(space);
    if (first < 0 || rows <= 0 || rows > AD_SNAPSHOT_ROWS) {
      status = ad_fail(AD_EINPUT, "%s: it shows %s, expected a segment of snapshots in the same folder", path, name);
      break;
    }
    ((struct segment *)*segments)[*count] = (struct segment){.first = (uint64_t)first, .rows = (size_t)rows};
  }
  ad__hdf5_done(how);
  return status;
}

int ad__snapshot_list_views(hid_t file, const char *path, const struct table *table, void **segments, size_t *count) {
  hid_t set;
  *segments = NULL;
  *count = 0;
  AD_TRY(ad__hdf5_open_set(file, path, ad__snapshot_column_name(COLUMN_STEP), 1, &set));
  const int status = set < 0 ? AD_OK : list_parts(set, path, segments, count);
  ad__hdf5_done(set);
  AD_TRY(status);
  size_t rows = 0;
  for (size_t i = 0; i < *count; i++) {
    rows += ((const struct segment *)*segments)[i].rows;
  }
  if (rows != table->rows) {
    return ad_fail(AD_EINPUT, "%s: it has %zu snapshots and shows %zu of segments", path, table->rows, rows);
  }
  struct checking checking = {.file = file, .path = path, .segments = *segments, .count = *count};
  return each_view(table, table->rows, check_view, &checking);
}
