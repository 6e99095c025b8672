#include <string.h>

#include "autodidact/base/status.h"
#include "autodidact/model/encoder.h"
#include "autodidact/model/shard.h"
#include "encoder_internal.h"

/* The tokens of each lane, without the gap behind it. */
static void find_lane_rows(struct ad_encoder *e, const struct ad_batch *batch) {
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    const size_t begin = batch->lane_example[lane], end = batch->lane_example[lane + 1];
    const size_t first = begin == end ? 0 : batch->offset[begin];
    e->lane_rows[1][lane] =
        (struct ad_lane_rows){first, begin == end ? 0 : batch->offset[end - 1] + batch->length[end - 1] - first};
  }
}

int ad__bucket_open(struct ad__backward *p, uint32_t bucket, size_t stride) {
  struct ad_encoder *e = p->e;
  const struct ad_row_table *table = &e->params->table;
  p->bucket = bucket;
  /* Behind the touched rows of the row table the flat layout goes on. */
  p->bucket_base = ad_block_base(e->params, bucket) - (bucket == table->bucket ? p->rows->count * table->width : 0);
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

int ad__bucket_close(struct ad__backward *p) {
  return p->sink->done(p->sink->context, p->bucket);
}

int ad__sum_parts(struct ad__backward *p, size_t offset, size_t n, ad_tree_leaf leaf, void *context) {
  struct ad_encoder *e = p->e;
  const struct ad_tree tree = {e->kernels, p->batch->lane_example, p->sink->watch};
  AD_TRY(ad_reserve(&e->tree_work, &e->tree_work_capacity, ad_tree_work(p->batch->lanes, n), sizeof(float)));
  for (size_t i = 0; i < p->sink->parts; i++) {
    ad_tree_sum(&tree, p->sink->part[i].lo, p->sink->part[i].hi, n, leaf, context,
                p->place[i] + (offset - p->bucket_base), e->tree_work);
  }
  return AD_OK;
}

/* n floats of each lane's row of sums. */
struct columns {
  const float *first; /* of the first lane */
  size_t stride, n;
};

static void columns_leaf(void *context, size_t lane, float *out) {
  const struct columns *c = context;
  memcpy(out, c->first + lane * c->stride, c->n * sizeof *out);
}

int ad__column_gradient(struct ad__backward *p, size_t offset, size_t column, size_t n) {
  struct columns c = {ad__lane_sum(p, 0, column), p->stride, n};
  return ad__sum_parts(p, offset, n, columns_leaf, &c);
}

int ad__shared_gradient(struct ad__backward *p, size_t offset, size_t column, size_t n) {
  struct columns c = {ad__shared_sum(p, 0, column), p->shared, n};
  return ad__sum_parts(p, offset, n, columns_leaf, &c);
}

/* Zeroes the sums for tensors that layers share. */
static int open_shared(struct ad__backward *p) {
  struct ad_encoder *e = p->e;
  const size_t count = p->batch->lanes * p->shared;
  if (count == 0) {
    return AD_OK;
  }
  AD_TRY(ad_reserve(&e->shared_sums, &e->shared_sums_capacity, count, sizeof(float)));
  memset(e->shared_sums, 0, count * sizeof(float));
  return AD_OK;
}

/* Floats of a lane's column sums in the head: its matrix's bias; classifier's weight and bias. */
static size_t head_columns(const struct ad_model_config *m) {
  return m->masked_lm ? ad__words_columns(m) : m->hidden + (size_t)m->classes * m->hidden + m->classes;
}

/* Undoes the dropout before the classifier and the activation of one lane's rows dh [r.count,H]. */
static void backward_activation(const struct ad__backward *p, struct ad_lane_rows r, float *dh, float *dbias) {
  const struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct ad__head *head = &e->params->architecture->head;
  const struct ad_dropout dropout =
      ad_encoder_dropout(m->classifier_dropout, p->masks, m->layers + 1, AD_MASK_CLASSIFIER);
  const float *y = e->pooled + r.first * m->hidden;
  e->kernels->dropout(r.count, m->hidden, dh, &dropout, e->read_stream + r.first, e->read_place + r.first);
  if (m->classifier == AD_CLASSIFIER_POOLER && head->activation == AD_HEAD_TANH) {
    e->kernels->tanh_backward(r.count, m->hidden, dh, y, dh, dbias);
  } else if (m->classifier == AD_CLASSIFIER_POOLER) {
    e->kernels->bias_activation_backward(r.count, m->hidden, ad__head_function(head), dh, y, dh, dbias);
  }
}

/* The head's matrix: dpooled [B,H] to dx, the gradient of the last layer's output. */
static int backward_dense(struct ad__backward *p, const float *dpooled) {
  struct ad_encoder *e = p->e;
  const struct ad_head_offsets *o = &e->params->head;
  const struct ad_dropout dropout = ad__head_state_dropout(e->params, p->masks);
  const size_t H = e->params->config.hidden;
  const size_t B = e->reads;
  const struct ad__operand dy = ad__output_gradient(e, B, H, dpooled, H);
  const struct ad__operand x = ad__input(e, B, H, e->layers[e->params->config.layers - 1].out, H);
  AD_TRY(ad__weight_gradient(p, o->dense_weight, &dy, &x, 0));
  if (!trains_layers(e->params)) {
    return AD_OK;
  }
  ad__input_gradient(e, B, &dy, o->dense_weight, e->dx, H, 0);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 0);
    e->kernels->dropout(r.count, H, e->dx + r.first * H, &dropout, e->read_stream + r.first, e->read_place + r.first);
  }
  return AD_OK;
}

/* dx [B,H] becomes the gradient of the last layer's output. */
static int backward_head(struct ad__backward *p) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct ad_head_offsets *o = &e->params->head;
  const struct ad_kernels *k = e->kernels;
  const size_t H = m->hidden, C = m->classes;
  const int pooler = m->classifier == AD_CLASSIFIER_POOLER;
  enum { DENSE_BIAS = 0 };
  const size_t weight = H, bias = H + C * H;
  const float *dlogits = p->dlogits;
  float *dpooled = e->dy;
  AD_TRY(ad__bucket_open(p, e->params->buckets - 1, head_columns(m)));
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 0);
    float *dh = dpooled + r.first * H;
    k->classify_backward(r.count, C, H, dlogits, e->dropped + r.first * H, p->theta + o->classifier_weight, dh,
                         ad__lane_sum(p, lane, weight), ad__lane_sum(p, lane, bias));
    dlogits += r.count * C;
    backward_activation(p, r, dh, ad__lane_sum(p, lane, DENSE_BIAS));
  }
  AD_TRY(ad__column_gradient(p, o->classifier_weight, weight, C * H));
  AD_TRY(ad__column_gradient(p, o->classifier_bias, bias, C));
  if (!pooler) {
    if (trains_layers(e->params)) {
      memcpy(e->dx, dpooled, e->reads * H * sizeof *e->dx);
    }
    return ad__bucket_close(p);
  }
  AD_TRY(ad__column_gradient(p, o->dense_bias, DENSE_BIAS, H));
  AD_TRY(backward_dense(p, dpooled));
  return ad__bucket_close(p);
}

int ad_encoder_reserve(struct ad_encoder *encoder, size_t lanes, size_t touched) {
  const struct ad_model_config *m = &encoder->params->config;
  const size_t columns = encoder->params->architecture->work(m).columns, head = head_columns(m);
  const size_t stride = head > columns ? head : columns, shared = ad__shared_floats(encoder->params);
  const size_t tree = ad__tree_floats(encoder->math, encoder->params, encoder->token_rows, lanes, touched);
  AD_TRY(ad_reserve(&encoder->lane_sums, &encoder->lane_sums_capacity, lanes * stride, sizeof(float)));
  if (shared > 0) {
    AD_TRY(ad_reserve(&encoder->shared_sums, &encoder->shared_sums_capacity, lanes * shared, sizeof(float)));
  }
  return ad_reserve(&encoder->tree_work, &encoder->tree_work_capacity, tree, sizeof(float));
}

/* Rows `slot` (through `map`, if given) of [n / width, width] collect the tokens' gradients. */
struct table {
  const struct ad__backward *pass;
  const uint32_t *index; /* [T] */
  const uint32_t *map;   /* or NULL */
  const float *values;   /* [T,width] */
  uint32_t padding;      /* 1 + the id of tokens that are passed over; 0: none */
  size_t n, width;
};

static void table_leaf(void *context, size_t lane, float *out) {
  const struct table *t = context;
  memset(out, 0, t->n * sizeof *out);
  const struct ad_lane_rows r = ad__lane_rows(t->pass, lane, 1);
  for (size_t i = r.first; i < r.first + r.count; i++) {
    const uint32_t row = t->map == NULL ? t->index[i] : t->map[t->index[i]];
    if (t->padding == 0 || t->pass->batch->ids[i] != t->padding - 1) {
      t->pass->e->kernels->scatter_add(1, t->width, &row, t->values + i * t->width, out);
    }
  }
}

int ad__table_gradient(struct ad__backward *p, size_t offset, size_t rows, size_t used, uint32_t padding,
                       const uint32_t *index, const float *values, size_t width) {
  struct table table = {p, index, NULL, values, padding, used * width, width};
  for (size_t i = 0; i < p->sink->parts; i++) {
    memset(p->place[i] + (offset - p->bucket_base) + table.n, 0, (rows - used) * width * sizeof(float));
  }
  return ad__sum_parts(p, offset, table.n, table_leaf, &table);
}

int ad__row_table_gradient(struct ad__backward *p, const float *values) {
  struct ad_encoder *e = p->e;
  const size_t width = e->params->table.width;
  if (e->params->config.masked_lm) {
    return ad__words_table_gradient(p, values);
  }
  struct table table = {p,    p->batch->ids, p->rows->slot, values, e->params->config.padding, p->rows->count * width,
                        width};
  AD_TRY(ad_reserve(&e->tree_work, &e->tree_work_capacity, ad_tree_work(p->batch->lanes, ad_rows_most(p->rows) * width),
                    sizeof(float)));
  return ad__sum_parts(p, p->bucket_base, table.n, table_leaf, &table);
}

/* Zeroes the rows that belong to no example: gradients of earlier batches must not pile up there. */
static void clear_gap_rows(const struct ad__backward *p) {
  const struct ad_encoder *e = p->e;
  size_t used = 0;
  for (size_t lane = 0; lane <= p->batch->lanes; lane++) {
    const struct ad_lane_rows r = lane < p->batch->lanes ? ad__lane_rows(p, lane, 1)
                                                         : (struct ad_lane_rows){product_rows(e, p->batch->tokens), 0};
    for (size_t i = 0; r.first > used && i < e->gradient_count; i++) {
      const struct ad__gradient *g = &e->gradients[i];
      memset(g->values + used * g->columns, 0, (r.first - used) * g->columns * sizeof(float));
    }
    used = r.count > 0 ? r.first + r.count : used;
  }
}

int ad_encoder_backward(struct ad_encoder *encoder, struct ad_replica theta, const struct ad_batch *batch,
                        const struct ad_masks *masks, const float *dlogits, const struct ad_rows *rows,
                        const struct ad_gradient_sink *sink) {
  if (!encoder->training || sink->parts > AD_MAX_PARTS) {
    return ad_fail(AD_EINTERNAL, "a backward needs an encoder made for training and at most %d parts", AD_MAX_PARTS);
  }
  struct ad__backward p = {.e = encoder,
                           .theta = ad_replica_floats(theta),
                           .batch = batch,
                           .masks = masks,
                           .rows = rows,
                           .sink = sink,
                           .dlogits = dlogits,
                           .shared = ad__shared_floats(encoder->params)};
  const uint32_t first = ad_params_first_layer(encoder->params);
  const int words = encoder->params->config.masked_lm;
  if (words && encoder->params->frozen == 0 && rows->count != rows->vocab) {
    return ad_fail(AD_EINTERNAL, "%zu of %zu rows are touched, and a masked-language head touches all", rows->count,
                   rows->vocab);
  }
  AD_TRY(ad__check_replica(encoder, theta));
  encoder->theta = theta;
  find_lane_rows(encoder, batch);
  if (trains_layers(encoder->params)) {
    clear_gap_rows(&p);
  }
  AD_TRY(open_shared(&p));
  AD_TRY(words ? ad__words_backward(&p) : backward_head(&p));
  for (uint32_t l = encoder->params->config.layers; l > first; l--) {
    AD_TRY(encoder->params->architecture->backward(&p, l - 1));
  }
  return encoder->params->frozen == 0 ? encoder->params->architecture->embed_backward(&p) : AD_OK;
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

int ad_encoder_gradient(struct ad_encoder *encoder, struct ad_replica theta, const struct ad_batch *batch,
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
  if (params->config.masked_lm) {
    ad_rows_fill(&rows);
  } else {
    ad_rows_add(&rows, batch->tokens, batch->ids);
    ad_rows_order(&rows);
  }
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
