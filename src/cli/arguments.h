/* Command lines of the commands, on glibc's argp: options into variables, the rest as positional arguments. Not
 * installed. */
#ifndef AUTODIDACT_CLI_ARGUMENTS_H
#define AUTODIDACT_CLI_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

/* One option: "--name" sets *flag to 1, or "--name VALUE" sets *text. Exactly one of flag and text is given. */
struct argument {
  const char *name;
  const char *value; /* what the help calls the value; NULL for a flag */
  const char *help;
  int *flag;
  const char **text;
};

struct arguments {
  const char *command;
  const char *usage;              /* the positional arguments, for the help */
  const char *text;               /* what the command does, for the help */
  const struct argument *options; /* [option_count] */
  size_t option_count;
  size_t least, most; /* positional arguments */
};

/* Parses argv; positional arguments are moved to the front of argv + 1, *count of them. *help is 1 where --help (-h,
 * -?) or --version (-V) was asked for: it has then been printed to standard output, and nothing else is to be done.
 * AD_ECONFIG: unknown option (with the one that is meant, or the key), missing value, too few or too many arguments.
 * AD_ENOMEM. */
int arguments_parse(const struct arguments *arguments, int argc, char **argv, size_t *count, int *help);

/* A whole number from `least` on as an option's text gives it; *value is untouched where the text is NULL. AD_ECONFIG.
 */
int arguments_number(const char *option, const char *text, uint64_t least, uint64_t *value);

/* AD_ECONFIG for a word that is no option, or lacks its value: the option that is meant, or the key. */
int arguments_fail_option(const struct arguments *arguments, const char *given);

/* Help of the options --model, --task, --folder, --own-descriptor and --precision, which several commands have. */
extern const char help_model[], help_task[], help_folder[], help_own_descriptor[], help_precision[];

/* For suggestions: how many letters of a word may be slips; 1 where `name` is the nearest to the word so far, within
 * *most, which is then what a nearer one must keep to. */
size_t most_slips(const char *word);
int is_nearer(const char *word, const char *name, size_t *most);

/* What a word of other programs is here, as the end of a message, as `command` has it for an option, or as a command
 * where that is NULL; NULL: nothing is known. Static storage. */
const char *find_foreign(const char *command, const char *word);

/* Whether a word of the command line asks for help, or for the version. */
int is_help(const char *word);
int is_version(const char *word);

/* The program's name and version, one line on standard output. */
void print_version(void);

#endif
