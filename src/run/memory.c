/* What a rank holds: predicted from sizes before the first step, read from the system after the last. */
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

/* Mean over all ranks; on every rank. */
static int mean_over_ranks(const struct ad_training *t, double *value) {
  const size_t R = ad_comm_size(t->ranks.comm);
  size_t *counts = ad_calloc(R, sizeof *counts);
  double *values = ad_calloc(R, sizeof *values), sum = 0.0;
  int status = counts == NULL || values == NULL ? ad_fail_memory(R * 16, "the ranks' memory") : AD_OK;
  if (status == AD_OK) {
    for (size_t r = 0; r < R; r++) {
      counts[r] = 1;
    }
    values[ad_comm_rank(t->ranks.comm)] = *value;
    status = ad_comm_gather_rows(t->ranks.comm, counts, sizeof *values, values);
    for (size_t r = 0; r < R; r++) {
      sum += values[r];
    }
    *value = sum / (double)R;
  }
  ad_free(counts);
  ad_free(values);
  return status;
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
  return ((P + others * trained) * sizeof(float) + packed_bytes(t, others)) / ad_comm_node_size(t->ranks.comm);
}

static size_t evaluation_bytes(const struct ad_training *t, size_t *tokens) {
  const size_t B = t->session.config.eval_batch, rows = t->data.dev.count * t->session.params.config.classes;
  if (!t->evaluation.wanted || ad_dataset_most_tokens(&t->data.dev, B, tokens) != AD_OK) {
    return 0;
  }
  const int averaged = t->evaluation.sum != NULL;
  return ad_encoder_bytes(t->session.math, &t->session.params, *tokens, B, 1, 0) + rows * (averaged ? 16 : 4);
}

int ad__predict_memory(struct ad_training *t) {
  const struct ad_trainer_bytes b = ad_trainer_bytes(t->trainer);
  const size_t replicas = replica_bytes(t),
               exchange = t->ranks.exchange == NULL ? 0 : ad_mpi_exchange_traffic(t->ranks.exchange).memory;
  size_t tokens = 0;
  const size_t evaluation = evaluation_bytes(t, &tokens),
               best = t->vectors.best == NULL ? 0 : t->session.params.count * sizeof(float),
               snapshots = b.observer + ad__snapshot_memory(t);
  const size_t parts = b.activations + b.work + b.partials + b.gradient + b.moments + b.window;
  t->memory.predicted = (double)(t->memory.base + replicas + exchange + evaluation + best + snapshots + parts);
  AD_TRY(mean_over_ranks(t, &t->memory.predicted));
  ad_log(AD_LOG_INFO,
         "memory a rank: %.0f MiB (program and data %.0f, parameters %.0f, moments %.0f, past %.0f, gradient %.0f, "
         "activations %.0f, evaluation %.0f, snapshots %.0f)",
         t->memory.predicted / MIB, (double)t->memory.base / MIB, (double)(replicas + best) / MIB,
         (double)b.moments / MIB, (double)b.window / MIB, (double)(b.partials + b.gradient + exchange) / MIB,
         (double)(b.activations + b.work) / MIB, (double)evaluation / MIB, (double)snapshots / MIB);
  const size_t disk = t->settings.teacher.ring_folder == NULL ? 0 : ad_trainer_disk_bytes(t->trainer);
  if (disk > 0) {
    ad_log(AD_LOG_INFO, "disk a rank: %.0f MiB in %s", (double)disk / MIB, t->settings.teacher.ring_folder);
  }
  return AD_OK;
}

int ad__report_memory(struct ad_training *t) {
  double used = (double)ad__resident();
  AD_TRY(mean_over_ranks(t, &used));
  if (!t->ranks.first || used == 0.0) {
    return AD_OK;
  }
  ad_log(AD_LOG_INFO, "memory a rank: %.0f MiB used, %.0f predicted", used / MIB, t->memory.predicted / MIB);
  const struct ad_timing_row row = {AD_TIMING_MEMORY, .predicted = t->memory.predicted, .used = used};
  return ad_run_time(&t->run, &row);
}
