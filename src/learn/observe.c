#include "autodidact/learn/observe.h"

#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/optimizer.h"

/* A long accumulator: digits of 32 bits in words of 64, so that 2^32 additions need no carry; the lowest bit of digit 0
 * is worth 2^-LOWEST. One more word counts summands that are not finite or too large. */
enum { DIGITS = 10, WORDS = DIGITS + 1, DIGIT_BITS = 32, LOWEST = 220 };

struct ad_observer {
  const struct ad_shard *shard;
  const struct ad_kernels *kernels;
  struct ad_observer_settings settings;
  const float *teacher;        /* [P], or NULL */
  uint64_t *sums;              /* [AD_NORMS,N,WORDS] accumulators, then [buckets + AD_SKETCH_GROUP - 1] the sketch */
  double *norm;                /* [AD_NORMS,N] */
  int64_t *sketch;             /* [buckets] */
  uint32_t *words;             /* random words of the shard's groups, bucket by bucket */
  size_t *word_begin;          /* [buckets of the model] where each one's begin */
  uint32_t shift;              /* of a word's low half, to a bucket of the sketch */
  float *room;                 /* [room_most] for values before the update */
  size_t tensor;               /* of the last piece */
  int measured[AD_NORMS];      /* or to be, since `begin`: not a question of this shard */
};

static size_t norm_words(const struct ad_params *params, const struct ad_observer_settings *settings) {
  return settings->norms ? (size_t)AD_NORMS * params->tensor_count * WORDS : 0;
}

static size_t sketch_words(const struct ad_observer_settings *settings) {
  return settings->buckets > 0 ? settings->buckets + AD_SKETCH_GROUP - 1 : 0;
}

/* Groups that have a value in the flat range [begin, end). */
static size_t groups_of(size_t begin, size_t end) {
  return begin < end ? (end - 1) / AD_SKETCH_GROUP - begin / AD_SKETCH_GROUP + 1 : 0;
}

/* Most floats that are updated at once: a piece, or a row. */
static size_t room_most(const struct ad_params *params) {
  return params->config.hidden > AD_UPDATE_PIECE ? params->config.hidden : AD_UPDATE_PIECE;
}

/* The random word of group g: word g mod 4 of Philox 4x32-10 at counter (g / 4 low, high, 0, AD_STREAM_SKETCH), key 0.
 */
static void draw_words(size_t begin, size_t end, uint32_t *words) {
  const uint32_t key[2] = {0, 0};
  const size_t first = begin / AD_SKETCH_GROUP, count = groups_of(begin, end);
  uint32_t block[4];
  for (size_t i = 0; i < count; i++) {
    const uint64_t g = first + i;
    if (i == 0 || g % 4 == 0) {
      ad_philox((const uint32_t[]){(uint32_t)(g / 4), (uint32_t)(g / 4 >> 32), 0, AD_STREAM_SKETCH}, key, block);
    }
    words[i] = block[g % 4];
  }
}

static int create_sketch(struct ad_observer *o) {
  const struct ad_shard *s = o->shard;
  size_t groups = 0;
  for (o->shift = 16; (size_t)1 << (16 - o->shift) < o->settings.buckets; o->shift--) {
  }
  for (uint32_t b = 0; b < s->params->buckets; b++) {
    groups += groups_of(s->begin[b], s->end[b]);
  }
  o->words = ad_malloc(groups, sizeof *o->words);
  o->word_begin = ad_calloc(s->params->buckets, sizeof *o->word_begin);
  o->sketch = ad_calloc(o->settings.buckets, sizeof *o->sketch);
  if (o->words == NULL || o->word_begin == NULL || o->sketch == NULL) {
    return ad_fail_memory(groups * sizeof *o->words + o->settings.buckets * sizeof *o->sketch, "the sketch");
  }
  groups = 0;
  for (uint32_t b = 0; b < s->params->buckets; b++) {
    o->word_begin[b] = groups;
    draw_words(s->begin[b], s->end[b], o->words + groups);
    groups += groups_of(s->begin[b], s->end[b]);
  }
  return AD_OK;
}

static int allocate(struct ad_observer *o) {
  const struct ad_params *params = o->shard->params;
  const size_t N = params->tensor_count;
  o->sums = ad_calloc(norm_words(params, &o->settings) + sketch_words(&o->settings), sizeof *o->sums);
  o->norm = ad_calloc(AD_NORMS * N, sizeof *o->norm);
  o->room = ad_malloc(room_most(params), sizeof *o->room);
  if (o->sums == NULL || o->norm == NULL || o->room == NULL) {
    return ad_fail_memory(AD_NORMS * N * (WORDS + 1) * sizeof *o->sums, "the norms of a step");
  }
  return o->settings.buckets > 0 ? create_sketch(o) : AD_OK;
}

int ad_observer_create(struct ad_observer **observer, const struct ad_shard *shard,
                       const struct ad_observer_settings *settings, const float *teacher) {
  *observer = NULL;
  const size_t m = settings->buckets;
  if (m > 0 && (m < AD_SKETCH_LEAST || m > AD_SKETCH_MOST || (m & (m - 1)) != 0)) {
    return ad_fail(AD_ECONFIG, "a sketch of %zu buckets, expected a power of two from %d to %d", m, AD_SKETCH_LEAST,
                   AD_SKETCH_MOST);
  }
  struct ad_observer *o = ad_calloc(1, sizeof *o);
  if (o == NULL) {
    return ad_fail_memory(sizeof *o, "an observer");
  }
  *o = (struct ad_observer){
      .shard = shard, .kernels = ad_kernels_select(), .settings = *settings, .teacher = teacher};
  const int status = o->kernels == NULL ? AD_ECONFIG : allocate(o);
  if (status != AD_OK) {
    ad_observer_destroy(o);
    return status;
  }
  *observer = o;
  return AD_OK;
}

void ad_observer_destroy(struct ad_observer *observer) {
  if (observer == NULL) {
    return;
  }
  ad_free(observer->sums);
  ad_free(observer->norm);
  ad_free(observer->sketch);
  ad_free(observer->words);
  ad_free(observer->word_begin);
  ad_free(observer->room);
  ad_free(observer);
}

size_t ad_observer_size(const struct ad_observer *observer) {
  const struct ad_params *params = observer->shard->params;
  const struct ad_observer_settings *settings = &observer->settings;
  const size_t groups = settings->buckets > 0 ? observer->shard->count / AD_SKETCH_GROUP : 0;
  return (norm_words(params, settings) + sketch_words(settings) + settings->buckets + AD_NORMS * params->tensor_count) *
             sizeof(uint64_t) +
         groups * sizeof(uint32_t) + room_most(params) * sizeof(float);
}

void ad_observer_begin(struct ad_observer *observer) {
  struct ad_observer *o = observer;
  memset(o->sums, 0, (norm_words(o->shard->params, &o->settings) + sketch_words(&o->settings)) * sizeof *o->sums);
  for (int n = 0; n < AD_NORMS; n++) {
    o->measured[n] = n != AD_NORM_DISTANCE || o->teacher != NULL;
  }
}

/* Adds x >= 0, exactly down to 2^-LOWEST. */
static void add_exactly(uint64_t *words, double x) {
  enum { MANTISSA = 52, BIAS = 1023 + MANTISSA };
  if (!(x < 0x1p90)) {
    words[DIGITS]++;
    return;
  }
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const int exponent = (int)(bits >> MANTISSA);
  uint64_t mantissa = (bits & ((1ull << MANTISSA) - 1)) | (uint64_t)(exponent > 0) << MANTISSA;
  int place = exponent - BIAS + LOWEST;
  if (place < 0) {
    mantissa = place > -64 ? mantissa >> -place : 0;
    place = 0;
  }
  const unsigned __int128 wide = (unsigned __int128)mantissa << (place % DIGIT_BITS);
  uint64_t *digit = words + place / DIGIT_BITS;
  digit[0] += (uint32_t)wide;
  digit[1] += (uint32_t)(wide >> DIGIT_BITS);
  if ((uint32_t)(wide >> (2 * DIGIT_BITS)) != 0) {
    digit[2] += (uint32_t)(wide >> (2 * DIGIT_BITS));
  }
}

/* Carries, then the digits in double from the lowest: the same bits however the sum came about. */
static double exact_sum(const uint64_t *words) {
  if (words[DIGITS] > 0) {
    return NAN;
  }
  double sum = 0.0;
  uint64_t carry = 0;
  for (int d = 0; d < DIGITS; d++) {
    const uint64_t total = words[d] + carry;
    sum += ldexp((double)(uint32_t)total, d * DIGIT_BITS - LOWEST);
    carry = total >> DIGIT_BITS;
  }
  return carry > 0 ? NAN : sum;
}

/* The accumulator of a norm of the tensor that holds `flat`; *end: where the cell ends, or the tensor if that is
 * nearer. */
static uint64_t *find_cell(struct ad_observer *o, enum ad_norm norm, size_t flat, size_t *end) {
  const struct ad_params *params = o->shard->params;
  const struct ad_tensor *tensor = &params->tensors[o->tensor];
  while (flat < tensor->offset || flat >= tensor->offset + tensor->count) {
    o->tensor = o->tensor + 1 < params->tensor_count ? o->tensor + 1 : 0;
    tensor = &params->tensors[o->tensor];
  }
  const size_t cell_end = ad_update_cell_end(params, tensor->bucket, flat), tensor_end = tensor->offset + tensor->count;
  *end = cell_end < tensor_end ? cell_end : tensor_end;
  return o->sums + (norm * params->tensor_count + o->tensor) * WORDS;
}

/* The gradient [length] of the flat range that begins at `flat`. */
static void add_gradient(struct ad_observer *o, size_t flat, size_t length, const float *gradient) {
  for (size_t at = 0, end; at < length; at = end - flat) {
    uint64_t *words = find_cell(o, AD_NORM_GRADIENT, flat + at, &end);
    end = end < flat + length ? end : flat + length;
    add_exactly(words, o->kernels->sum_squares(end - flat - at, gradient + at));
  }
}

float *ad_observer_room(struct ad_observer *observer) {
  return observer->settings.norms ? observer->room : NULL;
}

void ad_observer_words(struct ad_observer *observer, const struct ad_rows *rows, const float *gradient) {
  struct ad_observer *o = observer;
  const struct ad_shard *s = o->shard;
  const size_t H = s->params->config.hidden, words = s->params->embedding.position, flat = s->begin[0];
  size_t begin, end;
  if (!o->settings.norms || flat >= words) {
    return;
  }
  ad_compact_range(s->params, 0, rows, flat, s->end[0] < words ? s->end[0] : words, &begin, &end);
  for (size_t slot = begin / H; slot < end / H; slot++, gradient += H) {
    add_gradient(o, rows->ids[slot] * H, H, gradient);
  }
}

/* Values, and what is told apart from them: updates where `before` is not NULL, distances. before, theta, teacher:
 * [length]. */
static void add_norms(struct ad_observer *o, size_t flat, size_t length, const float *theta, const float *before,
                      const float *teacher) {
  for (size_t at = 0, end; at < length; at = end - flat) {
    uint64_t *value = find_cell(o, AD_NORM_VALUE, flat + at, &end);
    end = end < flat + length ? end : flat + length;
    const size_t count = end - flat - at, next = o->shard->params->tensor_count * WORDS;
    add_exactly(value, o->kernels->sum_squares(count, theta + at));
    if (before != NULL) {
      add_exactly(value + AD_NORM_UPDATE * next, o->kernels->sum_squared_differences(count, theta + at, before + at));
    }
    if (teacher != NULL) {
      add_exactly(value + AD_NORM_DISTANCE * next,
                  o->kernels->sum_squared_differences(count, theta + at, teacher + at));
    }
  }
}

static void add_sketch(struct ad_observer *o, size_t flat, size_t length, const float *theta) {
  const struct ad_shard *s = o->shard;
  const uint32_t b = s->params->tensors[o->tensor].bucket;
  const size_t group = flat / AD_SKETCH_GROUP - s->begin[b] / AD_SKETCH_GROUP;
  o->kernels->sketch(length, flat % AD_SKETCH_GROUP, ldexp(1.0, AD_SKETCH_SHIFT), o->shift,
                     o->words + o->word_begin[b] + group, theta, o->sums + norm_words(s->params, &o->settings));
}

static void add_piece(struct ad_observer *o, const float *theta, size_t flat, size_t length, const float *before,
                      const float *teacher) {
  size_t unused;
  if (o->settings.norms) {
    add_norms(o, flat, length, theta + flat, before, teacher == NULL ? NULL : teacher + flat);
  }
  if (o->settings.buckets > 0) {
    find_cell(o, AD_NORM_VALUE, flat, &unused);
    add_sketch(o, flat, length, theta + flat);
  }
}

void ad_observer_after(struct ad_observer *observer, const float *theta, size_t flat, size_t length, const float *before,
                       const float *gradient) {
  struct ad_observer *o = observer;
  if (gradient != NULL && o->settings.norms) {
    add_gradient(o, flat, length, gradient);
  }
  add_piece(o, theta, flat, length, before, o->teacher);
}

void ad_observer_values(struct ad_observer *observer, const float *theta, int with_teacher) {
  struct ad_observer *o = observer;
  const struct ad_shard *s = o->shard;
  o->measured[AD_NORM_GRADIENT] = o->measured[AD_NORM_UPDATE] = 0;
  o->measured[AD_NORM_DISTANCE] &= with_teacher;
  for (uint32_t b = 0; b < s->params->buckets; b++) {
    if (s->begin[b] < s->end[b]) {
      add_piece(o, theta, s->begin[b], s->end[b] - s->begin[b], NULL, with_teacher ? o->teacher : NULL);
    }
  }
}

uint64_t *ad_observer_sums(struct ad_observer *observer, size_t *count) {
  *count = norm_words(observer->shard->params, &observer->settings) + sketch_words(&observer->settings);
  return observer->sums;
}

void ad_observer_end(struct ad_observer *observer) {
  struct ad_observer *o = observer;
  const struct ad_params *params = o->shard->params;
  const size_t N = params->tensor_count, m = o->settings.buckets;
  for (size_t i = 0; i < AD_NORMS * N && o->settings.norms; i++) {
    const int measured = o->measured[i / N] && params->tensors[i % N].bucket >= params->frozen;
    o->norm[i] = measured ? sqrt(exact_sum(o->sums + i * WORDS)) : NAN;
  }
  const uint64_t *sketch = o->sums + norm_words(params, &o->settings);
  for (size_t i = 0; i < m; i++) {
    o->sketch[i] = (int64_t)(sketch[i] + (i < AD_SKETCH_GROUP - 1 ? sketch[m + i] : 0));
  }
}

struct ad_observation ad_observer_result(const struct ad_observer *observer) {
  return (struct ad_observation){.tensors = observer->settings.norms ? observer->shard->params->tensor_count : 0,
                                 .norm = observer->norm,
                                 .buckets = observer->settings.buckets,
                                 .sketch = observer->sketch};
}
