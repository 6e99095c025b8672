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
};

/* The column of a member of `struct row`: a text (const char *), a count (uint64_t), a figure or an interval. */
#define COLUMN(id, head, unit, row, member) \
  {id, head, unit, ENTRY_KIND(((struct row *)NULL)->member), offsetof(struct row, member), sizeof(struct row)}
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
  int data_only; /* in CSV and JSON, not in text and HTML, which name it */
};

struct document_figure {
  char *id, *title;
  char *svg; /* NULL: gnuplot could not make it */
};

struct document_section {
  char *id, *title;
  char *meaning; /* one sentence: what it says */
  char *caution; /* one sentence: when not to trust it */
  char *notes;   /* further lines; NULL: none */
  struct document_table *tables;
  struct document_figure *figures;
  size_t table_count, table_capacity, figure_count, figure_capacity;
};

struct document {
  int status;
  enum unit score;       /* of the study's result; its square and difference are the next two */
  char *title, *summary; /* summary: lines */
  struct document_section *sections;
  size_t count, capacity;
  const char *plot_folder; /* where gnuplot may write; not owned */
  int plots_missing;       /* figures that gnuplot could not make */
};

void ad__document_destroy(struct document *document);

/* A line of the summary, of the newest section's notes. */
void ad__document_summary(struct document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ad__document_note(struct document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Begins a section. */
void ad__document_section(struct document *document, const char *id, const char *title, const char *meaning,
                          const char *caution);

/* Begins a table of the newest section. columns [width] are copied, their texts live for ever. */
void ad__document_table(struct document *document, const char *id, const char *title, size_t width,
                        const struct document_column *columns);
void ad__document_data_only(struct document *document);

/* The width and the columns of a table, from an array. */
#define COLUMNS(array) sizeof(array) / sizeof *(array), array

/* Adds a row to the newest table: every column takes its member of *row. */
#define ad__document_row(document, row) ad__document_add_row(document, row, sizeof *(row))
void ad__document_add_row(struct document *document, const void *row, size_t size);

/* A figure of the newest section, made by gnuplot from `script`, which plots on a terminal that is set already. */
void ad__document_plot(struct document *document, const char *id, const char *title, unsigned width, unsigned height,
                       const struct ad_buffer *script);

/* Appends the document to `out`. AD_ENOMEM. */
int ad__document_text(const struct document *document, struct ad_buffer *out);
int ad__document_json(const struct document *document, struct ad_buffer *out);
int ad__document_html(const struct document *document, struct ad_buffer *out);
int ad__document_csv(const struct document_table *table, struct ad_buffer *out);

/* A text as an entry of CSV; appended. An apostrophe before what looks like a formula keeps it a text, as spreadsheets
 * have it. AD_ENOMEM. */
int ad__csv_text(struct ad_buffer *out, const char *text);

/* The table with the rows that people are shown, and how many more there are; a copy that owns nothing. */
struct document_table ad__document_shown(const struct document_table *table, size_t *more);

/* Why entries are not available, each reason once, behind the heads of the columns that it stands for: `before` "mean,
 * SD: needs at least 2 runs", `between` two of them. Appended; nothing where all is there. AD_ENOMEM. */
int ad__document_reasons(const struct document_table *table, const char *before, const char *between,
                         struct ad_buffer *out);

/* What people see of an entry, or of its reason; appended. */
int ad__document_show(const struct document_entry *entry, const struct document_column *column, struct ad_buffer *out);

/* Runs gnuplot on a script in `folder`; *svg is the picture, ready to stand inside HTML with ids that begin with `id`,
 * or NULL where gnuplot failed (a warning was given). The caller frees it. AD_EIO, AD_ENOMEM. */
int ad__plot_svg(const char *folder, const char *id, unsigned width, unsigned height, const struct ad_buffer *script,
                 char **svg);

/* A text, and the text of a mark on an axis, as gnuplot takes it: shown as base/shown.h has it, with typographic
 * quotes, since gnuplot 5.4 takes a quote at the beginning for the end. AD_ENOMEM. */
int ad__plot_quote(struct ad_buffer *script, const char *text);
int ad__plot_tic(struct ad_buffer *script, const char *text);

#endif
