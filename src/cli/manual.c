#include "manual.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/build.h"
#include "autodidact/base/status.h"
#include "commands.h"

const char manual_exit_codes[] =
    "Exit codes: 0 done, 1 bad input or configuration, 2 failure of the machine, 3 training diverged, 75 stopped with "
    "a "
    "checkpoint.\n"
    "mpirun that gets TERM itself gives 1 in place of 75: send it USR1, or start it by launch/local.\n";

int help_form_of(const char *word, enum help_form *form) {
  const char *name = strncmp(word, "--help=", 7) == 0 ? word + 7 : "text";
  *form = strcmp(name, "man") == 0 ? HELP_MAN : strcmp(name, "words") == 0 ? HELP_WORDS : HELP_TEXT;
  return *form != HELP_TEXT || strcmp(name, "text") == 0
             ? AD_OK
             : ad_fail(AD_ECONFIG, "--help is '%s', expected text, man or words", name);
}

/* Text for roff, to which a full stop or quote at the beginning of a line, a backslash and a hyphen mean something. */
static void put(const char *text) {
  for (const char *c = text; *c != '\0'; c++) {
    const int first = c == text || c[-1] == '\n' || c[-1] == '\v';
    if (first && (*c == '.' || *c == '\'')) {
      fputs("\\&", stdout);
    }
    if (*c == '\v' || (*c == '\n' && c[1] == '\n')) { /* argp's mark between what the help says first and last */
      fputs("\n.PP\n", stdout);
      c += *c == '\n';
    } else if (*c == '\n' && c[1] != '\0') {
      fputs("\n.br\n", stdout);
    } else {
      fputs(*c == '\\' ? "\\e" : *c == '-' ? "\\-" : (const char[]){*c, '\0'}, stdout);
    }
  }
}

static void put_line(const char *before, const char *text, const char *after) {
  fputs(before, stdout);
  put(text);
  fputs(after, stdout);
}

/* What a command does in few words: the table's, or the first sentence of its help. */
static const char *summary(const char *name, const char *text, char *room, size_t size) {
#define AD_SUMMARY(command, parallel, usage, what) \
  if (strcmp(name, #command) == 0) {               \
    return what;                                   \
  }
  AD_COMMAND_MAP(AD_SUMMARY)
#undef AD_SUMMARY
  const char *end = strstr(text, ". ");
  const size_t line = strcspn(text, "\n"), length = end == NULL ? line : (size_t)(end - text);
  snprintf(room, size, "%.*s", (int)length - (length > 0 && text[length - 1] == '.'), text);
  room[0] = (char)tolower((unsigned char)room[0]);
  return room;
}

/* Title, name and the beginning of the synopsis: "study run" is autodidact-study-run(1). */
static void begin_page(const char *name, const char *text) {
  char title[64], room[200];
  snprintf(title, sizeof title, "autodidact%s%s", name[0] == '\0' ? "" : "-", name);
  for (char *space = title; (space = strchr(space, ' ')) != NULL;) {
    *space = '-';
  }
  printf(".TH %s 1 \"\" \"autodidact %s\" \"User Commands\"\n.nh\n.SH NAME\n%s \\- ", title, ad_build_version(), title);
  put_line("", summary(name, text, room, sizeof room), "\n.SH SYNOPSIS\n");
}

/* A line of the synopsis. */
static void put_synopsis(const char *name, const char *usage) {
  printf(".B autodidact%s%s\n", name[0] == '\0' ? "" : " ", name);
  put_line("", usage, "\n");
}

static void end_page(const char *name) {
  put_line(".SH EXIT STATUS\n", manual_exit_codes, ".SH SEE ALSO\n");
  if (name[0] != '\0') {
    puts(".BR autodidact (1)");
    return;
  }
#define AD_SEE_ALSO(command, parallel, usage, what) puts(".BR autodidact\\-" #command " (1)");
  AD_COMMAND_MAP(AD_SEE_ALSO)
#undef AD_SEE_ALSO
}

void manual_print_words(enum help_form form, const char *name, const char *text, const struct manual_word *words,
                        size_t count) {
  if (form == HELP_WORDS) {
    for (size_t i = 0; i < count; i++) {
      printf("%s\t%s\n", words[i].word, words[i].text);
    }
    return;
  }
  begin_page(name, text);
  put_synopsis(name, name[0] == '\0' ? "COMMAND [ARGUMENT ...]" : "SUBCOMMAND [ARGUMENT ...]");
  put_line(".SH DESCRIPTION\n", text, "\n");
  printf(".SH %s\n", name[0] == '\0' ? "COMMANDS" : "SUBCOMMANDS");
  for (size_t i = 0; i < count; i++) {
    put_line(".TP\n.B ", words[i].word, " ");
    put_line("", words[i].usage, "\n");
    put_line("", words[i].text, "\n");
  }
  put_line(".PP\n", "`autodidact help COMMAND` and the page of each command explain it.", "\n");
  end_page(name);
}

void manual_print_program(enum help_form form) {
  static const struct manual_word words[] = {
#define AD_COMMAND_WORD(name, parallel, usage, text) {#name, usage, text},
      AD_COMMAND_MAP(AD_COMMAND_WORD)
#undef AD_COMMAND_WORD
  };
  manual_print_words(form, "", "Fine-tunes BERT-type text encoders on CPUs, reproducibly to the bit.", words,
                     sizeof words / sizeof *words);
}

void manual_print_options(enum help_form form, const struct arguments *a) {
  static const struct argument common[] = {{"help", NULL, "Print the help", NULL, NULL},
                                           {"version", NULL, "Print the version", NULL, NULL}};
  if (form == HELP_MAN) {
    begin_page(a->command, a->text);
    put_synopsis(a->command, a->usage);
    put_line(".SH DESCRIPTION\n", a->text, "\n.SH OPTIONS\n");
  }
  for (size_t i = 0; i < a->option_count + 2; i++) {
    const struct argument *o = i < a->option_count ? &a->options[i] : &common[i - a->option_count];
    if (form == HELP_WORDS) {
      printf("--%s%s\t%s\n", o->name, o->value == NULL ? "" : "=", o->help);
      continue;
    }
    put_line(".TP\n.B \\-\\-", o->name, "");
    put_line(o->value == NULL ? "" : "=", o->value == NULL ? "" : o->value, "\n");
    put_line("", o->help, "\n");
  }
  if (form == HELP_MAN) {
    end_page(a->command);
  }
}
