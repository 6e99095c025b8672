/* Which examples a step has, in which lanes and rounds, and the room that takes. */
#include "autodidact/base/status.h"
#include "trainer_internal.h"

/* Lanes of this rank. */
static size_t lanes_first(const struct ad_trainer *t) {
  return ad_lanes_first(t->settings.lanes, t->size, t->rank);
}
static size_t lanes_end(const struct ad_trainer *t) {
  return ad_lanes_first(t->settings.lanes, t->size, t->rank + 1);
}

size_t trainer_rounds(const struct ad_trainer *t) {
  const size_t own = lanes_end(t) - lanes_first(t);
  return t->settings.rounds < own ? t->settings.rounds : own;
}

void trainer_round_lanes(const struct ad_trainer *t, size_t r, size_t *lo, size_t *hi) {
  const size_t first = lanes_first(t), own = lanes_end(t) - first;
  *lo = first + ad_lanes_first(own, trainer_rounds(t), r);
  *hi = first + ad_lanes_first(own, trainer_rounds(t), r + 1);
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
}

int trainer_assign_lanes(struct ad_trainer *t, uint64_t step) {
  AD_TRY(ad_order_batch(&t->order, step, t->ids, &t->count));
  for (size_t i = 0; i < t->count; i++) {
    t->lengths[i] = ad_dataset_length(t->data, t->ids[i]);
  }
  ad_lanes_assign(t->count, t->lengths, t->settings.lanes, t->lane_begin, t->member, t->lane_work);
  return AD_OK;
}

int trainer_find_room(struct ad_trainer *t, size_t alignment, struct room *room) {
  enum { FEW = 1 << 22 }; /* examples gone through: a second at most */
  const size_t lanes = t->settings.lanes;
  *room = (struct room){0};
  if (t->total <= FEW / t->settings.batch) {
    for (uint64_t step = 0; step < t->total; step++) {
      AD_TRY(trainer_assign_lanes(t, step));
      for (size_t r = 0; r < trainer_rounds(t); r++) {
        size_t lo, hi;
        trainer_round_lanes(t, r, &lo, &hi);
        widen(t, alignment, lo, hi, room);
      }
    }
    return AD_OK;
  }
  size_t most, lo, hi;
  AD_TRY(ad_dataset_most_tokens(t->data, t->settings.batch, &most));
  for (size_t r = 0; r < trainer_rounds(t); r++) {
    trainer_round_lanes(t, r, &lo, &hi);
    room->lanes = hi - lo > room->lanes ? hi - lo : room->lanes;
  }
  most *= t->copies;
  const size_t bound = room->lanes * (most / lanes + 1 + t->copies * t->data->longest);
  room->rows = ad_packer_rows(bound < most ? bound : most, room->lanes, alignment);
  room->examples = t->copies * t->settings.batch;
  return AD_OK;
}

/* The weight of this step's distance: 0 where no past student is there to measure it from. */
static double weight_of(const struct ad_trainer *t) {
  const struct ad_teacher_settings *s = &t->settings.teacher;
  const float *const *thetas;
  const int distance =
      s->method == AD_TEACHER_RDROP || (ad_teacher_has(s, AD_TEACHER) && ad_teacher_members(t->teacher, &thetas) > 0);
  return distance ? ad_teacher_weight(s, t->done, t->total) : 0.0;
}

int trainer_plan(struct ad_trainer *t, struct ad_step *step) {
  AD_TRY(trainer_assign_lanes(t, t->done));
  ad_rows_clear(&t->rows);
  step->tokens = 0;
  for (size_t i = 0; i < t->count; i++) {
    step->tokens += t->lengths[i];
    AD_TRY(ad_rows_add(&t->rows, t->lengths[i], t->data->ids + t->data->offset[t->ids[i]]));
  }
  ad_rows_order(&t->rows);
  step->examples = t->count;
  ad_gradient_begin(t->gradient, &t->rows, t->lane_begin);
  t->weight = weight_of(t);
  t->pending = -1;
  t->spare_used = 0;
  return t->exchange == NULL ? AD_OK : t->exchange->step_begin(t->exchange->context, &t->rows, t->lane_begin);
}
