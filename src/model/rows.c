#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/encoder.h"

int ad_rows_create(struct ad_rows *rows, size_t V) {
  *rows = (struct ad_rows){.slot = ad_calloc(V, sizeof *rows->slot), .touched = ad_calloc(V, 1)};
  if (rows->slot == NULL || rows->touched == NULL) {
    ad_rows_destroy(rows);
    return ad_fail_memory(V * 5, "the touched rows");
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
  for (size_t i = 0; i < rows->count; i++) {
    rows->touched[rows->ids[i]] = 0;
  }
  rows->count = 0;
}

int ad_rows_add(struct ad_rows *rows, size_t n, const uint32_t *ids) {
  void *array = rows->ids;
  const int status = ad_reserve(&array, &rows->capacity, rows->count + n, sizeof *rows->ids);
  rows->ids = array;
  AD_TRY(status);
  for (size_t i = 0; i < n; i++) {
    if (!rows->touched[ids[i]]) {
      rows->touched[ids[i]] = 1;
      rows->ids[rows->count++] = ids[i];
    }
  }
  return AD_OK;
}

static int compare_ids(const void *a, const void *b) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

void ad_rows_order(struct ad_rows *rows) {
  if (rows->count > 1) {
    qsort(rows->ids, rows->count, sizeof *rows->ids, compare_ids);
  }
  for (size_t i = 0; i < rows->count; i++) {
    rows->slot[rows->ids[i]] = (uint32_t)i;
  }
}
