/* The teacher of self-distillation, and the means of self-ensemble: what a step's past students become.
 *
 * theta_t are the parameters before update t (from 0), as in Xu et al. 2020. A student enters the window every `every`
 * updates. The teacher of step t has seen the students up to theta_{t - lag}. All state is on the shard; only what
 * forwards read is a whole vector, once a node. docs/methods.md, section 6, has the definitions;
 * autodidact/base/teacher_methods.h lists the methods, src/learn/teacher/ has a file for each.
 *
 * Letters: C classes, B examples, K window, P parameters, R ranks, T steps of the run. Words: docs/glossary.md. */
#ifndef AUTODIDACT_LEARN_TEACHER_H
#define AUTODIDACT_LEARN_TEACHER_H

#include "autodidact/base/choices.h"
#include "autodidact/learn/exchange.h"
#include "autodidact/learn/state.h"
#include "autodidact/learn/window.h"
#include "autodidact/model/encoder.h"
#include "autodidact/model/replica.h"
#include "autodidact/model/shard.h"
#include "autodidact/task/task.h"

/* All zero: no teacher. */
struct ad_teacher_settings {
  enum ad_teacher_method method;
  uint64_t window; /* K; 0: all students so far */
  uint64_t every;  /* updates between two students that enter, at least 1 */
  int lag;         /* 1: the newest student is theta_{t-1}, 0: theta_t */
  double weight;   /* of the distance in the loss: lambda */
  double ramp;     /* share of the steps over which the weight rises from 0, on a line */
  uint64_t start;  /* first step (from 1) at which the distance counts */
  enum ad_teacher_dropout dropout;
  double decay;            /* EMA */
  int means;               /* also keep the mean over the run and over the window, for evaluation */
  const char *ring_folder; /* where the ring is on disk; NULL: in memory */
};

/* The vectors whose replicas forwards read. Their memory is not owned. Frozen parameters are the student's alone: in
 * the others they are never written nor read. */
struct ad_replicas {
  struct ad_weights student; /* theta */
  struct ad_weights teacher; /* SDA, EMA; else without values */
  struct ad_weights mean;    /* with means: where ad_teacher_mean puts one; else without values */
  struct ad_weights *past;   /* SDV: [K] past students; else NULL */
};

/* How many vectors these settings need besides the student: *teacher and *mean 0 or 1, *past 0 or K. */
void ad_teacher_replicas(const struct ad_teacher_settings *settings, size_t *teacher, size_t *mean, size_t *past);

/* 1 where a run with these settings has such parameters. */
int ad_teacher_has(const struct ad_teacher_settings *settings, enum ad_variant variant);

/* Models that the teacher is, at most: 0 where there is none. Their logits are averaged. */
size_t ad_teacher_models(const struct ad_teacher_settings *settings);

/* 1 where the method's teacher is several models by its nature, be their number 1. */
int ad_teacher_averages_logits(const struct ad_teacher_settings *settings);

/* 1 where past students are kept, so that a training needs a struct ad_teacher. */
int ad_teacher_keeps_students(const struct ad_teacher_settings *settings);

/* Copies of each example in a batch, each with masks of its own; 1 as a rule. */
size_t ad_teacher_copies(const struct ad_teacher_settings *settings);

/* Forwards and backwards of a step in units of a forward, the backward being two (docs/methods.md, section 6). */
double ad_teacher_passes(const struct ad_teacher_settings *settings);

/* 1 where the loss has a distance: from a teacher, or between the copies of an example. */
int ad_teacher_has_distance(const struct ad_teacher_settings *settings);

/* The distance of each of `examples` examples of a task into distance, and `scale` times its gradient, which is added
 * to dlogits. logits, dlogits [copies examples, C]: one copy of all after the other. target, of the same shape: the
 * teacher's logits, a constant; not read without a teacher. Only where the loss has a distance. */
void ad_teacher_distance(const struct ad_teacher_settings *settings, const struct ad_task *task,
                         const struct ad_kernels *kernels, size_t examples, size_t C, const float *logits,
                         const float *target, float scale, float *distance, float *dlogits);

struct ad_teacher;

/* Before the first step of a run of `steps`; replicas->student has theta_0. shard, replicas' vectors and exchange
 * must outlive it. Collective over the exchange, as all functions that change it. The caller owns it. AD_ECONFIG
 * (settings that make no teacher), AD_EIO (ring on disk), AD_ENOMEM. */
int ad_teacher_create(struct ad_teacher **teacher, const struct ad_teacher_settings *settings,
                      const struct ad_kernels *kernels, const struct ad_shard *shard,
                      const struct ad_replicas *replicas, uint64_t steps, const struct ad_exchange *exchange);
void ad_teacher_destroy(struct ad_teacher *teacher);

/* Bytes that a rank holds for it at the end of a run of T steps, without replicas: sums, ring. Rings of more slots than
 * students ever enter do not fill. */
size_t ad_teacher_bytes(const struct ad_teacher_settings *settings, size_t shard_floats, uint64_t T);

/* Slots of a window that are ever filled in a run of T steps: K or fewer; 0 for `all`. */
uint64_t ad_teacher_slots(const struct ad_teacher_settings *settings, uint64_t T);

/* The weight of the distance at step t (from 0) of T: 0 before `start`, then rising over ramp T steps, then `weight`.
 */
double ad_teacher_weight(const struct ad_teacher_settings *settings, uint64_t t, uint64_t T);

/* The past students whose logits, averaged, are the target of the coming step. Returns their number (0: none yet).
 * *thetas has them, newest first, and is valid until the next update. */
size_t ad_teacher_members(const struct ad_teacher *teacher, const struct ad_replica **thetas);

/* The masks of member k's forward in step `step` (as struct ad_masks counts): NULL for evaluation mode, else *masks. */
const struct ad_masks *ad_teacher_masks(const struct ad_teacher *teacher, const struct ad_masks *student, size_t k,
                                        struct ad_masks *masks);

/* Update t (from 0) of the shard: `begin`; for each piece `before` it is updated, and `after`; `end` once all pieces
 * are done. A piece has at most AD_WINDOW_PIECE floats, at `flat` of the flat vector and `local` of the shard's own
 * vectors. Between begin and end the ranks' shards together are all parameters. AD_EDIVERGED (a parameter out of the
 * window's range, with its name), AD_EIO. */
int ad_teacher_begin(struct ad_teacher *teacher, uint64_t t);
int ad_teacher_before(struct ad_teacher *teacher, size_t flat, size_t local, size_t length);
int ad_teacher_after(struct ad_teacher *teacher, size_t flat, size_t local, size_t length);

/* Ends update t; 1 where the teacher's vector has changed and must be published with theta, else 0. */
int ad_teacher_end(struct ad_teacher *teacher);

/* After the new theta_{t+1} has been published. Collective over the node. AD_OK or what the exchange returns. */
int ad_teacher_published(struct ad_teacher *teacher);

/* Fills replicas->mean with the mean over the window (the last K students, the present one among them) or over the run
 * (theta_1 .. theta_t, equation 4) and publishes it. At least one update is done. Collective over the exchange. AD_EIO,
 * AD_EINTERNAL (not kept). */
int ad_teacher_mean(struct ad_teacher *teacher, enum ad_variant variant);

/* What must be kept of a teacher: the vectors [count returned] into vectors [AD_STATE_VECTORS], and the numbers. */
size_t ad_teacher_vectors(const struct ad_teacher *teacher, struct ad_state_vector *vectors);
struct ad_teacher_state ad_teacher_state(const struct ad_teacher *teacher);

/* Address of the piece of slot `slot` of vector number `vector`, at `flat` of the flat vector and `local` of the
 * shard's own. NULL: not in memory (a ring on disk). */
void *ad_teacher_place(const struct ad_teacher *teacher, size_t vector, size_t slot, size_t flat, size_t local);

/* Copies such a piece to or from values. AD_EIO (a ring on disk). */
int ad_teacher_read(const struct ad_teacher *teacher, size_t vector, size_t slot, size_t flat, size_t local,
                    size_t count, void *values);
int ad_teacher_write(struct ad_teacher *teacher, size_t vector, size_t slot, size_t flat, size_t local, size_t count,
                     const void *values);

/* After all vectors and the student have been written: takes the numbers, makes the teacher's vector again where the
 * window tells it, and publishes. Collective over the exchange. AD_EIO, or what the exchange returns. */
int ad_teacher_restore(struct ad_teacher *teacher, const struct ad_teacher_state *state, uint64_t done);

/* Sums against rings, to the bit. AD_EINTERNAL, AD_EIO. */
int ad_teacher_verify(const struct ad_teacher *teacher);

#endif
