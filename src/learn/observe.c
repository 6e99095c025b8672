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
  const struct ad_weights *teacher; /* or NULL */
  uint64_t *sums;                   /* [buckets] the sketch, then [AD_NORMS,N,WORDS] accumulators */
  double *norm;                     /* [AD_NORMS,N] */
  int64_t *sketch;                  /* [buckets] */
  uint32_t *words;                  /* random words of the shard's groups, bucket by bucket */
  size_t *word_begin;               /* [buckets of the model] where each one's begin */
  struct ad_watch watch;
  size_t tensor;          /* of the last piece */
  int measured[AD_NORMS]; /* or to be, since `begin`: not a question of this shard */
};

static size_t norm_words(const struct ad_params *params, const struct ad_observer_settings *settings) {
  return settings->norms ? (size_t)AD_NORMS * params->tensor_count * WORDS : 0;
}

/* Groups that have a value in the flat range [begin, end). */
static size_t groups_of(size_t begin, size_t end) {
  return begin < end ? (end - 1) / AD_SKETCH_GROUP - begin / AD_SKETCH_GROUP + 1 : 0;
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
  struct ad_sketch *sketch = &o->watch.sketch;
  *sketch = (struct ad_sketch){.sum = o->sums, .scale = ldexp(1.0, AD_SKETCH_SHIFT)};
  for (sketch->shift = 16; (size_t)1 << (16 - sketch->shift) < o->settings.buckets; sketch->shift--) {
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
  o->sums = ad_calloc(o->settings.buckets + norm_words(params, &o->settings), sizeof *o->sums);
  o->norm = ad_calloc(AD_NORMS * N, sizeof *o->norm);
  if (o->sums == NULL || o->norm == NULL) {
    return ad_fail_memory(AD_NORMS * N * (WORDS + 1) * sizeof *o->sums, "the norms of a step");
  }
  return o->settings.buckets > 0 ? create_sketch(o) : AD_OK;
}

int ad_observer_create(struct ad_observer **observer, const struct ad_kernels *kernels, const struct ad_shard *shard,
                       const struct ad_observer_settings *settings, const struct ad_weights *teacher) {
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
  *o = (struct ad_observer){.shard = shard, .kernels = kernels, .settings = *settings, .teacher = teacher};
  const int status = allocate(o);
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
  ad_free(observer);
}

size_t ad_observer_size(const struct ad_observer *observer) {
  const struct ad_params *params = observer->shard->params;
  const struct ad_observer_settings *settings = &observer->settings;
  const size_t groups = settings->buckets > 0 ? observer->shard->count / AD_SKETCH_GROUP : 0;
  return (norm_words(params, settings) + 2 * settings->buckets + AD_NORMS * params->tensor_count) * sizeof(uint64_t) +
         groups * sizeof(uint32_t);
}

void ad_observer_begin(struct ad_observer *observer) {
  struct ad_observer *o = observer;
  memset(o->sums, 0, (o->settings.buckets + norm_words(o->shard->params, &o->settings)) * sizeof *o->sums);
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

/* The tensor that holds `flat`. */
static const struct ad_tensor *find_tensor(struct ad_observer *o, size_t flat) {
  const struct ad_params *params = o->shard->params;
  const struct ad_tensor *tensor = &params->tensors[o->tensor];
  while (flat < tensor->offset || flat >= tensor->offset + tensor->count) {
    o->tensor = o->tensor + 1 < params->tensor_count ? o->tensor + 1 : 0;
    tensor = &params->tensors[o->tensor];
  }
  return tensor;
}

/* Where the grain of `flat` ends, or the tensor that was found last if that is nearer. */
static size_t cell_end(const struct ad_observer *o, size_t flat) {
  const struct ad_tensor *tensor = &o->shard->params->tensors[o->tensor];
  const size_t grain = ad_update_grain_end(o->shard->params, tensor->bucket, flat);
  const size_t end = tensor->offset + tensor->count;
  return grain < end ? grain : end;
}

/* Of a grain of the tensor that was found last. squares: of the update, or NULL where there was none. theta, teacher
 * (or NULL): [length]. */
static void add_norms(struct ad_observer *o, size_t length, const double *squares, const float *theta,
                      const float *teacher) {
  uint64_t *value = o->sums + o->settings.buckets + o->tensor * WORDS;
  const size_t next = o->shard->params->tensor_count * WORDS;
  add_exactly(value, squares != NULL ? squares[AD_SQUARES_VALUE] : o->kernels->sum_squares(length, theta));
  if (squares != NULL) {
    add_exactly(value + AD_NORM_GRADIENT * next, squares[AD_SQUARES_GRADIENT]);
    add_exactly(value + AD_NORM_UPDATE * next, squares[AD_SQUARES_UPDATE]);
  }
  if (teacher != NULL) {
    add_exactly(value + AD_NORM_DISTANCE * next, o->kernels->sum_squared_differences(length, theta, teacher));
  }
}

struct ad_watch *ad_observer_watch(struct ad_observer *observer) {
  return &observer->watch;
}

void ad_observer_before(struct ad_observer *observer, size_t flat) {
  struct ad_observer *o = observer;
  const uint32_t b = find_tensor(o, flat)->bucket;
  if (o->settings.buckets > 0) {
    const size_t group = flat / AD_SKETCH_GROUP - o->shard->begin[b] / AD_SKETCH_GROUP;
    o->watch.sketch.words = o->words + o->word_begin[b] + group;
    o->watch.sketch.lane = flat % AD_SKETCH_GROUP;
  }
}

void ad_observer_after(struct ad_observer *observer, const struct ad_weights *theta, size_t flat, size_t local,
                       size_t length) {
  const struct ad_observer *o = observer;
  if (o->settings.norms) {
    add_norms(observer, length, o->watch.squares, ad_weights_master(theta, flat, local),
              o->teacher == NULL ? NULL : ad_weights_master(o->teacher, flat, local));
  }
}

void ad_observer_values(struct ad_observer *observer, const struct ad_weights *theta, int with_teacher) {
  struct ad_observer *o = observer;
  const struct ad_shard *s = o->shard;
  o->measured[AD_NORM_GRADIENT] = o->measured[AD_NORM_UPDATE] = 0;
  o->measured[AD_NORM_DISTANCE] &= with_teacher;
  for (uint32_t b = 0; b < s->params->buckets; b++) {
    for (size_t flat = s->begin[b], end; flat < s->end[b]; flat = end) {
      ad_observer_before(o, flat);
      end = cell_end(o, flat);
      end = end < s->end[b] ? end : s->end[b];
      const size_t local = ad_shard_local(s, b, flat);
      const float *values = ad_weights_master(theta, flat, local);
      if (o->settings.norms) {
        add_norms(o, end - flat, NULL, values, with_teacher ? ad_weights_master(o->teacher, flat, local) : NULL);
      }
      if (o->settings.buckets > 0) {
        o->kernels->sketch(end - flat, &o->watch.sketch, values);
      }
    }
  }
}

uint64_t *ad_observer_sums(struct ad_observer *observer, size_t *count) {
  *count = observer->settings.buckets + norm_words(observer->shard->params, &observer->settings);
  return observer->sums;
}

void ad_observer_end(struct ad_observer *observer) {
  struct ad_observer *o = observer;
  const struct ad_params *params = o->shard->params;
  const size_t N = params->tensor_count, m = o->settings.buckets;
  for (size_t i = 0; i < AD_NORMS * N && o->settings.norms; i++) {
    const int measured = o->measured[i / N] && params->tensors[i % N].bucket >= params->frozen;
    o->norm[i] = measured ? sqrt(exact_sum(o->sums + m + i * WORDS)) : NAN;
  }
  for (size_t i = 0; i < m; i++) {
    o->sketch[i] = (int64_t)o->sums[i];
  }
}

struct ad_observation ad_observer_result(const struct ad_observer *observer) {
  return (struct ad_observation){.tensors = observer->settings.norms ? observer->shard->params->tensor_count : 0,
                                 .norm = observer->norm,
                                 .buckets = observer->settings.buckets,
                                 .sketch = observer->sketch};
}
