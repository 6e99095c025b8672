/* Scores of a data set: what evaluations print, log and store. Not installed. */
#ifndef AUTODIDACT_CLI_SCORES_H
#define AUTODIDACT_CLI_SCORES_H

#include <stdio.h>

#include "autodidact/base/buffer.h"
#include "autodidact/data/dataset.h"
#include "autodidact/data/descriptor.h"
#include "autodidact/learn/metrics.h"

struct scores {
  size_t examples, skipped; /* skipped: rows of the file that the descriptor leaves out */
  double error, accuracy, macro_f1, matthews, loss; /* loss: mean cross entropy */
  struct ad_metrics metrics;                        /* counts of each class, owned */
  struct ad_confusion confusion;                    /* owned */
};

/* Scores of logits [N,C] against data->label. The caller owns them. AD_EINPUT (an example without a label), AD_ENOMEM.
 */
int scores_create(struct scores *scores, const struct ad_dataset *data, size_t C, const float *logits);

/* The same of predictions [N] below C that no single row of logits made, as those of a vote, and their loss. */
int scores_create_predicted(struct scores *scores, const struct ad_dataset *data, size_t C, const uint32_t *predictions,
                            double loss);
void scores_destroy(struct scores *scores);

/* `"examples":..,"error":..,...`: members of a JSON object, numbers to full precision, into text [size]. */
const char *scores_json(const struct scores *scores, char *text, size_t size);

/* Appends `,"classes":[..],"confusion":[..]`: of each class name, precision, recall, F1 and support; the confusion matrix
 * without zeros as [label, prediction, count], classes by their numbers. AD_ENOMEM. */
int scores_json_classes(const struct scores *scores, const struct ad_descriptor *descriptor, struct ad_buffer *out);

/* The scores and the confusion matrix (rows: labels, columns: predictions) for people; with many classes the largest
 * confusions instead, in whose order scores->confusion is left. */
void scores_print(FILE *out, struct scores *scores, const struct ad_descriptor *descriptor);

#endif
