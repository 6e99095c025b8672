/* Frozen layers: the rest of the gradient keeps its bits, nothing of them is trained, held or taken from another
 * vector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "autodidact/base/status.h"
#include "autodidact/data/batch.h"
#include "support/kernel_sets.h"
#include "support/small_training.h"

enum { ROWS = 240, LANES = 3 };

static const struct ad_masks masks = {.seed = 4, .step = 3, .pass = 0};

/* Logits [N,C] and gradient [P] of all examples in three lanes, dlogits made up. */
static void differentiate(const struct small_training *f, const float *theta, const float *frozen, float *logits,
                          float *gradient) {
  struct ad_packer packer;
  struct ad_batch batch;
  struct ad_encoder *encoder;
  uint32_t ids[SMALL_EXAMPLES];
  float d[SMALL_EXAMPLES * 3];
  const size_t lane_begin[LANES + 1] = {0, 5, 12, SMALL_EXAMPLES};
  const int alignment = ad_encoder_alignment(test_math, &f->params);
  assert_true(alignment > 0);
  for (size_t i = 0; i < SMALL_EXAMPLES; i++) {
    ids[i] = (uint32_t)i;
  }
  for (size_t i = 0; i < SMALL_EXAMPLES * 3; i++) {
    d[i] = (float)(i % 7) - 3.0f;
  }
  assert_int_equal(ad_packer_create(&packer, &f->params.form, ROWS, SMALL_EXAMPLES, LANES, (size_t)alignment), AD_OK);
  assert_int_equal(ad_encoder_create(&encoder, test_math, &f->params, ROWS, SMALL_EXAMPLES, LANES, 1), AD_OK);
  ad_encoder_read_frozen(encoder, ad_replica_float32(frozen));
  assert_int_equal(ad_packer_fill(&packer, &f->data, ids, LANES, lane_begin, NULL, &batch), AD_OK);
  assert_int_equal(ad_encoder_forward(encoder, ad_replica_float32(theta), &batch, &masks, logits), AD_OK);
  assert_int_equal(ad_encoder_gradient(encoder, ad_replica_float32(theta), &batch, &masks, d, gradient), AD_OK);
  ad_encoder_destroy(encoder);
  ad_packer_destroy(&packer);
}

static void test_gradient(void **state) {
  (void)state;
  static float logits[2][SMALL_EXAMPLES * 3];
  for (int classifier = 0; classifier < 2; classifier++) {
    struct ad_model_config model = small_model;
    struct small_training f;
    model.classifier = (enum ad_classifier)classifier;
    model.layers = 3;
    assert_int_equal(small_training_create(&f, &model), 0);
    const size_t P = f.params.count;
    float *whole = malloc(P * sizeof *whole), *part = malloc(P * sizeof *part), *other = malloc(P * sizeof *other);
    const size_t all = ad_encoder_bytes(test_math, &f.params, ROWS, SMALL_EXAMPLES, LANES, 1);
    size_t bytes = all;
    differentiate(&f, f.theta, NULL, logits[0], whole);
    for (uint32_t layers = 0; layers <= model.layers; layers++) {
      assert_int_equal(ad_params_freeze(&f.params, layers), AD_OK);
      const size_t frozen = ad_params_frozen(&f.params);
      char name[80] = "pooler.dense.weight";
      if (layers < model.layers) {
        snprintf(name, sizeof name, "encoder.layer.%u.attention.self.query.weight", layers);
      } else if (model.classifier == AD_CLASSIFIER_CLS) {
        snprintf(name, sizeof name, "classifier.weight");
      }
      assert_int_equal(frozen, ad_params_find(&f.params, name)->offset);
      differentiate(&f, f.theta, NULL, logits[1], part);
      assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
      assert_memory_equal(whole + frozen, part + frozen, (P - frozen) * sizeof *whole);
      for (size_t i = 0; i < frozen; i++) {
        assert_true(part[i] == 0.0f);
      }
      /* The frozen part comes from where it is said to, whatever stands before the others. */
      memset(other, 0xff, frozen * sizeof *other);
      memcpy(other + frozen, f.theta + frozen, (P - frozen) * sizeof *other);
      differentiate(&f, other, f.theta, logits[1], part);
      assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
      const size_t now = ad_encoder_bytes(test_math, &f.params, ROWS, SMALL_EXAMPLES, LANES, 1);
      /* One frozen layer has a layer's memory to itself; more share it; with all of them there is no backward. */
      assert_true(layers < 2 ? now == all : now < bytes);
      bytes = now;
    }
    assert_int_equal(ad_params_freeze(&f.params, model.layers + 1), AD_ECONFIG);
    free(whole);
    free(part);
    free(other);
    small_training_destroy(&f);
  }
}

/* Shards of the trained parameters only; a training leaves the others as they are. */
static void test_training(void **state) {
  (void)state;
  for (uint32_t layers = 0; layers <= small_model.layers; layers++) {
    struct small_training f;
    struct ad_trainer *trainer;
    struct ad_shard shard;
    assert_int_equal(small_training_create(&f, &small_model), 0);
    assert_int_equal(ad_params_freeze(&f.params, layers), AD_OK);
    const size_t P = f.params.count, frozen = ad_params_frozen(&f.params);
    size_t owned = 0;
    for (uint32_t r = 0; r < 5; r++) {
      assert_int_equal(ad_shard_create(&shard, &f.params, r, 5), AD_OK);
      owned += shard.count;
      assert_int_equal(shard.begin[0], shard.end[0]);
      ad_shard_destroy(&shard);
    }
    assert_int_equal(owned, P - frozen);
    float *teacher = malloc(P * sizeof *teacher), *mean = malloc(P * sizeof *mean),
          *before = malloc(P * sizeof *before);
    memcpy(before, f.theta, P * sizeof *before);
    /* Never written and never read: NaN would show. */
    memset(teacher, 0xff, P * sizeof *teacher);
    memset(mean, 0xff, P * sizeof *mean);
    struct ad_trainer_settings s = small_settings(8, 8, 2);
    s.teacher = (struct ad_teacher_settings){
        .method = AD_TEACHER_SDA, .window = 3, .every = 1, .lag = 1, .weight = 1.0, .start = 1, .means = 1};
    const struct ad_replicas replicas = {ad_weights_float32(f.theta), ad_weights_float32(teacher),
                                         ad_weights_float32(mean), NULL};
    assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL), AD_OK);
    assert_int_equal(ad_trainer_bytes(trainer).moments, 2 * (P - frozen) * sizeof(float));
    while (ad_trainer_done(trainer) < ad_trainer_total(trainer)) {
      struct ad_step step;
      assert_int_equal(ad_trainer_step(trainer, &step), AD_OK);
      assert_true(step.step == 1 || step.distance > 0.0);
    }
    assert_memory_equal(before, f.theta, frozen * sizeof *before);
    assert_memory_not_equal(before + frozen, f.theta + frozen, (P - frozen) * sizeof *before);
    ad_trainer_destroy(trainer);
    free(teacher);
    free(mean);
    free(before);
    small_training_destroy(&f);
  }
}

static int run(const char *name) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradient), cmocka_unit_test(test_training)};
  return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
