/* A checkpoint file with all vectors that there may be, for tests of its readers. For files that include cmocka.h. */
#ifndef AUTODIDACT_TESTS_SUPPORT_CHECKPOINT_FILE_H
#define AUTODIDACT_TESTS_SUPPORT_CHECKPOINT_FILE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/model/shard.h"
#include "autodidact/store/checkpoint.h"

/* A word embedding of rows that are no divisor of a block, a feed-forward of more than one block. */
static const struct ad_model_config model = {.hidden = 12,
                                             .heads = 3,
                                             .ffn = 701,
                                             .layers = 1,
                                             .vocab = 53,
                                             .positions = 40,
                                             .types = 2,
                                             .classes = 3,
                                             .layer_norm_eps = 1e-12f};

/* All that there may be; the rings not full. */
static const struct ad_state_vector vectors[AD_STATE_VECTORS] = {
    {"student", 4, 1, 1},     {"moment1", 4, 1, 1}, {"moment2", 4, 1, 1}, {"teacher", 4, 1, 1}, {"window_sum", 8, 1, 1},
    {"window_ring", 4, 3, 2}, {"run_sum", 8, 1, 1}, {"past", 4, 2, 0},    {"best", 4, 1, 1}};

static const char state_text[] = "{\"trainer\":{\"done\":7},\"text\":\"caf\xc3\xa9\"}";

struct checkpoint_fixture {
  struct ad_params params;
  char folder[64], *path;
  unsigned char *values; /* [8 P] of one row */
  size_t changed;        /* 1 + an element of the window's sum that is one too large; 0: none is */
};

static inline int checkpoint_setup(void **state) {
  struct checkpoint_fixture *f = calloc(1, sizeof *f);
  assert_int_equal(ad_params_create(&f->params, &model), AD_OK);
  strcpy(f->folder, "/tmp/ad-checkpoint-XXXXXX");
  assert_non_null(mkdtemp(f->folder));
  char checkpoints[128];
  snprintf(checkpoints, sizeof checkpoints, "%s/checkpoints", f->folder);
  assert_int_equal(ad_make_folders(checkpoints), AD_OK);
  f->path = ad_checkpoint_path(f->folder, 7);
  f->values = malloc(8 * f->params.count);
  *state = f;
  return 0;
}

static inline int checkpoint_teardown(void **state) {
  struct checkpoint_fixture *f = *state;
  char checkpoints[128];
  snprintf(checkpoints, sizeof checkpoints, "%s/checkpoints", f->folder);
  assert_int_equal(ad_remove_folder(checkpoints), AD_OK);
  assert_int_equal(rmdir(f->folder), 0);
  ad_free(f->path);
  ad_params_destroy(&f->params);
  free(f->values);
  free(f);
  return 0;
}

enum { WINDOW_SUM = 4, WINDOW_RING = 5, RING_SHIFT = 55 /* 57 - ceil(log2 3) */ };

static inline uint64_t next_bits(uint64_t *x) {
  *x = *x * 6364136223846793005u + 1442695040888963407u;
  return *x >> 32;
}

/* Value i of a row of the ring, in (-64, 64). */
static inline float ring_value(size_t slot, size_t i) {
  uint64_t x = slot * 1000003 + i + 1;
  next_bits(&x);
  return (float)ldexp((double)(int64_t)(next_bits(&x) & 0xffffff) - 0x800000, -17 - (int)(i % 20));
}

/* Made-up bits of a row: all patterns come up, NaNs with payloads and infinities too. Those of the window are a ring
 * and its sum, by the definition. */
static inline const void *row_of(const struct checkpoint_fixture *f, size_t vector, size_t slot) {
  uint64_t x = 1 + vector * 100 + slot;
  const size_t P = f->params.count;
  for (size_t i = 0; i < P && vector == WINDOW_RING; i++) {
    ((float *)(void *)f->values)[i] = ring_value(slot, i);
  }
  for (size_t i = 0; i < P && vector == WINDOW_SUM; i++) {
    int64_t sum = 0;
    for (size_t k = 0; k < vectors[WINDOW_RING].filled; k++) {
      sum += llrintl(ldexpl((long double)ring_value(k, i), RING_SHIFT));
    }
    ((int64_t *)(void *)f->values)[i] = sum + (f->changed == i + 1);
  }
  if (vector == WINDOW_SUM || vector == WINDOW_RING) {
    return f->values;
  }
  for (size_t i = 0; i < vectors[vector].bytes * P; i++) {
    f->values[i] = (unsigned char)(next_bits(&x) >> 24);
  }
  const uint32_t special[] = {0x7f800001u, 0x7fc12345u, 0xff800000u, 0x80000000u, 0x00000001u};
  memcpy(f->values, special, sizeof special);
  return f->values;
}

/* Bucket by bucket, in two pieces where it is longer than a block. */
static inline int put_row(struct checkpoint_fixture *f, struct ad_checkpoint *c, size_t v, size_t slot,
                          uint64_t *digest) {
  const char *row = row_of(f, v, slot);
  const size_t bytes = vectors[v].bytes;
  for (uint32_t b = 0; b < f->params.buckets; b++) {
    const size_t begin = f->params.bucket_begin[b], end = f->params.bucket_begin[b + 1];
    const size_t middle = end - begin > AD_BLOCK && b > 0 ? begin + AD_BLOCK : begin + (b == 0 ? 2u * model.hidden : 0);
    const size_t cuts[] = {begin, middle, end};
    for (size_t i = 0; i < 2; i++) {
      const size_t length = cuts[i + 1] - cuts[i];
      AD_TRY(ad_checkpoint_put(c, v, slot, cuts[i], length, row + cuts[i] * bytes));
      *digest += ad_block_digest(&f->params, b, cuts[i], length, bytes, row + cuts[i] * bytes);
    }
  }
  return AD_OK;
}

static inline int write_all(struct checkpoint_fixture *f, struct ad_checkpoint *c) {
  for (size_t v = 0; v < AD_STATE_VECTORS; v++) {
    uint64_t digests[3] = {0};
    for (size_t slot = 0; slot < vectors[v].filled; slot++) {
      AD_TRY(put_row(f, c, v, slot, &digests[slot]));
    }
    AD_TRY(ad_checkpoint_put_digests(c, v, digests));
  }
  return AD_OK;
}

static inline int write_file(struct checkpoint_fixture *f) {
  struct ad_checkpoint *c;
  int status = ad_checkpoint_create(&c, f->path, &f->params, vectors, AD_STATE_VECTORS, 7, state_text);
  status = status == AD_OK ? write_all(f, c) : status;
  if (status != AD_OK) {
    ad_checkpoint_close(c);
    return status;
  }
  return ad_checkpoint_finish(c);
}

#endif
