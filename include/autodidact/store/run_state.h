/* What a checkpoint keeps of a run besides the vectors: the trainer's numbers, and what evaluations have given so far.
 * It is the JSON text of a checkpoint (store/checkpoint.h). */
#ifndef AUTODIDACT_STORE_RUN_STATE_H
#define AUTODIDACT_STORE_RUN_STATE_H

#include "autodidact/learn/state.h"
#include "autodidact/learn/teacher.h"
#include "autodidact/task/scores.h"

/* One evaluation. Variants that were not evaluated are NaN. */
struct ad_evaluation_point {
  uint64_t step;
  double epoch;
  double score[AD_VARIANTS]; /* the task's first: `error` in the text */
  double loss;               /* of the result's variant */
};

struct ad_run_state {
  struct ad_trainer_state trainer;
  uint64_t log_bytes; /* of log.jsonl when everything before was whole */
  uint64_t evaluated; /* step of the last whole evaluation */
  uint64_t best_step; /* of the parameters that the run keeps, and their scores; examples 0: none yet */
  struct ad_scores best;
  struct ad_scores last[AD_VARIANTS]; /* of the last evaluation; examples 0: none */
  double dev_score;                   /* the last point's, of the result's variant; NaN before: `dev_error` */
  double peak;                        /* early stopping: the best dev score by run.metric so far; NaN: none yet */
  uint64_t stale;                     /* and how many evaluations in a row were no better */
  double seconds;                     /* in steps, and the examples of them */
  uint64_t examples;
  struct ad_evaluation_point *points; /* [count] every evaluation, owned */
  size_t count, capacity;
};

/* Of a run that begins. */
struct ad_run_state ad_run_state_begin(void);
void ad_run_state_destroy(struct ad_run_state *state);

/* Appends an evaluation. AD_ENOMEM. */
int ad_run_state_add(struct ad_run_state *state, const struct ad_evaluation_point *point);

/* The text; the caller owns it (ad_free). AD_ENOMEM. */
int ad_run_state_print(const struct ad_run_state *state, char **text);

/* Reads it; `path` names the checkpoint in messages. The caller owns the state, after a failure too. AD_EINPUT,
 * AD_ENOMEM.
 */
int ad_run_state_read(struct ad_run_state *state, const char *path, const char *text);

#endif
