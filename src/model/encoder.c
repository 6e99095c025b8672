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

struct ad_dropout ad__head_state_dropout(const struct ad_params *params, const struct ad_masks *masks) {
  const struct ad_model_config *m = &params->config;
  const float p[] = {[AD_STATE_CLASSIFIER] = m->classifier_dropout, [AD_STATE_HIDDEN] = m->hidden_dropout};
  return ad_encoder_dropout(p[params->architecture->head.state_dropout], masks, m->layers + 1, AD_MASK_HEAD_STATE);
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

void *ad__take_sized(struct ad_encoder *e, size_t count, size_t size) {
  return take(&e->arena, count, size);
}

float *ad__take(struct ad_encoder *e, size_t count) {
  return take(&e->arena, count, sizeof(float));
}

float *ad__take_gradient(struct ad_encoder *e, size_t columns) {
  if (!e->training || !trains_layers(e->params)) {
    return NULL;
  }
  struct ad__gradient *gradient = &e->gradients[e->gradient_count++];
  *gradient = (struct ad__gradient){ad__take(e, e->token_rows * columns), columns};
  return gradient->values;
}

ad_bf16 *ad__take_rows(struct ad_encoder *e, size_t M, size_t n) {
  return e->math->bf16 == NULL ? NULL : take(&e->arena, M * ad_bf16_depth(n), sizeof(ad_bf16));
}

struct ad__kept ad__take_kept(struct ad_encoder *e, size_t M, size_t n) {
  return (struct ad__kept){n, e->math->bf16 != NULL ? NULL : ad__take(e, M * n), ad__take_rows(e, M, n)};
}

/* [T,H] that a forward fills: with bfloat16 where a gradient will be, or where there is no backward new floats. */
static float *take_state(struct ad_encoder *e, float *gradient) {
  return e->training && trains_layers(e->params) ? gradient : ad__take(e, e->token_rows * e->params->config.hidden);
}

/* The layers. One layer's memory serves all where nothing is kept for a backward. With bfloat16 the states between
 * layers are kept by no layer, and in and out are exchanged. */
static void take_layers(struct ad_encoder *e) {
  const struct ad_architecture *a = e->params->architecture;
  const size_t T = e->token_rows, H = e->params->config.hidden, L = e->params->config.layers;
  const uint32_t first = ad_params_first_layer(e->params);
  const int exchanged = e->math->bf16 != NULL;
  struct ad__layer unused = {0};
  char *own = take(&e->arena, L, a->layer_own_size);
  float *x = exchanged ? take_state(e, e->dx) : ad__take(e, T * H), *y = exchanged ? take_state(e, e->dz) : NULL;
  e->y1 = exchanged ? take_state(e, e->dy) : NULL;
  for (size_t l = 0; l < L; l++) {
    struct ad__layer *s = e->layers == NULL ? &unused : &e->layers[l];
    const int last = l + 1 == L;
    if ((e->training && l >= first) || last || l == 0) {
      s->begin = e->layers == NULL ? NULL : (float *)(void *)(e->arena.base + e->arena.used);
      s->own = e->layers == NULL ? NULL : own + l * a->layer_own_size;
      a->take_layer(e, s->own, last);
      s->out = last || !exchanged ? ad__take(e, (last ? e->read_rows : T) * H) : NULL;
    } else if (e->layers != NULL) {
      *s = e->layers[0];
      s->out = NULL;
    }
    s->x_rows = exchanged && e->training && l == first ? ad__take_rows(e, T, H) : e->state_rows;
    if (e->layers != NULL) {
      s->out = s->out != NULL ? s->out : l % 2 != 0 ? x : exchanged ? y : e->layers[0].out;
      s->x = l == 0 ? x : e->layers[l - 1].out;
    }
  }
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

/* With bfloat16: rows that products read, a weight for the gradient of an input, and drafts. */
static void take_operands(struct ad_encoder *e) {
  const struct ad_params *params = e->params;
  const struct ad_model_config *m = &params->config;
  const size_t T = e->token_rows, H = m->hidden, longest = T < m->positions ? T : m->positions;
  const size_t states = larger(e->read_rows, larger(1, params->architecture->work(m).rows) * T) * ad_bf16_depth(H);
  size_t gradients = larger(states, 3 * T * ad_bf16_depth(H)), weight = 0;
  for (size_t i = 0; i < params->linear_count; i++) {
    const struct ad_linear *w = &params->linears[i];
    const size_t block = ad_linear_block(w), of = w->vocabulary ? e->read_rows : T;
    const size_t inner = w->transposed ? w->columns : block, outputs = w->transposed ? block : w->columns;
    const int used = w->vocabulary || i >= ad_params_first_linear(params);
    gradients = larger(gradients, of * ad_bf16_depth(inner));
    weight = used ? larger(weight, ad_bf16_packed(outputs, inner)) : weight;
  }
  e->state_rows = take(&e->arena, larger(states, T * ad_bf16_depth(m->embedding)), sizeof *e->state_rows);
  e->inner_rows = take(&e->arena, larger(states, T * ad_bf16_depth(m->ffn)), sizeof *e->inner_rows);
  e->draft = ad__take(e, larger(AD_DRAFT_ROWS * larger(3 * H, m->ffn), 6 * H * longest));
  if (e->training) {
    const int all = trains_layers(params) || m->masked_lm;
    e->gradient_rows = take(&e->arena, all ? gradients : states, sizeof *e->gradient_rows);
    e->weight = take(&e->arena, weight, sizeof *e->weight);
  }
}

static void take_gradients(struct ad_encoder *e) {
  const size_t H = e->params->config.hidden;
  e->dx = ad__take_gradient(e, H);
  e->dz = ad__take_gradient(e, H);
  e->dy = ad__take_gradient(e, H);
  if (e->math->bf16 == NULL) {
    e->df = ad__take_gradient(e, e->params->config.ffn);
    e->dqkv = ad__take_gradient(e, 3 * H);
  }
  if (e->training && !trains_layers(e->params)) {
    e->dy = ad__take(e, e->read_rows * H);
  }
}

/* All memory in one pass over the arena; called twice, first to count. */
static void take_all(struct ad_encoder *e) {
  const struct ad_architecture *architecture = e->params->architecture;
  const struct ad_model_config *m = &e->params->config;
  const size_t B = e->read_rows, H = m->masked_lm ? ad_model_embedding(m) : m->hidden;
  struct ad_arena *a = &e->arena;
  e->layers = take(a, e->params->config.layers, sizeof *e->layers);
  e->own = take(a, 1, architecture->own_size);
  architecture->take(e, e->own);
  if (e->math->bf16 != NULL) {
    take_operands(e);
  }
  take_gradients(e);
  take_layers(e);
  /* Behind the layers, from the first to the last: ad_encoder_spare. */
  e->pooled = ad__take(e, B * H);
  e->dropped = ad__take(e, B * H);
  e->read_place = take(a, B, sizeof *e->read_place);
  e->read_row = take(a, B, sizeof *e->read_row);
  e->read_stream = take(a, B, sizeof *e->read_stream);
  if (m->masked_lm) {
    ad__words_take(e);
  }
  e->lane_rows[0] = take(a, AD_MAX_LANES, sizeof **e->lane_rows);
  if (e->training) {
    e->lane_rows[1] = take(a, AD_MAX_LANES, sizeof **e->lane_rows);
  }
}

/* Rows of products with bfloat16 operands are independent. */
int ad_encoder_alignment(const struct ad_math *math, const struct ad_params *params) {
  return math->bf16 != NULL ? 1 : ad_gemm_prepare(math->gemm, (const size_t(*)[2])params->shapes, params->shape_count);
}

static size_t block_of(const struct ad_math *math, const struct ad_params *params, size_t alignment) {
  return math->bf16 != NULL
             ? 1
             : ad_gemm_block(math->gemm, (int)alignment, (const size_t(*)[2])params->shapes, params->shape_count);
}

/* Read rows with the gaps between lanes, at most. */
static size_t aligned_reads(size_t reads, size_t lanes, size_t alignment) {
  return ad_packer_rows(reads, lanes < reads ? lanes : reads, alignment);
}

static void set_sizes(struct ad_encoder *e, const struct ad_math *math, const struct ad_params *params, size_t tokens,
                      size_t reads, size_t lanes, size_t alignment, int training) {
  *e = (struct ad_encoder){.params = params,
                           .math = math,
                           .kernels = math->kernels,
                           .alignment = alignment,
                           .block = block_of(math, params, alignment),
                           .training = training};
  e->token_rows = product_rows(e, tokens);
  e->read_rows = product_rows(e, aligned_reads(reads, lanes, alignment));
}

size_t ad_encoder_bytes(const struct ad_math *math, const struct ad_params *params, size_t tokens, size_t reads,
                        size_t lanes, int training) {
  struct ad_encoder counted;
  const int alignment = ad_encoder_alignment(math, params);
  const size_t known = alignment > 0 ? (size_t)alignment : AD_ROW_BLOCK;
  set_sizes(&counted, math, params, tokens, reads, lanes, known, training);
  take_all(&counted);
  return counted.arena.used;
}

size_t ad__shared_floats(const struct ad_params *params) {
  return params->frozen > 0 ? 0 : params->architecture->work(&params->config).shared;
}

size_t ad__tree_floats(const struct ad_math *math, const struct ad_params *params, size_t tokens, size_t lanes,
                       size_t touched) {
  const int words = params->config.masked_lm; /* then they are summed tile by tile, and in blocks */
  const size_t of_table = words ? 0 : touched * params->table.width;
  const size_t of_head = words ? AD_VOCABULARY_BLOCK : (size_t)params->config.classes * params->config.hidden;
  const struct ad__work of = params->architecture->work(&params->config);
  size_t sum = of.sum;
  sum = of_table > sum ? of_table : sum;
  sum = of_head > sum ? of_head : sum;
  size_t most = ad_tree_work(lanes, sum);
  for (size_t i = 0; i < params->shape_count; i++) {
    most = larger(most, ad__weight_gradient_floats(math, lanes, tokens, params->shapes[i][0], params->shapes[i][1]));
  }
  const size_t H = params->config.hidden;
  return larger(most, ad__weight_gradient_floats(math, lanes, of.rows * tokens, H, H));
}

size_t ad_encoder_backward_bytes(const struct ad_math *math, const struct ad_params *params, size_t tokens,
                                 size_t lanes, size_t touched) {
  return (ad__tree_floats(math, params, tokens, lanes, touched) + lanes * ad__shared_floats(params)) * sizeof(float);
}

int ad_encoder_create(struct ad_encoder **encoder, const struct ad_math *math, const struct ad_params *params,
                      size_t tokens, size_t reads, size_t lanes, int training) {
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
  set_sizes(e, math, params, tokens, reads, lanes, (size_t)alignment, training);
  const int status = ad_arena_create(&e->arena, ad_encoder_bytes(math, params, tokens, reads, lanes, training));
  if (status != AD_OK) {
    ad_free(e);
    return status;
  }
  take_all(e);
  *encoder = e;
  return AD_OK;
}

void ad_encoder_read_frozen(struct ad_encoder *encoder, struct ad_replica theta) {
  encoder->frozen = theta;
}

/* The vector that parameters are read from. */
static const float *source(const struct ad_encoder *e, const float *theta, int frozen) {
  return frozen && e->frozen.values != NULL ? e->frozen.values : theta;
}

void ad_encoder_destroy(struct ad_encoder *encoder) {
  if (encoder == NULL) {
    return;
  }
  ad_arena_destroy(&encoder->arena);
  ad_free(encoder->lane_sums);
  ad_free(encoder->shared_sums);
  ad_free(encoder->tree_work);
  ad_free(encoder);
}

float *ad_encoder_spare(const struct ad_encoder *encoder, uint32_t bucket, size_t *count) {
  const uint32_t layer = ad_params_done_from(encoder->params, bucket);
  *count = 0;
  if (!encoder->training || layer >= encoder->params->config.layers) {
    return NULL;
  }
  float *begin = encoder->layers[layer].begin;
  *count = (size_t)(encoder->pooled - begin);
  return begin;
}

/* The head's matrix and its activation over B read rows, to e->dropped. */
static void forward_dense(struct ad_encoder *e, const float *theta, size_t B, const struct ad_masks *masks) {
  const struct ad_head_offsets *p = &e->params->head;
  const struct ad__head *head = &e->params->architecture->head;
  const struct ad_dropout dropout = ad__head_state_dropout(e->params, masks);
  const size_t H = e->params->config.hidden;
  float *state = e->layers[e->params->config.layers - 1].out;
  /* In place: nobody else reads the state any more. */
  e->kernels->dropout(B, H, state, &dropout, e->read_stream, e->read_place);
  const struct ad__operand x = ad__input(e, B, H, state, H);
  ad__product(e, B, &x, p->dense_weight, e->pooled, H);
  if (head->activation == AD_HEAD_TANH) {
    e->kernels->bias_tanh(B, H, e->pooled, theta + p->dense_bias);
    memcpy(e->dropped, e->pooled, B * H * sizeof *e->dropped);
  } else {
    e->kernels->bias_activation(B, H, ad__head_function(head), e->pooled, theta + p->dense_bias, e->dropped);
  }
}

static void forward_head(struct ad_encoder *e, const float *theta, const struct ad_batch *batch,
                         const struct ad_masks *masks, float *logits) {
  const struct ad_model_config *m = &e->params->config;
  const struct ad_head_offsets *p = &e->params->head;
  const size_t H = m->hidden, C = m->classes, B = e->reads;
  const float *state = e->layers[m->layers - 1].out;
  const struct ad_dropout dropout = ad_encoder_dropout(m->classifier_dropout, masks, m->layers + 1, AD_MASK_CLASSIFIER);
  if (m->classifier == AD_CLASSIFIER_POOLER) {
    forward_dense(e, theta, B, masks);
  } else {
    memcpy(e->dropped, state, B * H * sizeof *state);
  }
  e->kernels->dropout(B, H, e->dropped, &dropout, e->read_stream, e->read_place);
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    const struct ad_lane_rows r = e->lane_rows[0][lane];
    e->kernels->classify(r.count, C, H, e->dropped + r.first * H, theta + p->classifier_weight,
                         theta + p->classifier_bias, logits);
    logits += r.count * C;
  }
}

/* Read row number `row`: the token at packed row t. */
static void place_read(struct ad_encoder *e, const struct ad_batch *batch, size_t row, uint32_t t) {
  e->read_row[row] = t;
  e->read_place[row] = batch->places[t];
  e->read_stream[row] = batch->token_stream[t];
}

/* Where the read rows stand: lane after lane, each from an aligned row on. `[CLS]` is whichever token the classifier
 * reads, the last one of an example in some models. */
static void place_reads(struct ad_encoder *e, const struct ad_batch *batch) {
  const struct ad_reads *reads = batch->reads;
  const size_t *begin = reads != NULL ? reads->lane : batch->lane_example;
  const int last = e->params->form.cls_last;
  size_t row = 0;
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    const size_t count = begin[lane + 1] - begin[lane];
    for (; count > 0 && row % e->alignment != 0; row++) {
      e->read_row[row] = e->read_stream[row] = e->read_place[row] = 0;
    }
    e->lane_rows[0][lane] = (struct ad_lane_rows){count == 0 ? 0 : row, count};
    for (size_t i = begin[lane]; i < begin[lane + 1]; i++, row++) {
      place_read(e, batch, row,
                 reads != NULL ? reads->row[i] : (uint32_t)batch->offset[i] + (last ? batch->length[i] - 1 : 0));
    }
  }
  e->reads = row;
}

struct ad_lane_rows ad__example_reads(const struct ad_encoder *e, size_t lane, size_t end, size_t *row) {
  const struct ad_lane_rows of_lane = e->lane_rows[0][lane];
  const size_t first = *row;
  while (*row < of_lane.first + of_lane.count && e->read_row[*row] < end) {
    ++*row;
  }
  return (struct ad_lane_rows){first, *row - first};
}

int ad__check_replica(const struct ad_encoder *e, struct ad_replica theta) {
  return (theta.type == AD_REPLICA_BFLOAT16) == (e->math->bf16 != NULL)
             ? AD_OK
             : ad_fail(AD_EINTERNAL, "an encoder and parameters of different precision");
}

/* Whether the read rows are the batch's own, lane by lane. */
static int check_reads(const struct ad_encoder *e, const struct ad_batch *batch) {
  const struct ad_reads *reads = batch->reads;
  if (e->params->architecture->vocabulary.dense[0] == NULL) {
    return ad_fail(AD_EINTERNAL, "rows other than [CLS] are to be read of a model of the type %s",
                   e->params->architecture->title);
  }
  for (size_t lane = 0; lane < batch->lanes; lane++) {
    const size_t begin = batch->offset[batch->lane_example[lane]], end = batch->offset[batch->lane_example[lane + 1]];
    for (size_t i = reads->lane[lane]; i < reads->lane[lane + 1]; i++) {
      const size_t least = i == reads->lane[lane] ? begin : reads->row[i - 1] + (size_t)1;
      if (reads->row[i] < least || reads->row[i] >= end) {
        return ad_fail(AD_EINTERNAL, "read row %zu is %u, expected %zu to below %zu", i, reads->row[i], least, end);
      }
    }
  }
  return AD_OK;
}

static int check_batch(const struct ad_encoder *e, const struct ad_batch *batch) {
  const struct ad_model_config *m = &e->params->config;
  const size_t reads = batch->reads != NULL ? batch->reads->count : batch->examples;
  if (batch->tokens > e->token_rows || aligned_reads(reads, batch->lanes, e->alignment) > e->read_rows ||
      batch->lanes > AD_MAX_LANES) {
    return ad_fail(AD_EINTERNAL, "a batch of %zu rows, %zu read, %zu lanes; the encoder has room for %zu, %zu, %d",
                   batch->tokens, reads, batch->lanes, e->token_rows, e->read_rows, AD_MAX_LANES);
  }
  AD_TRY(batch->reads != NULL ? check_reads(e, batch) : AD_OK);
  for (size_t b = 0; b < batch->examples; b++) {
    if (batch->length[b] == 0 || batch->length[b] > e->params->form.longest) {
      return ad_fail(AD_EINPUT, "example %u has %u tokens, the model takes 1 to %u", batch->example[b],
                     batch->length[b], e->params->form.longest);
    }
  }
  for (size_t b = 0; b < batch->examples; b++) {
    for (size_t t = batch->offset[b]; t < batch->offset[b] + batch->length[b]; t++) {
      if (batch->ids[t] >= m->vocab || (batch->types[t] > 0 && batch->types[t] >= m->types)) {
        return ad_fail(AD_EINPUT, "example %u: token id %u of type %u; the model has %u tokens and %u types",
                       batch->example[b], batch->ids[t], batch->types[t], m->vocab, m->types);
      }
    }
  }
  return AD_OK;
}

int ad_encoder_forward(struct ad_encoder *encoder, struct ad_replica replica, const struct ad_batch *batch,
                       const struct ad_masks *masks, float *logits) {
  const float *theta = ad_replica_floats(replica);
  const struct ad_params *params = encoder->params;
  const uint32_t first = ad_params_first_layer(params);
  AD_TRY(ad__check_replica(encoder, replica));
  AD_TRY(check_batch(encoder, batch));
  encoder->theta = replica;
  place_reads(encoder, batch);
  params->architecture->embed(encoder, source(encoder, theta, params->frozen > 0), batch, masks);
  for (uint32_t l = 0; l < params->config.layers; l++) {
    params->architecture->forward(encoder, source(encoder, theta, l < first), batch, masks, l);
  }
  if (params->config.masked_lm) {
    ad__words_forward(encoder, theta, batch, logits);
  } else {
    forward_head(encoder, theta, batch, masks, logits);
  }
  return AD_OK;
}
