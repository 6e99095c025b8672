/* Scores of a data set: what evaluations print, log and store. Letters as in task/task.h. */
#ifndef AUTODIDACT_TASK_SCORES_H
#define AUTODIDACT_TASK_SCORES_H

#include "autodidact/task/metrics.h"
#include "autodidact/task/task.h"

/* The most scores of a task, and of several tasks together. */
enum { AD_MOST_OWN_SCORES = 8, AD_MOST_SCORES = 64 };

/* The numbers of an evaluation, in the order of the task's list and of all files that hold them. All zero: none. */
struct ad_scores {
  uint64_t examples;
  const struct ad_task *task;
  double value[AD_MOST_SCORES]; /* [task->score_count] */
  double threshold;             /* that the predictions were made with, where the task has one; 0: it has none */
};

/* The value of a name; NaN: these scores have none. */
double ad_scores_get(const struct ad_scores *scores, const char *name);

/* A value for people, with so many digits behind the point; a share in percent and with two fewer: "12.34 %". Returns
 * text. */
enum { AD_SCORE_TEXT = 40 };
const char *ad_score_print(const struct ad_score *score, int decimals, double value, char text[AD_SCORE_TEXT]);

/* The one that selects, and the mean loss; NaN where there are no scores. */
double ad_scores_first(const struct ad_scores *scores);
double ad_scores_loss(const struct ad_scores *scores);

/* Scores, and the counts that they come from. */
struct ad_scoring {
  struct ad_scores scores;
  size_t skipped;                /* rows of the file that the descriptor leaves out; the caller's to set */
  struct ad_metrics metrics;     /* counts of each class, owned; none (classes 0) of tasks without classes */
  struct ad_confusion confusion; /* where a label is one class; owned */
  double *average_precision;     /* [C] where a label is a set of classes, NaN of one that no label has; owned */
  size_t targets;                /* of a task whose labels are numbers; 0: of others */
  double *target;                /* [targets,score_count] the scores of each alone, owned */
};

/* Scores of logits [N,C] against labels, at the threshold that suits them best where the task has one. The caller owns
 * them: ad_scoring_destroy, after a failure too. AD_EINPUT (a row without a label), AD_EDIVERGED (the loss is not
 * finite; the scores are there), AD_ENOMEM. */
int ad_scoring_create(struct ad_scoring *scoring, struct ad_labels labels, size_t C, const float *logits);

/* The same at a given threshold in (0,1); 0: that of a model that has chosen none. */
int ad_scoring_create_at(struct ad_scoring *scoring, struct ad_labels labels, size_t C, const float *logits,
                         double threshold);

/* The same of predictions [N,Q] that no single row of logits made, as those of a vote, and their loss. */
int ad_scoring_create_predicted(struct ad_scoring *scoring, struct ad_labels labels, size_t C,
                                const uint32_t *predictions, double loss);

/* The same of N texts of whose hidden tokens there are sums [N]. AD_EINPUT (nothing was hidden), AD_EDIVERGED. */
int ad_scoring_create_summed(struct ad_scoring *scoring, const struct ad_task *task, size_t N,
                             const struct ad_row_sums *sums);
void ad_scoring_destroy(struct ad_scoring *scoring);

/* The accuracy of always giving the same answer, the best one; NaN: not known, or nothing of this task. Of several
 * tasks that of the one whose score `score` is, as "sst2.error" (NULL: NaN). */
double ad_majority_share(struct ad_labels labels, size_t C, const char *score);

#endif
