/* Twenty steps of the trainer on the batches and with the optimizer of an encoder-*.h5's trajectory (schema:
 * tests/parity/reference.py). */
#ifndef AUTODIDACT_TESTS_SUPPORT_TRAJECTORY_H
#define AUTODIDACT_TESTS_SUPPORT_TRAJECTORY_H

#include "autodidact/data/order.h"
#include "autodidact/learn/trainer.h"
#include "support/encoder_fixture.h"
#include "support/kernel_sets.h"

enum {
  TRAJECTORY_STEPS = 20,
  TRAJECTORY_BATCH = 4,
  TRAJECTORY_LANES = 3,
  TRAJECTORY_MOST_PAST = 4,
  TRAJECTORY_SEED = 5
};

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
  *t = (struct trajectory){.data = data, .replicas.student = ad_weights_float32(f->theta)};
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

#endif
