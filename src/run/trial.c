/* One cell of a study on one team: a training as `train` runs it, and the scores on the test split. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/run/evaluation.h"
#include "autodidact/run/session.h"
#include "autodidact/run/training.h"
#include "autodidact/run/trial.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/run.h"
#include "autodidact/store/run_files.h"
#include "autodidact/task/scores.h"

/* Debug builds count the memory of each trial. */
#ifdef NDEBUG
enum { MEMORY_CHECKED = 0 };
#else
enum { MEMORY_CHECKED = 1 };
#endif

static int train(struct ad_training *t, const struct ad_trial *trial) {
  struct ad_config config;
  AD_TRY(ad_study_config(trial->study, trial->cell, &config));
  config.run_overwrite = 0; /* a cell goes on; it is never begun anew over what it has */
  ad_training_set_config(t, &config, trial->study->path);
  return ad_training_run(t);
}

static void train_cell(const struct ad_trial *trial, struct ad_trial_outcome *o) {
  const double begin = ad_clock();
  const struct ad_training_frame frame = {.ranks = ad_teams_own(trial->teams),
                                          .started = trial->started,
                                          .quiet = 1,
                                          .asked = trial->asked,
                                          .context = trial->context};
  struct ad_training *t;
  int status = ad_training_create(&t, trial->math, &frame);
  status = status == AD_OK ? train(t, trial) : status;
  o->status = ad_teams_settle(trial->teams, status, &o->alone);
  if (t != NULL) {
    const struct ad_training_summary s = ad_training_summary(t);
    o->signal = s.signal;
    o->step = s.step;
    o->steps = s.steps;
    o->before_step = s.first_step > 0.0 ? s.first_step - begin : ad_clock() - begin;
    o->at_least = s.slowest[0] + s.slowest[1] + s.slowest[2];
    o->majority[0] = s.majority;
  }
  const int closed = ad_training_close(t, o->alone);
  if (!o->alone && o->status == AD_OK) {
    o->status = ad_teams_settle(trial->teams, closed, &o->alone);
  }
}

/* A split as `eval` reads it. */
static int load_split(struct ad_session *s, const char *run, enum ad_split split, struct ad_dataset *data) {
  const struct ad_session_data_options where = {.refused = AD_CHANGED_TEXTS | AD_CHANGED_CLASSES};
  return ad_evaluation_load(s, run, NULL, ad_split_name(split), &where, data);
}

/* The folder of a cell's finished run, for what is still to be written there. */
static int enter_run(struct ad_run *run, const char *folder) {
  struct ad_lease_entry holder;
  AD_TRY(ad_run_enter(run, folder, &holder));
  return run->folder != NULL ? AD_OK : ad_run_refuse(folder, &holder);
}

static int keep_logits(struct ad_run *kept, const struct ad_dataset *data, size_t C, const float *logits) {
  char name[AD_LOGITS_NAME];
  snprintf(name, sizeof name, "%s/%s", AD_RUN_FOLDER_LOGITS, AD_LOGITS_TEST);
  AD_TRY(ad_run_keep_logits(kept, AD_LOGITS_TEST, ad_dataset_labels(data), C, logits));
  return ad_ledger_seal(&kept->ledger, name);
}

/* The first rank's part: the scores, and logits/test.h5 where there are logits. */
static int keep_test(struct ad_session *s, const char *run, const struct ad_dataset *data,
                     const struct ad_evaluation *evaluation, struct ad_trial_outcome *o) {
  struct ad_scoring scoring = {0};
  struct ad_run kept;
  AD_TRY(enter_run(&kept, run));
  int status = ad_evaluation_scores(evaluation, s, data, &scoring);
  if (status == AD_OK && evaluation->logits != NULL) {
    status = keep_logits(&kept, data, s->params.config.classes, evaluation->logits);
  }
  o->test = scoring.scores;
  o->has_test = status == AD_OK;
  ad_scoring_destroy(&scoring);
  const int closed = ad_run_close(&kept);
  return status == AD_OK ? closed : status;
}

static int test_run(const struct ad_trial *trial, const char *run, struct ad_trial_outcome *o) {
  const struct ad_comm *ranks = ad_teams_own(trial->teams);
  struct ad_session s;
  struct ad_dataset data = {0};
  struct ad_evaluation evaluation = {.ranks = ranks};
  AD_TRY(ad_session_create(&s, trial->math));
  int status = ad_comm_settle(ranks, load_split(&s, run, AD_SPLIT_TEST, &data));
  if (status == AD_OK) {
    o->majority[1] = ad_majority_share(ad_dataset_labels(&data), s.descriptor.class_count, trial->study->score->name);
    status = ad_evaluation_open(&evaluation, &s, &data, data.count);
    status = status == AD_OK ? ad_evaluation_run(&evaluation, &s, &data, 0, data.count) : status;
    if (status == AD_OK && ad_comm_rank(ranks) == 0) {
      status = keep_test(&s, run, &data, &evaluation, o);
    }
  }
  o->status = ad_teams_settle(trial->teams, status, &o->alone);
  ad_evaluation_close(&evaluation, o->alone ? AD_EINTERNAL : AD_OK);
  ad_dataset_destroy(&data);
  ad_session_destroy(&s);
  return o->status;
}

static double read_majority(const struct ad_trial *trial, const char *run) {
  struct ad_session s;
  struct ad_dataset data = {0};
  double share = NAN;
  if (ad_session_create(&s, NULL) == AD_OK && load_split(&s, run, AD_SPLIT_DEV, &data) == AD_OK) {
    share = ad_majority_share(ad_dataset_labels(&data), s.descriptor.class_count, trial->study->score->name);
  }
  ad_dataset_destroy(&data);
  ad_session_destroy(&s);
  ad_error_clear();
  return share;
}

/* A run that was finished before and never came into the table: what was still to be done then. On the first rank. */
static int take_finished(const struct ad_trial *trial, const char *run, struct ad_trial_outcome *o) {
  struct ad_run kept;
  o->majority[0] = read_majority(trial, run);
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
    const int of_one = strchr(trial->study->score->name, '.') != NULL; /* of several tasks the training knows none */
    o->majority[0] = of_one && isnan(o->majority[0]) ? read_majority(trial, run) : o->majority[0];
    o->has_result = ad_result_find(&o->result, run) == AD_OK;
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
  const size_t after = ad_memory_stats().live_blocks;
  if (MEMORY_CHECKED && !outcome->alone && outcome->status == AD_OK) {
    const int balanced =
        after == before ? AD_OK
                        : ad_fail(AD_EINTERNAL, "a trial left %zu blocks of memory, there were %zu", after, before);
    outcome->status = ad_teams_settle(trial->teams, balanced, &outcome->alone);
  }
}
