/* The registry of teacher methods. A method is one line here and one file, src/learn/teacher/NAME.c, which defines its
 * table (src/learn/teacher/method.h). From these lines come the choices, conditions and help of the configuration, and
 * the list of tables that learn/teacher.h looks a method up in. Words: docs/glossary.md. */
#ifndef AUTODIDACT_BASE_TEACHER_METHODS_H
#define AUTODIDACT_BASE_TEACHER_METHODS_H

/* X(ID, name, means, every, window, ring, lag, single, weight, decay, what the student learns from besides labels).
 *
 * The columns of 0 and 1: `means` says that the method keeps the means of past students without eval.means; `single`
 * that its teacher is one model; each of the others that it reads this key of teacher.* (lag stands for dropout too,
 * weight for ramp and start). */
/* clang-format off */
#define AD_TEACHER_METHODS(X)                                                                                    \
  /*               means every window ring lag single weight decay */                                            \
  X(NONE,  none,     0,    0,    0,    0,   0,    0,    0,    0, "nothing")                                      \
  X(SE,    se,       1,    1,    1,    1,   0,    0,    0,    0, "nothing; the means of past students are kept") \
  X(SDA,   sda,      0,    1,    1,    1,   1,    1,    1,    0, "the mean of its past parameters")              \
  X(SDV,   sdv,      0,    1,    1,    0,   1,    0,    1,    0, "the mean of its past students' logits")        \
  X(EMA,   ema,      0,    1,    0,    0,   1,    1,    1,    1, "the moving average of its parameters")         \
  X(RDROP, rdrop,    0,    0,    0,    0,   0,    0,    1,    0, "a second pass of its own")
/* clang-format on */

enum ad_teacher_method {
#define AD_METHOD_ID(ID, ...) AD_TEACHER_##ID,
  AD_TEACHER_METHODS(AD_METHOD_ID)
#undef AD_METHOD_ID
      AD_TEACHER_METHOD_COUNT
};

/* " none: nothing. se: ...": for the help of teacher.method. */
#define AD_TEACHER_HELP AD_TEACHER_METHODS(AD_METHOD_HELP)
#define AD_METHOD_HELP(ID, name, means, every, window, ring, lag, single, weight, decay, text) " " #name ": " text "."

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

#define AD_METHOD_MEANS(ID, name, means, ...) AD_METHOD_IF_##means(name)
#define AD_METHOD_NO_MEANS(ID, name, means, ...) AD_METHOD_UNLESS_##means(name)
#define AD_METHOD_EVERY(ID, name, means, every, ...) AD_METHOD_IF_##every(name)
#define AD_METHOD_WINDOW(ID, name, means, every, window, ...) AD_METHOD_IF_##window(name)
#define AD_METHOD_RING(ID, name, means, every, window, ring, ...) AD_METHOD_IF_##ring(name)
#define AD_METHOD_LAG(ID, name, means, every, window, ring, lag, ...) AD_METHOD_IF_##lag(name)
#define AD_METHOD_SINGLE(ID, name, means, every, window, ring, lag, single, ...) AD_METHOD_IF_##single(name)
#define AD_METHOD_WEIGHT(ID, name, means, every, window, ring, lag, single, weight, ...) AD_METHOD_IF_##weight(name)
#define AD_METHOD_DECAY(ID, name, means, every, window, ring, lag, single, weight, decay, ...) \
  AD_METHOD_IF_##decay(name)

#define AD_METHOD_IF_1(name) " " #name
#define AD_METHOD_IF_0(name)
#define AD_METHOD_UNLESS_1(name)
#define AD_METHOD_UNLESS_0(name) " " #name

#endif
