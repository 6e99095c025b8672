/* The rows of a run's text files: each format has one function that prints it, and one that reads it.
 *
 *   log.jsonl     struct ad_step_row, struct ad_evaluation_row: reproducible columns only
 *   timing.jsonl  struct ad_timing_row: everything that is not
 *   result.json   struct ad_result
 *
 * Printed rows have no newline. Digests are 16 hexadecimal digits, counts whole numbers. Other numbers of log.jsonl and
 * result.json are "%.17g", so that a row that is read and printed again has the same bytes. A reader takes an object
 * that base/json.h has read, and passes over members that it does not know. */
#ifndef AUTODIDACT_STORE_ROWS_H
#define AUTODIDACT_STORE_ROWS_H

#include "autodidact/base/json.h"
#include "autodidact/learn/trainer.h"
#include "autodidact/task/scores.h"

/* Bytes of the longest row of the logs. */
enum { AD_ROW_TEXT = 8192 };

/* A training step. */
struct ad_step_row {
  uint64_t step, epoch, examples, tokens;
  const char
      *task; /* of several the one that its examples are of, not owned; NULL: there is one, or the row was read */
  double loss;
  int taught;      /* 1: the two below are there */
  double distance; /* NaN: it was not computed */
  double weight;
  double norm, factor;
  uint64_t parameters, chain; /* digests */
};

/* The row of a step, `taught` as above; its text. */
struct ad_step_row ad_step_row_of(const struct ad_step *step, int taught);
const char *ad_step_row_print(const struct ad_step_row *row, char text[AD_ROW_TEXT]);

/* AD_EINPUT: no step (step, epoch, loss, norm and the two digests are asked for). */
int ad_step_row_read(struct ad_step_row *row, const json_t *object);

/* The members of scores, `"examples":..,"error":..`, without braces, as they stand inside rows and objects. A task that
 * is not the first of the registry is named, `"task":..` (ad_task_named); a score that
 * is not finite is null. */
const char *ad_scores_print(const struct ad_scores *scores, char text[AD_ROW_TEXT]);

/* Those of an object (NULL: of none); a score that is not there is NaN, `examples` 0. None at all where the task is not
 * known. */
struct ad_scores ad_scores_read(const json_t *object);

/* An evaluation on dev of one variant's parameters. */
struct ad_evaluation_row {
  enum ad_variant model;
  uint64_t step, epoch;
  struct ad_scores scores;
};

/* Returns text. */
const char *ad_evaluation_row_print(const struct ad_evaluation_row *row, char text[AD_ROW_TEXT]);

/* Whether an object of the log is an evaluation's, and reads it. AD_EINPUT: not one of this program (model, step, the
 * first score and the loss are asked for). */
int ad_evaluation_row_is(const json_t *object);
int ad_evaluation_row_read(struct ad_evaluation_row *row, const json_t *object);

/* What a row of timing.jsonl is about. X(kind, the member that tells it) */
#define AD_TIMING_MAP(X)                                                      \
  X(AD_TIMING_EVALUATION, "eval")       /* one on dev at a step */            \
  X(AD_TIMING_SNAPSHOT, "snapshot")     /* one that was taken after a step */ \
  X(AD_TIMING_SNAPSHOTS, "snapshots")   /* those in memory were written */    \
  X(AD_TIMING_CHECKPOINT, "checkpoint") /* that of a step was written */      \
  X(AD_TIMING_RESUMED, "resumed")       /* the run went on after a step */    \
  X(AD_TIMING_MEMORY, "memory")         /* bytes of a rank */                 \
  X(AD_TIMING_STEP, "step")             /* a training step; last, as other rows say a step too */

enum ad_timing {
#define AD_TIMING_ENUM(kind, member) kind,
  AD_TIMING_MAP(AD_TIMING_ENUM)
#undef AD_TIMING_ENUM
      AD_TIMINGS
};

struct ad_timing_row {
  enum ad_timing kind;
  uint64_t step;
  uint64_t steps; /* of the whole run; AD_TIMING_STEP */
  double seconds;
  double predicted, used; /* AD_TIMING_MEMORY */
  const char *ranks;      /* AD_TIMING_RESUMED: "4 on 2 nodes"; not owned, NULL in a row that was read */
  const char *host;
};

/* Returns text. */
const char *ad_timing_row_print(const struct ad_timing_row *row, char text[AD_ROW_TEXT]);

/* AD_EINPUT: none of the kinds. */
int ad_timing_row_read(struct ad_timing_row *row, const json_t *object);

/* What a finished run has come to. */
struct ad_result {
  uint64_t step, steps;               /* of the parameters in model/; of the whole run */
  enum ad_variant model;              /* which they are */
  int kept[AD_VARIANTS];              /* 1: in model/ or variants/ */
  uint64_t digest[AD_VARIANTS];       /* of all parameters of those */
  int has_dev;                        /* 1: the two below are there */
  struct ad_scores dev;               /* of model/; examples 0: none */
  struct ad_scores last[AD_VARIANTS]; /* of the last evaluation; examples 0: that variant had none */
};

/* Appends the object and a newline. AD_ENOMEM. */
int ad_result_print(const struct ad_result *result, struct ad_buffer *out);

/* AD_EINPUT: not a run's result (steps and the digest of model/ are asked for). */
int ad_result_read(struct ad_result *result, const json_t *object);

/* result.json in a run's folder. AD_EINPUT naming the file, AD_EIO, AD_ENOMEM. */
int ad_result_find(struct ad_result *result, const char *run);

#endif
