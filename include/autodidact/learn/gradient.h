/* The gradient of one step as partial sums over lanes.
 *
 * A rank computes its lanes [lo, hi) of W in one or more rounds; each round leaves the sums of the largest nodes of the tree inside
 * its lanes. Partial sums that are the two halves of a node are added as soon as both are there, so that after the last round a bucket has
 * the fewest partial sums: one, the whole gradient, where a rank has all lanes. */
#ifndef AUTODIDACT_LEARN_GRADIENT_H
#define AUTODIDACT_LEARN_GRADIENT_H

#include "autodidact/model/encoder.h"
#include "autodidact/model/shard.h"

struct ad_partial {
  struct ad_span span; /* lanes of the step, a node of the tree over [0, W) */
  int empty;           /* no examples in these lanes: not a summand; values is NULL */
  float *values;       /* compact bucket (model/shard.h), owned by the gradient */
};

struct ad_gradient;

/* For steps of W lanes. params must outlive it. The caller owns it. AD_ENOMEM, AD_ECONFIG (no kernels for this CPU). */
int ad_gradient_create(struct ad_gradient **gradient, const struct ad_params *params, size_t W);
void ad_gradient_destroy(struct ad_gradient *gradient);

/* Starts a step: forgets the partial sums. rows: the step's touched rows; lane_begin [W + 1]: first example of each lane in the batch. Both are
 * read until the step's end. */
void ad_gradient_begin(struct ad_gradient *gradient, const struct ad_rows *rows, const size_t *lane_begin);

/* Where the backward of the round over lanes [lo, hi) puts its gradient. Valid until the next call. */
const struct ad_gradient_sink *ad_gradient_round(struct ad_gradient *gradient, size_t lo, size_t hi);

/* The partial sums of a bucket after the rounds so far, in the order of their lanes; *count of them. */
const struct ad_partial *ad_gradient_partials(const struct ad_gradient *gradient, uint32_t bucket, size_t *count);

/* Bytes held for partial sums. */
size_t ad_gradient_bytes(const struct ad_gradient *gradient);

#endif
