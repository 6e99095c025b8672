/* How well numbers are predicted. All sums are in order, in double, so the figures are the same bits everywhere.
 * Letters: n pairs of a label and a prediction, n > 0. */
#ifndef AUTODIDACT_TASK_CORRELATION_H
#define AUTODIDACT_TASK_CORRELATION_H

#include <stddef.h>

/* Pearson's correlation of x [n] and y [n], in [-1,1]; 0 where all values of a side are equal, for which SciPy has NaN.
 * NaN where a value is not finite. */
double ad_correlation_pearson(size_t n, const double *x, const double *y);

/* The ranks of values [n] from 1 into ranks [n]; equal values have the mean of their ranks, as SciPy's rankdata. None
 * may be NaN. order [n] is work memory. */
void ad_correlation_ranks(size_t n, const double *values, size_t *order, double *ranks);

/* 1 - sum (label - prediction)^2 / sum (label - mean label)^2, as scikit-learn's r2_score: where all labels are equal,
 * 1 if the predictions are the labels, else 0. Of one pair too, for which scikit-learn has NaN. */
double ad_correlation_r2(size_t n, const double *labels, const double *predictions);

/* Mean of (label - prediction)^2. */
double ad_correlation_mse(size_t n, const double *labels, const double *predictions);

#endif
