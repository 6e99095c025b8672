/* What the files of the configuration share: the table of keys. Not installed. */
#ifndef AUTODIDACT_BASE_CONFIG_INTERNAL_H
#define AUTODIDACT_BASE_CONFIG_INTERNAL_H

#include "autodidact/base/config.h"

enum config_kind {
  CONFIG_KIND_TEXT,
  CONFIG_KIND_COUNT,
  CONFIG_KIND_REAL,
  CONFIG_KIND_SWITCH,
  CONFIG_KIND_CHOICE,
  CONFIG_KIND_SPAN
};

struct config_option {
  enum config_kind kind;
  enum ad_role role;
  const char *key;
  size_t offset; /* of the field in struct ad_config */
  const char *initial;
  double lowest, highest;
  const char *choices;      /* "a|b|c" */
  const char *choices_help; /* likewise what each means */
  const char *when;         /* the condition under which it has an effect; "" always */
  const char *help;
};

extern const struct config_option ad__config_options[AD_CONFIG_KEYS];

/* "text", "a whole number", ...: what a value of this kind is. Static storage. */
const char *ad__config_kind(enum config_kind kind);

/* The option with this key, or NULL. */
const struct config_option *ad__config_find(const char *key);

static inline const void *config_field(const struct ad_config *config, const struct config_option *option) {
  return (const char *)config + option->offset;
}

#endif
