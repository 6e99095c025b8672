/* Masked-language modelling: the labels are the tokens that were hidden, the classes are the vocabulary. */
#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "autodidact/base/elementary.h"
#include "autodidact/task/scores.h"

/* A text needs no label: none is read. */
static int parse(const struct ad_label_table *table, const struct ad_text_span *fields, size_t count, uint32_t *label) {
  (void)table;
  (void)fields;
  (void)count;
  *label = AD_NO_LABEL;
  return 1;
}

static int expected(const struct ad_label_value *values, size_t count, struct ad_buffer *out) {
  (void)values;
  (void)count;
  return ad_buffer_puts(out, "anything");
}

/* A token by its number: the tokenizer is not known here. */
static int print(size_t C, char *const *classes, const uint32_t *words, struct ad_buffer *out) {
  (void)C;
  (void)classes;
  return ad_buffer_printf(out, "%" PRIu32, *words);
}

static int is_label(size_t C, const uint32_t *label) {
  return *label < C;
}

static void cross_entropy(const struct ad_kernels *kernels, size_t N, size_t C, const float *logits,
                          const uint32_t *labels, float scale, float *loss, float *dlogits) {
  kernels->wide_cross_entropy(N, C, logits, labels, scale, loss, dlogits);
}

static void predict(size_t C, double threshold, const float *logits, uint32_t *prediction) {
  (void)threshold;
  *prediction = ad_metrics_predict(C, logits);
}

static void score_sums(const struct ad_row_sums *sums, double *value) {
  const double rows = (double)sums->rows, loss = sums->loss / rows, perplexity = ad_math_exp(loss);
  value[0] = perplexity > DBL_MAX ? DBL_MAX : perplexity; /* a loss of 709 has no other */
  value[1] = (double)sums->right / rows;
  value[2] = loss;
}

static const struct ad_score scores[] = {{"perplexity", "perplexity", AD_BETTER_DOWN, AD_SCORE_NUMBER, 1},
                                         {"masked_accuracy", "masked accuracy", AD_BETTER_UP, AD_SCORE_SHARE, 0},
                                         {"loss", "loss", AD_BETTER_DOWN, AD_SCORE_NATS, 1}};

const struct ad_task ad_task_mlm = {.name = "mlm",
                                    .reads = AD_READS_MASKED,
                                    .names = AD_NAMES_NONE,
                                    .outputs = {"token", "tokens"},
                                    .scores = scores,
                                    .score_count = sizeof scores / sizeof *scores,
                                    .parse = parse,
                                    .expected = expected,
                                    .print = print,
                                    .is_label = is_label,
                                    .loss = cross_entropy,
                                    .mean_loss = ad_mean_cross_entropy,
                                    .predict = predict,
                                    .score_sums = score_sums};
