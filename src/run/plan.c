/* What a training will need, found before it begins: sizes, and seconds by a trial. */
#include "autodidact/run/plan.h"

#include <math.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/order.h"
#include "training_internal.h"

/* --- Ranks that are not there. */

/* Partial sums are placed, but no step is made. */
static float *place(void *context, uint32_t bucket, size_t part) {
  (void)context;
  (void)bucket;
  (void)part;
  return NULL;
}

static int wait(void *context) {
  (void)context;
  return AD_OK;
}

/* Bytes that an exchange takes of a rank: slots for the partial sums of two buckets, and the sums that come from other
 * nodes, whose ranks have lanes that follow one another. */
static size_t exchange_bytes(const struct ad_training *t, size_t floats) {
  const struct ad__imagined *m = &t->imagined;
  const struct ad_config *c = &t->session.config;
  const size_t W = c->batch_lanes;
  size_t parts = 1, received = 0, most = 0;
  struct ad_span spans[AD_MAX_PARTS];
  for (size_t r = 0; r < m->size; r++) {
    const size_t count = ad_tree_parts(W, ad_lanes_first(W, m->size, r), ad_lanes_first(W, m->size, r + 1), spans);
    parts = count > parts ? count : parts;
  }
  for (size_t r = m->node_size; r < m->size; r += m->node_size) {
    const size_t end = r + m->node_size < m->size ? r + m->node_size : m->size;
    received += ad_tree_parts(W, ad_lanes_first(W, m->size, r), ad_lanes_first(W, m->size, end), spans);
  }
  for (uint32_t b = 0; b < t->session.params.buckets; b++) {
    size_t begin, end;
    ad_shard_range(&t->session.params, b, 0, m->size, &begin, &end);
    most = end - begin > most ? end - begin : most;
  }
  const int native = c->comm_reduction == AD_REDUCTION_NATIVE;
  return (2 * parts * ad_whole_lines(floats) + (native ? floats : received * (most < floats ? most : floats))) *
         sizeof(float);
}

/* The rank with the largest shard. */
static uint32_t largest_shard(const struct ad_params *params, uint32_t size) {
  uint32_t largest = 0;
  size_t most = 0;
  for (uint32_t r = 0; r < size; r++) {
    size_t count = 0, begin, end;
    for (uint32_t b = 0; b < params->buckets; b++) {
      ad_shard_range(params, b, r, size, &begin, &end);
      count += end - begin;
    }
    largest = count > most ? r : largest;
    most = count > most ? count : most;
  }
  return largest;
}

int ad__imagine_exchange(struct ad_training *t) {
  struct ad__imagined *m = &t->imagined;
  const struct ad_config *c = &t->session.config;
  size_t floats;
  if (m->size <= 1) {
    return AD_OK;
  }
  AD_TRY(ad_trainer_bucket_floats(&t->session.params, &t->data.train, c->batch_size, &floats));
  m->bytes = exchange_bytes(t, floats);
  const uint32_t rank = largest_shard(&t->session.params, m->size);
  m->table = (struct ad_exchange){.rank = rank,
                                  .size = m->size,
                                  .shard = c->optim_shard ? rank : 0,
                                  .shards = c->optim_shard ? m->size : 1,
                                  .node_size = m->node_size,
                                  .place = place,
                                  .wait = wait};
  return AD_OK;
}

static int imagine(struct ad_training *t, uint32_t ranks, uint32_t nodes) {
  const struct ad_config *c = &t->session.config;
  const uint32_t each = nodes == 0 ? ranks : (ranks + nodes - 1) / nodes;
  if (ad_comm_size(t->ranks.comm) > 1) {
    return ad_fail(AD_ECONFIG, "a plan for other ranks is made on one rank, found %u", ad_comm_size(t->ranks.comm));
  }
  if (nodes > ranks) {
    return ad_fail(AD_ECONFIG, "%u nodes for %u ranks: each node needs a rank at least", nodes, ranks);
  }
  t->imagined.size = ranks;
  t->imagined.node_size = c->comm_shared && c->optim_shard ? each : 1;
  return AD_OK;
}

/* --- Sizes. */

/* How often something happens that is due every so many steps, or at the end of each epoch, before the last step. */
static uint64_t times_before_end(uint64_t steps, uint64_t every) {
  return every == 0 || steps == 0 ? 0 : (steps - 1) / every;
}

static uint64_t evaluations_of(const struct ad_training *t, uint64_t steps) {
  const uint64_t every = t->session.config.eval_every;
  return !t->evaluation.wanted || steps == 0
             ? 0
             : times_before_end(steps, every > 0 ? every : t->progress.steps_an_epoch) + 1;
}

/* Models whose parameters the run keeps, and models that an evaluation computes the logits of. */
static void count_models(const struct ad_training *t, uint64_t *kept, uint64_t *computed) {
  const struct ad_config *c = &t->session.config;
  const struct ad_teacher_settings *s = &t->settings.teacher;
  *kept = *computed = 0;
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    const uint64_t models = !ad_teacher_has(s, v) ? 0 : v == AD_VARIANT_TEACHER ? ad_teacher_models(s) : 1;
    *kept += models == 1 && (c->run_variants || v == c->run_result);
    *computed += models;
  }
}

/* Variants that an evaluation has logits of. */
static uint64_t count_variants(const struct ad_training *t) {
  uint64_t count = 0;
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    count += ad_teacher_has(&t->settings.teacher, v) ? 1 : 0;
  }
  return count;
}

static struct ad_disk_plan plan_disk(struct ad_training *t, uint64_t evaluations) {
  const struct ad_config *c = &t->session.config;
  const uint64_t P = t->session.params.count, N = t->data.dev.count, words = t->session.params.config.classes + 1;
  uint64_t kept, computed;
  count_models(t, &kept, &computed);
  return (struct ad_disk_plan){.checkpoint = ad__checkpoint_bytes(t),
                               .kept = c->checkpoint_keep + 1,
                               .snapshots = ad__snapshot_bytes(t),
                               .logits = c->eval_keep_logits ? evaluations * count_variants(t) * N * words * 4 : 0,
                               .result = kept * P * sizeof(float),
                               .ring = ad_trainer_disk_bytes(t->trainer)};
}

static void fill_in(struct ad_training *t, struct ad_training_plan *plan) {
  const int alone = t->imagined.size > 0;
  plan->ranks = alone ? t->imagined.size : ad_comm_size(t->ranks.comm);
  plan->nodes = alone ? (plan->ranks + t->imagined.node_size - 1) / t->imagined.node_size
                      : (uint32_t)ad_comm_nodes(t->ranks.comm);
  plan->parameters = t->session.params.count;
  plan->train = t->data.train.count;
  plan->dev = t->data.has_dev ? t->data.dev.count : 0;
  plan->classes = ad_model_logits(&t->session.params.config);
  plan->outputs = ad_task_outputs(t->data.train.task, plan->classes);
  plan->steps = ad_trainer_total(t->trainer);
  plan->steps_an_epoch = t->progress.steps_an_epoch;
  plan->evaluations = evaluations_of(t, plan->steps);
  plan->memory = t->memory.plan;
  plan->disk = plan_disk(t, plan->evaluations);
}

/* --- The trial. */

enum { LEAST = 2, MOST = 8, PATIENCE = 20 /* seconds */ };

/* Rank 0's word, on every rank. */
static int goes_on(const struct ad_training *t, uint64_t done, double since, int *more) {
  uint64_t word = done < ad_trainer_total(t->trainer) && done < MOST && (done < LEAST || ad_clock() - since < PATIENCE);
  AD_TRY(ad_comm_broadcast(t->ranks.comm, sizeof word, &word));
  *more = word != 0;
  return AD_OK;
}

/* Forwards that a step will have once the teacher has all its students, for each that the last one had. */
static int missing_passes(struct ad_training *t, double *ratio) {
  const struct ad_teacher_settings *s = &t->settings.teacher;
  const struct ad_replica *thetas;
  size_t now = 0;
  const size_t slots = ad_teacher_slots(s, ad_trainer_total(t->trainer)), models = ad_teacher_models(s);
  AD_TRY(models > 0 ? ad_trainer_variant(t->trainer, AD_VARIANT_TEACHER, &thetas, &now) : AD_OK);
  const size_t most = models > 1 && slots > 0 && slots < models ? slots : models;
  const double all = ad_teacher_passes(s) - (double)(models - most);
  *ratio = now < most ? all / (all - (double)(most - now)) : 1.0;
  return AD_OK;
}

/* Some steps; the first one also brings memory and caches into use, and counts where there is no other. */
static int try_steps(struct ad_training *t, struct ad_training_plan *plan) {
  const double since = ad_clock(), all = (double)t->data.train.offset[t->data.train.count];
  double seconds = 0.0, tokens = 0.0, ratio;
  int more;
  AD_TRY(goes_on(t, 0, since, &more));
  while (more) {
    struct ad_step step;
    AD_TRY(ad_trainer_step(t->trainer, &step));
    plan->tried = step.step;
    seconds = (step.step == LEAST ? 0.0 : seconds) + step.seconds;
    tokens = (step.step == LEAST ? 0.0 : tokens) + (double)step.tokens;
    AD_TRY(goes_on(t, step.step, since, &more));
  }
  AD_TRY(missing_passes(t, &ratio));
  plan->step = tokens > 0.0 ? ratio * seconds / tokens * all / (double)plan->steps_an_epoch : 0.0;
  return AD_OK;
}

/* The first examples of dev, for what all of them take with all models of an evaluation. */
static int try_evaluation(struct ad_training *t, struct ad_training_plan *plan) {
  enum { BATCHES = 4 }; /* of a rank */
  const struct ad_dataset *dev = &t->data.dev;
  const size_t B = t->session.config.eval_batch, most = BATCHES * B * ad_comm_size(t->ranks.comm);
  const size_t count = dev->count < most ? dev->count : most;
  uint64_t kept, computed;
  count_models(t, &kept, &computed);
  const double since = ad_clock(), tokens = (double)(dev->offset[count] - dev->offset[0]);
  AD_TRY(ad__evaluate_first(t, ad_weights_replica(&t->vectors.replicas.student), count));
  const double all = (double)(dev->offset[dev->count] - dev->offset[0]);
  plan->evaluation = tokens > 0.0 ? (ad_clock() - since) * all / tokens * (double)computed : 0.0;
  return AD_OK;
}

static int try_out(struct ad_training *t, double started, struct ad_training_plan *plan) {
  const double before = ad_clock() - started;
  ad_log(AD_LOG_INFO, "trial: a few steps in memory, which nobody keeps");
  AD_TRY(try_steps(t, plan));
  plan->evaluation = 0.0;
  AD_TRY(plan->evaluations > 0 ? try_evaluation(t, plan) : AD_OK);
  plan->whole = before + (double)plan->steps * plan->step + (double)plan->evaluations * plan->evaluation;
  return AD_OK;
}

int ad_training_plan(struct ad_training *t, uint32_t ranks, uint32_t nodes, struct ad_training_plan *plan) {
  struct ad_config *c = &t->session.config;
  const double started = ad_clock();
  *plan = (struct ad_training_plan){.step = NAN, .evaluation = NAN, .whole = NAN};
  /* The trial's steps are to have what most steps have, where the teacher comes in later. */
  c->teacher_start = 1;
  c->teacher_ramp = 0.0;
  AD_TRY(ad_config_set(c, "plan", "data.cache", "")); /* which would be made */
  AD_TRY(ad__connect(t));
  AD_TRY(ranks > 0 ? imagine(t, ranks, nodes) : AD_OK);
  AD_TRY(ad__check_configuration(t));
  AD_TRY(ad__load_data(t));
  t->evaluation.wanted = t->data.has_dev;
  AD_TRY(ad__prepare(t));
  AD_TRY(ad__warn(t));
  fill_in(t, plan);
  return ranks > 0 ? AD_OK : try_out(t, started, plan);
}
