#include "autodidact/learn/evaluate.h"

#include "autodidact/base/float_state.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/batch.h"

struct ad_evaluator {
  const struct ad_math *math;
  const struct ad_params *params;
  struct ad_replica frozen; /* or without values */
  size_t batch;
  size_t tokens; /* capacity of the encoder and the packer; 0: not made yet */
  struct ad_encoder *encoder;
  struct ad_packer packer;
  uint32_t *ids; /* [batch] */
};

int ad_evaluator_create(struct ad_evaluator **evaluator, const struct ad_math *math, const struct ad_params *params,
                        size_t B) {
  *evaluator = NULL;
  struct ad_evaluator *e = ad_calloc(1, sizeof *e);
  uint32_t *ids = ad_calloc(B, sizeof *ids);
  if (e == NULL || ids == NULL) {
    ad_free(e);
    ad_free(ids);
    return ad_fail_memory(sizeof *e + B * sizeof *ids, "an evaluation");
  }
  *e = (struct ad_evaluator){.math = math, .params = params, .batch = B, .ids = ids};
  *evaluator = e;
  return AD_OK;
}

void ad_evaluator_destroy(struct ad_evaluator *evaluator) {
  if (evaluator == NULL) {
    return;
  }
  ad_encoder_destroy(evaluator->encoder);
  ad_packer_destroy(&evaluator->packer);
  ad_free(evaluator->ids);
  ad_free(evaluator);
}

void ad_evaluator_read_frozen(struct ad_evaluator *evaluator, struct ad_replica theta) {
  evaluator->frozen = theta;
}

/* Makes the encoder and the packer large enough for this data set's largest batch. */
static int make_room(struct ad_evaluator *e, const struct ad_dataset *data) {
  size_t tokens;
  AD_TRY(ad_dataset_most_tokens(data, e->batch, &tokens));
  if (tokens <= e->tokens) {
    return AD_OK;
  }
  ad_encoder_destroy(e->encoder);
  ad_packer_destroy(&e->packer);
  e->encoder = NULL;
  e->tokens = 0;
  AD_TRY(ad_encoder_create(&e->encoder, e->math, e->params, tokens, e->batch, 1, 0));
  AD_TRY(ad_packer_create(&e->packer, &e->params->form, tokens, e->batch, 1, 1));
  e->tokens = tokens;
  return AD_OK;
}

int ad_evaluator_run(struct ad_evaluator *evaluator, struct ad_replica theta, const struct ad_dataset *data,
                     size_t first, size_t end, float *logits) {
  struct ad_evaluator *e = evaluator;
  AD_TRY(make_room(e, data));
  while (first < end) {
    const size_t count = end - first < e->batch ? end - first : e->batch;
    const size_t lane[2] = {0, count};
    struct ad_batch batch;
    for (size_t i = 0; i < count; i++) {
      e->ids[i] = (uint32_t)(first + i);
    }
    ad_encoder_read_frozen(e->encoder, e->frozen);
    AD_TRY(ad_packer_fill(&e->packer, data, e->ids, 1, lane, NULL, &batch));
    AD_TRY(ad_encoder_forward(e->encoder, theta, &batch, NULL, logits));
    logits += count * e->params->config.classes;
    first += count;
  }
  return ad_float_check();
}
