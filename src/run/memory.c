/* What a rank holds: predicted from sizes before the first step, read from the system after the last. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "training_internal.h"

static const double MIB = 1048576.0;

size_t ad__resident(void) {
  char line[256];
  size_t kilobytes = 0;
  FILE *file = fopen("/proc/self/smaps_rollup", "re");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "Pss: %zu kB", &kilobytes) == 1) {
      break;
    }
  }
  if (file != NULL) {
    ad_ignore(fclose(file));
  }
  return kilobytes * 1024;
}

/* Means of `count` values over all ranks; on every rank. */
static int mean_over_ranks(const struct ad_training *t, size_t count, double *values) {
  const size_t R = ad_comm_size(t->ranks.comm), rank = ad_comm_rank(t->ranks.comm);
  size_t *counts = ad_calloc(R, sizeof *counts);
  double *all = ad_calloc(R * count, sizeof *all);
  int status = counts == NULL || all == NULL ? ad_fail_memory(R * (1 + count) * 8, "the ranks' memory") : AD_OK;
  if (status == AD_OK) {
    for (size_t r = 0; r < R; r++) {
      counts[r] = 1;
    }
    memcpy(all + rank * count, values, count * sizeof *all);
    status = ad_comm_gather_rows(t->ranks.comm, counts, count * sizeof *all, all);
    for (size_t i = 0; i < count; i++) {
      double sum = 0.0;
      for (size_t r = 0; r < R; r++) {
        sum += all[r * count + i];
      }
      values[i] = sum / (double)R;
    }
  }
  ad_free(counts);
  ad_free(all);
  return status;
}

/* Ranks, and those of a node, which may be imagined. */
static size_t ranks_of(const struct ad_training *t) {
  return t->imagined.size > 0 ? t->imagined.size : ad_comm_size(t->ranks.comm);
}
static size_t node_ranks_of(const struct ad_training *t) {
  return t->imagined.size > 0 ? t->imagined.node_size : ad_comm_node_size(t->ranks.comm);
}

/* What is packed of the student and so many other vectors, whose frozen layers are never packed. */
static size_t packed_bytes(const struct ad_training *t, size_t others) {
  const struct ad_params *params = &t->session.params;
  const size_t first = ad_params_first_linear(params), all = ad_weights_packed(t->session.math, params);
  const size_t frozen = first < params->linear_count ? params->linears[first].packed : params->packed;
  return (all + others * (all > 0 ? all - frozen : 0)) * sizeof(ad_bf16);
}

/* A rank's share of its node's whole vectors, and of what is packed of them. */
static size_t replica_bytes(const struct ad_training *t) {
  const struct ad_params *params = &t->session.params;
  size_t teacher, mean, past;
  ad_teacher_replicas(&t->settings.teacher, &teacher, &mean, &past);
  past = past > 0 ? ad_teacher_slots(&t->settings.teacher, ad_trainer_total(t->trainer)) : 0;
  const size_t P = params->count, trained = P - ad_params_frozen(params), others = teacher + mean + past;
  return ((P + others * trained) * sizeof(float) + packed_bytes(t, others)) / node_ranks_of(t);
}

static size_t evaluation_bytes(const struct ad_training *t, size_t *tokens) {
  const size_t B = t->session.config.eval_batch, rows = t->data.dev.count * t->session.params.config.classes;
  if (!t->evaluation.wanted || ad_dataset_most_tokens(&t->data.dev, B, tokens) != AD_OK) {
    return 0;
  }
  const int averaged = t->evaluation.sum != NULL;
  if (ad__hides(t)) {
    const int several = ad_teacher_models(&t->settings.teacher) > 1;
    return ad_evaluator_hidden_bytes(t->session.math, &t->session.params, &t->data.dev, B, several) +
           t->data.dev.count * sizeof *t->evaluation.row_sums;
  }
  return ad_encoder_bytes(t->session.math, &t->session.params, *tokens, B, 1, 0) + rows * (averaged ? 16 : 4);
}

/* While the model is read each rank has parameters of its own; the ranks of a node map its file together. */
static double loading_bytes(const struct ad_training *t) {
  const double theta = (double)t->session.params.count * sizeof(float);
  const int file = t->session.config.model_path[0] != '\0';
  return (double)t->memory.base + theta + (file ? theta / (double)node_ranks_of(t) : 0.0);
}

/* What rank 0 alone holds, as the mean over the ranks where these are imagined. */
static double of_first(const struct ad_training *t, size_t bytes) {
  return (double)bytes / (t->imagined.size > 0 ? (double)ranks_of(t) : 1.0);
}

int ad__predict_memory(struct ad_training *t) {
  const struct ad_trainer_bytes b = ad_trainer_bytes(t->trainer);
  const size_t exchange = t->imagined.size > 1        ? t->imagined.bytes
                          : t->ranks.exchange != NULL ? ad_mpi_exchange_traffic(t->ranks.exchange).memory
                                                      : 0;
  const size_t best = t->vectors.best == NULL ? 0 : t->session.params.count * sizeof(float);
  size_t tokens = 0;
  t->memory.plan = (struct ad_memory_plan){.program = (double)t->memory.base,
                                           .parameters = (double)replica_bytes(t) + of_first(t, best),
                                           .moments = (double)b.moments,
                                           .past = (double)b.window,
                                           .gradient = (double)(b.partials + b.gradient + exchange),
                                           .activations = (double)(b.activations + b.work),
                                           .evaluation = (double)evaluation_bytes(t, &tokens),
                                           .snapshots = (double)b.observer + of_first(t, ad__snapshot_memory(t)),
                                           .loading = loading_bytes(t)};
  _Static_assert(sizeof t->memory.plan % sizeof(double) == 0, "the plan is numbers alone");
  return mean_over_ranks(t, sizeof t->memory.plan / sizeof(double), &t->memory.plan.program);
}

/* What a rank holds once all steps are done. */
static double sum_of(const struct ad_memory_plan *m) {
  return m->program + m->parameters + m->moments + m->past + m->gradient + m->activations + m->evaluation +
         m->snapshots;
}

double ad_memory_plan_peak(const struct ad_memory_plan *memory) {
  return fmax(sum_of(memory), memory->loading);
}

void ad__tell_memory(const struct ad_training *t) {
  const struct ad_memory_plan *m = &t->memory.plan;
  ad_log(AD_LOG_INFO,
         "memory a rank: %.0f MiB (program and data %.0f, parameters %.0f, moments %.0f, past %.0f, gradient %.0f, "
         "activations %.0f, evaluation %.0f, snapshots %.0f)",
         sum_of(m) / MIB, m->program / MIB, m->parameters / MIB, m->moments / MIB, m->past / MIB, m->gradient / MIB,
         m->activations / MIB, m->evaluation / MIB, m->snapshots / MIB);
  const size_t disk = t->settings.teacher.ring_folder == NULL ? 0 : ad_trainer_disk_bytes(t->trainer);
  if (disk > 0) {
    ad_log(AD_LOG_INFO, "disk a rank: %.0f MiB in %s", (double)disk / MIB, t->settings.teacher.ring_folder);
  }
}

int ad__report_memory(struct ad_training *t) {
  double used = (double)ad__resident();
  AD_TRY(mean_over_ranks(t, 1, &used));
  if (!t->ranks.first || used == 0.0) {
    return AD_OK;
  }
  const double predicted = sum_of(&t->memory.plan);
  ad_log(AD_LOG_INFO, "memory a rank: %.0f MiB used, %.0f predicted", used / MIB, predicted / MIB);
  const struct ad_timing_row row = {AD_TIMING_MEMORY, .predicted = predicted, .used = used};
  return ad_run_time(&t->run, &row);
}
