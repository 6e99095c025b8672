/* Self-distillation against PyTorch (tests/parity/reference.py): losses and gradients with SDA's and SDV's teacher and
 * of R-Drop, and twenty steps of the trainer with each kind of teacher. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/window.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"
#include "support/parity.h"
#include "support/trajectory.h"

enum { PAST = 3, LANES = TRAJECTORY_LANES, STEPS = TRAJECTORY_STEPS, MOST_EXAMPLES = 64 };

/* As in test_parity.c; at given logits only the result is rounded to float32. */
static const double LOGITS_TOLERANCE = 2e-5, GRADIENT_TOLERANCE = 1e-4, GIVEN_TOLERANCE = 2e-7;

static const char *const NAMES[] = {"cls-tanh", "pooler-relu"};
enum { FILES = sizeof NAMES / sizeof *NAMES };

static const char *const RUNS[] = {"sda", "sda-lag0", "sda-all", "sdv", "sdv-lag0", "ema", "ema-lag0"};
enum { RUN_COUNT = sizeof RUNS / sizeof *RUNS };

/* A model with its batch, and the file of what self-distillation on it gives. */
struct problem {
  const char *name;
  struct encoder_fixture fixture;
  hid_t file;
  struct ad_encoder *encoder;
  struct ad_packer packer; /* of up to two passes */
  const struct ad_kernels *kernels;
  size_t B, C;
  double weight;
};

static void start(struct problem *p, const char *name) {
  char path[64];
  *p = (struct problem){.name = name, .kernels = test_math->kernels};
  snprintf(path, sizeof path, "encoder-%s.h5", name);
  fixture_load(&p->fixture, path);
  snprintf(path, sizeof path, "distillation-%s.h5", name);
  p->file = fixture_open(path);
  p->B = p->fixture.dataset.count;
  p->C = p->fixture.params.config.classes;
  p->weight = fixture_scalar(p->file, "weight");
  const size_t tokens = 2 * p->fixture.dataset.offset[p->B];
  assert_int_equal(ad_encoder_create(&p->encoder, test_math, &p->fixture.params, tokens, 2 * p->B, LANES, 1), AD_OK);
  const struct ad_input_form *form = &p->fixture.params.form;
  assert_int_equal(ad_packer_create(&p->packer, form, tokens, 2 * p->B, LANES, 1), AD_OK);
}

static void end(struct problem *p) {
  ad_packer_destroy(&p->packer);
  ad_encoder_destroy(p->encoder);
  fixture_close(p->file);
  fixture_unload(&p->fixture);
}

/* The examples ids [count] in three lanes. */
static struct ad_batch pack(struct problem *p, size_t count, const uint32_t *ids) {
  const size_t begin[LANES + 1] = {0, count / 3, count / 2, count};
  struct ad_batch batch;
  assert_int_equal(ad_packer_fill(&p->packer, &p->fixture.dataset, ids, LANES, begin, NULL, &batch), AD_OK);
  return batch;
}

/* After the batch's forward, against WHAT/gradient of the file. */
static void check_gradient(struct problem *p, const struct ad_batch *batch, const float *dlogits, const char *what) {
  const struct encoder_pass pass = {&p->fixture, p->encoder, *batch};
  expect_gradient(&pass, dlogits, p->file, p->name, what, GRADIENT_TOLERANCE);
}

static double mean(size_t n, const float *values) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += values[i];
  }
  return sum / (double)n;
}

/* Against WHAT/NUMBER of the file. */
static void check_scalar(const struct problem *p, double got, const char *what, const char *number, double tolerance) {
  char path[64];
  snprintf(path, sizeof path, "%s/%s", what, number);
  expect(relative(got, fixture_scalar(p->file, path)), tolerance, p->name, path);
}

/* --- SDA, SDV: the teacher of three given past students. */

/* The formula of the file's schema. */
static float *past_student(const struct encoder_fixture *f, uint32_t k) {
  float *theta = malloc(f->params.count * sizeof *theta);
  for (size_t i = 0; i < f->params.tensor_count; i++) {
    const struct ad_tensor *tensor = &f->params.tensors[i];
    for (size_t place = 0; place < tensor->count; place++) {
      const float step = (float)((int)(((7 + 2 * k) * place + 11 * k) % 33) - 16) / 128.0f;
      theta[tensor->offset + place] = f->theta[tensor->offset + place] + step;
    }
  }
  return theta;
}

/* The window's mean of them all [P]. */
static float *mean_of_past(const struct problem *p, float *const *past) {
  const size_t P = p->fixture.params.count;
  float *teacher = malloc(P * sizeof *teacher);
  struct ad_window window;
  assert_int_equal(ad_window_create(&window, test_math->kernels, P, PAST, 0, NULL), AD_OK);
  for (int k = 0; k < PAST; k++) {
    for (size_t at = 0; at < P; at += AD_WINDOW_PIECE) {
      const size_t length = P - at < AD_WINDOW_PIECE ? P - at : AD_WINDOW_PIECE;
      assert_int_equal(ad_window_enter(&window, at, length, past[k] + at, teacher + at), AD_OK);
    }
    ad_window_entered(&window);
  }
  ad_window_destroy(&window);
  return teacher;
}

/* target [B,C]: the mean of the logits with these parameters. */
static void teach(struct problem *p, const struct ad_batch *batch, size_t count, float *const *thetas, float *target) {
  const size_t n = p->B * p->C;
  float *logits = calloc(n, sizeof *logits);
  double *sum = calloc(n, sizeof *sum);
  for (size_t k = 0; k < count; k++) {
    assert_int_equal(ad_encoder_forward(p->encoder, ad_replica_float32(thetas[k]), batch, NULL, logits), AD_OK);
    for (size_t i = 0; i < n; i++) {
      sum[i] += logits[i];
    }
  }
  for (size_t i = 0; i < n; i++) {
    target[i] = (float)(sum[i] / (double)count);
  }
  free(logits);
  free(sum);
}

static void check_taught(struct problem *p, const struct ad_batch *batch, size_t count, float *const *thetas,
                         const char *what) {
  const size_t B = p->B, C = p->C;
  float *target = calloc(B * C, sizeof *target), *expected = calloc(B * C, sizeof *expected);
  float *logits = calloc(B * C, sizeof *logits), *dlogits = calloc(B * C, sizeof *dlogits);
  float loss[MOST_EXAMPLES], far[MOST_EXAMPLES];
  char path[64];
  snprintf(path, sizeof path, "%s/target", what);
  fixture_read(p->file, path, H5T_NATIVE_FLOAT, B * C, expected);
  teach(p, batch, count, thetas, target);
  expect(distance(B * C, target, expected) / norm(B * C, expected), LOGITS_TOLERANCE, p->name, path);
  assert_int_equal(ad_encoder_forward(p->encoder, ad_replica_float32(p->fixture.theta), batch, NULL, logits), AD_OK);
  p->kernels->cross_entropy(B, C, logits, p->fixture.dataset.label, 1.0f / (float)B, loss, dlogits);
  p->kernels->squared_error(B, C, logits, target, (float)(p->weight / (double)B), far, dlogits);
  check_scalar(p, mean(B, far), what, "distance", LOGITS_TOLERANCE);
  check_scalar(p, mean(B, loss) + p->weight * mean(B, far), what, "loss", LOGITS_TOLERANCE);
  check_gradient(p, batch, dlogits, what);
  free(target);
  free(expected);
  free(logits);
  free(dlogits);
}

static void test_past_students(void **state) {
  (void)state;
  failures = 0;
  for (size_t i = 0; i < FILES; i++) {
    struct problem p;
    start(&p, NAMES[i]);
    uint32_t ids[MOST_EXAMPLES];
    assert_true(p.B <= MOST_EXAMPLES);
    for (uint32_t b = 0; b < p.B; b++) {
      ids[b] = b;
    }
    const struct ad_batch batch = pack(&p, p.B, ids);
    float *past[PAST];
    for (uint32_t k = 0; k < PAST; k++) {
      past[k] = past_student(&p.fixture, k + 1);
    }
    float *teacher = mean_of_past(&p, past);
    check_taught(&p, &batch, 1, &teacher, "sda");
    check_taught(&p, &batch, PAST, past, "sdv");
    free(teacher);
    for (int k = 0; k < PAST; k++) {
      free(past[k]);
    }
    end(&p);
  }
  assert_int_equal(failures, 0);
}

/* --- R-Drop. */

/* The loss of two passes [2,B,C], its divergence, and dlogits [2,B,C]. */
static double r_drop(const struct problem *p, const float *logits, double *divergence, float *dlogits) {
  const size_t B = p->B, C = p->C;
  float loss[2 * MOST_EXAMPLES], far[MOST_EXAMPLES];
  for (size_t pass = 0; pass < 2; pass++) {
    p->kernels->cross_entropy(B, C, logits + pass * B * C, p->fixture.dataset.label, (float)(0.5 / (double)B),
                              loss + pass * B, dlogits + pass * B * C);
  }
  p->kernels->symmetric_divergence(B, C, logits, logits + B * C, (float)(p->weight / (double)B), far, dlogits,
                                   dlogits + B * C);
  *divergence = mean(B, far);
  return mean(2 * B, loss) + p->weight * *divergence;
}

static void check_r_drop_logits(struct problem *p) {
  const size_t n = p->B * p->C;
  float *logits = calloc(2 * n, sizeof *logits), *dlogits = calloc(2 * n, sizeof *dlogits);
  float *expected = calloc(n, sizeof *expected);
  double divergence;
  fixture_read(p->file, "rdrop/first", H5T_NATIVE_FLOAT, n, logits);
  fixture_read(p->file, "rdrop/second", H5T_NATIVE_FLOAT, n, logits + n);
  const double loss = r_drop(p, logits, &divergence, dlogits);
  check_scalar(p, loss, "rdrop", "loss", GIVEN_TOLERANCE);
  check_scalar(p, divergence, "rdrop", "distance", GIVEN_TOLERANCE);
  for (size_t pass = 0; pass < 2; pass++) {
    const char *path = pass == 0 ? "rdrop/gradient/first" : "rdrop/gradient/second";
    fixture_read(p->file, path, H5T_NATIVE_FLOAT, n, expected);
    for (size_t b = 0; b < p->B; b++) {
      const size_t at = b * p->C;
      /* The cross entropy's part is rounded by itself: it may be larger than the sum. */
      const double scale = norm(p->C, expected + at) + 0.5 / (double)p->B;
      expect(distance(p->C, dlogits + pass * n + at, expected + at) / scale, GIVEN_TOLERANCE, p->name, path);
    }
  }
  free(logits);
  free(dlogits);
  free(expected);
}

/* The second pass reads the example that comes next. */
static void check_r_drop_encoder(struct problem *p) {
  static const char what[] = "rdrop/encoder";
  const size_t n = 2 * p->B * p->C;
  float *logits = calloc(n, sizeof *logits), *dlogits = calloc(n, sizeof *dlogits);
  float *expected = calloc(n, sizeof *expected);
  uint32_t ids[2 * MOST_EXAMPLES];
  for (size_t b = 0; b < p->B; b++) {
    ids[b] = (uint32_t)b;
    ids[p->B + b] = (uint32_t)((b + 1) % p->B);
  }
  const struct ad_batch batch = pack(p, 2 * p->B, ids);
  double divergence;
  fixture_read(p->file, "rdrop/encoder/logits", H5T_NATIVE_FLOAT, n, expected);
  assert_int_equal(ad_encoder_forward(p->encoder, ad_replica_float32(p->fixture.theta), &batch, NULL, logits), AD_OK);
  expect(distance(n, logits, expected) / norm(n, expected), LOGITS_TOLERANCE, p->name, "rdrop/encoder/logits");
  const double loss = r_drop(p, logits, &divergence, dlogits);
  check_scalar(p, loss, what, "loss", LOGITS_TOLERANCE);
  check_scalar(p, divergence, what, "distance", LOGITS_TOLERANCE);
  check_gradient(p, &batch, dlogits, what);
  free(logits);
  free(dlogits);
  free(expected);
}

static void test_r_drop(void **state) {
  (void)state;
  failures = 0;
  for (size_t i = 0; i < FILES; i++) {
    struct problem p;
    start(&p, NAMES[i]);
    check_r_drop_logits(&p);
    check_r_drop_encoder(&p);
    end(&p);
  }
  assert_int_equal(failures, 0);
}

/* --- Twenty steps of the trainer. */

/* The numbers of RUN/NAME, one for each step. */
static void read_row(const struct problem *p, const char *run, const char *name, double *row) {
  char path[64];
  snprintf(path, sizeof path, "run/%s/%s", run, name);
  fixture_read(p->file, path, H5T_NATIVE_DOUBLE, STEPS, row);
}

static struct ad_teacher_settings read_settings(const struct problem *p, const char *run) {
  char path[64], method[8];
  snprintf(path, sizeof path, "run/%s", run);
  const hid_t group = H5Gopen2(p->file, path, H5P_DEFAULT);
  assert_true(group >= 0);
  fixture_text(group, "method", sizeof method, method);
  const struct ad_teacher_settings settings = {
      .method = strcmp(method, "sda") == 0   ? AD_TEACHER_SDA
                : strcmp(method, "sdv") == 0 ? AD_TEACHER_SDV
                                             : AD_TEACHER_EMA,
      .window = (uint64_t)fixture_number(group, "window"),
      .every = (uint64_t)fixture_number(group, "every"),
      .lag = (int)fixture_number(group, "lag"),
      .weight = fixture_number(group, "weight"),
      .ramp = fixture_number(group, "ramp"),
      .start = (uint64_t)fixture_number(group, "start"),
      .decay = fixture_number(group, "decay"),
      .means = 1,
  };
  H5Gclose(group);
  return settings;
}

static void check_step(const struct problem *p, const char *run, const struct ad_step *step, double loss, double far,
                       double weight) {
  char what[64];
  snprintf(what, sizeof what, "%s, loss of step %d", run, (int)step->step);
  expect(relative(step->loss, loss), TRAJECTORY_LOSS_TOLERANCE, p->name, what);
  snprintf(what, sizeof what, "%s, weight of step %d", run, (int)step->step);
  expect(fabs(step->weight - weight), 1e-15 * weight, p->name, what);
  if (weight == 0.0) {
    assert_true(isnan(step->distance));
  } else {
    snprintf(what, sizeof what, "%s, distance of step %d", run, (int)step->step);
    expect_distance(step->distance, far, p->name, what);
  }
}

static void check_run(const char *name, const char *run) {
  char path[64];
  struct problem p;
  struct trajectory t;
  start(&p, name);
  const struct ad_teacher_settings settings = read_settings(&p, run);
  double losses[STEPS], distances[STEPS], weights[STEPS];
  read_row(&p, run, "loss", losses);
  read_row(&p, run, "distance", distances);
  read_row(&p, run, "weight", weights);
  trajectory_start(&t, &p.fixture, &settings, NULL);
  for (size_t i = 0; i < STEPS; i++) {
    struct ad_step step;
    assert_int_equal(ad_trainer_step(t.trainer, &step), AD_OK);
    check_step(&p, run, &step, losses[i], distances[i], weights[i]);
  }
  for (int v = 0; v < AD_VARIANTS; v++) {
    const struct ad_replica *thetas;
    size_t count;
    assert_int_equal(ad_trainer_variant(t.trainer, (enum ad_variant)v, &thetas, &count), AD_OK);
    assert_int_equal(count, v == AD_VARIANT_TEACHER && settings.method == AD_TEACHER_SDV ? settings.window : 1);
    snprintf(path, sizeof path, "run/%s/moved/%s", run, ad_variant_name((enum ad_variant)v));
    expect_moved(&t, p.file, name, path, count, thetas);
  }
  assert_int_equal(ad_trainer_verify(t.trainer), AD_OK);
  trajectory_end(&t);
  end(&p);
}

static void test_runs(void **state) {
  (void)state;
  const struct ad_memory_stats before = ad_memory_stats();
  failures = 0;
  for (size_t i = 0; i < FILES * RUN_COUNT; i++) {
    check_run(NAMES[i / RUN_COUNT], RUNS[i % RUN_COUNT]);
  }
  assert_int_equal(failures, 0);
  assert_int_equal(ad_memory_stats().live_blocks, before.live_blocks);
}

/* Without dropout the passes of R-Drop are equal: the run is the one of cross entropy alone, each half of it twice. */
static void test_r_drop_run(void **state) {
  (void)state;
  const struct ad_teacher_settings settings = {.method = AD_TEACHER_RDROP, .every = 1, .weight = 3.0};
  failures = 0;
  for (size_t i = 0; i < FILES; i++) {
    struct problem p;
    struct trajectory t;
    start(&p, NAMES[i]);
    double losses[STEPS], norms[STEPS];
    fixture_read(p.fixture.file, "trajectory/loss", H5T_NATIVE_DOUBLE, STEPS, losses);
    fixture_read(p.fixture.file, "trajectory/norm", H5T_NATIVE_DOUBLE, STEPS, norms);
    trajectory_start(&t, &p.fixture, &settings, NULL);
    for (size_t s = 0; s < STEPS; s++) {
      struct ad_step step;
      assert_int_equal(ad_trainer_step(t.trainer, &step), AD_OK);
      check_step(&p, "rdrop", &step, losses[s], 0.0, settings.weight);
      expect(relative(step.norm, norms[s]), 1e-3, p.name, "rdrop, norm");
    }
    trajectory_end(&t);
    end(&p);
  }
  assert_int_equal(failures, 0);
}

/* Example numbers of the second pass begin at 2^31: more examples would share masks and lose their labels. */
static void test_r_drop_too_many(void **state) {
  (void)state;
  struct problem p;
  struct ad_trainer *trainer;
  start(&p, NAMES[0]);
  struct ad_dataset data = p.fixture.dataset;
  data.count = (1u << 31) + 1ull;
  const struct ad_trainer_settings settings = {
      .batch = 1, .lanes = 1, .rounds = 1, .epochs = 1, .teacher = {.method = AD_TEACHER_RDROP, .every = 1}};
  const struct ad_replicas replicas = {.student = ad_weights_float32(p.fixture.theta)};
  assert_int_equal(ad_trainer_create(&trainer, test_math, &p.fixture.params, &replicas, &data, &settings, NULL),
                   AD_ECONFIG);
  assert_null(trainer);
  assert_non_null(strstr(ad_error_message(), "2147483649 training examples, each in 2 copies"));
  end(&p);
}

static int run(const char *kernels) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_past_students), cmocka_unit_test(test_r_drop),          cmocka_unit_test(test_runs),
      cmocka_unit_test(test_r_drop_run),    cmocka_unit_test(test_r_drop_too_many),
  };
  return cmocka_run_group_tests_name(kernels, tests, NULL, NULL);
}

int main(void) {
  return run_with_products(run);
}
