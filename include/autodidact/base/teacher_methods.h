/* The registry of teacher methods. A method is one line here and one file, src/learn/teacher/NAME.c, which defines its
 * table (src/learn/teacher/method.h). From these lines come the choices, conditions and help of the configuration, and
 * the list of tables that learn/teacher.h looks a method up in. Words: docs/glossary.md. */
#ifndef AUTODIDACT_BASE_TEACHER_METHODS_H
#define AUTODIDACT_BASE_TEACHER_METHODS_H

/* X(ID, name, what the student learns from besides labels, means, every, window, ring, lag, single, weight, decay).
 *
 * The columns of 0 and 1: `means` says that the method keeps the means of past students without eval.means; `single`
 * that its teacher is one model; each of the others that it reads this key of teacher.* (lag stands for dropout too,
 * weight for ramp and start). */
/* clang-format off */
#define AD_TEACHER_METHODS(X)                                                                                        \
  /*                                                              means every window ring lag single weight decay */ \
  X(NONE,  none,  "nothing",                                      0,    0,    0,     0,   0,  0,     0,     0)       \
  X(SE,    se,    "nothing; the means of past students are kept", 1,    1,    1,     1,   0,  0,     0,     0)       \
  X(SDA,   sda,   "the mean of its past parameters",              0,    1,    1,     1,   1,  1,     1,     0)       \
  X(SDV,   sdv,   "the mean of its past students' logits",        0,    1,    1,     0,   1,  0,     1,     0)       \
  X(EMA,   ema,   "the moving average of its parameters",         0,    1,    0,     0,   1,  1,     1,     1)       \
  X(RDROP, rdrop, "a second pass of its own",                     0,    0,    0,     0,   0,  0,     1,     0)
/* clang-format on */

enum ad_teacher_method {
#define AD_METHOD_ID(ID, ...) AD_TEACHER_##ID,
  AD_TEACHER_METHODS(AD_METHOD_ID)
#undef AD_METHOD_ID
      AD_TEACHER_METHOD_COUNT
};

/* " se sda": the names of the methods with a 1 in a column, for messages and for conditions of base/config.h. */
#define AD_METHODS_WITH_MEANS AD_TEACHER_METHODS(AD_METHOD_MEANS)
#define AD_METHODS_WITHOUT_MEANS AD_TEACHER_METHODS(AD_METHOD_NO_MEANS)
#define AD_METHODS_WITH_EVERY AD_TEACHER_METHODS(AD_METHOD_EVERY)
#define AD_METHODS_WITH_WINDOW AD_TEACHER_METHODS(AD_METHOD_WINDOW)
#define AD_METHODS_WITH_RING AD_TEACHER_METHODS(AD_METHOD_RING)
#define AD_METHODS_WITH_LAG AD_TEACHER_METHODS(AD_METHOD_LAG)
#define AD_METHODS_WITH_SINGLE AD_TEACHER_METHODS(AD_METHOD_SINGLE)
#define AD_METHODS_WITH_WEIGHT AD_TEACHER_METHODS(AD_METHOD_WEIGHT)
#define AD_METHODS_WITH_DECAY AD_TEACHER_METHODS(AD_METHOD_DECAY)

#define AD_METHOD_MEANS(ID, name, text, means, ...) AD_METHOD_IF_##means(name)
#define AD_METHOD_NO_MEANS(ID, name, text, means, ...) AD_METHOD_UNLESS_##means(name)
#define AD_METHOD_EVERY(ID, name, text, means, every, ...) AD_METHOD_IF_##every(name)
#define AD_METHOD_WINDOW(ID, name, text, means, every, window, ...) AD_METHOD_IF_##window(name)
#define AD_METHOD_RING(ID, name, text, means, every, window, ring, ...) AD_METHOD_IF_##ring(name)
#define AD_METHOD_LAG(ID, name, text, means, every, window, ring, lag, ...) AD_METHOD_IF_##lag(name)
#define AD_METHOD_SINGLE(ID, name, text, means, every, window, ring, lag, single, ...) AD_METHOD_IF_##single(name)
#define AD_METHOD_WEIGHT(ID, name, text, means, every, window, ring, lag, single, weight, ...) \
  AD_METHOD_IF_##weight(name)
#define AD_METHOD_DECAY(ID, name, text, means, every, window, ring, lag, single, weight, decay) \
  AD_METHOD_IF_##decay(name)

#define AD_METHOD_IF_1(name) " " #name
#define AD_METHOD_IF_0(name)
#define AD_METHOD_UNLESS_1(name)
#define AD_METHOD_UNLESS_0(name) " " #name

#endif
