/* The table of predictions while it is written. Private to src/run. */
#ifndef AUTODIDACT_RUN_PREDICTIONS_INTERNAL_H
#define AUTODIDACT_RUN_PREDICTIONS_INTERNAL_H

#include "autodidact/base/file.h"
#include "autodidact/run/predictions.h"

struct ad_predictions {
  const struct ad_predictions_options *options;
  enum ad_prediction_format format;
  enum ad_predicted columns[AD_PREDICTED]; /* [column_count] in their order */
  size_t column_count;
  /* While it is written: */
  struct ad_columns_reader *own; /* NULL: not wanted */
  char **own_names;              /* [own_count] as the table has them */
  size_t own_count;
  const struct ad_task *task;
  size_t classes;                 /* C */
  const char *const *class_names; /* [C], or NULL */
  double *probabilities;          /* [C] */
  uint64_t row;
  struct ad_buffer text; /* on its way */
  size_t width, entries; /* entries of a row in all, and those of this row so far */
  int terminal;          /* 1: texts are escaped */
  struct ad_file_out file;
};

/* 1 where a column is one number for each of the C classes or targets. */
int ad__predicted_is_wide(const struct ad_predictions *predictions, enum ad_predicted column);

/* What stands in front of the names of such a column's classes: "logit", "probability" or "value". */
const char *ad__predicted_prefix(enum ad_predicted column);

/* The name of the class c, or its number in `number`. */
enum { AD_CLASS_NUMBER = 24 };
const char *ad__class_name(const struct ad_predictions *predictions, size_t c, char number[AD_CLASS_NUMBER]);

/* Of options->write: what is known before the model is there; what of the table. AD_ECONFIG. The file itself, once the
 * table is written. AD_ECONFIG (the texts are no columns of the table), AD_EIO, AD_ENOMEM. */
int ad__predictions_check_descriptor(const struct ad_predictions_options *options);
int ad__predictions_check_table(const struct ad_predictions *predictions);
int ad__predictions_describe(const struct ad_predictions *predictions, const struct ad_predictor *predictor);

/* The header of CSV and TSV. One row, with its line end: the class's prediction (NULL: the row was not read) and its
 * own cells (NULL: not wanted). Both append to `text`. AD_ENOMEM. */
int ad__predictions_header(struct ad_predictions *predictions);
int ad__predictions_row(struct ad_predictions *predictions, const struct ad_prediction *prediction,
                        const struct ad_cell *own);

#endif
