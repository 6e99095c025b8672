/* Attention of one example, head by head, in blocks of queries: the S x S probabilities never exist as a whole. */
#include "attention.h"

#include "vector/product.h"
#include "vector/softmax.h"

/* One head of one call; pointers are to its first column. */
struct head {
  size_t queries, S, D, keys; /* keys: S rounded up to 16, the row length of the buffers below */
  float scale;                /* 1 / sqrt(D) */
  const struct ad_dropout *dropout;
  uint32_t example, number;
  const float *Q, *K, *V;
  size_t ldq, ldk;
  const float *bias;      /* of token 0 and key 0; of a query one token later it begins one float earlier. NULL: none */
  const uint32_t *places; /* [queries] tokens of the queries; NULL: query q is token q */
  float *sums;            /* the same of the gradient (backward); NULL: not wanted */
  float *work_keys;       /* [D, keys] K transposed; columns past S are 0 */
  float *work_values;     /* [D, keys] V transposed (backward) */
  float *p;               /* [block, keys] probabilities */
  float *g;               /* [block, keys] their gradient (backward) */
  float *mask;            /* dropout factors of a block */
};

static void head_work(struct head *head, float *work) {
  const size_t block = head->queries < ATTENTION_BLOCK ? head->queries : ATTENTION_BLOCK;
  head->work_keys = work;
  head->work_values = head->work_keys + head->D * head->keys;
  head->p = head->work_values + head->D * head->keys;
  head->g = head->p + block * head->keys;
  head->mask = head->g + block * head->keys;
}

/* Softmax of scale times the row p [S] plus bias [S]; else as softmax. */
static void softmax_biased(const struct head *head, const float *bias, float *p) {
  const size_t S = head->S;
  const vec scale = vec_set1(head->scale);
  vec largest = vec_set1(-INFINITY), sum = vec_set1(0.0f);
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    const vec score = vec_fma(vec_load_fill(p + k, S - k, -INFINITY), scale, vec_load_n(bias + k, S - k));
    vec_store(p + k, score);
    largest = vec_max(score, largest);
  }
  const vec max = vec_set1(vec_largest(largest));
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    const vec e = vec_exp(vec_sub(vec_load(p + k), max));
    vec_store(p + k, e);
    sum = vec_add(sum, e);
  }
  const vec factor = vec_set1(1.0f / vec_sum(sum));
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    vec_store(p + k, vec_mul(vec_load(p + k), factor));
  }
}

/* The token that query q is. */
static size_t place_of(const struct head *head, size_t q) {
  return head->places == NULL ? q : head->places[q];
}

/* Probabilities of the queries [q, q + count) into head->p, and where the factors of their masks begin (NULL: none). */
static const float *probabilities(const struct head *head, size_t q, size_t count) {
  product(&(struct product){head->D, head->Q + q * head->ldq, head->ldq, 1, head->work_keys, head->keys, head->p,
                            head->keys, 0},
          count, head->keys);
  for (size_t i = 0; i < count; i++) {
    float *p = head->p + i * head->keys;
    if (head->bias == NULL) {
      softmax(head->S, head->scale, p);
    } else {
      softmax_biased(head, head->bias - place_of(head, q + i), p);
    }
  }
  return softmax_mask(head->dropout, head->example, head->number, q * head->S, (q + count) * head->S, head->mask);
}

static void forward_head(const struct head *head, float *context, size_t ldc) {
  AD_KERNEL(transpose)(head->S, head->D, head->K, head->ldk, head->work_keys, head->keys);
  for (size_t q = 0; q < head->queries; q += ATTENTION_BLOCK) {
    const size_t count = head->queries - q < ATTENTION_BLOCK ? head->queries - q : ATTENTION_BLOCK;
    const float *mask = probabilities(head, q, count);
    for (size_t i = 0; mask != NULL && i < count; i++) {
      softmax_drop(head->S, mask + i * head->S, head->p + i * head->keys);
    }
    product(&(struct product){head->S, head->p, head->keys, 1, head->V, head->ldk, context + q * ldc, ldc, 0}, count,
            head->D);
  }
}

/* softmax_backward where scores have a bias: its gradient p (g - sum(p g)) is added to sums [S], if wanted, and scaled
 * then. */
static void softmax_backward_biased(const struct head *head, const float *mask, float *p, float *g, float *sums) {
  const size_t S = head->S;
  const vec scale = vec_set1(head->scale), mean = softmax_inner(S, mask, p, g);
  for (size_t k = 0; k < S; k += VEC_WIDTH) {
    const vec x = vec_load(p + k), d = vec_mul(x, vec_sub(vec_load(g + k), mean));
    vec_store(g + k, vec_mul(d, scale));
    if (sums != NULL) {
      vec_accumulate_n(sums + k, d, S - k);
    }
    if (mask != NULL) {
      vec_store(p + k, vec_mul(x, vec_load_n(mask + k, S - k)));
    }
  }
}

static void backward_head(const struct head *head, const float *dcontext, size_t ldc, float *dQ, float *dK, float *dV) {
  const size_t S = head->S, D = head->D, keys = head->keys, ldq = head->ldq, ldk = head->ldk;
  AD_KERNEL(transpose)(S, D, head->K, ldk, head->work_keys, keys);
  AD_KERNEL(transpose)(S, D, head->V, ldk, head->work_values, keys);
  for (size_t k = 0; k < S && head->queries == 0; k++) {
    memset(dK + k * ldk, 0, D * sizeof *dK);
    memset(dV + k * ldk, 0, D * sizeof *dV);
  }
  for (size_t q = 0; q < head->queries; q += ATTENTION_BLOCK) {
    const size_t count = head->queries - q < ATTENTION_BLOCK ? head->queries - q : ATTENTION_BLOCK;
    const float *d = dcontext + q * ldc;
    const float *mask = probabilities(head, q, count);
    product(&(struct product){D, d, ldc, 1, head->work_values, keys, head->g, keys, 0}, count, keys);
    for (size_t i = 0; i < count; i++) {
      const float *factors = mask == NULL ? NULL : mask + i * S;
      if (head->bias == NULL) {
        softmax_backward(S, head->scale, factors, head->p + i * keys, head->g + i * keys);
      } else {
        softmax_backward_biased(head, factors, head->p + i * keys, head->g + i * keys,
                                head->sums == NULL ? NULL : head->sums - place_of(head, q + i));
      }
    }
    product(&(struct product){S, head->g, keys, 1, head->K, ldk, dQ + q * ldq, ldq, 0}, count, D);
    product(&(struct product){count, head->p, 1, keys, d, ldc, dV, ldk, q > 0}, S, D);
    product(&(struct product){count, head->g, 1, keys, head->Q + q * ldq, ldq, dK, ldk, q > 0}, S, D);
  }
}

static struct head head_of(size_t queries, size_t S, size_t D, size_t a, const float *Q, size_t ldq, const float *K,
                           const float *V, size_t ldk, const struct ad_dropout *dropout, uint32_t example,
                           const struct ad_distance_bias *bias, float *work) {
  struct head head = {.queries = queries,
                      .S = S,
                      .D = D,
                      .keys = attention_keys(S),
                      .dropout = dropout,
                      .example = example,
                      .number = (uint32_t)a,
                      .ldq = ldq,
                      .ldk = ldk,
                      .scale = (float)(1.0 / sqrt((double)D)),
                      .Q = Q + a * D,
                      .K = K + a * D,
                      .V = V + a * D};
  if (bias != NULL) {
    const size_t first = a * (2 * bias->longest - 1) + bias->longest - 1;
    head.places = bias->places;
    head.bias = bias->values + first;
    head.sums = bias->sums == NULL ? NULL : bias->sums + first;
  }
  head_work(&head, work);
  return head;
}

void AD_KERNEL(attention)(size_t queries, size_t S, size_t A, size_t D, const float *Q, size_t ldq, const float *K,
                          const float *V, size_t ldk, const struct ad_dropout *dropout, uint32_t example,
                          const struct ad_distance_bias *bias, float *context, size_t ldc, float *work) {
  for (size_t a = 0; a < A; a++) {
    const struct head head = head_of(queries, S, D, a, Q, ldq, K, V, ldk, dropout, example, bias, work);
    forward_head(&head, context + a * D, ldc);
  }
}

void AD_KERNEL(attention_backward)(size_t queries, size_t S, size_t A, size_t D, const float *Q, size_t ldq,
                                   const float *K, const float *V, size_t ldk, const struct ad_dropout *dropout,
                                   uint32_t example, const struct ad_distance_bias *bias, const float *dcontext,
                                   size_t ldc, float *dQ, float *dK, float *dV, float *work) {
  for (size_t a = 0; a < A; a++) {
    const struct head head = head_of(queries, S, D, a, Q, ldq, K, V, ldk, dropout, example, bias, work);
    backward_head(&head, dcontext + a * D, ldc, dQ + a * D, dK + a * D, dV + a * D);
  }
}
