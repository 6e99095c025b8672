/* What must be kept of a training to continue it: vectors on the shards, and a few numbers. Neither mentions ranks, so
 * another number of ranks can continue.
 *
 * Letters: P parameters, K window. A vector has `slots` rows [P] of which frozen parameters (model/params.h) belong to
 * the student's alone. Pieces are ranges [flat, flat + count) of one bucket, inside the shard that the trainer updates
 * (the whole bucket where every rank updates everything). Words: docs/glossary.md. */
#ifndef AUTODIDACT_LEARN_STATE_H
#define AUTODIDACT_LEARN_STATE_H

#include <stddef.h>
#include <stdint.h>

enum { AD_STATE_VECTORS = 9 }; /* at most, with room for one of whoever keeps the state */

struct ad_state_vector {
  const char *name; /* "student", "moment1", "moment2", "teacher", "window_sum", "window_ring", "run_sum", "past" */
  size_t bytes;     /* of an element: 4 (float32) or 8 (int64, fixed point) */
  size_t slots;     /* rows; K of a ring */
  size_t filled;    /* of them, those that hold something yet: the first so many */
};

/* Of the teacher; all 0 without one. */
struct ad_teacher_state {
  uint64_t entered; /* students that it has seen */
  uint64_t newest;  /* SDV: slot of the newest in `past` */
  uint64_t
      window_count;   /* vectors that have entered the window since the start; the next one's slot is that modulo K */
  uint64_t run_count; /* of the mean over the run */
};

struct ad_trainer_state {
  uint64_t done;  /* steps */
  uint64_t chain; /* digest chain after them */
  struct ad_teacher_state teacher;
};

#endif
