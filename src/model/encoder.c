#include "autodidact/model/encoder.h"

#include <stdio.h>
#include <string.h>

#include "autodidact/base/status.h"
#include "encoder_internal.h"

struct ad_dropout ad_encoder_dropout(float p, const struct ad_masks *masks, uint32_t level, enum ad_dropout_kind kind) {
  if (masks == NULL) {
    return ad_dropout_make(0.0f, 0, 0, 0);
  }
  return ad_dropout_make(p, masks->seed, masks->step, masks->pass << 12 | level << 2 | (uint32_t)kind);
}

/* Hands out `count` floats, or only counts them while the arena has no memory yet (the first of two passes). */
static void *take(struct ad_arena *arena, size_t count, size_t size) {
  if (arena->base == NULL) {
    arena->used += (count * size + 63) / 64 * 64;
    return NULL;
  }
  void *block = ad_arena_take(arena, count * size);
  if (block != NULL) {
    memset(block, 0, count * size);
  }
  return block;
}

static float *floats(struct ad_arena *arena, size_t count) {
  return take(arena, count, sizeof(float));
}

static void take_layer(struct ad_encoder *e, struct layer_state *s, int last) {
  const struct ad_model_config *m = &e->params->config;
  const size_t T = e->token_rows, M = last ? e->example_rows : T, H = m->hidden, F = m->ffn;
  struct ad_arena *a = &e->arena;
  s->qkv = floats(a, T * (last ? 2 : 3) * H);
  s->xc = last ? floats(a, M * H) : NULL;
  s->q = last ? floats(a, M * H) : s->qkv;
  s->context = floats(a, M * H);
  s->z1 = floats(a, M * H);
  s->y1 = floats(a, M * H);
  s->u = floats(a, M * F);
  s->g = floats(a, M * F);
  s->z2 = floats(a, M * H);
  s->mean1 = floats(a, M);
  s->rstd1 = floats(a, M);
  s->mean2 = floats(a, M);
  s->rstd2 = floats(a, M);
  s->out = floats(a, M * H);
}

/* All memory in one pass over the arena; called twice, first to count. */
static void take_all(struct ad_encoder *e) {
  const struct ad_model_config *m = &e->params->config;
  const size_t T = e->token_rows, B = e->example_rows, H = m->hidden, L = m->layers;
  struct ad_arena *a = &e->arena;
  struct layer_state *layers = take(a, L, sizeof *layers);
  struct layer_state unused = {0};
  e->layers = layers;
  e->embedded = floats(a, T * H);
  e->mean0 = floats(a, T);
  e->rstd0 = floats(a, T);
  float *first = floats(a, T * H);
  for (size_t l = 0; l < L; l++) {
    struct layer_state *s = layers == NULL ? &unused : &layers[l];
    const int last = l + 1 == L;
    const int kept = e->training && l >= ad_params_first_layer(e->params);
    if (kept || last || l == 0) {
      take_layer(e, s, last);
    } else if (layers != NULL) {
      /* Evaluation, frozen layers: one layer's memory serves all, in and out being exchanged. */
      *s = layers[0];
      s->out = l % 2 == 0 ? layers[0].out : first;
    }
    if (layers != NULL) {
      s->x = l == 0 ? first : layers[l - 1].out;
    }
  }
  /* Behind the layers, from the first to the last: ad_encoder_spare. */
  e->pooled = floats(a, B * H);
  e->dropped = floats(a, B * H);
  const size_t longest = e->token_rows < m->positions ? e->token_rows : m->positions;
  e->attention_work = floats(a, ad_attention_work(longest, longest, H / m->heads));
  e->cls_position = take(a, B, sizeof *e->cls_position);
  e->cls_row = take(a, B, sizeof *e->cls_row);
  e->cls_stream = take(a, B, sizeof *e->cls_stream);
  e->lane_cls = take(a, AD_MAX_LANES + 1, sizeof *e->lane_cls);
  if (e->training) {
    e->lane_rows[0] = take(a, AD_MAX_LANES, sizeof **e->lane_rows);
    e->lane_rows[1] = take(a, AD_MAX_LANES, sizeof **e->lane_rows);
  }
  if (e->training && !trains_layers(e->params)) {
    e->dy = floats(a, B * H);
  } else if (e->training) {
    e->dx = floats(a, T * H);
    e->dz = floats(a, T * H);
    e->dy = floats(a, T * H);
    e->df = floats(a, T * m->ffn);
    e->dqkv = floats(a, T * 3 * H);
  }
}

enum { SHAPES = 5 };

/* The model's products, N and K. */
static void list_shapes(const struct ad_model_config *m, size_t shapes[SHAPES][2]) {
  const size_t H = m->hidden, F = m->ffn;
  const size_t list[SHAPES][2] = {{3 * H, H}, {2 * H, H}, {H, H}, {F, H}, {H, F}};
  memcpy(shapes, list, sizeof list);
}

int ad_encoder_alignment(const struct ad_math *math, const struct ad_params *params) {
  size_t shapes[SHAPES][2];
  list_shapes(&params->config, shapes);
  return ad_gemm_prepare(math->gemm, (const size_t(*)[2])shapes, SHAPES);
}

static void set_sizes(struct ad_encoder *e, const struct ad_math *math, const struct ad_params *params, size_t tokens,
                      size_t examples, size_t lanes, size_t alignment, int training) {
  const size_t filled = lanes < examples ? lanes : examples;
  size_t shapes[SHAPES][2];
  list_shapes(&params->config, shapes);
  *e = (struct ad_encoder){.params = params,
                           .kernels = math->kernels,
                           .gemm = math->gemm,
                           .alignment = alignment,
                           .block = ad_gemm_block(math->gemm, (int)alignment, (const size_t(*)[2])shapes, SHAPES),
                           .training = training};
  e->token_rows = product_rows(e, tokens);
  e->example_rows = product_rows(e, ad_packer_rows(examples, filled, alignment));
}

size_t ad_encoder_bytes(const struct ad_math *math, const struct ad_params *params, size_t tokens, size_t examples,
                        size_t lanes, int training) {
  struct ad_encoder counted;
  const int alignment = ad_encoder_alignment(math, params);
  const size_t known = alignment > 0 ? (size_t)alignment : AD_ROW_BLOCK;
  set_sizes(&counted, math, params, tokens, examples, lanes, known, training);
  take_all(&counted);
  return counted.arena.used;
}

size_t ad_encoder_backward_bytes(const struct ad_gemm *gemm, const struct ad_params *params, size_t tokens,
                                 size_t lanes, size_t touched) {
  const struct ad_model_config *m = &params->config;
  size_t shapes[SHAPES][2], table = touched > m->positions ? touched : m->positions, most;
  table = m->classes > table ? m->classes : table;
  table = table > 3 ? table : 3;
  const size_t columns = table * m->hidden > m->ffn ? table * m->hidden : m->ffn;
  most = ad_tree_work(lanes, columns);
  list_shapes(m, shapes);
  for (size_t i = 0; i < SHAPES; i++) {
    const size_t work = ad_gemm_tn_work(gemm, lanes, tokens, shapes[i][0], shapes[i][1]);
    most = work > most ? work : most;
  }
  return most * sizeof(float);
}

int ad_encoder_create(struct ad_encoder **encoder, const struct ad_math *math, const struct ad_params *params,
                      size_t tokens, size_t examples, size_t lanes, int training) {
  *encoder = NULL;
  if (params->config.layers > 1022) {
    return ad_fail(AD_ECONFIG, "model: %u layers, at most 1022 have names for their dropout masks",
                   params->config.layers);
  }
  const int alignment = ad_encoder_alignment(math, params);
  AD_TRY(alignment);
  struct ad_encoder *e = ad_malloc(1, sizeof *e);
  if (e == NULL) {
    return ad_fail_memory(sizeof *e, "the encoder");
  }
  set_sizes(e, math, params, tokens, examples, lanes, (size_t)alignment, training);
  const int status = ad_arena_create(&e->arena, ad_encoder_bytes(math, params, tokens, examples, lanes, training));
  if (status != AD_OK) {
    ad_free(e);
    return status;
  }
  take_all(e);
  *encoder = e;
  return AD_OK;
}

void ad_encoder_read_frozen(struct ad_encoder *encoder, const float *theta) {
  encoder->frozen = theta;
}

/* The vector that parameters are read from. */
static const float *source(const struct ad_encoder *e, const float *theta, int frozen) {
  return frozen && e->frozen != NULL ? e->frozen : theta;
}

void ad_encoder_destroy(struct ad_encoder *encoder) {
  if (encoder == NULL) {
    return;
  }
  ad_arena_destroy(&encoder->arena);
  ad_free(encoder->lane_sums);
  ad_free(encoder->tree_work);
  ad_free(encoder);
}

float *ad_encoder_spare(const struct ad_encoder *encoder, uint32_t bucket, size_t *count) {
  const uint32_t layer = ad_params_done_from(encoder->params, bucket);
  *count = 0;
  if (!encoder->training || layer >= encoder->params->config.layers) {
    return NULL;
  }
  float *begin = encoder->layers[layer].qkv;
  *count = (size_t)(encoder->pooled - begin);
  return begin;
}

/* Queries, keys, values. In the last layer keys and values of all tokens, queries of the [CLS] rows only. */
static void project(struct ad_encoder *e, const float *theta, const struct ad_batch *batch, struct layer_state *s,
                    uint32_t l) {
  const struct ad_layer_offsets *p = &e->params->layer[l];
  const size_t H = e->params->config.hidden, T = batch->tokens, rows = product_rows(e, T);
  const struct ad_kernels *k = e->kernels;
  if (l + 1 < e->params->config.layers) {
    ad_gemm_nt(e->gemm, rows, 3 * H, H, s->x, H, theta + p->query_weight, s->qkv, 3 * H);
    k->bias(T, 3 * H, s->qkv, 3 * H, theta + p->query_bias);
    return;
  }
  ad_gemm_nt(e->gemm, rows, 2 * H, H, s->x, H, theta + p->key_weight, s->qkv, 2 * H);
  k->bias(T, 2 * H, s->qkv, 2 * H, theta + p->key_bias);
  const size_t B = e->lane_cls[batch->lanes];
  for (size_t b = 0; b < B; b++) {
    memcpy(s->xc + b * H, s->x + e->cls_row[b] * H, H * sizeof *s->x);
  }
  ad_gemm_nt(e->gemm, product_rows(e, B), H, H, s->xc, H, theta + p->query_weight, s->q, H);
  k->bias(B, H, s->q, H, theta + p->query_bias);
}

/* Attention of all examples, each at its own length. */
static void attend(struct ad_encoder *e, const struct ad_batch *batch, struct layer_state *s,
                   const struct ad_dropout *dropout, int last) {
  const struct ad_model_config *m = &e->params->config;
  const size_t H = m->hidden, D = H / m->heads, ldq = last ? H : 3 * H, ldk = last ? 2 * H : 3 * H;
  const float *key = last ? s->qkv : s->qkv + H;
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    for (size_t b = batch->lane_example[lane]; b < batch->lane_example[lane + 1]; b++) {
      const size_t t = batch->offset[b], S = batch->length[b],
                   row = last ? e->lane_cls[lane] + (b - batch->lane_example[lane]) : t;
      e->kernels->attention(last ? 1 : S, S, m->heads, D, s->q + row * ldq, ldq, key + t * ldk, key + H + t * ldk, ldk,
                            dropout, batch->stream[b], s->context + row * H, H, e->attention_work);
    }
  }
}

/* The numbers of the steps are undone from 6 to 1 in encoder_backward.c. */
static void forward_layer(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                          const struct ad_masks *masks, uint32_t l) {
  const struct ad_model_config *m = &e->params->config;
  const struct ad_layer_offsets *p = &e->params->layer[l];
  struct layer_state *s = &e->layers[l];
  const struct ad_kernels *k = e->kernels;
  const int last = l + 1 == m->layers;
  const size_t H = m->hidden, F = m->ffn, M = last ? e->lane_cls[batch->lanes] : batch->tokens,
               rows = product_rows(e, M);
  const uint32_t *streams = last ? e->cls_stream : batch->token_stream;
  const uint32_t *positions = last ? e->cls_position : batch->positions;
  const float *residual = last ? s->xc : s->x;
  const struct ad_dropout attention = ad_encoder_dropout(m->attention_dropout, masks, l + 1, AD_MASK_ATTENTION);
  const struct ad_dropout drop1 = ad_encoder_dropout(m->hidden_dropout, masks, l + 1, AD_MASK_ATTENTION_OUTPUT);
  const struct ad_dropout drop2 = ad_encoder_dropout(m->hidden_dropout, masks, l + 1, AD_MASK_FFN_OUTPUT);

  /* 1 */ project(e, theta, batch, s, l);
  /* 2 */ attend(e, batch, s, &attention, last);
  /* 3 */ ad_gemm_nt(e->gemm, rows, H, H, s->context, H, theta + p->output_weight, s->z1, H);
  k->bias_residual_norm(M, H, s->z1, theta + p->output_bias, residual, theta + p->norm1_weight, theta + p->norm1_bias,
                        m->layer_norm_eps, &drop1, streams, positions, s->mean1, s->rstd1, s->y1);
  /* 4 */ ad_gemm_nt(e->gemm, rows, F, H, s->y1, H, theta + p->up_weight, s->u, F);
  /* 5 */ k->bias_activation(M, F, (int)m->activation, s->u, theta + p->up_bias, s->g);
  /* 6 */ ad_gemm_nt(e->gemm, rows, H, F, s->g, F, theta + p->down_weight, s->z2, H);
  k->bias_residual_norm(M, H, s->z2, theta + p->down_bias, s->y1, theta + p->norm2_weight, theta + p->norm2_bias,
                        m->layer_norm_eps, &drop2, streams, positions, s->mean2, s->rstd2, s->out);
}

static void forward_head(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                         const struct ad_masks *masks, float *logits) {
  const struct ad_model_config *m = &e->params->config;
  const struct ad_head_offsets *p = &e->params->head;
  const size_t H = m->hidden, B = e->lane_cls[batch->lanes];
  const float *state = e->layers[m->layers - 1].out;
  const struct ad_dropout dropout = ad_encoder_dropout(m->classifier_dropout, masks, m->layers + 1, AD_MASK_CLASSIFIER);
  if (m->classifier == AD_CLASSIFIER_POOLER) {
    ad_gemm_nt(e->gemm, product_rows(e, B), H, H, state, H, theta + p->pooler_weight, e->pooled, H);
    e->kernels->bias_tanh(B, H, e->pooled, theta + p->pooler_bias);
  } else {
    memcpy(e->pooled, state, B * H * sizeof *state);
  }
  memcpy(e->dropped, e->pooled, B * H * sizeof *e->dropped);
  e->kernels->dropout(B, H, e->dropped, &dropout, e->cls_stream, e->cls_position);
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    const size_t first = batch->lane_example[lane];
    e->kernels->classify(batch->lane_example[lane + 1] - first, m->classes, H, e->dropped + e->lane_cls[lane] * H,
                         theta + p->classifier_weight, theta + p->classifier_bias, logits + first * m->classes);
  }
}

/* Where the [CLS] rows stand: lane after lane, each from an aligned row on. */
static void place_cls_rows(struct ad_encoder *e, const struct ad_batch *batch) {
  size_t row = 0;
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    const size_t first = batch->lane_example[lane], count = batch->lane_example[lane + 1] - first;
    for (; count > 0 && row % e->alignment != 0; row++) {
      e->cls_row[row] = e->cls_stream[row] = 0;
    }
    e->lane_cls[lane] = row;
    for (size_t b = first; b < first + count; b++, row++) {
      e->cls_row[row] = (uint32_t)batch->offset[b];
      e->cls_stream[row] = batch->stream[b];
    }
  }
  e->lane_cls[batch->lanes] = row;
}

static int check_batch(const struct ad_encoder *e, const struct ad_batch *batch) {
  const struct ad_model_config *m = &e->params->config;
  if (batch->tokens > e->token_rows ||
      ad_packer_rows(batch->examples, batch->lanes < batch->examples ? batch->lanes : batch->examples, e->alignment) >
          e->example_rows ||
      batch->lanes > AD_MAX_LANES) {
    return ad_fail(AD_EINTERNAL, "a batch of %zu rows, %zu examples, %zu lanes; the encoder has room for %zu, %zu, %d",
                   batch->tokens, batch->examples, batch->lanes, e->token_rows, e->example_rows, AD_MAX_LANES);
  }
  for (size_t b = 0; b < batch->examples; b++) {
    if (batch->length[b] == 0 || batch->length[b] > m->positions) {
      return ad_fail(AD_EINPUT, "example %u has %u tokens, the model takes 1 to %u", batch->example[b],
                     batch->length[b], m->positions);
    }
  }
  for (size_t b = 0; b < batch->examples; b++) {
    for (size_t t = batch->offset[b]; t < batch->offset[b] + batch->length[b]; t++) {
      if (batch->ids[t] >= m->vocab || batch->types[t] >= m->types) {
        return ad_fail(AD_EINPUT, "example %u: token id %u of type %u; the model has %u tokens and %u types",
                       batch->example[b], batch->ids[t], batch->types[t], m->vocab, m->types);
      }
    }
  }
  return AD_OK;
}

int ad_encoder_forward(struct ad_encoder *encoder, const float *theta, const struct ad_batch *batch,
                       const struct ad_masks *masks, float *logits) {
  const struct ad_model_config *m = &encoder->params->config;
  const struct ad_embedding_offsets *p = &encoder->params->embedding;
  AD_TRY(check_batch(encoder, batch));
  place_cls_rows(encoder, batch);
  const struct ad_dropout dropout = ad_encoder_dropout(m->hidden_dropout, masks, 0, AD_MASK_EMBEDDING);
  const uint32_t first = ad_params_first_layer(encoder->params);
  const float *table = source(encoder, theta, encoder->params->frozen > 0);
  encoder->kernels->embed(batch->tokens, m->hidden, batch->ids, batch->positions, batch->types, table + p->word,
                          table + p->position, table + p->type, encoder->embedded);
  encoder->kernels->norm(batch->tokens, m->hidden, encoder->embedded, table + p->norm_weight, table + p->norm_bias,
                         m->layer_norm_eps, &dropout, batch->token_stream, batch->positions, encoder->mean0,
                         encoder->rstd0, encoder->layers[0].x);
  for (uint32_t l = 0; l < m->layers; l++) {
    forward_layer(encoder, source(encoder, theta, l < first), batch, masks, l);
  }
  forward_head(encoder, theta, batch, masks, logits);
  return AD_OK;
}
