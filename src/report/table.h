/* Long tables: a row for each run, or for each run and example. They are written row by row, as CSV and where that is
 * asked for into a file of HDF5 too (store/table_file.h). */
#ifndef AUTODIDACT_SRC_REPORT_TABLE_H
#define AUTODIDACT_SRC_REPORT_TABLE_H

#include "autodidact/base/file.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/table_file.h"
#include "report_internal.h"

/* Zero-initialise; ad__table_close frees. */
struct table {
  struct ad_table_column *columns; /* [width] owned, and their names */
  size_t width, capacity;
  struct ad_buffer *texts;    /* [width] of the row, as they are shown */
  union ad_table_value *row;  /* [width] */
  size_t filled;              /* columns of the row that have a value */
  struct ad_buffer lines;     /* of CSV that are not written yet */
  struct ad_file_out csv;     /* path NULL: none */
  struct ad_table_file *file; /* NULL: no HDF5; not owned */
};

/* Adds a column, named "group.name", or "name" where group is "". unit and meaning live for ever. AD_ENOMEM. */
int ad__table_column(struct table *table, const char *group, const char *name, enum ad_table_type type,
                     const char *unit, const char *meaning);

/* The next value of the row. A text is copied, and escaped as base/shown.h has it; NULL: not known, "". AD_EINTERNAL
 * (more values than columns, or one of another type), AD_ENOMEM. */
int ad__table_text(struct table *table, const char *text);
int ad__table_count(struct table *table, int64_t count);
int ad__table_real(struct table *table, double real);
int ad__table_switch(struct table *table, int on);

/* Takes the row for the widths of texts only, and begins it anew: to be done for every row before `open`. */
void ad__table_measure(struct table *table);

/* Begins FOLDER/NAME.csv, and where `file` is not NULL the table NAME in it. `rows`: how many are expected. AD_EIO,
 * AD_ENOMEM. */
int ad__table_open(struct table *table, const char *folder, const char *name, const char *meaning, uint64_t rows,
                   struct ad_table_file *file);

/* Writes the row, and begins the next. AD_EINTERNAL (values are missing), AD_EIO, AD_ENOMEM. */
int ad__table_add(struct table *table);

/* Ends both and frees the table. Returns the status of what came before, or its own: the CSV file stays as it was where
 * that is not AD_OK. AD_EIO, AD_ENOMEM. */
int ad__table_close(struct table *table, int status);

/* ---- The tables ---- */

/* runs.csv, and with `all` examples.csv and tables.h5. AD_EIO, AD_ENOMEM. */
int ad__report_tables(struct report *r, const char *folder, int all);
int ad__report_run_table(struct report *r, const char *folder, struct ad_table_file *file);
int ad__report_example_table(struct report *r, const char *folder, struct ad_table_file *file);

/* Columns for each axis of seeds, and their values of a cell. */
int ad__table_seed_columns(struct table *table, const struct ad_study *study);
int ad__table_seeds(struct table *table, const struct ad_study *study, const struct ad_study_cell *cell);

/* 16 digits into text [17], "" for 0, which stands for a digest that is not known; returns text. */
const char *ad__table_digest(uint64_t digest, char text[17]);

#endif
