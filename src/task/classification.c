/* Single-label classification: a label is one class, the loss is the cross entropy, the largest logit is the answer. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/task/scores.h"

/* --- Labels. */

static int is_same(struct ad_text_span a, struct ad_text_span b) {
  return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* A label without the ".0" of a whole number: tables that pandas wrote have 1.0 for 1 in a column with gaps. */
static struct ad_text_span as_whole(struct ad_text_span label) {
  size_t digits = label.size > 0 && label.data[0] == '-', end;
  const size_t begin = digits;
  while (digits < label.size && label.data[digits] >= '0' && label.data[digits] <= '9') {
    digits++;
  }
  for (end = digits + 1; end < label.size && label.data[end] == '0'; end++) {
  }
  if (digits > begin && end == label.size && end > digits + 1 && label.data[digits] == '.') {
    label.size = digits;
  }
  return label;
}

static int compare_spans(struct ad_text_span a, struct ad_text_span b) {
  const int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
  return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static struct ad_text_span value_of(const struct ad_label_table *table, uint32_t i) {
  return (struct ad_text_span){table->values[i].value, strlen(table->values[i].value)};
}

static int compare_labels(const void *a, const void *b, void *table) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  const int order = compare_spans(as_whole(value_of(table, x)), as_whole(value_of(table, y)));
  return order != 0 ? order : (x > y) - (x < y);
}

/* The state is the numbers of the values in the order in which find_label looks for them. */
static int order_labels(struct ad_label_table *table) {
  uint32_t *order = table->state = ad_malloc(table->count, sizeof *order);
  if (order == NULL) {
    return ad_fail_memory(table->count * sizeof *order, "the labels of a file");
  }
  for (uint32_t i = 0; i < table->count; i++) {
    order[i] = i;
  }
  if (table->count > 1) {
    qsort_r(order, table->count, sizeof *order, compare_labels, table);
  }
  return AD_OK;
}

/* The number of a label's value; `count` when it is not there. Of values that are the same whole number the one that is
 * written alike, or else the first. */
static size_t find_label(const struct ad_label_table *table, struct ad_text_span label) {
  const uint32_t *order = table->state;
  const struct ad_text_span whole = as_whole(label);
  size_t low = 0, high = table->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (compare_spans(as_whole(value_of(table, order[middle])), whole) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  size_t found = table->count;
  for (; low < table->count; low++) {
    const struct ad_text_span value = value_of(table, order[low]);
    if (is_same(value, label)) {
      return order[low];
    }
    if (!is_same(as_whole(value), whole)) {
      break;
    }
    found = found == table->count ? order[low] : found;
  }
  return found;
}

static int parse(const struct ad_label_table *table, const struct ad_text_span *fields, size_t count, uint32_t *label) {
  const size_t place = count == 1 ? find_label(table, fields[0]) : table->count;
  *label = place < table->count ? table->values[place].class_id : AD_NO_LABEL;
  return place < table->count;
}

static int expected(const struct ad_label_value *values, size_t count, struct ad_buffer *out) {
  enum { MOST = 20 };
  AD_TRY(ad_buffer_puts(out, "one of: "));
  for (size_t i = 0; i < count && i < MOST; i++) {
    AD_TRY(ad_buffer_printf(out, "%s%s", i == 0 ? "" : ", ", values[i].value));
  }
  return count > MOST ? ad_buffer_printf(out, ", ... (%zu in all)", count) : AD_OK;
}

static int print(size_t C, char *const *classes, const uint32_t *words, struct ad_buffer *out) {
  return classes != NULL && *words < C ? ad_buffer_puts(out, classes[*words]) : ad_buffer_printf(out, "%u", *words);
}

static int is_label(size_t C, const uint32_t *label) {
  return *label < C;
}

static int has_class(const uint32_t *label, size_t c) {
  return *label == c;
}

static size_t count_class(size_t C, const uint32_t *label, size_t *count) {
  (void)C;
  count[*label]++;
  return 1;
}

/* --- Loss and predictions. */

static void cross_entropy(const struct ad_kernels *kernels, size_t N, size_t C, const float *logits,
                          const uint32_t *labels, float scale, float *loss, float *dlogits) {
  kernels->cross_entropy(N, C, logits, labels, scale, loss, dlogits);
}

/* What a row of C classes should be: a label, or a probability of each class. */
struct aim {
  const struct ad_loss_settings *settings;
  uint32_t label;
  const float *target; /* [C]; NULL: the label */
};

/* With weights v and smoothing s, the q_c that class c counts with: (1 - s) v_y [c = y] + s v_c / C for label y, and
 * v_c ((1 - s) p_c + s / C) for probabilities p. */
static double weigh_class(const struct aim *aim, size_t C, size_t c) {
  const struct ad_loss_settings *settings = aim->settings;
  const double share = settings->smoothing / (double)C, weight = settings->weights == NULL ? 1.0 : settings->weights[c];
  return aim->target != NULL ? weight * ((1.0 - settings->smoothing) * aim->target[c] + share)
                             : (c == aim->label ? (1.0 - settings->smoothing) * weight : 0.0) + share * weight;
}

/* The loss of a row is sum_c q_c (log sum exp - z_c). */
static void weighted_row(const struct aim *aim, size_t C, const float *row, float scale, float *loss, float *dlogits) {
  double top = row[0], sum = 0.0, total = 0.0, all = 0.0;
  for (size_t c = 1; c < C; c++) {
    top = row[c] > top ? row[c] : top;
  }
  for (size_t c = 0; c < C; c++) {
    sum += ad_math_exp(row[c] - top);
  }
  const double partition = ad_math_log(sum);
  for (int pass = 0; pass < 2; pass++) {
    for (size_t c = 0; c < C; c++) {
      const double q = weigh_class(aim, C, c);
      if (pass == 0) {
        all += q;
        total += q * (partition + (top - row[c]));
      } else {
        dlogits[c] = (float)(scale * (all * (ad_math_exp(row[c] - top) / sum) - q));
      }
    }
  }
  *loss = (float)total;
}

static void weighted_cross_entropy(const struct ad_loss_settings *settings, size_t N, size_t C, const float *logits,
                                   const uint32_t *labels, float scale, float *loss, float *dlogits) {
  for (size_t i = 0; i < N; i++) {
    const struct aim aim = {settings, labels[i], NULL};
    weighted_row(&aim, C, logits + i * C, scale, loss + i, dlogits + i * C);
  }
}

static void soft_cross_entropy(const struct ad_loss_settings *settings, size_t N, size_t C, const float *logits,
                               const float *targets, float scale, float *loss, float *dlogits) {
  for (size_t i = 0; i < N; i++) {
    const struct aim aim = {settings, AD_NO_LABEL, targets + i * C};
    weighted_row(&aim, C, logits + i * C, scale, loss + i, dlogits + i * C);
  }
}

double ad_mean_cross_entropy(size_t N, size_t C, const float *logits, const uint32_t *labels) {
  double sum = 0.0;
  for (size_t i = 0; i < N; i++) {
    const float *row = logits + i * C;
    double top = row[0], total = 0.0;
    for (size_t c = 1; c < C; c++) {
      top = row[c] > top ? row[c] : top;
    }
    for (size_t c = 0; c < C; c++) {
      total += ad_math_exp(row[c] - top);
    }
    sum += ad_math_log(total) + top - row[labels[i]];
  }
  return sum / (double)N;
}

static void predict(size_t C, double threshold, const float *logits, uint32_t *prediction) {
  (void)threshold;
  *prediction = ad_metrics_predict(C, logits);
}

/* --- Scores. */

static int score(struct ad_scoring *s, struct ad_labels labels, size_t C, const float *logits,
                 const uint32_t *predictions) {
  (void)logits;
  AD_TRY(ad_metrics_create(&s->metrics, (uint32_t)C));
  AD_TRY(ad_metrics_add(&s->metrics, labels.count, labels.words, predictions));
  AD_TRY(ad_confusion_create(&s->confusion, labels.count, labels.words, predictions));
  s->scores.value[0] = ad_metrics_error(&s->metrics);
  s->scores.value[1] = ad_metrics_accuracy(&s->metrics);
  s->scores.value[2] = ad_metrics_macro_f1(&s->metrics);
  s->scores.value[3] = ad_metrics_matthews(&s->metrics);
  return AD_OK;
}

/* The share of the most frequent class. */
static double majority(struct ad_labels labels, size_t C) {
  size_t *count = ad_calloc(C, sizeof *count), most = 0;
  for (size_t i = 0; count != NULL && i < labels.count; i++) {
    if (labels.words[i] < C && ++count[labels.words[i]] > most) {
      most = count[labels.words[i]];
    }
  }
  ad_free(count);
  return most > 0 ? (double)most / (double)labels.count : NAN;
}

static const struct ad_score scores[] = {{"error", "error", AD_BETTER_DOWN, AD_SCORE_SHARE, 1},
                                         {"accuracy", "accuracy", AD_BETTER_UP, AD_SCORE_SHARE, 0},
                                         {"macro_f1", "macro F1", AD_BETTER_UP, AD_SCORE_NUMBER, 1},
                                         {"matthews", "Matthews", AD_BETTER_UP, AD_SCORE_NUMBER, 0},
                                         {"loss", "loss", AD_BETTER_DOWN, AD_SCORE_NATS, 1}};

const struct ad_task ad_task_classification = {.name = "classification",
                                               .problem_type = "single_label_classification",
                                               .reads = AD_READS_CLS,
                                               .names = AD_NAMES_VALUES,
                                               .least_logits = 2,
                                               .classes = AD_CLASSES_ONE,
                                               .scores = scores,
                                               .score_count = sizeof scores / sizeof *scores,
                                               .open = order_labels,
                                               .parse = parse,
                                               .expected = expected,
                                               .print = print,
                                               .is_label = is_label,
                                               .has = has_class,
                                               .count = count_class,
                                               .loss = cross_entropy,
                                               .weighted_loss = weighted_cross_entropy,
                                               .soft_loss = soft_cross_entropy,
                                               .mean_loss = ad_mean_cross_entropy,
                                               .predict = predict,
                                               .probabilities = ad_metrics_probabilities,
                                               .score = score,
                                               .majority = majority};
