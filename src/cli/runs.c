/* autodidact runs: one table of many runs. */
#include "runs.h"

#include <stdint.h>
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/log.h"
#include "autodidact/base/status.h"
#include "commands.h"

struct request {
  int json, csv;
  const char *sort;
};

static int print_table(const struct ad_run_list *list, const struct request *r) {
  struct runs_table table;
  int status = runs_create(&table, list, !r->json && !r->csv);
  status = status == AD_OK && r->sort != NULL ? runs_sort(&table, r->sort) : status;
  if (status == AD_OK) {
    status = r->json ? runs_print_json(&table) : r->csv ? runs_print_csv(&table) : runs_print_text(&table);
  }
  runs_destroy(&table);
  return status;
}

/* What was given and is no run is told, and no failure as long as there is one. */
static int tell_foreign(const struct ad_run_list *list) {
  for (size_t i = 0; i < list->foreign_count; i++) {
    if (list->count == 0 && i + 1 == list->foreign_count) {
      return ad_fail(AD_EINPUT, "%s: %s", list->foreign[i].folder, list->foreign[i].message);
    }
    ad_log(AD_LOG_WARNING, "%s: %s", list->foreign[i].folder, list->foreign[i].message);
  }
  return AD_OK;
}

int ad_command_runs(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  struct request r = {0};
  size_t count;
  int help;
  const struct argument options[] = {
      {"json", NULL, "One JSON object in place of the table", &r.json, NULL},
      {"csv", NULL, "CSV in place of the table", &r.csv, NULL},
      {"sort", "COLUMN", "Order the runs by a column, -COLUMN from the largest down: --sort dev.error", NULL, &r.sort}};
  const struct arguments arguments = {
      "runs",
      "[FOLDER...]",
      "Prints one table of the runs in these folders (in the current one), at any depth: state (finished, running, "
      "stopped, damaged), "
      "steps, "
      "seconds of work, scores on dev, seeds, and the keys whose values differ. Scores are those of the result, of an "
      "unfinished run those of its last evaluation. A run that cannot be read has a row that says why. Nothing is "
      "written.",
      options,
      sizeof options / sizeof *options,
      0,
      SIZE_MAX};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  if (r.json && r.csv) {
    return ad_fail(AD_ECONFIG, "runs: found both --json and --csv, expected one of them");
  }
  struct ad_run_list list = {0};
  int status = AD_OK;
  for (size_t i = 0; i < count && status == AD_OK; i++) {
    status = ad_run_list_add(&list, argv[1 + i]);
  }
  status = count == 0 ? ad_run_list_add(&list, ".") : status;
  status = status == AD_OK ? tell_foreign(&list) : status;
  status = status == AD_OK ? print_table(&list, &r) : status;
  ad_run_list_destroy(&list);
  return status;
}
