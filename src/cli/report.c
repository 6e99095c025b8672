/* autodidact report: how one run went, or a few. */
#include <stdint.h>
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/report/run_report.h"
#include "commands.h"
#include "inspect.h"

/* Whether a report was written here, as beside its run: RUN-report. */
static int is_report(const char *folder) {
  char *page = ad_path_join(folder, "report.html");
  const int found = page != NULL && ad_is_file(page) && !inspect_is_run(folder);
  ad_free(page);
  return found;
}

/* Passes over folders of reports, which a shell's pattern names beside the runs; the number of others. */
static size_t leave_reports(size_t count, char **folders) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    char *folder = folders[i];
    if (count > 1 && is_report(folder)) {
      ad_log(AD_LOG_INFO, "%s: a report, passed over", ad_shown(folder));
    } else {
      folders[kept++] = folder;
    }
  }
  return kept > 0 ? kept : count;
}

static int report(size_t count, char *const *runs, const char *out, int json) {
  struct ad_buffer text = {0}, page = {0};
  const int status = ad_report_runs(count, runs, out, json, &text, &page);
  if (status == AD_OK) {
    fputs(text.data, stdout);
    ad_log(AD_LOG_INFO, "%s: the page; tables as CSV, figures as SVG and report.json are beside it",
           ad_shown(page.data));
  }
  ad_buffer_destroy(&text);
  ad_buffer_destroy(&page);
  return status;
}

int ad_command_report(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  const char *out = NULL;
  size_t count;
  int help, json = 0;
  const struct argument options[] = {
      {"out", "DIR",
       "Folder for the files; otherwise RUN-report, and for several runs RUN-compared, beside the first run", NULL,
       &out},
      {"json", NULL, "Print report.json in place of the text", &json, NULL}};
  const struct arguments arguments = {
      "report",
      "RUN...",
      "Shows how one run went, or up to eight together: loss, scores, gradient norm and learning rate along the steps, "
      "confusion matrix, calibration, what took how long, where it comes from; of several also what differs. Prints "
      "text, and writes one HTML page, tables (CSV, JSON) and figures (SVG).\vRuns may be finished, going on, stopped "
      "or failed; nothing is written into their folders. `study report` has the statistics of many runs.\n",
      options,
      sizeof options / sizeof *options,
      1,
      SIZE_MAX};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  return help ? AD_OK : report(leave_reports(count, argv + 1), argv + 1, out, json);
}
