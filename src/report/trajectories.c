/* The section on what goes along training. */
#include <stdio.h>

#include "autodidact/base/status.h"
#include "autodidact/statistics/trajectory.h"
#include "logs.h"

struct trajectory_row {
  const char *arm, *quantity;
  struct ad_figure step; /* the middle of some */
  struct ad_band of;
};

/* Bands of one quantity (q < STUDY_QUANTITIES) or of the score (q = STUDY_QUANTITIES). */
static int plot_quantity(struct logs *l, size_t q) {
  struct report *r = l->r;
  const int score = q == STUDY_QUANTITIES;
  char label[120];
  snprintf(label, sizeof label, "Score on dev, %s", r->study->score->name);
  struct quantity_text text = score ? (struct quantity_text){"score", label, r->unit} : ad__quantities[q];
  if (q == QUANTITY_LOSS && r->task != NULL) {
    text.unit = ad__units[ad__score_unit(&r->task->scores[r->task->score_count - 1])].name;
  }
  struct picture p = {.width = 820, .height = 340, .x = {.label = "step", .unit = "optimizer updates"}};
  struct ad_band band[GRID];
  double x[GRID];
  size_t drawn = 0, all = 0;
  char id[60], title[320], left_out[100];
  int status = AD_OK;
  for (size_t a = 0; a < l->arms && status == AD_OK; a++) {
    const struct arm_log *arm = &l->arm[a];
    const size_t stride = score ? EVALUATIONS : GRID, points = score ? arm->evaluations : GRID;
    size_t rows = 0;
    status = ad_bands(band, arm->runs, stride, score ? arm->score : arm->value[q]);
    for (size_t i = 0; i < points && status == AD_OK; i++) {
      rows += band[i].n > 0;
    }
    if (rows == 0) {
      continue;
    }
    all++;
    for (size_t i = 0; i < points; i++) {
      x[i] = score ? arm->at[i] : ad__window_middle(l->window, i);
      if (band[i].n > 0) {
        const struct trajectory_row row = {r->arm[a].name, text.id, ad_figure_of(x[i]), band[i]};
        ad__document_row(r->doc, &row);
      }
    }
    if (drawn < CURVES) {
      ad__draw_bands(r, &p, a, drawn++, points, x, band, score ? r->scale : 1.0);
    }
  }
  if (drawn > 0 && status == AD_OK) {
    p.y = (struct picture_axis){.label = text.title, .unit = text.unit};
    snprintf(id, sizeof id, "plot_%s", text.id);
    snprintf(title, sizeof title, "%s over steps: median and quartiles over the runs of an arm%s.%s", text.title,
             !score && l->window > 1 ? ", after averaging neighbouring steps" : "",
             ad__left_out(drawn, all, sizeof left_out, left_out));
    ad__document_picture(r->doc, id, title, NULL, &p);
  }
  ad__picture_destroy(&p);
  return status == AD_OK ? r->doc->status : status;
}

int ad__report_trajectories(struct logs *l) {
  struct report *r = l->r;
  static const struct document_column columns[] = {
      COLUMN("arm", "arm", UNIT_NONE, trajectory_row, arm),
      COLUMN("quantity", "quantity", UNIT_NONE, trajectory_row, quantity),
      COLUMN("step", "step", UNIT_NONE, trajectory_row, step),
      COLUMN("runs", "runs", UNIT_NONE, trajectory_row, of.n),
      BAND_COLUMNS(trajectory_row, of.quantile),
  };
  ad__document_section(
      r->doc, "trajectories", "Along training",
      "How loss, score, gradient and distance from the teacher go along, as quantiles over seeds at each step.",
      "a band as the path of a run: no run need follow it, and quantiles of different steps come from different runs.");
  if (l->without > 0 || l->damaged > 0 || l->cut > 0 || l->most < r->points || l->arms < r->arms) {
    ad__document_note(
        r->doc,
        "Read: at most %zu runs of each of the first %zu arms; %zu without a log, %zu with a log that cannot be "
        "read, %zu left out because the logs are larger than %d MiB together.",
        l->most, l->arms, l->without, l->damaged, l->cut, MOST_LOG_BYTES >> 20);
  }
  ad__document_table(r->doc, "trajectories", "Quantiles over runs", COLUMNS(columns));
  ad__document_data_only(r->doc);
  AD_TRY(plot_quantity(l, QUANTITY_LOSS));
  AD_TRY(plot_quantity(l, STUDY_QUANTITIES));
  AD_TRY(plot_quantity(l, QUANTITY_NORM));
  return plot_quantity(l, QUANTITY_DISTANCE);
}
