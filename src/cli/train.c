/* autodidact train: the command line; training.c does the work. */
#include <stdio.h>
#include <unistd.h>

#include "arguments.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "commands.h"
#include "run/training_internal.h"

static int print_keys(int markdown) {
  struct ad_buffer text = {0};
  const int status = ad_config_help(&text, markdown);
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
  AD_TRY(ad_session_create(&session));
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

int ad_command_train(int argc, char **argv) {
  const char *faults = NULL, *value = NULL;
  int keys = 0, markdown = 0, help;
  size_t count;
  const struct argument options[] = {{"keys", NULL, "Print all configuration keys", &keys, NULL},
                                     {"keys-markdown", NULL, "Print them as docs/configuration.md", &markdown, NULL},
                                     {"get", "KEY", "Print the value that KEY has in the configuration, train nothing", NULL, &value},
                                     {"inject", "FAULT,...",
                                      "For tests: kill@STEP, term@STEP (0: before the first), nan@STEP, kill@save, enospc@save, kill@eval, "
                                      "term@eval, corrupt@checkpoint; a place with :N for the N-th time",
                                      NULL, &faults}};
  const struct arguments arguments = {"train",
                                      "CONFIG.yaml [key=value ...]",
                                      "Fine-tunes an encoder as CONFIG.yaml says; key=value arguments come on top. "
                                      "run.dir, data.descriptor and model.path "
                                      "(or model.vocab) must be set.",
                                      options,
                                      sizeof options / sizeof *options,
                                      0,
                                      SIZE_MAX};
  AD_TRY(arguments_parse(&arguments, argc, argv, &count, &help));
  if (help) {
    return AD_OK;
  }
  if (keys + markdown + (value != NULL) + (faults != NULL) > 1) {
    return ad_fail(AD_ECONFIG, "train: expected one of --keys, --keys-markdown, --get and --inject");
  }
  if (keys || markdown) {
    if (count > 0) {
      return ad_fail(AD_ECONFIG, "train: --keys and --keys-markdown take no argument, found \"%s\"", argv[1]);
    }
    return print_keys(markdown);
  }
  if (count == 0) {
    return ad_fail(AD_ECONFIG,
                   "train: the configuration file is missing; usage: autodidact train CONFIG.yaml [key=value ...]");
  }
  if (value != NULL) {
    return print_value(value, count, argv + 1);
  }
  struct ad_training t = {0};
  AD_TRY(ad__training_parse_faults(&t, faults));
  int status = ad_session_create(&t.session);
  status = status == AD_OK ? ad_session_configure(&t.session, count, argv + 1) : status;
  status = status == AD_OK ? ad__training_check_signals(t.session.config.run_signals) : status;
  status = status == AD_OK ? ad_training_run(&t) : status;
  /* After a failure the other ranks may wait elsewhere; main finds out. */
  const int closed = ad_training_close(&t, status != AD_OK);
  return status == AD_OK ? closed : status;
}
