#include "autodidact/task/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

int ad_metrics_create(struct ad_metrics *metrics, uint32_t classes) {
  *metrics = (struct ad_metrics){0};
  if (classes < 2) {
    return ad_fail(AD_ECONFIG, "metrics of %u classes, expected at least 2", classes);
  }
  metrics->labels = ad_calloc((size_t)3 * classes, sizeof *metrics->labels);
  if (metrics->labels == NULL) {
    return ad_fail_memory(3ull * classes * sizeof *metrics->labels, "the counts of the classes");
  }
  metrics->predictions = metrics->labels + classes;
  metrics->right = metrics->predictions + classes;
  metrics->classes = classes;
  return AD_OK;
}

void ad_metrics_destroy(struct ad_metrics *metrics) {
  ad_free(metrics->labels);
  *metrics = (struct ad_metrics){0};
}

void ad_metrics_clear(struct ad_metrics *metrics) {
  memset(metrics->labels, 0, (size_t)3 * metrics->classes * sizeof *metrics->labels);
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

void ad_metrics_probabilities(size_t C, const float *logits, double *probabilities) {
  const double top = logits[ad_metrics_predict(C, logits)];
  double total = 0.0;
  for (size_t c = 0; c < C; c++) {
    probabilities[c] = ad_math_exp(logits[c] - top);
    total += probabilities[c];
  }
  for (size_t c = 0; c < C; c++) {
    probabilities[c] /= total;
  }
}

static uint64_t all_right(const struct ad_metrics *metrics) {
  uint64_t sum = 0;
  for (uint32_t c = 0; c < metrics->classes; c++) {
    sum += metrics->right[c];
  }
  return sum;
}

uint64_t ad_metrics_examples(const struct ad_metrics *metrics) {
  uint64_t sum = 0;
  for (uint32_t c = 0; c < metrics->classes; c++) {
    sum += metrics->labels[c];
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

static double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : (double)part / (double)whole;
}

double ad_metrics_precision(const struct ad_metrics *metrics, uint32_t class_number) {
  return share(metrics->right[class_number], metrics->predictions[class_number]);
}

double ad_metrics_recall(const struct ad_metrics *metrics, uint32_t class_number) {
  return share(metrics->right[class_number], metrics->labels[class_number]);
}

/* TP + FN and TP + FP are the examples with the label and with the prediction. */
double ad_metrics_f1(const struct ad_metrics *metrics, uint32_t class_number) {
  const uint64_t sum = metrics->labels[class_number] + metrics->predictions[class_number];
  return sum == 0 ? 0.0 : 2.0 * (double)metrics->right[class_number] / (double)sum;
}

double ad_metrics_macro_f1(const struct ad_metrics *metrics) {
  double sum = 0.0;
  uint32_t present = 0;
  for (uint32_t c = 0; c < metrics->classes; c++) {
    if (metrics->labels[c] + metrics->predictions[c] > 0) {
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
    const __int128 t = (__int128)metrics->labels[c], p = (__int128)metrics->predictions[c];
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

/* --- The confusion matrix. */

static int by_pair(const void *a, const void *b) {
  const struct ad_confused *x = a, *y = b;
  return x->label != y->label ? (x->label < y->label ? -1 : 1)
                              : (x->prediction > y->prediction) - (x->prediction < y->prediction);
}

/* Wrong before right, frequent before rare. */
static int by_count(const void *a, const void *b) {
  const struct ad_confused *x = a, *y = b;
  const int right = (x->label == x->prediction) - (y->label == y->prediction);
  return right != 0 ? right : x->count != y->count ? (x->count > y->count ? -1 : 1) : by_pair(a, b);
}

int ad_confusion_create(struct ad_confusion *confusion, size_t examples, const uint32_t *labels,
                        const uint32_t *predictions) {
  struct ad_confused *items = ad_malloc(examples, sizeof *items);
  *confusion = (struct ad_confusion){.items = items};
  if (items == NULL) {
    return ad_fail_memory(examples * sizeof *items, "the confusion matrix");
  }
  for (size_t i = 0; i < examples; i++) {
    items[i] = (struct ad_confused){.label = labels[i], .prediction = predictions[i], .count = 1};
  }
  qsort(items, examples, sizeof *items, by_pair);
  for (size_t i = 0; i < examples; i++) {
    struct ad_confused *last = confusion->count == 0 ? NULL : &items[confusion->count - 1];
    if (last != NULL && by_pair(last, &items[i]) == 0) {
      last->count++;
    } else {
      items[confusion->count++] = items[i];
    }
  }
  return AD_OK;
}

void ad_confusion_destroy(struct ad_confusion *confusion) {
  ad_free(confusion->items);
  *confusion = (struct ad_confusion){0};
}

size_t ad_confusion_rank(struct ad_confusion *confusion) {
  size_t wrong = 0;
  if (confusion->count > 0) {
    qsort(confusion->items, confusion->count, sizeof *confusion->items, by_count);
  }
  while (wrong < confusion->count && confusion->items[wrong].label != confusion->items[wrong].prediction) {
    wrong++;
  }
  return wrong;
}
