/* Logits of a data set in evaluation mode, or what they say of hidden tokens: every example once, in order.
 *
 * Letters: N examples, B examples in a batch, C classes, V tokens of the vocabulary, P parameters. */
#ifndef AUTODIDACT_LEARN_EVALUATE_H
#define AUTODIDACT_LEARN_EVALUATE_H

#include "autodidact/data/hidden.h"
#include "autodidact/model/encoder.h"

struct ad_evaluator;

/* For data sets of this model in batches of B. math and params must outlive it. The caller owns it. AD_ENOMEM,
 * AD_ECONFIG. */
int ad_evaluator_create(struct ad_evaluator **evaluator, const struct ad_math *math, const struct ad_params *params,
                        size_t B);
void ad_evaluator_destroy(struct ad_evaluator *evaluator);

/* Evaluations to come read the frozen parameters from `theta` (ad_encoder_read_frozen). */
void ad_evaluator_read_frozen(struct ad_evaluator *evaluator, struct ad_replica theta);

/* Evaluations of hidden tokens hide them so; it must outlive them. */
void ad_evaluator_hide(struct ad_evaluator *evaluator, const struct ad_hiding *hiding);

/* Sums over the hidden tokens of each example in [first, end) into sums [end - first], by the data's task. The logits
 * are those of thetas [count], or the mean of several, added in order in double. They are made for some rows at a time,
 * so that [N,V] is never in memory. The draws are the same in all evaluations. Errors as of ad_evaluator_run. */
int ad_evaluator_run_hidden(struct ad_evaluator *evaluator, const struct ad_replica *thetas, size_t count,
                            const struct ad_dataset *data, size_t first, size_t end, struct ad_row_sums *sums);

/* Bytes that this takes beside the packed tokens; several 1: of several thetas. 0 where it cannot be told. */
size_t ad_evaluator_hidden_bytes(const struct ad_math *math, const struct ad_params *params,
                                 const struct ad_dataset *data, size_t B, int several);

/* Writes logits [N,C] with theta for the examples [first, end) of data into logits [end - first, C]. An example's
 * logits do not depend on the others. AD_EINPUT (an example longer than the model takes), AD_ENOMEM. */
int ad_evaluator_run(struct ad_evaluator *evaluator, struct ad_replica theta, const struct ad_dataset *data,
                     size_t first, size_t end, float *logits);

#endif
