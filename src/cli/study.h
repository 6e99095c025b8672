/* The subcommands of `study`: study.c chooses, study_run.c hands out cells, study_status.c and study_report.c print. Not installed. */
#ifndef AUTODIDACT_CLI_STUDY_H
#define AUTODIDACT_CLI_STUDY_H

#include "autodidact/study/cells.h"

/* argv as of a command: argv[0] is the subcommand's name. Collective over the world: run; by one process: status, report. */
int study_command_run(int argc, char **argv);
int study_command_status(int argc, char **argv);
int study_command_report(int argc, char **argv);

/* Table by arms for people. */
int study_print_status(const struct ad_cells *cells);

#endif
