/* Reads what runs logged. */
#include <math.h>
#include <sys/stat.h>

#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run_files.h"
#include "logs.h"

/* Every evaluation's step of one run, the last of them among those that are chosen. */
static int choose_evaluations(struct arm_log *arm, const struct ad_run_log *log) {
  double *all = ad_malloc(log->evaluation_count + 1, sizeof *all);
  size_t count = 0;
  if (all == NULL) {
    return ad_fail_memory(log->evaluation_count * sizeof *all, "evaluations");
  }
  for (size_t i = 0; i < log->evaluation_count; i++) {
    const double step = (double)log->evaluations[i].step;
    if (log->evaluations[i].model == arm->variant && (count == 0 || step > all[count - 1])) {
      all[count++] = step;
    }
  }
  const size_t take = count < EVALUATIONS ? count : EVALUATIONS;
  for (size_t i = 0; i < take; i++) {
    arm->at[i] = all[(i + 1) * count / take - 1];
  }
  arm->evaluations = take;
  ad_free(all);
  return AD_OK;
}

static void take_evaluations(struct arm_log *arm, size_t run, const struct ad_run_log *log,
                             const struct ad_score *score) {
  for (size_t e = 0; e < log->evaluation_count; e++) {
    const struct ad_evaluation_row *row = &log->evaluations[e];
    for (size_t i = 0; row->model == arm->variant && i < arm->evaluations; i++) {
      if (arm->at[i] == (double)row->step) {
        arm->score[run * EVALUATIONS + i] = ad_scores_get(&row->scores, score->name);
      }
    }
  }
}

static void take_steps(const struct logs *l, struct arm_log *arm, size_t run, const struct ad_run_log *log) {
  struct log_window windows[GRID];
  for (size_t q = 0; q < STUDY_QUANTITIES; q++) {
    ad__log_windows(log, l->window, q, windows);
    for (size_t i = 0; i < GRID; i++) {
      arm->value[q][run * GRID + i] = windows[i].mean;
    }
  }
}

static int take_run(struct logs *l, struct arm_log *arm, size_t point, const struct ad_run_log *log) {
  AD_TRY(arm->runs == 0 ? choose_evaluations(arm, log) : AD_OK);
  for (size_t i = 0; i < EVALUATIONS; i++) {
    arm->score[arm->runs * EVALUATIONS + i] = NAN;
  }
  take_evaluations(arm, arm->runs, log, l->r->study->score);
  take_steps(l, arm, arm->runs, log);
  arm->points[arm->runs++] = point;
  return AD_OK;
}

/* A run whose log is missing or damaged is left out. */
static int read_run_log(struct logs *l, size_t a, size_t point) {
  char *path = ad__report_path(l->r, a, point, AD_RUN_FILE_LOG);
  struct ad_run_log log = {0};
  struct stat info;
  if (path == NULL) {
    return AD_ENOMEM;
  }
  const int there = ad_is_file(path) && stat(path, &info) == 0;
  l->bytes += there ? (size_t)info.st_size : 0;
  const int cut = there && l->bytes > MOST_LOG_BYTES;
  int status = there && !cut ? ad_run_log_read(&log, path, UINT64_MAX) : AD_OK;
  ad_free(path);
  if (cut) {
    l->cut++;
  } else if (!there) {
    l->without++;
  } else if (status == AD_EINPUT || status == AD_EIO) {
    ad_log(AD_LOG_WARNING, "%s", ad_error_message());
    l->damaged++;
    status = AD_OK;
  } else if (status == AD_OK) {
    status = take_run(l, &l->arm[a], point, &log);
  }
  ad_run_log_destroy(&log);
  return status;
}

static int read_arm_logs(struct logs *l, size_t a) {
  struct arm_log *arm = &l->arm[a];
  size_t chosen[LOGS];
  const size_t count = ad__report_choose(l->r, a, l->most, chosen);
  AD_TRY(ad__report_variant(l->r, a, &arm->variant));
  for (size_t q = 0; q < STUDY_QUANTITIES; q++) {
    arm->value[q] = ad_malloc(count * GRID, sizeof(double));
    if (arm->value[q] == NULL) {
      return ad_fail_memory(count * GRID * sizeof(double), "logs");
    }
  }
  arm->score = ad_malloc(count * EVALUATIONS, sizeof *arm->score);
  if (arm->score == NULL) {
    return ad_fail_memory(count * EVALUATIONS * sizeof *arm->score, "logs");
  }
  for (size_t i = 0; i < count; i++) {
    AD_TRY(read_run_log(l, a, chosen[i]));
  }
  return AD_OK;
}

static void choose_window(struct logs *l) {
  const struct report *r = l->r;
  uint64_t steps = 1;
  for (size_t i = 0; i < r->study->count; i++) {
    steps = r->cells->records[i].steps > steps ? r->cells->records[i].steps : steps;
  }
  l->window = ad__window_of(steps);
}

int ad__report_logs(struct report *r) {
  struct logs l = {.r = r, .most = ad__report_share(r, LOGS, LOGS)};
  l.arms = r->arms < LOGS / 2 ? r->arms : LOGS / 2;
  l.arm = ad_calloc(l.arms, sizeof *l.arm);
  int status = l.arm == NULL ? ad_fail_memory(l.arms * sizeof *l.arm, "logs") : AD_OK;
  choose_window(&l);
  for (size_t a = 0; a < l.arms && status == AD_OK; a++) {
    status = read_arm_logs(&l, a);
  }
  status = status == AD_OK ? ad__report_trajectories(&l) : status;
  status = status == AD_OK ? ad__report_early(&l) : status;
  for (size_t a = 0; l.arm != NULL && a < l.arms; a++) {
    for (size_t q = 0; q < STUDY_QUANTITIES; q++) {
      ad_free(l.arm[a].value[q]);
    }
    ad_free(l.arm[a].score);
  }
  ad_free(l.arm);
  return status;
}
