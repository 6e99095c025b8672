#include "autodidact/base/texts.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b, void *context) {
  const char *const *texts = context;
  const size_t x = *(const size_t *)a, y = *(const size_t *)b;
  const int order = strcmp(texts[x], texts[y]);
  return order != 0 ? order : (x > y) - (x < y);
}

void ad_texts_order(const char *const *texts, size_t count, size_t *order) {
  for (size_t i = 0; i < count; i++) {
    order[i] = i;
  }
  if (count > 1) {
    qsort_r(order, count, sizeof *order, compare, (void *)(size_t)texts);
  }
}

size_t ad_texts_doubled(const char *const *texts, size_t count, const size_t *order, size_t *before) {
  size_t doubled = count;
  for (size_t i = 1; i < count; i++) {
    if (order[i] < doubled && strcmp(texts[order[i - 1]], texts[order[i]]) == 0) {
      doubled = order[i];
      *before = order[i - 1]; /* the first one: a third has a larger number than the second */
    }
  }
  return doubled;
}

size_t ad_texts_find(const char *const *texts, size_t count, const size_t *order, const char *text) {
  size_t low = 0, high = count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (strcmp(texts[order[middle]], text) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < count && strcmp(texts[order[low]], text) == 0 ? order[low] : count;
}
