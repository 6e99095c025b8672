/* What took how long, by timing.jsonl. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "run_view.h"

enum { SLOWEST = 10 /* steps of a run that are listed */ };

struct kind_row {
  const char *run, *what;
  uint64_t number;
  struct ad_figure median, largest, sum, share;
};

/* A row for each kind of work that the run has done, with its share of the time of all of them. */
static int kind_rows(struct run_views *views, const struct run_view *v) {
  static const struct {
    enum ad_timing kind;
    const char *name;
  } kinds[] = {{AD_TIMING_STEP, "training steps"},
               {AD_TIMING_EVALUATION, "evaluations"},
               {AD_TIMING_CHECKPOINT, "checkpoints"},
               {AD_TIMING_SNAPSHOT, "snapshots"},
               {AD_TIMING_SNAPSHOTS, "writing snapshots"}};
  enum { KINDS = sizeof kinds / sizeof *kinds };
  struct ad_timing_summary of[KINDS];
  double all = 0.0;
  for (size_t i = 0; i < KINDS; i++) {
    AD_TRY(ad_timings_summarise(&v->timings, kinds[i].kind, &of[i]));
    all += of[i].sum;
  }
  for (size_t i = 0; i < KINDS; i++) {
    const struct kind_row row = {v->name,
                                 kinds[i].name,
                                 of[i].count,
                                 ad_figure_of(of[i].median),
                                 ad_figure_of(of[i].largest),
                                 ad_figure_of(of[i].sum),
                                 all > 0.0 ? ad_figure_of(of[i].sum / all) : ad_figure_none("no time was taken")};
    if (of[i].count > 0) {
      ad__document_row(views->doc, &row);
    }
  }
  return AD_OK;
}

struct slow_row {
  const char *run;
  uint64_t step;
  struct ad_figure seconds, ratio;
};

static int is_step(const struct ad_timing_row *row) {
  return row->kind == AD_TIMING_STEP && isfinite(row->seconds);
}

static int by_seconds(const void *a, const void *b) {
  const struct ad_timing_row *x = a, *y = b;
  return x->seconds > y->seconds ? -1 : x->seconds < y->seconds ? 1 : (x->step > y->step) - (x->step < y->step);
}

static int slow_rows(struct run_views *views, const struct run_view *v) {
  struct ad_timing_row *steps = ad_malloc(v->timings.count + 1, sizeof *steps);
  struct ad_timing_summary of;
  size_t count = 0;
  if (steps == NULL) {
    return ad_fail_memory(v->timings.count * sizeof *steps, "times");
  }
  for (size_t i = 0; i < v->timings.count; i++) {
    if (is_step(&v->timings.rows[i])) {
      steps[count++] = v->timings.rows[i];
    }
  }
  qsort(steps, count, sizeof *steps, by_seconds);
  const int status = ad_timings_summarise(&v->timings, AD_TIMING_STEP, &of);
  for (size_t i = 0; status == AD_OK && i < count && i < SLOWEST; i++) {
    const struct slow_row row = {
        v->name, steps[i].step, ad_figure_of(steps[i].seconds),
        of.median > 0.0 ? ad_figure_of(steps[i].seconds / of.median) : ad_figure_none("the median is 0")};
    ad__document_row(views->doc, &row);
  }
  ad_free(steps);
  return status;
}

/* Seconds of steps, means of windows, over the whole of a run. Steps that were done again count again. */
static size_t draw_seconds(struct run_views *views, struct picture *p, size_t k) {
  const struct run_view *v = &views->view[k];
  double sum[GRID] = {0};
  size_t count[GRID] = {0}, drawn = 0;
  for (size_t i = 0; i < v->timings.count; i++) {
    const struct ad_timing_row *row = &v->timings.rows[i];
    const double place = ((double)row->step - 1) / views->window;
    if (is_step(row) && place >= 0.0 && place < GRID) {
      sum[(size_t)place] += row->seconds;
      count[(size_t)place]++;
    }
  }
  ad__picture_path(p, PICTURE_LINE, ad__run_colour(k));
  ad__picture_title(p, "%s", v->name);
  for (size_t i = 0; i < GRID; i++) {
    if (count[i] > 0) {
      ad__picture_to(p, ad__window_middle(views->window, i), sum[i] / (double)count[i], 0.0);
      drawn++;
    }
  }
  if (ad__several(views) && drawn > 0) {
    ad__picture_name(p, ad__run_colour(k), v->name);
  }
  return drawn;
}

/* What else timing.jsonl says: memory, and where the run went on. */
static void say_rest(struct run_views *views, const struct run_view *v) {
  size_t resumed = 0;
  for (size_t i = 0; i < v->timings.count; i++) {
    const struct ad_timing_row *row = &v->timings.rows[i];
    resumed += row->kind == AD_TIMING_RESUMED;
    if (row->kind == AD_TIMING_MEMORY) {
      ad__document_note(views->doc, "%s: a rank used %.0f MiB of memory; predicted were %.0f MiB.", v->name,
                        row->used / (1 << 20), row->predicted / (1 << 20));
    }
  }
  if (resumed > 0) {
    ad__document_note(views->doc, "%s: it was stopped and went on %zu times; steps that were done again count again.",
                      v->name, resumed);
  }
  if (v->timings.count == 0) {
    ad__document_note(views->doc, "%s: not available: timing.jsonl is missing or empty.", v->name);
  }
}

int ad__run_times(struct run_views *views) {
  static const struct document_column kinds[] = {COLUMN("run", "run", UNIT_NONE, kind_row, run),
                                                 COLUMN("what", "what", UNIT_NONE, kind_row, what),
                                                 COLUMN("number", "number", UNIT_NONE, kind_row, number),
                                                 COLUMN("median", "seconds, median", UNIT_NONE, kind_row, median),
                                                 COLUMN("largest", "largest", UNIT_NONE, kind_row, largest),
                                                 COLUMN("sum", "sum", UNIT_NONE, kind_row, sum),
                                                 COLUMN("share", "share of all", UNIT_PERCENT, kind_row, share)};
  static const struct document_column slowest[] = {COLUMN("run", "run", UNIT_NONE, slow_row, run),
                                                   COLUMN("step", "step", UNIT_NONE, slow_row, step),
                                                   COLUMN("seconds", "seconds", UNIT_NONE, slow_row, seconds),
                                                   COLUMN("ratio", "times the median", UNIT_NONE, slow_row, ratio)};
  struct picture p = {.width = 820,
                      .height = 260,
                      .above = views->count < 5,
                      .x = {.label = "step", .unit = "optimizer updates"},
                      .y = {.label = "seconds a step"}};
  size_t drawn = 0;
  ad__document_section(views->doc, "times", "What took how long",
                       "The seconds that timing.jsonl has of steps, evaluations and writing.",
                       "times of machines that did other work besides. They are outside the reproducibility contract.");
  for (size_t k = 0; k < views->count; k++) {
    say_rest(views, &views->view[k]);
    drawn += draw_seconds(views, &p, k);
  }
  if (drawn == 0) {
    ad__picture_destroy(&p);
    return views->doc->status;
  }
  ad__document_picture(views->doc, "plot_seconds",
                       views->window > 1.0 ? "Seconds a step, means of neighbouring steps." : "Seconds of each step.",
                       NULL, &p);
  ad__document_table(views->doc, "times", "Kinds of work", RUN_COLUMNS(views, kinds));
  for (size_t k = 0; k < views->count; k++) {
    AD_TRY(kind_rows(views, &views->view[k]));
  }
  ad__document_table(views->doc, "slowest_steps", "The slowest steps", RUN_COLUMNS(views, slowest));
  for (size_t k = 0; k < views->count; k++) {
    AD_TRY(slow_rows(views, &views->view[k]));
  }
  return views->doc->status;
}
