/* A bias of the scores by the distance of key and query, which all layers share: a table of buckets of distances
 * [buckets,A]. A forward spreads it over the batch's distances once; a backward gathers the gradient by distance. */
#include "autodidact/base/status.h"
#include "post_norm.h"

/* Distances between n tokens. */
static size_t distances(size_t n) {
  return 2 * n - 1;
}

size_t ad__post_norm_distances(const struct ad_model_config *m, size_t longest) {
  return m->buckets > 0 ? m->heads * distances(longest) : 0;
}

/* Sums of a lane: those of the table, then those by distance. */
size_t ad__post_norm_shared(const struct ad_model_config *m) {
  return (size_t)m->buckets * m->heads + ad__post_norm_distances(m, m->positions);
}

void ad__post_norm_spread(struct ad_encoder *e, const float *theta, const struct ad_batch *batch) {
  const struct ad_model_config *m = &e->params->config;
  struct post_norm_state *s = e->own;
  if (m->buckets == 0) {
    return;
  }
  const float *table = theta + ad__post_norm_embedding(e)->distance;
  s->longest = 1;
  for (size_t b = 0; b < batch->examples; b++) {
    s->longest = batch->length[b] > s->longest ? batch->length[b] : s->longest;
  }
  const size_t A = m->heads, n = distances(s->longest);
  for (size_t i = 0; i < n; i++) {
    const float *row = table + A * ad__post_norm(m)->bucket((ptrdiff_t)i - (ptrdiff_t)(s->longest - 1));
    for (size_t a = 0; a < A; a++) {
      s->distances[a * n + i] = row[a];
    }
  }
}

struct ad_distance_bias ad__post_norm_bias(const struct ad_encoder *e, const uint32_t *places, float *sums) {
  const struct post_norm_state *s = e->own;
  const struct ad_model_config *m = &e->params->config;
  return (struct ad_distance_bias){.longest = s->longest,
                                   .values = s->distances,
                                   .sums = sums == NULL ? NULL : sums + (size_t)m->buckets * m->heads,
                                   .places = places};
}

/* A lane's sums by distance, ascending, to those of the table. */
static void gather(const struct ad_encoder *e, float *sums) {
  const struct ad_model_config *m = &e->params->config;
  const struct ad_distance_bias bias = ad__post_norm_bias(e, NULL, sums);
  const size_t A = m->heads, n = distances(bias.longest);
  for (size_t i = 0; i < n; i++) {
    float *row = sums + A * ad__post_norm(m)->bucket((ptrdiff_t)i - (ptrdiff_t)(bias.longest - 1));
    for (size_t a = 0; a < A; a++) {
      row[a] += bias.sums[a * n + i];
    }
  }
}

int ad__post_norm_distance_gradient(struct ad__backward *p) {
  const struct ad_model_config *m = &p->e->params->config;
  for (size_t lane = 0; m->buckets > 0 && lane < p->batch->lanes; lane++) {
    gather(p->e, ad__shared_sum(p, lane, 0));
  }
  return m->buckets == 0
             ? AD_OK
             : ad__shared_gradient(p, ad__post_norm_embedding(p->e)->distance, 0, (size_t)m->buckets * m->heads);
}
