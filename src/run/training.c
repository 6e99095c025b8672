/* One training: data, model, steps, evaluations, and the run folder that keeps them. */
#include "training_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"

/* "h:mm:ss", or "?" where nobody can tell. */
static void print_seconds(double seconds, char text[32]) {
  snprintf(text, 32, "?");
  if (seconds >= 0.0 && seconds < 1e12) {
    const uint64_t whole = (uint64_t)seconds;
    snprintf(text, 32, "%" PRIu64 ":%02d:%02d", whole / 3600, (int)(whole / 60 % 60), (int)(whole % 60));
  }
}

static void show_progress(const struct ad_training *t, const struct ad_step *step) {
  const uint64_t total = ad_trainer_total(t->trainer), left = step->step < total ? total - step->step : 0;
  char dev[32] = "", end[32], text[200];
  if (!isnan(t->dev_error)) {
    snprintf(dev, sizeof dev, "  dev error %.2f %%", 100.0 * t->dev_error);
  }
  print_seconds(t->seconds / (double)step->step * (double)left, end);
  snprintf(text, sizeof text, "step %" PRIu64 "/%" PRIu64 "  epoch %" PRIu64 "  loss %.4f  %.0f examples/s%s  ETA %s",
           step->step, total, step->epoch, step->loss, (double)t->examples / t->seconds, dev, end);
  ad_progress(text, left == 0);
}

void ad__training_step_text(const struct ad_training *t, const struct ad_step *step, char text[STEP_TEXT]) {
  char taught[96] = "";
  if (ad_teacher_has(&t->settings.teacher, AD_TEACHER) || t->settings.teacher.method == AD_TEACHER_RDROP) {
    char distance[40] = "null";
    if (!isnan(step->distance)) {
      snprintf(distance, sizeof distance, "%.17g", step->distance);
    }
    snprintf(taught, sizeof taught, "\"distance\":%s,\"weight\":%.17g,", distance, step->weight);
  }
  snprintf(text, STEP_TEXT,
           "{\"step\":%" PRIu64 ",\"epoch\":%" PRIu64
           ",\"examples\":%zu,\"tokens\":%zu,\"loss\":%.17g,%s\"norm\":%.17g,\"factor\":%.17g,"
           "\"parameters\":\"%016" PRIx64 "\",\"chain\":\"%016" PRIx64 "\"}",
           step->step, step->epoch, step->examples, step->tokens, step->loss, taught, step->norm, step->factor,
           step->parameters, step->chain);
}

static int log_step(struct ad_training *t, const struct ad_step *step) {
  char text[STEP_TEXT];
  ad__training_step_text(t, step, text);
  AD_TRY(ad_run_log(&t->run, "%s", text));
  AD_TRY(ad_run_timing(&t->run, "{\"step\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"seconds\":%.6f}", step->step,
                       ad_trainer_total(t->trainer), step->seconds));
  t->log_bytes = (uint64_t)ftello(t->run.log);
  return AD_OK;
}

/* Whether the parameters as they are must be evaluated before the next step. */
static int evaluation_due(const struct ad_training *t) {
  const uint64_t done = ad_trainer_done(t->trainer), every = t->session.config.eval_every;
  const int due = every > 0 ? done % every == 0 : done % t->steps_an_epoch == 0;
  return t->has_dev && done > 0 && t->evaluated < done && (due || done >= ad_trainer_total(t->trainer));
}

/* An evaluation; where it is broken off by a stop, the checkpoint says that it is still to be done. */
static int evaluate(struct ad_training *t) {
  const int status = ad_training_evaluate(t, &t->last);
  if (status != AD_ESTOPPED) {
    return status;
  }
  const int saved = ad__training_step_edge(t);
  return saved == AD_OK ? ad_fail(AD_EINTERNAL, "a stop was taken back") : saved;
}

static int train_steps(struct ad_training *t) {
  const uint64_t total = ad_trainer_total(t->trainer);
  t->first_step = ad_clock();
  for (;;) {
    AD_TRY(evaluation_due(t) ? evaluate(t) : AD_OK);
    if (t->last.examples > 0 && !t->frame.quiet) {
      show_progress(t, &t->last);
    }
    if (ad_trainer_done(t->trainer) >= total) {
      return AD_OK;
    }
    AD_TRY(ad__training_step_edge(t));
    ad__training_fault_before_step(t, ad_trainer_done(t->trainer) + 1);
    ad__training_watch_step(t);
    AD_TRY(ad_trainer_step(t->trainer, &t->last));
    t->seconds += t->last.seconds;
    t->examples += t->last.examples;
    t->slowest_step = fmax(t->slowest_step, t->last.seconds);
    ad__training_hold(t, t->first ? log_step(t, &t->last) : AD_OK);
    AD_TRY(ad__training_keep_snapshot(t, &t->last));
    ad__training_fault_after_step(t, t->last.step);
  }
}

static void print_summary(const struct ad_training *t) {
  const struct row *rows = t->rows;
  printf("%7s %8s", "epoch", "step");
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    if (t->last_scores[v][0] != '\0') {
      char title[40];
      const int alone =
          !ad_teacher_has(&t->settings.teacher, AD_TEACHER) && !ad_teacher_has(&t->settings.teacher, AD_RUN_MEAN);
      snprintf(title, sizeof title, "%s error", alone ? "dev" : ad_variant_name(v));
      printf(" %13s", title);
    }
  }
  printf(" %9s\n", "dev loss");
  for (size_t i = 0; i < t->row_count; i++) {
    printf("%7.2f %8" PRIu64, rows[i].epoch, rows[i].step);
    for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
      if (t->last_scores[v][0] != '\0') {
        printf(" %11.2f %%", 100.0 * rows[i].error[v]);
      }
    }
    printf(" %9.4f\n", rows[i].loss);
  }
  printf("\n%.0f examples/s in training; the run is in %s\n", (double)t->examples / t->seconds,
         ad_shown(t->run.folder));
}

int ad_training_close(struct ad_training *t, int alone) {
  int status = ad_run_close(&t->run);
  ad__training_close_snapshots(t);
  ad_evaluator_destroy(t->evaluator);
  ad_trainer_destroy(t->trainer);
  /* To free these takes all ranks. */
  if (!alone || (t->comm != NULL && ad_comm_size(t->comm) == 1)) {
    ad_mpi_exchange_destroy(t->exchange);
    ad_shared_destroy(&t->shared);
    ad_comm_destroy(t->comm);
  }
  ad_dataset_destroy(&t->train);
  ad_dataset_destroy(&t->dev);
  ad_free(t->vectors);
  ad_free(t->replicas.past);
  ad_free(t->ring_folder);
  ad_free(t->logits);
  ad_free(t->member_logits);
  ad_free(t->logit_sum);
  ad_free(t->best);
  ad_free(t->rows);
  ad_session_destroy(&t->session);
  return status;
}

/* From the run folder to its result. */
static int train(struct ad_training *t) {
  AD_TRY(ad__training_open_run(t));
  ad_log(AD_LOG_INFO, "%zu training examples, %zu dev examples, %u classes, %.1f M parameters, %" PRIu64 " steps",
         t->train.count, t->has_dev ? t->dev.count : 0, t->session.params.config.classes,
         1e-6 * (double)t->session.params.count, ad_trainer_total(t->trainer));
  AD_TRY(ad__training_open_snapshots(t));
  if (ad_trainer_done(t->trainer) == 0) {
    ad__training_fault_after_step(t, 0);
  }
  AD_TRY(train_steps(t));
  ad__training_hold(t, ad__training_flush_snapshots(t));
  AD_TRY(ad__training_settle(t));
  ad__training_hold(t, ad__training_report_memory(t));
  AD_TRY(t->session.config.checkpoint_finished ? ad_training_save(t) : AD_OK);
  AD_TRY(ad__training_settle(t));
  ad__training_hold(t, ad__training_keep_result(t));
  AD_TRY(ad__training_settle(t));
  ad__training_hold(t, ad__training_clear_checkpoints(t));
  return ad__training_settle(t);
}

/* What is given in vain. */
static int warn(const struct ad_training *t) {
  const struct ad_session *s = &t->session;
  const char *folder = s->config.model_path;
  const struct ad_config_facts facts = {.dev = t->has_dev,
                                        .ranks = ad_comm_size(t->comm) > 1,
                                        .drawn = folder[0] == '\0' || s->report.drawn.count > 0};
  AD_TRY(ad_config_warn_idle(&s->config, &facts));
  ad_descriptor_warn_idle(&s->descriptor);
  return ad_session_warn_keys(folder, &s->report);
}

int ad_training_run(struct ad_training *t) {
  t->best_error = INFINITY;
  t->dev_error = NAN;
  t->last_save = ad_clock();
  t->started = t->frame.started > 0.0 ? t->frame.started : t->last_save;
  /* An unsharded update writes all parameters on every rank: each needs its own. */
  AD_TRY(ad_comm_create_among(&t->comm, t->frame.ranks, t->session.config.comm_shared && t->session.config.optim_shard));
  t->first = ad_comm_rank(t->comm) == 0;
  t->replica_owner = ad_comm_node_first(t->comm);
  AD_TRY(ad__training_check_configuration(t));
  AD_TRY(ad_comm_settle(t->comm, ad__training_load_data(t)));
  AD_TRY(ad__training_prepare(t));
  /* A study says it once for all its cells. */
  AD_TRY(t->frame.quiet ? AD_OK : warn(t));
  const int status = train(t);
  AD_TRY(status == AD_EDIVERGED ? ad__training_keep_diverged(t, status) : status);
  if (t->first && !t->frame.quiet) {
    print_summary(t);
  }
  return AD_OK;
}
