#include "autodidact/learn/metrics.h"

#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

int ad_metrics_create(struct ad_metrics *metrics, uint32_t classes) {
  *metrics = (struct ad_metrics){0};
  if (classes < 2) {
    return ad_fail(AD_ECONFIG, "metrics of %u classes, expected at least 2", classes);
  }
  const size_t count = (size_t)classes * classes;
  metrics->confusion = ad_calloc(count, sizeof *metrics->confusion);
  if (metrics->confusion == NULL) {
    return ad_fail_memory((unsigned long long)count * sizeof *metrics->confusion, "the confusion matrix");
  }
  metrics->classes = classes;
  return AD_OK;
}

void ad_metrics_destroy(struct ad_metrics *metrics) {
  ad_free(metrics->confusion);
  *metrics = (struct ad_metrics){0};
}

void ad_metrics_clear(struct ad_metrics *metrics) {
  memset(metrics->confusion, 0, (size_t)metrics->classes * metrics->classes * sizeof *metrics->confusion);
}

int ad_metrics_add(struct ad_metrics *metrics, size_t examples, const uint32_t *labels, const uint32_t *predictions) {
  for (size_t b = 0; b < examples; b++) {
    if (labels[b] >= metrics->classes || predictions[b] >= metrics->classes) {
      return ad_fail(AD_EINTERNAL, "label %u, predicted %u, of %u classes", labels[b], predictions[b],
                     metrics->classes);
    }
  }
  for (size_t b = 0; b < examples; b++) {
    ad_metrics_count(metrics, labels[b], predictions[b]);
  }
  return AD_OK;
}

uint32_t ad_metrics_predict(size_t C, const float *logits) {
  size_t best = 0;
  for (size_t c = 1; c < C; c++) {
    if (logits[c] > logits[best] || (isnan(logits[best]) && !isnan(logits[c]))) {
      best = c;
    }
  }
  return (uint32_t)best;
}

/* Examples with this label, and with this prediction. */
static uint64_t row_sum(const struct ad_metrics *metrics, uint32_t label) {
  uint64_t sum = 0;
  for (uint32_t c = 0; c < metrics->classes; c++) {
    sum += metrics->confusion[(size_t)label * metrics->classes + c];
  }
  return sum;
}

static uint64_t column_sum(const struct ad_metrics *metrics, uint32_t prediction) {
  uint64_t sum = 0;
  for (uint32_t c = 0; c < metrics->classes; c++) {
    sum += metrics->confusion[(size_t)c * metrics->classes + prediction];
  }
  return sum;
}

static uint64_t right(const struct ad_metrics *metrics, uint32_t c) {
  return metrics->confusion[(size_t)c * metrics->classes + c];
}

static uint64_t all_right(const struct ad_metrics *metrics) {
  uint64_t sum = 0;
  for (uint32_t c = 0; c < metrics->classes; c++) {
    sum += right(metrics, c);
  }
  return sum;
}

uint64_t ad_metrics_examples(const struct ad_metrics *metrics) {
  uint64_t sum = 0;
  for (uint32_t c = 0; c < metrics->classes; c++) {
    sum += row_sum(metrics, c);
  }
  return sum;
}

double ad_metrics_accuracy(const struct ad_metrics *metrics) {
  const uint64_t examples = ad_metrics_examples(metrics);
  return examples == 0 ? NAN : (double)all_right(metrics) / (double)examples;
}

double ad_metrics_error(const struct ad_metrics *metrics) {
  const uint64_t examples = ad_metrics_examples(metrics);
  return examples == 0 ? NAN : (double)(examples - all_right(metrics)) / (double)examples;
}

/* TP + FN and TP + FP are the sums of the class's row and column. */
double ad_metrics_f1(const struct ad_metrics *metrics, uint32_t class_number) {
  const uint64_t sum = row_sum(metrics, class_number) + column_sum(metrics, class_number);
  return sum == 0 ? 0.0 : 2.0 * (double)right(metrics, class_number) / (double)sum;
}

double ad_metrics_macro_f1(const struct ad_metrics *metrics) {
  double sum = 0.0;
  uint32_t present = 0;
  for (uint32_t c = 0; c < metrics->classes; c++) {
    if (row_sum(metrics, c) + column_sum(metrics, c) > 0) {
      sum += ad_metrics_f1(metrics, c);
      present++;
    }
  }
  return present == 0 ? NAN : sum / present;
}

/* With t and p the examples by label and by prediction, c the right ones and s all of them:
 * (c s - t.p) / sqrt((s^2 - p.p) (s^2 - t.t)). The products of counts are exact in 128 bits. */
double ad_metrics_matthews(const struct ad_metrics *metrics) {
  __int128 labels = 0, predictions = 0, both = 0;
  for (uint32_t c = 0; c < metrics->classes; c++) {
    const __int128 t = (__int128)row_sum(metrics, c), p = (__int128)column_sum(metrics, c);
    labels += t * t;
    predictions += p * p;
    both += t * p;
  }
  const __int128 s = (__int128)ad_metrics_examples(metrics);
  if (s == 0) {
    return NAN;
  }
  const double spread = (double)(s * s - predictions) * (double)(s * s - labels);
  return spread == 0.0 ? 0.0 : (double)((__int128)all_right(metrics) * s - both) / sqrt(spread);
}
