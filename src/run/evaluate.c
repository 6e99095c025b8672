/* Evaluations during a training, and what a run keeps of its parameters. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "training_internal.h"

static enum ad_variant result_variant(const struct ad_training *t) {
  return (enum ad_variant)t->session.config.run_result;
}

/* The logits of dev with one vector, in slices of whole batches, between which the ranks may agree to stop. */
static int compute_member(struct ad_training *t, const float *theta, float *logits) {
  enum { BATCHES = 8 }; /* of a rank in a slice */
  const size_t B = t->session.config.eval_batch, C = t->session.params.config.classes;
  const size_t slice = BATCHES * B * ad_comm_size(t->comm);
  for (size_t first = 0; first < t->dev.count; first += slice) {
    const size_t end = t->dev.count - first < slice ? t->dev.count : first + slice;
    AD_TRY(ad_mpi_evaluate(t->comm, t->evaluator, B, C, theta, &t->dev, first, end, logits + first * C));
    ad__training_fault_in_evaluation(t);
    const int stop = ad__training_must_stop(t);
    if (stop != 0) {
      return stop < 0 ? stop : AD_ESTOPPED;
    }
  }
  return AD_OK;
}

/* The logits of dev: of one vector, or the mean of those of several, added in double newest first. */
static int compute_logits(struct ad_training *t, const float *const *thetas, size_t count) {
  const size_t C = t->session.params.config.classes, n = t->dev.count * C;
  for (size_t k = 0; k < count; k++) {
    float *logits = count > 1 ? t->member_logits : t->logits;
    AD_TRY(compute_member(t, thetas[k], logits));
    for (size_t i = 0; i < n && count > 1; i++) {
      t->logit_sum[i] = (k == 0 ? 0.0 : t->logit_sum[i]) + logits[i];
    }
  }
  for (size_t i = 0; i < n && count > 1; i++) {
    t->logits[i] = (float)(t->logit_sum[i] / (double)count);
  }
  return AD_OK;
}

/* A variant's parameters [P]; the frozen ones are the student's. */
static void copy_parameters(const struct ad_training *t, const float *theta, float *out) {
  const size_t frozen = ad_params_frozen(&t->session.params), P = t->session.params.count;
  memcpy(out, t->replicas.student, frozen * sizeof *out);
  memcpy(out + frozen, theta + frozen, (P - frozen) * sizeof *out);
}

/* Keeps the scores of the parameters that the run will end with, and with run.select=best those parameters. */
static void select_parameters(struct ad_training *t, const struct ad_step *step, const struct ad_scores *scores,
                              const float *theta) {
  t->dev_error = scores->error;
  if (t->best == NULL || scores->error < t->best_error) {
    t->best_error = scores->error;
    t->best_step = step->step;
    ad_scores_json(scores, t->best_scores, sizeof t->best_scores);
    if (t->best != NULL) {
      copy_parameters(t, theta, t->best);
    }
  }
}

static int keep_logits(struct ad_training *t, const struct ad_step *step, enum ad_variant variant) {
  char name[64];
  if (!t->session.config.eval_keep_logits) {
    return AD_OK;
  }
  snprintf(name, sizeof name, "dev-%s%sstep-%08" PRIu64 ".h5", variant == AD_STUDENT ? "" : ad_variant_name(variant),
           variant == AD_STUDENT ? "" : "-", step->step);
  return ad_run_keep_logits(&t->run, name, t->dev.count, t->session.params.config.classes, t->logits, t->dev.label);
}

/* Rank 0: the scores of t->logits into the log and the row of the closing table. */
static int keep_scores(struct ad_training *t, const struct ad_step *step, enum ad_variant variant, const float *theta,
                       struct row *row) {
  struct ad_scores scores = {0};
  char *text = t->last_scores[variant];
  int status = ad_scores_create(&scores, &t->dev, t->session.params.config.classes, t->logits);
  if (status == AD_OK) {
    status = ad_run_log(&t->run, "{\"eval\":\"dev\",\"model\":\"%s\",\"step\":%" PRIu64 ",\"epoch\":%" PRIu64 ",%s}",
                        ad_variant_name(variant), step->step, step->epoch, ad_scores_json(&scores, text, AD_SCORES_TEXT));
  }
  if (status == AD_OK) {
    status = keep_logits(t, step, variant);
  }
  if (status == AD_OK) {
    row->error[variant] = scores.error;
    if (variant == result_variant(t)) {
      row->loss = scores.loss;
      select_parameters(t, step, &scores, theta);
    }
  }
  ad_scores_destroy(&scores);
  return status;
}

static int keep_row(struct ad_training *t, const struct row *row) {
  AD_TRY(ad_reserve(&t->rows, &t->row_capacity, t->row_count + 1, sizeof *row));
  ((struct row *)t->rows)[t->row_count++] = *row;
  return AD_OK;
}

int ad_training_evaluate(struct ad_training *t, const struct ad_step *step) {
  const double start = ad_clock(), per_epoch = ceil((double)t->train.count / (double)t->session.config.batch_size);
  struct row row = {.step = step->step, .epoch = (double)step->step / per_epoch, .loss = NAN};
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    const float *const *thetas;
    size_t count;
    row.error[v] = NAN;
    AD_TRY(ad_trainer_variant(t->trainer, v, &thetas, &count));
    if (count > 0) {
      AD_TRY(compute_logits(t, thetas, count));
      ad__training_hold(t, t->first ? keep_scores(t, step, v, thetas[0], &row) : AD_OK);
    }
  }
  t->evaluated = step->step;
  t->slowest_evaluation = fmax(t->slowest_evaluation, ad_clock() - start);
  if (t->first) {
    ad__training_hold(t, ad_run_timing(&t->run, "{\"eval\":\"dev\",\"step\":%" PRIu64 ",\"seconds\":%.6f}", step->step,
                                   ad_clock() - start));
    ad__training_hold(t, keep_row(t, &row));
    ad__training_hold(t, ad_run_log_size(&t->run, &t->log_bytes));
  }
  return AD_OK;
}

/* The files of a model are among the run's. */
static int record_model(struct ad_training *t, const char *folder) {
  size_t count;
  const char *const *files = ad_model_files(&count);
  for (size_t i = 0; i < count; i++) {
    char name[128];
    snprintf(name, sizeof name, "%s/%s", folder, files[i]);
    AD_TRY(ad_run_record(&t->run, name));
  }
  return AD_OK;
}

/* A Hugging Face folder of a variant's parameters; *digest of all of them. */
static int save(struct ad_training *t, const char *name, const float *theta, char digest[17]) {
  const struct ad_session *s = &t->session;
  const size_t P = s->params.count;
  AD_TRY(record_model(t, name));
  const int copied = ad_params_frozen(&s->params) > 0 && theta != t->replicas.student && theta != t->best;
  char *folder = ad_path_join(t->run.folder, name);
  float *copy = copied ? ad_malloc(P, sizeof *copy) : NULL;
  if (folder == NULL || (copied && copy == NULL)) {
    ad_free(folder);
    ad_free(copy);
    return ad_fail_memory(P * sizeof *copy, "the parameters to be saved");
  }
  if (copied) {
    copy_parameters(t, theta, copy);
    theta = copy;
  }
  ad_digest_text(ad_digest(theta, P * sizeof *theta), digest);
  /* A run that was stopped before result.json has the folder already. */
  const int status =
      ad_model_save(folder, 1, &s->params, theta, s->tokenizer, (const char *const *)s->descriptor.classes);
  ad_free(folder);
  ad_free(copy);
  return status;
}

/* The result's variant to model/, those beside it to variants/NAME/; the digest of each, "" where it is not kept. */
static int save_variants(struct ad_training *t, char digest[AD_VARIANTS][17]) {
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    const int result = v == result_variant(t);
    const float *const *thetas;
    size_t count;
    char name[32];
    if (!result && !t->session.config.run_variants) {
      continue;
    }
    AD_TRY(ad_trainer_variant(t->trainer, v, &thetas, &count));
    if (count != 1) {
      continue; /* none, or several: SDV's teacher is no single model */
    }
    if (t->first) {
      snprintf(name, sizeof name, "variants/%s", ad_variant_name(v));
      ad__training_hold(t, save(t, result ? "model" : name, result && t->best != NULL ? t->best : thetas[0], digest[v]));
    }
    /* The vector may be shared: the next mean must not come while it is being written. */
    AD_TRY(ad__training_settle(t));
  }
  return AD_OK;
}

/* Digests of what lies in variants/. */
static int print_variants(const struct ad_training *t, char digest[AD_VARIANTS][17], struct ad_buffer *text) {
  int any = 0;
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    if (v != result_variant(t) && digest[v][0] != '\0') {
      AD_TRY(ad_buffer_printf(text, "%s\"%s\":\"%s\"", any++ ? "," : ",\"variants\":{", ad_variant_name(v), digest[v]));
    }
  }
  return any ? ad_buffer_puts(text, "}") : AD_OK;
}

static int print_result(const struct ad_training *t, char digest[AD_VARIANTS][17], struct ad_buffer *text) {
  AD_TRY(ad_buffer_printf(text, "{\"step\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"model\":\"%s\",\"parameters\":\"%s\"",
                          t->best != NULL ? t->best_step : ad_trainer_done(t->trainer), ad_trainer_done(t->trainer),
                          ad_variant_name(result_variant(t)), digest[result_variant(t)]));
  AD_TRY(print_variants(t, digest, text));
  if (t->has_dev) {
    AD_TRY(ad_buffer_printf(text, ",\"dev\":{%s},\"last\":{", t->best_scores));
    for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
      if (t->last_scores[v][0] != '\0') {
        AD_TRY(
            ad_buffer_printf(text, "%s\"%s\":{%s}", v == AD_STUDENT ? "" : ",", ad_variant_name(v), t->last_scores[v]));
      }
    }
    AD_TRY(ad_buffer_puts(text, "}"));
  }
  return ad_buffer_puts(text, "}\n");
}

int ad__training_keep_result(struct ad_training *t) {
  struct ad_buffer text = {0};
  char digest[AD_VARIANTS][17] = {""};
  AD_TRY(save_variants(t, digest));
  if (!t->first) {
    return AD_OK;
  }
  int status = print_result(t, digest, &text);
  if (status == AD_OK) {
    status = ad_run_finish(&t->run, text.data, text.size, t->session.config.checkpoint_finished);
  }
  ad_buffer_destroy(&text);
  return status;
}
