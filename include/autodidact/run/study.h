/* What running a study needs besides its table: estimates of the work, and what no arm could have. */
#ifndef AUTODIDACT_RUN_STUDY_H
#define AUTODIDACT_RUN_STUDY_H

#include "autodidact/study/cells.h"

/* Work of each cell, whole, into cost [study->count]: seconds of a rank's work where cells of the table tell them (scale
 * 1), otherwise in proportion to tokens times steps times the model's size. Reads no data. AD_ENOMEM. */
int ad_study_estimate(const struct ad_cells *cells, double *cost, int *seconds_known);

/* Whether each arm can have what study.result and study.test ask for; all cells have ids. AD_ECONFIG naming the arm,
 * AD_EINPUT, AD_ENOMEM. */
int ad_study_check_result(const struct ad_study *study);

#endif
