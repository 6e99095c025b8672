#include "autodidact/store/table_file.h"

#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "hdf5_out.h"

enum { TABLE_FORMAT = 1, CHUNK_ROWS = 1 << 14, DEFLATE = 4 };

/* A column, and its values that are not written yet. */
struct column {
  struct ad_table_column of;
  hid_t type, set;
  size_t size; /* bytes of a value */
  char *rows;  /* [chunk] values, owned */
};

struct ad_table_file {
  struct ad__hdf5_out out;
  hid_t file, table; /* table: -1 between two */
  struct column *columns;
  size_t width, chunk; /* columns; rows of a chunk */
  hsize_t written;     /* rows in the file, */
  size_t waiting;      /* and behind them in memory */
};

static int fail(const struct ad_table_file *f) {
  AD_TRY(ad__hdf5_out_check(&f->out));
  return ad__hdf5_fail(AD_EIO, f->out.file.partial, "could not be made");
}

int ad_table_file_create(struct ad_table_file **file, const char *path) {
  struct ad_table_file *f = *file = ad_calloc(1, sizeof *f);
  if (f == NULL) {
    return ad_fail_memory(sizeof *f, "a file of tables");
  }
  f->table = -1;
  AD_TRY(ad__hdf5_out_begin(&f->out, path, &f->file));
  return ad__hdf5_put_number(f->file, "format", TABLE_FORMAT) == 0 ? AD_OK : fail(f);
}

int ad_table_file_note(struct ad_table_file *file, const char *name, const char *text) {
  return ad__hdf5_put_text(file->file, name, text) == 0 ? AD_OK : fail(file);
}

/* ---- Columns ---- */

/* As h5py and h5dump know it. */
static hid_t make_switch(void) {
  const signed char values[] = {0, 1};
  const hid_t type = H5Tenum_create(H5T_NATIVE_SCHAR);
  if (type >= 0 && (H5Tenum_insert(type, "FALSE", &values[0]) < 0 || H5Tenum_insert(type, "TRUE", &values[1]) < 0)) {
    ad__hdf5_done(type);
    return -1;
  }
  return type;
}

static hid_t make_text(size_t width) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  if (type >= 0 && (H5Tset_size(type, width > 0 ? width : 1) < 0 || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
                    H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
    ad__hdf5_done(type);
    return -1;
  }
  return type;
}

/* In memory as in the file, but for the order of bytes. */
static hid_t make_type(const struct ad_table_column *column, int in_memory) {
  switch (column->type) {
    case AD_TABLE_COUNT:
      return H5Tcopy(in_memory ? H5T_NATIVE_INT64 : H5T_STD_I64LE);
    case AD_TABLE_REAL:
      return H5Tcopy(in_memory ? H5T_NATIVE_DOUBLE : H5T_IEEE_F64LE);
    case AD_TABLE_FLOAT:
      return H5Tcopy(in_memory ? H5T_NATIVE_FLOAT : H5T_IEEE_F32LE);
    case AD_TABLE_SWITCH:
      return make_switch();
    case AD_TABLE_TEXT:
      break;
  }
  return make_text(column->width);
}

/* No cache of chunks: each is written once, whole. */
static hid_t make_set(hid_t table, const struct ad_table_column *column, hsize_t chunk) {
  const hsize_t none = 0, any = H5S_UNLIMITED;
  const hid_t how = ad__hdf5_timeless(H5P_DATASET_CREATE), access = H5Pcreate(H5P_DATASET_ACCESS);
  const hid_t space = H5Screate_simple(1, &none, &any), type = make_type(column, 0);
  const int ready = how >= 0 && access >= 0 && type >= 0 && H5Pset_chunk(how, 1, &chunk) >= 0 &&
                    H5Pset_shuffle(how) >= 0 && H5Pset_deflate(how, DEFLATE) >= 0 &&
                    H5Pset_chunk_cache(access, 1, 0, 0.0) >= 0;
  hid_t set = ready ? H5Dcreate2(table, column->name, type, space, H5P_DEFAULT, how, access) : -1;
  if (set >= 0 &&
      (ad__hdf5_put_text(set, "unit", column->unit) != 0 || ad__hdf5_put_text(set, "meaning", column->meaning) != 0)) {
    ad__hdf5_done(set);
    set = -1;
  }
  ad__hdf5_done(type);
  ad__hdf5_done(space);
  ad__hdf5_done(access);
  ad__hdf5_done(how);
  return set;
}

static int open_column(struct ad_table_file *f, struct column *column, const struct ad_table_column *of) {
  column->of = *of;
  column->type = make_type(of, 1);
  column->size = column->type < 0 ? 0 : H5Tget_size(column->type);
  column->set = column->size == 0 ? -1 : make_set(f->table, of, f->chunk);
  if (column->set < 0) {
    return fail(f);
  }
  column->rows = ad_malloc(f->chunk, column->size);
  return column->rows == NULL ? ad_fail_memory(f->chunk * column->size, "rows of a table") : AD_OK;
}

/* Frees the columns; -1 where one could not be written to its end. */
static int close_columns(struct ad_table_file *f) {
  int result = 0;
  for (size_t c = 0; c < f->width; c++) {
    result = ad__hdf5_close(f->columns[c].set) != 0 ? -1 : result;
    ad__hdf5_done(f->columns[c].type);
    ad_free(f->columns[c].rows);
  }
  ad_free(f->columns);
  f->columns = NULL;
  f->width = 0;
  result = ad__hdf5_close(f->table) != 0 ? -1 : result;
  f->table = -1;
  return result;
}

int ad_table_file_begin(struct ad_table_file *file, const char *table, const char *meaning, size_t width,
                        const struct ad_table_column *columns, uint64_t rows) {
  const hid_t how = ad__hdf5_timeless(H5P_GROUP_CREATE);
  file->table = how < 0 ? -1 : H5Gcreate2(file->file, table, H5P_DEFAULT, how, H5P_DEFAULT);
  ad__hdf5_done(how);
  if (file->table < 0 || ad__hdf5_put_text(file->table, "meaning", meaning) != 0) {
    return fail(file);
  }
  file->columns = ad_calloc(width, sizeof *file->columns);
  if (file->columns == NULL) {
    return ad_fail_memory(width * sizeof *file->columns, "columns of a table");
  }
  file->chunk = rows == 0 ? 1 : rows < CHUNK_ROWS ? (size_t)rows : CHUNK_ROWS;
  file->written = file->waiting = 0;
  for (size_t c = 0; c < width; c++) {
    file->columns[c].type = file->columns[c].set = -1;
  }
  file->width = width;
  for (size_t c = 0; c < width; c++) {
    AD_TRY(open_column(file, &file->columns[c], &columns[c]));
  }
  return AD_OK;
}

/* ---- Rows ---- */

/* The rows in memory behind those in the file. 0 or -1. */
static int write_rows(const struct column *column, hsize_t written, hsize_t waiting) {
  const hsize_t all = written + waiting;
  const hid_t here = H5Screate_simple(1, &waiting, NULL);
  const hid_t there = H5Dset_extent(column->set, &all) < 0 ? -1 : H5Dget_space(column->set);
  const int failed = here < 0 || there < 0 ||
                     H5Sselect_hyperslab(there, H5S_SELECT_SET, &written, NULL, &waiting, NULL) < 0 ||
                     H5Dwrite(column->set, column->type, here, there, H5P_DEFAULT, column->rows) < 0;
  ad__hdf5_done(there);
  ad__hdf5_done(here);
  return failed ? -1 : 0;
}

static int flush(struct ad_table_file *f) {
  for (size_t c = 0; f->waiting > 0 && c < f->width; c++) {
    if (write_rows(&f->columns[c], f->written, f->waiting) != 0) {
      return fail(f);
    }
  }
  f->written += f->waiting;
  f->waiting = 0;
  return ad__hdf5_out_check(&f->out);
}

static int put(const struct column *column, const union ad_table_value *value, char *to) {
  const float single = (float)(column->of.type == AD_TABLE_FLOAT ? value->real : 0.0);
  const signed char on = column->of.type == AD_TABLE_SWITCH && value->count != 0;
  size_t length;
  switch (column->of.type) {
    case AD_TABLE_COUNT:
      memcpy(to, &value->count, column->size);
      break;
    case AD_TABLE_REAL:
      memcpy(to, &value->real, column->size);
      break;
    case AD_TABLE_FLOAT:
      memcpy(to, &single, column->size);
      break;
    case AD_TABLE_SWITCH:
      memcpy(to, &on, column->size);
      break;
    case AD_TABLE_TEXT:
      length = strlen(value->text);
      if (length > column->size) {
        return ad_fail(AD_EINTERNAL, "column %s: a text of %zu bytes, expected at most %zu", column->of.name, length,
                       column->size);
      }
      memset(to, 0, column->size);
      memcpy(to, value->text, length);
      break;
  }
  return AD_OK;
}

int ad_table_file_add(struct ad_table_file *file, const union ad_table_value *row) {
  for (size_t c = 0; c < file->width; c++) {
    const struct column *column = &file->columns[c];
    AD_TRY(put(column, &row[c], column->rows + file->waiting * column->size));
  }
  file->waiting++;
  return file->waiting == file->chunk ? flush(file) : AD_OK;
}

int ad_table_file_end(struct ad_table_file *file) {
  AD_TRY(flush(file));
  return close_columns(file) == 0 ? AD_OK : fail(file);
}

/* ---- The end ---- */

int ad_table_file_finish(struct ad_table_file *file, int status) {
  if (file == NULL) {
    return status;
  }
  status = status == AD_OK ? ad__hdf5_out_check(&file->out) : status;
  if (close_columns(file) != 0 && status == AD_OK) {
    status = fail(file);
  }
  if (ad__hdf5_close(file->file) != 0 && status == AD_OK) {
    status = fail(file);
  }
  status = ad__hdf5_out_end(&file->out, status);
  ad_free(file);
  return status;
}
