/* Scores of yes-or-no questions that are answered by a logit: how well logits rank the yes before the no, and from
 * which probability on the answer should be yes. The probability of logit l is 1 / (1 + e^-l). */
#ifndef AUTODIDACT_TASK_RANKING_H
#define AUTODIDACT_TASK_RANKING_H

#include <stddef.h>
#include <stdint.h>

/* The threshold of a task that has not chosen one. */
#define AD_THRESHOLD 0.5

/* `own`, or where it is 0, none chosen, that. */
static inline double ad_threshold_of(double own) {
  return own > 0.0 ? own : AD_THRESHOLD;
}

/* A logit, which is a number, and the right answer. */
struct ad_ranked {
  float logit;
  uint32_t yes; /* 0 or 1 */
};

/* Largest logit first. */
void ad_ranking_sort(size_t count, struct ad_ranked *items);

/* Average precision of sorted items [count]: the sum over the different logits, largest first, of the precision of
 * saying yes down to there, times the share of all yes that is new there. As scikit-learn's average_precision_score.
 * NaN where no answer is yes. */
double ad_ranking_average_precision(size_t count, const struct ad_ranked *items);

/* The threshold at which saying yes has the best F1 on sorted items [count], a float32 in (0,1): 0.5, or the mean of
 * two neighbouring probabilities. The nearest to 0.5 of equally good ones. */
double ad_ranking_threshold(size_t count, const struct ad_ranked *items);

/* The smallest logit whose probability is at least the threshold in (0,1). */
double ad_threshold_logit(double threshold);

#endif
