/* autodidact study status: the table of cells, for people and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/width.h"
#include "autodidact/store/progress.h"
#include "autodidact/run/study.h"
#include "study.h"

/* What one arm, or all, have come to. */
struct summary {
  size_t cells, of[AD_CELL_STATES], failed_runs, results;
  double mean, squares;       /* of the results; of their deviations from it */
  double work, left;          /* of all cells, and of those that are not finished */
};

static double share_done(const struct ad_cell_record *r) {
  return ad_cells_is_finished(r) ? 1.0 : r->steps > 0 ? (double)r->step / (double)r->steps : 0.0;
}

static void count_cell(const struct ad_cells *cells, size_t i, double cost, struct summary *s) {
  const struct ad_cell_record *r = &cells->records[i];
  const double result = ad_cells_result(cells, i);
  s->cells++;
  s->of[r->state]++;
  s->failed_runs += (size_t)ad_cells_is_failed_run(cells, i);
  s->work += cost;
  s->left += cost * (1.0 - share_done(r));
  if (r->state == AD_CELL_DONE && isfinite(result)) {
    /* Welford 1962: a sum of squares less one of the mean loses digits where results are close. */
    const double off = result - s->mean;
    s->results++;
    s->mean += off / (double)s->results;
    s->squares += off * (result - s->mean);
  }
}

static int summarise(const struct ad_cells *cells, struct summary *arms, struct summary *all, int *seconds_known) {
  const struct ad_study *s = cells->study;
  double *cost = ad_calloc(s->count, sizeof *cost);
  int status = cost == NULL ? ad_fail_memory(s->count * sizeof *cost, "estimates") : AD_OK;
  status = status == AD_OK ? ad_study_estimate(cells, cost, seconds_known) : status;
  *all = (struct summary){0};
  for (size_t i = 0; status == AD_OK && i < s->count; i++) {
    count_cell(cells, i, cost[i], &arms[s->cells[i].arm]);
    count_cell(cells, i, cost[i], all);
  }
  ad_free(cost);
  return status;
}

static double mean(const struct summary *s) {
  return s->results > 0 ? s->mean : NAN;
}

static double deviation(const struct summary *s) {
  return s->results > 1 ? sqrt(s->squares / (double)(s->results - 1)) : NAN;
}

/* Seconds until the end with the teams that are at work now; NaN where that cannot be told. */
static double time_left(const struct ad_cells *cells, const struct summary *all, int seconds_known) {
  const double ranks = (double)(all->of[AD_CELL_RUNNING] * cells->study->ranks_per_trial);
  return seconds_known && ranks > 0.0 ? all->left / ranks : NAN;
}

static void print_row(const char *arm, size_t width, const struct summary *s) {
  const char *name = ad_shown(arm);
  printf("%s%*s %6zu %6zu %8zu %8zu %7zu %7zu", name, ad_text_fill(name, width), "", s->cells, s->of[AD_CELL_DONE], s->of[AD_CELL_RUNNING],
         s->of[AD_CELL_WAITING], s->of[AD_CELL_FAILED], s->failed_runs);
  if (s->results > 0) {
    printf(" %12.6g", mean(s));
  }
  if (s->results > 1) {
    /* Results that differ by roundings only have no spread. */
    printf(" %10.4g", deviation(s) <= 1e-12 * fabs(mean(s)) ? 0.0 : deviation(s));
  }
  putchar('\n');
}

static void print_progress(const struct ad_cells *cells, const struct summary *all, int seconds_known) {
  const double left = time_left(cells, all, seconds_known);
  printf("\n%.1f %% of the work is done", all->work > 0.0 ? 100.0 * (1.0 - all->left / all->work) : 100.0);
  if (left < 1e12) {
    const long seconds = lround(left);
    printf("; with the %zu trainings that run now the rest takes %ld:%02ld:%02ld", all->of[AD_CELL_RUNNING],
           seconds / 3600, seconds / 60 % 60, seconds % 60);
  } else if (seconds_known && all->left > 0.0) {
    printf("; the rest takes about %.3g core-hours", all->left / 3600.0);
  }
  printf("\n");
}

/* Where the running cells are, as far as their runs tell: into their records. */
static int follow_running(const struct ad_cells *cells) {
  for (size_t i = 0; i < cells->study->count; i++) {
    struct ad_cell_record *r = &cells->records[i];
    if (r->state != AD_CELL_RUNNING) {
      continue;
    }
    char *folder = ad_study_folder(cells->study, &cells->study->cells[i]);
    if (folder == NULL) {
      return ad_fail_memory(strlen(cells->study->dir) + 32, "a path");
    }
    ad_run_progress(folder, &r->step, &r->steps);
    ad_free(folder);
  }
  return AD_OK;
}

/* The cells that run, the first few. */
static void print_running(const struct ad_cells *cells) {
  enum { MOST = 20 };
  size_t found = 0;
  for (size_t i = 0; i < cells->study->count; i++) {
    const struct ad_cell_record *r = &cells->records[i];
    char label[200];
    if (r->state != AD_CELL_RUNNING || found++ >= MOST) {
      continue;
    }
    printf("running: %s: ", ad_shown(ad_study_label(cells->study, &cells->study->cells[i], label, sizeof label)));
    if (r->steps > 0) {
      printf("step %" PRIu64 " of %" PRIu64 "\n", r->step, r->steps);
    } else {
      printf("before its first step\n");
    }
  }
  if (found > MOST) {
    printf("and %zu more run: --json has all\n", found - MOST);
  }
}

/* Cells that failed for reasons of their own, the first few. */
static void print_failures(const struct ad_cells *cells) {
  enum { MOST = 5 };
  size_t found = 0;
  for (size_t i = 0; i < cells->study->count; i++) {
    const struct ad_cell_record *r = &cells->records[i];
    char label[200];
    if (r->state == AD_CELL_FAILED && found++ < MOST) {
      printf("failed: %s: %s\n", ad_shown(ad_study_label(cells->study, &cells->study->cells[i], label, sizeof label)),
             r->message == NULL ? ad_status_text(r->status) : ad_shown(r->message));
    }
  }
  if (found > MOST) {
    printf("and %zu more failed\n", found - MOST);
  }
}

/* Finished cells of several arithmetics differ by more than their settings. */
static void print_arithmetics(const struct ad_cells *cells) {
  const char *first = NULL;
  for (size_t i = 0; i < cells->study->count; i++) {
    const struct ad_cell_record *r = &cells->records[i];
    if (r->state == AD_CELL_DONE && first == NULL) {
      first = r->arithmetic;
    } else if (r->state == AD_CELL_DONE && strcmp(r->arithmetic, first) != 0) {
      printf("warning: the finished cells have different arithmetics: %s, and %s\n", ad_shown(first),
             ad_shown(r->arithmetic));
      return;
    }
  }
}

static void print_table(const struct ad_cells *cells, const struct summary *arms, const struct summary *all, int seconds) {
  enum { MOST_ARMS = 60 };
  const struct ad_study *s = cells->study;
  size_t width = 4;
  for (size_t k = 0; k < s->arm_count && k < MOST_ARMS; k++) {
    width = ad_text_widest(width, ad_shown(s->arms[k].name));
  }
  char title[40];
  snprintf(title, sizeof title, "%s.%s", ad_study_source_name(s->source), ad_study_metric_name(s->metric));
  printf("%s in %s\n\n%-*s %6s %6s %8s %8s %7s %7s %12s %10s\n", ad_shown(s->name), ad_shown(s->dir), (int)width, "arm",
         "cells", "done", "running", "waiting", "failed", "bad run", title, "SD");
  for (size_t k = 0; k < s->arm_count && k < MOST_ARMS; k++) {
    print_row(s->arms[k].name, width, &arms[k]);
  }
  if (s->arm_count > MOST_ARMS) {
    printf("... %zu more arms: --json has all\n", s->arm_count - MOST_ARMS);
  }
  if (s->arm_count > 1) {
    print_row("all", width, all);
  }
  print_progress(cells, all, seconds);
  print_running(cells);
  print_failures(cells);
  print_arithmetics(cells);
  if (cells->unknown > 0) {
    printf("%zu lines of the table are of cells that the study file does not have\n", cells->unknown);
  }
}

/* --- JSON. */

static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *pack_summary(const char *name, const struct summary *s) {
  return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "name", name, "cells", (json_int_t)s->cells, "done",
                   (json_int_t)s->of[AD_CELL_DONE], "running", (json_int_t)s->of[AD_CELL_RUNNING], "waiting",
                   (json_int_t)s->of[AD_CELL_WAITING], "failed", (json_int_t)s->of[AD_CELL_FAILED], "failed_runs",
                   (json_int_t)s->failed_runs, "mean", number(mean(s)), "sd", number(deviation(s)));
}

static json_t *pack_cell(const struct ad_cells *cells, size_t i) {
  const struct ad_study *s = cells->study;
  const struct ad_cell_record *r = &cells->records[i];
  char id[32];
  char *folder = s->cells[i].id == 0 ? NULL : ad_study_folder(s, &s->cells[i]);
  json_t *axes = json_object();
  snprintf(id, sizeof id, "%016" PRIx64, s->cells[i].id);
  for (size_t a = 0; a < s->axis_count; a++) {
    json_object_set_new(axes, s->axes[a].key, json_string(s->axes[a].values[s->cells[i].level[a]]));
  }
  json_t *cell = json_pack("{s:o, s:s, s:o, s:s, s:o, s:o, s:b, s:I, s:I, s:f, s:s, s:o}", "id",
                           folder == NULL ? json_null() : json_string(id), "arm", s->arms[s->cells[i].arm].name, "axes",
                           axes, "state", ad_cell_state_name(r->state), "folder",
                           folder == NULL ? json_null() : json_string(folder), "result", number(ad_cells_result(cells, i)),
                           "failed_run", ad_cells_is_failed_run(cells, i), "step", (json_int_t)r->step, "steps",
                           (json_int_t)r->steps, "seconds", r->seconds, "arithmetic", r->arithmetic, "message",
                           r->message == NULL ? json_null() : json_string(r->message));
  ad_free(folder);
  return cell;
}

static int print_json(const struct ad_cells *cells, const struct summary *arms, const struct summary *all, int seconds) {
  const struct ad_study *s = cells->study;
  char title[40];
  json_t *list = json_array(), *by_arm = json_array();
  snprintf(title, sizeof title, "%s.%s", ad_study_source_name(s->source), ad_study_metric_name(s->metric));
  for (size_t k = 0; k < s->arm_count; k++) {
    json_array_append_new(by_arm, pack_summary(s->arms[k].name, &arms[k]));
  }
  for (size_t i = 0; i < s->count; i++) {
    json_array_append_new(list, pack_cell(cells, i));
  }
  json_t *out = json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "study", s->name, "dir", s->dir, "result", title,
                          "ranks_per_trial", (json_int_t)s->ranks_per_trial, "all", pack_summary("all", all), "share_done",
                          number(all->work > 0.0 ? 1.0 - all->left / all->work : 1.0), "seconds_left",
                          number(time_left(cells, all, seconds)), "arms", by_arm, "cells", list);
  struct ad_buffer text = {0};
  const int status = out == NULL ? ad_fail_memory(4096, "the table as JSON")
                                 : ad_json_print(out, JSON_INDENT(1) | JSON_REAL_PRECISION(17), &text);
  json_decref(out);
  if (status == AD_OK) {
    puts(text.data);
  }
  ad_buffer_destroy(&text);
  return status;
}

static int print_cells(const struct ad_cells *cells, int json) {
  struct summary all, *arms = ad_calloc(cells->study->arm_count, sizeof *arms);
  int seconds = 0;
  int status = arms == NULL ? ad_fail_memory(cells->study->arm_count * sizeof *arms, "the arms") : AD_OK;
  status = status == AD_OK ? follow_running(cells) : status;
  status = status == AD_OK ? summarise(cells, arms, &all, &seconds) : status;
  if (status == AD_OK && json) {
    status = print_json(cells, arms, &all, seconds);
  } else if (status == AD_OK) {
    print_table(cells, arms, &all, seconds);
  }
  ad_free(arms);
  return status;
}

int study_print_status(const struct ad_cells *cells) {
  return print_cells(cells, 0);
}

int study_command_status(int argc, char **argv) {
  int json = 0, help;
  size_t count;
  const struct argument options[] = {{"json", NULL, "One JSON object with every cell, in place of the table", &json, NULL}};
  const struct arguments arguments = {
      "study status",
      "STUDY.yaml",
      "What became of the cells of a study, by arms: done, running, waiting (never begun, or stopped with a checkpoint), "
      "failed (diverged, or an error), how many runs count as failed by the study's rule, and the step of each that runs. "
      "Reads the table and the times of running cells, no data.",
      options, sizeof options / sizeof *options, 1, 1};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  struct ad_study study = {0};
  struct ad_cells cells = {0};
  int status = ad_study_read(&study, argv[1]);
  status = status == AD_OK ? ad_study_recall(&study) : status;
  status = status == AD_OK ? ad_cells_open(&cells, &study) : status;
  status = status == AD_OK ? print_cells(&cells, json) : status;
  ad_cells_close(&cells);
  ad_study_destroy(&study);
  return status;
}
