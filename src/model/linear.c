/* The linear layers of a parameter table. */
#include "architecture.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/bfloat16.h"

/* Where the list has come to. Without memory layers are only counted. */
struct ad__linears {
  struct ad_params *params;
  size_t count;
};

/* Keeps a shape that is not there yet. */
static void add_shape(struct ad_params *params, size_t rows, size_t columns) {
  for (size_t i = 0; i < params->shape_count; i++) {
    if (params->shapes[i][0] == rows && params->shapes[i][1] == columns) {
      return;
    }
  }
  params->shapes[params->shape_count][0] = rows;
  params->shapes[params->shape_count++][1] = columns;
}

void ad__linear(struct ad__linears *list, size_t offset, size_t rows, size_t columns, int transposed) {
  struct ad_params *params = list->params;
  const size_t outputs = transposed ? columns : rows, inputs = transposed ? rows : columns;
  if (params->linears != NULL) {
    params->linears[list->count] = (struct ad_linear){
        .offset = offset, .rows = rows, .columns = columns, .transposed = transposed, .packed = params->packed};
    params->packed += ad_bf16_packed(outputs, inputs);
    add_shape(params, rows, columns);
  }
  list->count++;
}

/* The word embedding as a masked-language head's last weight. Products take it in blocks of two sizes at most. */
static void list_vocabulary(struct ad__linears *list) {
  struct ad_params *params = list->params;
  const size_t V = params->config.vocab, E = ad_model_embedding(&params->config), last = V % AD_VOCABULARY_BLOCK;
  if (params->linears != NULL) {
    params->linears[list->count] = (struct ad_linear){
        .offset = params->table.begin, .rows = V, .columns = E, .vocabulary = 1, .packed = params->packed};
    params->packed += ad_bf16_packed(V, E);
    add_shape(params, ad_linear_block(&params->linears[list->count]), E);
    if (last > 0) {
      add_shape(params, last, E);
    }
  }
  list->count++;
}

/* All of them; their number. */
static size_t list_all(struct ad_params *params) {
  struct ad__linears list = {.params = params};
  const struct ad_model_config *m = &params->config;
  if (m->masked_lm) {
    list_vocabulary(&list);
  }
  params->architecture->list_linears(&list, params);
  if (m->masked_lm || m->classifier == AD_CLASSIFIER_POOLER) {
    ad__linear(&list, params->head.dense_weight, m->masked_lm ? ad_model_embedding(m) : m->hidden, m->hidden, 0);
  }
  return list.count;
}

int ad__list_linears(struct ad_params *params) {
  const size_t count = list_all(params);
  params->linears = ad_calloc(count, sizeof *params->linears);
  params->shapes = ad_calloc(count + 1, sizeof *params->shapes); /* the vocabulary has two */
  if (params->linears == NULL || params->shapes == NULL) {
    return ad_fail_memory(count * (sizeof *params->linears + sizeof *params->shapes), "the parameter table");
  }
  params->linear_count = count;
  list_all(params);
  return AD_OK;
}

const struct ad_linear *ad_params_linear(const struct ad_params *params, size_t offset) {
  const struct ad_linear *linear = params->linears;
  while (linear->offset != offset) {
    linear++;
  }
  return linear;
}

size_t ad_params_first_linear(const struct ad_params *params) {
  size_t i = 0;
  while (i < params->linear_count && params->linears[i].offset < ad_params_frozen(params)) {
    i++;
  }
  return i;
}
