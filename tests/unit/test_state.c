/* A trainer's state out by pieces and into another trainer, whose memory held anything else: both train on to the same
 * bits, whatever the teacher. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "autodidact/model/shard.h"
#include "support/kernel_sets.h"
#include "support/small_training.h"

enum { STEPS = 18 };

struct lesson {
  struct small_training f;
  struct ad_replicas replicas;
  struct ad_trainer *trainer;
};

/* frozen: encoder layers that are not trained, -1: all is trained. garbage: what is not given to a new trainer is NaN.
 */
static void lesson_open(struct lesson *l, const struct ad_trainer_settings *s, int frozen, int garbage) {
  size_t teacher, mean, past;
  assert_int_equal(small_training_create(&l->f, &small_model), 0);
  if (frozen >= 0) {
    assert_int_equal(ad_params_freeze(&l->f.params, (uint32_t)frozen), AD_OK);
  }
  ad_teacher_replicas(&s->teacher, &teacher, &mean, &past);
  const size_t P = l->f.params.count, first = ad_params_frozen(&l->f.params), others = teacher + mean + past;
  float *vectors = malloc((others + 1) * P * sizeof *vectors);
  assert_non_null(vectors);
  memset(vectors, 0xff, (others + 1) * P * sizeof *vectors);
  l->replicas =
      (struct ad_replicas){ad_weights_float32(l->f.theta), ad_weights_float32(vectors),
                           ad_weights_float32(vectors + teacher * P), calloc(past + 1, sizeof(struct ad_weights))};
  for (size_t k = 0; k < past; k++) {
    l->replicas.past[k] = ad_weights_float32(vectors + (teacher + mean + k) * P);
  }
  assert_int_equal(ad_trainer_create(&l->trainer, test_math, &l->f.params, &l->replicas, &l->f.data, s, NULL), AD_OK);
  if (garbage) {
    memset(l->f.theta + first, 0xff, (P - first) * sizeof *l->f.theta);
    memset(vectors, 0xff, (others + 1) * P * sizeof *vectors);
  }
}

static void lesson_close(struct lesson *l) {
  ad_trainer_destroy(l->trainer);
  free(l->replicas.teacher.values);
  free(l->replicas.past);
  small_training_destroy(&l->f);
}

/* Everything from one to the other, a bucket in pieces of some odd length. */
static void hand_over(const struct lesson *from, struct lesson *to) {
  enum { PIECE = 333 };
  const struct ad_params *params = &from->f.params;
  struct ad_state_vector vectors[AD_STATE_VECTORS], expected[AD_STATE_VECTORS];
  const size_t count = ad_trainer_vectors(from->trainer, vectors);
  assert_int_equal(ad_trainer_vectors(to->trainer, expected), count);
  for (size_t v = 0; v < count; v++) {
    int64_t values[PIECE];
    assert_true(vectors[v].bytes <= sizeof *values && vectors[v].filled <= vectors[v].slots);
    assert_string_equal(vectors[v].name, expected[v].name);
    assert_int_equal(vectors[v].slots, expected[v].slots);
    for (size_t slot = 0; slot < vectors[v].filled; slot++) {
      for (uint32_t b = params->frozen; b < params->buckets; b++) {
        const size_t end = params->bucket_begin[b + 1];
        for (size_t at = params->bucket_begin[b]; at < end; at += PIECE) {
          const size_t length = end - at < PIECE ? end - at : PIECE;
          const void *source = ad_trainer_place(from->trainer, v, slot, b, at);
          void *target = ad_trainer_place(to->trainer, v, slot, b, at);
          assert_true((source == NULL) == (target == NULL));
          if (at / PIECE % 2 == 0 && source != NULL) {
            memcpy(target, source, length * vectors[v].bytes);
            continue;
          }
          assert_int_equal(ad_trainer_read(from->trainer, v, slot, b, at, length, values), AD_OK);
          assert_int_equal(ad_trainer_write(to->trainer, v, slot, b, at, length, values), AD_OK);
        }
      }
    }
  }
  const struct ad_trainer_state state = ad_trainer_state(from->trainer);
  assert_int_equal(ad_trainer_restore(to->trainer, &state), AD_OK);
}

/* All variants that can be evaluated are the same to the bit. */
static void compare_variants(struct lesson *a, struct lesson *b) {
  const size_t P = a->f.params.count, first = ad_params_frozen(&a->f.params);
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    const struct ad_replica *x, *y;
    size_t m, n;
    assert_int_equal(ad_trainer_variant(a->trainer, v, &x, &m), AD_OK);
    assert_int_equal(ad_trainer_variant(b->trainer, v, &y, &n), AD_OK);
    assert_int_equal(m, n);
    for (size_t k = 0; k < m; k++) {
      assert_memory_equal(ad_replica_floats(x[k]) + first, ad_replica_floats(y[k]) + first,
                          (P - first) * sizeof(float));
    }
  }
}

/* n steps, then another trainer goes on beside the first. */
static void check(const struct ad_trainer_settings *settings, int frozen, size_t n) {
  struct lesson whole, resumed;
  struct ad_step a, b;
  lesson_open(&whole, settings, frozen, 0);
  for (size_t t = 0; t < n; t++) {
    assert_int_equal(ad_trainer_step(whole.trainer, &a), AD_OK);
  }
  lesson_open(&resumed, settings, frozen, 1);
  hand_over(&whole, &resumed);
  assert_int_equal(ad_trainer_done(resumed.trainer), n);
  assert_int_equal(ad_trainer_verify(resumed.trainer), AD_OK);
  compare_variants(&whole, &resumed);
  for (size_t t = n; t < STEPS; t++) {
    assert_int_equal(ad_trainer_step(whole.trainer, &a), AD_OK);
    assert_int_equal(ad_trainer_step(resumed.trainer, &b), AD_OK);
    assert_true(a.chain == b.chain && a.step == b.step && a.epoch == b.epoch);
    assert_memory_equal(&a.loss, &b.loss, sizeof a.loss);
    assert_memory_equal(&a.distance, &b.distance, sizeof a.distance);
    assert_memory_equal(&a.weight, &b.weight, sizeof a.weight);
  }
  assert_int_equal(ad_trainer_verify(resumed.trainer), AD_OK);
  compare_variants(&whole, &resumed);
  lesson_close(&resumed);
  lesson_close(&whole);
}

static struct ad_trainer_settings taught(enum ad_teacher_method method, uint64_t window) {
  struct ad_trainer_settings s = small_settings(8, 8, 1);
  s.steps = STEPS;
  s.epochs = 6;
  s.teacher = (struct ad_teacher_settings){
      .method = method, .window = window, .every = 1, .lag = 1, .weight = 1.0, .start = 1, .decay = 0.9};
  return s;
}

/* Before the ring is full, when it just is, when it has gone round, and at the end of an epoch (3 steps). */
static const size_t moments[] = {0, 1, 2, 3, 4, 7, STEPS};

static void check_moments(const struct ad_trainer_settings *s, int frozen) {
  for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
    check(s, frozen, moments[i]);
  }
}

static void test_methods(void **state) {
  (void)state;
  const enum ad_teacher_method methods[] = {AD_TEACHER_NONE, AD_TEACHER_SE,  AD_TEACHER_SDA,
                                            AD_TEACHER_SDV,  AD_TEACHER_EMA, AD_TEACHER_RDROP};
  for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
    for (uint64_t window = 1; window <= 3; window += 2) {
      for (int means = 0; means < 2; means++) {
        struct ad_trainer_settings s = taught(methods[m], window);
        s.teacher.means = means;
        check_moments(&s, -1);
      }
    }
  }
}

static void test_settings(void **state) {
  (void)state;
  const enum ad_teacher_method methods[] = {AD_TEACHER_SDA, AD_TEACHER_SDV, AD_TEACHER_EMA};
  for (size_t m = 0; m < 3; m++) {
    for (int which = 0; which < 6; which++) {
      struct ad_trainer_settings s = taught(methods[m], 3);
      s.teacher.means = which % 2;
      s.teacher.every = which == 0 || which == 1 ? 2 : 1;
      s.teacher.lag = which != 1 && which != 2;
      s.teacher.dropout = which == 3 ? AD_DROPOUT_ON : AD_DROPOUT_OFF;
      s.teacher.ramp = which == 3 ? 0.5 : 0.0;
      s.teacher.start = which == 3 ? 5 : 1;
      s.teacher.ring_folder = which == 4 ? "/tmp" : NULL;
      s.rounds = which == 5 ? 3 : 1;
      check_moments(&s, which == 4 || which == 5 ? 1 : -1);
    }
  }
  struct ad_trainer_settings all = taught(AD_TEACHER_SDA, 0);
  check_moments(&all, -1);
  all.teacher.means = 1;
  check_moments(&all, 2);
  all.teacher.window = 1;
  all.teacher.ring_folder = "/tmp";
  check_moments(&all, -1);
}

/* A sum that its ring does not give, as a broken memory would leave it, is found. */
static void test_verify(void **state) {
  (void)state;
  const struct ad_trainer_settings s = taught(AD_TEACHER_SDA, 3);
  struct lesson l;
  struct ad_step step;
  struct ad_state_vector vectors[AD_STATE_VECTORS];
  lesson_open(&l, &s, -1, 0);
  for (size_t t = 0; t < 5; t++) {
    assert_int_equal(ad_trainer_step(l.trainer, &step), AD_OK);
  }
  const size_t count = ad_trainer_vectors(l.trainer, vectors);
  for (size_t v = 3; v < count; v++) {
    const size_t flat = l.f.params.bucket_begin[2] + 7;
    int64_t value = 0;
    assert_int_equal(ad_trainer_read(l.trainer, v, 0, 2, flat, 1, &value), AD_OK);
    const int64_t held = value;
    value ^= 1 << 18;
    assert_int_equal(ad_trainer_write(l.trainer, v, 0, 2, flat, 1, &value), AD_OK);
    assert_int_equal(ad_trainer_verify(l.trainer), AD_EINTERNAL);
    assert_int_equal(ad_trainer_write(l.trainer, v, 0, 2, flat, 1, &held), AD_OK);
    assert_int_equal(ad_trainer_verify(l.trainer), AD_OK);
  }
  assert_int_equal(count, 5); /* sum and ring have been broken in turn */
  lesson_close(&l);
}

/* By one backend of products: what is written and read does not depend on it. */
int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_methods), cmocka_unit_test(test_settings),
                                     cmocka_unit_test(test_verify)};
  if (test_math_start(NULL, NULL) != AD_OK) {
    return 1;
  }
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  test_math_end();
  return failed;
}
