/* X(TOY, toy, "twice its past parameters", 0, 1, 0, 0, 1, 1, 1, 0) */
/* A teacher method in one file and the line above, which the build adds to autodidact/base/teacher_methods.h for
 * unit.method. Nothing else is touched. */
#include "autodidact/base/status.h"
#include "learn/teacher/method.h"

static int enter(struct ad_teacher *t, size_t local, size_t length, const float *student, float *teacher) {
  (void)t;
  (void)local;
  for (size_t i = 0; i < length; i++) {
    teacher[i] = 2.0f * student[i];
  }
  return AD_OK;
}

const struct teacher_method ad_teacher_toy = {.enter = enter, .distance = ad_teacher_squared_error};
