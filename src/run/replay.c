/* A run verified: its files, and some of its steps trained again. */
#include "autodidact/run/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/checkpoint.h"
#include "autodidact/store/run_files.h"
#include "training_internal.h"

/* Numbers that rank 0 chooses for all. */
struct plan {
  uint64_t from, steps, count, checkpoints[64]; /* steps on the way that have a good checkpoint */
};

struct ad_replay {
  const char *run;
  struct plan plan;
  struct ad_verification findings;    /* rank 0 */
  struct ad_input_comparison changes; /* rank 0 */
  struct ad_training *training;
};

/* --- Open. */

/* The run's configuration, but for what a replay leaves out: its folder is read and never written. */
static int configure(struct ad_replay *r) {
  struct ad_config *c = &r->training->session.config;
  AD_TRY(ad_run_config(r->run, c));
  AD_TRY(ad_config_reset(c, AD_ROLE_OBSERVATION));
  c->run_select = AD_SELECT_LAST;
  ad_free(c->run_dir);
  c->run_dir = ad_strdup(r->run);
  return c->run_dir == NULL ? ad_fail_memory(strlen(r->run) + 1, "a path") : AD_OK;
}

int ad_replay_open(struct ad_replay **replay, const struct ad_math *math, const char *run) {
  struct ad_replay *r = *replay = ad_calloc(1, sizeof *r);
  if (r == NULL) {
    return ad_fail_memory(sizeof *r, "a replay");
  }
  r->run = run;
  AD_TRY(ad_training_create(&r->training, math, NULL));
  AD_TRY(configure(r));
  AD_TRY(ad__connect(r->training));
  return ad_comm_settle(r->training->ranks.comm, ad_replay_is_first(r) ? ad_verify_run(run, &r->findings) : AD_OK);
}

const struct ad_verification *ad_replay_findings(const struct ad_replay *replay) {
  return &replay->findings;
}

const struct ad_differences *ad_replay_changes(const struct ad_replay *replay) {
  return &replay->changes.reasons;
}

int ad_replay_is_first(const struct ad_replay *replay) {
  return replay->training->ranks.first;
}

int ad_replay_settle(const struct ad_replay *replay, int status) {
  return ad_comm_settle(replay->training->ranks.comm, status);
}

void ad_replay_close(struct ad_replay *replay, int alone) {
  if (replay == NULL) {
    return;
  }
  ad_verification_destroy(&replay->findings);
  ad_input_comparison_destroy(&replay->changes);
  ad_ignore(ad_training_close(replay->training, alone));
  ad_free(replay);
}

/* --- Where to begin. */

static int find_good(const struct ad_verification *v, uint64_t step) {
  char subject[AD_CHECKPOINT_NAME];
  ad_checkpoint_name(step, subject);
  for (size_t i = 0; i < v->count; i++) {
    if (strcmp(v->items[i].subject, subject) == 0) {
      return v->items[i].good;
    }
  }
  return 0;
}

/* From where: the newest good checkpoint behind which the log has so many steps, or else the start. */
static int choose(const struct ad_replay *r, uint64_t number, uint64_t from, const uint64_t *steps, size_t count,
                  struct plan *plan) {
  const uint64_t logged = r->findings.log.step_count;
  *plan = (struct plan){.from = from == UINT64_MAX ? 0 : from};
  for (size_t i = 0; i < count && from == UINT64_MAX && plan->from == 0; i++) {
    if (find_good(&r->findings, steps[i]) && steps[i] + number <= logged) {
      plan->from = steps[i];
    }
  }
  if (from != UINT64_MAX && from > 0 && !find_good(&r->findings, from)) {
    return ad_fail(AD_ECONFIG, "--from %" PRIu64 ": %s has no good checkpoint of that step", from, r->run);
  }
  plan->steps = plan->from >= logged ? 0 : logged - plan->from < number ? logged - plan->from : number;
  if (plan->steps == 0) {
    return ad_fail(AD_EINPUT, "%s: log.jsonl has no step behind step %" PRIu64 " to compare with", r->run, plan->from);
  }
  for (size_t i = count; i > 0; i--) {
    const uint64_t step = steps[i - 1];
    if (step > plan->from && step <= plan->from + plan->steps && find_good(&r->findings, step) && plan->count < 64) {
      plan->checkpoints[plan->count++] = step;
    }
  }
  return AD_OK;
}

static int make_plan(struct ad_replay *r, uint64_t number, uint64_t from) {
  uint64_t *steps = NULL;
  size_t count = 0;
  const struct ad_comm *comm = r->training->ranks.comm;
  int status = ad_replay_is_first(r) ? ad_checkpoint_list(r->run, &steps, &count) : AD_OK;
  status = status == AD_OK && ad_replay_is_first(r) ? choose(r, number, from, steps, count, &r->plan) : status;
  ad_free(steps);
  AD_TRY(ad_comm_settle(comm, status));
  return ad_comm_broadcast(comm, sizeof r->plan, &r->plan);
}

/* --- What the run was given. */

/* What the run was given, from where it lay: the configuration's paths may be those of another current folder. */
static int find_inputs(struct ad_replay *r) {
  struct ad_session *s = &r->training->session;
  struct ad_config *c = &s->config;
  const struct ad_session_data_options where = {.optional = 1};
  AD_TRY(ad_session_open_data(s, r->run, &where));
  for (enum ad_split i = 0; s->inputs.found && i < AD_SPLITS; i++) {
    AD_TRY(ad_config_set(c, r->run, ad_split_key(i), ""));
  }
  const char *model = s->inputs.model, *key = c->model_path[0] != '\0' ? "model.path" : "model.vocab";
  return model != NULL && access(model, F_OK) == 0 ? ad_config_set(c, r->run, key, model) : AD_OK;
}

static int is_configured(const char *name) {
  return strcmp(ad__resume_kind(name), "configuration") == 0;
}

/* Rank 0. The configuration is the run's, but for what a replay leaves out. */
static int find_changes(struct ad_replay *r) {
  AD_TRY(ad__find_changes(r->training, &r->changes));
  ad_differences_drop(&r->changes.reasons, is_configured);
  return AD_OK;
}

/* As train does it, without a run folder and without evaluations. */
int ad_replay_prepare(struct ad_replay *r, uint64_t steps, uint64_t from) {
  struct ad_training *t = r->training;
  AD_TRY(make_plan(r, steps, from));
  AD_TRY(ad__check_configuration(t));
  AD_TRY(find_inputs(r));
  AD_TRY(ad__load_data(t));
  AD_TRY(ad__prepare(t));
  ad__tell_memory(t);
  return ad_comm_settle(t->ranks.comm, t->ranks.first ? find_changes(r) : AD_OK);
}

/* --- The steps. */

/* Rank 0: whether the step's row is that of the log; a finding where it is not. */
static int compare_row(struct ad_replay *r, const struct ad_step *step, int *equal) {
  char text[AD_ROW_TEXT];
  const struct ad_run_log *log = &r->findings.log;
  const struct ad_log_step *found = ad_run_log_find(log, step->step);
  const struct ad_step_row row = ad_step_row_of(step, ad_teacher_has_distance(&r->training->settings.teacher));
  ad_step_row_print(&row, text);
  *equal = found != NULL && found->size == strlen(text) && memcmp(text, log->map.data + found->begin, found->size) == 0;
  return *equal ? AD_OK
                : ad_verification_add(&r->findings, 0, "replay", "step %" PRIu64 ": found %s, the log has %.*s",
                                      step->step, text, found == NULL ? 0 : (int)found->size,
                                      found == NULL ? "" : log->map.data + found->begin);
}

/* A step, compared with the log; *same alike on all ranks. */
static int replay_step(struct ad_replay *r, uint64_t number, int *same) {
  struct ad_training *t = r->training;
  struct ad_step step;
  int equal = 1, status = ad_trainer_step(t->trainer, &step);
  if (status == AD_EDIVERGED) {
    equal = 0;
    status = t->ranks.first
                 ? ad_verification_add(&r->findings, 0, "replay", "step %" PRIu64 ": %s, the log has a row of it",
                                       number, ad_error_message())
                 : AD_OK;
  } else if (status == AD_OK && t->ranks.first) {
    status = compare_row(r, &step, &equal);
  }
  AD_TRY(ad_comm_settle(t->ranks.comm, status));
  *same = ad_comm_largest(t->ranks.comm, !equal) == 0;
  return AD_OK;
}

/* The vectors after a step, against its checkpoint. */
static int replay_checkpoint(struct ad_replay *r, uint64_t step, int *same) {
  int status = ad__compare_checkpoint(r->training, step);
  *same = status == AD_OK;
  if (status == AD_EINPUT && ad_replay_is_first(r)) {
    status = ad_verification_add(&r->findings, 0, "replay", "after step %" PRIu64 ": %s", step, ad_error_message());
  }
  return status == AD_EINPUT ? AD_OK : status;
}

/* Trains the steps; *same: as far as it went everything was equal. */
static int replay(struct ad_replay *r, int *same) {
  const struct plan *plan = &r->plan;
  size_t next = 0;
  *same = 1;
  AD_TRY(plan->from > 0 ? ad__load_step(r->training, plan->from) : AD_OK);
  for (uint64_t step = plan->from + 1; step <= plan->from + plan->steps && *same; step++) {
    AD_TRY(replay_step(r, step, same));
    if (*same && next < plan->count && plan->checkpoints[next] == step) {
      next++;
      AD_TRY(replay_checkpoint(r, step, same));
    }
  }
  return AD_OK;
}

int ad_replay_steps(struct ad_replay *r) {
  const struct plan *plan = &r->plan;
  int same;
  AD_TRY(replay(r, &same));
  if (!same || !ad_replay_is_first(r)) {
    return AD_OK;
  }
  char checkpoints[96] = "";
  if (plan->count > 0) {
    snprintf(checkpoints, sizeof checkpoints, "; all vectors as in the %" PRIu64 " checkpoint%s on the way",
             plan->count, plan->count == 1 ? "" : "s");
  }
  return ad_verification_add(&r->findings, 1, "replay",
                             "%" PRIu64 " steps behind step %" PRIu64
                             " on %u ranks: every row as in the log, to the bit%s",
                             plan->steps, plan->from, ad_comm_size(r->training->ranks.comm), checkpoints);
}
