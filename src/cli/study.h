/* The subcommands of `study`: study.c chooses one. Not installed. */
#ifndef AUTODIDACT_CLI_STUDY_H
#define AUTODIDACT_CLI_STUDY_H

#include "autodidact/run/study.h"

/* As commands (commands.h): argv[0] is the subcommand's name. Collective over the world: run; by one process: status,
 * report. */
int study_command_run(const struct ad_math *math, int argc, char **argv);
int study_command_status(const struct ad_math *math, int argc, char **argv);
int study_command_report(const struct ad_math *math, int argc, char **argv);

/* Table by arms for people: of cells, which takes estimates; of what they have come to. */
int study_print_status(const struct ad_cells *cells);
void print_study(const struct ad_cells *cells, const struct ad_study_summary *summary);

#endif
