/* A file of tables as HDF5: each table is a group, each column a dataset with one value a row (docs/hdf5.md). Rows are
 * added one at a time, and some thousands of them are in memory, however many there are.
 * It is written whole or not at all (base/file.h). */
#ifndef AUTODIDACT_STORE_TABLE_FILE_H
#define AUTODIDACT_STORE_TABLE_FILE_H

#include <stddef.h>
#include <stdint.h>

enum ad_table_type {
  AD_TABLE_TEXT,  /* bytes of UTF-8, all values as long as the longest, filled up with NULs */
  AD_TABLE_COUNT, /* int64; AD_TABLE_NO_COUNT: not known */
  AD_TABLE_REAL,  /* float64; NaN: not known */
  AD_TABLE_FLOAT, /* float32; NaN: not known */
  AD_TABLE_SWITCH /* an enumeration of FALSE and TRUE, as h5py has it */
};

#define AD_TABLE_NO_COUNT INT64_C(-1)

struct ad_table_column {
  const char *name;
  enum ad_table_type type;
  const char *unit;    /* "1" for a number without one, "" for what has none */
  const char *meaning; /* one sentence, or a part of one */
  size_t width;        /* AD_TABLE_TEXT: bytes of the longest value */
};

union ad_table_value {
  const char *text; /* not NULL */
  int64_t count;    /* AD_TABLE_SWITCH too: 1 or 0 */
  double real;      /* AD_TABLE_FLOAT too */
};

struct ad_table_file;

/* Begins a file. *file is the caller's: ad_table_file_finish, also after a failure. AD_EIO, AD_ENOMEM. */
int ad_table_file_create(struct ad_table_file **file, const char *path);

/* A text about the whole file, as an attribute of its root. AD_EIO. */
int ad_table_file_note(struct ad_table_file *file, const char *name, const char *text);

/* Begins a table of so many columns [width], which are copied but for their texts; these must live until its end. The
 * table before it must have ended. `rows` is how many are expected: it decides the size of chunks, nothing else.
 * AD_EIO, AD_ENOMEM. */
int ad_table_file_begin(struct ad_table_file *file, const char *table, const char *meaning, size_t width,
                        const struct ad_table_column *columns, uint64_t rows);

/* Adds a row [width] to the table. AD_EINTERNAL (a text that is longer than its column), AD_EIO. */
int ad_table_file_add(struct ad_table_file *file, const union ad_table_value *row);

/* Ends the table. AD_EIO. */
int ad_table_file_end(struct ad_table_file *file);

/* Ends the file and gives it its name where `status`, of all that came before, is AD_OK; else nothing of it stays.
 * Returns that status, or its own: AD_EIO, AD_ENOMEM. The file is gone afterwards; NULL is allowed. */
int ad_table_file_finish(struct ad_table_file *file, int status);

#endif
