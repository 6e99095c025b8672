/* eval over several runs: their vote, or the mean of their parameters. Not installed. */
#ifndef AUTODIDACT_CLI_ENSEMBLE_H
#define AUTODIDACT_CLI_ENSEMBLE_H

#include <stddef.h>

#include "autodidact/run/session.h"

struct ensemble_options {
  char *const *runs; /* [count] folders */
  size_t count;      /* K > 1 */
  const char *data;  /* a labelled file, or the name of a split */
  const char *model; /* which parameters of each run, or NULL: its result */
  struct ad_session_data_options where;
  const char *out;   /* where the averaged model is written, or NULL */
  int average;       /* 1: one model of the mean parameters; 0: the vote */
  int json;
};

/* Evaluates and prints. Runs that read other inputs or answer in other classes are refused before anything is computed
 * (ensemble_check). Collective over the world. AD_ECONFIG, AD_EINPUT, AD_EDIVERGED, AD_EIO, AD_ENOMEM. */
int ensemble_evaluate(const struct ensemble_options *options);

/* AD_OK where all runs are finished, no folder is given twice, and they agree in all that gives their logits a common
 * meaning: descriptor, classes, tokenizer, max_tokens and truncation, shape of the model, and, where options->data is
 * the name of a split, what makes the split. Otherwise AD_ECONFIG with both runs and both values, or why a run cannot
 * be read.
 */
int ensemble_check(const struct ensemble_options *options);

#endif
