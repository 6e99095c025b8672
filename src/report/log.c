/* Sections on what runs logged: trajectories, mid-run and final scores, stopping early. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/statistics/search.h"
#include "autodidact/statistics/trajectory.h"
#include "autodidact/store/run_log.h"
#include "report_internal.h"

enum {
  GRID = 150,
  EVALUATIONS = 60,
  PLAN_POINTS = 8,
  PLAN_BUDGETS = 10,
  PLAN_REPLICATES = 500,
  MOST_LOG_BYTES = 1 << 30
};
enum quantity { LOSS, NORM, DISTANCE, QUANTITIES };

static const char *const titles[QUANTITIES] = {"Training loss", "Norm of the gradient",
                                               "Distance of the logits from the teacher's"};
static const char *const units[QUANTITIES] = {"nats", "", ""};
static const char *const ids[QUANTITIES] = {"loss", "gradient_norm", "teacher_distance"};

/* An arm's logs. Steps of a window of the grid are averaged. */
struct arm_log {
  size_t runs, points[LOGS];
  double *value[QUANTITIES]; /* [runs,GRID], NaN: none */
  size_t evaluations;
  double at[EVALUATIONS]; /* steps */
  double *score;          /* [runs,EVALUATIONS] */
  enum ad_variant variant;
};

struct logs {
  struct report *r;
  size_t arms, most;
  struct arm_log *arm; /* [arms] */
  double window;       /* steps of a point of the grid */
  size_t without, cut; /* runs without a log; left out as there was too much to read */
  size_t bytes;
};

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
                             enum ad_study_metric metric) {
  for (size_t e = 0; e < log->evaluation_count; e++) {
    const struct ad_evaluation_row *row = &log->evaluations[e];
    for (size_t i = 0; row->model == arm->variant && i < arm->evaluations; i++) {
      if (arm->at[i] == (double)row->step) {
        arm->score[run * EVALUATIONS + i] = ad_study_score(&row->scores, metric);
      }
    }
  }
}

static void take_steps(const struct logs *l, struct arm_log *arm, size_t run, const struct ad_run_log *log) {
  double sum[QUANTITIES][GRID] = {{0}};
  unsigned count[QUANTITIES][GRID] = {{0}};
  for (size_t s = 0; s < log->step_count; s++) {
    const struct ad_step_row *row = &log->steps[s].row;
    const double place = ((double)row->step - 1) / l->window;
    const double value[QUANTITIES] = {row->loss, row->norm, row->distance};
    for (size_t q = 0; q < QUANTITIES && place < GRID; q++) {
      if (isfinite(value[q])) {
        sum[q][(size_t)place] += value[q];
        count[q][(size_t)place]++;
      }
    }
  }
  for (size_t q = 0; q < QUANTITIES; q++) {
    for (size_t i = 0; i < GRID; i++) {
      arm->value[q][run * GRID + i] = count[q][i] > 0 ? sum[q][i] / count[q][i] : NAN;
    }
  }
}

static int take_run(struct logs *l, struct arm_log *arm, size_t point, const struct ad_run_log *log) {
  AD_TRY(arm->runs == 0 ? choose_evaluations(arm, log) : AD_OK);
  for (size_t i = 0; i < EVALUATIONS; i++) {
    arm->score[arm->runs * EVALUATIONS + i] = NAN;
  }
  take_evaluations(arm, arm->runs, log, l->r->study->metric);
  take_steps(l, arm, arm->runs, log);
  arm->points[arm->runs++] = point;
  return AD_OK;
}

/* A run whose log is missing or damaged is left out. */
static int read_run(struct logs *l, size_t a, size_t point) {
  char *path = report_path(l->r, a, point, "log.jsonl");
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
  } else if (!there || status == AD_EINPUT || status == AD_EIO) {
    l->without++;
    status = AD_OK;
  } else if (status == AD_OK) {
    status = take_run(l, &l->arm[a], point, &log);
  }
  ad_run_log_destroy(&log);
  return status;
}

static int read_arm(struct logs *l, size_t a) {
  struct arm_log *arm = &l->arm[a];
  size_t chosen[LOGS];
  const size_t count = report_choose(l->r, a, l->most, chosen);
  AD_TRY(report_variant(l->r, a, &arm->variant));
  for (size_t q = 0; q < QUANTITIES; q++) {
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
    AD_TRY(read_run(l, a, chosen[i]));
  }
  return AD_OK;
}

/* ---- Trajectories ---- */

struct trajectory_row {
  const char *arm, *quantity;
  struct ad_figure step; /* the middle of some */
  struct ad_band of;
};

static void script_line(struct report *r, struct ad_buffer *script, double x, const struct ad_band *band,
                        double scale) {
  script_add(r, script, "%.9g", x);
  for (size_t q = 0; q < AD_BAND_QUANTILES; q++) {
    script_add(r, script, " %.9g", band->quantile[q].value * scale);
  }
  script_add(r, script, "\n");
}

/* Bands of one quantity (q < QUANTITIES) or of the score (q = QUANTITIES). */
static int plot_quantity(struct logs *l, size_t q) {
  struct report *r = l->r;
  const int score = q == QUANTITIES;
  struct ad_buffer script = {0};
  struct ad_band band[GRID];
  size_t which[CURVES], drawn = 0, all = 0;
  char id[60], title[320], label[120], left_out[100];
  snprintf(label, sizeof label, "Score on dev, %s", ad_study_metric_name(r->study->metric));
  for (size_t a = 0; a < l->arms; a++) {
    const struct arm_log *arm = &l->arm[a];
    const size_t stride = score ? EVALUATIONS : GRID, points = score ? arm->evaluations : GRID;
    size_t rows = 0;
    AD_TRY(ad_bands(band, arm->runs, stride, score ? arm->score : arm->value[q]));
    for (size_t i = 0; i < points; i++) {
      rows += band[i].n > 0;
    }
    if (rows == 0) {
      continue;
    }
    all++;
    if (drawn < CURVES) {
      script_add(r, &script, "$b%zu << EOD\n", drawn);
    }
    for (size_t i = 0; i < points; i++) {
      const double x = score ? arm->at[i] : ((double)i + 0.5) * l->window + 0.5;
      if (band[i].n > 0) {
        const struct trajectory_row row = {r->arm[a].name, score ? "score" : ids[q], ad_figure_of(x), band[i]};
        document_row(r->doc, &row);
        if (drawn < CURVES) {
          script_line(r, &script, x, &band[i], score ? r->scale : 1.0);
        }
      }
    }
    if (drawn < CURVES) {
      script_add(r, &script, "EOD\n");
      which[drawn++] = a;
    }
  }
  if (drawn > 0) {
    script_axis(r, &script, 'x', "step", "optimizer updates");
    script_axis(r, &script, 'y', score ? label : titles[q], score ? r->unit : units[q]);
    script_bands(r, &script, drawn, which);
    snprintf(id, sizeof id, "plot_%s", score ? "score" : ids[q]);
    snprintf(title, sizeof title, "%s over steps: median and quartiles over the runs of an arm%s.%s",
             score ? label : titles[q], !score && l->window > 1 ? ", after averaging neighbouring steps" : "",
             script_left_out(drawn, all, sizeof left_out, left_out));
    document_plot(r->doc, id, title, 820, 340, &script);
  }
  ad_buffer_destroy(&script);
  return r->doc->status;
}

static int trajectories(struct logs *l) {
  struct report *r = l->r;
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, trajectory_row, arm),
      COLUMN("quantity", "quantity", UNIT_NONE, trajectory_row, quantity),
      COLUMN("step", "step", UNIT_NONE, trajectory_row, step),
      COLUMN("runs", "runs", UNIT_NONE, trajectory_row, of.n),
      BAND_COLUMNS(trajectory_row, of.quantile)};
  document_section(
      r->doc, "trajectories", "Along training",
      "How loss, score, gradient and distance from the teacher go along, as quantiles over seeds at each step.",
      "a band as the path of a run: no run need follow it, and quantiles of different steps come from different runs.");
  if (l->without > 0 || l->cut > 0 || l->most < r->points || l->arms < r->arms) {
    document_note(r->doc,
                  "Read: at most %zu runs of each of the first %zu arms; %zu without a log, %zu left out because the "
                  "logs are larger than %d MiB together.",
                  l->most, l->arms, l->without, l->cut, MOST_LOG_BYTES >> 20);
  }
  document_table(r->doc, "trajectories", "Quantiles over runs", COLUMNS(columns));
  document_data_only(r->doc);
  AD_TRY(plot_quantity(l, LOSS));
  AD_TRY(plot_quantity(l, QUANTITIES));
  AD_TRY(plot_quantity(l, NORM));
  return plot_quantity(l, DISTANCE);
}

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
  script_add(r, script, "$b%zu << EOD\n", curve);
  for (size_t i = 0; i + 1 < arm->evaluations; i++) {
    const size_t which[2] = {i, arm->evaluations - 1};
    const size_t n = complete_scores(arm, 2, which, work);
    double *x = work + 2 * arm->runs, *y = x + arm->runs;
    for (size_t k = 0; k < n; k++) {
      x[k] = work[2 * k];
      y[k] = work[2 * k + 1];
    }
    const double share = arm->at[i] / arm->at[arm->evaluations - 1];
    struct correlation_row row = {.arm = r->arm[a].name, .step = ad_figure_of(arm->at[i]), .share = ad_figure_of(share)};
    AD_TRY(ad_spearman(&row.of, n, x, y, r->how.level));
    document_row(r->doc, &row);
    if (row.of.rho.why == NULL) {
      *there = 1;
      script_add(r, script, "%.6g %.9g\n", 100 * share, row.of.rho.value);
    }
  }
  script_add(r, script, "EOD\n");
  return r->doc->status;
}

static void plot_correlations(struct report *r, struct ad_buffer *script, size_t curves, size_t all,
                              const size_t *which) {
  char title[240], left_out[100];
  script_axis(r, script, 'x', "share of training", "%");
  script_axis(r, script, 'y', "rank correlation with the last score", "");
  script_add(r, script, "set yrange [-1:1.05]\nset xrange [0:100]\nplot 0 with lines lc rgb '#5b6775' dt 2 notitle");
  for (size_t k = 0; k < curves; k++) {
    script_add(r, script, ", $b%zu using 1:2 with linespoints ls %zu t ", k, script_style(r, which[k], k));
    script_name(r, script, r->arm[which[k]].name);
  }
  script_add(r, script, "\n");
  snprintf(title, sizeof title, "Rank correlation of mid-run and final score over the runs of an arm.%s",
           script_left_out(curves, all, sizeof left_out, left_out));
  document_plot(r->doc, "plot_early_correlation", title, 820, 340, script);
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
  document_table(r->doc, "early_correlation", "Rank correlation of the score at a step with the last one",
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
    document_note(r->doc, "%s: plans that stop early are not available: %s.", r->arm[a].name,
                  points < 2 ? "the runs were scored at their end only (eval.every)"
                             : "needs at least 2 runs with all their evaluations");
    return r->doc->status;
  }
  const struct ad_resampling how = {r->how.seed, PLAN_REPLICATES, r->how.level};
  AD_TRY(ad_early_frontier(plan, plain, budgets, n, points, work, share, !r->falls, &how));
  const int draw = *curves < CURVES;
  if (draw) {
    script_add(r, script, "$b%zu << EOD\n", *curves);
  }
  for (size_t b = 0; b < budgets; b++) {
    if (draw) {
      script_add(r, script, "%zu %.9g %.9g\n", b + 1, plan[b].expected.value * r->scale,
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
    document_row(r->doc, &row);
  }
  if (draw) {
    script_add(r, script, "EOD\n");
    which_arm[*curves] = a;
  }
  *curves += 1;
  return r->doc->status;
}

static void plot_frontier(struct report *r, struct ad_buffer *script, size_t all, const size_t *which) {
  const size_t curves = all < CURVES ? all : CURVES;
  char title[240], left_out[100];
  script_axis(r, script, 'x', "budget", "whole trainings");
  script_axis(r, script, 'y', "expected last score of the best run", r->unit);
  script_add(r, script, "set xtics 1\nset xrange [0.8:*]\n");
  for (size_t k = 0; k < curves; k++) {
    const size_t style = script_style(r, which[k], k);
    script_add(r, script, "%s$b%zu using 1:2 with linespoints ls %zu t ", k == 0 ? "plot " : ", ", k, style);
    script_name(r, script, r->arm[which[k]].name);
    script_add(r, script, ", $b%zu using 1:3 with lines ls %zu lw 1.2 dt 3 notitle", k, style);
  }
  script_add(r, script, "\n");
  snprintf(
      title, sizeof title,
      "Early-stopping frontier: the best plan that stops runs early (line) against as many runs trained to the end "
      "(dotted).%s",
      script_left_out(curves, all, sizeof left_out, left_out));
  document_plot(r->doc, "plot_early_stopping", title, 820, 340, script);
}

static int early(struct logs *l) {
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
  document_section(r->doc, "early", "Mid-run scores and stopping early",
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
    document_table(r->doc, "early_stopping", "Expected final score of the best run for a budget",
                   COLUMNS(columns));
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

static void choose_window(struct logs *l) {
  const struct report *r = l->r;
  uint64_t steps = 1;
  for (size_t i = 0; i < r->study->count; i++) {
    steps = r->cells->records[i].steps > steps ? r->cells->records[i].steps : steps;
  }
  l->window = ceil((double)steps / GRID);
}

int report_logs(struct report *r) {
  struct logs l = {.r = r, .most = report_share(r, LOGS, LOGS)};
  l.arms = r->arms < LOGS / 2 ? r->arms : LOGS / 2;
  l.arm = ad_calloc(l.arms, sizeof *l.arm);
  int status = l.arm == NULL ? ad_fail_memory(l.arms * sizeof *l.arm, "logs") : AD_OK;
  choose_window(&l);
  for (size_t a = 0; a < l.arms && status == AD_OK; a++) {
    status = read_arm(&l, a);
  }
  status = status == AD_OK ? trajectories(&l) : status;
  status = status == AD_OK ? early(&l) : status;
  for (size_t a = 0; l.arm != NULL && a < l.arms; a++) {
    for (size_t q = 0; q < QUANTITIES; q++) {
      ad_free(l.arm[a].value[q]);
    }
    ad_free(l.arm[a].score);
  }
  ad_free(l.arm);
  return status;
}
