/* R-Drop (Liang et al. 2021): no teacher, but two passes of the student with other masks, which are to agree. */
#include "method.h"

static void distance(const struct ad_kernels *kernels, size_t examples, size_t C, const float *logits,
                     const float *target, float scale, float *divergence, float *dlogits) {
  const size_t other = examples * C;
  (void)target;
  kernels->symmetric_divergence(examples, C, logits, logits + other, scale, divergence, dlogits, dlogits + other);
}

const struct teacher_method ad_teacher_rdrop = {.copies = 2, .distance = distance};
