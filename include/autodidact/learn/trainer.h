/* One training step after another: order, lanes, forward, loss, backward, tree, clipping, update.
 *
 * Letters: B examples in a batch, C classes, P parameters, W lanes. */
#ifndef AUTODIDACT_LEARN_TRAINER_H
#define AUTODIDACT_LEARN_TRAINER_H

#include "autodidact/data/dataset.h"
#include "autodidact/learn/optimizer.h"
#include "autodidact/learn/schedule.h"

struct ad_trainer_settings {
  size_t batch, lanes, rounds;
  uint64_t epochs;
  uint64_t steps;               /* 0: all steps of the epochs */
  uint64_t seed_order, seed_dropout;
  enum ad_schedule schedule;
  double warmup;                /* share of the steps */
  struct ad_optimizer_settings optimizer;
};

/* What a step did. Reproducible, but for `seconds`. */
struct ad_step {
  uint64_t step;    /* from 1 */
  uint64_t epoch;   /* from 1 */
  int epoch_end;    /* 1: the epoch's last step */
  size_t examples, tokens;
  double loss;      /* mean cross entropy of the batch, before the update */
  double norm;      /* of the gradient, before clipping */
  double factor;    /* the schedule's */
  double seconds;
};

struct ad_trainer;

/* A trainer at step 0. params, theta [P] (updated in place) and data must outlive it. The caller owns it. AD_ECONFIG (no label, more
 * lanes than supported), AD_EINPUT (an example longer than the model takes), AD_ENOMEM. */
int ad_trainer_create(struct ad_trainer **trainer, const struct ad_params *params, float *theta, const struct ad_dataset *data,
                      const struct ad_trainer_settings *settings);
void ad_trainer_destroy(struct ad_trainer *trainer);

/* Steps of the whole run, and steps done. */
uint64_t ad_trainer_total(const struct ad_trainer *trainer);
uint64_t ad_trainer_done(const struct ad_trainer *trainer);

/* The next step. AD_EDIVERGED where loss or gradient is not finite (nothing is updated then), AD_ENOMEM. */
int ad_trainer_step(struct ad_trainer *trainer, struct ad_step *step);

#endif
