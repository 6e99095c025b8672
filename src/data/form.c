/* The form of a file: JSON lines, or which character stands between columns, and whether quotes quote. */
#include <string.h>

#include "autodidact/base/looks.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "scan.h"

/* So many rows tell. */
enum { SAMPLE_ROWS = 200 };

static const struct ad__form candidates[] = {{AD_FORMAT_TSV, AD_DELIMITER_TAB},
                                             {AD_FORMAT_CSV, AD_DELIMITER_TAB},
                                             {AD_FORMAT_CSV, AD_DELIMITER_SEMICOLON},
                                             {AD_FORMAT_CSV, AD_DELIMITER_COMMA}};
enum { QUOTED_TAB = 1 };

/* The share of the first rows, of 1, that have as many columns as the first one; 0 where that has one. What cannot be
 * read ends the sample: its rows count as others. */
static int measure(const char *path, const struct ad__form *form, double *share) {
  const struct ad_source source = {.format = form->format, .delimiter = form->delimiter, .skip_incomplete = 1};
  struct ad_reader reader;
  struct ad_record record;
  size_t rows = 0, same = 0, first = 0;
  *share = 0.0;
  int status = ad_reader_open(&reader, &source, path, 0);
  if (status != AD_OK) {
    return status == AD_EINPUT ? AD_OK : status;
  }
  while (rows < SAMPLE_ROWS && (status = ad_reader_next(&reader, &record)) == 1) {
    const size_t fields = reader.field_count;
    if (fields == 0 || (fields == 1 && ad__is_blank(reader.fields[0]))) {
      continue;
    }
    first = rows == 0 ? fields : first;
    same += fields == first;
    rows++;
  }
  ad_reader_close(&reader);
  if (status < 0 && status != AD_EINPUT) {
    return status;
  }
  /* A row that has more columns than the first is refused by the reader. */
  rows += status == AD_EINPUT;
  *share = first > 1 ? (double)same / (double)rows : 0.0;
  return AD_OK;
}

/* 1: a whole field between quotes, those inside doubled; 0: it begins with a quote and is something else; -1: it begins
 * with none. */
static int is_quoted(const char *field, size_t size) {
  if (size == 0 || field[0] != '"') {
    return -1;
  }
  size_t i = 1;
  while (i < size && (field[i] != '"' || (i + 1 < size && field[i + 1] == '"'))) {
    i += field[i] == '"' ? 2 : 1;
  }
  return size > 1 && i == size - 1;
}

/* Whether quotes quote between tabs, where no field holds a line end: all that begin with one are quoted, and some do.
 */
static int quotes_quote(const char *data, size_t size) {
  int some = 0;
  for (size_t at = 0; at < size;) {
    size_t end = at;
    while (end < size && data[end] != '\t' && data[end] != '\n') {
      end++;
    }
    const int quoted =
        is_quoted(data + at, end - at - (end > at && end < size && data[end] == '\n' && data[end - 1] == '\r'));
    if (quoted == 0) {
      return 0;
    }
    some = some || quoted == 1;
    at = end + 1;
  }
  return some;
}

static int choose(const char *path, const char *data, size_t size, int lines, struct ad__form *form) {
  const size_t mark = ad_utf8_mark(data, size);
  double best = 0.0;
  AD_TRY(ad_looks_refuse(path, data, size));
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
    double share;
    AD_TRY(measure(path, &candidates[i], &share));
    if (share > best) {
      best = share;
      *form = candidates[i];
    }
  }
  if (best == 0.0 && lines) {
    *form = (struct ad__form){.format = AD_FORMAT_LINES};
    return ad_utf8_check(path, data, size);
  }
  if (best == 0.0) {
    const int status = ad_utf8_check(path, data, size);
    return ad_looks_explain(status != AD_OK
                                ? status
                                : ad_fail(AD_EINPUT,
                                          "%s: found one column, expected a text and a label with a comma, semicolon "
                                          "or tab between them, or JSON objects; texts alone are for data.task=mlm",
                                          path),
                            AD_LOOKS_TEXT, path, data, size);
  }
  if (form->format == AD_FORMAT_TSV && quotes_quote(data + mark, size - mark)) {
    *form = candidates[QUOTED_TAB];
  }
  return AD_OK;
}

/* Whether a path ends in ".txt", or packed in ".txt.gz". */
static int is_named_text(const char *path) {
  static const char *const ends[] = {".txt", ".txt.gz"};
  const size_t length = strlen(path);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    const size_t end = strlen(ends[i]);
    if (length > end && strcmp(path + length - end, ends[i]) == 0) {
      return 1;
    }
  }
  return 0;
}

int ad__form_find(const char *path, int lines, struct ad__form *form) {
  struct ad_file_map map;
  /* A pipe could be read once only. */
  AD_TRY(ad_file_check(path));
  AD_TRY(ad_file_map(path, &map));
  size_t first = ad_utf8_mark(map.data, map.size);
  while (first < map.size && strchr(" \t\r\n", map.data[first]) != NULL && map.data[first] != '\0') {
    first++;
  }
  int status = AD_OK;
  if (first >= map.size) {
    status = ad_fail(AD_EINPUT, "%s: the file is empty, expected rows of texts%s", path, lines ? "" : " and labels");
  } else if (lines && is_named_text(path)) {
    *form = (struct ad__form){.format = AD_FORMAT_LINES};
  } else if (map.data[first] == '{' || map.data[first] == '[') {
    *form = (struct ad__form){.format = AD_FORMAT_JSONL};
  } else {
    status = choose(path, map.data, map.size, lines, form);
  }
  ad_file_unmap(&map);
  return status;
}
