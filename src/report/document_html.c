/* A document as one HTML file that refers to nothing outside itself. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "document.h"

static const char STYLE[] =
    ":root{--ink:#1c2530;--soft:#5b6775;--line:#d9dfe6;--back:#fbfcfd;--card:#fff;--mark:#1f6aa5}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--back);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe "
    "UI',Roboto,'DejaVu Sans',"
    "'Liberation Sans',sans-serif}"
    "main{max-width:1180px;margin:0 auto;padding:24px 20px 80px}"
    "h1{font-size:1.7rem;line-height:1.25;margin:.4em 0 .6em}"
    "h2{font-size:1.25rem;margin:0 0 .5em}"
    "h3{font-size:1rem;margin:1.4em 0 .4em}"
    "nav{font-size:.92rem;margin:1.2em 0 0}nav a{display:inline-block;margin:0 1.1em .2em 0}"
    "a{color:var(--mark);text-decoration:none}a:hover{text-decoration:underline}"
    "section,.summary{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:18px "
    "20px;margin:22px 0}"
    ".summary{border-left:4px solid var(--mark)}.summary p,.note{margin:.3em 0}"
    ".caution{color:var(--soft);margin:.3em 0}.caution b{font-weight:600;color:var(--ink)}"
    ".note,.reasons,figcaption{font-size:.92rem;color:var(--soft)}"
    /* Shadows at the edges of what is wider than the page: they go with the page, the covers over them with the
       content. */
    ".scroll{overflow-x:auto;margin:.3em 0;background:linear-gradient(90deg,var(--card) "
    "30%,transparent),linear-gradient(270deg,var(--card) 30%,transparent) 100% 0,"
    "linear-gradient(90deg,#1c25302e,transparent),linear-gradient(270deg,#1c25302e,transparent) 100% 0;"
    "background-size:40px 100%,40px 100%,12px 100%,12px "
    "100%;background-repeat:no-repeat;background-attachment:local,local,scroll,scroll}"
    "table{border-collapse:separate;border-spacing:0;font-size:.9rem;font-variant-numeric:tabular-nums}"
    "th,td{padding:.34em .6em;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}"
    "th{font-weight:600;color:var(--soft);border-bottom:2px solid "
    "var(--line);vertical-align:bottom;white-space:normal;line-height:1.3}"
    "th "
    "span{font-weight:400}th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--card)}"
    "td.na{color:var(--soft)}td.text{text-align:left}th.text{text-align:left}"
    "figure{margin:1.2em 0 .4em}figure svg{display:block;width:100%;height:auto;min-width:600px}"
    "details.reasons{margin:.2em 0}summary{cursor:pointer}"
    "footer{color:var(--soft);font-size:.9rem}"
    "@media(max-width:640px){main{padding:14px 10px 60px}section,.summary{padding:14px 12px}h1{font-size:1.35rem}"
    "th,td{padding:.3em .55em}}"
    "@media print{section{break-inside:avoid;border:0}nav{display:none}}";

static int escape_html(struct ad_buffer *out, const char *text) {
  for (; *text != '\0'; text++) {
    const char *entity = *text == '&'   ? "&amp;"
                         : *text == '<' ? "&lt;"
                         : *text == '>' ? "&gt;"
                         : *text == '"' ? "&quot;"
                                        : NULL;
    AD_TRY(entity != NULL ? ad_buffer_puts(out, entity) : ad_buffer_append(out, text, 1));
  }
  return AD_OK;
}

/* `open`, the text escaped, `close`. */
static int element(struct ad_buffer *out, const char *open, const char *text, const char *close) {
  AD_TRY(ad_buffer_puts(out, open));
  AD_TRY(escape_html(out, text));
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

static int table_head(const struct document_table *table, struct ad_buffer *out) {
  AD_TRY(ad_buffer_puts(out, "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>"));
  for (size_t c = 0; c < table->width; c++) {
    const int text = table->columns[c].kind == ENTRY_TEXT;
    AD_TRY(element(out, text ? "<th class=\"text\" scope=\"col\">" : "<th scope=\"col\">", table->columns[c].head, ""));
    const char *unit = ad__units[table->columns[c].unit].name;
    if (unit[0] != '\0') {
      AD_TRY(element(out, " <span>(", unit, ")</span>"));
    }
    AD_TRY(ad_buffer_puts(out, "</th>"));
  }
  return ad_buffer_puts(out, "</tr></thead><tbody>\n");
}

static int table_entry(const struct document_table *table, size_t i, struct ad_buffer *out) {
  const struct document_column *column = &table->columns[i % table->width];
  const struct document_entry *entry = &table->entries[i];
  struct ad_buffer shown = {0};
  int status = ad__document_show(entry, column, &shown);
  if (status == AD_OK && entry->why != NULL) {
    status = element(out, "<td class=\"na\" title=\"", entry->why, "\">");
  } else if (status == AD_OK) {
    status = ad_buffer_puts(out, column->kind == ENTRY_TEXT ? "<td class=\"text\">" : "<td>");
  }
  if (status == AD_OK) {
    status = element(out, "", shown.data == NULL ? "" : shown.data, "</td>");
  }
  ad_buffer_destroy(&shown);
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
  const struct document_table shown = ad__document_shown(whole, &more), *table = &shown;
  if (whole->data_only) {
    AD_TRY(element(out, "<p class=\"note\">", whole->title, ""));
    return ad_buffer_printf(out, ": in <code>%s.csv</code> and <code>report.json</code>.</p>\n", whole->id);
  }
  AD_TRY(element(out, "<h3>", table->title, "</h3>\n"));
  if (table->count == 0) {
    return ad_buffer_puts(out, "<p class=\"note\">None.</p>\n");
  }
  AD_TRY(table_head(table, out));
  for (size_t i = 0; i < table->count; i++) {
    AD_TRY(i % table->width == 0 ? ad_buffer_puts(out, "<tr>") : AD_OK);
    AD_TRY(table_entry(table, i, out));
    AD_TRY(i % table->width + 1 == table->width ? ad_buffer_puts(out, "</tr>\n") : AD_OK);
  }
  AD_TRY(ad_buffer_puts(out, "</tbody></table></div>\n"));
  AD_TRY(more == 0 ? AD_OK
                   : ad_buffer_printf(
                         out, "<p class=\"note\">%zu more rows: <code>%s.csv</code>, <code>report.json</code>.</p>\n",
                         more, whole->id));
  return table_reasons(table, out);
}

static int put_plot(const struct document_figure *figure, struct ad_buffer *out) {
  AD_TRY(ad_buffer_puts(out, "<figure><div class=\"scroll\" tabindex=\"0\">"));
  AD_TRY(
      figure->svg != NULL
          ? ad_buffer_puts(out, figure->svg)
          : ad_buffer_puts(out, "<p class=\"note\">No plot: gnuplot could not be run when the report was made.</p>"));
  return element(out, "</div><figcaption>", figure->title, "</figcaption></figure>\n");
}

static int put_section(const struct document_section *s, struct ad_buffer *out) {
  AD_TRY(ad_buffer_printf(out, "<section id=\"%s\">\n", s->id));
  AD_TRY(element(out, "<h2>", s->title, "</h2>\n"));
  AD_TRY(element(out, "<p>", s->meaning, "</p>\n"));
  AD_TRY(element(out, "<p class=\"caution\"><b>When not to trust it:</b> ", s->caution, "</p>\n"));
  AD_TRY(paragraphs(out, "note", s->notes));
  for (size_t f = 0; f < s->figure_count; f++) {
    AD_TRY(put_plot(&s->figures[f], out));
  }
  for (size_t t = 0; t < s->table_count; t++) {
    AD_TRY(put_table(&s->tables[t], out));
  }
  return ad_buffer_puts(out, "</section>\n");
}

int ad__document_html(const struct document *document, struct ad_buffer *out) {
  AD_TRY(ad_buffer_puts(out,
                        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"));
  AD_TRY(element(out, "<title>", document->title, "</title>\n<style>"));
  AD_TRY(ad_buffer_puts(out, STYLE));
  AD_TRY(element(out, "</style></head><body><main>\n<h1>", document->title, "</h1>\n<div class=\"summary\">"));
  AD_TRY(paragraphs(out, "result", document->summary));
  AD_TRY(ad_buffer_puts(out, "</div>\n<nav>"));
  for (size_t i = 0; i < document->count; i++) {
    AD_TRY(ad_buffer_printf(out, "<a href=\"#%s\">", document->sections[i].id));
    AD_TRY(element(out, "", document->sections[i].title, "</a>"));
  }
  AD_TRY(ad_buffer_puts(out, "</nav>\n"));
  for (size_t i = 0; i < document->count; i++) {
    AD_TRY(put_section(&document->sections[i], out));
  }
  return ad_buffer_puts(out,
                        "<footer>Intervals are of 95&nbsp;% where nothing else is said. n/a: not available, with the "
                        "reason below the table. "
                        "Made by <code>autodidact study report</code>; docs/statistics.md has the "
                        "formulas.</footer>\n</main></body></html>\n");
}
