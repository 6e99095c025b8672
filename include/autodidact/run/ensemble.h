/* Several runs on one data set: their vote, or the model of their mean parameters (learn/ensemble.h). Runs whose task
 * has no classes have their outputs averaged in place of a vote. Letters: K runs, N examples, C outputs. */
#ifndef AUTODIDACT_RUN_ENSEMBLE_H
#define AUTODIDACT_RUN_ENSEMBLE_H

#include "autodidact/learn/ensemble.h"
#include "autodidact/run/session.h"
#include "autodidact/task/scores.h"

struct ad_ensemble_options {
  char *const *runs;     /* [count] folders */
  size_t count;          /* K > 1 */
  const char *data;      /* a labelled file, or the name of a split */
  const char *model;     /* which parameters of each run, or NULL: its result */
  const char *precision; /* as of ad_session_choose_precision */
  struct ad_session_data_options where;
  const char *out; /* where the averaged model is written, or NULL */
  int average;     /* 1: one model of the mean parameters; 0: the vote, or the mean outputs */
};

struct ad_ensemble {
  const struct ad_ensemble_options *options;
  struct ad_session session; /* descriptor and tokenizer, which all runs share */
  struct ad_dataset data;
  struct ad_scoring *own; /* [K] of each run alone */
  struct ad_scoring all;  /* of the vote, of the mean outputs, or of the averaged model */
  struct ad_vote vote;    /* of a task whose labels are one class, without average */
  float *outputs;         /* [K,N,C] of a task whose labels are not one class, without average: each run's logits */
  double *matrix;         /* [K,K] disagreement of each two voters, or root mean square of the difference of their
                             outputs; without average */
  struct ad_diversity diversity; /* of a task with classes */
};

/* Evaluates each run, and all together. Runs that read other inputs or answer in other classes are refused before
 * anything is computed. options must outlive it. The caller owns it: ad_ensemble_destroy, after a failure too.
 * Collective over the world. AD_ECONFIG, AD_EINPUT, AD_EDIVERGED, AD_EIO, AD_ENOMEM. */
int ad_ensemble_evaluate(struct ad_ensemble *ensemble, const struct ad_math *math,
                         const struct ad_ensemble_options *options);
void ad_ensemble_destroy(struct ad_ensemble *ensemble);

/* The root mean square, over each two runs and all outputs, of the difference of their outputs. */
double ad_ensemble_mean_difference(const struct ad_ensemble *ensemble);

/* Mean over the runs of the task's first score. */
double ad_ensemble_mean_score(const struct ad_ensemble *ensemble);

/* AD_OK where all runs are finished, no folder is given twice, and they agree in all that gives their logits a common
 * meaning. That is descriptor, classes, tokenizer, max_tokens and truncation, and shape of the model. Where
 * options->data is the name of a split, it is also what makes the split. Otherwise AD_ECONFIG with both runs and both
 * values, or why a run cannot be read. Not collective. */
int ad_ensemble_check(const struct ad_ensemble_options *options);

#endif
