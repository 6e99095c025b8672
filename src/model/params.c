#include "autodidact/model/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"

static const double INIT_STANDARD_DEVIATION = 0.02;

enum { PARTS = 2 }; /* attention, feed-forward */

static int check(const struct ad_model_config *m) {
  const struct {
    const char *name;
    uint32_t value;
  } sizes[] = {{"hidden_size", m->hidden},    {"num_attention_heads", m->heads},
               {"intermediate_size", m->ffn}, {"num_hidden_layers", m->layers},
               {"vocab_size", m->vocab},      {"max_position_embeddings", m->positions},
               {"type_vocab_size", m->types}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (sizes[i].value == 0) {
      return ad_fail(AD_ECONFIG, "model: %s is 0, expected at least 1", sizes[i].name);
    }
  }
  if (m->hidden % m->heads != 0) {
    return ad_fail(AD_ECONFIG, "model: hidden_size %u is not a multiple of num_attention_heads %u", m->hidden,
                   m->heads);
  }
  if (m->classes < 2) {
    return ad_fail(AD_ECONFIG, "model: %u classes, expected at least 2", m->classes);
  }
  return AD_OK;
}

/* Appends one tensor and returns its offset. */
static size_t add(struct ad_params *params, const char *prefix, const char *name, size_t rows, size_t columns,
                  int decay, uint32_t layer, uint32_t bucket) {
  const size_t offset = params->count;
  if (rows == 0) {
    return offset;
  }
  struct ad_tensor *tensor = &params->tensors[params->tensor_count++];
  *tensor = (struct ad_tensor){.offset = offset,
                               .rows = rows,
                               .columns = columns,
                               .count = rows * columns,
                               .vector = columns == 1,
                               .layer = layer,
                               .bucket = bucket,
                               .decay = decay,
                               .new_head = strncmp(name, "classifier.", 11) == 0};
  snprintf(tensor->name, sizeof tensor->name, "%s%s", prefix, name);
  params->count += tensor->count;
  return offset;
}

int ad_params_create(struct ad_params *params, const struct ad_model_config *config) {
  *params = (struct ad_params){.config = *config, .buckets = PARTS * config->layers + 2, .parts = PARTS};
  AD_TRY(check(config));
  const struct ad_model_config *m = &params->config;
#define AD_COUNT(field, name, rows, columns, decay) +1
  enum {
    EMBEDDING = 0 AD_EMBEDDING_TENSORS(AD_COUNT),
    LAYER = 0 AD_ATTENTION_TENSORS(AD_COUNT) AD_FFN_TENSORS(AD_COUNT),
    HEAD = 0 AD_HEAD_TENSORS(AD_COUNT)
  };
#undef AD_COUNT
  params->tensors = ad_calloc(EMBEDDING + (size_t)LAYER * m->layers + HEAD, sizeof *params->tensors);
  params->bucket_begin = ad_calloc((size_t)params->buckets + 1, sizeof *params->bucket_begin);
  params->layer = ad_calloc(m->layers, sizeof *params->layer);
  if (params->tensors == NULL || params->bucket_begin == NULL || params->layer == NULL) {
    ad_params_destroy(params);
    return ad_fail_memory((unsigned long long)m->layers * LAYER * sizeof(struct ad_tensor), "the parameter table");
  }
#define AD_ADD(field, name, rows, columns, decay) \
  offsets->field = add(params, prefix, name, rows, columns, decay, layer, bucket);
  {
    struct ad_embedding_offsets *offsets = &params->embedding;
    const char *prefix = "";
    const uint32_t layer = 0, bucket = 0;
    AD_EMBEDDING_TENSORS(AD_ADD)
  }
  params->tensors[0].row_blocked = 1;
  params->table = (struct ad_row_table){.end = params->tensors[0].count, .rows = m->vocab, .width = m->hidden};
  for (uint32_t l = 0; l < m->layers; l++) {
    struct ad_layer_offsets *offsets = &params->layer[l];
    const uint32_t layer = l + 1;
    char prefix[32];
    snprintf(prefix, sizeof prefix, "encoder.layer.%u.", l);
    uint32_t bucket = PARTS * l + 1;
    params->bucket_begin[bucket] = params->count;
    AD_ATTENTION_TENSORS(AD_ADD)
    bucket++;
    params->bucket_begin[bucket] = params->count;
    AD_FFN_TENSORS(AD_ADD)
  }
  {
    struct ad_head_offsets *offsets = &params->head;
    const char *prefix = "";
    const uint32_t layer = m->layers + 1, bucket = params->buckets - 1;
    params->bucket_begin[bucket] = params->count;
    AD_HEAD_TENSORS(AD_ADD)
  }
#undef AD_ADD
  params->bucket_begin[params->buckets] = params->count;
  return AD_OK;
}

void ad_params_destroy(struct ad_params *params) {
  ad_free(params->tensors);
  ad_free(params->bucket_begin);
  ad_free(params->layer);
  *params = (struct ad_params){0};
}

int ad_params_freeze(struct ad_params *params, uint32_t layers) {
  if (layers > params->config.layers) {
    return ad_fail(AD_ECONFIG, "%u layers are to be frozen, the model has %u", layers, params->config.layers);
  }
  params->frozen = 1 + params->parts * layers;
  return AD_OK;
}

uint32_t ad_params_first_layer(const struct ad_params *params) {
  return params->frozen == 0 ? 0 : (params->frozen - 1) / params->parts;
}

uint32_t ad_params_done_from(const struct ad_params *params, uint32_t bucket) {
  /* A layer is done with the first of its buckets, which is completed last. */
  return bucket == 0 ? 0 : (bucket - 1 + params->parts - 1) / params->parts;
}

int ad_params_freeze_named(struct ad_params *params, const char *what) {
  const uint32_t L = params->config.layers;
  if (strcmp(what, "none") == 0) {
    return AD_OK;
  }
  if (strcmp(what, "embeddings") == 0 || strcmp(what, "encoder") == 0) {
    return ad_params_freeze(params, what[1] == 'm' ? 0 : L);
  }
  char *end;
  const unsigned long layers = strtoul(what, &end, 10);
  if (what[0] < '0' || what[0] > '9' || *end != '\0' || layers > L) {
    return ad_fail(AD_ECONFIG,
                   "model.freeze is '%s', expected none, embeddings, encoder or a number of layers up to %u", what, L);
  }
  return ad_params_freeze(params, (uint32_t)layers);
}

const struct ad_tensor *ad_params_find(const struct ad_params *params, const char *name) {
  if (strncmp(name, "bert.", 5) == 0) {
    name += 5;
  }
  for (size_t i = 0; i < params->tensor_count; i++) {
    if (strcmp(params->tensors[i].name, name) == 0) {
      return &params->tensors[i];
    }
  }
  return NULL;
}

static int ends_with(const char *text, const char *end) {
  const size_t length = strlen(text), tail = strlen(end);
  return length >= tail && strcmp(text + length - tail, end) == 0;
}

void ad_params_draw(const struct ad_params *params, size_t index, uint64_t seed, float *theta) {
  const struct ad_tensor *tensor = &params->tensors[index];
  float *values = theta + tensor->offset;
  if (!tensor->vector) {
    for (size_t i = 0; i < tensor->count; i++) {
      values[i] = (float)(INIT_STANDARD_DEVIATION * ad_random_normal(seed, AD_STREAM_INIT, (uint32_t)index, i));
    }
  } else {
    const float value = ends_with(tensor->name, "LayerNorm.weight") ? 1.0f : 0.0f;
    for (size_t i = 0; i < tensor->count; i++) {
      values[i] = value;
    }
  }
}
