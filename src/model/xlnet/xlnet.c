/* The table of XLNet. */
#include "xlnet.h"

#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"

/* --- Tensors --- */

static size_t add(struct ad__tensors *list, size_t groups, struct ad__tensor_row row) {
  return groups > 0 ? ad__tensor_grouped(list, &row, groups) : ad__tensor(list, &row);
}

#define LIST(field, name, rows, columns, groups, init, treatment, part) \
  o->field = add(list, groups, (struct ad__tensor_row){name, rows, columns, AD_INIT_##init, treatment, part});

static void list_embedding(struct ad__tensors *list, const struct ad_model_config *m, void *offsets) {
  struct xlnet_embedding_offsets *o = offsets;
  XLNET_EMBEDDING(LIST)
}

static void list_layer(struct ad__tensors *list, const struct ad_model_config *m, uint32_t layer, void *offsets) {
  struct xlnet_layer_offsets *o = offsets;
  (void)layer;
  XLNET_LAYER(LIST)
}

#undef LIST

static void list_linears(struct ad__linears *list, const struct ad_params *params) {
  const struct xlnet_layer_offsets *o = params->layer;
  const size_t H = params->config.hidden, F = params->config.ffn;
  for (uint32_t l = 0; l < params->config.layers; l++, o++) {
    ad__linear(list, o->query, H, H, 1);
    ad__linear(list, o->key, H, H, 1);
    ad__linear(list, o->value, H, H, 1);
    ad__linear(list, o->output, H, H, 0);
    ad__linear(list, o->relative, H, H, 1);
    ad__linear(list, o->up_weight, F, H, 0);
    ad__linear(list, o->down_weight, H, F, 0);
  }
}

static int check(const struct ad_model_config *m) {
  const struct {
    const char *name;
    uint32_t value;
  } sizes[] = {{"d_model", m->hidden},
               {"n_head", m->heads},
               {"d_inner", m->ffn},
               {"n_layer", m->layers},
               {"vocab_size", m->vocab}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (sizes[i].value == 0) {
      return ad_fail(AD_ECONFIG, "model: %s is 0, expected at least 1", sizes[i].name);
    }
  }
  if (m->hidden % m->heads != 0 || m->hidden == m->heads) {
    return ad_fail(AD_ECONFIG, "model: d_model %u is not a multiple of n_head %u, of at least twice that", m->hidden,
                   m->heads);
  }
  if (m->hidden % 2 != 0) {
    return ad_fail(AD_ECONFIG, "model: d_model is %u, expected an even number: half of it are sines, half cosines",
                   m->hidden);
  }
  return AD_OK;
}

static int recognise(struct ad_model_config *m, ad_shape_of shape, void *context) {
  uint32_t word[2], bias[2], up[2];
  AD_TRY(shape(context, "word_embedding.weight", word));
  for (char name[80]; m->layers < 100000; m->layers++) {
    snprintf(name, sizeof name, "layer.%u.ff.layer_1.weight", m->layers);
    AD_TRY(shape(context, name, up));
    if (up[0] == 0) {
      break;
    }
    snprintf(name, sizeof name, "layer.%u.rel_attn.r_w_bias", m->layers);
    AD_TRY(shape(context, name, bias));
    m->ffn = up[0];
    m->heads = bias[0];
  }
  m->vocab = word[0];
  m->hidden = word[1];
  m->positions = XLNET_LONGEST;
  m->types = XLNET_TYPES;
  return AD_OK;
}

/* --- Memory --- */

static void take(struct ad_encoder *e, void *own) {
  const struct ad_model_config *m = &e->params->config;
  const size_t T = e->token_rows, H = m->hidden, longest = T < m->positions ? T : m->positions;
  struct xlnet unused, *x = own == NULL ? &unused : own;
  x->sinusoid = ad__take(e, longest * H);
  x->relative = ad__take(e, 2 * T * H);
  x->relative_last = ad__take(e, T * H);
  x->zero = ad__take(e, H);
  x->work = ad__take(e, ad_relative_work(longest, longest, H / m->heads));
  x->lanes = (void *)ad__take(e, e->training ? AD_MAX_LANES * sizeof *x->lanes / sizeof(float) : 0);
  x->drelative = ad__take_gradient(e, 2 * H);
}

static void take_layer(struct ad_encoder *e, void *own, int last) {
  struct xlnet_layer unused, *s = own == NULL ? &unused : own;
  ad__take_block(e, &s->block, last);
  s->relative = ad__take(e, e->token_rows * (last ? 1 : 2) * e->params->config.hidden);
}

/* --- Names --- */

static const struct ad__model_type model_types[] = {{"xlnet", "XLNet"}, {NULL, NULL}};
static const struct ad__alias aliases[] = {{NULL, NULL}};
static const char *const inside[] = {"word_embedding.", "mask_emb", "layer.", NULL};
static const char *const buffers[] = {NULL};

const struct ad_architecture ad_architecture_xlnet = {
    .title = "XLNet",
    .model_types = model_types,
    .form = {.second_type = 1, .cls_last = 1, .cls_type = 2},
    .any_length = 1,
    .parts = XLNET_PARTS,
    .embedding_size = sizeof(struct xlnet_embedding_offsets),
    .layer_size = sizeof(struct xlnet_layer_offsets),
    .list_embedding = list_embedding,
    .list_layer = list_layer,
    .list_linears = list_linears,
    .prefix = "transformer.",
    .layer_prefix = "layer.",
    .head = {.dense = {"sequence_summary.summary.weight", "sequence_summary.summary.bias"},
             .classifier = {"logits_proj.weight", "logits_proj.bias"},
             .activation = AD_HEAD_TANH,
             .state_dropout = AD_STATE_HIDDEN},
    .aliases = aliases,
    .inside = inside,
    .buffers = buffers,
    .numbers = ad__xlnet_numbers,
    .keys = ad__xlnet_keys,
    .read_config = ad__xlnet_read_config,
    .write_config = ad__xlnet_write_config,
    .check = check,
    .recognise = recognise,
    .own_size = sizeof(struct xlnet),
    .layer_own_size = sizeof(struct xlnet_layer),
    .take = take,
    .take_layer = take_layer,
    .work = ad__xlnet_work,
    .embed = ad__xlnet_embed,
    .forward = ad__xlnet_forward,
    .backward = ad__xlnet_backward,
    .embed_backward = ad__xlnet_embed_backward,
};
