#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/encoder.h"

int ad_rows_create(struct ad_rows *rows, size_t V) {
  *rows = (struct ad_rows){.vocab = V,
                           .ids = ad_malloc(V, sizeof *rows->ids),
                           .slot = ad_calloc(V, sizeof *rows->slot),
                           .touched = ad_calloc(V, 1)};
  if (rows->ids == NULL || rows->slot == NULL || rows->touched == NULL) {
    ad_rows_destroy(rows);
    return ad_fail_memory(V * 9, "the touched rows");
  }
  return AD_OK;
}

void ad_rows_destroy(struct ad_rows *rows) {
  ad_free(rows->ids);
  ad_free(rows->slot);
  ad_free(rows->touched);
  *rows = (struct ad_rows){0};
}

void ad_rows_clear(struct ad_rows *rows) {
  memset(rows->touched, 0, rows->vocab);
  rows->count = 0;
}

void ad_rows_add(struct ad_rows *rows, size_t n, const uint32_t *ids) {
  for (size_t i = 0; i < n; i++) {
    rows->count += !rows->touched[ids[i]];
    rows->touched[ids[i]] = 1;
  }
}

/* By going through the marks, which are few enough: qsort allocates. */
void ad_rows_order(struct ad_rows *rows) {
  uint32_t found = 0;
  for (size_t v = 0; v < rows->vocab && found < rows->count; v++) {
    uint64_t eight;
    if (v % sizeof eight == 0 && v + sizeof eight <= rows->vocab) {
      memcpy(&eight, rows->touched + v, sizeof eight);
      if (eight == 0) {
        v += sizeof eight - 1;
        continue;
      }
    }
    if (rows->touched[v]) {
      rows->slot[v] = found;
      rows->ids[found++] = (uint32_t)v;
    }
  }
}

void ad_rows_fill(struct ad_rows *rows) {
  memset(rows->touched, 1, rows->vocab);
  rows->count = rows->vocab;
  ad_rows_order(rows);
}
