/* autodidact tokenize: the ids of each line, as training sees them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/file.h"
#include "autodidact/base/looks.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/base/utf8.h"
#include "autodidact/text/tokenizer.h"
#include "commands.h"

struct tokenize_options {
  const char *model, *limit_text, *truncation_text;
  const char *path; /* NULL: standard input */
  size_t limit;     /* 0: none */
  enum ad_truncation truncation;
  int pair;
  int tokens;
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

/* What the options say together. */
static int check(struct tokenize_options *o) {
  if (o->model == NULL) {
    return ad_fail(AD_ECONFIG, "tokenize: no model, expected --model DIR (see autodidact tokenize --help)");
  }
  AD_TRY(o->limit_text == NULL ? AD_OK : parse_limit(o->limit_text, &o->limit));
  if (o->pair && o->limit != 0 && o->limit < 5) {
    return ad_fail(AD_ECONFIG, "tokenize: --limit is %zu, expected at least 5 with --pair", o->limit);
  }
  if (o->truncation_text == NULL) {
    return AD_OK;
  }
  const int tail = strcmp(o->truncation_text, "head_tail") == 0;
  if (!tail && strcmp(o->truncation_text, "head") != 0) {
    return ad_fail(AD_ECONFIG, "tokenize: --truncation is \"%s\", expected head or head_tail", o->truncation_text);
  }
  o->truncation = tail ? AD_TRUNCATE_HEAD_TAIL : AD_TRUNCATE_HEAD;
  return tail && (o->limit == 0 || o->pair) 
             ? ad_fail(AD_ECONFIG, "tokenize: --truncation head_tail goes with --limit, and not with --pair")
             : AD_OK;
}

/* Prints one encoding as a line. Errors of the stream are looked at when it is flushed. */
static void print_encoding(const struct ad_tokenizer *tokenizer, const struct ad_encoding *encoding, int tokens) {
  for (size_t i = 0; i < encoding->count; i++) {
    if (tokens) {
      printf("%s%s", i == 0 ? "" : " ", ad_shown(ad_tokenizer_token(tokenizer, encoding->ids[i])));
    } else {
      printf("%s%u", i == 0 ? "" : " ", (unsigned)encoding->ids[i]);
    }
  }
  putchar('\n');
}

/* Encodes and prints one line [size bytes], its line feed taken off. */
static int tokenize_line(const struct tokenize_options *o, struct ad_tokenizer *tokenizer, const char *line,
                         size_t size, struct ad_encoding *encoding) {
  const char *second = NULL;
  size_t first_size = size;
  size_t second_size = 0;
  if (o->pair) {
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
  AD_TRY(ad_tokenizer_encode(tokenizer, line, first_size, second, second_size, o->limit, o->truncation,
                             encoding));
  print_encoding(tokenizer, encoding, o->tokens);
  return AD_OK;
}

static int check_line(const char *name, size_t number, const char *line, size_t size) {
  const size_t valid = ad_utf8_valid(line, size);
  AD_TRY(number == 1 ? ad_looks_refuse(name, line, size) : AD_OK);
  return valid == size ? AD_OK
                       : ad_looks_explain(ad_utf8_fail(name, number, line, size, valid), AD_LOOKS_TEXT, name, line, size);
}

static int tokenize_stream(const struct tokenize_options *o, struct ad_tokenizer *tokenizer, FILE *stream,
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
    status = tokenize_line(o, tokenizer, line, (size_t)size, &encoding);
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

static int run(const struct tokenize_options *o) {
  struct ad_tokenizer *tokenizer;
  AD_TRY(ad_tokenizer_load(&tokenizer, o->model));
  FILE *stream = stdin;
  int status = AD_OK;
  if (o->path != NULL) {
    status = ad_file_stream(o->path, &stream);
  }
  if (status == AD_OK) {
    status = tokenize_stream(o, tokenizer, stream, o->path != NULL ? o->path : "standard input");
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
  struct tokenize_options o = {.truncation = AD_TRUNCATE_HEAD};
  size_t count;
  int help;
  const struct argument options[] = {
      {"model", "DIR", "Folder with vocab.txt or tokenizer.json (required)", NULL, &o.model},
      {"limit", "N", "Cut to at most N tokens, [CLS] and [SEP] included", NULL, &o.limit_text},
      {"truncation", "HOW",
       "Where a single text is cut: head (default) or head_tail (the first 128 tokens and the last ones stay)", NULL,
       &o.truncation_text},
      {"pair", NULL, "A line is two texts with a TAB between them", &o.pair, NULL},
      {"tokens", NULL, "Print tokens instead of ids", &o.tokens, NULL}};
  const struct arguments arguments = {"tokenize",
                                      "--model DIR [FILE]",
                                      "Prints the token ids of each line of FILE, or of standard input.",
                                      options,
                                      sizeof options / sizeof *options,
                                      0,
                                      1};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  o.path = count > 0 ? argv[1] : NULL;
  AD_TRY(check(&o));
  return run(&o);
}
