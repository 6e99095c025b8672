/* autodidact study report: the statistics of what is done so far. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/status.h"
#include "autodidact/report/report.h"
#include "study.h"

/* A report of nothing would say so in every line. */
static int check_begun(const struct ad_study *study, const struct ad_cells *cells) {
  for (size_t i = 0; i < study->count; i++) {
    if (cells->records[i].begun) {
      return AD_OK;
    }
  }
  return ad_fail(AD_EINPUT, "%s: no cell of it has been run in %s: `study run` does that", study->path, study->dir);
}

static int report(const char *path, const struct ad_report_settings *settings) {
  struct ad_study study = {0};
  struct ad_cells cells = {0};
  struct ad_buffer text = {0};
  int status = ad_study_read(&study, path);
  status = status == AD_OK ? ad_study_recall(&study) : status;
  status = status == AD_OK ? ad_cells_open(&cells, &study) : status;
  status = status == AD_OK ? check_begun(&study, &cells) : status;
  if (status == AD_OK && settings->baseline != NULL && study.arm_count == 1 &&
      strcmp(settings->baseline, study.arms[0].name) == 0) {
    status = ad_fail(AD_ECONFIG, "%s: found --baseline %s, which is the only arm: nothing can be compared with it",
                     path, settings->baseline);
  }
  status = status == AD_OK ? ad_report_make(&study, &cells, settings, &text) : status;
  if (status == AD_OK && text.size > 0) {
    fputs(text.data, stdout);
  }
  ad_buffer_destroy(&text);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
  return status;
}

int study_command_report(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  struct ad_report_settings settings = {0};
  int help;
  size_t count;
  const struct argument options[] = {
      {"out", "DIR", "Folder for the files; otherwise report/ in the study's folder", NULL, &settings.folder},
      {"baseline", "ARM", "The arm that others are compared with; otherwise the first one", NULL, &settings.baseline},
      {"tables", NULL,
       "Also write examples.csv, a row for each run and example, and tables.h5, which has it and runs.csv as HDF5. "
       "They can be large: some 60 bytes a row of CSV",
       &settings.tables, NULL}};
  const struct arguments arguments = {
      "study report",
      "STUDY.yaml",
      "Computes the statistics of the cells that are done, as docs/statistics.md explains them. Prints them as text "
      "and writes tables (CSV, JSON) and one HTML page with figures. runs.csv has a row for each run, with all keys "
      "and scores.",
      options,
      sizeof options / sizeof *options,
      1,
      1};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  return help ? AD_OK : report(argv[1], &settings);
}
