/* One training, on all ranks or some: what its files share. training.c runs it; setup.c loads and connects; resume.c opens
 * the run folder; inputs.c looks what else is in there; checkpoint.c saves; stop.c says when to stop; evaluate.c scores
 * and keeps; snapshots.c keeps numbers of chosen steps; memory.c counts bytes; faults.c makes faults on demand. */
#ifndef AUTODIDACT_RUN_TRAINING_INTERNAL_H
#define AUTODIDACT_RUN_TRAINING_INTERNAL_H

#include "autodidact/learn/evaluate.h"
#include "autodidact/learn/trainer.h"
#include "autodidact/mpi/evaluate.h"
#include "autodidact/mpi/exchange.h"
#include "autodidact/store/run.h"
#include "autodidact/run/scores.h"
#include "autodidact/run/session.h"

enum { AD_SCORES_TEXT = 512 };

/* One evaluation, for the closing table. Variants that were not evaluated are NaN. */
struct row {
  uint64_t step;
  double epoch, error[AD_VARIANTS], loss; /* loss: of the result's variant */
};

/* Faults on demand. */
enum injection {
  INJECT_KILL_STEP,
  INJECT_NAN_STEP,
  INJECT_TERM_STEP,
  INJECT_KILL_SAVE,
  INJECT_KILL_EVAL,
  INJECT_ENOSPC_SAVE,
  INJECT_TERM_EVAL,
  INJECT_CORRUPT_CHECKPOINT,
  INJECTIONS
};

/* What a training is given besides its configuration. All zero for one on all ranks that prints a table at its end. */
struct ad_training_frame {
  const struct ad_comm *ranks; /* those of the training; NULL: all of the world */
  double started;              /* by ad_clock: what run.time_limit counts from; 0: when the training starts */
  int quiet;                   /* no progress, no table */
  /* Asked on the training's first rank between steps, or NULL: 0, the number of a signal that stops the training, or a
   * failure, which ends it without another checkpoint. */
  int (*asked)(void *context);
  void *context;
};

struct ad_training {
  struct ad_training_frame frame;
  struct ad_session session;
  struct ad_dataset train, dev;
  int has_dev;
  struct ad_trainer_settings settings;
  char *ring_folder; /* with teacher.ring=disk */
  struct ad_comm *comm;
  int replica_owner;                /* 1 on the first rank of a node */
  int first;                        /* 1 on rank 0, which alone keeps the run folder */
  struct ad_shared shared;          /* the node's whole vectors, where its ranks share them */
  float *vectors;                   /* else this rank's, but for the student's */
  struct ad_replicas replicas;      /* in `shared`, or session.theta and `vectors` */
  char initial[17];                 /* digest of the parameters before the first step */
  struct ad_mpi_exchange *exchange; /* NULL on one rank */
  struct ad_trainer *trainer;
  struct ad_evaluator *evaluator;
  struct ad_run run;
  struct ad__snapshots *snapshots; /* NULL: none */
  float *logits, *member_logits;        /* [N,C] of dev; the second with SDV */
  double *logit_sum;                    /* [N,C] with SDV */
  float *best;                          /* [P] with run.select = best */
  double best_error;                    /* of `best`; infinite before the first evaluation */
  uint64_t best_step;
  char best_scores[AD_SCORES_TEXT];              /* of the parameters that the run keeps */
  char last_scores[AD_VARIANTS][AD_SCORES_TEXT]; /* of the last evaluation; "": none */
  double dev_error;                           /* the last one of the result's variant; NaN before */
  void *rows;                                 /* struct row [row_count] */
  size_t row_count, row_capacity;
  uint64_t steps_an_epoch;
  uint64_t log_bytes;  /* of log.jsonl when everything before was whole; rank 0 */
  uint64_t evaluated;  /* step of the last whole evaluation */
  struct ad_step last; /* the last step, or what is known of it after going on from a checkpoint */
  int has_saved;
  uint64_t saved, saved_evaluated;                       /* step of the last checkpoint, and `evaluated` then */
  double started, first_step, last_save;                 /* by ad_clock; first_step 0: it was not reached */
  double slowest_step, slowest_evaluation, slowest_save; /* seconds */
  char stop_reason[64];
  int stop_signal; /* the signal's number where it was one */
  int held; /* a failure of this rank that the others do not know of yet, and its message */
  char held_message[1000];
  uint64_t inject[INJECTIONS], injected[INJECTIONS]; /* the step plus 1 or the time it is due, 0: never; times so far */
  double seconds;                                    /* in steps */
  size_t examples;                                   /* in steps */
  size_t base;      /* bytes of this process before anything of the training was allocated */
  double predicted; /* bytes of a rank, mean over the ranks */
};

/* From the configuration in t->session to result.json. t: zeroed but for frame, session and faults. ad__training_close
 * releases all, as does the end of the process: after a failure that not all ranks share (alone 1) it leaves what cannot
 * be released without the others. Collective over the training's ranks. */
int ad_training_run(struct ad_training *t);
int ad_training_close(struct ad_training *t, int alone);

/* Keeps a failure of this rank alone, to be told at the next ad__training_must_stop or ad__training_settle. Not collective. */
void ad__training_hold(struct ad_training *t, int status);

/* The failure that a rank holds, on every rank, or AD_OK. Collective. */
int ad__training_settle(struct ad_training *t);
/* What a configuration says of the teacher. */
struct ad_teacher_settings ad__training_teacher(const struct ad_config *config);

/* Data, model, checks that all ranks have the same, replicas, exchange, trainer, evaluator, run folder. Collective. */
int ad__training_load_data(struct ad_training *t);
int ad__training_check_configuration(struct ad_training *t);
int ad__training_prepare(struct ad_training *t);
int ad__training_open_run(struct ad_training *t);

/* AD_ECONFIG where the run folder holds the run's model, vocabulary, data, caches or, of a run that begins anew, its
 * configuration. On rank 0. */
int ad__training_check_inputs(const struct ad_training *t, int anew);

/* ad__training_check_signals: AD_ECONFIG where this is no list of signals (run.signals). ad__training_watch_signals: those in it, and
 * INT in a terminal, set a flag from now on, which ad__training_signal tells (0: none came); a second INT ends the program. Before,
 * when there is nothing to save, any of them does.
 * ad__training_must_stop: 1 where it, the frame or the clock asks to stop, on any rank; alike on all, the reason in
 * stop_reason; or the failure that a rank holds. Collective. ad__training_pretend_signal sets the flag, for tests. */
int ad__training_check_signals(const char *list);
int ad__training_watch_signals(const char *list);
int ad__training_signal(void);
const char *ad__training_signal_name(int number);
int ad__training_must_stop(struct ad_training *t);
void ad__training_pretend_signal(int number);

/* --inject: reads the list (NULL: none), AD_ECONFIG; and what happens at the places. Kills do not return. */
int ad__training_parse_faults(struct ad_training *t, const char *list);
void ad__training_fault_before_step(struct ad_training *t, uint64_t step);
void ad__training_fault_after_step(struct ad_training *t, uint64_t step);
void ad__training_fault_in_evaluation(struct ad_training *t);
int ad__training_fault_in_save(struct ad_training *t);
int ad__training_fault_after_save(struct ad_training *t, uint64_t step);

/* The row of a step in log.jsonl, without its newline; on rank 0. */
enum { STEP_TEXT = 512 };
void ad__training_step_text(const struct ad_training *t, const struct ad_step *step, char text[STEP_TEXT]);

/* What provenance.json would say now against what the run's folder says: a line to standard output for each fact that
 * may give other bits. On rank 0. */
int ad__training_print_changes(struct ad_training *t);

/* Between two steps: a checkpoint where one is due. AD_ESTOPPED where the training must stop; it has been saved then.
 * ad__training_save: now. Collective. */
int ad__training_step_edge(struct ad_training *t);
int ad_training_save(struct ad_training *t);

/* Takes the checkpoint of a step in place; compares the vectors with those of one. Collective. AD_EINPUT: it is damaged,
 * or holds other bits. AD_ECONFIG. */
int ad__training_load_step(struct ad_training *t, uint64_t step);
int ad__training_compare_checkpoint(struct ad_training *t, uint64_t step);

/* Bytes of a checkpoint of this training, at most. */
size_t ad__training_checkpoint_bytes(struct ad_training *t);

/* Goes on from the newest good checkpoint of run.dir; *loaded 0 where there is none at all. Collective. AD_EINPUT (all
 * are damaged), AD_ECONFIG. */
int ad__training_load(struct ad_training *t, int *loaded);

/* The checkpoints of a finished run go, unless checkpoint.finished. */
int ad__training_clear_checkpoints(struct ad_training *t);

/* Scores every variant that there is on dev, logs and keeps them. AD_ESTOPPED where the training must stop before it is
 * done: nothing of it counts then. Collective. */
int ad_training_evaluate(struct ad_training *t, const struct ad_step *step);

/* variants/, model/ and result.json: the latter last, it says that the run is complete. Collective. */
int ad__training_keep_result(struct ad_training *t);

/* Snapshots (store/snapshot.h), if the configuration asks for any: `plan` before the run folder is made, once the
 * trainer is there (AD_ECONFIG: settings, budget); `open` after it, with the snapshot of step 0 where the run begins;
 * `watch` before and `keep` after each step; `flush` before a checkpoint is committed and at the end. Collective but
 * for `watch` and `close`. */
int ad__training_plan_snapshots(struct ad_training *t);
int ad__training_open_snapshots(struct ad_training *t);
void ad__training_watch_step(struct ad_training *t);
int ad__training_keep_snapshot(struct ad_training *t, const struct ad_step *step);
int ad__training_flush_snapshots(struct ad_training *t);
void ad__training_close_snapshots(struct ad_training *t);

/* Closes the snapshots of a run that failed with `status` by its own numbers, as they tell why; returns status, its
 * message kept. Not collective. */
int ad__training_keep_diverged(struct ad_training *t, int status);

/* Bytes that this rank holds of them at most. */
size_t ad__training_snapshot_memory(const struct ad_training *t);

/* Says what a rank will hold, and after the last step what it held. Collective. */
int ad__training_predict_memory(struct ad_training *t);
int ad__training_report_memory(struct ad_training *t);

/* Proportional set size of this process: shared memory counts by its share. 0 where the system does not tell. */
size_t ad__training_resident(void);

#endif
