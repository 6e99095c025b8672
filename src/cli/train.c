/* autodidact train. */
#include <stdio.h>
#include <unistd.h>

#include "arguments.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/run/session.h"
#include "autodidact/run/training.h"
#include "commands.h"
#include "plan.h"
#include "print_training.h"
#include "shorthand.h"

/* pattern: of the keys that are asked for; NULL: all. */
static int print_keys(int roles, int markdown, const char *pattern) {
  struct ad_buffer text = {0};
  const int status = roles             ? ad_config_roles(&text)
                     : pattern != NULL ? ad_config_search(pattern, &text)
                                       : ad_config_help(&text, markdown);
  if (status == AD_OK) {
    fputs(text.data, stdout);
  }
  ad_buffer_destroy(&text);
  return status;
}

/* What scripts ask before they train. */
static int print_value(const char *key, size_t count, char **positional) {
  struct ad_session session;
  struct ad_buffer text = {0};
  AD_TRY(ad_session_create(&session, NULL));
  int status = ad_session_configure(&session, count, positional);
  status = status == AD_OK ? ad_config_get(&session.config, key, &text) : status;
  if (status == AD_OK) {
    /* A script gets the text as it is. */
    printf("%s\n", isatty(STDOUT_FILENO) ? ad_shown(text.data) : text.data == NULL ? "" : text.data);
  }
  ad_buffer_destroy(&text);
  ad_session_destroy(&session);
  return status;
}

static int train(const struct ad_math *math, const struct ad_training_frame *frame, size_t count, char **words) {
  struct ad_training *t;
  int status = ad_training_create(&t, math, frame);
  status = status == AD_OK ? ad_training_configure(t, count, words) : status;
  status = status == AD_OK ? ad_training_run(t) : status;
  if (status == AD_OK) {
    const struct ad_training_summary summary = ad_training_summary(t);
    print_training(&summary);
  }
  /* After a failure the other ranks may wait elsewhere; the end of the program finds out. */
  const int closed = ad_training_close(t, status != AD_OK);
  return status == AD_OK ? closed : status;
}

static const char usage[] = "[CONFIG.yaml] [--train FILE] [--model DIR] [key=value ...]";

/* What is given for a training. */
struct train_options {
  const char *faults, *value;
  int planned;
  struct plan_options plan;
  struct shorthand shorthand;
};

/* The training that configuration file, options and keys describe: its value of a key, its plan, or the run itself. */
static int describe(const struct ad_math *math, const struct train_options *o, size_t count, char **given) {
  char **words;
  size_t total;
  if (!o->planned && (o->plan.json || o->plan.ranks != NULL || o->plan.nodes != NULL)) {
    return ad_fail(AD_ECONFIG,
                   "train: --json, --ranks and --nodes go with --plan; `launch/local -n N` trains on N ranks");
  }
  AD_TRY(shorthand_words(&o->shorthand, count, given, &words, &total));
  const struct ad_training_frame frame = {.faults = o->faults, .columns = o->shorthand.columns};
  const int status = total == 0         ? ad_fail(AD_ECONFIG,
                                                  "train: neither a configuration file nor --train; usage: "
                                                          "autodidact train %s",
                                                  usage)
                     : o->value != NULL ? print_value(o->value, total, words)
                     : o->planned       ? plan_training(math, &o->plan, &frame, total, words)
                                        : train(math, &frame, total, words);
  ad_free(words);
  return status;
}

int ad_command_train(const struct ad_math *math, int argc, char **argv) {
  int keys = 0, markdown = 0, roles = 0, help;
  struct train_options o = {0};
  size_t count;
  struct argument options[9 + SHORTHAND_OPTIONS] = {
      {"plan", NULL,
       "Print memory, disk, steps and time that it would need, after a few steps in memory; write nothing", &o.planned,
       NULL},
      {"json", NULL, "With --plan: one JSON object in place of the text", &o.plan.json, NULL},
      {"ranks", "N", "With --plan: for N ranks, found by one, without trial", NULL, &o.plan.ranks},
      {"nodes", "N", "With --ranks: on N nodes (default 1)", NULL, &o.plan.nodes},
      {"keys", NULL, "Print all configuration keys, or with --keys PATTERN those whose name or help matches", &keys,
       NULL},
      {"keys-markdown", NULL, "Print them as docs/configuration.md", &markdown, NULL},
      {"keys-roles", NULL, "Print what they decide, as the table in docs/reproducibility.md", &roles, NULL},
      {"get", "KEY", "Print the value that KEY has in the configuration, train nothing", NULL, &o.value},
      {"inject", "FAULT,...",
       "For tests: kill@STEP, term@STEP (0: before the first), nan@STEP, kill@save, enospc@save, kill@eval, "
       "term@eval, corrupt@checkpoint; a place with :N for the N-th time",
       NULL, &o.faults}};
  shorthand_options(&o.shorthand, options + 9);
  const struct arguments arguments = {"train",
                                      usage,
                                      "Fine-tunes an encoder as CONFIG.yaml, the options and key=value arguments say; "
                                      "the latter win. Needed are data (--train, or data.descriptor) and an encoder "
                                      "(--model, or model.vocab). What the columns of a file are is found in it; "
                                      "--text and --label settle what it leaves open.",
                                      options,
                                      sizeof options / sizeof *options,
                                      0,
                                      SIZE_MAX};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  if (keys + markdown + roles + o.planned + (o.value != NULL) + (o.faults != NULL) > 1) {
    return ad_fail(AD_ECONFIG,
                   "train: expected one of --plan, --keys, --keys-markdown, --keys-roles, --get and --inject");
  }
  if (keys || markdown || roles) {
    const size_t most = keys ? 1 : 0;
    return count > most ? ad_fail(AD_ECONFIG,
                                  "train: --keys takes one pattern at most, --keys-markdown and --keys-roles "
                                  "take none, found \"%s\"",
                                  argv[1 + most])
                        : print_keys(roles, markdown, count > 0 ? argv[1] : NULL);
  }
  return describe(math, &o, count, argv + 1);
}
