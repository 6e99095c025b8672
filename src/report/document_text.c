/* A document as text, and its tables as CSV. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "document.h"

enum { LINE = 110 };

/* Where numbers have a unit, the smallest that can be is far above a rounding: that is shown as the 0 it stands for.
 * Files have it as it is. */
static int show_number(double value, const struct document_column *column, struct ad_buffer *out) {
  static const double ROUNDING = 1e-12;
  const struct unit_of *unit = &ad__units[column->unit];
  const double shown = value * unit->scale;
  return ad_buffer_printf(out, "%.4g", unit->name[0] != '\0' && fabs(shown) < ROUNDING ? 0.0 : shown);
}

int ad__document_show(const struct document_entry *entry, const struct document_column *column, struct ad_buffer *out) {
  if (column->kind == ENTRY_TEXT) {
    return ad_buffer_puts(out, entry->text);
  }
  if (column->kind == ENTRY_COUNT) {
    return ad_buffer_printf(out, "%.0f", entry->value);
  }
  if (entry->why != NULL) {
    return ad_buffer_puts(out, "n/a");
  }
  if (column->kind == ENTRY_FIGURE) {
    return show_number(entry->value, column, out);
  }
  AD_TRY(ad_buffer_puts(out, "["));
  AD_TRY(show_number(entry->value, column, out));
  AD_TRY(ad_buffer_puts(out, ", "));
  AD_TRY(show_number(entry->high, column, out));
  return ad_buffer_puts(out, "]");
}

/* Words up to LINE columns, every line behind `indent` spaces. */
static int wrap(struct ad_buffer *out, const char *text, int indent) {
  int column = 0;
  for (const char *word = text; *word != '\0';) {
    const size_t length = strcspn(word, " \n");
    const int width = (int)ad_text_width(word, length);
    if (column > 0 && column + 1 + width > LINE) {
      AD_TRY(ad_buffer_puts(out, "\n"));
      column = 0;
    }
    AD_TRY(ad_buffer_printf(out, "%*s%.*s", column == 0 ? indent : 1, "", (int)length, word));
    column += (column == 0 ? indent : 1) + width;
    word += length;
    if (*word == '\n') {
      AD_TRY(ad_buffer_puts(out, "\n"));
      column = 0;
    }
    word += *word != '\0';
  }
  return column > 0 ? ad_buffer_puts(out, "\n") : AD_OK;
}

static int head(const struct document_column *column, struct ad_buffer *out) {
  const char *unit = ad__units[column->unit].name;
  return unit[0] == '\0' ? ad_buffer_puts(out, column->head) : ad_buffer_printf(out, "%s (%s)", column->head, unit);
}

/* The texts of all entries, one after another with a NUL each, heads first, and the width of each column. */
static int lay_out(const struct document_table *table, struct ad_buffer *texts, size_t *widths) {
  for (size_t i = 0; i < table->width + table->count; i++) {
    const size_t column = i % table->width, begin = texts->size;
    AD_TRY(i < table->width ? head(&table->columns[i], texts)
                            : ad__document_show(&table->entries[i - table->width], &table->columns[column], texts));
    AD_TRY(ad_buffer_append(texts, "", 1));
    widths[column] = ad_text_widest(widths[column], texts->data + begin);
  }
  return AD_OK;
}

static int print_entries(const struct document_table *table, const struct ad_buffer *texts, const size_t *widths,
                         struct ad_buffer *out) {
  const char *text = texts->data;
  for (size_t i = 0; i < table->width + table->count; i++) {
    const size_t column = i % table->width;
    const int fill = ad_text_fill(text, widths[column]);
    /* The first column stands left, numbers right. */
    if (column == 0) {
      AD_TRY(ad_buffer_printf(out, "  %s%*s", text, fill, ""));
    } else {
      AD_TRY(ad_buffer_printf(out, "  %*s%s", fill, "", text));
    }
    if (column + 1 == table->width) {
      while (out->size > 0 && out->data[out->size - 1] == ' ') {
        out->data[--out->size] = '\0';
      }
      AD_TRY(ad_buffer_puts(out, "\n"));
    }
    text += strlen(text) + 1;
  }
  return AD_OK;
}

static int print_table(const struct document_table *whole, struct ad_buffer *out) {
  size_t more;
  const struct document_table shown = ad__document_shown(whole, &more), *table = &shown;
  if (whole->data_only) {
    return ad_buffer_printf(out, "%s: in %s.csv and report.json\n\n", whole->title, whole->id);
  }
  if (table->count == 0) {
    return ad_buffer_printf(out, "%s: none\n\n", table->title);
  }
  struct ad_buffer texts = {0};
  size_t *widths = ad_calloc(table->width, sizeof *widths);
  int status = widths == NULL ? ad_fail_memory(table->width * sizeof *widths, "a table") : AD_OK;
  AD_TRY_GOTO(status, out);
  AD_TRY_GOTO(ad_buffer_printf(out, "%s\n", table->title), out);
  AD_TRY_GOTO(lay_out(table, &texts, widths), out);
  AD_TRY_GOTO(print_entries(table, &texts, widths, out), out);
  AD_TRY_GOTO(
      more > 0 ? ad_buffer_printf(out, "  ... %zu more rows: %s.csv and report.json\n", more, whole->id) : AD_OK, out);
  const size_t before = out->size;
  AD_TRY_GOTO(ad__document_reasons(table, "  n/a: ", "\n", out), out);
  AD_TRY_GOTO(out->size > before ? ad_buffer_puts(out, "\n") : AD_OK, out);
  status = ad_buffer_puts(out, "\n");
out:
  ad_buffer_destroy(&texts);
  ad_free(widths);
  return status;
}

static int underline(struct ad_buffer *out, const char *title, char mark) {
  AD_TRY(ad_buffer_printf(out, "%s\n", title));
  for (size_t i = ad_text_widest(0, title); i > 0; i--) {
    AD_TRY(ad_buffer_append(out, &mark, 1));
  }
  return ad_buffer_puts(out, "\n");
}

static int put_caution(struct ad_buffer *out, const char *caution) {
  struct ad_buffer text = {0};
  int status = ad_buffer_printf(&text, "When not to trust it: %s", caution);
  status = status == AD_OK ? wrap(out, text.data, 0) : status;
  ad_buffer_destroy(&text);
  return status;
}

int ad__document_text(const struct document *document, struct ad_buffer *out) {
  AD_TRY(underline(out, document->title, '='));
  AD_TRY(document->summary == NULL ? AD_OK : wrap(out, document->summary, 0));
  for (size_t i = 0; i < document->count; i++) {
    const struct document_section *s = &document->sections[i];
    AD_TRY(ad_buffer_puts(out, "\n"));
    AD_TRY(underline(out, s->title, '-'));
    AD_TRY(wrap(out, s->meaning, 0));
    AD_TRY(put_caution(out, s->caution));
    AD_TRY(s->notes == NULL ? AD_OK : wrap(out, s->notes, 0));
    AD_TRY(ad_buffer_puts(out, "\n"));
    for (size_t t = 0; t < s->table_count; t++) {
      AD_TRY(print_table(&s->tables[t], out));
    }
  }
  return AD_OK;
}

/* ---- CSV (RFC 4180) ---- */

/* The rest of a quoted entry, behind the quote that opens it. */
static int csv_quoted(struct ad_buffer *out, const char *text) {
  for (; *text != '\0'; text++) {
    AD_TRY(ad_buffer_append(out, "\"\"", *text == '"' ? 1 : 0));
    AD_TRY(ad_buffer_append(out, text, 1));
  }
  return ad_buffer_puts(out, "\"");
}

/* Whether a spreadsheet would take a text for a formula. A number is none, though it may begin with a sign. */
static int is_formula(const char *text) {
  char *end;
  if (text[0] == '\0' || strchr("=+-@\t\r", text[0]) == NULL) {
    return 0;
  }
  strtod(text, &end);
  return *end != '\0' || end == text;
}

/* An apostrophe before what looks like a formula keeps it a text, as spreadsheets have it. */
static int csv_text(struct ad_buffer *out, const char *text) {
  if (is_formula(text)) {
    AD_TRY(ad_buffer_puts(out, "\"'"));
    return csv_quoted(out, text);
  }
  if (strpbrk(text, ",\"\r\n") == NULL) {
    return ad_buffer_puts(out, text);
  }
  AD_TRY(ad_buffer_puts(out, "\""));
  return csv_quoted(out, text);
}

static int csv_entry(struct ad_buffer *out, enum entry_kind kind, const struct document_entry *entry) {
  if (kind == ENTRY_TEXT) {
    return csv_text(out, entry->text);
  }
  if (kind == ENTRY_COUNT) {
    return ad_buffer_printf(out, "%.0f", entry->value);
  }
  if (entry->why != NULL) {
    return kind == ENTRY_INTERVAL ? ad_buffer_puts(out, ",") : AD_OK;
  }
  AD_TRY(ad_buffer_printf(out, "%.17g", entry->value));
  return kind == ENTRY_INTERVAL ? ad_buffer_printf(out, ",%.17g", entry->high) : AD_OK;
}

/* "column: reason; column: reason" */
static int csv_reasons(struct ad_buffer *out, const struct document_table *table, const struct document_entry *row) {
  struct ad_buffer text = {0};
  int status = ad_buffer_puts(&text, "");
  for (size_t c = 0; c < table->width && status == AD_OK; c++) {
    if (row[c].why != NULL) {
      status = ad_buffer_printf(&text, "%s%s: %s", text.size > 0 ? "; " : "", table->columns[c].id, row[c].why);
    }
  }
  if (status == AD_OK) {
    status = csv_text(out, text.data);
  }
  ad_buffer_destroy(&text);
  return status;
}

int ad__document_csv(const struct document_table *table, struct ad_buffer *out) {
  for (size_t c = 0; c < table->width; c++) {
    const char *id = table->columns[c].id;
    AD_TRY(table->columns[c].kind == ENTRY_INTERVAL ? ad_buffer_printf(out, "%s_low,%s_high,", id, id)
                                                    : ad_buffer_printf(out, "%s,", id));
  }
  AD_TRY(ad_buffer_puts(out, "not_available\n"));
  for (size_t i = 0; i < table->count; i++) {
    AD_TRY(csv_entry(out, table->columns[i % table->width].kind, &table->entries[i]));
    AD_TRY(ad_buffer_puts(out, ","));
    if (i % table->width + 1 == table->width) {
      AD_TRY(csv_reasons(out, table, &table->entries[i + 1 - table->width]));
      AD_TRY(ad_buffer_puts(out, "\n"));
    }
  }
  return AD_OK;
}
