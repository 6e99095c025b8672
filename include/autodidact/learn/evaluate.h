/* Logits of a data set in evaluation mode: every example once, in order.
 *
 * Letters: N examples, B examples in a batch, C classes, P parameters. */
#ifndef AUTODIDACT_LEARN_EVALUATE_H
#define AUTODIDACT_LEARN_EVALUATE_H

#include "autodidact/data/dataset.h"
#include "autodidact/model/encoder.h"

struct ad_evaluator;

/* For data sets of this model in batches of B. math and params must outlive it. The caller owns it. AD_ENOMEM,
 * AD_ECONFIG. */
int ad_evaluator_create(struct ad_evaluator **evaluator, const struct ad_math *math, const struct ad_params *params,
                        size_t B);
void ad_evaluator_destroy(struct ad_evaluator *evaluator);

/* Evaluations to come read the frozen parameters from `theta` (ad_encoder_read_frozen). */
void ad_evaluator_read_frozen(struct ad_evaluator *evaluator, struct ad_replica theta);

/* Writes logits [N,C] with theta for the examples [first, end) of data into logits [end - first, C]. An example's
 * logits do not depend on the others. AD_EINPUT (an example longer than the model takes), AD_ENOMEM. */
int ad_evaluator_run(struct ad_evaluator *evaluator, struct ad_replica theta, const struct ad_dataset *data,
                     size_t first, size_t end, float *logits);

#endif
