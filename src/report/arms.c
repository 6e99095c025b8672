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
  row.failed_share = ad__report_wilson(r, row.mean.independent, (double)failed, arm->all_count + arm->diverged);
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
      COLUMN_BY("mean", "mean", UNIT_SCORE, arm_row, mean.of.mean, "mean_error"),
      COLUMN("mean_interval", "95 % CI", UNIT_SCORE, arm_row, mean.of.interval),
      COLUMN("sd", "SD", UNIT_SCORE, arm_row, mean.of.sd),
      COLUMN("sd_interval", "SD 95 % CI", UNIT_SCORE, arm_row, mean.of.sd_interval),
      SUMMARY_COLUMNS,
      COLUMN("mean_error", "standard error", UNIT_SCORE, arm_row, mean.of.error)};
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
  ad__document_csv_elsewhere(r->doc); /* runs.c: with all keys and scores */
  for (size_t i = 0; i < r->arms * r->points; i++) {
    run_row(r, i, seeds, axes);
  }
}

enum { RUN_ROWS = 40, RUN_DOTS = 200 /* of an arm */ };

/* Quartiles and median of an arm, and its runs. */
static void draw_arm(struct report *r, struct picture *p, size_t a) {
  static const double HALF = 0.32;
  const struct report_arm *arm = &r->arm[a];
  const double row = ad__picture_row(p, arm->name);
  struct ad_summary s;
  char label[400];
  if (r->doc->status == AD_OK) {
    r->doc->status = ad_summarize(&s, arm->all_count, arm->all);
  }
  if (r->doc->status == AD_OK && s.n > 0) {
    const double median = s.median.value * r->scale;
    ad__picture_mark(p, PICTURE_BOX, 1, s.lower.value * r->scale, row - HALF, s.upper.value * r->scale, row + HALF);
    ad__picture_title(p, "%s: quartiles", arm->name);
    ad__picture_mark(p, PICTURE_STROKE, 1, median, row - HALF, median, row + HALF);
    ad__picture_title(p, "%s: median %.4g", arm->name, median);
  }
  const size_t step = (r->points + RUN_DOTS - 1) / RUN_DOTS;
  for (size_t k = 0; k < r->points; k += step) {
    const struct report_run *run = &arm->runs[k];
    if (run->state == RUN_GOOD || run->state == RUN_FAILED) {
      const struct ad_study_cell *cell = &r->study->cells[run->cell];
      /* Points of one arm are spread over its line by the golden ratio. */
      const double x = run->score * r->scale, y = row - 0.22 + fmod(0.618034 * (double)k, 1.0) * 0.44;
      ad__picture_mark(p, run->state == RUN_FAILED ? PICTURE_CROSS : PICTURE_DOT, 0, x, y, x, y);
      ad__picture_title(p, "%s: %.4g %s; run %016" PRIx64, ad_study_label(r->study, cell, label, sizeof label), x,
                        r->unit, cell->id);
    }
  }
}

static int plot_runs(struct report *r) {
  struct picture p = {.width = 820, .x = {.label = r->metric, .unit = r->unit}};
  char title[300], left_out[100];
  size_t finished = 0;
  const size_t rows = r->arms < RUN_ROWS ? r->arms : RUN_ROWS;
  for (size_t a = 0; a < rows; a++) {
    draw_arm(r, &p, a);
    finished += r->arm[a].all_count;
  }
  snprintf(title, sizeof title,
           "Finished runs (failed ones as crosses%s), with median and quartiles of each arm. The height within a line "
           "means nothing.%s",
           r->points > RUN_DOTS ? "; some of them" : "", ad__left_out(rows, r->arms, sizeof left_out, left_out));
  if (finished > 0) {
    ad__document_picture(r->doc, "plot_runs", title, NULL, &p);
  } else {
    ad__document_note(r->doc, "No run is finished: nothing to plot.");
  }
  ad__picture_destroy(&p);
  return r->doc->status;
}

int ad__report_arms(struct report *r) {
  const char *const rules[] = {r->task != NULL && r->task->numbers
                                   ? "R2 not above 0, that of always giving the mean label"
                               : r->task != NULL && r->task->classes == AD_CLASSES_SET
                                   ? "none: sets of classes have no most frequent class"
                                   : "accuracy not above that of always naming the most frequent class",
                               "none", "a threshold on the result"};
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
  AD_TRY(plot_runs(r));
  AD_TRY(arm_tables(r));
  run_table(r);
  return r->doc->status;
}
