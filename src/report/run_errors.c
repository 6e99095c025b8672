/* How far the numbers that runs predict on dev are off, from the logits that they kept. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/sort.h"
#include "autodidact/base/status.h"
#include "run_view.h"

enum {
  TENTHS = 10,
  LARGEST = 20 /* errors that are listed */,
  DRAWN = 4 /* targets */,
  POINTS = 1000 /* of a picture */
};

/* A target of a run. */
struct numbers {
  const struct run_view *view;
  size_t target, N;
  double *label, *prediction, *error; /* [N] owned by `label` */
  size_t *order;                      /* [N] places, owned */
};

static int numbers_create(struct numbers *n, const struct run_view *v, size_t target) {
  const struct ad_logits *l = &v->logits;
  *n = (struct numbers){.view = v, .target = target, .N = l->N};
  n->label = ad_malloc(3 * l->N, sizeof *n->label);
  n->order = ad_malloc(l->N, sizeof *n->order);
  if (n->label == NULL || n->order == NULL) {
    return ad_fail_memory(l->N * (3 * sizeof *n->label + sizeof *n->order), "the errors of a run");
  }
  n->prediction = n->label + l->N;
  n->error = n->prediction + l->N;
  for (size_t i = 0; i < l->N; i++) {
    float label;
    memcpy(&label, &l->labels[i * l->Q + target], sizeof label);
    n->label[i] = label;
    n->prediction[i] = l->logits[i * l->C + target];
    n->error[i] = n->prediction[i] - n->label[i];
  }
  return AD_OK;
}

static void numbers_destroy(struct numbers *n) {
  ad_free(n->label);
  ad_free(n->order);
}

/* Mean and standard deviation (of a sample) of the errors of examples order[begin, end). */
static void measure(const struct numbers *n, size_t begin, size_t end, struct ad_figure *mean, struct ad_figure *sd) {
  const double count = (double)(end - begin);
  double sum = 0.0, square = 0.0;
  for (size_t i = begin; i < end; i++) {
    sum += n->error[n->order[i]];
  }
  for (size_t i = begin; i < end; i++) {
    square += pow(n->error[n->order[i]] - sum / count, 2.0);
  }
  *mean = ad_figure_of(sum / count);
  *sd = end - begin > 1 ? ad_figure_of(sqrt(square / (count - 1.0))) : ad_figure_none("needs at least 2 examples");
}

/* --- Rows. */

struct target_row {
  const char *run, *target;
  uint64_t examples;
  struct ad_figure mean, sd, absolute;
};

static void add_target(struct document *doc, const struct numbers *n) {
  char name[200];
  double absolute = 0.0;
  struct target_row row = {
      .run = n->view->name, .target = ad__run_class(n->view, (uint32_t)n->target, name), .examples = n->N};
  ad_sort_places(n->N, n->label, n->order);
  measure(n, 0, n->N, &row.mean, &row.sd);
  for (size_t i = 0; i < n->N; i++) {
    absolute += fabs(n->error[i]);
  }
  row.absolute = ad_figure_of(absolute / (double)n->N);
  ad__document_row(doc, &row);
}

struct tenth_row {
  const char *run, *target;
  struct ad_interval of;
  uint64_t examples;
  struct ad_figure mean, sd;
};

/* The examples in the order of their labels, in ten parts as equal as can be. */
static void add_tenths(struct document *doc, const struct numbers *n) {
  char name[200];
  ad_sort_places(n->N, n->label, n->order);
  for (size_t t = 0; t < TENTHS; t++) {
    const size_t begin = t * n->N / TENTHS, end = (t + 1) * n->N / TENTHS;
    if (begin == end) {
      continue;
    }
    struct tenth_row row = {.run = n->view->name,
                            .target = ad__run_class(n->view, (uint32_t)n->target, name),
                            .of = ad_interval_of(n->label[n->order[begin]], n->label[n->order[end - 1]]),
                            .examples = end - begin};
    measure(n, begin, end, &row.mean, &row.sd);
    ad__document_row(doc, &row);
  }
}

struct largest_row {
  const char *run, *target;
  uint64_t example;
  struct ad_figure label, prediction, error;
};

static void add_largest(struct document *doc, const struct numbers *n) {
  char name[200];
  double *size = ad_malloc(n->N, sizeof *size);
  if (size == NULL) {
    doc->status = ad_fail_memory(n->N * sizeof *size, "the errors of a run");
    return;
  }
  for (size_t i = 0; i < n->N; i++) {
    size[i] = -fabs(n->error[i]);
  }
  ad_sort_places(n->N, size, n->order);
  ad_free(size);
  for (size_t i = 0; i < n->N && i < LARGEST; i++) {
    const size_t e = n->order[i];
    const struct largest_row row = {n->view->name,
                                    ad__run_class(n->view, (uint32_t)n->target, name),
                                    e + 1,
                                    ad_figure_of(n->label[e]),
                                    ad_figure_of(n->prediction[e]),
                                    ad_figure_of(n->error[e])};
    ad__document_row(doc, &row);
  }
}

/* --- The picture. */

static void draw(struct run_views *views, const struct numbers *n, size_t k) {
  struct picture p = {.width = 420, .height = 360, .x = {.label = "label"}, .y = {.label = "prediction"}};
  const size_t every = (n->N + POINTS - 1) / POINTS;
  char target[200], id[60], title[500];
  double low = INFINITY, high = -INFINITY;
  for (size_t i = 0; i < n->N; i++) {
    low = fmin(low, n->label[i]);
    high = fmax(high, n->label[i]);
  }
  ad__picture_mark(&p, PICTURE_EDGE, 0, low, low, high, high);
  ad__picture_title(&p, "as it should be");
  for (size_t i = 0; i < n->N; i += every) {
    ad__picture_mark(&p, PICTURE_DOT, ad__run_colour(k), n->label[i], n->prediction[i], n->label[i], n->prediction[i]);
    ad__picture_title(&p, "example %zu: label %.6g, prediction %.6g", i + 1, n->label[i], n->prediction[i]);
  }
  snprintf(id, sizeof id, "plot_numbers_%zu_%zu", k + 1, n->target + 1);
  snprintf(title, sizeof title, "%s, %s: predictions over labels; on the line both are equal.", n->view->name,
           ad__run_class(n->view, (uint32_t)n->target, target));
  ad__document_picture(views->doc, id, title,
                       every > 1 ? "A part of the examples, evenly drawn. The table of tenths is of all of them."
                                 : "The table of tenths says how far predictions are off, by the size of the label.",
                       &p);
}

/* --- The section. */

/* `add` for each target of each run that has numbers. */
static int each(struct run_views *views, void (*add)(struct document *doc, const struct numbers *n)) {
  for (size_t k = 0; k < views->count; k++) {
    const struct run_view *v = &views->view[k];
    for (size_t c = 0; ad__run_has(v, RUN_OF_NUMBERS) && v->logits.N > 0 && c < v->logits.C; c++) {
      struct numbers n;
      const int status = numbers_create(&n, v, c);
      if (status == AD_OK && add != NULL) {
        add(views->doc, &n);
      } else if (status == AD_OK && c < DRAWN) {
        draw(views, &n, k);
      }
      numbers_destroy(&n);
      AD_TRY(status);
    }
  }
  return AD_OK;
}

int ad__run_errors(struct run_views *views) {
  static const struct document_column targets[] = {COLUMN("run", "run", UNIT_NONE, target_row, run),
                                                   COLUMN("target", "target", UNIT_NONE, target_row, target),
                                                   COLUMN("examples", "examples", UNIT_NONE, target_row, examples),
                                                   COLUMN("mean", "mean error", UNIT_NONE, target_row, mean),
                                                   COLUMN("sd", "SD", UNIT_NONE, target_row, sd),
                                                   COLUMN("absolute", "mean size", UNIT_NONE, target_row, absolute)};
  static const struct document_column tenths[] = {COLUMN("run", "run", UNIT_NONE, tenth_row, run),
                                                  COLUMN("target", "target", UNIT_NONE, tenth_row, target),
                                                  COLUMN("label", "labels from, to", UNIT_NONE, tenth_row, of),
                                                  COLUMN("examples", "examples", UNIT_NONE, tenth_row, examples),
                                                  COLUMN("mean", "mean error", UNIT_NONE, tenth_row, mean),
                                                  COLUMN("sd", "SD", UNIT_NONE, tenth_row, sd)};
  static const struct document_column largest[] = {
      COLUMN("run", "run", UNIT_NONE, largest_row, run),
      COLUMN("target", "target", UNIT_NONE, largest_row, target),
      COLUMN("example", "example", UNIT_NONE, largest_row, example),
      COLUMN("label", "label", UNIT_NONE, largest_row, label),
      COLUMN("prediction", "prediction", UNIT_NONE, largest_row, prediction),
      COLUMN("error", "error", UNIT_NONE, largest_row, error)};
  size_t there = 0;
  ad__document_section(views->doc, "errors", "How far its numbers are off",
                       "An error is a prediction minus its label, on dev, of the parameters that the scores are of. It "
                       "comes from the logits in the run's folder.",
                       "a tenth of few examples. The lowest labels are often predicted too high and the highest too "
                       "low: predictions vary less than labels.");
  for (size_t k = 0; k < views->count; k++) {
    there += (size_t)ad__run_has_logits(views, &views->view[k], RUN_OF_NUMBERS, "its task does not predict numbers",
                                        "scores it on any labelled file");
  }
  if (there == 0) {
    return views->doc->status;
  }
  ad__document_side_by_side(views->doc);
  AD_TRY(each(views, NULL));
  ad__document_table(views->doc, "error_targets", "Errors of each target", RUN_COLUMNS(views, targets));
  AD_TRY(each(views, add_target));
  ad__document_table(views->doc, "error_tenths", "Errors by tenths of the examples, in the order of their labels",
                     RUN_COLUMNS(views, tenths));
  AD_TRY(each(views, add_tenths));
  ad__document_table(views->doc, "largest_errors", "The largest errors; examples count from 1 in dev",
                     RUN_COLUMNS(views, largest));
  AD_TRY(each(views, add_largest));
  return views->doc->status;
}
