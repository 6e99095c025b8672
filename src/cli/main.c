/* The program: finds the command, starts what it needs, turns its status into a message and an exit code. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/build.h"
#include "autodidact/base/float_state.h"
#include "autodidact/base/status.h"
#include "autodidact/run/program.h"
#include "commands.h"
#include "manual.h"

struct command {
  const char *name;
  int parallel;
  int (*run)(const struct ad_math *math, int argc, char **argv);
  const char *usage, *text;
};

static const struct command commands[] = {
#define AD_COMMAND_ROW(name, parallel, usage, text) {#name, parallel, ad_command_##name, usage, text},
    AD_COMMAND_MAP(AD_COMMAND_ROW)
#undef AD_COMMAND_ROW
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_help(FILE *out) {
  fprintf(out, "autodidact %s: fine-tunes BERT-type text encoders on CPUs, reproducibly to the bit\n\nCommands:\n",
          ad_build_version());
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    fprintf(out, "  %-9s %-34s %s\n", commands[i].name, commands[i].usage, commands[i].text);
  }
  fprintf(out,
          "\n`autodidact help COMMAND` explains a command, `autodidact train --keys` lists all configuration keys,\n"
          "`autodidact --cite` says how to cite the program and the paper.\n%s",
          manual_exit_codes);
}

static const struct command *find(const char *name) {
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    if (strcmp(commands[i].name, name) == 0) {
      return &commands[i];
    }
  }
  return NULL;
}

static int fail_unknown(const char *name) {
  char list[512] = "";
  const char *meant = NULL, *here = find_foreign(NULL, name);
  size_t used = 0, most = most_slips(name);
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    meant = is_nearer(name, commands[i].name, &most) ? commands[i].name : meant;
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", commands[i].name);
  }
  return here != NULL ? ad_fail(AD_ECONFIG, "unknown command '%s'; %s", name, here)
         : meant == NULL
             ? ad_fail(AD_ECONFIG, "unknown command '%s', expected one of %s", name, list)
             : ad_fail(AD_ECONFIG, "unknown command '%s', did you mean %s? Expected one of %s", name, meant, list);
}

/* Whether the arguments only ask for help, keys or a key's value: then MPI is not needed. */
static int asks_for_text(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (is_help(argv[i]) || is_version(argv[i]) || strncmp(argv[i], "--keys", 6) == 0 ||
        strncmp(argv[i], "--get", 5) == 0) {
      return 1;
    }
  }
  return 0;
}

static int needs_ranks(const struct command *command, int argc, char **argv) {
  const int parallel = command->parallel == 2
                           ? argc > 2 && (strcmp(argv[2], "run") == 0 || strcmp(argv[2], "plan") == 0)
                           : command->parallel;
  return parallel && !asks_for_text(argc - 1, argv + 1);
}

/* `--help=man`, `--help=words`, or the help itself. */
static int print_help_as(const char *word) {
  enum help_form form;
  AD_TRY(help_form_of(word, &form));
  if (form == HELP_TEXT) {
    print_help(stdout);
  } else {
    manual_print_program(form);
  }
  return AD_OK;
}

/* `help COMMAND ...` is `COMMAND ... --help`. argv[0]: help. */
static int help_with(int argc, char **argv) {
  enum { MOST = 8 };
  static char asked[] = "--help";
  char *asking[MOST + 2];
  if (argc < 2 || strcmp(argv[1], "help") == 0) {
    print_help(stdout);
    return AD_OK;
  }
  const struct command *command = find(argv[1]);
  int count = 0;
  if (command == NULL) {
    return fail_unknown(argv[1]);
  }
  for (int i = 1; i < argc && count < MOST; i++) {
    asking[count++] = argv[i];
  }
  asking[count++] = asked;
  asking[count] = NULL;
  return command->run(NULL, count, asking);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    print_help(stderr);
    return ad_status_exit_code(AD_ECONFIG);
  }
  const int floats = ad_float_start();
  if (floats != AD_OK) {
    return ad_program_report(floats);
  }
  if (is_help(argv[1]) && argc == 2) {
    return ad_program_is_first() ? ad_program_report(print_help_as(argv[1])) : 0;
  }
  if (is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
    return ad_program_is_first() ? ad_program_report(help_with(argc - 1, argv + 1)) : 0;
  }
  if (strcmp(argv[1], "--cite") == 0) {
    fputs(ad_program_is_first() ? ad_build_cite() : "", stdout);
    return ad_program_report(AD_OK);
  }
  if (is_version(argv[1])) {
    print_version();
    return ad_program_report(AD_OK);
  }
  int status = ad_program_prepare();
  const struct command *command = find(argv[1]);
  if (status != AD_OK || command == NULL) {
    return ad_program_report(status != AD_OK ? status : fail_unknown(argv[1]));
  }
  if (!needs_ranks(command, argc, argv)) {
    return ad_program_is_first() ? ad_program_report(command->run(NULL, argc - 1, argv + 1)) : 0;
  }
  struct ad_math *math;
  status = ad_program_start(&argc, &argv, &math);
  return ad_program_end(status == AD_OK ? command->run(math, argc - 1, argv + 1) : status, math);
}
