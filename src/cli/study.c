/* autodidact study: which of its subcommands. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/file.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "commands.h"
#include "manual.h"
#include "study.h"

static const struct {
  const char *name, *usage, *text;
  int (*run)(const struct ad_math *math, int argc, char **argv);
} subcommands[] = {
    {"run", "STUDY.yaml [key=value ...]", "run the cells that are not finished", study_command_run},
    {"plan", "STUDY.yaml [--json]", "what each arm will need: memory, steps, bytes", study_command_plan},
    {"status", "STUDY.yaml [--json] [--watch]", "what is done, running, failed, waiting", study_command_status},
    {"report", "STUDY.yaml [--out DIR] ...", "the statistics of what is done", study_command_report},
};

enum { SUBCOMMANDS = sizeof subcommands / sizeof *subcommands };

static void print_help(void) {
  printf(
      "Usage: autodidact study SUBCOMMAND STUDY.yaml ...\nMany trainings that differ in seeds and settings, as a study "
      "file says (docs/user-guide.md).\n\n");
  for (size_t i = 0; i < SUBCOMMANDS; i++) {
    printf("  %-7s %-28s %s\n", subcommands[i].name, subcommands[i].usage, subcommands[i].text);
  }
  printf("\n`autodidact study SUBCOMMAND --help` explains one.\n");
}

static int print_help_as(const char *word) {
  struct manual_word words[SUBCOMMANDS];
  enum help_form form;
  AD_TRY(help_form_of(word, &form));
  for (size_t i = 0; i < SUBCOMMANDS; i++) {
    words[i] = (struct manual_word){subcommands[i].name, subcommands[i].usage, subcommands[i].text};
  }
  if (form == HELP_TEXT) {
    print_help();
  } else {
    manual_print_words(form, "study", "Many trainings that differ in seeds and settings, as a study file says.", words,
                       SUBCOMMANDS);
  }
  return AD_OK;
}

static int fail_unknown(const char *word) {
  char list[200] = "";
  const char *meant = NULL;
  size_t used = 0, most = most_slips(word);
  for (size_t i = 0; i < SUBCOMMANDS; i++) {
    meant = is_nearer(word, subcommands[i].name, &most) ? subcommands[i].name : meant;
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", subcommands[i].name);
  }
  if (ad_is_file(word)) {
    return ad_fail(AD_ECONFIG, "study: found a file, expected one of %s before it: study run %s", list, ad_shown(word));
  }
  return ad_fail(AD_ECONFIG, "study: found %s, expected one of %s%s%s%s", word, list,
                 meant == NULL ? "" : ", did you mean ", meant == NULL ? "" : meant, meant == NULL ? "" : "?");
}

/* `study help run` is `study run --help`. */
static int help_with(const char *word) {
  for (size_t i = 0; i < SUBCOMMANDS; i++) {
    if (strcmp(word, subcommands[i].name) == 0) {
      char name[32], option[] = "--help", *asking[] = {name, option, NULL};
      snprintf(name, sizeof name, "%s", word);
      return subcommands[i].run(NULL, 2, asking);
    }
  }
  return fail_unknown(word);
}

int ad_command_study(const struct ad_math *math, int argc, char **argv) {
  const char *word = argc > 1 ? argv[1] : "no subcommand";
  if (is_help(word) || strcmp(word, "help") == 0) {
    if (argc > 2 && !is_help(argv[2])) {
      return help_with(argv[2]);
    }
    return print_help_as(word);
  }
  if (is_version(word)) {
    print_version();
    return AD_OK;
  }
  for (size_t i = 0; i < SUBCOMMANDS; i++) {
    if (strcmp(word, subcommands[i].name) == 0) {
      return subcommands[i].run(math, argc - 1, argv + 1);
    }
  }
  return fail_unknown(word);
}
