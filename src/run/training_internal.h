/* One training, on all ranks or some: what its files share. training.c runs it; setup.c loads and connects; resume.c
 * opens the run folder; loss.c sets what depends on the task; inputs.c looks what else is in there; checkpoint.c saves;
 * stop.c says when to stop, by rules.c; evaluate.c scores; result.c keeps; snapshots.c keeps numbers of chosen steps;
 * memory.c counts bytes; plan.c tells what a training will need; provenance.c says on what it runs; faults.c makes
 * faults. */
#ifndef AUTODIDACT_RUN_TRAINING_INTERNAL_H
#define AUTODIDACT_RUN_TRAINING_INTERNAL_H

#include "autodidact/learn/evaluate.h"
#include "autodidact/mpi/evaluate.h"
#include "autodidact/mpi/exchange.h"
#include "autodidact/run/plan.h"
#include "autodidact/run/session.h"
#include "autodidact/run/training.h"
#include "autodidact/store/run.h"
#include "faults.h"
#include "rules.h"

/* Who computes. */
struct ad__ranks {
  struct ad_comm *comm;
  int first;                        /* 1 on rank 0, which alone keeps the run folder */
  int node_first;                   /* 1 on the first rank of a node, which fills what the node shares */
  struct ad_mpi_exchange *exchange; /* NULL on one rank */
  char hosts[400];                  /* kinds of nodes, for provenance.json */
};

struct ad__data {
  struct ad_dataset train, dev;
  int has_dev;
  double majority; /* share of the most frequent class of dev */
};

/* Ranks that are not there, for a plan: rank 0 of `size`, on a node of `node_size`. */
struct ad__imagined {
  uint32_t size, node_size; /* size 0: none, the ranks are those of the communicator */
  struct ad_exchange table;
  size_t bytes; /* that their exchange would take of a rank */
};

/* The whole vectors [P], one set a node. */
struct ad__vectors {
  struct ad_shared shared;     /* where the node's ranks share them */
  float *own;                  /* else this rank's, but for the student's */
  ad_bf16 *packed;             /* likewise, of all of them */
  struct ad_replicas replicas; /* in `shared`, or session.theta and `own` */
  float *best;                 /* with run.select=best, on rank 0 */
  char initial[17];            /* digest of the parameters before the first step */
};

/* Memory of evaluations on dev. */
struct ad__evaluation {
  int wanted;                    /* 0: nothing is evaluated: no dev, or a replay */
  const struct ad_score *metric; /* which score decides what is best */
  struct ad_evaluator *evaluator;
  float *logits, *member;       /* [N,C]; the second with SDV; none where tokens are hidden */
  double *sum;                  /* [N,C] with SDV */
  struct ad_row_sums *row_sums; /* [N] of hidden tokens */
  struct ad_hiding hiding;
};

/* Where the training is. */
struct ad__progress {
  uint64_t steps_an_epoch;
  double first_step; /* by ad_clock; 0: it was not reached */
  struct ad_step last;
};

/* The last checkpoint. */
struct ad__saved {
  int any;
  uint64_t step, evaluated; /* the step, and that of the last evaluation then */
  double at;                /* by ad_clock; without one, when the training began */
};

/* Why it may have to stop. */
struct ad__stop {
  double started; /* by ad_clock */
  struct ad__pace pace;
  char reason[64];
  int signal; /* its number where it was one */
  int held;   /* a failure of this rank that the others do not know of yet, and its message */
  char held_message[1000];
};

struct ad__memory {
  size_t base; /* bytes of this process before anything of the training was allocated */
  struct ad_memory_plan plan;
};

struct ad__snapshots; /* snapshots.c */

struct ad_training {
  struct ad_training_frame frame;
  struct ad_session session;
  struct ad_math bfloat16; /* the session's, where train.precision asks for it */
  struct ad__ranks ranks;
  struct ad__imagined imagined;
  struct ad__data data;
  struct ad__vectors vectors;
  struct ad_trainer_settings settings;
  double *class_weights; /* [C] or NULL */
  struct ad_hiding hiding;
  char *ring_folder; /* with teacher.ring=disk */
  struct ad_trainer *trainer;
  struct ad_run run;
  struct ad_run_state state; /* what a checkpoint keeps; but for `trainer`, which the trainer has */
  struct ad__evaluation evaluation;
  struct ad__progress progress;
  struct ad__saved saved;
  struct ad__stop stop;
  struct ad__snapshots *snapshots; /* NULL: none */
  struct ad__faults faults;
  struct ad__memory memory;
};

/* --- setup.c: communicator; that all ranks have the same configuration, before they wait for each other in ways that
 * depend on it; data; then model, replicas, exchange, trainer, evaluator. Collective. */
int ad__connect(struct ad_training *t);
int ad__check_configuration(struct ad_training *t);
int ad__load_data(struct ad_training *t);
int ad__prepare(struct ad_training *t);

/* 1 where the task hides tokens. */
static inline int ad__hides(const struct ad_training *t) {
  return ad_task_hides(t->session.descriptor.task);
}

/* --- loss.c: the weights of classes, how tokens are hidden, and the score that decides. AD_ECONFIG, AD_EINPUT (a
 * tokenizer that cannot hide), AD_ENOMEM. Not collective. */
int ad__choose_loss(struct ad_training *t);
int ad__choose_hiding(struct ad_training *t);
int ad__choose_metric(struct ad_training *t);

/* --- training.c: warnings of what is given in vain. AD_ENOMEM. */
int ad__warn(const struct ad_training *t);

/* --- provenance.c. The kinds of nodes into ranks.hosts. Collective. */
int ad__describe_hosts(struct ad_training *t);

/* What the bits depend on besides the configuration, for provenance.json, and the texts it points to. */
struct ad__provenance {
  char train[17], dev[17], descriptor[17], base[17], ranks[64], job[96];
  struct ad_fact facts[21];
  size_t count;
};

/* Fills it in, for as long as it and the training do not move. Not collective. AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad__make_provenance(const struct ad_training *t, struct ad__provenance *p);

/* --- resume.c: the run folder, a new run or one that goes on. Collective. */
int ad__open_run(struct ad_training *t);

/* --- longer.c: whether the run in run.dir has fewer steps than this one (*longer 1), which then may go on there with
 * the bits of a run that was planned so. AD_ECONFIG: it may not, and why; AD_EINPUT. On rank 0. */
int ad__check_longer(const struct ad_training *t, int *longer);

/* What provenance.json would say now against what the run's folder says. On rank 0; the caller owns it:
 * ad_input_comparison_destroy, after a failure too. */
int ad__find_changes(const struct ad_training *t, struct ad_input_comparison *comparison);

/* AD_ECONFIG where the run folder holds the run's model, vocabulary, data, caches or, of a run that begins anew, its
 * configuration. On rank 0. */
int ad__check_inputs(const struct ad_training *t, int anew);

/* --- stop.c. Keeps a failure of this rank alone, to be told at the next ad__must_stop or ad__settle. Not collective.
 */
void ad__hold(struct ad__stop *stop, int status);

/* The failure that a rank holds, on every rank, or AD_OK. Collective. */
int ad__settle(struct ad_training *t);

/* 1 where a signal, the frame or the clock asks to stop, on any rank; alike on all, the reason in stop.reason; or the
 * failure that a rank holds. Collective. */
int ad__must_stop(struct ad_training *t);

/* --- faults.c: what happens at the places. Kills do not return. */
void ad__fault_before_step(struct ad_training *t, uint64_t step);
void ad__fault_after_step(struct ad_training *t, uint64_t step);
void ad__fault_in_evaluation(struct ad_training *t);
int ad__fault_in_save(struct ad_training *t);
int ad__fault_after_save(struct ad_training *t, uint64_t step);

/* --- checkpoint.c. Between two steps: a checkpoint where one is due. AD_ESTOPPED where the training must stop; it has
 * been saved then. Collective, as all of them. */
int ad__step_edge(struct ad_training *t);

/* Takes the checkpoint of a step in place; compares the vectors with those of one. AD_EINPUT: it is damaged, or holds
 * other bits. AD_ECONFIG. */
int ad__load_step(struct ad_training *t, uint64_t step);
int ad__compare_checkpoint(struct ad_training *t, uint64_t step);

/* Bytes of a checkpoint of this training, at most. Not collective. */
size_t ad__checkpoint_bytes(struct ad_training *t);

/* Goes on from the newest good checkpoint of run.dir; *loaded 0 where there is none at all. AD_EINPUT (all are
 * damaged), AD_ECONFIG. */
int ad__load_newest(struct ad_training *t, int *loaded);

/* The checkpoints of a finished run go, unless checkpoint.finished. */
int ad__clear_checkpoints(struct ad_training *t);

/* --- evaluate.c: the first examples of dev with one vector, for what that takes. Collective. */
int ad__evaluate_first(struct ad_training *t, struct ad_replica theta, size_t count);

/* A variant's parameters [P] into `out`; the frozen ones are the student's. */
void ad__copy_parameters(const struct ad_training *t, const float *theta, float *out);

/* --- result.c: variants/, model/ and result.json: the latter last, it says that the run is complete. Collective. */
int ad__keep_result(struct ad_training *t);

/* --- snapshots.c (store/snapshot.h), if the configuration asks for any: `plan` before the run folder is made, once the
 * trainer is there (AD_ECONFIG: settings, budget); `open` after it, with the snapshot of step 0 where the run begins;
 * `watch` before and `keep` after each step; `flush` before a checkpoint is committed and at the end. Collective but
 * for `watch` and `close`. */
int ad__plan_snapshots(struct ad_training *t);
int ad__open_snapshots(struct ad_training *t);
void ad__watch_step(struct ad_training *t);
int ad__keep_snapshot(struct ad_training *t, const struct ad_step *step);
int ad__flush_snapshots(struct ad_training *t);
void ad__close_snapshots(struct ad_training *t);

/* Writes the snapshots of a run that failed with `status` by its own numbers, as they tell why; returns status, its
 * message kept. Not collective. */
int ad__keep_diverged(struct ad_training *t, int status);

/* Bytes that this rank holds of them at most, and of all of them before compression. */
size_t ad__snapshot_memory(const struct ad_training *t);
uint64_t ad__snapshot_bytes(const struct ad_training *t);

/* --- memory.c: finds what a rank will hold, says it, and after the last step what it held. Collective. */
int ad__predict_memory(struct ad_training *t);
void ad__tell_memory(const struct ad_training *t);
int ad__report_memory(struct ad_training *t);

/* --- plan.c: the exchange of ranks that are not there, where there are such. AD_ENOMEM. */
int ad__imagine_exchange(struct ad_training *t);

/* Proportional set size of this process: shared memory counts by its share. 0 where the system does not tell. */
size_t ad__resident(void);

#endif
