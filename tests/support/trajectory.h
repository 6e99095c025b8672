/* Twenty steps of the trainer on the batches and with the optimizer of an encoder-*.h5's trajectory (schema:
 * tests/parity/reference.py), and their comparison with a file. */
#ifndef AUTODIDACT_TESTS_SUPPORT_TRAJECTORY_H
#define AUTODIDACT_TESTS_SUPPORT_TRAJECTORY_H

#include "autodidact/data/order.h"
#include "autodidact/learn/trainer.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"
#include "support/parity.h"

enum {
  TRAJECTORY_STEPS = 20,
  TRAJECTORY_BATCH = 4,
  TRAJECTORY_LANES = 3,
  TRAJECTORY_MOST_PAST = 4,
  TRAJECTORY_SEED = 5
};

/* 1e-3 is asked for of the losses. float32 gives 1e-5, and 1e-4 of the distances, which are small differences of logits
 * squared. A distance of nothing, where both models are the same, is what the logits' last bits leave. */
static const double TRAJECTORY_LOSS_TOLERANCE = 5e-5, TRAJECTORY_DISTANCE_TOLERANCE = 5e-4,
                    TRAJECTORY_NO_DISTANCE = 1e-10;

/* Of what a tensor has moved. */
static const double TRAJECTORY_CHANGE_TOLERANCE = 5e-4;

/* The data set whose epoch, in the trainer's own order, is the file's batches one after another. */
static inline struct ad_dataset trajectory_dataset(const struct encoder_fixture *f, uint64_t seed) {
  enum { ROWS = TRAJECTORY_STEPS * TRAJECTORY_BATCH };
  const struct ad_dataset *from = &f->dataset;
  uint32_t batches[ROWS], source[ROWS], ids[TRAJECTORY_BATCH];
  struct ad_order order;
  fixture_read(f->file, "trajectory/batches", H5T_NATIVE_UINT32, ROWS, batches);
  assert_int_equal(ad_order_create(&order, ROWS, TRAJECTORY_BATCH, seed), AD_OK);
  for (uint64_t step = 0; step < TRAJECTORY_STEPS; step++) {
    size_t count;
    assert_int_equal(ad_order_batch(&order, step, ids, &count), AD_OK);
    for (size_t i = 0; i < TRAJECTORY_BATCH; i++) {
      source[ids[i]] = batches[step * TRAJECTORY_BATCH + i];
    }
  }
  ad_order_destroy(&order);
  struct ad_dataset d = {.count = ROWS, .task = from->task, .words = from->words};
  d.offset = calloc(ROWS + 1, sizeof *d.offset);
  d.first = calloc(ROWS, sizeof *d.first);
  d.label = calloc(ROWS * d.words, sizeof *d.label);
  const size_t C = f->params.config.classes;
  d.targets = from->targets == NULL ? NULL : calloc(ROWS * C, sizeof *d.targets);
  d.ids = calloc(ROWS * from->offset[from->count], sizeof *d.ids);
  for (size_t row = 0; row < ROWS; row++) {
    const uint32_t length = ad_dataset_length(from, source[row]);
    memcpy(d.ids + d.offset[row], from->ids + from->offset[source[row]], length * sizeof *d.ids);
    d.offset[row + 1] = d.offset[row] + length;
    d.first[row] = from->first[source[row]];
    memcpy(d.label + row * d.words, ad_dataset_label(from, source[row]), d.words * sizeof *d.label);
    if (d.targets != NULL) {
      memcpy(d.targets + row * C, from->targets + source[row] * C, C * sizeof *d.targets);
    }
    d.longest = length > d.longest ? length : d.longest;
  }
  return d;
}

/* A trainer with all the vectors that its teacher needs. */
struct trajectory {
  const struct encoder_fixture *fixture;
  float *from; /* [P] the parameters before the first step */
  enum ad_teacher_method method;
  struct ad_trainer *trainer;
  struct ad_dataset data;
  struct ad_replicas replicas;
  struct ad_weights past[TRAJECTORY_MOST_PAST];
};

/* On data of so many steps, which the trajectory owns then. loss NULL: plain cross entropy. */
static inline void trajectory_start_on(struct trajectory *t, struct encoder_fixture *f,
                                       const struct ad_teacher_settings *teacher, const struct ad_loss_settings *loss,
                                       struct ad_dataset data) {
  const struct ad_trainer_settings settings = {.batch = TRAJECTORY_BATCH,
                                               .lanes = TRAJECTORY_LANES,
                                               .rounds = 2,
                                               .epochs = 1,
                                               .seed_order = TRAJECTORY_SEED,
                                               .schedule = AD_SCHEDULE_LINEAR,
                                               .warmup = 0.2,
                                               .optimizer = {.lr = 1e-3,
                                                             .head_lr = 1e-3,
                                                             .layer_decay = 1.0,
                                                             .beta1 = 0.9,
                                                             .beta2 = 0.999,
                                                             .eps = 1e-8,
                                                             .decay = 0.01,
                                                             .clip = 1.0,
                                                             .bias_correction = 1},
                                               .teacher = *teacher,
                                               .loss = loss == NULL ? (struct ad_loss_settings){0} : *loss};
  const size_t P = f->params.count;
  size_t has_teacher, has_mean, past;
  *t = (struct trajectory){.fixture = f,
                           .from = malloc(P * sizeof *t->from),
                           .method = teacher->method,
                           .data = data,
                           .replicas.student = ad_weights_float32(f->theta)};
  assert_non_null(t->from);
  memcpy(t->from, f->theta, P * sizeof *t->from);
  ad_teacher_replicas(teacher, &has_teacher, &has_mean, &past);
  assert_true(past <= TRAJECTORY_MOST_PAST);
  t->replicas.teacher = ad_weights_float32(has_teacher ? calloc(P, sizeof(float)) : NULL);
  t->replicas.mean = ad_weights_float32(has_mean ? calloc(P, sizeof(float)) : NULL);
  t->replicas.past = past > 0 ? t->past : NULL;
  for (size_t k = 0; k < past; k++) {
    t->past[k] = ad_weights_float32(calloc(P, sizeof(float)));
  }
  assert_int_equal(ad_trainer_create(&t->trainer, test_math, &f->params, &t->replicas, &t->data, &settings, NULL),
                   AD_OK);
  assert_int_equal(ad_trainer_total(t->trainer), TRAJECTORY_STEPS);
}

/* On the batches of the file. */
static inline void trajectory_start(struct trajectory *t, struct encoder_fixture *f,
                                    const struct ad_teacher_settings *teacher, const struct ad_loss_settings *loss) {
  trajectory_start_on(t, f, teacher, loss, trajectory_dataset(f, TRAJECTORY_SEED));
}

static inline void trajectory_end(struct trajectory *t) {
  ad_trainer_destroy(t->trainer);
  free(t->from);
  free(t->replicas.teacher.values);
  free(t->replicas.mean.values);
  for (size_t k = 0; k < TRAJECTORY_MOST_PAST; k++) {
    free(t->past[k].values);
  }
  free(t->data.ids);
  free(t->data.first);
  free(t->data.label);
  free(t->data.targets);
  free(t->data.offset);
}

static inline void expect_distance(double got, double expected, const char *name, const char *what) {
  const double scale = expected + TRAJECTORY_NO_DISTANCE / TRAJECTORY_DISTANCE_TOLERANCE;
  expect(fabs(got - expected) / scale, TRAJECTORY_DISTANCE_TOLERANCE, name, what);
}

/* How far the mean of thetas [count], each [P], has come from the start, against the array PATH of the file: one
 * followed tensor after the other. */
static inline void expect_moved(const struct trajectory *t, hid_t file, const char *name, const char *path,
                                size_t count, const struct ad_replica *thetas) {
  const struct ad_params *params = &t->fixture->params;
  size_t floats, at = 0;
  float *expected = fixture_read_new(file, path, H5T_NATIVE_FLOAT, &floats);
  for (size_t i = 0; i < params->tensor_count; i++) {
    const struct ad_tensor *tensor = &params->tensors[i];
    char what[192];
    double error = 0.0;
    if (!is_followed(tensor)) {
      continue;
    }
    assert_true(at + tensor->count <= floats);
    for (size_t n = 0; n < tensor->count; n++) {
      double sum = 0.0;
      for (size_t k = 0; k < count; k++) {
        sum += ad_replica_floats(thetas[k])[tensor->offset + n];
      }
      const double moved = sum / (double)count - t->from[tensor->offset + n];
      error += (moved - expected[at + n]) * (moved - expected[at + n]);
    }
    snprintf(what, sizeof what, "%s of %s", path, tensor->name);
    expect(sqrt(error) / norm(tensor->count, expected + at), TRAJECTORY_CHANGE_TOLERANCE, name, what);
    at += tensor->count;
  }
  assert_int_equal(at, floats);
  free(expected);
}

/* All steps of a trajectory, against GROUP/loss, GROUP/distance and GROUP/moved of the file. Without dropout the passes
 * of R-Drop are equal: such a run is one without a teacher, and the group has no distance of it. */
static inline void expect_run(struct trajectory *t, hid_t file, const char *group) {
  double losses[TRAJECTORY_STEPS], far[TRAJECTORY_STEPS];
  char path[96], what[32];
  snprintf(path, sizeof path, "%s/loss", group);
  fixture_read(file, path, H5T_NATIVE_DOUBLE, TRAJECTORY_STEPS, losses);
  snprintf(path, sizeof path, "%s/distance", group);
  fixture_read(file, path, H5T_NATIVE_DOUBLE, TRAJECTORY_STEPS, far);
  for (size_t i = 0; i < TRAJECTORY_STEPS; i++) {
    struct ad_step step;
    assert_int_equal(ad_trainer_step(t->trainer, &step), AD_OK);
    assert_int_equal(step.task != NULL, t->data.task->heads != NULL);
    snprintf(what, sizeof what, "loss of step %zu", i + 1);
    expect(relative(step.loss, losses[i]), TRAJECTORY_LOSS_TOLERANCE, group, what);
    if (step.weight > 0.0 && t->method != AD_TEACHER_RDROP) {
      snprintf(what, sizeof what, "distance of step %zu", i + 1);
      expect_distance(step.distance, far[i], group, what);
    }
  }
  const struct ad_replica theta = ad_replica_float32(t->fixture->theta);
  snprintf(path, sizeof path, "%s/moved", group);
  expect_moved(t, file, group, path, 1, &theta);
}

#endif
