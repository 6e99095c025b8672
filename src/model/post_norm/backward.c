/* What forward.c did, undone. */
#include "autodidact/base/status.h"
#include "post_norm.h"

/* Column sums of a layer's two buckets: places in a lane's row. */
struct attention_columns {
  size_t qkv, output, norm1_weight, norm1_bias, total;
};
struct ffn_columns {
  size_t down, norm2_weight, norm2_bias, up, total;
};

static struct attention_columns attention_columns(size_t H) {
  return (struct attention_columns){
      .qkv = 0, .output = 3 * H, .norm1_weight = 4 * H, .norm1_bias = 5 * H, .total = 6 * H};
}

static struct ffn_columns ffn_columns(size_t H, size_t F) {
  return (struct ffn_columns){.down = 0, .norm2_weight = H, .norm2_bias = 2 * H, .up = 3 * H, .total = 3 * H + F};
}

struct embedding_columns {
  size_t norm_weight, norm_bias, project, total;
};

static struct embedding_columns embedding_columns(const struct ad_model_config *m) {
  const size_t E = ad_model_embedding(m);
  return (struct embedding_columns){
      .norm_weight = 0, .norm_bias = E, .project = 2 * E, .total = 2 * E + (m->embedding > 0 ? m->hidden : 0)};
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

struct ad__work ad__post_norm_work(const struct ad_model_config *m) {
  const size_t H = m->hidden, F = m->ffn, E = ad_model_embedding(m);
  const size_t table = larger(2, larger(m->positions, m->types)) * E, layer = larger(3 * H, F);
  return (struct ad__work){
      .columns = larger(larger(attention_columns(H).total, ffn_columns(H, F).total), embedding_columns(m).total),
      .sum = larger(larger(table, layer), (size_t)m->buckets * m->heads),
      .shared = ad__post_norm_shared(m)};
}

/* dx: gradient of the layer's output, M rows. On return dz is that of y1's residual plus the product's: the whole
 * gradient of y1. */
static int backward_ffn(struct ad__backward *p, uint32_t l, const struct ad__feed *f, const struct ffn_columns *c) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct post_norm_layer_offsets *o = ad__post_norm_layer(e, l);
  const struct ad__block *s = e->layers[l].own;
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
  /* 5 g = activation(u + b1) */
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

/* 3 y1 = norm(dropout(context Wo^T + bo) + x): dz (gradient of y1) becomes that of the residual, dx that of the
 * context. */
static int backward_attention_output(struct ad__backward *p, uint32_t l, const struct ad__feed *f,
                                     const struct attention_columns *c) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct post_norm_layer_offsets *o = ad__post_norm_layer(e, l);
  const struct ad__block *s = e->layers[l].own;
  const size_t H = m->hidden;
  const struct ad_dropout dropout = ad__post_norm_output_dropout(m, p->masks, l);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, f->tokens);
    const size_t at = r.first * H;
    e->kernels->bias_residual_norm_backward(
        r.count, H, e->dz + at, s->z1 + at, s->mean1 + r.first, s->rstd1 + r.first, p->theta + o->norm1_weight,
        &dropout, f->streams + r.first, f->places + r.first, e->dz + at, e->dy + at,
        ad__lane_sum(p, lane, c->norm1_weight), ad__lane_sum(p, lane, c->norm1_bias), ad__lane_sum(p, lane, c->output));
  }
  const struct ad__operand dy = ad__output_gradient(e, f->rows, H, e->dy, H), context = ad__operand_kept(&s->context);
  AD_TRY(ad__weight_gradient(p, o->output_weight, &dy, &context, f->tokens));
  ad__input_gradient(e, f->rows, &dy, o->output_weight, e->dx, H, 0);
  AD_TRY(ad__column_gradient(p, o->output_bias, c->output, H));
  AD_TRY(ad__column_gradient(p, o->norm1_weight, c->norm1_weight, H));
  return ad__column_gradient(p, o->norm1_bias, c->norm1_bias, H);
}

/* 2 context = attention(q, k, v), of one example whose queries are the rows r: dx (gradient of the context) to dq, dk,
 * dv and their column sums. */
static void backward_example(struct ad__backward *p, uint32_t l, size_t lane, size_t b, struct ad_lane_rows r,
                             const struct ad_dropout *dropout, float *sums) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct ad__block *s = e->layers[l].own;
  const size_t H = m->hidden, t = p->batch->offset[b], S = p->batch->length[b], depth = ad_bf16_depth(s->qkv.n);
  const int last = l + 1 == m->layers;
  const struct ad_distance_bias bias =
      ad__post_norm_bias(e, last ? e->read_place + r.first : NULL, ad__shared_sum(p, lane, 0));
  const struct ad__qkv at = ad__qkv(e, s, t, S, r, last);
  const struct ad__qkv_gradient to = ad__qkv_gradient(e, &at, t, r.first, last);
  e->kernels->attention_backward(r.count, S, m->heads, H / m->heads, at.q, at.ldq, at.k, at.v, at.ldk, dropout,
                                 p->batch->stream[b], bias.values == NULL ? NULL : &bias, e->dx + r.first * H, H, to.dq,
                                 to.dk, to.dv, ((const struct post_norm_state *)e->own)->attention_work);
  e->kernels->column_sum(r.count, H, to.dq, at.ldq, sums);
  e->kernels->column_sum(S, 2 * H, to.dk, at.ldk, sums + H);
  if (e->math->bf16 != NULL) {
    ad_bf16_round(e->math->bf16, S, s->qkv.n, last ? to.dk : to.dq, s->qkv.n, e->gradient_rows + t * depth);
  }
}

static void backward_attention(struct ad__backward *p, uint32_t l, const struct attention_columns *c) {
  const struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const int last = l + 1 == m->layers;
  const struct ad_dropout dropout = ad_encoder_dropout(m->attention_dropout, p->masks, l + 1, AD_MASK_ATTENTION);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    size_t next = e->lane_rows[0][lane].first;
    for (size_t b = p->batch->lane_example[lane]; b < p->batch->lane_example[lane + 1]; b++) {
      const size_t t = p->batch->offset[b], S = p->batch->length[b];
      const struct ad_lane_rows r = last ? ad__example_reads(e, lane, t + S, &next) : (struct ad_lane_rows){t, S};
      backward_example(p, l, lane, b, r, &dropout, ad__lane_sum(p, lane, c->qkv));
    }
  }
}

/* The layer's input as products read it. */
static struct ad__operand layer_input(struct ad__backward *p, uint32_t l) {
  struct ad_encoder *e = p->e;
  const size_t H = e->params->config.hidden;
  const struct ad__layer *layer = &e->layers[l];
  if (e->math->bf16 == NULL || layer->x_rows != e->state_rows) {
    return (struct ad__operand){layer->x, H, layer->x_rows, ad_bf16_depth(H)};
  }
  const struct post_norm_layer_offsets *o = ad__post_norm_layer(e, l - 1);
  const struct ad__block *s = e->layers[l - 1].own;
  return ad__normed(e, p->batch->tokens, NULL, s->z2, s->mean2, s->rstd2, p->theta + o->norm2_weight,
                    p->theta + o->norm2_bias);
}

/* 1 In the last layer: what comes through the queries of the read rows joins dz. */
static int backward_last_query(struct ad__backward *p, uint32_t l) {
  struct ad_encoder *e = p->e;
  const struct post_norm_layer_offsets *o = ad__post_norm_layer(e, l);
  const struct ad__block *s = e->layers[l].own;
  const size_t H = e->params->config.hidden, B = e->reads;
  const struct ad__operand dy = ad__operand(e, B, H, e->dy, H, e->inner_rows), x = ad__input(e, B, H, s->xc, H);
  AD_TRY(ad__weight_gradient(p, o->query_weight, &dy, &x, 0));
  if (!ad__is_lowest(p, l)) {
    ad__input_gradient(e, B, &dy, o->query_weight, e->dz, H, 1);
  }
  return AD_OK;
}

/* 1 and 2: dz (gradient of the residual) plus what comes through attention: dx becomes the gradient of the layer's
 * input, T rows. */
static int backward_projection(struct ad__backward *p, uint32_t l, const struct attention_columns *c) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct post_norm_layer_offsets *o = ad__post_norm_layer(e, l);
  const struct ad__block *s = e->layers[l].own;
  const size_t H = m->hidden, T = p->batch->tokens, n = s->qkv.n;
  const struct ad__operand dy = {e->dqkv, n, e->gradient_rows, ad_bf16_depth(n)};
  backward_attention(p, l, c);
  AD_TRY(ad__column_gradient(p, o->query_bias, c->qkv, 3 * H));
  if (l + 1 < m->layers) {
    const struct ad__operand input = layer_input(p, l);
    AD_TRY(ad__weight_gradient(p, o->query_weight, &dy, &input, 1));
    if (ad__is_lowest(p, l)) {
      return AD_OK;
    }
    ad__input_gradient(e, T, &dy, o->query_weight, e->dz, H, 1);
    float *held = e->dx;
    e->dx = e->dz;
    e->dz = held;
    return AD_OK;
  }
  AD_TRY(backward_last_query(p, l));
  const struct ad__operand input = layer_input(p, l);
  AD_TRY(ad__weight_gradient(p, o->key_weight, &dy, &input, 1));
  if (ad__is_lowest(p, l)) {
    return AD_OK;
  }
  ad__input_gradient(e, T, &dy, o->key_weight, e->dx, H, 0);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 0);
    e->kernels->scatter_add(r.count, H, e->read_row + r.first, e->dz + r.first * H, e->dx);
  }
  return AD_OK;
}

int ad__post_norm_backward(struct ad__backward *p, uint32_t l) {
  const struct ad_params *params = p->e->params;
  const struct ffn_columns f = ffn_columns(params->config.hidden, params->config.ffn);
  const struct attention_columns a = attention_columns(params->config.hidden);
  const struct ad__feed feed = ad__post_norm_feed(p->e, p->batch, l);
  AD_TRY(ad__bucket_open(p, ad__layer_bucket(params, l, POST_NORM_FFN), f.total));
  AD_TRY(backward_ffn(p, l, &feed, &f));
  AD_TRY(ad__bucket_close(p));
  AD_TRY(ad__bucket_open(p, ad__layer_bucket(params, l, POST_NORM_ATTENTION), a.total));
  AD_TRY(backward_attention_output(p, l, &feed, &a));
  AD_TRY(backward_projection(p, l, &a));
  return ad__bucket_close(p);
}

/* 0 x = normed Wp^T + bp, where the embeddings are projected: dx to the gradient of normed, which is returned. */
static int backward_embedding_projection(struct ad__backward *p, const struct embedding_columns *c) {
  struct ad_encoder *e = p->e;
  const struct post_norm_embedding_offsets *o = ad__post_norm_embedding(e);
  const struct post_norm_state *s = e->own;
  const size_t H = e->params->config.hidden, E = ad_model_embedding(&e->params->config), T = p->batch->tokens;
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 1);
    e->kernels->column_sum(r.count, H, e->dx + r.first * H, H, ad__lane_sum(p, lane, c->project));
  }
  AD_TRY(ad__column_gradient(p, o->project_bias, c->project, H));
  const struct ad__operand dy = ad__output_gradient(e, T, H, e->dx, H), normed = ad__input(e, T, E, s->normed, E);
  AD_TRY(ad__weight_gradient(p, o->project_weight, &dy, &normed, 1));
  ad__input_gradient(e, T, &dy, o->project_weight, s->dnormed, E, 0);
  return AD_OK;
}

/* The tables, from the gradient dz [T,E] of a token's sum of rows. */
static int backward_tables(struct ad__backward *p, const float *dz) {
  const struct ad_model_config *m = &p->e->params->config;
  const struct post_norm_embedding_offsets *o = ad__post_norm_embedding(p->e);
  const size_t E = ad_model_embedding(m);
  /* Where padding is not counted, its position is not trained either. */
  const uint32_t padding = m->first_position > 0 ? m->padding : 0;
  uint32_t longest = 0;
  for (size_t t = 0; t < p->batch->tokens; t++) {
    longest = p->batch->positions[t] >= longest ? p->batch->positions[t] + 1 : longest;
  }
  AD_TRY(ad__row_table_gradient(p, dz));
  AD_TRY(ad__table_gradient(p, o->position, m->positions, longest, padding, p->batch->positions, dz, E));
  return m->types == 0 ? AD_OK : ad__table_gradient(p, o->type, m->types, m->types, 0, p->batch->types, dz, E);
}

int ad__post_norm_embed_backward(struct ad__backward *p) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct post_norm_embedding_offsets *o = ad__post_norm_embedding(e);
  const struct post_norm_state *s = e->own;
  const size_t E = ad_model_embedding(m);
  const struct embedding_columns c = embedding_columns(m);
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, p->masks, 0, AD_MASK_EMBEDDING);
  float *dout = s->normed == NULL ? e->dx : s->dnormed, *dz = s->normed == NULL ? e->dz : s->dnormed;
  AD_TRY(ad__bucket_open(p, 0, c.total));
  if (s->normed != NULL) {
    AD_TRY(backward_embedding_projection(p, &c));
  }
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 1);
    const size_t at = r.first * E;
    e->kernels->norm_backward(r.count, E, dout + at, s->embedded + at, s->mean0 + r.first, s->rstd0 + r.first,
                              p->theta + o->norm_weight, &dropout, p->batch->token_stream + r.first,
                              p->batch->places + r.first, dz + at, ad__lane_sum(p, lane, c.norm_weight),
                              ad__lane_sum(p, lane, c.norm_bias));
  }
  AD_TRY(backward_tables(p, dz));
  AD_TRY(ad__column_gradient(p, o->norm_weight, c.norm_weight, E));
  AD_TRY(ad__column_gradient(p, o->norm_bias, c.norm_bias, E));
  AD_TRY(ad__post_norm_distance_gradient(p));
  return ad__bucket_close(p);
}
