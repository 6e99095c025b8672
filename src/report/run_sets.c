/* What a run's predictions on dev are like where a label is a set of classes, from the logits that it kept. */
#include <inttypes.h>
#include <stdio.h>

#include "autodidact/base/status.h"
#include "run_view.h"

enum { DRAWN = 40 /* classes of a picture */ };

struct set_row {
  const char *run, *class_name;
  uint64_t support, predicted;
  struct ad_figure precision, recall, f1, average_precision;
};

static struct set_row set_row(const struct run_view *v, uint32_t c, char name[200]) {
  const struct ad_metrics *m = &v->counts.metrics;
  return (struct set_row){.run = v->name,
                          .class_name = ad__run_class(v, c, name),
                          .support = m->labels[c],
                          .predicted = m->predictions[c],
                          .precision = ad_figure_of(ad_metrics_precision(m, c)),
                          .recall = ad_figure_of(ad_metrics_recall(m, c)),
                          .f1 = ad_figure_of(ad_metrics_f1(m, c)),
                          .average_precision = ad_figure_of(v->counts.average_precision[c])};
}

/* F1 and average precision of each class, in a row of its own. */
static void draw_classes(struct run_views *views, size_t k) {
  const struct run_view *v = &views->view[k];
  const uint32_t C = v->counts.metrics.classes;
  struct picture p = {
      .width = 560, .above = 1, .x = {.label = "F1, and average precision", .low = -0.02, .high = 1.02}};
  char name[200], id[60], title[500];
  if (C > DRAWN) {
    ad__document_note(views->doc, "%s: %" PRIu32 " classes are too many for a picture; the table has them.", v->name,
                      C);
    return;
  }
  for (uint32_t c = 0; c < C; c++) {
    const struct set_row row = set_row(v, c, name);
    const double y = ad__picture_row(&p, row.class_name), f1 = row.f1.value, ap = row.average_precision.value;
    ad__picture_mark(&p, PICTURE_EDGE, 0, f1, y, ap, y);
    ad__picture_mark(&p, PICTURE_MEAN, 1, f1, y, f1, y);
    ad__picture_title(&p, "%s: F1 %.4f (%" PRIu64 " texts)", row.class_name, f1, row.support);
    ad__picture_mark(&p, PICTURE_MEAN, 2, ap, y, ap, y);
    ad__picture_title(&p, "%s: average precision %.4f", row.class_name, ap);
  }
  ad__picture_name(&p, 1, "F1 at the threshold");
  ad__picture_name(&p, 2, "average precision");
  snprintf(id, sizeof id, "plot_sets_%zu", k + 1);
  snprintf(title, sizeof title, "%s: F1 and average precision of each class.", v->name);
  ad__document_picture(views->doc, id, title, "The table of classes has the same numbers.", &p);
}

static void class_table(struct run_views *views) {
  static const struct document_column columns[] = {
      COLUMN("run", "run", UNIT_NONE, set_row, run),
      COLUMN("class", "class", UNIT_NONE, set_row, class_name),
      COLUMN("support", "texts", UNIT_NONE, set_row, support),
      COLUMN("predicted", "predicted", UNIT_NONE, set_row, predicted),
      COLUMN("precision", "precision", UNIT_PERCENT, set_row, precision),
      COLUMN("recall", "recall", UNIT_PERCENT, set_row, recall),
      COLUMN("f1", "F1", UNIT_PERCENT, set_row, f1),
      COLUMN("average_precision", "average precision", UNIT_PERCENT, set_row, average_precision)};
  ad__document_table(views->doc, "sets", "Each class", RUN_COLUMNS(views, columns));
  for (size_t k = 0; k < views->count; k++) {
    const struct run_view *v = &views->view[k];
    for (uint32_t c = 0; ad__run_has(v, RUN_OF_SETS) && v->logits.N > 0 && c < v->counts.metrics.classes; c++) {
      char name[200];
      const struct set_row row = set_row(v, c, name);
      ad__document_row(views->doc, &row);
    }
  }
}

int ad__run_sets(struct run_views *views) {
  size_t there = 0;
  ad__document_section(views->doc, "sets", "How it tells each class",
                       "A label is a set of classes, so each class is a question of its own. F1 is at the threshold "
                       "that the scores on dev are of; average precision needs none.",
                       "a class with few texts: its figures then rest on a handful of them.");
  ad__document_side_by_side(views->doc);
  for (size_t k = 0; k < views->count; k++) {
    const struct run_view *v = &views->view[k];
    if (ad__run_has_logits(views, v, RUN_OF_SETS, "its labels are no sets of classes",
                           "shows each class of any labelled file")) {
      ad__document_note(views->doc, "%s: a class is predicted where its probability is at least %.4g.", v->name,
                        v->counts.scores.threshold);
      draw_classes(views, k);
      there++;
    }
  }
  if (there > 0) {
    class_table(views);
  }
  return views->doc->status;
}
