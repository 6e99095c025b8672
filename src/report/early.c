/* The section on mid-run scores and stopping early. */
#include <math.h>
#include <stdio.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/search.h"
#include "autodidact/statistics/summary.h"
#include "logs.h"

enum { PLAN_POINTS = 8, PLAN_BUDGETS = 10, PLAN_REPLICATES = 500 };

/* ---- Mid-run and final score ---- */

/* Scores of runs that have all evaluations, [their number, points] at the chosen evaluations. */
static size_t complete_scores(const struct arm_log *arm, size_t points, const size_t *which, double *scores) {
  size_t count = 0;
  for (size_t k = 0; k < arm->runs; k++) {
    int whole = 1;
    for (size_t i = 0; i < points; i++) {
      scores[count * points + i] = arm->score[k * EVALUATIONS + which[i]];
      whole &= isfinite(scores[count * points + i]);
    }
    count += (size_t)whole;
  }
  return count;
}

struct correlation_row {
  const char *arm;
  struct ad_figure step, share;
  struct ad_correlation of;
};

/* Rows of the table for an arm, and its curve into `script` as $bCURVE; *there: it has points. */
static int correlate(struct logs *l, size_t a, struct ad_buffer *script, double *work, size_t curve, int *there) {
  struct report *r = l->r;
  const struct arm_log *arm = &l->arm[a];
  *there = 0;
  ad__script_add(r, script, "$b%zu << EOD\n", curve);
  for (size_t i = 0; i + 1 < arm->evaluations; i++) {
    const size_t which[2] = {i, arm->evaluations - 1};
    const size_t n = complete_scores(arm, 2, which, work);
    double *x = work + 2 * arm->runs, *y = x + arm->runs;
    for (size_t k = 0; k < n; k++) {
      x[k] = work[2 * k];
      y[k] = work[2 * k + 1];
    }
    const double share = arm->at[i] / arm->at[arm->evaluations - 1];
    struct correlation_row row = {
        .arm = r->arm[a].name, .step = ad_figure_of(arm->at[i]), .share = ad_figure_of(share)};
    AD_TRY(ad_spearman(&row.of, n, x, y, r->how.level));
    if (!r->seeds.independent) {
      row.of.interval = ad_interval_none(AD__WHY_SHARED);
      row.of.p = ad_figure_none(AD__WHY_SHARED);
    }
    ad__document_row(r->doc, &row);
    if (row.of.rho.why == NULL) {
      *there = 1;
      ad__script_add(r, script, "%.6g %.9g\n", 100 * share, row.of.rho.value);
    }
  }
  ad__script_add(r, script, "EOD\n");
  return r->doc->status;
}

static void plot_correlations(struct report *r, struct ad_buffer *script, size_t curves, size_t all,
                              const size_t *which) {
  char title[240], left_out[100];
  ad__script_axis(r, script, 'x', "share of training", "%");
  ad__script_axis(r, script, 'y', "rank correlation with the last score", "");
  ad__script_add(r, script,
                 "set yrange [-1:1.05]\nset xrange [0:100]\nplot 0 with lines lc rgb '#5b6775' dt 2 notitle");
  for (size_t k = 0; k < curves; k++) {
    ad__script_add(r, script, ", $b%zu using 1:2 with linespoints ls %zu t ", k, ad__script_style(r, which[k], k));
    ad__script_name(r, script, r->arm[which[k]].name);
  }
  ad__script_add(r, script, "\n");
  snprintf(title, sizeof title, "Rank correlation of mid-run and final score over the runs of an arm.%s",
           ad__script_left_out(curves, all, sizeof left_out, left_out));
  ad__document_plot(r->doc, "plot_early_correlation", title, 820, 340, script);
}

static int correlations(struct logs *l, double *work) {
  struct report *r = l->r;
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, correlation_row, arm),
      COLUMN("step", "step", UNIT_NONE, correlation_row, step),
      COLUMN("share", "of training", UNIT_PERCENT, correlation_row, share),
      COLUMN("runs", "runs", UNIT_NONE, correlation_row, of.n),
      COLUMN("rho", "Spearman's rho", UNIT_NONE, correlation_row, of.rho),
      COLUMN("interval", "95 % CI", UNIT_NONE, correlation_row, of.interval),
      COLUMN("p", "p", UNIT_NONE, correlation_row, of.p)};
  struct ad_buffer script = {0};
  size_t curves = 0, all = 0, which[CURVES];
  int status = AD_OK;
  ad__document_table(r->doc, "early_correlation", "Rank correlation of the score at a step with the last one",
                     COLUMNS(columns));
  for (size_t a = 0; a < l->arms && status == AD_OK; a++) {
    struct ad_buffer curve = {0};
    int there;
    status = correlate(l, a, &curve, work, curves, &there);
    if (status == AD_OK && there && curves < CURVES) {
      status = ad_buffer_append(&script, curve.data, curve.size);
      which[curves++] = a;
    }
    all += (size_t)there;
    ad_buffer_destroy(&curve);
  }
  if (status == AD_OK && curves > 0) {
    plot_correlations(r, &script, curves, all, which);
  }
  ad_buffer_destroy(&script);
  return status == AD_OK ? r->doc->status : status;
}

/* ---- Stopping early ---- */

struct plan_row {
  const char *arm;
  size_t budget, started, kept;
  struct ad_figure plain, plan, stop_at, cost;
};

static int frontier(struct logs *l, size_t a, double *work, struct ad_buffer *script, size_t *curves,
                    size_t *which_arm) {
  struct report *r = l->r;
  const struct arm_log *arm = &l->arm[a];
  struct ad_early_plan plan[PLAN_BUDGETS], plain[PLAN_BUDGETS];
  size_t which[PLAN_POINTS];
  double share[PLAN_POINTS];
  const size_t points = arm->evaluations < PLAN_POINTS ? arm->evaluations : PLAN_POINTS;
  for (size_t i = 0; i < points; i++) {
    which[i] = (i + 1) * arm->evaluations / points - 1;
    share[i] = arm->at[which[i]] / arm->at[arm->evaluations - 1];
  }
  const size_t n = points == 0 ? 0 : complete_scores(arm, points, which, work);
  const size_t budgets = n / 2 < PLAN_BUDGETS ? n / 2 : PLAN_BUDGETS;
  if (points < 2 || budgets == 0) {
    ad__document_note(r->doc, "%s: plans that stop early are not available: %s.", r->arm[a].name,
                      points < 2 ? "the runs were scored at their end only (eval.every)"
                                 : "needs at least 2 runs with all their evaluations");
    return r->doc->status;
  }
  const struct ad_resampling how = {r->how.seed, PLAN_REPLICATES, r->how.level};
  AD_TRY(ad_early_frontier(plan, plain, budgets, n, points, work, share, !r->falls, &how));
  const int draw = *curves < CURVES;
  if (draw) {
    ad__script_add(r, script, "$b%zu << EOD\n", *curves);
  }
  for (size_t b = 0; b < budgets; b++) {
    if (draw) {
      ad__script_add(r, script, "%zu %.9g %.9g\n", b + 1, plan[b].expected.value * r->scale,
                     plain[b].expected.value * r->scale);
    }
    const struct ad_figure none = ad_figure_none("the best plan stops none");
    const struct plan_row row = {.arm = r->arm[a].name,
                                 .budget = b + 1,
                                 .plain = plain[b].expected,
                                 .plan = plan[b].expected,
                                 .started = plan[b].started,
                                 .kept = plan[b].kept,
                                 .stop_at = plan[b].point >= points ? none : ad_figure_of(share[plan[b].point]),
                                 .cost = ad_figure_of(plan[b].cost)};
    ad__document_row(r->doc, &row);
  }
  if (draw) {
    ad__script_add(r, script, "EOD\n");
    which_arm[*curves] = a;
  }
  *curves += 1;
  return r->doc->status;
}

static void plot_frontier(struct report *r, struct ad_buffer *script, size_t all, const size_t *which) {
  const size_t curves = all < CURVES ? all : CURVES;
  char title[240], left_out[100];
  ad__script_axis(r, script, 'x', "budget", "whole trainings");
  ad__script_axis(r, script, 'y', "expected last score of the best run", r->unit);
  ad__script_add(r, script, "set xtics 1\nset xrange [0.8:*]\n");
  for (size_t k = 0; k < curves; k++) {
    const size_t style = ad__script_style(r, which[k], k);
    ad__script_add(r, script, "%s$b%zu using 1:2 with linespoints ls %zu t ", k == 0 ? "plot " : ", ", k, style);
    ad__script_name(r, script, r->arm[which[k]].name);
    ad__script_add(r, script, ", $b%zu using 1:3 with lines ls %zu lw 1.2 dt 3 notitle", k, style);
  }
  ad__script_add(r, script, "\n");
  snprintf(
      title, sizeof title,
      "Early-stopping frontier: the best plan that stops runs early (line) against as many runs trained to the end "
      "(dotted).%s",
      ad__script_left_out(curves, all, sizeof left_out, left_out));
  ad__document_plot(r->doc, "plot_early_stopping", title, 820, 340, script);
}

int ad__report_early(struct logs *l) {
  struct report *r = l->r;
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, plan_row, arm),
      COLUMN("budget", "budget (trainings)", UNIT_NONE, plan_row, budget),
      COLUMN("plain", "all to the end", UNIT_SCORE, plan_row, plain),
      COLUMN("plan", "best plan", UNIT_SCORE, plan_row, plan),
      COLUMN("started", "start", UNIT_NONE, plan_row, started),
      COLUMN("kept", "keep", UNIT_NONE, plan_row, kept),
      COLUMN("stop_at", "stop the others at", UNIT_PERCENT, plan_row, stop_at),
      COLUMN("cost", "cost (trainings)", UNIT_NONE, plan_row, cost)};
  ad__document_section(
      r->doc, "early", "Mid-run scores and stopping early",
      "Whether a run's score in the middle of training ranks it as its last one does, and what it would "
      "gain to start more runs and stop all but the best early (Dodge et al. 2020).",
      "plans from fewer than about 20 runs: the best plan is chosen and judged on the same runs, so its "
      "gain is optimistic.");
  double *work = ad_malloc(l->most * (EVALUATIONS + 4), sizeof *work);
  struct ad_buffer script = {0};
  size_t curves = 0, which[CURVES];
  int status =
      work == NULL ? ad_fail_memory(l->most * (EVALUATIONS + 4) * 8, "scores along training") : correlations(l, work);
  if (status == AD_OK) {
    ad__document_table(r->doc, "early_stopping", "Expected final score of the best run for a budget", COLUMNS(columns));
  }
  for (size_t a = 0; a < l->arms && status == AD_OK; a++) {
    status = frontier(l, a, work, &script, &curves, which);
  }
  if (curves > 0) {
    plot_frontier(r, &script, curves, which);
  }
  ad_buffer_destroy(&script);
  ad_free(work);
  return status;
}
