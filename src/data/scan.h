/* A file as it is before anybody says what its columns are: its form, and what each column holds. Private to src/data.
 */
#ifndef AUTODIDACT_SRC_DATA_SCAN_H
#define AUTODIDACT_SRC_DATA_SCAN_H

#include "values.h"

/* How rows and fields are told apart. */
struct ad__form {
  enum ad_format format; /* TSV, CSV, JSONL or LINES */
  enum ad_delimiter delimiter;
};

/* Finds the form of a file. JSON: its first character is { or [. Else the delimiter that gives most of the first rows
 * as many columns as the first row has, more than one; of equal ones tab, semicolon, comma. Between tabs, quotes are
 * quoting where all fields that begin with one are quoted. With `lines` a file named .txt, and one that has a single
 * column, is lines of text. A pipe is refused. AD_EINPUT, AD_ENOMEM. */
int ad__form_find(const char *path, int lines, struct ad__form *form);

struct ad__scan_column {
  char *name;      /* owned; NULL: there is no header */
  size_t filled;   /* rows in which it is not blank */
  size_t numbers;  /* of these, decimal numbers */
  size_t switches; /* JSON: of these, true and false */
  int other;       /* JSON: some value is neither a text nor a number nor true nor false */
  struct ad__values values;
};

/* Zero-initialise; ad__scan_destroy, after a failure too. */
struct ad__scan {
  const char *path;
  struct ad__form form;
  int header;                      /* the first row names the columns; of JSON lines 1 */
  char **head;                     /* [count] the first row of a table, owned */
  struct ad__scan_column *columns; /* [count] */
  size_t count, capacity;
  size_t rows;   /* with the first, unless it is a header */
  size_t blank;  /* empty lines between them, which are no rows */
  size_t column; /* JSON: where the next key is looked for first */
};

/* Reads the whole file, all rows but the first (JSON lines: all). AD_EINPUT with the line: a row of another number of
 * columns, and what readers refuse. AD_ENOMEM. */
int ad__scan_file(struct ad__scan *scan, const char *path, const struct ad__form *form);

/* Decides whether the first row is a header: as `known` says (1, 0), or -1: by the names and values in it. wanted
 * [wanted_count]: names that make it one; NULL ones are passed over. AD_ENOMEM. */
int ad__scan_head(struct ad__scan *scan, int known, const char *const *wanted, size_t wanted_count);

void ad__scan_destroy(struct ad__scan *scan);

/* Whether a text has nothing but white space of ASCII. */
int ad__is_blank(struct ad_text_span text);

#endif
