/* Which examples a step has, in which lanes and rounds, and the room that takes. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"
#include "trainer_internal.h"

/* Lanes of this rank. */
static size_t lanes_first(const struct ad_trainer *t) {
  return ad_lanes_first(t->settings.lanes, t->size, t->rank);
}
static size_t lanes_end(const struct ad_trainer *t) {
  return ad_lanes_first(t->settings.lanes, t->size, t->rank + 1);
}

size_t ad__trainer_rounds(const struct ad_trainer *t) {
  const size_t own = lanes_end(t) - lanes_first(t);
  return t->settings.rounds < own ? t->settings.rounds : own;
}

void ad__trainer_round_lanes(const struct ad_trainer *t, size_t r, size_t *lo, size_t *hi) {
  const size_t first = lanes_first(t), own = lanes_end(t) - first;
  *lo = first + ad_lanes_first(own, ad__trainer_rounds(t), r);
  *hi = first + ad_lanes_first(own, ad__trainer_rounds(t), r + 1);
}

int ad__trainer_hides(const struct ad_trainer *t) {
  return t->data->task->reads == AD_READS_MASKED;
}

size_t ad__trainer_items(const struct ad_trainer *t, size_t first, size_t end) {
  size_t items = end - first;
  if (t->hidden != NULL) {
    items = 0;
    for (size_t k = first; k < end; k++) {
      items += t->hidden[t->member[k]];
    }
  }
  return items;
}

/* The draws of a step (from 0). */
static struct ad_hiding_draw draw_of(const struct ad_trainer *t, uint64_t step) {
  return (struct ad_hiding_draw){.seed = t->settings.seed_dropout, .step = (uint32_t)(step + 1)};
}

/* Rows and examples of the lanes [lo, hi) of the step whose lanes are assigned. */
static void widen(const struct ad_trainer *t, size_t alignment, size_t lo, size_t hi, struct room *room) {
  size_t rows = 0;
  for (size_t lane = lo; lane < hi; lane++) {
    rows = t->lane_begin[lane] < t->lane_begin[lane + 1] ? (rows + alignment - 1) / alignment * alignment : rows;
    for (size_t k = t->lane_begin[lane]; k < t->lane_begin[lane + 1]; k++) {
      rows += t->copies * t->lengths[t->member[k]];
    }
  }
  const size_t examples = t->copies * (t->lane_begin[hi] - t->lane_begin[lo]);
  room->rows = rows > room->rows ? rows : room->rows;
  room->examples = examples > room->examples ? examples : room->examples;
  room->lanes = hi - lo > room->lanes ? hi - lo : room->lanes;
  const size_t reads = t->copies * ad__trainer_items(t, t->lane_begin[lo], t->lane_begin[hi]);
  room->reads = reads > room->reads ? reads : room->reads;
}

int ad__trainer_create_order(struct ad_trainer *t) {
  const struct ad_trainer_settings *s = &t->settings;
  struct ad_order_tasks tasks = {.temperature = s->temperature > 0.0 ? s->temperature : 1.0};
  ad_dataset_tasks(t->data, &tasks.count, tasks.begin);
  return ad_order_create_tasks(&t->order, &tasks, s->batch, s->seed_order);
}

int ad__trainer_assign_lanes(struct ad_trainer *t, uint64_t step) {
  AD_TRY(ad_order_batch(&t->order, step, t->ids, &t->count));
  for (size_t i = 0; i < t->count; i++) {
    t->lengths[i] = ad_dataset_length(t->data, t->ids[i]);
  }
  const struct ad_hiding_draw draw = draw_of(t, step);
  for (size_t i = 0; i < t->count && t->hidden != NULL; i++) {
    t->hidden[i] = (uint32_t)ad_hiding_count(t->settings.hiding, &draw, t->data, t->ids[i]);
  }
  ad_lanes_assign(t->count, t->lengths, t->settings.lanes, t->lane_begin, t->member, t->lane_work);
  return AD_OK;
}

/* A bound that no step of any training will pass: of n tokens hidden with probability p, in words of at most w tokens,
 * the mean n p and 16 standard deviations, sqrt(n p w). */
static size_t most_hidden(const struct ad_trainer *t, size_t tokens) {
  enum { WORD = 16 };
  const double mean = (double)tokens * ((double)t->settings.hiding->threshold * 0x1p-32);
  const double bound = mean + 16.0 * sqrt(mean * (t->settings.hiding->words ? WORD : 1)) + 1.0;
  return bound < (double)tokens ? (size_t)bound : tokens;
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

int ad__trainer_find_room(struct ad_trainer *t, size_t alignment, struct room *room) {
  /* Examples gone through, and where tokens are hidden tokens: a second at most. */
  enum { FEW = 1 << 22, FEW_TOKENS = 1 << 26 };
  const size_t lanes = t->settings.lanes, N = t->data->count;
  const size_t few = t->hidden == NULL ? FEW : smaller(FEW, FEW_TOKENS / (t->data->offset[N] / N + 1));
  *room = (struct room){0};
  if (t->total <= few / t->settings.batch) {
    for (uint64_t step = 0; step < t->total; step++) {
      size_t tokens = 0;
      AD_TRY(ad__trainer_assign_lanes(t, step));
      for (size_t i = 0; i < t->count; i++) {
        tokens += t->lengths[i];
      }
      room->step_tokens = tokens > room->step_tokens ? tokens : room->step_tokens;
      for (size_t r = 0; r < ad__trainer_rounds(t); r++) {
        size_t lo, hi;
        ad__trainer_round_lanes(t, r, &lo, &hi);
        widen(t, alignment, lo, hi, room);
      }
    }
    return AD_OK;
  }
  size_t most, lo, hi;
  AD_TRY(ad_dataset_most_tokens(t->data, t->settings.batch, &most));
  for (size_t r = 0; r < ad__trainer_rounds(t); r++) {
    ad__trainer_round_lanes(t, r, &lo, &hi);
    room->lanes = hi - lo > room->lanes ? hi - lo : room->lanes;
  }
  room->step_tokens = most;
  most *= t->copies;
  const size_t bound = room->lanes * (most / lanes + 1 + t->copies * t->data->longest);
  room->rows = ad_packer_rows(bound < most ? bound : most, room->lanes, alignment);
  room->examples = t->copies * t->settings.batch;
  room->reads = t->hidden == NULL ? room->examples : most_hidden(t, room->rows);
  return AD_OK;
}

int ad__trainer_make_room(struct ad_trainer *t) {
  const size_t V = t->params->table.rows;
  t->rows.most = t->room.step_tokens < V && !ad__trainer_hides(t) ? t->room.step_tokens : V;
  const struct ad_rows touched = {.count = t->rows.most};
  size_t blocks = 0;
  for (uint32_t b = 0; b < t->params->buckets; b++) {
    blocks += ad_compact_blocks(t->params, b, &touched, ad_compact_count(t->params, b, &touched));
  }
  const size_t shared = blocks + 3 * t->settings.lanes;
  t->squares = ad_malloc(blocks, sizeof *t->squares);
  t->shared = ad_malloc(shared, sizeof *t->shared);
  return t->squares == NULL || t->shared == NULL
             ? ad_fail_memory((blocks + shared) * sizeof(double), "the squares of the gradient")
             : AD_OK;
}

/* The weight of this step's distance: 0 where no past student is there to measure it from. */
static double weight_of(const struct ad_trainer *t) {
  const struct ad_teacher_settings *s = &t->settings.teacher;
  const struct ad_replica *thetas;
  const int taught = !ad_teacher_has(s, AD_VARIANT_TEACHER) || ad_teacher_members(t->teacher, &thetas) > 0;
  return ad_teacher_has_distance(s) && taught ? ad_teacher_weight(s, t->done, t->total) : 0.0;
}

/* The lane of an example drawn by the step, where one is to be watched. */
static void choose_part(struct ad_trainer *t) {
  const size_t W = t->settings.lanes;
  t->part = W;
  if (t->part_watched) {
    const uint64_t drawn = ad_random_below(0, AD_STREAM_PART, 0, t->done, t->count);
    for (t->part = 0; t->lane_begin[t->part + 1] <= drawn; t->part++) {
    }
  }
  memset(t->lane_squares, 0, W * sizeof *t->lane_squares);
}

/* Of the whole batch, in its order: the same on all ranks, whoever computes which lanes. A label of probabilities
 * counts 1, as in PyTorch. A batch of which nothing is hidden has the loss 0 and no gradient. */
static double weigh_labels(const struct ad_trainer *t) {
  const double *weights = t->data->targets == NULL ? t->settings.loss.weights : NULL;
  double sum = 0.0;
  if (t->hidden != NULL) {
    return t->items > 0 ? (double)t->items : 1.0;
  }
  for (size_t i = 0; i < t->count; i++) {
    sum += weights == NULL ? 1.0 : weights[*ad_dataset_label(t->data, t->ids[i])];
  }
  return sum;
}

int ad__trainer_plan(struct ad_trainer *t, struct ad_step *step) {
  AD_TRY(ad__trainer_assign_lanes(t, t->done));
  choose_part(t);
  ad_rows_clear(&t->rows);
  step->tokens = 0;
  for (size_t i = 0; i < t->count; i++) {
    step->tokens += t->lengths[i];
    ad_rows_add(&t->rows, t->lengths[i], t->data->ids + t->data->offset[t->ids[i]]);
  }
  ad_rows_order(&t->rows);
  if (ad__trainer_hides(t)) { /* the head reads the whole table */
    ad_rows_fill(&t->rows);
  }
  if (t->rows.count > t->rows.most) {
    return ad_fail(AD_EINTERNAL, "step %" PRIu64 " touches %zu rows of the row table, made for %zu", t->done + 1,
                   t->rows.count, t->rows.most);
  }
  step->examples = t->count;
  t->items = ad__trainer_items(t, 0, t->count);
  t->head = ad_task_head(t->data->task, ad_model_logits(&t->params->config),
                         t->data->task->heads == NULL ? NULL : ad_dataset_label(t->data, t->ids[0]));
  step->task = t->head.name;
  t->label_weight = weigh_labels(t);
  t->weight = weight_of(t);
  return ad_gradient_begin(t->gradient, &t->rows, t->lane_begin);
}

int ad__trainer_hide(struct ad_trainer *t, struct ad_batch *batch) {
  const struct ad_hiding_draw draw = draw_of(t, t->done);
  size_t count = 0;
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    t->read_lane[lane] = count;
    for (size_t b = batch->lane_example[lane]; b < batch->lane_example[lane + 1]; b++) {
      const size_t first = batch->offset[b];
      const size_t end = count + ad_hiding_apply(t->settings.hiding, &draw, t->data, batch->example[b],
                                                 t->packer.ids + first, t->read_row + count, t->labels + count);
      if (end > t->room.reads) {
        return ad_fail(AD_EINTERNAL, "step %" PRIu64 " hides more than %zu tokens in a round", t->done + 1,
                       t->room.reads);
      }
      for (; count < end; count++) {
        t->read_row[count] += (uint32_t)first;
      }
    }
  }
  t->read_lane[batch->lanes] = count;
  t->reads = (struct ad_reads){.count = count, .row = t->read_row, .lane = t->read_lane};
  batch->reads = &t->reads;
  return AD_OK;
}

int ad_trainer_bucket_floats(const struct ad_params *params, const struct ad_dataset *data, size_t batch,
                             size_t *floats) {
  size_t tokens;
  AD_TRY(ad_dataset_most_tokens(data, batch, &tokens));
  const size_t V = params->table.rows;
  const struct ad_rows touched = {.count = tokens < V && !params->config.masked_lm ? tokens : V};
  *floats = 0;
  for (uint32_t b = 0; b < params->buckets; b++) {
    const size_t count = ad_compact_count(params, b, &touched);
    *floats = count > *floats ? count : *floats;
  }
  return AD_OK;
}

/* The most partial sums of a bucket that are there at once: those of earlier rounds, and those of the running one. */
static size_t most_partials(const struct ad_trainer *t) {
  struct ad_span held[3 * AD_MAX_PARTS];
  size_t count = 0, most = 0;
  for (size_t r = 0; r < ad__trainer_rounds(t); r++) {
    struct ad_span parts[AD_MAX_PARTS];
    size_t lo, hi;
    ad__trainer_round_lanes(t, r, &lo, &hi);
    const size_t added = ad_tree_parts(t->settings.lanes, lo, hi, parts);
    most = count + added > most ? count + added : most;
    for (size_t p = 0; p < added; p++) {
      held[count++] = parts[p];
      while (count >= 2 && ad_tree_are_halves(t->settings.lanes, held[count - 2], held[count - 1])) {
        held[count - 2].hi = held[count - 1].hi;
        count--;
      }
    }
  }
  return most;
}

/* Whether partial sums lie in the exchange's memory. */
static int is_placed(const struct ad_trainer *t) {
  return t->exchange->place != NULL && ad__trainer_rounds(t) == 1;
}

/* Whether each bucket has one partial sum, which is the whole gradient of a rank alone. */
static int is_whole(const struct ad_trainer *t) {
  return t->exchange->in_place && ad__trainer_rounds(t) == 1 && most_partials(t) == 1;
}

/* Memory for the shard's part of the reduced gradient of each bucket, or for the whole one, to be kept until the
 * update: activations that the backward is done with, as far as they reach, so that a step holds either the one or the
 * other. Room for the most that there will be, so that it is the same for all steps. */
static int make_room_of_buckets(struct ad_trainer *t) {
  size_t used = 0;
  for (uint32_t b = t->params->buckets; b-- > t->params->frozen;) {
    const size_t count = ad_compact_most(t->params, b, &t->rows, t->shard.begin[b], t->shard.end[b]);
    const size_t wanted = used + ad_whole_lines(count);
    /* A reduction may end any time after its bucket is complete. What is made in place begins with the bucket. */
    size_t spare;
    float *begin = ad_encoder_spare(t->encoder, b + (is_whole(t) ? 1 : 0), &spare);
    if (begin != NULL && wanted <= spare) {
      used = wanted;
      t->room_of[b] = begin + (spare - used);
    } else {
      t->own[b] = ad_malloc(count, sizeof(float));
      t->own_floats += count;
      t->room_of[b] = t->own[b];
      if (t->own[b] == NULL) {
        return ad_fail_memory(count * sizeof(float), "the reduced gradient");
      }
    }
  }
  return AD_OK;
}

int ad__trainer_make_logits(struct ad_trainer *t) {
  const struct ad_teacher_settings *s = &t->settings.teacher;
  const size_t reads = t->room.reads, n = reads * ad_model_logits(&t->params->config);
  const size_t more = t->hidden == NULL ? 0 : t->data->longest; /* of an example that overflows */
  const int distant = ad_teacher_has_distance(s), taught = ad_teacher_has(s, AD_VARIANT_TEACHER);
  const int in_place = t->hidden != NULL && !distant, several = ad_teacher_models(s) > 1;
  t->labels = ad_calloc((reads + more) * t->data->words, sizeof *t->labels);
  t->loss = ad_calloc(reads, sizeof *t->loss);
  t->distance = ad_calloc(reads, sizeof *t->distance);
  t->read_row = ad_calloc(reads + more, sizeof *t->read_row);
  t->read_lane = ad_calloc(t->room.lanes + 1, sizeof *t->read_lane);
  t->logits = ad_calloc(n, sizeof *t->logits);
  t->dlogits = in_place ? t->logits : ad_calloc(n, sizeof *t->dlogits);
  t->class_target = t->data->targets != NULL ? ad_calloc(n, sizeof *t->class_target) : NULL;
  t->target = taught ? ad_calloc(n, sizeof *t->target) : NULL;
  t->member_logits = several ? ad_calloc(n, sizeof *t->member_logits) : NULL;
  t->member_sum = several ? ad_calloc(n, sizeof *t->member_sum) : NULL;
  const size_t numbers = (size_t)(1 + !in_place + taught + 3 * several);
  t->bytes += t->hidden == NULL ? 0 : n * numbers * sizeof(float);
  return t->labels && t->loss && t->distance && t->read_row && t->read_lane && t->logits && t->dlogits &&
                 (t->target || !taught) && (t->class_target || t->data->targets == NULL) &&
                 ((t->member_logits && t->member_sum) || !several)
             ? AD_OK
             : ad_fail_memory(n * numbers * sizeof(float), "the logits of a batch");
}

int ad__trainer_make_gradient(struct ad_trainer *t) {
  AD_TRY(ad_encoder_reserve(t->encoder, t->room.lanes, t->rows.most));
  AD_TRY(is_placed(t) || is_whole(t) ? AD_OK : ad_gradient_reserve(t->gradient, &t->rows, most_partials(t)));
  ad_gradient_receive(t->gradient, t->room_of, t->squares);
  return t->exchange->in_place && !is_whole(t) ? AD_OK : make_room_of_buckets(t);
}

struct ad_trainer_bytes ad_trainer_bytes(const struct ad_trainer *trainer) {
  const struct ad_trainer *t = trainer;
  const struct ad_params *params = t->params;
  const struct ad_rows touched = {.count = t->rows.most};
  size_t floats = 0;
  for (uint32_t b = 0; b < params->buckets; b++) {
    floats += ad_compact_count(params, b, &touched);
  }
  return (struct ad_trainer_bytes){
      .activations = t->bytes,
      .work = ad_encoder_backward_bytes(t->math, params, t->room.rows, t->room.lanes, touched.count),
      .partials = is_placed(t) || is_whole(t) ? 0 : most_partials(t) * floats * sizeof(float),
      .gradient = t->own_floats * sizeof(float),
      .moments = 2 * t->shard.count * sizeof(float),
      .window = t->teacher == NULL ? 0 : ad_teacher_bytes(&t->settings.teacher, t->shard.count, t->total),
      .observer = t->observer == NULL ? 0 : ad_observer_size(t->observer)};
}

size_t ad_trainer_disk_bytes(const struct ad_trainer *trainer) {
  const struct ad_teacher_settings *s = &trainer->settings.teacher;
  const int ring = ad_teacher_bytes(s, 1, 1) > 0 && s->ring_folder != NULL && trainer->teacher != NULL;
  return ring ? ad_window_disk_bytes(trainer->shard.count, s->window) : 0;
}
