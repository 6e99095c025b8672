/* Checkpoints of a training: when, what, and back again. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
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
  return is_best(c, vector) ? c->training->best + flat
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
  return ad__training_fault_in_save(((const struct contents *)context)->training);
}

static void list_contents(struct ad_training *t, struct contents *c) {
  const int best = t->session.config.run_select == 1;
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

size_t ad__training_checkpoint_bytes(struct ad_training *t) {
  struct contents contents;
  list_contents(t, &contents);
  for (size_t v = 0; v < contents.vectors.count; v++) {
    contents.list[v].filled = contents.list[v].slots;
  }
  return ad_checkpoint_bytes(&t->session.params, contents.list, contents.vectors.count);
}

/* --- The numbers, as JSON. 64-bit ones are texts of hexadecimal digits, NaN and infinity null. */

static json_t *real_or_null(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static double null_or_real(const json_t *value, double otherwise) {
  return json_is_number(value) ? json_number_value(value) : otherwise;
}

static json_t *pack_rows(const struct ad_training *t) {
  json_t *list = json_array();
  for (size_t i = 0; i < t->row_count; i++) {
    const struct row *row = (const struct row *)t->rows + i;
    json_t *errors = json_array();
    for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
      json_array_append_new(errors, real_or_null(row->error[v]));
    }
    json_array_append_new(list, json_pack("{s:I, s:f, s:o, s:o}", "step", (json_int_t)row->step, "epoch", row->epoch,
                                          "error", errors, "loss", real_or_null(row->loss)));
  }
  return list;
}

static json_t *pack_scores(const struct ad_training *t) {
  json_t *list = json_array();
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    json_array_append_new(list, json_string(t->last_scores[v]));
  }
  return list;
}

/* *text is the caller's (ad_free). */
static int pack_state(const struct ad_training *t, char **text) {
  const struct ad_trainer_state s = ad_trainer_state(t->trainer);
  char chain[17];
  json_t *state = json_pack("{s:{s:I, s:s, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:o, s:s, s:o, s:f, s:I, s:o, s:o}}",
                            "trainer", "done", (json_int_t)s.done, "chain", ad_digest_text(s.chain, chain), "entered",
                            (json_int_t)s.teacher.entered, "newest", (json_int_t)s.teacher.newest, "window",
                            (json_int_t)s.teacher.window_count, "run", (json_int_t)s.teacher.run_count, "run",
                            "log_bytes", (json_int_t)t->log_bytes, "evaluated", (json_int_t)t->evaluated, "best_step",
                            (json_int_t)t->best_step, "best_error", real_or_null(t->best_error), "best_scores",
                            t->best_scores, "dev_error", real_or_null(t->dev_error), "seconds", t->seconds, "examples",
                            (json_int_t)t->examples, "rows", pack_rows(t), "last_scores", pack_scores(t));
  char *dumped = state == NULL ? NULL : json_dumps(state, JSON_COMPACT);
  *text = dumped == NULL ? NULL : ad_strdup(dumped);
  free(dumped);
  json_decref(state);
  return *text == NULL ? ad_fail_memory(1024, "the state of a checkpoint") : AD_OK;
}

static int unpack_rows(struct ad_training *t, const json_t *list) {
  t->row_count = 0;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i), *errors = json_object_get(item, "error");
    struct row row = {.step = (uint64_t)json_integer_value(json_object_get(item, "step")),
                      .epoch = json_number_value(json_object_get(item, "epoch")),
                      .loss = null_or_real(json_object_get(item, "loss"), NAN)};
    for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
      row.error[v] = null_or_real(json_array_get(errors, v), NAN);
    }
    AD_TRY(ad_reserve(&t->rows, &t->row_capacity, t->row_count + 1, sizeof row));
    ((struct row *)t->rows)[t->row_count++] = row;
  }
  return AD_OK;
}

static int unpack_state(struct ad_training *t, const char *path, const char *text, struct ad_trainer_state *s) {
  json_int_t done, entered, newest, window, run, log_bytes, evaluated, best_step, examples;
  const char *chain, *best_scores;
  json_t *best_error, *dev_error, *rows, *last_scores;
  json_t *state;
  int status = ad_json_parse(&state, path, 1, text, strlen(text));
  AD_TRY(status);
  if (json_unpack(state, "{s:{s:I, s:s, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:o, s:s, s:o, s:F, s:I, s:o, s:o}}",
                  "trainer", "done", &done, "chain", &chain, "entered", &entered, "newest", &newest, "window", &window,
                  "run", &run, "run", "log_bytes", &log_bytes, "evaluated", &evaluated, "best_step", &best_step,
                  "best_error", &best_error, "best_scores", &best_scores, "dev_error", &dev_error, "seconds",
                  &t->seconds, "examples", &examples, "rows", &rows, "last_scores", &last_scores) != 0 ||
      (done | entered | newest | window | run | log_bytes | evaluated | best_step | examples) < 0) {
    status = ad_fail(AD_EINPUT, "%s: its state is not one of a training", path);
  } else {
    *s = (struct ad_trainer_state){.done = (uint64_t)done,
                                   .chain = strtoull(chain, NULL, 16),
                                   .teacher = {(uint64_t)entered, (uint64_t)newest, (uint64_t)window, (uint64_t)run}};
    t->log_bytes = (uint64_t)log_bytes;
    t->evaluated = (uint64_t)evaluated;
    t->best_step = (uint64_t)best_step;
    t->best_error = null_or_real(best_error, INFINITY);
    t->dev_error = null_or_real(dev_error, NAN);
    t->examples = (size_t)examples;
    snprintf(t->best_scores, sizeof t->best_scores, "%s", best_scores);
    for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
      const char *scores = json_string_value(json_array_get(last_scores, v));
      snprintf(t->last_scores[v], sizeof t->last_scores[v], "%s", scores == NULL ? "" : scores);
    }
    status = unpack_rows(t, rows);
  }
  json_decref(state);
  return status;
}

/* Rank 0's text on every rank: the file's attributes are written by all. */
static int share_text(const struct ad_training *t, char **text) {
  uint64_t size = t->first && *text != NULL ? strlen(*text) + 1 : 0;
  AD_TRY(ad_comm_broadcast(t->comm, sizeof size, &size));
  if (!t->first) {
    *text = ad_malloc(size, 1);
  }
  AD_TRY(ad_comm_settle(t->comm, *text == NULL ? ad_fail_memory(size, "the state of a checkpoint") : AD_OK));
  return ad_comm_broadcast(t->comm, size, *text);
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
    if (steps[i] <= t->saved && kept < t->session.config.checkpoint_keep) {
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
  int status = t->first ? record(t) : AD_OK;
  status = t->first && status == AD_OK ? ad_run_log_size(&t->run, &unused) : status;
  status = t->first && status == AD_OK ? pack_state(t, &text) : status;
  status = ad_comm_settle(t->comm, status);
  status = status == AD_OK ? share_text(t, &text) : status;
  if (status == AD_OK) {
    status = ad_mpi_checkpoint_save(t->comm, run, ad_trainer_done(t->trainer), text, &contents.vectors,
                                    (enum ad_writer)t->session.config.store_writer);
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
  AD_TRY(SUMS_CHECKED ? ad_comm_settle(t->comm, ad_trainer_verify(t->trainer)) : AD_OK);
  /* First, so that a checkpoint never knows a snapshot that is not on disk. */
  AD_TRY(ad_comm_settle(t->comm, ad__training_flush_snapshots(t)));
  int status = save_once(t);
  for (int said = 0; status == AD_EIO && t->session.config.checkpoint_full == 1; status = save_once(t)) {
    if (!said++) {
      ad_log(AD_LOG_WARNING, "%s; checkpoint.full=wait: tries again every %d seconds", ad_error_message(), PAUSE);
    }
    const int stop = ad__training_must_stop(t);
    if (stop != 0) {
      return stop < 0 ? stop : status;
    }
    sleep(PAUSE);
  }
  AD_TRY(status);
  AD_TRY(ad_comm_settle(t->comm, ad__training_fault_after_save(t, ad_trainer_done(t->trainer))));
  t->saved = ad_trainer_done(t->trainer);
  t->saved_evaluated = t->evaluated;
  t->has_saved = 1;
  t->last_save = ad_clock();
  t->slowest_save = fmax(t->slowest_save, t->last_save - start);
  if (t->first) {
    ad__training_hold(t, ad_run_timing(&t->run, "{\"checkpoint\":%" PRIu64 ",\"seconds\":%.6f}", t->saved,
                                   t->last_save - start));
    ad__training_hold(t, prune(t));
  }
  return AD_OK;
}

/* Whether a checkpoint is due by the steps, alike on all ranks. */
static int due_by_steps(const struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  const uint64_t done = ad_trainer_done(t->trainer);
  const int by_steps = c->checkpoint_every > 0 && done % c->checkpoint_every == 0;
  return done > 0 && (by_steps || (c->checkpoint_epoch && done % t->steps_an_epoch == 0));
}

int ad__training_step_edge(struct ad_training *t) {
  const struct ad_config *c = &t->session.config;
  const uint64_t done = ad_trainer_done(t->trainer);
  const int stop = ad__training_must_stop(t);
  AD_TRY(stop);
  const int clock = c->checkpoint_minutes > 0.0 && ad_clock() - t->last_save > 60.0 * c->checkpoint_minutes;
  const int saved = t->has_saved && t->saved == done && t->saved_evaluated == t->evaluated;
  if (!saved && (stop || due_by_steps(t) || ad_comm_largest(t->comm, t->first && clock) != 0)) {
    AD_TRY(ad_training_save(t));
  }
  return stop ? ad_fail(AD_ESTOPPED,
                        "%s: stopped at step %" PRIu64 " of %" PRIu64
                        " with a checkpoint; the same command goes on from there",
                        t->stop_reason, done, ad_trainer_total(t->trainer))
              : AD_OK;
}

int ad__training_clear_checkpoints(struct ad_training *t) {
  return t->first && !t->session.config.checkpoint_finished ? ad_run_drop_checkpoints(&t->run) : AD_OK;
}

int ad__training_load_step(struct ad_training *t, uint64_t step) {
  struct contents contents;
  struct ad_trainer_state s;
  const char *run = t->session.config.run_dir;
  char *path = ad_checkpoint_path(run, step), *state = NULL;
  list_contents(t, &contents);
  int status = ad_comm_settle(t->comm, path == NULL ? ad_fail_memory(strlen(run) + 32, "a path") : AD_OK);
  if (status == AD_OK) {
    status = ad_mpi_checkpoint_load(t->comm, path, &contents.vectors, &state);
  }
  if (status == AD_OK) {
    status = ad_comm_settle(t->comm, unpack_state(t, path, state, &s));
  }
  if (status == AD_OK && s.done != step) {
    status = ad_fail(AD_EINPUT, "%s: it was written after step %" PRIu64 ", its name says %" PRIu64, path, s.done, step);
  }
  if (status == AD_OK) {
    status = ad_trainer_restore(t->trainer, &s);
  }
  if (status == AD_OK) {
    status = ad_comm_settle(t->comm, ad_trainer_verify(t->trainer));
  }
  ad_free(state);
  ad_free(path);
  return status;
}

int ad__training_compare_checkpoint(struct ad_training *t, uint64_t step) {
  struct contents contents;
  char *path = ad_checkpoint_path(t->session.config.run_dir, step);
  list_contents(t, &contents);
  int status = ad_comm_settle(t->comm, path == NULL ? ad_fail_memory(64, "a path") : AD_OK);
  status = status == AD_OK ? ad_mpi_checkpoint_compare(t->comm, path, &contents.vectors) : status;
  ad_free(path);
  return status;
}

int ad__training_load(struct ad_training *t, int *loaded) {
  uint64_t *steps = NULL, count = 0;
  int status = AD_OK;
  *loaded = 0;
  if (t->first) {
    size_t found;
    status = ad_checkpoint_list(t->session.config.run_dir, &steps, &found);
    count = status == AD_OK ? found : 0;
  }
  status = ad_comm_settle(t->comm, status);
  status = status == AD_OK ? ad_comm_broadcast(t->comm, sizeof count, &count) : status;
  for (uint64_t i = 0; status == AD_OK && i < count && !*loaded; i++) {
    uint64_t step = t->first ? steps[i] : 0;
    status = ad_comm_broadcast(t->comm, sizeof step, &step);
    const int tried = status == AD_OK ? ad__training_load_step(t, step) : status;
    if (tried == AD_OK) {
      *loaded = 1;
      t->has_saved = 1;
      t->saved = step;
      t->saved_evaluated = t->evaluated;
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
