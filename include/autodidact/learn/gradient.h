/* The gradient of one step as partial sums over lanes.
 *
 * A rank computes its lanes [lo, hi) of W in one or more rounds; each round leaves the sums of the largest nodes of the
 * tree inside its lanes. Partial sums that are the two halves of a node are added as soon as both are there, so that
 * after the last round a bucket has the fewest partial sums: one, the whole gradient, where a rank has all lanes. */
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

/* What else may be done with partial sums; zero: nothing. */
struct ad_gradient_hooks {
  void *context;
  /* Memory for part `part` of a bucket in place of the gradient's own; for steps of one round only. NULL: the
   * gradient's own. */
  float *(*place)(void *context, uint32_t bucket, size_t part);
  /* Called in the last round, as soon as a bucket's partial sums are complete. NULL: not. */
  int (*complete)(void *context, uint32_t bucket, const struct ad_partial *partials, size_t count);
  /* As the sink's `advance`, in the last round. NULL: not. */
  int (*advance)(void *context);
};

/* For steps of W lanes. params must outlive it. The caller owns it. AD_ENOMEM, AD_ECONFIG (no kernels for this CPU). */
int ad_gradient_create(struct ad_gradient **gradient, const struct ad_params *params, size_t W);

/* Sets the hooks of the steps to come. */
void ad_gradient_set_hooks(struct ad_gradient *gradient, const struct ad_gradient_hooks *hooks);

/* Memory for `most` partial sums of each bucket, touched rows as ad_rows_most has them. AD_ENOMEM. */
int ad_gradient_reserve(struct ad_gradient *gradient, const struct ad_rows *rows, size_t most);
void ad_gradient_destroy(struct ad_gradient *gradient);

/* Starts a step: forgets the partial sums. rows: the step's touched rows; lane_begin [W + 1]: first example of each
 * lane in the batch. Both are read until the step's end. */
void ad_gradient_begin(struct ad_gradient *gradient, const struct ad_rows *rows, const size_t *lane_begin);

/* Where the backward of the round over lanes [lo, hi) puts its gradient; last: this is the step's last round. Valid
 * until the next call. */
const struct ad_gradient_sink *ad_gradient_round(struct ad_gradient *gradient, size_t lo, size_t hi, int last);

/* The partial sums of a bucket after the rounds so far, in the order of their lanes; *count of them. */
const struct ad_partial *ad_gradient_partials(const struct ad_gradient *gradient, uint32_t bucket, size_t *count);

/* Bytes held for partial sums. */
size_t ad_gradient_bytes(const struct ad_gradient *gradient);

#endif
