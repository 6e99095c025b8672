/* What a training will need: memory, disk and time, before it begins. Nothing is written.
 *
 * Letters: P parameters, R ranks. Words: docs/glossary.md. */
#ifndef AUTODIDACT_RUN_PLAN_H
#define AUTODIDACT_RUN_PLAN_H

#include "autodidact/run/training.h"

/* Bytes of a rank, mean over the ranks; what the ranks of a node share counts by their shares. The sum of all but
 * `loading` is what a rank holds once all steps are done. */
struct ad_memory_plan {
  double program;     /* program, libraries and data */
  double parameters;  /* replicas of student and teacher, what is packed of them, the best ones */
  double moments;     /* of the optimizer */
  double past;        /* the teacher's sums and rings */
  double gradient;    /* partial sums, reduced gradient, buffers of the exchange */
  double activations; /* of student and teacher in the largest round of any step, work memory of the backward */
  double evaluation;  /* activations and logits of an evaluation */
  double snapshots;   /* observer, rows that are not written yet */
  double loading;     /* all that is there while the model is read, which ends before the steps begin */
};

/* The most that a rank holds at any time. */
double ad_memory_plan_peak(const struct ad_memory_plan *memory);

/* Bytes of files, before compression. */
struct ad_disk_plan {
  uint64_t checkpoint; /* one of them, at most */
  uint64_t kept;       /* most of them at once, the one that is being written among them */
  uint64_t snapshots, logits, result;
  uint64_t ring; /* of each rank, with teacher.ring=disk */
};

struct ad_training_plan {
  uint32_t ranks, nodes;
  uint64_t parameters, train, dev, classes; /* P; examples; classes or targets */
  const char *outputs;                      /* "classes", "target"; static storage */
  uint64_t steps, steps_an_epoch, evaluations;
  struct ad_memory_plan memory;
  struct ad_disk_plan disk;
  uint64_t tried;                 /* steps of the trial; 0: there was none, and the seconds are NaN */
  double step, evaluation, whole; /* seconds of each, and of the run without checkpoints and snapshots */
};

/* Plans a configured training, in place of opening it (run/training.h), and after it the training can only be closed.
 * ranks 0: for the program's own ranks, on which some steps and a part of an evaluation are tried. Otherwise for so
 * many ranks, dealt to `nodes` nodes in blocks; the program runs on one rank then, which holds what one of them would,
 * and tries nothing. Data are read without data.cache, so each rank counts its own. Collective. AD_ECONFIG (a setting;
 * ranks that no training can have), AD_EINPUT (data, model), AD_EIO, AD_ENOMEM, AD_EDIVERGED. */
int ad_training_plan(struct ad_training *training, uint32_t ranks, uint32_t nodes, struct ad_training_plan *plan);

#endif
