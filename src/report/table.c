#include "table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"

enum { PIECE = 1 << 18 /* bytes of CSV that are written at once */ };

/* ---- Columns ---- */

int ad__table_column(struct table *table, const char *group, const char *name, enum ad_table_type type,
                     const char *unit, const char *meaning) {
  struct ad_buffer full = {0};
  void *columns = table->columns;
  AD_TRY(ad_reserve(&columns, &table->capacity, table->width + 1, sizeof *table->columns));
  table->columns = columns;
  AD_TRY(ad_buffer_printf(&full, "%s%s%s", group, group[0] == '\0' ? "" : ".", name));
  table->columns[table->width++] =
      (struct ad_table_column){.name = full.data, .type = type, .unit = unit, .meaning = meaning};
  return AD_OK;
}

/* Room for a row, before its first value. */
static int make_row(struct table *table) {
  if (table->row != NULL) {
    return AD_OK;
  }
  table->texts = ad_calloc(table->width, sizeof *table->texts);
  table->row = ad_calloc(table->width, sizeof *table->row);
  return table->texts == NULL || table->row == NULL ? ad_fail_memory(table->width * 32, "a row of a table") : AD_OK;
}

/* The place of the next value, which must be of this type. */
static int next(struct table *table, enum ad_table_type type, union ad_table_value **value) {
  AD_TRY(make_row(table));
  if (table->filled == table->width) {
    return ad_fail(AD_EINTERNAL, "a row of %zu columns has more values", table->width);
  }
  const struct ad_table_column *column = &table->columns[table->filled];
  if (column->type != type && !(type == AD_TABLE_REAL && column->type == AD_TABLE_FLOAT)) {
    return ad_fail(AD_EINTERNAL, "column %s: a value of type %d, expected %d", column->name, (int)type,
                   (int)column->type);
  }
  *value = &table->row[table->filled++];
  return AD_OK;
}

int ad__table_text(struct table *table, const char *text) {
  union ad_table_value *value;
  AD_TRY(next(table, AD_TABLE_TEXT, &value));
  struct ad_buffer *shown = &table->texts[table->filled - 1];
  ad_buffer_clear(shown);
  AD_TRY(ad_buffer_puts(shown, ""));
  AD_TRY(text == NULL ? AD_OK : ad_escape_append(shown, text, strlen(text)));
  value->text = shown->data;
  return AD_OK;
}

int ad__table_count(struct table *table, int64_t count) {
  union ad_table_value *value;
  AD_TRY(next(table, AD_TABLE_COUNT, &value));
  value->count = count;
  return AD_OK;
}

int ad__table_real(struct table *table, double real) {
  union ad_table_value *value;
  AD_TRY(next(table, AD_TABLE_REAL, &value));
  value->real = real;
  return AD_OK;
}

int ad__table_switch(struct table *table, int on) {
  union ad_table_value *value;
  AD_TRY(next(table, AD_TABLE_SWITCH, &value));
  value->count = on != 0;
  return AD_OK;
}

void ad__table_measure(struct table *table) {
  for (size_t c = 0; c < table->filled; c++) {
    struct ad_table_column *column = &table->columns[c];
    if (column->type == AD_TABLE_TEXT) {
      const size_t length = strlen(table->row[c].text);
      column->width = length > column->width ? length : column->width;
    }
  }
  table->filled = 0;
}

/* ---- Rows of CSV ---- */

/* The shortest of 15 to 17 digits, or of a float's 6 to 9, that reads back as the same number. */
static int print_real(struct ad_buffer *out, double value, int single) {
  char text[40];
  for (int digits = single ? 6 : 15; digits <= (single ? 9 : 17); digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value) {
      break;
    }
  }
  return ad_buffer_puts(out, text);
}

static int print_value(struct ad_buffer *out, enum ad_table_type type, const union ad_table_value *value) {
  switch (type) {
    case AD_TABLE_TEXT:
      return ad__csv_text(out, value->text);
    case AD_TABLE_COUNT:
      return value->count == AD_TABLE_NO_COUNT ? AD_OK : ad_buffer_printf(out, "%" PRId64, value->count);
    case AD_TABLE_SWITCH:
      return ad_buffer_puts(out, value->count ? "TRUE" : "FALSE");
    case AD_TABLE_REAL:
    case AD_TABLE_FLOAT:
      break;
  }
  return isnan(value->real) ? AD_OK : print_real(out, value->real, type == AD_TABLE_FLOAT);
}

static int print_head(struct table *table) {
  for (size_t c = 0; c < table->width; c++) {
    AD_TRY(ad_buffer_puts(&table->lines, c == 0 ? "" : ","));
    AD_TRY(ad__csv_text(&table->lines, table->columns[c].name));
  }
  return ad_buffer_puts(&table->lines, "\n");
}

static int write_lines(struct table *table) {
  AD_TRY(ad_file_add(&table->csv, table->lines.data, table->lines.size));
  ad_buffer_clear(&table->lines);
  return AD_OK;
}

int ad__table_open(struct table *table, const char *folder, const char *name, const char *meaning, uint64_t rows,
                   struct ad_table_file *file) {
  struct ad_buffer path = {0};
  AD_TRY(make_row(table));
  table->csv.fd = -1;
  int status = ad_buffer_printf(&path, "%s/%s.csv", folder, name);
  status = status == AD_OK ? ad_file_begin(&table->csv, path.data) : status;
  ad_buffer_destroy(&path);
  AD_TRY(status);
  AD_TRY(print_head(table));
  table->file = file;
  return file == NULL ? AD_OK : ad_table_file_begin(file, name, meaning, table->width, table->columns, rows);
}

int ad__table_add(struct table *table) {
  if (table->filled != table->width) {
    return ad_fail(AD_EINTERNAL, "a row of %zu columns has %zu values", table->width, table->filled);
  }
  for (size_t c = 0; c < table->width; c++) {
    AD_TRY(c == 0 ? AD_OK : ad_buffer_append(&table->lines, ",", 1));
    AD_TRY(print_value(&table->lines, table->columns[c].type, &table->row[c]));
  }
  AD_TRY(ad_buffer_append(&table->lines, "\n", 1));
  AD_TRY(table->file == NULL ? AD_OK : ad_table_file_add(table->file, table->row));
  table->filled = 0;
  return table->lines.size < PIECE ? AD_OK : write_lines(table);
}

static int end(struct table *table) {
  AD_TRY(write_lines(table));
  return table->file == NULL ? AD_OK : ad_table_file_end(table->file);
}

int ad__table_close(struct table *table, int status) {
  status = status == AD_OK ? end(table) : status;
  status = table->csv.path == NULL ? status : ad_file_end(&table->csv, status);
  for (size_t c = 0; c < table->width; c++) {
    ad_free((void *)(uintptr_t)table->columns[c].name);
    if (table->texts != NULL) {
      ad_buffer_destroy(&table->texts[c]);
    }
  }
  ad_free(table->columns);
  ad_free(table->texts);
  ad_free(table->row);
  ad_buffer_destroy(&table->lines);
  *table = (struct table){0};
  return status;
}

/* ---- What both tables have ---- */

int ad__table_seed_columns(struct table *table, const struct ad_study *study) {
  for (size_t x = 0; x < study->axis_count; x++) {
    const char *key = study->axes[x].key;
    AD_TRY(study->axes[x].seed ? ad__table_column(table, "", key, AD_TABLE_COUNT, "1", ad_config_meaning(key)) : AD_OK);
  }
  return AD_OK;
}

int ad__table_seeds(struct table *table, const struct ad_study *study, const struct ad_study_cell *cell) {
  for (size_t x = 0; x < study->axis_count; x++) {
    const struct ad_study_axis *axis = &study->axes[x];
    AD_TRY(axis->seed ? ad__table_count(table, strtoll(axis->values[cell->level[x]], NULL, 10)) : AD_OK);
  }
  return AD_OK;
}

const char *ad__table_digest(uint64_t digest, char text[17]) {
  text[0] = '\0';
  return digest == 0 ? text : ad_digest_text(digest, text);
}

static int all_tables(struct report *r, const char *folder, struct ad_table_file *file) {
  AD_TRY(ad_table_file_note(file, "study", r->doc->title));
  AD_TRY(ad_table_file_note(file, "result", r->metric));
  AD_TRY(ad__report_run_table(r, folder, file));
  return ad__report_example_table(r, folder, file);
}

int ad__report_tables(struct report *r, const char *folder, int all) {
  if (!all) {
    return ad__report_run_table(r, folder, NULL);
  }
  struct ad_table_file *file = NULL;
  char *path = ad_path_join(folder, "tables.h5");
  int status = path == NULL ? ad_fail_memory(strlen(folder) + 16, "a path") : ad_table_file_create(&file, path);
  ad_free(path);
  status = status == AD_OK ? all_tables(r, folder, file) : status;
  return ad_table_file_finish(file, status);
}
