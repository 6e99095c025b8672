#include "autodidact/learn/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/float_state.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/gradient.h"
#include "trainer_internal.h"

static int check_task(const struct ad_trainer *t, const struct ad_task *task) {
  for (size_t i = 0; task->heads != NULL && i < task->heads->count; i++) {
    AD_TRY(check_task(t, task->heads->head[i].task));
  }
  if (task->heads == NULL && !ad_loss_is_plain(&t->settings.loss) && task->weighted_loss == NULL) {
    return ad_fail(AD_ECONFIG, "train.class_weights or train.label_smoothing is set, and the task %s has neither",
                   task->name);
  }
  return t->data->targets == NULL || task->soft_loss != NULL
             ? AD_OK
             : ad_fail(AD_ECONFIG, "the labels are probabilities of classes, and the task %s has none", task->name);
}

static int check(const struct ad_trainer *t) {
  AD_TRY(check_task(t, t->data->task));
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
  if (t->copies > 1 && t->data->count > AD_BATCH_COPIED_EXAMPLES) {
    return ad_fail(AD_ECONFIG,
                   "%zu training examples, each in %zu copies with masks of their own: at most %u can be had",
                   t->data->count, t->copies, AD_BATCH_COPIED_EXAMPLES);
  }
  if (t->data->longest > t->params->form.longest) {
    return ad_fail(AD_ECONFIG, "the longest example has %zu tokens, the model takes %u: set data.max_tokens",
                   t->data->longest, t->params->form.longest);
  }
  if (ad__trainer_hides(t) != m->masked_lm || (ad__trainer_hides(t) && t->settings.hiding == NULL)) {
    return ad_fail(AD_ECONFIG, "the task %s reads %s, and the model's head is %s", t->data->task->name,
                   ad__trainer_hides(t) ? "hidden tokens" : "[CLS]",
                   m->masked_lm ? "the vocabulary's" : "a classifier");
  }
  for (size_t i = 0; i < t->data->count && !ad__trainer_hides(t); i++) {
    if (!ad_task_is_label(t->data->task, m->classes, ad_dataset_label(t->data, i))) {
      return ad_fail(AD_EINPUT, "training example %zu has no label of the task %s with %u %s", i, t->data->task->name,
                     m->classes, ad_task_outputs(t->data->task, m->classes));
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
  const size_t B = t->settings.batch, W = t->settings.lanes;
  t->room_of = ad_calloc(t->params->buckets, sizeof *t->room_of);
  t->own = ad_calloc(t->params->buckets, sizeof *t->own);
  t->counts = ad_calloc(t->size, sizeof *t->counts);
  t->ids = ad_calloc(B, sizeof *t->ids);
  t->lengths = ad_calloc(B, sizeof *t->lengths);
  t->lane_work = ad_calloc(B, sizeof *t->lane_work);
  t->member = ad_calloc(B, sizeof *t->member);
  t->hidden = ad__trainer_hides(t) ? ad_calloc(B, sizeof *t->hidden) : NULL;
  t->lane_begin = ad_calloc(W + 1, sizeof *t->lane_begin);
  t->lane_loss = ad_calloc(W, sizeof *t->lane_loss);
  t->lane_distance = ad_calloc(W, sizeof *t->lane_distance);
  t->lane_squares = ad_calloc(W, sizeof *t->lane_squares);
  if (!t->room_of || !t->own || !t->counts || !t->ids || !t->lengths || !t->lane_work || !t->member || !t->lane_begin ||
      !t->lane_loss || !t->lane_distance || !t->lane_squares || (!t->hidden && ad__trainer_hides(t))) {
    return ad_fail_memory(B * 24 + W * 32, "a batch");
  }
  return AD_OK;
}

/* The parts of a trainer that know its largest batch. */
static int create_parts(struct ad_trainer *t) {
  const struct ad_trainer_settings *s = &t->settings;
  const int alignment = ad_encoder_alignment(t->math, t->params);
  AD_TRY(alignment);
  AD_TRY(ad__trainer_create_order(t));
  t->total = s->steps > 0 ? s->steps : s->epochs * t->order.steps;
  AD_TRY(ad__trainer_find_room(t, (size_t)alignment, &t->room));
  t->bytes = ad_encoder_bytes(t->math, t->params, t->room.rows, t->room.reads, t->room.lanes, 1);
  AD_TRY(ad__trainer_make_logits(t));
  AD_TRY(
      ad_packer_create(&t->packer, &t->params->form, t->room.rows, t->room.examples, t->room.lanes, (size_t)alignment));
  t->packer.copies = t->copies;
  AD_TRY(ad_rows_create(&t->rows, t->params->table.rows));
  AD_TRY(ad__trainer_make_room(t));
  AD_TRY(ad_encoder_create(&t->encoder, t->math, t->params, t->room.rows, t->room.reads, t->room.lanes, 1));
  if (ad_teacher_has(&s->teacher, AD_VARIANT_TEACHER)) {
    const struct room *r = &t->room;
    t->bytes += ad_encoder_bytes(t->math, t->params, r->rows, r->reads, r->lanes, 0);
    AD_TRY(ad_encoder_create(&t->teacher_encoder, t->math, t->params, r->rows, r->reads, r->lanes, 0));
    ad_encoder_read_frozen(t->teacher_encoder, ad_weights_replica(&t->replicas.student));
  }
  AD_TRY(ad_gradient_create(&t->gradient, t->params, t->kernels, s->lanes, t->exchange));
  AD_TRY(ad_shard_create(&t->shard, t->params, t->exchange->shard, t->exchange->shards));
  AD_TRY(ad_optimizer_create(&t->optimizer, t->kernels, &t->shard, &s->optimizer));
  AD_TRY(ad__trainer_make_gradient(t));
  AD_TRY(ad_exchange_pack(t->exchange, t->params, 1, &t->replicas.student));
  return !ad_teacher_keeps_students(&s->teacher)
             ? AD_OK
             : ad_teacher_create(&t->teacher, &s->teacher, t->kernels, &t->shard, &t->replicas, t->total, t->exchange);
}

int ad_trainer_create(struct ad_trainer **trainer, const struct ad_math *math, const struct ad_params *params,
                      const struct ad_replicas *replicas, const struct ad_dataset *data,
                      const struct ad_trainer_settings *settings, const struct ad_exchange *exchange) {
  *trainer = NULL;
  struct ad_trainer *t = ad_calloc(1, sizeof *t);
  if (t == NULL) {
    return ad_fail_memory(sizeof *t, "the trainer");
  }
  *t = (struct ad_trainer){.params = params,
                           .math = math,
                           .kernels = math->kernels,
                           .replicas = *replicas,
                           .data = data,
                           .settings = *settings,
                           .copies = ad_teacher_copies(&settings->teacher)};
  ad__exchange_alone_init(&t->alone, params, t->kernels);
  t->exchange = exchange == NULL ? &t->alone.table : exchange;
  t->rank = t->exchange->rank;
  t->size = t->exchange->size;
  int status = check(t);
  if (status == AD_OK) {
    status = allocate(t);
  }
  if (status == AD_OK) {
    status = create_parts(t);
  }
  if (status != AD_OK) {
    ad_trainer_destroy(t);
    return status;
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
  ad_encoder_destroy(t->teacher_encoder);
  ad_teacher_destroy(t->teacher);
  ad_observer_destroy(t->observer);
  ad_optimizer_destroy(&t->optimizer);
  ad_shard_destroy(&t->shard);
  for (uint32_t b = 0; t->own != NULL && b < t->params->buckets; b++) {
    ad_free(t->own[b]);
  }
  if (t->dlogits != t->logits) {
    ad_free(t->dlogits);
  }
  void *const blocks[] = {t->room_of,    t->own,          t->counts,    t->shared,        t->squares,
                          t->ids,        t->lengths,      t->hidden,    t->lane_work,     t->member,
                          t->lane_begin, t->lane_loss,    t->labels,    t->lane_distance, t->loss,
                          t->distance,   t->logits,       t->target,    t->read_row,      t->member_logits,
                          t->member_sum, t->lane_squares, t->read_lane, t->class_target};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    ad_free(blocks[i]);
  }
  ad_free(t);
}

uint64_t ad_trainer_total(const struct ad_trainer *trainer) {
  return trainer->total;
}

uint64_t ad_trainer_epoch_steps(const struct ad_trainer *trainer) {
  return trainer->order.steps;
}

uint64_t ad_trainer_task_steps(const struct ad_trainer *trainer, size_t i) {
  return trainer->order.batches[i];
}

uint64_t ad_trainer_done(const struct ad_trainer *trainer) {
  return trainer->done;
}

/* Rows of logits of a packed round. */
static size_t reads_of(const struct ad_batch *batch) {
  return batch->reads == NULL ? batch->examples : batch->reads->count;
}

/* The teacher's logits [reads,C]: of one student, or the mean of those of several, added newest first in double. */
static int teach(struct ad_trainer *t, const struct ad_batch *batch, const struct ad_masks *student) {
  const struct ad_replica *thetas;
  const size_t members = ad_teacher_members(t->teacher, &thetas);
  const size_t n = reads_of(batch) * ad_model_logits(&t->params->config);
  struct ad_masks masks;
  double *sum = NULL;
  if (members > 1) {
    sum = t->member_sum;
    memset(sum, 0, n * sizeof *sum);
  }
  for (size_t k = 0; k < members; k++) {
    float *logits = members > 1 ? t->member_logits : t->target;
    AD_TRY(ad_encoder_forward(t->teacher_encoder, thetas[k], batch, ad_teacher_masks(t->teacher, student, k, &masks),
                              logits));
    for (size_t i = 0; i < n && members > 1; i++) {
      sum[i] += logits[i];
    }
  }
  for (size_t i = 0; i < n && members > 1; i++) {
    t->target[i] = (float)(sum[i] / (double)members);
  }
  return AD_OK;
}

/* The loss of each row of logits of a packed round, and dlogits. The sum of the class weights is that of the whole
 * batch. */
static void compute_row_losses(struct ad_trainer *t, const struct ad_batch *batch) {
  const struct ad_task *task = t->head.task;
  const size_t C = t->head.C, Q = ad_task_words(task, C), n = reads_of(batch);
  const float scale = (float)(1.0 / t->label_weight / (double)t->copies);
  for (size_t b = 0; b < n && batch->reads == NULL; b++) {
    const uint32_t *label = ad_dataset_label(t->data, batch->example[b]);
    memcpy(t->labels + b * Q, ad_task_own_label(t->data->task, label), Q * sizeof *t->labels);
  }
  if (t->data->targets != NULL) {
    for (size_t b = 0; b < n; b++) {
      memcpy(t->class_target + b * C, t->data->targets + batch->example[b] * C, C * sizeof *t->class_target);
    }
    task->soft_loss(&t->settings.loss, n, C, t->logits, t->class_target, scale, t->loss, t->dlogits);
  } else if (ad_loss_is_plain(&t->settings.loss)) {
    task->loss(t->kernels, n, C, t->logits, t->labels, scale, t->loss, t->dlogits);
  } else {
    task->weighted_loss(&t->settings.loss, n, C, t->logits, t->labels, scale, t->loss, t->dlogits);
  }
}

/* Loss, distance and dlogits of a packed round, and the sums over its lanes [lo, hi). */
static void compute_loss(struct ad_trainer *t, const struct ad_batch *batch, size_t lo, size_t hi) {
  const size_t C = t->head.C, all = ad_model_logits(&t->params->config), n = reads_of(batch);
  const size_t *lane_row = batch->reads == NULL ? batch->lane_example : batch->reads->lane;
  const double each = 1.0 / (double)(t->items > 0 ? t->items : 1), scale = t->weight * each;
  ad_columns_narrow(n, all, t->head.first, C, t->logits);
  ad_columns_narrow(t->weight > 0.0 && t->teacher_encoder != NULL ? n : 0, all, t->head.first, C, t->target);
  compute_row_losses(t, batch);
  for (size_t lane = lo; lane < hi; lane++) {
    const size_t first = lane_row[lane - lo], end = lane_row[lane - lo + 1];
    const size_t rows = (end - first) / t->copies, at = first * C;
    if (t->weight > 0.0) {
      ad_teacher_distance(&t->settings.teacher, t->head.task, t->kernels, rows, C, t->logits + at,
                          t->target == NULL ? NULL : t->target + at, (float)scale, t->distance + first,
                          t->dlogits + at);
    }
    t->lane_loss[lane] = t->lane_distance[lane] = 0.0;
    for (size_t b = first; b < end; b++) {
      t->lane_loss[lane] += t->loss[b] / (double)t->copies;
    }
    for (size_t b = first; b < first + rows && t->weight > 0.0; b++) {
      t->lane_distance[lane] += t->distance[b];
    }
  }
  ad_columns_widen(n, all, t->head.first, C, t->dlogits);
}

/* Forward, loss and backward of the lanes [lo, hi). */
static int compute_round(struct ad_trainer *t, size_t lo, size_t hi, int last) {
  struct ad_batch batch;
  const struct ad_masks masks = {.seed = t->settings.seed_dropout, .step = (uint32_t)(t->done + 1), .pass = 0};
  const struct ad_replica student = ad_weights_replica(&t->replicas.student);
  AD_TRY(ad_packer_fill(&t->packer, t->data, t->ids, hi - lo, t->lane_begin + lo, t->member, &batch));
  AD_TRY(ad__trainer_hides(t) ? ad__trainer_hide(t, &batch) : AD_OK);
  if (t->weight > 0.0 && t->teacher_encoder != NULL) {
    AD_TRY(teach(t, &batch, &masks));
  }
  AD_TRY(ad_encoder_forward(t->encoder, student, &batch, &masks, t->logits));
  compute_loss(t, &batch, lo, hi);
  struct ad_lane_watch watch = {.lane = t->part - lo};
  const int watched = t->part >= lo && t->part < hi;
  AD_TRY(ad_encoder_backward(t->encoder, student, &batch, &masks, t->dlogits, &t->rows,
                             ad_gradient_round(t->gradient, lo, hi, last, watched ? &watch : NULL)));
  if (watched) {
    t->lane_squares[t->part] = watch.squares;
  }
  return AD_OK;
}

_Static_assert((int)AD_UPDATE_PIECE <= (int)AD_WINDOW_PIECE, "pieces of an update enter the window");

/* The teacher first: the observer measures the distance from what it has become. */
static int before_hook(void *context, size_t flat, size_t local, size_t length) {
  const struct ad_trainer *t = context;
  if (t->watched) {
    ad_observer_before(t->observer, flat);
  }
  return t->teacher == NULL ? AD_OK : ad_teacher_before(t->teacher, flat, local, length);
}
static int after_hook(void *context, size_t flat, size_t local, size_t length) {
  const struct ad_trainer *t = context;
  if (t->teacher != NULL) {
    AD_TRY(ad_teacher_after(t->teacher, flat, local, length));
  }
  if (t->watched) {
    ad_observer_after(t->observer, &t->replicas.student, flat, local, length);
  }
  return AD_OK;
}

/* The update on the shard, and its digest. What fails here may fail on one rank alone. */
static int update_shard(struct ad_trainer *t, struct ad_step *step) {
  const double scale = ad_optimizer_clip(&t->optimizer, step->norm);
  const struct ad_update_hooks hooks = {t, before_hook, after_hook, t->watched ? ad_observer_watch(t->observer) : NULL};
  const int hooked = t->teacher != NULL || t->watched;
  step->parameters = 0;
  if (t->teacher != NULL) {
    AD_TRY(ad_teacher_begin(t->teacher, t->done));
  }
  if (t->watched) {
    ad_observer_begin(t->observer);
  }
  for (uint32_t b = t->params->frozen; b < t->params->buckets; b++) {
    AD_TRY(ad_optimizer_update(&t->optimizer, b, &t->rows, ad_gradient_reduced(t->gradient, b), t->done + 1,
                               step->factor, scale, &t->replicas.student, hooked ? &hooks : NULL, &step->parameters));
  }
  return AD_OK;
}

/* The sum of the shards' digests, which also tells every rank whether the update failed on one: all leave then. The
 * message is that rank's; the others have none. */
static int share_digest(const struct ad_trainer *t, int updated, uint64_t *digest) {
  uint64_t told[3] = {*digest, updated == AD_EDIVERGED, updated < 0 && updated != AD_EDIVERGED};
  AD_TRY(t->exchange->sum(t->exchange->context, 3, told));
  *digest = told[0];
  if (updated == AD_OK && told[1] + told[2] > 0) {
    ad_error_clear();
    return told[2] > 0 ? AD_EIO : AD_EDIVERGED;
  }
  return updated;
}

/* The update, its digest, and the new parameters to everybody. */
static int update(struct ad_trainer *t, struct ad_step *step) {
  step->factor =
      ad_schedule_factor(t->settings.schedule, t->done, t->total, ad_schedule_warmup(t->total, t->settings.warmup));
  const struct ad_weights changed[] = {t->replicas.student, t->replicas.teacher};
  size_t vectors = 1;
  const int status = update_shard(t, step);
  AD_TRY(t->watched ? ad__trainer_share_observed(t) : AD_OK);
  if (status == AD_OK && t->teacher != NULL) {
    vectors += ad_teacher_end(t->teacher) ? 1 : 0;
  }
  AD_TRY(share_digest(t, status, &step->parameters));
  AD_TRY(ad_exchange_publish(t->exchange, t->params, vectors, changed));
  if (t->teacher != NULL) {
    AD_TRY(ad_teacher_published(t->teacher));
  }
  t->chain = step->chain = ad_digest_pair(t->chain, step->parameters);
  return AD_OK;
}

int ad_trainer_variant(struct ad_trainer *trainer, enum ad_variant variant, const struct ad_replica **thetas,
                       size_t *count) {
  struct ad_trainer *t = trainer;
  *thetas = &t->student;
  *count = 0;
  if (!ad_teacher_has(&t->settings.teacher, variant) || (t->done == 0 && variant > AD_VARIANT_TEACHER)) {
    return AD_OK;
  }
  if (variant == AD_VARIANT_TEACHER) {
    *count = ad_teacher_members(t->teacher, thetas);
    return AD_OK;
  }
  if (variant != AD_VARIANT_STUDENT) {
    AD_TRY(ad_teacher_mean(t->teacher, variant));
  }
  t->student = ad_weights_replica(variant == AD_VARIANT_STUDENT ? &t->replicas.student : &t->replicas.mean);
  *count = 1;
  return AD_OK;
}

int ad_trainer_verify(const struct ad_trainer *trainer) {
  return trainer->teacher == NULL ? AD_OK : ad_teacher_verify(trainer->teacher);
}

int ad_trainer_step(struct ad_trainer *trainer, struct ad_step *step) {
  struct ad_trainer *t = trainer;
  const double start = ad_clock();
  AD_TRY(ad__trainer_plan(t, step));
  for (size_t r = 0; r < ad__trainer_rounds(t); r++) {
    size_t lo, hi;
    ad__trainer_round_lanes(t, r, &lo, &hi);
    AD_TRY(compute_round(t, lo, hi, r + 1 == ad__trainer_rounds(t)));
  }
  AD_TRY(ad_gradient_end(t->gradient));
  AD_TRY(ad__trainer_measure(t, step));
  AD_TRY(update(t, step));
  AD_TRY(ad_float_check());
  t->done++;
  step->step = t->done;
  step->epoch = (t->done - 1) / t->order.steps + 1;
  step->epoch_end = t->done % t->order.steps == 0;
  step->seconds = ad_clock() - start;
  return AD_OK;
}
