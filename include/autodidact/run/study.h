/* A study run by the ranks of a job, and what its table of cells has come to. Words: docs/glossary.md. */
#ifndef AUTODIDACT_RUN_STUDY_H
#define AUTODIDACT_RUN_STUDY_H

#include "autodidact/math/context.h"
#include "autodidact/study/cells.h"

/* Work of each whole cell into cost [study->count]. It is in seconds of a rank's work where cells of the table have
 * them, otherwise in proportion to tokens times steps times the model's size. Reads no data. AD_ENOMEM. */
int ad_study_estimate(const struct ad_cells *cells, double *cost, int *seconds_known);

/* Whether each arm can have what study.result and study.test ask for; all cells have ids. AD_ECONFIG naming the arm,
 * AD_EINPUT, AD_ENOMEM. */
int ad_study_check_result(const struct ad_study *study);

/* Gets the table when a job has nothing more to do; on the first rank of all. */
typedef int (*ad_study_teller)(const struct ad_cells *cells);

/* Runs the cells of a study that are not finished: words [count], the study file and key=value for keys that do not
 * change a cell. Any number of jobs may run one study at a time. Collective over the world. AD_ECONFIG, AD_EINPUT,
 * AD_ESTOPPED (cells are left), the status of the first cell that failed, AD_EIO, AD_ENOMEM. */
int ad_study_run(const struct ad_math *math, size_t count, char *const *words, ad_study_teller tell);

/* What one arm, or all, have come to. */
struct ad_arm_summary {
  size_t cells, of[AD_CELL_STATES], failed_runs, results;
  double mean, squares; /* of the results; of their deviations from it */
  double work, left;    /* of all cells, and of those that are not finished */
};

struct ad_study_summary {
  struct ad_arm_summary *arms; /* [arm_count] owned */
  struct ad_arm_summary all;
  int seconds_known;   /* 1: work is in seconds of a rank */
  double seconds_left; /* until the end with the teams that are at work now; NaN where that is not known */
  double share_done;   /* of the work */
};

/* Reads no data; how far running cells are goes into their records. The caller owns it: ad_study_summary_destroy, after
 * a failure too. Not collective. AD_ENOMEM. */
int ad_study_summarise(const struct ad_cells *cells, struct ad_study_summary *out);
void ad_study_summary_destroy(struct ad_study_summary *summary);

/* Mean and standard deviation of an arm's results; NaN where there are too few. */
double ad_arm_mean(const struct ad_arm_summary *summary);
double ad_arm_deviation(const struct ad_arm_summary *summary);

#endif
