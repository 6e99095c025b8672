/* Tables of a document as CSV (RFC 4180). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "document.h"

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

int ad__csv_text(struct ad_buffer *out, const char *text) {
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
    return ad__csv_text(out, entry->text);
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
    status = ad__csv_text(out, text.data);
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
