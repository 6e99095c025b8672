/* Products with the weights of linear layers, in the encoder's precision. */
#include "autodidact/base/status.h"
#include "encoder_internal.h"

/* --- Operands --- */

struct ad__operand ad__operand(const struct ad_encoder *e, size_t M, size_t n, const float *values, size_t ld,
                               ad_bf16 *rows) {
  if (e->math->bf16 != NULL) {
    ad_bf16_round(e->math->bf16, M, n, values, ld, rows);
  }
  return (struct ad__operand){values, ld, rows, ad_bf16_depth(n)};
}

struct ad__operand ad__input(const struct ad_encoder *e, size_t M, size_t n, const float *x, size_t ld) {
  return ad__operand(e, M, n, x, ld, e->state_rows);
}

struct ad__operand ad__output_gradient(const struct ad_encoder *e, size_t M, size_t n, const float *dy, size_t ld) {
  return ad__operand(e, M, n, dy, ld, e->gradient_rows);
}

/* --- Forward, and the gradient of an input --- */

/* The vector that a layer's weight is read from. */
static const struct ad_replica *source(const struct ad_encoder *e, size_t offset) {
  const int frozen = e->frozen.values != NULL && offset < ad_params_frozen(e->params);
  return frozen ? &e->frozen : &e->theta;
}

void ad__product(const struct ad_encoder *e, size_t M, const struct ad__operand *x, size_t offset, float *y,
                 size_t ld) {
  const struct ad_linear *w = ad_params_linear(e->params, offset);
  const struct ad_replica *theta = source(e, offset);
  if (e->math->bf16 != NULL) {
    ad_bf16_product(e->math->bf16, M, w->transposed ? w->columns : w->rows, w->transposed ? w->rows : w->columns,
                    x->rows, theta->packed + w->packed, y, ld, 0);
  } else if (w->transposed) {
    ad_gemm_nn(e->math->gemm, product_rows(e, M), w->rows, w->columns, x->values, x->ld, theta->values + offset, y, ld,
               0);
  } else {
    ad_gemm_nt(e->math->gemm, product_rows(e, M), w->rows, w->columns, x->values, x->ld, theta->values + offset, y, ld);
  }
}

void ad__pack_transposed(const struct ad_encoder *e, size_t offset) {
  const struct ad_linear *w = ad_params_linear(e->params, offset);
  if (e->math->bf16 != NULL) {
    (w->transposed ? ad_bf16_pack_nt : ad_bf16_pack_nn)(e->math->bf16, w->rows, w->columns, e->theta.values + offset, 0,
                                                        ad_bf16_panels(w->transposed ? w->rows : w->columns),
                                                        e->weight);
  }
}

void ad__input_product(const struct ad_encoder *e, size_t M, const struct ad__operand *dy, size_t offset, float *dx,
                       size_t ld, int accumulate) {
  const struct ad_linear *w = ad_params_linear(e->params, offset);
  const float *W = e->theta.values + offset;
  if (e->math->bf16 != NULL) {
    ad_bf16_product(e->math->bf16, M, w->transposed ? w->rows : w->columns, w->transposed ? w->columns : w->rows,
                    dy->rows, e->weight, dx, ld, accumulate);
  } else if (!w->transposed) {
    ad_gemm_nn(e->math->gemm, product_rows(e, M), w->rows, w->columns, dy->values, dy->ld, W, dx, ld, accumulate);
  } else if (accumulate) {
    ad_gemm_nt_add(e->math->gemm, product_rows(e, M), w->rows, w->columns, dy->values, dy->ld, W, dx, ld);
  } else {
    ad_gemm_nt(e->math->gemm, product_rows(e, M), w->rows, w->columns, dy->values, dy->ld, W, dx, ld);
  }
}

void ad__input_gradient(const struct ad_encoder *e, size_t M, const struct ad__operand *dy, size_t offset, float *dx,
                        size_t ld, int accumulate) {
  ad__pack_transposed(e, offset);
  ad__input_product(e, M, dy, offset, dx, ld, accumulate);
}

/* --- The word embedding as a weight [V,E], rows [n, n + count) of it --- */

void ad__words_product(const struct ad_encoder *e, size_t M, const struct ad__operand *x, size_t n, size_t count,
                       float *y, size_t ld) {
  const struct ad_row_table *table = &e->params->table;
  const size_t E = table->width;
  if (e->math->bf16 != NULL) {
    ad__product(e, M, x, table->begin, y, ld);
  } else {
    ad_gemm_nt(e->math->gemm, product_rows(e, M), count, E, x->values, x->ld,
               source(e, table->begin)->values + table->begin + n * E, y, ld);
  }
}

void ad__words_input_gradient(const struct ad_encoder *e, size_t M, const struct ad__operand *dy, size_t n,
                              size_t count, float *dx) {
  const struct ad_row_table *table = &e->params->table;
  const size_t E = table->width;
  const float *W = source(e, table->begin)->values + table->begin + n * E;
  if (e->math->bf16 != NULL) {
    ad_bf16_pack_nn(e->math->bf16, count, E, W, 0, ad_bf16_panels(E), e->weight);
    ad_bf16_product(e->math->bf16, M, E, count, dy->rows, e->weight, dx, E, n > 0);
  } else {
    ad_gemm_nn(e->math->gemm, product_rows(e, M), count, E, dy->values, dy->ld, W, dx, E, n > 0);
  }
}

/* --- The gradient of a weight --- */

size_t ad__weight_gradient_floats(const struct ad_math *math, size_t lanes, size_t M, size_t N, size_t K) {
  return math->bf16 != NULL ? ad_bf16_tn_work(math->bf16, lanes, M, N, K) : ad_gemm_tn_work(math->gemm, lanes, M, N, K);
}

/* a^T b [N,K] over each lane's rows, and what `lanes` adds, to `offset`. most: rows in any batch. */
static int sum_weight(struct ad__backward *p, size_t offset, size_t N, size_t K, const struct ad__operand *a,
                      const struct ad__operand *b, struct ad_lanes lanes, size_t most) {
  struct ad_encoder *e = p->e;
  AD_TRY(ad_reserve(&e->tree_work, &e->tree_work_capacity,
                    ad__weight_gradient_floats(e->math, p->batch->lanes, most, N, K), sizeof(float)));
  lanes.watch = p->sink->watch;
  lanes.begin = p->batch->lane_example;
  for (size_t i = 0; i < p->sink->parts; i++) {
    float *to = p->place[i] + (offset - p->bucket_base);
    lanes.lo = p->sink->part[i].lo;
    lanes.hi = p->sink->part[i].hi;
    if (e->math->bf16 != NULL) {
      ad_bf16_tn(e->math->bf16, &lanes, N, K, a->rows, b->rows, to, e->tree_work);
    } else {
      ad_gemm_tn(e->math->gemm, &lanes, N, K, a->values, a->ld, b->values, b->ld, to, e->tree_work);
    }
  }
  return p->sink->advance == NULL ? AD_OK : p->sink->advance(p->sink->context);
}

int ad__weight_gradient_of(struct ad__backward *p, size_t offset, const struct ad__operand *dy,
                           const struct ad__operand *x, const struct ad_lane_rows *rows, size_t most) {
  const struct ad_linear *w = ad_params_linear(p->e->params, offset);
  return sum_weight(p, offset, w->rows, w->columns, w->transposed ? x : dy, w->transposed ? dy : x,
                    (struct ad_lanes){.rows = rows}, most);
}

int ad__weight_gradient(struct ad__backward *p, size_t offset, const struct ad__operand *dy,
                        const struct ad__operand *x, int tokens) {
  const struct ad_encoder *e = p->e;
  /* For the largest batch, so that no later step grows it. */
  return ad__weight_gradient_of(p, offset, dy, x, e->lane_rows[tokens], tokens ? e->token_rows : e->read_rows);
}

int ad__words_gradient(struct ad__backward *p, const struct ad__operand *dy, const struct ad__operand *x, size_t n,
                       size_t count, ad_tile_add add, void *context) {
  const struct ad_encoder *e = p->e;
  const size_t E = e->params->table.width;
  return sum_weight(p, e->params->table.begin + n * E, count, E, dy, x,
                    (struct ad_lanes){.rows = e->lane_rows[0], .add = add, .context = context}, e->read_rows);
}
