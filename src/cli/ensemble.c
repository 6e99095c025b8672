#include "ensemble.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "autodidact/learn/ensemble.h"
#include "autodidact/run/evaluation.h"
#include "autodidact/run/scores.h"
#include "autodidact/run/session.h"

struct ensemble {
  const struct ensemble_options *options;
  struct ad_session
      session; /* descriptor and tokenizer, which all runs share; with --average the mean of the parameters */
  struct ad_dataset data;
  struct ad_scores *own; /* [K] of each run alone */
  struct ad_scores all;  /* of the vote, or of the averaged model */
  struct ad_vote vote;
  double *matrix; /* [K,K] disagreement of each two voters */
  struct ad_diversity diversity;
};

static int load(struct ensemble *e) {
  const struct ensemble_options *o = e->options;
  struct ad_session *s = &e->session;
  AD_TRY(ensemble_check(o));
  AD_TRY(ad_session_open_run(s, o->runs[0]));
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
  AD_TRY(status);
  const size_t K = o->count;
  e->own = ad_calloc(K, sizeof *e->own);
  e->matrix = ad_calloc(K * K, sizeof *e->matrix);
  if (e->own == NULL || e->matrix == NULL) {
    return ad_fail_memory(K * sizeof *e->own + K * K * sizeof *e->matrix, "the scores of the runs");
  }
  return o->average ? AD_OK : ad_vote_create(&e->vote, K, e->data.count, s->descriptor.class_count, e->data.label);
}

/* One run alone: its scores, and its vote. */
static int evaluate_loaded(struct ensemble *e, const struct ad_session *run, size_t k) {
  struct ad_evaluation evaluation = {0};
  int status = ad_evaluation_open(&evaluation, run, &e->data, e->data.count);
  if (status == AD_OK) {
    status = ad_evaluation_run(&evaluation, run, &e->data, 0, e->data.count);
  }
  if (status == AD_OK) {
    status = ad_scores_create(&e->own[k], &e->data, run->params.config.classes, evaluation.logits);
  }
  if (status == AD_OK && !e->options->average) {
    status = ad_vote_add(&e->vote, evaluation.logits);
    status = status == AD_OK ? AD_OK : ad_fail_prefix(status, "%s", e->options->runs[k]);
  }
  ad_evaluation_close(&evaluation, status);
  return status;
}

static int evaluate_run(struct ensemble *e, size_t k) {
  struct ad_session run;
  AD_TRY(ad_session_create(&run));
  int status = ad_session_open_run(&run, e->options->runs[k]);
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

static int evaluate_runs(struct ensemble *e) {
  for (size_t k = 0; k < e->options->count; k++) {
    AD_TRY(evaluate_run(e, k));
  }
  return AD_OK;
}

static int score_vote(struct ensemble *e) {
  const size_t N = e->data.count, K = e->options->count;
  uint32_t *predictions = ad_malloc(N, sizeof *predictions);
  if (predictions == NULL) {
    return ad_fail_memory(N * sizeof *predictions, "the predictions of the vote");
  }
  ad_vote_predict(&e->vote, predictions);
  const int status =
      ad_scores_create_predicted(&e->all, &e->data, e->vote.classes, predictions, ad_vote_cross_entropy(&e->vote));
  ad_free(predictions);
  ad_diversity(K, N, e->vote.prediction, e->data.label, e->matrix, &e->diversity);
  return status;
}

/* The mean of the runs' parameters in place of the first run's. */
static int average(struct ensemble *e) {
  const size_t K = e->options->count;
  struct ad_session *s = &e->session;
  const struct ad_model_options options = {
      .head = AD_HEAD_REQUIRE, .vocab = ad_tokenizer_vocab(s->tokenizer), .cased = ad_tokenizer_cased(s->tokenizer)};
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
  for (size_t k = 0; models != NULL && k < K; k++) {
    ad_model_close(models[k]);
  }
  ad_free(models);
  return status;
}

static int score_average(struct ensemble *e) {
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
    status = ad_scores_create(&e->all, &e->data, s->params.config.classes, evaluation.logits);
  }
  ad_evaluation_close(&evaluation, status);
  /* One model at a time: the runs come next. */
  ad_free(s->theta);
  s->theta = NULL;
  return status;
}

static double mean_error(const struct ensemble *e) {
  double sum = 0.0;
  for (size_t k = 0; k < e->options->count; k++) {
    sum += e->own[k].error;
  }
  return sum / (double)e->options->count;
}

static void print_runs(const struct ensemble *e) {
  const size_t K = e->options->count;
  size_t width = strlen("mean");
  for (size_t k = 0; k < K; k++) {
    width = ad_text_widest(width, ad_shown(e->options->runs[k]));
  }
  printf("each run alone\n      %-*s     error    macro F1      loss\n", (int)width, "run");
  for (size_t k = 0; k < K; k++) {
    const char *run = ad_shown(e->options->runs[k]);
    printf("%4zu  %s%*s  %6.2f %%  %10.4f  %8.4f\n", k + 1, run, ad_text_fill(run, width), "", 100.0 * e->own[k].error,
           e->own[k].macro_f1, e->own[k].loss);
  }
  printf("      %-*s  %6.2f %%\n\n", (int)width, "mean", 100.0 * mean_error(e));
}

/* A mean over pairs of voters, or that there is none. */
static void print_mean(const char *name, double value, size_t defined, size_t pairs) {
  if (defined == 0) {
    printf("%-13s  undefined (0/0 for each of %zu pairs)\n", name, pairs);
  } else if (defined < pairs) {
    printf("%-13s  %.4f (of %zu pairs; undefined, 0/0, for %zu)\n", name, value, defined, pairs - defined);
  } else {
    printf("%-13s  %.4f\n", name, value);
  }
}

static void print_diversity(const struct ensemble *e) {
  const size_t K = e->options->count;
  const struct ad_diversity *d = &e->diversity;
  printf("\ndisagreement of the voters (share of examples on which two predict differently)\n      ");
  for (size_t a = 0; a < K; a++) {
    printf(" %7zu", a + 1);
  }
  putchar('\n');
  for (size_t a = 0; a < K; a++) {
    printf("%6zu", a + 1);
    for (size_t b = 0; b < K; b++) {
      printf(" %6.2f%%", 100.0 * e->matrix[a * K + b]);
    }
    putchar('\n');
  }
  printf("\nmeans over the pairs of voters (Q and kappa: of right and wrong answers)\n%-13s  %.2f %%\n", "disagreement",
         100.0 * d->disagreement);
  print_mean("Yule's Q", d->q, d->q_pairs, d->pairs);
  print_mean("Cohen's kappa", d->kappa, d->kappa_pairs, d->pairs);
}

/* A number, or null where it is undefined. */
static void print_json_mean(const char *name, double value, size_t defined) {
  if (defined == 0) {
    printf(",\"%s\":null,\"%s_pairs\":0", name, name);
  } else {
    printf(",\"%s\":%.17g,\"%s_pairs\":%zu", name, value, name, defined);
  }
}

static void print_json_diversity(const struct ensemble *e) {
  const size_t K = e->options->count;
  const struct ad_diversity *d = &e->diversity;
  printf(",\"disagreement\":{\"matrix\":[");
  for (size_t i = 0; i < K * K; i++) {
    printf("%s%.17g%s", i % K == 0 ? (i == 0 ? "[" : ",[") : ",", e->matrix[i], i % K == K - 1 ? "]" : "");
  }
  printf("],\"mean\":%.17g},\"pairs\":%zu", d->disagreement, d->pairs);
  print_json_mean("q", d->q, d->q_pairs);
  print_json_mean("kappa", d->kappa, d->kappa_pairs);
}

/* A run's name as a JSON string. */
static int quote(const char *run, struct ad_buffer *out) {
  json_t *name = json_string(run);
  const int status = name == NULL ? ad_fail(AD_ECONFIG, "%s: --json needs names of runs that are UTF-8", run)
                                  : ad_json_print(name, JSON_ENCODE_ANY, out);
  json_decref(name);
  return status;
}

static int print_json(const struct ensemble *e) {
  char text[512];
  struct ad_buffer classes = {0};
  printf("{\"runs\":[");
  for (size_t k = 0; k < e->options->count; k++) {
    struct ad_buffer quoted = {0};
    const int status = quote(e->options->runs[k], &quoted);
    if (status == AD_OK) {
      printf("%s{\"run\":%s,%s}", k == 0 ? "" : ",", quoted.data, ad_scores_json(&e->own[k], text, sizeof text));
    }
    ad_buffer_destroy(&quoted);
    AD_TRY(status);
  }
  AD_TRY(ad_scores_json_classes(&e->all, &e->session.descriptor, &classes));
  printf("],\"skipped\":%zu,\"mean_error\":%.17g,\"%s\":{%s%s}", e->all.skipped, mean_error(e), e->options->average ? "average" : "vote",
         ad_scores_json(&e->all, text, sizeof text), classes.data);
  ad_buffer_destroy(&classes);
  if (!e->options->average) {
    print_json_diversity(e);
  }
  printf("}\n");
  return AD_OK;
}

static int print(struct ensemble *e) {
  if (e->options->json) {
    return print_json(e);
  }
  print_runs(e);
  printf("%s of the %zu runs\n", e->options->average ? "mean of the parameters" : "vote", e->options->count);
  ad_scores_print(stdout, &e->all, &e->session.descriptor);
  if (!e->options->average) {
    print_diversity(e);
  }
  return AD_OK;
}

static int evaluate(struct ensemble *e) {
  AD_TRY(load(e));
  if (e->options->average) {
    AD_TRY(score_average(e));
  }
  AD_TRY(evaluate_runs(e));
  if (!e->options->average) {
    AD_TRY(score_vote(e));
  }
  return print(e);
}

int ensemble_evaluate(const struct ensemble_options *options) {
  struct ensemble e = {.options = options};
  AD_TRY(ad_session_create(&e.session));
  const int status = evaluate(&e);
  for (size_t k = 0; e.own != NULL && k < options->count; k++) {
    ad_scores_destroy(&e.own[k]);
  }
  ad_free(e.own);
  ad_free(e.matrix);
  ad_scores_destroy(&e.all);
  ad_vote_destroy(&e.vote);
  ad_dataset_destroy(&e.data);
  ad_session_destroy(&e.session);
  return status;
}
