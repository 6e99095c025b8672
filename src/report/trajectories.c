/* The section on what goes along training. */
#include <stdio.h>

#include "autodidact/base/status.h"
#include "autodidact/statistics/trajectory.h"
#include "logs.h"

static const char *const titles[QUANTITIES] = {"Training loss", "Norm of the gradient",
                                               "Distance of the logits from the teacher's"};
static const char *const units[QUANTITIES] = {"nats", "", ""};
static const char *const ids[QUANTITIES] = {"loss", "gradient_norm", "teacher_distance"};

struct trajectory_row {
  const char *arm, *quantity;
  struct ad_figure step; /* the middle of some */
  struct ad_band of;
};

static void script_line(struct report *r, struct ad_buffer *script, double x, const struct ad_band *band,
                        double scale) {
  ad__script_add(r, script, "%.9g", x);
  for (size_t q = 0; q < AD_BAND_QUANTILES; q++) {
    ad__script_add(r, script, " %.9g", band->quantile[q].value * scale);
  }
  ad__script_add(r, script, "\n");
}

/* Bands of one quantity (q < QUANTITIES) or of the score (q = QUANTITIES). */
static int plot_quantity(struct logs *l, size_t q) {
  struct report *r = l->r;
  const int score = q == QUANTITIES;
  struct ad_buffer script = {0};
  struct ad_band band[GRID];
  size_t which[CURVES], drawn = 0, all = 0;
  char id[60], title[320], label[120], left_out[100];
  snprintf(label, sizeof label, "Score on dev, %s", r->study->score->name);
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
      ad__script_add(r, &script, "$b%zu << EOD\n", drawn);
    }
    for (size_t i = 0; i < points; i++) {
      const double x = score ? arm->at[i] : ((double)i + 0.5) * l->window + 0.5;
      if (band[i].n > 0) {
        const struct trajectory_row row = {r->arm[a].name, score ? "score" : ids[q], ad_figure_of(x), band[i]};
        ad__document_row(r->doc, &row);
        if (drawn < CURVES) {
          script_line(r, &script, x, &band[i], score ? r->scale : 1.0);
        }
      }
    }
    if (drawn < CURVES) {
      ad__script_add(r, &script, "EOD\n");
      which[drawn++] = a;
    }
  }
  if (drawn > 0) {
    ad__script_axis(r, &script, 'x', "step", "optimizer updates");
    ad__script_axis(r, &script, 'y', score ? label : titles[q], score ? r->unit : units[q]);
    ad__script_bands(r, &script, drawn, which);
    snprintf(id, sizeof id, "plot_%s", score ? "score" : ids[q]);
    snprintf(title, sizeof title, "%s over steps: median and quartiles over the runs of an arm%s.%s",
             score ? label : titles[q], !score && l->window > 1 ? ", after averaging neighbouring steps" : "",
             ad__script_left_out(drawn, all, sizeof left_out, left_out));
    ad__document_plot(r->doc, id, title, 820, 340, &script);
  }
  ad_buffer_destroy(&script);
  return r->doc->status;
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
  AD_TRY(plot_quantity(l, QUANTITIES));
  AD_TRY(plot_quantity(l, QUANTITY_NORM));
  return plot_quantity(l, QUANTITY_DISTANCE);
}
