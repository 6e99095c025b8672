/* The layout of one split's file, as a descriptor writes it. Private to src/data. */
#ifndef AUTODIDACT_DATA_LAYOUT_H
#define AUTODIDACT_DATA_LAYOUT_H

#include "autodidact/base/yaml.h"
#include "autodidact/data/descriptor.h"

/* ad_fail with the descriptor's path and the line of a node. */
#define AD_FAIL_AT(path, node, format, ...) \
  ad_fail(AD_EINPUT, "%s:%zu: " format, (path), (node)->line __VA_OPT__(, ) __VA_ARGS__)

/* Keys that a descriptor may have at its top and in each split, where they override those at the top. */
#define AD_LAYOUT_KEYS \
  "format", "delimiter", "header", "fields", "columns", "separator", "range", "labels", "skip", "empty", "incomplete"

/* Refuses keys that are not among known [count] and anything but a mapping. AD_EINPUT. */
int ad_layout_check_keys(const char *path, const struct ad_yaml *node, const char *what, const char *const *known,
                         size_t count);

/* Copies a non-empty text / reads a whole number. AD_EINPUT, AD_ENOMEM. */
int ad_layout_text(const char *path, const struct ad_yaml *node, const char *key, char **text);
int ad_layout_number(const char *path, const struct ad_yaml *node, const char *key, uint64_t *number);

/* Reads the layout keys of `split` (may be NULL) and `top` into a zeroed source; the descriptor's classes are known
 * already. On failure the source holds what it owns: ad_layout_destroy. AD_EINPUT, AD_ENOMEM. */
int ad_layout_parse(const struct ad_descriptor *descriptor, const struct ad_yaml *split, const struct ad_yaml *top,
                    struct ad_source *source);

/* Puts the label columns of a set of classes, where there are several, in the order of the classes; node: the list of
 * them. AD_EINPUT (not one for each class), AD_ENOMEM. */
int ad_layout_order_columns(const struct ad_descriptor *descriptor, const struct ad_yaml *node,
                            struct ad_source *source);

/* The words of a descriptor for these. Static storage. */
const char *ad_layout_format_name(enum ad_format format);
const char *ad_layout_delimiter_name(enum ad_delimiter delimiter);
const char *ad_layout_empty_name(enum ad_empty empty);

/* Notes in the descriptor's `idle` the layout keys of the tree that change nothing; all splits are read. AD_ENOMEM. */
int ad_layout_find_idle(struct ad_descriptor *descriptor, const struct ad_yaml *tree);

/* A deep copy into a zeroed source. AD_ENOMEM (then the copy is empty). */
int ad_layout_copy(const struct ad_source *source, struct ad_source *copy);
void ad_layout_destroy(struct ad_source *source);

/* Several data sets (joint.c), and one of them, from a tree. */
int ad__descriptor_parse_sets(struct ad_descriptor *descriptor, const struct ad_yaml *tree);
int ad__descriptor_parse_tree(struct ad_descriptor *descriptor, const struct ad_yaml *tree);

/* ad_descriptor_hold_out of several. */
int ad__descriptor_hold_out_sets(struct ad_descriptor *descriptor, size_t rows, uint64_t seed);

#endif
