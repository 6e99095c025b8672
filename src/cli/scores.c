#include "scores.h"

#include <inttypes.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "autodidact/learn/evaluate.h"

/* Counts of zero, once every example is known to have a label. */
static int begin(struct scores *scores, const struct ad_dataset *data, size_t C) {
  *scores = (struct scores){.examples = data->count, .skipped = data->skipped};
  for (size_t i = 0; i < data->count; i++) {
    if (data->label[i] >= C) {
      return ad_fail(AD_EINPUT, "example %zu has no label: nothing to compare with", i + 1);
    }
  }
  return ad_metrics_create(&scores->metrics, (uint32_t)C);
}

static void finish(struct scores *scores, double loss) {
  scores->error = ad_metrics_error(&scores->metrics);
  scores->accuracy = ad_metrics_accuracy(&scores->metrics);
  scores->macro_f1 = ad_metrics_macro_f1(&scores->metrics);
  scores->matthews = ad_metrics_matthews(&scores->metrics);
  scores->loss = loss;
}

int scores_create(struct scores *scores, const struct ad_dataset *data, size_t C, const float *logits) {
  AD_TRY(begin(scores, data, C));
  for (size_t i = 0; i < data->count; i++) {
    ad_metrics_count(&scores->metrics, data->label[i], ad_metrics_predict(C, logits + i * C));
  }
  finish(scores, ad_mean_cross_entropy(data->count, C, logits, data->label));
  return AD_OK;
}

int scores_create_predicted(struct scores *scores, const struct ad_dataset *data, size_t C, const uint32_t *predictions,
                            double loss) {
  AD_TRY(begin(scores, data, C));
  AD_TRY(ad_metrics_add(&scores->metrics, data->count, data->label, predictions));
  finish(scores, loss);
  return AD_OK;
}

void scores_destroy(struct scores *scores) {
  ad_metrics_destroy(&scores->metrics);
}

const char *scores_json(const struct scores *scores, char *text, size_t size) {
  snprintf(text, size,
           "\"examples\":%zu,\"error\":%.17g,\"accuracy\":%.17g,\"macro_f1\":%.17g,\"matthews\":%.17g,\"loss\":%.17g",
           scores->examples, scores->error, scores->accuracy, scores->macro_f1, scores->matthews, scores->loss);
  return text;
}

void scores_print(FILE *out, const struct scores *scores, const struct ad_descriptor *descriptor) {
  const uint32_t C = scores->metrics.classes;
  fprintf(out,
          "examples     %zu\nerror        %.2f %%\naccuracy     %.2f %%\nmacro F1     %.4f\nMatthews     %.4f\nloss    "
          "     %.4f\n\n",
          scores->examples, 100.0 * scores->error, 100.0 * scores->accuracy, scores->macro_f1, scores->matthews,
          scores->loss);
  if (scores->skipped > 0) {
    fprintf(out, "%zu rows of the file are not among the examples: the descriptor leaves them out (skip, incomplete, empty)\n\n",
            scores->skipped);
  }
  int width = 5;
  for (uint32_t c = 0; c < C; c++) {
    const int length = (int)strlen(descriptor->classes[c]);
    width = length > width ? length : width;
  }
  fprintf(out, "confusion (rows: labels, columns: predictions in the same order)\n%*s  %6s", width, "class", "F1");
  for (uint32_t c = 0; c < C; c++) {
    fprintf(out, " %5" PRIu32, c);
  }
  fputc('\n', out);
  for (uint32_t r = 0; r < C; r++) {
    fprintf(out, "%*s  %6.4f", width, descriptor->classes[r], ad_metrics_f1(&scores->metrics, r));
    for (uint32_t c = 0; c < C; c++) {
      fprintf(out, " %5" PRIu64, scores->metrics.confusion[(size_t)r * C + c]);
    }
    fputc('\n', out);
  }
}
