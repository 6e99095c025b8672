/* The masked-language head, on the rows that the batch names: logits = norm(activation(x W^T + b)) E^T + c, with the
 * word embedding E [V,E] as its last weight. A backward takes the vocabulary in blocks, which stay in the caches. */
#include <string.h>

#include "autodidact/base/status.h"
#include "encoder_internal.h"

static int activation_of(const struct ad_params *params) {
  return params->architecture->vocabulary.activation == AD_VOCABULARY_GELU ? AD_ACTIVATION_GELU_ERF
                                                                           : (int)params->config.activation;
}

/* Whether read rows stand without gaps, so that products read and write the caller's rows of logits. */
static int is_direct(const struct ad_encoder *e) {
  return e->block == 1;
}

/* Words of the block that begins at word n. */
static size_t block_words(const struct ad_encoder *e, size_t n) {
  const size_t left = e->params->config.vocab - n;
  return left < AD_VOCABULARY_BLOCK ? left : AD_VOCABULARY_BLOCK;
}

void ad__words_take(struct ad_encoder *e) {
  const size_t B = e->read_rows, E = ad_model_embedding(&e->params->config);
  struct ad__words *w = &e->words;
  w->z = e->training ? ad__take(e, B * E) : e->dropped;
  w->mean = ad__take(e, B);
  w->rstd = ad__take(e, B);
  w->block = is_direct(e) ? NULL : ad__take(e, B * AD_VOCABULARY_BLOCK);
  if (e->training) {
    w->dz = ad__take(e, B * E);
    w->token = ad__take_sized(e, e->token_rows, sizeof *w->token);
    w->token_begin = ad__take_sized(e, AD_MAX_LANES + 1, sizeof *w->token_begin);
  }
}

/* --- Forward --- */

/* The block of logits that begins at word n, from w->block to the caller's rows. */
static void copy_logits(const struct ad_encoder *e, size_t lanes, size_t n, float *logits) {
  const size_t V = e->params->config.vocab, count = block_words(e, n);
  for (size_t lane = 0; lane < lanes; lane++) {
    const struct ad_lane_rows r = e->lane_rows[0][lane];
    e->kernels->copy(r.count, count, e->words.block + r.first * count, count, logits + n, V);
    logits += r.count * V;
  }
}

void ad__words_forward(struct ad_encoder *e, const float *theta, const struct ad_batch *batch, float *logits) {
  const struct ad_model_config *m = &e->params->config;
  const struct ad_head_offsets *o = &e->params->head;
  const struct ad__words *w = &e->words;
  const struct ad_dropout none = ad_encoder_dropout(0.0f, NULL, 0, 0);
  const size_t H = m->hidden, E = ad_model_embedding(m), V = m->vocab, B = e->reads;
  const struct ad__operand x = ad__input(e, B, H, e->layers[m->layers - 1].out, H);
  ad__product(e, B, &x, o->dense_weight, e->pooled, E);
  e->kernels->bias_activation(B, E, activation_of(e->params), e->pooled, theta + o->dense_bias, w->z);
  e->kernels->norm(B, E, w->z, theta + o->norm_weight, theta + o->norm_bias, m->layer_norm_eps, &none, e->read_stream,
                   e->read_place, w->mean, w->rstd, e->dropped);
  const struct ad__operand h = ad__input(e, B, E, e->dropped, E);
  size_t rows = B;
  if (is_direct(e)) {
    ad__words_product(e, B, &h, 0, V, logits, V);
  } else {
    for (size_t n = 0; n < V; n += AD_VOCABULARY_BLOCK) {
      ad__words_product(e, B, &h, n, block_words(e, n), w->block, block_words(e, n));
      copy_logits(e, batch->lanes, n, logits);
    }
    rows = batch->reads != NULL ? batch->reads->count : batch->examples;
  }
  e->kernels->bias(rows, V, logits, V, theta + o->classifier_bias);
}

/* --- Backward --- */

/* The gradient of the block of logits that begins at word n, at the read rows. */
static struct ad__operand block_gradient(const struct ad__backward *p, size_t n) {
  const struct ad_encoder *e = p->e;
  const size_t V = e->params->config.vocab, count = block_words(e, n);
  const float *from = p->dlogits + n;
  if (is_direct(e)) {
    return ad__output_gradient(e, e->reads, count, from, V);
  }
  memset(e->words.block, 0, e->read_rows * count * sizeof *e->words.block);
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 0);
    e->kernels->copy(r.count, count, from, V, e->words.block + r.first * count, count);
    from += r.count * V;
  }
  return (struct ad__operand){e->words.block, count, NULL, 0};
}

/* Column sums of a block of logits' gradients. */
struct bias_block {
  const struct ad__backward *pass;
  const struct ad__operand *dy;
  size_t count;
};

static void bias_leaf(void *context, size_t lane, float *out) {
  const struct bias_block *b = context;
  const struct ad_lane_rows r = ad__lane_rows(b->pass, lane, 0);
  memset(out, 0, b->count * sizeof *out);
  b->pass->e->kernels->column_sum(r.count, b->count, b->dy->values + r.first * b->dy->ld, b->dy->ld, out);
}

/* The vocabulary's bias, and dz, the gradient of the last product's input. */
static int backward_words(struct ad__backward *p) {
  struct ad_encoder *e = p->e;
  for (size_t n = 0; n < e->params->config.vocab; n += AD_VOCABULARY_BLOCK) {
    const size_t count = block_words(e, n);
    const struct ad__operand dy = block_gradient(p, n);
    struct bias_block bias = {p, &dy, count};
    ad__words_input_gradient(e, e->reads, &dy, n, count, e->words.dz);
    AD_TRY(ad__sum_parts(p, e->params->head.classifier_bias + n, count, bias_leaf, &bias));
  }
  return AD_OK;
}

/* A pooler that is kept as it is. */
static void clear_kept(struct ad__backward *p) {
  const struct ad_head_offsets *o = &p->e->params->head;
  for (size_t i = 0; i < p->sink->parts; i++) {
    memset(p->place[i] + (o->kept - p->bucket_base), 0, (o->kept_end - o->kept) * sizeof(float));
  }
}

int ad__words_backward(struct ad__backward *p) {
  struct ad_encoder *e = p->e;
  const struct ad_model_config *m = &e->params->config;
  const struct ad_head_offsets *o = &e->params->head;
  const struct ad__words *w = &e->words;
  const struct ad_dropout none = ad_encoder_dropout(0.0f, NULL, 0, 0);
  const size_t H = m->hidden, E = ad_model_embedding(m), B = e->reads;
  const size_t norm_weight = E, norm_bias = 2 * E, dense_bias = 0;
  AD_TRY(ad__bucket_open(p, e->params->buckets - 1, ad__words_columns(m)));
  clear_kept(p);
  AD_TRY(backward_words(p));
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 0);
    const size_t at = r.first * E;
    e->kernels->norm_backward(r.count, E, w->dz + at, w->z + at, w->mean + r.first, w->rstd + r.first,
                              p->theta + o->norm_weight, &none, e->read_stream + r.first, e->read_place + r.first,
                              w->dz + at, ad__lane_sum(p, lane, norm_weight), ad__lane_sum(p, lane, norm_bias));
    e->kernels->bias_activation_backward(r.count, E, activation_of(e->params), w->dz + at, e->pooled + at, w->dz + at,
                                         ad__lane_sum(p, lane, dense_bias));
  }
  AD_TRY(ad__column_gradient(p, o->dense_bias, dense_bias, E));
  AD_TRY(ad__column_gradient(p, o->norm_weight, norm_weight, E));
  AD_TRY(ad__column_gradient(p, o->norm_bias, norm_bias, E));
  const struct ad__operand dy = ad__output_gradient(e, B, E, w->dz, E);
  const struct ad__operand x = ad__input(e, B, H, e->layers[m->layers - 1].out, H);
  AD_TRY(ad__weight_gradient(p, o->dense_weight, &dy, &x, 0));
  if (trains_layers(e->params)) {
    ad__input_gradient(e, B, &dy, o->dense_weight, e->dx, H, 0);
  }
  return ad__bucket_close(p);
}

/* --- The word embedding --- */

/* A block of words, and the gradients of its tokens. */
struct word_block {
  const struct ad__backward *pass;
  const float *values; /* [T,E] */
  size_t n;            /* the first word */
};

/* Lists the tokens whose words are in the block; padding is passed over, as it is not looked up for training. */
static void list_tokens(const struct ad__backward *p, size_t n) {
  const struct ad__words *w = &p->e->words;
  const uint32_t padding = p->e->params->config.padding, *ids = p->batch->ids;
  const size_t count = block_words(p->e, n);
  size_t found = 0;
  for (size_t lane = 0; lane < p->batch->lanes; lane++) {
    const struct ad_lane_rows r = ad__lane_rows(p, lane, 1);
    w->token_begin[lane] = found;
    for (size_t t = r.first; t < r.first + r.count; t++) {
      if (ids[t] - n < count && ids[t] + 1 != padding) {
        w->token[found++] = (uint32_t)t;
      }
    }
  }
  w->token_begin[p->batch->lanes] = found;
}

static void add_tokens(void *context, size_t lane, const struct ad_tile *tile, float *out) {
  const struct word_block *b = context;
  const struct ad_encoder *e = b->pass->e;
  const size_t E = e->params->table.width, first = b->n + tile->n;
  for (size_t i = e->words.token_begin[lane]; i < e->words.token_begin[lane + 1]; i++) {
    const uint32_t t = e->words.token[i], row = (uint32_t)(b->pass->batch->ids[t] - first), zero = 0;
    if (row < tile->rows) {
      e->kernels->scatter_add(1, tile->columns, &zero, b->values + t * E + tile->k, out + row * tile->columns);
    }
  }
}

int ad__words_table_gradient(struct ad__backward *p, const float *values) {
  struct ad_encoder *e = p->e;
  const size_t E = e->params->table.width;
  const struct ad__operand h = ad__input(e, e->reads, E, e->dropped, E);
  for (size_t n = 0; n < e->params->config.vocab; n += AD_VOCABULARY_BLOCK) {
    struct word_block block = {p, values, n};
    list_tokens(p, n);
    const struct ad__operand dy = block_gradient(p, n);
    AD_TRY(ad__words_gradient(p, &dy, &h, n, block_words(e, n), add_tokens, &block));
  }
  return AD_OK;
}
