/* autodidact tokenize: the ids of each line, as training sees them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/run/model_name.h"
#include "autodidact/text/stream.h"
#include "commands.h"

struct tokenize_options {
  const char *model, *limit_text, *truncation_text;
  const char *path; /* NULL: standard input */
  struct ad_stream_options how;
  int tokens;
};

/* What the options say together. */
static int check(struct tokenize_options *o) {
  if (o->model == NULL) {
    return ad_fail(AD_ECONFIG, "tokenize: no model, expected --model DIR (see autodidact tokenize --help)");
  }
  uint64_t limit = 0;
  AD_TRY(arguments_number("limit", o->limit_text, 1, &limit));
  o->how.limit = (size_t)limit;
  if (o->truncation_text == NULL) {
    return AD_OK;
  }
  char names[AD_CHOICES_TEXT];
  const int found = ad_choices_find(AD_SET_CHOICES(truncation), o->truncation_text, strlen(o->truncation_text));
  if (found < 0) {
    return ad_fail(AD_ECONFIG, "tokenize: --truncation is \"%s\", expected %s", o->truncation_text,
                   ad_choices_text(AD_SET_CHOICES(truncation), names));
  }
  o->how.truncation = found;
  return found == AD_TRUNCATE_HEAD_TAIL && (o->how.limit == 0 || o->how.pair)
             ? ad_fail(AD_ECONFIG, "tokenize: --truncation head_tail goes with --limit, and not with --pair")
             : AD_OK;
}

/* Prints one encoding as a line. Errors of the stream are looked at when it is flushed. */
static int print_encoding(void *context, const struct ad_tokenizer *tokenizer, const struct ad_encoding *encoding) {
  const int *tokens = context;
  for (size_t i = 0; i < encoding->count; i++) {
    if (*tokens) {
      printf("%s%s", i == 0 ? "" : " ", ad_shown(ad_tokenizer_token(tokenizer, encoding->ids[i])));
    } else {
      printf("%s%u", i == 0 ? "" : " ", (unsigned)encoding->ids[i]);
    }
  }
  putchar('\n');
  return ferror(stdout) ? AD_EIO : AD_OK;
}

/* How many special tokens there are is the tokenizer's. */
static int check_limit(const struct ad_tokenizer *tokenizer, const struct ad_stream_options *how) {
  const size_t least = ad_tokenizer_least(tokenizer, how->pair);
  return how->limit == 0 || how->limit >= least
             ? AD_OK
             : ad_fail(AD_ECONFIG, "tokenize: --limit is %zu, expected at least %zu%s", how->limit, least,
                       how->pair ? " with --pair" : "");
}

static int run(const struct tokenize_options *o) {
  struct ad_tokenizer *tokenizer;
  char *folder;
  AD_TRY(ad_model_name_find(o->model, &folder));
  const int loaded = ad_tokenizer_load(&tokenizer, folder);
  ad_free(folder);
  AD_TRY(loaded);
  FILE *stream = stdin;
  int status = check_limit(tokenizer, &o->how);
  if (status == AD_OK && o->path != NULL) {
    status = ad_file_stream(o->path, &stream);
  }
  if (status == AD_OK) {
    int tokens = o->tokens;
    status = ad_tokenizer_stream(tokenizer, stream, o->path != NULL ? o->path : "standard input", &o->how,
                                 print_encoding, &tokens);
  }
  if (stream != NULL && stream != stdin) {
    ad_ignore(fclose(stream));
  }
  ad_tokenizer_destroy(tokenizer);
  errno = 0;
  if ((fflush(stdout) != 0 || ferror(stdout)) && (status == AD_OK || status == AD_EIO)) {
    status = ad_fail(AD_EIO, "standard output: %s", errno != 0 ? strerror(errno) : "could not be written");
  }
  return status;
}

int ad_command_tokenize(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  struct tokenize_options o = {.how = {.truncation = AD_TRUNCATE_HEAD}};
  size_t count;
  int help;
  const struct argument options[] = {
      {"model", "DIR|NAME", "Folder with the files of a tokenizer, or a model by name (required)", NULL, &o.model},
      {"limit", "N", "Cut to at most N tokens, special ones included", NULL, &o.limit_text},
      {"truncation", "HOW",
       "Where a single text is cut: head (default) or head_tail (the first 128 tokens and the last ones stay)", NULL,
       &o.truncation_text},
      {"pair", NULL, "A line is two texts with a TAB between them", &o.how.pair, NULL},
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
