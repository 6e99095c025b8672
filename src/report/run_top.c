/* What a report on runs begins with: how each has ended or how far it is, and the table of them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "autodidact/learn/teacher.h"
#include "run_view.h"

/* "12 of 30 steps" */
static void say_steps(const struct run_view *v, char text[100]) {
  const uint64_t step = ad__run_step(v);
  if (v->steps > 0) {
    snprintf(text, 100, "%" PRIu64 " of %" PRIu64 " steps", step, v->steps);
  } else {
    snprintf(text, 100, "%" PRIu64 " steps", step);
  }
}

/* "on dev after step 12 (student): error 25.00 %, accuracy 75.00 %" */
static void say_scores(const struct run_view *v, char text[600]) {
  const struct ad_scores *scores = &v->scores;
  size_t used = 0;
  if (scores->examples == 0 || scores->task == NULL) {
    snprintf(text, 600, "no scores on dev");
    return;
  }
  used += (size_t)snprintf(text, 600, "on dev after step %" PRIu64 " (%s)", v->scored,
                           ad_variant_name(v->config.run_result));
  for (size_t i = 0; i < scores->task->score_count && used < 600; i++) {
    char value[AD_SCORE_TEXT];
    used += (size_t)snprintf(text + used, 600 - used, "%s %s %s", i == 0 ? ":" : ",", scores->task->scores[i].title,
                             ad_score_print(&scores->task->scores[i], 4, scores->value[i], value));
  }
}

/* How it goes on from here. */
static void say_next(const struct run_view *v, char text[400]) {
  char from[100] = "as it has no checkpoint, training it begins anew", since[40];
  if (v->checkpoint > 0) {
    snprintf(from, sizeof from, "training it again goes on from the checkpoint of step %" PRIu64, v->checkpoint);
  }
  switch (v->is) {
    case RUN_IS_FINISHED:
      text[0] = '\0';
      break;
    case RUN_IS_RUNNING:
      snprintf(text, 400, " Process %ld on %s trains it, since %s.", v->holder.pid, v->holder.host,
               ad__say_time(v->holder.since, since));
      break;
    case RUN_IS_STOPPED:
      snprintf(text, 400, " It was stopped; %s.", from);
      break;
    case RUN_IS_KILLED:
      snprintf(text, 400, " Process %ld on %s trained it and gives no sign of life; %s.", v->holder.pid, v->holder.host,
               from);
      break;
    default:
      snprintf(text, 400,
               " It ended without a result: by an error, or because training diverged. Its last message and exit code "
               "say which (3: diverged); %s.",
               from);
  }
}

static void say_damage(struct run_views *views, const struct run_view *v) {
  if (v->log.damaged + v->timings.damaged > 0) {
    ad__document_summary(views->doc,
                         "%s: %zu lines of log.jsonl and %zu of timing.jsonl cannot be read, and are left out.",
                         v->name, v->log.damaged, v->timings.damaged);
  }
  if (v->wrong.size > 0) {
    ad__document_summary(views->doc, "%s: not all of it can be read: %s", v->name, v->wrong.data);
  }
  if (v->log.step_count == 0) {
    ad__document_summary(views->doc, "%s: no steps: log.jsonl is missing or empty, so there are no curves.", v->name);
  }
}

int ad__run_top(struct run_views *views) {
  for (size_t k = 0; k < views->count; k++) {
    const struct run_view *v = &views->view[k];
    char steps[100], scores[600], next[400];
    say_steps(v, steps);
    say_scores(v, scores);
    say_next(v, next);
    ad__document_verdict(views->doc, v->name, ad__run_word(v->is), "%s, %s.%s", steps, scores, next);
  }
  for (size_t k = 0; k < views->count; k++) {
    say_damage(views, &views->view[k]);
  }
  return ad__run_lead(views);
}

/* ---- The table ---- */

enum { SCORES = 16 };

struct run_row {
  const char *run, *state, *model;
  uint64_t step;
  struct ad_figure steps, scored, loss, seconds, pace;
  struct ad_figure score[SCORES];
};

static struct ad_figure count_or_none(uint64_t count, const char *why) {
  return count > 0 ? ad_figure_of((double)count) : ad_figure_none(why);
}

/* The scores that any run has, each once; their number. */
static size_t list_scores(const struct run_views *views, const struct ad_score *scores[SCORES]) {
  size_t count = 0;
  for (size_t i = 0; ad_score_at(i) != NULL && count < SCORES; i++) {
    int there = 0;
    for (size_t k = 0; k < views->count; k++) {
      there = there || isfinite(ad_scores_get(&views->view[k].scores, ad_score_at(i)->name));
    }
    scores[count] = ad_score_at(i);
    count += (size_t)there;
  }
  return count;
}

static int add_row(struct run_views *views, const struct run_view *v, size_t count,
                   const struct ad_score *const *scores) {
  struct ad_timing_summary times;
  AD_TRY(ad_timings_summarise(&v->timings, AD_TIMING_STEP, &times));
  const char *untimed = "timing.jsonl has no steps";
  struct run_row row = {.run = v->name,
                        .state = ad__run_word(v->is),
                        .model = ad_variant_name(v->config.run_result),
                        .step = ad__run_step(v),
                        .steps = count_or_none(v->steps, "not known yet"),
                        .scored = count_or_none(v->scored, "not evaluated yet"),
                        .seconds = times.count > 0 ? ad_figure_of(times.sum) : ad_figure_none(untimed),
                        .pace = times.count > 0 ? ad_figure_of(times.median) : ad_figure_none(untimed)};
  row.loss =
      v->log.step_count == 0 ? ad_figure_none("no steps") : ad_figure_of(v->log.steps[v->log.step_count - 1].row.loss);
  for (size_t i = 0; i < count; i++) {
    const double value = ad_scores_get(&v->scores, scores[i]->name);
    row.score[i] = isfinite(value) ? ad_figure_of(value) : ad_figure_none("not evaluated, or of another task");
  }
  ad__document_row(views->doc, &row);
  return AD_OK;
}

int ad__run_table(struct run_views *views) {
  static const struct document_column first[] = {
      COLUMN("run", "run", UNIT_NONE, run_row, run), COLUMN("state", "state", UNIT_NONE, run_row, state),
      COLUMN("step", "step", UNIT_NONE, run_row, step), COLUMN("steps", "of steps", UNIT_NONE, run_row, steps)};
  static const struct document_column last[] = {COLUMN("model", "parameters", UNIT_NONE, run_row, model),
                                                COLUMN("evaluated_step", "scored at step", UNIT_NONE, run_row, scored),
                                                COLUMN("last_loss", "training loss", UNIT_NONE, run_row, loss),
                                                COLUMN("seconds", "seconds", UNIT_NONE, run_row, seconds),
                                                COLUMN("step_seconds", "seconds a step", UNIT_NONE, run_row, pace)};
  enum { FIRST = sizeof first / sizeof *first, LAST = sizeof last / sizeof *last };
  const struct ad_score *scores[SCORES];
  const size_t count = list_scores(views, scores);
  struct document_column columns[FIRST + SCORES + LAST];
  memcpy(columns, first, sizeof first);
  for (size_t i = 0; i < count; i++) {
    columns[FIRST + i] =
        (struct document_column)COLUMN(scores[i]->name, scores[i]->title, UNIT_NONE, run_row, score[0]);
    columns[FIRST + i].unit = ad__score_unit(scores[i]);
    columns[FIRST + i].offset += i * sizeof(struct ad_figure);
  }
  memcpy(columns + FIRST + count, last, sizeof last);
  ad__document_section(views->doc, "runs", ad__several(views) ? "The runs" : "The run",
                       "How far each run is, and what its parameters score on dev.",
                       "a best score among several evaluations or runs as what new data will give: it was chosen on "
                       "the data that it is measured on.");
  ad__document_table(views->doc, "runs", ad__several(views) ? "Runs" : "Run", FIRST + count + LAST, columns);
  for (size_t k = 0; k < views->count; k++) {
    AD_TRY(add_row(views, &views->view[k], count, scores));
  }
  return views->doc->status;
}
