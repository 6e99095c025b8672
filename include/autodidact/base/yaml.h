/* YAML files as a tree with line numbers (libyaml reads them). */
#ifndef AUTODIDACT_BASE_YAML_H
#define AUTODIDACT_BASE_YAML_H

#include <stddef.h>

#include "autodidact/base/buffer.h"

enum ad_yaml_kind { AD_YAML_SCALAR, AD_YAML_SEQUENCE, AD_YAML_MAPPING };

struct ad_yaml {
  enum ad_yaml_kind kind;
  char *text;             /* scalar: its text; "" for an empty one */
  int quoted;             /* scalar: written in quotes (so "1" is text, 1 a number) */
  char **keys;            /* mapping: [count] */
  struct ad_yaml **items; /* sequence, mapping: [count] */
  size_t count;
  size_t line; /* from 1 */
};

/* Parses one document, which is a mapping, from a file or from text (`name` is for messages), behind a byte order mark
 * or not. The caller owns the tree: ad_yaml_destroy. An empty document is a mapping without entries. AD_EINPUT with
 * "name:line:" for malformed YAML, a doubled key, an alias or tag, a non-scalar key, a second document; a file of
 * another kind is named (base/looks.h). AD_ENOMEM. */
int ad_yaml_read(struct ad_yaml **tree, const char *path);
int ad_yaml_parse(struct ad_yaml **tree, const char *name, const char *text, size_t size);
void ad_yaml_destroy(struct ad_yaml *tree);

/* Appends a text as a double-quoted scalar, whose escapes are those of base/shown.h. AD_ENOMEM. */
int ad_yaml_quote(struct ad_buffer *out, const char *text);

/* The value of a key of a mapping; NULL when absent or when tree is not a mapping. */
const struct ad_yaml *ad_yaml_get(const struct ad_yaml *tree, const char *key);

#endif
