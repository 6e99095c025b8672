/* A document as one HTML page that refers to nothing but the CSV files beside it. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "document.h"
#include "style.h"

enum {
  PAGE = 1090,     /* pixels that a table may take beside others' margins at 1,280 */
  COLUMN_PX = 8,   /* of a column of text */
  PADDING = 18,    /* of an entry */
  TEXT_MOST = 26,  /* columns that a text is given before it is broken or cut */
  TEXT_LEAST = 99, /* pixels of a column of texts, as style.c has it */
  PRINTED = 25     /* rows on paper, as style.c has it */
};

/* `open`, the text escaped, `close`. */
static int element(struct ad_buffer *out, const char *open, const char *text, const char *close) {
  AD_TRY(ad_buffer_puts(out, open));
  AD_TRY(ad__markup_text(out, text));
  return ad_buffer_puts(out, close);
}

/* Every line of the text in a paragraph of this class. */
static int paragraphs(struct ad_buffer *out, const char *class, const char *lines) {
  while (lines != NULL && *lines != '\0') {
    char line[2100];
    const size_t length = strcspn(lines, "\n");
    snprintf(line, sizeof line, "%.*s", (int)length, lines);
    AD_TRY(ad_buffer_printf(out, "<p class=\"%s\">", class));
    AD_TRY(element(out, "", line, "</p>\n"));
    lines += length + (lines[length] == '\n');
  }
  return AD_OK;
}

/* ---- Tables ---- */

/* Part of a table: its first column and some others. */
struct part {
  const struct document_table *table;
  size_t *columns; /* [count] */
  size_t count;
};

static int part_head(const struct part *part, struct ad_buffer *out) {
  AD_TRY(ad_buffer_puts(out, "<thead><tr>"));
  for (size_t k = 0; k < part->count; k++) {
    const struct document_column *column = &part->table->columns[part->columns[k]];
    const char *unit = ad__units[column->unit].name;
    AD_TRY(element(out, column->kind == ENTRY_TEXT ? "<th class=\"text\" scope=\"col\">" : "<th scope=\"col\">",
                   column->head, ""));
    AD_TRY(unit[0] == '\0' ? AD_OK : element(out, " <span>(", unit, ")</span>"));
    AD_TRY(ad_buffer_puts(out, "</th>"));
  }
  return ad_buffer_puts(out, "</tr></thead><tbody>\n");
}

/* The first tag of an entry; data-v is what it is sorted by. */
static int open_entry(const struct document_table *table, size_t i, struct ad_buffer *out) {
  const struct document_entry *entry = &table->entries[i];
  if (i % table->width == 0) {
    return element(out, "<th scope=\"row\" title=\"", entry->text == NULL ? "" : entry->text, "\">");
  }
  if (entry->why != NULL) {
    return element(out, "<td class=\"na\" title=\"", entry->why, "\">");
  }
  return table->columns[i % table->width].kind == ENTRY_TEXT
             ? ad_buffer_puts(out, "<td class=\"text\">")
             : ad_buffer_printf(out, "<td data-v=\"%.9g\">", entry->value);
}

static int put_entry(const struct document_table *table, size_t i, struct ad_buffer *out) {
  struct ad_buffer shown = {0};
  int status = ad__document_show(table, i, &shown);
  status = status == AD_OK ? open_entry(table, i, out) : status;
  status = status == AD_OK
               ? element(out, "", shown.data == NULL ? "" : shown.data, i % table->width == 0 ? "</th>" : "</td>")
               : status;
  ad_buffer_destroy(&shown);
  return status;
}

/* The part as a table; the caption names the table and the file that has all of it. */
static int put_part(const struct part *part, struct ad_buffer *out) {
  const struct document_table *table = part->table;
  AD_TRY(element(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", table->title,
                 "\"><table><caption>"));
  AD_TRY(ad__markup_text(out, table->title));
  AD_TRY(ad_buffer_printf(out, "<a href=\"%s.csv\" download>%s.csv</a></caption>", table->id, table->id));
  AD_TRY(part_head(part, out));
  for (size_t first = 0; first < table->count; first += table->width) {
    AD_TRY(ad_buffer_puts(out, "<tr>"));
    for (size_t k = 0; k < part->count; k++) {
      AD_TRY(put_entry(table, first + part->columns[k], out));
    }
    AD_TRY(ad_buffer_puts(out, "</tr>\n"));
  }
  return ad_buffer_puts(out, "</tbody></table></div>\n");
}

/* How wide a column will be, in pixels: its widest entry, or the widest word of its head. */
static int column_width(const struct document_table *table, size_t column, size_t *width) {
  struct ad_buffer shown = {0};
  size_t columns = 0;
  int status = AD_OK;
  for (const char *word = table->columns[column].head; *word != '\0';) {
    const size_t length = strcspn(word, " "), wide = ad_text_width(word, length);
    columns = wide > columns ? wide : columns;
    word += length + (word[length] == ' ');
  }
  for (size_t i = column; i < table->count && status == AD_OK; i += table->width) {
    ad_buffer_clear(&shown);
    status = ad__document_show(table, i, &shown);
    columns = status == AD_OK && shown.data != NULL ? ad_text_widest(columns, shown.data) : columns;
  }
  ad_buffer_destroy(&shown);
  const int text = table->columns[column].kind == ENTRY_TEXT;
  *width = PADDING + COLUMN_PX * (text && columns > TEXT_MOST ? TEXT_MOST : columns);
  *width = text && column > 0 && *width < TEXT_LEAST ? TEXT_LEAST : *width;
  return status;
}

/* The columns from `next` on that fit the page beside the first; *next: where the rest begins. */
static int fill_part(struct part *part, size_t *next) {
  const struct document_table *table = part->table;
  size_t used, width;
  AD_TRY(column_width(table, 0, &used));
  part->columns[0] = 0;
  part->count = 1;
  for (; *next < table->width; ++*next) {
    if (ad__document_is_error(table, *next)) {
      continue;
    }
    AD_TRY(column_width(table, *next, &width));
    if (used + width > PAGE && part->count > 1) {
      break;
    }
    used += width;
    part->columns[part->count++] = *next;
  }
  return AD_OK;
}

/* What fits the page; the rest behind a line that opens it. */
static int put_parts(const struct document_table *table, struct ad_buffer *out) {
  struct part part = {.table = table, .columns = ad_malloc(table->width, sizeof *part.columns)};
  size_t next = 1;
  int status = part.columns == NULL ? ad_fail_memory(table->width * sizeof *part.columns, "a table") : AD_OK;
  for (int more = 0; status == AD_OK && (more == 0 || next < table->width); more++) {
    const char *heads = table->columns[next < table->width ? next : 0].head;
    status = fill_part(&part, &next);
    if (status == AD_OK && more > 0 && part.count == 1) {
      break; /* errors only, which stand behind their figures */
    }
    if (status == AD_OK && more > 0) {
      status = element(out, "<details><summary>More columns: ", heads, ", \u2026</summary>\n");
    }
    status = status == AD_OK ? put_part(&part, out) : status;
    status = status == AD_OK && more > 0 ? ad_buffer_puts(out, "</details>\n") : status;
  }
  ad_free(part.columns);
  return status;
}

/* What "n/a" means, for those who cannot hover or print the page. */
static int table_reasons(const struct document_table *table, struct ad_buffer *out) {
  struct ad_buffer reasons = {0};
  int status = ad__document_reasons(table, "", "; ", &reasons);
  if (status == AD_OK && reasons.size > 0) {
    status = element(out, "<p class=\"reasons\">Not available (n/a): ", reasons.data, ".</p>\n");
  }
  ad_buffer_destroy(&reasons);
  return status;
}

static int put_table(const struct document_table *whole, struct ad_buffer *out) {
  size_t more;
  const struct document_table shown = ad__document_shown(whole, &more);
  if (whole->data_only || whole->count == 0) {
    AD_TRY(element(out, "<p class=\"note\">", whole->title, ""));
    return whole->data_only
               ? ad_buffer_printf(out, ": in <a href=\"%s.csv\" download>%s.csv</a>.</p>\n", whole->id, whole->id)
               : ad_buffer_puts(out, ": none.</p>\n");
  }
  AD_TRY(put_parts(&shown, out));
  if (more > 0) {
    AD_TRY(ad_buffer_printf(out, "<p class=\"note\">%zu more rows: <a href=\"%s.csv\" download>%s.csv</a>.</p>\n", more,
                            whole->id, whole->id));
  } else if (shown.count / shown.width > PRINTED) {
    AD_TRY(ad_buffer_printf(out, "<p class=\"note printed\">%zu more rows: %s.csv.</p>\n",
                            shown.count / shown.width - PRINTED, whole->id));
  }
  return table_reasons(&shown, out);
}

/* ---- The page ---- */

static int put_figure(const struct document_figure *figure, struct ad_buffer *out) {
  AD_TRY(
      element(out, "<figure><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", figure->title, "\">"));
  AD_TRY(ad_buffer_puts(out, figure->svg));
  return element(out, "</div><figcaption>", figure->title, "</figcaption></figure>\n");
}

static int put_section(const struct document_section *s, struct ad_buffer *out) {
  AD_TRY(ad_buffer_printf(out, "<section id=\"%s\" aria-labelledby=\"%s-head\">\n<h2 id=\"%s-head\">", s->id, s->id,
                          s->id));
  AD_TRY(element(out, "", s->title, "</h2>\n"));
  AD_TRY(element(out, "<p>", s->meaning, "</p>\n"));
  AD_TRY(element(out, "<p class=\"caution\"><b>When not to trust it:</b> ", s->caution, "</p>\n"));
  AD_TRY(paragraphs(out, "note", s->notes));
  AD_TRY(s->side_by_side ? ad_buffer_puts(out, "<div class=\"pairs\">") : AD_OK);
  for (size_t f = 0; f < s->figure_count; f++) {
    AD_TRY(put_figure(&s->figures[f], out));
  }
  AD_TRY(s->side_by_side ? ad_buffer_puts(out, "</div>\n") : AD_OK);
  for (size_t t = 0; t < s->table_count; t++) {
    AD_TRY(put_table(&s->tables[t], out));
  }
  return ad_buffer_puts(out, "</section>\n");
}

static int is_exploratory(const struct document_line *line) {
  return strcmp(line->verdict, "exploratory") == 0;
}

/* The lines with verdicts: those that decide, or the others. */
static int put_verdicts(const struct document *d, int exploratory, struct ad_buffer *out) {
  size_t count = 0;
  for (size_t i = 0; i < d->line_count; i++) {
    const struct document_line *line = &d->lines[i];
    if (line->subject == NULL || is_exploratory(line) != exploratory) {
      continue;
    }
    AD_TRY(count++ > 0 ? AD_OK
                       : ad_buffer_puts(out, exploratory ? "<details><summary>Exploratory comparisons</summary>\n"
                                                           "<ul class=\"verdicts\">\n"
                                                         : "<ul class=\"verdicts\">\n"));
    AD_TRY(ad_buffer_printf(out, "<li><span class=\"verdict %s\">", line->verdict));
    AD_TRY(element(out, "", line->verdict, "</span><span><b>"));
    AD_TRY(element(out, "", line->subject, "</b>: "));
    AD_TRY(element(out, "", line->text, "</span></li>\n"));
  }
  return count == 0 ? AD_OK : ad_buffer_puts(out, exploratory ? "</ul></details>\n" : "</ul>\n");
}

static int put_top(const struct document *d, struct ad_buffer *out) {
  AD_TRY(element(out, "<h1>", d->title, "</h1>\n<section class=\"top\" aria-label=\"Findings\">\n"));
  AD_TRY(put_verdicts(d, 0, out));
  for (size_t i = 0; i < d->line_count; i++) {
    AD_TRY(d->lines[i].subject != NULL ? AD_OK : element(out, "<p class=\"note\">", d->lines[i].text, "</p>\n"));
  }
  AD_TRY(put_verdicts(d, 1, out));
  AD_TRY(ad_buffer_puts(out, "<div class=\"lead\">"));
  for (size_t f = 0; f < d->figure_count; f++) {
    AD_TRY(put_figure(&d->figures[f], out));
  }
  return ad_buffer_puts(out, "</div></section>\n");
}

int ad__document_html(const struct document *document, struct ad_buffer *out) {
  AD_TRY(ad_buffer_puts(out,
                        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"));
  AD_TRY(element(out, "<title>", document->title, "</title>\n<style>"));
  AD_TRY(ad_buffer_puts(out, ad__picture_style));
  AD_TRY(ad_buffer_puts(out, ad__page_style));
  AD_TRY(ad_buffer_puts(out, "</style></head><body><main>\n"));
  AD_TRY(put_top(document, out));
  AD_TRY(ad_buffer_puts(out, "<nav aria-label=\"Sections\">"));
  for (size_t i = 0; i < document->count; i++) {
    AD_TRY(ad_buffer_printf(out, "<a href=\"#%s\">", document->sections[i].id));
    AD_TRY(element(out, "", document->sections[i].title, "</a>"));
  }
  AD_TRY(ad_buffer_puts(out, "</nav>\n"));
  for (size_t i = 0; i < document->count; i++) {
    AD_TRY(put_section(&document->sections[i], out));
  }
  AD_TRY(!document->long_tables
             ? AD_OK
             : ad_buffer_puts(out,
                              "<p class=\"note\">Every run and example: <a href=\"examples.csv\" "
                              "download>examples.csv</a>, <a href=\"tables.h5\" download>tables.h5</a>.</p>\n"));
  AD_TRY(
      ad_buffer_printf(out,
                       "<footer>Intervals are of 95&nbsp;%% where nothing else is said. \u00b1 is one standard error. "
                       "n/a: not available, with the reason below the table. A click on the head of a column sorts. "
                       "Made by <code>autodidact %s</code>; docs/statistics.md has the "
                       "formulas.</footer>\n</main>\n<script>",
                       document->command == NULL ? "report" : document->command));
  AD_TRY(ad_buffer_puts(out, ad__page_script));
  return ad_buffer_puts(out, "</script></body></html>\n");
}
