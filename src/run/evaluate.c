/* Evaluations during a training. */
#include <math.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "autodidact/store/logits.h"
#include "training_internal.h"

static enum ad_variant result_variant(const struct ad_training *t) {
  return t->session.config.run_result;
}

/* Examples of dev in a slice of whole batches, between which the ranks may agree to stop. */
static size_t slice_of(const struct ad_training *t) {
  enum { BATCHES = 8 }; /* of a rank in a slice */
  return BATCHES * t->session.config.eval_batch * ad_comm_size(t->ranks.comm);
}

/* Between two slices: AD_OK, AD_ESTOPPED, or a failure. */
static int pause_evaluation(struct ad_training *t) {
  ad__fault_in_evaluation(t);
  const int stop = ad__must_stop(t);
  return stop > 0 ? AD_ESTOPPED : stop;
}

/* The examples [first, end) of dev: the logits of one vector into logits [N,C], or what `count` of them say of hidden
 * tokens. */
static int evaluate_slice(struct ad_training *t, const struct ad_replica *thetas, size_t count, size_t first,
                          size_t end, float *logits) {
  const size_t B = t->session.config.eval_batch, C = t->session.params.config.classes;
  return ad__hides(t) ? ad_mpi_evaluate_hidden(t->ranks.comm, t->evaluation.evaluator, B, thetas, count, &t->data.dev,
                                               first, end, t->evaluation.row_sums + first)
                      : ad_mpi_evaluate(t->ranks.comm, t->evaluation.evaluator, B, C, *thetas, &t->data.dev, first, end,
                                        logits + first * C);
}

int ad__evaluate_first(struct ad_training *t, struct ad_replica theta, size_t count) {
  return evaluate_slice(t, &theta, 1, 0, count, t->evaluation.logits);
}

/* The same of all of dev. */
static int evaluate_slices(struct ad_training *t, const struct ad_replica *thetas, size_t count, float *logits) {
  const size_t slice = slice_of(t), N = t->data.dev.count;
  for (size_t first = 0; first < N; first += slice) {
    AD_TRY(evaluate_slice(t, thetas, count, first, N - first < slice ? N : first + slice, logits));
    AD_TRY(pause_evaluation(t));
  }
  return AD_OK;
}

/* The logits of dev: of one vector, or the mean of those of several, added in double newest first. */
static int compute_logits(struct ad_training *t, const struct ad_replica *thetas, size_t count) {
  const size_t C = t->session.params.config.classes, n = t->data.dev.count * C;
  for (size_t k = 0; k < count; k++) {
    float *logits = count > 1 ? t->evaluation.member : t->evaluation.logits;
    AD_TRY(evaluate_slices(t, &thetas[k], 1, logits));
    for (size_t i = 0; i < n && count > 1; i++) {
      t->evaluation.sum[i] = (k == 0 ? 0.0 : t->evaluation.sum[i]) + logits[i];
    }
  }
  for (size_t i = 0; i < n && count > 1; i++) {
    t->evaluation.logits[i] = (float)(t->evaluation.sum[i] / (double)count);
  }
  return AD_OK;
}

void ad__copy_parameters(const struct ad_training *t, const float *theta, float *out) {
  const size_t frozen = ad_params_frozen(&t->session.params), P = t->session.params.count;
  memcpy(out, ad_replica_floats(ad_weights_replica(&t->vectors.replicas.student)), frozen * sizeof *out);
  memcpy(out + frozen, theta + frozen, (P - frozen) * sizeof *out);
}

/* The score that decides, run.metric. */
static double deciding(const struct ad_training *t, const struct ad_scores *scores) {
  return ad_scores_get(scores, t->evaluation.metric->name);
}

/* Keeps the scores of the parameters that the run will end with, and with run.select=best those parameters: the first
 * of equally good ones. */
static void select_parameters(struct ad_training *t, uint64_t step, const struct ad_scores *scores,
                              const float *theta) {
  struct ad_run_state *s = &t->state;
  s->dev_score = ad_scores_first(scores);
  if (t->vectors.best == NULL || s->best.examples == 0 ||
      ad_score_is_better(t->evaluation.metric, deciding(t, scores), deciding(t, &s->best))) {
    s->best = *scores;
    s->best_step = step;
    if (t->vectors.best != NULL) {
      ad__copy_parameters(t, theta, t->vectors.best);
    }
  }
}

static int keep_logits(struct ad_training *t, uint64_t step, enum ad_variant variant) {
  char name[AD_LOGITS_NAME];
  return t->session.config.eval_keep_logits
             ? ad_run_keep_logits(&t->run, ad_logits_name(variant, step, name), ad_dataset_labels(&t->data.dev),
                                  t->session.params.config.classes, t->evaluation.logits)
             : AD_OK;
}

/* Rank 0: the scores into the log and the point of the closing table. */
static int keep_scores(struct ad_training *t, enum ad_variant variant, const float *theta,
                       struct ad_evaluation_point *point) {
  const struct ad_step *step = &t->progress.last;
  struct ad_scoring scoring;
  int status = ad__hides(t)
                   ? ad_scoring_create_summed(&scoring, t->data.dev.task, t->data.dev.count, t->evaluation.row_sums)
                   : ad_scoring_create(&scoring, ad_dataset_labels(&t->data.dev), t->session.params.config.classes,
                                       t->evaluation.logits);
  if (status == AD_OK) {
    const struct ad_evaluation_row row = {variant, step->step, step->epoch, scoring.scores};
    t->state.last[variant] = scoring.scores;
    status = ad_run_log_evaluation(&t->run, &row);
  }
  if (status == AD_OK) {
    status = keep_logits(t, step->step, variant);
  }
  if (status == AD_OK) {
    point->score[variant] = ad_scores_first(&scoring.scores);
    if (variant == result_variant(t)) {
      point->loss = ad_scores_loss(&scoring.scores);
      select_parameters(t, step->step, &scoring.scores, theta);
    }
  }
  ad_scoring_destroy(&scoring);
  return status;
}

/* Early stopping: whether a whole evaluation was better than all before, told to all ranks. One that has no score of
 * the result's variant does not count. */
static int judge(struct ad_training *t, const struct ad_evaluation_point *point) {
  struct ad_run_state *s = &t->state;
  struct {
    double peak;
    uint64_t stale;
  } told = {s->peak, s->stale};
  if (t->session.config.train_patience == 0) {
    return AD_OK;
  }
  if (t->ranks.first && !isnan(point->score[result_variant(t)])) {
    const double score = deciding(t, &s->last[result_variant(t)]);
    const int better = ad_score_is_better(t->evaluation.metric, score, s->peak);
    told.peak = better ? score : s->peak;
    told.stale = better ? 0 : s->stale + 1;
  }
  AD_TRY(ad_comm_broadcast(t->ranks.comm, sizeof told, &told));
  s->peak = told.peak;
  s->stale = told.stale;
  return AD_OK;
}

int ad_training_evaluate(struct ad_training *t) {
  const uint64_t step = t->progress.last.step;
  const double start = ad_clock();
  struct ad_evaluation_point point = {
      .step = step, .epoch = (double)step / (double)t->progress.steps_an_epoch, .loss = NAN};
  AD_TRY(t->evaluation.wanted ? AD_OK : ad_fail(AD_ECONFIG, "%s has no dev split", t->session.descriptor.name));
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    const struct ad_replica *thetas;
    size_t count;
    point.score[v] = NAN;
    AD_TRY(ad_trainer_variant(t->trainer, v, &thetas, &count));
    if (count > 0) {
      AD_TRY(ad__hides(t) ? evaluate_slices(t, thetas, count, NULL) : compute_logits(t, thetas, count));
      ad__hold(&t->stop, t->ranks.first ? keep_scores(t, v, ad_replica_floats(thetas[0]), &point) : AD_OK);
    }
  }
  AD_TRY(judge(t, &point));
  t->state.evaluated = step;
  t->stop.pace.evaluation = fmax(t->stop.pace.evaluation, ad_clock() - start);
  if (t->ranks.first) {
    const struct ad_timing_row row = {AD_TIMING_EVALUATION, .step = step, .seconds = ad_clock() - start};
    ad__hold(&t->stop, ad_run_time(&t->run, &row));
    ad__hold(&t->stop, ad_run_state_add(&t->state, &point));
    ad__hold(&t->stop, ad_run_log_size(&t->run, &t->state.log_bytes));
  }
  return AD_OK;
}
