/* The table of runs as text and CSV. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/delimited.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "runs.h"

enum { ENTRY_MOST = 300 }; /* bytes of an entry that people are shown */

static const struct ad_run_entry *row_of(const struct runs_table *t, size_t row) {
  return &t->list->runs[t->order[row]];
}

/* --- Text. */

/* An entry as people are shown it, into text [ENTRY_MOST]. Row 0 is the header. */
static int show(const struct runs_table *t, size_t row, size_t column, char *text) {
  struct ad_buffer entry = {0};
  int status =
      row == 0 ? ad_buffer_puts(&entry, t->columns[column].name) : runs_entry(t, row_of(t, row - 1), column, 1, &entry);
  ad_escape(entry.data == NULL ? "" : entry.data, entry.size, text, ENTRY_MOST);
  ad_buffer_destroy(&entry);
  return status;
}

static int is_left(const struct runs_column *c) {
  return c->kind == RUNS_FOLDER || c->kind == RUNS_STATE ||
         (c->kind == RUNS_KEY && ad_config_values(c->key) != AD_VALUES_COUNT &&
          ad_config_values(c->key) != AD_VALUES_REAL);
}

static int print_row(const struct runs_table *t, size_t row, const size_t *widths) {
  char text[ENTRY_MOST];
  for (size_t c = 0; c < t->count; c++) {
    const int left = is_left(&t->columns[c]), last = c + 1 == t->count;
    AD_TRY(show(t, row, c, text));
    const int fill = ad_text_fill(text, widths[c]);
    printf("%s%*s%s%*s", c == 0 ? "" : "  ", left ? 0 : fill, "", text, left && !last ? fill : 0, "");
  }
  putchar('\n');
  return AD_OK;
}

int runs_print_text(const struct runs_table *t) {
  size_t *widths = ad_calloc(t->count, sizeof *widths);
  int status = widths == NULL ? ad_fail_memory(t->count * sizeof *widths, "the table of runs") : AD_OK;
  for (size_t i = 0; status == AD_OK && i < (t->list->count + 1) * t->count; i++) {
    char text[ENTRY_MOST];
    status = show(t, i / t->count, i % t->count, text);
    widths[i % t->count] = ad_text_widest(widths[i % t->count], text);
  }
  for (size_t row = 0; status == AD_OK && row < t->list->count + 1; row++) {
    status = print_row(t, row, widths);
  }
  for (size_t row = 0; status == AD_OK && row < t->list->count; row++) {
    const struct ad_run_entry *run = row_of(t, row);
    if (run->message != NULL) {
      printf("damaged: %s: %s\n", ad_shown(run->folder), ad_shown(run->message));
    }
  }
  ad_free(widths);
  return status;
}

/* --- CSV. */

int runs_print_csv(const struct runs_table *t) {
  struct ad_buffer line = {0}, entry = {0};
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && i < (t->list->count + 1) * t->count; i++) {
    const size_t row = i / t->count, column = i % t->count;
    ad_buffer_clear(&entry);
    status = row == 0 ? ad_buffer_puts(&entry, t->columns[column].name)
                      : runs_entry(t, row_of(t, row - 1), column, 0, &entry);
    status = status == AD_OK ? ad_delimited_put(&line, ',', entry.data, entry.size) : status;
    status = status == AD_OK ? ad_buffer_puts(&line, column + 1 == t->count ? "\n" : ",") : status;
  }
  if (status == AD_OK && fwrite(line.data, 1, line.size, stdout) != line.size) {
    status = ad_fail(AD_EIO, "standard output could not be written");
  }
  ad_buffer_destroy(&line);
  ad_buffer_destroy(&entry);
  return status;
}
