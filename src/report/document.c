#include "document.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"

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
  for (size_t f = 0; f < s->figure_count; f++) {
    ad_free(s->figures[f].id);
    ad_free(s->figures[f].title);
    ad_free(s->figures[f].svg);
  }
  ad_free(s->tables);
  ad_free(s->figures);
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
  ad_free(document->sections);
  ad_free(document->title);
  ad_free(document->summary);
  *document = (struct document){0};
}

/* Appends a line to *text. */
static void add_line(struct document *d, char **text, const char *format, va_list arguments) {
  char raw[2000], line[2000];
  vsnprintf(raw, sizeof raw, format, arguments);
  ad_escape(raw, strlen(raw), line, sizeof line);
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

void ad__document_summary(struct document *document, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (document->status == AD_OK) {
    add_line(document, &document->summary, format, arguments);
  }
  va_end(arguments);
}

void ad__document_note(struct document *document, const char *format, ...) {
  struct document_section *section = newest(document);
  va_list arguments;
  va_start(arguments, format);
  if (section != NULL) {
    add_line(document, &section->notes, format, arguments);
  }
  va_end(arguments);
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

void ad__document_plot(struct document *document, const char *id, const char *title, unsigned width, unsigned height,
                       const struct ad_buffer *script) {
  struct document_section *s = newest(document);
  if (s == NULL || (document->status = ad_reserve((void **)&s->figures, &s->figure_capacity, s->figure_count + 1,
                                                  sizeof *s->figures)) != AD_OK) {
    return;
  }
  struct document_figure *figure = &s->figures[s->figure_count++];
  *figure = (struct document_figure){.id = copy_shown(document, id), .title = copy_shown(document, title)};
  if (document->status == AD_OK) {
    document->status = ad__plot_svg(document->plot_folder, id, width, height, script, &figure->svg);
    document->plots_missing += figure->svg == NULL;
  }
}
