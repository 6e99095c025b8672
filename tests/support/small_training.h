/* A small model and made-up data to train it on; and the teacher by its definition, from stored students. Needs neither
 * CMocka nor MPI. */
#ifndef AUTODIDACT_TESTS_SUPPORT_SMALL_TRAINING_H
#define AUTODIDACT_TESTS_SUPPORT_SMALL_TRAINING_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/random.h"
#include "autodidact/learn/trainer.h"

enum { SMALL_EXAMPLES = 21, SMALL_MOST_TOKENS = 9, SMALL_VOCABULARY = 40 };

static const struct ad_model_config small_model = {.hidden = 32,
                                                   .heads = 4,
                                                   .ffn = 64,
                                                   .layers = 2,
                                                   .vocab = SMALL_VOCABULARY,
                                                   .positions = 16,
                                                   .types = 2,
                                                   .classes = 3,
                                                   .layer_norm_eps = 1e-12f,
                                                   .hidden_dropout = 0.1f,
                                                   .attention_dropout = 0.1f,
                                                   .classifier_dropout = 0.1f};

struct small_training {
  struct ad_params params;
  float *theta; /* [P] first parameters */
  size_t offset[SMALL_EXAMPLES + 1];
  uint32_t ids[SMALL_EXAMPLES * SMALL_MOST_TOKENS], first[SMALL_EXAMPLES], label[SMALL_EXAMPLES];
  struct ad_dataset data;
};

/* 0, or -1 where something could not be made. The data point into *f: it must not move. */
static inline int small_training_create(struct small_training *f, const struct ad_model_config *model) {
  if (ad_params_create(&f->params, model) != 0) {
    return -1;
  }
  f->theta = ad_malloc(f->params.count, sizeof *f->theta);
  if (f->theta == NULL) {
    return -1;
  }
  for (size_t i = 0; i < f->params.tensor_count; i++) {
    ad_params_draw(&f->params, i, 3, f->theta);
  }
  f->offset[0] = 0;
  f->data = (struct ad_dataset){.count = SMALL_EXAMPLES,
                                .offset = f->offset,
                                .ids = f->ids,
                                .first = f->first,
                                .task = &ad_task_classification,
                                .words = 1,
                                .label = f->label};
  for (size_t i = 0; i < SMALL_EXAMPLES; i++) {
    const size_t length = 2 + ad_random_below(1, AD_STREAM_TEST, 0, i, SMALL_MOST_TOKENS - 1);
    for (size_t t = 0; t < length; t++) {
      f->ids[f->offset[i] + t] = (uint32_t)ad_random_below(1, AD_STREAM_TEST, 1, i * 100 + t, SMALL_VOCABULARY);
    }
    f->offset[i + 1] = f->offset[i] + length;
    f->first[i] = (uint32_t)(1 + length / 2);
    f->label[i] = (uint32_t)ad_random_below(1, AD_STREAM_TEST, 2, i, 3);
    f->data.longest = length > f->data.longest ? length : f->data.longest;
  }
  return 0;
}

static inline void small_training_destroy(struct small_training *f) {
  ad_free(f->theta);
  ad_params_destroy(&f->params);
}

static inline struct ad_trainer_settings small_settings(size_t batch, size_t lanes, size_t rounds) {
  return (struct ad_trainer_settings){.batch = batch,
                                      .lanes = lanes,
                                      .rounds = rounds,
                                      .epochs = 2,
                                      .schedule = AD_SCHEDULE_LINEAR,
                                      .optimizer = {.lr = 1e-2,
                                                    .head_lr = 2e-2,
                                                    .layer_decay = 0.9,
                                                    .beta1 = 0.9,
                                                    .beta2 = 0.999,
                                                    .eps = 1e-8,
                                                    .decay = 0.01,
                                                    .clip = 1.0,
                                                    .bias_correction = 1}};
}

/* The mean of one parameter over students, by the definition: each rounded to the grid of 2^-(57 - ceil(log2 K)), exact
 * integers, one division in 113 bits (enough: see below) rounded to float. students [T + 1][P]; those numbered first,
 * first + every, ..., last, at most K of the newest (K = 0: all; `most` ever). */
static inline float defined_mean(const float *students, size_t P, size_t i, uint64_t first, uint64_t last,
                                 uint64_t every, uint64_t K, uint64_t most) {
  int digits = 0;
  while ((1ull << digits) < (K > 0 ? K : most)) {
    digits++;
  }
  /* sum / (count 2^s) differs from a midpoint of two floats by nothing, or by more than 2^-104 of itself. */
  __int128 sum = 0;
  uint64_t count = 0;
  for (uint64_t s = last - (last - first) % every; count < (K > 0 ? K : UINT64_MAX); s -= every) {
    const float value = students[s * P + i];
    if (K == 1) {
      return value;
    }
    sum += llrintl((long double)value * ldexpl(1.0L, 57 - digits));
    count++;
    if (s < first + every) {
      break;
    }
  }
  return (float)((__float128)sum / ((__float128)count * (__float128)ldexp(1.0, 57 - digits)));
}

#endif
