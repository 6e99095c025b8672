#include "autodidact/learn/scores.h"

#include <inttypes.h>
#include <math.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/evaluate.h"

/* Counts of zero, once every example is known to have a label. */
static int begin(struct ad_scoring *s, const struct ad_dataset *data, size_t C) {
  *s = (struct ad_scoring){.scores = {.examples = data->count}, .skipped = data->skipped};
  for (size_t i = 0; i < data->count; i++) {
    if (data->label[i] >= C) {
      return ad_fail(AD_EINPUT, "example %zu has no label: nothing to compare with", i + 1);
    }
  }
  return ad_metrics_create(&s->metrics, (uint32_t)C);
}

/* JSON has no text for a loss that is not finite, and a model that gives one has diverged. */
static int finish(struct ad_scoring *s, double loss) {
  s->scores.error = ad_metrics_error(&s->metrics);
  s->scores.accuracy = ad_metrics_accuracy(&s->metrics);
  s->scores.macro_f1 = ad_metrics_macro_f1(&s->metrics);
  s->scores.matthews = ad_metrics_matthews(&s->metrics);
  s->scores.loss = loss;
  return isfinite(loss)
             ? AD_OK
             : ad_fail(AD_EDIVERGED, "the loss over %" PRIu64 " examples is %s: logits are too large, or no numbers",
                       s->scores.examples, isnan(loss) ? "NaN" : "infinite");
}

int ad_scoring_create_predicted(struct ad_scoring *s, const struct ad_dataset *data, size_t C,
                                const uint32_t *predictions, double loss) {
  AD_TRY(begin(s, data, C));
  AD_TRY(ad_metrics_add(&s->metrics, data->count, data->label, predictions));
  AD_TRY(ad_confusion_create(&s->confusion, data->count, data->label, predictions));
  return finish(s, loss);
}

int ad_scoring_create(struct ad_scoring *s, const struct ad_dataset *data, size_t C, const float *logits) {
  const size_t N = data->count;
  uint32_t *predictions = ad_malloc(N, sizeof *predictions);
  *s = (struct ad_scoring){0};
  if (predictions == NULL) {
    return ad_fail_memory(N * sizeof *predictions, "the predictions");
  }
  for (size_t i = 0; i < N; i++) {
    predictions[i] = ad_metrics_predict(C, logits + i * C);
  }
  const int status = ad_scoring_create_predicted(s, data, C, predictions, 0.0);
  ad_free(predictions);
  AD_TRY(status);
  return finish(s, ad_mean_cross_entropy(N, C, logits, data->label));
}

void ad_scoring_destroy(struct ad_scoring *s) {
  ad_metrics_destroy(&s->metrics);
  ad_confusion_destroy(&s->confusion);
}

double ad_majority_share(const struct ad_dataset *data, size_t C) {
  size_t *count = ad_calloc(C, sizeof *count), most = 0;
  for (size_t i = 0; count != NULL && i < data->count; i++) {
    if (data->label[i] < C && ++count[data->label[i]] > most) {
      most = count[data->label[i]];
    }
  }
  ad_free(count);
  return most > 0 ? (double)most / (double)data->count : NAN;
}
