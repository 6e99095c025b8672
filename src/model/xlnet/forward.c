/* XLNet's embeddings and layers. */
#include <string.h>

#include "autodidact/base/elementary.h"
#include "xlnet.h"

/* Sines and cosines of the distances up to `count`, rounded in float where PyTorch rounds. */
static void fill_sinusoids(struct xlnet *x, size_t H, size_t count) {
  for (size_t n = 0; x->known < count && n < H / 2; n++) {
    const float share = (float)(2 * n) / (float)H, power = (float)ad_math_pow(10000.0, (double)share);
    const float frequency = 1.0f / power;
    for (size_t d = x->known; d < count; d++) {
      const double angle = (double)((float)d * frequency);
      x->sinusoid[d * H + n] = (float)ad_math_sin(angle);
      x->sinusoid[d * H + H / 2 + n] = (float)ad_math_cos(angle);
    }
  }
  x->known = x->known < count ? count : x->known;
}

/* The row of a distance: sines, whose sign is the distance's, then cosines. */
static void write_distance(const struct xlnet *x, size_t H, ptrdiff_t distance, float *row) {
  const float *known = x->sinusoid + (size_t)(distance < 0 ? -distance : distance) * H;
  memcpy(row, known, H * sizeof *row);
  for (size_t n = 0; distance < 0 && n < H / 2; n++) {
    row[n] = -row[n];
  }
}

/* The first `count` relative rows of an example of S tokens, after dropout. */
static void write_relative(const struct ad_encoder *e, size_t S, size_t count, const struct ad_dropout *dropout,
                           uint32_t stream, float *rows) {
  const size_t H = e->params->config.hidden;
  for (uint32_t m = 0; m < count; m++) {
    write_distance(e->own, H, (ptrdiff_t)S - 1 - (ptrdiff_t)m, rows + m * H);
    e->kernels->dropout(1, H, rows + m * H, dropout, &stream, &m);
  }
}

/* The relative rows of the batch. Without dropout or a backward, those of its longest example are everybody's, where a
 * row's bits do not depend on its number. */
static void embed_distances(const struct ad_encoder *e, const struct ad_batch *batch, const struct ad_masks *masks) {
  const struct ad_model_config *m = &e->params->config;
  struct xlnet *x = e->own;
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, masks, 0, AD_MASK_RELATIVE);
  const size_t H = m->hidden;
  size_t longest = 0;
  for (size_t b = 0; b < batch->examples; b++) {
    longest = batch->length[b] > longest ? batch->length[b] : longest;
  }
  fill_sinusoids(x, H, longest);
  x->longest = e->training || dropout.threshold > 0 || e->alignment > 1 ? 0 : longest;
  if (x->longest > 0) {
    write_relative(e, longest, 2 * longest - 1, &dropout, 0, x->relative);
    return;
  }
  for (size_t b = 0; b < batch->examples; b++) {
    const size_t t = batch->offset[b], S = batch->length[b];
    write_relative(e, S, 2 * S - 1, &dropout, batch->stream[b], x->relative + 2 * t * H);
    memcpy(x->relative_last + t * H, x->relative + 2 * t * H, S * H * sizeof(float));
  }
}

void ad__xlnet_embed(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                     const struct ad_masks *masks) {
  const struct ad_model_config *m = &e->params->config;
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, masks, 0, AD_MASK_EMBEDDING);
  const float *word = theta + ad__xlnet_embedding(e)->word;
  const size_t T = batch->tokens, H = m->hidden;
  float *out = e->layers[0].x;
  for (size_t t = 0; t < T; t++) {
    memcpy(out + t * H, word + (size_t)batch->ids[t] * H, H * sizeof *out);
  }
  e->kernels->dropout(T, H, out, &dropout, batch->token_stream, batch->places);
  embed_distances(e, batch, masks);
}

/* The relative rows as keys. */
static void project_distances(struct ad_encoder *e, const struct ad_batch *batch, uint32_t l) {
  const struct xlnet *x = e->own;
  const struct xlnet_layer *s = e->layers[l].own;
  const int last = l + 1 == e->params->config.layers;
  const size_t H = e->params->config.hidden, rows = x->longest > 0 ? x->longest : batch->tokens,
               M = last ? rows : 2 * rows;
  const struct ad__operand input = ad__input(e, M, H, last && x->longest == 0 ? x->relative_last : x->relative, H);
  ad__product(e, M, &input, ad__xlnet_layer(e, l)->relative, s->relative, H);
}

/* Queries, keys, values. In the last layer keys and values of all tokens, queries of the class tokens only. */
static void project(struct ad_encoder *e, const struct ad_batch *batch, uint32_t l) {
  const struct xlnet_layer_offsets *p = ad__xlnet_layer(e, l);
  const struct ad__block *s = ad__xlnet_block(e, l);
  const float *x = e->layers[l].x;
  const size_t H = e->params->config.hidden, T = batch->tokens, B = e->reads;
  const int last = l + 1 == e->params->config.layers;
  const size_t ld = s->qkv.n, step = ad__draft_rows(e, T);
  const struct ad__operand input = ad__operand(e, T, H, x, H, e->layers[l].x_rows);
  for (size_t m = 0; m < T; m += step) {
    const size_t count = T - m < step ? T - m : step;
    const struct ad__operand some = ad__from(&input, m);
    float *draft = ad__draft(e, &s->qkv, m, e->draft), *key = last ? draft : draft + H;
    ad__product(e, count, &some, p->key, key, ld);
    ad__product(e, count, &some, p->value, key + H, ld);
    if (!last) {
      ad__product(e, count, &some, p->query, draft, ld);
    }
    ad__keep(e, &s->qkv, m, count, draft);
  }
  if (!last) {
    return;
  }
  for (size_t b = 0; b < B; b++) {
    memcpy(s->xc + b * H, x + e->read_row[b] * H, H * sizeof *x);
  }
  const struct ad__operand cls = ad__input(e, B, H, s->xc, H);
  for (size_t m = 0; m < B; m += ad__draft_rows(e, B)) {
    const size_t count = B - m < step ? B - m : step;
    const struct ad__operand some = ad__from(&cls, m);
    float *draft = ad__draft(e, &s->q, m, e->draft);
    ad__product(e, count, &some, p->query, draft, H);
    ad__keep(e, &s->q, m, count, draft);
  }
}

struct ad_relative ad__xlnet_attention(const struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                                       const struct ad_dropout *dropout, uint32_t l, size_t b,
                                       const struct ad__qkv *at) {
  const struct ad_model_config *m = &e->params->config;
  const struct xlnet_layer_offsets *p = ad__xlnet_layer(e, l);
  const struct xlnet *x = e->own;
  const struct xlnet_layer *layer = e->layers[l].own;
  const int last = l + 1 == m->layers;
  const size_t H = m->hidden, t = batch->offset[b], S = batch->length[b];
  return (struct ad_relative){.queries = last ? 1 : S,
                              .S = S,
                              .A = m->heads,
                              .D = H / m->heads,
                              .Q = at->q,
                              .K = at->k,
                              .V = at->v,
                              .R = layer->relative + (x->longest > 0 ? x->longest - S
                                                      : last         ? t
                                                                     : 2 * t) *
                                                         H,
                              .ldq = at->ldq,
                              .ldk = at->ldk,
                              .ldr = H,
                              .content_bias = theta + p->content_bias,
                              .position_bias = theta + p->position_bias,
                              .segment_bias = theta + p->segment_bias,
                              .segments = theta + p->segments,
                              .types = batch->types + t,
                              .dropout = dropout,
                              .example = batch->stream[b]};
}

/* Attention of all examples, each at its own length. */
static void attend(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                   const struct ad_dropout *dropout, uint32_t l) {
  const struct ad__block *s = ad__xlnet_block(e, l);
  const int last = l + 1 == e->params->config.layers;
  const size_t H = e->params->config.hidden;
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    for (size_t b = batch->lane_example[lane]; b < batch->lane_example[lane + 1]; b++) {
      const size_t t = batch->offset[b], S = batch->length[b],
                   row = last ? e->lane_rows[0][lane].first + (b - batch->lane_example[lane]) : t;
      const struct ad__qkv at = ad__qkv(e, s, t, S, (struct ad_lane_rows){row, 1}, last);
      const struct ad_relative r = ad__xlnet_attention(e, theta, batch, dropout, l, b, &at);
      float *context = ad__draft(e, &s->context, row, at.behind);
      e->kernels->relative_attention(&r, context, H, ((const struct xlnet *)e->own)->work);
      ad__keep(e, &s->context, row, r.queries, context);
    }
  }
}

struct ad__feed ad__xlnet_feed(const struct ad_encoder *e, const struct ad_batch *batch, const struct ad_masks *masks,
                               uint32_t l) {
  const struct xlnet_layer_offsets *p = ad__xlnet_layer(e, l);
  struct ad__feed f = ad__feed_of(e, batch, l, p->up_weight, p->down_weight);
  f.dropout = ad_encoder_dropout(e->params->config.hidden_dropout, masks, l + 1, AD_MASK_FFN_INNER);
  return f;
}

/* The numbers of the steps are undone from 6 to 1 in backward.c. */
void ad__xlnet_forward(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                       const struct ad_masks *masks, uint32_t l) {
  const struct ad_model_config *m = &e->params->config;
  const struct xlnet_layer_offsets *p = ad__xlnet_layer(e, l);
  const struct ad__block *s = ad__xlnet_block(e, l);
  const struct ad_kernels *k = e->kernels;
  const struct ad__feed f = ad__xlnet_feed(e, batch, masks, l);
  const size_t H = m->hidden, M = f.rows;
  const float *residual = f.tokens ? e->layers[l].x : s->xc, *zero = ((const struct xlnet *)e->own)->zero;
  const struct ad_dropout attention = ad_encoder_dropout(m->attention_dropout, masks, l + 1, AD_MASK_ATTENTION);
  const struct ad_dropout drop1 = ad_encoder_dropout(m->hidden_dropout, masks, l + 1, AD_MASK_ATTENTION_OUTPUT);
  const struct ad_dropout drop2 = ad_encoder_dropout(m->hidden_dropout, masks, l + 1, AD_MASK_FFN_OUTPUT);

  /* 1 */ project(e, batch, l);
  project_distances(e, batch, l);
  /* 2 */ attend(e, theta, batch, &attention, l);
  const struct ad__operand context = ad__operand_kept(&s->context);
  /* 3 */ ad__product(e, M, &context, p->output, s->z1, H);
  k->bias_residual_norm(M, H, s->z1, zero, residual, theta + p->norm1_weight, theta + p->norm1_bias, m->layer_norm_eps,
                        &drop1, f.streams, f.places, s->mean1, s->rstd1, s->y1);
  const struct ad__operand y1 = ad__input(e, M, H, s->y1, H);
  /* 4, 5 */ const struct ad__operand g = ad__feed(e, &f, s, &y1, theta + p->up_bias);
  /* 6 */ ad__product(e, M, &g, p->down_weight, s->z2, H);
  k->bias_residual_norm(M, H, s->z2, theta + p->down_bias, s->y1, theta + p->norm2_weight, theta + p->norm2_bias,
                        m->layer_norm_eps, &drop2, f.streams, f.places, s->mean2, s->rstd2, e->layers[l].out);
}
