/* Predictions as a table: a header and a row for each row of the data, as CSV, TSV or JSON lines. */
#ifndef AUTODIDACT_RUN_PREDICTIONS_H
#define AUTODIDACT_RUN_PREDICTIONS_H

#include "autodidact/run/predict.h"

/* X(constant, word, what it holds), the columns that may be asked for. `probabilities` and `logits` are a column for
 * each class, "probability.NAME" and "logit.NAME"; of JSON lines one object with a member for each. So is `value`,
 * "value.NAME", of several targets; of one it is the column "value". A task that gives no probabilities has `value` in
 * place of the class and of what belongs to it. */
#define AD_PREDICTION_COLUMN_MAP(X)                                         \
  X(AD_PREDICTED_ROW, row, "number of the row from 1")                      \
  X(AD_PREDICTED_OWN, own, "the file's own columns")                        \
  X(AD_PREDICTED_CLASS, class, "name of the predicted class")               \
  X(AD_PREDICTED_NUMBER, number, "its number from 0")                       \
  X(AD_PREDICTED_CONFIDENCE, confidence, "its probability")                 \
  X(AD_PREDICTED_PROBABILITIES, probabilities, "probability of each class") \
  X(AD_PREDICTED_LOGITS, logits, "logit of each class")                     \
  X(AD_PREDICTED_VALUE, value, "predicted number of each target")

enum ad_predicted { AD_PREDICTION_COLUMN_MAP(AD_SET_ID) AD_PREDICTED };

/* X(constant, word); a file's name ends in a dot and the word. */
#define AD_PREDICTION_FORMAT_MAP(X) \
  X(AD_PREDICTIONS_CSV, csv)        \
  X(AD_PREDICTIONS_TSV, tsv)        \
  X(AD_PREDICTIONS_JSONL, jsonl)

enum ad_prediction_format { AD_PREDICTION_FORMAT_MAP(AD_SET_ID) AD_PREDICTION_FORMATS };

/* Zero-initialise, then set what is wanted. */
struct ad_predictions_options {
  const char *out;     /* the file; NULL: standard output */
  const char *format;  /* a word; NULL: as the file's name ends, CSV on standard output */
  const char *columns; /* words with commas between them; NULL: "row,class,probabilities", or "row,value" */
  int keep;            /* 1: `own` too, behind `row` */
  const char *data;    /* which must not be written over; NULL: none */
  const char *write;   /* a new file: the descriptor by which another model learns the table's probabilities; needs out
                          and keep. NULL: none */
};

struct ad_predictions;

/* Checks the options, before anything is loaded: nothing is written. They must outlive it. The caller owns it:
 * ad_predictions_destroy, after a failure too. Not collective. AD_ECONFIG (an unknown word, a file's ending that says
 * no format, a file that is no regular one or is the data), AD_ENOMEM. */
int ad_predictions_create(struct ad_predictions **predictions, const struct ad_predictions_options *options);
void ad_predictions_destroy(struct ad_predictions *predictions);

/* Predicts all rows and writes them; the file whole or not at all. A row that could not be read has its number and its
 * own columns, and no prediction. On a terminal texts are escaped (base/shown.h), elsewhere they are as they are.
 * Collective over the world. Errors as of ad_predictor_run and ad_predictor_open_columns; AD_ECONFIG (a column that
 * the model's task does not have), AD_EIO. */
int ad_predictions_write(struct ad_predictions *predictions, struct ad_predictor *predictor);

#endif
