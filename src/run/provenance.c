/* On what and by what a run is made: the facts of provenance.json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/elementary.h"
#include "autodidact/base/float_state.h"
#include "autodidact/base/machine.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/math/gemm.h"
#include "autodidact/mpi/runtime.h"
#include "autodidact/store/hdf5.h"
#include "training_internal.h"

enum { KIND = 160 }; /* bytes of the text of a node's kind */

/* --- The kinds of nodes. */

/* "2 x 64 cores of AMD EPYC 9B14; 1 x ..." of the texts kinds [count][KIND], each kind once, in their order. */
static void join_kinds(size_t count, const char (*kinds)[KIND], char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < count && used < size; i++) {
    size_t before = 0, nodes = 0;
    while (before < i && strcmp(kinds[before], kinds[i]) != 0) {
      before++;
    }
    if (before < i || kinds[i][0] == '\0') {
      continue; /* told already, or no node's first rank */
    }
    for (size_t k = i; k < count; k++) {
      nodes += strcmp(kinds[k], kinds[i]) == 0;
    }
    used += (size_t)snprintf(text + used, size - used, "%s%zu x %s", used == 0 ? "" : "; ", nodes, kinds[i]);
  }
}

int ad__describe_hosts(struct ad_training *t) {
  const size_t R = ad_comm_size(t->ranks.comm), rank = ad_comm_rank(t->ranks.comm);
  size_t *counts = ad_calloc(R, sizeof *counts);
  char(*kinds)[KIND] = ad_calloc(R, sizeof *kinds);
  int status = counts == NULL || kinds == NULL ? ad_fail_memory(R * KIND, "the kinds of nodes") : AD_OK;
  status = ad_comm_settle(t->ranks.comm, status);
  if (status == AD_OK) {
    for (size_t r = 0; r < R; r++) {
      counts[r] = 1;
    }
    if (t->ranks.node_first) {
      const unsigned cores = ad_machine_cores();
      snprintf(kinds[rank], sizeof *kinds, "%u core%s of %s", cores, cores == 1 ? "" : "s", ad_machine_cpu());
    }
    status = ad_comm_gather_rows(t->ranks.comm, counts, sizeof *kinds, kinds);
    join_kinds(R, (const char(*)[KIND])kinds, t->ranks.hosts, sizeof t->ranks.hosts);
  }
  ad_free(counts);
  ad_free(kinds);
  return status;
}

/* --- The job. */

/* Appends the value of a variable of the environment, as far as it is letters, digits and . _ - [ ] */
static size_t put_number(const char *variable, const char *before, char *text, size_t size) {
  static const char known[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-[]";
  const char *value = getenv(variable);
  const size_t length = value == NULL ? 0 : strspn(value, known), used = strlen(text);
  if (length > 0 && used < size) {
    snprintf(text + used, size - used, "%s%.*s", before, (int)(length < 60 ? length : 60), value);
  }
  return length;
}

/* "Slurm 123_4": the job of a scheduler that this process is in; "" where it is in none. */
static void find_job(char *text, size_t size) {
  static const struct {
    const char *scheduler, *job, *task;
  } schedulers[] = {{"Slurm ", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"},
                    {"Slurm ", "SLURM_JOB_ID", NULL},
                    {"PBS ", "PBS_JOBID", NULL},
                    {"LSF ", "LSB_JOBID", "LSB_JOBINDEX"},
                    {"Flux ", "FLUX_JOB_ID", NULL},
                    {"Grid Engine ", "JOB_ID", "SGE_TASK_ID"}};
  text[0] = '\0';
  for (size_t i = 0; i < sizeof schedulers / sizeof *schedulers && text[0] == '\0'; i++) {
    if (put_number(schedulers[i].job, schedulers[i].scheduler, text, size) > 0 && schedulers[i].task != NULL) {
      put_number(schedulers[i].task, "_", text, size);
    }
  }
}

/* --- All facts. */

int ad__make_provenance(const struct ad_training *t, struct ad__provenance *p) {
  const struct ad_session *s = &t->session;
  uint64_t digest;
  AD_TRY(s->config.model_path[0] != '\0' ? ad_model_digest(s->config.model_path, &digest)
                                         : ad_digest_file(s->config.model_vocab, &digest));
  snprintf(p->ranks, sizeof p->ranks, "%u on %u nodes", ad_comm_size(t->ranks.comm), ad_comm_nodes(t->ranks.comm));
  p->dev[0] = '\0';
  const struct ad_fact facts[] = {
      {"data_descriptor", ad_digest_text(s->descriptor.digest, p->descriptor)},
      {"data_train", ad_digest_text(t->data.train.digest, p->train)},
      {"data_dev", t->data.has_dev ? ad_digest_text(t->data.dev.digest, p->dev) : p->dev},
      {"base_model", ad_digest_text(digest, p->base)},
      {"initial_parameters", t->vectors.initial},
      {"classifier", s->report.head_loaded ? "of the model's folder" : "drawn"},
      {"arithmetic", ad_arithmetic(s->math)},
      {"kernels", s->math->kernels->name},
      {"products", ad_gemm_core(s->math->gemm)},
      {"cpu", ad_machine_cpu()},
      {"os", ad_machine_os()},
      {"libc", ad_machine_libc()},
      {"mpi", ad_mpi_version()},
      {"hdf5", ad_hdf5_version()},
      {"sleef", ad_math_version()},
      {"floating_point", ad_float_state()},
      {"ranks", p->ranks},
      {"hosts", t->ranks.hosts},
      {"reduction",
       s->config.comm_reduction == AD_REDUCTION_ORDERED ? "ordered" : "native: outside the reproducibility contract"}};
  _Static_assert(sizeof facts <= sizeof p->facts - 2 * sizeof *facts, "there is room for two more");
  p->count = sizeof facts / sizeof *facts;
  memcpy(p->facts, facts, sizeof facts);
  if (s->math->bf16 != NULL) {
    p->facts[p->count++] = (struct ad_fact){"bfloat16", ad_bf16_name(s->math->bf16)};
  }
  find_job(p->job, sizeof p->job);
  if (p->job[0] != '\0') {
    p->facts[p->count++] = (struct ad_fact){"job", p->job};
  }
  return AD_OK;
}
