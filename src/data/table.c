/* What TSV and CSV have in common: a row of fields, columns by name or number. */
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "reader.h"

int ad_table_add_field(struct ad_reader *reader, struct ad_text_span field) {
  void *fields = reader->fields;
  AD_TRY(ad_reserve(&fields, &reader->field_capacity, reader->field_count + 1, sizeof *reader->fields));
  reader->fields = fields;
  reader->fields[reader->field_count++] = field;
  return AD_OK;
}

/* The message of a missing column, with the names that are there. */
static int fail_column(const struct ad_reader *reader, const char *name) {
  struct ad_buffer names = {0};
  int status = AD_OK;
  for (size_t i = 0; i < reader->field_count && status == AD_OK; i++) {
    const struct ad_text_span field = reader->fields[i];
    status =
        ad_buffer_printf(&names, "%s%.*s", i == 0 ? "" : ", ", (int)(field.size < 80 ? field.size : 80), field.data);
  }
  if (status == AD_OK) {
    status = ad_reader_fail(reader, reader->begin, "no column \"%s\"; the header has: %s", name,
                            names.data == NULL ? "nothing" : names.data);
  }
  ad_buffer_destroy(&names);
  return status;
}

/* 1: found, 0: not there, or a failure. The first row must be in reader->fields. */
static int find_column(const struct ad_reader *reader, const struct ad_column *column, size_t *found) {
  if (column->name == NULL) {
    *found = column->number - 1 - (reader->label_absent && column->number > reader->source->label.number);
    return *found < reader->field_count;
  }
  int times = 0;
  for (size_t i = reader->field_count; i-- > 0;) {
    const struct ad_text_span field = reader->fields[i];
    if (field.size == strlen(column->name) && memcmp(field.data, column->name, field.size) == 0) {
      *found = i;
      times++;
    }
  }
  if (times > 1) {
    return ad_reader_fail(reader, reader->begin, "the header has the column \"%s\" %d times", column->name, times);
  }
  return times;
}

static int need_column(const struct ad_reader *reader, const struct ad_column *column, size_t *found) {
  const int status = find_column(reader, column, found);
  if (status == 0 && column->name == NULL) {
    return ad_reader_fail(reader, reader->begin, "found %zu column%s, expected at least %zu", reader->field_count,
                          reader->field_count == 1 ? "" : "s", column->number);
  }
  return status == 0 ? fail_column(reader, column->name) : status;
}

/* Finds all columns in the first row. */
static int find_columns(struct ad_reader *reader) {
  const struct ad_source *source = reader->source;
  const size_t texts = source->text.count, pairs = source->pair.count;
  reader->columns = ad_calloc(texts + pairs + 1, sizeof *reader->columns);
  if (reader->columns == NULL) {
    return ad_fail_memory((texts + pairs + 1) * sizeof *reader->columns, "the columns of a table");
  }
  reader->expected_fields = reader->field_count;
  for (size_t i = 0; i < texts; i++) {
    AD_TRY(need_column(reader, &source->text.items[i], &reader->columns[i]));
  }
  for (size_t i = 0; i < pairs; i++) {
    AD_TRY(need_column(reader, &source->pair.items[i], &reader->columns[texts + i]));
  }
  size_t *label = &reader->columns[texts + pairs];
  if (reader->labelled && reader->labels > 0) {
    AD_TRY(need_column(reader, &source->label, label));
  } else if (reader->labelled) {
    reader->labelled = find_column(reader, &source->label, label);
  }
  return reader->labelled < 0 ? reader->labelled : AD_OK;
}

/* The columns of a row by the layout: those that `fields` says, or as many as the texts and the label need. */
static size_t least_fields(const struct ad_source *source) {
  size_t least = source->fields > 0 ? source->fields : source->label.number;
  for (size_t i = 0; source->fields == 0 && i < source->text.count + source->pair.count; i++) {
    const size_t texts = source->text.count;
    const size_t number = (i < texts ? &source->text.items[i] : &source->pair.items[i - texts])->number;
    least = number > least ? number : least;
  }
  return least;
}

/* A file without header that lacks the label column: no row has all columns, and some have one less. */
static int look_for_label(struct ad_reader *reader, ad_table_row take_row) {
  const size_t start = reader->position, least = least_fields(reader->source);
  int status, one_less = 0;
  while ((status = take_row(reader)) == 1 && reader->field_count < least) {
    one_less = one_less || reader->field_count + 1 == least;
  }
  reader->label_absent = status == 0 && one_less;
  reader->position = start;
  return status < 0 ? status : AD_OK;
}

/* A row's text: the fields of columns [count], joined. */
static struct ad_text_span collect(struct ad_reader *reader, const size_t *columns, size_t count) {
  struct ad_text_span parts[AD_MAX_COLUMNS];
  for (size_t i = 0; i < count; i++) {
    parts[i] = reader->fields[columns[i]];
  }
  return ad_reader_join(reader, parts, count);
}

/* Any other row as a record. */
static int take_record(struct ad_reader *reader, struct ad_record *record) {
  const struct ad_source *source = reader->source;
  const size_t texts = source->text.count, pairs = source->pair.count;
  const size_t stated = source->fields - (source->fields > 0 && reader->label_absent);
  const size_t expected = reader->expected_fields > 0 ? reader->expected_fields : stated;
  record->position = reader->begin;
  if (expected > 0 && reader->field_count != expected) {
    if (reader->field_count < expected && source->skip_incomplete) {
      record->incomplete = 1;
      return 1;
    }
    return ad_reader_fail(reader, reader->begin, "found %zu column%s, expected %zu", reader->field_count,
                          reader->field_count == 1 ? "" : "s", expected);
  }
  if (reader->columns == NULL) {
    AD_TRY(find_columns(reader));
  }
  size_t bytes = AD_MAX_COLUMNS;
  for (size_t i = 0; i < reader->field_count; i++) {
    bytes += reader->fields[i].size;
  }
  AD_TRY(ad_reader_join_start(reader, bytes * (texts + pairs)));
  record->text = collect(reader, reader->columns, texts);
  if (pairs > 0) {
    record->pair = collect(reader, reader->columns + texts, pairs);
  }
  if (reader->labelled) {
    record->label = reader->fields[reader->columns[texts + pairs]];
  }
  return 1;
}

int ad_table_open(struct ad_reader *reader, ad_table_row take_row) {
  if (!reader->source->header) {
    return reader->source->labelled && reader->labels < 0 ? look_for_label(reader, take_row) : AD_OK;
  }
  const int status = take_row(reader);
  if (status <= 0) {
    return status < 0 ? status : ad_fail(AD_EINPUT, "%s: the file is empty, expected a header", reader->path);
  }
  return find_columns(reader);
}

int ad_table_next(struct ad_reader *reader, ad_table_row take_row, struct ad_record *record) {
  const int status = take_row(reader);
  return status <= 0 ? status : take_record(reader, record);
}
