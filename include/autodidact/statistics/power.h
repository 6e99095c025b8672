/* How small an effect the seeds of a study can show. alpha: of the two-sided t test; power: probability to see the
 * effect. */
#ifndef AUTODIDACT_STATISTICS_POWER_H
#define AUTODIDACT_STATISTICS_POWER_H

#include "autodidact/statistics/statistics.h"

/* Power of the two-sided t test with df degrees of freedom, where the true effect is `errors` standard errors: the
 * noncentral t distribution, both tails. */
struct ad_figure ad_power_t(double errors, double df, double alpha);

/* The effect, in standard errors, that the test sees with this power. */
struct ad_figure ad_smallest_effect(double df, double alpha, double power);

/* P(T > t) of Student's t. */
double ad_t_tail(double t, double df);

#endif
