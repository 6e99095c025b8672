/* Masked-language modelling by the trainer: twenty steps against transformers with the same hidden tokens
 * (tests/parity/hidden.py); the same bits for any lanes of a rank, rounds and copies; evaluation in parts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/evaluate.h"
#include "autodidact/learn/trainer.h"
#include "autodidact/task/scores.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"
#include "support/parity.h"
#include "support/small_training.h"

enum { STEPS = 20, ORDER_SEED = 5, HIDING_SEED = 11, SPECIAL = 5 };

/* As of test_trajectory.c: what was asked for of the losses, relative, and the same of the norms; of what a tensor has
 * moved. */
static const double LOSS_TOLERANCE = 1e-3, NORM_TOLERANCE = 1e-3, CHANGE_TOLERANCE = 5e-4;

static struct ad_trainer_settings settings_of(const struct ad_hiding *hiding, size_t batch, size_t lanes,
                                              size_t rounds) {
  return (struct ad_trainer_settings){.batch = batch,
                                      .lanes = lanes,
                                      .rounds = rounds,
                                      .steps = STEPS,
                                      .seed_order = ORDER_SEED,
                                      .seed_dropout = HIDING_SEED,
                                      .schedule = AD_SCHEDULE_LINEAR,
                                      .warmup = 0.2,
                                      .hiding = hiding,
                                      .optimizer = {.lr = 1e-3,
                                                    .head_lr = 1e-3,
                                                    .layer_decay = 1.0,
                                                    .beta1 = 0.9,
                                                    .beta2 = 0.999,
                                                    .eps = 1e-8,
                                                    .decay = 0.01,
                                                    .clip = 1.0,
                                                    .bias_correction = 1}};
}

/* Tokens 0 to 4 are special, all others ordinary. */
static struct ad_hiding hide_of(size_t vocab, double share) {
  struct ad_buffer text = {0};
  struct ad_tokenizer *tokenizer;
  struct ad_hiding hiding;
  assert_int_equal(ad_buffer_puts(&text, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"), AD_OK);
  for (size_t i = SPECIAL; i < vocab; i++) {
    assert_int_equal(ad_buffer_printf(&text, "w%zu\n", i), AD_OK);
  }
  assert_int_equal(ad_tokenizer_create(&tokenizer, "made", text.data, text.size, 1), AD_OK);
  assert_int_equal(ad_hiding_create(&hiding, tokenizer, share, 0), AD_OK);
  ad_tokenizer_destroy(tokenizer);
  ad_buffer_destroy(&text);
  return hiding;
}

/* --- Against transformers. */

struct masked {
  hid_t file;
  struct ad_params params;
  struct ad_dataset data;
  float *theta; /* [P] */
};

static void load(struct masked *m, const char *name) {
  size_t count, tokens;
  *m = (struct masked){.file = fixture_open(name)};
  struct ad_model_config config = fixture_config(m->file);
  config.masked_lm = 1;
  config.classifier = AD_CLASSIFIER_CLS; /* no pooler */
  assert_int_equal(ad_params_create(&m->params, &config), AD_OK);
  m->theta = calloc(m->params.count, sizeof *m->theta);
  const struct encoder_fixture f = {.file = m->file, .params = m->params};
  fixture_vector(&f, "weights", m->theta);
  uint32_t *lengths = fixture_read_new(m->file, "lengths", H5T_NATIVE_UINT32, &count);
  struct ad_dataset *d = &m->data;
  *d = (struct ad_dataset){.count = count, .task = &ad_task_mlm, .words = 1};
  d->ids = fixture_read_new(m->file, "ids", H5T_NATIVE_UINT32, &tokens);
  d->offset = calloc(count + 1, sizeof *d->offset);
  d->first = lengths; /* single texts */
  d->label = calloc(count, sizeof *d->label);
  for (size_t i = 0; i < count; i++) {
    d->offset[i + 1] = d->offset[i] + lengths[i];
    d->longest = lengths[i] > d->longest ? lengths[i] : d->longest;
  }
  assert_int_equal(d->offset[count], tokens);
}

static void unload(struct masked *m) {
  ad_params_destroy(&m->params);
  free(m->theta);
  free(m->data.ids);
  free(m->data.offset);
  free(m->data.first);
  free(m->data.label);
  fixture_close(m->file);
}

/* Scores before the first step; a float logit is good to some 1e-6. */
static void check_evaluation(const struct masked *m, const struct ad_hiding *hiding, const char *name) {
  enum { ROWS = 24 };
  struct ad_evaluator *evaluator;
  struct ad_row_sums sums[ROWS];
  struct ad_scoring scoring;
  double loss;
  uint32_t counts[2];
  const struct ad_replica theta = ad_replica_float32(m->theta);
  assert_int_equal(m->data.count, ROWS);
  fixture_read(m->file, "evaluation/loss", H5T_NATIVE_DOUBLE, 1, &loss);
  fixture_read(m->file, "evaluation/counts", H5T_NATIVE_UINT32, 2, counts);
  assert_int_equal(ad_evaluator_create(&evaluator, test_math, &m->params, 5), AD_OK);
  ad_evaluator_hide(evaluator, hiding);
  assert_int_equal(ad_evaluator_run_hidden(evaluator, &theta, 1, &m->data, 0, ROWS, sums), AD_OK);
  assert_int_equal(ad_scoring_create_summed(&scoring, &ad_task_mlm, ROWS, sums), AD_OK);
  const struct ad_scores *s = &scoring.scores;
  expect(relative(ad_scores_loss(s), loss), 1e-6, name, "loss of an evaluation");
  expect(fabs(ad_scores_get(s, "perplexity") / exp(loss) - 1.0), 1e-5, name, "perplexity");
  expect(fabs(ad_scores_get(s, "masked_accuracy") - (double)counts[1] / counts[0]), 1e-12, name, "masked accuracy");
  ad_scoring_destroy(&scoring);
  ad_evaluator_destroy(evaluator);
}

static void run_fixture(const char *name) {
  struct masked m;
  struct ad_trainer *trainer;
  double losses[STEPS], norms[STEPS];
  load(&m, name);
  struct ad_hiding hiding = hide_of(m.params.config.vocab, 0.15);
  const struct ad_trainer_settings s = settings_of(&hiding, 5, 3, 2);
  float *start = malloc(m.params.count * sizeof *start);
  memcpy(start, m.theta, m.params.count * sizeof *start);
  fixture_read(m.file, "trajectory/loss", H5T_NATIVE_DOUBLE, STEPS, losses);
  fixture_read(m.file, "trajectory/norm", H5T_NATIVE_DOUBLE, STEPS, norms);
  const struct ad_replicas replicas = {.student = ad_weights_float32(m.theta)};
  if (ad_trainer_create(&trainer, test_math, &m.params, &replicas, &m.data, &s, NULL) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  check_evaluation(&m, &hiding, name);
  for (int i = 0; i < STEPS; i++) {
    struct ad_step step;
    char what[32];
    assert_int_equal(ad_trainer_step(trainer, &step), AD_OK);
    snprintf(what, sizeof what, "loss of step %d", i + 1);
    expect(relative(step.loss, losses[i]), LOSS_TOLERANCE, name, what);
    snprintf(what, sizeof what, "norm of step %d", i + 1);
    expect(relative(step.norm, norms[i]), NORM_TOLERANCE, name, what);
  }
  expect_final(&m.params, m.file, name, start, m.theta, CHANGE_TOLERANCE);
  ad_trainer_destroy(trainer);
  ad_hiding_destroy(&hiding);
  free(start);
  unload(&m);
}

static void test_trajectories(void **state) {
  (void)state;
  const struct ad_memory_stats before = ad_memory_stats();
  failures = 0;
  run_fixture("hidden-bert.h5");
  run_fixture("hidden-roberta.h5");
  assert_int_equal(failures, 0);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

/* --- The small training. */

static const struct ad_model_config masked_model = {.hidden = 32,
                                                    .heads = 4,
                                                    .ffn = 64,
                                                    .layers = 2,
                                                    .vocab = SMALL_VOCABULARY,
                                                    .positions = 16,
                                                    .types = 2,
                                                    .layer_norm_eps = 1e-12f,
                                                    .hidden_dropout = 0.1f,
                                                    .attention_dropout = 0.1f,
                                                    .masked_lm = 1};

static void start(struct small_training *f) {
  assert_int_equal(small_training_create(f, &masked_model), 0);
  f->data.task = &ad_task_mlm;
}

/* The digest of all parameters after some steps. */
static uint64_t train(size_t lanes, size_t rounds, enum ad_teacher_method method, double share, double *loss) {
  struct small_training f;
  struct ad_trainer *trainer;
  struct ad_step step;
  start(&f);
  struct ad_hiding hiding = hide_of(SMALL_VOCABULARY, share);
  struct ad_trainer_settings s = settings_of(&hiding, 8, lanes, rounds);
  s.steps = 7; /* epochs of three steps */
  s.teacher =
      (struct ad_teacher_settings){.method = method, .window = 3, .every = 1, .lag = 1, .weight = 1.0, .start = 1};
  size_t teacher, mean, past;
  ad_teacher_replicas(&s.teacher, &teacher, &mean, &past);
  struct ad_weights kept[4];
  assert_true(past <= 4);
  for (size_t k = 0; k < past; k++) {
    kept[k] = ad_weights_float32(calloc(f.params.count, sizeof(float)));
  }
  struct ad_replicas replicas = {
      .student = ad_weights_float32(f.theta),
      .teacher = ad_weights_float32(teacher > 0 ? calloc(f.params.count, sizeof(float)) : NULL),
      .mean = ad_weights_float32(mean > 0 ? calloc(f.params.count, sizeof(float)) : NULL),
      .past = past > 0 ? kept : NULL};
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL), AD_OK);
  for (uint64_t t = 0; t < s.steps; t++) {
    assert_int_equal(ad_trainer_step(trainer, &step), AD_OK);
    assert_true(isfinite(step.loss) && step.examples <= 8);
    assert_true(step.weight == 0.0 || isfinite(step.distance));
  }
  *loss = step.loss;
  const uint64_t chain = step.chain;
  ad_trainer_destroy(trainer);
  ad_hiding_destroy(&hiding);
  free(replicas.teacher.values);
  free(replicas.mean.values);
  for (size_t k = 0; k < past; k++) {
    free(kept[k].values);
  }
  small_training_destroy(&f);
  return chain;
}

/* Rounds give the same bits, with each teacher; a batch of which next to nothing is hidden goes on. */
static void test_rounds(void **state) {
  (void)state;
  static const enum ad_teacher_method methods[] = {AD_TEACHER_NONE, AD_TEACHER_SE,  AD_TEACHER_SDA,
                                                   AD_TEACHER_SDV,  AD_TEACHER_EMA, AD_TEACHER_RDROP};
  double loss[3];
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    const uint64_t one = train(8, 1, methods[i], 0.3, &loss[0]);
    assert_true(one == train(8, 3, methods[i], 0.3, &loss[1]));
    assert_true(loss[0] == loss[1]);
  }
  train(8, 1, AD_TEACHER_SDA, 0.001, &loss[0]);
  assert_true(loss[0] >= 0.0);
}

/* Sums of parts are those of the whole, and the loss is the mean of log V where all logits are 0. */
static void test_evaluation(void **state) {
  (void)state;
  struct small_training f;
  struct ad_evaluator *evaluator;
  struct ad_scoring scoring;
  struct ad_row_sums whole[SMALL_EXAMPLES], parts[SMALL_EXAMPLES], mean[SMALL_EXAMPLES];
  start(&f);
  struct ad_hiding hiding = hide_of(SMALL_VOCABULARY, 0.3);
  const struct ad_replica theta = ad_replica_float32(f.theta), thrice[3] = {theta, theta, theta};
  assert_int_equal(ad_evaluator_create(&evaluator, test_math, &f.params, 8), AD_OK);
  ad_evaluator_hide(evaluator, &hiding);
  assert_int_equal(ad_evaluator_run_hidden(evaluator, &theta, 1, &f.data, 0, SMALL_EXAMPLES, whole), AD_OK);
  assert_int_equal(ad_evaluator_run_hidden(evaluator, &theta, 1, &f.data, 0, 3, parts), AD_OK);
  assert_int_equal(ad_evaluator_run_hidden(evaluator, &theta, 1, &f.data, 3, SMALL_EXAMPLES, parts + 3), AD_OK);
  assert_int_equal(ad_evaluator_run_hidden(evaluator, thrice, 3, &f.data, 0, SMALL_EXAMPLES, mean), AD_OK);
  assert_memory_equal(whole, parts, sizeof whole);
  assert_memory_equal(whole, mean, sizeof whole);
  memset(f.theta, 0, f.params.count * sizeof *f.theta);
  assert_int_equal(ad_evaluator_run_hidden(evaluator, &theta, 1, &f.data, 0, SMALL_EXAMPLES, whole), AD_OK);
  assert_int_equal(ad_scoring_create_summed(&scoring, &ad_task_mlm, SMALL_EXAMPLES, whole), AD_OK);
  assert_int_equal(scoring.scores.examples, SMALL_EXAMPLES);
  assert_true(fabs(ad_scores_loss(&scoring.scores) - log(SMALL_VOCABULARY)) <= 1e-6);
  assert_true(fabs(ad_scores_get(&scoring.scores, "perplexity") - SMALL_VOCABULARY) <= 1e-4);
  ad_scoring_destroy(&scoring);
  memset(whole, 0, sizeof whole);
  assert_int_equal(ad_scoring_create_summed(&scoring, &ad_task_mlm, SMALL_EXAMPLES, whole), AD_EINPUT);
  ad_scoring_destroy(&scoring);
  ad_evaluator_destroy(evaluator);
  ad_hiding_destroy(&hiding);
  small_training_destroy(&f);
}

/* A head and a task that do not go together; every allocation failing once. */
static void test_refused(void **state) {
  (void)state;
  struct small_training f;
  struct ad_trainer *trainer;
  start(&f);
  struct ad_hiding hiding = hide_of(SMALL_VOCABULARY, 0.15);
  struct ad_trainer_settings s = settings_of(NULL, 8, 4, 1);
  const struct ad_replicas replicas = {.student = ad_weights_float32(f.theta)};
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL), AD_ECONFIG);
  s.hiding = &hiding;
  f.data.task = &ad_task_classification;
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL), AD_ECONFIG);
  f.data.task = &ad_task_mlm;
  s.loss.smoothing = 0.1;
  assert_int_equal(ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL), AD_ECONFIG);
  s.loss.smoothing = 0.0;
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status == AD_ENOMEM; n++) {
    const struct ad_memory_stats before = ad_memory_stats();
    ad_memory_fail_at(n);
    status = ad_trainer_create(&trainer, test_math, &f.params, &replicas, &f.data, &s, NULL);
    ad_memory_fail_at(0);
    assert_true(status == AD_OK || ad_memory_stats().live_blocks == before.live_blocks);
  }
  assert_int_equal(status, AD_OK);
  ad_trainer_destroy(trainer);
  ad_hiding_destroy(&hiding);
  small_training_destroy(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_trajectories), cmocka_unit_test(test_rounds),
                                     cmocka_unit_test(test_evaluation), cmocka_unit_test(test_refused)};
  if (test_math_start(NULL, NULL) != AD_OK) {
    return 1;
  }
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  test_math_end();
  return failed;
}
