/* autodidact inspect: snapshots. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/store/snapshot.h"
#include "inspect.h"

/* First, and last value of a column of single numbers. */
static int print_ends(const struct ad_snapshot_file *f, size_t column, const struct ad_snapshot_column *c,
                      size_t rows) {
  const size_t ends[2] = {0, rows - 1};
  for (int i = 0; i < 2; i++) {
    union {
      uint64_t count;
      double real;
    } value = {0};
    AD_TRY(ad_snapshot_file_get(f, column, ends[i], &value));
    if (strcmp(c->name, "scalars/parameters") == 0) {
      printf("  %s %016" PRIx64, i == 0 ? "first" : "last", value.count);
    } else if (c->kind == 'u') {
      printf("  %s %" PRIu64, i == 0 ? "first" : "last", value.count);
    } else {
      printf("  %s %.9g", i == 0 ? "first" : "last", value.real);
    }
  }
  putchar('\n');
  return AD_OK;
}

int inspect_snapshots(const char *path) {
  struct ad_snapshot_file *f;
  const struct ad_snapshot_column *columns;
  const uint64_t *steps;
  AD_TRY(ad_snapshot_file_open(&f, path));
  const size_t rows = ad_snapshot_file_rows(f, &steps), count = ad_snapshot_file_columns(f, &columns);
  printf("%s: %zu snapshots, steps %" PRIu64 " to %" PRIu64 "%s\n\n%-20s  %-18s  %-9s  %s\n", ad_shown(path), rows,
         steps[0], steps[rows - 1],
         ad_snapshot_file_is_virtual(f) ? ", virtual datasets over the segments beside it" : "", "dataset", "shape",
         "unit", "meaning");
  int status = AD_OK;
  for (size_t i = 0; i < count && status == AD_OK; i++) {
    const struct ad_snapshot_column *c = &columns[i];
    char shape[64] = "";
    size_t used = c->once ? 0 : (size_t)snprintf(shape, sizeof shape, "%zu", rows);
    for (size_t d = 0; d < c->dimensions; d++) {
      used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%zu", used > 0 ? ", " : "", c->shape[d]);
    }
    printf("%-20s  [%s]%*s  %-9s  %s\n", ad_shown(c->name), shape, (int)(16 - strlen(shape)), "", ad_shown(c->unit),
           ad_shown(c->meaning));
    if (!c->once && c->dimensions == 0) {
      status = print_ends(f, i, c, rows);
    }
  }
  ad_snapshot_file_close(f);
  return status;
}
