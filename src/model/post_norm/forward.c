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
  float *x = e->layers[0].x.values;
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

/* Queries, keys, values. In the last layer keys and values of all tokens, queries of the [CLS] rows only. */
static void project(struct ad_encoder *e, const float *theta, const struct ad_batch *batch, uint32_t l) {
  const struct post_norm_layer_offsets *p = ad__post_norm_layer(e, l);
  const struct ad__block *s = e->layers[l].own;
  const float *x = e->layers[l].x.values;
  const size_t H = e->params->config.hidden, T = batch->tokens, B = e->lane_cls[batch->lanes];
  const struct ad_kernels *k = e->kernels;
  const struct ad__operand input = ad__round(e, T, H, &e->layers[l].x);
  if (l + 1 < e->params->config.layers) {
    ad__product(e, T, &input, p->query_weight, s->qkv, 3 * H);
    k->bias(T, 3 * H, s->qkv, 3 * H, theta + p->query_bias);
    return;
  }
  ad__product(e, T, &input, p->key_weight, s->qkv, 2 * H);
  k->bias(T, 2 * H, s->qkv, 2 * H, theta + p->key_bias);
  for (size_t b = 0; b < B; b++) {
    memcpy(s->xc + b * H, x + e->cls_row[b] * H, H * sizeof *x);
  }
  const struct ad__operand cls = ad__input(e, B, H, s->xc, H);
  ad__product(e, B, &cls, p->query_weight, s->q, H);
  k->bias(B, H, s->q, H, theta + p->query_bias);
}

/* Attention of all examples, each at its own length. */
static void attend(struct ad_encoder *e, const struct ad_batch *batch, const struct ad__block *s,
                   const struct ad_dropout *dropout, int last) {
  const struct ad_model_config *m = &e->params->config;
  const size_t H = m->hidden, D = H / m->heads, ldq = last ? H : 3 * H, ldk = last ? 2 * H : 3 * H;
  const float *key = last ? s->qkv : s->qkv + H;
  const struct ad_distance_bias bias = ad__post_norm_bias(e, NULL);
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    for (size_t b = batch->lane_example[lane]; b < batch->lane_example[lane + 1]; b++) {
      const size_t t = batch->offset[b], S = batch->length[b],
                   row = last ? e->lane_cls[lane] + (b - batch->lane_example[lane]) : t;
      e->kernels->attention(last ? 1 : S, S, m->heads, D, s->q + row * ldq, ldq, key + t * ldk, key + H + t * ldk, ldk,
                            dropout, batch->stream[b], bias.values == NULL ? NULL : &bias, s->context.values + row * H,
                            H, ((const struct post_norm_state *)e->own)->attention_work);
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
  const size_t H = m->hidden, F = m->ffn, M = last ? e->lane_cls[batch->lanes] : batch->tokens;
  const uint32_t *streams = last ? e->cls_stream : batch->token_stream;
  const uint32_t *places = last ? e->cls_place : batch->places;
  const float *residual = last ? s->xc : e->layers[l].x.values;
  const struct ad_dropout attention = ad_encoder_dropout(m->attention_dropout, masks, l + 1, AD_MASK_ATTENTION);
  const struct ad_dropout drop1 = ad__post_norm_output_dropout(m, masks, l);
  const struct ad_dropout drop2 = ad_encoder_dropout(m->hidden_dropout, masks, l + 1, AD_MASK_FFN_OUTPUT);

  /* 1 */ project(e, theta, batch, l);
  /* 2 */ attend(e, batch, s, &attention, last);
  const struct ad__operand context = ad__round(e, M, H, &s->context);
  /* 3 */ ad__product(e, M, &context, p->output_weight, s->z1, H);
  k->bias_residual_norm(M, H, s->z1, theta + p->output_bias, residual, theta + p->norm1_weight, theta + p->norm1_bias,
                        m->layer_norm_eps, &drop1, streams, places, s->mean1, s->rstd1, s->y1.values);
  const struct ad__operand y1 = ad__round(e, M, H, &s->y1);
  /* 4 */ ad__product(e, M, &y1, p->up_weight, s->u, F);
  /* 5 */ k->bias_activation(M, F, (int)m->activation, s->u, theta + p->up_bias, s->g.values);
  const struct ad__operand g = ad__round(e, M, F, &s->g);
  /* 6 */ ad__product(e, M, &g, p->down_weight, s->z2, H);
  k->bias_residual_norm(M, H, s->z2, theta + p->down_bias, s->y1.values, theta + p->norm2_weight, theta + p->norm2_bias,
                        m->layer_norm_eps, &drop2, streams, places, s->mean2, s->rstd2, e->layers[l].out);
}
