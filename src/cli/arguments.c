#include "arguments.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/build.h"
#include "autodidact/base/config.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

const char help_model[] =
    "Which parameters of the run, in place of its result: student, teacher, window or run (the means)";
const char help_folder[] = "Where the files of the run's data set lie now, in place of data.folder";
const char help_own_descriptor[] =
    "Go by the run's own descriptor, though the file that it was read from means something else now";

enum { KEY_FIRST = 0x7001 };

struct parse_state {
  const struct arguments *arguments;
  char **argv;
  size_t count;
  int help, version;
  int status;
};

int is_help(const char *word) {
  return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-?") == 0;
}

int is_version(const char *word) {
  return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

void print_version(void) {
  printf("autodidact %s (%s)\narithmetic %d\n", ad_build_version(), ad_build_commit(), AD_ARITHMETIC);
}

size_t most_slips(const char *word) {
  return strlen(word) / 3 + 1;
}

int is_nearer(const char *word, const char *name, size_t *most) {
  const size_t shared = strlen(name) < strlen(word) ? strlen(name) : strlen(word);
  const size_t distance = shared >= 3 && strncmp(name, word, shared) == 0 ? 1 : ad_edit_distance(name, word);
  if (distance > *most) {
    return 0;
  }
  *most = distance - (distance > 0);
  return 1;
}

/* The option that is meant by a word; NULL: none is like it. */
static const char *find_meant(const struct arguments *a, const char *word) {
  const char *meant = NULL;
  size_t most = most_slips(word);
  for (size_t i = 0; i < a->option_count; i++) {
    meant = is_nearer(word, a->options[i].name, &most) ? a->options[i].name : meant;
  }
  meant = is_nearer(word, "help", &most) ? "help" : meant;
  return is_nearer(word, "version", &most) ? "version" : meant;
}

/* The option with this name [length]; NULL: there is none. */
static const struct argument *find_option(const struct arguments *a, const char *name, size_t length) {
  for (size_t i = 0; i < a->option_count; i++) {
    if (strlen(a->options[i].name) == length && strncmp(a->options[i].name, name, length) == 0) {
      return &a->options[i];
    }
  }
  return NULL;
}

/* For commands that take key=value: somebody wrote it as an option. */
static int fail_key(const struct arguments *a, const char *given, const char *key) {
  struct ad_buffer meant = {0};
  int status = ad_config_suggest(key, &meant);
  if (status == AD_OK) {
    status = ad_fail(AD_ECONFIG, "%s: unknown option '%s'; keys are given without dashes, as key=value: %s", a->command,
                     given, meant.data);
  }
  ad_buffer_destroy(&meant);
  return status;
}

static int fail_option(const struct arguments *a, const char *given) {
  const char *name = given + strspn(given, "-");
  const size_t length = strcspn(name, "=");
  const struct argument *option = find_option(a, name, length);
  if (option != NULL) {
    return option->flag != NULL ? ad_fail(AD_ECONFIG, "%s: --%s takes no value", a->command, option->name)
                                : ad_fail(AD_ECONFIG, "%s: --%s needs a value: --%s %s", a->command, option->name,
                                          option->name, option->value);
  }
  char word[128];
  snprintf(word, sizeof word, "%.*s", (int)length, name);
  const char *meant = length > 1 ? find_meant(a, word) : NULL;
  if (meant != NULL) {
    return ad_fail(AD_ECONFIG, "%s: unknown option '%s', did you mean --%s? See autodidact %s --help", a->command, given, meant,
                   a->command);
  }
  return strstr(a->usage, "key=value") != NULL && length > 1
             ? fail_key(a, given, word)
             : ad_fail(AD_ECONFIG, "%s: unknown option '%s'; see autodidact %s --help", a->command, given, a->command);
}

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
        s->status = fail_option(a, state->argv[state->next > 1 ? state->next - 1 : 0]);
      }
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

int arguments_parse(const struct arguments *arguments, int argc, char **argv, size_t *count, int *help) {
  static const struct argp_option common[] = {{"help", 'h', NULL, 0, "Print this help", -1},
                                              {NULL, '?', NULL, OPTION_ALIAS, NULL, -1},
                                              {"version", 'V', NULL, 0, "Print the version", -1}};
  const size_t own = arguments->option_count;
  struct argp_option *options = ad_calloc(own + 4, sizeof *options);
  if (options == NULL) {
    return ad_fail_memory(sizeof *options * (own + 4), "the command line");
  }
  for (size_t i = 0; i < own; i++) {
    const struct argument *o = &arguments->options[i];
    options[i] = (struct argp_option){o->name, KEY_FIRST + (int)i, o->value, 0, o->help, 0};
  }
  memcpy(options + own, common, sizeof common);
  const struct argp argp = {options, parse, arguments->usage, arguments->text, NULL, NULL, NULL};
  struct parse_state state = {.arguments = arguments, .argv = argv};
  const error_t error = argp_parse(&argp, argc, argv, ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP, NULL, &state);
  int status = state.status;
  if (status == AD_OK && state.help) {
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
