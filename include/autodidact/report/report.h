/* The report of a study: tables as text, CSV and JSON, and one HTML page with figures. docs/statistics.md explains it.
 */
#ifndef AUTODIDACT_REPORT_REPORT_H
#define AUTODIDACT_REPORT_REPORT_H

#include "autodidact/base/buffer.h"
#include "autodidact/study/cells.h"

struct ad_report_settings {
  const char *folder;   /* where files go; NULL: DIR/report of the study */
  const char *baseline; /* name of the arm that others are compared with; NULL: the first one */
  int tables;           /* 1: also examples.csv, a row for each run and example, and tables.h5 */
};

/* Computes everything from the table of cells and from what is in the run folders (log.jsonl, logits/, snapshots/) of
 * as many runs as its limits allow. It names these limits. Writes report.txt, report.json, report.html, a CSV file a
 * table, an SVG file a figure, and runs.csv with every run and key into the folder, which is made, and appends
 * report.txt to `text`. The long tables (settings->tables) have no limit, and one run's logits are in memory at a time.
 * What cannot be computed carries its reason; damaged files of a run are named in the report and left out. AD_ECONFIG
 * (no such arm), AD_EIO, AD_ENOMEM. */
int ad_report_make(const struct ad_study *study, const struct ad_cells *cells,
                   const struct ad_report_settings *settings, struct ad_buffer *text);

#endif
