/* Self-distillation-averaged (SDA): the teacher is the mean of the parameters of the last K students (equations 5, 6).
 */
#include <string.h>

#include "autodidact/base/status.h"
#include "method.h"

/* With K = 1 the teacher's vector is the past student itself. */
static int windowed(const struct ad_teacher_settings *settings) {
  return settings->window != 1;
}

static int enter(struct ad_teacher *t, size_t local, size_t length, const float *student, float *teacher) {
  if (t->has_window) {
    return ad_window_enter(&t->window, local, length, student, teacher);
  }
  memcpy(teacher, student, length * sizeof *teacher);
  return AD_OK;
}

const struct teacher_method ad_teacher_sda = {
    .windowed = windowed, .enter = enter, .distance = ad_teacher_squared_error};
