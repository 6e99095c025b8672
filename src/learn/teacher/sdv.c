/* Self-distillation-voted (SDV): the teacher's logits are the mean of those of the last K students (equation 7). */
#include "autodidact/base/status.h"
#include "method.h"

/* Students beyond this many have no dropout key of their own (ad_teacher_masks). */
enum { MOST_PAST = 1024 };

static int check(const struct ad_teacher_settings *settings) {
  if (settings->window == 0 || settings->window > MOST_PAST) {
    return ad_fail(AD_ECONFIG,
                   "teacher.method=sdv holds every past student of its window: teacher.window must be a number from 1 "
                   "to %d, found %s",
                   MOST_PAST, settings->window == 0 ? "all" : "more");
  }
  return AD_OK;
}

static size_t members(const struct ad_teacher_settings *settings) {
  return settings->window;
}

/* The node's ranks copy the student into the oldest slot of the past. Nobody may be reading either. */
static int keep(struct ad_teacher *t) {
  const struct ad_exchange *x = t->exchange;
  const struct ad_params *params = t->shard->params;
  const size_t frozen = ad_params_frozen(params), P = params->count - frozen, rank = x->node_rank, size = x->node_size;
  const size_t begin = frozen + P * rank / size, end = frozen + P * (rank + 1) / size;
  t->newest = (t->newest + 1) % t->past;
  ad_replica_copy(&t->replicas.past[t->newest], ad_weights_replica(&t->replicas.student), begin, end);
  AD_TRY(x->wait(x->context));
  return ad_exchange_pack(x, params, 1, &t->replicas.past[t->newest]);
}

const struct teacher_method ad_teacher_sdv = {
    .check = check, .members = members, .keep = keep, .distance = ad_teacher_squared_error};
