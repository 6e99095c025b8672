/* autodidact inspect: log.jsonl and timing.jsonl. */
#include <inttypes.h>
#include <stdio.h>

#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/store/progress.h"
#include "autodidact/store/run_log.h"
#include "inspect.h"

int inspect_log(const char *path) {
  struct ad_run_log log;
  int status = ad_run_log_read(&log, path, UINT64_MAX);
  if (status == AD_OK) {
    printf("%s: %zu steps, %zu evaluations%s; the chain of digests holds\n", ad_shown(path), log.step_count,
           log.evaluation_count, log.cut ? ", the last row cut short" : "");
  }
  if (status == AD_OK && log.step_count > 0) {
    const struct ad_log_step *first = &log.steps[0], *last = &log.steps[log.step_count - 1];
    printf("  loss of the first step %.6g, of the last %.6g (epoch %" PRIu64 "); its parameters %016" PRIx64 "\n",
           first->row.loss, last->row.loss, last->row.epoch, last->row.parameters);
  }
  if (status == AD_OK && log.evaluation_count > 0) {
    char title[64], value[AD_SCORE_TEXT];
    snprintf(title, sizeof title, "dev %s", log.evaluations[0].scores.task->scores[0].title);
    printf("\n%9s  %-8s  %11s  %10s\n", "step", "model", title, "dev loss");
    for (size_t i = 0; i < log.evaluation_count; i++) {
      const struct ad_evaluation_row *e = &log.evaluations[i];
      printf("%9" PRIu64 "  %-8s  %11s  %10.6f\n", e->step, ad_variant_name(e->model),
             ad_score_print(&e->scores.task->scores[0], 6, ad_scores_first(&e->scores), value),
             ad_scores_loss(&e->scores));
    }
  }
  ad_run_log_destroy(&log);
  return status;
}

/* The rows of one kind, in a line. */
static int print_kind(const char *name, const struct ad_timings *timings, enum ad_timing kind) {
  struct ad_timing_summary of;
  AD_TRY(ad_timings_summarise(timings, kind, &of));
  if (of.count > 0) {
    printf("%-12s  %8zu  %12.6f  %12.6f  %12.3f\n", name, of.count, of.median, of.largest, of.sum);
  }
  return AD_OK;
}

static int print_timings(const char *path, const struct ad_timings *timings) {
  size_t resumed = 0;
  for (size_t i = 0; i < timings->count; i++) {
    resumed += timings->rows[i].kind == AD_TIMING_RESUMED;
  }
  printf("%s: the run went on %zu times\n%-12s  %8s  %12s  %12s  %12s\n", ad_shown(path), resumed, "", "number",
         "median s", "largest s", "sum s");
  AD_TRY(print_kind("steps", timings, AD_TIMING_STEP));
  AD_TRY(print_kind("evaluations", timings, AD_TIMING_EVALUATION));
  AD_TRY(print_kind("snapshots", timings, AD_TIMING_SNAPSHOT));
  return print_kind("checkpoints", timings, AD_TIMING_CHECKPOINT);
}

int inspect_timing(const char *path) {
  struct ad_timings timings;
  int status = ad_timings_read(&timings, path);
  status = status == AD_OK ? print_timings(path, &timings) : status;
  ad_timings_destroy(&timings);
  return status;
}
