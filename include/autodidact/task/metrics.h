/* How good predictions of classes are: counts first, then figures computed from the counts alone.
 *
 * The counts are integers, so the figures depend neither on the order of the examples nor on who counted which.
 * Letters: B examples, C classes. */
#ifndef AUTODIDACT_TASK_METRICS_H
#define AUTODIDACT_TASK_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct ad_metrics {
  uint32_t classes;      /* C */
  uint64_t *labels;      /* [C] examples by label, owned with the other two */
  uint64_t *predictions; /* [C] by prediction */
  uint64_t *right;       /* [C] by both, where they are the same */
};

/* Counts of zero for C >= 2 classes. The caller owns it: ad_metrics_destroy. AD_ECONFIG (fewer than 2), AD_ENOMEM. */
int ad_metrics_create(struct ad_metrics *metrics, uint32_t classes);
void ad_metrics_destroy(struct ad_metrics *metrics);

/* Back to counts of zero. */
void ad_metrics_clear(struct ad_metrics *metrics);

/* Counts `examples` labels and predictions [B]. AD_EINTERNAL when one is not below C; then none of them is counted. */
int ad_metrics_add(struct ad_metrics *metrics, size_t examples, const uint32_t *labels, const uint32_t *predictions);

/* Counts one example; label and prediction must be below C. For loops that have checked them. */
static inline void ad_metrics_count(struct ad_metrics *metrics, uint32_t label, uint32_t prediction) {
  metrics->labels[label]++;
  metrics->predictions[prediction]++;
  metrics->right[label] += label == prediction;
}

/* The predicted class of logits [C], C > 0: the largest, the first of equal ones. Logits that are NaN never win against
 * a number; all NaN gives class 0, so a caller who must not accept them looks at the loss. */
uint32_t ad_metrics_predict(size_t C, const float *logits);

/* The softmax of logits [C] into probabilities [C], in double: exp(l_c - max l) over the sum of these. One that is not
 * finite makes all of them NaN. */
void ad_metrics_probabilities(size_t C, const float *logits, double *probabilities);

/* Mean cross entropy of logits [B,C] with labels [B] < C, summed in order in double. B > 0. */
double ad_mean_cross_entropy(size_t B, size_t C, const float *logits, const uint32_t *labels);

/* Examples counted. */
uint64_t ad_metrics_examples(const struct ad_metrics *metrics);

/* Share of right and of wrong predictions, in [0,1]. Without examples both are NaN: there is nothing to report. */
double ad_metrics_accuracy(const struct ad_metrics *metrics);
double ad_metrics_error(const struct ad_metrics *metrics);

/* Of one class: the right share of those predicted to be of it, of those that are, and their harmonic mean
 * F1, 2 TP / (2 TP + FP + FN); each 0 where it is 0/0, as scikit-learn's by default. */
double ad_metrics_precision(const struct ad_metrics *metrics, uint32_t class_number);
double ad_metrics_recall(const struct ad_metrics *metrics, uint32_t class_number);
double ad_metrics_f1(const struct ad_metrics *metrics, uint32_t class_number);

/* Mean of F1 over the classes that occur among the labels or the predictions, as scikit-learn's f1_score with average =
 * "macro" and its default zero_division; a class with no right prediction counts as 0. NaN without examples. */
double ad_metrics_macro_f1(const struct ad_metrics *metrics);

/* Matthews correlation in [-1,1], for C > 2 by Gorodkin's R_K (Gorodkin 2004, as scikit-learn's matthews_corrcoef); 0
 * where labels or predictions are all of one class, NaN without examples. Exact up to one division and one root. */
double ad_metrics_matthews(const struct ad_metrics *metrics);

/* The confusion matrix without its zeros, which are nearly all where there are thousands of classes. */
struct ad_confused {
  uint32_t label, prediction;
  uint64_t count; /* > 0 */
};
struct ad_confusion {
  struct ad_confused *items; /* [count], by label, then by prediction; owned */
  size_t count;
};

/* Of labels and predictions [B]. The caller owns it: ad_confusion_destroy. AD_ENOMEM. */
int ad_confusion_create(struct ad_confusion *confusion, size_t examples, const uint32_t *labels,
                        const uint32_t *predictions);
void ad_confusion_destroy(struct ad_confusion *confusion);

/* Puts what was wrongly predicted first, the most frequent first (ties: by label, then by prediction); the number of
 * these.
 */
size_t ad_confusion_rank(struct ad_confusion *confusion);

#endif
