/* A run's log as TensorBoard's events. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/teacher.h"
#include "autodidact/store/events.h"
#include "autodidact/store/progress.h"
#include "autodidact/store/run.h"
#include "autodidact/store/run_files.h"
#include "autodidact/store/run_log.h"

#define EVENTS_FILE "events.out.tfevents.0.autodidact"

struct events {
  struct ad_config config;
  struct ad_run_log log;
  struct ad_timings timings;
  size_t timed;      /* rows of timings that were passed */
  double wall_time;  /* of the step that is written, seconds since 1970 */
  size_t evaluation; /* the next one of the log */
  struct ad_buffer out;
};

/* When the run began, by provenance.json; 0: not known. */
static double began(const char *run) {
  char *path = ad_path_join(run, AD_RUN_FILE_PROVENANCE);
  json_t *facts = NULL;
  struct tm parts = {0};
  double seconds = 0.0;
  if (path != NULL && ad_is_file(path) && ad_json_read(&facts, path) == AD_OK) {
    const char *text = json_string_value(json_object_get(facts, "started"));
    seconds = text != NULL && strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts) != NULL ? (double)timegm(&parts) : 0.0;
  }
  ad_error_clear();
  json_decref(facts);
  ad_free(path);
  return seconds;
}

/* Adds the seconds of what was done up to a step. Steps that were done again count again, as they took their time. */
static void pass_time(struct events *e, uint64_t step) {
  size_t end = e->timed;
  while (end < e->timings.count && !(e->timings.rows[end].kind == AD_TIMING_STEP && e->timings.rows[end].step > step)) {
    end++;
  }
  for (; e->timed < end; e->timed++) {
    const double seconds = e->timings.rows[e->timed].seconds;
    e->wall_time += isfinite(seconds) ? seconds : 0.0;
  }
}

static int add_evaluation(struct events *e, const struct ad_evaluation_row *row) {
  struct ad_event_value values[AD_MOST_SCORES];
  char tags[AD_MOST_SCORES][80];
  const struct ad_task *task = row->scores.task;
  const int result = row->model == e->config.run_result;
  for (size_t i = 0; i < task->score_count; i++) {
    snprintf(tags[i], sizeof tags[i], "dev%s%s/%s", result ? "" : "-", result ? "" : ad_variant_name(row->model),
             task->scores[i].name);
    values[i] = (struct ad_event_value){tags[i], row->scores.value[i]};
  }
  return ad_events_add(&e->out, e->wall_time, row->step, task->score_count, values);
}

/* The evaluations of steps up to this one. */
static int add_evaluations(struct events *e, uint64_t step) {
  while (e->evaluation < e->log.evaluation_count && e->log.evaluations[e->evaluation].step <= step) {
    AD_TRY(add_evaluation(e, &e->log.evaluations[e->evaluation++]));
  }
  return AD_OK;
}

static int add_step(struct events *e, const struct ad_step_row *row) {
  const struct ad_event_value values[] = {{"train/loss", row->loss},
                                          {"train/gradient_norm", row->norm},
                                          {"train/learning_rate", row->factor * e->config.optim_lr},
                                          {"train/teacher_distance", row->distance}};
  pass_time(e, row->step);
  AD_TRY(ad_events_add(&e->out, e->wall_time, row->step, sizeof values / sizeof *values, values));
  return add_evaluations(e, row->step);
}

static int read_run(struct events *e, const char *run) {
  char *log = ad_path_join(run, AD_RUN_FILE_LOG), *timing = ad_path_join(run, AD_RUN_FILE_TIMING);
  int status = log == NULL || timing == NULL ? ad_fail_memory(strlen(run) + 32, "a path") : AD_OK;
  status = status == AD_OK ? ad_run_config(run, &e->config) : status;
  status = status == AD_OK ? ad_run_log_read_sound(&e->log, log) : status;
  if (status == AD_OK && ad_is_file(timing)) {
    status = ad_timings_read(&e->timings, timing);
  }
  ad_free(log);
  ad_free(timing);
  return status;
}

static int write_events(struct events *e, const char *run, const char *folder) {
  AD_TRY(ad_run_check_outside(folder, run));
  AD_TRY(read_run(e, run));
  e->wall_time = began(run);
  AD_TRY(ad_events_begin(&e->out, e->wall_time));
  for (size_t i = 0; i < e->log.step_count; i++) {
    AD_TRY(add_step(e, &e->log.steps[i].row));
  }
  AD_TRY(add_evaluations(e, UINT64_MAX));
  AD_TRY(ad_make_folders(folder));
  char *path = ad_path_join(folder, EVENTS_FILE);
  const int status =
      path == NULL ? ad_fail_memory(strlen(folder) + 64, "a path") : ad_file_write(path, e->out.data, e->out.size);
  ad_free(path);
  return status;
}

int ad_events_export(const char *run, const char *folder, size_t *steps, size_t *evaluations, size_t *damaged) {
  struct events e = {0};
  AD_TRY(ad_config_create(&e.config));
  const int status = write_events(&e, run, folder);
  *steps = e.log.step_count;
  *evaluations = e.log.evaluation_count;
  *damaged = e.log.damaged;
  ad_config_destroy(&e.config);
  ad_run_log_destroy(&e.log);
  ad_timings_destroy(&e.timings);
  ad_buffer_destroy(&e.out);
  return status;
}
