/* How good predictions are: counts first, then figures computed from the counts alone.
 *
 * The counts are integers, so the figures depend neither on the order of the examples nor on who counted which: the
 * confusion matrices of several ranks are added. Letters: B examples, C classes. */
#ifndef AUTODIDACT_LEARN_METRICS_H
#define AUTODIDACT_LEARN_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct ad_metrics {
  uint32_t classes;    /* C */
  uint64_t *confusion; /* [C,C] examples by label (row) and prediction (column), owned */
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
  metrics->confusion[(size_t)label * metrics->classes + prediction]++;
}

/* The predicted class of logits [C], C > 0: the largest, the first of equal ones. Logits that are NaN never win against
 * a number; all NaN gives class 0, so a caller who must not accept them looks at the loss. */
uint32_t ad_metrics_predict(size_t C, const float *logits);

/* Examples counted. */
uint64_t ad_metrics_examples(const struct ad_metrics *metrics);

/* Share of right and of wrong predictions, in [0,1]. Without examples both are NaN: there is nothing to report. */
double ad_metrics_accuracy(const struct ad_metrics *metrics);
double ad_metrics_error(const struct ad_metrics *metrics);

/* F1 of one class, 2 TP / (2 TP + FP + FN); 0 where that is 0/0. */
double ad_metrics_f1(const struct ad_metrics *metrics, uint32_t class_number);

/* Mean of F1 over the classes that occur among the labels or the predictions, as scikit-learn's f1_score with average =
 * "macro" and its default zero_division; a class with no right prediction counts as 0. NaN without examples. */
double ad_metrics_macro_f1(const struct ad_metrics *metrics);

/* Matthews correlation in [-1,1], for C > 2 by Gorodkin's R_K (Gorodkin 2004, as scikit-learn's matthews_corrcoef); 0
 * where labels or predictions are all of one class, NaN without examples. Exact up to one division and one root. */
double ad_metrics_matthews(const struct ad_metrics *metrics);

#endif
