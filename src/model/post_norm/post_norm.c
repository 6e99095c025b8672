/* The tensors and the memory of BERT's family. */
#include "post_norm.h"

#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"

const struct ad__alias ad__post_norm_aliases[] = {
    {"LayerNorm.gamma", "LayerNorm.weight"}, {"LayerNorm.beta", "LayerNorm.bias"}, {NULL, NULL}};
const char *const ad__post_norm_buffers[] = {"embeddings.position_ids", "embeddings.token_type_ids", NULL};

/* --- Tensors --- */

static size_t add(struct ad__tensors *list, const char *module, const char *kind, struct ad__tensor_row row) {
  char name[80];
  snprintf(name, sizeof name, "%s.%s", module == NULL ? "" : module, kind);
  row.name = name;
  return ad__tensor(list, &row);
}

#define LIST(field, module, kind, rows, columns, init, treatment, part) \
  o->field = add(list, a->module, kind, (struct ad__tensor_row){NULL, rows, columns, AD_INIT_##init, treatment, part});

void ad__post_norm_list_embedding(struct ad__tensors *list, const struct ad_model_config *m, void *offsets) {
  const struct post_norm *a = ad__post_norm(m);
  struct post_norm_embedding_offsets *o = offsets;
  const size_t E = ad_model_embedding(m);
  POST_NORM_EMBEDDING(LIST)
}

void ad__post_norm_list_layer(struct ad__tensors *list, const struct ad_model_config *m, uint32_t layer,
                              void *offsets) {
  const struct post_norm *a = ad__post_norm(m);
  struct post_norm_layer_offsets *o = offsets;
  (void)layer;
  POST_NORM_LAYER(LIST)
}

#undef LIST

void ad__post_norm_list_linears(struct ad__linears *list, const struct ad_params *params) {
  const struct ad_model_config *m = &params->config;
  const struct post_norm_layer_offsets *o = params->layer;
  const size_t H = m->hidden, F = m->ffn;
  if (m->embedding > 0) {
    ad__linear(list, ((const struct post_norm_embedding_offsets *)params->embedding)->project_weight, H, m->embedding,
               0);
  }
  for (uint32_t l = 0; l < m->layers; l++, o++) {
    const int last = l + 1 == m->layers;
    ad__linear(list, o->query_weight, last ? H : 3 * H, H, 0);
    if (last) {
      ad__linear(list, o->key_weight, 2 * H, H, 0);
    }
    ad__linear(list, o->output_weight, H, H, 0);
    ad__linear(list, o->up_weight, F, H, 0);
    ad__linear(list, o->down_weight, H, F, 0);
  }
}

int ad__post_norm_check(const struct ad_model_config *m) {
  const struct {
    const char *name;
    uint32_t value;
  } sizes[] = {{"hidden_size", m->hidden},
               {"num_attention_heads", m->heads},
               {"intermediate_size", m->ffn},
               {"num_hidden_layers", m->layers},
               {"vocab_size", m->vocab},
               {"max_position_embeddings", m->positions},
               {"type_vocab_size", ad__post_norm(m)->type == NULL ? 1 : m->types},
               {"the number of buckets of distances", ad__post_norm(m)->distance == NULL ? 1 : m->buckets}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (sizes[i].value == 0) {
      return ad_fail(AD_ECONFIG, "model: %s is 0, expected at least 1", sizes[i].name);
    }
  }
  if (m->hidden % m->heads != 0) {
    return ad_fail(AD_ECONFIG, "model: hidden_size %u is not a multiple of num_attention_heads %u", m->hidden,
                   m->heads);
  }
  return AD_OK;
}

/* The shape of module's weight; none where there is no such module. */
static int weight_shape(const char *prefix, const char *module, ad_shape_of shape, void *context, uint32_t found[2]) {
  char name[120];
  found[0] = found[1] = 0;
  snprintf(name, sizeof name, "%s%s.weight", prefix, module == NULL ? "" : module);
  return module == NULL ? AD_OK : shape(context, name, found);
}

int ad__post_norm_recognise(struct ad_model_config *m, ad_shape_of shape, void *context) {
  const struct post_norm *a = ad__post_norm(m);
  uint32_t word[2], position[2], type[2], project[2], distance[2], up[2], query[2];
  AD_TRY(weight_shape("", a->word, shape, context, word));
  AD_TRY(weight_shape("", a->position, shape, context, position));
  AD_TRY(weight_shape("", a->type, shape, context, type));
  AD_TRY(weight_shape("", a->project, shape, context, project));
  AD_TRY(weight_shape("", a->distance, shape, context, distance));
  for (m->layers = 0; m->layers < 100000; m->layers++) {
    char prefix[60];
    snprintf(prefix, sizeof prefix, "%s%u.", ad__architecture(m->architecture)->layer_prefix, m->layers);
    AD_TRY(weight_shape(prefix, a->up, shape, context, up));
    AD_TRY(weight_shape(prefix, a->query, shape, context, query));
    if (up[0] == 0 || query[0] != up[1]) {
      break;
    }
    m->ffn = up[0];
    m->hidden = up[1];
  }
  m->vocab = word[0];
  m->embedding = project[0] > 0 ? word[1] : 0;
  m->positions = position[0];
  m->types = type[0];
  m->buckets = distance[0];
  return AD_OK;
}

/* --- Memory --- */

void ad__post_norm_take(struct ad_encoder *e, void *own) {
  const struct ad_model_config *m = &e->params->config;
  const size_t T = e->token_rows, H = m->hidden, E = ad_model_embedding(m),
               longest = T < m->positions ? T : m->positions;
  struct post_norm_state unused, *s = own == NULL ? &unused : own;
  s->embedded = ad__take(e, T * E);
  s->normed = m->embedding > 0 ? ad__take(e, T * E) : NULL;
  s->mean0 = ad__take(e, T);
  s->rstd0 = ad__take(e, T);
  s->distances = m->buckets > 0 ? ad__take(e, ad__post_norm_distances(m, longest)) : NULL;
  s->attention_work = ad__take(e, ad_attention_work(longest, longest, H / m->heads));
  s->dnormed = m->embedding > 0 ? ad__take_gradient(e, E) : NULL;
}

void ad__post_norm_take_layer(struct ad_encoder *e, void *own, int last) {
  ad__take_block(e, own, last);
}

struct ad_dropout ad__post_norm_output_dropout(const struct ad_model_config *m, const struct ad_masks *masks,
                                               uint32_t l) {
  const float p = ad__post_norm(m)->undropped ? 0.0f : m->hidden_dropout;
  return ad_encoder_dropout(p, masks, l + 1, AD_MASK_ATTENTION_OUTPUT);
}

struct ad__feed ad__post_norm_feed(const struct ad_encoder *e, const struct ad_batch *batch, uint32_t l) {
  const struct post_norm_layer_offsets *p = ad__post_norm_layer(e, l);
  return ad__feed_of(e, batch, l, p->up_weight, p->down_weight);
}
