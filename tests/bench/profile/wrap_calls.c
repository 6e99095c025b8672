/* Timers around functions of the library that other files of it call. WRAPPED in CMakeLists.txt lists them for the
 * linker. */
#include <stdio.h>

#include "autodidact/base/status.h"
#include "autodidact/data/batch.h"
#include "autodidact/learn/evaluate.h"
#include "autodidact/learn/teacher.h"
#include "autodidact/learn/trainer.h"
#include "autodidact/math/gemm.h"
#include "autodidact/math/tree.h"
#include "autodidact/mpi/exchange.h"
#include "autodidact/store/run.h"
#include "learn/trainer_internal.h"
#include "model/encoder_internal.h"
#include "profile.h"

/* DECLARE(function): what it is wrapped as has its type, so that a change of it does not compile here. */
#define DECLARE(function)                 \
  __typeof__(function) __wrap_##function; \
  extern __typeof__(function) __real_##function;

#define WRAP_INT(part, function, parameters, arguments) \
  DECLARE(function)                                     \
  int __wrap_##function parameters {                    \
    profile_enter(PROFILE_##part);                      \
    const int status = __real_##function arguments;     \
    profile_leave();                                    \
    return status;                                      \
  }

#define WRAP_VOID(part, function, parameters, arguments) \
  DECLARE(function)                                      \
  void __wrap_##function parameters {                    \
    profile_enter(PROFILE_##part);                       \
    __real_##function arguments;                         \
    profile_leave();                                     \
  }

DECLARE(ad_trainer_step)
int __wrap_ad_trainer_step(struct ad_trainer *trainer, struct ad_step *step) {
  profile_begin_step();
  const int status = __real_ad_trainer_step(trainer, step);
  profile_end_step(status == AD_OK ? step->tokens : 0);
  return status;
}

DECLARE(ad_encoder_forward)
int __wrap_ad_encoder_forward(struct ad_encoder *e, struct ad_replica theta, const struct ad_batch *batch,
                              const struct ad_masks *masks, float *logits) {
  profile_teach(!e->training);
  profile_enter(PROFILE_FORWARD);
  const int status = __real_ad_encoder_forward(e, theta, batch, masks, logits);
  profile_leave();
  profile_teach(0);
  return status;
}

WRAP_INT(BACKWARD, ad_encoder_backward,
         (struct ad_encoder * e, struct ad_replica theta, const struct ad_batch *batch, const struct ad_masks *masks,
          const float *dlogits, const struct ad_rows *rows, const struct ad_gradient_sink *sink),
         (e, theta, batch, masks, dlogits, rows, sink))
WRAP_INT(PLAN, ad__trainer_plan, (struct ad_trainer * t, struct ad_step *step), (t, step))
WRAP_INT(PLAN, ad_packer_fill,
         (struct ad_packer * packer, const struct ad_dataset *dataset, const uint32_t *ids, size_t lanes,
          const size_t *lane_begin, const uint32_t *member, struct ad_batch *batch),
         (packer, dataset, ids, lanes, lane_begin, member, batch))
WRAP_INT(NORMS, ad__trainer_measure, (struct ad_trainer * t, struct ad_step *step), (t, step))
WRAP_INT(OPTIMIZER, ad_optimizer_update,
         (struct ad_optimizer * optimizer, uint32_t bucket, const struct ad_rows *rows, const float *gradient,
          uint64_t t, double factor, double scale, const struct ad_weights *theta, const struct ad_update_hooks *hooks,
          uint64_t *digest),
         (optimizer, bucket, rows, gradient, t, factor, scale, theta, hooks, digest))
WRAP_INT(WINDOW, ad_teacher_begin, (struct ad_teacher * teacher, uint64_t t), (teacher, t))
WRAP_INT(WINDOW, ad_teacher_before, (struct ad_teacher * teacher, size_t flat, size_t local, size_t length),
         (teacher, flat, local, length))
WRAP_INT(WINDOW, ad_teacher_after, (struct ad_teacher * teacher, size_t flat, size_t local, size_t length),
         (teacher, flat, local, length))
WRAP_INT(WINDOW, ad_teacher_end, (struct ad_teacher * teacher), (teacher))
WRAP_INT(WINDOW, ad_teacher_published, (struct ad_teacher * teacher), (teacher))
WRAP_VOID(OBSERVER, ad_observer_after,
          (struct ad_observer * o, const struct ad_weights *theta, size_t flat, size_t local, size_t length),
          (o, theta, flat, local, length))
WRAP_VOID(TREE, ad_tree_sum,
          (const struct ad_tree *tree, size_t lo, size_t hi, size_t n, ad_tree_leaf leaf, void *context, float *sum,
           float *work),
          (tree, lo, hi, n, leaf, context, sum, work))

WRAP_INT(LOG, ad_run_log_step, (struct ad_run * run, const struct ad_step_row *row), (run, row))
WRAP_INT(LOG, ad_run_log_evaluation, (struct ad_run * run, const struct ad_evaluation_row *row), (run, row))
WRAP_INT(LOG, ad_run_time, (struct ad_run * run, const struct ad_timing_row *row), (run, row))

DECLARE(ad_gemm_nt)
void __wrap_ad_gemm_nt(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *X, size_t ldx, const float *W,
                       float *Y, size_t ldy) {
  profile_enter_product(PROFILE_FORWARD_PRODUCT, M, N, K);
  __real_ad_gemm_nt(gemm, M, N, K, X, ldx, W, Y, ldy);
  profile_leave();
}

DECLARE(ad_gemm_nn)
void __wrap_ad_gemm_nn(struct ad_gemm *gemm, size_t M, size_t N, size_t K, const float *dY, size_t ldy, const float *W,
                       float *dX, size_t ldx, int accumulate) {
  profile_enter_product(PROFILE_INPUT_PRODUCT, M, N, K);
  __real_ad_gemm_nn(gemm, M, N, K, dY, ldy, W, dX, ldx, accumulate);
  profile_leave();
}

WRAP_VOID(ROUNDING, ad_bf16_round,
          (const struct ad_bf16_products *products, size_t M, size_t K, const float *X, size_t ldx, ad_bf16 *rows),
          (products, M, K, X, ldx, rows))
WRAP_VOID(ROUNDING, ad_weights_pack,
          (const struct ad_weights *weights, const struct ad_params *params, uint32_t rank, uint32_t size),
          (weights, params, rank, size))

/* Whether a product is that of an input's gradient. */
static int of_gradient;

DECLARE(ad__input_gradient)
void __wrap_ad__input_gradient(const struct ad_encoder *e, size_t M, const struct ad__operand *dy, size_t offset,
                               float *dx, size_t ld, int accumulate) {
  of_gradient = 1;
  __real_ad__input_gradient(e, M, dy, offset, dx, ld, accumulate);
  of_gradient = 0;
}

DECLARE(ad_bf16_product)
void __wrap_ad_bf16_product(const struct ad_bf16_products *products, size_t M, size_t outputs, size_t inner,
                            const ad_bf16 *rows, const ad_bf16 *packed, float *Y, size_t ldy, int accumulate) {
  profile_enter_product(of_gradient ? PROFILE_INPUT_PRODUCT : PROFILE_FORWARD_PRODUCT, M, of_gradient ? inner : outputs,
                        of_gradient ? outputs : inner);
  __real_ad_bf16_product(products, M, outputs, inner, rows, packed, Y, ldy, accumulate);
  profile_leave();
}

static size_t rows_of(const struct ad_lanes *lanes) {
  size_t M = 0;
  for (size_t lane = lanes->lo; lane < lanes->hi; lane++) {
    M += lanes->rows[lane].count;
  }
  return M;
}

DECLARE(ad_bf16_tn)
void __wrap_ad_bf16_tn(const struct ad_bf16_products *products, const struct ad_lanes *lanes, size_t N, size_t K,
                       const ad_bf16 *dY, const ad_bf16 *X, float *dW, float *work) {
  profile_enter_product(PROFILE_WEIGHT_PRODUCT, rows_of(lanes), N, K);
  __real_ad_bf16_tn(products, lanes, N, K, dY, X, dW, work);
  profile_leave();
}

DECLARE(ad_gemm_tn)
void __wrap_ad_gemm_tn(struct ad_gemm *gemm, const struct ad_lanes *lanes, size_t N, size_t K, const float *dY,
                       size_t ldy, const float *X, size_t ldx, float *dW, float *work) {
  profile_enter_product(PROFILE_WEIGHT_PRODUCT, rows_of(lanes), N, K);
  __real_ad_gemm_tn(gemm, lanes, N, K, dY, ldy, X, ldx, dW, work);
  profile_leave();
}

/* The exchange is a table: this one's functions are timed. */
static const struct ad_exchange *exchange;

static int step_begin(void *context, const struct ad_rows *rows, const size_t *lane_begin) {
  profile_enter(PROFILE_REDUCTION);
  const int status = exchange->step_begin(context, rows, lane_begin);
  profile_leave();
  return status;
}
static float *place(void *context, uint32_t bucket, size_t part) {
  profile_enter(PROFILE_REDUCTION);
  float *found = exchange->place(context, bucket, part);
  profile_leave();
  return found;
}
static int reduce_begin(void *context, uint32_t bucket, const struct ad_partial *partials, size_t count) {
  profile_enter(PROFILE_REDUCTION);
  const int status = exchange->reduce_begin(context, bucket, partials, count);
  profile_leave();
  return status;
}
static int reduce_end(void *context, uint32_t bucket, float *room, double *squares, const float **gradient) {
  profile_enter(PROFILE_REDUCTION);
  const int status = exchange->reduce_end(context, bucket, room, squares, gradient);
  profile_leave();
  return status;
}
static int share(void *context, const size_t *counts, double *values) {
  profile_enter(PROFILE_REDUCTION);
  const int status = exchange->share(context, counts, values);
  profile_leave();
  return status;
}
static int sum(void *context, size_t count, uint64_t *values) {
  profile_enter(PROFILE_REDUCTION);
  const int status = exchange->sum(context, count, values);
  profile_leave();
  return status;
}
static int publish(void *context, size_t count, const struct ad_weights *vectors) {
  profile_enter(PROFILE_GATHER);
  const int status = exchange->publish(context, count, vectors);
  profile_leave();
  return status;
}
static int wait_all(void *context) {
  profile_enter(PROFILE_GATHER);
  const int status = exchange->wait(context);
  profile_leave();
  return status;
}

DECLARE(ad_mpi_exchange_table)
const struct ad_exchange *__wrap_ad_mpi_exchange_table(const struct ad_mpi_exchange *owner) {
  static struct ad_exchange timed;
  exchange = __real_ad_mpi_exchange_table(owner);
  timed = *exchange;
  timed.step_begin = step_begin;
  timed.place = place;
  timed.reduce_begin = reduce_begin;
  timed.reduce_end = reduce_end;
  timed.share = share;
  timed.sum = sum;
  timed.publish = publish;
  timed.wait = wait_all;
  return &timed;
}
