/* The exchange of a training step with threads in place of the ranks of a node, for the thread sanitizer. It cannot
 * look into memory that processes share; here the same code shares it among threads. What mpi/ gives the exchange
 * besides is replaced below. Nothing but the exchange's own counters orders the partial sums, and only the barrier the
 * parameters. */
#include "autodidact/mpi/exchange.h"

#include <pthread.h>
#include <sched.h>

#include "comm_internal.h"
#include "mpi/steps.h"

enum { MOST_RANKS = 5, LANES = 8, STEPS = 7 };

static int ranks;
static pthread_barrier_t barrier;
static char *memory[MOST_RANKS]; /* the parts of the shared memory */
static float *theta;             /* [P] the replica of the node */

/* Plain counters of a process that has one thread (base/memory.c). */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
  return "race_top:ad_malloc\nrace_top:ad_free\n";
}

int ad_shared_create(struct ad_shared *shared, const struct ad_comm *comm, size_t bytes) {
  memory[comm->rank] = aligned_alloc(64, (bytes + 63) / 64 * 64);
  CHECK(memory[comm->rank] != NULL);
  pthread_barrier_wait(&barrier);
  *shared = (struct ad_shared){.part = memory, .own = memory[comm->rank]};
  return AD_OK;
}

void ad_shared_destroy(struct ad_shared *shared) {
  pthread_barrier_wait(&barrier);
  free(shared->own);
}

void ad_shared_wait(const struct ad_shared *shared, const struct ad_comm *comm) {
  (void)shared;
  (void)comm;
  pthread_barrier_wait(&barrier);
}

int ad_comm_agree(const struct ad_comm *comm, const char *what, size_t count, const size_t *values) {
  (void)comm;
  (void)what;
  (void)count;
  (void)values;
  return AD_OK;
}

int ad_comm_gather_rows(const struct ad_comm *comm, const size_t *counts, size_t row, void *data) {
  (void)comm;
  (void)counts;
  (void)row;
  (void)data;
  return AD_EINTERNAL;
}

int ad_comm_delegate(const struct ad_comm *comm, int node, int owner) {
  (void)comm;
  (void)node;
  return owner;
}

int ad_mpi_count(size_t count, int *narrow) {
  *narrow = (int)count;
  return AD_OK;
}

/* One node has no messages. */
int MPI_Iprobe(int source, int tag, MPI_Comm comm, int *flag, MPI_Status *status) {
  (void)source;
  (void)tag;
  (void)comm;
  (void)status;
  *flag = 0;
  sched_yield();
  return MPI_SUCCESS;
}

int MPI_Waitall(int count, MPI_Request *requests, MPI_Status *statuses) {
  (void)requests;
  (void)statuses;
  CHECK(count == 0);
  return MPI_SUCCESS;
}

struct rank {
  struct steps steps;
  const struct ad_exchange *table;
  float *own, *expected, *elsewhere[AD_MAX_PARTS]; /* [floats] */
  double *squares;
};

static void end_bucket(void *context, uint32_t bucket) {
  struct rank *r = context;
  size_t begin, end;
  steps_end(&r->steps, r->table, bucket, r->own, r->squares, r->expected, &begin, &end);
}

static void *run_rank(void *number) {
  static int node_of[MOST_RANKS], members[MOST_RANKS] = {0, 1, 2, 3, 4};
  const int rank = *(int *)number;
  int node_begin[2] = {0, ranks}, gather[2 * MOST_RANKS];
  const struct ad_comm comm = {.rank = rank,
                               .size = ranks,
                               .node_rank = rank,
                               .node_size = ranks,
                               .nodes = 1,
                               .node_of = node_of,
                               .node_begin = node_begin,
                               .members = members,
                               .gather = gather};
  struct rank r = {0};
  struct ad_mpi_exchange *exchange;
  steps_create(&r.steps, &small, LANES);
  r.steps.kernels = ad_kernels_find("generic"); /* the sanitizer sees plain loads and stores */
  const size_t floats = steps_floats(&r.steps);
  r.own = malloc(floats * sizeof *r.own);
  r.expected = malloc(floats * sizeof *r.expected);
  r.squares = malloc(floats * sizeof *r.squares);
  for (size_t p = 0; p < AD_MAX_PARTS; p++) {
    r.elsewhere[p] = malloc(floats * sizeof(float));
  }
  CHECK(ad_mpi_exchange_create(&exchange, &comm, r.steps.kernels, &r.steps.params, LANES, floats, 0,
                               AD_REDUCTION_ORDERED) == AD_OK);
  r.table = ad_mpi_exchange_table(exchange);
  for (size_t step = 0; step < STEPS; step++) {
    steps_begin(&r.steps, step, 2, step % 2 == 0 ? LANES_ALL : LANES_SOME);
    steps_reduce(&r.steps, r.table, step % 2 == 0 ? NULL : r.elsewhere, end_bucket, &r);
    steps_publish(&r.steps, r.table, theta);
    CHECK(r.table->wait(r.table->context) == AD_OK);
  }
  ad_mpi_exchange_destroy(exchange);
  for (size_t p = 0; p < AD_MAX_PARTS; p++) {
    free(r.elsewhere[p]);
  }
  free(r.squares);
  free(r.expected);
  free(r.own);
  steps_destroy(&r.steps);
  return NULL;
}

int main(void) {
  struct ad_params params;
  CHECK(ad_params_create(&params, &small) == AD_OK);
  theta = malloc(params.count * sizeof *theta);
  for (ranks = 2; ranks <= MOST_RANKS; ranks += 3) {
    pthread_t threads[MOST_RANKS];
    int numbers[MOST_RANKS];
    pthread_barrier_init(&barrier, NULL, (unsigned)ranks);
    for (int r = 0; r < ranks; r++) {
      numbers[r] = r;
      CHECK(pthread_create(&threads[r], NULL, run_rank, &numbers[r]) == 0);
    }
    for (int r = 0; r < ranks; r++) {
      pthread_join(threads[r], NULL);
    }
    pthread_barrier_destroy(&barrier);
  }
  free(theta);
  ad_params_destroy(&params);
  return 0;
}
