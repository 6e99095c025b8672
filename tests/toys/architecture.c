/* X(TOY, toy) */
/* An architecture in one file and the line above, which the build adds to autodidact/model/architectures.h for
 * unit.architecture. Nothing else is touched. It has no attention: half a state is the token's word, the other half the
 * same again, and a layer is a matrix. Its row table is narrower than its states, a layer has one bucket, and all
 * layers share a bias. */
#include <string.h>

#include "autodidact/base/status.h"
#include "model/encoder_internal.h"
#include "model/folder.h"

struct toy_embedding {
  size_t word, bias, shared;
};
struct toy_layer {
  size_t weight, bias;
};
struct toy {
  float *dword; /* [T,H/2] */
};
struct toy_state {
  float *xc;       /* [B,H] last layer: the [CLS] rows of x */
  ad_bf16 *x_rows; /* of the product's input */
};

static void list_embedding(struct ad__tensors *list, const struct ad_model_config *m, void *offsets) {
  struct toy_embedding *o = offsets;
  o->word = ad__tensor(list, &(struct ad__tensor_row){"words.weight", m->vocab, m->hidden / 2, AD_INIT_NORMAL,
                                                      AD_DECAY | AD_ROW_BLOCKED, 0});
  o->bias = ad__tensor(list, &(struct ad__tensor_row){"words.bias", m->hidden, 1, AD_INIT_ONE, 0, 0});
  o->shared = ad__tensor(list, &(struct ad__tensor_row){"words.shared", m->hidden, 1, AD_INIT_ZERO, 0, 0});
}

static void list_layer(struct ad__tensors *list, const struct ad_model_config *m, uint32_t layer, void *offsets) {
  struct toy_layer *o = offsets;
  (void)layer;
  o->weight =
      ad__tensor(list, &(struct ad__tensor_row){"mix.weight", m->hidden, m->hidden, AD_INIT_NORMAL, AD_DECAY, 0});
  o->bias = ad__tensor(list, &(struct ad__tensor_row){"mix.bias", m->hidden, 1, AD_INIT_ZERO, 0, 0});
}

static void list_linears(struct ad__linears *list, const struct ad_params *params) {
  const struct toy_layer *o = params->layer;
  for (uint32_t l = 0; l < params->config.layers; l++) {
    ad__linear(list, o[l].weight, params->config.hidden, params->config.hidden, 0);
  }
}

static int read_config(const char *path, const json_t *root, struct ad_model_config *m) {
  m->types = 2;
  AD_TRY(ad__config_count(path, root, "width", 1 << 10, &m->hidden));
  AD_TRY(ad__config_count(path, root, "depth", 100, &m->layers));
  AD_TRY(ad__config_count(path, root, "words", 1 << 20, &m->vocab));
  return ad__config_count(path, root, "longest", 1 << 20, &m->positions);
}

static int write_config(const struct ad_model_config *m, json_t *root) {
  return json_object_set_new(root, "width", json_integer(m->hidden)) |
         json_object_set_new(root, "depth", json_integer(m->layers)) |
         json_object_set_new(root, "words", json_integer(m->vocab)) |
         json_object_set_new(root, "longest", json_integer(m->positions));
}

static int check(const struct ad_model_config *m) {
  return m->hidden % 2 == 0 && m->layers > 0 ? AD_OK : ad_fail(AD_ECONFIG, "model: no toy");
}

static int recognise(struct ad_model_config *m, ad_shape_of shape, void *context) {
  uint32_t word[2], mix[2];
  AD_TRY(shape(context, "words.weight", word));
  AD_TRY(shape(context, "layer.0.mix.weight", mix));
  *m = (struct ad_model_config){
      .architecture = m->architecture, .hidden = mix[0], .layers = mix[0] > 0, .vocab = word[0]};
  return AD_OK;
}

static void take(struct ad_encoder *e, void *own) {
  struct toy unused, *toy = own == NULL ? &unused : own;
  toy->dword = ad__take_gradient(e, e->params->config.hidden / 2);
}

static void take_layer(struct ad_encoder *e, void *own, int last) {
  struct toy_state unused, *s = own == NULL ? &unused : own;
  s->xc = ad__take(e, last ? e->read_rows * e->params->config.hidden : 1);
  s->x_rows = ad__take_rows(e, last ? e->read_rows : e->token_rows, e->params->config.hidden);
}

static struct ad__work work(const struct ad_model_config *m) {
  return (struct ad__work){.columns = m->hidden, .sum = m->hidden, .shared = m->hidden};
}

static void embed(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                  const struct ad_masks *masks) {
  const struct toy_embedding *o = e->params->embedding;
  const size_t H = e->params->config.hidden;
  float *x = e->layers[0].x;
  (void)masks;
  for (size_t t = 0; t < 2 * batch->tokens; t++) {
    memcpy(x + t * (H / 2), theta + o->word + batch->ids[t / 2] * (H / 2), H / 2 * sizeof *x);
  }
  e->kernels->bias(batch->tokens, H, x, H, theta + o->bias);
}

static void forward(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                    const struct ad_masks *masks, uint32_t l) {
  const struct toy_layer *o = (const struct toy_layer *)e->params->layer + l;
  const struct toy_state *s = e->layers[l].own;
  const int last = l + 1 == e->params->config.layers;
  const size_t H = e->params->config.hidden, M = last ? e->reads : batch->tokens;
  const float *x = last ? s->xc : e->layers[l].x;
  (void)masks;
  for (size_t b = 0; last && b < M; b++) {
    memcpy(s->xc + b * H, e->layers[l].x + e->read_row[b] * H, H * sizeof *x);
  }
  const struct ad__operand input = ad__operand(e, M, H, x, H, s->x_rows);
  ad__product(e, M, &input, o->weight, e->layers[l].out, H);
  e->kernels->bias(M, H, e->layers[l].out, H, theta + o->bias);
  e->kernels->bias(M, H, e->layers[l].out, H, theta + ((const struct toy_embedding *)e->params->embedding)->shared);
}

static int backward(struct ad__backward *p, uint32_t l) {
  struct ad_encoder *e = p->e;
  const struct toy_layer *o = (const struct toy_layer *)e->params->layer + l;
  const struct toy_state *s = e->layers[l].own;
  const int tokens = l + 1 < e->params->config.layers;
  const size_t H = e->params->config.hidden, T = p->batch->tokens, M = tokens ? T : e->reads;
  float *dout = e->dx;
  AD_TRY(ad__bucket_open(p, ad__layer_bucket(e->params, l, 0), H));
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, tokens);
    e->kernels->column_sum(r.count, H, dout + r.first * H, H, ad__lane_sum(p, lane, 0));
    if (ad__shared_sum(p, lane, 0) != NULL) {
      e->kernels->column_sum(r.count, H, dout + r.first * H, H, ad__shared_sum(p, lane, 0));
    }
  }
  const struct ad__operand dy = ad__output_gradient(e, M, H, dout, H),
                           x = {tokens ? e->layers[l].x : s->xc, H, s->x_rows, ad_bf16_depth(H)};
  AD_TRY(ad__weight_gradient(p, o->weight, &dy, &x, tokens));
  AD_TRY(ad__column_gradient(p, o->bias, 0, H));
  ad__input_gradient(e, M, &dy, o->weight, e->dz, H, 0);
  e->dx = e->dz;
  e->dz = dout;
  if (!tokens) {
    memset(e->dz, 0, T * H * sizeof(float));
    for (size_t lane = 0; lane < p->batch->lanes; lane++) {
      const struct ad_lane_rows r = ad__lane_rows(p, lane, 0);
      e->kernels->scatter_add(r.count, H, e->read_row + r.first, e->dx + r.first * H, e->dz);
    }
    e->dz = e->dx;
    e->dx = dout;
  }
  return ad__bucket_close(p);
}

static int embed_backward(struct ad__backward *p) {
  struct ad_encoder *e = p->e;
  const struct toy_embedding *o = e->params->embedding;
  const size_t H = e->params->config.hidden;
  float *dword = ((const struct toy *)e->own)->dword;
  AD_TRY(ad__bucket_open(p, 0, H));
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 1);
    e->kernels->column_sum(r.count, H, e->dx + r.first * H, H, ad__lane_sum(p, lane, 0));
  }
  for (size_t i = 0; i < p->batch->tokens * H / 2; i++) {
    const float *both = e->dx + i / (H / 2) * H + i % (H / 2);
    dword[i] = both[0] + both[H / 2];
  }
  AD_TRY(ad__row_table_gradient(p, dword));
  AD_TRY(ad__column_gradient(p, o->bias, 0, H));
  AD_TRY(ad__shared_gradient(p, o->shared, 0, H));
  return ad__bucket_close(p);
}

static const struct ad__alias aliases[] = {{"mix.gamma", "mix.weight"}, {NULL, NULL}};
static const char *const inside[] = {"words.", "layer.", NULL}, *const buffers[] = {NULL};
static const struct ad__model_type types[] = {{"toy", "Toy"}, {NULL, NULL}};
static const char *const keys[] = {"width", "depth", "words", "longest", NULL};

const struct ad_architecture ad_architecture_toy = {
    .title = "Toy",
    .model_types = types,
    .form = {.second_type = 1},
    .parts = 1,
    .embedding_size = sizeof(struct toy_embedding),
    .layer_size = sizeof(struct toy_layer),
    .list_embedding = list_embedding,
    .list_layer = list_layer,
    .list_linears = list_linears,
    .prefix = "toy.",
    .layer_prefix = "layer.",
    .head = {.dense = {"pooler.weight", "pooler.bias"},
             .classifier = {"out.weight", "out.bias"},
             .activation = AD_HEAD_TANH,
             .pretrained = 1},
    .aliases = aliases,
    .inside = inside,
    .buffers = buffers,
    .keys = keys,
    .read_config = read_config,
    .write_config = write_config,
    .check = check,
    .recognise = recognise,
    .own_size = sizeof(struct toy),
    .layer_own_size = sizeof(struct toy_state),
    .take = take,
    .take_layer = take_layer,
    .work = work,
    .embed = embed,
    .forward = forward,
    .backward = backward,
    .embed_backward = embed_backward,
};
