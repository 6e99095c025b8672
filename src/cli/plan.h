/* autodidact train --plan, and what study plan shares with it. Not installed. */
#ifndef AUTODIDACT_CLI_PLAN_H
#define AUTODIDACT_CLI_PLAN_H

#include <stddef.h>

#include "autodidact/base/json.h"
#include "autodidact/run/plan.h"

/* What the words of --plan's options are; NULL: not given. */
struct plan_options {
  const char *ranks, *nodes;
  int json;
};

/* Plans the training of words [count], CONFIG.yaml and key=value, and prints it. frame: as of ad_training_create.
 * Collective. AD_ECONFIG, and what ad_training_plan returns. */
int plan_training(const struct ad_math *math, const struct plan_options *options, const struct ad_training_frame *frame,
                  size_t count, char *const *words);

/* "1.25 GB" into text [32]; returns text. */
const char *plan_bytes(double bytes, char text[32]);

/* A plan as a JSON object, which the caller owns; NULL: out of memory. */
json_t *plan_json(const struct ad_training_plan *plan);

/* Prints a value, and releases it. AD_ENOMEM (it is NULL, too). */
int plan_print_json(json_t *value);

#endif
