/* JSON lines by jansson: one object a line; SNLI and MNLI as published. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "reader.h"

struct jsonl_state {
  json_t *row;     /* the texts of the record point into it */
  char number[32]; /* a label that is written as a number */
};

/* A key's text. 1, 0 when the key is not there, or AD_EINPUT. */
static int take_text(const struct ad_reader *reader, const char *key, struct ad_text_span *text) {
  const struct jsonl_state *state = reader->state;
  const json_t *value = json_object_get(state->row, key);
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
    if (reader->source->skip_incomplete && !json_is_string(json_object_get(state->row, columns->items[i].name))) {
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

/* The text of a label: of a string, of a whole number of any size, or of one that is written as 1.0, as pandas does
 * where a column has gaps. NULL: it is something else. */
static const char *label_text(struct jsonl_state *state, const json_t *value) {
  static const double EXACT = 0x1p53; /* from here on a double has no ones */
  const double real = json_real_value(value);
  const char *raw = ad_json_raw(value);
  if (json_is_integer(value)) {
    snprintf(state->number, sizeof state->number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return state->number;
  }
  if (json_is_real(value) && real == trunc(real) && fabs(real) < EXACT) {
    snprintf(state->number, sizeof state->number, "%.0f", real + 0.0); /* -0.0 is 0 */
    return state->number;
  }
  return raw != NULL && strspn(raw, "-0123456789") == strlen(raw) ? raw : json_string_value(value);
}

static int take_label(struct ad_reader *reader, struct ad_text_span *label) {
  struct jsonl_state *state = reader->state;
  const char *key = reader->source->label.name;
  const json_t *value = json_object_get(state->row, key);
  if (value == NULL) {
    return reader->labels > 0 ? ad_reader_fail(reader, reader->begin, "no key \"%s\" in the object", key) : AD_OK;
  }
  const char *text = label_text(state, value);
  if (text == NULL) {
    char shown[100];
    return ad_reader_fail_label(reader, ad_json_show(value, shown, sizeof shown),
                                json_is_array(value)
                                    ? " (a string or a whole number: one label a text, as several are not supported)"
                                    : " (a string or a whole number)");
  }
  *label =
      (struct ad_text_span){.data = text, .size = json_is_string(value) ? json_string_length(value) : strlen(text)};
  return AD_OK;
}

static int open_jsonl(struct ad_reader *reader) {
  reader->state = ad_calloc(1, sizeof(struct jsonl_state));
  return reader->state == NULL ? ad_fail_memory(sizeof(struct jsonl_state), "a JSON reader") : AD_OK;
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
  int status = reader->position >= reader->blank ? 0 : ad_reader_take_line(reader, &line);
  if (status <= 0) {
    return status;
  }
  AD_TRY(parse_row(reader, line));
  AD_TRY(ad_reader_join_start(reader, (line.size + AD_MAX_COLUMNS) * (source->text.count + source->pair.count)));
  record->position = reader->begin;
  status = take_columns(reader, &source->text, &record->text);
  if (status == 1 && source->pair.count > 0) {
    status = take_columns(reader, &source->pair, &record->pair);
  }
  AD_TRY(status);
  record->incomplete = status == 0;
  if (status == 1 && reader->labelled) {
    AD_TRY(take_label(reader, &record->label));
  }
  return 1;
}

static void close_jsonl(struct ad_reader *reader) {
  struct jsonl_state *state = reader->state;
  if (state != NULL) {
    json_decref(state->row);
    ad_free(state);
  }
}

const struct ad_reader_format ad_reader_jsonl = {.open = open_jsonl, .next = next_jsonl, .close = close_jsonl};
