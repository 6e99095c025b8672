/* What is said of an arm over several settings (data sets, sizes). Letters: n, m runs. */
#ifndef AUTODIDACT_STATISTICS_AGGREGATE_H
#define AUTODIDACT_STATISTICS_AGGREGATE_H

#include "autodidact/statistics/statistics.h"

/* The relative change R = mean(a) / mean(b) - 1 of a [n] against b [n], run i of both with the same seeds. Into each
 * [n], which may be a, what every pair makes of it to first order: R + (a - (1 + R) b) / mean(b). Their mean is R, and
 * the error of their mean has the baseline's in it (the delta method). No runs, values that are not finite or a mean(b)
 * that is not above 0: a reason, and each is NaN. */
struct ad_figure ad_relative_change(size_t n, const double *a, const double *b, double *each);

/* The probability that a run of x [n] has a lower value than one of y [m], over all n m pairs; equal ones count half
 * (Mann, Whitney 1947; the probability of improvement of Agarwal et al. 2021). AD_ENOMEM. */
int ad_probability_lower(struct ad_figure *probability, size_t n, const double *x, size_t m, const double *y);

/* The mean without the floor(n / 4) lowest and as many highest of values [n] (Agarwal et al. 2021). AD_ENOMEM. */
int ad_interquartile_mean(struct ad_figure *mean, size_t n, const double *values);

#endif
