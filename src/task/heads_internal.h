/* What the files of the module share about several tasks at once. Not installed. */
#ifndef AUTODIDACT_SRC_TASK_HEADS_INTERNAL_H
#define AUTODIDACT_SRC_TASK_HEADS_INTERNAL_H

#include "autodidact/task/heads.h"
#include "autodidact/task/scores.h"

/* Table number i of those that were made of heads in this process; NULL behind the last one. */
const struct ad_task *ad__task_joined(size_t i);

/* The scores of logits [N,C] of several tasks. As ad_scoring_create, whose part it is. */
int ad__scoring_of_heads(struct ad_scoring *s, struct ad_labels labels, size_t C, const float *logits);

/* ad_majority_share of several tasks. */
double ad__majority_of_head(struct ad_labels labels, size_t C, const char *score);

#endif
