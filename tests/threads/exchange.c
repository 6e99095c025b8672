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

static void end_bucket(struct rank *r, uint32_t bucket) {
  const struct steps *s = &r->steps;
  const float *gradient;
  size_t flat_begin, flat_end, begin, end;
  ad_shard_range(&s->params, bucket, r->table->shard, r->table->shards, &flat_begin, &flat_end);
  ad_compact_range(&s->params, bucket, &s->rows, flat_begin, flat_end, &begin, &end);
  CHECK(r->table->reduce_end(r->table->context, bucket, r->own, r->squares, &gradient) == AD_OK);
  steps_sum(s, bucket, 0, s->W, r->expected);
  CHECK(memcmp(gradient, r->expected + begin, (end - begin) * sizeof(float)) == 0);
}

/* Buckets in the order of a backward, each begun while the one before is under way. */
static void reduce_all(struct rank *r, int in_place) {
  const struct steps *s = &r->steps;
  const struct ad_exchange *x = r->table;
  CHECK(x->step_begin(x->context, &s->rows, s->lane_begin) == AD_OK);
  for (uint32_t b = s->params.buckets; b-- > 0;) {
    struct ad_partial partials[AD_MAX_PARTS];
    struct ad_span parts[AD_MAX_PARTS];
    float *place[AD_MAX_PARTS];
    const size_t count =
        ad_tree_parts(s->W, ad_lanes_first(s->W, x->size, x->rank), ad_lanes_first(s->W, x->size, x->rank + 1), parts);
    for (size_t p = 0; p < count; p++) {
      place[p] = in_place ? x->place(x->context, b, p) : r->elsewhere[p];
    }
    steps_partials(s, b, x->rank, x->size, place, partials);
    if (b + 1 < s->params.buckets) {
      end_bucket(r, b + 1);
    }
    CHECK(x->reduce_begin(x->context, b, partials, count) == AD_OK);
    (void)x->reduce_ready(x->context);
  }
  end_bucket(r, 0);
}

/* Every rank writes its shard; afterwards all read all. */
static void publish_all(struct rank *r) {
  const struct ad_params *params = &r->steps.params;
  const uint64_t key = r->steps.step + 77;
  for (uint32_t b = 0; b < params->buckets; b++) {
    size_t begin, end;
    ad_shard_range(params, b, r->table->rank, r->table->size, &begin, &end);
    for (size_t i = begin; i < end; i++) {
      theta[i] = steps_value(key, i, 0);
    }
  }
  const struct ad_weights weights = ad_weights_float32(theta);
  CHECK(r->table->publish(r->table->context, 1, &weights) == AD_OK);
  for (size_t i = 0; i < params->count; i++) {
    CHECK(theta[i] == steps_value(key, i, 0));
  }
  CHECK(r->table->wait(r->table->context) == AD_OK);
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
    reduce_all(&r, step % 2 == 0);
    publish_all(&r);
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
