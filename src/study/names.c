/* Names, small queries, and the end of a study in memory. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/texts.h"
#include "autodidact/data/descriptor.h"
#include "study_internal.h"

const char *ad_study_source_name(enum ad_study_source source) {
  return source == AD_SOURCE_DEV    ? ad_split_name(AD_SPLIT_DEV)
         : source == AD_SOURCE_TEST ? ad_split_name(AD_SPLIT_TEST)
                                    : ad_variant_name(source - AD_SOURCE_VARIANT);
}

int ad_study_find_axis(const struct ad_study *study, const char *key) {
  for (size_t a = 0; a < study->axis_count; a++) {
    if (strcmp(study->axes[a].key, key) == 0) {
      return (int)a;
    }
  }
  return -1;
}

const char *ad_study_label(const struct ad_study *study, const struct ad_study_cell *cell, char *text, size_t size) {
  int used = snprintf(text, size, "%s", study->arms[cell->arm].name);
  for (size_t a = 0; a < study->axis_count; a++) {
    const struct ad_study_axis *axis = &study->axes[a];
    if (axis->seed && used >= 0 && (size_t)used < size) {
      used += snprintf(text + used, size - (size_t)used, ", %s=%s", axis->key, axis->values[cell->level[a]]);
    }
  }
  return text;
}

char *ad_study_folder(const struct ad_study *study, const struct ad_study_cell *cell) {
  char name[32];
  snprintf(name, sizeof name, "runs/%016" PRIx64, cell->id);
  return ad_path_join(study->dir, name);
}

int ad__study_fail(const char *path, const struct ad_yaml *at, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return ad_fail(AD_ECONFIG, "%s:%zu: %s", path, at->line, text);
}

static int add_leaves(struct study_leaves *leaves, const char *path, const char *prefix, const struct ad_yaml *tree) {
  if (tree->kind == AD_YAML_SCALAR && tree->text[0] == '\0' && !tree->quoted) {
    return AD_OK; /* "arm:" with nothing behind it */
  }
  if (tree->kind != AD_YAML_MAPPING) {
    return ad__study_fail(path, tree, "expected keys and values, found %s",
                          tree->kind == AD_YAML_SCALAR ? "plain text" : "a list");
  }
  for (size_t i = 0; i < tree->count; i++) {
    char key[160];
    snprintf(key, sizeof key, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", tree->keys[i]);
    if (tree->items[i]->kind == AD_YAML_MAPPING) {
      AD_TRY(add_leaves(leaves, path, key, tree->items[i]));
      continue;
    }
    void *items = leaves->items;
    AD_TRY(ad_reserve(&items, &leaves->capacity, leaves->count + 1, sizeof *leaves->items));
    leaves->items = items;
    char *copy = ad_strdup(key);
    if (copy == NULL) {
      return ad_fail_memory(strlen(key) + 1, "a key");
    }
    leaves->items[leaves->count++] = (struct study_leaf){copy, tree->items[i]};
  }
  return AD_OK;
}

/* A key may be written nested and dotted: as often as once all the same. */
static int check_leaves(const struct study_leaves *leaves, const char *path) {
  const size_t n = leaves->count;
  const char **keys = ad_malloc(n, sizeof *keys);
  size_t before = 0, doubled = n, *order = ad_malloc(n, sizeof *order);
  if (keys != NULL && order != NULL) {
    for (size_t i = 0; i < n; i++) {
      keys[i] = leaves->items[i].key;
    }
    ad_texts_order(keys, n, order);
    doubled = ad_texts_doubled(keys, n, order, &before);
  }
  int status = keys == NULL || order == NULL ? ad_fail_memory(2 * n * sizeof *keys, "keys") : AD_OK;
  if (doubled < n) {
    status = ad__study_fail(path, leaves->items[doubled].value, "%s is there twice (first at line %zu)", keys[doubled],
                            leaves->items[before].value->line);
  }
  ad_free(keys);
  ad_free(order);
  return status;
}

int ad__study_leaves_read(struct study_leaves *leaves, const char *path, const struct ad_yaml *tree) {
  AD_TRY(add_leaves(leaves, path, "", tree));
  return leaves->count > 1 ? check_leaves(leaves, path) : AD_OK;
}

void ad__study_leaves_destroy(struct study_leaves *leaves) {
  for (size_t i = 0; i < leaves->count; i++) {
    ad_free(leaves->items[i].key);
  }
  ad_free(leaves->items);
  *leaves = (struct study_leaves){0};
}

int ad__study_add_setting(struct ad_study_arm *arm, const char *key, const char *value) {
  struct ad_study_setting *items = ad_realloc(arm->settings, arm->count + 1, sizeof *items);
  if (items == NULL) {
    return ad_fail_memory((arm->count + 1) * sizeof *items, "the settings of an arm");
  }
  arm->settings = items;
  items[arm->count] = (struct ad_study_setting){ad_strdup(key), ad_strdup(value)};
  arm->count++;
  return items[arm->count - 1].key == NULL || items[arm->count - 1].value == NULL
             ? ad_fail_memory(strlen(key) + strlen(value) + 2, "a setting of an arm")
             : AD_OK;
}

const char *ad__study_arm_value(const struct ad_study_arm *arm, const char *key) {
  for (size_t i = 0; i < arm->count; i++) {
    if (strcmp(arm->settings[i].key, key) == 0) {
      return arm->settings[i].value;
    }
  }
  return NULL;
}

void ad__study_arm_destroy(struct ad_study_arm *arm) {
  for (size_t i = 0; i < arm->count; i++) {
    ad_free(arm->settings[i].key);
    ad_free(arm->settings[i].value);
  }
  ad_free(arm->settings);
  ad_free(arm->name);
  ad_free(arm->own);
  ad_free(arm->setting);
  *arm = (struct ad_study_arm){0};
}

void ad_study_destroy(struct ad_study *study) {
  for (size_t a = 0; a < study->axis_count; a++) {
    for (size_t v = 0; v < study->axes[a].count; v++) {
      ad_free(study->axes[a].values[v]);
    }
    ad_free(study->axes[a].values);
    ad_free(study->axes[a].key);
  }
  for (size_t i = 0; i < study->arm_count; i++) {
    ad__study_arm_destroy(&study->arms[i]);
  }
  ad_free(study->axes);
  ad_free(study->arms);
  ad_free(study->cells);
  ad_free(study->levels);
  ad_free(study->path);
  ad_free(study->name);
  ad_free(study->dir);
  ad__study_analysis_destroy(&study->analysis);
  ad_config_destroy(&study->base);
  *study = (struct ad_study){0};
}
