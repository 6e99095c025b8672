#include "autodidact/learn/trainer.h"

#include <inttypes.h>
#include <math.h>

#include "autodidact/base/digest.h"
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
  size_t bytes; /* of the encoder */

  struct ad_order order;
  struct ad_packer packer;
  struct ad_rows rows;
  struct ad_encoder *encoder;
  struct ad_gradient *gradient;
  struct ad_shard shard;
  struct ad_optimizer optimizer;
  const struct ad_exchange *exchange; /* NULL: alone */
  uint32_t rank, size;
  uint64_t chain;
  const float **reduced; /* [buckets] the shard's part of each bucket's gradient, with an exchange */
  void **own;            /* [buckets] memory for those that do not lie in the encoder's spare memory */
  size_t *own_capacity;  /* [buckets] floats */
  size_t spare_used;     /* floats at the end of the encoder's spare memory */
  int64_t pending;       /* bucket whose reduction has begun, -1: none */
  size_t *counts;        /* [R] of the numbers that are shared */
  void *shared;          /* double: losses and squares of all ranks, rank by rank */
  size_t shared_capacity;

  /* of the running step */
  size_t count;            /* examples */
  uint32_t *ids;           /* [B] row numbers */
  uint32_t *lengths;       /* [B] tokens */
  uint64_t *lane_work;     /* [B] */
  uint32_t *member;        /* [B] */
  size_t *lane_begin;      /* [W + 1] */
  double *lane_loss;       /* [W] */
  uint32_t *labels;        /* [B] of a round, packed order */
  float *loss;             /* [B] */
  float *logits, *dlogits; /* [B,C] */
  void *squares;           /* [blocks] double */
  size_t squares_capacity;
};

/* Lanes of this rank. */
static size_t lanes_first(const struct ad_trainer *t) {
  return ad_lanes_first(t->settings.lanes, t->size, t->rank);
}
static size_t lanes_end(const struct ad_trainer *t) {
  return ad_lanes_first(t->settings.lanes, t->size, t->rank + 1);
}

/* Rounds of a step here: no more than lanes. */
static size_t rounds_of(const struct ad_trainer *t) {
  const size_t own = lanes_end(t) - lanes_first(t);
  return t->settings.rounds < own ? t->settings.rounds : own;
}

/* The lanes [*lo, *hi) of round r. */
static void round_lanes(const struct ad_trainer *t, size_t r, size_t *lo, size_t *hi) {
  const size_t first = lanes_first(t), own = lanes_end(t) - first;
  *lo = first + ad_lanes_first(own, rounds_of(t), r);
  *hi = first + ad_lanes_first(own, rounds_of(t), r + 1);
}

/* What the largest round of any step needs. */
struct room {
  size_t rows, examples, lanes;
};

/* Rows and examples of the lanes [lo, hi) of the step whose lanes are assigned. */
static void widen(const struct ad_trainer *t, size_t alignment, size_t lo, size_t hi, struct room *room) {
  size_t rows = 0;
  for (size_t lane = lo; lane < hi; lane++) {
    rows = t->lane_begin[lane] < t->lane_begin[lane + 1] ? (rows + alignment - 1) / alignment * alignment : rows;
    for (size_t k = t->lane_begin[lane]; k < t->lane_begin[lane + 1]; k++) {
      rows += t->lengths[t->member[k]];
    }
  }
  const size_t examples = t->lane_begin[hi] - t->lane_begin[lo];
  room->rows = rows > room->rows ? rows : room->rows;
  room->examples = examples > room->examples ? examples : room->examples;
  room->lanes = hi - lo > room->lanes ? hi - lo : room->lanes;
}

static int assign_lanes(struct ad_trainer *t, uint64_t step) {
  AD_TRY(ad_order_batch(&t->order, step, t->ids, &t->count));
  for (size_t i = 0; i < t->count; i++) {
    t->lengths[i] = ad_dataset_length(t->data, t->ids[i]);
  }
  ad_lanes_assign(t->count, t->lengths, t->settings.lanes, t->lane_begin, t->member, t->lane_work);
  return AD_OK;
}

/* The order is computed, so the largest round is known: by going through all steps, or where they are too many for that
 * by a bound (no lane has more than its share plus one example: longest first onto the lightest). */
static int find_room(struct ad_trainer *t, size_t alignment, struct room *room) {
  enum { FEW = 1 << 22 }; /* examples gone through: a second at most */
  const size_t lanes = t->settings.lanes;
  *room = (struct room){0};
  if (t->total <= FEW / t->settings.batch) {
    for (uint64_t step = 0; step < t->total; step++) {
      AD_TRY(assign_lanes(t, step));
      for (size_t r = 0; r < rounds_of(t); r++) {
        size_t lo, hi;
        round_lanes(t, r, &lo, &hi);
        widen(t, alignment, lo, hi, room);
      }
    }
    return AD_OK;
  }
  size_t most, lo, hi;
  AD_TRY(ad_dataset_most_tokens(t->data, t->settings.batch, &most));
  for (size_t r = 0; r < rounds_of(t); r++) {
    round_lanes(t, r, &lo, &hi);
    room->lanes = hi - lo > room->lanes ? hi - lo : room->lanes;
  }
  const size_t bound = room->lanes * (most / lanes + 1 + t->data->longest);
  room->rows = ad_packer_rows(bound < most ? bound : most, room->lanes, alignment);
  room->examples = t->settings.batch;
  return AD_OK;
}

static int check(const struct ad_trainer *t) {
  const struct ad_model_config *m = &t->params->config;
  if (t->settings.lanes == 0 || t->settings.lanes > AD_MAX_LANES || t->settings.batch == 0 || t->settings.rounds == 0) {
    return ad_fail(AD_ECONFIG,
                   "batch of %zu in %zu lanes and %zu rounds, expected at least 1 each and at most %d lanes",
                   t->settings.batch, t->settings.lanes, t->settings.rounds, AD_MAX_LANES);
  }
  if (t->size > t->settings.lanes) {
    return ad_fail(AD_ECONFIG,
                   "%u ranks and batch.lanes=%zu: a lane is the least a rank can have; start at most %zu ranks",
                   t->size, t->settings.lanes, t->settings.lanes);
  }
  if (t->data->longest > m->positions) {
    return ad_fail(AD_ECONFIG, "the longest example has %zu tokens, the model takes %u: set data.max_tokens",
                   t->data->longest, m->positions);
  }
  for (size_t i = 0; i < t->data->count; i++) {
    if (t->data->label[i] >= m->classes) {
      return ad_fail(AD_EINPUT, "training example %zu has no label below %u", i, m->classes);
    }
  }
  for (size_t i = 0; i < t->data->offset[t->data->count]; i++) {
    if (t->data->ids[i] >= m->vocab) {
      return ad_fail(AD_EINPUT, "the training data holds token id %u, the model's vocabulary has %u", t->data->ids[i],
                     m->vocab);
    }
  }
  return AD_OK;
}

static int allocate(struct ad_trainer *t) {
  const size_t B = t->settings.batch, W = t->settings.lanes, C = t->params->config.classes;
  struct room room;
  const int alignment = ad_encoder_alignment(t->params);
  AD_TRY(alignment);
  t->reduced = ad_calloc(t->params->buckets, sizeof *t->reduced);
  t->own = ad_calloc(t->params->buckets, sizeof *t->own);
  t->own_capacity = ad_calloc(t->params->buckets, sizeof *t->own_capacity);
  t->counts = ad_calloc(t->size, sizeof *t->counts);
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
  if (!t->reduced || !t->own || !t->own_capacity || !t->counts || !t->ids || !t->lengths || !t->lane_work ||
      !t->member || !t->lane_begin || !t->lane_loss || !t->labels || !t->loss || !t->logits || !t->dlogits) {
    return ad_fail_memory(B * (40 + 8 * C), "a batch");
  }
  AD_TRY(ad_order_create(&t->order, t->data->count, B, t->settings.seed_order));
  t->total = t->settings.steps > 0 ? t->settings.steps : t->settings.epochs * t->order.steps;
  AD_TRY(find_room(t, (size_t)alignment, &room));
  t->bytes = ad_encoder_bytes(t->params, room.rows, room.examples, room.lanes, 1);
  AD_TRY(ad_packer_create(&t->packer, room.rows, room.examples, room.lanes, (size_t)alignment));
  AD_TRY(ad_rows_create(&t->rows, t->params->config.vocab));
  AD_TRY(ad_encoder_create(&t->encoder, t->params, room.rows, room.examples, room.lanes, 1));
  AD_TRY(ad_gradient_create(&t->gradient, t->params, W));
  AD_TRY(ad_shard_create(&t->shard, t->params, t->exchange != NULL && t->exchange->whole ? 0 : t->rank,
                         t->exchange != NULL && t->exchange->whole ? 1 : t->size));
  AD_TRY(ad_optimizer_create(&t->optimizer, &t->shard, &t->settings.optimizer));
  return AD_OK;
}

static float *place_hook(void *context, uint32_t bucket, size_t part) {
  const struct ad_trainer *t = context;
  return t->exchange->place(t->exchange->context, bucket, part);
}

/* Memory for `count` floats of the reduced gradient of bucket b, to be kept until the update: activations that the
 * backward is done with, as far as they reach, so that a step holds either the one or the other. */
static int keep(struct ad_trainer *t, uint32_t b, size_t count, float **place) {
  enum { LINE = 16 };
  size_t spare;
  float *begin = ad_encoder_spare(t->encoder, &spare);
  const size_t used = t->spare_used + (count + LINE - 1) / LINE * LINE;
  if (begin != NULL && used <= spare) {
    t->spare_used = used;
    *place = begin + (spare - used);
  } else {
    AD_TRY(ad_reserve(&t->own[b], &t->own_capacity[b], count, sizeof(float)));
    *place = t->own[b];
  }
  t->reduced[b] = *place;
  return AD_OK;
}

/* Ends the reduction that is under way, if any. */
static int end_pending(struct ad_trainer *t) {
  if (t->pending < 0) {
    return AD_OK;
  }
  const uint32_t b = (uint32_t)t->pending;
  size_t begin, end;
  ad_compact_range(t->params, b, &t->rows, t->shard.begin[b], t->shard.end[b], &begin, &end);
  float *place;
  AD_TRY(keep(t, b, end - begin, &place));
  t->pending = -1;
  return t->exchange->reduce_end(t->exchange->context, b, place);
}

/* A bucket's partial sums are complete: its exchange runs while the next one is computed. */
static int complete_hook(void *context, uint32_t bucket, const struct ad_partial *partials, size_t count) {
  struct ad_trainer *t = context;
  AD_TRY(end_pending(t));
  AD_TRY(t->exchange->reduce_begin(t->exchange->context, bucket, partials, count));
  t->pending = bucket;
  return AD_OK;
}

int ad_trainer_create(struct ad_trainer **trainer, const struct ad_params *params, float *theta,
                      const struct ad_dataset *data, const struct ad_trainer_settings *settings,
                      const struct ad_exchange *exchange) {
  *trainer = NULL;
  struct ad_trainer *t = ad_calloc(1, sizeof *t);
  if (t == NULL) {
    return ad_fail_memory(sizeof *t, "the trainer");
  }
  *t = (struct ad_trainer){
      .params = params, .theta = theta, .data = data, .settings = *settings, .exchange = exchange, .size = 1};
  if (exchange != NULL) {
    t->rank = exchange->rank;
    t->size = exchange->size;
  }
  t->kernels = ad_kernels_select();
  int status = t->kernels == NULL ? AD_ECONFIG : check(t);
  if (status == AD_OK) {
    status = allocate(t);
  }
  if (status != AD_OK) {
    ad_trainer_destroy(t);
    return status;
  }
  if (exchange != NULL) {
    ad_gradient_set_hooks(t->gradient, &(struct ad_gradient_hooks){t, place_hook, complete_hook});
  }
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
  for (uint32_t b = 0; t->own != NULL && b < t->params->buckets; b++) {
    ad_free(t->own[b]);
  }
  void *const blocks[] = {t->reduced, t->own,       t->own_capacity, t->counts,     t->shared,    t->ids,
                          t->lengths, t->lane_work, t->member,       t->lane_begin, t->lane_loss, t->labels,
                          t->loss,    t->logits,    t->dlogits,      t->squares};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    ad_free(blocks[i]);
  }
  ad_free(t);
}

uint64_t ad_trainer_total(const struct ad_trainer *trainer) {
  return trainer->total;
}

uint64_t ad_trainer_done(const struct ad_trainer *trainer) {
  return trainer->done;
}

/* The step's examples, their lanes, and the rows of the word embedding that they touch. */
static int plan(struct ad_trainer *t, struct ad_step *step) {
  AD_TRY(assign_lanes(t, t->done));
  ad_rows_clear(&t->rows);
  step->tokens = 0;
  for (size_t i = 0; i < t->count; i++) {
    step->tokens += t->lengths[i];
    AD_TRY(ad_rows_add(&t->rows, t->lengths[i], t->data->ids + t->data->offset[t->ids[i]]));
  }
  ad_rows_order(&t->rows);
  step->examples = t->count;
  ad_gradient_begin(t->gradient, &t->rows, t->lane_begin);
  t->pending = -1;
  t->spare_used = 0;
  return t->exchange == NULL ? AD_OK : t->exchange->step_begin(t->exchange->context, &t->rows, t->lane_begin);
}

/* Forward, loss and backward of the lanes [lo, hi). */
static int compute_round(struct ad_trainer *t, size_t lo, size_t hi, int last) {
  struct ad_batch batch;
  const struct ad_masks masks = {.seed = t->settings.seed_dropout, .step = (uint32_t)(t->done + 1), .pass = 0};
  AD_TRY(ad_packer_fill(&t->packer, t->data, t->ids, hi - lo, t->lane_begin + lo, t->member, &batch));
  AD_TRY(ad_encoder_forward(t->encoder, t->theta, &batch, &masks, t->logits));
  for (size_t b = 0; b < batch.examples; b++) {
    t->labels[b] = t->data->label[batch.example[b]];
  }
  t->kernels->cross_entropy(batch.examples, t->params->config.classes, t->logits, t->labels,
                            (float)(1.0 / (double)t->count), t->loss, t->dlogits);
  for (size_t lane = lo; lane < hi; lane++) {
    t->lane_loss[lane] = 0.0;
    for (size_t b = batch.lane_example[lane - lo]; b < batch.lane_example[lane - lo + 1]; b++) {
      t->lane_loss[lane] += t->loss[b];
    }
  }
  return ad_encoder_backward(t->encoder, t->theta, &batch, &masks, t->dlogits, &t->rows,
                             ad_gradient_round(t->gradient, lo, hi, last));
}

/* The shard's part of a bucket's gradient: reduced, or where this rank has all lanes the one partial sum that is left.
 */
static const float *reduced(const struct ad_trainer *t, uint32_t bucket) {
  if (t->exchange != NULL) {
    return t->reduced[bucket];
  }
  size_t count;
  const struct ad_partial *partials = ad_gradient_partials(t->gradient, bucket, &count);
  return count == 1 ? partials[0].values : NULL;
}

/* Blocks of a bucket in front of those of `rank`, of `size` ranks. */
static size_t blocks_before(const struct ad_trainer *t, uint32_t bucket, uint32_t rank, uint32_t size) {
  size_t flat_begin, flat_end, begin, end;
  ad_shard_range(t->params, bucket, rank, size, &flat_begin, &flat_end);
  ad_compact_range(t->params, bucket, &t->rows, flat_begin, flat_end, &begin, &end);
  return ad_compact_blocks(t->params, bucket, &t->rows, begin);
}

static size_t blocks_in(const struct ad_trainer *t, uint32_t bucket) {
  return ad_compact_blocks(t->params, bucket, &t->rows, ad_compact_count(t->params, bucket, &t->rows));
}

/* Every rank's losses (its lanes) and squares (its blocks, bucket by bucket) become all ranks'. */
static int share(struct ad_trainer *t, double *squares) {
  const uint32_t buckets = t->params->buckets, R = t->size;
  const int whole = t->exchange->whole;
  size_t total = 0, own = 0;
  for (uint32_t r = 0; r < R; r++) {
    t->counts[r] = ad_lanes_first(t->settings.lanes, R, r + 1) - ad_lanes_first(t->settings.lanes, R, r);
    for (uint32_t b = 0; b < buckets && !whole; b++) {
      t->counts[r] += (r + 1 < R ? blocks_before(t, b, r + 1, R) : blocks_in(t, b)) - blocks_before(t, b, r, R);
    }
    own = r == t->rank ? total : own;
    total += t->counts[r];
  }
  AD_TRY(ad_reserve(&t->shared, &t->shared_capacity, total, sizeof(double)));
  /* Twice over the same places: own numbers in, then everybody's out. */
  for (int out = 0; out < 2; out++) {
    double *place = (double *)t->shared + (out ? 0 : own);
    for (uint32_t r = out ? 0 : t->rank; r < (out ? R : t->rank + 1); r++) {
      for (size_t lane = ad_lanes_first(t->settings.lanes, R, r); lane < ad_lanes_first(t->settings.lanes, R, r + 1);
           lane++, place++) {
        *(out ? &t->lane_loss[lane] : place) = *(out ? place : &t->lane_loss[lane]);
      }
      double *bucket = squares;
      for (uint32_t b = 0; b < buckets && !whole; bucket += blocks_in(t, b), b++) {
        const size_t end = r + 1 < R ? blocks_before(t, b, r + 1, R) : blocks_in(t, b);
        for (size_t i = blocks_before(t, b, r, R); i < end; i++, place++) {
          *(out ? &bucket[i] : place) = *(out ? place : &bucket[i]);
        }
      }
    }
    if (!out) {
      AD_TRY(t->exchange->share(t->exchange->context, t->counts, t->shared));
    }
  }
  return AD_OK;
}

static int measure(struct ad_trainer *t, struct ad_step *step) {
  size_t blocks = 0;
  for (uint32_t b = 0; b < t->params->buckets; b++) {
    blocks += blocks_in(t, b);
  }
  AD_TRY(ad_reserve(&t->squares, &t->squares_capacity, blocks, sizeof(double)));
  double *squares = t->squares;
  for (uint32_t b = 0; b < t->params->buckets; b++) {
    const float *gradient = reduced(t, b);
    if (gradient == NULL && t->exchange == NULL) {
      return ad_fail(AD_EINTERNAL, "bucket %u of step %" PRIu64 " has no whole gradient", b, t->done + 1);
    }
    ad_optimizer_squares(&t->optimizer, b, &t->rows, gradient, squares);
    squares += blocks_in(t, b);
  }
  if (t->exchange != NULL) {
    AD_TRY(share(t, t->squares));
  }
  step->norm = ad_optimizer_norm(blocks, t->squares);
  step->loss = ad_tree_sum_double(t->lane_begin, 0, t->settings.lanes, t->lane_loss) / (double)t->count;
  if (!isfinite(step->loss) || !isfinite(step->norm)) {
    return ad_fail(AD_EDIVERGED, "step %" PRIu64 ": the loss is %g and the gradient's norm %g, both must be finite",
                   t->done + 1, step->loss, step->norm);
  }
  return AD_OK;
}

/* The update on the shard, its digest, and the new parameters to everybody. */
static int update(struct ad_trainer *t, struct ad_step *step) {
  step->factor =
      ad_schedule_factor(t->settings.schedule, t->done, t->total, ad_schedule_warmup(t->total, t->settings.warmup));
  const double scale = ad_optimizer_clip(&t->optimizer, step->norm);
  for (uint32_t b = 0; b < t->params->buckets; b++) {
    ad_optimizer_update(&t->optimizer, b, &t->rows, reduced(t, b), t->done + 1, step->factor, scale, t->theta);
  }
  step->parameters = ad_shard_digest(&t->shard, t->theta);
  if (t->exchange != NULL && !t->exchange->whole) {
    AD_TRY(t->exchange->sum(t->exchange->context, &step->parameters));
    AD_TRY(t->exchange->publish(t->exchange->context, t->theta));
  }
  t->chain = step->chain = ad_digest_pair(t->chain, step->parameters);
  return AD_OK;
}

struct ad_trainer_bytes ad_trainer_bytes(const struct ad_trainer *trainer) {
  const struct ad_trainer *t = trainer;
  struct ad_trainer_bytes bytes = {.partials = ad_gradient_bytes(t->gradient),
                                   .moments = 2 * t->shard.count * sizeof(float)};
  bytes.activations = t->bytes;
  for (uint32_t b = 0; b < t->params->buckets; b++) {
    bytes.gradient += t->own_capacity[b] * sizeof(float);
  }
  return bytes;
}

int ad_trainer_bucket_floats(const struct ad_params *params, const struct ad_dataset *data, size_t batch,
                             size_t *floats) {
  size_t tokens;
  AD_TRY(ad_dataset_most_tokens(data, batch, &tokens));
  const struct ad_rows touched = {.count = tokens < params->config.vocab ? tokens : params->config.vocab};
  *floats = 0;
  for (uint32_t b = 0; b < params->buckets; b++) {
    const size_t count = ad_compact_count(params, b, &touched);
    *floats = count > *floats ? count : *floats;
  }
  return AD_OK;
}

int ad_trainer_step(struct ad_trainer *trainer, struct ad_step *step) {
  struct ad_trainer *t = trainer;
  const double start = ad_clock();
  AD_TRY(plan(t, step));
  for (size_t r = 0; r < rounds_of(t); r++) {
    size_t lo, hi;
    round_lanes(t, r, &lo, &hi);
    AD_TRY(compute_round(t, lo, hi, r + 1 == rounds_of(t)));
  }
  AD_TRY(end_pending(t));
  AD_TRY(measure(t, step));
  AD_TRY(update(t, step));
  t->done++;
  step->step = t->done;
  step->epoch = (t->done - 1) / t->order.steps + 1;
  step->epoch_end = t->done % t->order.steps == 0;
  step->seconds = ad_clock() - start;
  return AD_OK;
}
