/* Regression: a label is one or more real numbers, the targets. The loss is the squared error, and the logits are the
 * answer. A word of a label is the bits of a float32. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/task/correlation.h"
#include "autodidact/task/scores.h"

/* --- Labels. */

static size_t words(size_t C) {
  return C;
}

static double number_of(uint32_t word) {
  float value;
  memcpy(&value, &word, sizeof value);
  return value;
}

/* A decimal number with nothing but spaces around it, that is finite in float32: 1, or 0 where the field is none. */
static int read_number(struct ad_text_span field, double *value) {
  enum { LONGEST = 64 };
  char copy[LONGEST + 1], *end;
  while (field.size > 0 && field.data[0] == ' ') {
    field.data++;
    field.size--;
  }
  while (field.size > 0 && field.data[field.size - 1] == ' ') {
    field.size--;
  }
  if (field.size == 0 || field.size > LONGEST) {
    return 0;
  }
  memcpy(copy, field.data, field.size);
  copy[field.size] = '\0';
  *value = strtod(copy, &end);
  return strspn(copy, "+-.0123456789eE") == field.size && *end == '\0' && isfinite((float)*value);
}

static int is_in_range(const struct ad_label_table *table, double value) {
  return !(table->low < table->high) || (value >= table->low && value <= table->high);
}

/* A field for each target. */
static int parse(const struct ad_label_table *table, const struct ad_text_span *fields, size_t count, uint32_t *label) {
  if (count != table->count) {
    return 0;
  }
  for (size_t i = 0; i < count; i++) {
    double value;
    if (!read_number(fields[i], &value) || !is_in_range(table, value)) {
      return 0;
    }
    const float stored = (float)value;
    memcpy(&label[i], &stored, sizeof stored);
  }
  return 1;
}

static int expected(const struct ad_label_value *targets, size_t count, struct ad_buffer *out) {
  (void)targets;
  return count > 1 ? ad_buffer_printf(out, "%zu numbers", count) : ad_buffer_puts(out, "a number");
}

static int is_label(size_t C, const uint32_t *label) {
  for (size_t c = 0; c < C; c++) {
    if (!isfinite(number_of(label[c]))) {
      return 0;
    }
  }
  return 1;
}

static int print(size_t C, char *const *targets, const uint32_t *label, struct ad_buffer *out) {
  (void)targets;
  for (size_t c = 0; c < C; c++) {
    AD_TRY(ad_buffer_printf(out, "%s%.9g", c == 0 ? "" : " ", number_of(label[c])));
  }
  return AD_OK;
}

/* --- Loss and predictions. */

static void squared_error(const struct ad_kernels *kernels, size_t N, size_t C, const float *logits,
                          const uint32_t *labels, float scale, float *loss, float *dlogits) {
  (void)kernels;
  for (size_t n = 0; n < N; n++) {
    double sum = 0.0;
    for (size_t i = n * C; i < (n + 1) * C; i++) {
      const double error = (double)logits[i] - number_of(labels[i]);
      sum += error * error;
      dlogits[i] = (float)(scale * 2.0 * error / (double)C);
    }
    loss[n] = (float)(sum / (double)C);
  }
}

static double mean_squared_error(size_t N, size_t C, const float *logits, const uint32_t *labels) {
  double sum = 0.0;
  for (size_t i = 0; i < N * C; i++) {
    const double error = (double)logits[i] - number_of(labels[i]);
    sum += error * error;
  }
  return sum / (double)(N * C);
}

/* Each side in turn is the constant of the other. */
static void copies_distance(const struct ad_kernels *kernels, size_t N, size_t C, const float *a, const float *b,
                            float scale, float *distance, float *da, float *db) {
  kernels->squared_error(N, C, a, b, scale, distance, da);
  kernels->squared_error(N, C, b, a, scale, distance, db);
}

static void predict(size_t C, double threshold, const float *logits, uint32_t *prediction) {
  (void)threshold;
  memcpy(prediction, logits, C * sizeof *prediction);
}

/* --- Scores. */

enum { PEARSON, SPEARMAN, R2, MSE };

/* One target: labels and predictions in x and y [N], which the ranks then replace. NaN has no rank. */
static void score_target(size_t N, double *x, double *y, size_t *order, double *ranks, double *value) {
  value[PEARSON] = ad_correlation_pearson(N, x, y);
  value[R2] = ad_correlation_r2(N, x, y);
  value[MSE] = ad_correlation_mse(N, x, y);
  value[SPEARMAN] = NAN;
  if (!isnan(value[PEARSON])) {
    ad_correlation_ranks(N, x, order, ranks);
    memcpy(x, ranks, N * sizeof *x);
    ad_correlation_ranks(N, y, order, ranks);
    value[SPEARMAN] = ad_correlation_pearson(N, x, ranks);
  }
}

/* Of each target, and the means over the targets. */
static int score(struct ad_scoring *s, struct ad_labels labels, size_t C, const float *logits,
                 const uint32_t *predictions) {
  (void)logits;
  const size_t N = labels.count, count = s->scores.task->score_count;
  double *x = ad_malloc(3 * N, sizeof *x);
  size_t *order = ad_malloc(N, sizeof *order);
  s->target = ad_calloc(C * count, sizeof *s->target);
  int status = AD_OK;
  if (x == NULL || order == NULL || s->target == NULL) {
    status = ad_fail_memory(N * (3 * sizeof *x + sizeof *order) + C * count * sizeof *s->target, "the scores");
  }
  for (size_t c = 0; c < C && status == AD_OK; c++) {
    for (size_t n = 0; n < N; n++) {
      x[n] = number_of(labels.words[n * C + c]);
      x[N + n] = number_of(predictions[n * C + c]);
    }
    score_target(N, x, x + N, order, x + 2 * N, s->target + c * count);
    for (size_t i = 0; i < count; i++) {
      s->scores.value[i] += s->target[c * count + i] / (double)C;
    }
  }
  s->targets = status == AD_OK ? C : 0;
  ad_free(x);
  ad_free(order);
  return status;
}

static const struct ad_score scores[] = {[PEARSON] = {"pearson", "Pearson", AD_BETTER_UP, AD_SCORE_NUMBER, 1},
                                         [SPEARMAN] = {"spearman", "Spearman", AD_BETTER_UP, AD_SCORE_NUMBER, 1},
                                         [R2] = {"r2", "R2", AD_BETTER_UP, AD_SCORE_NUMBER, 0},
                                         [MSE] = {"mse", "MSE", AD_BETTER_DOWN, AD_SCORE_NUMBER, 1}};

const struct ad_task ad_task_regression = {.name = "regression",
                                           .problem_type = "regression",
                                           .outputs = {"target", "targets"},
                                           .reads = AD_READS_CLS,
                                           .names = AD_NAMES_COLUMNS,
                                           .least_logits = 1,
                                           .numbers = 1,
                                           .scores = scores,
                                           .score_count = sizeof scores / sizeof *scores,
                                           .words = words,
                                           .parse = parse,
                                           .expected = expected,
                                           .is_label = is_label,
                                           .print = print,
                                           .loss = squared_error,
                                           .mean_loss = mean_squared_error,
                                           .copies_distance = copies_distance,
                                           .predict = predict,
                                           .score = score};
