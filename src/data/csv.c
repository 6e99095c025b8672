/* CSV by libcsv, strict: a quote inside an unquoted field, text after a closing quote, or a quote without end is an
 * error. */
#include <csv.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "reader.h"

struct csv_state {
  struct csv_parser parser;
  struct ad_buffer bytes; /* the fields of the row, one after another */
  size_t *ends;           /* [count] end of each field in bytes */
  size_t count, capacity;
  int complete; /* the row has ended */
  int status;   /* a failure inside a callback */
};

/* libcsv must not take spaces away: they belong to the text. */
static int no_space(unsigned char byte) {
  (void)byte;
  return 0;
}

static void *grow(void *block, size_t size) {
  return ad_realloc(block, size, 1);
}

static void take_field(void *data, size_t size, void *context) {
  struct csv_state *state = context;
  if (state->status < 0) {
    return;
  }
  void *ends = state->ends;
  state->status = ad_buffer_append(&state->bytes, data, size);
  if (state->status == AD_OK) {
    state->status = ad_reserve(&ends, &state->capacity, state->count + 1, sizeof *state->ends);
    state->ends = ends;
  }
  if (state->status == AD_OK) {
    state->ends[state->count++] = state->bytes.size;
  }
}

static void take_end(int byte, void *context) {
  (void)byte;
  ((struct csv_state *)context)->complete = 1;
}

/* libcsv's reasons: a broken quote, or memory. */
static int fail_parser(struct ad_reader *reader, size_t offset) {
  struct csv_state *state = reader->state;
  if (csv_error(&state->parser) == CSV_EPARSE) {
    return ad_reader_fail(reader, offset,
                          "broken quotes: a quote may only open or close a field, and is doubled inside one");
  }
  return ad_fail_memory(reader->size, "a CSV field");
}

/* The row's fields; the position is behind its LF, CR, or last byte. libcsv takes a lone CR for the end of a row. */
static int end_row(struct ad_reader *reader) {
  struct csv_state *state = reader->state;
  if (reader->map.data[reader->position - 1] == '\r' && state->complete) {
    if (reader->position == reader->size || reader->map.data[reader->position] != '\n') {
      return ad_reader_fail(reader, reader->position - 1, "a carriage return without line feed, outside of quotes");
    }
    reader->position++;
  }
  reader->field_count = 0;
  for (size_t i = 0, begin = 0; i < state->count; begin = state->ends[i++]) {
    AD_TRY(ad_table_add_field(reader, (struct ad_text_span){state->bytes.data + begin, state->ends[i] - begin}));
  }
  return 1;
}

/* The bytes from `begin` up to and with the next CR or LF: nothing that follows a row is fed with it. */
static size_t piece_size(const struct ad_reader *reader, size_t begin) {
  const char *data = reader->map.data;
  size_t end = begin;
  while (end < reader->size && data[end] != '\n' && data[end] != '\r') {
    end++;
  }
  return end - begin + (end < reader->size);
}

/* A row without fields where such rows may be left out. */
static int end_empty_line(struct ad_reader *reader) {
  const char *data = reader->map.data + reader->position;
  const size_t size = data[0] == '\n' ? 1 : reader->size - reader->position > 1 && data[1] == '\n' ? 2 : 0;
  if (!reader->source->skip_incomplete || size == 0) {
    return ad_reader_fail(reader, reader->position, "an empty line, expected a row");
  }
  reader->position += size;
  reader->field_count = 0;
  return 1;
}

/* The row at the position into reader->fields, fed to libcsv piece by piece until the row is complete. */
static int take_row(struct ad_reader *reader) {
  struct csv_state *state = reader->state;
  ad_buffer_clear(&state->bytes);
  AD_TRY(ad_buffer_append(&state->bytes, "", 0)); /* so that fields without bytes point somewhere */
  state->count = 0;
  state->complete = 0;
  reader->begin = reader->position;
  if (reader->position >= reader->blank) {
    return 0;
  }
  while (reader->position < reader->size) {
    const size_t begin = reader->position;
    const char *data = reader->map.data + begin;
    const size_t size = piece_size(reader, begin);
    AD_TRY(ad_reader_check_text(reader, begin, begin + size));
    if (begin == reader->begin && (data[0] == '\n' || data[0] == '\r')) {
      return end_empty_line(reader);
    }
    reader->position = begin + size;
    const size_t done = csv_parse(&state->parser, data, size, take_field, take_end, state);
    AD_TRY(state->status);
    if (done < size) {
      return fail_parser(reader, begin);
    }
    if (state->complete) {
      return end_row(reader);
    }
  }
  /* The last row may lack its newline, not its closing quote. */
  if (csv_fini(&state->parser, take_field, take_end, state) != 0) {
    if (csv_error(&state->parser) == CSV_EPARSE) {
      return ad_reader_fail(reader, reader->begin,
                            "broken quotes: a quoted field of the row that begins here has no end");
    }
    return fail_parser(reader, reader->begin);
  }
  AD_TRY(state->status);
  return end_row(reader);
}

/* In the order of enum ad_delimiter. */
static const unsigned char delimiters[] = {',', ';', '\t'};

static int open_csv(struct ad_reader *reader) {
  struct csv_state *state = ad_calloc(1, sizeof *state);
  if (state == NULL) {
    return ad_fail_memory(sizeof *state, "a CSV reader");
  }
  reader->state = state;
  if (csv_init(&state->parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
    return ad_fail(AD_EINTERNAL, "libcsv could not be started");
  }
  csv_set_delim(&state->parser, delimiters[reader->source->delimiter]);
  csv_set_realloc_func(&state->parser, grow);
  csv_set_free_func(&state->parser, ad_free);
  csv_set_space_func(&state->parser, no_space);
  return ad_table_open(reader, take_row);
}

static int next_csv(struct ad_reader *reader, struct ad_record *record) {
  return ad_table_next(reader, take_row, record);
}

static void close_csv(struct ad_reader *reader) {
  struct csv_state *state = reader->state;
  if (state != NULL) {
    csv_free(&state->parser);
    ad_buffer_destroy(&state->bytes);
    ad_free(state->ends);
    ad_free(state);
  }
}

const struct ad_reader_format ad_reader_csv = {.open = open_csv, .next = next_csv, .close = close_csv};
