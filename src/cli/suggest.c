/* What is meant by an option or a word that is not known. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/buffer.h"
#include "autodidact/base/config.h"
#include "autodidact/base/status.h"

size_t most_slips(const char *word) {
  return strlen(word) / 3 + 1;
}

int is_nearer(const char *word, const char *name, size_t *most) {
  const size_t shared = strlen(name) < strlen(word) ? strlen(name) : strlen(word);
  const size_t distance = shared >= 3 && strncmp(name, word, shared) == 0 ? 1 : ad_edit_distance(name, word);
  if (distance > *most) {
    return 0;
  }
  *most = distance - (distance > 0);
  return 1;
}

/* The option that is meant by a word; NULL: none is like it. */
static const char *find_meant(const struct arguments *a, const char *word) {
  const char *meant = NULL;
  size_t most = most_slips(word);
  for (size_t i = 0; i < a->option_count; i++) {
    meant = is_nearer(word, a->options[i].name, &most) ? a->options[i].name : meant;
  }
  meant = is_nearer(word, "help", &most) ? "help" : meant;
  return is_nearer(word, "version", &most) ? "version" : meant;
}

/* The option with this name [length]; NULL: there is none. */
static const struct argument *find_option(const struct arguments *a, const char *name, size_t length) {
  for (size_t i = 0; i < a->option_count; i++) {
    if (strlen(a->options[i].name) == length && strncmp(a->options[i].name, name, length) == 0) {
      return &a->options[i];
    }
  }
  return NULL;
}

/* Whether a word is a key, or the end of one, but for its joints. */
static int is_key(const char *word) {
  struct ad_buffer meant = {0};
  const int found = ad_config_suggest(word, &meant) == AD_OK && strncmp(meant.data, "it could be", 11) == 0;
  ad_buffer_destroy(&meant);
  return found;
}

/* For commands that take key=value: somebody wrote it as an option. */
static int fail_key(const struct arguments *a, const char *given, const char *key) {
  struct ad_buffer meant = {0};
  int status = ad_config_suggest(key, &meant);
  if (status == AD_OK) {
    status = ad_fail(AD_ECONFIG, "%s: unknown option '%s'; keys are given without dashes, as key=value: %s", a->command,
                     given, meant.data);
  }
  ad_buffer_destroy(&meant);
  return status;
}

int arguments_fail_option(const struct arguments *a, const char *given) {
  const char *name = given + strspn(given, "-");
  const size_t length = strcspn(name, "=");
  const struct argument *option = find_option(a, name, length);
  if (option != NULL) {
    return option->flag != NULL ? ad_fail(AD_ECONFIG, "%s: --%s takes no value", a->command, option->name)
                                : ad_fail(AD_ECONFIG, "%s: --%s needs a value: --%s %s", a->command, option->name,
                                          option->name, option->value);
  }
  char word[128];
  snprintf(word, sizeof word, "%.*s", (int)length, name);
  const char *here = find_foreign(a->command, word);
  if (here != NULL) {
    return ad_fail(AD_ECONFIG, "%s: unknown option '%s'; %s. See autodidact %s --help", a->command, given, here,
                   a->command);
  }
  const int keys = length > 1 && strstr(a->usage, "key=value") != NULL;
  const char *meant = length > 1 && !(keys && is_key(word)) ? find_meant(a, word) : NULL;
  if (meant != NULL) {
    return ad_fail(AD_ECONFIG, "%s: unknown option '%s', did you mean --%s? See autodidact %s --help", a->command,
                   given, meant, a->command);
  }
  return keys ? fail_key(a, given, word)
              : ad_fail(AD_ECONFIG, "%s: unknown option '%s'; see autodidact %s --help", a->command, given, a->command);
}
