/* Entries of tables as people see them: as many digits as the error allows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "document.h"

/* Where numbers have a unit, the smallest that can be is far above a rounding: that is shown as the 0 it stands for.
 * Files have it as it is. */
static double in_unit(double value, const struct document_column *column) {
  static const double ROUNDING = 1e-12;
  const struct unit_of *unit = &ad__units[column->unit];
  const double shown = value * unit->scale;
  return unit->name[0] != '\0' && fabs(shown) < ROUNDING ? 0.0 : shown;
}

int ad__decimals(double error) {
  enum { MOST = 12 };
  char text[40];
  snprintf(text, sizeof text, "%.1e", error); /* "1.3e-01": the exponent after rounding to two digits */
  const char *exponent = strchr(text, 'e');
  const int decimals = exponent == NULL ? 0 : 1 - atoi(exponent + 1);
  return decimals < 0 ? 0 : decimals > MOST ? MOST : decimals;
}

/* The column with the standard error of `column`; table->width: none. */
static size_t error_column(const struct document_table *table, size_t column) {
  size_t c = 0;
  while (c < table->width &&
         (table->columns[column].by == NULL || strcmp(table->columns[c].id, table->columns[column].by) != 0)) {
    c++;
  }
  return c;
}

int ad__document_is_error(const struct document_table *table, size_t column) {
  for (size_t c = 0; c < table->width; c++) {
    if (error_column(table, c) == column) {
      return 1;
    }
  }
  return 0;
}

/* The standard error of entry i, or a quarter of the interval behind it or that it is; 0: not known. */
static double error_of(const struct document_table *table, size_t i) {
  const size_t c = i % table->width, first = i - c, by = error_column(table, c);
  const struct document_column *columns = table->columns;
  const struct document_entry *entry = &table->entries[i];
  if (by < table->width) {
    return table->entries[first + by].why == NULL ? in_unit(table->entries[first + by].value, &columns[by]) : 0.0;
  }
  if (columns[c].kind == ENTRY_INTERVAL) {
    const int behind = c > 0 && columns[c - 1].kind == ENTRY_FIGURE && columns[c - 1].by != NULL;
    return behind               ? error_of(table, i - 1)
           : entry->why == NULL ? (in_unit(entry->high, &columns[c]) - in_unit(entry->value, &columns[c])) / 4
                                : 0.0;
  }
  const int before = c + 1 < table->width && columns[c + 1].kind == ENTRY_INTERVAL &&
                     columns[c + 1].unit == columns[c].unit && table->entries[i + 1].why == NULL;
  return before ? error_of(table, i + 1) : 0.0;
}

/* p, holm_p, ... */
static int is_p(const struct document_column *column) {
  const size_t length = strlen(column->id);
  return strcmp(column->id, "p") == 0 || (length > 2 && strcmp(column->id + length - 2, "_p") == 0);
}

static int show_number(double value, double error, const struct document_column *column, struct ad_buffer *out) {
  const double shown = in_unit(value, column);
  if (is_p(column)) {
    return ad_buffer_printf(out, "%.2g", shown);
  }
  return error > 0.0 ? ad_buffer_printf(out, "%.*f", ad__decimals(error), shown) : ad_buffer_printf(out, "%.4g", shown);
}

int ad__document_show(const struct document_table *table, size_t i, struct ad_buffer *out) {
  const struct document_column *column = &table->columns[i % table->width];
  const struct document_entry *entry = &table->entries[i];
  if (column->kind == ENTRY_TEXT) {
    return ad_buffer_puts(out, entry->text);
  }
  if (column->kind == ENTRY_COUNT) {
    return ad_buffer_printf(out, "%.0f", entry->value);
  }
  if (entry->why != NULL) {
    return ad_buffer_puts(out, "n/a");
  }
  const double error = error_of(table, i);
  if (column->kind == ENTRY_FIGURE) {
    AD_TRY(show_number(entry->value, error, column, out));
    return column->by != NULL && error > 0.0 ? ad_buffer_printf(out, " \u00b1 %.*f", ad__decimals(error), error)
                                             : AD_OK;
  }
  AD_TRY(ad_buffer_puts(out, "["));
  AD_TRY(show_number(entry->value, error, column, out));
  AD_TRY(ad_buffer_puts(out, ", "));
  AD_TRY(show_number(entry->high, error, column, out));
  return ad_buffer_puts(out, "]");
}
