/* A study run: every team takes cells, seed by seed, until none is left or the time is up.
 *
 * Teams do not know of each other, nor of other jobs: all meet in the table and its leases. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/run/model_name.h"
#include "autodidact/run/session.h"
#include "autodidact/run/signals.h"
#include "autodidact/run/study.h"
#include "autodidact/run/trial.h"
#include "autodidact/store/run.h"

enum action { LEAVE = -1, TRAIN = 0, SCORE = 1 };

/* What a first rank tells its team. */
struct order {
  int64_t cell;
  int32_t action, status; /* status: why the team leaves */
};

struct runner {
  const struct ad_math *math;
  struct ad_study study;
  struct ad_cells cells;
  struct ad_teams *teams;
  double started; /* by ad_clock */
  double begun;   /* seconds since 1970 */
  int first;      /* 1 on the first rank of a team, which alone deals with the table */
  size_t *order;  /* [count] cells, seed by seed */
  double *cost;   /* [count] */
  char *tried;    /* [count] 1: failed in this job; not taken up again */
  int stopped;    /* 1: signal or clock */
  struct ad_lease lease;
  struct ad_heartbeat *heartbeat;
  int alone; /* 1: the rest of the team is stuck; the job can only be ended */
  int lost;  /* 1: somebody else has the cell of the present trial */
  ad_study_teller tell;
  double before_step, at_least; /* the most that a trial of this team needed */
};

/* --- Which cell next. */

static int signal_to_stop(struct runner *r) {
  const int own = ad_signals_seen();
  if (own > 0) {
    ad_teams_tell(r->teams, own);
    return own;
  }
  return ad_teams_told(r->teams);
}

/* Asked between the steps of a trial. */
static int asked(void *context) {
  struct runner *r = context;
  if (ad_heartbeat_lost(r->heartbeat)) {
    r->lost = 1;
    return ad_fail(AD_EIO, "another job has taken the cell over: this one gave no sign of life for too long");
  }
  return signal_to_stop(r);
}

/* Too late for a trial to come to a step and a checkpoint: as the slowest so far, with the margin that trials have. */
static int out_of_time(const struct runner *r) {
  const double limit = (double)r->study.base.run_time_limit;
  return limit > 0.0 && ad_clock() - r->started + 2.0 * (r->before_step + r->at_least) + 0.02 * limit >= limit;
}

/* What failed for other reasons than divergence is tried again, once a job. */
static int is_open(const struct runner *r, size_t cell) {
  const struct ad_cell_record *record = &r->cells.records[cell];
  return !r->tried[cell] &&
         (record->state == AD_CELL_WAITING ||
          (record->state == AD_CELL_FAILED && record->status != AD_EDIVERGED && record->at < r->begun));
}

struct weighted {
  int begun;
  size_t seed; /* number of its combination of seeds: the same in all arms */
  double cost;
  size_t cell;
};

/* What was begun, then all arms of one combination of seeds after the other: a study that is stopped has complete
 * pairs. Within it the longest first. */
static int seed_by_seed(const void *a, const void *b) {
  const struct weighted *x = a, *y = b;
  if (x->begun != y->begun) {
    return y->begun - x->begun;
  }
  if (x->seed != y->seed) {
    return x->seed < y->seed ? -1 : 1;
  }
  return x->cost != y->cost ? (x->cost > y->cost ? -1 : 1) : (x->cell > y->cell) - (x->cell < y->cell);
}

static int sort_cells(struct runner *r) {
  int seconds;
  struct weighted *list = ad_malloc(r->study.count, sizeof *list);
  if (list == NULL) {
    return ad_fail_memory(r->study.count * sizeof *list, "the order of cells");
  }
  const int status = ad_study_estimate(&r->cells, r->cost, &seconds);
  for (size_t i = 0; status == AD_OK && i < r->study.count; i++) {
    const size_t seed = i % (r->study.count / r->study.arm_count);
    list[i] = (struct weighted){r->cells.records[i].begun, seed, r->cost[i], i};
  }
  if (status == AD_OK) {
    qsort(list, r->study.count, sizeof *list, seed_by_seed);
    for (size_t i = 0; i < r->study.count; i++) {
      r->order[i] = list[i].cell;
    }
  }
  ad_free(list);
  return status;
}

/* Gets the lease of the first open cell that nobody else gets. *cell count: there is none. */
static int take_cell(struct runner *r, size_t *cell) {
  const struct ad_study *s = &r->study;
  for (size_t i = 0; i < s->count; i++) {
    const size_t c = r->order[i];
    int taken;
    if (!is_open(r, c)) {
      continue;
    }
    AD_TRY(ad_cells_take(&r->cells, c, &r->lease, &taken));
    if (!taken) {
      AD_TRY(ad_cells_refresh(&r->cells));
      continue;
    }
    AD_TRY(ad_cells_refresh(&r->cells));
    const struct ad_cell_record *now = &r->cells.records[c];
    if (now->state == AD_CELL_DONE || now->status == AD_EDIVERGED || (now->status != AD_OK && now->at >= r->begun)) {
      ad_lease_end(&r->lease, 1); /* somebody did it in between */
      continue;
    }
    *cell = c;
    return ad_heartbeat_start(&r->heartbeat, &r->lease, fmin(s->lease / 4.0, 30.0));
  }
  *cell = s->count;
  return AD_OK;
}

/* Leases of machines that this one cannot look into, each with its last sign of life: whether one has neither given
 * another nor been overdue since. */
struct watched {
  unsigned generation;
  double beat;
};

static int is_undecided(const struct runner *r, const struct watched *watched) {
  for (size_t i = 0; i < r->study.count; i++) {
    const struct ad_cell_record *record = &r->cells.records[i];
    if (record->state == AD_CELL_RUNNING && !record->certain && watched[i].generation == record->lease &&
        watched[i].beat == record->beat) {
      return 1;
    }
  }
  return 0;
}

static int some_open(const struct runner *r) {
  for (size_t i = 0; i < r->study.count; i++) {
    if (is_open(r, i)) {
      return 1;
    }
  }
  return 0;
}

/* Nothing is open. Cells that others hold are theirs once they give a sign of life, and open when they do not for too
 * long: one waits until each is known to be either. */
static int wait_for_others(struct runner *r) {
  struct watched *watched = ad_calloc(r->study.count, sizeof *watched);
  if (watched == NULL) {
    return ad_fail_memory(r->study.count * sizeof *watched, "the leases of others");
  }
  for (size_t i = 0; i < r->study.count; i++) {
    watched[i] = (struct watched){r->cells.records[i].lease, r->cells.records[i].beat};
  }
  int status = AD_OK;
  while (status == AD_OK && !some_open(r) && is_undecided(r, watched) && signal_to_stop(r) == 0 && !out_of_time(r)) {
    sleep(1);
    status = ad_cells_refresh(&r->cells);
  }
  ad_free(watched);
  return status;
}

/* The first rank's choice. */
static int choose(struct runner *r, struct order *order) {
  size_t cell = r->study.count;
  *order = (struct order){.action = LEAVE};
  AD_TRY(ad_cells_refresh(&r->cells));
  for (int waited = 0;; waited = 1) {
    r->stopped = signal_to_stop(r) != 0 || out_of_time(r);
    if (r->stopped) {
      return AD_OK;
    }
    AD_TRY(sort_cells(r));
    AD_TRY(take_cell(r, &cell));
    if (cell < r->study.count || waited) {
      break;
    }
    AD_TRY(wait_for_others(r));
  }
  if (cell == r->study.count) {
    return AD_OK;
  }
  char *run = ad_study_folder(&r->study, &r->study.cells[cell]);
  if (run == NULL) {
    return ad_fail_memory(strlen(r->study.dir) + 32, "a path");
  }
  *order = (struct order){.cell = (int64_t)cell, .action = ad_run_find(run) == AD_FOUND_FINISHED ? SCORE : TRAIN};
  ad_free(run);
  return AD_OK;
}

/* --- What became of it. */

static void say(const struct runner *r, size_t cell, const struct ad_trial_outcome *o) {
  const struct ad_study *s = &r->study;
  size_t done = 0;
  char label[200];
  ad_study_label(s, &s->cells[cell], label, sizeof label);
  for (size_t i = 0; i < s->count; i++) {
    done += r->cells.records[i].state == AD_CELL_DONE || r->cells.records[i].status == AD_EDIVERGED;
  }
  if (o->status == AD_OK) {
    ad_log(AD_LOG_INFO, "%zu of %zu finished: %s: %s.%s %.5g (%.1f s)%s", done, s->count, label,
           ad_study_source_name(s->source), s->score->name, ad_cells_result(&r->cells, cell), o->seconds,
           ad_cells_is_failed_run(&r->cells, cell) ? ", a failed run" : "");
  } else if (o->status == AD_ESTOPPED) {
    ad_log(AD_LOG_INFO, "%s: %s", label, r->cells.records[cell].message);
  } else {
    ad_log(AD_LOG_WARNING, "%s: %s: %s", label, ad_status_text(o->status), r->cells.records[cell].message);
  }
}

static int keep_outcome(struct runner *r, size_t cell, const struct ad_trial_outcome *o) {
  const struct ad_cell_record *before = &r->cells.records[cell];
  char message[1500];
  snprintf(message, sizeof message, "%s", o->status == AD_OK ? "" : ad_error_message());
  /* A run that was found finished, and only scored, made no step here: its result knows how many it has. */
  const uint64_t step = o->has_result ? o->result.steps : o->step;
  const uint64_t steps = o->has_result ? o->result.steps : o->steps > 0 ? o->steps : before->steps;
  struct ad_cell_record record = {.state = o->status == AD_OK         ? AD_CELL_DONE
                                           : o->status == AD_ESTOPPED ? AD_CELL_WAITING
                                                                      : AD_CELL_FAILED,
                                  .status = o->status == AD_ESTOPPED ? AD_OK : o->status,
                                  .step = step,
                                  .steps = steps,
                                  .seconds = before->seconds + o->seconds,
                                  .cost = r->cost[cell],
                                  .ranks = ad_comm_size(ad_teams_own(r->teams)),
                                  .majority = {o->majority[0], o->majority[1]},
                                  .message = o->status == AD_OK ? NULL : message};
  snprintf(record.arithmetic, sizeof record.arithmetic, "%s", ad_arithmetic(r->math));
  const struct ad_line_scores scores = {o->has_result ? &o->result : NULL, o->has_test ? &o->test : NULL};
  AD_TRY(ad_cells_append(&r->cells, cell, &record, &scores));
  AD_TRY(ad_cells_refresh(&r->cells));
  say(r, cell, o);
  return AD_OK;
}

/* First rank: the line, then the lease, never the other way round. */
static int finish_cell(struct runner *r, size_t cell, const struct ad_trial_outcome *o) {
  r->before_step = fmax(r->before_step, o->before_step);
  r->at_least = fmax(r->at_least, o->at_least);
  if (r->lost || ad_heartbeat_lost(r->heartbeat)) {
    ad_log(AD_LOG_WARNING, "%s", ad_error_message());
    r->tried[cell] = 1;
  }
  const int status = r->tried[cell] || o->alone ? AD_OK : keep_outcome(r, cell, o);
  r->tried[cell] |= o->status != AD_OK && o->status != AD_ESTOPPED;
  r->stopped |= o->status == AD_ESTOPPED;
  if (o->signal > 0) {
    ad_teams_tell(r->teams, o->signal); /* it may have come to another rank than this one */
  }
  ad_heartbeat_stop(r->heartbeat);
  r->heartbeat = NULL;
  ad_lease_end(&r->lease, status == AD_OK && (o->status == AD_OK || o->status == AD_EDIVERGED));
  return status;
}

/* --- The team. */

static int work(struct runner *r) {
  for (;;) {
    struct order order = {.action = LEAVE};
    struct ad_trial_outcome outcome;
    if (r->first) {
      const int chosen = choose(r, &order);
      order.status = chosen;
      order.action = chosen == AD_OK ? order.action : LEAVE;
    }
    AD_TRY(ad_teams_share(r->teams, sizeof order, &order));
    if (order.action == LEAVE) {
      return r->first ? order.status : AD_OK;
    }
    r->lost = 0;
    const struct ad_trial trial = {.math = r->math,
                                   .study = &r->study,
                                   .teams = r->teams,
                                   .cell = &r->study.cells[order.cell],
                                   .finished = order.action == SCORE,
                                   .started = r->started,
                                   .asked = asked,
                                   .context = r};
    ad_trial_run(&trial, &outcome);
    const int failed = outcome.status, alone = outcome.alone;
    const int kept = r->first ? finish_cell(r, (size_t)order.cell, &outcome) : AD_OK;
    r->alone = alone;
    if (alone) {
      return failed;
    }
    if (kept != AD_OK) {
      order.status = kept;
    }
    AD_TRY(ad_teams_share(r->teams, sizeof order, &order));
    if (order.status != AD_OK) {
      return r->first ? order.status : AD_OK;
    }
  }
}

/* --- The job. */

static int read_study(struct runner *r, size_t count, char *const *words) {
  AD_TRY(ad_study_read(&r->study, words[0]));
  for (size_t i = 1; i < count; i++) {
    char key[128];
    snprintf(key, sizeof key, "%.*s", (int)strcspn(words[i], "="), words[i]);
    AD_TRY(ad_config_override(&r->study.base, words[i]));
    if (ad_config_identity(key) != AD_IDENTITY_NONE) {
      return ad_fail(AD_ECONFIG,
                     "command line: %s belongs to what the cells are: set it in %s; here only keys are taken that say "
                     "when a run stops or who computes what (run.time_limit, run.signals, checkpoint.*, ...)",
                     key, words[0]);
    }
  }
  return AD_OK;
}

/* The ids of all cells, which only the first rank of all works out. */
static int share_ids(struct runner *r, const struct ad_comm *all) {
  struct ad_study *s = &r->study;
  uint64_t *ids = ad_calloc(s->count, sizeof *ids);
  int status = ids == NULL ? ad_fail_memory(s->count * sizeof *ids, "the ids of cells") : AD_OK;
  if (status == AD_OK && ad_comm_rank(all) == 0) {
    s->find_model = ad_model_name_find;
    status = ad_study_identify(s, ad_session_datasets());
    status = status == AD_OK ? ad_study_check_result(s) : status;
    status = status == AD_OK ? ad_study_commit(s) : status;
    for (size_t i = 0; i < s->count; i++) {
      ids[i] = s->cells[i].id;
    }
  }
  status = ad_comm_settle(all, status);
  status = status == AD_OK ? ad_comm_broadcast(all, s->count * sizeof *ids, ids) : status;
  for (size_t i = 0; status == AD_OK && i < s->count; i++) {
    s->cells[i].id = ids[i];
  }
  ad_free(ids);
  return status;
}

static int prepare(struct runner *r, const struct ad_comm *all, size_t count, char *const *words) {
  AD_TRY(ad_comm_settle(all, read_study(r, count, words)));
  AD_TRY(ad_study_warn_idle(&r->study));
  AD_TRY(ad_signals_check(r->study.base.run_signals));
  AD_TRY(share_ids(r, all));
  AD_TRY(ad_signals_watch(r->study.base.run_signals));
  AD_TRY(ad_teams_create(&r->teams, (uint32_t)r->study.ranks_per_trial));
  const struct ad_comm *own = ad_teams_own(r->teams);
  r->first = own != NULL && ad_comm_rank(own) == 0;
  const uint32_t spare = ad_comm_size(all) - ad_teams_count(r->teams) * (uint32_t)r->study.ranks_per_trial;
  ad_log(AD_LOG_INFO, "%s: %zu cell%s, %u training%s side by side on %" PRIu64 " rank%s each%s", r->study.name,
         r->study.count, r->study.count == 1 ? "" : "s", ad_teams_count(r->teams),
         ad_teams_count(r->teams) == 1 ? "" : "s", r->study.ranks_per_trial, r->study.ranks_per_trial == 1 ? "" : "s",
         spare > 0 ? "; the ranks that are left have nothing to do" : "");
  int status = AD_OK;
  if (r->first) {
    ad_log_mute(0);
    r->order = ad_calloc(r->study.count, sizeof *r->order);
    r->cost = ad_calloc(r->study.count, sizeof *r->cost);
    r->tried = ad_calloc(r->study.count, 1);
    status = r->order == NULL || r->cost == NULL || r->tried == NULL
                 ? ad_fail_memory(r->study.count * 17, "the order of cells")
                 : ad_cells_open(&r->cells, &r->study);
  }
  return ad_comm_settle(all, status);
}

/* How the job ends, by the table: on the first rank of all. */
static int conclude(struct runner *r, int stopped) {
  const struct ad_study *s = &r->study;
  size_t of[AD_CELL_STATES] = {0}, diverged = 0, worst = s->count;
  AD_TRY(ad_cells_refresh(&r->cells));
  AD_TRY(ad_cells_tidy(&r->cells));
  for (size_t i = 0; i < s->count; i++) {
    const struct ad_cell_record *record = &r->cells.records[i];
    const int by_itself = record->state == AD_CELL_FAILED && ad_cells_is_finished(record);
    of[record->state]++;
    diverged += (size_t)by_itself;
    worst = record->state == AD_CELL_FAILED && !by_itself && worst == s->count ? i : worst;
  }
  const size_t finished = of[AD_CELL_DONE] + diverged;
  AD_TRY(r->tell(&r->cells));
  if (stopped && finished < s->count) {
    return ad_fail(AD_ESTOPPED, "stopped with %zu of %zu cells finished; the same command goes on", finished, s->count);
  }
  if (worst < s->count) {
    char label[200];
    return ad_fail(r->cells.records[worst].status, "%zu cell%s failed, the first: %s: %s",
                   of[AD_CELL_FAILED] - diverged, of[AD_CELL_FAILED] - diverged == 1 ? "" : "s",
                   ad_study_label(s, &s->cells[worst], label, sizeof label),
                   r->cells.records[worst].message == NULL ? "?" : r->cells.records[worst].message);
  }
  if (of[AD_CELL_RUNNING] + of[AD_CELL_WAITING] > 0) {
    ad_log(AD_LOG_INFO, "what is left of the cells, %zu, is other jobs' business",
           of[AD_CELL_RUNNING] + of[AD_CELL_WAITING]);
  }
  return AD_OK;
}

static int run(struct runner *r, struct ad_comm **all, size_t count, char *const *words) {
  AD_TRY(ad_comm_create(all, 1));
  AD_TRY(prepare(r, *all, count, words));
  char message[2000];
  int status = ad_teams_own(r->teams) == NULL ? AD_OK : work(r);
  if (r->alone) {
    return status; /* main finds that nobody comes, and ends the job */
  }
  snprintf(message, sizeof message, "%s", ad_error_message());
  ad_teams_meet(r->teams);
  const int stopped = ad_comm_largest(*all, (uint64_t)(r->first && r->stopped)) != 0;
  /* A team that could not use the table any more ends here; the others' cells were not touched by that. */
  AD_TRY(ad_comm_settle(*all, status == AD_OK ? AD_OK : ad_fail(status, "%s", message)));
  return ad_comm_settle(*all, ad_comm_rank(*all) == 0 ? conclude(r, stopped) : AD_OK);
}

int ad_study_run(const struct ad_math *math, size_t count, char *const *words, ad_study_teller tell) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  struct runner runner = {
      .math = math,
      .started = ad_clock(),
      .begun = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec, /* as exact as the times of records */
      .lease = {.fd = -1},
      .tell = tell};
  struct ad_comm *all = NULL;
  const int status = run(&runner, &all, count, words);
  if (!runner.alone) {
    ad_teams_destroy(runner.teams);
    ad_comm_destroy(all);
  }
  ad_cells_close(&runner.cells);
  ad_free(runner.order);
  ad_free(runner.cost);
  ad_free(runner.tried);
  ad_study_destroy(&runner.study);
  return status;
}
