/* Scores of a data set: what evaluations print, log and store. */
#ifndef AUTODIDACT_RUN_SCORES_H
#define AUTODIDACT_RUN_SCORES_H

#include <stdio.h>

#include "autodidact/base/buffer.h"
#include "autodidact/data/dataset.h"
#include "autodidact/data/descriptor.h"
#include "autodidact/learn/metrics.h"

struct ad_scores {
  size_t examples, skipped; /* skipped: rows of the file that the descriptor leaves out */
  double error, accuracy, macro_f1, matthews, loss; /* loss: mean cross entropy */
  struct ad_metrics metrics;                        /* counts of each class, owned */
  struct ad_confusion confusion;                    /* owned */
};

/* Scores of logits [N,C] against data->label. The caller owns them. AD_EINPUT (an example without a label), AD_ENOMEM.
 */
int ad_scores_create(struct ad_scores *scores, const struct ad_dataset *data, size_t C, const float *logits);

/* The same of predictions [N] below C that no single row of logits made, as those of a vote, and their loss. */
int ad_scores_create_predicted(struct ad_scores *scores, const struct ad_dataset *data, size_t C, const uint32_t *predictions,
                            double loss);
void ad_scores_destroy(struct ad_scores *scores);

/* `"examples":..,"error":..,...`: members of a JSON object, numbers to full precision, into text [size]. */
const char *ad_scores_json(const struct ad_scores *scores, char *text, size_t size);

/* Appends `,"classes":[..],"confusion":[..]`: of each class name, precision, recall, F1 and support; the confusion matrix
 * without zeros as [label, prediction, count], classes by their numbers. AD_ENOMEM. */
int ad_scores_json_classes(const struct ad_scores *scores, const struct ad_descriptor *descriptor, struct ad_buffer *out);

/* The scores and the confusion matrix (rows: labels, columns: predictions) for people; with many classes the largest
 * confusions instead, in whose order scores->confusion is left. */
void ad_scores_print(FILE *out, struct ad_scores *scores, const struct ad_descriptor *descriptor);

#endif
