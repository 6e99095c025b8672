/* Embeddings and layers of BERT's family. */
#include <string.h>

#include "post_norm.h"

void ad__post_norm_embed(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                         const struct ad_masks *masks) {
  const struct ad_model_config *m = &e->params->config;
  const struct post_norm_embedding_offsets *p = ad__post_norm_embedding(e);
  const struct post_norm_state *s = e->own;
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, masks, 0, AD_MASK_EMBEDDING);
  const size_t T = batch->tokens, H = m->hidden, E = ad_model_embedding(m);
  float *x = e->layers[0].x;
  ad__post_norm_spread(e, theta, batch);
  e->kernels->embed(T, E, batch->ids, batch->positions, batch->types, theta + p->word, theta + p->position,
                    m->types > 0 ? theta + p->type : NULL, s->embedded);
  e->kernels->norm(T, E, s->embedded, theta + p->norm_weight, theta + p->norm_bias, m->layer_norm_eps, &dropout,
                   batch->token_stream, batch->places, s->mean0, s->rstd0, s->normed == NULL ? x : s->normed);
  if (s->normed != NULL) {
    const struct ad__operand normed = ad__input(e, T, E, s->normed, E);
    ad__product(e, T, &normed, p->project_weight, x, H);
    e->kernels->bias(T, H, x, H, theta + p->project_bias);
  }
}

/* Rows [first, first + count) of an output that is kept: the product with the weight at `weight`, and its bias. */
static void project_rows(struct ad_encoder *e, const float *theta, const struct ad__operand *x, size_t weight,
                         size_t bias, const struct ad__kept *y, size_t first, size_t count) {
  const struct ad__operand some = ad__from(x, first);
  float *draft = ad__draft(e, y, first, e->draft);
  ad__product(e, count, &some, weight, draft, y->n);
  e->kernels->bias(count, y->n, draft, y->n, theta + bias);
  ad__keep(e, y, first, count, draft);
}

/* The same of all M rows. */
static void project_all(struct ad_encoder *e, const float *theta, size_t M, const struct ad__operand *x, size_t weight,
                        size_t bias, const struct ad__kept *y) {
  const size_t step = ad__draft_rows(e, M);
  for (size_t m = 0; m < M; m += step) {
    project_rows(e, theta, x, weight, bias, y, m, M - m < step ? M - m : step);
  }
}

/* Queries, keys, values. In the last layer keys and values of all tokens, queries of the read rows alone. */
static void project(struct ad_encoder *e, const float *theta, const struct ad_batch *batch, uint32_t l) {
  const struct post_norm_layer_offsets *p = ad__post_norm_layer(e, l);
  const struct ad__block *s = e->layers[l].own;
  const float *x = e->layers[l].x;
  const size_t H = e->params->config.hidden, T = batch->tokens, B = e->reads;
  const struct ad__operand input = ad__operand(e, T, H, x, H, e->layers[l].x_rows);
  if (l + 1 < e->params->config.layers) {
    project_all(e, theta, T, &input, p->query_weight, p->query_bias, &s->qkv);
    return;
  }
  project_all(e, theta, T, &input, p->key_weight, p->key_bias, &s->qkv);
  for (size_t b = 0; b < B; b++) {
    memcpy(s->xc + b * H, x + (size_t)e->read_row[b] * H, H * sizeof *x);
  }
  const struct ad__operand read = ad__input(e, B, H, s->xc, H);
  project_all(e, theta, B, &read, p->query_weight, p->query_bias, &s->q);
}

/* Attention of all examples, each at its own length. */
static void attend(struct ad_encoder *e, const struct ad_batch *batch, const struct ad__block *s,
                   const struct ad_dropout *dropout, int last) {
  const struct ad_model_config *m = &e->params->config;
  const size_t H = m->hidden, D = H / m->heads;
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    size_t next = e->lane_rows[0][lane].first;
    for (size_t b = batch->lane_example[lane]; b < batch->lane_example[lane + 1]; b++) {
      const size_t t = batch->offset[b], S = batch->length[b];
      const struct ad_lane_rows r = last ? ad__example_reads(e, lane, t + S, &next) : (struct ad_lane_rows){t, S};
      const struct ad_distance_bias bias = ad__post_norm_bias(e, last ? e->read_place + r.first : NULL, NULL);
      const struct ad__qkv at = ad__qkv(e, s, t, S, r, last);
      float *context = ad__draft(e, &s->context, r.first, at.behind);
      e->kernels->attention(r.count, S, m->heads, D, at.q, at.ldq, at.k, at.v, at.ldk, dropout, batch->stream[b],
                            bias.values == NULL ? NULL : &bias, context, H,
                            ((const struct post_norm_state *)e->own)->attention_work);
      ad__keep(e, &s->context, r.first, r.count, context);
    }
  }
}

/* The numbers of the steps are undone from 6 to 1 in backward.c. */
void ad__post_norm_forward(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                           const struct ad_masks *masks, uint32_t l) {
  const struct ad_model_config *m = &e->params->config;
  const struct post_norm_layer_offsets *p = ad__post_norm_layer(e, l);
  const struct ad__block *s = e->layers[l].own;
  const struct ad_kernels *k = e->kernels;
  const int last = l + 1 == m->layers;
  const struct ad__feed f = ad__post_norm_feed(e, batch, l);
  const size_t H = m->hidden, M = f.rows;
  const float *residual = last ? s->xc : e->layers[l].x;
  const struct ad_dropout attention = ad_encoder_dropout(m->attention_dropout, masks, l + 1, AD_MASK_ATTENTION);
  const struct ad_dropout drop1 = ad__post_norm_output_dropout(m, masks, l);
  const struct ad_dropout drop2 = ad_encoder_dropout(m->hidden_dropout, masks, l + 1, AD_MASK_FFN_OUTPUT);

  /* 1 */ project(e, theta, batch, l);
  /* 2 */ attend(e, batch, s, &attention, last);
  const struct ad__operand context = ad__operand_kept(&s->context);
  /* 3 */ ad__product(e, M, &context, p->output_weight, s->z1, H);
  k->bias_residual_norm(M, H, s->z1, theta + p->output_bias, residual, theta + p->norm1_weight, theta + p->norm1_bias,
                        m->layer_norm_eps, &drop1, f.streams, f.places, s->mean1, s->rstd1, s->y1);
  const struct ad__operand y1 = ad__input(e, M, H, s->y1, H);
  /* 4, 5 */ const struct ad__operand g = ad__feed(e, &f, s, &y1, theta + p->up_bias);
  /* 6 */ ad__product(e, M, &g, p->down_weight, s->z2, H);
  k->bias_residual_norm(M, H, s->z2, theta + p->down_bias, s->y1, theta + p->norm2_weight, theta + p->norm2_bias,
                        m->layer_norm_eps, &drop2, f.streams, f.places, s->mean2, s->rstd2, e->layers[l].out);
}
