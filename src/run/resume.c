/* The run folder: a new one, or the one of a run that was stopped, which then goes on. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/run/signals.h"
#include "autodidact/store/snapshot.h"
#include "training_internal.h"

/* Rank 0: what this run would be, in a folder of its own, against what the run's folder says. */
static int compare_inputs(const struct ad_training *t, const struct ad__provenance *p,
                          struct ad_input_comparison *comparison) {
  const char *folder = getenv("TMPDIR");
  char *beside = ad_path_join(folder == NULL || folder[0] == '\0' ? "/tmp" : folder, "autodidact-XXXXXX");
  if (beside == NULL) {
    return ad_fail_memory(64, "a path");
  }
  if (mkdtemp(beside) == NULL) {
    const int status = ad_fail(AD_EIO, "%s: could not be made: %s", beside, strerror(errno));
    ad_free(beside);
    return status;
  }
  int status = ad_run_describe(beside, &t->session.config, p->facts, p->count);
  if (status == AD_OK) {
    status = ad_compare_inputs((const char *const[2]){t->session.config.run_dir, beside}, comparison);
  }
  const int removed = ad_remove_folder(beside);
  ad_free(beside);
  return status == AD_OK ? removed : status;
}

static int says_steps(const char *name) {
  return ad_config_role(name) == AD_ROLE_LENGTH;
}

/* A run of fewer steps may go on as one of more, where that changes no bit. Where it does, the steps are a difference.
 */
static int judge_changes(const struct ad_training *t, struct ad_differences *reasons) {
  const struct ad_config *c = &t->session.config;
  int longer;
  if (ad__check_longer(t, &longer) == AD_OK && longer) {
    ad_differences_drop(reasons, says_steps);
  }
  ad_error_clear();
  return ad__resume_judge(c->run_dir, c->resume_allow, reasons);
}

static int check_unchanged(const struct ad_training *t, const struct ad__provenance *p) {
  struct ad_input_comparison comparison = {0};
  int status = compare_inputs(t, p, &comparison);
  status = status == AD_OK ? judge_changes(t, &comparison.reasons) : status;
  ad_input_comparison_destroy(&comparison);
  return status;
}

int ad__find_changes(const struct ad_training *t, struct ad_input_comparison *comparison) {
  struct ad__provenance p;
  *comparison = (struct ad_input_comparison){0};
  AD_TRY(ad__make_provenance(t, &p));
  return compare_inputs(t, &p, comparison);
}

/* Rank 0: what the run is given, where it is kept. */
static int keep_inputs(struct ad_training *t) {
  const struct ad_session *s = &t->session;
  struct ad_run_inputs inputs;
  AD_TRY(ad_run_inputs_create(&inputs, &s->config, &s->descriptor));
  inputs.digest[AD_SPLIT_TRAIN] = t->data.train.digest;
  inputs.digest[AD_SPLIT_DEV] = t->data.has_dev ? t->data.dev.digest : 0;
  const int status = ad_run_inputs_write(&t->run, &inputs, &s->descriptor);
  ad_run_inputs_destroy(&inputs);
  return status;
}

/* Rank 0: a finished run stays, unless this one is longer and may go on from its end. */
static int check_finished(const struct ad_training *t) {
  int longer;
  AD_TRY(ad__check_longer(t, &longer));
  return longer ? AD_OK
                : ad_fail(AD_ECONFIG,
                          "%s: holds a run already: choose another run.dir, or start anew with run.overwrite=true",
                          t->session.config.run_dir);
}

/* Rank 0: that a run may be here, before anything is touched. A finished one stays unless it is to go. */
static int check_folder(const struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  const enum ad_run_found found = ad_run_find(c->run_dir);
  const int anew = c->run_overwrite || found == AD_FOUND_NONE;
  struct ad_lease_entry holder;
  if (access(c->run_dir, F_OK) == 0 && !ad_is_folder(c->run_dir)) {
    return ad_fail(AD_ECONFIG, "run.dir is '%s', which is a file: expected a folder, or nothing there yet", c->run_dir);
  }
  AD_TRY(ad__check_inputs(t, anew));
  AD_TRY(found == AD_FOUND_FINISHED && !c->run_overwrite ? check_finished(t) : AD_OK);
  AD_TRY(ad_lease_find(c->run_dir, AD_RUN_LEASE, AD_RUN_PATIENCE, &holder));
  /* Who writes there now makes files all the time. */
  return holder.alive ? AD_OK : ad_run_check_files(c->run_dir, anew);
}

/* Rank 0: takes the folder. *wait 1: whether its holder, on another machine, lives shows by its signs: `seen` has the
 * first. */
static int try_to_enter(struct ad_training *t, struct ad_lease_entry *seen, uint64_t *wait) {
  const char *folder = t->session.config.run_dir;
  struct ad_lease_entry holder;
  *wait = 0;
  AD_TRY(folder[0] == '\0' ? AD_OK : check_folder(t));
  AD_TRY(ad_run_enter(&t->run, folder, &holder));
  if (t->run.folder != NULL) {
    return AD_OK;
  }
  const int first = seen->generation == 0;
  if (holder.certain || (!first && (holder.generation != seen->generation || holder.beat != seen->beat))) {
    return ad_run_refuse(folder, &holder);
  }
  if (first && holder.alive) {
    ad_log(AD_LOG_INFO,
           "%s: a process on %s was at this run a moment ago and cannot be seen from here: it has %d seconds to give a "
           "sign of life",
           folder, holder.host, AD_RUN_PATIENCE);
    *seen = holder;
  }
  *wait = 1;
  return AD_OK;
}

/* All ranks: the folder is rank 0's when this returns AD_OK. */
static int enter(struct ad_training *t) {
  struct ad_lease_entry seen = {0};
  for (;;) {
    uint64_t wait = 0;
    AD_TRY(ad_comm_settle(t->ranks.comm, t->ranks.first ? try_to_enter(t, &seen, &wait) : AD_OK));
    AD_TRY(ad_comm_broadcast(t->ranks.comm, sizeof wait, &wait));
    if (!wait) {
      return AD_OK;
    }
    const int stop = ad__must_stop(t);
    AD_TRY(stop);
    if (stop) {
      return ad_fail(AD_ESTOPPED, "%s: stopped before its run was begun; the same command does that", t->stop.reason);
    }
    sleep(1);
  }
}

/* A run that goes on has the classifier of its checkpoint, and says nothing of it. */
static int tell_head(const struct ad_training *t) {
  struct ad_buffer text = {0};
  AD_TRY(ad_session_describe_head(t->session.config.model_path, &t->session.params.config, &t->session.report, &text));
  ad_log(AD_LOG_INFO, "%s", text.data);
  ad_buffer_destroy(&text);
  return AD_OK;
}

static int begin_anew(struct ad_training *t, const struct ad__provenance *p) {
  AD_TRY(t->ranks.first && !t->frame.quiet ? tell_head(t) : AD_OK);
  AD_TRY(t->ranks.first ? ad_run_create(&t->run, &t->session.config, p->facts, p->count) : AD_OK);
  return t->ranks.first ? keep_inputs(t) : AD_OK;
}

static int go_on(struct ad_training *t, const struct ad__provenance *p, int finished) {
  const struct ad_trainer_state state = ad_trainer_state(t->trainer);
  const uint64_t done = state.done, total = ad_trainer_total(t->trainer);
  const struct ad_run_mark mark = {.log_bytes = t->state.log_bytes, .step = done, .chain = state.chain};
  t->progress.last =
      (struct ad_step){.step = done, .epoch = done == 0 ? 1 : (done - 1) / t->progress.steps_an_epoch + 1};
  if (done > total) {
    return ad_fail(AD_ECONFIG,
                   "%s: %" PRIu64 " steps are done, these settings have %" PRIu64
                   ": choose another run.dir, or start "
                   "anew with run.overwrite=true",
                   t->session.config.run_dir, done, total);
  }
  if (!t->ranks.first) {
    return AD_OK;
  }
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  AD_TRY(finished ? ad_run_unfinish(&t->run) : AD_OK);
  AD_TRY(ad_run_reopen(&t->run, &t->session.config, &mark));
  AD_TRY(keep_inputs(t));
  AD_TRY(ad_snapshots_cut(t->run.folder, done));
  ad_log(AD_LOG_INFO, "%s: goes on after step %" PRIu64 " of %" PRIu64, t->run.folder, done, total);
  const struct ad_timing_row row = {AD_TIMING_RESUMED, .step = done, .ranks = p->ranks, .host = host};
  return ad_run_time(&t->run, &row);
}

int ad__open_run(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  struct ad__provenance p;
  int loaded = 0;
  AD_TRY(ad_comm_settle(t->ranks.comm, ad__make_provenance(t, &p)));
  /* From here on there is something to give up, or to save. */
  AD_TRY(ad_signals_watch(c->run_signals));
  AD_TRY(enter(t));
  uint64_t found = t->ranks.first && !c->run_overwrite ? ad_run_find(c->run_dir) : AD_FOUND_NONE;
  AD_TRY(ad_comm_broadcast(t->ranks.comm, sizeof found, &found));
  const int finished = found == AD_FOUND_FINISHED;
  if (found != AD_FOUND_NONE) {
    AD_TRY(ad__resume_check(c->resume_allow));
    /* It may have come to its end while this process waited. */
    AD_TRY(ad_comm_settle(t->ranks.comm, t->ranks.first && finished ? check_finished(t) : AD_OK));
    AD_TRY(ad_comm_settle(t->ranks.comm, t->ranks.first ? check_unchanged(t, &p) : AD_OK));
    AD_TRY(ad__load_newest(t, &loaded));
    if (!loaded && finished) {
      return ad_fail(
          AD_ECONFIG,
          "%s: holds a run already, which kept no checkpoint of its end to go on from "
          "(checkpoint.finished=true keeps it): choose another run.dir, or start anew with run.overwrite=true",
          c->run_dir);
    }
    if (!loaded) {
      ad_log(AD_LOG_INFO, "%s: its run was stopped before the first checkpoint, and starts anew", c->run_dir);
    }
  }
  return ad_comm_settle(t->ranks.comm, loaded ? go_on(t, &p, finished) : begin_anew(t, &p));
}
