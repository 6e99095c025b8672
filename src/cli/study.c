/* autodidact study: which of its subcommands. */
#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "commands.h"
#include "study.h"

static const struct {
  const char *name, *usage, *text;
  int (*run)(int argc, char **argv);
} subcommands[] = {
    {"run", "STUDY.yaml [key=value ...]", "run the cells that are not finished", study_command_run},
    {"status", "STUDY.yaml [--json]", "what is done, running, failed, waiting", study_command_status},
    {"report", "STUDY.yaml [--out DIR] ...", "the statistics of what is done", study_command_report},
};

enum { SUBCOMMANDS = sizeof subcommands / sizeof *subcommands };

static void print_help(void) {
  printf("Usage: autodidact study SUBCOMMAND STUDY.yaml ...\nMany trainings that differ in seeds and settings, as a study "
         "file says (docs/user-guide.md).\n\n");
  for (size_t i = 0; i < SUBCOMMANDS; i++) {
    printf("  %-7s %-28s %s\n", subcommands[i].name, subcommands[i].usage, subcommands[i].text);
  }
  printf("\n`autodidact study SUBCOMMAND --help` explains one.\n");
}

int ad_command_study(int argc, char **argv) {
  if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0)) {
    print_help();
    return AD_OK;
  }
  for (size_t i = 0; argc > 1 && i < SUBCOMMANDS; i++) {
    if (strcmp(argv[1], subcommands[i].name) == 0) {
      return subcommands[i].run(argc - 1, argv + 1);
    }
  }
  char list[200] = "";
  size_t used = 0;
  for (size_t i = 0; i < SUBCOMMANDS; i++) {
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", subcommands[i].name);
  }
  return ad_fail(AD_ECONFIG, "study: found %s, expected one of %s", argc > 1 ? argv[1] : "no subcommand", list);
}
