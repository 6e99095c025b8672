/* ranks: 1 2 3 4 7 8 16 32 64 */
/* Messages and bytes of a step, counted, against the formulas of docs/scaling.md. Ranks of one machine count as one
 * node, as nodes of their own, and as nodes of two and of four ranks. */
#include "autodidact/mpi/exchange.h"
#include "comm_internal.h"
#include "steps.h"

enum { LANES = 128 };

/* Of one rank, or of all together. */
struct traffic {
  uint64_t messages, bytes;
};

/* One step's exchange; the values do not matter here. */
static struct traffic count_step(const struct ad_mpi_exchange *exchange, const struct steps *s, float *theta,
                                 float *gradient, double *squares) {
  const struct ad_exchange *x = ad_mpi_exchange_table(exchange);
  const struct ad_mpi_traffic before = ad_mpi_exchange_traffic(exchange);
  const float *reduced;
  CHECK(x->step_begin(x->context, &s->rows, s->lane_begin) == AD_OK);
  for (uint32_t b = s->params.buckets; b-- > 0;) {
    struct ad_partial partials[AD_MAX_PARTS];
    struct ad_span parts[AD_MAX_PARTS];
    const size_t count =
        ad_tree_parts(s->W, ad_lanes_first(s->W, x->size, x->rank), ad_lanes_first(s->W, x->size, x->rank + 1), parts);
    for (size_t p = 0; p < count; p++) {
      partials[p] = (struct ad_partial){parts[p], 0, x->place(x->context, b, p)};
    }
    CHECK(x->reduce_begin(x->context, b, partials, count) == AD_OK);
    CHECK(x->reduce_end(x->context, b, gradient, squares, &reduced) == AD_OK);
  }
  const struct ad_weights weights = ad_weights_float32(theta);
  CHECK(x->publish(x->context, 1, &weights) == AD_OK);
  const struct ad_mpi_traffic after = ad_mpi_exchange_traffic(exchange);
  return (struct traffic){after.messages - before.messages, after.bytes - before.bytes};
}

/* Floats of a bucket that a rank owns: of the compact gradient, and of the parameters. */
static void owned(const struct steps *s, uint32_t bucket, size_t rank, size_t R, size_t *gradient, size_t *parameters) {
  size_t begin, end, compact_begin, compact_end;
  ad_shard_range(&s->params, bucket, (uint32_t)rank, (uint32_t)R, &begin, &end);
  ad_compact_range(&s->params, bucket, &s->rows, begin, end, &compact_begin, &compact_end);
  *gradient = compact_end - compact_begin;
  *parameters = end - begin;
}

/* Sums that node n of N hands in for a shard: the largest nodes of the tree inside its lanes. */
static size_t node_parts(const struct steps *s, size_t n, size_t R, size_t group) {
  struct ad_span parts[AD_MAX_PARTS];
  const size_t last = (n + 1) * group < R ? (n + 1) * group : R;
  return ad_tree_parts(s->W, ad_lanes_first(s->W, R, n * group), ad_lanes_first(s->W, R, last), parts);
}

/* All ranks: for each shard that is not empty, each other node sends its sums to the owner and gets the parameters
 * back. */
static struct traffic predict_all(const struct steps *s, size_t R, size_t group) {
  const size_t N = (R + group - 1) / group;
  struct traffic t = {0};
  for (uint32_t b = 0; b < s->params.buckets; b++) {
    for (size_t owner = 0; owner < R; owner++) {
      size_t gradient, parameters;
      owned(s, b, owner, R, &gradient, &parameters);
      for (size_t n = 0; n < N; n++) {
        if (n != owner / group) {
          t.messages += (gradient > 0 ? node_parts(s, n, R, group) : 0) + (parameters > 0);
          t.bytes += sizeof(float) * (gradient * node_parts(s, n, R, group) + parameters);
        }
      }
    }
  }
  return t;
}

/* The same in closed form, where all nodes hand in q sums: (N - 1) (q + 1) messages for each of the min(R, blocks)
 * shards of a bucket, and 4 (N - 1) (q G + P) bytes. Every row of the word embedding is touched. */
static struct traffic closed_form(const struct steps *s, size_t N, size_t R, size_t q) {
  uint64_t shards = 0, gradient = 0;
  for (uint32_t b = 0; b < s->params.buckets; b++) {
    const size_t total = s->params.bucket_begin[b + 1] - s->params.bucket_begin[b];
    const size_t words = b == 0 ? (size_t)small.vocab * small.hidden : 0;
    const size_t blocks = (b == 0 ? small.vocab : 0) + (total - words + AD_BLOCK - 1) / AD_BLOCK;
    shards += blocks < R ? blocks : R;
    gradient += total;
  }
  return (struct traffic){shards * (N - 1) * (q + 1), sizeof(float) * (N - 1) * (q * gradient + s->params.count)};
}

/* One rank that is a node of its own. */
static struct traffic predict_rank(const struct steps *s, size_t rank, size_t R) {
  struct traffic t = {0};
  const size_t p = node_parts(s, rank, R, 1);
  for (uint32_t b = 0; b < s->params.buckets; b++) {
    for (size_t owner = 0; owner < R; owner++) {
      size_t gradient, parameters;
      owned(s, b, owner, R, &gradient, &parameters);
      if (owner == rank) {
        t.messages += parameters > 0 ? R - 1 : 0;
        t.bytes += sizeof(float) * (R - 1) * parameters;
      } else {
        t.messages += gradient > 0 ? p : 0;
        t.bytes += sizeof(float) * p * gradient;
      }
    }
  }
  return t;
}

static int equal(struct traffic a, struct traffic b) {
  return a.messages == b.messages && a.bytes == b.bytes;
}

/* group: ranks of a node. */
static void test_nodes(struct steps *s, size_t R, size_t rank, size_t group) {
  struct ad_comm *comm;
  struct ad_mpi_exchange *exchange;
  struct ad_shared replica;
  const size_t floats = steps_floats(s), N = (R + group - 1) / group;
  CHECK(ad_comm_create_groups(&comm, (int)(rank / group)) == AD_OK);
  CHECK(ad_comm_nodes(comm) == N);
  CHECK(ad_mpi_exchange_create(&exchange, comm, s->kernels, &s->params, s->W, floats, 0, AD_REDUCTION_ORDERED) ==
        AD_OK);
  CHECK(ad_shared_create(&replica, comm, ad_comm_node_first(comm) ? s->params.count * sizeof(float) : 0) == AD_OK);
  float *gradient = malloc(floats * sizeof *gradient);
  double *squares = malloc(floats * sizeof *squares);
  CHECK(gradient != NULL && squares != NULL);
  for (size_t step = 0; step < 3; step++) {
    steps_begin(s, step, 1 + step, LANES_ALL);
    struct traffic counted = count_step(exchange, s, (float *)(void *)replica.part[0], gradient, squares);
    CHECK(group > 1 || equal(counted, predict_rank(s, rank, R)));
    MPI_Allreduce(MPI_IN_PLACE, &counted.messages, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &counted.bytes, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    CHECK(equal(counted, predict_all(s, R, group)));
    const size_t q = node_parts(s, 0, R, group);
    int same = step == 0;
    for (size_t n = 1; n < N; n++) {
      same = same && node_parts(s, n, R, group) == q;
    }
    CHECK(!same || equal(counted, closed_form(s, N, R, q)));
    CHECK(N > 1 || (counted.messages == 0 && counted.bytes == 0));
    if (rank == 0 && step == 0) {
      printf("%zu ranks, %zu nodes: %llu messages, %llu bytes a step%s\n", R, N, (unsigned long long)counted.messages,
             (unsigned long long)counted.bytes, same ? ", as the closed form says" : "");
    }
  }
  free(gradient);
  free(squares);
  ad_shared_destroy(&replica);
  ad_mpi_exchange_destroy(exchange);
  ad_comm_destroy(comm);
}

int main(int argc, char **argv) {
  int rank, size;
  struct steps steps;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  steps_create(&steps, &small, LANES);
  const size_t groups[] = {1, 2, 4, (size_t)size};
  for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
    test_nodes(&steps, (size_t)size, (size_t)rank, groups[g]);
  }
  steps_destroy(&steps);
  MPI_Finalize();
  return 0;
}
