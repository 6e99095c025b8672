/* What the files of src/study share. Not installed. */
#ifndef AUTODIDACT_SRC_STUDY_STUDY_INTERNAL_H
#define AUTODIDACT_SRC_STUDY_STUDY_INTERNAL_H

#include <jansson.h>

#include "autodidact/base/yaml.h"
#include "autodidact/study/study.h"

/* A dotted key and what stands there: a scalar or a list. */
struct study_leaf {
  char *key;
  const struct ad_yaml *value; /* the tree's */
};

struct study_leaves {
  struct study_leaf *items; /* [count] owned */
  size_t count, capacity;
};

/* The leaves of a mapping, in the file's order. Destroy also after a failure. AD_ECONFIG (not a mapping, a key twice),
 * AD_ENOMEM. */
int ad__study_leaves_read(struct study_leaves *leaves, const char *path, const struct ad_yaml *tree);
void ad__study_leaves_destroy(struct study_leaves *leaves);

/* ad_fail(AD_ECONFIG) with "path:line: " in front. */
int ad__study_fail(const char *path, const struct ad_yaml *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Refuses keys of a mapping that are not among known [count], and names the nearest. AD_ECONFIG. */
int ad__study_check_keys(const char *path, const char *prefix, const struct ad_yaml *tree, const char *const *known,
                         size_t count);

/* ---- study.analysis (analysis.c) ---- */

/* Reads it (NULL: there is none); once the arms are known checks these and adds what is not written. AD_ECONFIG,
 * AD_ENOMEM. */
int ad__study_read_analysis(struct ad_study *study, const struct ad_yaml *tree);
int ad__study_settle_analysis(struct ad_study *study);

/* As plan.json has it: a new object; what is planned there, NULL: nothing. AD_ENOMEM. */
json_t *ad__study_pack_analysis(const struct ad_study *study);
int ad__study_recall_analysis(struct ad_study *study, const json_t *planned);

/* Calls each(what, folder, name) for each file of records/ until one fails; no folder: none (cells.c). AD_EIO,
 * AD_ENOMEM, and what `each` returns. */
int ad__study_each_record_file(const struct ad_study *study, int (*each)(void *what, const char *folder, const char *),
                               void *what);

void ad__study_analysis_destroy(struct ad_study_analysis *analysis);

/* Axes that belong together: their levels at each of its points. Bundles are crossed with each other. */
struct study_bundle {
  size_t begin, axes; /* of the study's axes */
  size_t points;
  uint32_t *level; /* [points, axes] owned */
};

/* A study while it is read. */
struct study_draft {
  struct ad_study *study;
  struct ad_config scratch; /* checks values and writes them as config.yaml does */
  struct study_bundle *bundles;
  size_t bundle_count, bundle_capacity, axis_capacity;
  struct ad_study_arm *named; /* [named_count] as the file has them; name "" where it has none */
  size_t named_count, named_capacity;
};

/* The value of a key as config.yaml writes it; the caller's. Refuses keys that are no part of a cell. AD_ECONFIG,
 * AD_ENOMEM. */
int ad__study_settle_value(struct study_draft *draft, const struct ad_yaml *at, const char *key, const char *text,
                           char **value);

/* `axes:` into axes and bundles. AD_ECONFIG, AD_ENOMEM. */
int ad__study_read_axes(struct study_draft *draft, const struct ad_yaml *tree);

/* Arms, levels and cells from bundles and named arms, with the digests of configurations. AD_ECONFIG (two cells are the
 * same), AD_ENOMEM. */
int ad__study_lay_out(struct study_draft *draft);

/* The base's values as a configuration of its own; the caller's (ad_config_destroy), also after a failure. AD_ENOMEM.
 */
int ad__study_copy_base(const struct ad_study *study, struct ad_config *config);

/* The part of a configuration's digest that one key at a value makes; a configuration's digest is their sum. */
uint64_t ad__study_key_digest(const char *key, const char *value);

/* The sum over the keys of the base; `inputs`: those that name inputs too. AD_ENOMEM. */
int ad__study_base_digest(const struct ad_study *study, int inputs, uint64_t *digest);

/* What replacing the base's value of a key does to that sum. AD_ENOMEM. */
int ad__study_digest_change(const struct ad_study *study, const char *key, const char *value, uint64_t *change);

/* The id of a cell of an arm with these digest and inputs. */
int ad__study_cell_id(const struct ad_study *study, const struct ad_study_cell *cell, uint64_t digest, uint64_t inputs,
                      uint64_t *id);

/* Appends a setting (copies). AD_ENOMEM. */
int ad__study_add_setting(struct ad_study_arm *arm, const char *key, const char *value);
void ad__study_arm_destroy(struct ad_study_arm *arm);

/* The value that an arm has for a key: its own, or NULL for the base's. */
const char *ad__study_arm_value(const struct ad_study_arm *arm, const char *key);

#endif
