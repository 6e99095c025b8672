/* What a run's predictions on dev are like, from the logits that it kept: which classes it takes for which, and whether
 * its probabilities are right. */
#include <inttypes.h>
#include <stdio.h>

#include "autodidact/base/status.h"
#include "autodidact/statistics/calibration.h"
#include "autodidact/statistics/summary.h"
#include "run_view.h"

enum {
  DRAWN = 20 /* classes of a picture */,
  COUNTED = 10 /* that have room for numbers */,
  FRAME = 70,
  TALL = 48 /* pixels around the rows, of a row */
};

static int has_logits(struct run_views *views, const struct run_view *v) {
  return ad__run_has_logits(views, v, RUN_OF_CLASSES,
                            ad__run_has(v, RUN_OF_SETS) ? "its labels are sets of classes" : "its task has no classes",
                            "shows the confusion matrix of any labelled file");
}

/* ---- Classes ---- */

struct class_row {
  const char *run, *class_name;
  uint64_t support;
  struct ad_figure precision, recall, f1;
};

static void class_rows(struct run_views *views, const struct run_view *v) {
  const struct ad_metrics *m = &v->counts.metrics;
  for (uint32_t c = 0; c < m->classes; c++) {
    char name[200];
    const struct class_row row = {v->name,
                                  ad__run_class(v, c, name),
                                  m->labels[c],
                                  ad_figure_of(ad_metrics_precision(m, c)),
                                  ad_figure_of(ad_metrics_recall(m, c)),
                                  ad_figure_of(ad_metrics_f1(m, c))};
    ad__document_row(views->doc, &row);
  }
}

struct confused_row {
  const char *run, *label, *prediction;
  uint64_t count;
};

/* Every pair of label and prediction that occurs, the wrong ones first. */
static void confused_rows(struct run_views *views, struct run_view *v) {
  struct ad_confusion *confusion = &v->counts.confusion;
  ad_confusion_rank(confusion);
  for (size_t i = 0; i < confusion->count; i++) {
    const struct ad_confused *pair = &confusion->items[i];
    char label[200], prediction[200];
    const struct confused_row row = {v->name, ad__run_class(v, pair->label, label),
                                     ad__run_class(v, pair->prediction, prediction), pair->count};
    ad__document_row(views->doc, &row);
  }
}

/* A cell of the matrix: as dark as its share of the label's examples. */
static void draw_cell(struct picture *p, const struct run_view *v, const struct ad_confused *pair) {
  static const double DARKEST = 0.75, HALF = 0.46;
  const uint64_t support = v->counts.metrics.labels[pair->label];
  const double share = (double)pair->count / (double)(support > 0 ? support : 1);
  const double x = pair->prediction, y = pair->label;
  char label[200], prediction[200];
  ad__picture_mark(p, PICTURE_CELL, pair->label == pair->prediction ? 1 : 2, x - HALF, y - HALF, x + HALF, y + HALF);
  ad__picture_share(p, 0.08 + DARKEST * share);
  ad__picture_title(p, "%s taken for %s: %" PRIu64 " of %" PRIu64 " (%.1f %%)", ad__run_class(v, pair->label, label),
                    ad__run_class(v, pair->prediction, prediction), pair->count, support, 100.0 * share);
}

static void draw_confusion(struct run_views *views, size_t k) {
  const struct run_view *v = &views->view[k];
  const struct ad_confusion *confusion = &v->counts.confusion;
  const uint32_t C = v->counts.metrics.classes;
  struct picture p = {
      .width = 560,
      .x = {.label = "predicted class, by the number of its row", .whole = 1, .low = -0.6, .high = C - 0.4}};
  char name[200], row[240], id[60], title[500];
  if (C <= COUNTED) {
    p.height = FRAME + TALL * (double)C;
  }
  if (C > DRAWN) {
    ad__document_note(views->doc, "%s: %" PRIu32 " classes are too many for a picture; the tables have them.", v->name,
                      C);
    return;
  }
  for (uint32_t c = 0; c < C; c++) {
    snprintf(row, sizeof row, "%" PRIu32 " %s", c, ad__run_class(v, c, name));
    ad__picture_row(&p, row);
  }
  for (size_t i = 0; i < confusion->count; i++) {
    draw_cell(&p, v, &confusion->items[i]);
  }
  for (size_t i = 0; C <= COUNTED && i < confusion->count; i++) {
    const struct ad_confused *pair = &confusion->items[i];
    ad__picture_mark(&p, PICTURE_COUNT, 0, pair->prediction, pair->label, pair->prediction, pair->label);
    ad__picture_title(&p, "%" PRIu64, pair->count);
  }
  snprintf(id, sizeof id, "plot_confusion_%zu", k + 1);
  snprintf(title, sizeof title,
           "%s: labels in rows, predictions in columns; as dark as the share of the label's examples.", v->name);
  ad__document_picture(views->doc, id, title,
                       "Rows are labels, columns are predictions. The table of confusions has the same numbers.", &p);
}

int ad__run_classes(struct run_views *views) {
  static const struct document_column classes[] = {COLUMN("run", "run", UNIT_NONE, class_row, run),
                                                   COLUMN("class", "class", UNIT_NONE, class_row, class_name),
                                                   COLUMN("support", "examples", UNIT_NONE, class_row, support),
                                                   COLUMN("precision", "precision", UNIT_PERCENT, class_row, precision),
                                                   COLUMN("recall", "recall", UNIT_PERCENT, class_row, recall),
                                                   COLUMN("f1", "F1", UNIT_PERCENT, class_row, f1)};
  static const struct document_column pairs[] = {
      COLUMN("run", "run", UNIT_NONE, confused_row, run), COLUMN("label", "label", UNIT_NONE, confused_row, label),
      COLUMN("prediction", "prediction", UNIT_NONE, confused_row, prediction),
      COLUMN("count", "examples", UNIT_NONE, confused_row, count)};
  ad__document_section(views->doc, "confusion", "Which classes it takes for which",
                       "The confusion matrix on dev of the parameters that the scores are of, from the logits in the "
                       "run's folder.",
                       "a class with few examples: its precision and recall then rest on a handful of texts.");
  ad__document_side_by_side(views->doc);
  size_t there = 0;
  for (size_t k = 0; k < views->count; k++) {
    if (has_logits(views, &views->view[k])) {
      draw_confusion(views, k);
      there++;
    }
  }
  if (there == 0) {
    return views->doc->status;
  }
  ad__document_table(views->doc, "classes", "Each class", RUN_COLUMNS(views, classes));
  for (size_t k = 0; k < views->count; k++) {
    class_rows(views, &views->view[k]);
  }
  ad__document_table(views->doc, "confusions", "Labels and predictions, the confusions first",
                     RUN_COLUMNS(views, pairs));
  for (size_t k = 0; k < views->count; k++) {
    confused_rows(views, &views->view[k]);
  }
  return views->doc->status;
}

/* ---- Calibration ---- */

struct calibration_row {
  const char *run;
  uint64_t examples;
  struct ad_figure nll, brier, ece;
};

struct bin_row {
  const char *run;
  struct ad_interval of;
  uint64_t examples;
  struct ad_figure confidence, accuracy;
  struct ad_interval interval;
};

static struct bin_row bin_row(const struct run_view *v, const struct ad_calibration_bin *bins, size_t i) {
  static const double LEVEL = 0.95;
  const struct ad_calibration_bin *bin = &bins[i];
  return (struct bin_row){.run = v->name,
                          .of = ad_interval_of((double)i / AD_CALIBRATION_BINS, (double)(i + 1) / AD_CALIBRATION_BINS),
                          .examples = (uint64_t)bin->count,
                          .confidence = ad_figure_of(bin->confidence / bin->count),
                          .accuracy = ad_figure_of(bin->right / bin->count),
                          .interval = ad_wilson(bin->right, (size_t)bin->count, LEVEL)};
}

/* The share of right answers over the mean probability, bin by bin, with 95 % intervals. */
static void draw_bins(struct run_views *views, struct picture *p, size_t k, const struct ad_calibration_bin *bins) {
  const struct run_view *v = &views->view[k];
  const size_t colour = ad__run_colour(k);
  ad__picture_path(p, PICTURE_LINE, colour);
  ad__picture_title(p, "%s", v->name);
  for (size_t i = 0; i < AD_CALIBRATION_BINS; i++) {
    if (bins[i].count > 0.0) {
      ad__picture_to(p, bins[i].confidence / bins[i].count, bins[i].right / bins[i].count, 0.0);
    }
  }
  for (size_t i = 0; i < AD_CALIBRATION_BINS; i++) {
    const struct bin_row row = bin_row(v, bins, i);
    if (bins[i].count > 0.0) {
      const double x = row.confidence.value, y = row.accuracy.value;
      ad__picture_mark(p, PICTURE_EDGE, colour, x, row.interval.low, x, row.interval.high);
      ad__picture_mark(p, PICTURE_MEAN, colour, x, y, x, y);
      ad__picture_title(p,
                        "%s: %.0f examples with a mean probability of %.3f, %.3f of them right (95 %%: %.3f to %.3f)",
                        v->name, bins[i].count, x, y, row.interval.low, row.interval.high);
    }
  }
  if (ad__several(views)) {
    ad__picture_name(p, colour, v->name);
  }
}

/* What the section has of each run that kept its logits. */
struct calibrations {
  struct ad_calibration of[AD_REPORT_RUNS];
  struct ad_calibration_bin bin[AD_REPORT_RUNS][AD_CALIBRATION_BINS];
};

static void calibration_table(struct run_views *views, const struct calibrations *c) {
  static const struct document_column columns[] = {COLUMN("run", "run", UNIT_NONE, calibration_row, run),
                                                   COLUMN("examples", "examples", UNIT_NONE, calibration_row, examples),
                                                   COLUMN("nll", "log loss", UNIT_NATS, calibration_row, nll),
                                                   COLUMN("brier", "Brier score", UNIT_NONE, calibration_row, brier),
                                                   COLUMN("ece", "ECE", UNIT_PERCENT, calibration_row, ece)};
  ad__document_table(views->doc, "calibration", "Calibration on dev", RUN_COLUMNS(views, columns));
  for (size_t k = 0; k < views->count; k++) {
    const struct run_view *v = &views->view[k];
    const struct calibration_row row = {v->name, v->logits.N, c->of[k].nll, c->of[k].brier, c->of[k].ece};
    if (v->logits.N > 0 && ad__run_has(v, RUN_OF_CLASSES)) {
      ad__document_row(views->doc, &row);
    }
  }
}

static void bin_table(struct run_views *views, const struct calibrations *c) {
  static const struct document_column columns[] = {
      COLUMN("run", "run", UNIT_NONE, bin_row, run),
      COLUMN("bin", "probability", UNIT_NONE, bin_row, of),
      COLUMN("examples", "examples", UNIT_NONE, bin_row, examples),
      COLUMN("confidence", "mean probability", UNIT_NONE, bin_row, confidence),
      COLUMN("accuracy", "share of right answers", UNIT_NONE, bin_row, accuracy),
      COLUMN("interval", "95 % interval", UNIT_NONE, bin_row, interval)};
  ad__document_table(views->doc, "calibration_bins", "Bins of the reliability diagram", RUN_COLUMNS(views, columns));
  for (size_t k = 0; k < views->count; k++) {
    const int there = views->view[k].logits.N > 0 && ad__run_has(&views->view[k], RUN_OF_CLASSES);
    for (size_t i = 0; there && i < AD_CALIBRATION_BINS; i++) {
      if (c->bin[k][i].count > 0.0) {
        const struct bin_row row = bin_row(&views->view[k], c->bin[k], i);
        ad__document_row(views->doc, &row);
      }
    }
  }
}

int ad__run_calibration(struct run_views *views) {
  struct calibrations c;
  struct picture p = {.width = 560,
                      .height = 420,
                      .above = views->count < 4,
                      .x = {.label = "probability of the predicted class", .low = -0.02, .high = 1.02},
                      .y = {.label = "share of right answers", .low = -0.02, .high = 1.02}};
  size_t there = 0;
  ad__document_section(
      views->doc, "calibration", "Are its probabilities right",
      "Of examples whose predicted class gets a probability of about p, a share p should be right. ECE "
      "is the mean gap over 15 bins of p.",
      "bins with few examples, as their intervals show; ECE is not 0 for a perfect model either, "
      "least of all on few examples.");
  ad__picture_mark(&p, PICTURE_EDGE, 0, 0, 0, 1, 1);
  ad__picture_title(&p, "as it should be");
  for (size_t k = 0; k < views->count; k++) {
    const struct run_view *v = &views->view[k];
    if (has_logits(views, v)) {
      ad_calibrate_bins(&c.of[k], c.bin[k], v->logits.N, v->logits.C, v->logits.logits, v->logits.labels);
      draw_bins(views, &p, k, c.bin[k]);
      there++;
    }
  }
  if (there == 0) {
    ad__picture_destroy(&p);
    return views->doc->status;
  }
  ad__document_picture(
      views->doc, "plot_calibration",
      "Reliability: right answers over the probability that they got; the diagonal is as it should be.",
      "The table of bins has the same numbers.", &p);
  calibration_table(views, &c);
  bin_table(views, &c);
  return views->doc->status;
}
