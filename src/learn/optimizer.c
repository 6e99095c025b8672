#include "autodidact/learn/optimizer.h"

#include <math.h>
#include <string.h>

#include "autodidact/base/elementary.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/schedule.h"

int ad_optimizer_create(struct ad_optimizer *optimizer, const struct ad_kernels *kernels, const struct ad_shard *shard,
                        const struct ad_optimizer_settings *settings) {
  *optimizer = (struct ad_optimizer){.shard = shard, .kernels = kernels, .settings = *settings};
  optimizer->m = ad_calloc(shard->count, sizeof(float));
  optimizer->v = ad_calloc(shard->count, sizeof(float));
  optimizer->idle = ad_malloc(shard->params->table.rows, sizeof *optimizer->idle);
  if (optimizer->m == NULL || optimizer->v == NULL || optimizer->idle == NULL) {
    ad_optimizer_destroy(optimizer);
    return ad_fail_memory(2ull * shard->count * sizeof(float), "the optimizer's moments");
  }
  ad_optimizer_moments_changed(optimizer);
  return AD_OK;
}

void ad_optimizer_destroy(struct ad_optimizer *optimizer) {
  ad_free(optimizer->m);
  ad_free(optimizer->v);
  ad_free(optimizer->idle);
  *optimizer = (struct ad_optimizer){0};
}

/* The shard's rows of the row table, which are the first that it has of their bucket. */
static size_t rows_of(const struct ad_shard *s) {
  const struct ad_row_table *table = &s->params->table;
  const size_t begin = s->begin[table->bucket], end = s->end[table->bucket];
  const size_t rest = ad_table_rest(s->params, table->bucket, begin);
  return (rest < end - begin ? rest : end - begin) / table->width;
}

void ad_optimizer_moments_changed(struct ad_optimizer *optimizer) {
  const struct ad_shard *s = optimizer->shard;
  const size_t width = s->params->table.width, rows = rows_of(s), first = s->local[s->params->table.bucket];
  for (size_t row = 0; row < rows; row++) {
    int idle = 1;
    for (size_t i = first + row * width; i < first + (row + 1) * width && idle; i++) {
      idle = optimizer->m[i] == 0.0f && !signbit(optimizer->m[i]) && optimizer->v[i] == 0.0f;
    }
    optimizer->idle[row] = (unsigned char)idle;
  }
}

double ad_optimizer_norm(size_t n, const double *squares) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += squares[i];
  }
  return sqrt(sum);
}

double ad_optimizer_clip(const struct ad_optimizer *optimizer, double norm) {
  const double clip = optimizer->settings.clip;
  return clip > 0.0 && norm > clip ? clip / norm : 1.0;
}

static struct ad_adamw arithmetic(const struct ad_optimizer *optimizer, const struct ad_tensor *tensor, uint64_t t,
                                  double factor, double scale) {
  const struct ad_optimizer_settings *o = &optimizer->settings;
  const uint32_t layers = optimizer->shard->params->config.layers;
  const double peak = tensor->new_head ? o->head_lr : o->lr * ad_schedule_layer(o->layer_decay, tensor->layer, layers);
  return (struct ad_adamw){.lr = (float)(peak * factor),
                           .beta1 = (float)o->beta1,
                           .beta2 = (float)o->beta2,
                           .eps = (float)o->eps,
                           .decay = tensor->decay ? (float)o->decay : 0.0f,
                           .correction1 = o->bias_correction ? (float)(1.0 - ad_math_pow(o->beta1, (double)t)) : 1.0f,
                           .correction2 = o->bias_correction ? (float)(1.0 - ad_math_pow(o->beta2, (double)t)) : 1.0f,
                           .gradient_scale = (float)scale};
}

/* A bucket's update: the arithmetic of the tensor that it has come to, where the gradient stands, what is digested. */
struct stretch {
  struct ad_optimizer *optimizer;
  const struct ad_update_hooks *hooks; /* or NULL */
  uint32_t bucket;
  const struct ad_rows *rows; /* of the row table: touched rows take their gradient, the others none */
  struct ad_adamw arithmetic;
  const float *gradient; /* moves on */
  const struct ad_weights *theta;
  size_t slot;     /* next touched row */
  size_t digested; /* flat offset: blocks up to it are in the digest */
  uint64_t digest;
};

/* Takes in the blocks that end at `flat` or before: rows of the row table, of which pieces are made. */
static void digest_to(struct stretch *s, size_t flat) {
  const struct ad_shard *shard = s->optimizer->shard;
  const struct ad_params *params = shard->params;
  const size_t base = ad_block_base(params, s->bucket);
  const int whole = flat == shard->end[s->bucket] || flat <= base;
  const size_t end = whole ? flat : base + (flat - base) / AD_BLOCK * AD_BLOCK;
  if (end > s->digested) {
    const size_t local = ad_shard_local(shard, s->bucket, s->digested);
    s->digest += ad_block_digest(params, s->bucket, s->digested, end - s->digested, sizeof(float),
                                 ad_weights_master(s->theta, s->digested, local));
    s->digested = end;
  }
}

size_t ad_update_grain_end(const struct ad_params *params, uint32_t bucket, size_t flat) {
  const size_t base = ad_block_base(params, bucket), rest = ad_table_rest(params, bucket, flat);
  if (rest > 0) {
    const size_t width = params->table.width, row_end = base - (rest - 1) / width * width, row = row_end - width;
    const size_t end = row + ((flat - row) / AD_UPDATE_PIECE + 1) * AD_UPDATE_PIECE;
    return end < row_end ? end : row_end;
  }
  return base + ((flat - base) / AD_UPDATE_PIECE + 1) * AD_UPDATE_PIECE;
}

/* A range with one kind of gradient (NULL: none) and moments (0: none to be read), with the hooks, grain by grain where
 * it is watched. */
static int update_range(const struct stretch *s, size_t flat, size_t local, size_t length, const float *gradient,
                        int moments) {
  const struct ad_optimizer *o = s->optimizer;
  const struct ad_update_hooks *hooks = s->hooks;
  struct ad_watch *watch = hooks == NULL ? NULL : hooks->watch;
  const size_t end = flat + length;
  for (size_t count; flat < end; flat += count, local += count) {
    const size_t most = watch != NULL   ? ad_update_grain_end(o->shard->params, s->bucket, flat) - flat
                        : hooks != NULL ? AD_UPDATE_PIECE
                                        : end - flat;
    count = end - flat < most ? end - flat : most;
    AD_TRY(hooks != NULL && hooks->before != NULL ? hooks->before(hooks->context, flat, local, count) : AD_OK);
    float *values = ad_weights_master(s->theta, flat, local);
    o->kernels->adamw(count, &s->arithmetic, gradient, values, moments ? o->m + local : NULL,
                      moments ? o->v + local : NULL, watch);
    ad_replica_write(s->theta, flat, count, values);
    AD_TRY(hooks != NULL ? hooks->after(hooks->context, flat, local, count) : AD_OK);
    gradient = gradient == NULL ? NULL : gradient + count;
  }
  return AD_OK;
}

static int update_plain(struct stretch *s, size_t flat, size_t local, size_t length) {
  const float *gradient = s->gradient;
  s->gradient += length;
  return update_range(s, flat, local, length, gradient, 1);
}

/* Whole rows of the row table, a piece. Adam's step is 0 / (0 + eps) on an idle row: nothing, if eps is not 0 too. Only
 * pieces without any other row go without their moments: one row here, one there, and memory is slower than with all.
 */
static int update_rows(struct stretch *s, size_t flat, size_t local, size_t length) {
  struct ad_optimizer *o = s->optimizer;
  const struct ad_row_table *table = &o->shard->params->table;
  const size_t width = table->width, count = length / width;
  unsigned char *idle = o->idle + (local - o->shard->local[table->bucket]) / width;
  size_t row = (flat - table->begin) / width;
  const int touched = s->slot < s->rows->count && s->rows->ids[s->slot] < row + count;
  if (!touched && s->arithmetic.eps > 0.0 && memchr(idle, 0, count) == NULL) {
    return update_range(s, flat, local, length, NULL, 0);
  }
  for (size_t i = 0; i < count; i++, row++, idle++) {
    const size_t at = i * width;
    if (s->slot < s->rows->count && s->rows->ids[s->slot] == row) {
      AD_TRY(update_plain(s, flat + at, local + at, width));
      s->slot++;
      *idle = 0;
    } else {
      AD_TRY(update_range(s, flat + at, local + at, width, NULL, 1));
    }
  }
  return AD_OK;
}

/* The tensor's part [begin, end) of the flat vector, which is at `local` of the shard's vectors. */
static int update_tensor(struct stretch *s, int by_rows, size_t begin, size_t end, size_t local) {
  const struct ad_params *params = s->optimizer->shard->params;
  for (size_t at = begin, length; at < end; at += length) {
    length = by_rows ? ad_block_run(params, s->bucket, at, end, AD_UPDATE_PIECE)
                     : ad_update_grain_end(params, s->bucket, at) - at;
    length = end - at < length ? end - at : length;
    AD_TRY((by_rows ? update_rows : update_plain)(s, at, local + (at - begin), length));
    digest_to(s, at + length);
  }
  return AD_OK;
}

int ad_optimizer_update(struct ad_optimizer *optimizer, uint32_t bucket, const struct ad_rows *rows,
                        const float *gradient, uint64_t t, double factor, double scale, const struct ad_weights *theta,
                        const struct ad_update_hooks *hooks, uint64_t *digest) {
  const struct ad_shard *s = optimizer->shard;
  const struct ad_params *params = s->params;
  struct stretch stretch = {.optimizer = optimizer,
                            .hooks = hooks,
                            .bucket = bucket,
                            .rows = rows,
                            .gradient = gradient,
                            .theta = theta,
                            .digested = s->begin[bucket]};
  for (size_t i = 0; i < params->tensor_count; i++) {
    const struct ad_tensor *tensor = &params->tensors[i];
    if (tensor->bucket != bucket) {
      continue;
    }
    const size_t begin = tensor->offset > s->begin[bucket] ? tensor->offset : s->begin[bucket];
    const size_t tensor_end = tensor->offset + tensor->count;
    const size_t end = tensor_end < s->end[bucket] ? tensor_end : s->end[bucket];
    if (begin >= end) {
      continue;
    }
    stretch.arithmetic = arithmetic(optimizer, tensor, t, factor, scale);
    if (tensor->row_blocked) {
      size_t compact, unused;
      ad_compact_range(params, bucket, rows, begin, end, &compact, &unused);
      stretch.slot = compact / params->table.width;
    }
    AD_TRY(update_tensor(&stretch, tensor->row_blocked, begin, end, s->local[bucket] + (begin - s->begin[bucket])));
  }
  *digest += stretch.digest;
  return AD_OK;
}
