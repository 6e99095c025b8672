/* Scores of a data set: what evaluations print, log and store. Letters: N examples, C classes. */
#ifndef AUTODIDACT_LEARN_SCORES_H
#define AUTODIDACT_LEARN_SCORES_H

#include "autodidact/data/dataset.h"
#include "autodidact/task/metrics.h"

/* X(score): the numbers of an evaluation, in the order of all files that hold them. loss: mean cross entropy. */
#define AD_SCORE_MAP(X) X(error) X(accuracy) X(macro_f1) X(matthews) X(loss)

struct ad_scores {
  uint64_t examples;
#define AD_SCORE_MEMBER(name) double name;
  AD_SCORE_MAP(AD_SCORE_MEMBER)
#undef AD_SCORE_MEMBER
};

/* Scores, and the counts that they come from. */
struct ad_scoring {
  struct ad_scores scores;
  size_t skipped;                /* rows of the file that the descriptor leaves out */
  struct ad_metrics metrics;     /* counts of each class, owned */
  struct ad_confusion confusion; /* owned */
};

/* Scores of logits [N,C] against data->label. The caller owns them: ad_scoring_destroy, after a failure too. AD_EINPUT
 * (an example without a label), AD_EDIVERGED (the loss is not finite), AD_ENOMEM. */
int ad_scoring_create(struct ad_scoring *scoring, const struct ad_dataset *data, size_t C, const float *logits);

/* The same of predictions [N] below C that no single row of logits made, as those of a vote, and their loss. */
int ad_scoring_create_predicted(struct ad_scoring *scoring, const struct ad_dataset *data, size_t C,
                                const uint32_t *predictions, double loss);
void ad_scoring_destroy(struct ad_scoring *scoring);

/* Share of the most frequent of C classes; NaN without examples or labels, or without memory. */
double ad_majority_share(const struct ad_dataset *data, size_t C);

#endif
