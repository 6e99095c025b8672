/* A document as JSON: tables are lists of objects; a figure that is not there is null, and "not_available" has its
 * reason. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "document.h"

/* json_object_set_new refuses NULL, so that a failure inside is a failure here. */
static int set(json_t *object, const char *key, json_t *value) {
  return json_object_set_new(object, key, value);
}

static json_t *text_or_null(const char *text) {
  return text == NULL ? json_null() : json_string(text);
}

static int set_entry(json_t *row, json_t *reasons, const struct document_entry *entry,
                     const struct document_column *column) {
  const char *id = column->id;
  char name[96];
  if (column->kind == ENTRY_TEXT) {
    return set(row, id, json_string(entry->text));
  }
  if (column->kind == ENTRY_COUNT) {
    return set(row, id, json_integer((json_int_t)entry->value));
  }
  if (entry->why != NULL && set(reasons, id, json_string(entry->why)) != 0) {
    return -1;
  }
  if (column->kind == ENTRY_FIGURE) {
    return set(row, id, entry->why != NULL ? json_null() : json_real(entry->value));
  }
  snprintf(name, sizeof name, "%s_low", id);
  if (set(row, name, entry->why != NULL ? json_null() : json_real(entry->value)) != 0) {
    return -1;
  }
  snprintf(name, sizeof name, "%s_high", id);
  return set(row, name, entry->why != NULL ? json_null() : json_real(entry->high));
}

static json_t *table_rows(const struct document_table *table) {
  json_t *rows = json_array();
  for (size_t first = 0; rows != NULL && first + table->width <= table->count; first += table->width) {
    json_t *row = json_object(), *reasons = json_object();
    int failed = row == NULL || reasons == NULL;
    for (size_t c = 0; c < table->width && !failed; c++) {
      failed = set_entry(row, reasons, &table->entries[first + c], &table->columns[c]) != 0;
    }
    if (!failed && json_object_size(reasons) > 0) {
      failed = json_object_set(row, "not_available", reasons) != 0;
    }
    json_decref(reasons);
    if (failed || json_array_append_new(rows, row) != 0) {
      if (failed) {
        json_decref(row);
      }
      json_decref(rows);
      return NULL;
    }
  }
  return rows;
}

static json_t *section_object(const struct document_section *s) {
  json_t *object = json_object(), *tables = json_object();
  int failed = object == NULL || tables == NULL;
  for (size_t t = 0; t < s->table_count && !failed; t++) {
    failed = set(tables, s->tables[t].id, table_rows(&s->tables[t])) != 0;
  }
  failed = failed || set(object, "title", json_string(s->title)) != 0 ||
           set(object, "meaning", json_string(s->meaning)) != 0 ||
           set(object, "caution", json_string(s->caution)) != 0 || set(object, "notes", text_or_null(s->notes)) != 0 ||
           json_object_set(object, "tables", tables) != 0;
  json_decref(tables);
  if (failed) {
    json_decref(object);
    return NULL;
  }
  return object;
}

/* The lines of the top as one text; NULL without memory. */
static json_t *summary_text(const struct document *document) {
  struct ad_buffer text = {0};
  int status = ad_buffer_puts(&text, "");
  for (size_t i = 0; i < document->line_count && status == AD_OK; i++) {
    const struct document_line *line = &document->lines[i];
    status = line->subject == NULL ? ad_buffer_printf(&text, "%s\n", line->text)
                                   : ad_buffer_printf(&text, "%s: %s. %s\n", line->subject, line->verdict, line->text);
  }
  json_t *string = status == AD_OK ? json_string(text.data) : NULL;
  ad_buffer_destroy(&text);
  return string;
}

int ad__document_json(const struct document *document, struct ad_buffer *out) {
  json_t *object = json_object(), *sections = json_object();
  int failed = object == NULL || sections == NULL;
  for (size_t i = 0; i < document->count && !failed; i++) {
    failed = set(sections, document->sections[i].id, section_object(&document->sections[i])) != 0;
  }
  failed = failed || set(object, "title", json_string(document->title)) != 0 ||
           set(object, "summary", summary_text(document)) != 0 || json_object_set(object, "sections", sections) != 0 ||
           ad_json_print(object, JSON_INDENT(1) | JSON_REAL_PRECISION(17), out) != AD_OK;
  json_decref(sections);
  json_decref(object);
  return failed ? ad_fail_memory(1 << 20, "the report as JSON (or a name that is not UTF-8)")
                : ad_buffer_puts(out, "\n");
}
