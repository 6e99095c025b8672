/* Two logs, row by row: bytes first, and columns only of the row where they part. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "compare.h"

enum { ROW_BYTES = 65536 }; /* a row of a run has a few hundred: more is another kind of file */

enum row_state { ROW_WHOLE, ROW_END, ROW_CUT };

struct reader {
  FILE *file;
  const char *path;
  char *row; /* [ROW_BYTES] */
  size_t size;
  uint64_t line; /* of `row`, from 1 */
};

static int reader_open(struct reader *reader, const char *path) {
  *reader = (struct reader){.path = path};
  if (!ad_is_file(path)) {
    return ad_fail(AD_EINPUT, "%s: expected the log of a run, found %s", path,
                   ad_is_folder(path) ? "a folder" : "nothing");
  }
  reader->row = ad_malloc(ROW_BYTES, 1);
  if (reader->row == NULL) {
    return ad_fail_memory(ROW_BYTES, "a row of a log");
  }
  return ad_file_stream(path, &reader->file);
}

static void reader_close(struct reader *reader) {
  if (reader->file != NULL) {
    ad_ignore(fclose(reader->file));
  }
  ad_free(reader->row);
}

/* The next row, without its newline. */
static int reader_next(struct reader *reader, enum row_state *state) {
  int byte;
  reader->line++;
  reader->size = 0;
  while ((byte = getc_unlocked(reader->file)) != EOF && byte != '\n') {
    if (byte == '\0') {
      return ad_fail(AD_EINPUT, "%s:%" PRIu64 ": found a NUL byte, expected a JSON object", reader->path, reader->line);
    }
    if (reader->size == ROW_BYTES) {
      return ad_fail(AD_EINPUT, "%s:%" PRIu64 ": found a row of more than %d bytes: not the log of a run", reader->path,
                     reader->line, ROW_BYTES);
    }
    reader->row[reader->size++] = (char)byte;
  }
  if (byte == EOF && ferror(reader->file)) {
    return ad_fail(AD_EIO, "%s:%" PRIu64 ": could not be read: %s", reader->path, reader->line, strerror(errno));
  }
  *state = byte == '\n' ? ROW_WHOLE : reader->size == 0 ? ROW_END : ROW_CUT;
  return AD_OK;
}

/* The columns of a row, as the texts that stand there: jansson would give numbers, and 0.10 be 0.1. */
struct columns {
  struct column {
    struct slice name, value;
  } *items;
  size_t count, capacity;
};

static const char *skip_spaces(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\r')) {
    p++;
  }
  return p;
}

/* Behind the string that opens at p. */
static const char *skip_string(const char *p, const char *end) {
  for (p++; p < end && *p != '"'; p++) {
    p += *p == '\\';
  }
  return p < end ? p + 1 : end;
}

/* At the comma or brace that ends the value that opens at p. */
static const char *skip_value(const char *p, const char *end) {
  for (int depth = 0; p < end;) {
    if (*p == '"') {
      p = skip_string(p, end);
      continue;
    }
    if (depth == 0 && (*p == ',' || *p == '}')) {
      return p;
    }
    depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
    p++;
  }
  return end;
}

/* Cuts a row, which base/json.h has found to be an object, into its columns. */
static int split(const struct reader *reader, struct columns *columns) {
  const char *end = reader->row + reader->size;
  const char *p = skip_spaces(reader->row, end);
  while (p < end) {
    p = skip_spaces(p + 1, end); /* behind the brace or the comma */
    if (p == end || *p != '"') {
      break;
    }
    const char *name = p + 1;
    p = skip_string(p, end);
    const size_t width = (size_t)(p - name) - 1;
    p = skip_spaces(skip_spaces(p, end) + 1, end); /* behind the colon */
    const char *value = p;
    p = skip_value(p, end);
    const char *last = p;
    while (last > value && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\r')) {
      last--;
    }
    void *items = columns->items;
    if (ad_reserve(&items, &columns->capacity, columns->count + 1, sizeof *columns->items) != AD_OK) {
      return ad_fail_memory((columns->count + 1) * sizeof *columns->items, "the columns of a row");
    }
    columns->items = items;
    columns->items[columns->count++] = (struct column){{name, width}, {value, (size_t)(last - value)}};
    if (p == end || *p == '}') {
      break;
    }
  }
  return AD_OK;
}

static int parse(const struct reader *reader, struct columns *columns) {
  json_t *object;
  AD_TRY(ad_json_parse(&object, reader->path, reader->line, reader->row, reader->size));
  json_decref(object);
  return split(reader, columns);
}

static int is_equal(struct slice a, struct slice b) {
  return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static struct slice find(const struct columns *columns, struct slice name) {
  for (size_t i = 0; i < columns->count; i++) {
    if (is_equal(columns->items[i].name, name)) {
      return columns->items[i].value;
    }
  }
  return (struct slice){NULL, 0};
}

static void describe(const struct columns *columns, char *text, size_t size) {
  const struct slice step = find(columns, (struct slice){"step", 4}), eval = find(columns, (struct slice){"eval", 4});
  const char *number = step.data == NULL ? "?" : step.data;
  const int digits = step.data == NULL ? 1 : (int)step.size;
  if (eval.data != NULL) {
    snprintf(text, size, "evaluation of %.*s at step %.*s", (int)eval.size, eval.data, digits, number);
  } else {
    snprintf(text, size, "step %.*s", digits, number);
  }
}

static int compare_columns(const struct columns *a, const struct columns *b, struct ad_differences *out) {
  for (size_t i = 0; i < a->count; i++) {
    const struct slice other = find(b, a->items[i].name);
    if (other.data == NULL || !is_equal(other, a->items[i].value)) {
      AD_TRY(ad__differences_add(out, a->items[i].name, a->items[i].value, other));
    }
  }
  for (size_t i = 0; i < b->count; i++) {
    if (find(a, b->items[i].name).data == NULL) {
      AD_TRY(ad__differences_add(out, b->items[i].name, (struct slice){NULL, 0}, b->items[i].value));
    }
  }
  return AD_OK;
}

static int compare_rows(const struct reader readers[2], struct ad_log_comparison *out) {
  struct columns columns[2] = {{0}};
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && i < 2; i++) {
    status = parse(&readers[i], &columns[i]);
    if (status == AD_OK) {
      describe(&columns[i], out->place[i], sizeof out->place[i]);
    }
  }
  if (status == AD_OK) {
    status = compare_columns(&columns[0], &columns[1], &out->columns);
  }
  ad_free(columns[0].items);
  ad_free(columns[1].items);
  return status;
}

/* One of the two has no further whole row: counts the others'. */
static int count_rest(struct reader readers[2], enum row_state states[2], struct ad_log_comparison *out) {
  for (size_t i = 0; i < 2; i++) {
    for (out->rows[i] = out->equal_rows; states[i] == ROW_WHOLE; out->rows[i]++) {
      AD_TRY(reader_next(&readers[i], &states[i]));
    }
    out->cut[i] = states[i] == ROW_CUT;
  }
  out->verdict = out->rows[0] == out->rows[1] && !out->cut[0] && !out->cut[1] ? AD_COMPARE_EQUAL : AD_COMPARE_ENDS;
  return AD_OK;
}

static int compare(struct reader readers[2], struct ad_log_comparison *out) {
  for (;; out->equal_rows++) {
    enum row_state states[2];
    AD_TRY(reader_next(&readers[0], &states[0]));
    AD_TRY(reader_next(&readers[1], &states[1]));
    if (states[0] != ROW_WHOLE || states[1] != ROW_WHOLE) {
      return count_rest(readers, states, out);
    }
    if (readers[0].size != readers[1].size || memcmp(readers[0].row, readers[1].row, readers[0].size) != 0) {
      out->verdict = AD_COMPARE_DIFFERS;
      out->rows[0] = out->rows[1] = out->equal_rows + 1;
      return compare_rows(readers, out);
    }
  }
}

int ad_compare_logs(const char *const paths[2], struct ad_log_comparison *out) {
  *out = (struct ad_log_comparison){0};
  struct reader readers[2] = {{0}};
  int status = reader_open(&readers[0], paths[0]);
  if (status == AD_OK) {
    status = reader_open(&readers[1], paths[1]);
  }
  if (status == AD_OK) {
    status = compare(readers, out);
  }
  reader_close(&readers[0]);
  reader_close(&readers[1]);
  return status;
}

void ad_log_comparison_destroy(struct ad_log_comparison *comparison) {
  ad_differences_destroy(&comparison->columns);
}
