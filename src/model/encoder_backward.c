#include <string.h>

#include "autodidact/base/status.h"
#include "autodidact/model/encoder.h"
#include "encoder_internal.h"

/* One backward: what every function here needs. */
struct pass {
  struct ad_encoder *e;
  const float *theta;
  const struct ad_batch *batch;
  const struct ad_masks *masks;
  const struct ad_rows *rows;
  const struct ad_gradient_sink *sink;
  uint32_t bucket;    /* the one being written */
  size_t bucket_base; /* its first float in the flat vector, less what its layout lacks (bucket 0) */
  size_t stride;      /* floats of a lane's row of column sums */
  float *place[AD_MAX_PARTS];
};

/* The rows of each lane, without the gap behind it: [CLS] rows, and tokens. */
static void find_lane_rows(struct ad_encoder *e, const struct ad_batch *batch) {
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    const size_t begin = batch->lane_example[lane], end = batch->lane_example[lane + 1];
    const size_t first = begin == end ? 0 : batch->offset[begin];
    e->lane_rows[0][lane] = (struct ad_lane_rows){begin == end ? 0 : e->lane_cls[lane], end - begin};
    e->lane_rows[1][lane] =
        (struct ad_lane_rows){first, begin == end ? 0 : batch->offset[end - 1] + batch->length[end - 1] - first};
  }
}

/* Those of one lane: tokens, or else [CLS] rows. */
static struct ad_lane_rows rows_of(const struct pass *p, size_t lane, int tokens) {
  return p->e->lane_rows[tokens][lane];
}

/* Opens a bucket: memory for its parts, and `stride` zeroed column sums for each lane. */
static int open_bucket(struct pass *p, uint32_t bucket, size_t base, size_t stride) {
  struct ad_encoder *e = p->e;
  p->bucket = bucket;
  p->bucket_base = base;
  p->stride = stride;
  AD_TRY(ad_reserve(&e->lane_sums, &e->lane_sums_capacity, p->batch->lanes * stride, sizeof(float)));
  memset(e->lane_sums, 0, p->batch->lanes * stride * sizeof(float));
  for (size_t i = 0; i < p->sink->parts; i++) {
    p->place[i] = p->sink->place(p->sink->context, bucket, i);
    if (p->place[i] == NULL) {
      return AD_ENOMEM;
    }
  }
  return AD_OK;
}

/* The tree over each part for n values at `offset` of the flat vector. */
static int sum_parts(struct pass *p, size_t offset, size_t n, ad_tree_leaf leaf, void *context) {
  struct ad_encoder *e = p->e;
  const struct ad_tree tree = {e->kernels, p->batch->lane_example, p->sink->watch};
  AD_TRY(ad_reserve(&e->tree_work, &e->tree_work_capacity, ad_tree_work(p->batch->lanes, n), sizeof(float)));
  for (size_t i = 0; i < p->sink->parts; i++) {
    ad_tree_sum(&tree, p->sink->part[i].lo, p->sink->part[i].hi, n, leaf, context,
                p->place[i] + (offset - p->bucket_base), e->tree_work);
  }
  return AD_OK;
}

/* The gradient of the weight [N,K] at `offset`: dY^T X lane by lane, combined by the tree. Rows: tokens, or else [CLS]
 * rows. */
static int weight_gradient(struct pass *p, size_t offset, size_t N, size_t K, const float *dY, size_t ldy,
                           const float *X, size_t ldx, int tokens) {
  struct ad_encoder *e = p->e;
  /* For the largest batch, so that no later step grows it. */
  AD_TRY(ad_reserve(&e->tree_work, &e->tree_work_capacity,
                    ad_gemm_tn_work(e->gemm, p->batch->lanes, tokens ? e->token_rows : e->example_rows, N, K), sizeof(float)));
  for (size_t i = 0; i < p->sink->parts; i++) {
    const struct ad_lanes lanes = {e->lane_rows[tokens], p->sink->part[i].lo, p->sink->part[i].hi, p->sink->watch};
    ad_gemm_tn(e->gemm, &lanes, N, K, dY, ldy, X, ldx, p->place[i] + (offset - p->bucket_base), e->tree_work);
  }
  return p->sink->advance == NULL ? AD_OK : p->sink->advance(p->sink->context);
}

/* Column sums: each lane's lie in its row of lane_sums at `column`. */
static float *lane_sum(const struct pass *p, size_t lane, size_t column) {
  return (float *)p->e->lane_sums + lane * p->stride + column;
}

struct columns {
  const struct pass *pass;
  size_t column, n;
};

static void columns_leaf(void *context, size_t lane, float *out) {
  const struct columns *c = context;
  memcpy(out, lane_sum(c->pass, lane, c->column), c->n * sizeof *out);
}

static int column_gradient(struct pass *p, size_t offset, size_t column, size_t n) {
  struct columns c = {p, column, n};
  return sum_parts(p, offset, n, columns_leaf, &c);
}

/* Floats of a lane's column sums in the head: pooler's bias; classifier's weight and bias. */
static size_t head_columns(const struct ad_model_config *m) {
  return m->hidden + m->classes * m->hidden + m->classes;
}

/* dx [B,H] becomes the gradient of the last layer's output. */
static int backward_head(struct pass *p, const float *dlogits) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct ad_head_offsets *o = &e->params->head;
  const struct ad_kernels *k = e->kernels;
  const size_t H = m->hidden, C = m->classes;
  const int pooler = m->classifier == AD_CLASSIFIER_POOLER;
  const struct ad_dropout dropout =
      ad_encoder_dropout(m->classifier_dropout, p->masks, m->layers + 1, AD_MASK_CLASSIFIER);
  const uint32_t bucket = e->params->buckets - 1;
  enum { POOLER_BIAS = 0 };
  const size_t weight = H, bias = H + C * H;
  float *dpooled = e->dy;
  AD_TRY(open_bucket(p, bucket, e->params->bucket_begin[bucket], head_columns(m)));
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = rows_of(p, lane, 0);
    float *dh = dpooled + r.first * H;
    k->classify_backward(r.count, C, H, dlogits + p->batch->lane_example[lane] * C, e->dropped + r.first * H,
                         p->theta + o->classifier_weight, dh, lane_sum(p, lane, weight), lane_sum(p, lane, bias));
    k->dropout(r.count, H, dh, &dropout, e->cls_stream + r.first, e->cls_position + r.first);
    if (pooler) {
      k->tanh_backward(r.count, H, dh, e->pooled + r.first * H, dh, lane_sum(p, lane, POOLER_BIAS));
    }
  }
  AD_TRY(column_gradient(p, o->classifier_weight, weight, C * H));
  AD_TRY(column_gradient(p, o->classifier_bias, bias, C));
  if (!pooler) {
    if (trains_layers(e->params)) {
      memcpy(e->dx, dpooled, e->lane_cls[p->batch->lanes] * H * sizeof *e->dx);
    }
    return p->sink->done(p->sink->context, bucket);
  }
  AD_TRY(column_gradient(p, o->pooler_bias, POOLER_BIAS, H));
  AD_TRY(weight_gradient(p, o->pooler_weight, H, H, dpooled, H, e->layers[m->layers - 1].out, H, 0));
  if (trains_layers(e->params)) {
    ad_gemm_nn(e->gemm, product_rows(e, e->lane_cls[p->batch->lanes]), H, H, dpooled, H, p->theta + o->pooler_weight, e->dx, H,
               0);
  }
  return p->sink->done(p->sink->context, bucket);
}

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

int ad_encoder_reserve(struct ad_encoder *encoder, size_t lanes, size_t touched) {
  const struct ad_model_config *m = &encoder->params->config;
  const size_t H = m->hidden, bytes = ad_encoder_backward_bytes(encoder->gemm, encoder->params, encoder->token_rows, lanes, touched);
  size_t stride = head_columns(m);
  stride = ffn_columns(H, m->ffn).total > stride ? ffn_columns(H, m->ffn).total : stride;
  stride = attention_columns(H).total > stride ? attention_columns(H).total : stride;
  AD_TRY(ad_reserve(&encoder->lane_sums, &encoder->lane_sums_capacity, lanes * stride, sizeof(float)));
  return ad_reserve(&encoder->tree_work, &encoder->tree_work_capacity, bytes / sizeof(float), sizeof(float));
}

/* dx: gradient of the layer's output, M rows. On return dz is that of y1's residual plus the product's: the whole
 * gradient of y1. */
static int backward_ffn(struct pass *p, uint32_t l, const struct ffn_columns *c) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct ad_layer_offsets *o = &e->params->layer[l];
  const struct layer_state *s = &e->layers[l];
  const struct ad_kernels *k = e->kernels;
  const int tokens = l + 1 < m->layers;
  const size_t H = m->hidden, F = m->ffn,
               rows = product_rows(e, tokens ? p->batch->tokens : e->lane_cls[p->batch->lanes]);
  const uint32_t *streams = tokens ? p->batch->token_stream : e->cls_stream;
  const uint32_t *positions = tokens ? p->batch->positions : e->cls_position;
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, p->masks, l + 1, AD_MASK_FFN_OUTPUT);

  /* 6 out = norm(dropout(g W2^T + b2) + y1) */
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = rows_of(p, lane, tokens);
    const size_t at = r.first * H;
    k->bias_residual_norm_backward(r.count, H, e->dx + at, s->z2 + at, s->mean2 + r.first, s->rstd2 + r.first,
                                   p->theta + o->norm2_weight, &dropout, streams + r.first, positions + r.first,
                                   e->dz + at, e->dy + at, lane_sum(p, lane, c->norm2_weight),
                                   lane_sum(p, lane, c->norm2_bias), lane_sum(p, lane, c->down));
  }
  AD_TRY(weight_gradient(p, o->down_weight, H, F, e->dy, H, s->g, F, tokens));
  ad_gemm_nn(e->gemm, rows, H, F, e->dy, H, p->theta + o->down_weight, e->df, F, 0);
  /* 5 g = activation(u + b1) */
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = rows_of(p, lane, tokens);
    const size_t at = r.first * F;
    k->bias_activation_backward(r.count, F, (int)m->activation, e->df + at, s->u + at, e->df + at,
                                lane_sum(p, lane, c->up));
  }
  /* 4 u = y1 W1^T */
  AD_TRY(weight_gradient(p, o->up_weight, F, H, e->df, F, s->y1, H, tokens));
  ad_gemm_nn(e->gemm, rows, F, H, e->df, F, p->theta + o->up_weight, e->dz, H, 1);
  AD_TRY(column_gradient(p, o->down_bias, c->down, H));
  AD_TRY(column_gradient(p, o->norm2_weight, c->norm2_weight, H));
  AD_TRY(column_gradient(p, o->norm2_bias, c->norm2_bias, H));
  return column_gradient(p, o->up_bias, c->up, F);
}

/* 3 y1 = norm(dropout(context Wo^T + bo) + x): dz (gradient of y1) becomes that of the residual, dx that of the
 * context. */
static int backward_attention_output(struct pass *p, uint32_t l, const struct attention_columns *c) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct ad_layer_offsets *o = &e->params->layer[l];
  const struct layer_state *s = &e->layers[l];
  const int tokens = l + 1 < m->layers;
  const size_t H = m->hidden, rows = product_rows(e, tokens ? p->batch->tokens : e->lane_cls[p->batch->lanes]);
  const uint32_t *streams = tokens ? p->batch->token_stream : e->cls_stream;
  const uint32_t *positions = tokens ? p->batch->positions : e->cls_position;
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, p->masks, l + 1, AD_MASK_ATTENTION_OUTPUT);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = rows_of(p, lane, tokens);
    const size_t at = r.first * H;
    e->kernels->bias_residual_norm_backward(
        r.count, H, e->dz + at, s->z1 + at, s->mean1 + r.first, s->rstd1 + r.first, p->theta + o->norm1_weight,
        &dropout, streams + r.first, positions + r.first, e->dz + at, e->dy + at, lane_sum(p, lane, c->norm1_weight),
        lane_sum(p, lane, c->norm1_bias), lane_sum(p, lane, c->output));
  }
  AD_TRY(weight_gradient(p, o->output_weight, H, H, e->dy, H, s->context, H, tokens));
  ad_gemm_nn(e->gemm, rows, H, H, e->dy, H, p->theta + o->output_weight, e->dx, H, 0);
  AD_TRY(column_gradient(p, o->output_bias, c->output, H));
  AD_TRY(column_gradient(p, o->norm1_weight, c->norm1_weight, H));
  return column_gradient(p, o->norm1_bias, c->norm1_bias, H);
}

/* 2 context = attention(q, k, v): dx (gradient of the context) to dq, dk, dv. */
static void backward_attention(struct pass *p, uint32_t l, float *dq, size_t ldq, float *dk, size_t ldk) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct layer_state *s = &e->layers[l];
  const size_t H = m->hidden;
  const int last = l + 1 == m->layers;
  const float *key = last ? s->qkv : s->qkv + H;
  const struct ad_dropout dropout = ad_encoder_dropout(m->attention_dropout, p->masks, l + 1, AD_MASK_ATTENTION);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const size_t first = p->batch->lane_example[lane], cls = e->lane_cls[lane];
    for (size_t b = first; b < p->batch->lane_example[lane + 1]; b++) {
      const size_t t = p->batch->offset[b], S = p->batch->length[b], row = last ? cls + (b - first) : t;
      e->kernels->attention_backward(last ? 1 : S, S, m->heads, H / m->heads, s->q + row * ldq, ldq, key + t * ldk,
                                     key + H + t * ldk, ldk, &dropout, p->batch->stream[b], e->dx + row * H, H,
                                     dq + row * ldq, dk + t * ldk, dk + H + t * ldk, e->attention_work);
    }
  }
}

/* 1 and 2: dz (gradient of the residual) plus what comes through attention: dx becomes the gradient of the layer's
 * input, T rows. */
static int backward_projection(struct pass *p, uint32_t l, const struct attention_columns *c) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct ad_layer_offsets *o = &e->params->layer[l];
  const struct layer_state *s = &e->layers[l];
  const struct ad_kernels *k = e->kernels;
  const size_t H = m->hidden, T = p->batch->tokens, B = e->lane_cls[p->batch->lanes];
  const int last = l + 1 == m->layers;
  const size_t ldq = last ? H : 3 * H, ldk = last ? 2 * H : 3 * H;
  float *dq = last ? e->dy : e->dqkv;
  float *dk = last ? e->dqkv : e->dqkv + H;
  backward_attention(p, l, dq, ldq, dk, ldk);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows q = rows_of(p, lane, !last), t = rows_of(p, lane, 1);
    k->column_sum(q.count, H, dq + q.first * ldq, ldq, lane_sum(p, lane, c->qkv));
    k->column_sum(t.count, 2 * H, dk + t.first * ldk, ldk, lane_sum(p, lane, c->qkv + H));
  }
  AD_TRY(column_gradient(p, o->query_bias, c->qkv, 3 * H));
  /* Below the lowest trained layer nobody reads a gradient. */
  const int lowest = e->params->frozen > 0 && l == ad_params_first_layer(e->params);
  if (!last) {
    AD_TRY(weight_gradient(p, o->query_weight, 3 * H, H, e->dqkv, 3 * H, s->x, H, 1));
    if (lowest) {
      return AD_OK;
    }
    ad_gemm_nn(e->gemm, product_rows(e, T), 3 * H, H, e->dqkv, 3 * H, p->theta + o->query_weight, e->dz, H, 1);
    float *held = e->dx;
    e->dx = e->dz;
    e->dz = held;
    return AD_OK;
  }
  AD_TRY(weight_gradient(p, o->query_weight, H, H, dq, H, s->xc, H, 0));
  AD_TRY(weight_gradient(p, o->key_weight, 2 * H, H, dk, 2 * H, s->x, H, 1));
  if (lowest) {
    return AD_OK;
  }
  ad_gemm_nn(e->gemm, product_rows(e, B), H, H, dq, H, p->theta + o->query_weight, e->dz, H, 1);
  ad_gemm_nn(e->gemm, product_rows(e, T), 2 * H, H, dk, 2 * H, p->theta + o->key_weight, e->dx, H, 0);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = rows_of(p, lane, 0);
    k->scatter_add(r.count, H, e->cls_row + r.first, e->dz + r.first * H, e->dx);
  }
  return AD_OK;
}

static int backward_layer(struct pass *p, uint32_t l) {
  const struct ad_params *params = p->e->params;
  const uint32_t attention = 1 + params->parts * l, ffn = attention + 1;
  const struct ffn_columns f = ffn_columns(params->config.hidden, params->config.ffn);
  const struct attention_columns a = attention_columns(params->config.hidden);
  AD_TRY(open_bucket(p, ffn, params->bucket_begin[ffn], f.total));
  AD_TRY(backward_ffn(p, l, &f));
  AD_TRY(p->sink->done(p->sink->context, ffn));
  AD_TRY(open_bucket(p, attention, params->bucket_begin[attention], a.total));
  AD_TRY(backward_attention_output(p, l, &a));
  AD_TRY(backward_projection(p, l, &a));
  return p->sink->done(p->sink->context, attention);
}

/* A table's gradient: rows `slot` (through `map`, if given) of [n / H, H] collect the tokens' gradients dz. */
struct table {
  const struct pass *pass;
  const uint32_t *index; /* [T] */
  const uint32_t *map;   /* or NULL */
  size_t n;
};

static void table_leaf(void *context, size_t lane, float *out) {
  const struct table *t = context;
  const struct ad_encoder *e = t->pass->e;
  const size_t H = e->params->config.hidden;
  memset(out, 0, t->n * sizeof *out);
  const struct ad_lane_rows r = rows_of(t->pass, lane, 1);
  for (size_t i = r.first; i < r.first + r.count; i++) {
    const uint32_t row = t->map == NULL ? t->index[i] : t->map[t->index[i]];
    e->kernels->scatter_add(1, H, &row, e->dz + i * H, out);
  }
}

static int backward_embeddings(struct pass *p) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct ad_embedding_offsets *o = &e->params->embedding;
  const size_t H = m->hidden, word = p->rows->count * H;
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, p->masks, 0, AD_MASK_EMBEDDING);
  /* The word table is the first tensor; behind its touched rows the flat layout goes on. */
  AD_TRY(open_bucket(p, 0, o->position - word, 2 * H));
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = rows_of(p, lane, 1);
    const size_t at = r.first * H;
    e->kernels->norm_backward(r.count, H, e->dx + at, e->embedded + at, e->mean0 + r.first, e->rstd0 + r.first,
                              p->theta + o->norm_weight, &dropout, p->batch->token_stream + r.first,
                              p->batch->positions + r.first, e->dz + at, lane_sum(p, lane, 0), lane_sum(p, lane, H));
  }
  uint32_t longest = 0;
  for (size_t t = 0; t < p->batch->tokens; t++) {
    longest = p->batch->positions[t] >= longest ? p->batch->positions[t] + 1 : longest;
  }
  struct table words = {p, p->batch->ids, p->rows->slot, word};
  struct table positions = {p, p->batch->positions, NULL, longest * H};
  struct table types = {p, p->batch->types, NULL, m->types * H};
  AD_TRY(ad_reserve(&e->tree_work, &e->tree_work_capacity, ad_tree_work(p->batch->lanes, ad_rows_most(p->rows) * H),
                    sizeof(float)));
  AD_TRY(sum_parts(p, p->bucket_base, words.n, table_leaf, &words));
  for (size_t i = 0; i < p->sink->parts; i++) {
    memset(p->place[i] + (o->position - p->bucket_base), 0, m->positions * H * sizeof(float));
  }
  AD_TRY(sum_parts(p, o->position, positions.n, table_leaf, &positions));
  AD_TRY(sum_parts(p, o->type, types.n, table_leaf, &types));
  AD_TRY(column_gradient(p, o->norm_weight, 0, H));
  AD_TRY(column_gradient(p, o->norm_bias, H, H));
  return p->sink->done(p->sink->context, 0);
}

/* Zeroes the rows that belong to no example: gradients of earlier batches must not pile up there. `tokens` as in
 * rows_of. */
static void clear_gap_rows(const struct pass *p, int tokens, size_t rows) {
  const struct ad_encoder *e = p->e;
  const size_t H = e->params->config.hidden, F = e->params->config.ffn;
  size_t used = 0;
  for (size_t lane = 0; lane <= p->batch->lanes; lane++) {
    const struct ad_lane_rows r =
        lane < p->batch->lanes ? rows_of(p, lane, tokens) : (struct ad_lane_rows){product_rows(e, rows), 0};
    if (r.first > used) {
      const size_t gap = r.first - used;
      memset(e->dx + used * H, 0, gap * H * sizeof(float));
      memset(e->dz + used * H, 0, gap * H * sizeof(float));
      memset(e->dy + used * H, 0, gap * H * sizeof(float));
      memset(e->df + used * F, 0, gap * F * sizeof(float));
      memset(e->dqkv + used * 3 * H, 0, gap * 3 * H * sizeof(float));
    }
    used = r.count > 0 ? r.first + r.count : used;
  }
}

int ad_encoder_backward(struct ad_encoder *encoder, const float *theta, const struct ad_batch *batch,
                        const struct ad_masks *masks, const float *dlogits, const struct ad_rows *rows,
                        const struct ad_gradient_sink *sink) {
  if (!encoder->training || sink->parts > AD_MAX_PARTS) {
    return ad_fail(AD_EINTERNAL, "a backward needs an encoder made for training and at most %d parts", AD_MAX_PARTS);
  }
  struct pass p = {.e = encoder, .theta = theta, .batch = batch, .masks = masks, .rows = rows, .sink = sink};
  const uint32_t first = ad_params_first_layer(encoder->params);
  find_lane_rows(encoder, batch);
  if (trains_layers(encoder->params)) {
    clear_gap_rows(&p, 1, batch->tokens);
  }
  AD_TRY(backward_head(&p, dlogits));
  for (uint32_t l = encoder->params->config.layers; l > first; l--) {
    AD_TRY(backward_layer(&p, l - 1));
  }
  return encoder->params->frozen == 0 ? backward_embeddings(&p) : AD_OK;
}

/* A sink into one dense vector. */
struct dense {
  const struct ad_params *params;
  float *gradient;
  void *table; /* the row table's bucket, with its touched rows */
};

static float *dense_place(void *context, uint32_t bucket, size_t part) {
  struct dense *d = context;
  (void)part;
  return bucket == d->params->table.bucket ? d->table : d->gradient + d->params->bucket_begin[bucket];
}

static int dense_done(void *context, uint32_t bucket) {
  (void)context;
  (void)bucket;
  return AD_OK;
}

int ad_encoder_gradient(struct ad_encoder *encoder, const float *theta, const struct ad_batch *batch,
                        const struct ad_masks *masks, const float *dlogits, float *gradient) {
  const struct ad_params *params = encoder->params;
  const struct ad_row_table *table = &params->table;
  const size_t width = table->width, rest = params->bucket_begin[table->bucket + 1] - table->end;
  struct ad_rows rows;
  struct dense dense = {.params = params, .gradient = gradient};
  const struct ad_span whole = {0, batch->lanes};
  const struct ad_gradient_sink sink = {
      .context = &dense, .part = &whole, .parts = 1, .place = dense_place, .done = dense_done};
  AD_TRY(ad_rows_create(&rows, table->rows));
  ad_rows_add(&rows, batch->tokens, batch->ids);
  ad_rows_order(&rows);
  dense.table = ad_malloc(rows.count * width + rest, sizeof(float));
  int status = dense.table == NULL
                   ? ad_fail_memory((rows.count * width + rest) * sizeof(float), "the embeddings' gradient")
                   : ad_encoder_backward(encoder, theta, batch, masks, dlogits, &rows, &sink);
  if (status == AD_OK) {
    memset(gradient, 0, ad_params_frozen(params) * sizeof *gradient);
  }
  if (status == AD_OK && table->bucket >= params->frozen) {
    const float *values = dense.table;
    memset(gradient + table->begin, 0, (table->end - table->begin) * sizeof *gradient);
    for (size_t i = 0; i < rows.count; i++) {
      memcpy(gradient + table->begin + rows.ids[i] * width, values + i * width, width * sizeof *gradient);
    }
    memcpy(gradient + table->end, values + rows.count * width, rest * sizeof *gradient);
  }
  ad_free(dense.table);
  ad_rows_destroy(&rows);
  return status;
}
