/* Predictions of a finished run, or of a model for sequences in a Hugging Face folder (examples/predict.c). Letters: C
 * classes or targets, Q words of a prediction (task/task.h). */
#ifndef AUTODIDACT_RUN_PREDICT_H
#define AUTODIDACT_RUN_PREDICT_H

#include "autodidact/run/session.h"

struct ad_predictor;

/* What is predicted, and by which model. All zero but for `data` is allowed. */
struct ad_predict_options {
  const char *data;  /* of a run: a file in the layout of its data set's test split, or train, dev, test; of a model:
                        text,  one example a line, a TAB between the texts of a pair; "-": standard input */
  const char *text;  /* in place of `data`, the one text to classify, */
  const char *pair;  /* and its second one; NULL: it has none */
  const char *model; /* which parameters of a run ("student", ...); NULL: its result */
  struct ad_session_data_options where; /* of a run's data */
  int lines;                            /* 1: text, of a run too */
  const char *precision;                /* as of ad_session_choose_precision; a model folder's own is float32 */
  const char *threshold;                /* a number in (0,1) in place of the model's; NULL: that */
};

/* 1 where a folder is a run's, and no model's. Not collective. */
int ad_predictor_is_run(const char *folder);

/* Loads the model of `source`, a run or a model folder, and the data. The caller owns it: ad_predictor_close, after a
 * failure too. Collective over the world, as ad_predictor_run. AD_EINPUT, AD_ECONFIG, AD_EIO, AD_ENOMEM. */
int ad_predictor_open(struct ad_predictor **predictor, const struct ad_math *math, const char *source,
                      const struct ad_predict_options *options);

struct ad_prediction {
  const struct ad_task *task;
  const uint32_t *words; /* [Q] what is predicted */
  uint32_t number;       /* of the class; 0 of tasks without classes, */
  const char *name;      /* as NULL; also NULL: the model has no names */
  size_t classes;        /* C */
  const float *logits;   /* [C] */
};

/* Appends what is predicted as files write it; names [C] of the classes, or NULL. AD_ENOMEM. */
int ad_prediction_print(const struct ad_prediction *prediction, const char *const *names, struct ad_buffer *out);

/* Gets the rows of the data in order, on every rank. prediction NULL: a row that could not be read, where the
 * descriptor lets such rows pass. A failure that it returns ends ad_predictor_run. */
typedef int (*ad_prediction_taker)(void *context, const struct ad_prediction *prediction);

/* What the model predicts. */
const struct ad_task *ad_predictor_task(const struct ad_predictor *predictor);

/* The classes or targets, C of them, and their names [C]; NULL: the model has none. They are the predictor's. */
size_t ad_predictor_classes(const struct ad_predictor *predictor, const char *const **names);

/* The columns that the rows have in the file. The caller closes them, after a failure too. Not collective. AD_ECONFIG
 * (rows that are a selection, or no file's), AD_EINPUT, AD_ENOMEM. */
int ad_predictor_open_columns(const struct ad_predictor *predictor, struct ad_columns_reader **columns);

/* The descriptor of the run's data and the layout that the file was read by (*source); NULL both: the file is plain
 * text. The predictor's. */
const struct ad_descriptor *ad_predictor_descriptor(const struct ad_predictor *predictor,
                                                    const struct ad_source **source);

/* 1 on the rank that writes. */
int ad_predictor_is_first(const struct ad_predictor *predictor);

/* The worst status of all ranks, on every rank. Collective over the world. */
int ad_predictor_settle(const struct ad_predictor *predictor, int status);

/* All rows. AD_ENOMEM, or what `take` returns. */
int ad_predictor_run(struct ad_predictor *predictor, ad_prediction_taker take, void *context);

/* alone 1: after a failure that not all ranks share, what takes all ranks is left. NULL is allowed. */
void ad_predictor_close(struct ad_predictor *predictor, int alone);

#endif
