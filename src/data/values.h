/* The different values of a column, each once with its count. Private to src/data. */
#ifndef AUTODIDACT_SRC_DATA_VALUES_H
#define AUTODIDACT_SRC_DATA_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/data/detect.h"
#include "reader.h"

enum { AD__VALUE_SLOTS = 4096 };

/* Zero-initialise. */
struct ad__values {
  char **items;  /* [count], owned */
  size_t *times; /* [count] how often each is there */
  size_t count;  /* at most AD_DETECT_MOST_CLASSES */
  size_t item_capacity, time_capacity;
  int many;        /* 1: there are more, and no further ones are kept */
  uint16_t *slots; /* [AD__VALUE_SLOTS] number from 1 of the value with this hash; 0: none */
};

/* Counts a value. AD_ENOMEM. */
int ad__values_add(struct ad__values *values, struct ad_text_span value);

/* How often a value is there; 0: it is not, or not kept. */
size_t ad__values_times(const struct ad__values *values, struct ad_text_span value);

/* Sorts them: by number where all are whole numbers, else by bytes. AD_ENOMEM. */
int ad__values_sort(struct ad__values *values);

void ad__values_destroy(struct ad__values *values);

#endif
