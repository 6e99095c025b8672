/* The report of one run or a few: how they went, what their predictions are like, what took how long, where they come
 * from. Text, JSON, tables as CSV, and one HTML page with figures, which look as those of a study (report/report.h). */
#ifndef AUTODIDACT_REPORT_RUN_REPORT_H
#define AUTODIDACT_REPORT_RUN_REPORT_H

#include <stddef.h>

#include "autodidact/base/buffer.h"

enum { AD_REPORT_RUNS = 8 }; /* most runs of one report: as many as there are colours */

/* Reports on the run folders runs [count], be they finished, going on, stopped or failed, and writes nothing into them.
 * What a run lacks (log, logits, times) is said in the report; rows of its logs that cannot be read are counted there.
 * The files go into `folder`, which is made; NULL: RUN-report beside the first run, RUN-compared for several. Appends
 * report.txt, with `json` report.json, to `text`, and the path of report.html to `page`. AD_ECONFIG (no run, too many,
 * one twice, a folder inside a run), AD_EINPUT (no run folder, or its config.yaml cannot be read), AD_EIO, AD_ENOMEM.
 */
int ad_report_runs(size_t count, char *const *runs, const char *folder, int json, struct ad_buffer *text,
                   struct ad_buffer *page);

#endif
