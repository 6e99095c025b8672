/* The registry of architectures: a toy one, which is one file and one line (tests/toys/architecture.c), is read and
 * written, drawn, cut into shards, differentiated and trained, by code that does not know it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "autodidact/model/shard.h"
#include "autodidact/text/tokenizer.h"
#include "support/kernel_sets.h"
#include "support/model_folder.h"
#include "support/small_training.h"

const char WORK[] = "test_architecture.d";

static const struct ad_model_config toy = {.architecture = AD_ARCHITECTURE_TOY,
                                           .hidden = 24,
                                           .layers = 3,
                                           .vocab = SMALL_VOCABULARY,
                                           .positions = 16,
                                           .types = 2,
                                           .classes = 3};

static void test_folder(void **state) {
  (void)state;
  const struct ad_model_options all = {.head = AD_HEAD_REQUIRE};
  struct ad_params params;
  struct ad_tokenizer *tokenizer;
  float *theta;
  assert_string_equal(ad_architecture_title(AD_ARCHITECTURE_TOY), "Toy");
  assert_int_equal(ad_tokenizer_load(&tokenizer, fixture()), AD_OK);
  assert_int_equal(ad_model_draw(&toy, 7, &params, &theta), AD_OK);
  const char *path = place("saved");
  assert_int_equal(ad_model_save(path, 0, &params, theta, tokenizer, NULL), AD_OK);
  struct loaded l = load(path, &all);
  struct ad_model_config saved = toy;
  saved.problem_type = ad_task_classification.problem_type;
  assert_memory_equal(&l.params.config, &saved, sizeof saved);
  assert_memory_equal(l.theta, theta, params.count * sizeof *theta);
  assert_int_equal(l.report.unknown.count, 0);
  release(&l);
  /* Its tensors are not BERT's. */
  char text[400];
  snprintf(text, sizeof text, "%s}", CONFIG);
  test_write_text(path, "config.json", text);
  const struct ad_model_options any = {.head = AD_HEAD_NEW, .classes = 3};
  refuse(path, &any, "is of a Toy model, expected BERT");
  test_write_text(path, "config.json", "{\"model_type\":\"other\"}");
  refuse(path, &any, "model_type is \"other\", expected \"bert\" or");
  ad_tokenizer_destroy(tokenizer);
  ad_params_destroy(&params);
  ad_free(theta);
}

static int shape_of(void *context, const char *name, uint32_t shape[2]) {
  const struct ad_tensor *tensor = ad_params_find(context, name);
  shape[0] = tensor == NULL ? 0 : (uint32_t)tensor->rows;
  shape[1] = tensor == NULL ? 0 : (uint32_t)tensor->columns;
  return AD_OK;
}

static void test_table(void **state) {
  (void)state;
  struct ad_params p;
  struct ad_model_config found;
  assert_int_equal(ad_params_create(&p, &toy), AD_OK);
  assert_int_equal(p.buckets, toy.layers + 2);
  assert_int_equal(p.table.width, toy.hidden / 2);
  assert_int_equal(p.table.rows, toy.vocab);
  assert_true(ad_params_find(&p, "toy.words.weight")->row_blocked && !ad_params_find(&p, "words.bias")->row_blocked);
  assert_int_equal(ad_params_find(&p, "words.bias")->init, AD_INIT_ONE);
  assert_int_equal(ad_params_find(&p, "layer.2.mix.weight")->bucket, 3);
  assert_true(ad_params_find(&p, "out.weight")->new_head && ad_params_find(&p, "pooler.weight")->optional);
  for (uint32_t b = 0; b < p.buckets; b++) {
    assert_int_equal(ad_params_done_from(&p, b), b == 0 ? 0 : b - 1);
  }
  assert_int_equal(ad_params_recognise(&found, shape_of, &p), AD_OK);
  assert_int_equal(found.architecture, AD_ARCHITECTURE_TOY);
  assert_int_equal(found.hidden, toy.hidden);
  assert_int_equal(found.classes, toy.classes);
  assert_int_equal(ad_params_freeze(&p, 2), AD_OK);
  assert_int_equal(ad_params_frozen(&p), ad_params_find(&p, "layer.2.mix.weight")->offset);
  ad_params_destroy(&p);
}

/* A digest is the sum of those of any shards, and a run of blocks ends where a shard may. */
static void test_shards(void **state) {
  (void)state;
  struct small_training f;
  uint64_t whole = 0;
  assert_int_equal(small_training_create(&f, &toy), 0);
  for (uint32_t size = 1; size <= 5; size++) {
    uint64_t sum = 0;
    size_t owned = 0;
    for (uint32_t rank = 0; rank < size; rank++) {
      struct ad_shard shard;
      assert_int_equal(ad_shard_create(&shard, &f.params, rank, size), AD_OK);
      sum += ad_shard_digest(&shard, f.theta);
      owned += shard.count;
      const size_t begin = shard.begin[0], run = ad_block_run(&f.params, 0, begin, f.params.bucket_begin[1], 1);
      assert_true(shard.begin[0] == shard.end[0] || run == f.params.table.width || begin >= f.params.table.end);
      ad_shard_destroy(&shard);
    }
    whole = size == 1 ? sum : whole;
    assert_true(sum == whole && owned == f.params.count);
  }
  small_training_destroy(&f);
}

enum { LANES = 3, ROWS = 400 };

struct problem {
  struct small_training f;
  struct ad_packer packer;
  struct ad_batch batch;
  struct ad_encoder *encoder;
  float d[SMALL_EXAMPLES * 3], logits[SMALL_EXAMPLES * 3];
};

/* sum(logits * d), in double. */
static double loss_at(struct problem *p, const float *theta) {
  double loss = 0.0;
  assert_int_equal(ad_encoder_forward(p->encoder, ad_replica_float32(theta), &p->batch, NULL, p->logits), AD_OK);
  for (size_t i = 0; i < SMALL_EXAMPLES * 3; i++) {
    loss += (double)p->logits[i] * p->d[i];
  }
  return loss;
}

/* Each tensor along its own gradient, against differences of fourth order (test_gradient.c): steps of 0.01 and 0.02, a
 * float32 forward that is good to about 1e-6 of the loss, and derivatives of a tenth of the loss and more. */
static void test_gradient(void **state) {
  (void)state;
  struct problem p = {.encoder = NULL};
  const size_t lane_begin[LANES + 1] = {0, 5, 12, SMALL_EXAMPLES};
  uint32_t ids[SMALL_EXAMPLES];
  assert_int_equal(small_training_create(&p.f, &toy), 0);
  const size_t P = p.f.params.count;
  const int alignment = ad_encoder_alignment(test_math, &p.f.params);
  float *gradient = malloc(P * sizeof *gradient), *moved = malloc(P * sizeof *moved);
  for (uint32_t i = 0; i < SMALL_EXAMPLES; i++) {
    ids[i] = i;
  }
  for (size_t i = 0; i < SMALL_EXAMPLES * 3; i++) {
    p.d[i] = (float)(i % 5) - 1.5f;
  }
  for (size_t i = 0; i < P; i++) {
    p.f.theta[i] = (float)(0.3 * ad_random_normal(5, AD_STREAM_TEST, 9, i));
  }
  assert_int_equal(ad_packer_create(&p.packer, &p.f.params.form, ROWS, SMALL_EXAMPLES, LANES, (size_t)alignment),
                   AD_OK);
  assert_int_equal(ad_packer_fill(&p.packer, &p.f.data, ids, LANES, lane_begin, NULL, &p.batch), AD_OK);
  assert_int_equal(ad_encoder_create(&p.encoder, test_math, &p.f.params, ROWS, SMALL_EXAMPLES, LANES, 1), AD_OK);
  loss_at(&p, p.f.theta);
  assert_int_equal(ad_encoder_gradient(p.encoder, ad_replica_float32(p.f.theta), &p.batch, NULL, p.d, gradient), AD_OK);
  for (size_t i = 0; i < p.f.params.tensor_count; i++) {
    const struct ad_tensor *tensor = &p.f.params.tensors[i];
    double squares = 0.0;
    for (size_t k = tensor->offset; k < tensor->offset + tensor->count; k++) {
      squares += (double)gradient[k] * gradient[k];
    }
    if (squares == 0.0) {
      fail_msg("%s has no gradient", tensor->name);
    }
    static const double at[] = {1.0, -1.0, 2.0, -2.0}, weight[] = {8.0, -8.0, -1.0, 1.0};
    const double step = 0.01 / sqrt(squares);
    double change = 0.0;
    for (size_t j = 0; j < 4; j++) {
      memcpy(moved, p.f.theta, P * sizeof *moved);
      for (size_t k = tensor->offset; k < tensor->offset + tensor->count; k++) {
        moved[k] = (float)(p.f.theta[k] + at[j] * step * gradient[k]);
      }
      change += weight[j] * loss_at(&p, moved);
    }
    const double error = fabs(change / (12.0 * step) / squares - 1.0);
    if (!(error <= 1e-3)) {
      fail_msg("%s: off by %g of its gradient", tensor->name, error);
    }
  }
  ad_encoder_destroy(p.encoder);
  ad_packer_destroy(&p.packer);
  small_training_destroy(&p.f);
  free(gradient);
  free(moved);
}

/* A training of 20 steps lowers the loss, with and without frozen layers. */
static void test_training(void **state) {
  (void)state;
  for (uint32_t frozen = 0; frozen <= toy.layers; frozen += toy.layers) {
    struct small_training f;
    struct ad_trainer *trainer;
    struct ad_trainer_settings s = small_settings(SMALL_EXAMPLES, LANES, 1);
    double first = 0.0, last = 0.0;
    s.epochs = 20;
    assert_int_equal(small_training_create(&f, &toy), 0);
    assert_int_equal(frozen > 0 ? ad_params_freeze(&f.params, frozen) : AD_OK, AD_OK);
    const struct ad_replicas replicas = {.student = ad_weights_float32(f.theta)};
    assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL), AD_OK);
    for (int t = 0; t < 20; t++) {
      struct ad_step step;
      assert_int_equal(ad_trainer_step(trainer, &step), AD_OK);
      first = t == 0 ? step.loss : first;
      last = step.loss;
    }
    assert_true(last < first);
    ad_trainer_destroy(trainer);
    small_training_destroy(&f);
  }
}

static int run(const char *name) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_folder), cmocka_unit_test(test_table),
                                     cmocka_unit_test(test_shards), cmocka_unit_test(test_gradient),
                                     cmocka_unit_test(test_training)};
  return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
