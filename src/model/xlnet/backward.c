/* What forward.c did, undone. */
#include <string.h>

#include "autodidact/base/status.h"
#include "xlnet.h"

/* Column sums of a layer's two buckets: places in a lane's row. */
struct attention_columns {
  size_t content, position, segment, segments, norm1_weight, norm1_bias, unused, total;
};
struct ffn_columns {
  size_t down, norm2_weight, norm2_bias, up, total;
};

static struct attention_columns attention_columns(size_t H) {
  return (struct attention_columns){.content = 0,
                                    .position = H,
                                    .segment = 2 * H,
                                    .segments = 3 * H,
                                    .norm1_weight = 5 * H,
                                    .norm1_bias = 6 * H,
                                    .unused = 7 * H,
                                    .total = 8 * H};
}

static struct ffn_columns ffn_columns(size_t H, size_t F) {
  return (struct ffn_columns){.down = 0, .norm2_weight = H, .norm2_bias = 2 * H, .up = 3 * H, .total = 3 * H + F};
}

struct ad__work ad__xlnet_work(const struct ad_model_config *m) {
  const size_t H = m->hidden, F = m->ffn, a = attention_columns(H).total, f = ffn_columns(H, F).total;
  return (struct ad__work){.columns = a > f ? a : f, .sum = F > 2 * H ? F : 2 * H, .rows = 2};
}

/* dx: gradient of the layer's output, M rows. On return dz is that of y1's residual plus the product's: the whole
 * gradient of y1. */
static int backward_ffn(struct ad__backward *p, uint32_t l, const struct ad__feed *f, const struct ffn_columns *c) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct xlnet_layer_offsets *o = ad__xlnet_layer(e, l);
  const struct ad__block *s = ad__xlnet_block(e, l);
  const size_t H = m->hidden, F = m->ffn, M = f->rows;
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, p->masks, l + 1, AD_MASK_FFN_OUTPUT);
  struct ad__operand du, g;

  /* 6 out = norm(dropout(g W2^T + b2) + y1) */
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, f->tokens);
    const size_t at = r.first * H;
    e->kernels->bias_residual_norm_backward(
        r.count, H, e->dx + at, s->z2 + at, s->mean2 + r.first, s->rstd2 + r.first, p->theta + o->norm2_weight,
        &dropout, f->streams + r.first, f->places + r.first, e->dz + at, e->dy + at,
        ad__lane_sum(p, lane, c->norm2_weight), ad__lane_sum(p, lane, c->norm2_bias), ad__lane_sum(p, lane, c->down));
  }
  const struct ad__operand dy = ad__input(e, M, H, e->dy, H);
  /* 5 g = dropout(activation(u + b1)) */
  ad__feed_backward(p, f, s, &dy, c->up, &du, &g);
  AD_TRY(ad__weight_gradient(p, o->down_weight, &dy, &g, f->tokens));
  /* 4 u = y1 W1^T */
  const struct ad__operand y1 =
      ad__normed(e, M, s->y1, s->z1, s->mean1, s->rstd1, p->theta + o->norm1_weight, p->theta + o->norm1_bias);
  AD_TRY(ad__weight_gradient(p, o->up_weight, &du, &y1, f->tokens));
  ad__input_gradient(e, M, &du, o->up_weight, e->dz, H, 1);
  AD_TRY(ad__column_gradient(p, o->down_bias, c->down, H));
  AD_TRY(ad__column_gradient(p, o->norm2_weight, c->norm2_weight, H));
  AD_TRY(ad__column_gradient(p, o->norm2_bias, c->norm2_bias, H));
  return ad__column_gradient(p, o->up_bias, c->up, F);
}

/* 3 y1 = norm(dropout(context Wo^T) + x): dz (gradient of y1) becomes that of the residual, dx that of the context. */
static int backward_output(struct ad__backward *p, uint32_t l, const struct ad__feed *f,
                           const struct attention_columns *c) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct xlnet_layer_offsets *o = ad__xlnet_layer(e, l);
  const struct ad__block *s = ad__xlnet_block(e, l);
  const size_t H = m->hidden;
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, p->masks, l + 1, AD_MASK_ATTENTION_OUTPUT);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, f->tokens);
    const size_t at = r.first * H;
    e->kernels->bias_residual_norm_backward(
        r.count, H, e->dz + at, s->z1 + at, s->mean1 + r.first, s->rstd1 + r.first, p->theta + o->norm1_weight,
        &dropout, f->streams + r.first, f->places + r.first, e->dz + at, e->dy + at,
        ad__lane_sum(p, lane, c->norm1_weight), ad__lane_sum(p, lane, c->norm1_bias), ad__lane_sum(p, lane, c->unused));
  }
  const struct ad__operand dy = ad__output_gradient(e, f->rows, H, e->dy, H), context = ad__operand_kept(&s->context);
  AD_TRY(ad__weight_gradient(p, o->output, &dy, &context, f->tokens));
  ad__input_gradient(e, f->rows, &dy, o->output, e->dx, H, 0);
  AD_TRY(ad__column_gradient(p, o->norm1_weight, c->norm1_weight, H));
  return ad__column_gradient(p, o->norm1_bias, c->norm1_bias, H);
}

/* With bfloat16: rows of the gradients of keys, of values and, before them, of queries. */
static ad_bf16 *gradient_rows(const struct ad_encoder *e, size_t part) {
  return e->gradient_rows + part * e->token_rows * ad_bf16_depth(e->params->config.hidden);
}

/* 2 context = attention(q, k, v, relative), of one example: dx (gradient of the context) to dq, dk, dv and that of the
 * relative keys. */
static void backward_example(struct ad__backward *p, uint32_t l, size_t lane, size_t b, size_t row,
                             const struct ad_dropout *dropout, const struct attention_columns *c) {
  struct ad_encoder *e = p->e;
  const struct xlnet *x = e->own;
  const struct ad__block *s = ad__xlnet_block(e, l);
  const size_t H = e->params->config.hidden, t = p->batch->offset[b], S = p->batch->length[b];
  const int last = l + 1 == e->params->config.layers;
  const struct ad__qkv at = ad__qkv(e, s, t, S, (struct ad_lane_rows){row, 1}, last);
  const struct ad__qkv_gradient to = ad__qkv_gradient(e, &at, t, row, last);
  const struct ad_relative r = ad__xlnet_attention(e, p->theta, p->batch, dropout, l, b, &at);
  const struct ad_relative_gradient gradient = {.dQ = to.dq,
                                                .dK = to.dk,
                                                .dV = to.dv,
                                                .dR = x->drelative + (last ? t : 2 * t) * H,
                                                .dcontent_bias = ad__lane_sum(p, lane, c->content),
                                                .dposition_bias = ad__lane_sum(p, lane, c->position),
                                                .dsegment_bias = ad__lane_sum(p, lane, c->segment),
                                                .dsegments = ad__lane_sum(p, lane, c->segments)};
  e->kernels->relative_attention_backward(&r, e->dx + row * H, H, &gradient, x->work);
  if (!last) {
    memset(x->drelative + (2 * (t + S) - 1) * H, 0, H * sizeof(float)); /* nobody's */
  }
  const float *parts[] = {to.dq, to.dk, to.dv};
  for (size_t i = last; e->math->bf16 != NULL && i < 3; i++) {
    ad_bf16_round(e->math->bf16, S, H, parts[i], s->qkv.n, gradient_rows(e, i) + t * ad_bf16_depth(H));
  }
}

/* Example by example in the order of each lane. */
static void backward_attention(struct ad__backward *p, uint32_t l, const struct attention_columns *c) {
  const struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const int last = l + 1 == m->layers;
  const struct ad_dropout dropout = ad_encoder_dropout(m->attention_dropout, p->masks, l + 1, AD_MASK_ATTENTION);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const size_t first = p->batch->lane_example[lane];
    for (size_t b = first; b < p->batch->lane_example[lane + 1]; b++) {
      const size_t row = last ? e->lane_rows[0][lane].first + (b - first) : p->batch->offset[b];
      backward_example(p, l, lane, b, row, &dropout, c);
    }
  }
}

/* The weight of the relative rows. Their gradient goes no further. */
static int backward_distances(struct ad__backward *p, uint32_t l) {
  struct ad_encoder *e = p->e;
  const struct xlnet *x = e->own;
  const size_t H = e->params->config.hidden, T = p->batch->tokens, offset = ad__xlnet_layer(e, l)->relative;
  const int last = l + 1 == e->params->config.layers;
  const size_t M = last ? T : 2 * T;
  const struct ad__operand dy = ad__operand(e, M, H, x->drelative, H, e->inner_rows);
  const struct ad__operand input = ad__input(e, M, H, last ? x->relative_last : x->relative, H);
  if (last) {
    return ad__weight_gradient(p, offset, &dy, &input, 1);
  }
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 1);
    x->lanes[lane] = (struct ad_lane_rows){2 * r.first, 2 * r.count};
  }
  return ad__weight_gradient_of(p, offset, &dy, &input, x->lanes, 2 * e->token_rows);
}

/* The layer's input as products read it. */
static struct ad__operand layer_input(struct ad__backward *p, uint32_t l) {
  struct ad_encoder *e = p->e;
  const size_t H = e->params->config.hidden;
  const struct ad__layer *layer = &e->layers[l];
  if (e->math->bf16 == NULL || layer->x_rows != e->state_rows) {
    return (struct ad__operand){layer->x, H, layer->x_rows, ad_bf16_depth(H)};
  }
  const struct xlnet_layer_offsets *o = ad__xlnet_layer(e, l - 1);
  const struct ad__block *s = ad__xlnet_block(e, l - 1);
  return ad__normed(e, p->batch->tokens, NULL, s->z2, s->mean2, s->rstd2, p->theta + o->norm2_weight,
                    p->theta + o->norm2_bias);
}

/* 1 What comes through one of queries, keys and values: the gradient dy of its rows, tokens or class tokens. It joins
 * dx, or with `begins` it is dx: the gradient of the layer's input. */
static int backward_projected(struct ad__backward *p, uint32_t l, size_t weight, const struct ad__operand *dy,
                              const struct ad__operand *x, int tokens, float *dx, int begins) {
  struct ad_encoder *e = p->e;
  const size_t H = e->params->config.hidden, M = tokens ? p->batch->tokens : e->reads;
  AD_TRY(ad__weight_gradient(p, weight, dy, x, tokens));
  if (!ad__is_lowest(p, l)) {
    ad__input_gradient(e, M, dy, weight, dx, H, !begins);
  }
  return AD_OK;
}

/* The gradient of queries, keys or values, part 0 to 2 of dqkv; the last layer has no part 0. */
static struct ad__operand gradient_of(const struct ad_encoder *e, uint32_t l, size_t part) {
  const size_t H = e->params->config.hidden, last = l + 1 == e->params->config.layers;
  return (struct ad__operand){e->dqkv == NULL ? NULL : e->dqkv + (part - last) * H, (3 - last) * H,
                              e->dqkv == NULL ? gradient_rows(e, part) : NULL, ad_bf16_depth(H)};
}

/* In the last layer: dz [B] and what comes through the queries, whose gradient is dy [B,H], join what comes through
 * keys and values in dx. */
static int backward_last_projection(struct ad__backward *p, uint32_t l) {
  struct ad_encoder *e = p->e;
  const struct xlnet_layer_offsets *o = ad__xlnet_layer(e, l);
  const struct ad__block *s = ad__xlnet_block(e, l);
  const size_t H = e->params->config.hidden, B = e->reads;
  const struct ad__operand cls = ad__input(e, B, H, s->xc, H), dq = ad__operand(e, B, H, e->dy, H, e->inner_rows);
  const struct ad__operand dk = gradient_of(e, l, 1), dv = gradient_of(e, l, 2);
  AD_TRY(backward_projected(p, l, o->query, &dq, &cls, 0, e->dz, 0));
  const struct ad__operand x = layer_input(p, l);
  AD_TRY(backward_projected(p, l, o->key, &dk, &x, 1, e->dx, 1));
  AD_TRY(backward_projected(p, l, o->value, &dv, &x, 1, e->dx, 0));
  for (size_t lane = 0; lane < p->batch->lanes && !ad__is_lowest(p, l); lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 0);
    e->kernels->scatter_add(r.count, H, e->read_row + r.first, e->dz + r.first * H, e->dx);
  }
  return AD_OK;
}

/* 1 dz (gradient of the residual) plus what comes through queries, keys and values: dx becomes the gradient of the
 * layer's input. */
static int backward_projection(struct ad__backward *p, uint32_t l) {
  struct ad_encoder *e = p->e;
  const struct xlnet_layer_offsets *o = ad__xlnet_layer(e, l);
  const size_t weights[3] = {o->query, o->key, o->value};
  const struct ad__operand x = layer_input(p, l);
  for (size_t i = 0; i < 3; i++) {
    const struct ad__operand dy = gradient_of(e, l, i);
    AD_TRY(backward_projected(p, l, weights[i], &dy, &x, 1, e->dz, 0));
  }
  if (!ad__is_lowest(p, l)) {
    float *held = e->dx;
    e->dx = e->dz;
    e->dz = held;
  }
  return AD_OK;
}

static int backward_relative(struct ad__backward *p, uint32_t l, const struct attention_columns *c) {
  const struct xlnet_layer_offsets *o = ad__xlnet_layer(p->e, l);
  const size_t H = p->e->params->config.hidden;
  backward_attention(p, l, c);
  AD_TRY(ad__column_gradient(p, o->content_bias, c->content, H));
  AD_TRY(ad__column_gradient(p, o->position_bias, c->position, H));
  AD_TRY(ad__column_gradient(p, o->segment_bias, c->segment, H));
  AD_TRY(ad__column_gradient(p, o->segments, c->segments, 2 * H));
  AD_TRY(backward_distances(p, l));
  return l + 1 == p->e->params->config.layers ? backward_last_projection(p, l) : backward_projection(p, l);
}

int ad__xlnet_backward(struct ad__backward *p, uint32_t l) {
  const struct ad_params *params = p->e->params;
  const struct ffn_columns f = ffn_columns(params->config.hidden, params->config.ffn);
  const struct attention_columns a = attention_columns(params->config.hidden);
  const struct ad__feed feed = ad__xlnet_feed(p->e, p->batch, p->masks, l);
  AD_TRY(ad__bucket_open(p, ad__layer_bucket(params, l, XLNET_FFN), f.total));
  AD_TRY(backward_ffn(p, l, &feed, &f));
  AD_TRY(ad__bucket_close(p));
  AD_TRY(ad__bucket_open(p, ad__layer_bucket(params, l, XLNET_ATTENTION), a.total));
  AD_TRY(backward_output(p, l, &feed, &a));
  AD_TRY(backward_relative(p, l, &a));
  return ad__bucket_close(p);
}

int ad__xlnet_embed_backward(struct ad__backward *p) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const size_t H = m->hidden;
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, p->masks, 0, AD_MASK_EMBEDDING);
  AD_TRY(ad__bucket_open(p, 0, H));
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 1);
    e->kernels->dropout(r.count, H, e->dx + r.first * H, &dropout, p->batch->token_stream + r.first,
                        p->batch->places + r.first);
  }
  AD_TRY(ad__row_table_gradient(p, e->dx));
  AD_TRY(ad__column_gradient(p, ad__xlnet_embedding(e)->mask, 0, H)); /* zeros: no forward reads it */
  return ad__bucket_close(p);
}
