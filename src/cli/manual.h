/* Help in other forms, `--help=man` and `--help=words`: manual pages and what shells complete, from the same tables as
 * the help itself. */
#ifndef AUTODIDACT_CLI_MANUAL_H
#define AUTODIDACT_CLI_MANUAL_H

#include "arguments.h"

enum help_form { HELP_TEXT, HELP_MAN, HELP_WORDS };

/* The form that a word asks for: "--help=man", "--help=words"; HELP_TEXT for "--help" and its short names. AD_ECONFIG:
 * another form. */
int help_form_of(const char *word, enum help_form *form);

/* A word to choose, and what it does. */
struct manual_word {
  const char *word, *usage, *text;
};

extern const char manual_exit_codes[];

/* The page, or the words, of `autodidact` itself. */
void manual_print_program(enum help_form form);

/* The page, or the words, of a command whose first word is one of words [count]. */
void manual_print_words(enum help_form form, const char *name, const char *text, const struct manual_word *words,
                        size_t count);

/* The page, or the words, of a command with options. */
void manual_print_options(enum help_form form, const struct arguments *arguments);

#endif
