/* Time of a training step by part, in the program itself: `bench_train` is `autodidact` linked so that calls of the
 * functions in wrap_*.c go through timers (the linker's --wrap). The library has no trace of it.
 *
 * Environment: AUTODIDACT_PROFILE, a path: rank R writes PATH.R, one JSON object, at its end. AUTODIDACT_PROFILE_SKIP:
 * so many first steps do not count (default 0). Without AUTODIDACT_PROFILE nothing is written. */
#ifndef AUTODIDACT_BENCH_PROFILE_H
#define AUTODIDACT_BENCH_PROFILE_H

#include <stddef.h>

/* Parts of a step: X(part, name). A part's time is its own, without that of parts called from it. Products have parts
 * of their own besides. */
#define PROFILE_PARTS(X)                                      \
  X(PLAN, "order, lanes, packing")                            \
  X(EMBEDDING, "embeddings")                                  \
  X(ATTENTION, "attention forward")                           \
  X(ATTENTION_BACK, "attention backward")                     \
  X(NORM, "normalisation, its dropout and residual")          \
  X(NORM_BACK, "normalisation backward")                      \
  X(GELU, "bias and activation")                              \
  X(GELU_BACK, "activation backward")                         \
  X(BIAS, "biases and their column sums")                     \
  X(HEAD, "head and loss")                                    \
  X(ROUNDING, "operands rounded to bfloat16, weights packed") \
  X(TREE, "tree of the lanes")                                \
  X(NORMS, "norm of the gradient")                            \
  X(OPTIMIZER, "AdamW and digest of the parameters")          \
  X(WINDOW, "window and teacher's parameters")                \
  X(OBSERVER, "observer of snapshots")                        \
  X(REDUCTION, "ordered reduction, waiting included")         \
  X(GATHER, "new parameters to all ranks, waiting included")  \
  X(LOG, "log")                                               \
  X(FORWARD, "rest of the forward")                           \
  X(BACKWARD, "rest of the backward")                         \
  X(STEP, "rest of the step")

enum profile_part {
#define PROFILE_PART(part, name) PROFILE_##part,
  PROFILE_PARTS(PROFILE_PART)
#undef PROFILE_PART
      PROFILE_COUNT
};

enum profile_product { PROFILE_FORWARD_PRODUCT, PROFILE_INPUT_PRODUCT, PROFILE_WEIGHT_PRODUCT };

/* Around a call; parts nest. Nothing is recorded outside of steps, but the log. */
void profile_enter(enum profile_part part);
void profile_leave(void);

/* Around a product of M rows for a weight [N,K]; what is called inside belongs to it. */
void profile_enter_product(enum profile_product kind, size_t M, size_t N, size_t K);

/* Flops of attention's products. */
void profile_attention(double flops);

/* Around a step, and around a teacher's forward. */
void profile_begin_step(void);
void profile_end_step(size_t tokens);
void profile_teach(int on);

#endif
