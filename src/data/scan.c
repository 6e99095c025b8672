#include "scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

int ad__is_blank(struct ad_text_span text) {
  for (size_t i = 0; i < text.size; i++) {
    if (text.data[i] == '\0' || strchr(" \t\r\n\v\f", text.data[i]) == NULL) {
      return 0;
    }
  }
  return 1;
}

/* A decimal number as a table writes one. */
static int is_number(struct ad_text_span text) {
  char copy[40], *end;
  if (text.size == 0 || text.size >= sizeof copy) {
    return 0;
  }
  memcpy(copy, text.data, text.size);
  copy[text.size] = '\0';
  if (strspn(copy, "0123456789+-.eE") != text.size) {
    return 0;
  }
  ad_ignore((long long)strtod(copy, &end));
  return end != copy && *end == '\0';
}

static int take_value(struct ad__scan_column *column, struct ad_text_span value) {
  if (ad__is_blank(value)) {
    return AD_OK;
  }
  column->filled++;
  column->numbers += (size_t)is_number(value);
  return ad__values_add(&column->values, value);
}

static int add_column(struct ad__scan *scan, const char *name) {
  void *columns = scan->columns;
  AD_TRY(ad_reserve(&columns, &scan->capacity, scan->count + 1, sizeof *scan->columns));
  scan->columns = columns;
  struct ad__scan_column *column = &scan->columns[scan->count];
  *column = (struct ad__scan_column){.name = name == NULL ? NULL : ad_strdup(name)};
  if (name != NULL && column->name == NULL) {
    return ad_fail_memory(strlen(name) + 1, "the name of a column");
  }
  scan->count++;
  return AD_OK;
}

/* --- Tables. */

static int take_first(struct ad__scan *scan, const struct ad_reader *reader) {
  scan->head = ad_calloc(reader->field_count, sizeof *scan->head);
  if (scan->head == NULL) {
    return ad_fail_memory(reader->field_count * sizeof *scan->head, "the first row of a table");
  }
  for (size_t i = 0; i < reader->field_count; i++) {
    AD_TRY(add_column(scan, NULL));
    scan->head[i] = ad_strndup(reader->fields[i].data, reader->fields[i].size);
    if (scan->head[i] == NULL) {
      return ad_fail_memory(reader->fields[i].size + 1, "the first row of a table");
    }
  }
  return AD_OK;
}

static int take_fields(struct ad__scan *scan, const struct ad_reader *reader) {
  const size_t fields = reader->field_count;
  if (fields == 0 || (fields != scan->count && fields == 1 && ad__is_blank(reader->fields[0]))) {
    scan->blank++;
    return scan->head != NULL ? AD_OK : ad_reader_fail(reader, reader->begin, "an empty line, expected the first row");
  }
  if (scan->head == NULL) {
    return take_first(scan, reader);
  }
  if (fields != scan->count) {
    return ad_reader_fail(reader, reader->begin, "found %zu column%s, expected %zu as in the first row", fields,
                          fields == 1 ? "" : "s", scan->count);
  }
  scan->rows++;
  for (size_t i = 0; i < fields; i++) {
    AD_TRY(take_value(&scan->columns[i], reader->fields[i]));
  }
  return AD_OK;
}

/* --- JSON lines. */

static int take_member(void *context, const char *key, struct ad_text_span value, enum ad_jsonl_kind kind) {
  struct ad__scan *scan = context;
  size_t i = scan->column < scan->count && strcmp(scan->columns[scan->column].name, key) == 0 ? scan->column : 0;
  while (i < scan->count && strcmp(scan->columns[i].name, key) != 0) {
    i++;
  }
  AD_TRY(i == scan->count ? add_column(scan, key) : AD_OK);
  scan->column = i + 1;
  scan->columns[i].other = scan->columns[i].other || kind == AD_JSONL_OTHER;
  scan->columns[i].switches += kind == AD_JSONL_SWITCH;
  return value.data == NULL ? AD_OK : take_value(&scan->columns[i], value);
}

static int take_object(struct ad__scan *scan, const struct ad_reader *reader) {
  scan->rows++;
  scan->column = 0;
  return ad_jsonl_members(reader, take_member, scan);
}

/* --- Lines of text: one column. */

static int take_line(struct ad__scan *scan, const struct ad_record *record) {
  AD_TRY(scan->count == 0 ? add_column(scan, NULL) : AD_OK);
  scan->rows++;
  return take_value(&scan->columns[0], record->text);
}

int ad__scan_file(struct ad__scan *scan, const char *path, const struct ad__form *form) {
  const struct ad_source source = {.format = form->format, .delimiter = form->delimiter, .skip_incomplete = 1};
  struct ad_reader reader;
  struct ad_record record;
  *scan = (struct ad__scan){.path = path, .form = *form, .header = form->format == AD_FORMAT_JSONL};
  int status = ad_reader_open(&reader, &source, path, 0);
  AD_TRY(status);
  while (status >= 0 && (status = ad_reader_next(&reader, &record)) == 1) {
    status = form->format == AD_FORMAT_JSONL   ? take_object(scan, &reader)
             : form->format == AD_FORMAT_LINES ? take_line(scan, &record)
                                               : take_fields(scan, &reader);
  }
  ad_reader_close(&reader);
  return status;
}

/* --- The first row. */

static int is_wanted(const char *cell, const char *const *wanted, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (wanted[i] != NULL && strcasecmp(cell, wanted[i]) == 0) {
      return 1;
    }
  }
  return 0;
}

/* Whether the first row is unlike the others: a word above numbers, or above few values that it is not among. A cell
 * that is like what stands below it says no. */
static int is_unlike(const struct ad__scan *scan) {
  int unlike = 0;
  for (size_t i = 0; i < scan->count; i++) {
    const struct ad__scan_column *c = &scan->columns[i];
    const struct ad_text_span cell = {scan->head[i], strlen(scan->head[i])};
    const int numbers = c->filled > 0 && c->numbers == c->filled;
    const int few = c->filled > 0 && !c->values.many && 2 * c->values.count <= c->filled;
    if ((numbers && is_number(cell)) || (few && ad__values_times(&c->values, cell) > 0)) {
      return 0;
    }
    unlike = unlike || ((numbers || few) && cell.size > 0);
  }
  return unlike;
}

int ad__scan_head(struct ad__scan *scan, int known, const char *const *wanted, size_t wanted_count) {
  if (scan->head == NULL) {
    return AD_OK;
  }
  int header = known > 0;
  for (size_t i = 0; known < 0 && i < scan->count; i++) {
    header = header || is_wanted(scan->head[i], wanted, wanted_count);
  }
  scan->header = header || (known < 0 && is_unlike(scan));
  scan->rows += !scan->header;
  for (size_t i = 0; i < scan->count; i++) {
    struct ad__scan_column *column = &scan->columns[i];
    if (!scan->header) {
      AD_TRY(take_value(column, (struct ad_text_span){scan->head[i], strlen(scan->head[i])}));
      continue;
    }
    column->name = ad_strdup(scan->head[i]);
    if (column->name == NULL) {
      return ad_fail_memory(strlen(scan->head[i]) + 1, "the name of a column");
    }
  }
  return AD_OK;
}

void ad__scan_destroy(struct ad__scan *scan) {
  for (size_t i = 0; i < scan->count; i++) {
    ad__values_destroy(&scan->columns[i].values);
    ad_free(scan->columns[i].name);
    if (scan->head != NULL) {
      ad_free(scan->head[i]);
    }
  }
  ad_free(scan->columns);
  ad_free(scan->head);
  *scan = (struct ad__scan){0};
}
