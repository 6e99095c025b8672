/* Sorting in place, without memory of its own (heapsort). Equal elements cannot be told apart afterwards, so that every
 * machine gives the same result. */
#ifndef AUTODIDACT_BASE_SORT_H
#define AUTODIDACT_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* values [n] ascending. */
void ad_sort_u64(size_t n, uint64_t *values);

/* values [n] ascending, -0.0 before 0.0. None may be NaN. */
void ad_sort_doubles(size_t n, double *values);

/* The places 0 ... n - 1 into order [n], so that values [n] ascend along them; those of equal values ascend. None may
 * be NaN. */
void ad_sort_places(size_t n, const double *values, size_t *order);

#endif
