/* Relative attention of one example (Dai et al. 2019; Yang et al. 2019), head by head, in blocks of queries. Of a block
 * of c queries, all products with rows of distances are one: query i takes its columns c - 1 - i and on. */
#include "attention.h"

#include "vector/product.h"
#include "vector/softmax.h"

/* One head of one call; pointers of the example are to its first column. */
struct head {
  const struct ad_relative *of;
  size_t S, D, keys; /* keys: S rounded up to 16 */
  size_t rows;       /* queries + S - 1, the rows of distances, rounded up to 16 */
  size_t wide;       /* most of them that a block has, rounded up to 16 */
  float scale;       /* 1 / sqrt(D) */
  uint32_t number;
  size_t first; /* its first column */
  const float *Q, *K, *V, *R;
  const float *same, *other; /* [D] a key of the query's segment; of another one */
  float *work_keys;          /* [D, keys] K transposed; columns past S are 0 */
  float *work_values;        /* [D, keys] V transposed (backward) */
  float *work_rows;          /* [D, rows] R transposed */
  float *p;                  /* [block, keys] probabilities */
  float *g;                  /* [block, keys] their gradient (backward) */
  float *b;                  /* [block, wide] the distances' scores, and their gradient */
  float *content, *position; /* [block, D] queries plus the bias of each term */
  float *segment;            /* [block, D] */
  float *d;                  /* [block, D] a term's part of the queries' gradient (backward) */
  float *together;           /* [keys] 1 where a key is of segment `type`, else 0 */
  float *mask;               /* dropout factors of a block */
  int marked;                /* whether `together` is filled */
  uint32_t type;
};

static size_t block_of(size_t queries) {
  return queries < ATTENTION_BLOCK ? queries : ATTENTION_BLOCK;
}

static void head_work(struct head *head, size_t queries, float *work) {
  const size_t block = block_of(queries), D = head->D;
  head->work_keys = work;
  head->work_values = head->work_keys + D * head->keys;
  head->work_rows = head->work_values + D * head->keys;
  head->p = head->work_rows + D * head->rows;
  head->g = head->p + block * head->keys;
  head->b = head->g + block * head->keys;
  head->together = head->b + block * head->wide;
  head->content = head->together + head->keys;
  head->position = head->content + block * D;
  head->segment = head->position + block * D;
  head->d = head->segment + block * D;
  head->mask = head->d + block * D;
}

static struct head head_of(const struct ad_relative *r, size_t a, float *work) {
  const size_t D = r->D, first = a * D;
  struct head head = {.of = r,
                      .S = r->S,
                      .D = D,
                      .keys = attention_keys(r->S),
                      .rows = attention_keys(r->queries + r->S - 1),
                      .wide = attention_keys(block_of(r->queries) + r->S - 1),
                      .scale = (float)(1.0 / sqrt((double)D)),
                      .number = (uint32_t)a,
                      .first = first,
                      .Q = r->Q + first,
                      .K = r->K + first,
                      .V = r->V + first,
                      .R = r->R + first,
                      .same = r->segments + first,
                      .other = r->segments + r->A * D + first};
  head_work(&head, r->queries, work);
  AD_KERNEL(transpose)(r->S, D, head.K, r->ldk, head.work_keys, head.keys);
  AD_KERNEL(transpose)(r->queries + r->S - 1, D, head.R, r->ldr, head.work_rows, head.rows);
  return head;
}

/* out [count, D] = the queries [q, q + count) plus bias [D]. */
static void add_bias(const struct head *head, size_t q, size_t count, const float *bias, float *out) {
  const size_t D = head->D;
  for (size_t i = 0; i < count; i++) {
    for (size_t n = 0; n < D; n += VEC_WIDTH) {
      const vec x = vec_load_n(head->Q + (q + i) * head->of->ldq + n, D - n);
      vec_store_n(out + i * D + n, vec_add(x, vec_load_n(bias + n, D - n)), D - n);
    }
  }
}

static float dot(size_t n, const float *x, const float *y) {
  vec sum = vec_set1(0.0f);
  for (size_t i = 0; i < n; i += VEC_WIDTH) {
    sum = vec_fma(vec_load_n(x + i, n - i), vec_load_n(y + i, n - i), sum);
  }
  return vec_sum(sum);
}

/* The token that query number q is: the last ones of the example ask. */
static size_t token_of(const struct head *head, size_t q) {
  return head->S - head->of->queries + q;
}

/* Fills head->together for query q. Queries of one segment mostly follow each other. */
static void mark_together(struct head *head, size_t q) {
  const uint32_t *types = head->of->types, type = types[token_of(head, q)];
  if (head->marked && head->type == type) {
    return;
  }
  head->marked = 1;
  head->type = type;
  for (size_t k = 0; k < head->keys; k++) {
    head->together[k] = k < head->S && types[k] == type ? 1.0f : 0.0f;
  }
}

/* p [S]: (content + distance) + segment. b: the distances' scores of this query, key by key. */
static void add_terms(const struct head *head, const float *b, float same, float other, float *p) {
  const size_t S = head->S;
  const vec one = vec_set1(1.0f), of_same = vec_set1(same), of_other = vec_set1(other);
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    const vec together = vec_load(head->together + k);
    const vec segment = vec_fma(together, of_same, vec_mul(vec_sub(one, together), of_other));
    vec_store(p + k, vec_add(vec_add(vec_load(p + k), vec_load_n(b + k, S - k)), segment));
  }
}

/* Rows of distances that the queries [q, q + count) have, from row first_row(q, count) on. */
static size_t first_row(const struct head *head, size_t q, size_t count) {
  return head->of->queries - q - count;
}

/* Probabilities of the queries [q, q + count) into head->p, and where the factors of their masks begin (NULL: none). */
static const float *probabilities(struct head *head, size_t q, size_t count) {
  const struct ad_relative *r = head->of;
  const size_t D = head->D, S = head->S;
  add_bias(head, q, count, r->content_bias + head->first, head->content);
  add_bias(head, q, count, r->position_bias + head->first, head->position);
  add_bias(head, q, count, r->segment_bias + head->first, head->segment);
  product(&(struct product){D, head->content, D, 1, head->work_keys, head->keys, head->p, head->keys, 0}, count,
          head->keys);
  product(&(struct product){D, head->position, D, 1, head->work_rows + first_row(head, q, count), head->rows, head->b,
                            head->wide, 0},
          count, S + count - 1);
  for (size_t i = 0; i < count; i++) {
    const float *segment = head->segment + i * D;
    float *p = head->p + i * head->keys;
    mark_together(head, q + i);
    add_terms(head, head->b + i * head->wide + count - 1 - i, dot(D, segment, head->same), dot(D, segment, head->other),
              p);
    softmax(S, head->scale, p);
  }
  const size_t begin = token_of(head, q) * S;
  return softmax_mask(r->dropout, r->example, head->number, begin, begin + count * S, head->mask);
}

static void forward_head(struct head *head, float *context, size_t ldc) {
  const struct ad_relative *r = head->of;
  for (size_t q = 0; q < r->queries; q += ATTENTION_BLOCK) {
    const size_t count = block_of(r->queries - q);
    const float *mask = probabilities(head, q, count);
    for (size_t i = 0; mask != NULL && i < count; i++) {
      softmax_drop(head->S, mask + i * head->S, head->p + i * head->keys);
    }
    product(&(struct product){head->S, head->p, head->keys, 1, head->V, r->ldk, context + q * ldc, ldc, 0}, count,
            head->D);
  }
}

/* head->b from head->g: the gradient of the distances' scores, each query's in its columns, zeros in the others. */
static void shift_gradient(const struct head *head, size_t count) {
  const size_t S = head->S, width = S + count - 1;
  for (size_t i = 0; i < count; i++) {
    float *to = head->b + i * head->wide;
    memset(to, 0, width * sizeof *to);
    memcpy(to + count - 1 - i, head->g + i * head->keys, S * sizeof *to);
  }
}

/* The gradient of a term: d [count, D] to the queries' dQ, and its column sums to dbias [D]. */
static void add_queries(const struct head *head, size_t count, const float *d, float *dQ, float *dbias) {
  const size_t D = head->D, ldq = head->of->ldq;
  for (size_t i = 0; i < count; i++) {
    for (size_t n = 0; n < D; n += VEC_WIDTH) {
      vec_accumulate_n(dQ + i * ldq + n, vec_load_n(d + i * D + n, D - n), D - n);
    }
  }
  AD_KERNEL(column_sum)(count, D, d, D, dbias);
}

/* The scores' gradient g [S] of a query by segments: sums over the keys of its own, and over the others. */
static void sum_segments(const struct head *head, const float *g, float *same, float *other) {
  const vec one = vec_set1(1.0f);
  vec own = vec_set1(0.0f), rest = vec_set1(0.0f);
  for (size_t k = 0; k < head->S; k += VEC_WIDTH) {
    const vec d = vec_load(g + k), together = vec_load(head->together + k);
    own = vec_fma(d, together, own);
    rest = vec_fma(d, vec_sub(one, together), rest);
  }
  *same = vec_sum(own);
  *other = vec_sum(rest);
}

/* Query i of a block, its segment's term: d [D] of the query, dsame and dother [D] added to. */
static void segment_backward(const struct head *head, size_t i, float *d, float *dsame, float *dother) {
  const size_t D = head->D;
  float same, other;
  sum_segments(head, head->g + i * head->keys, &same, &other);
  const vec of_same = vec_set1(same), of_other = vec_set1(other);
  for (size_t n = 0; n < D; n += VEC_WIDTH) {
    const vec query = vec_load_n(head->segment + i * D + n, D - n);
    const vec own = vec_load_n(head->same + n, D - n), rest = vec_load_n(head->other + n, D - n);
    vec_store_n(d + n, vec_fma(of_other, rest, vec_mul(of_same, own)), D - n);
    vec_store_n(dsame + n, vec_fma(of_same, query, vec_load_n(dsame + n, D - n)), D - n);
    vec_store_n(dother + n, vec_fma(of_other, query, vec_load_n(dother + n, D - n)), D - n);
  }
}

/* From head->p and head->g of the queries [q, q + count): gradients of the three terms. */
static void terms_backward(struct head *head, size_t q, size_t count, const struct ad_relative_gradient *out) {
  const struct ad_relative *r = head->of;
  const size_t S = head->S, D = head->D, keys = head->keys, at = head->first, row = first_row(head, q, count);
  float *dQ = out->dQ + q * r->ldq + at, *dR = out->dR + row * r->ldr + at;
  product(&(struct product){S, head->g, keys, 1, head->K, r->ldk, dQ, r->ldq, 0}, count, D);
  AD_KERNEL(column_sum)(count, D, dQ, r->ldq, out->dcontent_bias + at);
  product(&(struct product){count, head->g, 1, keys, head->content, D, out->dK + at, r->ldk, q > 0}, S, D);
  shift_gradient(head, count);
  product(&(struct product){S + count - 1, head->b, head->wide, 1, head->R + row * r->ldr, r->ldr, head->d, D, 0},
          count, D);
  add_queries(head, count, head->d, dQ, out->dposition_bias + at);
  product(&(struct product){count, head->b, 1, head->wide, head->position, D, dR, r->ldr, 1}, S + count - 1, D);
  for (size_t i = 0; i < count; i++) {
    mark_together(head, q + i);
    segment_backward(head, i, head->d + i * D, out->dsegments + at, out->dsegments + r->A * D + at);
  }
  add_queries(head, count, head->d, dQ, out->dsegment_bias + at);
}

static void backward_head(struct head *head, const float *dcontext, size_t ldc,
                          const struct ad_relative_gradient *out) {
  const struct ad_relative *r = head->of;
  const size_t S = head->S, D = head->D, keys = head->keys;
  AD_KERNEL(transpose)(S, D, head->V, r->ldk, head->work_values, keys);
  for (size_t i = 0; i < r->queries + S - 1; i++) {
    memset(out->dR + i * r->ldr + head->first, 0, D * sizeof(float));
  }
  for (size_t q = 0; q < r->queries; q += ATTENTION_BLOCK) {
    const size_t count = block_of(r->queries - q);
    const float *d = dcontext + q * ldc + head->first, *mask = probabilities(head, q, count);
    product(&(struct product){D, d, ldc, 1, head->work_values, keys, head->g, keys, 0}, count, keys);
    for (size_t i = 0; i < count; i++) {
      softmax_backward(S, head->scale, mask == NULL ? NULL : mask + i * S, head->p + i * keys, head->g + i * keys);
    }
    product(&(struct product){count, head->p, 1, keys, d, ldc, out->dV + head->first, r->ldk, q > 0}, S, D);
    terms_backward(head, q, count, out);
  }
}

void AD_KERNEL(relative_attention)(const struct ad_relative *r, float *context, size_t ldc, float *work) {
  for (size_t a = 0; a < r->A; a++) {
    struct head head = head_of(r, a, work);
    forward_head(&head, context + head.first, ldc);
  }
}

void AD_KERNEL(relative_attention_backward)(const struct ad_relative *r, const float *dcontext, size_t ldc,
                                            const struct ad_relative_gradient *gradient, float *work) {
  for (size_t a = 0; a < r->A; a++) {
    struct head head = head_of(r, a, work);
    backward_head(&head, dcontext, ldc, gradient);
  }
}
