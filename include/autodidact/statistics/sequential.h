/* Looks at a study while it grows. */
#ifndef AUTODIDACT_STATISTICS_SEQUENTIAL_H
#define AUTODIDACT_STATISTICS_SEQUENTIAL_H

#include "autodidact/statistics/statistics.h"

enum { AD_MOST_LOOKS = 10 };

/* O'Brien and Fleming's bounds by the spending function of Lan and DeMets (1983), two-sided: by the time t, a share of
 * the planned information, 4 - 4 Phi(z(alpha/4) / sqrt t) of alpha is spent. Into p [looks]: below which a p-value
 * decides at each look. t [looks] ascends in (0, 1]. AD_ENOMEM. */
int ad_sequential_bounds(size_t looks, const double *t, double alpha, double *p);

#endif
