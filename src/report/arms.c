/* The section on the arms: their scores, and every run. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "autodidact/statistics/summary.h"
#include "report_internal.h"

struct arm_row {
  const char *arm;
  size_t cells, failed, missing;
  struct ad_interval failed_share;
  struct ad_summary of;
  struct report_mean mean;
};

static int arm_row(struct report *r, size_t a, int fine) {
  const struct report_arm *arm = &r->arm[a];
  const size_t failed = arm->failed + arm->diverged;
  struct arm_row row = {.arm = arm->name, .cells = r->points, .failed = failed, .missing = arm->missing};
  AD_TRY(ad_summarize(&row.of, fine ? arm->good : arm->all_count, fine ? arm->fine : arm->all));
  AD_TRY(ad__report_arm_mean(r, a, &row.mean));
  row.failed_share = row.mean.independent ? ad_wilson((double)failed, arm->all_count + arm->diverged, r->how.level)
                                          : ad_interval_none(AD__WHY_SHARED);
  ad__document_row(r->doc, &row);
  return r->doc->status;
}

#define SUMMARY_COLUMNS                                             \
  COLUMN("median", "median", UNIT_SCORE, arm_row, of.median),       \
      COLUMN("minimum", "min", UNIT_SCORE, arm_row, of.minimum),    \
      COLUMN("maximum", "max", UNIT_SCORE, arm_row, of.maximum),    \
      COLUMN("lower", "quartile 1", UNIT_SCORE, arm_row, of.lower), \
      COLUMN("upper", "quartile 3", UNIT_SCORE, arm_row, of.upper)

static int arm_tables(struct report *r) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, arm_row, arm),
      COLUMN("cells", "cells", UNIT_NONE, arm_row, cells),
      COLUMN("n", "n", UNIT_NONE, arm_row, of.n),
      COLUMN("failed", "failed", UNIT_NONE, arm_row, failed),
      COLUMN("failed_share", "failed, Wilson 95 % CI", UNIT_PERCENT, arm_row, failed_share),
      COLUMN("missing", "missing", UNIT_NONE, arm_row, missing),
      COLUMN("mean", "mean", UNIT_SCORE, arm_row, mean.of.mean),
      COLUMN("mean_interval", "95 % CI", UNIT_SCORE, arm_row, mean.of.interval),
      COLUMN("sd", "SD", UNIT_SCORE, arm_row, mean.of.sd),
      COLUMN("sd_interval", "SD 95 % CI", UNIT_SCORE, arm_row, mean.of.sd_interval),
      SUMMARY_COLUMNS};
  static const struct document_column conditional[] = {
      COLUMN("arm", "arm", UNIT_NONE, arm_row, arm), COLUMN("n", "n", UNIT_NONE, arm_row, of.n),
      COLUMN("mean", "mean", UNIT_SCORE, arm_row, of.mean), SUMMARY_COLUMNS};
  ad__document_table(r->doc, "arms", "All finished runs, failed ones with their score", COLUMNS(columns));
  for (size_t a = 0; a < r->arms; a++) {
    AD_TRY(arm_row(r, a, 0));
  }
  ad__document_table(r->doc, "arms_without_failed", "Conditional: the runs that did not fail, chosen by the outcome",
                     COLUMNS(conditional));
  for (size_t a = 0; a < r->arms; a++) {
    AD_TRY(arm_row(r, a, 1));
  }
  return r->doc->status;
}

enum { SEED_COLUMNS = 8 };

struct run_row {
  const char *arm, *seed[SEED_COLUMNS], *cell, *state;
  struct ad_figure score;
};

static struct ad_figure run_score(const struct report_run *run) {
  return !isnan(run->score) ? ad_figure_of(run->score)
                            : ad_figure_none(run->state == RUN_DIVERGED ? "the run diverged" : "no result");
}

/* The row of run i, arm after arm. */
static void run_row(struct report *r, size_t i, size_t seeds, const size_t *axes) {
  static const char *const states[] = {"good", "failed", "diverged", "missing"};
  const struct report_arm *arm = &r->arm[i / r->points];
  const struct report_run *run = &arm->runs[i % r->points];
  const struct ad_study_cell *cell = &r->study->cells[run->cell];
  char id[20];
  snprintf(id, sizeof id, "%016" PRIx64, cell->id);
  struct run_row row = {.arm = arm->name, .cell = id, .state = states[run->state], .score = run_score(run)};
  for (size_t x = 0; x < seeds; x++) {
    row.seed[x] = r->study->axes[axes[x]].values[cell->level[axes[x]]];
  }
  ad__document_row(r->doc, &row);
}

/* Every cell, for CSV and JSON: a column for each axis of seeds. */
static void run_table(struct report *r) {
  const struct document_column last[] = {COLUMN("cell", "cell", UNIT_NONE, run_row, cell),
                                         COLUMN("state", "state", UNIT_NONE, run_row, state),
                                         COLUMN("score", r->metric, UNIT_SCORE, run_row, score)};
  struct document_column columns[1 + SEED_COLUMNS + sizeof last / sizeof *last] = {
      COLUMN("arm", "arm", UNIT_NONE, run_row, arm)};
  size_t seeds = 0, axes[SEED_COLUMNS];
  for (size_t x = 0; x < r->study->axis_count && seeds < SEED_COLUMNS; x++) {
    const char *key = r->study->axes[x].key;
    if (r->study->axes[x].seed) {
      columns[1 + seeds] = (struct document_column)COLUMN(key, key, UNIT_NONE, run_row, seed[0]);
      columns[1 + seeds].offset += seeds * sizeof(char *);
      axes[seeds++] = x;
    }
  }
  memcpy(columns + 1 + seeds, last, sizeof last);
  ad__document_table(r->doc, "runs", "Every run", 1 + seeds + sizeof last / sizeof *last, columns);
  ad__document_data_only(r->doc);
  for (size_t i = 0; i < r->arms * r->points; i++) {
    run_row(r, i, seeds, axes);
  }
}

static int points_plot(struct report *r) {
  struct ad_buffer script = {0};
  for (int failed = 0; failed < 2; failed++) {
    ad__script_add(r, &script, failed ? "$failed << EOD\n" : "$good << EOD\n");
    for (size_t i = 0; i < r->arms * r->points; i++) {
      const size_t line = i / r->points;
      const struct report_run *run = &r->arm[line].runs[i % r->points];
      if (run->state == (failed ? RUN_FAILED : RUN_GOOD)) {
        /* Points of one arm are spread over its line by the golden ratio. */
        ad__script_add(r, &script, "%.9g %.4f\n", run->score * r->scale,
                       0.22 - fmod(0.618034 * (double)(i % r->points), 1.0) * 0.44 - (double)line);
      }
    }
    ad__script_add(r, &script, "EOD\n");
  }
  ad__script_add(r, &script, "$box << EOD\n");
  for (size_t a = 0; a < r->arms; a++) {
    struct ad_summary s;
    if (r->doc->status == AD_OK) {
      r->doc->status = ad_summarize(&s, r->arm[a].all_count, r->arm[a].all);
    }
    if (r->doc->status == AD_OK && s.n > 0) {
      ad__script_add(r, &script, "%.9g %.9g %.9g -%zu %.9g\n", s.median.value * r->scale, s.lower.value * r->scale,
                     s.upper.value * r->scale, a, s.mean.value * r->scale);
    }
  }
  ad__script_add(r, &script, "EOD\n");
  ad__script_arm_axis(r, &script, r->arms);
  ad__script_axis(r, &script, 'x', r->metric, r->unit);
  ad__script_add(
      r, &script,
      "set key outside top center horizontal\nset offsets graph 0.02, graph 0.02, 0, 0\n"
      "plot $box using 1:4:2:3:($4-0.32):($4+0.32) with boxxyerror fc rgb '#0072b2' fs transparent solid 0.14 "
      "border lc rgb '#8fb6d3' t 'quartiles', "
      "$box using 1:($4-0.32):(0):(0.64) with vectors nohead lc rgb '#0072b2' lw 2 t 'median', "
      "$good using 1:2 with points pt 7 ps 0.45 lc rgb '#1c2530' t 'run', "
      "$failed using 1:2 with points pt 2 ps 0.7 lw 1.5 lc rgb '#d55e00' t 'failed run'\n");
  size_t finished = 0;
  for (size_t a = 0; a < r->arms; a++) {
    finished += r->arm[a].all_count;
  }
  if (finished == 0) {
    ad__document_note(r->doc, "No run is finished: nothing to plot.");
    ad_buffer_destroy(&script);
    return r->doc->status;
  }
  ad__document_plot(
      r->doc, "plot_runs",
      "Every finished run, with median and quartiles of each arm. The height within a line means nothing.", 820,
      ad__script_height(r->arms) + 30, &script);
  ad_buffer_destroy(&script);
  return r->doc->status;
}

int ad__report_arms(struct report *r) {
  static const char *const rules[] = {"accuracy not above that of always naming the most frequent class", "none",
                                      "a threshold on the result"};
  ad__document_section(
      r->doc, "arms", "The arms",
      "Each point is a training that differs from its neighbours in seeds alone, so the spread is what "
      "chance does to this method.",
      "the SD's interval where values are far from normal (outliers, two humps), and any mean over failed "
      "and good runs together. Mean and SD are of runs with seeds of their own, and their intervals count the levels "
      "of seeds that runs share.");
  ad__document_note(
      r->doc,
      "A run counts as failed if it diverged, or by the study's rule: %s. Cells without a result are missing "
      "and count as nothing.",
      rules[r->study->rule]);
  AD_TRY(points_plot(r));
  AD_TRY(arm_tables(r));
  run_table(r);
  return r->doc->status;
}
