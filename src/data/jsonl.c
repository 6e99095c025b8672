/* JSON lines by jansson: one object a line; SNLI and MNLI as published. */
#include <jansson.h>
#include <string.h>

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
    return ad_reader_fail(reader, reader->begin, "the key \"%s\" is not a string", key);
  }
  *text = (struct ad_text_span){.data = json_string_value(value), .size = json_string_length(value)};
  return 1;
}

static int take_columns(struct ad_reader *reader, const struct ad_columns *columns, struct ad_text_span *text) {
  struct ad_text_span parts[AD_MAX_COLUMNS];
  for (size_t i = 0; i < columns->count; i++) {
    const int status = take_text(reader, columns->items[i].name, &parts[i]);
    if (status <= 0) {
      return status < 0 ? status
                        : ad_reader_fail(reader, reader->begin, "no key \"%s\" in the object", columns->items[i].name);
    }
  }
  *text = ad_reader_join(reader, parts, columns->count);
  return AD_OK;
}

/* A label is a string or a whole number. */
static int take_label(struct ad_reader *reader, struct ad_text_span *label) {
  struct jsonl_state *state = reader->state;
  const char *key = reader->source->label.name;
  const json_t *value = json_object_get(state->row, key);
  if (json_is_integer(value)) {
    const int size = snprintf(state->number, sizeof state->number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    *label = (struct ad_text_span){.data = state->number, .size = (size_t)size};
    return AD_OK;
  }
  const int status = take_text(reader, key, label);
  if (status == 0 && reader->labels) {
    return ad_reader_fail(reader, reader->begin, "no key \"%s\" in the object", key);
  }
  return status < 0 ? status : AD_OK;
}

static int open_jsonl(struct ad_reader *reader) {
  reader->state = ad_calloc(1, sizeof(struct jsonl_state));
  return reader->state == NULL ? ad_fail_memory(sizeof(struct jsonl_state), "a JSON reader") : AD_OK;
}

static int parse_row(struct ad_reader *reader, struct ad_text_span line) {
  struct jsonl_state *state = reader->state;
  json_decref(state->row);
  json_error_t error;
  state->row = json_loadb(line.data, line.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
  if (state->row == NULL && json_error_code(&error) == json_error_out_of_memory) {
    return ad_fail_memory(line.size, "a JSON object");
  }
  if (state->row == NULL) {
    return ad_reader_fail(reader, reader->begin, "malformed JSON at byte %d of the line: %s", error.position,
                          error.text);
  }
  if (!json_is_object(state->row)) {
    return ad_reader_fail(reader, reader->begin, "expected a JSON object in the line");
  }
  return AD_OK;
}

static int next_jsonl(struct ad_reader *reader, struct ad_record *record) {
  const struct ad_source *source = reader->source;
  struct ad_text_span line;
  const int status = ad_reader_take_line(reader, &line);
  if (status <= 0) {
    return status;
  }
  AD_TRY(parse_row(reader, line));
  AD_TRY(ad_reader_join_start(reader, (line.size + AD_MAX_COLUMNS) * (source->text.count + source->pair.count)));
  AD_TRY(take_columns(reader, &source->text, &record->text));
  if (source->pair.count > 0) {
    AD_TRY(take_columns(reader, &source->pair, &record->pair));
  }
  if (source->labelled) {
    AD_TRY(take_label(reader, &record->label));
  }
  record->position = reader->begin;
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
