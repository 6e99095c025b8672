#include "autodidact/learn/schedule.h"

#include <math.h>

#include "autodidact/base/elementary.h"

/* Counts of steps are far below 2^53, so each conversion to double is exact. */
uint64_t ad_schedule_warmup(uint64_t total, double share) {
  const double steps = ceil((double)total * share);
  return steps < (double)total ? (uint64_t)steps : total;
}

double ad_schedule_factor(enum ad_schedule kind, uint64_t t, uint64_t total, uint64_t warmup) {
  if (t < warmup) {
    return (double)t / (double)warmup;
  }
  if (kind == AD_SCHEDULE_CONSTANT) {
    return 1.0;
  }
  if (t >= total) {
    return 0.0;
  }
  if (kind == AD_SCHEDULE_LINEAR) {
    return (double)(total - t) / (double)(total - warmup);
  }
  return 0.5 * (1.0 + ad_math_cos(M_PI * ((double)(t - warmup) / (double)(total - warmup))));
}

/* By repeated multiplication: the same bits with any mathematical library. */
double ad_schedule_layer(double decay, uint32_t layer, uint32_t layers) {
  double factor = 1.0;
  for (uint32_t depth = layers + 1; depth > layer; depth--) {
    factor *= decay;
  }
  return factor;
}
