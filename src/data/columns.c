#include "autodidact/data/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "reader.h"

struct ad_columns_reader {
  struct ad_source source;
  struct ad_reader reader;
  char *path;
  const struct ad_file_map *lines; /* plain text, and how far it is read; NULL: the reader */
  size_t at;
  char **names; /* [count] */
  size_t count, capacity;
  struct ad_cell *cells;   /* [count] of the row */
  struct ad_buffer values; /* JSON: the texts of values that are no strings */
};

static int is_table(const struct ad_columns_reader *c) {
  return c->source.format == AD_FORMAT_TSV || c->source.format == AD_FORMAT_CSV;
}

static int add_name(struct ad_columns_reader *c, const char *name, size_t size) {
  void *names = c->names;
  const int status = ad_reserve(&names, &c->capacity, c->count + 1, sizeof *c->names);
  c->names = names;
  char *copy = status == AD_OK ? ad_strndup(name, size) : NULL;
  if (copy == NULL) {
    return ad_fail_memory(size + 1, "the name of a column");
  }
  c->names[c->count++] = copy;
  return AD_OK;
}

/* A header's columns are in the reader's fields. Without one, the first whole row says how many there are. */
static int name_table(struct ad_columns_reader *c) {
  struct ad_reader *r = &c->reader;
  if (c->source.header) {
    for (size_t i = 0; i < r->field_count; i++) {
      AD_TRY(add_name(c, r->fields[i].data, r->fields[i].size));
    }
    return AD_OK;
  }
  const size_t start = r->position;
  struct ad_record record = {.incomplete = 1};
  int status = 1;
  while (status == 1 && record.incomplete) {
    status = ad_reader_next(r, &record);
  }
  ad_reader_seek(r, start);
  for (size_t i = 0; status == 1 && i < r->field_count; i++) {
    char name[32];
    snprintf(name, sizeof name, "column%zu", i + 1);
    AD_TRY(add_name(c, name, strlen(name)));
  }
  return status < 0 ? status : AD_OK;
}

/* The keys of all objects. */
static int name_objects(struct ad_columns_reader *c) {
  const size_t start = c->reader.position;
  struct ad_record record;
  json_t *seen = json_object();
  int status = seen == NULL ? ad_fail_memory(64, "the keys of a file") : 1;
  while (status == 1 && (status = ad_reader_next(&c->reader, &record)) == 1) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)c->reader.object, key, value) {
      if (status == 1 && json_object_get(seen, key) == NULL) {
        status = json_object_set_new(seen, key, json_true()) == 0 ? add_name(c, key, strlen(key))
                                                                  : ad_fail_memory(64, "the keys of a file");
        status = status == AD_OK ? 1 : status;
      }
    }
  }
  json_decref(seen);
  ad_reader_seek(&c->reader, start);
  return status < 0 ? status : AD_OK;
}

static int name_columns(struct ad_columns_reader *c) {
  if (is_table(c)) {
    AD_TRY(name_table(c));
  } else if (c->source.format == AD_FORMAT_JSONL) {
    AD_TRY(name_objects(c));
  } else {
    AD_TRY(c->source.format == AD_FORMAT_FOLDER ? add_name(c, "file", 4) : add_name(c, "text", 4));
  }
  c->cells = ad_calloc(c->count, sizeof *c->cells);
  return c->cells == NULL ? ad_fail_memory(c->count * sizeof *c->cells, "the columns of a row") : AD_OK;
}

static int create(struct ad_columns_reader **columns) {
  *columns = ad_calloc(1, sizeof **columns);
  return *columns == NULL ? ad_fail_memory(sizeof **columns, "the columns of a file") : AD_OK;
}

int ad_columns_open(struct ad_columns_reader **columns, const struct ad_descriptor *descriptor, enum ad_split split,
                    const struct ad_read_options *options) {
  AD_TRY(create(columns));
  struct ad_columns_reader *c = *columns;
  AD_TRY(ad__dataset_open_rows(&c->reader, &c->source, &c->path, descriptor, split, options));
  return name_columns(c);
}

int ad_columns_open_lines(struct ad_columns_reader **columns, const struct ad_file_map *content) {
  AD_TRY(create(columns));
  struct ad_columns_reader *c = *columns;
  c->lines = content;
  c->at = ad_utf8_mark(content->data, content->size);
  AD_TRY(add_name(c, "text", 4));
  if (content->size > 0 && memchr(content->data, '\t', content->size) != NULL) {
    AD_TRY(add_name(c, "pair", 4));
  }
  c->cells = ad_calloc(2, sizeof *c->cells);
  return c->cells == NULL ? ad_fail_memory(2 * sizeof *c->cells, "the columns of a row") : AD_OK;
}

void ad_columns_close(struct ad_columns_reader *c) {
  if (c == NULL) {
    return;
  }
  for (size_t i = 0; i < c->count; i++) {
    ad_free(c->names[i]);
  }
  ad_free(c->names);
  ad_free(c->cells);
  ad_buffer_destroy(&c->values);
  ad_reader_close(&c->reader);
  ad_free(c->path);
  ad_free(c);
}

size_t ad_columns_count(const struct ad_columns_reader *c) {
  return c->count;
}

const char *const *ad_columns_names(const struct ad_columns_reader *c) {
  return (const char *const *)c->names;
}

static struct ad_cell cell_of(struct ad_text_span span) {
  return (struct ad_cell){.data = span.data, .size = span.size};
}

/* The shortest text of a number that reads back as the number: 15 digits suffice for most. */
static int print_real(const json_t *value, struct ad_buffer *out) {
  const size_t begin = out->size;
  AD_TRY(ad_json_print(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15), out));
  if (strtod(out->data + begin, NULL) == json_real_value(value)) {
    return AD_OK;
  }
  out->size = begin;
  return ad_json_print(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17), out);
}

static int print_value(const json_t *value, struct ad_buffer *out);

static int print_array(const json_t *array, struct ad_buffer *out) {
  for (size_t i = 0; i < json_array_size(array); i++) {
    AD_TRY(ad_buffer_puts(out, i == 0 ? "[" : ","));
    AD_TRY(print_value(json_array_get(array, i), out));
  }
  return ad_buffer_puts(out, json_array_size(array) == 0 ? "[]" : "]");
}

static int print_object(const json_t *object, struct ad_buffer *out) {
  const char *key, *between = "{";
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    AD_TRY(ad_buffer_puts(out, between));
    json_t *name = json_string(key);
    const int status = name == NULL ? ad_fail_memory(strlen(key), "a key") : ad_json_print(name, JSON_ENCODE_ANY, out);
    json_decref(name);
    AD_TRY(status);
    AD_TRY(ad_buffer_puts(out, ":"));
    AD_TRY(print_value(value, out));
    between = ",";
  }
  return ad_buffer_puts(out, json_object_size(object) == 0 ? "{}" : "}");
}

/* A value as the file has it, without spaces; what jansson cannot hold by its own text. */
static int print_value(const json_t *value, struct ad_buffer *out) {
  const char *raw = ad_json_raw(value);
  if (raw != NULL) {
    return ad_buffer_puts(out, raw);
  }
  return json_is_array(value)    ? print_array(value, out)
         : json_is_object(value) ? print_object(value, out)
         : json_is_real(value)   ? print_real(value, out)
                                 : ad_json_print(value, JSON_ENCODE_ANY, out);
}

/* Texts of values lie in one buffer, which may move while it grows: their places are found behind that. */
static int take_object(struct ad_columns_reader *c) {
  ad_buffer_clear(&c->values);
  for (size_t i = 0; i < c->count; i++) {
    const json_t *value = json_object_get(c->reader.object, c->names[i]);
    c->cells[i] = (struct ad_cell){.json = value != NULL && !json_is_string(value)};
    if (json_is_string(value)) {
      c->cells[i] = (struct ad_cell){json_string_value(value), json_string_length(value), 0};
    } else if (value != NULL) {
      const size_t begin = c->values.size;
      AD_TRY(print_value(value, &c->values));
      c->cells[i].size = c->values.size - begin;
    }
  }
  size_t at = 0;
  for (size_t i = 0; i < c->count; i++) {
    if (c->cells[i].json) {
      c->cells[i].data = c->values.data + at;
      at += c->cells[i].size;
    }
  }
  return 1;
}

static int next_line(struct ad_columns_reader *c) {
  if (c->at >= c->lines->size) {
    return 0;
  }
  const char *text = c->lines->data + c->at;
  const char *newline = memchr(text, '\n', c->lines->size - c->at);
  size_t size = newline == NULL ? c->lines->size - c->at : (size_t)(newline - text);
  c->at += size + 1;
  size -= size > 0 && text[size - 1] == '\r';
  const char *tab = memchr(text, '\t', size);
  c->cells[0] = (struct ad_cell){text, tab == NULL ? size : (size_t)(tab - text), 0};
  c->cells[1] = tab == NULL ? (struct ad_cell){0} : (struct ad_cell){tab + 1, size - (size_t)(tab + 1 - text), 0};
  return 1;
}

int ad_columns_next(struct ad_columns_reader *c, const struct ad_cell **cells) {
  struct ad_record record;
  *cells = c->cells;
  if (c->lines != NULL) {
    return next_line(c);
  }
  const int status = ad_reader_next(&c->reader, &record);
  if (status <= 0) {
    return status;
  }
  if (c->source.format == AD_FORMAT_JSONL) {
    return take_object(c);
  }
  for (size_t i = 0; is_table(c) && i < c->count; i++) {
    c->cells[i] = i < c->reader.field_count ? cell_of(c->reader.fields[i]) : (struct ad_cell){0};
  }
  if (c->source.format == AD_FORMAT_FOLDER) {
    const char *name = c->reader.map_path + strlen(c->reader.path) + 1;
    c->cells[0] = (struct ad_cell){name, strlen(name), 0};
  } else if (!is_table(c)) {
    c->cells[0] = cell_of(record.text);
  }
  return 1;
}
