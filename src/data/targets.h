/* Labels that are probabilities of the classes. Private to src/data. */
#ifndef AUTODIDACT_SRC_DATA_TARGETS_H
#define AUTODIDACT_SRC_DATA_TARGETS_H

#include "reader.h"

/* The probabilities [C] of a row, its label's fields behind `own` others, into targets [C]: divided by their sum in
 * double, then rounded. *best: the class of the largest, the first of equal ones. AD_EINPUT with file and line: another
 * number of fields, one that is no number from 0 up, a sum further than 1e-3 from 1. */
int ad__targets_read(const struct ad_reader *reader, const struct ad_record *record, size_t own,
                     const struct ad_descriptor *descriptor, float *targets, uint32_t *best);

/* The mean entropy of a data set's targets, in nats. */
double ad__targets_entropy(const struct ad_dataset *dataset, size_t C);

/* C where a split's examples keep their probabilities to be learnt, else 0. */
static inline size_t ad__target_width(const struct ad_source *source, enum ad_split split, size_t C) {
  return split == AD_SPLIT_TRAIN && source->probabilities > 0 ? C : 0;
}

/* The layout: the split's; for a file in place of a split that the descriptor does not have, that of train. Dev and
 * test are scored by their labels: only where they have none by the most probable class. */
struct ad_source ad__split_layout(const struct ad_descriptor *descriptor, enum ad_split split,
                                  const struct ad_read_options *options);

#endif
