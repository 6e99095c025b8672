/* How many seeds an effect needs. The effect that is put in is normally one that was seen, and so has its own error.
 * The number belongs to that effect, not to the true one. alpha: of the test; power: probability to see the effect. */
#ifndef AUTODIDACT_STATISTICS_POWER_H
#define AUTODIDACT_STATISTICS_POWER_H

#include "autodidact/statistics/statistics.h"

/* Pairs for a test of P(a > b) = superiority against 1/2, one-sided (Noether 1987): ((z_alpha + z_beta) / (sqrt 6 (1/2
 * - superiority)))^2, rounded up. */
struct ad_figure ad_power_superiority(double superiority, double alpha, double power);

/* Power of the two-sided paired t test of `pairs` pairs whose mean difference is `effect` standard deviations: the
 * noncentral t distribution, both tails. */
struct ad_figure ad_power_paired_t(double effect, size_t pairs, double alpha);

/* The fewest pairs that have the power. */
struct ad_figure ad_power_pairs(double effect, double alpha, double power);

/* Runs of each arm for the two-sided F test of equal variances of normal values, where the ratio of the SDs is `ratio`:
 * power = Q(F_(alpha/2) / ratio^2) + P(F_(1 - alpha/2) / ratio^2) with n - 1 and n - 1 degrees of freedom. */
struct ad_figure ad_power_sd_ratio(double ratio, double alpha, double power);

#endif
