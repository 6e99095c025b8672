#include "arguments.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/build.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "manual.h"

const char help_model[] =
    "Which parameters of the run, in place of its result: student, teacher, window or run (the means)";
const char help_task[] = "Of a run or a model of several tasks the one that is meant, by the name of its data set";
const char help_folder[] = "Where the files of the run's data set are now, in place of data.folder";
const char help_own_descriptor[] =
    "Use the run's own descriptor, even where the meaning of the file that it was read from has changed";
const char help_precision[] = "Compute in float32 or bfloat16, in place of the run's train.precision";

enum { KEY_FORM = 0x7000, KEY_FIRST };

struct parse_state {
  const struct arguments *arguments;
  char **argv;
  unsigned char *given; /* [option_count] how often each option with a value was there */
  size_t count;
  int help, version;
  enum help_form form;
  int status;
};

int is_help(const char *word) {
  return strcmp(word, "--help") == 0 || strncmp(word, "--help=", 7) == 0 || strcmp(word, "-h") == 0 ||
         strcmp(word, "-?") == 0;
}

int is_version(const char *word) {
  return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

void print_version(void) {
  printf("autodidact %s (%s)\narithmetic %d, bfloat16 %d\n", ad_build_version(), ad_build_commit(), AD_ARITHMETIC,
         AD_ARITHMETIC_BFLOAT16);
}

static error_t parse(int key, char *value, struct argp_state *state) {
  struct parse_state *s = state->input;
  const struct arguments *a = s->arguments;
  if (key >= KEY_FIRST && key < KEY_FIRST + (int)a->option_count) {
    const struct argument *option = &a->options[key - KEY_FIRST];
    if (option->flag != NULL) {
      *option->flag = 1;
    } else if (s->given[key - KEY_FIRST]++ > 0) {
      s->status = ad_fail(AD_ECONFIG, "%s: --%s stands there twice, expected it once", a->command, option->name);
      return EINVAL;
    } else {
      *option->text = value;
    }
    return 0;
  }
  switch (key) {
    case KEY_FORM: {
      char word[32];
      snprintf(word, sizeof word, "--help=%s", value);
      s->status = value == NULL ? AD_OK : help_form_of(word, &s->form);
      s->help = 1;
      return 0;
    }
    case '?':
    case 'h':
      s->help = 1;
      return 0;
    case 'V':
      s->version = 1;
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
        s->status = arguments_fail_option(a, state->argv[state->next > 1 ? state->next - 1 : 0]);
      }
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

int arguments_parse(const struct arguments *arguments, int argc, char **argv, size_t *count, int *help) {
  static const struct argp_option common[] = {{"help", KEY_FORM, "FORM", OPTION_ARG_OPTIONAL | OPTION_HIDDEN, NULL, -1},
                                              {"help", 'h', NULL, 0, "Print this help", -1},
                                              {NULL, '?', NULL, OPTION_ALIAS, NULL, -1},
                                              {"version", 'V', NULL, 0, "Print the version", -1}};
  const size_t own = arguments->option_count;
  struct argp_option *options = ad_calloc(own + 5, sizeof *options + sizeof(unsigned char));
  if (options == NULL) {
    return ad_fail_memory((own + 5) * (sizeof *options + 1), "the command line");
  }
  for (size_t i = 0; i < own; i++) {
    const struct argument *o = &arguments->options[i];
    options[i] = (struct argp_option){o->name, KEY_FIRST + (int)i, o->value, 0, o->help, 0};
  }
  memcpy(options + own, common, sizeof common);
  const struct argp argp = {options, parse, arguments->usage, arguments->text, NULL, NULL, NULL};
  struct parse_state state = {.arguments = arguments, .argv = argv, .given = (unsigned char *)(options + own + 5)};
  const error_t error = argp_parse(&argp, argc, argv, ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP, NULL, &state);
  int status = state.status;
  if (status == AD_OK && state.help && state.form != HELP_TEXT) {
    manual_print_options(state.form, arguments);
  } else if (status == AD_OK && state.help) {
    char name[64];
    snprintf(name, sizeof name, "autodidact %s", arguments->command);
    argp_help(&argp, stdout, ARGP_HELP_USAGE | ARGP_HELP_DOC | ARGP_HELP_LONG, name);
  } else if (status == AD_OK && state.version) {
    print_version();
  } else if (status == AD_OK && error != 0) {
    status = ad_fail(AD_ECONFIG, "%s: the command line could not be read; see autodidact %s --help", arguments->command,
                     arguments->command);
  } else if (status == AD_OK && state.count < arguments->least) {
    status = ad_fail(AD_ECONFIG, "%s: an argument is missing; usage: autodidact %s %s", arguments->command,
                     arguments->command, arguments->usage);
  }
  ad_free(options);
  *count = state.count;
  *help = state.help || state.version;
  return status;
}

int arguments_number(const char *option, const char *text, uint64_t least, uint64_t *value) {
  char *end;
  if (text == NULL) {
    return AD_OK;
  }
  errno = 0;
  const unsigned long long number = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < least || number > INT64_MAX) {
    return ad_fail(AD_ECONFIG, "--%s is '%s', expected a whole number from %" PRIu64, option, text, least);
  }
  *value = number;
  return AD_OK;
}
