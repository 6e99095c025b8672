/* The teacher is an exponential moving average of the student's parameters, begun with the first that enters. */
#include <string.h>

#include "autodidact/base/status.h"
#include "method.h"

static int enter(struct ad_teacher *t, size_t local, size_t length, const float *student, float *teacher) {
  (void)local;
  if (t->entered > 0) {
    t->kernels->moving_average(length, t->settings.decay, student, teacher);
  } else {
    memcpy(teacher, student, length * sizeof *teacher);
  }
  return AD_OK;
}

const struct teacher_method ad_teacher_ema = {.enter = enter, .distance = ad_teacher_squared_error};
