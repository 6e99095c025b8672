/* From axes to cells. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/texts.h"
#include "study_internal.h"

enum { MOST_CELLS = 1000000, MOST_VALUES = 10000 };

enum design { CROSSED, LISTED, LATIN, DESIGNS };
static const char *const design_names[] = {"crossed", "listed", "latin"};

/* Places on an axis, as the file lists them: numbers of values. */
struct sequence {
  uint32_t *level; /* [count] owned */
  size_t *line;    /* [count] of the file; owned */
  size_t count, capacity;
};

/* A further value of an axis; equal ones are brought together later (find_levels). */
static int add_text(struct study_draft *d, struct ad_study_axis *axis, const struct ad_yaml *at, const char *text,
                    struct sequence *sequence) {
  void *values = axis->values, *lines = sequence->line;
  size_t capacity = sequence->capacity;
  AD_TRY(ad_reserve(&values, &capacity, axis->count + 1, sizeof *axis->values));
  axis->values = values;
  capacity = sequence->capacity;
  AD_TRY(ad_reserve(&lines, &capacity, axis->count + 1, sizeof *sequence->line));
  sequence->line = lines;
  sequence->capacity = capacity;
  sequence->line[axis->count] = at->line;
  AD_TRY(ad__study_settle_value(d, at, axis->key, text, &axis->values[axis->count]));
  axis->count++;
  return AD_OK;
}

/* The distinct values of an axis in the order of the file, order [count] being work memory, and the level of each
 * place. */
static int join_values(const struct study_draft *d, struct ad_study_axis *axis, int distinct, struct sequence *sequence,
                       size_t *order) {
  const char *const *texts = (const char *const *)axis->values;
  const size_t n = axis->count;
  size_t before, kept = 0;
  ad_texts_order(texts, n, order);
  const size_t doubled = ad_texts_doubled(texts, n, order, &before);
  if (doubled < n && distinct) {
    const struct ad_yaml at = {.line = sequence->line[doubled]};
    return ad__study_fail(d->study->path, &at, "axes: %s has the value %s twice", axis->key, texts[doubled]);
  }
  for (size_t i = 0; i < n; i++) {
    /* Equal values stand together, the first one in front: all take its place. */
    const int same = i > 0 && strcmp(texts[order[i - 1]], texts[order[i]]) == 0;
    sequence->level[order[i]] = same ? sequence->level[order[i - 1]] : (uint32_t)order[i];
  }
  for (size_t i = 0; i < n; i++) {
    const size_t first = sequence->level[i];
    if (first == i) {
      order[i] = kept;
      axis->values[kept++] = axis->values[i];
    } else {
      ad_free(axis->values[i]);
    }
    sequence->level[i] = (uint32_t)order[first];
  }
  axis->count = kept;
  sequence->count = n;
  return AD_OK;
}

static int find_levels(const struct study_draft *d, struct ad_study_axis *axis, int distinct,
                       struct sequence *sequence) {
  size_t *order = ad_malloc(axis->count, sizeof *order);
  sequence->level = ad_malloc(axis->count, sizeof *sequence->level);
  const int status = order == NULL || sequence->level == NULL
                         ? ad_fail_memory(axis->count * 2 * sizeof *order, "the values of an axis")
                         : join_values(d, axis, distinct, sequence, order);
  ad_free(order);
  return status;
}

/* "3..7"; 1 where the text is a range. */
static int parse_range(const char *text, unsigned long long *first, unsigned long long *last) {
  const char *dots = strstr(text, "..");
  if (dots == NULL || dots == text || strspn(text, "0123456789") != (size_t)(dots - text) || dots[2] == '\0' ||
      strspn(dots + 2, "0123456789") != strlen(dots + 2) || strlen(text) > 36) {
    return 0;
  }
  *first = strtoull(text, NULL, 10);
  *last = strtoull(dots + 2, NULL, 10);
  return 1;
}

/* "0-9" for a key of numbers, as other programs write a range. */
static int is_dashed(const char *key, const char *text) {
  const enum ad_config_values values = ad_config_values(key);
  const size_t digits = strspn(text, "0123456789");
  return (values == AD_VALUES_COUNT || values == AD_VALUES_REAL) && digits > 0 && text[digits] == '-' &&
         text[digits + 1] != '\0' && strspn(text + digits + 1, "0123456789") == strlen(text + digits + 1);
}

static int add_value(struct study_draft *d, struct ad_study_axis *axis, const struct ad_yaml *at,
                     struct sequence *sequence) {
  unsigned long long first, last;
  if (at->kind != AD_YAML_SCALAR) {
    return ad__study_fail(d->study->path, at, "axes: %s: expected a list of single values", axis->key);
  }
  if (!at->quoted && is_dashed(axis->key, at->text)) {
    return ad__study_fail(d->study->path, at, "axes: %s is '%s', expected numbers; a range is written 0..9", axis->key,
                          at->text);
  }
  if (at->quoted || !parse_range(at->text, &first, &last)) {
    return add_text(d, axis, at, at->text, sequence);
  }
  if (last < first || last - first >= MOST_VALUES) {
    return ad__study_fail(d->study->path, at, "axes: %s: the range %s has no value or more than %d", axis->key,
                          at->text, MOST_VALUES);
  }
  for (unsigned long long value = first; value <= last; value++) {
    char text[32];
    snprintf(text, sizeof text, "%llu", value);
    AD_TRY(add_text(d, axis, at, text, sequence));
  }
  return AD_OK;
}

static int read_axis(struct study_draft *d, const struct study_leaf *leaf, int distinct, struct sequence *sequence) {
  struct ad_study *s = d->study;
  const struct ad_yaml *at = leaf->value;
  if (ad_study_find_axis(s, leaf->key) >= 0) {
    return ad__study_fail(s->path, at, "axes: %s is there twice", leaf->key);
  }
  void *axes = s->axes;
  AD_TRY(ad_reserve(&axes, &d->axis_capacity, s->axis_count + 1, sizeof *s->axes));
  s->axes = axes;
  struct ad_study_axis *axis = &s->axes[s->axis_count];
  *axis = (struct ad_study_axis){.key = ad_strdup(leaf->key), .seed = ad_config_role(leaf->key) == AD_ROLE_SEED};
  s->axis_count++;
  if (axis->key == NULL) {
    return ad_fail_memory(strlen(leaf->key) + 1, "an axis");
  }
  if (at->kind == AD_YAML_SEQUENCE && at->count == 0) {
    return ad__study_fail(s->path, at, "axes: %s has no values", leaf->key);
  }
  if (at->kind == AD_YAML_SCALAR) {
    AD_TRY(add_value(d, axis, at, sequence));
  }
  for (size_t i = 0; i < at->count; i++) {
    AD_TRY(add_value(d, axis, at->items[i], sequence));
  }
  return find_levels(d, axis, distinct, sequence);
}

static size_t common_divisor(size_t a, size_t b) {
  return b == 0 ? a : common_divisor(b, a % b);
}

static int check_latin(const struct study_draft *d, const struct ad_yaml *at, const struct sequence *sequences,
                       size_t axes) {
  const size_t n = sequences[0].count;
  if (axes < 3) {
    return ad__study_fail(d->study->path, at, "axes.latin: found %zu axes, expected at least 3", axes);
  }
  for (size_t a = 1; a < axes; a++) {
    if (sequences[a].count != n) {
      return ad__study_fail(d->study->path, at, "axes.latin: an axis has %zu values, another one %zu, expected as many",
                            n, sequences[a].count);
    }
    if (a > 2 && common_divisor(a - 1, n) != 1) {
      return ad__study_fail(d->study->path, at,
                            "axes.latin: there is no square of %zu axes at %zu values here: choose a number of values "
                            "without a divisor from 2 to %zu",
                            axes, n, axes - 2);
    }
  }
  return AD_OK;
}

/* Square a of a Latin design: (row + (a - 1) column) mod n. Any two of them are orthogonal where the differences of
 * their factors have no divisor in common with n. */
static uint32_t latin_level(const struct sequence *sequences, size_t a, size_t row, size_t column) {
  const size_t n = sequences[0].count;
  return sequences[a].level[a == 0 ? row : a == 1 ? column : (row + (a - 1) * column) % n];
}

static int make_bundle(struct study_draft *d, const struct ad_yaml *at, enum design design, size_t first,
                       const struct sequence *sequences, size_t axes) {
  const size_t n = sequences[0].count;
  for (size_t a = 1; design == LISTED && a < axes; a++) {
    if (sequences[a].count != n) {
      return ad__study_fail(d->study->path, at, "axes.listed: %s has %zu values, %s %zu, expected as many",
                            d->study->axes[first].key, n, d->study->axes[first + a].key, sequences[a].count);
    }
  }
  AD_TRY(design == LATIN ? check_latin(d, at, sequences, axes) : AD_OK);
  if (design == LATIN && n > 1000) {
    return ad__study_fail(d->study->path, at, "axes.latin: found %zu values, expected at most 1000", n);
  }
  const size_t points = design == LATIN ? n * n : n;
  void *bundles = d->bundles;
  AD_TRY(ad_reserve(&bundles, &d->bundle_capacity, d->bundle_count + 1, sizeof *d->bundles));
  d->bundles = bundles;
  uint32_t *level = ad_malloc(points * axes, sizeof *level);
  if (level == NULL) {
    return ad_fail_memory(points * axes * sizeof *level, "the points of a design");
  }
  for (size_t p = 0; p < points; p++) {
    for (size_t a = 0; a < axes; a++) {
      level[p * axes + a] = design == LATIN ? latin_level(sequences, a, p / n, p % n) : sequences[a].level[p];
    }
  }
  d->bundles[d->bundle_count++] = (struct study_bundle){first, axes, points, level};
  return AD_OK;
}

/* The axes of one entry of `axes:`. Crossed ones are a bundle each. */
static int read_bundle(struct study_draft *d, const struct ad_yaml *at, enum design design,
                       const struct study_leaves *leaves) {
  const size_t first = d->study->axis_count;
  struct sequence *sequences = ad_calloc(leaves->count, sizeof *sequences);
  if (sequences == NULL) {
    return ad_fail_memory(leaves->count * sizeof *sequences, "axes");
  }
  int status = leaves->count == 0 ? ad__study_fail(d->study->path, at, "axes: no axis there") : AD_OK;
  for (size_t i = 0; status == AD_OK && i < leaves->count; i++) {
    status = read_axis(d, &leaves->items[i], design != LISTED, &sequences[i]);
    if (status == AD_OK && design == CROSSED) {
      status = make_bundle(d, at, design, first + i, &sequences[i], 1);
    }
  }
  if (status == AD_OK && design != CROSSED) {
    status = make_bundle(d, at, design, first, sequences, leaves->count);
  }
  for (size_t i = 0; i < leaves->count; i++) {
    ad_free(sequences[i].level);
    ad_free(sequences[i].line);
  }
  ad_free(sequences);
  return status;
}

int ad__study_read_axes(struct study_draft *d, const struct ad_yaml *tree) {
  if (tree->kind != AD_YAML_MAPPING) {
    return ad__study_fail(d->study->path, tree, "axes: expected configuration keys, each with its values");
  }
  for (size_t i = 0; i < tree->count; i++) {
    struct study_leaves leaves = {0};
    const struct ad_yaml one = {.kind = AD_YAML_MAPPING, .keys = tree->keys + i, .items = tree->items + i, .count = 1};
    int design = 0;
    while (design < DESIGNS && strcmp(tree->keys[i], design_names[design]) != 0) {
      design++;
    }
    int status = ad__study_leaves_read(&leaves, d->study->path, design < DESIGNS ? tree->items[i] : &one);
    if (status == AD_OK) {
      status = read_bundle(d, tree->items[i], design < DESIGNS ? (enum design)design : CROSSED, &leaves);
    }
    ad__study_leaves_destroy(&leaves);
    AD_TRY(status);
  }
  return AD_OK;
}

static int count_cells(struct study_draft *d) {
  size_t count = d->named_count;
  for (size_t b = 0; b < d->bundle_count; b++) {
    if (count > MOST_CELLS / d->bundles[b].points) {
      return ad_fail(AD_ECONFIG, "%s: the study has more than %d cells", d->study->path, MOST_CELLS);
    }
    count *= d->bundles[b].points;
  }
  d->study->count = count;
  return AD_OK;
}

/* Levels of all cells; the last bundle is the fastest. */
static void fill_levels(const struct study_draft *d) {
  const struct ad_study *s = d->study;
  for (size_t i = 0; i < s->count; i++) {
    uint32_t *row = s->levels + i * s->axis_count;
    size_t rest = i;
    for (size_t b = d->bundle_count; b-- > 0;) {
      const struct study_bundle *bundle = &d->bundles[b];
      memcpy(row + bundle->begin, bundle->level + rest % bundle->points * bundle->axes, bundle->axes * sizeof *row);
      rest /= bundle->points;
    }
    s->cells[i] = (struct ad_study_cell){.arm = rest, .level = row}; /* the named arm; make_arms settles it */
  }
}

/* Which axes make settings: where several arms are named all but seeds, otherwise those of files that are read, and
 * what is listed beside them. */
static void find_settings(struct study_draft *d) {
  for (size_t b = 0; b < d->bundle_count; b++) {
    struct ad_study_axis *axes = d->study->axes + d->bundles[b].begin;
    int setting = d->named_count > 1;
    for (size_t a = 0; a < d->bundles[b].axes; a++) {
      setting = setting || ad_config_role(axes[a].key) == AD_ROLE_INPUT;
    }
    for (size_t a = 0; a < d->bundles[b].axes; a++) {
      axes[a].setting = setting && !axes[a].seed;
    }
  }
}

/* Names of an arm while they are made. */
struct arm_names {
  struct ad_buffer whole, own, setting;
};

static int add_to_name(struct ad_buffer *name, const struct ad_study_axis *axis, const char *value) {
  return ad_buffer_printf(name, "%s%s=%s", name->size == 0 ? "" : " ", axis->key, value);
}

static int add_level(struct ad_study_arm *arm, const struct ad_study_axis *axis, size_t level,
                     struct arm_names *names) {
  AD_TRY(add_to_name(&names->whole, axis, axis->values[level]));
  AD_TRY(add_to_name(axis->setting ? &names->setting : &names->own, axis, axis->values[level]));
  return ad__study_add_setting(arm, axis->key, axis->values[level]);
}

static int take_names(struct ad_study_arm *arm, const struct arm_names *names) {
  arm->name = ad_strdup(names->whole.size == 0 ? "base" : names->whole.data);
  arm->own = ad_strdup(names->own.size == 0 ? "base" : names->own.data);
  arm->setting = ad_strdup(names->setting.size == 0 ? "" : names->setting.data);
  return arm->name == NULL || arm->own == NULL || arm->setting == NULL
             ? ad_fail_memory(2 * names->whole.size + 1, "the name of an arm")
             : AD_OK;
}

/* The arm of a cell: its named arm with its settings. */
static int make_arm(const struct study_draft *d, const struct ad_study_cell *cell, struct ad_study_arm *arm) {
  const struct ad_study *s = d->study;
  const struct ad_study_arm *named = &d->named[cell->arm];
  struct arm_names names = {0};
  int status = ad_buffer_puts(&names.whole, named->name);
  status = status == AD_OK ? ad_buffer_puts(&names.own, named->name) : status;
  *arm = (struct ad_study_arm){0};
  for (size_t i = 0; status == AD_OK && i < named->count; i++) {
    status = ad__study_add_setting(arm, named->settings[i].key, named->settings[i].value);
  }
  for (size_t a = 0; status == AD_OK && a < s->axis_count; a++) {
    status = s->axes[a].seed ? AD_OK : add_level(arm, &s->axes[a], cell->level[a], &names);
  }
  status = status == AD_OK ? take_names(arm, &names) : status;
  ad_buffer_destroy(&names.whole);
  ad_buffer_destroy(&names.own);
  ad_buffer_destroy(&names.setting);
  return status;
}

/* Which arm a cell belongs to, as one number. */
static uint64_t arm_code(const struct ad_study *s, const struct ad_study_cell *cell) {
  uint64_t code = ad_digest_pair(1, cell->arm);
  for (size_t a = 0; a < s->axis_count; a++) {
    code = s->axes[a].seed ? code : ad_digest_pair(code, cell->level[a]);
  }
  return code;
}

struct numbered {
  uint64_t value;
  size_t index;
};

static int by_value(const void *a, const void *b) {
  const struct numbered *x = a, *y = b;
  return x->value != y->value ? (x->value < y->value ? -1 : 1) : (x->index > y->index) - (x->index < y->index);
}

static int by_index(const void *a, const void *b) {
  const struct numbered *x = a, *y = b;
  return (x->index > y->index) - (x->index < y->index);
}

/* Finds the arms, in the order of their first cells. list [count]: work memory. */
static int make_arms(struct study_draft *d, struct numbered *list) {
  struct ad_study *s = d->study;
  size_t arms = 0;
  for (size_t i = 0; i < s->count; i++) {
    list[i] = (struct numbered){arm_code(s, &s->cells[i]), i};
  }
  qsort(list, s->count, sizeof *list, by_value);
  for (size_t i = 0; i < s->count; i++) {
    if (i == 0 || list[i].value != list[arms - 1].value) {
      list[arms++] = list[i];
    }
  }
  struct numbered *sorted = ad_malloc(arms, sizeof *sorted);
  s->arms = ad_calloc(arms, sizeof *s->arms);
  if (s->arms == NULL || sorted == NULL) {
    ad_free(sorted);
    return ad_fail_memory(arms * sizeof *s->arms, "the arms");
  }
  qsort(list, arms, sizeof *list, by_index);
  int status = AD_OK;
  for (size_t k = 0; status == AD_OK && k < arms; k++) {
    status = make_arm(d, &s->cells[list[k].index], &s->arms[k]);
    s->arm_count++;
    sorted[k] = (struct numbered){list[k].value, k};
  }
  qsort(sorted, arms, sizeof *sorted, by_value);
  for (size_t i = 0; status == AD_OK && i < s->count; i++) {
    const struct numbered wanted = {arm_code(s, &s->cells[i]), 0};
    size_t low = 0, high = arms;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      *(sorted[middle].value < wanted.value ? &low : &high) = sorted[middle].value < wanted.value ? middle + 1 : middle;
    }
    s->cells[i].arm = sorted[low].index;
  }
  ad_free(sorted);
  return status;
}

/* Digests of the arms, and whether all cells are different. */
static int compare_cells(struct study_draft *d, struct numbered *list) {
  struct ad_study *s = d->study;
  uint64_t base, with_inputs, change;
  uint64_t *whole = ad_calloc(s->arm_count, sizeof *whole);
  int status = whole == NULL ? ad_fail_memory(s->arm_count * sizeof *whole, "digests") : AD_OK;
  status = status == AD_OK ? ad__study_base_digest(s, 0, &base) : status;
  status = status == AD_OK ? ad__study_base_digest(s, 1, &with_inputs) : status;
  for (size_t k = 0; status == AD_OK && k < s->arm_count; k++) {
    struct ad_study_arm *arm = &s->arms[k];
    arm->digest = base;
    whole[k] = with_inputs;
    for (size_t i = 0; status == AD_OK && i < arm->count; i++) {
      status = ad__study_digest_change(s, arm->settings[i].key, arm->settings[i].value, &change);
      whole[k] += status == AD_OK ? change : 0;
      arm->digest += status == AD_OK && ad_config_identity(arm->settings[i].key) == AD_IDENTITY_VALUE ? change : 0;
    }
  }
  for (size_t i = 0; status == AD_OK && i < s->count; i++) {
    list[i].index = i;
    status = ad__study_cell_id(s, &s->cells[i], whole[s->cells[i].arm], 0, &list[i].value);
  }
  ad_free(whole);
  AD_TRY(status);
  qsort(list, s->count, sizeof *list, by_value);
  for (size_t i = 1; i < s->count; i++) {
    if (list[i].value == list[i - 1].value) {
      char one[300], other[300];
      return ad_fail(AD_ECONFIG, "%s: two cells are the same training: \"%s\" and \"%s\"", s->path,
                     ad_study_label(s, &s->cells[list[i - 1].index], one, sizeof one),
                     ad_study_label(s, &s->cells[list[i].index], other, sizeof other));
    }
  }
  return AD_OK;
}

int ad__study_lay_out(struct study_draft *d) {
  struct ad_study *s = d->study;
  AD_TRY(count_cells(d));
  s->cells = ad_calloc(s->count, sizeof *s->cells);
  s->levels = ad_calloc(s->count * s->axis_count, sizeof *s->levels);
  struct numbered *list = ad_calloc(s->count, sizeof *list);
  int status = s->cells == NULL || s->levels == NULL || list == NULL
                   ? ad_fail_memory(s->count * (sizeof *s->cells + sizeof *list), "the cells of a study")
                   : AD_OK;
  if (status == AD_OK) {
    find_settings(d);
    fill_levels(d);
    status = make_arms(d, list);
  }
  status = status == AD_OK ? compare_cells(d, list) : status;
  ad_free(list);
  return status;
}
