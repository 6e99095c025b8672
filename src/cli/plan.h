/* autodidact train --plan. Not installed. */
#ifndef AUTODIDACT_CLI_PLAN_H
#define AUTODIDACT_CLI_PLAN_H

#include <stddef.h>

#include "autodidact/math/context.h"

/* What the words of --plan's options are; NULL: not given. */
struct plan_options {
  const char *ranks, *nodes;
  int json;
};

/* Plans the training of words [count], CONFIG.yaml and key=value, and prints it. Collective. AD_ECONFIG, and what
 * ad_training_plan returns. */
int plan_training(const struct ad_math *math, const struct plan_options *options, size_t count, char *const *words);

#endif
