/* The packed encoder: forward and backward of BERT for classification on tokens without padding.
 *
 * Letters: B examples, T packed tokens, H hidden, A heads, F feed-forward, L layers, C classes, P parameters, W lanes.
 * In the last layer only the [CLS] rows go past keys and values: nobody reads the others. */
#ifndef AUTODIDACT_MODEL_ENCODER_H
#define AUTODIDACT_MODEL_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/data/batch.h"
#include "autodidact/math/kernels.h"
#include "autodidact/model/params.h"

/* What names the masks of one forward: NULL in place of it means evaluation mode (no dropout). */
struct ad_masks {
  uint64_t seed;  /* seed.dropout */
  uint32_t step;
  uint32_t pass;  /* 0 student, 1 second student pass (R-Drop), 2 teacher, ... below 16 */
};

struct ad_encoder;

/* Memory for batches of up to `tokens` packed tokens and `examples` examples; `training` keeps the activations that the
 * backward needs. params must outlive the encoder. The caller owns it: ad_encoder_destroy. AD_ENOMEM, AD_ECONFIG. */
int ad_encoder_create(struct ad_encoder **encoder, const struct ad_params *params, size_t tokens, size_t examples, int training);
void ad_encoder_destroy(struct ad_encoder *encoder);

/* Bytes of activations and work memory that such an encoder holds. */
size_t ad_encoder_bytes(const struct ad_params *params, size_t tokens, size_t examples, int training);

/* logits [B,C] of the batch with parameters theta [P]. The batch must fit what the encoder was created for (AD_EINTERNAL). */
int ad_encoder_forward(struct ad_encoder *encoder, const float *theta, const struct ad_batch *batch, const struct ad_masks *masks,
                       float *logits);

/* The whole gradient [P] of sum(logits * dlogits), dlogits [B,C], after a forward of the same batch, theta and masks: lane by
 * lane, combined by the fixed tree. For tests and tools; training uses ad_encoder_backward, which never holds a whole
 * gradient vector. AD_ENOMEM. */
int ad_encoder_gradient(struct ad_encoder *encoder, const float *theta, const struct ad_batch *batch, const struct ad_masks *masks,
                        const float *dlogits, float *gradient);

#endif
