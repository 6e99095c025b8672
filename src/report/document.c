#include "document.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "style.h"

const struct unit_of ad__units[UNIT_SCORE] = {
    [UNIT_NONE] = {"", 1},
    [UNIT_NONE_SQUARED] = {"", 1},
    [UNIT_NONE_DIFFERENCE] = {"", 1},
    [UNIT_PERCENT] = {"%", 100},
    [UNIT_PERCENT_SQUARED] = {"%\u00b2", 1e4},
    [UNIT_POINTS] = {"points", 100},
    [UNIT_NATS] = {"nats", 1},
    [UNIT_NATS_SQUARED] = {"nats\u00b2", 1},
    [UNIT_NATS_DIFFERENCE] = {"nats", 1},
    [UNIT_EXAMPLES] = {"examples", 1},
};

static void fail(struct document *d, const char *what) {
  if (d->status == AD_OK) {
    d->status = ad_fail_memory(1024, what);
  }
}

/* As people are shown it, wherever it stands. */
static char *copy_shown(struct document *d, const char *text) {
  enum { WIDEST = 4 /* times as many bytes, where each is escaped */ };
  const size_t size = strlen(text), room = WIDEST * size + 1;
  char *copied = ad_malloc(room, 1);
  if (copied == NULL) {
    fail(d, "a report");
  } else {
    ad_escape(text, size, copied, room);
  }
  return copied;
}

static void destroy_figures(struct document_figure *figures, size_t count) {
  for (size_t f = 0; f < count; f++) {
    ad_free(figures[f].id);
    ad_free(figures[f].title);
    ad_free(figures[f].svg);
    ad_free(figures[f].file);
  }
  ad_free(figures);
}

static void destroy_section(struct document_section *s) {
  for (size_t t = 0; t < s->table_count; t++) {
    struct document_table *table = &s->tables[t];
    for (size_t c = 0; c < table->count; c++) {
      ad_free(table->entries[c].text);
    }
    ad_free(table->entries);
    ad_free(table->columns);
    ad_free(table->id);
    ad_free(table->title);
  }
  destroy_figures(s->figures, s->figure_count);
  ad_free(s->tables);
  ad_free(s->id);
  ad_free(s->title);
  ad_free(s->meaning);
  ad_free(s->caution);
  ad_free(s->notes);
}

void ad__document_destroy(struct document *document) {
  for (size_t i = 0; i < document->count; i++) {
    destroy_section(&document->sections[i]);
  }
  for (size_t i = 0; i < document->line_count; i++) {
    ad_free(document->lines[i].subject);
    ad_free(document->lines[i].verdict);
    ad_free(document->lines[i].text);
  }
  destroy_figures(document->figures, document->figure_count);
  ad_free(document->lines);
  ad_free(document->sections);
  ad_free(document->title);
  *document = (struct document){0};
}

/* Appends a line to *text. */
static void add_line(struct document *d, char **text, const char *line) {
  const size_t old = *text == NULL ? 0 : strlen(*text), added = strlen(line);
  char *longer = ad_realloc(*text, old + added + 2, 1);
  if (longer == NULL) {
    fail(d, "a report");
    return;
  }
  snprintf(longer + old, added + 2, "%s\n", line);
  *text = longer;
}

static struct document_section *newest(struct document *d) {
  return d->status != AD_OK || d->count == 0 ? NULL : &d->sections[d->count - 1];
}

enum { LINE_MOST = 2000 };

static void add_top(struct document *d, const char *subject, const char *verdict, const char *format,
                    va_list arguments) {
  char text[LINE_MOST];
  vsnprintf(text, sizeof text, format, arguments);
  if (d->status != AD_OK ||
      (d->status = ad_reserve((void **)&d->lines, &d->line_capacity, d->line_count + 1, sizeof *d->lines)) != AD_OK) {
    return;
  }
  d->lines[d->line_count++] = (struct document_line){.subject = subject == NULL ? NULL : copy_shown(d, subject),
                                                     .verdict = verdict == NULL ? NULL : copy_shown(d, verdict),
                                                     .text = copy_shown(d, text)};
}

void ad__document_verdict(struct document *document, const char *subject, const char *verdict, const char *format,
                          ...) {
  va_list arguments;
  va_start(arguments, format);
  add_top(document, subject, verdict, format, arguments);
  va_end(arguments);
}

void ad__document_summary(struct document *document, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  add_top(document, NULL, NULL, format, arguments);
  va_end(arguments);
}

void ad__document_note(struct document *document, const char *format, ...) {
  struct document_section *section = newest(document);
  char raw[LINE_MOST], line[LINE_MOST];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(raw, sizeof raw, format, arguments);
  va_end(arguments);
  if (section != NULL) {
    ad_escape(raw, strlen(raw), line, sizeof line);
    add_line(document, &section->notes, line);
  }
}

void ad__document_section(struct document *document, const char *id, const char *title, const char *meaning,
                          const char *caution) {
  if (document->status != AD_OK ||
      (document->status = ad_reserve((void **)&document->sections, &document->capacity, document->count + 1,
                                     sizeof *document->sections)) != AD_OK) {
    return;
  }
  document->sections[document->count++] = (struct document_section){.id = copy_shown(document, id),
                                                                    .title = copy_shown(document, title),
                                                                    .meaning = copy_shown(document, meaning),
                                                                    .caution = copy_shown(document, caution)};
}

void ad__document_table(struct document *document, const char *id, const char *title, size_t width,
                        const struct document_column *columns) {
  struct document_section *s = newest(document);
  if (s == NULL || (document->status = ad_reserve((void **)&s->tables, &s->table_capacity, s->table_count + 1,
                                                  sizeof *s->tables)) != AD_OK) {
    return;
  }
  struct document_table *table = &s->tables[s->table_count++];
  *table =
      (struct document_table){.id = copy_shown(document, id), .title = copy_shown(document, title), .width = width};
  table->columns = ad_malloc(width, sizeof *columns);
  if (table->columns == NULL) {
    fail(document, "a table");
    return;
  }
  for (size_t c = 0; c < width; c++) {
    const enum unit unit = columns[c].unit;
    table->columns[c] = columns[c];
    table->columns[c].unit = unit < UNIT_SCORE ? unit : document->score + (unit - UNIT_SCORE);
  }
}

static struct document_table *open_table(struct document *d) {
  struct document_section *s = newest(d);
  return s == NULL || s->table_count == 0 ? NULL : &s->tables[s->table_count - 1];
}

void ad__document_data_only(struct document *document) {
  struct document_table *table = open_table(document);
  if (table != NULL) {
    table->data_only = 1;
  }
}

void ad__document_csv_elsewhere(struct document *document) {
  struct document_table *table = open_table(document);
  if (table != NULL) {
    table->csv_elsewhere = 1;
  }
}

void ad__document_side_by_side(struct document *document) {
  struct document_section *section = newest(document);
  if (section != NULL) {
    section->side_by_side = 1;
  }
}

static struct document_entry read_entry(struct document *d, const struct document_column *column, const void *row) {
  const void *member = (const char *)row + column->offset;
  if (column->kind == ENTRY_TEXT) {
    return (struct document_entry){.text = copy_shown(d, *(const char *const *)member)};
  }
  if (column->kind == ENTRY_COUNT) {
    return (struct document_entry){.value = (double)*(const uint64_t *)member};
  }
  if (column->kind == ENTRY_FIGURE) {
    const struct ad_figure *figure = member;
    return (struct document_entry){.value = figure->value, .why = figure->why};
  }
  const struct ad_interval *interval = member;
  return (struct document_entry){.value = interval->low, .high = interval->high, .why = interval->why};
}

void ad__document_add_row(struct document *document, const void *row, size_t size) {
  struct document_table *table = open_table(document);
  if (table == NULL || (document->status = ad_reserve((void **)&table->entries, &table->capacity,
                                                      table->count + table->width, sizeof *table->entries)) != AD_OK) {
    return;
  }
  for (size_t c = 0; c < table->width; c++) {
    if (table->columns[c].size != size) {
      document->status = ad_fail(AD_EINTERNAL, "table %s: column %s is of other rows", table->id, table->columns[c].id);
      return;
    }
    table->entries[table->count++] = read_entry(document, &table->columns[c], row);
  }
}

struct document_table ad__document_shown(const struct document_table *table, size_t *more) {
  enum { MOST_ROWS = 200 };
  struct document_table shown = *table;
  const size_t rows = table->count / table->width;
  *more = rows > MOST_ROWS ? rows - MOST_ROWS : 0;
  shown.count = (rows - *more) * table->width;
  return shown;
}

/* The first entry from `first` on, in steps of `step`, with this reason; the number of entries: none. */
static size_t find_reason(const struct document_table *table, size_t first, size_t step, const char *why) {
  size_t i = first;
  while (i < table->count && (table->entries[i].why == NULL || strcmp(table->entries[i].why, why) != 0)) {
    i += step;
  }
  return i < table->count ? i : table->count;
}

int ad__document_reasons(const struct document_table *table, const char *before, const char *between,
                         struct ad_buffer *out) {
  int reasons = 0;
  for (size_t i = 0; i < table->count; i++) {
    const char *why = table->entries[i].why;
    if (why == NULL || find_reason(table, 0, 1, why) < i) {
      continue;
    }
    AD_TRY(ad_buffer_printf(out, "%s%s", reasons++ > 0 ? between : "", before));
    int columns = 0;
    for (size_t c = 0; c < table->width; c++) {
      if (find_reason(table, c, table->width, why) < table->count) {
        AD_TRY(ad_buffer_printf(out, "%s%s", columns++ > 0 ? ", " : "", table->columns[c].head));
      }
    }
    AD_TRY(ad_buffer_printf(out, ": %s", why));
  }
  return AD_OK;
}

/* ---- Figures ---- */

/* The picture as a text; style as ad__picture_svg has it. */
static char *draw(struct document *d, const char *id, const struct document_figure *figure, const char *text,
                  const char *style, const struct picture *picture) {
  if (d->status != AD_OK) {
    return NULL;
  }
  struct ad_buffer svg = {0};
  char *drawn = NULL, *shown = copy_shown(d, text == NULL ? figure->title : text);
  if (d->status == AD_OK) {
    d->status = ad__picture_svg(picture, id, figure->title, shown, style, &svg);
  }
  if (d->status == AD_OK) {
    drawn = ad_strndup(svg.data, svg.size);
    d->status = drawn == NULL ? ad_fail_memory(svg.size, "a picture") : AD_OK;
  }
  ad_free(shown);
  ad_buffer_destroy(&svg);
  return drawn;
}

static void add_figure(struct document *d, struct document_figure **figures, size_t *count, size_t *capacity,
                       const char *id, const char *title, const char *text, struct picture *picture) {
  if (d->status == AD_OK) {
    d->status = picture->status;
  }
  if (d->status == AD_OK) {
    d->status = ad_reserve((void **)figures, capacity, *count + 1, sizeof **figures);
  }
  if (d->status == AD_OK) {
    struct document_figure *figure = &(*figures)[(*count)++];
    *figure = (struct document_figure){.id = copy_shown(d, id), .title = copy_shown(d, title)};
    figure->svg = draw(d, id, figure, text, NULL, picture);
    figure->file = draw(d, id, figure, text, ad__picture_style, picture);
  }
  ad__picture_destroy(picture);
}

void ad__document_picture(struct document *document, const char *id, const char *title, const char *text,
                          struct picture *picture) {
  struct document_section *s = newest(document);
  if (s == NULL) {
    ad__picture_destroy(picture);
    return;
  }
  add_figure(document, &s->figures, &s->figure_count, &s->figure_capacity, id, title, text, picture);
}

void ad__document_lead(struct document *document, const char *id, const char *title, const char *text,
                       struct picture *picture) {
  add_figure(document, &document->figures, &document->figure_count, &document->figure_capacity, id, title, text,
             picture);
}
