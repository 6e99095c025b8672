#include "autodidact/learn/trainer.h"

#include <inttypes.h>
#include <math.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/batch.h"
#include "autodidact/data/order.h"
#include "autodidact/learn/gradient.h"

struct ad_trainer {
  const struct ad_params *params;
  const struct ad_kernels *kernels;
  float *theta;
  const struct ad_dataset *data;
  struct ad_trainer_settings settings;
  uint64_t done, total;

  struct ad_order order;
  struct ad_packer packer;
  struct ad_rows rows;
  struct ad_encoder *encoder;
  struct ad_gradient *gradient;
  struct ad_shard shard;
  struct ad_optimizer optimizer;

  /* of the running step */
  size_t count;         /* examples */
  uint32_t *ids;        /* [B] row numbers */
  uint32_t *lengths;    /* [B] tokens */
  uint64_t *lane_work;  /* [B] */
  uint32_t *member;     /* [B] */
  size_t *lane_begin;   /* [W + 1] */
  double *lane_loss;    /* [W] */
  uint32_t *labels;     /* [B] of a round, packed order */
  float *loss;          /* [B] */
  float *logits, *dlogits; /* [B,C] */
  void *squares;        /* [blocks] double */
  size_t squares_capacity;
};

/* The most packed tokens of a round: no lane has more than its share plus one example (longest first onto the lightest). */
static int round_tokens(const struct ad_trainer *t, size_t *tokens) {
  size_t most;
  AD_TRY(ad_dataset_most_tokens(t->data, t->settings.batch, &most));
  const size_t lanes = (t->settings.lanes + t->settings.rounds - 1) / t->settings.rounds;
  const size_t bound = lanes * (most / t->settings.lanes + 1 + t->data->longest);
  *tokens = bound < most ? bound : most;
  return AD_OK;
}

static int check(const struct ad_trainer *t) {
  const struct ad_model_config *m = &t->params->config;
  if (t->settings.lanes == 0 || t->settings.lanes > AD_MAX_LANES || t->settings.batch == 0 || t->settings.rounds == 0) {
    return ad_fail(AD_ECONFIG, "batch of %zu in %zu lanes and %zu rounds, expected at least 1 each and at most %d lanes", t->settings.batch,
                   t->settings.lanes, t->settings.rounds, AD_MAX_LANES);
  }
  if (t->data->longest > m->positions) {
    return ad_fail(AD_ECONFIG, "the longest example has %zu tokens, the model takes %u: set data.max_tokens", t->data->longest, m->positions);
  }
  for (size_t i = 0; i < t->data->count; i++) {
    if (t->data->label[i] >= m->classes) {
      return ad_fail(AD_EINPUT, "training example %zu has no label below %u", i, m->classes);
    }
  }
  for (size_t i = 0; i < t->data->offset[t->data->count]; i++) {
    if (t->data->ids[i] >= m->vocab) {
      return ad_fail(AD_EINPUT, "the training data holds token id %u, the model's vocabulary has %u", t->data->ids[i], m->vocab);
    }
  }
  return AD_OK;
}

static int allocate(struct ad_trainer *t) {
  const size_t B = t->settings.batch, W = t->settings.lanes, C = t->params->config.classes;
  size_t tokens;
  AD_TRY(round_tokens(t, &tokens));
  const int alignment = ad_encoder_alignment(t->params);
  AD_TRY(alignment);
  AD_TRY(ad_order_create(&t->order, t->data->count, B, t->settings.seed_order));
  AD_TRY(ad_packer_create(&t->packer, tokens, B, W, (size_t)alignment));
  AD_TRY(ad_rows_create(&t->rows, t->params->config.vocab));
  AD_TRY(ad_encoder_create(&t->encoder, t->params, ad_packer_rows(tokens, W, (size_t)alignment), B, W, 1));
  AD_TRY(ad_gradient_create(&t->gradient, t->params, W));
  AD_TRY(ad_shard_create(&t->shard, t->params, 0, 1));
  AD_TRY(ad_optimizer_create(&t->optimizer, &t->shard, &t->settings.optimizer));
  t->ids = ad_calloc(B, sizeof *t->ids);
  t->lengths = ad_calloc(B, sizeof *t->lengths);
  t->lane_work = ad_calloc(B, sizeof *t->lane_work);
  t->member = ad_calloc(B, sizeof *t->member);
  t->lane_begin = ad_calloc(W + 1, sizeof *t->lane_begin);
  t->lane_loss = ad_calloc(W, sizeof *t->lane_loss);
  t->labels = ad_calloc(B, sizeof *t->labels);
  t->loss = ad_calloc(B, sizeof *t->loss);
  t->logits = ad_calloc(B * C, sizeof *t->logits);
  t->dlogits = ad_calloc(B * C, sizeof *t->dlogits);
  if (!t->ids || !t->lengths || !t->lane_work || !t->member || !t->lane_begin || !t->lane_loss || !t->labels || !t->loss || !t->logits ||
      !t->dlogits) {
    return ad_fail_memory(B * (40 + 8 * C), "a batch");
  }
  return AD_OK;
}

int ad_trainer_create(struct ad_trainer **trainer, const struct ad_params *params, float *theta, const struct ad_dataset *data,
                      const struct ad_trainer_settings *settings) {
  *trainer = NULL;
  struct ad_trainer *t = ad_calloc(1, sizeof *t);
  if (t == NULL) {
    return ad_fail_memory(sizeof *t, "the trainer");
  }
  *t = (struct ad_trainer){.params = params, .theta = theta, .data = data, .settings = *settings};
  t->kernels = ad_kernels_select();
  int status = t->kernels == NULL ? AD_ECONFIG : check(t);
  if (status == AD_OK) {
    status = allocate(t);
  }
  if (status != AD_OK) {
    ad_trainer_destroy(t);
    return status;
  }
  t->total = settings->steps > 0 ? settings->steps : settings->epochs * t->order.steps;
  *trainer = t;
  return AD_OK;
}

void ad_trainer_destroy(struct ad_trainer *trainer) {
  if (trainer == NULL) {
    return;
  }
  struct ad_trainer *t = trainer;
  ad_order_destroy(&t->order);
  ad_packer_destroy(&t->packer);
  ad_rows_destroy(&t->rows);
  ad_encoder_destroy(t->encoder);
  ad_gradient_destroy(t->gradient);
  ad_optimizer_destroy(&t->optimizer);
  ad_shard_destroy(&t->shard);
  void *const blocks[] = {t->ids,    t->lengths, t->lane_work, t->member,  t->lane_begin, t->lane_loss,
                          t->labels, t->loss,    t->logits,    t->dlogits, t->squares};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    ad_free(blocks[i]);
  }
  ad_free(t);
}

uint64_t ad_trainer_total(const struct ad_trainer *trainer) { return trainer->total; }

uint64_t ad_trainer_done(const struct ad_trainer *trainer) { return trainer->done; }

/* The step's examples, their lanes, and the rows of the word embedding that they touch. */
static int plan(struct ad_trainer *t, struct ad_step *step) {
  AD_TRY(ad_order_batch(&t->order, t->done, t->ids, &t->count));
  ad_rows_clear(&t->rows);
  step->tokens = 0;
  for (size_t i = 0; i < t->count; i++) {
    const size_t row = t->ids[i];
    t->lengths[i] = ad_dataset_length(t->data, row);
    step->tokens += t->lengths[i];
    AD_TRY(ad_rows_add(&t->rows, t->lengths[i], t->data->ids + t->data->offset[row]));
  }
  ad_rows_order(&t->rows);
  ad_lanes_assign(t->count, t->lengths, t->settings.lanes, t->lane_begin, t->member, t->lane_work);
  step->examples = t->count;
  ad_gradient_begin(t->gradient, &t->rows, t->lane_begin);
  return AD_OK;
}

/* Forward, loss and backward of the lanes [lo, hi). */
static int compute_round(struct ad_trainer *t, size_t lo, size_t hi) {
  struct ad_batch batch;
  const struct ad_masks masks = {.seed = t->settings.seed_dropout, .step = (uint32_t)(t->done + 1), .pass = 0};
  AD_TRY(ad_packer_fill(&t->packer, t->data, t->ids, hi - lo, t->lane_begin + lo, t->member, &batch));
  AD_TRY(ad_encoder_forward(t->encoder, t->theta, &batch, &masks, t->logits));
  for (size_t b = 0; b < batch.examples; b++) {
    t->labels[b] = t->data->label[batch.example[b]];
  }
  t->kernels->cross_entropy(batch.examples, t->params->config.classes, t->logits, t->labels, (float)(1.0 / (double)t->count), t->loss,
                            t->dlogits);
  for (size_t lane = lo; lane < hi; lane++) {
    t->lane_loss[lane] = 0.0;
    for (size_t b = batch.lane_example[lane - lo]; b < batch.lane_example[lane - lo + 1]; b++) {
      t->lane_loss[lane] += t->loss[b];
    }
  }
  return ad_encoder_backward(t->encoder, t->theta, &batch, &masks, t->dlogits, &t->rows, ad_gradient_round(t->gradient, lo, hi));
}

/* The one partial sum that is left of a bucket when all lanes are here. */
static const float *whole(const struct ad_trainer *t, uint32_t bucket) {
  size_t count;
  const struct ad_partial *partials = ad_gradient_partials(t->gradient, bucket, &count);
  return count == 1 ? partials[0].values : NULL;
}

static int measure(struct ad_trainer *t, struct ad_step *step) {
  size_t blocks = 0;
  for (uint32_t b = 0; b < t->params->buckets; b++) {
    blocks += ad_compact_blocks(t->params, b, &t->rows, ad_compact_count(t->params, b, &t->rows));
  }
  AD_TRY(ad_reserve(&t->squares, &t->squares_capacity, blocks, sizeof(double)));
  double *squares = t->squares;
  for (uint32_t b = 0; b < t->params->buckets; b++) {
    const float *gradient = whole(t, b);
    if (gradient == NULL) {
      return ad_fail(AD_EINTERNAL, "bucket %u of step %" PRIu64 " has no whole gradient", b, t->done + 1);
    }
    ad_optimizer_squares(&t->optimizer, b, &t->rows, gradient, squares);
    squares += ad_compact_blocks(t->params, b, &t->rows, ad_compact_count(t->params, b, &t->rows));
  }
  step->norm = ad_optimizer_norm(blocks, t->squares);
  step->loss = ad_tree_sum_double(t->lane_begin, 0, t->settings.lanes, t->lane_loss) / (double)t->count;
  if (!isfinite(step->loss) || !isfinite(step->norm)) {
    return ad_fail(AD_EDIVERGED, "step %" PRIu64 ": the loss is %g and the gradient's norm %g, both must be finite", t->done + 1, step->loss,
                   step->norm);
  }
  return AD_OK;
}

int ad_trainer_step(struct ad_trainer *trainer, struct ad_step *step) {
  struct ad_trainer *t = trainer;
  const double start = ad_clock();
  const size_t W = t->settings.lanes, rounds = t->settings.rounds < W ? t->settings.rounds : W;
  AD_TRY(plan(t, step));
  for (size_t r = 0; r < rounds; r++) {
    AD_TRY(compute_round(t, ad_lanes_first(W, rounds, r), ad_lanes_first(W, rounds, r + 1)));
  }
  AD_TRY(measure(t, step));
  step->factor = ad_schedule_factor(t->settings.schedule, t->done, t->total, ad_schedule_warmup(t->total, t->settings.warmup));
  const double scale = ad_optimizer_clip(&t->optimizer, step->norm);
  for (uint32_t b = 0; b < t->params->buckets; b++) {
    ad_optimizer_update(&t->optimizer, b, &t->rows, whole(t, b), t->done + 1, step->factor, scale, t->theta);
  }
  t->done++;
  step->step = t->done;
  step->epoch = (t->done - 1) / t->order.steps + 1;
  step->epoch_end = t->done % t->order.steps == 0;
  step->seconds = ad_clock() - start;
  return AD_OK;
}
