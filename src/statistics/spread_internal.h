/* What the files on spread share. */
#ifndef AUTODIDACT_SRC_STATISTICS_SPREAD_INTERNAL_H
#define AUTODIDACT_SRC_STATISTICS_SPREAD_INTERNAL_H

#include "autodidact/statistics/spread.h"

/* All but the ratio is missing. */
void ad__no_spread(struct ad_spread *spread, const char *why);

/* Interval by t from the logarithm of a ratio and its error; there is no p. */
void ad__spread_interval(struct ad_spread *spread, double log_ratio, double error, double df, double level);

/* The square of the jackknife's error from what is found without each of m levels. */
double ad__jackknife_square(size_t m, const double *left_out);

/* Adds the total of two crossed terms without missing cells; values arms[0], arms[1] [n]. AD_ENOMEM. */
int ad__compare_crossed(struct ad_spreads *spreads, const double *const arms[2], const struct ad_terms *terms,
                        double level);

/* An interval of the SD of a run with seeds of its own, of values [n]: exp(log SD -+ 1.15 t(m - 1) error) by the
 * jackknife over m whole levels. None, with a reason, where seeds are crossed or m is below AD_SPREAD_LEVELS.
 * AD_ENOMEM. */
int ad__total_sd(struct ad_interval *interval, size_t n, const double *values, const struct ad_terms *terms,
                 double level);

#endif
