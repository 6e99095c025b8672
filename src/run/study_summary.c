/* What the cells of a study have come to. */
#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/run/study.h"
#include "autodidact/store/progress.h"

static double share_done(const struct ad_cell_record *r) {
  return ad_cells_is_finished(r) ? 1.0 : r->steps > 0 ? (double)r->step / (double)r->steps : 0.0;
}

static void count_cell(const struct ad_cells *cells, size_t i, double cost, struct ad_arm_summary *s) {
  const struct ad_cell_record *r = &cells->records[i];
  const double result = ad_cells_result(cells, i);
  s->cells++;
  s->of[r->state]++;
  s->failed_runs += (size_t)ad_cells_is_failed_run(cells, i);
  s->work += cost;
  s->left += cost * (1.0 - share_done(r));
  if (r->state == AD_CELL_DONE && isfinite(result)) {
    /* Welford 1962: a sum of squares less one of the mean loses digits where results are close. */
    const double off = result - s->mean;
    s->results++;
    s->mean += off / (double)s->results;
    s->squares += off * (result - s->mean);
  }
}

/* Seconds until the end with the teams that are at work now; NaN where that cannot be told. */
static double time_left(const struct ad_cells *cells, const struct ad_arm_summary *all, int seconds_known) {
  const double ranks = (double)(all->of[AD_CELL_RUNNING] * cells->study->ranks_per_trial);
  return seconds_known && ranks > 0.0 ? all->left / ranks : NAN;
}

/* Where the running cells are, as far as their runs tell: into their records. */
static int follow_running(const struct ad_cells *cells) {
  for (size_t i = 0; i < cells->study->count; i++) {
    struct ad_cell_record *r = &cells->records[i];
    if (r->state != AD_CELL_RUNNING) {
      continue;
    }
    char *folder = ad_study_folder(cells->study, &cells->study->cells[i]);
    if (folder == NULL) {
      return ad_fail_memory(strlen(cells->study->dir) + 32, "a path");
    }
    ad_run_progress(folder, &r->step, &r->steps);
    ad_free(folder);
  }
  return AD_OK;
}

static int summarise(const struct ad_cells *cells, double *cost, struct ad_study_summary *out) {
  const struct ad_study *s = cells->study;
  AD_TRY(ad_study_estimate(cells, cost, &out->seconds_known));
  for (size_t i = 0; i < s->count; i++) {
    count_cell(cells, i, cost[i], &out->arms[s->cells[i].arm]);
    count_cell(cells, i, cost[i], &out->all);
  }
  out->seconds_left = time_left(cells, &out->all, out->seconds_known);
  out->share_done = out->all.work > 0.0 ? 1.0 - out->all.left / out->all.work : 1.0;
  return AD_OK;
}

int ad_study_summarise(const struct ad_cells *cells, struct ad_study_summary *out) {
  const struct ad_study *s = cells->study;
  double *cost = ad_calloc(s->count, sizeof *cost);
  *out = (struct ad_study_summary){.arms = ad_calloc(s->arm_count, sizeof *out->arms)};
  int status = cost == NULL || out->arms == NULL ? ad_fail_memory(s->count * sizeof *cost, "estimates") : AD_OK;
  status = status == AD_OK ? follow_running(cells) : status;
  status = status == AD_OK ? summarise(cells, cost, out) : status;
  ad_free(cost);
  return status;
}

void ad_study_summary_destroy(struct ad_study_summary *summary) {
  ad_free(summary->arms);
  *summary = (struct ad_study_summary){0};
}

double ad_arm_mean(const struct ad_arm_summary *s) {
  return s->results > 0 ? s->mean : NAN;
}

double ad_arm_deviation(const struct ad_arm_summary *s) {
  return s->results > 1 ? sqrt(s->squares / (double)(s->results - 1)) : NAN;
}
