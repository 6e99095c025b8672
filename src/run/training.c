/* One training: data, model, steps, evaluations, and the run folder that keeps them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/survey.h"
#include "autodidact/run/signals.h"
#include "autodidact/task/heads.h"
#include "training_internal.h"

int ad_training_create(struct ad_training **training, const struct ad_math *math,
                       const struct ad_training_frame *frame) {
  struct ad_training *t = *training = ad_calloc(1, sizeof *t);
  if (t == NULL) {
    return ad_fail_memory(sizeof *t, "a training");
  }
  t->frame = frame == NULL ? (struct ad_training_frame){0} : *frame;
  t->state = ad_run_state_begin();
  t->data.majority = NAN;
  AD_TRY(ad__faults_parse(&t->faults, t->frame.faults));
  AD_TRY(ad_session_create(&t->session, math));
  t->session.columns = t->frame.columns;
  return AD_OK;
}

int ad_training_configure(struct ad_training *t, size_t count, char *const *words) {
  return ad_session_configure(&t->session, count, words);
}

void ad_training_set_config(struct ad_training *t, struct ad_config *config, const char *file) {
  ad_config_destroy(&t->session.config);
  t->session.config = *config;
  t->session.file = file;
  *config = (struct ad_config){0};
}

/* --- Open. */

/* What is given in vain, and texts that the model cannot read. */
int ad__warn(const struct ad_training *t) {
  const struct ad_session *s = &t->session;
  const char *folder = s->config.model_path;
  const struct ad_config_facts facts = {.dev = t->data.has_dev,
                                        .ranks = ad_comm_size(t->ranks.comm) > 1,
                                        .drawn = folder[0] == '\0' || s->report.drawn.count > 0,
                                        .hidden = ad__hides(t),
                                        .tasks = s->descriptor.set_count > 0};
  AD_TRY(ad_config_warn_idle(&s->config, &facts));
  ad_descriptor_warn_idle(&s->descriptor);
  if (t->ranks.first) {
    ad_survey_warn_unknown(&t->data.train, AD_SPLIT_TRAIN, s->tokenizer);
  }
  return ad_session_warn_keys(folder, &s->report);
}

/* What each of several tasks has of it. */
static void tell_tasks(const struct ad_training *t) {
  const struct ad_heads *heads = t->session.descriptor.task->heads;
  size_t count, begin[AD_MOST_HEADS + 1];
  ad_dataset_tasks(&t->data.train, &count, begin);
  for (size_t k = 0; heads != NULL && k < count; k++) {
    ad_log(AD_LOG_INFO, "task %s: %zu training examples, %zu %s, %" PRIu64 " of the %" PRIu64 " steps of an epoch",
           heads->head[k].name, begin[k + 1] - begin[k], heads->head[k].C,
           ad_task_outputs(heads->head[k].task, heads->head[k].C), ad_trainer_task_steps(t->trainer, k),
           ad_trainer_epoch_steps(t->trainer));
  }
}

int ad_training_open(struct ad_training *t) {
  t->saved.at = ad_clock();
  t->stop.started = t->frame.started > 0.0 ? t->frame.started : t->saved.at;
  AD_TRY(ad_signals_check(t->session.config.run_signals));
  AD_TRY(ad__connect(t));
  AD_TRY(ad__check_configuration(t));
  AD_TRY(ad__load_data(t));
  t->evaluation.wanted = t->data.has_dev;
  AD_TRY(ad__prepare(t));
  /* A study says it once for all its cells. */
  AD_TRY(t->frame.quiet ? AD_OK : ad__warn(t));
  ad__tell_memory(t);
  AD_TRY(ad__open_run(t));
  if (t->session.detected) {
    const char *run = t->session.config.run_dir;
    ad_log(AD_LOG_INFO, "what was found is in %s/%s and %s/%s: to change it, edit copies of them", run,
           AD_RUN_FILE_DESCRIPTOR, run, AD_RUN_FILE_CONFIG);
  }
  const uint32_t C = t->session.params.config.classes;
  char outputs[60] = "";
  if (!ad__hides(t)) {
    snprintf(outputs, sizeof outputs, "%u %s, ", C, ad_task_outputs(t->data.train.task, C));
  }
  ad_log(AD_LOG_INFO, "%zu training examples, %zu dev examples, %s%.1f M parameters, %" PRIu64 " steps",
         t->data.train.count, t->data.has_dev ? t->data.dev.count : 0, outputs, 1e-6 * (double)t->session.params.count,
         ad_trainer_total(t->trainer));
  tell_tasks(t);
  AD_TRY(ad__open_snapshots(t));
  if (ad_trainer_done(t->trainer) == 0) {
    ad__fault_after_step(t, 0);
  }
  return AD_OK;
}

/* --- Steps. */

/* "h:mm:ss", or "?" where nobody can tell. */
static void print_seconds(double seconds, char text[32]) {
  snprintf(text, 32, "?");
  if (seconds >= 0.0 && seconds < 1e12) {
    const uint64_t whole = (uint64_t)seconds;
    snprintf(text, 32, "%" PRIu64 ":%02d:%02d", whole / 3600, (int)(whole / 60 % 60), (int)(whole % 60));
  }
}

static void show_progress(const struct ad_training *t, const struct ad_step *step, int last) {
  const uint64_t total = ad_trainer_total(t->trainer), left = step->step < total ? total - step->step : 0;
  char dev[80] = "", end[32], text[280], shown[AD_SCORE_TEXT];
  if (!isnan(t->state.dev_score)) {
    const struct ad_score *first = &t->session.descriptor.task->scores[0];
    snprintf(dev, sizeof dev, "  dev %s %s", first->title, ad_score_print(first, 4, t->state.dev_score, shown));
  }
  print_seconds(t->state.seconds / (double)step->step * (double)left, end);
  snprintf(text, sizeof text, "step %" PRIu64 "/%" PRIu64 "  epoch %" PRIu64 "  loss %.4f  %.0f examples/s%s  ETA %s",
           step->step, total, step->epoch, step->loss, (double)t->state.examples / t->state.seconds, dev, end);
  ad_progress(text, last);
}

static int log_step(struct ad_training *t, const struct ad_step *step) {
  const struct ad_step_row row = ad_step_row_of(step, ad_teacher_has_distance(&t->settings.teacher));
  const struct ad_timing_row time = {
      .kind = AD_TIMING_STEP, .step = step->step, .steps = ad_trainer_total(t->trainer), .seconds = step->seconds};
  AD_TRY(ad_run_log_step(&t->run, &row));
  AD_TRY(ad_run_time(&t->run, &time));
  t->state.log_bytes = (uint64_t)ftello(t->run.log);
  return AD_OK;
}

/* Whether the parameters as they are must be evaluated before the next step. */
static int evaluation_due(const struct ad_training *t) {
  const uint64_t done = ad_trainer_done(t->trainer), total = ad_trainer_total(t->trainer);
  return t->evaluation.wanted && t->state.evaluated < done &&
         ad__evaluation_due(done, total, t->session.config.eval_every, t->progress.steps_an_epoch);
}

/* An evaluation; where it is broken off by a stop, the checkpoint says that it is still to be done. */
static int evaluate(struct ad_training *t) {
  const int status = ad_training_evaluate(t);
  if (status != AD_ESTOPPED) {
    return status;
  }
  const int saved = ad__step_edge(t);
  return saved == AD_OK ? ad_fail(AD_EINTERNAL, "a stop was taken back") : saved;
}

static int train(struct ad_training *t) {
  struct ad_step *step = &t->progress.last;
  ad__fault_before_step(t, ad_trainer_done(t->trainer) + 1);
  ad__watch_step(t);
  AD_TRY(ad_trainer_step(t->trainer, step));
  t->state.seconds += step->seconds;
  t->state.examples += step->examples;
  t->stop.pace.step = fmax(t->stop.pace.step, step->seconds);
  ad__hold(&t->stop, t->ranks.first ? log_step(t, step) : AD_OK);
  AD_TRY(ad__keep_snapshot(t, step));
  ad__fault_after_step(t, step->step);
  return AD_OK;
}

static int tell_early_end(const struct ad_training *t) {
  char best[AD_SCORE_TEXT];
  const struct ad_score *metric = t->evaluation.metric;
  ad_log(AD_LOG_INFO,
         "ends after step %" PRIu64 " of %" PRIu64 ": %" PRIu64
         " evaluation%s in a row no better than the best, dev %s %s (train.patience)",
         ad_trainer_done(t->trainer), ad_trainer_total(t->trainer), t->state.stale, t->state.stale == 1 ? "" : "s",
         metric->title, ad_score_print(metric, 4, t->state.peak, best));
  return AD_OK;
}

int ad_training_step(struct ad_training *t, int *more) {
  t->progress.first_step = t->progress.first_step > 0.0 ? t->progress.first_step : ad_clock();
  AD_TRY(evaluation_due(t) ? evaluate(t) : AD_OK);
  const int left = ad_trainer_done(t->trainer) < ad_trainer_total(t->trainer);
  *more = left && !ad__out_of_patience(t->session.config.train_patience, t->state.stale);
  if (t->progress.last.examples > 0 && !t->frame.quiet) {
    show_progress(t, &t->progress.last, !*more);
  }
  if (!*more) {
    return left ? tell_early_end(t) : AD_OK;
  }
  AD_TRY(ad__step_edge(t));
  return train(t);
}

/* --- The end. */

int ad_training_finish(struct ad_training *t) {
  ad__hold(&t->stop, ad__flush_snapshots(t));
  AD_TRY(ad__settle(t));
  ad__hold(&t->stop, ad__report_memory(t));
  AD_TRY(t->session.config.checkpoint_finished ? ad_training_save(t) : AD_OK);
  AD_TRY(ad__settle(t));
  ad__hold(&t->stop, ad__keep_result(t));
  AD_TRY(ad__settle(t));
  ad__hold(&t->stop, ad__clear_checkpoints(t));
  return ad__settle(t);
}

int ad_training_run(struct ad_training *t) {
  int more = 1, status = ad_training_open(t);
  while (status == AD_OK && more) {
    status = ad_training_step(t, &more);
  }
  status = status == AD_OK ? ad_training_finish(t) : status;
  return status == AD_EDIVERGED ? ad__keep_diverged(t, status) : status;
}

struct ad_training_summary ad_training_summary(const struct ad_training *t) {
  const struct ad__pace *pace = &t->stop.pace;
  struct ad_training_summary summary = {.folder = t->run.folder,
                                        .step = t->trainer == NULL ? 0 : ad_trainer_done(t->trainer),
                                        .steps = t->trainer == NULL ? 0 : ad_trainer_total(t->trainer),
                                        .last = t->progress.last,
                                        .examples = t->state.examples,
                                        .seconds = t->state.seconds,
                                        .first_step = t->progress.first_step,
                                        .slowest = {pace->step, pace->evaluation, pace->save},
                                        .task = t->session.descriptor.task,
                                        .evaluations = t->state.points,
                                        .evaluation_count = t->state.count,
                                        .majority = t->data.majority,
                                        .signal = t->stop.signal};
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    summary.has[v] = ad_teacher_has(&t->settings.teacher, v);
    summary.scored[v] = t->state.last[v].examples > 0;
  }
  return summary;
}

int ad_training_close(struct ad_training *t, int alone) {
  if (t == NULL) {
    return AD_OK;
  }
  const int status = ad_run_close(&t->run);
  ad__close_snapshots(t);
  ad_evaluator_destroy(t->evaluation.evaluator);
  ad_trainer_destroy(t->trainer);
  /* To free these takes all ranks. */
  if (!alone || (t->ranks.comm != NULL && ad_comm_size(t->ranks.comm) == 1)) {
    ad_mpi_exchange_destroy(t->ranks.exchange);
    ad_shared_destroy(&t->vectors.shared);
    ad_comm_destroy(t->ranks.comm);
  }
  ad_dataset_destroy(&t->data.train);
  ad_dataset_destroy(&t->data.dev);
  ad_free(t->vectors.own);
  ad_free(t->vectors.packed);
  ad_free(t->vectors.replicas.past);
  ad_free(t->vectors.best);
  ad_free(t->ring_folder);
  ad_free(t->class_weights);
  ad_free(t->evaluation.logits);
  ad_free(t->evaluation.member);
  ad_free(t->evaluation.sum);
  ad_free(t->evaluation.row_sums);
  ad_hiding_destroy(&t->evaluation.hiding);
  ad_hiding_destroy(&t->hiding);
  ad_run_state_destroy(&t->state);
  ad_session_destroy(&t->session);
  ad_math_bfloat16_destroy(&t->bfloat16);
  ad_free(t);
  return status;
}
