/* Faults on demand (`train --inject`), for tests of what a run survives, ours and users'. */
#ifndef AUTODIDACT_RUN_FAULTS_H
#define AUTODIDACT_RUN_FAULTS_H

#include <stdint.h>

/* X(fault, what happens, where; where NULL: at a step) */
#define AD__FAULT_MAP(X)                 \
  X(AD__KILL_STEP, "kill", NULL)         \
  X(AD__NAN_STEP, "nan", NULL)           \
  X(AD__TERM_STEP, "term", NULL)         \
  X(AD__KILL_SAVE, "kill", "save")       \
  X(AD__KILL_EVALUATION, "kill", "eval") \
  X(AD__FULL_SAVE, "enospc", "save")     \
  X(AD__TERM_EVALUATION, "term", "eval") \
  X(AD__CORRUPT_CHECKPOINT, "corrupt", "checkpoint")

enum ad__fault {
#define AD__FAULT_ENUM(fault, what, where) fault,
  AD__FAULT_MAP(AD__FAULT_ENUM)
#undef AD__FAULT_ENUM
      AD__FAULTS
};

struct ad__faults {
  uint64_t due[AD__FAULTS];   /* the step plus 1, or the time, that it is due; 0: never */
  uint64_t times[AD__FAULTS]; /* so often it was asked for */
};

/* Reads a list as kill@3,corrupt@checkpoint:2 (NULL: none). AD_ECONFIG. */
int ad__faults_parse(struct ad__faults *faults, const char *list);

/* 1 where it is due: at a step of that number, or where a place is reached for the N-th time, which this call counts.
 */
int ad__fault_due(struct ad__faults *faults, enum ad__fault fault, uint64_t step);

#endif
