/* CSV as RFC 4180 has it: a quote inside an unquoted field, text after a closing quote, or a quote without end is an
 * error. Spaces belong to the text. */
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "reader.h"

static char delimiter_of(const struct ad_reader *reader) {
  static const char delimiters[] = {',', ';', '\t'}; /* in the order of enum ad_delimiter */
  return delimiters[reader->source->delimiter];
}

static int ends_field(const struct ad_reader *reader, char byte) {
  return byte == delimiter_of(reader) || byte == '\n' || byte == '\r';
}

/* Behind the line end of the row that begins at the position, or the end of the file. */
static size_t row_end(const struct ad_reader *reader) {
  const char *data = reader->map.data;
  int quoted = 0;
  for (size_t i = reader->position; i < reader->size; i++) {
    quoted ^= data[i] == '"';
    if (!quoted && data[i] == '\n') {
      return i + 1;
    }
  }
  return reader->size;
}

/* A row may have several lines; each is checked before what is on it. */
static int check_line(const struct ad_reader *reader, size_t begin) {
  const char *end = memchr(reader->map.data + begin, '\n', reader->size - begin);
  return ad_reader_check_text(reader, begin, end == NULL ? reader->size : (size_t)(end - reader->map.data));
}

static int fail_quotes(const struct ad_reader *reader, size_t at) {
  return ad_reader_fail(reader, at, "broken quotes: a quote may only open or close a field, and is doubled inside one");
}

/* The field at the position up to its first delimiter or line end, where the position then is. */
static int take_plain(struct ad_reader *reader) {
  const char *data = reader->map.data;
  const size_t begin = reader->position;
  size_t i = begin;
  while (i < reader->size && !ends_field(reader, data[i])) {
    if (data[i] == '"') {
      return fail_quotes(reader, i);
    }
    i++;
  }
  reader->position = i;
  return ad_table_add_field(reader, (struct ad_text_span){data + begin, i - begin});
}

/* The field whose opening quote is at the position. It is put together in `bytes`, which has room for all of the row.
 */
static int take_quoted(struct ad_reader *reader, struct ad_buffer *bytes) {
  const char *data = reader->map.data;
  const size_t begin = bytes->size;
  size_t i = reader->position + 1;
  for (;;) {
    const char *quote = memchr(data + i, '"', reader->size - i);
    if (quote == NULL) {
      return ad_reader_fail(reader, reader->begin,
                            "broken quotes: a quoted field of the row that begins here has no end");
    }
    const size_t end = (size_t)(quote - data);
    for (size_t k = i; k < end; k++) {
      AD_TRY(data[k] == '\n' ? check_line(reader, k + 1) : AD_OK);
    }
    const int doubled = end + 1 < reader->size && data[end + 1] == '"';
    AD_TRY(ad_buffer_append(bytes, data + i, end - i + (doubled != 0)));
    i = end + 1 + (doubled != 0);
    if (!doubled) {
      break;
    }
  }
  if (i < reader->size && !ends_field(reader, data[i])) {
    return fail_quotes(reader, i);
  }
  reader->position = i;
  return ad_table_add_field(reader, (struct ad_text_span){bytes->data + begin, bytes->size - begin});
}

/* A row without fields where such rows may be left out. */
static int end_empty_line(struct ad_reader *reader) {
  const char *data = reader->map.data + reader->position;
  const size_t size = data[0] == '\n' ? 1 : reader->size - reader->position > 1 && data[1] == '\n' ? 2 : 0;
  if (!reader->source->skip_incomplete || size == 0) {
    return ad_reader_fail(reader, reader->position, "an empty line, expected a row");
  }
  reader->position += size;
  return 1;
}

/* The position behind the line end; the last row may lack it. */
static int end_row(struct ad_reader *reader) {
  const char *data = reader->map.data;
  if (reader->position < reader->size && data[reader->position] == '\r') {
    if (reader->position + 1 == reader->size || data[reader->position + 1] != '\n') {
      return ad_reader_fail(reader, reader->position, "a carriage return without line feed, outside of quotes");
    }
    reader->position++;
  }
  reader->position += reader->position < reader->size;
  return 1;
}

/* The row at the position into reader->fields; 1, 0 at the end, or a failure. */
static int take_row(struct ad_reader *reader) {
  struct ad_buffer *bytes = reader->state;
  const char *data = reader->map.data;
  reader->begin = reader->position;
  reader->field_count = 0;
  if (reader->position >= reader->blank) {
    return 0;
  }
  AD_TRY(check_line(reader, reader->position));
  if (data[reader->position] == '\n' || data[reader->position] == '\r') {
    return end_empty_line(reader);
  }
  AD_TRY(ad_buffer_append(bytes, data + reader->position, row_end(reader) - reader->position));
  ad_buffer_clear(bytes);
  for (;;) {
    const int quoted = reader->position < reader->size && data[reader->position] == '"';
    AD_TRY(quoted ? take_quoted(reader, bytes) : take_plain(reader));
    if (reader->position == reader->size || data[reader->position] != delimiter_of(reader)) {
      return end_row(reader);
    }
    reader->position++;
  }
}

static int open_csv(struct ad_reader *reader) {
  reader->state = ad_calloc(1, sizeof(struct ad_buffer));
  if (reader->state == NULL) {
    return ad_fail_memory(sizeof(struct ad_buffer), "a CSV reader");
  }
  return ad_table_open(reader, take_row);
}

static int next_csv(struct ad_reader *reader, struct ad_record *record) {
  return ad_table_next(reader, take_row, record);
}

static void close_csv(struct ad_reader *reader) {
  if (reader->state != NULL) {
    ad_buffer_destroy(reader->state);
    ad_free(reader->state);
  }
}

const struct ad_reader_format ad_reader_csv = {.open = open_csv, .next = next_csv, .close = close_csv};
