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

/* The label columns of a file without header that stand in front of another one. */
static size_t labels_before(const struct ad_source *source, size_t number) {
  size_t before = 0;
  for (size_t i = 0; i < source->label.count; i++) {
    before += source->label.items[i].number < number;
  }
  return before;
}

/* 1: found, 0: not there, or a failure. The first row must be in reader->fields. */
static int find_column(const struct ad_reader *reader, const struct ad_column *column, size_t *found) {
  if (column->name == NULL) {
    *found = column->number - 1 - (reader->label_absent ? labels_before(reader->source, column->number) : 0);
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

/* Finds the label's columns, which all must be there or may be missing. */
static int find_labels(struct ad_reader *reader, size_t *columns) {
  const struct ad_columns *label = &reader->source->label;
  for (size_t i = 0; i < label->count && reader->labelled; i++) {
    if (reader->labels > 0) {
      AD_TRY(need_column(reader, &label->items[i], &columns[i]));
    } else {
      const int found = find_column(reader, &label->items[i], &columns[i]);
      AD_TRY(found);
      reader->labelled = found;
    }
  }
  return AD_OK;
}

/* Finds all columns in the first row. */
static int find_columns(struct ad_reader *reader) {
  const struct ad_source *source = reader->source;
  const size_t texts = source->text.count, pairs = source->pair.count, all = texts + pairs + source->label.count;
  reader->columns = ad_calloc(all, sizeof *reader->columns);
  if (reader->columns == NULL) {
    return ad_fail_memory(all * sizeof *reader->columns, "the columns of a table");
  }
  reader->expected_fields = reader->field_count;
  for (size_t i = 0; i < texts; i++) {
    AD_TRY(need_column(reader, &source->text.items[i], &reader->columns[i]));
  }
  for (size_t i = 0; i < pairs; i++) {
    AD_TRY(need_column(reader, &source->pair.items[i], &reader->columns[texts + i]));
  }
  return find_labels(reader, &reader->columns[texts + pairs]);
}

static size_t largest_number(const struct ad_columns *columns) {
  size_t largest = 0;
  for (size_t i = 0; i < columns->count; i++) {
    largest = columns->items[i].number > largest ? columns->items[i].number : largest;
  }
  return largest;
}

/* The columns of a row by the layout: those that `fields` says, or as many as the texts and the label need. */
static size_t least_fields(const struct ad_source *source) {
  const size_t text = largest_number(&source->text), pair = largest_number(&source->pair);
  const size_t label = largest_number(&source->label), texts = text > pair ? text : pair;
  return source->fields > 0 ? source->fields : label > texts ? label : texts;
}

/* A file without header that lacks the label columns: no row has all columns, and some lack as many. */
static int look_for_label(struct ad_reader *reader, ad_table_row take_row) {
  const size_t start = reader->position, least = least_fields(reader->source);
  int status, unlabelled = 0;
  while ((status = take_row(reader)) == 1 && reader->field_count < least) {
    unlabelled = unlabelled || reader->field_count + reader->source->label.count == least;
  }
  reader->label_absent = status == 0 && unlabelled;
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

/* One column is the field where it stands; several are put beside each other. */
static int take_label(struct ad_reader *reader, const size_t *columns, struct ad_record *record) {
  const size_t count = reader->source->label.count;
  if (count == 1 && reader->source->separator != NULL) {
    return ad_reader_cut_label(reader, reader->fields[columns[0]], record);
  }
  record->label = &reader->fields[columns[0]];
  record->label_count = count;
  if (count > 1) {
    AD_TRY(ad_reader_reserve_label(reader, count));
    for (size_t i = 0; i < count; i++) {
      reader->label[i] = reader->fields[columns[i]];
    }
    record->label = reader->label;
  }
  return AD_OK;
}

/* Any other row as a record. */
static int take_record(struct ad_reader *reader, struct ad_record *record) {
  const struct ad_source *source = reader->source;
  const size_t texts = source->text.count, pairs = source->pair.count;
  const size_t stated =
      source->fields > 0 && reader->label_absent ? source->fields - source->label.count : source->fields;
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
  AD_TRY(reader->labelled ? take_label(reader, reader->columns + texts + pairs, record) : AD_OK);
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
