#include "autodidact/task/scores.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/task/ranking.h"
#include "heads_internal.h"

double ad_scores_get(const struct ad_scores *scores, const char *name) {
  const struct ad_score *score = scores->task == NULL ? NULL : ad_task_score(scores->task, name);
  return score == NULL ? NAN : scores->value[score - scores->task->scores];
}

const char *ad_score_print(const struct ad_score *score, int decimals, double value, char text[AD_SCORE_TEXT]) {
  if (score->unit == AD_SCORE_SHARE) {
    snprintf(text, AD_SCORE_TEXT, "%.*f %%", decimals - 2, 100.0 * value);
  } else {
    snprintf(text, AD_SCORE_TEXT, "%.*f", decimals, value);
  }
  return text;
}

double ad_scores_first(const struct ad_scores *scores) {
  return scores->task == NULL ? NAN : scores->value[0];
}

double ad_scores_loss(const struct ad_scores *scores) {
  return scores->task == NULL ? NAN : scores->value[scores->task->score_count - 1];
}

/* No scores yet, once every row is known to have a label. */
static int begin(struct ad_scoring *s, struct ad_labels labels, size_t C) {
  const struct ad_task *task = labels.task;
  const size_t Q = ad_task_words(task, C);
  *s = (struct ad_scoring){.scores = {.examples = labels.count, .task = task}};
  if (task->heads != NULL && ad_heads_logits(task->heads) != C) {
    return ad_fail(AD_EINPUT, "%zu logits of each example, the tasks have %zu together", C,
                   ad_heads_logits(task->heads));
  }
  for (size_t i = 0; i < labels.count; i++) {
    if (!ad_task_is_label(task, C, labels.words + i * Q)) {
      return ad_fail(AD_EINPUT, "example %zu has no label: nothing to compare with", i + 1);
    }
  }
  return AD_OK;
}

/* A model that gives a loss that is not finite has diverged. */
static int finish(struct ad_scoring *s, double loss) {
  s->scores.value[s->scores.task->score_count - 1] = loss;
  return isfinite(loss)
             ? AD_OK
             : ad_fail(AD_EDIVERGED, "the loss over %" PRIu64 " examples is %s: logits are too large, or no numbers",
                       s->scores.examples, isnan(loss) ? "NaN" : "infinite");
}

int ad_scoring_create_predicted(struct ad_scoring *s, struct ad_labels labels, size_t C, const uint32_t *predictions,
                                double loss) {
  AD_TRY(begin(s, labels, C));
  AD_TRY(labels.task->score(s, labels, C, NULL, predictions));
  return finish(s, loss);
}

int ad_scoring_create_at(struct ad_scoring *s, struct ad_labels labels, size_t C, const float *logits,
                         double threshold) {
  const struct ad_task *task = labels.task;
  if (task->heads != NULL) {
    AD_TRY(begin(s, labels, C));
    return ad__scoring_of_heads(s, labels, C, logits);
  }
  const size_t N = labels.count, Q = ad_task_words(task, C);
  AD_TRY(begin(s, labels, C));
  s->scores.threshold = task->choose_threshold == NULL ? 0.0 : ad_threshold_of(threshold);
  uint32_t *predictions = ad_malloc(N * Q, sizeof *predictions);
  if (predictions == NULL) {
    return ad_fail_memory(N * Q * sizeof *predictions, "the predictions");
  }
  for (size_t i = 0; i < N; i++) {
    task->predict(C, s->scores.threshold, logits + i * C, predictions + i * Q);
  }
  const int status = task->score(s, labels, C, logits, predictions);
  ad_free(predictions);
  AD_TRY(status);
  return finish(s, task->mean_loss(N, C, logits, labels.words));
}

int ad_scoring_create(struct ad_scoring *s, struct ad_labels labels, size_t C, const float *logits) {
  double threshold = 0.0;
  AD_TRY(begin(s, labels, C));
  AD_TRY(labels.task->choose_threshold == NULL ? AD_OK : labels.task->choose_threshold(labels, C, logits, &threshold));
  return ad_scoring_create_at(s, labels, C, logits, threshold);
}

int ad_scoring_create_summed(struct ad_scoring *s, const struct ad_task *task, size_t N,
                             const struct ad_row_sums *sums) {
  struct ad_row_sums all = {0};
  *s = (struct ad_scoring){.scores = {.examples = N, .task = task}};
  for (size_t i = 0; i < N; i++) {
    all.loss += sums[i].loss;
    all.rows += sums[i].rows;
    all.right += sums[i].right;
  }
  if (all.rows == 0) {
    return ad_fail(AD_EINPUT, "no token of these %zu texts was hidden: expected more words to evaluate on", N);
  }
  task->score_sums(&all, s->scores.value);
  return finish(s, ad_scores_loss(&s->scores));
}

void ad_scoring_destroy(struct ad_scoring *s) {
  ad_metrics_destroy(&s->metrics);
  ad_confusion_destroy(&s->confusion);
  ad_free(s->target);
  s->target = NULL;
  s->targets = 0;
  ad_free(s->average_precision);
  s->average_precision = NULL;
}

double ad_majority_share(struct ad_labels labels, size_t C, const char *score) {
  if (labels.task != NULL && labels.task->heads != NULL) {
    return ad__majority_of_head(labels, C, score);
  }
  return labels.task == NULL || labels.task->majority == NULL ? NAN : labels.task->majority(labels, C);
}
