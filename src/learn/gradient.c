#include "autodidact/learn/gradient.h"

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"

enum { MAX_BUFFERS = 3 * AD_MAX_PARTS };

/* One reusable block of memory for a compact bucket. */
struct buffer {
  void *values;
  size_t capacity; /* floats */
  int used;
};

struct bucket {
  struct ad_partial partials[MAX_BUFFERS];
  size_t count;
  struct buffer buffers[MAX_BUFFERS];
  float *placed[AD_MAX_PARTS]; /* of the round that is running */
};

struct ad_gradient {
  const struct ad_params *params;
  const struct ad_kernels *kernels;
  size_t W;
  const struct ad_rows *rows;
  const size_t *lane_begin;
  struct bucket *buckets;
  struct ad_span global[AD_MAX_PARTS]; /* the round's parts as lanes of the step */
  struct ad_span local[AD_MAX_PARTS];  /* and as lanes of the round's batch */
  struct ad_gradient_sink sink;
  const struct ad_exchange *exchange;
  float *const *room;    /* [buckets] for what is reduced */
  double *squares;       /* [blocks of all buckets] */
  const float **reduced; /* [buckets] where what is reduced lies */
  int64_t pending;       /* bucket whose reduction has begun, -1: none */
  size_t rounds;         /* of this step so far */
  int last;              /* the running round is the last one */
};

static int lanes_empty(const struct ad_gradient *g, struct ad_span span) {
  return g->lane_begin[span.lo] == g->lane_begin[span.hi];
}

/* Room for a bucket's partial sum of any step. */
static int make(const struct ad_gradient *g, const struct ad_rows *rows, uint32_t bucket, struct buffer *buffer) {
  const size_t need =
      ad_compact_most(g->params, bucket, rows, g->params->bucket_begin[bucket], g->params->bucket_begin[bucket + 1]);
  if (buffer->capacity >= need) {
    return AD_OK;
  }
  /* Contents are of no use: no copy. */
  ad_free(buffer->values);
  *buffer = (struct buffer){0};
  return ad_reserve(&buffer->values, &buffer->capacity, need, sizeof(float));
}

int ad_gradient_reserve(struct ad_gradient *gradient, const struct ad_rows *rows, size_t most) {
  for (uint32_t b = gradient->params->frozen; b < gradient->params->buckets; b++) {
    for (size_t i = 0; i < most && i < MAX_BUFFERS; i++) {
      AD_TRY(make(gradient, rows, b, &gradient->buckets[b].buffers[i]));
    }
  }
  return AD_OK;
}

static float *acquire(struct ad_gradient *g, uint32_t bucket) {
  struct bucket *b = &g->buckets[bucket];
  for (size_t i = 0; i < MAX_BUFFERS; i++) {
    if (!b->buffers[i].used) {
      if (make(g, g->rows, bucket, &b->buffers[i]) != AD_OK) {
        return NULL;
      }
      b->buffers[i].used = 1;
      return b->buffers[i].values;
    }
  }
  ad_fail(AD_EINTERNAL, "more than %d partial sums of a bucket", MAX_BUFFERS);
  return NULL;
}

static void give_back(struct bucket *b, const float *values) {
  for (size_t i = 0; i < MAX_BUFFERS; i++) {
    if (values != NULL && b->buffers[i].values == (const void *)values) {
      b->buffers[i].used = 0;
    }
  }
}

/* Adds the last two partial sums as long as they are the halves of a node. */
static void merge(struct ad_gradient *g, uint32_t bucket) {
  struct bucket *b = &g->buckets[bucket];
  while (b->count >= 2) {
    struct ad_partial *left = &b->partials[b->count - 2], *right = &b->partials[b->count - 1];
    if (!ad_tree_are_halves(g->W, left->span, right->span)) {
      return;
    }
    if (left->empty) {
      left->values = right->values;
      left->empty = right->empty;
    } else if (!right->empty) {
      g->kernels->add(ad_compact_count(g->params, bucket, g->rows), left->values, right->values);
      give_back(b, right->values);
    }
    left->span.hi = right->span.hi;
    b->count--;
  }
}

static float *place(void *context, uint32_t bucket, size_t part) {
  struct ad_gradient *g = context;
  const struct ad_exchange *x = g->exchange;
  const int elsewhere = x->place != NULL && g->last && g->rounds == 1;
  float *values = elsewhere                                ? x->place(x->context, bucket, part)
                  : x->in_place && g->room[bucket] != NULL ? g->room[bucket]
                                                           : acquire(g, bucket);
  g->buckets[bucket].placed[part] = values;
  return values;
}

/* Where the squares of a bucket's blocks are kept. */
static double *squares_of(const struct ad_gradient *g, uint32_t bucket) {
  size_t blocks = 0;
  for (uint32_t b = 0; b < bucket; b++) {
    blocks += ad_compact_blocks(g->params, b, g->rows, ad_compact_count(g->params, b, g->rows));
  }
  return g->squares + blocks;
}

int ad_gradient_end(struct ad_gradient *gradient) {
  const struct ad_exchange *x = gradient->exchange;
  if (gradient->pending < 0) {
    return AD_OK;
  }
  const uint32_t b = (uint32_t)gradient->pending;
  gradient->pending = -1;
  return x->reduce_end(x->context, b, gradient->room[b], squares_of(gradient, b), &gradient->reduced[b]);
}

/* A reduction that can be ended early makes room for the next one: others wait for less. */
static int advance(void *context) {
  struct ad_gradient *g = context;
  return g->pending >= 0 && g->exchange->reduce_ready(g->exchange->context) ? ad_gradient_end(g) : AD_OK;
}

/* A bucket's partial sums are complete: its reduction goes on while the next one is computed. */
static int reduce(struct ad_gradient *g, uint32_t bucket) {
  const struct bucket *b = &g->buckets[bucket];
  AD_TRY(ad_gradient_end(g));
  AD_TRY(g->exchange->reduce_begin(g->exchange->context, bucket, b->partials, b->count));
  g->pending = bucket;
  return advance(g);
}

static int done(void *context, uint32_t bucket) {
  struct ad_gradient *g = context;
  struct bucket *b = &g->buckets[bucket];
  for (size_t i = 0; i < g->sink.parts; i++) {
    const int empty = lanes_empty(g, g->global[i]);
    if (b->count == MAX_BUFFERS) {
      return ad_fail(AD_EINTERNAL, "more than %d partial sums of a bucket", MAX_BUFFERS);
    }
    if (empty) {
      give_back(b, b->placed[i]);
    }
    b->partials[b->count++] = (struct ad_partial){g->global[i], empty, empty ? NULL : b->placed[i]};
    merge(g, bucket);
  }
  return g->last ? reduce(g, bucket) : AD_OK;
}

int ad_gradient_create(struct ad_gradient **gradient, const struct ad_params *params, const struct ad_kernels *kernels,
                       size_t W, const struct ad_exchange *exchange) {
  *gradient = NULL;
  struct ad_gradient *g = ad_calloc(1, sizeof *g);
  struct bucket *buckets = ad_calloc(params->buckets, sizeof *buckets);
  const float **reduced = ad_calloc(params->buckets, sizeof *reduced);
  if (g == NULL || buckets == NULL || reduced == NULL) {
    ad_free(g);
    ad_free(buckets);
    ad_free(reduced);
    return ad_fail_memory(params->buckets * sizeof *buckets, "the gradient");
  }
  *g = (struct ad_gradient){.params = params,
                            .kernels = kernels,
                            .W = W,
                            .buckets = buckets,
                            .exchange = exchange,
                            .reduced = reduced,
                            .pending = -1};
  g->sink = (struct ad_gradient_sink){.context = g, .part = g->local, .place = place, .done = done, .advance = advance};
  *gradient = g;
  return AD_OK;
}

void ad_gradient_receive(struct ad_gradient *gradient, float *const *room, double *squares) {
  gradient->room = room;
  gradient->squares = squares;
}

void ad_gradient_destroy(struct ad_gradient *gradient) {
  if (gradient == NULL) {
    return;
  }
  for (uint32_t b = 0; b < gradient->params->buckets; b++) {
    for (size_t i = 0; i < MAX_BUFFERS; i++) {
      ad_free(gradient->buckets[b].buffers[i].values);
    }
  }
  ad_free(gradient->buckets);
  ad_free(gradient->reduced);
  ad_free(gradient);
}

int ad_gradient_begin(struct ad_gradient *gradient, const struct ad_rows *rows, const size_t *lane_begin) {
  gradient->rows = rows;
  gradient->lane_begin = lane_begin;
  gradient->rounds = 0;
  gradient->pending = -1;
  for (uint32_t b = 0; b < gradient->params->buckets; b++) {
    gradient->buckets[b].count = 0;
    for (size_t i = 0; i < MAX_BUFFERS; i++) {
      gradient->buckets[b].buffers[i].used = 0;
    }
  }
  return gradient->exchange->step_begin(gradient->exchange->context, rows, lane_begin);
}

const struct ad_gradient_sink *ad_gradient_round(struct ad_gradient *gradient, size_t lo, size_t hi, int last,
                                                 struct ad_lane_watch *watch) {
  gradient->rounds++;
  gradient->last = last;
  gradient->sink.watch = watch;
  gradient->sink.parts = ad_tree_parts(gradient->W, lo, hi, gradient->global);
  for (size_t i = 0; i < gradient->sink.parts; i++) {
    gradient->local[i] = (struct ad_span){gradient->global[i].lo - lo, gradient->global[i].hi - lo};
  }
  return &gradient->sink;
}

const float *ad_gradient_reduced(const struct ad_gradient *gradient, uint32_t bucket) {
  return gradient->reduced[bucket];
}
