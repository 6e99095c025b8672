/* autodidact data and autodidact order: what training will see, and in which order. */
#include <inttypes.h>
#include <stdio.h>

#include "arguments.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/order.h"
#include "autodidact/run/session.h"
#include "commands.h"

/* Configuration, descriptor and tokenizer for CONFIG.yaml [key=value ...]; *count is 0 where only the help was wanted.
 */
static int open_session(const char *command, const char *text, int argc, char **argv, struct ad_session *s,
                        size_t *count) {
  int help;
  const struct arguments arguments = {command, "CONFIG.yaml [key=value ...]", text, NULL, 0, 0, SIZE_MAX};
  AD_TRY(arguments_parse(&arguments, argc, argv, count, &help));
  if (help) {
    *count = 0;
    return AD_OK;
  }
  if (*count == 0) {
    return ad_fail(AD_ECONFIG,
                   "%s: the configuration file is missing; usage: autodidact %s CONFIG.yaml [key=value ...]", command,
                   command);
  }
  AD_TRY(ad_session_create(s, NULL));
  AD_TRY(ad_session_configure(s, *count, argv + 1));
  AD_TRY(ad_config_warn_idle(&s->config, NULL));
  AD_TRY(ad_session_load_descriptor(s));
  ad_descriptor_warn_idle(&s->descriptor);
  AD_TRY(ad_session_hold_out(s));
  return ad_session_load_tokenizer(s, NULL);
}

static int report_split(struct ad_session *s, enum ad_split split) {
  const char *file = ad_split_file(&s->config, split);
  if (file == NULL && !ad_descriptor_has(&s->descriptor, split)) {
    return AD_OK;
  }
  struct ad_dataset data;
  AD_TRY(ad_session_read(s, split, file, file != NULL || s->descriptor.source[split].labelled, &data));
  const int status = ad_dataset_report(stdout, &s->descriptor, split, &data);
  ad_dataset_destroy(&data);
  return status;
}

int ad_command_data(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  struct ad_session session = {0};
  size_t count = 0;
  int status = open_session("data",
                            "Reads every split as train would and prints what it found: rows, classes, token lengths, "
                            "truncated and skipped rows, digests. Says whether that is what the descriptor expects.",
                            argc, argv, &session, &count);
  for (enum ad_split split = 0; status == AD_OK && count > 0 && split < AD_SPLITS; split++) {
    status = report_split(&session, split);
  }
  ad_session_destroy(&session);
  return status;
}

/* One line a step: the step from 1, then the row numbers (from 0) of its examples in the training split. */
static int print_order(const struct ad_session *s, const struct ad_dataset *data) {
  struct ad_order order;
  uint32_t *ids = ad_malloc(s->config.batch_size, sizeof *ids);
  if (ids == NULL) {
    return ad_fail_memory(s->config.batch_size * sizeof *ids, "a batch");
  }
  int status = ad_order_create(&order, data->count, s->config.batch_size, s->config.seed_order);
  if (status != AD_OK) {
    ad_free(ids);
    return status;
  }
  const uint64_t steps = s->config.train_steps > 0 ? s->config.train_steps : s->config.train_epochs * order.steps;
  for (uint64_t step = 0; status == AD_OK && step < steps; step++) {
    size_t count;
    status = ad_order_batch(&order, step, ids, &count);
    printf("%" PRIu64, step + 1);
    for (size_t i = 0; status == AD_OK && i < count; i++) {
      printf(" %" PRIu32, ids[i]);
    }
    putchar('\n');
    if (status == AD_OK && ferror(stdout)) {
      status = ad_fail(AD_EIO, "standard output could not be written");
    }
  }
  ad_order_destroy(&order);
  ad_free(ids);
  return status;
}

int ad_command_order(const struct ad_math *math, int argc, char **argv) {
  (void)math;
  struct ad_session session = {0};
  struct ad_dataset data = {0};
  size_t count = 0;
  int status = open_session("order",
                            "Prints one line a step: its number from 1, then the row numbers (from 0, in the training "
                            "split) of its examples.",
                            argc, argv, &session, &count);
  if (status == AD_OK && count > 0) {
    status = ad_session_read(&session, AD_SPLIT_TRAIN, ad_split_file(&session.config, AD_SPLIT_TRAIN), 1, &data);
    if (status == AD_OK) {
      status = print_order(&session, &data);
    }
  }
  ad_dataset_destroy(&data);
  ad_session_destroy(&session);
  return status;
}
