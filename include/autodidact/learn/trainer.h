/* One training step after another: order, lanes, forward, loss, backward, tree, clipping, update.
 *
 * Letters: B examples in a batch, C logits of a row, P parameters, W lanes. Words: docs/glossary.md. */
#ifndef AUTODIDACT_LEARN_TRAINER_H
#define AUTODIDACT_LEARN_TRAINER_H

#include "autodidact/data/hidden.h"
#include "autodidact/learn/exchange.h"
#include "autodidact/learn/observe.h"
#include "autodidact/learn/optimizer.h"
#include "autodidact/learn/schedule.h"
#include "autodidact/learn/state.h"
#include "autodidact/learn/teacher.h"

struct ad_trainer_settings {
  size_t batch, lanes, rounds;
  uint64_t epochs;
  uint64_t steps; /* 0: all steps of the epochs */
  uint64_t seed_order, seed_dropout;
  enum ad_schedule schedule;
  double warmup;      /* share of the steps */
  double temperature; /* of the shares of several tasks (data/order.h); 0: 1 */
  struct ad_loss_settings loss;
  const struct ad_hiding *hiding; /* of a task that reads hidden tokens, else NULL */
  struct ad_optimizer_settings optimizer;
  struct ad_teacher_settings teacher;
};

/* What a step did. Reproducible, but for `seconds`. */
struct ad_step {
  uint64_t step;    /* from 1 */
  uint64_t epoch;   /* from 1 */
  int epoch_end;    /* 1: the epoch's last step */
  const char *task; /* of several the one that the examples are of; NULL: there is one. Static storage */
  size_t examples, tokens;
  double loss;     /* of the batch, before the update: the mean over examples, by the class weights where there are any;
                    * over hidden tokens of a task that reads them, and 0 where none was hidden */
  double distance; /* from the teacher (R-Drop: between the two passes), mean as of the loss; NaN: not computed */
  double weight;   /* of the distance in what is minimised, loss + weight distance; 0: not computed */
  double norm;     /* of the gradient, before clipping */
  /* Where it was watched (ad_trainer_watch), otherwise NaN and 0: the norm, before clipping, of the mean gradient over
   * the examples of one lane (their hidden tokens), drawn by the step, and the number of examples. With `norm` and
   * `examples` the pair that the gradient noise scale is estimated from (statistics/trajectory.h). */
  double part_norm;
  uint64_t part_examples;
  double factor;       /* the schedule's */
  uint64_t parameters; /* digest of all parameters after the update (ad_shard_digest over all shards) */
  uint64_t chain;      /* of `parameters` and the chain of the step before */
  double seconds;
};

struct ad_trainer;

/* A trainer at step 0, of one rank of exchange->size, or alone where exchange is NULL. replicas->student has the first
 * parameters and is updated. ad_teacher_replicas says which other vectors are needed. They are shared by the ranks of a
 * node or a rank's own, as the exchange has it. math, params, the replicas' vectors, data and exchange must outlive it,
 * and so must settings->loss.weights and settings->hiding. The loss is that of data->task. Of several tasks
 * (task/heads.h) a step has examples of one: loss and distance are those of its columns of the logits, and the gradient
 * of the others is zero. The caller owns it.
 * Collective over the exchange, as all functions that change it. AD_ECONFIG: a task that reads other rows than the
 * model's head, or has no weighted loss where one is asked for; more lanes than supported, fewer lanes than ranks;
 * settings that make no teacher. AD_EINPUT (an example without a label, or longer than the model takes), AD_EIO (a ring
 * on disk), AD_ENOMEM. */
int ad_trainer_create(struct ad_trainer **trainer, const struct ad_math *math, const struct ad_params *params,
                      const struct ad_replicas *replicas, const struct ad_dataset *data,
                      const struct ad_trainer_settings *settings, const struct ad_exchange *exchange);
void ad_trainer_destroy(struct ad_trainer *trainer);

/* Steps of the whole run, of an epoch, and steps done. */
uint64_t ad_trainer_total(const struct ad_trainer *trainer);
uint64_t ad_trainer_epoch_steps(const struct ad_trainer *trainer);

/* Steps of an epoch that task number i of several has. */
uint64_t ad_trainer_task_steps(const struct ad_trainer *trainer, size_t i);
uint64_t ad_trainer_done(const struct ad_trainer *trainer);

/* Bytes that a rank will hold once all its steps are done, computed from sizes alone. In order: activations of student
 * and teacher; work memory of the backward; partial sums of the gradient (its own, not those of the exchange); reduced
 * gradient; moments; sums and rings of past parameters; the observer. The word rows of the gradient are bounded by the
 * tokens of a batch. */
struct ad_trainer_bytes {
  size_t activations, work, partials, gradient, moments, window, observer;
};
struct ad_trainer_bytes ad_trainer_bytes(const struct ad_trainer *trainer);

/* Bytes of this rank's ring on disk. */
size_t ad_trainer_disk_bytes(const struct ad_trainer *trainer);

/* The most floats of a compact bucket in any step: what an exchange's `place` must hold. AD_ENOMEM. */
int ad_trainer_bucket_floats(const struct ad_params *params, const struct ad_dataset *data, size_t batch,
                             size_t *floats);

/* The parameters of a variant, for an evaluation: *thetas [count] replicas, valid until the next step or the next call.
 * Their logits are averaged; only SDV's teacher has more than one. *count is 0 where there are none: the settings have
 * no such variant, or no student has entered yet. Collective over the exchange. AD_EIO. */
int ad_trainer_variant(struct ad_trainer *trainer, enum ad_variant variant, const struct ad_replica **thetas,
                       size_t *count);

/* The teacher's exact sums against its rings. AD_EINTERNAL, AD_EIO. */
int ad_trainer_verify(const struct ad_trainer *trainer);

/* What must be kept to continue from here (learn/state.h): the shard that pieces belong to; the vectors, into vectors
 * [AD_STATE_VECTORS], their number returned; the numbers. */
const struct ad_shard *ad_trainer_shard(const struct ad_trainer *trainer);
size_t ad_trainer_vectors(const struct ad_trainer *trainer, struct ad_state_vector *vectors);
struct ad_trainer_state ad_trainer_state(const struct ad_trainer *trainer);

/* Address of the piece from `flat` on of bucket `bucket` of slot `slot` of vector number `vector`. Pieces of a shard
 * follow one another. Of the student also frozen buckets. NULL: not in memory (a ring on disk). */
void *ad_trainer_place(const struct ad_trainer *trainer, size_t vector, size_t slot, uint32_t bucket, size_t flat);

/* Copies `count` elements of such a piece to or from values. AD_EIO (a ring on disk). */
int ad_trainer_read(const struct ad_trainer *trainer, size_t vector, size_t slot, uint32_t bucket, size_t flat,
                    size_t count, void *values);
int ad_trainer_write(struct ad_trainer *trainer, size_t vector, size_t slot, uint32_t bucket, size_t flat, size_t count,
                     const void *values);

/* After each rank has written the pieces of its shard: takes the numbers and publishes; the next step is the one that
 * would have followed. Collective over the exchange. AD_EIO, or what the exchange returns. */
int ad_trainer_restore(struct ad_trainer *trainer, const struct ad_trainer_state *state);

/* Makes an observer, so that steps can be watched. Once, on all ranks. AD_ECONFIG (settings), AD_ENOMEM. */
int ad_trainer_observe(struct ad_trainer *trainer, const struct ad_observer_settings *settings);

/* The next step is to be observed; part 1: also the norm of the gradient of a part of its batch (ad_step). To be called
 * by all ranks or none. */
void ad_trainer_watch(struct ad_trainer *trainer, int part);

/* Observes the parameters as they are now: values, the distance where there is a teacher, the sketch. Collective over
 * the exchange. */
int ad_trainer_look(struct ad_trainer *trainer);

/* What was observed last, valid until the next step or look. */
struct ad_observation ad_trainer_observation(const struct ad_trainer *trainer);

/* The next step. AD_EDIVERGED where loss or gradient is not finite (nothing is updated then), AD_ENOMEM. */
int ad_trainer_step(struct ad_trainer *trainer, struct ad_step *step);

#endif
