/* ranks: 1 2 3 5 8 */
/* The exchange of a training step against the same sums computed alone, bit by bit: on one node, on many, and in
 * between. */
#include "autodidact/mpi/exchange.h"

#include <math.h>

#include "autodidact/base/memory.h"
#include "comm_internal.h"
#include "steps.h"

/* How ranks are put on nodes. */
enum mapping { ONE_NODE, OWN_NODES, PAIRS, ALTERNATE, UNEVEN, MAPPINGS };

static struct ad_comm *make_comm(enum mapping mapping) {
  struct ad_comm *comm;
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const int groups[MAPPINGS] = {[PAIRS] = rank / 2, [ALTERNATE] = rank % 2, [UNEVEN] = rank > 0};
  CHECK((mapping <= OWN_NODES ? ad_comm_create(&comm, mapping == ONE_NODE)
                              : ad_comm_create_groups(&comm, groups[mapping])) == AD_OK);
  return comm;
}

struct run {
  struct steps steps;
  struct ad_comm *comm;
  struct ad_mpi_exchange *exchange;
  const struct ad_exchange *table;
  struct ad_shared replica;
  float *theta;                   /* [P] of the node */
  float *expected, *gradient;     /* [floats] */
  double *squares;                /* [floats]: blocks are fewer */
  float *elsewhere[AD_MAX_PARTS]; /* [floats] partial sums that are not in the exchange's own memory */
};

static void run_create(struct run *r, enum mapping mapping, size_t lanes, int whole, enum ad_reduction reduction) {
  *r = (struct run){.comm = make_comm(mapping)};
  steps_create(&r->steps, &small, lanes);
  r->steps.integers = reduction == AD_REDUCTION_NATIVE;
  const size_t floats = steps_floats(&r->steps);
  CHECK(ad_mpi_exchange_create(&r->exchange, r->comm, r->steps.kernels, &r->steps.params, lanes, floats, whole,
                               reduction) == AD_OK);
  r->table = ad_mpi_exchange_table(r->exchange);
  CHECK(ad_shared_create(&r->replica, r->comm,
                         ad_comm_node_first(r->comm) ? r->steps.params.count * sizeof(float) : 0) == AD_OK);
  r->theta = (float *)(void *)r->replica.part[0];
  r->expected = malloc(floats * sizeof(float));
  r->gradient = malloc(floats * sizeof(float));
  r->squares = malloc(floats * sizeof(double));
  for (size_t p = 0; p < AD_MAX_PARTS; p++) {
    r->elsewhere[p] = malloc(floats * sizeof(float));
    CHECK(r->elsewhere[p] != NULL);
  }
  CHECK(r->expected != NULL && r->gradient != NULL && r->squares != NULL);
}

static void run_destroy(struct run *r) {
  for (size_t p = 0; p < AD_MAX_PARTS; p++) {
    free(r->elsewhere[p]);
  }
  free(r->expected);
  free(r->gradient);
  free(r->squares);
  ad_shared_destroy(&r->replica);
  ad_mpi_exchange_destroy(r->exchange);
  ad_comm_destroy(r->comm);
  steps_destroy(&r->steps);
}

/* And the sums of squares of its blocks. */
static void end_bucket(void *context, uint32_t bucket) {
  struct run *r = context;
  const struct steps *s = &r->steps;
  size_t begin, end;
  steps_end(s, r->table, bucket, r->gradient, r->squares, r->expected, &begin, &end);
  for (size_t at = begin, next; at < end; at = next) {
    next = ad_compact_block_end(&s->params, bucket, &s->rows, at, end);
    double sum = 0.0;
    for (size_t i = at; i < next; i++) {
      sum += (double)r->expected[i] * (double)r->expected[i];
    }
    const double found = r->squares[ad_compact_blocks(&s->params, bucket, &s->rows, at)];
    CHECK(fabs(found - sum) <= 1e-12 * sum);
  }
}

static void share_and_sum(struct run *r) {
  enum { MOST = 7 };
  const struct ad_exchange *x = r->table;
  size_t counts[64], total = 0, at = 0;
  double values[64 * MOST];
  for (uint32_t rank = 0; rank < x->size; rank++) {
    counts[rank] = (rank * 3 + r->steps.step) % MOST; /* 0 among them */
    at = rank == x->rank ? total : at;
    total += counts[rank];
  }
  for (size_t i = 0; i < total; i++) {
    values[i] = i >= at && i < at + counts[x->rank] ? 1.0 / (double)(i + 1 + r->steps.step) : -1.0;
  }
  CHECK(x->share(x->context, counts, values) == AD_OK);
  for (size_t i = 0; i < total; i++) {
    CHECK(values[i] == 1.0 / (double)(i + 1 + r->steps.step));
  }
  enum { SUMS = 5 };
  uint64_t sums[SUMS], expected[SUMS] = {0};
  for (size_t i = 0; i < SUMS; i++) {
    sums[i] = steps_mix(SUMS * (x->shard + r->steps.step) + i);
    for (uint32_t shard = 0; shard < x->shards; shard++) {
      expected[i] += steps_mix(SUMS * (shard + r->steps.step) + i);
    }
  }
  CHECK(x->sum(x->context, SUMS, sums) == AD_OK);
  CHECK(memcmp(sums, expected, sizeof sums) == 0);
}

static void test_steps(enum mapping mapping, size_t lanes, int whole, enum ad_reduction reduction) {
  struct run run;
  run_create(&run, mapping, lanes, whole, reduction);
  for (size_t step = 0; step < 7; step++) {
    steps_begin(&run.steps, step, step == 5 ? 40 : 2,
                step % 3 == 0   ? LANES_ALL
                : step % 3 == 1 ? LANES_SOME
                                : LANES_ONE);
    steps_reduce(&run.steps, run.table, step % 2 == 0 ? NULL : run.elsewhere, end_bucket, &run);
    share_and_sum(&run);
    if (!whole) {
      steps_publish(&run.steps, run.table, run.theta);
    }
  }
  const struct ad_mpi_traffic traffic = ad_mpi_exchange_traffic(run.exchange);
  CHECK(ad_comm_nodes(run.comm) > 1 || (traffic.messages == 0 && traffic.bytes == 0));
  run_destroy(&run);
}

static void test_nodes(void) {
  for (enum mapping mapping = 0; mapping < MAPPINGS; mapping++) {
    struct ad_comm *comm = make_comm(mapping);
    const uint32_t R = ad_comm_size(comm), rank = ad_comm_rank(comm);
    const uint32_t nodes[MAPPINGS] = {1, R, (R + 1) / 2, R > 1 ? 2 : 1, R > 1 ? 2 : 1};
    const uint32_t first[MAPPINGS] = {0, rank, rank / 2 * 2, rank % 2, rank > 0};
    CHECK(ad_comm_nodes(comm) == nodes[mapping]);
    CHECK(ad_comm_node_first(comm) == (first[mapping] == rank));
    ad_comm_wait(comm);
    ad_comm_destroy(comm);
  }
}

static void test_more_ranks_than_lanes(void) {
  struct run run;
  run_create(&run, ONE_NODE, 8, 0, AD_REDUCTION_ORDERED);
  const size_t R = ad_comm_size(run.comm);
  struct ad_mpi_exchange *other;
  if (R > 1) {
    CHECK(ad_mpi_exchange_create(&other, run.comm, run.steps.kernels, &run.steps.params, R - 1, 100, 0,
                                 AD_REDUCTION_ORDERED) == AD_ECONFIG);
    CHECK(other == NULL && strstr(ad_error_message(), "batch.lanes") != NULL);
  }
  run_destroy(&run);
}

/* Every allocation of collective calls fails once, on all ranks alike. */
static void test_memory(void) {
  const size_t before = ad_memory_stats().live_blocks;
  for (int call = 0; call < 4; call++) {
    int status = AD_ENOMEM;
    for (unsigned long n = 1; status != AD_OK; n++) {
      struct steps steps;
      struct ad_comm *comm = NULL;
      struct ad_mpi_exchange *exchange = NULL;
      struct ad_shared shared = {0};
      size_t counts[64] = {0};
      steps_create(&steps, &small, 8);
      if (call > 0) {
        comm = make_comm(ONE_NODE);
      }
      ad_memory_fail_at(n);
      status = call == 0   ? ad_comm_create(&comm, 1)
               : call == 1 ? ad_mpi_exchange_create(&exchange, comm, steps.kernels, &steps.params, 8, 64, 0,
                                                    AD_REDUCTION_ORDERED)
               : call == 2 ? ad_shared_create(&shared, comm, 100)
                           : ad_comm_gather_rows(comm, counts, 4, counts);
      ad_memory_fail_at(0);
      CHECK(status == AD_OK || status == AD_ENOMEM);
      ad_mpi_exchange_destroy(exchange);
      ad_shared_destroy(&shared);
      ad_comm_destroy(comm);
      steps_destroy(&steps);
      CHECK(ad_memory_stats().live_blocks == before);
    }
  }
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  test_nodes();
  for (size_t lanes = 8; lanes <= 13; lanes += 5) {
    for (enum mapping mapping = 0; mapping < MAPPINGS; mapping++) {
      test_steps(mapping, lanes, 0, AD_REDUCTION_ORDERED);
      test_steps(mapping, lanes, 0, AD_REDUCTION_NATIVE);
    }
    test_steps(OWN_NODES, lanes, 1, AD_REDUCTION_ORDERED);
    test_steps(OWN_NODES, lanes, 1, AD_REDUCTION_NATIVE);
  }
  test_more_ranks_than_lanes();
  test_memory();
  CHECK(ad_memory_stats().live_blocks == 0);
  MPI_Finalize();
  return 0;
}
