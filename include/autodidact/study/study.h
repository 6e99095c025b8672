/* Studies: many trainings that differ in seeds and settings, as a study file (YAML) describes them.
 *
 *   study: {name: stability, dir: studies/stability, ranks_per_trial: 1, result: dev.error}
 *   base: recipe.yaml                     # a configuration file, or {file: recipe.yaml, optim: {lr: 1e-4}}
 *   axes: {seed.init: 0..9, seed.order: [3, 5, 8]}
 *   arms: {base: {}, sda: {teacher: {method: sda, window: 5}}}
 *
 * A cell is one training. Axes are crossed; those below `listed:` go along side by side, those below `latin:` (three of
 * n levels each) make a Latin square of n^2 cells. An axis whose key has the role seed is a source of chance; the
 * others are part of the arms: an arm is a named arm with one level of each. Arms are compared within their setting:
 * where several arms are named, the levels of those axes, otherwise those that name files. Every arm has the same cells
 * of seeds.
 *
 * What a study keeps, below its folder (study.dir):
 *
 *   plan.json        the arms that were ever run: settings that differ from the base, the base, digests of the inputs
 *   records/         JSON lines: one for each cell that was finished, failed or stopped (study/cells.h)
 *   leases/ID.N      cells that are being run, or were when something broke (store/lease.h)
 *   runs/ID/         a cell's run folder, as `train` makes it
 *   cache/           tokenised data, shared by all trials (data.cache), unless the base names another folder
 *
 * ID is a digest of the cell's resolved configuration and of the bytes of its data and model. Keys that say when a run
 * stops, where its files are or who computes what are not in it (ad_config_identity).
 *
 * Letters: A axes, N cells. Words: docs/glossary.md. */
#ifndef AUTODIDACT_STUDY_STUDY_H
#define AUTODIDACT_STUDY_STUDY_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/config.h"
#include "autodidact/task/task.h"

/* What `study.result` and records name: the scores that a run keeps, on dev (of the parameters that it keeps) or test,
 * or the last ones of a variant on dev. */
enum ad_study_source {
  AD_SOURCE_DEV,
  AD_SOURCE_TEST,
  AD_SOURCE_VARIANT, /* and the number of the variant */
  AD_SOURCES = AD_SOURCE_VARIANT + AD_VARIANTS
};
#define AD_SOURCE_CHOICES "dev|test" AD_SET_variant(AD_SET_CHOICE)

/* "dev", "test", "student", ...: as in result.json. Static storage. */
const char *ad_study_source_name(enum ad_study_source source);

/* Which finished runs count as failed (study.failed), besides those that diverged. */
enum ad_study_rule {
  AD_RULE_MAJORITY, /* accuracy not above that of always naming the most frequent class; of numbers R2 not above 0, that
                       of always giving the mean label; of sets of classes none */
  AD_RULE_NEVER,
  AD_RULE_THRESHOLD /* the result is not better than `threshold` */
};

/* study.analysis: what is asked of the study. Its digest is fixed in plan.json with the first cell. X(constant, name).
 */
#define AD_ANALYSIS_MAP(X)                                                                                   \
  X(AD_ANALYSIS_ARMS, arms)                 /* primary ones, against the first arm of their setting */       \
  X(AD_ANALYSIS_BASELINE, baseline)         /* the first arm */                                              \
  X(AD_ANALYSIS_RESULT, result)             /* study.result */                                               \
  X(AD_ANALYSIS_RULE, failed)               /* study.failed */                                               \
  X(AD_ANALYSIS_TESTS_KEY, tests)           /* mean, spread (total), part (the last source of the spread) */ \
  X(AD_ANALYSIS_MARGIN, margin)             /* of equivalence, of the mean difference */                     \
  X(AD_ANALYSIS_RATIO_MARGIN, ratio_margin) /* of equivalence, of an SD ratio: above 1 */                    \
  X(AD_ANALYSIS_ALPHA, alpha)               /* of all primary tests together */                              \
  X(AD_ANALYSIS_SEEDS, seeds)               /* combinations of seeds planned */                              \
  X(AD_ANALYSIS_LOOKS, looks)               /* at how many of them the study is looked at */                 \
  X(AD_ANALYSIS_EXCLUSIONS, exclusions)     /* diverged */
enum ad_analysis_key { AD_ANALYSIS_MAP(AD_SET_ID) AD_ANALYSIS_KEYS };
enum { AD_ANALYSIS_MEAN, AD_ANALYSIS_SPREAD, AD_ANALYSIS_PART, AD_ANALYSIS_TESTS, AD_ANALYSIS_LOOKS_MOST = 10 };

struct ad_study_analysis {
  int present;                     /* 1: the study file has it */
  int registered;                  /* 1: plan.json has one (ad_study_recall) */
  char *text[AD_ANALYSIS_KEYS];    /* each key as text, "a, b"; NULL: not present; owned */
  char *planned[AD_ANALYSIS_KEYS]; /* those of plan.json; NULL: not registered; owned */
  int test[AD_ANALYSIS_TESTS];     /* 1: a primary test */
  double margin, ratio_margin;     /* NaN: none */
  double alpha;
  size_t seeds, look_count, looks[AD_ANALYSIS_LOOKS_MOST];
};

/* A key that varies. */
struct ad_study_axis {
  char *key;
  char **values; /* [count] distinct, in the order of the file, as config.yaml writes them */
  size_t count;
  int seed;    /* 1: a source of chance; 0: part of the arm, */
  int setting; /* 1: of its setting, 0: of what is compared (ad_study_arm.own) */
};

/* A key at a value; both as in config.yaml. */
struct ad_study_setting {
  char *key, *value;
};

struct ad_study_arm {
  char *name;                        /* unique: its own name and its setting, "sda-5 data.descriptor=a" */
  char *own;                         /* what is compared, the same in every setting: "sda-5" */
  char *setting;                     /* the setting: "data.descriptor=a"; "": the study has one */
  struct ad_study_setting *settings; /* [count] what it sets on top of the base */
  size_t count;
  uint64_t digest;     /* of its resolved configuration, seeds that are axes left out */
  uint64_t inputs;     /* digest of its data and model; 0: not known yet (ad_study_identify) */
  char input_text[80]; /* the digests that `inputs` is made of: descriptor, train, dev, model; "" until then */
};

struct ad_study_cell {
  size_t arm;            /* number of its arm */
  const uint32_t *level; /* [A] number of its value on each axis; the study's */
  uint64_t id;           /* 0: not known yet */
};

struct ad_study {
  char *path; /* of the study file, for messages */
  char *name;
  char *dir;
  uint64_t ranks_per_trial;
  enum ad_study_source source;  /* study.result: of which parameters or split, */
  const struct ad_score *score; /* and which score of the task (task/task.h) */
  enum ad_study_rule rule;
  double threshold; /* AD_RULE_THRESHOLD */
  int test;         /* 1: finished runs are evaluated on the test split */
  struct ad_study_analysis analysis;
  double lease; /* seconds without a sign of life after which a cell is taken over */
  struct ad_config base;
  struct ad_study_axis *axes; /* [axis_count] */
  size_t axis_count;
  struct ad_study_arm *arms; /* [arm_count] */
  size_t arm_count;
  struct ad_study_cell *cells; /* [count] arm by arm in the file's order, the last axis fastest */
  size_t count;
  uint32_t *levels; /* [count, A] where cells[i].level points to */
  /* The folder of a model.path, which the caller owns; set by whoever knows models by name. NULL: it is the path. */
  int (*find_model)(const char *name, char **folder);
};

/* Reads a study file and lays out its cells; reads no data. The caller owns it: ad_study_destroy, also after a failure.
 * AD_EINPUT (YAML), AD_ECONFIG with file and line (an unknown key and the nearest one, a value, two cells that are the
 * same, axes of a design that do not fit), AD_ENOMEM. */
int ad_study_read(struct ad_study *study, const char *path);
void ad_study_destroy(struct ad_study *study);

/* Warns of keys without effect, each once: in the base without effect in any arm, in an arm without effect there, a
 * seed that changes nothing, a key that a study decides itself (run.dir). AD_ENOMEM. */
int ad_study_warn_idle(const struct ad_study *study);

/* Reads what the arms are given (data files, model: bytes only) and so knows the ids of all cells. `datasets`: where
 * descriptors named without a path are. AD_EINPUT, AD_ECONFIG, AD_EIO, AD_ENOMEM. */
int ad_study_identify(struct ad_study *study, const char *datasets);

/* Compares with the plan in study->dir, which is made where there is none, and brings it up to date. An arm of which
 * a cell has been begun must be what it was: AD_ECONFIG with the keys or inputs that differ and both values. All cells
 * must be identified. AD_EINPUT (a plan.json that is none), AD_EIO, AD_ENOMEM. */
int ad_study_commit(struct ad_study *study);

/* For those who only look: ids as the plan knows them, without reading any data. Arms that are not in it, or were
 * something else there (a warning says what), stay without. AD_EINPUT, AD_ENOMEM. */
int ad_study_recall(struct ad_study *study);

/* The resolved configuration of a cell, run.dir included (its id is known). The caller owns it: ad_config_destroy.
 * AD_ENOMEM. */
int ad_study_config(const struct ad_study *study, const struct ad_study_cell *cell, struct ad_config *config);

/* The digest of what that configuration says of the result: keys that name files, or change no bit, are left out. */
uint64_t ad_study_cell_digest(const struct ad_study *study, const struct ad_study_cell *cell);

/* "DIR/runs/ID"; the caller frees it. NULL: out of memory. */
char *ad_study_folder(const struct ad_study *study, const struct ad_study_cell *cell);

/* "sda, seed.init=3, seed.order=0" into text [size]; returns text. */
const char *ad_study_label(const struct ad_study *study, const struct ad_study_cell *cell, char *text, size_t size);

/* "arms", "baseline", ...; static storage. */
const char *ad_study_analysis_key(enum ad_analysis_key key);

/* Of the texts of an analysis. */
uint64_t ad_study_analysis_digest(char *const text[AD_ANALYSIS_KEYS]);

/* 1 where study.analysis names the arm, in all settings ("sda-5") or in this one (its whole name). */
int ad_study_is_primary(const struct ad_study *study, size_t arm);

/* Number of the axis with this key, or -1. */
int ad_study_find_axis(const struct ad_study *study, const char *key);

#endif
