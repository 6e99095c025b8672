/* The section on what the arms cost. */
#include <math.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/teacher.h"
#include "report_internal.h"

struct cost_row {
  const char *arm;
  size_t runs;
  struct ad_figure steps, products, of_products, seconds, core_seconds, of_seconds, score;
};

/* Forwards of an example in a step, a backward being two: nearly all products of matrices are in these. */
static int forwards_a_step(const struct report *r, size_t a, double *forwards) {
  struct ad_config c;
  AD_TRY(ad_study_config(r->study, &r->study->cells[r->arm[a].runs[0].cell], &c));
  const struct ad_teacher_settings teacher = {.method = c.teacher_method, .window = c.teacher_window};
  *forwards = (double)c.batch_size * ad_teacher_passes(&teacher);
  ad_config_destroy(&c);
  return AD_OK;
}

/* Means over the finished runs of an arm. */
static int cost_row(const struct report *r, size_t a, struct cost_row *row) {
  static const char none[] = "no finished runs", unknown[] = "the runs did not record it";
  double steps = 0.0, seconds = 0.0, all = 0.0, forwards = 0.0;
  struct report_mean mean;
  *row = (struct cost_row){.arm = r->arm[a].name};
  for (size_t k = 0; k < r->points; k++) {
    const struct ad_cell_record *record = &r->cells->records[r->arm[a].runs[k].cell];
    if (record->state == AD_CELL_DONE) {
      row->runs++;
      steps += (double)record->step;
      seconds += record->seconds;
      all += record->seconds * (double)record->ranks;
    }
  }
  const double n = (double)row->runs;
  AD_TRY(ad__report_arm_mean(r, a, &mean));
  AD_TRY(forwards_a_step(r, a, &forwards));
  row->score = mean.of.mean;
  row->steps = row->runs == 0 ? ad_figure_none(none) : ad_figure_of(steps / n);
  row->products = row->runs == 0 ? row->steps : ad_figure_of(steps / n * forwards);
  row->seconds = row->runs == 0 ? ad_figure_none(none)
                 : seconds > 0  ? ad_figure_of(seconds / n)
                                : ad_figure_none(unknown);
  row->core_seconds = row->seconds.why != NULL ? row->seconds : ad_figure_of(all / n);
  return AD_OK;
}

enum { COST_POINTS = 40 };

static void plot_cost(struct report *r, const struct cost_row *rows) {
  struct picture p = {.width = 820,
                      .height = 400,
                      .x = {.label = "products of a run, in forwards of an example"},
                      .y = {.label = r->metric, .unit = r->unit}};
  size_t drawn = 0;
  for (size_t a = 0; a < r->arms && drawn < COST_POINTS; a++) {
    if (rows[a].products.why == NULL && rows[a].score.why == NULL) {
      const double x = rows[a].products.value, y = rows[a].score.value * r->scale;
      ad__picture_mark(&p, PICTURE_MEAN, 1, x, y, x, y);
      ad__picture_title(&p, "%s: %.3g, %.4g %s", rows[a].arm, x, y, r->unit);
      ad__picture_mark(&p, PICTURE_LABEL, 0, x, y, x, y);
      ad__picture_title(&p, "%s", rows[a].arm);
      drawn++;
    }
  }
  if (drawn > 1) {
    ad__document_picture(r->doc, "plot_cost", "Mean score of each arm against the products of matrices of a run.", NULL,
                         &p);
  }
  ad__picture_destroy(&p);
}

static struct ad_figure quotient(struct ad_figure own, struct ad_figure base) {
  return own.why != NULL ? own : base.why != NULL ? base : ad_figure_of(own.value / base.value);
}

int ad__report_cost(struct report *r) {
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, cost_row, arm),
      COLUMN("runs", "runs", UNIT_NONE, cost_row, runs),
      COLUMN("steps", "steps", UNIT_NONE, cost_row, steps),
      COLUMN("products", "products, in forwards of an example", UNIT_NONE, cost_row, products),
      COLUMN("relative_products", "of the baseline", UNIT_PERCENT, cost_row, of_products),
      COLUMN("seconds", "seconds", UNIT_NONE, cost_row, seconds),
      COLUMN("rank_seconds", "rank seconds", UNIT_NONE, cost_row, core_seconds),
      COLUMN("relative", "of the baseline", UNIT_PERCENT, cost_row, of_seconds),
      COLUMN("score", "mean", UNIT_SCORE, cost_row, score)};
  ad__document_section(
      r->doc, "cost", "What the arms cost",
      "Mean work of a finished run: steps; products of matrices in training, where a backward is two forwards; and "
      "seconds, times ranks too, with evaluations and stops.",
      "seconds of runs that shared a machine with others, or ran on different ones; products of arms whose models or "
      "lengths of texts differ. An arm that costs more is compared fairly with one of as much compute (compute: 4/3).");
  struct cost_row *rows = ad_calloc(r->arms, sizeof *rows);
  int status = rows == NULL ? ad_fail_memory(r->arms * sizeof *rows, "the cost of arms") : AD_OK;
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    status = cost_row(r, a, &rows[a]);
  }
  if (status == AD_OK) {
    plot_cost(r, rows);
    ad__document_table(r->doc, "cost", "Means of the finished runs of each arm", COLUMNS(columns));
  }
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    const struct cost_row *base = &rows[r->arm[a].baseline];
    rows[a].of_seconds = quotient(rows[a].core_seconds, base->core_seconds);
    rows[a].of_products = quotient(rows[a].products, base->products);
    ad__document_row(r->doc, &rows[a]);
  }
  ad_free(rows);
  return status == AD_OK ? r->doc->status : status;
}
