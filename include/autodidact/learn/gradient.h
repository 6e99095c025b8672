/* The gradient of one step: partial sums over lanes, from the backward to the exchange.
 *
 * A rank computes its lanes [lo, hi) of W in one or more rounds; each round leaves the sums of the largest nodes of the
 * tree inside its lanes. Partial sums that are the two halves of a node are added as soon as both are there. So a
 * bucket has the fewest partial sums after the last round: one, the whole gradient, where a rank has all lanes. The
 * exchange reduces them while the next bucket is computed. Words: docs/glossary.md. */
#ifndef AUTODIDACT_LEARN_GRADIENT_H
#define AUTODIDACT_LEARN_GRADIENT_H

#include "autodidact/learn/exchange.h"

struct ad_gradient;

/* For steps of W lanes. params and exchange must outlive it. The caller owns it. AD_ENOMEM. */
int ad_gradient_create(struct ad_gradient **gradient, const struct ad_params *params, const struct ad_kernels *kernels,
                       size_t W, const struct ad_exchange *exchange);

/* Where reductions go, from now on. room [buckets]: for the shard's part of each bucket's gradient. Where the exchange
 * works in place it is for the bucket's one partial sum instead, of steps of one round in one part; NULL: that has
 * memory of its own. squares: one double for each block of all buckets, one bucket after another. Both are the
 * caller's and must outlive it. */
void ad_gradient_receive(struct ad_gradient *gradient, float *const *room, double *squares);

/* Memory for `most` partial sums of each bucket, touched rows as ad_rows_most has them. AD_ENOMEM. */
int ad_gradient_reserve(struct ad_gradient *gradient, const struct ad_rows *rows, size_t most);
void ad_gradient_destroy(struct ad_gradient *gradient);

/* Starts a step: forgets the partial sums. rows: the step's touched rows; lane_begin [W + 1]: first example of each
 * lane in the batch. Both are read until the step's end. Collective over the exchange. */
int ad_gradient_begin(struct ad_gradient *gradient, const struct ad_rows *rows, const size_t *lane_begin);

/* Where the backward of the round over lanes [lo, hi) puts its gradient; last: this is the step's last round. watch, or
 * NULL: what it is to measure of a lane of the round's batch. Valid until the next call. */
const struct ad_gradient_sink *ad_gradient_round(struct ad_gradient *gradient, size_t lo, size_t hi, int last,
                                                 struct ad_lane_watch *watch);

/* Ends the reductions of the step. Collective over the exchange. */
int ad_gradient_end(struct ad_gradient *gradient);

/* After that: the gradient of a bucket, as much of it as this rank updates (ad_compact_range). */
const float *ad_gradient_reduced(const struct ad_gradient *gradient, uint32_t bucket);

#endif
