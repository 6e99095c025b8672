/* The subcommands of `study`: study.c chooses one. Not installed. */
#ifndef AUTODIDACT_CLI_STUDY_H
#define AUTODIDACT_CLI_STUDY_H

#include "autodidact/run/study.h"

/* As commands (commands.h): argv[0] is the subcommand's name. Collective over the world: run; on one rank: plan; by one
 * process: status, report. */
int study_command_run(const struct ad_math *math, int argc, char **argv);
int study_command_plan(const struct ad_math *math, int argc, char **argv);
int study_command_status(const struct ad_math *math, int argc, char **argv);
int study_command_report(const struct ad_math *math, int argc, char **argv);

/* How the state is shown. */
struct study_view {
  int json;
  const char *html; /* a page, too; NULL: none */
  unsigned every;   /* seconds between two looks */
};

/* Looks again and again, until no cell runs or waits. AD_EINPUT, AD_ECONFIG, AD_EIO, AD_ENOMEM. */
int study_watch(const char *path, const struct study_view *view);

/* Writes the page, whole or not at all; refresh: seconds until a browser loads it again, as long as cells run or wait.
 * AD_EIO, AD_ENOMEM. */
int study_page_write(const char *path, const struct ad_cells *cells, const struct ad_study_summary *summary,
                     unsigned refresh);

/* Appends how much of the work is done, and how long the rest takes. AD_ENOMEM. */
int study_describe_progress(const struct ad_study_summary *summary, struct ad_buffer *out);

/* The time of day, "2026-01-31 12:00:00", and seconds as "1:02:03"; returns text. */
enum { STUDY_TIME = 40 };
const char *study_time(char text[STUDY_TIME]);
const char *study_duration(double seconds, char text[STUDY_TIME]);

/* Table by arms for people: of cells, which takes estimates; of what they have come to. */
int study_print_status(const struct ad_cells *cells);
int print_study(const struct ad_cells *cells, const struct ad_study_summary *summary);

#endif
