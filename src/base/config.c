/* The table of keys: values in, out, and explained. */
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "autodidact/base/yaml.h"
#include "config_internal.h"

const char *ad__config_kind(enum config_kind kind) {
  static const char *const names[] = {"text",          "a whole number", "a number",
                                      "true or false", "a choice",       "a whole number or all"};
  return names[kind];
}

/* The choices of a key as "a|b|c". */
#define AD_CONFIG_CHOICES_TEXT(set) ""
#define AD_CONFIG_CHOICES_COUNT(set) ""
#define AD_CONFIG_CHOICES_REAL(word) word
#define AD_CONFIG_CHOICES_SWITCH(set) ""
#define AD_CONFIG_CHOICES_SPAN(set) ""
#define AD_CONFIG_CHOICES_CHOICE(set) AD_SET_CHOICES(set)

/* And what each means. */
#define AD_CONFIG_HELPS_TEXT(set) ""
#define AD_CONFIG_HELPS_COUNT(set) ""
#define AD_CONFIG_HELPS_REAL(set) ""
#define AD_CONFIG_HELPS_SWITCH(set) ""
#define AD_CONFIG_HELPS_SPAN(set) ""
#define AD_CONFIG_HELPS_CHOICE(set) AD_SET_HELPS(set)

_Static_assert(sizeof(enum ad_select) == sizeof(int), "a choice is set and read as an int");

const struct config_option ad__config_options[AD_CONFIG_KEYS] = {
#define AD_CONFIG_ROW(kind, role, field, key, initial, lowest, highest, choices, when, help) \
  {CONFIG_KIND_##kind,                                                                       \
   AD_ROLE_##role,                                                                           \
   key,                                                                                      \
   offsetof(struct ad_config, field),                                                        \
   initial,                                                                                  \
   lowest,                                                                                   \
   highest,                                                                                  \
   AD_CONFIG_CHOICES_##kind(choices),                                                        \
   AD_CONFIG_HELPS_##kind(choices),                                                          \
   when,                                                                                     \
   help},
    AD_CONFIG_MAP(AD_CONFIG_ROW)
#undef AD_CONFIG_ROW
};

static void *field_of(struct ad_config *config, const struct config_option *option) {
  return (char *)config + option->offset;
}

const struct config_option *ad__config_find(const char *key) {
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    if (strcmp(ad__config_options[i].key, key) == 0) {
      return &ad__config_options[i];
    }
  }
  return NULL;
}

static int fail_unknown(const char *place, const char *key) {
  struct ad_buffer meant = {0};
  int status = strncmp(key, "study.", 6) == 0
                   ? ad_buffer_puts(&meant, "`autodidact study run` takes the file of a study")
                   : ad_config_suggest(key, &meant);
  status = status == AD_OK ? ad_fail(AD_ECONFIG, "%s: unknown key '%s'; %s", place, key, meant.data) : status;
  ad_buffer_destroy(&meant);
  return status;
}

static int fail_value(const struct config_option *option, const char *place, const char *value) {
  if (option->kind == CONFIG_KIND_CHOICE) {
    return ad_fail(AD_ECONFIG, "%s: %s is '%s', expected one of %s", place, option->key, value, option->choices);
  }
  if (option->kind == CONFIG_KIND_COUNT || option->kind == CONFIG_KIND_REAL || option->kind == CONFIG_KIND_SPAN) {
    return ad_fail(AD_ECONFIG, "%s: %s is '%s', expected %s from %.10g to %.10g%s%s", place, option->key, value,
                   ad__config_kind(option->kind), option->lowest, option->highest,
                   option->choices[0] != '\0' ? ", or " : "", option->choices);
  }
  return ad_fail(AD_ECONFIG, "%s: %s is '%s', expected %s", place, option->key, value, ad__config_kind(option->kind));
}

/* Computing is done in float32: there a number must not become 0 or 1, where a share or a rate loses its meaning. */
static int is_single(double number) {
  const float single = (float)number;
  return number == 0.0 || number == 1.0 || (fabsf(single) >= FLT_MIN && single != 1.0f);
}

static int set_number(const struct config_option *option, const char *place, const char *value, void *field) {
  char *end = NULL;
  errno = 0;
  if (option->kind == CONFIG_KIND_REAL && option->choices[0] != '\0' && strcmp(value, option->choices) == 0) {
    *(double *)field = 0.0;
    return AD_OK;
  }
  if (option->kind == CONFIG_KIND_REAL) {
    const double number = strtod(value, &end);
    if (end == value || *end != '\0' || errno == ERANGE || !(number >= option->lowest && number <= option->highest)) {
      return fail_value(option, place, value);
    }
    if (!is_single(number)) {
      return ad_fail(AD_ECONFIG,
                     "%s: %s is '%s', which is %g in float32: expected %g itself, or a number further from it", place,
                     option->key, value, rint(number), rint(number));
    }
    *(double *)field = number;
    return AD_OK;
  }
  if (option->kind == CONFIG_KIND_SPAN && strcmp(value, "all") == 0) {
    *(uint64_t *)field = 0;
    return AD_OK;
  }
  const unsigned long long number = strtoull(value, &end, 10);
  if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno == ERANGE || (double)number < option->lowest ||
      (double)number > option->highest) {
    return fail_value(option, place, value);
  }
  *(uint64_t *)field = number;
  return AD_OK;
}

int ad_config_set(struct ad_config *config, const char *place, const char *key, const char *value) {
  const struct config_option *option = ad__config_find(key);
  if (option == NULL) {
    return fail_unknown(place, key);
  }
  void *field = field_of(config, option);
  config->given[option - ad__config_options] = 1;
  switch (option->kind) {
    case CONFIG_KIND_COUNT:
    case CONFIG_KIND_SPAN:
    case CONFIG_KIND_REAL:
      return set_number(option, place, value, field);
    case CONFIG_KIND_SWITCH: {
      const int on = strcmp(value, "true") == 0;
      if (!on && strcmp(value, "false") != 0) {
        return fail_value(option, place, value);
      }
      *(int *)field = on;
      return AD_OK;
    }
    case CONFIG_KIND_CHOICE: {
      const int choice = ad_choices_find(option->choices, value, strlen(value));
      if (choice < 0) {
        return fail_value(option, place, value);
      }
      *(int *)field = choice;
      return AD_OK;
    }
    case CONFIG_KIND_TEXT:
      break;
  }
  const size_t size = strlen(value), valid = ad_utf8_valid(value, size);
  if (valid < size) {
    return ad_fail(AD_ECONFIG, "%s: %s is no UTF-8 from byte %zu on (%02X), and so could not be kept in config.yaml",
                   place, option->key, valid + 1, (unsigned char)value[valid]);
  }
  char *copy = ad_strdup(value);
  if (copy == NULL) {
    return ad_fail_memory(strlen(value) + 1, key);
  }
  ad_free(*(char **)field);
  *(char **)field = copy;
  return AD_OK;
}

int ad_config_set_default(struct ad_config *config, const char *key, const char *value) {
  AD_TRY(ad_config_set(config, "default", key, value));
  config->given[ad__config_find(key) - ad__config_options] = 0;
  return AD_OK;
}

int ad_config_reset(struct ad_config *config, enum ad_role role) {
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    if (ad__config_options[i].role == role) {
      AD_TRY(ad_config_set_default(config, ad__config_options[i].key, ad__config_options[i].initial));
    }
  }
  return AD_OK;
}

int ad_config_create(struct ad_config *config) {
  *config = (struct ad_config){0};
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    const int status = ad_config_set_default(config, ad__config_options[i].key, ad__config_options[i].initial);
    if (status != AD_OK) {
      ad_config_destroy(config);
      return status;
    }
  }
  return AD_OK;
}

void ad_config_destroy(struct ad_config *config) {
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    if (ad__config_options[i].kind == CONFIG_KIND_TEXT) {
      ad_free(*(char **)field_of(config, &ad__config_options[i]));
    }
  }
  *config = (struct ad_config){0};
}

/* Where a file has each key, in the table's order; 0: not (yet). */
struct places {
  size_t line[AD_CONFIG_KEYS], count;
};

/* A key may be written nested and dotted: as often as once all the same. */
static int note_place(struct places *places, const char *place, const char *key, size_t line) {
  size_t *first = &places->line[ad__config_find(key) - ad__config_options];
  if (*first != 0) {
    return ad_fail(AD_ECONFIG, "%s: %s is there twice (first at line %zu)", place, key, *first);
  }
  *first = line;
  places->count++;
  return AD_OK;
}

static int fail_list(const char *place, const char *key) {
  const struct config_option *option = ad__config_find(key);
  return option == NULL ? fail_unknown(place, key)
                        : ad_fail(AD_ECONFIG, "%s: %s is a list, expected one %s", place, key,
                                  option->kind == CONFIG_KIND_TEXT ? "text, without brackets, as a,b" : "value");
}

/* Sets a key that may be a list from one: [a, b] is "a,b". */
static int set_list(struct ad_config *config, const char *place, const char *key, const struct ad_yaml *list) {
  struct ad_buffer text = {0};
  if (!ad_config_is_list(key)) {
    return fail_list(place, key);
  }
  int status = ad_buffer_puts(&text, "");
  for (size_t i = 0; i < list->count && status == AD_OK; i++) {
    const struct ad_yaml *item = list->items[i];
    status = item->kind != AD_YAML_SCALAR || strchr(item->text, ',') != NULL
                 ? ad_fail(AD_ECONFIG, "%s: item %zu of %s is %s, expected one text without commas", place, i + 1, key,
                           item->kind == AD_YAML_SCALAR ? item->text : "a list or mapping")
                 : ad_buffer_printf(&text, "%s%s", i == 0 ? "" : ",", item->text);
  }
  status = status == AD_OK ? ad_config_set(config, place, key, text.data) : status;
  ad_buffer_destroy(&text);
  return status;
}

/* Sets the keys of a mapping whose own key is `prefix` ("" at the top). */
static int set_tree(struct ad_config *config, const char *path, const char *prefix, const struct ad_yaml *tree,
                    struct places *places) {
  for (size_t i = 0; i < tree->count; i++) {
    char key[128], place[1024];
    const struct ad_yaml *item = tree->items[i];
    snprintf(key, sizeof key, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", tree->keys[i]);
    snprintf(place, sizeof place, "%s:%zu", path, item->line);
    if (item->kind == AD_YAML_MAPPING) {
      AD_TRY(set_tree(config, path, key, item, places));
    } else {
      AD_TRY(item->kind == AD_YAML_SCALAR ? ad_config_set(config, place, key, item->text)
                                          : set_list(config, place, key, item));
      AD_TRY(note_place(places, place, key, item->line));
    }
  }
  return AD_OK;
}

int ad_config_read(struct ad_config *config, const char *path) {
  struct ad_yaml *tree = NULL;
  AD_TRY(ad_yaml_read(&tree, path));
  struct places places = {.count = 0};
  const int status = set_tree(config, path, "", tree, &places);
  ad_yaml_destroy(tree);
  if (status != AD_OK || 2 * places.count <= AD_CONFIG_KEYS) {
    return status;
  }
  const int older = places.line[AD_KEY_model_head] == 0;
  AD_TRY(older ? ad_config_set(config, path, "model.head", "new") : AD_OK);
  memset(config->given, 0, sizeof config->given);
  return AD_OK;
}

int ad_config_override(struct ad_config *config, const char *assignment) {
  const char *equals = strchr(assignment, '=');
  if (equals == NULL || equals == assignment) {
    return ad_fail(AD_ECONFIG, "command line: '%s', expected key=value", assignment);
  }
  char *key = ad_strndup(assignment, (size_t)(equals - assignment));
  if (key == NULL) {
    return ad_fail_memory(strlen(assignment), "a key");
  }
  const int status = ad_config_set(config, "command line", key, equals + 1);
  ad_free(key);
  return status;
}

/* The shortest decimal that reads back as the same double. */
static void print_real(double value, char text[40]) {
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, 40, "%.*g", digits, value);
    if (strtod(text, NULL) == value) {
      return;
    }
  }
}

static int print_value(const struct ad_config *config, const struct config_option *option, struct ad_buffer *out) {
  const void *field = config_field(config, option);
  char text[40];
  switch (option->kind) {
    case CONFIG_KIND_TEXT:
      return ad_yaml_quote(out, *(char *const *)field);
    case CONFIG_KIND_SPAN:
      if (*(const uint64_t *)field == 0) {
        return ad_buffer_puts(out, "all");
      }
      return ad_buffer_printf(out, "%" PRIu64, *(const uint64_t *)field);
    case CONFIG_KIND_COUNT:
      return ad_buffer_printf(out, "%" PRIu64, *(const uint64_t *)field);
    case CONFIG_KIND_REAL:
      print_real(*(const double *)field, text);
      return ad_buffer_puts(out, text);
    case CONFIG_KIND_SWITCH:
      return ad_buffer_puts(out, *(const int *)field ? "true" : "false");
    case CONFIG_KIND_CHOICE: {
      const char *p = option->choices;
      for (int i = *(const int *)field; i > 0; i--) {
        p += strcspn(p, "|") + 1;
      }
      return ad_buffer_append(out, p, strcspn(p, "|"));
    }
  }
  return AD_OK;
}

int ad_config_print(const struct ad_config *config, struct ad_buffer *out) {
  const char *section = "";
  size_t width = 0;
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    const char *key = ad__config_options[i].key;
    const size_t dot = strcspn(key, ".");
    if (dot != width || strncmp(section, key, dot) != 0) {
      section = key;
      width = dot;
      AD_TRY(ad_buffer_printf(out, "%.*s:\n", (int)dot, key));
    }
    AD_TRY(ad_buffer_printf(out, "  %s: ", key + dot + 1));
    AD_TRY(print_value(config, &ad__config_options[i], out));
    AD_TRY(ad_buffer_puts(out, "\n"));
  }
  return AD_OK;
}

const char *ad_config_key(size_t i) {
  return i < AD_CONFIG_KEYS ? ad__config_options[i].key : NULL;
}

int ad_config_get(const struct ad_config *config, const char *key, struct ad_buffer *out) {
  const struct config_option *option = ad__config_find(key);
  if (option == NULL) {
    return fail_unknown("configuration", key);
  }
  return option->kind == CONFIG_KIND_TEXT ? ad_buffer_puts(out, *(char *const *)config_field(config, option))
                                          : print_value(config, option, out);
}
