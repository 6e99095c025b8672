#include "autodidact/base/sort.h"

#include <math.h>

/* AD_SORT(type, after): heapsort of `type *x`; after(i, j): x[i] belongs behind x[j]. */
#define AD_SORT(type, x, n, after)                                        \
  for (size_t begin = (n) / 2, end = (n); end > 1;) {                     \
    if (begin > 0) {                                                      \
      begin--;                                                            \
    } else {                                                              \
      end--;                                                              \
      const type largest = (x)[0];                                        \
      (x)[0] = (x)[end];                                                  \
      (x)[end] = largest;                                                 \
    }                                                                     \
    for (size_t i = begin, child; (child = 2 * i + 1) < end; i = child) { \
      child += child + 1 < end && after((x)[child + 1], (x)[child]);      \
      if (!after((x)[child], (x)[i])) {                                   \
        break;                                                            \
      }                                                                   \
      const type swapped = (x)[i];                                        \
      (x)[i] = (x)[child];                                                \
      (x)[child] = swapped;                                               \
    }                                                                     \
  }

#define AFTER_U64(a, b) ((a) > (b))
#define AFTER_DOUBLE(a, b) ((a) > (b) || ((a) == (b) && signbit(b) > signbit(a)))
#define AFTER_PLACE(a, b) (values[a] > values[b] || (values[a] == values[b] && (a) > (b)))

void ad_sort_u64(size_t n, uint64_t *values) {
  AD_SORT(uint64_t, values, n, AFTER_U64)
}

void ad_sort_doubles(size_t n, double *values) {
  AD_SORT(double, values, n, AFTER_DOUBLE)
}

void ad_sort_places(size_t n, const double *values, size_t *order) {
  for (size_t i = 0; i < n; i++) {
    order[i] = i;
  }
  AD_SORT(size_t, order, n, AFTER_PLACE)
}
