/* What the logs of an arm's runs hold, as the sections on training share it. */
#ifndef AUTODIDACT_SRC_REPORT_LOGS_H
#define AUTODIDACT_SRC_REPORT_LOGS_H

#include "report_internal.h"

enum { GRID = 150, EVALUATIONS = 60, MOST_LOG_BYTES = 1 << 30 };
enum quantity { QUANTITY_LOSS, QUANTITY_NORM, QUANTITY_DISTANCE, QUANTITIES };

/* An arm's logs. Steps of a window of the grid are averaged. */
struct arm_log {
  size_t runs, points[LOGS];
  double *value[QUANTITIES]; /* [runs,GRID], NaN: none */
  size_t evaluations;
  double at[EVALUATIONS]; /* steps */
  double *score;          /* [runs,EVALUATIONS] */
  enum ad_variant variant;
};

struct logs {
  struct report *r;
  size_t arms, most;
  struct arm_log *arm;          /* [arms] */
  double window;                /* steps of a point of the grid */
  size_t without, damaged, cut; /* runs without a log; with one that cannot be read; left out as all are too large */
  size_t bytes;
};

/* Quantiles along training. AD_ENOMEM. */
int ad__report_trajectories(struct logs *l);

/* Mid-run and final scores, and plans that stop early. AD_ENOMEM. */
int ad__report_early(struct logs *l);

#endif
