/* A training, from its configuration to its result: what `autodidact train` does, for any program (examples/train.c).
 *
 *   ad_training_create     defaults
 *   ad_training_configure  a file, and key=value on top
 *   ad_training_open       data, model, ranks, run folder: a new run, or one that was stopped and now continues
 *   ad_training_step       until no step is left: evaluations, checkpoints and snapshots come where they are due
 *   ad_training_finish     model/, variants/, result.json
 *   ad_training_close
 *
 * ad_training_run is all of them from open to finish. The ranks of a training call the same functions in the same order
 * (run/program.h starts them). A failure is the same on all ranks, unless the comment says otherwise. */
#ifndef AUTODIDACT_RUN_TRAINING_H
#define AUTODIDACT_RUN_TRAINING_H

#include "autodidact/base/config.h"
#include "autodidact/base/status.h"
#include "autodidact/data/detect.h"
#include "autodidact/learn/trainer.h"
#include "autodidact/math/context.h"
#include "autodidact/mpi/comm.h"
#include "autodidact/store/run_state.h"

struct ad_training;

/* What a training is given besides its configuration. All zero: one on all ranks that shows its progress. */
struct ad_training_frame {
  const struct ad_comm *ranks; /* those of the training; NULL: all of the world */
  double started;              /* by ad_clock: what run.time_limit counts from; 0: when the training is opened */
  int quiet; /* no progress line, no warnings about keys, no word on where the classifier comes from */
  struct ad_detect_columns columns; /* of data without a descriptor; not owned */
  const char *faults;               /* faults on demand, as `train --inject` takes them; NULL: none */
  /* Asked on the training's first rank between steps, or NULL: 0, the number of a signal that stops the training, or a
   * failure, which ends it without another checkpoint. */
  int (*asked)(void *context);
  void *context;
};

/* A training with the configuration's defaults; frame NULL: all zero. The caller owns it: ad_training_close. Not
 * collective. AD_ECONFIG (frame->faults), AD_ENOMEM. */
int ad_training_create(struct ad_training **training, const struct ad_math *math,
                       const struct ad_training_frame *frame);

/* Reads CONFIG.yaml and takes key=value on top: words [count], the first of them the file, unless it is key=value too.
 * Not collective. AD_ECONFIG, AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_training_configure(struct ad_training *training, size_t count, char *const *words);

/* Takes a configuration, whose owner the training becomes, in place of that; `file` names it in messages and must live
 * as long. Not collective. */
void ad_training_set_config(struct ad_training *training, struct ad_config *config, const char *file);

/* From the configuration to the first step that is to be done. Signals of run.signals stop the training from here on.
 * Collective, as all below. AD_ECONFIG (a setting, or a run that is there already or was begun with other inputs),
 * AD_EINPUT (data, model, or damaged checkpoints), AD_ESTOPPED, AD_EIO, AD_ENOMEM. */
int ad_training_open(struct ad_training *training);

/* What is due before the next step (an evaluation, a checkpoint), and that step; *more 0: none was left, and what was
 * due at the end is done. AD_ESTOPPED: a signal, the clock or the frame asked to stop, and a checkpoint is written.
 * AD_EDIVERGED, AD_EIO, AD_ENOMEM. */
int ad_training_step(struct ad_training *training, int *more);

/* Scores every variant that there is on dev, logs and keeps them, whether that is due or not. AD_ESTOPPED where the
 * training must stop before it is done: nothing of it counts then. AD_ECONFIG: there is no dev split. AD_EIO,
 * AD_ENOMEM. */
int ad_training_evaluate(struct ad_training *training);

/* A checkpoint now. AD_EIO, AD_ENOMEM. */
int ad_training_save(struct ad_training *training);

/* After the last step: model/, variants/ and result.json, which is written last and says that the run is complete.
 * AD_EIO, AD_ENOMEM. */
int ad_training_finish(struct ad_training *training);

/* Open, all steps, finish. Of a run that diverged the snapshots are written. */
int ad_training_run(struct ad_training *training);

/* Releases all. alone 1: after a failure that not all ranks share, what takes all ranks is left. NULL is allowed.
 * AD_EIO. */
int ad_training_close(struct ad_training *training, int alone);

/* What a training has come to, at any time from create on. */
struct ad_training_summary {
  const char *folder;   /* of the run; NULL before it is opened */
  uint64_t step, steps; /* done; of the whole run */
  struct ad_step last;  /* the last step, or what is known of it after going on; examples 0: none yet */
  uint64_t examples;    /* in all steps, and their seconds */
  double seconds;
  double first_step;          /* when the first step of this process began, by ad_clock; 0: it was not reached */
  double slowest[3];          /* seconds of a step, an evaluation, a checkpoint */
  const struct ad_task *task; /* what it learns; NULL before it is opened */
  int has[AD_VARIANTS];       /* 1: the settings have such parameters */
  int scored[AD_VARIANTS];    /* 1: the last evaluation has their scores; first rank */
  const struct ad_evaluation_point *evaluations; /* [evaluation_count], valid until the next call; first rank */
  size_t evaluation_count;
  double majority; /* share of the most frequent class of dev; NaN: not known */
  int signal;      /* the signal that stopped it; 0: none */
};

/* Not collective. */
struct ad_training_summary ad_training_summary(const struct ad_training *training);

#endif
