/* X(toy) */
/* A task in one file and the line above, which the build adds to autodidact/task/tasks.h for unit.task. Nothing else is
 * touched. A label is C numbers, "1.5 -2"; the loss is the mean of their squared errors; more explained variance is
 * better. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "autodidact/task/scores.h"

static size_t words(size_t C) {
  return C;
}

static double number(uint32_t word) {
  float value;
  memcpy(&value, &word, sizeof value);
  return value;
}

static int parse_number(struct ad_text_span field, uint32_t *word) {
  char copy[64], *end;
  if (field.size == 0 || field.size >= sizeof copy) {
    return 0;
  }
  memcpy(copy, field.data, field.size);
  copy[field.size] = '\0';
  const float value = strtof(copy, &end);
  memcpy(word, &value, sizeof value);
  return *end == '\0' && isfinite(value);
}

/* The values of the descriptor are the names of the numbers: as many are read. */
static int parse(const struct ad_label_table *table, const struct ad_text_span *fields, size_t count, uint32_t *label) {
  int good = count == table->count;
  for (size_t c = 0; good && c < count; c++) {
    good = parse_number(fields[c], &label[c]);
  }
  return good;
}

static int print(size_t C, char *const *classes, const uint32_t *words, struct ad_buffer *out) {
  (void)classes;
  for (size_t c = 0; c < C; c++) {
    AD_TRY(ad_buffer_printf(out, "%s%g", c == 0 ? "" : " ", number(words[c])));
  }
  return AD_OK;
}

static int expected(const struct ad_label_value *values, size_t count, struct ad_buffer *out) {
  (void)values;
  return ad_buffer_printf(out, "%zu numbers", count);
}

static int is_label(size_t C, const uint32_t *label) {
  for (size_t c = 0; c < C; c++) {
    if (!isfinite(number(label[c]))) {
      return 0;
    }
  }
  return 1;
}

static void loss(const struct ad_kernels *kernels, size_t N, size_t C, const float *logits, const uint32_t *labels,
                 float scale, float *out, float *dlogits) {
  (void)kernels;
  for (size_t n = 0; n < N; n++) {
    double sum = 0.0;
    for (size_t i = n * C; i < (n + 1) * C; i++) {
      const double error = logits[i] - number(labels[i]);
      sum += error * error;
      dlogits[i] = (float)(scale * 2.0 * error / (double)C);
    }
    out[n] = (float)(sum / (double)C);
  }
}

static double mean_loss(size_t N, size_t C, const float *logits, const uint32_t *labels) {
  double sum = 0.0;
  for (size_t i = 0; i < N * C; i++) {
    sum += pow(logits[i] - number(labels[i]), 2.0);
  }
  return sum / (double)(N * C);
}

static void predict(size_t C, double threshold, const float *logits, uint32_t *prediction) {
  (void)threshold;
  memcpy(prediction, logits, C * sizeof *prediction);
}

/* The share of the labels' variance around 0 that is explained. */
static int score(struct ad_scoring *s, struct ad_labels labels, size_t C, const float *logits,
                 const uint32_t *predictions) {
  (void)logits;
  double left = 0.0, all = 0.0;
  for (size_t i = 0; i < labels.count * C; i++) {
    left += pow(number(predictions[i]) - number(labels.words[i]), 2.0);
    all += pow(number(labels.words[i]), 2.0);
  }
  s->scores.value[0] = 1.0 - left / all;
  return AD_OK;
}

static const struct ad_score scores[] = {{"explained", "explained", AD_BETTER_UP, AD_SCORE_SHARE, 1},
                                         {"mse", "squared error", AD_BETTER_DOWN, AD_SCORE_NUMBER, 1}};

const struct ad_task ad_task_toy = {.name = "toy",
                                    .names = AD_NAMES_COLUMNS,
                                    .least_logits = 1,
                                    .numbers = 1,
                                    .separator = " ",
                                    .scores = scores,
                                    .score_count = 2,
                                    .words = words,
                                    .parse = parse,
                                    .expected = expected,
                                    .print = print,
                                    .is_label = is_label,
                                    .loss = loss,
                                    .mean_loss = mean_loss,
                                    .predict = predict,
                                    .score = score};
