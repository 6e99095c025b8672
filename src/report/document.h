/* A report as a document: sections of sentences, tables and figures, which are written as text, CSV, JSON and HTML.
 *
 * What adds to a document returns nothing: the first failure stays in document->status, and what comes after it does
 * nothing. Texts are copied. */
#ifndef AUTODIDACT_SRC_REPORT_DOCUMENT_H
#define AUTODIDACT_SRC_REPORT_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/buffer.h"
#include "autodidact/statistics/statistics.h"
#include "picture.h"

/* What a column counts in: a quantity, its square, a difference of two. UNIT_SCORE stands for the unit of the study's
 * result. */
enum unit {
  UNIT_NONE,
  UNIT_NONE_SQUARED,
  UNIT_NONE_DIFFERENCE,
  UNIT_PERCENT,
  UNIT_PERCENT_SQUARED,
  UNIT_POINTS,
  UNIT_NATS,
  UNIT_NATS_SQUARED,
  UNIT_NATS_DIFFERENCE,
  UNIT_EXAMPLES,
  UNIT_SCORE,
  UNIT_SCORE_SQUARED,
  UNIT_SCORE_DIFFERENCE
};

/* People see value * scale, in the unit `name`; files have the value. */
struct unit_of {
  const char *name;
  double scale;
};
extern const struct unit_of ad__units[UNIT_SCORE];

enum entry_kind { ENTRY_TEXT, ENTRY_COUNT, ENTRY_FIGURE, ENTRY_INTERVAL };

struct document_entry {
  char *text;         /* owned */
  double value, high; /* count, figure; low and high */
  const char *why;    /* NULL: there */
};

/* A column shows one member of a row's structure. */
struct document_column {
  const char *id;   /* name in CSV and JSON; an interval has id_low and id_high */
  const char *head; /* for people */
  enum unit unit;
  enum entry_kind kind;
  size_t offset, size; /* of the member in the structure; of the structure */
  const char *by;      /* id of the figure's standard error, which people see behind it; NULL: none */
};

/* The column of a member of `struct row`: a text (const char *), a count (uint64_t), a figure or an interval. */
#define COLUMN(id, head, unit, row, member) COLUMN_BY(id, head, unit, row, member, NULL)
#define COLUMN_BY(id, head, unit, row, member, by) \
  {id, head, unit, ENTRY_KIND(((struct row *)NULL)->member), offsetof(struct row, member), sizeof(struct row), by}
#define ENTRY_KIND(member)            \
  _Generic(member,                    \
      const char *: ENTRY_TEXT,       \
      uint64_t: ENTRY_COUNT,          \
      struct ad_figure: ENTRY_FIGURE, \
      struct ad_interval: ENTRY_INTERVAL)

struct document_table {
  char *id, *title;
  struct document_column *columns; /* [width] */
  size_t width;
  struct document_entry *entries; /* [count] row by row */
  size_t count, capacity;
  int data_only;     /* in CSV and JSON, not in text and HTML, which name it */
  int csv_elsewhere; /* its CSV file is written by others */
};

struct document_figure {
  char *id, *title;
  char *svg;  /* as it stands in the page */
  char *file; /* as a file of its own */
};

/* A line of the top. */
struct document_line {
  char *subject; /* "sda against base"; NULL: a line without a verdict */
  char *verdict; /* "lower" */
  char *text;
};

struct document_section {
  char *id, *title;
  char *meaning; /* one sentence: what it says */
  char *caution; /* one sentence: when not to trust it */
  char *notes;   /* further lines; NULL: none */
  struct document_table *tables;
  struct document_figure *figures;
  size_t table_count, table_capacity, figure_count, figure_capacity;
  int side_by_side; /* figures: two in a line, where there is room */
};

struct document {
  int status;
  const char *command; /* what made it: "study report"; lives for ever */
  enum unit score;     /* of the study's result; its square and difference are the next two */
  char *title;
  struct document_line *lines;
  struct document_figure *figures; /* of the top */
  size_t line_count, line_capacity, figure_count, figure_capacity;
  struct document_section *sections;
  size_t count, capacity;
  int long_tables; /* 1: examples.csv and tables.h5 are beside the page */
};

void ad__document_destroy(struct document *document);

/* A line of the top; one with a verdict: "SUBJECT: VERDICT. TEXT"; a line of the newest section's notes. */
void ad__document_verdict(struct document *document, const char *subject, const char *verdict, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void ad__document_summary(struct document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ad__document_note(struct document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Begins a section. */
void ad__document_section(struct document *document, const char *id, const char *title, const char *meaning,
                          const char *caution);

/* Begins a table of the newest section. columns [width] are copied, their texts live for ever. */
void ad__document_table(struct document *document, const char *id, const char *title, size_t width,
                        const struct document_column *columns);
void ad__document_data_only(struct document *document);
void ad__document_csv_elsewhere(struct document *document);

/* Lets the figures of the newest section stand side by side. */
void ad__document_side_by_side(struct document *document);

/* The width and the columns of a table, from an array. */
#define COLUMNS(array) sizeof(array) / sizeof *(array), array

/* Adds a row to the newest table: every column takes its member of *row. */
#define ad__document_row(document, row) ad__document_add_row(document, row, sizeof *(row))
void ad__document_add_row(struct document *document, const void *row, size_t size);

/* A figure of the newest section, of the top. `text` says to those who do not see it what it shows beyond its title;
 * NULL: the title says it all. The picture is destroyed. */
void ad__document_picture(struct document *document, const char *id, const char *title, const char *text,
                          struct picture *picture);
void ad__document_lead(struct document *document, const char *id, const char *title, const char *text,
                       struct picture *picture);

/* Appends the document to `out`. AD_ENOMEM. */
int ad__document_text(const struct document *document, struct ad_buffer *out);
int ad__document_json(const struct document *document, struct ad_buffer *out);
int ad__document_html(const struct document *document, struct ad_buffer *out);
int ad__document_csv(const struct document_table *table, struct ad_buffer *out);

/* Writes it into a folder that is there: report.txt, report.json, report.html, a CSV file a table, an SVG file a
 * figure. Appends the one of the first two that `told` names to `text`. AD_EIO, AD_ENOMEM. */
#define AD__REPORT_TEXT "report.txt"
#define AD__REPORT_JSON "report.json"
int ad__document_write(const struct document *document, const char *folder, const char *told, struct ad_buffer *text);

/* A text as an entry of CSV; appended. An apostrophe before what looks like a formula keeps it a text, as spreadsheets
 * have it. AD_ENOMEM. */
int ad__csv_text(struct ad_buffer *out, const char *text);

/* The table with the rows that people are shown, and how many more there are; a copy that owns nothing. */
struct document_table ad__document_shown(const struct document_table *table, size_t *more);

/* Why entries are not available, each reason once, behind the heads of the columns that it stands for: `before` "mean,
 * SD: needs at least 2 runs", `between` two of them. Appended; nothing where all is there. AD_ENOMEM. */
int ad__document_reasons(const struct document_table *table, const char *before, const char *between,
                         struct ad_buffer *out);

/* What people see of entry i of a table: appended. Of a figure with a standard error "17.21 \u00b1 0.13": two digits of
 * the error. Of one with an interval behind it, and of the interval, as many decimals as show two digits of a quarter
 * of its width. Of p-values two digits, of others four. AD_ENOMEM. */
int ad__document_show(const struct document_table *table, size_t i, struct ad_buffer *out);

/* Whether a column is the standard error of another, with which people see it. */
int ad__document_is_error(const struct document_table *table, size_t column);

/* Decimals that show two digits of an error above 0: 2 for 0.1316, 0 for 12.6; at most 12. */
int ad__decimals(double error);

#endif
