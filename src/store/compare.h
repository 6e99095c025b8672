/* Inside the comparison of runs. */
#ifndef AUTODIDACT_STORE_COMPARE_INTERNAL_H
#define AUTODIDACT_STORE_COMPARE_INTERNAL_H

#include "autodidact/store/compare.h"

/* A piece of text that somebody else owns; data is NULL for "none". */
struct slice {
  const char *data;
  size_t size;
};

/* Appends copies of the name and the two texts. AD_ENOMEM. */
int ad__differences_add(struct ad_differences *differences, struct slice name, struct slice a, struct slice b);

#endif
