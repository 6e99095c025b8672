#include "autodidact/learn/optimizer.h"

#include <math.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/schedule.h"

int ad_optimizer_create(struct ad_optimizer *optimizer, const struct ad_shard *shard,
                        const struct ad_optimizer_settings *settings) {
  *optimizer = (struct ad_optimizer){.shard = shard, .kernels = ad_kernels_select(), .settings = *settings};
  if (optimizer->kernels == NULL) {
    return AD_ECONFIG;
  }
  optimizer->m = ad_calloc(shard->count, sizeof(float));
  optimizer->v = ad_calloc(shard->count, sizeof(float));
  if (optimizer->m == NULL || optimizer->v == NULL) {
    ad_optimizer_destroy(optimizer);
    return ad_fail_memory(2ull * shard->count * sizeof(float), "the optimizer's moments");
  }
  return AD_OK;
}

void ad_optimizer_destroy(struct ad_optimizer *optimizer) {
  ad_free(optimizer->m);
  ad_free(optimizer->v);
  *optimizer = (struct ad_optimizer){0};
}

void ad_optimizer_squares(const struct ad_optimizer *optimizer, uint32_t bucket, const struct ad_rows *rows,
                          const float *gradient, double *squares) {
  const struct ad_shard *s = optimizer->shard;
  const size_t H = s->params->config.hidden;
  size_t begin, end;
  ad_compact_range(s->params, bucket, rows, s->begin[bucket], s->end[bucket], &begin, &end);
  const size_t word_end = bucket == 0 ? rows->count * H : 0;
  for (size_t at = begin; at < end;) {
    size_t length = at < word_end ? H : AD_BLOCK;
    length = length < end - at ? length : end - at;
    squares[ad_compact_blocks(s->params, bucket, rows, at)] =
        optimizer->kernels->sum_squares(length, gradient + (at - begin));
    at += length;
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
                           .correction1 = o->bias_correction ? (float)(1.0 - pow(o->beta1, (double)t)) : 1.0f,
                           .correction2 = o->bias_correction ? (float)(1.0 - pow(o->beta2, (double)t)) : 1.0f,
                           .gradient_scale = (float)scale};
}

/* The word embedding's rows [begin, end) of the flat vector: touched rows take their gradient, runs of untouched ones
 * none. */
static const float *update_words(struct ad_optimizer *optimizer, const struct ad_adamw *a, const struct ad_rows *rows,
                                 size_t begin, size_t end, const float *gradient, float *theta, float *m, float *v) {
  const size_t H = optimizer->shard->params->config.hidden;
  size_t slot, unused;
  ad_compact_range(optimizer->shard->params, 0, rows, begin, end, &slot, &unused);
  slot /= H;
  for (size_t at = begin; at < end;) {
    const size_t row = at / H;
    const size_t next = slot < rows->count && rows->ids[slot] * H < end ? rows->ids[slot] : end / H;
    if (next > row) {
      optimizer->kernels->adamw((next - row) * H, a, NULL, theta + at, m, v);
      m += (next - row) * H;
      v += (next - row) * H;
      at = next * H;
    } else {
      optimizer->kernels->adamw(H, a, gradient, theta + at, m, v);
      gradient += H;
      m += H;
      v += H;
      at += H;
      slot++;
    }
  }
  return gradient;
}

void ad_optimizer_update(struct ad_optimizer *optimizer, uint32_t bucket, const struct ad_rows *rows,
                         const float *gradient, uint64_t t, double factor, double scale, float *theta) {
  const struct ad_shard *s = optimizer->shard;
  const struct ad_params *params = s->params;
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
    const struct ad_adamw a = arithmetic(optimizer, tensor, t, factor, scale);
    float *m = optimizer->m + s->local[bucket] + (begin - s->begin[bucket]);
    float *v = optimizer->v + s->local[bucket] + (begin - s->begin[bucket]);
    if (tensor->offset == params->embedding.word) {
      gradient = update_words(optimizer, &a, rows, begin, end, gradient, theta, m, v);
    } else {
      optimizer->kernels->adamw(end - begin, &a, gradient, theta + begin, m, v);
      gradient += end - begin;
    }
  }
}
