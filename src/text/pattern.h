/* The patterns of tokenizer.json that are simple enough: a text, or runs of characters of a set. Not installed. */
#ifndef AUTODIDACT_SRC_TEXT_PATTERN_H
#define AUTODIDACT_SRC_TEXT_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/json.h"

/* A run of `least` to `most` characters of a set. */
struct ad_pattern_run {
  unsigned char ascii[128]; /* 1: it is in the set */
  int spaces;               /* 1: all white space is */
  uint32_t other;           /* one more character; 0: none */
  size_t least, most;
};

enum { AD_PATTERN_RUNS = 4 };
struct ad_pattern {
  char *text; /* [size], owned; NULL: runs */
  size_t size;
  int goes_on;                                /* 1: more of its last character belongs to a match */
  struct ad_pattern_run run[AD_PATTERN_RUNS]; /* [count] alternatives: the first that fits is taken */
  size_t count;
  unsigned char begins[256]; /* of runs, 1: a match may begin with this byte */
};

/* Reads {"String": text} or {"Regex": expression}. An expression may be a text without special characters, or
 * alternatives of a character, \s, \n, \r, \t or a [set] of these, each with nothing, +, {m} or {m,} behind it. On
 * failure nothing is owned. AD_EINPUT with path and `what`: another one. AD_ENOMEM. */
int ad_pattern_create(struct ad_pattern *pattern, const char *path, const char *what, const json_t *value);
void ad_pattern_destroy(struct ad_pattern *pattern);

/* The start of the first match in a text [size bytes] of valid UTF-8 from `from` on, and its *length > 0; `size` when
 * there is none. */
size_t ad_pattern_find(const struct ad_pattern *pattern, const char *text, size_t size, size_t from, size_t *length);

#endif
