/* How examples and classes count in the loss that a model learns from (train.class_weights, train.label_smoothing). The
 * loss of an evaluation does not know of it. Letters: N examples, C classes. */
#ifndef AUTODIDACT_TASK_LOSS_H
#define AUTODIDACT_TASK_LOSS_H

#include <stddef.h>

struct ad_labels; /* task/task.h */

/* All zero: every class alike, labels as they are. */
struct ad_loss_settings {
  const double *weights; /* [C] of the classes, each > 0; NULL: 1 for all; not owned */
  double smoothing;      /* share of each label that all classes get alike, in [0,1] */
};

/* 1 where all examples count alike and labels are as they are. */
static inline int ad_loss_is_plain(const struct ad_loss_settings *settings) {
  return settings->weights == NULL && settings->smoothing == 0.0;
}

/* The weights that `text` asks for into weights [C]. "balanced": N / (C n_c), n_c being the labels of class c, as
 * scikit-learn's compute_class_weight. Else C numbers from 1e-6 to 1e6 with commas between them. classes [C] are the
 * names, for messages. AD_ECONFIG (no such list; of balanced, a class without an example), AD_ENOMEM. */
int ad_class_weights_parse(const char *text, size_t C, char *const *classes, struct ad_labels labels, double *weights);

#endif
