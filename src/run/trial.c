/* One cell of a study on one team: a training as `train` runs it, and the scores on the test split. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/run/evaluation.h"
#include "autodidact/run/scores.h"
#include "autodidact/run/trial.h"
#include "training_internal.h"

/* Debug builds count the memory of each trial. */
#ifdef NDEBUG
enum { MEMORY_CHECKED = 0 };
#else
enum { MEMORY_CHECKED = 1 };
#endif

void ad_trial_outcome_destroy(struct ad_trial_outcome *outcome) {
  ad_free(outcome->result);
  ad_free(outcome->test);
  *outcome = (struct ad_trial_outcome){0};
}

/* Share of the most frequent class; NaN without examples or labels. */
static double majority_share(const struct ad_dataset *data, size_t classes) {
  size_t *count = ad_calloc(classes, sizeof *count), most = 0;
  for (size_t i = 0; count != NULL && i < data->count; i++) {
    if (data->label[i] < classes && ++count[data->label[i]] > most) {
      most = count[data->label[i]];
    }
  }
  ad_free(count);
  return most > 0 ? (double)most / (double)data->count : NAN;
}

static int configure(const struct ad_trial *trial, struct ad_session *session) {
  AD_TRY(ad_session_create(session));
  ad_config_destroy(&session->config);
  AD_TRY(ad_study_config(trial->study, trial->cell, &session->config));
  session->file = trial->study->path;
  session->config.run_overwrite = 0; /* a cell goes on; it is never begun anew over what it has */
  return AD_OK;
}

static void train_cell(const struct ad_trial *trial, struct ad_trial_outcome *o) {
  const double begin = ad_clock();
  struct ad_training t = {.frame = {.ranks = ad_teams_own(trial->teams),
                                 .started = trial->started,
                                 .quiet = 1,
                                 .asked = trial->asked,
                                 .context = trial->context}};
  int status = configure(trial, &t.session);
  status = status == AD_OK ? ad_training_run(&t) : status;
  o->status = ad_teams_settle(trial->teams, status, &o->alone);
  o->signal = t.stop_signal;
  o->step = t.trainer == NULL ? 0 : ad_trainer_done(t.trainer);
  o->steps = t.trainer == NULL ? 0 : ad_trainer_total(t.trainer);
  o->before_step = t.first_step > 0.0 ? t.first_step - begin : ad_clock() - begin;
  o->at_least = t.slowest_step + t.slowest_evaluation + t.slowest_save;
  o->majority[0] = majority_share(&t.dev, t.session.descriptor.class_count);
  const int closed = ad_training_close(&t, o->alone);
  if (!o->alone && o->status == AD_OK) {
    o->status = ad_teams_settle(trial->teams, closed, &o->alone);
  }
}

static char *read_result(const char *run) {
  struct ad_buffer text = {0};
  char *path = ad_path_join(run, "result.json");
  if (path == NULL || ad_file_read(path, &text) != AD_OK) {
    ad_buffer_destroy(&text);
  }
  ad_free(path);
  return text.data;
}

/* A split as `eval` reads it. */
static int load_split(struct ad_session *s, const char *run, enum ad_split split, struct ad_dataset *data) {
  AD_TRY(ad_session_open_run(s, run));
  const struct ad_session_data_options where = {.refused = AD_CHANGED_TEXTS | AD_CHANGED_CLASSES};
  AD_TRY(ad_session_open_data(s, run, &where));
  AD_TRY(ad_session_load_result(s, run, NULL));
  AD_TRY(ad_session_check_classes(s, run, &s->descriptor));
  return ad_session_read_named(s, ad_split_name(split), 1, data);
}

/* The folder of a cell's finished run, for what is still to be written there. */
static int enter_run(struct ad_run *run, const char *folder) {
  struct ad_lease_entry holder;
  AD_TRY(ad_run_enter(run, folder, &holder));
  return run->folder != NULL ? AD_OK : ad_run_refuse(folder, &holder);
}

/* The first rank's part: logits/test.h5 and the scores. */
static int keep_test(struct ad_session *s, const char *run, const struct ad_dataset *data, const float *logits,
                     struct ad_trial_outcome *o) {
  char text[AD_SCORES_TEXT], line[AD_SCORES_TEXT + 2];
  struct ad_scores scores = {0};
  struct ad_run kept;
  AD_TRY(enter_run(&kept, run));
  int status = ad_scores_create(&scores, data, s->params.config.classes, logits);
  status = status == AD_OK
               ? ad_run_keep_logits(&kept, "test.h5", data->count, s->params.config.classes, logits, data->label)
               : status;
  status = status == AD_OK ? ad_ledger_seal(&kept.ledger, "logits/test.h5") : status;
  if (status == AD_OK) {
    snprintf(line, sizeof line, "{%s}", ad_scores_json(&scores, text, sizeof text));
    o->test = ad_strdup(line);
    status = o->test == NULL ? ad_fail_memory(sizeof line, "the scores on test") : AD_OK;
  }
  ad_scores_destroy(&scores);
  const int closed = ad_run_close(&kept);
  return status == AD_OK ? closed : status;
}

static int test_run(const struct ad_trial *trial, const char *run, struct ad_trial_outcome *o) {
  const struct ad_comm *ranks = ad_teams_own(trial->teams);
  struct ad_session s;
  struct ad_dataset data = {0};
  struct ad_evaluation evaluation = {.ranks = ranks};
  AD_TRY(ad_session_create(&s));
  int status = ad_comm_settle(ranks, load_split(&s, run, AD_TEST, &data));
  if (status == AD_OK) {
    o->majority[1] = majority_share(&data, s.descriptor.class_count);
    status = ad_evaluation_open(&evaluation, &s, &data, data.count);
    status = status == AD_OK ? ad_evaluation_run(&evaluation, &s, &data, 0, data.count) : status;
    if (status == AD_OK && ad_comm_rank(ranks) == 0) {
      status = keep_test(&s, run, &data, evaluation.logits, o);
    }
  }
  o->status = ad_teams_settle(trial->teams, status, &o->alone);
  ad_evaluation_close(&evaluation, o->alone ? AD_EINTERNAL : AD_OK);
  ad_dataset_destroy(&data);
  ad_session_destroy(&s);
  return o->status;
}

static double read_majority(const char *run) {
  struct ad_session s;
  struct ad_dataset data = {0};
  double share = NAN;
  if (ad_session_create(&s) == AD_OK && load_split(&s, run, AD_DEV, &data) == AD_OK) {
    share = majority_share(&data, s.descriptor.class_count);
  }
  ad_dataset_destroy(&data);
  ad_session_destroy(&s);
  ad_error_clear();
  return share;
}

/* A run that was finished before and never came into the table: what was still to be done then. On the first rank. */
static int take_finished(const struct ad_trial *trial, const char *run, struct ad_trial_outcome *o) {
  struct ad_run kept;
  o->majority[0] = read_majority(run);
  AD_TRY(enter_run(&kept, run));
  const int status = trial->study->base.checkpoint_finished ? AD_OK : ad_run_drop_checkpoints(&kept);
  ad_run_close(&kept);
  return status;
}

static void run_cell(const struct ad_trial *trial, struct ad_trial_outcome *o) {
  const double begin = ad_clock();
  const int first = ad_comm_rank(ad_teams_own(trial->teams)) == 0;
  char *run = ad_study_folder(trial->study, trial->cell);
  *o = (struct ad_trial_outcome){.majority = {NAN, NAN}};
  o->status = ad_teams_settle(trial->teams, run == NULL ? ad_fail_memory(256, "a path") : AD_OK, &o->alone);
  if (o->status == AD_OK && !trial->finished) {
    train_cell(trial, o);
  } else if (o->status == AD_OK) {
    o->status = ad_teams_settle(trial->teams, first ? take_finished(trial, run, o) : AD_OK, &o->alone);
  }
  if (o->status == AD_OK && trial->study->test) {
    test_run(trial, run, o);
  }
  if (o->status == AD_OK && first) {
    o->result = read_result(run);
  }
  o->seconds = ad_clock() - begin;
  ad_free(run);
}

void ad_trial_run(const struct ad_trial *trial, struct ad_trial_outcome *outcome) {
  char label[200], prefix[220];
  const size_t before = ad_memory_stats().live_blocks;
  snprintf(prefix, sizeof prefix, "%s: ", ad_study_label(trial->study, trial->cell, label, sizeof label));
  ad_error_clear();
  ad_log_set_prefix(prefix);
  ad_log_set_level(AD_LOG_WARNING);
  run_cell(trial, outcome);
  ad_log_set_level(AD_LOG_INFO);
  ad_log_set_prefix("");
  const size_t kept = (outcome->result != NULL) + (outcome->test != NULL), after = ad_memory_stats().live_blocks;
  if (MEMORY_CHECKED && !outcome->alone && outcome->status == AD_OK) {
    const int balanced = after == before + kept
                             ? AD_OK
                             : ad_fail(AD_EINTERNAL, "a trial left %zu blocks of memory, there were %zu", after - kept, before);
    outcome->status = ad_teams_settle(trial->teams, balanced, &outcome->alone);
  }
}
