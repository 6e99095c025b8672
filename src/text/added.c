#include "added.h"

#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

struct ad_added_token *ad_added_find(const struct ad_added *added, const char *content) {
  const json_t *place = json_object_get(added->places, content);
  return place == NULL ? NULL : &added->items[json_integer_value(place)];
}

static int append(struct ad_added *added, const char *content) {
  void *items = added->items;
  AD_TRY(ad_reserve(&items, &added->capacity, added->count + 1, sizeof *added->items));
  added->items = items;
  if (added->places == NULL) {
    added->places = json_object();
  }
  char *copy = ad_strdup(content);
  if (copy == NULL || json_object_set_new(added->places, content, json_integer((json_int_t)added->count)) != 0) {
    ad_free(copy);
    return ad_fail_memory(strlen(content) + 1, "an added token");
  }
  added->items[added->count++] = (struct ad_added_token){.content = copy, .id = -1};
  return AD_OK;
}

int ad_added_put(struct ad_added *added, const struct ad_added_token *token) {
  if (ad_added_find(added, token->content) == NULL) {
    AD_TRY(append(added, token->content));
  }
  struct ad_added_token *found = ad_added_find(added, token->content);
  const struct ad_added_token before = *found;
  *found = *token;
  found->content = before.content;
  found->id = token->id >= 0 ? token->id : before.id;
  return AD_OK;
}

void ad_added_destroy(struct ad_added *added) {
  for (size_t i = 0; i < added->count; i++) {
    ad_free(added->items[i].content);
  }
  ad_free(added->items);
  json_decref(added->places);
  *added = (struct ad_added){0};
}

static int by_pattern(const void *a, const void *b, void *patterns) {
  const char *const *pattern = patterns;
  return strcmp(pattern[*(const uint32_t *)a], pattern[*(const uint32_t *)b]);
}

/* The patterns [count] in order, and their places; the numbers of both in `numbers`. */
static int sort(const char *const *patterns, const uint32_t *places, size_t count, uint32_t *numbers,
                const char **sorted, uint32_t *values, size_t *doubled) {
  for (size_t i = 0; i < count; i++) {
    numbers[i] = (uint32_t)i;
  }
  qsort_r(numbers, count, sizeof *numbers, by_pattern, (void *)(uintptr_t)patterns);
  for (size_t i = 0; i < count; i++) {
    sorted[i] = patterns[numbers[i]];
    values[i] = places[numbers[i]];
    if (i > 0 && strcmp(sorted[i - 1], sorted[i]) == 0) {
      *doubled = values[i];
      return ad_fail(AD_EINPUT, "\"%s\" is there twice", sorted[i]);
    }
  }
  return AD_OK;
}

int ad_matcher_create(struct ad_matcher *matcher, const char *const *patterns, const uint32_t *places, size_t count,
                      size_t *doubled) {
  *matcher = (struct ad_matcher){0};
  if (count == 0) {
    return AD_OK;
  }
  uint32_t *numbers = ad_malloc(2 * count, sizeof *numbers);
  const char **sorted = ad_malloc(count, sizeof *sorted);
  int status = numbers == NULL || sorted == NULL
                   ? ad_fail_memory(count * (2 * sizeof *numbers + sizeof *sorted), "sorting added tokens")
                   : sort(patterns, places, count, numbers, sorted, numbers + count, doubled);
  if (status == AD_OK) {
    status = ad_trie_create(&matcher->trie, sorted, numbers + count, count);
  }
  for (size_t i = 0; status == AD_OK && i < count; i++) {
    matcher->begins[(unsigned char)patterns[i][0]] = 1;
  }
  matcher->used = status == AD_OK;
  ad_free(numbers);
  ad_free(sorted);
  return status;
}

void ad_matcher_destroy(struct ad_matcher *matcher) {
  ad_trie_destroy(&matcher->trie);
  *matcher = (struct ad_matcher){0};
}

size_t ad_matcher_find(const struct ad_matcher *matcher, const char *text, size_t size, size_t from, uint32_t *place,
                       size_t *length) {
  const struct ad_trie *trie = &matcher->trie;
  for (size_t start = matcher->used ? from : size; start < size; start++) {
    if (!matcher->begins[(unsigned char)text[start]]) {
      continue;
    }
    *length = 0;
    uint32_t node = 0;
    for (size_t i = start; i < size && node != AD_TRIE_NONE;) {
      node = ad_trie_step(trie, node, (unsigned char)text[i++]);
      if (node != AD_TRIE_NONE && trie->node[node].value != AD_TRIE_NONE) {
        *place = trie->node[node].value;
        *length = i - start;
      }
    }
    if (*length > 0) {
      return start;
    }
  }
  return size;
}
