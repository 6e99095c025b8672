/* The trainer's state, shared by the files that make a step of it: trainer.c, trainer_plan.c, trainer_measure.c. Not
 * installed. */
#ifndef AUTODIDACT_LEARN_TRAINER_INTERNAL_H
#define AUTODIDACT_LEARN_TRAINER_INTERNAL_H

#include "autodidact/data/batch.h"
#include "autodidact/data/order.h"
#include "autodidact/learn/gradient.h"
#include "autodidact/learn/trainer.h"
#include "autodidact/task/heads.h"
#include "exchange_alone.h"

/* What the largest round of any step needs (reads: rows with logits), and the tokens of the largest step on all ranks
 * together. */
struct room {
  size_t rows, examples, lanes, reads, step_tokens;
};

struct ad_trainer {
  const struct ad_params *params;
  const struct ad_math *math;
  const struct ad_kernels *kernels; /* math's */
  struct ad_replicas replicas;
  const struct ad_dataset *data;
  struct ad_trainer_settings settings;
  uint64_t done, total;
  size_t bytes;     /* of the encoders */
  struct room room; /* of the largest round */
  size_t copies;    /* of each example in a batch */

  struct ad_order order;
  struct ad_packer packer;
  struct ad_rows rows;
  struct ad_encoder *encoder;
  struct ad_gradient *gradient;
  struct ad_shard shard;
  struct ad_optimizer optimizer;
  struct ad_teacher *teacher;
  struct ad_observer *observer;       /* NULL: nothing is observed */
  int watched;                        /* the next step is observed */
  int part_watched;                   /* and so is the gradient of one of its lanes */
  struct ad_encoder *teacher_encoder; /* NULL without a teacher */
  const struct ad_exchange *exchange;
  struct exchange_alone alone; /* the exchange where no other was given */
  uint32_t rank, size;
  uint64_t chain;
  float **room_of;   /* [buckets] for the shard's part of each bucket's gradient; NULL where the exchange needs none */
  void **own;        /* [buckets] memory for those that do not lie in the encoder's spare memory */
  size_t own_floats; /* of them all */
  size_t *counts;    /* [R] of the numbers that are shared */
  double *shared;    /* losses and squares of all ranks, rank by rank */

  /* of the running step */
  size_t count;           /* examples */
  struct ad_head head;    /* the task that they all are of, and its columns of the logits */
  size_t items;           /* what losses are means over: the examples, or their hidden tokens */
  double label_weight;    /* sum over them of the weights of their labels; `items` where these have none; not 0 */
  uint32_t *ids;          /* [B] row numbers */
  uint32_t *lengths;      /* [B] tokens */
  uint32_t *hidden;       /* [B] hidden tokens; NULL: the task hides none */
  uint64_t *lane_work;    /* [B] */
  uint32_t *member;       /* [B] */
  size_t *lane_begin;     /* [W + 1] */
  double *lane_loss;      /* [W] sum of the losses of each lane */
  double *lane_distance;  /* [W] and of the distances from the teacher */
  size_t part;            /* the lane whose gradient is watched; W: none */
  double *lane_squares;   /* [W] squared norm of that lane's share of the gradient, at its place */
  double weight;          /* of the distance in this step */
  uint32_t *labels;       /* [reads,Q] of a round, packed order, as the following */
  float *loss, *distance; /* [reads] */
  float *logits;          /* [reads,C] */
  float *dlogits;         /* [reads,C]; with hidden tokens and no distance the logits' own memory */
  float *class_target;    /* [reads,C] the labels' probabilities; NULL where they are none */
  float *target, *member_logits; /* [reads,C] of the teacher, and of one of its students; or NULL */
  double *member_sum;            /* [reads,C] sum over its students; or NULL */
  struct ad_reads reads;         /* of hidden tokens: where they are */
  uint32_t *read_row;            /* [reads and those of an example more] */
  size_t *read_lane;             /* [lanes + 1] */
  struct ad_replica student;     /* for ad_trainer_variant */
  double *squares;               /* [blocks] */
};

/* Rounds of a step here: no more than lanes. */
size_t ad__trainer_rounds(const struct ad_trainer *t);

/* The lanes [*lo, *hi) of round r. */
void ad__trainer_round_lanes(const struct ad_trainer *t, size_t r, size_t *lo, size_t *hi);

/* The order of the data's examples, by its tasks. AD_EINPUT, AD_ECONFIG, AD_ENOMEM. */
int ad__trainer_create_order(struct ad_trainer *t);

/* Draws the examples of a step (from 0) and cuts them into lanes: ids, lengths, hidden, member, lane_begin, count. */
int ad__trainer_assign_lanes(struct ad_trainer *t, uint64_t step);

/* The order is computed, so the largest round is known: by going through all steps, or where they are too many for that
 * by a bound (no lane has more than its share plus one example: longest first onto the lightest). */
int ad__trainer_find_room(struct ad_trainer *t, size_t alignment, struct room *room);

/* Says how many rows of the row table a step touches at most, and makes the memory that depends on it. AD_ENOMEM.
 */
int ad__trainer_make_room(struct ad_trainer *t);

/* Makes the memory of gradients: work memory of the backward, partial sums, reduced gradient. AD_ENOMEM. */
int ad__trainer_make_gradient(struct ad_trainer *t);

/* Makes the memory of a round's logits, once the room is known, and counts what of it hidden tokens take. AD_ENOMEM.
 */
int ad__trainer_make_logits(struct ad_trainer *t);

/* 1 where the task reads hidden tokens. Their number among the examples [first, end) of the running step's lanes; of
 * another task, of these examples. */
int ad__trainer_hides(const struct ad_trainer *t);
size_t ad__trainer_items(const struct ad_trainer *t, size_t first, size_t end);

/* Hides tokens of a packed round, and lets the batch read them. AD_EINTERNAL: more than there is room for. */
int ad__trainer_hide(struct ad_trainer *t, struct ad_batch *batch);

/* The step's examples, their lanes, and the rows of the row table that they touch. */
int ad__trainer_plan(struct ad_trainer *t, struct ad_step *step);

/* The observer's sums over all ranks, and what they tell. */
int ad__trainer_share_observed(struct ad_trainer *t);

/* Loss, distance and norm of the step, the same on all ranks. AD_EDIVERGED where one is not finite. */
int ad__trainer_measure(struct ad_trainer *t, struct ad_step *step);

#endif
