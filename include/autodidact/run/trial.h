/* One cell of a study, on one team of ranks. Words: docs/glossary.md. */
#ifndef AUTODIDACT_RUN_TRIAL_H
#define AUTODIDACT_RUN_TRIAL_H

#include "autodidact/math/context.h"
#include "autodidact/mpi/teams.h"
#include "autodidact/store/rows.h"
#include "autodidact/study/study.h"

/* What a cell's trial did. */
struct ad_trial_outcome {
  int status; /* AD_OK, AD_ESTOPPED with a checkpoint, or why it failed; the message is recorded */
  int alone;  /* the other ranks of the team did not come: the job must end */
  int signal; /* that stopped it; 0: none */
  uint64_t step, steps;
  double seconds;           /* of this attempt */
  double before_step;       /* seconds from its begin to the first step */
  double at_least;          /* seconds of one step, one evaluation and one checkpoint, the slowest of each */
  double majority[2];       /* as in struct ad_cell_record */
  int has_result, has_test; /* 1: the two below are there; on the first rank */
  struct ad_result result;  /* the run's */
  struct ad_scores test;    /* on the test split */
};

/* What a trial needs besides its cell. */
struct ad_trial {
  const struct ad_math *math;
  const struct ad_study *study;
  const struct ad_teams *teams;
  const struct ad_study_cell *cell;
  int finished;                /* 1: its run folder holds a finished run; only scores are missing */
  double started;              /* of the job, by ad_clock */
  int (*asked)(void *context); /* as in struct ad_training_frame (run/training.h) */
  void *context;
};

/* Runs a cell, or continues it, on this rank's team. Collective over the team. */
void ad_trial_run(const struct ad_trial *trial, struct ad_trial_outcome *outcome);

#endif
