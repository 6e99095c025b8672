/* The examples of several data sets. Private to src/data. */
#ifndef AUTODIDACT_DATA_JOINT_DATA_H
#define AUTODIDACT_DATA_JOINT_DATA_H

#include "autodidact/data/dataset.h"

/* ad_dataset_digest and ad_dataset_read of a descriptor of several data sets. */
int ad__dataset_digest_sets(const struct ad_descriptor *descriptor, enum ad_split split,
                            const struct ad_read_options *options, uint64_t *digest);
int ad__dataset_read_sets(struct ad_dataset *dataset, const struct ad_descriptor *descriptor, enum ad_split split,
                          const struct ad_read_options *options, struct ad_tokenizer *tokenizer);

#endif
