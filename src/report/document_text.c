/* A document as text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "document.h"

enum { LINE = 110 };

/* Words up to LINE columns, every line behind `indent` spaces. */
static int wrap(struct ad_buffer *out, const char *text, int indent) {
  int column = 0;
  for (const char *word = text; *word != '\0';) {
    const size_t length = strcspn(word, " \n");
    const int width = (int)ad_text_width(word, length);
    if (column > 0 && column + 1 + width > LINE) {
      AD_TRY(ad_buffer_puts(out, "\n"));
      column = 0;
    }
    AD_TRY(ad_buffer_printf(out, "%*s%.*s", column == 0 ? indent : 1, "", (int)length, word));
    column += (column == 0 ? indent : 1) + width;
    word += length;
    if (*word == '\n') {
      AD_TRY(ad_buffer_puts(out, "\n"));
      column = 0;
    }
    word += *word != '\0';
  }
  return column > 0 ? ad_buffer_puts(out, "\n") : AD_OK;
}

static int head(const struct document_column *column, struct ad_buffer *out) {
  const char *unit = ad__units[column->unit].name;
  return unit[0] == '\0' ? ad_buffer_puts(out, column->head) : ad_buffer_printf(out, "%s (%s)", column->head, unit);
}

/* The texts of all entries, one after another with a NUL each, heads first, and the width of each column. Standard
 * errors stand behind their figures. */
static int lay_out(const struct document_table *table, struct ad_buffer *texts, size_t *widths) {
  for (size_t i = 0; i < table->width + table->count; i++) {
    const size_t column = i % table->width, begin = texts->size;
    if (!ad__document_is_error(table, column)) {
      AD_TRY(i < table->width ? head(&table->columns[i], texts) : ad__document_show(table, i - table->width, texts));
      AD_TRY(ad_buffer_append(texts, "", 1));
      widths[column] = ad_text_widest(widths[column], texts->data + begin);
    }
  }
  return AD_OK;
}

static int end_line(struct ad_buffer *out) {
  while (out->size > 0 && out->data[out->size - 1] == ' ') {
    out->data[--out->size] = '\0';
  }
  return ad_buffer_puts(out, "\n");
}

static int print_entries(const struct document_table *table, const struct ad_buffer *texts, const size_t *widths,
                         struct ad_buffer *out) {
  const char *text = texts->data;
  for (size_t i = 0; i < table->width + table->count; i++) {
    const size_t column = i % table->width;
    if (!ad__document_is_error(table, column)) {
      const int fill = ad_text_fill(text, widths[column]);
      /* The first column and texts stand left, numbers right. */
      AD_TRY(column == 0 || table->columns[column].kind == ENTRY_TEXT
                 ? ad_buffer_printf(out, "  %s%*s", text, fill, "")
                 : ad_buffer_printf(out, "  %*s%s", fill, "", text));
      text += strlen(text) + 1;
    }
    AD_TRY(column + 1 == table->width ? end_line(out) : AD_OK);
  }
  return AD_OK;
}

static int print_table(const struct document_table *whole, struct ad_buffer *out) {
  size_t more;
  const struct document_table shown = ad__document_shown(whole, &more), *table = &shown;
  if (whole->data_only) {
    return ad_buffer_printf(out, "%s: in %s.csv and report.json\n\n", whole->title, whole->id);
  }
  if (table->count == 0) {
    return ad_buffer_printf(out, "%s: none\n\n", table->title);
  }
  struct ad_buffer texts = {0};
  size_t *widths = ad_calloc(table->width, sizeof *widths);
  int status = widths == NULL ? ad_fail_memory(table->width * sizeof *widths, "a table") : AD_OK;
  AD_TRY_GOTO(status, out);
  AD_TRY_GOTO(ad_buffer_printf(out, "%s\n", table->title), out);
  AD_TRY_GOTO(lay_out(table, &texts, widths), out);
  AD_TRY_GOTO(print_entries(table, &texts, widths, out), out);
  AD_TRY_GOTO(
      more > 0 ? ad_buffer_printf(out, "  ... %zu more rows: %s.csv and report.json\n", more, whole->id) : AD_OK, out);
  const size_t before = out->size;
  AD_TRY_GOTO(ad__document_reasons(table, "  n/a: ", "\n", out), out);
  AD_TRY_GOTO(out->size > before ? ad_buffer_puts(out, "\n") : AD_OK, out);
  status = ad_buffer_puts(out, "\n");
out:
  ad_buffer_destroy(&texts);
  ad_free(widths);
  return status;
}

static int underline(struct ad_buffer *out, const char *title, char mark) {
  AD_TRY(ad_buffer_printf(out, "%s\n", title));
  for (size_t i = ad_text_widest(0, title); i > 0; i--) {
    AD_TRY(ad_buffer_append(out, &mark, 1));
  }
  return ad_buffer_puts(out, "\n");
}

static int put_caution(struct ad_buffer *out, const char *caution) {
  struct ad_buffer text = {0};
  int status = ad_buffer_printf(&text, "When not to trust it: %s", caution);
  status = status == AD_OK ? wrap(out, text.data, 0) : status;
  ad_buffer_destroy(&text);
  return status;
}

static int put_line(struct ad_buffer *out, const struct document_line *line) {
  struct ad_buffer text = {0};
  int status = line->subject == NULL ? ad_buffer_puts(&text, line->text)
                                     : ad_buffer_printf(&text, "%s: %s. %s", line->subject, line->verdict, line->text);
  status = status == AD_OK ? wrap(out, text.data, 0) : status;
  ad_buffer_destroy(&text);
  return status;
}

int ad__document_text(const struct document *document, struct ad_buffer *out) {
  AD_TRY(underline(out, document->title, '='));
  for (size_t i = 0; i < document->line_count; i++) {
    AD_TRY(put_line(out, &document->lines[i]));
  }
  for (size_t i = 0; i < document->count; i++) {
    const struct document_section *s = &document->sections[i];
    AD_TRY(ad_buffer_puts(out, "\n"));
    AD_TRY(underline(out, s->title, '-'));
    AD_TRY(wrap(out, s->meaning, 0));
    AD_TRY(put_caution(out, s->caution));
    AD_TRY(s->notes == NULL ? AD_OK : wrap(out, s->notes, 0));
    AD_TRY(ad_buffer_puts(out, "\n"));
    for (size_t t = 0; t < s->table_count; t++) {
      AD_TRY(print_table(&s->tables[t], out));
    }
  }
  return AD_OK;
}
