/* What a teacher method is: a table in a file of its own, src/learn/teacher/NAME.c, and a line of
 * autodidact/base/teacher_methods.h. teacher.c does what all have in common and asks the table for the rest. Not
 * installed.
 *
 * Letters as in learn/teacher.h. */
#ifndef AUTODIDACT_LEARN_TEACHER_METHOD_H
#define AUTODIDACT_LEARN_TEACHER_METHOD_H

#include "autodidact/learn/teacher.h"

struct ad_teacher {
  struct ad_teacher_settings settings;
  const struct teacher_method *method;
  const struct ad_kernels *kernels;
  const struct ad_shard *shard;
  struct ad_replicas replicas;
  const struct ad_exchange *exchange;
  int has_window, has_run;
  struct ad_window window;    /* the teacher's, or the one that is only evaluated */
  struct ad_window run;       /* theta_1 and on */
  uint64_t done;              /* updates */
  uint64_t entered;           /* students that the teacher has seen */
  struct ad_replica *members; /* [its members] newest first */
  size_t past, newest;        /* slots of past students, and that of the newest */
  int enters[2];              /* in this update, before and after it: theta_t, theta_{t+1} */
  int window_enters;          /* theta_{t+1} enters the window that is only evaluated */
};

/* All zero: no teacher. A function that is NULL is one that the method does not need. A method with a teacher has
 * either `enter` or `keep`. */
struct teacher_method {
  int means;     /* 1: the means of past students are kept without eval.means */
  size_t copies; /* of each example in a batch, each with masks of its own; 0 counts as 1 */

  /* AD_ECONFIG where the settings make no teacher. NULL: all do. */
  int (*check)(const struct ad_teacher_settings *settings);

  /* Models whose logits are averaged, at most. NULL: the teacher is one. */
  size_t (*members)(const struct ad_teacher_settings *settings);

  /* For a teacher that is the mean over the window, which `enter` fills: 1 where that needs a window. NULL: a window is
   * only evaluated. */
  int (*windowed)(const struct ad_teacher_settings *settings);

  /* A piece of the student [length], at `local` of the shard's own vectors, enters the same piece of the teacher's
   * parameters [length], whose replica follows: before its update where the lag is 1, else after it. AD_EDIVERGED,
   * AD_EIO. */
  int (*enter)(struct ad_teacher *t, size_t local, size_t length, const float *student, float *teacher);

  /* The whole student becomes the newest of `past`, which has a slot for each member: before the update where the lag
   * is 1, else once it is published. Collective over the node. What the exchange returns. */
  int (*keep)(struct ad_teacher *teacher);

  /* The distance of each of `examples` examples of a task, and `scale` times its gradient, which is added to dlogits.
   * logits, dlogits [copies examples, C]: one copy of all after the other. target [copies examples, C]: the teacher's
   * logits, a constant, where there is a teacher. distance [examples]. NULL: the loss has no distance. */
  void (*distance)(const struct ad_task *task, const struct ad_kernels *kernels, size_t examples, size_t C,
                   const float *logits, const float *target, float scale, float *distance, float *dlogits);
};

/* The tables. */
#define AD_METHOD_TABLE(ID, name, ...) extern const struct teacher_method ad_teacher_##name;
AD_TEACHER_METHODS(AD_METHOD_TABLE)
#undef AD_METHOD_TABLE

/* A `distance`: the mean squared error between the student's logits and the teacher's. */
void ad_teacher_squared_error(const struct ad_task *task, const struct ad_kernels *kernels, size_t examples, size_t C,
                              const float *logits, const float *target, float scale, float *distance, float *dlogits);

#endif
