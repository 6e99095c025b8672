/* What the logs of an arm's runs hold, as the sections on training share it. */
#ifndef AUTODIDACT_SRC_REPORT_LOGS_H
#define AUTODIDACT_SRC_REPORT_LOGS_H

#include "autodidact/store/run_log.h"
#include "report_internal.h"

enum { GRID = 150, EVALUATIONS = 60, MOST_LOG_BYTES = 1 << 30 };

/* What a log has of each step. A study's report shows the first ones. */
enum quantity {
  QUANTITY_LOSS,
  QUANTITY_NORM,
  QUANTITY_DISTANCE,
  STUDY_QUANTITIES,
  QUANTITY_FACTOR = STUDY_QUANTITIES, /* of the learning rate */
  QUANTITIES
};
struct quantity_text {
  const char *id, *title, *unit;
};
extern const struct quantity_text ad__quantities[QUANTITIES];

/* A quantity in a window of steps: NaN where the log has none. */
struct log_window {
  double mean, low, high;
};

/* The steps of a log in GRID windows of `window` steps each. */
void ad__log_windows(const struct ad_run_log *log, double window, enum quantity quantity,
                     struct log_window windows[GRID]);

/* The middle of window i, and how long windows are that hold so many steps in all. */
static inline double ad__window_middle(double window, size_t i) {
  return ((double)i + 0.5) * window + 0.5;
}
double ad__window_of(uint64_t steps);

/* An arm's logs. Steps of a window of the grid are averaged. */
struct arm_log {
  size_t runs, points[LOGS];
  double *value[STUDY_QUANTITIES]; /* [runs,GRID], NaN: none */
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
