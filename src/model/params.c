#include "autodidact/model/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architecture.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"

static const double INIT_STANDARD_DEVIATION = 0.02;

/* Where the list has come to. Without memory for tensors they are only counted. */
struct ad__tensors {
  struct ad_params *params;
  char prefix[32];
  uint32_t layer;
  uint32_t bucket; /* the first one of the layer */
  uint32_t begun;  /* buckets whose begin is known */
};

size_t ad__tensor(struct ad__tensors *list, const struct ad__tensor_row *row) {
  struct ad_params *params = list->params;
  const size_t offset = params->count, count = row->rows * row->columns;
  const uint32_t bucket = list->bucket + row->part;
  for (; list->begun <= bucket; list->begun++) {
    params->bucket_begin[list->begun] = offset;
  }
  params->count += count;
  params->tensor_count += row->rows > 0;
  if (row->rows == 0 || params->tensors == NULL) {
    return offset;
  }
  struct ad_tensor *tensor = &params->tensors[params->tensor_count - 1];
  *tensor = (struct ad_tensor){.offset = offset,
                               .rows = row->rows,
                               .columns = row->columns,
                               .count = count,
                               .vector = row->columns == 1,
                               .layer = list->layer,
                               .bucket = bucket,
                               .decay = (row->treatment & AD_DECAY) != 0,
                               .init = row->init,
                               .new_head = (row->treatment & AD_NEW_HEAD) != 0,
                               .optional = (row->treatment & AD_OPTIONAL) != 0,
                               .row_blocked = (row->treatment & AD_ROW_BLOCKED) != 0};
  snprintf(tensor->name, sizeof tensor->name, "%s%s", list->prefix, row->name);
  if (tensor->row_blocked) {
    params->table = (struct ad_row_table){bucket, offset, offset + count, row->rows, row->columns};
  }
  return offset;
}

size_t ad__tensor_grouped(struct ad__tensors *list, const struct ad__tensor_row *row, size_t groups) {
  const size_t offset = ad__tensor(list, row);
  if (list->params->tensors != NULL) {
    list->params->tensors[list->params->tensor_count - 1].groups = groups;
  }
  return offset;
}

size_t ad_tensor_shape(const struct ad_tensor *tensor, size_t shape[3]) {
  shape[0] = tensor->rows;
  shape[1] = tensor->groups > 0 ? tensor->groups : tensor->columns;
  shape[2] = tensor->groups > 0 ? tensor->columns / tensor->groups : 1;
  return tensor->groups > 0 ? 3 : tensor->vector ? 1 : 2;
}

static void list_head(struct ad__tensors *list) {
  struct ad_params *params = list->params;
  const struct ad_model_config *m = &params->config;
  const struct ad__head *h = &params->architecture->head;
  const size_t H = m->hidden, C = m->classes, dense = m->classifier == AD_CLASSIFIER_POOLER ? H : 0;
  const unsigned of_dense = h->pretrained ? AD_OPTIONAL : AD_NEW_HEAD;
  const struct ad__tensor_row rows[] = {
      {h->dense[0], dense, H, AD_INIT_NORMAL, AD_DECAY | of_dense, 0},
      {h->dense[1], dense, 1, AD_INIT_ZERO, of_dense, 0},
      {h->classifier[0], C, H, AD_INIT_NORMAL, AD_DECAY | AD_NEW_HEAD, 0},
      {h->classifier[1], C, 1, AD_INIT_ZERO, AD_NEW_HEAD, 0},
  };
  params->head.dense_weight = ad__tensor(list, &rows[0]);
  params->head.dense_bias = ad__tensor(list, &rows[1]);
  params->head.classifier_weight = ad__tensor(list, &rows[2]);
  params->head.classifier_bias = ad__tensor(list, &rows[3]);
}

/* The same of a masked-language head, whose width is that of the embeddings. */
static void list_vocabulary(struct ad__tensors *list) {
  struct ad_params *params = list->params;
  const struct ad_model_config *m = &params->config;
  const struct ad__head *h = &params->architecture->head;
  const struct ad__vocabulary *v = &params->architecture->vocabulary;
  const size_t H = m->hidden, E = ad_model_embedding(m);
  const size_t kept = m->classifier == AD_CLASSIFIER_POOLER && h->pretrained ? H : 0;
  const struct ad__tensor_row rows[] = {
      {h->dense[0], kept, H, AD_INIT_NORMAL, AD_OPTIONAL, 0},
      {h->dense[1], kept, 1, AD_INIT_ZERO, AD_OPTIONAL, 0},
      {v->dense[0], E, H, AD_INIT_NORMAL, AD_DECAY | AD_NEW_HEAD, 0},
      {v->dense[1], E, 1, AD_INIT_ZERO, AD_NEW_HEAD, 0},
      {v->norm[0], E, 1, AD_INIT_ONE, AD_NEW_HEAD, 0},
      {v->norm[1], E, 1, AD_INIT_ZERO, AD_NEW_HEAD, 0},
      {v->bias, m->vocab, 1, AD_INIT_ZERO, AD_NEW_HEAD, 0},
  };
  struct ad_head_offsets *o = &params->head;
  size_t *const offsets[] = {&o->kept,        &o->kept_end,  &o->dense_weight,   &o->dense_bias,
                             &o->norm_weight, &o->norm_bias, &o->classifier_bias};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    *offsets[i] = ad__tensor(list, &rows[i]);
  }
  o->kept_end = o->dense_weight;
  o->classifier_weight = params->table.begin;
}

/* All tensors, from the first. */
static void list_all(struct ad_params *params) {
  const struct ad_architecture *a = params->architecture;
  const struct ad_model_config *m = &params->config;
  struct ad__tensors list = {.params = params};
  params->count = params->tensor_count = 0;
  a->list_embedding(&list, m, params->embedding);
  for (uint32_t l = 0; l < m->layers; l++) {
    list.layer = l + 1;
    list.bucket = 1 + params->parts * l;
    snprintf(list.prefix, sizeof list.prefix, "%s%u.", a->layer_prefix, l);
    a->list_layer(&list, m, l, (char *)params->layer + l * a->layer_size);
  }
  list.layer = m->layers + 1;
  list.bucket = params->buckets - 1;
  list.prefix[0] = '\0';
  (m->masked_lm ? list_vocabulary : list_head)(&list);
  params->bucket_begin[params->buckets] = params->count;
}

/* Memory for the tensors, whose number is known then. */
static int make(struct ad_params *params) {
  const struct ad_architecture *a = params->architecture;
  params->bucket_begin = ad_calloc((size_t)params->buckets + 1, sizeof *params->bucket_begin);
  params->embedding = ad_calloc(1, a->embedding_size + params->config.layers * a->layer_size);
  if (params->bucket_begin != NULL && params->embedding != NULL) {
    params->layer = (char *)params->embedding + a->embedding_size;
    list_all(params);
    params->tensors = ad_calloc(params->tensor_count, sizeof *params->tensors);
  }
  return params->tensors != NULL
             ? AD_OK
             : ad_fail_memory(params->buckets * (a->layer_size + sizeof *params->tensors), "the parameter table");
}

int ad_params_create(struct ad_params *params, const struct ad_model_config *config) {
  const struct ad_architecture *a = ad__architecture(config->architecture);
  *params = (struct ad_params){
      .config = *config, .architecture = a, .buckets = a->parts * config->layers + 2, .parts = a->parts};
  AD_TRY(a->check(config));
  if (config->positions <= config->first_position) {
    return ad_fail(AD_ECONFIG, "model: %u positions, the first token has position %u", config->positions,
                   config->first_position);
  }
  params->form = a->form;
  params->form.first_position = config->first_position;
  params->form.longest = config->positions - config->first_position;
  if (!config->masked_lm && config->classes < 1) {
    return ad_fail(AD_ECONFIG, "model: no logits, expected at least one");
  }
  if (config->masked_lm && a->vocabulary.dense[0] == NULL) {
    return ad_fail(AD_ECONFIG, "model: %s has no head for masked-language modelling", a->title);
  }
  int status = make(params);
  if (status == AD_OK) {
    list_all(params);
    status = ad__list_linears(params);
  }
  if (status != AD_OK) {
    ad_params_destroy(params);
  }
  return status;
}

void ad_params_destroy(struct ad_params *params) {
  ad_free(params->tensors);
  ad_free(params->bucket_begin);
  ad_free(params->embedding);
  ad_free(params->linears);
  ad_free(params->shapes);
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
  const size_t prefix = strlen(params->architecture->prefix);
  if (strncmp(name, params->architecture->prefix, prefix) == 0) {
    name += prefix;
  }
  for (size_t i = 0; i < params->tensor_count; i++) {
    if (strcmp(params->tensors[i].name, name) == 0) {
      return &params->tensors[i];
    }
  }
  return NULL;
}

void ad_params_draw(const struct ad_params *params, size_t index, uint64_t seed, float *theta) {
  const struct ad_tensor *tensor = &params->tensors[index];
  float *values = theta + tensor->offset;
  if (tensor->init == AD_INIT_NORMAL) {
    for (size_t i = 0; i < tensor->count; i++) {
      values[i] = (float)(INIT_STANDARD_DEVIATION * ad_random_normal(seed, AD_STREAM_INIT, (uint32_t)index, i));
    }
  } else {
    const float value = tensor->init == AD_INIT_ONE ? 1.0f : 0.0f;
    for (size_t i = 0; i < tensor->count; i++) {
      values[i] = value;
    }
  }
}
