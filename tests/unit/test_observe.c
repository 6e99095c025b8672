/* What snapshots measure: against the definitions in long double and 128-bit integers, on any number of shards. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "support/kernel_sets.h"
#include "support/small_training.h"

static float uniform(uint64_t index) {
  return (float)(2.0 * ad_random_uniform(5, AD_STREAM_TEST, 7, index) - 1.0);
}

/* round(x 2^36) to even, saturating, by another route than the kernel's. */
static uint64_t fixed_by_definition(float x) {
  const float bounded = !(x >= -AD_SKETCH_RANGE) ? -AD_SKETCH_RANGE : x > AD_SKETCH_RANGE ? AD_SKETCH_RANGE : x;
  return (uint64_t)llrintl((long double)bounded * 0x1p36L);
}

static void test_sketch_kernel(void **state) {
  (void)state;
  enum { N = 100 };
  const struct ad_kernels *k = test_math->kernels;
  static const float special[] = {0x1p-37f, 0x3p-37f, -0x1p-37f, -0x3p-37f, 0x1p15f,
                                  -0x1p15f, 1e30f,    -INFINITY, NAN,       0.0f};
  float x[N];
  uint32_t words[N / AD_SKETCH_GROUP + 2];
  for (size_t i = 0; i < N; i++) {
    x[i] =
        i % 3 == 0 ? special[i / 3 % (sizeof special / sizeof *special)] : uniform(i) * (i % 5 == 0 ? 100.0f : 0.01f);
  }
  for (size_t g = 0; g < sizeof words / sizeof *words; g++) {
    words[g] = (uint32_t)ad_random_bits(9, AD_STREAM_TEST, 0, g);
  }
  for (uint32_t shift = 0; shift <= 12; shift += 4) {
    const size_t m = (size_t)1 << (16 - shift), bytes = m * sizeof(uint64_t);
    uint64_t *found = ad_malloc(1, bytes), *expected = ad_malloc(1, bytes);
    for (size_t n = 0; n <= N; n += n < 40 ? 1 : 12) {
      for (size_t lane = 0; lane < AD_SKETCH_GROUP; lane += 5) {
        memset(found, 1, bytes);
        memset(expected, 1, bytes);
        k->sketch(n, &(struct ad_sketch){found, 0x1p36, shift, words, lane}, x);
        for (size_t i = 0; i < n; i++) {
          const uint32_t word = words[(lane + i) / AD_SKETCH_GROUP];
          const size_t l = (lane + i) % AD_SKETCH_GROUP, h = (word & 0xffff) >> shift,
                       place = h / 16 * 16 + (h + l) % 16;
          const uint64_t value = fixed_by_definition(x[i]);
          expected[place] += word >> (16 + l) & 1 ? 0 - value : value;
        }
        assert_memory_equal(found, expected, bytes);
      }
    }
    ad_free(found);
    ad_free(expected);
  }
}

static void test_difference_kernel(void **state) {
  (void)state;
  enum { N = 70 };
  const struct ad_kernels *k = test_math->kernels;
  float a[N], b[N];
  for (size_t i = 0; i < N; i++) {
    a[i] = uniform(i);
    b[i] = a[i] + 1e-4f * uniform(i + N);
  }
  for (size_t n = 1; n <= N; n++) {
    long double sum = 0.0L;
    for (size_t i = 0; i < n; i++) {
      sum += (long double)(a[i] - b[i]) * (a[i] - b[i]);
    }
    assert_true(fabsl(k->sum_squared_differences(n, a, b) - sum) <= 1e-15L * sum);
  }
}

/* One update of all parameters on R shards under observation. */
struct scene {
  struct ad_params params;
  struct ad_rows rows;
  float *first, *theta, *teacher; /* [P] */
  float *gradient;                /* [P], 0 in rows that are not touched */
  float *compact;                 /* [P] room for a compact bucket */
  struct ad_observation seen;
  double *norm;    /* [AD_NORMS,N] */
  int64_t *sketch; /* [buckets] */
};

static void scene_create(struct scene *s, const struct ad_model_config *model, size_t buckets) {
  static const uint32_t tokens[] = {3, 7, 8, 9, 30, 39};
  assert_int_equal(ad_params_create(&s->params, model), AD_OK);
  const size_t P = s->params.count, H = model->hidden;
  float **const vectors[] = {&s->first, &s->theta, &s->teacher, &s->gradient, &s->compact};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    *vectors[i] = ad_calloc(P, sizeof(float));
    assert_non_null(*vectors[i]);
  }
  assert_int_equal(ad_rows_create(&s->rows, model->vocab), AD_OK);
  ad_rows_add(&s->rows, sizeof tokens / sizeof *tokens, tokens);
  ad_rows_order(&s->rows);
  for (size_t i = 0; i < P; i++) {
    s->first[i] = 0.05f * uniform(3 * i);
    s->teacher[i] = s->first[i] + 1e-3f * uniform(3 * i + 1);
    const int touched = i >= s->params.table.end || s->rows.touched[i / H];
    s->gradient[i] = touched ? 0.01f * uniform(3 * i + 2) : 0.0f;
  }
  s->norm = ad_calloc(AD_NORMS * s->params.tensor_count, sizeof *s->norm);
  s->sketch = ad_calloc(buckets, sizeof *s->sketch);
}

static void scene_destroy(struct scene *s) {
  void *const blocks[] = {s->first, s->theta, s->teacher, s->gradient, s->compact, s->norm, s->sketch};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    ad_free(blocks[i]);
  }
  ad_rows_destroy(&s->rows);
  ad_params_destroy(&s->params);
}

struct hooked {
  struct ad_observer *observer;
  const struct ad_weights *theta;
};

static int before(void *context, size_t flat, size_t local, size_t length) {
  const struct hooked *h = context;
  (void)local;
  (void)length;
  ad_observer_before(h->observer, flat);
  return AD_OK;
}

static int after(void *context, size_t flat, size_t local, size_t length) {
  const struct hooked *h = context;
  ad_observer_after(h->observer, h->theta, flat, local, length);
  return AD_OK;
}

/* The shard's part of a bucket's compact gradient. */
static void compact(struct scene *s, const struct ad_shard *shard, uint32_t b) {
  const size_t H = s->params.config.hidden, words = s->params.table.end;
  size_t at = 0;
  for (size_t i = shard->begin[b]; i < shard->end[b]; i++) {
    if (i >= words || s->rows.touched[i / H]) {
      s->compact[at++] = s->gradient[i];
    }
  }
}

/* The shard's values of theta [P], one after another. */
static float *copy_shard(const struct ad_shard *shard, const float *theta) {
  float *master = malloc((shard->count + 1) * sizeof *master);
  assert_non_null(master);
  for (uint32_t b = 0; b < shard->params->buckets; b++) {
    const size_t length = shard->end[b] - shard->begin[b];
    memcpy(master + shard->local[b], theta + shard->begin[b], length * sizeof *master);
  }
  return master;
}

/* Updates first to theta on R shards; norms and sketch into the scene. */
static void observe(struct scene *s, uint32_t R, size_t buckets) {
  const struct ad_trainer_settings settings = small_settings(8, 8, 1);
  const struct ad_observer_settings what = {.norms = 1, .buckets = buckets};
  const struct ad_weights teacher = ad_weights_float32(s->teacher);
  struct ad_observer *observers[16];
  struct ad_shard shards[16];
  memcpy(s->theta, s->first, s->params.count * sizeof *s->theta);
  for (uint32_t r = 0; r < R; r++) {
    struct ad_optimizer optimizer;
    uint64_t digest = 0;
    assert_int_equal(ad_shard_create(&shards[r], &s->params, r, R), AD_OK);
    assert_int_equal(ad_optimizer_create(&optimizer, test_math->kernels, &shards[r], &settings.optimizer), AD_OK);
    assert_int_equal(ad_observer_create(&observers[r], test_math->kernels, &shards[r], &what, &teacher), AD_OK);
    /* Every other shard has its master apart from the replica. */
    struct ad_weights theta = ad_weights_float32(s->theta);
    theta.master = r % 2 == 0 ? NULL : copy_shard(&shards[r], s->theta);
    struct hooked hooked = {observers[r], &theta};
    ad_observer_begin(observers[r]);
    for (uint32_t b = s->params.frozen; b < s->params.buckets; b++) {
      compact(s, &shards[r], b);
      assert_int_equal(ad_optimizer_update(
                           &optimizer, b, &s->rows, s->compact, 1, 1.0, 1.0, &theta,
                           &(struct ad_update_hooks){&hooked, before, after, ad_observer_watch(observers[r])}, &digest),
                       AD_OK);
    }
    assert_true(digest == ad_shard_digest(&shards[r], s->theta));
    ad_optimizer_destroy(&optimizer);
    free(theta.master);
  }
  size_t count;
  uint64_t *total = ad_observer_sums(observers[0], &count);
  for (uint32_t r = 1; r < R; r++) {
    const uint64_t *other = ad_observer_sums(observers[r], &count);
    for (size_t i = 0; i < count; i++) {
      total[i] += other[i];
    }
  }
  ad_observer_end(observers[0]);
  s->seen = ad_observer_result(observers[0]);
  memcpy(s->norm, s->seen.norm, AD_NORMS * s->params.tensor_count * sizeof *s->norm);
  memcpy(s->sketch, s->seen.sketch, buckets * sizeof *s->sketch);
  for (uint32_t r = 0; r < R; r++) {
    ad_observer_destroy(observers[r]);
    ad_shard_destroy(&shards[r]);
  }
}

static double norm_by_definition(const struct scene *s, enum ad_norm norm, const struct ad_tensor *tensor) {
  long double sum = 0.0L;
  for (size_t i = tensor->offset; i < tensor->offset + tensor->count; i++) {
    const long double x = norm == AD_NORM_VALUE      ? s->theta[i]
                          : norm == AD_NORM_GRADIENT ? s->gradient[i]
                          : norm == AD_NORM_UPDATE   ? (long double)s->theta[i] - s->first[i]
                                                     : (long double)s->theta[i] - s->teacher[i];
    sum += x * x;
  }
  return (double)sqrtl(sum);
}

/* The sketch's words as the header defines them, from the generator alone. */
static void sketch_by_definition(const struct scene *s, const float *theta, size_t buckets, int64_t *sketch) {
  memset(sketch, 0, buckets * sizeof *sketch);
  for (size_t i = ad_params_frozen(&s->params); i < s->params.count; i++) {
    const uint32_t group = (uint32_t)(i / 16), counter[4] = {group / 4, 0, 0, AD_STREAM_SKETCH}, key[2] = {0, 0};
    uint32_t block[4];
    ad_philox(counter, key, block);
    const uint32_t word = block[group % 4];
    const size_t h = (word & 0xffff) * buckets / 65536, bucket = h / 16 * 16 + (h + i) % 16;
    const int64_t value = (int64_t)fixed_by_definition(theta[i]);
    sketch[bucket] += (word >> (16 + i % 16) & 1) != 0 ? -value : value;
  }
}

static const struct ad_model_config wide_model = {.hidden = 1040,
                                                  .heads = 4,
                                                  .ffn = 24,
                                                  .layers = 1,
                                                  .vocab = SMALL_VOCABULARY,
                                                  .positions = 5,
                                                  .types = 2,
                                                  .classes = 3,
                                                  .layer_norm_eps = 1e-12f};

static void check_scene(struct scene *s, size_t buckets) {
  static const uint32_t ranks[] = {1, 2, 3, 5, 8, 16};
  const size_t N = s->params.tensor_count;
  double *norm = ad_calloc(AD_NORMS * N, sizeof *norm);
  int64_t *sketch = ad_calloc(buckets, sizeof *sketch);
  observe(s, 1, buckets);
  for (size_t i = 0; i < AD_NORMS * N; i++) {
    const struct ad_tensor *tensor = &s->params.tensors[i % N];
    if (tensor->bucket < s->params.frozen) {
      assert_true(isnan(s->norm[i]));
      continue;
    }
    /* Differences are rounded to float; squares and their sums have the digits of double. */
    const int difference = i / N == AD_NORM_UPDATE || i / N == AD_NORM_DISTANCE;
    const double expected = norm_by_definition(s, (enum ad_norm)(i / N), tensor);
    assert_true(fabs(s->norm[i] - expected) <= (difference ? 0x1p-24 : 1e-15) * expected);
  }
  sketch_by_definition(s, s->theta, buckets, sketch);
  assert_memory_equal(s->sketch, sketch, buckets * sizeof *sketch);
  memcpy(norm, s->norm, AD_NORMS * N * sizeof *norm);
  for (size_t r = 1; r < sizeof ranks / sizeof *ranks; r++) {
    observe(s, ranks[r], buckets);
    assert_memory_equal(s->norm, norm, AD_NORMS * N * sizeof *norm);
    assert_memory_equal(s->sketch, sketch, buckets * sizeof *sketch);
  }
  ad_free(norm);
  ad_free(sketch);
}

static void test_shards(void **state) {
  (void)state;
  static const struct ad_model_config *const models[] = {&small_model, &wide_model};
  for (size_t m = 0; m < 2; m++) {
    for (int frozen = 0; frozen < 2; frozen++) {
      const size_t buckets = m == 0 ? 64 : 4096;
      struct scene s = {0};
      scene_create(&s, models[m], buckets);
      if (frozen) {
        assert_int_equal(ad_params_freeze(&s.params, 1), AD_OK);
      }
      check_scene(&s, buckets);
      scene_destroy(&s);
    }
  }
}

/* Gradients from 1e-20 to 1e12 in one tensor, and one that is not finite in another. */
static void test_range(void **state) {
  (void)state;
  struct scene s = {0};
  scene_create(&s, &small_model, 16);
  const size_t N = s.params.tensor_count;
  const struct ad_tensor *up = ad_params_find(&s.params, "encoder.layer.0.intermediate.dense.weight");
  const struct ad_tensor *down = ad_params_find(&s.params, "encoder.layer.0.output.dense.weight");
  const struct ad_tensor *last = ad_params_find(&s.params, "encoder.layer.1.output.dense.weight");
  for (size_t i = 0; i < up->count; i++) {
    s.gradient[up->offset + i] *= i < up->count / 2 ? 1e-18f : 1e12f;
    s.gradient[down->offset + i] *= 1e-22f;
  }
  s.gradient[last->offset + 7] = INFINITY;
  observe(&s, 3, 16);
  const double *gradient = s.norm + AD_NORM_GRADIENT * N;
  for (size_t i = 0; i < N; i++) {
    const double expected = norm_by_definition(&s, AD_NORM_GRADIENT, &s.params.tensors[i]);
    if (&s.params.tensors[i] == last) {
      assert_true(isnan(gradient[i]));
    } else {
      assert_true(expected > 0.0 && fabs(gradient[i] - expected) <= 1e-12 * expected);
    }
  }
  scene_destroy(&s);
}

/* The sum of the squared differences of two sketches estimates the squared distance. */
static void test_estimate(void **state) {
  (void)state;
  enum { BUCKETS = 1024 };
  struct scene s = {0};
  static int64_t first[BUCKETS], other[BUCKETS];
  scene_create(&s, &wide_model, BUCKETS);
  observe(&s, 1, BUCKETS);
  sketch_by_definition(&s, s.first, BUCKETS, first);
  sketch_by_definition(&s, s.teacher, BUCKETS, other);
  const float *const pairs[][2] = {{s.theta, s.first}, {s.theta, s.teacher}, {s.first, s.teacher}};
  const int64_t *const sketches[][2] = {{s.sketch, first}, {s.sketch, other}, {first, other}};
  for (size_t p = 0; p < 3; p++) {
    double distance = 0.0, estimate = 0.0;
    for (size_t i = 0; i < s.params.count; i++) {
      distance += ((double)pairs[p][0][i] - pairs[p][1][i]) * ((double)pairs[p][0][i] - pairs[p][1][i]);
    }
    for (size_t i = 0; i < BUCKETS; i++) {
      const double d = (double)(sketches[p][0][i] - sketches[p][1][i]) * 0x1p-36;
      estimate += d * d;
    }
    /* Four standard deviations. */
    assert_true(fabs(estimate / distance - 1.0) <= 4.0 * sqrt(2.0 / BUCKETS));
  }
  scene_destroy(&s);
}

/* In the trainer: watched steps train as others do, and their numbers fit the step's. */
static void test_trainer(void **state) {
  (void)state;
  for (int lag = 0; lag < 2; lag++) {
    struct small_training plain, watched;
    struct ad_trainer *a, *b;
    struct ad_step step, expected;
    assert_int_equal(small_training_create(&plain, &small_model), 0);
    assert_int_equal(small_training_create(&watched, &small_model), 0);
    const size_t P = plain.params.count, N = plain.params.tensor_count;
    float *teachers = ad_calloc(2 * P, sizeof *teachers), *past = ad_calloc(P, sizeof *past);
    struct ad_trainer_settings s = small_settings(6, 4, 1);
    s.teacher =
        (struct ad_teacher_settings){.method = AD_TEACHER_SDA, .window = 1, .every = 1, .lag = lag, .weight = 1.0};
    const struct ad_weights teacher[2] = {ad_weights_float32(teachers), ad_weights_float32(teachers + P)};
    const struct ad_replicas replicas[2] = {{.student = ad_weights_float32(plain.theta), .teacher = teacher[0]},
                                            {.student = ad_weights_float32(watched.theta), .teacher = teacher[1]}};
    assert_int_equal(ad_trainer_create(&a, test_math, &plain.params, &replicas[0], &plain.data, &s, NULL), AD_OK);
    assert_int_equal(ad_trainer_create(&b, test_math, &watched.params, &replicas[1], &watched.data, &s, NULL), AD_OK);
    assert_int_equal(ad_trainer_observe(b, &(struct ad_observer_settings){.norms = 1, .buckets = 64}), AD_OK);
    assert_int_equal(ad_trainer_look(b), AD_OK);
    struct ad_observation seen = ad_trainer_observation(b);
    for (size_t i = 0; i < N; i++) {
      assert_true(isnan(seen.norm[AD_NORM_GRADIENT * N + i]) && isnan(seen.norm[AD_NORM_UPDATE * N + i]));
      const double distance = seen.norm[AD_NORM_DISTANCE * N + i];
      assert_true(lag == 0 ? distance == 0.0 : isnan(distance));
    }
    while (ad_trainer_done(a) < ad_trainer_total(a)) {
      memcpy(past, watched.theta, P * sizeof *past);
      ad_trainer_watch(b, 1);
      assert_int_equal(ad_trainer_step(a, &expected), AD_OK);
      assert_int_equal(ad_trainer_step(b, &step), AD_OK);
      assert_true(step.chain == expected.chain);
      seen = ad_trainer_observation(b);
      long double squares = 0.0L, moved = 0.0L, moved_by = 0.0L;
      for (size_t i = 0; i < N; i++) {
        const double gradient = seen.norm[AD_NORM_GRADIENT * N + i], update = seen.norm[AD_NORM_UPDATE * N + i];
        squares += (long double)gradient * gradient;
        moved += (long double)update * update;
        /* With one past student the teacher is theta before this update, or with lag 0 the new theta. */
        assert_true(seen.norm[AD_NORM_DISTANCE * N + i] == (lag == 0 ? 0.0 : update));
      }
      for (size_t i = 0; i < P; i++) {
        moved_by += ((long double)watched.theta[i] - past[i]) * ((long double)watched.theta[i] - past[i]);
      }
      assert_true(fabs((double)sqrtl(squares) - step.norm) <= 1e-14 * step.norm);
      assert_true(fabsl(moved - moved_by) <= 0x1p-23L * moved_by);
    }
    ad_trainer_destroy(a);
    ad_trainer_destroy(b);
    ad_free(teachers);
    ad_free(past);
    small_training_destroy(&plain);
    small_training_destroy(&watched);
  }
}

static void test_errors(void **state) {
  (void)state;
  static const size_t wrong[] = {1, 8, 24, 1000, 131072};
  struct ad_params params;
  struct ad_shard shard;
  struct ad_observer *observer;
  assert_int_equal(ad_params_create(&params, &small_model), AD_OK);
  assert_int_equal(ad_shard_create(&shard, &params, 0, 1), AD_OK);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    const struct ad_observer_settings settings = {.norms = 1, .buckets = wrong[i]};
    assert_int_equal(ad_observer_create(&observer, test_math->kernels, &shard, &settings, NULL), AD_ECONFIG);
    assert_null(observer);
  }
  const struct ad_observer_settings settings = {.norms = 1, .buckets = 16};
  const size_t blocks = ad_memory_stats().live_blocks;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status != AD_OK; n++) {
    ad_memory_fail_at(n);
    status = ad_observer_create(&observer, test_math->kernels, &shard, &settings, NULL);
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || status == AD_ENOMEM);
    ad_observer_destroy(observer);
    assert_int_equal(ad_memory_stats().live_blocks, blocks);
  }
  ad_shard_destroy(&shard);
  ad_params_destroy(&params);
}

static int run(const char *name) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sketch_kernel), cmocka_unit_test(test_difference_kernel),
                                     cmocka_unit_test(test_shards),        cmocka_unit_test(test_range),
                                     cmocka_unit_test(test_estimate),      cmocka_unit_test(test_trainer),
                                     cmocka_unit_test(test_errors)};
  return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
