#include "autodidact/base/config.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/base/yaml.h"

enum kind { KIND_TEXT, KIND_COUNT, KIND_REAL, KIND_SWITCH, KIND_CHOICE, KIND_SPAN };

static const char *const kind_names[] = {"text",          "a whole number", "a number",
                                         "true or false", "a choice",       "a whole number or all"};

struct option {
  enum kind kind;
  const char *key;
  size_t offset; /* of the field in struct ad_config */
  const char *initial;
  double lowest, highest;
  const char *choices; /* "a|b|c" */
  const char *help;
};

static const struct option options[] = {
#define AD_CONFIG_ROW(kind, field, key, initial, lowest, highest, choices, help) \
  {KIND_##kind, key, offsetof(struct ad_config, field), initial, lowest, highest, choices, help},
    AD_CONFIG_MAP(AD_CONFIG_ROW)
#undef AD_CONFIG_ROW
};

enum { OPTION_COUNT = sizeof options / sizeof *options };

static void *field_of(struct ad_config *config, const struct option *option) {
  return (char *)config + option->offset;
}

static const void *const_field_of(const struct ad_config *config, const struct option *option) {
  return (const char *)config + option->offset;
}

size_t ad_edit_distance(const char *a, const char *b) {
  enum { LONGEST = 63 };
  size_t row[LONGEST + 1];
  const size_t n = strlen(a) < LONGEST ? strlen(a) : LONGEST;
  const size_t m = strlen(b) < LONGEST ? strlen(b) : LONGEST;
  for (size_t j = 0; j <= m; j++) {
    row[j] = j;
  }
  for (size_t i = 1; i <= n; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t best = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      best = row[j] + 1 < best ? row[j] + 1 : best;
      best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
      row[j] = best;
    }
  }
  return row[m];
}

static const struct option *find(const char *key) {
  for (size_t i = 0; i < OPTION_COUNT; i++) {
    if (strcmp(options[i].key, key) == 0) {
      return &options[i];
    }
  }
  return NULL;
}

static int fail_unknown(const char *place, const char *key) {
  const struct option *nearest = &options[0];
  for (size_t i = 1; i < OPTION_COUNT; i++) {
    if (ad_edit_distance(options[i].key, key) < ad_edit_distance(nearest->key, key)) {
      nearest = &options[i];
    }
  }
  return ad_fail(AD_ECONFIG, "%s: unknown key '%s'; the nearest one is '%s'", place, key, nearest->key);
}

static int fail_value(const struct option *option, const char *place, const char *value) {
  if (option->kind == KIND_CHOICE) {
    return ad_fail(AD_ECONFIG, "%s: %s is '%s', expected one of %s", place, option->key, value, option->choices);
  }
  if (option->kind == KIND_COUNT || option->kind == KIND_REAL || option->kind == KIND_SPAN) {
    return ad_fail(AD_ECONFIG, "%s: %s is '%s', expected %s from %.10g to %.10g", place, option->key, value,
                   kind_names[option->kind], option->lowest, option->highest);
  }
  return ad_fail(AD_ECONFIG, "%s: %s is '%s', expected %s", place, option->key, value, kind_names[option->kind]);
}

/* The place of value among "a|b|c", or -1. */
static int find_choice(const char *choices, const char *value) {
  const size_t length = strlen(value);
  int place = 0;
  for (const char *p = choices; *p != '\0'; place++) {
    const size_t width = strcspn(p, "|");
    if (width == length && strncmp(p, value, length) == 0) {
      return place;
    }
    p += width + (p[width] == '|');
  }
  return -1;
}

static int set_number(const struct option *option, const char *place, const char *value, void *field) {
  char *end = NULL;
  errno = 0;
  if (option->kind == KIND_REAL) {
    const double number = strtod(value, &end);
    if (end == value || *end != '\0' || errno == ERANGE || !(number >= option->lowest && number <= option->highest)) {
      return fail_value(option, place, value);
    }
    *(double *)field = number;
    return AD_OK;
  }
  if (option->kind == KIND_SPAN && strcmp(value, "all") == 0) {
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
  const struct option *option = find(key);
  if (option == NULL) {
    return fail_unknown(place, key);
  }
  void *field = field_of(config, option);
  switch (option->kind) {
    case KIND_COUNT:
    case KIND_SPAN:
    case KIND_REAL:
      return set_number(option, place, value, field);
    case KIND_SWITCH: {
      const int on = strcmp(value, "true") == 0;
      if (!on && strcmp(value, "false") != 0) {
        return fail_value(option, place, value);
      }
      *(int *)field = on;
      return AD_OK;
    }
    case KIND_CHOICE: {
      const int choice = find_choice(option->choices, value);
      if (choice < 0) {
        return fail_value(option, place, value);
      }
      *(int *)field = choice;
      return AD_OK;
    }
    case KIND_TEXT:
      break;
  }
  char *copy = ad_strdup(value);
  if (copy == NULL) {
    return ad_fail_memory(strlen(value) + 1, key);
  }
  ad_free(*(char **)field);
  *(char **)field = copy;
  return AD_OK;
}

int ad_config_create(struct ad_config *config) {
  *config = (struct ad_config){0};
  for (size_t i = 0; i < OPTION_COUNT; i++) {
    const int status = ad_config_set(config, "default", options[i].key, options[i].initial);
    if (status != AD_OK) {
      ad_config_destroy(config);
      return status;
    }
  }
  return AD_OK;
}

void ad_config_destroy(struct ad_config *config) {
  for (size_t i = 0; i < OPTION_COUNT; i++) {
    if (options[i].kind == KIND_TEXT) {
      ad_free(*(char **)field_of(config, &options[i]));
    }
  }
  *config = (struct ad_config){0};
}

/* Sets the keys of a mapping whose own key is `prefix` ("" at the top). */
static int set_tree(struct ad_config *config, const char *path, const char *prefix, const struct ad_yaml *tree) {
  for (size_t i = 0; i < tree->count; i++) {
    char key[128], place[1024];
    const struct ad_yaml *item = tree->items[i];
    snprintf(key, sizeof key, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", tree->keys[i]);
    snprintf(place, sizeof place, "%s:%zu", path, item->line);
    if (item->kind == AD_YAML_MAPPING) {
      AD_TRY(set_tree(config, path, key, item));
    } else if (item->kind == AD_YAML_SCALAR) {
      AD_TRY(ad_config_set(config, place, key, item->text));
    } else {
      return find(key) == NULL ? fail_unknown(place, key)
                               : ad_fail(AD_ECONFIG, "%s: %s is a list, expected one value", place, key);
    }
  }
  return AD_OK;
}

int ad_config_read(struct ad_config *config, const char *path) {
  struct ad_yaml *tree = NULL;
  AD_TRY(ad_yaml_read(&tree, path));
  int status;
  if (tree->kind == AD_YAML_MAPPING) {
    status = set_tree(config, path, "", tree);
  } else {
    status = ad_fail(AD_ECONFIG, "%s:%zu: expected keys and values, found %s", path, tree->line,
                     tree->kind == AD_YAML_SCALAR ? "plain text" : "a list");
  }
  ad_yaml_destroy(tree);
  return status;
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

/* A YAML double-quoted scalar. */
static int print_quoted(struct ad_buffer *out, const char *text) {
  AD_TRY(ad_buffer_puts(out, "\""));
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '"' || *p == '\\') {
      AD_TRY(ad_buffer_printf(out, "\\%c", *p));
    } else if ((unsigned char)*p < 0x20 || *p == 0x7f) {
      AD_TRY(ad_buffer_printf(out, "\\x%02x", (unsigned char)*p));
    } else {
      AD_TRY(ad_buffer_append(out, p, 1));
    }
  }
  return ad_buffer_puts(out, "\"");
}

static int print_value(const struct ad_config *config, const struct option *option, struct ad_buffer *out) {
  const void *field = const_field_of(config, option);
  char text[40];
  switch (option->kind) {
    case KIND_TEXT:
      return print_quoted(out, *(char *const *)field);
    case KIND_SPAN:
      if (*(const uint64_t *)field == 0) {
        return ad_buffer_puts(out, "all");
      }
      return ad_buffer_printf(out, "%" PRIu64, *(const uint64_t *)field);
    case KIND_COUNT:
      return ad_buffer_printf(out, "%" PRIu64, *(const uint64_t *)field);
    case KIND_REAL:
      print_real(*(const double *)field, text);
      return ad_buffer_puts(out, text);
    case KIND_SWITCH:
      return ad_buffer_puts(out, *(const int *)field ? "true" : "false");
    case KIND_CHOICE: {
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
  for (size_t i = 0; i < OPTION_COUNT; i++) {
    const char *key = options[i].key;
    const size_t dot = strcspn(key, ".");
    if (dot != width || strncmp(section, key, dot) != 0) {
      section = key;
      width = dot;
      AD_TRY(ad_buffer_printf(out, "%.*s:\n", (int)dot, key));
    }
    AD_TRY(ad_buffer_printf(out, "  %s: ", key + dot + 1));
    AD_TRY(print_value(config, &options[i], out));
    AD_TRY(ad_buffer_puts(out, "\n"));
  }
  return AD_OK;
}

const char *ad_config_key(size_t i) {
  return i < OPTION_COUNT ? options[i].key : NULL;
}

int ad_config_get(const struct ad_config *config, const char *key, struct ad_buffer *out) {
  const struct option *option = find(key);
  if (option == NULL) {
    return fail_unknown("configuration", key);
  }
  return option->kind == KIND_TEXT ? ad_buffer_puts(out, *(char *const *)const_field_of(config, option))
                                   : print_value(config, option, out);
}

static int help_range(struct ad_buffer *out, const struct option *option) {
  if (option->kind == KIND_CHOICE) {
    for (const char *p = option->choices; *p != '\0';) {
      const size_t length = strcspn(p, "|");
      AD_TRY(ad_buffer_printf(out, "%s%.*s", p == option->choices ? "" : ", ", (int)length, p));
      p += length + (p[length] == '|');
    }
    return AD_OK;
  }
  if (option->kind == KIND_COUNT || option->kind == KIND_REAL || option->kind == KIND_SPAN) {
    return ad_buffer_printf(out, "%s, %.10g to %.10g", kind_names[option->kind], option->lowest, option->highest);
  }
  return ad_buffer_puts(out, kind_names[option->kind]);
}

int ad_config_help(struct ad_buffer *out, int markdown) {
  if (markdown) {
    AD_TRY(ad_buffer_puts(
        out,
        "# Configuration keys\n\nMade from the options table by `autodidact train --keys-markdown`. In the "
        "YAML file a key is nested (`optim:` then `lr: 1e-4`), on the command line dotted "
        "(`optim.lr=1e-4`).\n\n| key | default | value | meaning |\n| --- | --- | --- | --- |\n"));
  }
  for (size_t i = 0; i < OPTION_COUNT; i++) {
    const struct option *option = &options[i];
    if (markdown) {
      AD_TRY(ad_buffer_printf(out, "| `%s` | %s%s%s | ", option->key, option->initial[0] == '\0' ? "" : "`",
                              option->initial, option->initial[0] == '\0' ? "" : "`"));
      AD_TRY(help_range(out, option));
      AD_TRY(ad_buffer_printf(out, " | %s |\n", option->help));
    } else {
      AD_TRY(ad_buffer_printf(out, "  %-22s %s\n%25s(", option->key, option->help, ""));
      AD_TRY(help_range(out, option));
      AD_TRY(ad_buffer_printf(out, "; default %s)\n", option->initial[0] == '\0' ? "empty" : option->initial));
    }
  }
  return AD_OK;
}
