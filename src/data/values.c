#include "values.h"

#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

_Static_assert(2 * AD_DETECT_MOST_CLASSES < AD__VALUE_SLOTS, "half of the slots stay empty");

/* The slot of a value, or the empty one where it belongs. */
static size_t find_slot(const struct ad__values *values, struct ad_text_span value) {
  size_t slot = (size_t)(ad_digest(value.data, value.size) % AD__VALUE_SLOTS);
  for (; values->slots[slot] != 0; slot = (slot + 1) % AD__VALUE_SLOTS) {
    const char *item = values->items[values->slots[slot] - 1];
    if (strlen(item) == value.size && memcmp(item, value.data, value.size) == 0) {
      break;
    }
  }
  return slot;
}

static int append(struct ad__values *values, struct ad_text_span value, size_t slot) {
  void *items = values->items, *times = values->times;
  int status = ad_reserve(&items, &values->item_capacity, values->count + 1, sizeof *values->items);
  values->items = items;
  if (status == AD_OK) {
    status = ad_reserve(&times, &values->time_capacity, values->count + 1, sizeof *values->times);
    values->times = times;
  }
  AD_TRY(status);
  char *item = ad_strndup(value.data, value.size);
  if (item == NULL) {
    return ad_fail_memory(value.size + 1, "the values of a column");
  }
  values->items[values->count] = item;
  values->times[values->count] = 1;
  values->slots[slot] = (uint16_t)++values->count;
  return AD_OK;
}

int ad__values_add(struct ad__values *values, struct ad_text_span value) {
  if (values->slots == NULL) {
    values->slots = ad_calloc(AD__VALUE_SLOTS, sizeof *values->slots);
    if (values->slots == NULL) {
      return ad_fail_memory(AD__VALUE_SLOTS * sizeof *values->slots, "the values of a column");
    }
  }
  const size_t slot = find_slot(values, value);
  if (values->slots[slot] != 0) {
    values->times[values->slots[slot] - 1]++;
    return AD_OK;
  }
  values->many = values->many || values->count == AD_DETECT_MOST_CLASSES;
  return values->many ? AD_OK : append(values, value, slot);
}

size_t ad__values_times(const struct ad__values *values, struct ad_text_span value) {
  const size_t slot = values->slots == NULL ? 0 : find_slot(values, value);
  return values->slots == NULL || values->slots[slot] == 0 ? 0 : values->times[values->slots[slot] - 1];
}

/* --- Sorting. */

struct entry {
  char *item;
  size_t times;
};

static int compare_bytes(const void *a, const void *b) {
  return strcmp(((const struct entry *)a)->item, ((const struct entry *)b)->item);
}

/* Whole numbers that a long holds; equal ones ("1", "01") by bytes. */
static int compare_numbers(const void *a, const void *b) {
  const long long x = strtoll(((const struct entry *)a)->item, NULL, 10);
  const long long y = strtoll(((const struct entry *)b)->item, NULL, 10);
  return x == y ? compare_bytes(a, b) : x < y ? -1 : 1;
}

static int is_whole(const char *text) {
  const char *digits = text + (text[0] == '-');
  const size_t length = strlen(digits);
  return length > 0 && length <= 18 && strspn(digits, "0123456789") == length;
}

int ad__values_sort(struct ad__values *values) {
  struct entry *entries = ad_malloc(values->count, sizeof *entries);
  if (entries == NULL) {
    return ad_fail_memory(values->count * sizeof *entries, "the values of a column");
  }
  int whole = 1;
  for (size_t i = 0; i < values->count; i++) {
    entries[i] = (struct entry){values->items[i], values->times[i]};
    whole = whole && is_whole(values->items[i]);
  }
  if (values->count > 0) {
    qsort(entries, values->count, sizeof *entries, whole ? compare_numbers : compare_bytes);
    memset(values->slots, 0, AD__VALUE_SLOTS * sizeof *values->slots);
  }
  const size_t count = values->count;
  for (values->count = 0; values->count < count;) {
    const size_t i = values->count;
    values->items[i] = entries[i].item;
    values->times[i] = entries[i].times;
    const size_t slot = find_slot(values, (struct ad_text_span){entries[i].item, strlen(entries[i].item)});
    values->slots[slot] = (uint16_t)++values->count;
  }
  ad_free(entries);
  return AD_OK;
}

void ad__values_destroy(struct ad__values *values) {
  for (size_t i = 0; i < values->count; i++) {
    ad_free(values->items[i]);
  }
  ad_free(values->items);
  ad_free(values->times);
  ad_free(values->slots);
  *values = (struct ad__values){0};
}
