/* Which keys of a configuration have an effect: the conditions of the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "config_internal.h"

/* A value of any kind: a text, or a number (of a choice its place, of a switch 0 or 1, of a span 0 for "all"). */
struct value {
  const char *text; /* NULL: a number */
  double number;
};

/* What a condition is asked about. */
struct question {
  const struct ad_config *config;
  const struct ad_config_facts *facts;
};

/* A text of a value, which the table or the configuration has checked. */
static struct value parse(const struct config_option *option, const char *text, size_t length) {
  char copy[64];
  snprintf(copy, sizeof copy, "%.*s", (int)length, text);
  switch (option->kind) {
    case CONFIG_KIND_TEXT:
      return (struct value){.text = text};
    case CONFIG_KIND_SWITCH:
      return (struct value){.number = strcmp(copy, "true") == 0};
    case CONFIG_KIND_CHOICE:
      return (struct value){.number = ad_choices_find(option->choices, text, length)};
    case CONFIG_KIND_COUNT:
    case CONFIG_KIND_REAL:
    case CONFIG_KIND_SPAN:
      break;
  }
  return (struct value){.number = strtod(copy, NULL)}; /* "all" has no digits: 0 */
}

static struct value initial_value(const struct config_option *option) {
  return parse(option, option->initial, strlen(option->initial));
}

static struct value present_value(const struct ad_config *config, const struct config_option *option) {
  const void *field = config_field(config, option);
  switch (option->kind) {
    case CONFIG_KIND_TEXT:
      return (struct value){.text = *(char *const *)field};
    case CONFIG_KIND_SWITCH:
    case CONFIG_KIND_CHOICE:
      return (struct value){.number = *(const int *)field};
    case CONFIG_KIND_REAL:
      return (struct value){.number = *(const double *)field};
    case CONFIG_KIND_COUNT:
    case CONFIG_KIND_SPAN:
      break;
  }
  return (struct value){.number = (double)*(const uint64_t *)field};
}

static int is_changed(const struct ad_config *config, const struct config_option *option) {
  const struct value is = present_value(config, option), was = initial_value(option);
  return is.text != NULL ? strcmp(is.text, was.text) != 0 : is.number != was.number;
}

static int has_effect(const struct question *q, const struct config_option *option);

/* The value that counts. */
static struct value effective_value(const struct question *q, const struct config_option *option) {
  return has_effect(q, option) ? present_value(q->config, option) : initial_value(option);
}

/* Whether the value is one of a list [length] of values with one of the separators between them. */
static int is_one_of(const struct config_option *option, const struct value *is, const char *list, size_t length) {
  static const char separators[] = "| ";
  for (const char *p = list, *end = list + length; p < end; p += strcspn(p, separators) + 1) {
    const size_t left = (size_t)(end - p), next = strcspn(p, separators), width = next < left ? next : left;
    const int same = is->text != NULL ? strlen(is->text) == width && strncmp(is->text, p, width) == 0
                                      : is->number == parse(option, p, width).number;
    if (same) {
      return 1;
    }
  }
  return 0;
}

/* Whether a list "a,b,c" has a word [length]. */
static int has_word(const char *list, const char *word, size_t length) {
  for (const char *p = list; *p != '\0'; p += *p == ',') {
    const size_t width = strcspn(p, ",");
    if (width == length && strncmp(p, word, length) == 0) {
      return 1;
    }
    p += width;
  }
  return 0;
}

/* What no key tells. -1, not known yet, counts as met. */
static int fact_holds(const struct ad_config_facts *facts, const char *name, size_t length) {
  const struct ad_config_facts unknown = {-1, -1, -1, -1, -1}, *known = facts == NULL ? &unknown : facts;
  const struct {
    const char *name;
    int holds;
  } all[] = {{"a dev split", known->dev},
             {"several ranks", known->ranks},
             {"new weights", known->drawn},
             {"hidden tokens", known->hidden},

             {"several tasks", known->tasks}};
  size_t i = 0;
  while (i + 1 < sizeof all / sizeof *all &&
         (strlen(all[i].name) != length || strncmp(name, all[i].name, length) != 0)) {
    i++;
  }
  return all[i].holds != 0;
}

/* One alternative: KEY, how it is compared, and with what; or a fact. */
static int alternative_holds(const struct question *q, const char *text, size_t length) {
  static const char *const comparisons[] = {"!=", "=", " is one of ", ">", " is empty", " is set", " has "};
  enum { DIFFERS, EQUALS, ONE_OF, EXCEEDS, EMPTY, SET, HAS };
  char key[64];
  const size_t width = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._");
  snprintf(key, sizeof key, "%.*s", (int)width, text);
  const struct config_option *option = ad__config_find(key);
  if (option == NULL) {
    return fact_holds(q->facts, text, length);
  }
  const struct value is = effective_value(q, option);
  int how = 0;
  while (how < HAS && strncmp(text + width, comparisons[how], strlen(comparisons[how])) != 0) {
    how++;
  }
  const char *with = text + width + strlen(comparisons[how]);
  const size_t rest = length - (size_t)(with - text);
  switch (how) {
    case DIFFERS:
      return !is_one_of(option, &is, with, rest);
    case EQUALS:
    case ONE_OF:
      return is_one_of(option, &is, with, rest);
    case EXCEEDS:
      return is.number > parse(option, with, rest).number;
    case EMPTY:
      return is.text[0] == '\0';
    case SET:
      return is.text[0] != '\0';
    default:
      return has_word(is.text, with, rest);
  }
}

/* Bytes up to `mark`, or up to the end of text [length]. */
static size_t part(const char *text, size_t length, const char *mark) {
  const char *found = memmem(text, length, mark, strlen(mark));
  return found == NULL ? length : (size_t)(found - text);
}

static int clause_holds(const struct question *q, const char *text, size_t length) {
  static const char OR[] = " or ";
  for (size_t at = 0; at < length; at += part(text + at, length - at, OR) + strlen(OR)) {
    if (alternative_holds(q, text + at, part(text + at, length - at, OR))) {
      return 1;
    }
  }
  return 0;
}

static int has_effect(const struct question *q, const struct config_option *option) {
  static const char AND[] = "; and ";
  const char *text = option->when;
  const size_t length = strlen(text);
  for (size_t at = 0; at < length; at += part(text + at, length - at, AND) + strlen(AND)) {
    if (!clause_holds(q, text + at, part(text + at, length - at, AND))) {
      return 0;
    }
  }
  return 1;
}

const char *ad_config_condition(const char *key) {
  const struct config_option *option = ad__config_find(key);
  return option == NULL ? "" : option->when;
}

int ad_config_has_effect(const struct ad_config *config, const struct ad_config_facts *facts, const char *key) {
  const struct config_option *option = ad__config_find(key);
  return option == NULL || has_effect(&(struct question){config, facts}, option);
}

int ad_config_is_idle(const struct ad_config *config, const struct ad_config_facts *facts, const char *key) {
  const struct config_option *option = ad__config_find(key);
  return option != NULL && config->given[option - ad__config_options] && is_changed(config, option) &&
         !has_effect(&(struct question){config, facts}, option);
}

int ad_config_warn_idle(const struct ad_config *config, const struct ad_config_facts *facts) {
  struct ad_buffer value = {0};
  int status = AD_OK;
  for (size_t i = 0; status == AD_OK && i < AD_CONFIG_KEYS; i++) {
    const char *key = ad__config_options[i].key;
    if (!ad_config_is_idle(config, facts, key)) {
      continue;
    }
    ad_buffer_clear(&value);
    status = ad_config_get(config, key, &value);
    if (status == AD_OK) {
      ad_log(AD_LOG_WARNING, "%s=%s has no effect: it is used where %s", key, value.size == 0 ? "" : value.data,
             ad__config_options[i].when);
    }
  }
  ad_buffer_destroy(&value);
  return status;
}
