#include "tokenize.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/looks.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "autodidact/text/tokenizer.h"

enum { KEY_TRUNCATION = 0x100, KEY_PAIR, KEY_TOKENS, KEY_HELP };

static const struct argp_option options[] = {
    {"model", 'm', "DIR", 0, "Folder with vocab.txt or tokenizer.json (required)", 0},
    {"limit", 'l', "N", 0, "Cut to at most N tokens, [CLS] and [SEP] included", 0},
    {"truncation", KEY_TRUNCATION, "HOW", 0,
     "Where a single text is cut: head (default) or head_tail (the first 128 tokens and the last ones stay)", 0},
    {"pair", KEY_PAIR, NULL, 0, "A line is two texts with a TAB between them", 0},
    {"tokens", KEY_TOKENS, NULL, 0, "Print tokens instead of ids", 0},
    {"help", KEY_HELP, NULL, 0, "Print this help", -1},
    {0},
};

struct arguments {
  const char *model;
  const char *path; /* NULL: standard input */
  size_t limit;     /* 0: none */
  enum ad_truncation truncation;
  int pair;
  int tokens;
  int help;
  int status; /* of the command line */
};

static int parse_limit(const char *text, size_t *limit) {
  char *end;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < 3 || value > SIZE_MAX) {
    return ad_fail(AD_ECONFIG, "tokenize: --limit is \"%s\", expected a whole number from 3 on", text);
  }
  *limit = (size_t)value;
  return AD_OK;
}

static error_t parse(int key, char *value, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
    case 'm':
      arguments->model = value;
      return 0;
    case 'l':
      arguments->status = parse_limit(value, &arguments->limit);
      return arguments->status == AD_OK ? 0 : EINVAL;
    case KEY_TRUNCATION:
      arguments->truncation = strcmp(value, "head_tail") == 0 ? AD_TRUNCATE_HEAD_TAIL : AD_TRUNCATE_HEAD;
      if (arguments->truncation == AD_TRUNCATE_HEAD && strcmp(value, "head") != 0) {
        arguments->status = ad_fail(AD_ECONFIG, "tokenize: --truncation is \"%s\", expected head or head_tail", value);
        return EINVAL;
      }
      return 0;
    case KEY_PAIR:
      arguments->pair = 1;
      return 0;
    case KEY_TOKENS:
      arguments->tokens = 1;
      return 0;
    case KEY_HELP:
      arguments->help = 1;
      return 0;
    case ARGP_KEY_ARG:
      if (arguments->path != NULL) {
        arguments->status = ad_fail(AD_ECONFIG, "tokenize: a second file \"%s\", expected one at most", value);
        return EINVAL;
      }
      arguments->path = value;
      return 0;
    case ARGP_KEY_ERROR:
      if (arguments->status == AD_OK) {
        arguments->status =
            ad_fail(AD_ECONFIG, "tokenize: unknown option or missing value at \"%s\", see autodidact tokenize --help",
                    state->argv[state->next > 1 ? state->next - 1 : 0]);
      }
      return 0;
    default:
      return ARGP_ERR_UNKNOWN;
  }
}

/* Prints one encoding as a line. Errors of the stream are looked at when it is flushed. */
static void print_encoding(const struct ad_tokenizer *tokenizer, const struct ad_encoding *encoding, int tokens) {
  for (size_t i = 0; i < encoding->count; i++) {
    if (tokens) {
      printf("%s%s", i == 0 ? "" : " ", ad_tokenizer_token(tokenizer, encoding->ids[i]));
    } else {
      printf("%s%u", i == 0 ? "" : " ", (unsigned)encoding->ids[i]);
    }
  }
  putchar('\n');
}

/* Encodes and prints one line [size bytes], its line feed taken off. */
static int tokenize_line(const struct arguments *arguments, struct ad_tokenizer *tokenizer, const char *line,
                         size_t size, struct ad_encoding *encoding) {
  const char *second = NULL;
  size_t first_size = size;
  size_t second_size = 0;
  if (arguments->pair) {
    const char *tab = memchr(line, '\t', size);
    if (tab == NULL) {
      return ad_fail(AD_EINPUT, "no TAB, expected two texts with a TAB between them");
    }
    first_size = (size_t)(tab - line);
    second = tab + 1;
    second_size = size - first_size - 1;
    if (memchr(second, '\t', second_size) != NULL) {
      return ad_fail(AD_EINPUT, "more than one TAB, expected two texts with a TAB between them");
    }
  }
  AD_TRY(ad_tokenizer_encode(tokenizer, line, first_size, second, second_size, arguments->limit, arguments->truncation,
                             encoding));
  print_encoding(tokenizer, encoding, arguments->tokens);
  return AD_OK;
}

static int check_line(const char *name, size_t number, const char *line, size_t size) {
  const size_t valid = ad_utf8_valid(line, size);
  AD_TRY(number == 1 ? ad_looks_refuse(name, line, size) : AD_OK);
  return valid == size ? AD_OK
                       : ad_looks_explain(ad_utf8_fail(name, number, line, size, valid), AD_LOOKS_TEXT, name, line, size);
}

static int tokenize_stream(const struct arguments *arguments, struct ad_tokenizer *tokenizer, FILE *stream,
                           const char *name) {
  struct ad_encoding encoding = {0};
  char *line = NULL;
  size_t capacity = 0;
  int status = AD_OK;
  errno = 0;
  for (size_t number = 1; status == AD_OK; number++) {
    ssize_t size = getline(&line, &capacity, stream);
    if (size < 0) {
      break;
    }
    size -= size > 0 && line[size - 1] == '\n';
    status = check_line(name, number, line, (size_t)size);
    if (status != AD_OK) {
      break;
    }
    status = tokenize_line(arguments, tokenizer, line, (size_t)size, &encoding);
    if (status != AD_OK) {
      ad_fail_prefix(status, "%s:%zu", name, number);
    } else if (ferror(stdout)) {
      break;
    }
  }
  if (status == AD_OK && !feof(stream) && !ferror(stdout)) {
    status = errno == ENOMEM ? ad_fail_memory(capacity, name)
                             : ad_fail(errno == EISDIR ? AD_EINPUT : AD_EIO, "%s: %s", name, strerror(errno));
  }
  free(line);
  ad_encoding_destroy(&encoding);
  return status;
}

static int run(const struct arguments *arguments) {
  struct ad_tokenizer *tokenizer;
  AD_TRY(ad_tokenizer_load(&tokenizer, arguments->model));
  FILE *stream = stdin;
  int status = AD_OK;
  if (arguments->path != NULL) {
    status = ad_file_stream(arguments->path, &stream);
  }
  if (status == AD_OK) {
    status =
        tokenize_stream(arguments, tokenizer, stream, arguments->path != NULL ? arguments->path : "standard input");
  }
  if (stream != NULL && stream != stdin) {
    ad_ignore(fclose(stream));
  }
  ad_tokenizer_destroy(tokenizer);
  errno = 0;
  if ((fflush(stdout) != 0 || ferror(stdout)) && status == AD_OK) {
    status = ad_fail(AD_EIO, "standard output: %s", errno != 0 ? strerror(errno) : "could not be written");
  }
  return status;
}

int ad_command_tokenize(int argc, char **argv) {
  const struct argp argp = {options, parse, "[FILE]", "Print the token ids of each line of FILE, or of standard input.",
                            NULL,    NULL,  NULL};
  struct arguments arguments = {.truncation = AD_TRUNCATE_HEAD};
  const error_t error = argp_parse(&argp, argc, argv, ARGP_SILENT, NULL, &arguments);
  if (arguments.status != AD_OK) {
    return arguments.status;
  }
  if (error != 0) {
    return ad_fail(AD_ECONFIG, "tokenize: %s", strerror(error));
  }
  if (arguments.help) {
    char name[] = "autodidact tokenize";
    argp_help(&argp, stdout, ARGP_HELP_USAGE | ARGP_HELP_DOC | ARGP_HELP_LONG, name);
    return fflush(stdout) == 0 ? AD_OK : ad_fail(AD_EIO, "standard output: %s", strerror(errno));
  }
  if (arguments.model == NULL) {
    return ad_fail(AD_ECONFIG, "tokenize: no model, expected --model DIR (see autodidact tokenize --help)");
  }
  if (arguments.pair && arguments.limit != 0 && arguments.limit < 5) {
    return ad_fail(AD_ECONFIG, "tokenize: --limit is %zu, expected at least 5 with --pair", arguments.limit);
  }
  return run(&arguments);
}
