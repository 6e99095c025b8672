/* JSON lines by jansson: one object a line, as SNLI and MNLI are published. Or one array of objects, as KLUE is: a file
 * that begins with its bracket, which no line of the other kind does. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "reader.h"

enum { NUMBER = 32 };
struct jsonl_state {
  int array;               /* the file is one array */
  json_t *row;             /* the texts of the record point into it */
  char (*numbers)[NUMBER]; /* [number_capacity] the fields of a label that are written as numbers */
  size_t number_capacity;
};

/* A key's value; of "a.b" that of the member b of the object a, where there is no such key. NULL: it is not there. */
static const json_t *find_value(const struct jsonl_state *state, const char *key) {
  char outer[128];
  const json_t *value = json_object_get(state->row, key);
  for (const char *dot = key; value == NULL && (dot = strchr(dot, '.')) != NULL; dot++) {
    snprintf(outer, sizeof outer, "%.*s", (int)(dot - key), key);
    value = json_object_get(json_object_get(state->row, outer), dot + 1);
  }
  return value;
}

/* A key's text. 1, 0 when the key is not there, or AD_EINPUT. */
static int take_text(const struct ad_reader *reader, const char *key, struct ad_text_span *text) {
  const struct jsonl_state *state = reader->state;
  const json_t *value = find_value(state, key);
  if (value == NULL) {
    return 0;
  }
  if (!json_is_string(value)) {
    char shown[100];
    const char *raw = ad_json_raw(value);
    return ad_reader_fail(reader, reader->begin, "the key \"%s\" is %s, expected a string%s", key,
                          ad_json_show(value, shown, sizeof shown),
                          raw != NULL && raw[0] == '"' ? " without NUL and halves of surrogate pairs" : "");
  }
  *text = (struct ad_text_span){.data = json_string_value(value), .size = json_string_length(value)};
  return 1;
}

/* 1, 0 when one of the texts is not there and such rows may be left out, or a failure. */
static int take_columns(struct ad_reader *reader, const struct ad_columns *columns, struct ad_text_span *text) {
  struct ad_text_span parts[AD_MAX_COLUMNS];
  const struct jsonl_state *state = reader->state;
  for (size_t i = 0; i < columns->count; i++) {
    if (reader->source->skip_incomplete && !json_is_string(find_value(state, columns->items[i].name))) {
      return 0;
    }
    const int status = take_text(reader, columns->items[i].name, &parts[i]);
    if (status <= 0) {
      return status < 0 ? status
                        : ad_reader_fail(reader, reader->begin, "no key \"%s\" in the object", columns->items[i].name);
    }
  }
  *text = ad_reader_join(reader, parts, columns->count);
  return 1;
}

/* The shortest text of 15 or 17 digits that reads back as the number. Whole numbers have no point: pandas writes 1.0
 * where a column has gaps. */
static const char *print_real(double real, char number[NUMBER]) {
  static const double EXACT = 0x1p53; /* from here on a double has no ones */
  if (real == trunc(real) && fabs(real) < EXACT) {
    snprintf(number, NUMBER, "%.0f", real + 0.0); /* -0.0 is 0 */
    return number;
  }
  snprintf(number, NUMBER, "%.15g", real);
  if (strtod(number, NULL) != real) {
    snprintf(number, NUMBER, "%.17g", real);
  }
  return number;
}

/* The text of a field: of a string, of a number (a whole one of any size), of true and false. data NULL: it is
 * something else. `number` is memory for the text. */
static struct ad_text_span field_text(const json_t *value, char number[NUMBER]) {
  const char *raw = ad_json_raw(value), *text = json_string_value(value);
  if (json_is_string(value) && raw == NULL) {
    return (struct ad_text_span){text, json_string_length(value)};
  }
  if (json_is_integer(value)) {
    snprintf(number, NUMBER, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    text = number;
  } else if (json_is_real(value)) {
    text = print_real(json_real_value(value), number);
  } else if (json_is_boolean(value)) {
    text = json_is_true(value) ? "true" : "false";
  } else if (raw != NULL && strspn(raw, "-0123456789") == strlen(raw)) {
    text = raw;
  }
  return (struct ad_text_span){text, text == NULL ? 0 : strlen(text)};
}

int ad_jsonl_members(const struct ad_reader *reader, ad_jsonl_take take, void *context) {
  const struct jsonl_state *state = reader->state;
  const char *key;
  json_t *value;
  json_object_foreach(state->row, key, value) {
    char number[NUMBER];
    const struct ad_text_span field = field_text(value, number);
    const enum ad_jsonl_kind kind = json_is_boolean(value)                       ? AD_JSONL_SWITCH
                                    : field.data == NULL && !json_is_null(value) ? AD_JSONL_OTHER
                                                                                 : AD_JSONL_TEXT;
    AD_TRY(take(context, key, field, kind));
  }
  return AD_OK;
}

/* Room for all fields of the label's keys, so that none moves. *there: all keys are. */
static int reserve_fields(struct ad_reader *reader, int *there) {
  struct jsonl_state *state = reader->state;
  const struct ad_columns *label = &reader->source->label;
  const int left_out = reader->source->skip != NULL && reader->source->skip[0] == '\0'; /* what has no label */
  size_t count = 1;
  *there = 1;
  for (size_t i = 0; i < label->count; i++) {
    const json_t *value = find_value(state, label->items[i].name);
    if (value == NULL && reader->labels > 0 && !left_out) {
      return ad_reader_fail(reader, reader->begin, "no key \"%s\" in the object", label->items[i].name);
    }
    *there = *there && value != NULL && !(json_is_null(value) && left_out);
    count += json_is_array(value) ? json_array_size(value) : 1;
  }
  void *numbers = state->numbers;
  AD_TRY(ad_reserve(&numbers, &state->number_capacity, count, sizeof *state->numbers));
  state->numbers = numbers;
  return ad_reader_reserve_label(reader, count);
}

/* Adds the text of `field`, which is `whole` or a member of it. */
static int take_field(struct ad_reader *reader, const json_t *whole, const json_t *field, size_t *count) {
  struct jsonl_state *state = reader->state;
  char shown[100];
  reader->label[*count] = field_text(field, state->numbers[*count]);
  return reader->label[(*count)++].data != NULL
             ? AD_OK
             : ad_reader_fail_label(reader, ad_json_show(whole, shown, sizeof shown),
                                    " (a string, a number, true, false, or an array of them)");
}

/* The members of an array are fields, in their order. */
static int take_label(struct ad_reader *reader, struct ad_record *record) {
  const struct jsonl_state *state = reader->state;
  const struct ad_columns *label = &reader->source->label;
  size_t count = 0;
  int there, array = 0;
  AD_TRY(reserve_fields(reader, &there));
  for (size_t i = 0; there && i < label->count; i++) {
    const json_t *value = find_value(state, label->items[i].name);
    array = array || json_is_array(value);
    AD_TRY(json_is_array(value) ? AD_OK : take_field(reader, value, value, &count));
    for (size_t k = 0; k < json_array_size(value); k++) {
      AD_TRY(take_field(reader, value, json_array_get(value, k), &count));
    }
  }
  if (!there) {
    record->label = reader->labels > 0 ? reader->label : NULL; /* of no fields */
    return AD_OK;
  }
  if (count == 1 && !array && reader->source->separator != NULL) {
    return ad_reader_cut_label(reader, reader->label[0], record);
  }
  record->label = reader->label;
  record->label_count = count;
  return AD_OK;
}

/* The first byte from `at` on that is no white space of JSON; the size where there is none. */
static size_t skip_space(const struct ad_reader *reader, size_t at) {
  while (at < reader->size && reader->map.data[at] != '\0' && strchr(" \t\r\n", reader->map.data[at]) != NULL) {
    at++;
  }
  return at;
}

static int open_jsonl(struct ad_reader *reader) {
  struct jsonl_state *state = ad_calloc(1, sizeof *state);
  if (state == NULL) {
    return ad_fail_memory(sizeof *state, "a JSON reader");
  }
  reader->state = state;
  const size_t first = skip_space(reader, reader->position);
  state->array = first < reader->size && reader->map.data[first] == '[';
  reader->position = state->array ? first + 1 : reader->position;
  return AD_OK;
}

/* The byte behind the object that begins at `at`, by its braces alone; the size where it has no end. */
static size_t object_end(const char *data, size_t at, size_t size) {
  for (size_t depth = 0; at < size; at++) {
    if (data[at] == '"') {
      for (at++; at < size && data[at] != '"'; at++) {
        at += data[at] == '\\';
      }
    } else if (data[at] == '{' || data[at] == '[') {
      depth++;
    } else if ((data[at] == '}' || data[at] == ']') && --depth == 0) {
      return at + 1;
    }
  }
  return size;
}

/* The array's next object; checks what stands between the objects. 1, 0 at the end, or AD_EINPUT. */
static int take_object(struct ad_reader *reader, struct ad_text_span *object) {
  const char *data = reader->map.data;
  const size_t begin = skip_space(reader, reader->position), size = reader->size;
  reader->begin = begin;
  if (begin < size && data[begin] == ']') {
    const size_t behind = skip_space(reader, begin + 1);
    return behind == size ? 0 : ad_reader_fail(reader, behind, "malformed JSON: something stands behind the array");
  }
  if (begin == size || data[begin] != '{') {
    return ad_reader_fail(reader, begin, "expected a JSON object of the array that the file begins with%s",
                          begin == size ? ", or its end" : "");
  }
  const size_t end = object_end(data, begin, size), mark = skip_space(reader, end);
  AD_TRY(ad_reader_check_text(reader, begin, end));
  *object = (struct ad_text_span){.data = data + begin, .size = end - begin};
  const int more = mark < size && data[mark] == ',';
  reader->position = mark + (size_t)more;
  /* Where the object has no end, parsing it says what is wrong. */
  const size_t next = skip_space(reader, reader->position);
  if (mark < size && (more ? next < size && data[next] == ']' : data[mark] != ']')) {
    return ad_reader_fail(reader, mark, "malformed JSON: expected %s behind an object of the array",
                          more ? "no comma before the end" : "a comma or the end");
  }
  return 1;
}

/* The next row's JSON. 1, 0 at the end, or AD_EINPUT. */
static int take_row(struct ad_reader *reader, struct ad_text_span *row) {
  const struct jsonl_state *state = reader->state;
  if (state->array) {
    return take_object(reader, row);
  }
  return reader->position >= reader->blank ? 0 : ad_reader_take_line(reader, row);
}

static int parse_row(struct ad_reader *reader, struct ad_text_span line) {
  struct jsonl_state *state = reader->state;
  json_decref(state->row);
  state->row = NULL;
  const int status = ad_json_parse(&state->row, reader->map_path, 1, line.data, line.size);
  if (status != AD_EINPUT) {
    return status;
  }
  /* Only a row that fails needs its number, which is counted from the start of the file. */
  return ad_json_parse(&state->row, reader->map_path, ad_reader_line(reader, reader->begin), line.data, line.size);
}

static int next_jsonl(struct ad_reader *reader, struct ad_record *record) {
  const struct ad_source *source = reader->source;
  struct ad_text_span line;
  int status = take_row(reader, &line);
  if (status <= 0) {
    return status;
  }
  AD_TRY(parse_row(reader, line));
  reader->object = ((const struct jsonl_state *)reader->state)->row;
  AD_TRY(ad_reader_join_start(reader, (line.size + AD_MAX_COLUMNS) * (source->text.count + source->pair.count)));
  record->position = reader->begin;
  status = take_columns(reader, &source->text, &record->text);
  if (status == 1 && source->pair.count > 0) {
    status = take_columns(reader, &source->pair, &record->pair);
  }
  AD_TRY(status);
  record->incomplete = status == 0;
  if (status == 1 && reader->labelled) {
    AD_TRY(take_label(reader, record));
  }
  return 1;
}

static void close_jsonl(struct ad_reader *reader) {
  struct jsonl_state *state = reader->state;
  if (state != NULL) {
    json_decref(state->row);
    ad_free(state->numbers);
    ad_free(state);
  }
}

const struct ad_reader_format ad_reader_jsonl = {.open = open_jsonl, .next = next_jsonl, .close = close_jsonl};
