/* R-Drop (Liang et al. 2021): no teacher, but two passes of the student with other masks, which are to agree. */
#include "method.h"

static void distance(const struct ad_task *task, const struct ad_kernels *kernels, size_t examples, size_t C,
                     const float *logits, const float *target, float scale, float *apart, float *dlogits) {
  const size_t other = examples * C;
  (void)target;
  if (task->copies_distance != NULL) {
    task->copies_distance(kernels, examples, C, logits, logits + other, scale, apart, dlogits, dlogits + other);
  } else {
    kernels->symmetric_divergence(examples, C, logits, logits + other, scale, apart, dlogits, dlogits + other);
  }
}

const struct teacher_method ad_teacher_rdrop = {.copies = 2, .distance = distance};
