/* Several runs on one data set: their vote or mean outputs, or the model of their mean parameters. */
#include "autodidact/run/ensemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/run/evaluation.h"
#include "autodidact/task/ranking.h"

/* What the runs' answers are gathered in. */
static int open_answers(struct ad_ensemble *e) {
  const size_t K = e->options->count, N = e->data.count, C = e->session.descriptor.class_count;
  if (ad_task_hides(e->data.task)) {
    return ad_fail(AD_ECONFIG, "runs of the task %s are evaluated one by one, found %zu", e->data.task->name, K);
  }
  e->own = ad_calloc(K, sizeof *e->own);
  e->matrix = ad_calloc(K * K, sizeof *e->matrix);
  if (e->own == NULL || e->matrix == NULL) {
    return ad_fail_memory(K * sizeof *e->own + K * K * sizeof *e->matrix, "the scores of the runs");
  }
  if (e->options->average) {
    return AD_OK;
  }
  if (e->data.task->classes == AD_CLASSES_ONE) {
    return ad_vote_create(&e->vote, K, N, C, e->data.label);
  }
  e->outputs = ad_malloc(K * N * C, sizeof *e->outputs);
  return e->outputs == NULL ? ad_fail_memory(K * N * C * sizeof *e->outputs, "the outputs of the runs") : AD_OK;
}

static int load(struct ad_ensemble *e) {
  const struct ad_ensemble_options *o = e->options;
  struct ad_session *s = &e->session;
  AD_TRY(ad_ensemble_check(o));
  AD_TRY(ad_session_open_run(s, o->runs[0]));
  AD_TRY(o->average ? ad_session_choose_precision(s, o->precision) : AD_OK);
  AD_TRY(ad_session_open_data(s, o->runs[0], &o->where));
  char *model;
  AD_TRY(ad_session_model_folder(o->runs[0], o->model, &model));
  int status = ad_session_load_tokenizer(s, model);
  if (status == AD_OK) {
    status = ad_session_read_named(s, o->data, 1, &e->data);
  }
  if (status == AD_OK && o->average) {
    status = ad_session_load_classifier(s, model);
  }
  if (status == AD_OK && o->average) {
    status = ad_session_check_classes(s, o->runs[0], &s->descriptor);
  }
  ad_free(model);
  if (status == AD_OK && !o->average && e->data.task->heads != NULL) {
    status = ad_fail(AD_ECONFIG, "runs of several tasks (%s) cannot vote on all of them, expected --task",
                     s->descriptor.name);
  }
  return status == AD_OK ? open_answers(e) : status;
}

/* The answers of run k: its vote, or its outputs. */
static int add_answers(struct ad_ensemble *e, size_t k, const float *logits) {
  const size_t n = e->data.count * e->session.descriptor.class_count;
  if (e->options->average) {
    return AD_OK;
  }
  if (e->outputs != NULL) {
    memcpy(e->outputs + k * n, logits, n * sizeof *logits);
    return AD_OK;
  }
  const int status = ad_vote_add(&e->vote, logits);
  return status == AD_OK ? AD_OK : ad_fail_prefix(status, "%s", e->options->runs[k]);
}

/* One run alone: its scores, and its answers. */
static int evaluate_loaded(struct ad_ensemble *e, const struct ad_session *run, size_t k) {
  struct ad_evaluation evaluation = {0};
  int status = ad_evaluation_open(&evaluation, run, &e->data, e->data.count);
  if (status == AD_OK) {
    status = ad_evaluation_run(&evaluation, run, &e->data, 0, e->data.count);
  }
  if (status == AD_OK) {
    status = ad_scoring_create_at(&e->own[k], ad_dataset_labels(&e->data), run->params.config.classes,
                                  evaluation.logits, run->params.config.threshold);
  }
  status = status == AD_OK ? add_answers(e, k, evaluation.logits) : status;
  ad_evaluation_close(&evaluation, status);
  return status;
}

static int evaluate_run(struct ad_ensemble *e, size_t k) {
  struct ad_session run;
  AD_TRY(ad_session_create(&run, e->session.math));
  run.task = e->session.task;
  int status = ad_session_open_run(&run, e->options->runs[k]);
  if (status == AD_OK) {
    status = ad_session_choose_precision(&run, e->options->precision);
  }
  if (status == AD_OK) {
    status = ad_session_load_result(&run, e->options->runs[k], e->options->model);
  }
  if (status == AD_OK) {
    status = ad_session_check_classes(&run, e->options->runs[k], &e->session.descriptor);
  }
  if (status == AD_OK) {
    status = evaluate_loaded(e, &run, k);
  }
  ad_session_destroy(&run);
  return status;
}

static int evaluate_runs(struct ad_ensemble *e) {
  for (size_t k = 0; k < e->options->count; k++) {
    AD_TRY(evaluate_run(e, k));
  }
  return AD_OK;
}

static int score_vote(struct ad_ensemble *e) {
  const size_t N = e->data.count, K = e->options->count;
  uint32_t *predictions = ad_malloc(N, sizeof *predictions);
  if (predictions == NULL) {
    return ad_fail_memory(N * sizeof *predictions, "the predictions of the vote");
  }
  ad_vote_predict(&e->vote, predictions);
  const int status = ad_scoring_create_predicted(&e->all, ad_dataset_labels(&e->data), e->vote.classes, predictions,
                                                 ad_vote_cross_entropy(&e->vote));
  e->all.skipped = e->data.skipped;
  ad_free(predictions);
  ad_diversity(K, N, e->vote.prediction, e->data.label, e->matrix, &e->diversity);
  return status;
}

/* The root mean square of a - b [n]. */
static double difference(size_t n, const float *a, const float *b) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
  }
  return sqrt(sum / (double)n);
}

/* The scores of the mean outputs, added in double in the order of the runs, and how far each two runs are apart. */
static int score_outputs(struct ad_ensemble *e) {
  const size_t K = e->options->count, C = e->session.descriptor.class_count, n = e->data.count * C;
  float *mean = ad_malloc(n, sizeof *mean);
  if (mean == NULL) {
    return ad_fail_memory(n * sizeof *mean, "the mean outputs");
  }
  for (size_t i = 0; i < n; i++) {
    double sum = 0.0;
    for (size_t k = 0; k < K; k++) {
      sum += e->outputs[k * n + i];
    }
    mean[i] = (float)(sum / (double)K);
  }
  for (size_t i = 0; i < K * K; i++) {
    e->matrix[i] = difference(n, e->outputs + i / K * n, e->outputs + i % K * n);
  }
  const int status = ad_scoring_create(&e->all, ad_dataset_labels(&e->data), C, mean);
  e->all.skipped = e->data.skipped;
  ad_free(mean);
  return status;
}

/* How much the voters differ, a set being one answer. */
static int compare_sets(struct ad_ensemble *e) {
  const struct ad_task *task = e->data.task;
  const size_t K = e->options->count, N = e->data.count, C = e->session.descriptor.class_count, Q = e->data.words;
  uint32_t *sets = ad_malloc(K * N * Q, sizeof *sets), *numbers = ad_malloc(K * N, sizeof *numbers),
           *right = ad_calloc(N, sizeof *right);
  int status = AD_OK;
  if (sets == NULL || numbers == NULL || right == NULL) {
    status = ad_fail_memory((unsigned long long)K * N * (Q + 1) * sizeof *sets, "the predictions of the runs");
  } else {
    for (size_t i = 0; i < K * N; i++) {
      task->predict(C, e->own[i / N].scores.threshold, e->outputs + i * C, sets + i * Q);
    }
    ad_vote_number_sets(K, N, Q, e->data.label, sets, numbers);
    ad_diversity(K, N, numbers, right, e->matrix, &e->diversity);
  }
  ad_free(sets);
  ad_free(numbers);
  ad_free(right);
  return status;
}

/* The scores of the vote on each class, at the mean threshold. */
static int score_sets(struct ad_ensemble *e) {
  const size_t K = e->options->count, C = e->session.descriptor.class_count, n = e->data.count * C;
  double threshold = 0.0;
  float *mean = ad_malloc(n, sizeof *mean);
  if (mean == NULL) {
    return ad_fail_memory(n * sizeof *mean, "the vote");
  }
  for (size_t k = 0; k < K; k++) {
    threshold += e->own[k].scores.threshold / (double)K;
  }
  ad_vote_on_each(K, n, e->outputs, mean);
  const int status = ad_scoring_create_at(&e->all, ad_dataset_labels(&e->data), C, mean, threshold);
  e->all.skipped = e->data.skipped;
  ad_free(mean);
  return status == AD_OK ? compare_sets(e) : status;
}

double ad_ensemble_mean_difference(const struct ad_ensemble *e) {
  const size_t K = e->options->count;
  double sum = 0.0;
  for (size_t i = 0; i < K * K; i++) {
    sum += e->matrix[i] * e->matrix[i];
  }
  return sqrt(sum / (double)(K * (K - 1)));
}

static float mean_threshold(size_t K, const struct ad_model *const *models) {
  double sum = 0.0;
  for (size_t k = 0; k < K; k++) {
    sum += ad_threshold_of(ad_model_params(models[k])->config.threshold);
  }
  return (float)(sum / (double)K);
}

/* The mean of the runs' parameters in place of the first run's. */
static int average(struct ad_ensemble *e) {
  const size_t K = e->options->count;
  struct ad_session *s = &e->session;
  const struct ad_model_options options = {.head = AD_HEAD_REQUIRE,
                                           .task = s->task,
                                           .vocab = ad_tokenizer_vocab(s->tokenizer),
                                           .cls_last = ad_tokenizer_cls_last(s->tokenizer),
                                           .one_type = ad_tokenizer_one_type(s->tokenizer),
                                           .cased = ad_tokenizer_cased(s->tokenizer)};
  struct ad_model **models = ad_calloc(K, sizeof *models);
  int status = models == NULL ? ad_fail_memory(K * sizeof *models, "the list of models") : AD_OK;
  for (size_t k = 0; status == AD_OK && k < K; k++) {
    char *folder = NULL;
    status = ad_session_model_folder(e->options->runs[k], e->options->model, &folder);
    status = status == AD_OK ? ad_model_open(&models[k], folder, &options) : status;
    ad_free(folder);
  }
  if (status == AD_OK) {
    status = ad_average_models(K, (const struct ad_model *const *)models, s->theta);
  }
  if (status == AD_OK && e->data.task->choose_threshold != NULL) {
    s->params.config.threshold = mean_threshold(K, (const struct ad_model *const *)models);
  }
  for (size_t k = 0; models != NULL && k < K; k++) {
    ad_model_close(models[k]);
  }
  ad_free(models);
  return status;
}

static int score_average(struct ad_ensemble *e) {
  struct ad_session *s = &e->session;
  const char *out = e->options->out;
  struct ad_evaluation evaluation = {0};
  int status = ad_evaluation_open(&evaluation, s, &e->data, e->data.count);
  if (status == AD_OK) {
    status = average(e);
  }
  /* Before the long part: a folder that cannot be written is told at once. */
  if (status == AD_OK && out != NULL && ad_comm_rank(evaluation.comm) == 0) {
    status =
        ad_model_save(out, 0, &s->params, s->theta, s->tokenizer, (const char *const *)s->report.class_names.items);
    if (status == AD_OK) {
      ad_log(AD_LOG_INFO, "%s: the averaged model", out);
    }
  }
  if (status == AD_OK) {
    status = ad_evaluation_run(&evaluation, s, &e->data, 0, e->data.count);
  }
  if (status == AD_OK) {
    status = ad_scoring_create_at(&e->all, ad_dataset_labels(&e->data), s->params.config.classes, evaluation.logits,
                                  s->params.config.threshold);
    e->all.skipped = e->data.skipped;
  }
  ad_evaluation_close(&evaluation, status);
  /* One model at a time: the runs come next. */
  ad_free(s->theta);
  s->theta = NULL;
  return status;
}

double ad_ensemble_mean_score(const struct ad_ensemble *e) {
  double sum = 0.0;
  for (size_t k = 0; k < e->options->count; k++) {
    sum += ad_scores_first(&e->own[k].scores);
  }
  return sum / (double)e->options->count;
}

int ad_ensemble_evaluate(struct ad_ensemble *e, const struct ad_math *math, const struct ad_ensemble_options *options) {
  *e = (struct ad_ensemble){.options = options};
  AD_TRY(ad_session_create(&e->session, math));
  AD_TRY(load(e));
  AD_TRY(options->average ? score_average(e) : AD_OK);
  AD_TRY(evaluate_runs(e));
  return options->average        ? AD_OK
         : e->outputs == NULL    ? score_vote(e)
         : e->data.task->numbers ? score_outputs(e)
                                 : score_sets(e);
}

void ad_ensemble_destroy(struct ad_ensemble *e) {
  for (size_t k = 0; e->own != NULL && k < e->options->count; k++) {
    ad_scoring_destroy(&e->own[k]);
  }
  ad_free(e->own);
  ad_free(e->matrix);
  ad_free(e->outputs);
  ad_scoring_destroy(&e->all);
  ad_vote_destroy(&e->vote);
  ad_dataset_destroy(&e->data);
  ad_session_destroy(&e->session);
}
