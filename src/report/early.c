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

/* Curves of the first arms that have any. */
struct early_picture {
  struct picture picture;
  size_t curves, all; /* drawn, there */
};

static void close_picture(struct report *r, struct early_picture *e, const char *id, const char *what) {
  char title[300], left_out[100];
  snprintf(title, sizeof title, "%s%s", what, ad__left_out(e->curves, e->all, sizeof left_out, left_out));
  if (e->curves > 0) {
    ad__document_picture(r->doc, id, title, NULL, &e->picture);
  }
  ad__picture_destroy(&e->picture);
}

/* Rows of the table for an arm, and its curve. */
static int correlate(struct logs *l, size_t a, struct early_picture *e, double *work) {
  struct report *r = l->r;
  const struct arm_log *arm = &l->arm[a];
  double at[EVALUATIONS], rho[EVALUATIONS];
  size_t points = 0;
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
    } else if (row.of.interval.why == NULL && n < FEWEST_FOR_RANKS) {
      row.of.interval = ad_interval_none(AD__WHY_FEW_RANKS);
    }
    ad__document_row(r->doc, &row);
    if (row.of.rho.why == NULL) {
      at[points] = 100 * share;
      rho[points++] = row.of.rho.value;
    }
  }
  e->all += points > 0;
  if (points > 0 && e->curves < CURVES) {
    ad__draw_curve(r, &e->picture, PICTURE_LINE, a, e->curves++, &(struct curve){points, at, rho});
  }
  return r->doc->status;
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
  struct early_picture e = {
      .picture = {.width = 820,
                  .height = 340,
                  .x = {.label = "share of training", .unit = "%", .low = 0, .high = 100},
                  .y = {.label = "rank correlation with the last score", .low = -1, .high = 1.05}}};
  int status = AD_OK;
  ad__picture_mark(&e.picture, PICTURE_LEVEL, 0, 0, 0, 0, 0);
  ad__document_table(r->doc, "early_correlation", "Rank correlation of the score at a step with the last one",
                     COLUMNS(columns));
  for (size_t a = 0; a < l->arms && status == AD_OK; a++) {
    status = correlate(l, a, &e, work);
  }
  close_picture(r, &e, "plot_early_correlation",
                "Rank correlation of mid-run and final score over the runs of an arm.");
  return status == AD_OK ? r->doc->status : status;
}

/* ---- Stopping early ---- */

struct plan_row {
  const char *arm;
  size_t budget, started, kept;
  struct ad_figure plain, plan, stop_at, cost;
};

/* The curves of an arm: budgets [n], and what the best plan and plain tries of as much come to. */
static void draw_frontier(struct report *r, struct early_picture *e, size_t a, size_t n,
                          const struct ad_early_plan *plan, const struct ad_early_plan *plain) {
  double x[PLAN_BUDGETS], best[PLAN_BUDGETS], tries[PLAN_BUDGETS];
  e->all++;
  if (e->curves == CURVES) {
    return;
  }
  for (size_t b = 0; b < n; b++) {
    x[b] = (double)b + 1;
    best[b] = plan[b].expected.value * r->scale;
    tries[b] = plain[b].expected.value * r->scale;
  }
  ad__draw_curve(r, &e->picture, PICTURE_DOTTED, a, e->curves, &(struct curve){n, x, tries});
  ad__draw_curve(r, &e->picture, PICTURE_LINE, a, e->curves++, &(struct curve){n, x, best});
}

static int frontier(struct logs *l, size_t a, double *work, struct early_picture *e) {
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
  for (size_t b = 0; b < budgets; b++) {
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
  draw_frontier(r, e, a, budgets, plan, plain);
  return r->doc->status;
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
  struct early_picture e = {.picture = {.width = 820,
                                        .height = 340,
                                        .x = {.label = "budget", .unit = "whole trainings", .whole = 1},
                                        .y = {.label = "expected last score of the best run", .unit = r->unit}}};
  int status =
      work == NULL ? ad_fail_memory(l->most * (EVALUATIONS + 4) * 8, "scores along training") : correlations(l, work);
  if (status == AD_OK) {
    ad__document_table(r->doc, "early_stopping", "Expected final score of the best run for a budget", COLUMNS(columns));
  }
  for (size_t a = 0; a < l->arms && status == AD_OK; a++) {
    status = frontier(l, a, work, &e);
  }
  close_picture(r, &e, "plot_early_stopping",
                "Early-stopping frontier: the best plan that stops runs early (line) against as many runs trained to "
                "the end (dotted).");
  ad_free(work);
  return status;
}
