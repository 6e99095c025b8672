/* AdamW on a shard of the flat vector, with clipping by the global norm.
 *
 * Loshchilov and Hutter 2019 (decoupled decay), arithmetic as torch.optim.AdamW. Letters: P parameters, L layers.
 * Words: docs/glossary.md. */
#ifndef AUTODIDACT_LEARN_OPTIMIZER_H
#define AUTODIDACT_LEARN_OPTIMIZER_H

#include "autodidact/model/replica.h"
#include "autodidact/model/shard.h"

struct ad_optimizer_settings {
  double lr, head_lr; /* highest learning rates: of all, and of the classifier */
  double layer_decay; /* factor for each layer further from the classifier; 1: none */
  double beta1, beta2, eps, decay;
  double clip; /* global norm; 0: no clipping */
  int bias_correction;
};

struct ad_optimizer {
  const struct ad_shard *shard;
  const struct ad_kernels *kernels;
  struct ad_optimizer_settings settings;
  float *m, *v; /* [shard->count] moments, owned */
  /* [rows of the row table in the shard], owned. 1: the row's moments are zeros, since no gradient has met it yet:
   * its update is the decay alone, with the same bits. */
  unsigned char *idle;
};

/* Moments of zero. shard must outlive it. The caller owns it. AD_ENOMEM. */
int ad_optimizer_create(struct ad_optimizer *optimizer, const struct ad_kernels *kernels, const struct ad_shard *shard,
                        const struct ad_optimizer_settings *settings);
void ad_optimizer_destroy(struct ad_optimizer *optimizer);

/* Square root of the sum of squares [n], added one after another. */
double ad_optimizer_norm(size_t n, const double *squares);

/* Factor on the gradient: clip / norm where norm is above clip, else 1. */
double ad_optimizer_clip(const struct ad_optimizer *optimizer, double norm);

/* Floats of a piece of the shard that is updated at once, at most: all that is done with it stays in cache. */
enum { AD_UPDATE_PIECE = 1024 };

/* Pieces are made of whole grains, and grains do not depend on the shards. A grain has AD_UPDATE_PIECE floats, fewer at
 * the end of a row or a tensor. Grains are counted from a row's begin in the row table, elsewhere from the end of
 * these rows or the bucket's begin. This is the end of the grain of the bucket that holds `flat`; it may be behind the
 * end of the tensor. */
size_t ad_update_grain_end(const struct ad_params *params, uint32_t bucket, size_t flat);

/* Called for each piece, at `flat` of the flat vector and `local` of the shard's own vectors, before (or NULL) and
 * after its update. watch, or NULL: pieces are single grains, which the update measures (gradients before scaling);
 * `before` may set it, `after` read it. */
struct ad_update_hooks {
  void *context;
  int (*before)(void *context, size_t flat, size_t local, size_t length);
  int (*after)(void *context, size_t flat, size_t local, size_t length);
  struct ad_watch *watch;
};

/* To be called after moments were written from outside. */
void ad_optimizer_moments_changed(struct ad_optimizer *optimizer);

/* Step t (from 1) on the shard's part of one bucket of theta, whose replica follows. gradient, the shard's part of the
 * compact bucket (ad_compact_range), is multiplied by `scale`. `factor` is the schedule's. hooks may be NULL. *digest
 * += the digests of the bucket's blocks as they are then, while they are in cache: over all buckets what
 * ad_shard_digest gives. AD_OK, or what a hook returns (then the rest is not updated). */
int ad_optimizer_update(struct ad_optimizer *optimizer, uint32_t bucket, const struct ad_rows *rows,
                        const float *gradient, uint64_t t, double factor, double scale, const struct ad_weights *theta,
                        const struct ad_update_hooks *hooks, uint64_t *digest);

#endif
