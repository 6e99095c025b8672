/* Checkpoints of a training: when, what, and back again. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/mpi/checkpoint.h"
#include "training_internal.h"

/* The trainer's vectors, and behind them the best parameters so far, which are rank 0's. */
struct contents {
  struct ad_training *training;
  struct ad_state_vector list[AD_STATE_VECTORS];
  struct ad_checkpoint_vectors vectors;
};

static int is_best(const struct contents *c, size_t vector) {
  return c->vectors.last_is_whole && vector + 1 == c->vectors.count;
}

static void *place(void *context, size_t vector, size_t slot, uint32_t bucket, size_t flat) {
  const struct contents *c = context;
  return is_best(c, vector) ? c->training->vectors.best + flat
                            : ad_trainer_place(c->training->trainer, vector, slot, bucket, flat);
}

static int read_piece(void *context, size_t vector, size_t slot, uint32_t bucket, size_t flat, size_t count,
                      void *values) {
  return ad_trainer_read(((const struct contents *)context)->training->trainer, vector, slot, bucket, flat, count,
                         values);
}

static int write_piece(void *context, size_t vector, size_t slot, uint32_t bucket, size_t flat, size_t count,
                       const void *values) {
  return ad_trainer_write(((const struct contents *)context)->training->trainer, vector, slot, bucket, flat, count,
                          values);
}

static int midway(void *context) {
  return ad__fault_in_save(((const struct contents *)context)->training);
}

static void list_contents(struct ad_training *t, struct contents *c) {
  const int best = t->session.config.run_select == AD_SELECT_BEST;
  size_t count = ad_trainer_vectors(t->trainer, c->list);
  if (best) {
    c->list[count++] = (struct ad_state_vector){"best", sizeof(float), 1, 1};
  }
  c->training = t;
  c->vectors = (struct ad_checkpoint_vectors){.params = &t->session.params,
                                              .list = c->list,
                                              .count = count,
                                              .last_is_whole = best,
                                              .context = c,
                                              .midway = midway,
                                              .place = place,
                                              .read = read_piece,
                                              .write = write_piece,
                                              .all = !t->session.config.optim_shard};
}

size_t ad__checkpoint_bytes(struct ad_training *t) {
  struct contents contents;
  list_contents(t, &contents);
  for (size_t v = 0; v < contents.vectors.count; v++) {
    contents.list[v].filled = contents.list[v].slots;
  }
  return ad_checkpoint_bytes(&t->session.params, contents.list, contents.vectors.count);
}

/* Rank 0's text on every rank: the file's attributes are written by all. */
static int share_text(const struct ad_training *t, char **text) {
  uint64_t size = t->ranks.first && *text != NULL ? strlen(*text) + 1 : 0;
  AD_TRY(ad_comm_broadcast(t->ranks.comm, sizeof size, &size));
  if (!t->ranks.first) {
    *text = ad_malloc(size, 1);
  }
  AD_TRY(ad_comm_settle(t->ranks.comm, *text == NULL ? ad_fail_memory(size, "the state of a checkpoint") : AD_OK));
  return ad_comm_broadcast(t->ranks.comm, size, *text);
}

/* Removes the checkpoint of a step, if it is the run's. */
static int drop(const struct ad_training *t, uint64_t step) {
  char *name = ad_checkpoint_path("", step), *path = ad_checkpoint_path(t->run.folder, step);
  const int status = name == NULL || path == NULL ? ad_fail_memory(strlen(t->run.folder) + 32, "a path") : AD_OK;
  if (status == AD_OK && ad_ledger_find(&t->run.ledger, name) != NULL && unlink(path) != 0 && errno != ENOENT) {
    ad_log(AD_LOG_WARNING, "%s: could not be removed, and stays: %s", path, strerror(errno));
  }
  ad_free(path);
  ad_free(name);
  return status;
}

/* Rank 0: the newest checkpoints stay. Any of a later step than this one was found damaged when the run went on: it
 * must not take the place of a good one. */
static int prune(const struct ad_training *t) {
  uint64_t *steps;
  size_t count;
  AD_TRY(ad_checkpoint_list(t->run.folder, &steps, &count));
  int status = AD_OK;
  size_t kept = 0;
  for (size_t i = 0; status == AD_OK && i < count; i++) {
    if (steps[i] <= t->saved.step && kept < t->session.config.checkpoint_keep) {
      kept++;
      continue;
    }
    status = drop(t, steps[i]);
  }
  ad_free(steps);
  return status;
}

/* Rank 0: the checkpoint that is to come is one of the run's files. */
static int record(struct ad_training *t) {
  char *name = ad_checkpoint_path("", ad_trainer_done(t->trainer));
  const int status = name == NULL ? ad_fail_memory(64, "a path") : ad_run_record(&t->run, name);
  ad_free(name);
  return status;
}

static int save_once(struct ad_training *t) {
  struct contents contents;
  const char *run = t->session.config.run_dir;
  char *text = NULL;
  list_contents(t, &contents);
  uint64_t unused;
  /* The log first: a checkpoint must never know rows that a crash of the machine could lose. */
  int status = t->ranks.first ? record(t) : AD_OK;
  status = t->ranks.first && status == AD_OK ? ad_run_log_size(&t->run, &unused) : status;
  t->state.trainer = ad_trainer_state(t->trainer);
  status = t->ranks.first && status == AD_OK ? ad_run_state_print(&t->state, &text) : status;
  status = ad_comm_settle(t->ranks.comm, status);
  status = status == AD_OK ? share_text(t, &text) : status;
  if (status == AD_OK) {
    status = ad_mpi_checkpoint_save(t->ranks.comm, run, ad_trainer_done(t->trainer), text, &contents.vectors,
                                    t->session.config.store_writer);
  }
  ad_free(text);
  return status;
}

/* Debug builds compare the window's sums with its ring before each save. */
#ifdef NDEBUG
enum { SUMS_CHECKED = 0 };
#else
enum { SUMS_CHECKED = 1 };
#endif

int ad_training_save(struct ad_training *t) {
  enum { PAUSE = 10 };
  const double start = ad_clock();
  AD_TRY(SUMS_CHECKED ? ad_comm_settle(t->ranks.comm, ad_trainer_verify(t->trainer)) : AD_OK);
  /* First, so that a checkpoint never knows a snapshot that is not on disk. */
  AD_TRY(ad_comm_settle(t->ranks.comm, ad__flush_snapshots(t)));
  int status = save_once(t);
  for (int said = 0; status == AD_EIO && t->session.config.checkpoint_full == AD_FULL_WAIT; status = save_once(t)) {
    if (!said++) {
      ad_log(AD_LOG_WARNING, "%s; checkpoint.full=wait: tries again every %d seconds", ad_error_message(), PAUSE);
    }
    const int stop = ad__must_stop(t);
    if (stop != 0) {
      return stop < 0 ? stop : status;
    }
    sleep(PAUSE);
  }
  AD_TRY(status);
  AD_TRY(ad_comm_settle(t->ranks.comm, ad__fault_after_save(t, ad_trainer_done(t->trainer))));
  t->saved.step = ad_trainer_done(t->trainer);
  t->saved.evaluated = t->state.evaluated;
  t->saved.any = 1;
  t->saved.at = ad_clock();
  t->stop.pace.save = fmax(t->stop.pace.save, t->saved.at - start);
  if (t->ranks.first) {
    const struct ad_timing_row row = {AD_TIMING_CHECKPOINT, .step = t->saved.step, .seconds = t->saved.at - start};
    ad__hold(&t->stop, ad_run_time(&t->run, &row));
    ad__hold(&t->stop, prune(t));
  }
  return AD_OK;
}

int ad__step_edge(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  const uint64_t done = ad_trainer_done(t->trainer);
  const int stop = ad__must_stop(t);
  AD_TRY(stop);
  const int due = ad__checkpoint_due(done, c->checkpoint_every, c->checkpoint_epoch, t->progress.steps_an_epoch);
  const int clock = c->checkpoint_minutes > 0.0 && ad_clock() - t->saved.at > 60.0 * c->checkpoint_minutes;
  const int saved = t->saved.any && t->saved.step == done && t->saved.evaluated == t->state.evaluated;
  if (!saved && (stop || due || ad_comm_largest(t->ranks.comm, t->ranks.first && clock) != 0)) {
    AD_TRY(ad_training_save(t));
  }
  return stop ? ad_fail(AD_ESTOPPED,
                        "%s: stopped at step %" PRIu64 " of %" PRIu64
                        " with a checkpoint; the same command goes on from there",
                        t->stop.reason, done, ad_trainer_total(t->trainer))
              : AD_OK;
}

int ad__clear_checkpoints(struct ad_training *t) {
  return t->ranks.first && !t->session.config.checkpoint_finished ? ad_run_drop_checkpoints(&t->run) : AD_OK;
}

int ad__load_step(struct ad_training *t, uint64_t step) {
  struct contents contents;
  const char *run = t->session.config.run_dir;
  char *path = ad_checkpoint_path(run, step), *text = NULL;
  list_contents(t, &contents);
  int status = ad_comm_settle(t->ranks.comm, path == NULL ? ad_fail_memory(strlen(run) + 32, "a path") : AD_OK);
  if (status == AD_OK) {
    status = ad_mpi_checkpoint_load(t->ranks.comm, path, &contents.vectors, &text);
  }
  if (status == AD_OK) {
    ad_run_state_destroy(&t->state);
    status = ad_comm_settle(t->ranks.comm, ad_run_state_read(&t->state, path, text));
  }
  if (status == AD_OK && t->state.trainer.done != step) {
    status = ad_fail(AD_EINPUT, "%s: it was written after step %" PRIu64 ", its name says %" PRIu64, path,
                     t->state.trainer.done, step);
  }
  if (status == AD_OK) {
    status = ad_trainer_restore(t->trainer, &t->state.trainer);
  }
  if (status == AD_OK) {
    status = ad_comm_settle(t->ranks.comm, ad_trainer_verify(t->trainer));
  }
  ad_free(text);
  ad_free(path);
  return status;
}

int ad__compare_checkpoint(struct ad_training *t, uint64_t step) {
  struct contents contents;
  char *path = ad_checkpoint_path(t->session.config.run_dir, step);
  list_contents(t, &contents);
  int status = ad_comm_settle(t->ranks.comm, path == NULL ? ad_fail_memory(64, "a path") : AD_OK);
  status = status == AD_OK ? ad_mpi_checkpoint_compare(t->ranks.comm, path, &contents.vectors) : status;
  ad_free(path);
  return status;
}

int ad__load_newest(struct ad_training *t, int *loaded) {
  uint64_t *steps = NULL, count = 0;
  int status = AD_OK;
  *loaded = 0;
  if (t->ranks.first) {
    size_t found;
    status = ad_checkpoint_list(t->session.config.run_dir, &steps, &found);
    count = status == AD_OK ? found : 0;
  }
  status = ad_comm_settle(t->ranks.comm, status);
  status = status == AD_OK ? ad_comm_broadcast(t->ranks.comm, sizeof count, &count) : status;
  for (uint64_t i = 0; status == AD_OK && i < count && !*loaded; i++) {
    uint64_t step = t->ranks.first ? steps[i] : 0;
    status = ad_comm_broadcast(t->ranks.comm, sizeof step, &step);
    const int tried = status == AD_OK ? ad__load_step(t, step) : status;
    if (tried == AD_OK) {
      *loaded = 1;
      t->saved.any = 1;
      t->saved.step = step;
      t->saved.evaluated = t->state.evaluated;
    } else if (tried == AD_EINPUT && i + 1 < count) {
      ad_log(AD_LOG_WARNING, "%s; the checkpoint before it is tried", ad_error_message());
    } else {
      status = tried == AD_EINPUT
                   ? ad_fail_prefix(tried, "%s: no checkpoint is good, the run cannot go on", t->session.config.run_dir)
                   : tried;
    }
  }
  ad_free(steps);
  return status;
}
