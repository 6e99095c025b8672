/* Multi-label classification: a label is a set of classes. Each class is a question of its own: the loss is the binary
 * cross entropy, and a class whose probability is at least the threshold is predicted. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/task/ranking.h"
#include "autodidact/task/scores.h"

/* --- Sets. Class c is bit c % 31 of word c / 31. Bit 31 is always 0, so that no set begins with AD_NO_LABEL. */

enum { WIDTH = 31 };

static size_t words(size_t C) {
  return (C + WIDTH - 1) / WIDTH;
}

static int has(const uint32_t *set, size_t c) {
  return (int)(set[c / WIDTH] >> (c % WIDTH) & 1u);
}

static void add(uint32_t *set, size_t c) {
  set[c / WIDTH] |= (uint32_t)1 << (c % WIDTH);
}

static int is_label(size_t C, const uint32_t *label) {
  const size_t Q = words(C), last = C - (Q - 1) * WIDTH;
  for (size_t q = 0; q < Q; q++) {
    if (label[q] >> (q + 1 < Q ? WIDTH : last) != 0) {
      return 0;
    }
  }
  return 1;
}

static size_t count_classes(size_t C, const uint32_t *set, size_t *count) {
  size_t all = 0;
  for (size_t c = 0; c < C; c++) {
    count[c] += (size_t)has(set, c);
    all += (size_t)has(set, c);
  }
  return all;
}

/* --- Labels of files. */

/* A name is looked for as classification does it. */
static int order_names(struct ad_label_table *table) {
  return ad_task_classification.open(table);
}

static int find_class(const struct ad_label_table *table, struct ad_text_span name, uint32_t *c) {
  return ad_task_classification.parse(table, &name, 1, c);
}

/* 0 or 1 as programs write it; 2: neither. */
static uint32_t read_flag(struct ad_text_span field) {
  static const char *const flags[] = {"0", "1", "0.0", "1.0", "false", "true"};
  for (uint32_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    if (field.size == strlen(flags[i]) && strncasecmp(field.data, flags[i], field.size) == 0) {
      return i % 2;
    }
  }
  return 2;
}

/* Field i, or the first one that is wrong: of columns [C] of 0 and 1 one that is neither, of a list of names an unknown
 * one, or one that is there a second time. `count` where all are right. */
static size_t read_fields(const struct ad_label_table *table, const struct ad_text_span *fields, size_t count,
                          uint32_t *label) {
  memset(label, 0, words(table->classes) * sizeof *label);
  for (size_t i = 0; i < count; i++) {
    uint32_t c = (uint32_t)i, flag = 1;
    if (table->columns > 1) {
      flag = read_flag(fields[i]);
    } else if (!find_class(table, fields[i], &c) || has(label, c)) {
      flag = 2;
    }
    if (flag == 2) {
      return i;
    }
    label[c / WIDTH] |= flag << (c % WIDTH);
  }
  return count;
}

/* The first wrong field, with what it should be. */
static int explain(const struct ad_label_table *table, const struct ad_text_span *fields, size_t count,
                   struct ad_buffer *out) {
  enum { MOST = 80 };
  if (table->columns > 1 && count != table->classes) {
    return ad_buffer_printf(out, "found %zu label columns, expected one for each of %zu classes", count,
                            table->classes);
  }
  uint32_t c, *label = ad_malloc(words(table->classes), sizeof *label);
  if (label == NULL) {
    return ad_fail_memory(words(table->classes) * sizeof *label, "a label");
  }
  const struct ad_text_span wrong = fields[read_fields(table, fields, count, label)];
  ad_free(label);
  const int shown = (int)(wrong.size < MOST ? wrong.size : MOST);
  if (table->columns > 1) {
    return ad_buffer_printf(out, "found \"%.*s\" in a label column, expected 0 or 1", shown, wrong.data);
  }
  if (find_class(table, wrong, &c)) {
    return ad_buffer_printf(out, "found the label \"%.*s\" for a class that the list has already, expected each once",
                            shown, wrong.data);
  }
  AD_TRY(ad_buffer_printf(out, "unknown label \"%.*s\" in a list, expected each to be ", shown, wrong.data));
  return ad_task_classification.expected(table->values, table->count, out);
}

static int parse(const struct ad_label_table *table, const struct ad_text_span *fields, size_t count, uint32_t *label) {
  return (table->columns < 2 || count == table->classes) && read_fields(table, fields, count, label) == count;
}

static int expected(const struct ad_label_value *values, size_t count, struct ad_buffer *out) {
  AD_TRY(ad_buffer_puts(out, "each at most once, "));
  return ad_task_classification.expected(values, count, out);
}

static int print(size_t C, char *const *classes, const uint32_t *set, struct ad_buffer *out) {
  int first = 1;
  for (size_t c = 0; c < C; c++) {
    if (has(set, c)) {
      AD_TRY(ad_buffer_puts(out, first ? "" : ","));
      AD_TRY(classes != NULL ? ad_buffer_puts(out, classes[c]) : ad_buffer_printf(out, "%zu", c));
      first = 0;
    }
  }
  return ad_buffer_puts(out, "");
}

/* --- Loss and predictions. */

/* The loss of a logit, log(1 + e^l) - y l, so that no e^l is large; and the probability in *p. */
static double binary_cross_entropy(double logit, int y, double *p) {
  const double e = ad_math_exp(-fabs(logit));
  *p = (logit >= 0.0 ? 1.0 : e) / (1.0 + e);
  return (logit > 0.0 ? logit : 0.0) - (y ? logit : 0.0) + ad_math_log1p(e);
}

static double row_loss(size_t C, const float *row, const uint32_t *label, double scale, float *dlogits) {
  double sum = 0.0;
  for (size_t c = 0; c < C; c++) {
    const int y = has(label, c);
    double p;
    sum += binary_cross_entropy(row[c], y, &p);
    if (dlogits != NULL) {
      dlogits[c] = (float)(scale * (p - y));
    }
  }
  return sum / (double)C;
}

static void loss(const struct ad_kernels *kernels, size_t N, size_t C, const float *logits, const uint32_t *labels,
                 float scale, float *out, float *dlogits) {
  const size_t Q = words(C);
  (void)kernels;
  for (size_t n = 0; n < N; n++) {
    out[n] = (float)row_loss(C, logits + n * C, labels + n * Q, scale / (double)C, dlogits + n * C);
  }
}

static double mean_loss(size_t N, size_t C, const float *logits, const uint32_t *labels) {
  const size_t Q = words(C);
  double sum = 0.0;
  for (size_t n = 0; n < N; n++) {
    sum += row_loss(C, logits + n * C, labels + n * Q, 0.0, NULL);
  }
  return sum / (double)N;
}

/* Half of KL(p||q) + KL(q||p) of the two probabilities of each class, their mean: D = 1/2C sum (p - q) (a - b) by the
 * logits a and b. */
static void divergence(const struct ad_kernels *kernels, size_t N, size_t C, const float *first, const float *second,
                       float scale, float *out, float *dfirst, float *dsecond) {
  (void)kernels;
  const double each = 0.5 / (double)C;
  for (size_t n = 0; n < N; n++) {
    double sum = 0.0;
    for (size_t i = n * C; i < (n + 1) * C; i++) {
      const double apart = (double)first[i] - (double)second[i];
      double p, q;
      (void)binary_cross_entropy(first[i], 0, &p);
      (void)binary_cross_entropy(second[i], 0, &q);
      sum += (p - q) * apart;
      dfirst[i] = (float)(dfirst[i] + scale * each * (p * (1.0 - p) * apart + (p - q)));
      dsecond[i] = (float)(dsecond[i] - scale * each * (q * (1.0 - q) * apart + (p - q)));
    }
    out[n] = (float)(each * sum);
  }
}

static void predict(size_t C, double threshold, const float *logits, uint32_t *prediction) {
  const double least = ad_threshold_logit(threshold);
  memset(prediction, 0, words(C) * sizeof *prediction);
  for (size_t c = 0; c < C; c++) {
    if (logits[c] >= least) {
      add(prediction, c);
    }
  }
}

static void probabilities(size_t C, const float *logits, double *out) {
  for (size_t c = 0; c < C; c++) {
    (void)binary_cross_entropy(logits[c], 0, &out[c]);
  }
}

/* --- Scores. */

static int is_finite(size_t count, const float *values) {
  size_t i = 0;
  while (i < count && isfinite(values[i])) {
    i++;
  }
  return i == count;
}

/* 0.5 where logits are not finite: the loss says so. */
static int choose_threshold(struct ad_labels labels, size_t C, const float *logits, double *threshold) {
  const size_t N = labels.count, Q = words(C);
  *threshold = AD_THRESHOLD;
  if (!is_finite(N * C, logits)) {
    return AD_OK;
  }
  struct ad_ranked *items = ad_malloc(N * C, sizeof *items);
  if (items == NULL) {
    return ad_fail_memory(N * C * sizeof *items, "the ranked logits");
  }
  for (size_t i = 0; i < N * C; i++) {
    items[i] = (struct ad_ranked){logits[i], (uint32_t)has(labels.words + i / C * Q, i % C)};
  }
  ad_ranking_sort(N * C, items);
  *threshold = ad_ranking_threshold(N * C, items);
  ad_free(items);
  return AD_OK;
}

/* The average precision of each class, and their mean over the classes that occur. */
static int rank_classes(struct ad_scoring *s, struct ad_labels labels, size_t C, const float *logits, double *mean) {
  const size_t N = labels.count, Q = words(C);
  struct ad_ranked *items = ad_malloc(N, sizeof *items);
  size_t there = 0;
  double sum = 0.0;
  s->average_precision = ad_malloc(C, sizeof *s->average_precision);
  if (items == NULL || s->average_precision == NULL) {
    ad_free(items);
    return ad_fail_memory(N * sizeof *items + C * sizeof *s->average_precision, "the ranked logits");
  }
  for (size_t c = 0; c < C; c++) {
    for (size_t n = 0; n < N; n++) {
      items[n] = (struct ad_ranked){logits[n * C + c], (uint32_t)has(labels.words + n * Q, c)};
    }
    ad_ranking_sort(N, items);
    const double value = ad_ranking_average_precision(N, items);
    s->average_precision[c] = value;
    sum += isnan(value) ? 0.0 : value;
    there += !isnan(value);
  }
  ad_free(items);
  *mean = there == 0 ? NAN : sum / (double)there;
  return AD_OK;
}

/* Counts of each class; the number of examples of which the whole set is right. */
static size_t count_sets(struct ad_metrics *m, struct ad_labels labels, size_t C, const uint32_t *predictions) {
  const size_t Q = words(C);
  size_t exact = 0;
  for (size_t n = 0; n < labels.count; n++) {
    const uint32_t *label = labels.words + n * Q, *prediction = predictions + n * Q;
    exact += memcmp(label, prediction, Q * sizeof *label) == 0;
    for (size_t c = 0; c < C; c++) {
      m->labels[c] += (uint64_t)has(label, c);
      m->predictions[c] += (uint64_t)has(prediction, c);
      m->right[c] += (uint64_t)(has(label, c) & has(prediction, c));
    }
  }
  return exact;
}

static double micro_f1(const struct ad_metrics *m) {
  uint64_t right = 0, all = 0;
  for (uint32_t c = 0; c < m->classes; c++) {
    right += m->right[c];
    all += m->labels[c] + m->predictions[c];
  }
  return all == 0 ? 0.0 : 2.0 * (double)right / (double)all;
}

static int score(struct ad_scoring *s, struct ad_labels labels, size_t C, const float *logits,
                 const uint32_t *predictions) {
  AD_TRY(ad_metrics_create(&s->metrics, (uint32_t)C));
  const size_t exact = count_sets(&s->metrics, labels, C, predictions);
  s->scores.value[0] = micro_f1(&s->metrics);
  s->scores.value[1] = ad_metrics_macro_f1(&s->metrics);
  s->scores.value[2] = NAN;
  s->scores.value[3] = (double)exact / (double)labels.count;
  return logits != NULL && is_finite(labels.count * C, logits) ? rank_classes(s, labels, C, logits, &s->scores.value[2])
                                                               : AD_OK;
}

static const struct ad_score scores[] = {{"micro_f1", "micro F1", AD_BETTER_UP, AD_SCORE_NUMBER, 1},
                                         {"macro_f1", "macro F1", AD_BETTER_UP, AD_SCORE_NUMBER, 1},
                                         {"map", "mAP", AD_BETTER_UP, AD_SCORE_NUMBER, 0},
                                         {"exact", "exact sets", AD_BETTER_UP, AD_SCORE_SHARE, 0},
                                         {"loss", "loss", AD_BETTER_DOWN, AD_SCORE_NATS, 1}};

const struct ad_task ad_task_multi_label = {.name = "multi_label",
                                            .problem_type = "multi_label_classification",
                                            .reads = AD_READS_CLS,
                                            .names = AD_NAMES_VALUES,
                                            .least_logits = 2,
                                            .classes = AD_CLASSES_SET,
                                            .separator = ",",
                                            .scores = scores,
                                            .score_count = sizeof scores / sizeof *scores,
                                            .words = words,
                                            .open = order_names,
                                            .parse = parse,
                                            .explain = explain,
                                            .expected = expected,
                                            .print = print,
                                            .is_label = is_label,
                                            .has = has,
                                            .count = count_classes,
                                            .loss = loss,
                                            .mean_loss = mean_loss,
                                            .copies_distance = divergence,
                                            .choose_threshold = choose_threshold,
                                            .predict = predict,
                                            .probabilities = probabilities,
                                            .score = score};
