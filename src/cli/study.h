/* The subcommands of `study`: study.c chooses, study_run.c hands out cells, study_trial.c runs one, study_status.c and
 * study_report.c tell, study_cost.c estimates, study_check.c refuses
 * what no arm could have. Not installed. */
#ifndef AUTODIDACT_CLI_STUDY_H
#define AUTODIDACT_CLI_STUDY_H

#include "autodidact/mpi/teams.h"
#include "autodidact/study/cells.h"

/* argv as of a command: argv[0] is the subcommand's name. Collective over the world: run; by one process: status, report. */
int study_command_run(int argc, char **argv);
int study_command_status(int argc, char **argv);
int study_command_report(int argc, char **argv);

/* Work of each cell, whole, into cost [study->count]: seconds of a rank's work where cells of the table tell them (scale
 * 1), otherwise in proportion to tokens times steps times the model's size. Reads no data. AD_ENOMEM. */
int study_estimate(const struct ad_cells *cells, double *cost, int *seconds_known);

/* Whether each arm can have what study.result and study.test ask for; all cells have ids. AD_ECONFIG naming the arm,
 * AD_EINPUT, AD_ENOMEM. */
int study_check_result(const struct ad_study *study);

/* Table by arms for people. */
int study_print_status(const struct ad_cells *cells);

/* What a cell's trial did. */
struct study_outcome {
  int status;         /* AD_OK, AD_ESTOPPED with a checkpoint, or why it failed; the message is recorded */
  int alone;          /* the other ranks of the team did not come: the job must end */
  int signal;         /* that stopped it; 0: none */
  uint64_t step, steps;
  double seconds;     /* of this attempt */
  double before_step; /* seconds from its begin to the first step */
  double at_least;    /* seconds of one step, one evaluation and one checkpoint, the slowest of each */
  double majority[2]; /* as in struct ad_cell_record */
  char *result, *test; /* JSON texts, first rank; NULL; owned (ad_free) */
};

/* What a trial needs besides its cell. */
struct study_trial {
  const struct ad_study *study;
  const struct ad_teams *teams;
  const struct ad_study_cell *cell;
  int finished;                /* 1: its run folder holds a finished run; only scores are missing */
  double started;              /* of the job, by ad_clock */
  int (*asked)(void *context); /* as in struct training_frame */
  void *context;
};

/* Runs a cell, or goes on with it, on this rank's team. Collective over the team. */
void study_run_trial(const struct study_trial *trial, struct study_outcome *outcome);
void study_outcome_destroy(struct study_outcome *outcome);

#endif
