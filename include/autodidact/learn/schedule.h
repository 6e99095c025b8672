/* The learning rate over the steps of a run, as factors on the highest one.
 *
 * Pure functions: a run that is resumed at step t computes the factor that it would have had. Warm-up and the three
 * kinds are those of transformers (get_linear_schedule_with_warmup, get_constant_schedule_with_warmup,
 * get_cosine_schedule_with_warmup with half a cycle). */
#ifndef AUTODIDACT_LEARN_SCHEDULE_H
#define AUTODIDACT_LEARN_SCHEDULE_H

#include <stdint.h>

#include "autodidact/base/choices.h"

/* Warm-up steps of a run of `total` steps: share (in [0,1]) of them, rounded up. */
uint64_t ad_schedule_warmup(uint64_t total, double share);

/* Factor in [0,1] of step t (from 0) of a run of `total` steps. The first `warmup` (<= total) warm up: t / warmup, so 0
 * in the first step. Then it falls from 1 to 0 at t = total, on a line or on half a cosine, or is 1 throughout. Past
 * the end, t > total, linear and cosine stay 0. */
double ad_schedule_factor(enum ad_schedule kind, uint64_t t, uint64_t total, uint64_t warmup);

/* Layer-wise decay: factor on the learning rate of a layer of a model of L `layers` (model/params.h: layer 0 the
 * embeddings, 1 + n encoder layer n, L + 1 the head). It is decay (in (0,1]) to the power of the distance to the head:
 * 1 for the head, decay for the last layer, decay^(L + 1) for the embeddings. */
double ad_schedule_layer(double decay, uint32_t layer, uint32_t layers);

#endif
