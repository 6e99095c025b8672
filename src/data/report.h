/* What a report on a data set is made of. Private to src/data. */
#ifndef AUTODIDACT_SRC_DATA_REPORT_H
#define AUTODIDACT_SRC_DATA_REPORT_H

#include "autodidact/base/buffer.h"
#include "autodidact/data/dataset.h"

/* Appends, of labels that are numbers, for each target the least, the mean, the standard deviation (of a sample) and
 * the largest, and the examples in each tenth of the way between. AD_ENOMEM. */
int ad__report_numbers(const struct ad_descriptor *descriptor, const struct ad_dataset *dataset, struct ad_buffer *out);

#endif
