#include "exchange_alone.h"

#include "autodidact/base/status.h"

static int step_begin(void *context, const struct ad_rows *rows, const size_t *lane_begin) {
  struct exchange_alone *alone = context;
  (void)lane_begin;
  alone->rows = rows;
  return AD_OK;
}

static int reduce_begin(void *context, uint32_t bucket, const struct ad_partial *partials, size_t count) {
  struct exchange_alone *alone = context;
  alone->whole = partials;
  return count == 1 && !partials->empty ? AD_OK : ad_fail(AD_EINTERNAL, "bucket %u has no whole gradient", bucket);
}

static int reduce_end(void *context, uint32_t bucket, float *room, double *squares, const float **gradient) {
  const struct exchange_alone *alone = context;
  const size_t count = ad_compact_count(alone->params, bucket, alone->rows);
  (void)room;
  *gradient = alone->whole->values;
  ad_compact_squares(alone->params, alone->kernels, bucket, alone->rows, 0, count, *gradient, squares);
  return AD_OK;
}

static int reduce_ready(void *context) {
  (void)context;
  return 1;
}

static int share(void *context, const size_t *counts, double *values) {
  (void)context;
  (void)counts;
  (void)values;
  return AD_OK;
}

static int sum(void *context, size_t count, uint64_t *values) {
  (void)context;
  (void)count;
  (void)values;
  return AD_OK;
}

static int publish(void *context, size_t count, const struct ad_weights *vectors) {
  (void)context;
  (void)count;
  (void)vectors;
  return AD_OK;
}

static int wait(void *context) {
  (void)context;
  return AD_OK;
}

void ad__exchange_alone_init(struct exchange_alone *alone, const struct ad_params *params,
                             const struct ad_kernels *kernels) {
  *alone = (struct exchange_alone){.params = params, .kernels = kernels};
  alone->table = (struct ad_exchange){.context = alone,
                                      .size = 1,
                                      .shards = 1,
                                      .node_size = 1,
                                      .in_place = 1,
                                      .step_begin = step_begin,
                                      .reduce_begin = reduce_begin,
                                      .reduce_end = reduce_end,
                                      .reduce_ready = reduce_ready,
                                      .share = share,
                                      .sum = sum,
                                      .publish = publish,
                                      .wait = wait};
}
