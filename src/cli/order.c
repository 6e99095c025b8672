/* autodidact order: which examples each step has. */
#include <inttypes.h>
#include <stdio.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/order.h"
#include "commands.h"
#include "shorthand.h"

/* One line a step: the step from 1, then the row numbers (from 0) of its examples in the training split. */
static int print_order(const struct ad_session *s, const struct ad_dataset *data) {
  struct ad_order order;
  uint32_t *ids = ad_malloc(s->config.batch_size, sizeof *ids);
  if (ids == NULL) {
    return ad_fail_memory(s->config.batch_size * sizeof *ids, "a batch");
  }
  struct ad_order_tasks tasks = {.temperature = s->config.data_temperature};
  ad_dataset_tasks(data, &tasks.count, tasks.begin);
  int status = ad_order_create_tasks(&order, &tasks, s->config.batch_size, s->config.seed_order);
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
  struct shorthand shorthand = {0};
  int given;
  struct argument options[SHORTHAND_OPTIONS];
  shorthand_options(&shorthand, options);
  const struct arguments arguments = {
      "order",
      "[CONFIG.yaml] [key=value ...]",
      "Prints one line a step: its number from 1, then the row numbers (from 0, in the "
      "training split; of several data sets counted on from one to the next) of its examples.",
      options,
      SHORTHAND_OPTIONS,
      0,
      SIZE_MAX};
  int status = shorthand_configure(&arguments, &shorthand, argc, argv, &session, &given);
  status = status == AD_OK && given ? shorthand_load(&session, 1) : status;
  if (status == AD_OK && given) {
    status = ad_session_read(&session, AD_SPLIT_TRAIN, ad_split_file(&session.config, AD_SPLIT_TRAIN), 1, &data);
    if (status == AD_OK) {
      status = print_order(&session, &data);
    }
  }
  ad_dataset_destroy(&data);
  ad_session_destroy(&session);
  return status;
}
