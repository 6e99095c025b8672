/* Logits of one evaluation, kept as HDF5 (docs/hdf5.md has the schema). Letters: N examples, C classes, Q words of a
 * label (task/task.h). */
#ifndef AUTODIDACT_STORE_LOGITS_H
#define AUTODIDACT_STORE_LOGITS_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/learn/teacher.h"
#include "autodidact/task/task.h"

struct ad_logits {
  const struct ad_task *task; /* what the labels are; NULL: a task that this program does not have */
  size_t N, C, Q;
  float *logits;    /* [N,C] owned */
  uint32_t *labels; /* [N,Q] owned */
};

/* Names in a run's logits/: those of a study on test. */
#define AD_LOGITS_TEST "test.h5"
enum { AD_LOGITS_NAME = 64 };

/* Those of an evaluation on dev; returns name. */
const char *ad_logits_name(enum ad_variant variant, uint64_t step, char name[AD_LOGITS_NAME]);

/* 1 where `name` is such a name of dev's, and what it says. */
int ad_logits_name_read(const char *name, enum ad_variant *variant, uint64_t *step);

/* Writes logits [N,C] and the labels, whole or not at all. AD_EIO, AD_ENOMEM. */
int ad_logits_write(const char *path, struct ad_labels labels, size_t C, const float *logits);

/* Reads such a file and compares its digests. The caller owns `out`: ad_logits_destroy. AD_EINPUT (not one, cut short,
 * damaged: what), AD_ENOMEM. */
int ad_logits_read(struct ad_logits *out, const char *path);
void ad_logits_destroy(struct ad_logits *logits);

#endif
