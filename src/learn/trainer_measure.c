/* A step's numbers, the same on all ranks: loss, distance from the teacher, norm of the gradient. */
#include <inttypes.h>
#include <math.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "trainer_internal.h"

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

/* The numbers of a lane that are shared: its sum of losses and, where there is a teacher, of distances, and where one
 * is watched the squares of its gradient. */
static double *number_of(struct ad_trainer *t, size_t lane, size_t i) {
  double *const numbers[] = {t->lane_loss, t->weight > 0.0 ? t->lane_distance : t->lane_squares, t->lane_squares};
  return &numbers[i][lane];
}

/* Every rank's losses (its lanes) and squares (its blocks, bucket by bucket) become all ranks'. */
static int share(struct ad_trainer *t, double *squares) {
  const uint32_t buckets = t->params->buckets, R = t->size;
  const int whole = t->exchange->shards < R;
  const size_t numbers = 1 + (t->weight > 0.0) + (size_t)(t->part_watched != 0), W = t->settings.lanes;
  size_t total = 0, own = 0;
  for (uint32_t r = 0; r < R; r++) {
    t->counts[r] = numbers * (ad_lanes_first(W, R, r + 1) - ad_lanes_first(W, R, r));
    for (uint32_t b = 0; b < buckets && !whole; b++) {
      t->counts[r] += (r + 1 < R ? blocks_before(t, b, r + 1, R) : blocks_in(t, b)) - blocks_before(t, b, r, R);
    }
    own = r == t->rank ? total : own;
    total += t->counts[r];
  }
  /* Twice over the same places: own numbers in, then everybody's out. */
  for (int out = 0; out < 2; out++) {
    double *place = t->shared + (out ? 0 : own);
    for (uint32_t r = out ? 0 : t->rank; r < (out ? R : t->rank + 1); r++) {
      for (size_t i = numbers * ad_lanes_first(W, R, r); i < numbers * ad_lanes_first(W, R, r + 1); i++, place++) {
        double *number = number_of(t, i / numbers, i % numbers);
        *(out ? number : place) = *(out ? place : number);
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

/* The gradient of the watched lane as that of a part of the batch: its n of N examples (hidden tokens) have the share h
 * of the gradient, hence the mean gradient N / n h. */
static void measure_part(const struct ad_trainer *t, struct ad_step *step) {
  const size_t first = t->lane_begin[t->part], end = t->lane_begin[t->part + 1];
  const size_t n = ad__trainer_items(t, first, end);
  if (n > 0) {
    step->part_norm = (double)t->items / (double)n * sqrt(t->lane_squares[t->part]);
    step->part_examples = end - first;
  }
}

/* Blocks of the buckets in front of one. */
static size_t blocks_below(const struct ad_trainer *t, uint32_t bucket) {
  size_t blocks = 0;
  for (uint32_t b = 0; b < bucket; b++) {
    blocks += blocks_in(t, b);
  }
  return blocks;
}

int ad__trainer_measure(struct ad_trainer *t, struct ad_step *step) {
  const size_t W = t->settings.lanes;
  const size_t blocks = blocks_below(t, t->params->buckets);
  AD_TRY(share(t, t->squares));
  step->norm = ad_optimizer_norm(blocks, t->squares);
  step->loss = ad_tree_sum_double(t->lane_begin, 0, W, t->lane_loss) / t->label_weight;
  step->part_norm = NAN;
  step->part_examples = 0;
  if (t->part_watched) {
    measure_part(t, step);
    t->part_watched = 0;
  }
  step->weight = t->weight;
  step->distance = NAN;
  if (t->weight > 0.0) {
    step->distance = ad_tree_sum_double(t->lane_begin, 0, W, t->lane_distance) / (double)(t->items > 0 ? t->items : 1);
  }
  if (!isfinite(step->loss) || !isfinite(step->norm) || (t->weight > 0.0 && !isfinite(step->distance))) {
    return ad_fail(AD_EDIVERGED,
                   "step %" PRIu64
                   ": the loss is %g, the distance from the teacher %g and the gradient's norm %g, all "
                   "must be finite",
                   t->done + 1, step->loss, t->weight > 0.0 ? step->distance : 0.0, step->norm);
  }
  return AD_OK;
}
