/* Curves of runs along their steps. One run: a colour for each curve; several: one for each run. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "autodidact/learn/teacher.h"
#include "run_view.h"

enum { HEIGHT = 300 };

/* A picture of curves, and what it says in words. */
struct chart {
  struct run_views *views;
  struct picture picture;
  struct ad_buffer said;
  size_t curves;
};

/* One curve: whose, what it is beside others of the same run, its points. */
struct line {
  size_t run, colour;
  enum picture_kind kind;
  const char *what; /* "dev" */
  int dots;         /* 1: each point is seen */
  size_t count;
  double x[GRID], y[GRID];
};

/* Whether the names of several runs have room in one line above a picture. */
static int fits_above(const struct run_views *views, double width) {
  enum { SPACE = 40, LETTER = 7, LONGEST = 20, MARGINS = 90 };
  double taken = MARGINS;
  for (size_t k = 0; k < views->count; k++) {
    const size_t length = strlen(views->view[k].name);
    taken += SPACE + LETTER * (double)(length < LONGEST ? length : LONGEST);
  }
  return !ad__several(views) || taken <= width;
}

static struct chart begin(struct run_views *views, double width, const char *label, const char *unit) {
  return (struct chart){.views = views,
                        .picture = {.width = width,
                                    .height = HEIGHT,
                                    .above = fits_above(views, width),
                                    .x = {.label = "step", .unit = "optimizer updates"},
                                    .y = {.label = label, .unit = unit}}};
}

/* "a, dev", or what it is where there is one run. */
static const char *line_name(const struct chart *c, const struct line *line, char text[300]) {
  const char *run = c->views->view[line->run].name;
  const int several = ad__several(c->views);
  snprintf(text, 300, "%s%s%s", several ? run : "", several && line->what[0] != '\0' ? ", " : "", line->what);
  return text;
}

static void say(struct chart *c, const struct line *line, const char *name) {
  const size_t last = line->count - 1;
  if (c->views->doc->status == AD_OK) {
    c->views->doc->status =
        ad_buffer_printf(&c->said, "%s%s%.4g at step %.0f, %.4g at step %.0f. ", name, name[0] != '\0' ? ": " : "",
                         line->y[0], line->x[0], line->y[last], line->x[last]);
  }
}

/* Draws a curve with at least one point. */
static void add(struct chart *c, const struct line *line) {
  char name[300];
  if (line->count == 0) {
    return;
  }
  line_name(c, line, name);
  ad__picture_path(&c->picture, line->kind, line->colour);
  ad__picture_title(&c->picture, "%s", name);
  for (size_t i = 0; i < line->count; i++) {
    ad__picture_to(&c->picture, line->x[i], line->y[i], 0.0);
  }
  for (size_t i = 0; i < line->count; i++) {
    ad__picture_mark(&c->picture, line->dots || line->count == 1 ? PICTURE_DOT : PICTURE_HIT, line->colour, line->x[i],
                     line->y[i], line->x[i], line->y[i]);
    ad__picture_title(&c->picture, "%s%sstep %.0f: %.6g", name, name[0] != '\0' ? ", " : "", line->x[i], line->y[i]);
  }
  if (ad__several(c->views)) {
    ad__picture_name(&c->picture, line->colour, c->views->view[line->run].name);
  } else if (line->what[0] != '\0') {
    ad__picture_name(&c->picture, line->colour, line->what);
  }
  say(c, line, name);
  c->curves++;
}

/* What is in the newest section, or at the top. Nothing where no run has a curve. */
static void end(struct chart *c, const char *id, const char *title, int lead) {
  if (c->curves == 0) {
    ad__picture_destroy(&c->picture);
  } else if (lead) {
    ad__document_lead(c->views->doc, id, title, c->said.data, &c->picture);
  } else {
    ad__document_picture(c->views->doc, id, title, c->said.data, &c->picture);
  }
  ad_buffer_destroy(&c->said);
}

/* ---- Steps ---- */

/* Learning rates are shown as they are, not as factors. */
static double scale_of(const struct run_view *v, enum quantity q) {
  return q == QUANTITY_FACTOR ? v->config.optim_lr : 1.0;
}

/* The range of each window behind the curve of a single run. */
static void add_range(struct chart *c, size_t colour, double scale, const struct log_window windows[GRID]) {
  ad__picture_path(&c->picture, PICTURE_BAND, colour);
  ad__picture_title(&c->picture, "lowest to highest of neighbouring steps");
  for (size_t i = 0; i < GRID; i++) {
    ad__picture_to(&c->picture, ad__window_middle(c->views->window, i), scale * windows[i].low,
                   scale * windows[i].high);
  }
}

static void add_quantity(struct chart *c, size_t run, enum quantity q, const char *what) {
  const struct run_view *v = &c->views->view[run];
  struct log_window windows[GRID];
  struct line line = {.run = run, .colour = ad__run_colour(run), .kind = PICTURE_LINE, .what = what};
  ad__log_windows(&v->log, c->views->window, q, windows);
  for (size_t i = 0; i < GRID; i++) {
    if (isfinite(windows[i].mean)) {
      line.x[line.count] = ad__window_middle(c->views->window, i);
      line.y[line.count++] = scale_of(v, q) * windows[i].mean;
    }
  }
  if (!ad__several(c->views) && c->views->window > 1.0 && line.count > 0) {
    add_range(c, line.colour, scale_of(v, q), windows);
  }
  add(c, &line);
}

static void plot_quantity(struct run_views *views, enum quantity q) {
  const struct quantity_text *text = &ad__quantities[q];
  struct chart c = begin(views, 560, text->title, "");
  char id[60], title[200];
  for (size_t k = 0; k < views->count; k++) {
    add_quantity(&c, k, q, "");
  }
  snprintf(id, sizeof id, "plot_%s", text->id);
  snprintf(title, sizeof title, "%s%s.", text->title,
           views->window > 1.0 ? ", means of neighbouring steps" : " in each step");
  end(&c, id, title, 0);
}

/* ---- Evaluations ---- */

/* The variant's values of a score, at most GRID of them, the last one among these. */
static void take_score(const struct run_view *v, enum ad_variant variant, const char *name, double scale,
                       struct line *line) {
  size_t all = 0, seen = 0;
  for (size_t i = 0; i < v->log.evaluation_count; i++) {
    all += v->log.evaluations[i].model == variant;
  }
  const size_t take = all < GRID ? all : GRID;
  for (size_t i = 0; i < v->log.evaluation_count; i++) {
    const struct ad_evaluation_row *row = &v->log.evaluations[i];
    if (row->model != variant) {
      continue;
    }
    const double value = ad_scores_get(&row->scores, name);
    const size_t before = seen++;
    if (isfinite(value) && seen * take / all > before * take / all) {
      line->x[line->count] = (double)row->step;
      line->y[line->count++] = scale * value;
    }
  }
}

/* Of a single run all variants, from colour `first` on; of several the one that is the result. */
static void add_score(struct chart *c, size_t run, const struct ad_score *score, size_t first, const char *prefix) {
  const struct run_view *v = &c->views->view[run];
  const double scale = ad__units[ad__score_unit(score)].scale;
  for (enum ad_variant variant = 0; variant < AD_VARIANTS; variant++) {
    char what[60];
    const int result = variant == v->config.run_result, several = ad__several(c->views);
    struct line line = {.run = run, .kind = prefix[0] != '\0' ? PICTURE_DASHED : PICTURE_LINE, .what = what, .dots = 1};
    snprintf(what, sizeof what, "%s%s", prefix, several ? "" : ad_variant_name(variant));
    line.colour = several ? ad__run_colour(run) : first + variant;
    if (result || !several) {
      take_score(v, variant, score->name, scale, &line);
      add(c, &line);
    }
  }
}

/* The task of the first run that has scores; NULL: none has. */
static const struct ad_task *task_of(const struct run_views *views) {
  const struct ad_task *task = NULL;
  for (size_t k = 0; k < views->count && task == NULL; k++) {
    task = views->view[k].log.evaluation_count > 0 ? views->view[k].log.evaluations[0].scores.task : NULL;
  }
  return task;
}

static void plot_score(struct run_views *views, const struct ad_score *score, int lead) {
  char label[120], id[60], title[200];
  snprintf(label, sizeof label, "%s on dev", score->title);
  struct chart c = begin(views, lead ? 470 : 560, label, ad__units[ad__score_unit(score)].name);
  for (size_t k = 0; k < views->count; k++) {
    add_score(&c, k, score, 1, "");
  }
  snprintf(id, sizeof id, "plot_dev_%s", score->name);
  snprintf(title, sizeof title, "On dev: %s; %s is better.", score->title,
           score->better == AD_BETTER_DOWN ? "lower" : "higher");
  end(&c, id, title, lead);
}

/* Loss in training and on dev, and the score that selects. */
static void plot_lead(struct run_views *views, const struct ad_task *task) {
  const struct ad_score *loss = task == NULL ? NULL : &task->scores[task->score_count - 1];
  struct chart c = begin(views, 620, "Loss", loss == NULL ? "" : ad__units[ad__score_unit(loss)].name);
  for (size_t k = 0; k < views->count; k++) {
    add_quantity(&c, k, QUANTITY_LOSS, "train");
    if (loss != NULL) {
      add_score(&c, k, loss, 2, "dev ");
    }
  }
  char title[200];
  snprintf(title, sizeof title, "Loss in training%s, and on dev (dashed).",
           views->window > 1.0 ? ", means of neighbouring steps" : "");
  end(&c, "plot_loss", title, 1);
  if (task != NULL) {
    plot_score(views, &task->scores[0], 1);
  }
}

int ad__run_lead(struct run_views *views) {
  plot_lead(views, task_of(views));
  return views->doc->status;
}

/* ---- Tables ---- */

struct curve_row {
  const char *run, *quantity;
  struct ad_figure step, mean, low, high;
};

static void curve_table(struct run_views *views) {
  static const struct document_column columns[] = {COLUMN("run", "run", UNIT_NONE, curve_row, run),
                                                   COLUMN("quantity", "quantity", UNIT_NONE, curve_row, quantity),
                                                   COLUMN("step", "step", UNIT_NONE, curve_row, step),
                                                   COLUMN("mean", "mean", UNIT_NONE, curve_row, mean),
                                                   COLUMN("lowest", "lowest", UNIT_NONE, curve_row, low),
                                                   COLUMN("highest", "highest", UNIT_NONE, curve_row, high)};
  struct log_window w[GRID];
  ad__document_table(views->doc, "curves", "Points of the curves of steps", RUN_COLUMNS(views, columns));
  ad__document_data_only(views->doc);
  for (size_t k = 0; k < views->count; k++) {
    const struct run_view *v = &views->view[k];
    for (enum quantity q = 0; q < QUANTITIES; q++) {
      const double scale = scale_of(v, q);
      ad__log_windows(&v->log, views->window, q, w);
      for (size_t i = 0; i < GRID; i++) {
        if (isfinite(w[i].mean)) {
          const struct curve_row row = {v->name,
                                        ad__quantities[q].id,
                                        ad_figure_of(ad__window_middle(views->window, i)),
                                        ad_figure_of(scale * w[i].mean),
                                        ad_figure_of(scale * w[i].low),
                                        ad_figure_of(scale * w[i].high)};
          ad__document_row(views->doc, &row);
        }
      }
    }
  }
}

struct score_row {
  const char *run, *model;
  uint64_t step, epoch, examples;
  struct ad_figure score[AD_MOST_SCORES];
};

/* Every evaluation; the columns are the scores of the first run's task. */
static void score_table(struct run_views *views, const struct ad_task *task) {
  struct document_column columns[5 + AD_MOST_SCORES] = {
      COLUMN("run", "run", UNIT_NONE, score_row, run), COLUMN("model", "parameters", UNIT_NONE, score_row, model),
      COLUMN("step", "step", UNIT_NONE, score_row, step), COLUMN("epoch", "epoch", UNIT_NONE, score_row, epoch),
      COLUMN("examples", "examples", UNIT_NONE, score_row, examples)};
  for (size_t i = 0; i < task->score_count; i++) {
    const struct ad_score *score = &task->scores[i];
    columns[5 + i] = (struct document_column)COLUMN(score->name, score->title, UNIT_NONE, score_row, score[0]);
    columns[5 + i].unit = ad__score_unit(score);
    columns[5 + i].offset += i * sizeof(struct ad_figure);
  }
  ad__document_table(views->doc, "evaluations", "Evaluations on dev", 5 + task->score_count - !ad__several(views),
                     columns + !ad__several(views));
  for (size_t k = 0; k < views->count; k++) {
    const struct ad_run_log *log = &views->view[k].log;
    for (size_t e = 0; e < log->evaluation_count; e++) {
      const struct ad_evaluation_row *at = &log->evaluations[e];
      struct score_row row = {.run = views->view[k].name,
                              .model = ad_variant_name(at->model),
                              .step = at->step,
                              .epoch = at->epoch,
                              .examples = at->scores.examples};
      for (size_t i = 0; i < task->score_count; i++) {
        const double value = ad_scores_get(&at->scores, task->scores[i].name);
        row.score[i] = isfinite(value) ? ad_figure_of(value) : ad_figure_none("not a number, or of another task");
      }
      ad__document_row(views->doc, &row);
    }
  }
}

int ad__run_curves(struct run_views *views) {
  const struct ad_task *task = task_of(views);
  ad__document_section(views->doc, "training", "Along training",
                       "Each step's numbers as log.jsonl has them, and the scores of every evaluation on dev.",
                       "a single run's curve as that of the method: another seed gives another one, and a study shows "
                       "how much another.");
  ad__document_side_by_side(views->doc);
  for (size_t i = 1; task != NULL && i + 1 < task->score_count; i++) {
    if (task->heads == NULL || task->scores[i].brief) { /* of several tasks one figure each */
      plot_score(views, &task->scores[i], 0);
    }
  }
  plot_quantity(views, QUANTITY_NORM);
  plot_quantity(views, QUANTITY_FACTOR);
  plot_quantity(views, QUANTITY_DISTANCE);
  if (task == NULL) {
    ad__document_note(views->doc, "No evaluations: the data have no dev split, or none has been reached yet.");
  } else {
    score_table(views, task);
  }
  curve_table(views);
  return views->doc->status;
}
