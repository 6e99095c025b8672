/* What is measured of a step for snapshots: norms of each tensor, and a count sketch of all parameters.
 *
 * Norms are L2. The squares of a grain (ad_update_grain_end) are added in double by the rule of sums inside a row.
 * Grains are added exactly, in 320-bit fixed point (a long accumulator: Kulisch 2013). So their order and their shards
 * change no bit.
 *
 * The sketch (Charikar, Chen, Farach-Colton 2002) is S[h(i)] += s(i) round(theta_i 2^36) over all trained parameters i,
 * modulo 2^64. The generator gives the bucket h and the sign s, keyed by i alone: all runs of one architecture share
 * them. It is linear and exact: the sketch of a difference of parameters is the difference of their sketches, of the
 * same run or of two. The sum of its squares, times 2^-72, estimates the squared distance without bias. Its relative
 * standard deviation is about sqrt(2 / buckets). Products of two such differences estimate their dot product.
 *
 * Letters: P parameters, R ranks, N tensors. Words: docs/glossary.md. */
#ifndef AUTODIDACT_LEARN_OBSERVE_H
#define AUTODIDACT_LEARN_OBSERVE_H

#include "autodidact/model/replica.h"
#include "autodidact/model/shard.h"

enum ad_norm {
  AD_NORM_VALUE,    /* of the parameters after the update */
  AD_NORM_GRADIENT, /* of the batch's gradient, before clipping */
  AD_NORM_UPDATE,   /* of the parameters after the update minus those before it */
  AD_NORM_DISTANCE, /* of the student minus the teacher that the next step will have */
  AD_NORMS
};

/* Fixed point of the sketch: 2^36. Magnitudes below 2^-37 count as 0, those above AD_SKETCH_RANGE as that. */
enum { AD_SKETCH_SHIFT = 36, AD_SKETCH_LEAST = 16, AD_SKETCH_MOST = 65536 };

struct ad_observer_settings {
  int norms;      /* 1: norms */
  size_t buckets; /* of the sketch, a power of two from AD_SKETCH_LEAST to AD_SKETCH_MOST; 0: none */
};

/* What was measured; on all ranks the same. */
struct ad_observation {
  size_t tensors;        /* N, as in struct ad_params; 0 without norms */
  const double *norm;    /* [AD_NORMS,N]; NaN: not measured (frozen, or there is nothing to measure) */
  size_t buckets;        /* 0 without a sketch */
  const int64_t *sketch; /* [buckets] */
};

struct ad_observer;

/* Of the parameters of a shard. teacher: the teacher's parameters, or NULL. shard and teacher must
 * outlive it. The caller owns it. AD_ECONFIG (buckets), AD_ENOMEM. */
int ad_observer_create(struct ad_observer **observer, const struct ad_kernels *kernels, const struct ad_shard *shard,
                       const struct ad_observer_settings *settings, const struct ad_weights *teacher);
void ad_observer_destroy(struct ad_observer *observer);

/* Bytes that it holds. */
size_t ad_observer_size(const struct ad_observer *observer);

/* A step's numbers on this shard: `begin`, then `before` and `after` for each grain at `flat` of theta [P] that the
 * optimizer updates with the observer's own watch (struct ad_update_hooks). */
void ad_observer_begin(struct ad_observer *observer);
struct ad_watch *ad_observer_watch(struct ad_observer *observer);
void ad_observer_before(struct ad_observer *observer, size_t flat);
void ad_observer_after(struct ad_observer *observer, const struct ad_weights *theta, size_t flat, size_t local,
                       size_t length);

/* In place of `after`: the values (and with_teacher the distance) of theta as they are. */
void ad_observer_values(struct ad_observer *observer, const struct ad_weights *theta, int with_teacher);

/* This shard's sums, to be added over the shards modulo 2^64, and their number. */
uint64_t *ad_observer_sums(struct ad_observer *observer, size_t *count);

/* After that: what was measured, valid until the next `end`. */
void ad_observer_end(struct ad_observer *observer);
struct ad_observation ad_observer_result(const struct ad_observer *observer);

#endif
