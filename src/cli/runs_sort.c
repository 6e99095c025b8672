/* The order of the rows of the table of runs. */
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "runs.h"

struct sorting {
  char **entries; /* [runs] */
  int down;
};

static int compare(const void *a, const void *b, void *context) {
  const struct sorting *s = context;
  const size_t i = *(const size_t *)a, k = *(const size_t *)b;
  const char *x = s->entries[i], *y = s->entries[k];
  char *ends[2];
  if (x[0] == '\0' || y[0] == '\0') {
    return x[0] == y[0] ? (i > k) - (i < k) : x[0] == '\0' ? 1 : -1;
  }
  const double p = strtod(x, &ends[0]), q = strtod(y, &ends[1]);
  const int numbers = *ends[0] == '\0' && *ends[1] == '\0';
  const int order = numbers ? (p > q) - (p < q) : strcmp(x, y);
  return order == 0 ? (i > k) - (i < k) : s->down ? -order : order;
}

static int sort(struct runs_table *t, size_t column, int down) {
  const size_t count = t->list->count;
  struct sorting s = {.entries = ad_calloc(count, sizeof *s.entries), .down = down};
  int status = s.entries == NULL ? ad_fail_memory(count * sizeof *s.entries, "the table of runs") : AD_OK;
  for (size_t i = 0; status == AD_OK && i < count; i++) {
    struct ad_buffer text = {0};
    status = ad_buffer_puts(&text, "");
    status = status == AD_OK ? runs_entry(t, &t->list->runs[i], column, 0, &text) : status;
    s.entries[i] = text.data;
  }
  if (status == AD_OK && count > 0) {
    qsort_r(t->order, count, sizeof *t->order, compare, &s);
  }
  for (size_t i = 0; s.entries != NULL && i < count; i++) {
    ad_free(s.entries[i]);
  }
  ad_free(s.entries);
  return status;
}

/* The column of this name, or the only one whose last part it is ("error"); t->count: there is none. */
static size_t find(const struct runs_table *t, const char *name) {
  size_t found = t->count;
  int endings = 0;
  for (size_t c = 0; c < t->count; c++) {
    const char *column = t->columns[c].name, *dot = strrchr(column, '.');
    if (strcmp(column, name) == 0) {
      return c;
    }
    if (dot != NULL && strcmp(dot + 1, name) == 0) {
      found = c;
      endings++;
    }
  }
  return endings == 1 ? found : t->count;
}

int runs_sort(struct runs_table *t, const char *name) {
  const int down = name[0] == '-';
  const size_t column = find(t, name + down);
  if (column < t->count) {
    return sort(t, column, down);
  }
  struct ad_buffer names = {0};
  int status = AD_OK;
  for (size_t c = 0; c < t->count && status == AD_OK; c++) {
    status = ad_buffer_printf(&names, "%s%s", c == 0 ? "" : ", ", t->columns[c].name);
  }
  status = status == AD_OK ? ad_fail(AD_ECONFIG, "--sort: the table has no column '%s', expected one of %s",
                                     name + down, names.data)
                           : status;
  ad_buffer_destroy(&names);
  return status;
}
