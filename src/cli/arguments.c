#include "arguments.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

enum { KEY_HELP = 0x7000, KEY_FIRST = 0x7001 };

struct parse_state {
  const struct arguments *arguments;
  char **argv;
  size_t count;
  int help;
  int status;
};

static error_t parse(int key, char *value, struct argp_state *state) {
  struct parse_state *s = state->input;
  const struct arguments *a = s->arguments;
  if (key >= KEY_FIRST && key < KEY_FIRST + (int)a->option_count) {
    const struct argument *option = &a->options[key - KEY_FIRST];
    if (option->flag != NULL) {
      *option->flag = 1;
    } else {
      *option->text = value;
    }
    return 0;
  }
  switch (key) {
    case KEY_HELP:
      s->help = 1;
      return 0;
    case ARGP_KEY_ARG:
      if (s->count == a->most) {
        s->status = ad_fail(AD_ECONFIG, "%s: one argument too many: '%s'; usage: autodidact %s %s", a->command, value,
                            a->command, a->usage);
        return EINVAL;
      }
      s->argv[1 + s->count++] = value;
      return 0;
    case ARGP_KEY_ERROR:
      if (s->status == AD_OK) {
        s->status = ad_fail(AD_ECONFIG, "%s: unknown option or missing value at '%s'; see autodidact %s --help",
                            a->command, state->argv[state->next > 1 ? state->next - 1 : 0], a->command);
      }
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

int arguments_parse(const struct arguments *arguments, int argc, char **argv, size_t *count, int *help) {
  struct argp_option *options = ad_calloc(arguments->option_count + 2, sizeof *options);
  if (options == NULL) {
    return ad_fail_memory(sizeof *options * (arguments->option_count + 2), "the command line");
  }
  for (size_t i = 0; i < arguments->option_count; i++) {
    options[i] = (struct argp_option){
        arguments->options[i].name, KEY_FIRST + (int)i, arguments->options[i].value, 0, arguments->options[i].help, 0};
  }
  options[arguments->option_count] = (struct argp_option){"help", KEY_HELP, NULL, 0, "Print this help", -1};
  const struct argp argp = {options, parse, arguments->usage, arguments->text, NULL, NULL, NULL};
  struct parse_state state = {.arguments = arguments, .argv = argv};
  const error_t error = argp_parse(&argp, argc, argv, ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP, NULL, &state);
  int status = state.status;
  if (status == AD_OK && state.help) {
    char name[64];
    snprintf(name, sizeof name, "autodidact %s", arguments->command);
    argp_help(&argp, stdout, ARGP_HELP_USAGE | ARGP_HELP_DOC | ARGP_HELP_LONG, name);
  } else if (status == AD_OK && error != 0) {
    status = ad_fail(AD_ECONFIG, "%s: the command line could not be read; see autodidact %s --help", arguments->command,
                     arguments->command);
  } else if (status == AD_OK && state.count < arguments->least) {
    status = ad_fail(AD_ECONFIG, "%s: an argument is missing; usage: autodidact %s %s", arguments->command,
                     arguments->command, arguments->usage);
  }
  ad_free(options);
  *count = state.count;
  *help = state.help;
  return status;
}
