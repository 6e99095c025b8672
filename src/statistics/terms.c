/* Which runs share seeds. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "mixed_internal.h"

/* "init x order" of the factors in `set`. */
static void set_name(const struct ad_seeds *seeds, size_t set, size_t size, char *text) {
  size_t used = 0;
  text[0] = '\0';
  for (size_t f = 0; f < seeds->factors; f++) {
    if (set >> f & 1 && used < size) {
      used += (size_t)snprintf(text + used, size - used, "%s%.28s", used > 0 ? " x " : "", seeds->names[f]);
    }
  }
}

static int same_levels(const struct ad_seeds *seeds, size_t set, size_t i, size_t j) {
  for (size_t f = 0; f < seeds->factors; f++) {
    if (set >> f & 1 && seeds->level[f][i] != seeds->level[f][j]) {
      return 0;
    }
  }
  return 1;
}

/* Numbers the groups of runs with the same levels of `set` into group [n], in the order of their first runs; how many
 * there are. */
static size_t number_groups(const struct ad_seeds *seeds, size_t set, uint32_t *group, uint32_t *first) {
  size_t groups = 0;
  for (size_t i = 0; i < seeds->n; i++) {
    size_t g = 0;
    while (g < groups && !same_levels(seeds, set, first[g], i)) {
      g++;
    }
    if (g == groups) {
      first[groups++] = (uint32_t)i;
    }
    group[i] = (uint32_t)g;
  }
  return groups;
}

/* Numbered in the order of their first runs, equal divisions have equal numbers. */
static int is_known(const struct ad_terms *terms, const uint32_t *group, size_t n) {
  for (size_t t = 0; t < terms->count; t++) {
    if (memcmp(terms->group[t], group, n * sizeof *group) == 0) {
      return 1;
    }
  }
  return 0;
}

int ad_terms_of(struct ad_terms *terms, const struct ad_seeds *seeds) {
  static const size_t sets[] = {1, 2, 4, 3, 5, 6};
  const size_t all = ((size_t)1 << seeds->factors) - 1, n = seeds->n;
  *terms = (struct ad_terms){0};
  uint32_t *block = ad_malloc((AD_TERMS + 2) * (n + 1), sizeof *block), *first = block + (AD_TERMS + 1) * n;
  if (block == NULL) {
    return ad_fail_memory((AD_TERMS + 2) * (n + 1) * sizeof *block, "levels of seeds");
  }
  terms->group[0] = block;
  for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
    if ((sets[s] & all) != sets[s] || sets[s] == all) {
      continue;
    }
    uint32_t *group = block + terms->count * n;
    const size_t groups = number_groups(seeds, sets[s], group, first);
    if (groups == n && terms->rest[0] == '\0') {
      set_name(seeds, sets[s], sizeof terms->rest, terms->rest);
    }
    if (groups > 1 && groups < n && !is_known(terms, group, n)) {
      set_name(seeds, sets[s], sizeof terms->name[0], terms->name[terms->count]);
      terms->levels[terms->count] = groups;
      terms->group[terms->count++] = group;
    }
  }
  if (terms->rest[0] == '\0') {
    set_name(seeds, all, sizeof terms->rest, terms->rest);
  }
  return AD_OK;
}

/* 1 where runs that share a level of `inner` share one of `outer`. */
static int is_within(const struct ad_terms *terms, size_t inner, size_t outer, size_t n) {
  const uint32_t *in = terms->group[inner], *out = terms->group[outer];
  size_t seen = 0;
  for (size_t i = 0; i < n; i++) {
    /* Levels are numbered in the order of their first runs. */
    size_t first = i;
    if (in[i] < seen) {
      for (first = 0; in[first] != in[i]; first++) {
      }
    } else {
      seen = in[i] + (size_t)1;
    }
    if (out[first] != out[i]) {
      return 0;
    }
  }
  return 1;
}

size_t ad__outer_term(const struct ad_terms *terms, size_t n) {
  for (size_t outer = 0; outer < terms->count; outer++) {
    size_t inner = 0;
    while (inner < terms->count && is_within(terms, inner, outer, n)) {
      inner++;
    }
    if (inner == terms->count) {
      return outer;
    }
  }
  return terms->count;
}

void ad_terms_destroy(struct ad_terms *terms) {
  ad_free(terms->group[0]);
  *terms = (struct ad_terms){0};
}
