/* What layers with two layer norms have in common. */
#include "encoder_internal.h"

void ad__take_block(struct ad_encoder *e, struct ad__block *own, int last) {
  const size_t T = e->token_rows, M = last ? e->read_rows : T, H = e->params->config.hidden, F = e->params->config.ffn;
  struct ad__block unused, *s = own == NULL ? &unused : own;
  s->qkv = ad__take_kept(e, T, (last ? 2 : 3) * H);
  s->xc = last ? ad__take(e, M * H) : NULL;
  s->q = last ? ad__take_kept(e, M, H) : s->qkv;
  s->context = ad__take_kept(e, M, H);
  s->z1 = ad__take(e, M * H);
  s->y1 = e->math->bf16 == NULL ? ad__take(e, M * H) : e->y1;
  s->u = ad__take_kept(e, M, F);
  s->g = e->math->bf16 == NULL ? ad__take(e, M * F) : NULL;
  s->z2 = ad__take(e, M * H);
  s->mean1 = ad__take(e, M);
  s->rstd1 = ad__take(e, M);
  s->mean2 = ad__take(e, M);
  s->rstd2 = ad__take(e, M);
}

/* --- Feed-forward --- */

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

struct ad__feed ad__feed_of(const struct ad_encoder *e, const struct ad_batch *batch, uint32_t l, size_t up,
                            size_t down) {
  const int tokens = l + 1 < e->params->config.layers;
  return (struct ad__feed){.tokens = tokens,
                           .rows = tokens ? batch->tokens : e->reads,
                           .streams = tokens ? batch->token_stream : e->read_stream,
                           .places = tokens ? batch->places : e->read_place,
                           .up = up,
                           .down = down};
}

struct ad__operand ad__feed(struct ad_encoder *e, const struct ad__feed *f, const struct ad__block *s,
                            const struct ad__operand *y1, const float *bias) {
  const struct ad_kernels *k = e->kernels;
  const size_t F = e->params->config.ffn, depth = ad_bf16_depth(F);
  const int activation = (int)e->params->config.activation;
  if (e->math->bf16 == NULL) {
    ad__product(e, f->rows, y1, f->up, s->u.values, F);
    k->bias_activation(f->rows, F, activation, s->u.values, bias, s->g);
    k->dropout(f->rows, F, s->g, &f->dropout, f->streams, f->places);
    return (struct ad__operand){s->g, F, NULL, depth};
  }
  const size_t step = ad__draft_rows(e, f->rows);
  for (size_t m = 0; m < f->rows; m += step) {
    const size_t count = least(f->rows - m, step);
    const struct ad__operand some = ad__from(y1, m);
    ad__product(e, count, &some, f->up, e->draft, F);
    k->bf16_bias_activation(count, F, activation, e->draft, bias, &f->dropout, f->streams + m, f->places + m,
                            s->u.rows + m * depth, e->inner_rows + m * depth);
  }
  return (struct ad__operand){NULL, F, e->inner_rows, depth};
}

/* Rows [first, first + count) of one lane: the gradient of g, at `df`, to that of u. */
static void backward_rows(struct ad__backward *p, const struct ad__feed *f, const struct ad__block *s, size_t first,
                          size_t count, float *df, float *dbias) {
  struct ad_encoder *e = p->e;
  const struct ad_kernels *k = e->kernels;
  const size_t F = e->params->config.ffn, depth = ad_bf16_depth(F);
  const int activation = (int)e->params->config.activation;
  const uint32_t *streams = f->streams + first, *places = f->places + first;
  if (e->math->bf16 == NULL) {
    k->dropout(count, F, df, &f->dropout, streams, places);
    k->bias_activation_backward(count, F, activation, df, s->u.values + first * F, df, dbias);
  } else {
    k->bf16_activation_backward(count, F, activation, df, s->u.rows + first * depth, &f->dropout, streams, places,
                                e->gradient_rows + first * depth, dbias, e->inner_rows + first * depth);
  }
}

void ad__feed_backward(struct ad__backward *p, const struct ad__feed *f, const struct ad__block *s,
                       const struct ad__operand *dy, size_t column, struct ad__operand *du, struct ad__operand *g) {
  struct ad_encoder *e = p->e;
  const size_t F = e->params->config.ffn, depth = ad_bf16_depth(F);
  const size_t step = ad__draft_rows(e, f->rows);
  ad__pack_transposed(e, f->down);
  for (size_t m = 0; m < f->rows; m += step) {
    const size_t end = least(m + step, f->rows);
    float *df = e->math->bf16 == NULL ? e->df : e->draft;
    const struct ad__operand some = ad__from(dy, m);
    ad__input_product(e, end - m, &some, f->down, df, F, 0);
    for (size_t lane = 0; lane < p->batch->lanes; lane++) {
      const struct ad_lane_rows r = ad__lane_rows(p, lane, f->tokens);
      const size_t from = r.first > m ? r.first : m, to = least(r.first + r.count, end);
      if (from < to) {
        backward_rows(p, f, s, from, to - from, df + (from - m) * F, ad__lane_sum(p, lane, column));
      }
    }
  }
  *du = (struct ad__operand){e->df, F, e->gradient_rows, depth};
  *g = (struct ad__operand){s->g, F, e->inner_rows, depth};
}

/* --- What is read again --- */

const float *ad__values(const struct ad_encoder *e, const struct ad__kept *x, size_t first, size_t count,
                        float *draft) {
  if (e->math->bf16 == NULL) {
    return x->values + first * x->n;
  }
  e->kernels->bf16_values(count, x->n, x->rows + first * ad_bf16_depth(x->n), draft, x->n);
  return draft;
}

float *ad__draft(const struct ad_encoder *e, const struct ad__kept *x, size_t first, float *draft) {
  return e->math->bf16 == NULL ? x->values + first * x->n : draft;
}

void ad__keep(const struct ad_encoder *e, const struct ad__kept *x, size_t first, size_t count, const float *draft) {
  if (e->math->bf16 != NULL) {
    ad_bf16_round(e->math->bf16, count, x->n, draft, x->n, x->rows + first * ad_bf16_depth(x->n));
  }
}

struct ad__qkv ad__qkv(const struct ad_encoder *e, const struct ad__block *s, size_t t, size_t S,
                       struct ad_lane_rows queries, int last) {
  const size_t H = e->params->config.hidden;
  const float *all = ad__values(e, &s->qkv, t, S, e->draft);
  float *behind = e->draft == NULL ? NULL : e->draft + S * s->qkv.n;
  struct ad__qkv at = {.ldq = last ? H : 3 * H, .ldk = s->qkv.n};
  at.q = last ? ad__values(e, &s->q, queries.first, queries.count, behind) : all;
  at.k = last ? all : all + H;
  at.v = at.k + H;
  at.behind = behind == NULL || !last ? behind : behind + queries.count * H;
  return at;
}

struct ad__qkv_gradient ad__qkv_gradient(const struct ad_encoder *e, const struct ad__qkv *at, size_t t, size_t row,
                                         int last) {
  const size_t H = e->params->config.hidden;
  float *all = e->math->bf16 == NULL ? e->dqkv + t * at->ldk : at->behind, *dk = last ? all : all + H;
  return (struct ad__qkv_gradient){last ? e->dy + row * H : all, dk, dk + H};
}

struct ad__operand ad__normed(const struct ad_encoder *e, size_t M, const float *values, const float *z,
                              const float *mean, const float *rstd, const float *gamma, const float *beta) {
  const size_t H = e->params->config.hidden;
  if (e->math->bf16 != NULL) {
    e->kernels->bf16_normalise(M, H, z, mean, rstd, gamma, beta, e->state_rows);
  }
  return (struct ad__operand){values, H, e->state_rows, ad_bf16_depth(H)};
}
