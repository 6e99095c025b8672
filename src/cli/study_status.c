/* autodidact study status: the table of cells, for people and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "study.h"

static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *pack_summary(const char *name, const struct ad_arm_summary *s) {
  return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "name", name, "cells", (json_int_t)s->cells, "done",
                   (json_int_t)s->of[AD_CELL_DONE], "running", (json_int_t)s->of[AD_CELL_RUNNING], "waiting",
                   (json_int_t)s->of[AD_CELL_WAITING], "failed", (json_int_t)s->of[AD_CELL_FAILED], "failed_runs",
                   (json_int_t)s->failed_runs, "mean", number(ad_arm_mean(s)), "sd", number(ad_arm_deviation(s)));
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
  json_t *cell =
      json_pack("{s:o, s:s, s:o, s:s, s:o, s:o, s:b, s:I, s:I, s:f, s:s, s:o}", "id",
                folder == NULL ? json_null() : json_string(id), "arm", s->arms[s->cells[i].arm].name, "axes", axes,
                "state", ad_cell_state_name(r->state), "folder", folder == NULL ? json_null() : json_string(folder),
                "result", number(ad_cells_result(cells, i)), "failed_run", ad_cells_is_failed_run(cells, i), "step",
                (json_int_t)r->step, "steps", (json_int_t)r->steps, "seconds", r->seconds, "arithmetic", r->arithmetic,
                "message", r->message == NULL ? json_null() : json_string(r->message));
  ad_free(folder);
  return cell;
}

static int print_json(const struct ad_cells *cells, const struct ad_study_summary *summary) {
  const struct ad_study *s = cells->study;
  char title[40];
  json_t *list = json_array(), *by_arm = json_array();
  snprintf(title, sizeof title, "%s.%s", ad_study_source_name(s->source), s->score->name);
  for (size_t k = 0; k < s->arm_count; k++) {
    json_array_append_new(by_arm, pack_summary(s->arms[k].name, &summary->arms[k]));
  }
  for (size_t i = 0; i < s->count; i++) {
    json_array_append_new(list, pack_cell(cells, i));
  }
  json_t *out = json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "study", s->name, "dir", s->dir, "result",
                          title, "ranks_per_trial", (json_int_t)s->ranks_per_trial, "all",
                          pack_summary("all", &summary->all), "share_done", number(summary->share_done), "seconds_left",
                          number(summary->seconds_left), "arms", by_arm, "cells", list);
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

static int print_cells(const struct ad_cells *cells, const struct study_view *view) {
  struct ad_study_summary summary;
  int status = ad_study_summarise(cells, &summary);
  if (status == AD_OK) {
    status = view->json ? print_json(cells, &summary) : print_study(cells, &summary);
  }
  if (status == AD_OK && view->html != NULL) {
    status = study_page_write(view->html, cells, &summary, view->every);
  }
  ad_study_summary_destroy(&summary);
  return status;
}

int study_print_status(const struct ad_cells *cells) {
  const struct study_view view = {0};
  return print_cells(cells, &view);
}

static int show(const char *path, const struct study_view *view) {
  struct ad_study study = {0};
  struct ad_cells cells = {0};
  int status = ad_study_read(&study, path);
  status = status == AD_OK ? ad_study_recall(&study) : status;
  status = status == AD_OK ? ad_cells_open(&cells, &study) : status;
  status = status == AD_OK ? print_cells(&cells, view) : status;
  ad_cells_close(&cells);
  ad_study_destroy(&study);
  return status;
}

int study_command_status(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  struct study_view view = {0};
  const char *every = NULL;
  uint64_t seconds = 10;
  int watch = 0, help;
  size_t count;
  const struct argument options[] = {
      {"json", NULL, "One JSON object with every cell, in place of the table", &view.json, NULL},
      {"watch", NULL,
       "Look again and again, until no cell runs or waits: the table on a terminal, elsewhere a line for each change",
       &watch, NULL},
      {"every", "SECONDS", "With --watch: the time between two looks (10)", NULL, &every},
      {"html", "FILE",
       "Write a page, too, which a browser loads again by itself: progress, arms, and each cell with its step and the "
       "time that it still takes",
       NULL, &view.html}};
  const struct arguments arguments = {
      "study status",
      "STUDY.yaml",
      "Prints what became of the cells of a study, by arms: done, running, waiting (never begun, or stopped with a "
      "checkpoint), failed (diverged, or an error). Also prints how many runs count as failed by the study's rule, and "
      "the step of each running cell. Reads the table and the times of running cells, no data.",
      options,
      sizeof options / sizeof *options,
      1,
      1};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  if (view.json && watch) {
    return ad_fail(AD_ECONFIG, "study status: found both --json and --watch, expected one of them");
  }
  if (every != NULL && !watch) {
    return ad_fail(AD_ECONFIG, "study status: found --every, expected --watch with it");
  }
  AD_TRY(arguments_number("every", every, 1, &seconds));
  view.every = seconds < 86400 ? (unsigned)seconds : 86400;
  return watch ? study_watch(argv[1], &view) : show(argv[1], &view);
}
