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
  const struct ad_hiding *hiding;
  size_t reads;           /* capacity for hidden tokens; 0: not made yet */
  float *logits, *member; /* [reads,V]; the second, and `sum`, of several models */
  double *sum;            /* [reads,V] */
  float *loss;            /* [reads] */
  uint32_t *row, *label;  /* [reads] */
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

static void free_hidden(struct ad_evaluator *e) {
  void *const blocks[] = {e->logits, e->member, e->sum, e->loss, e->row, e->label};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    ad_free(blocks[i]);
  }
  e->logits = e->member = e->loss = NULL;
  e->sum = NULL;
  e->row = e->label = NULL;
  e->reads = 0;
}

void ad_evaluator_destroy(struct ad_evaluator *evaluator) {
  if (evaluator == NULL) {
    return;
  }
  ad_encoder_destroy(evaluator->encoder);
  ad_packer_destroy(&evaluator->packer);
  free_hidden(evaluator);
  ad_free(evaluator->ids);
  ad_free(evaluator);
}

void ad_evaluator_read_frozen(struct ad_evaluator *evaluator, struct ad_replica theta) {
  evaluator->frozen = theta;
}

void ad_evaluator_hide(struct ad_evaluator *evaluator, const struct ad_hiding *hiding) {
  evaluator->hiding = hiding;
}

/* Makes the encoder and the packer large enough for this data set's largest batch, of which at most `reads` rows have
 * logits. */
static int make_room(struct ad_evaluator *e, const struct ad_dataset *data, size_t reads) {
  size_t tokens;
  AD_TRY(ad_dataset_most_tokens(data, e->batch, &tokens));
  if (tokens <= e->tokens && reads <= e->reads) {
    return AD_OK;
  }
  ad_encoder_destroy(e->encoder);
  ad_packer_destroy(&e->packer);
  e->encoder = NULL;
  e->tokens = 0;
  AD_TRY(ad_encoder_create(&e->encoder, e->math, e->params, tokens, reads, 1, 0));
  AD_TRY(ad_packer_create(&e->packer, &e->params->form, tokens, e->batch, 1, 1));
  e->tokens = tokens;
  e->reads = reads;
  return AD_OK;
}

int ad_evaluator_run(struct ad_evaluator *evaluator, struct ad_replica theta, const struct ad_dataset *data,
                     size_t first, size_t end, float *logits) {
  struct ad_evaluator *e = evaluator;
  AD_TRY(make_room(e, data, e->batch));
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

/* --- Hidden tokens. */

/* Rows of logits that are made at a time, of a batch of so many tokens: some 32 MiB of them, and those of any one
 * example. */
static size_t rows_at_once(const struct ad_params *params, const struct ad_dataset *data, size_t tokens) {
  const size_t few = ((size_t)1 << 23) / ad_model_logits(&params->config), most = few < tokens ? few : tokens;
  return most > data->longest ? most : data->longest;
}

static int make_hidden(struct ad_evaluator *e, const struct ad_dataset *data, int several) {
  size_t tokens;
  AD_TRY(ad_dataset_most_tokens(data, e->batch, &tokens));
  const size_t reads = rows_at_once(e->params, data, tokens), n = reads * ad_model_logits(&e->params->config);
  if (e->loss == NULL || reads > e->reads || (several && e->sum == NULL)) {
    free_hidden(e);
    e->logits = ad_malloc(n, sizeof *e->logits);
    e->member = several ? ad_malloc(n, sizeof *e->member) : NULL;
    e->sum = several ? ad_malloc(n, sizeof *e->sum) : NULL;
    e->loss = ad_malloc(reads, sizeof *e->loss);
    e->row = ad_malloc(reads, sizeof *e->row);
    e->label = ad_malloc(reads, sizeof *e->label);
    if (!e->logits || !e->loss || !e->row || !e->label || (several && (!e->member || !e->sum))) {
      return ad_fail_memory(n * (several ? 16 : 4), "the logits of hidden tokens");
    }
  }
  return make_room(e, data, reads);
}

size_t ad_evaluator_hidden_bytes(const struct ad_math *math, const struct ad_params *params,
                                 const struct ad_dataset *data, size_t B, int several) {
  size_t tokens;
  if (ad_dataset_most_tokens(data, B, &tokens) != AD_OK) {
    return 0;
  }
  const size_t reads = rows_at_once(params, data, tokens), V = ad_model_logits(&params->config);
  return ad_encoder_bytes(math, params, tokens, reads, 1, 0) + reads * V * (several ? 16 : 4);
}

/* The logits of a packed batch: of one model, or the mean of several. */
static int average(struct ad_evaluator *e, const struct ad_replica *thetas, size_t count,
                   const struct ad_batch *batch) {
  const size_t n = batch->reads->count * ad_model_logits(&e->params->config);
  for (size_t k = 0; k < count; k++) {
    float *logits = count > 1 ? e->member : e->logits;
    AD_TRY(ad_encoder_forward(e->encoder, thetas[k], batch, NULL, logits));
    for (size_t i = 0; i < n && count > 1; i++) {
      e->sum[i] = (k == 0 ? 0.0 : e->sum[i]) + logits[i];
    }
  }
  for (size_t i = 0; i < n && count > 1; i++) {
    e->logits[i] = (float)(e->sum[i] / (double)count);
  }
  return AD_OK;
}

/* Takes examples from `first` on into e->ids, so many as their hidden tokens have room; their number. */
static size_t take(struct ad_evaluator *e, const struct ad_dataset *data, size_t first, size_t end) {
  static const struct ad_hiding_draw draw = {0};
  size_t count = 0, reads = 0;
  for (; count < e->batch && first + count < end; count++) {
    const uint32_t id = (uint32_t)(first + count);
    reads += ad_hiding_count(e->hiding, &draw, data, id);
    if (count > 0 && reads > e->reads) {
      break;
    }
    e->ids[count] = id;
  }
  return count;
}

/* Sums of a batch of `count` examples. */
static int sum_batch(struct ad_evaluator *e, const struct ad_replica *thetas, size_t models,
                     const struct ad_dataset *data, size_t count, struct ad_row_sums *sums) {
  static const struct ad_hiding_draw draw = {0};
  const size_t lane[2] = {0, count}, C = ad_model_logits(&e->params->config);
  struct ad_batch batch;
  size_t row_lane[2] = {0, 0}, n = 0;
  AD_TRY(ad_packer_fill(&e->packer, data, e->ids, 1, lane, NULL, &batch));
  for (size_t b = 0; b < count; b++) {
    const size_t begin = batch.offset[b], own = ad_hiding_apply(e->hiding, &draw, data, e->ids[b],
                                                                e->packer.ids + begin, e->row + n, e->label + n);
    sums[b] = (struct ad_row_sums){.rows = own};
    for (const size_t stop = n + own; n < stop; n++) {
      e->row[n] += (uint32_t)begin;
    }
  }
  if (n == 0) {
    return AD_OK;
  }
  row_lane[1] = n;
  const struct ad_reads reads = {.count = n, .row = e->row, .lane = row_lane};
  batch.reads = &reads;
  AD_TRY(average(e, thetas, models, &batch));
  data->task->loss(e->math->kernels, n, C, e->logits, e->label, 1.0f, e->loss, NULL);
  for (size_t b = 0, i = 0; b < count; b++) {
    for (const size_t stop = i + sums[b].rows; i < stop; i++) {
      uint32_t predicted;
      data->task->predict(C, 0.0, e->logits + i * C, &predicted);
      sums[b].loss += (double)e->loss[i];
      sums[b].right += predicted == e->label[i];
    }
  }
  return AD_OK;
}

int ad_evaluator_run_hidden(struct ad_evaluator *evaluator, const struct ad_replica *thetas, size_t count,
                            const struct ad_dataset *data, size_t first, size_t end, struct ad_row_sums *sums) {
  struct ad_evaluator *e = evaluator;
  AD_TRY(make_hidden(e, data, count > 1));
  ad_encoder_read_frozen(e->encoder, e->frozen);
  while (first < end) {
    const size_t examples = take(e, data, first, end);
    AD_TRY(sum_batch(e, thetas, count, data, examples, sums));
    sums += examples;
    first += examples;
  }
  return ad_float_check();
}
