/* Ordered reduction and publication of MiniLM-L6's parameters (22.7 M floats) against MPI_Allreduce of the same vector,
 * in turn.
 *
 *   mpirun -n 2 build/release/tests/bench/bench_exchange [REPETITIONS [SHARED]]
 *
 * Prints the medians in milliseconds and their ratio; beside them MPI_Allreduce bucket by bucket in a buffer of one
 * bucket, which stays in the cache more easily. The ordered way is what a training step does: partial sums bucket by
 * bucket through the exchange of mpi/exchange.h, the owners' shards into their replica (a plain copy here, where
 * training has the update), and from there to the others'. SHARED (1): 0 gives each rank a replica of its own, as on
 * nodes of one rank each. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/order.h"
#include "autodidact/mpi/exchange.h"
#include "bench.h"

enum { LANES = 8, MOST = 1000 };

/* One ordered exchange of all buckets; every row of the word embedding counts as touched, so that all 22.7 M floats
 * move. */
static int exchange_all(const struct ad_exchange *x, const struct ad_params *params, const struct ad_rows *rows,
                        const size_t *lane_begin, float *reduced, double *squares, float *theta) {
  struct ad_span parts[AD_MAX_PARTS];
  const size_t count =
      ad_tree_parts(LANES, ad_lanes_first(LANES, x->size, x->rank), ad_lanes_first(LANES, x->size, x->rank + 1), parts);
  const float *gradient;
  AD_TRY(x->step_begin(x->context, rows, lane_begin));
  for (uint32_t b = params->buckets; b-- > 0;) {
    struct ad_partial partials[AD_MAX_PARTS];
    for (size_t p = 0; p < count; p++) {
      partials[p] = (struct ad_partial){.span = parts[p], .values = x->place(x->context, b, p)};
    }
    AD_TRY(x->reduce_begin(x->context, b, partials, count));
    AD_TRY(x->reduce_end(x->context, b, reduced, squares, &gradient));
    size_t begin, end;
    ad_shard_range(params, b, x->rank, x->size, &begin, &end);
    memcpy(theta + begin, gradient, (end - begin) * sizeof *theta);
  }
  const struct ad_weights weights = ad_weights_float32(theta);
  return x->publish(x->context, 1, &weights);
}

/* A step that touches all rows and has an example in each lane. *floats: the most of a bucket. */
static int touch_all(const struct ad_params *params, struct ad_rows *rows, size_t *lane_begin, size_t *floats) {
  AD_TRY(ad_rows_create(rows, bench_minilm.vocab));
  for (uint32_t id = 0; id < bench_minilm.vocab; id++) {
    ad_rows_add(rows, 1, &id);
  }
  ad_rows_order(rows);
  for (size_t lane = 0; lane <= LANES; lane++) {
    lane_begin[lane] = lane;
  }
  *floats = 0;
  for (uint32_t b = 0; b < params->buckets; b++) {
    const size_t count = ad_compact_count(params, b, rows);
    *floats = count > *floats ? count : *floats;
  }
  return AD_OK;
}

static int run(int repetitions, int shared) {
  struct ad_params params;
  struct ad_comm *comm;
  struct ad_rows rows;
  struct ad_shared replica;
  struct ad_mpi_exchange *exchange;
  size_t lane_begin[LANES + 1], floats;
  static double ordered[MOST], native[MOST], buckets[MOST];
  AD_TRY(ad_params_create(&params, &bench_minilm));
  AD_TRY(ad_comm_create(&comm, shared));
  AD_TRY(touch_all(&params, &rows, lane_begin, &floats));
  AD_TRY(ad_shared_create(&replica, comm, ad_comm_node_first(comm) ? params.count * sizeof(float) : 0));
  AD_TRY(
      ad_mpi_exchange_create(&exchange, comm, ad_kernels_find(NULL), &params, LANES, floats, 0, AD_REDUCTION_ORDERED));
  float *vector = ad_calloc(params.count, sizeof *vector), *reduced = ad_calloc(floats, sizeof *reduced);
  double *squares = ad_calloc(floats, sizeof *squares);
  if (vector == NULL || reduced == NULL || squares == NULL) {
    return ad_fail_memory(params.count * sizeof *vector + floats * sizeof *squares, "the vectors");
  }
  for (int r = -2; r < repetitions; r++) {
    ad_comm_wait(comm);
    const double start = ad_clock();
    AD_TRY(exchange_all(ad_mpi_exchange_table(exchange), &params, &rows, lane_begin, reduced, squares,
                        (float *)(void *)replica.part[0]));
    ad_comm_wait(comm);
    const double middle = ad_clock();
    MPI_Allreduce(MPI_IN_PLACE, vector, (int)params.count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    ad_comm_wait(comm);
    const double late = ad_clock();
    for (uint32_t b = params.buckets; b-- > 0;) {
      MPI_Allreduce(MPI_IN_PLACE, reduced, (int)(params.bucket_begin[b + 1] - params.bucket_begin[b]), MPI_FLOAT,
                    MPI_SUM, MPI_COMM_WORLD);
    }
    ad_comm_wait(comm);
    if (r >= 0) {
      ordered[r] = 1e3 * (middle - start);
      native[r] = 1e3 * (late - middle);
      buckets[r] = 1e3 * (ad_clock() - late);
    }
  }
  if (ad_comm_rank(comm) == 0) {
    const double a = bench_median(ordered, (size_t)repetitions), b = bench_median(native, (size_t)repetitions);
    printf(
        "%zu floats, %u ranks on %u nodes, median of %d: ordered %.2f ms, MPI_Allreduce %.2f ms, ratio %.2f; "
        "MPI_Allreduce bucket by bucket %.2f ms\n",
        params.count, ad_comm_size(comm), ad_comm_nodes(comm), repetitions, a, b, a / b,
        bench_median(buckets, (size_t)repetitions));
  }
  ad_free(vector);
  ad_free(reduced);
  ad_free(squares);
  ad_mpi_exchange_destroy(exchange);
  ad_shared_destroy(&replica);
  ad_rows_destroy(&rows);
  ad_comm_destroy(comm);
  ad_params_destroy(&params);
  return AD_OK;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  const int repetitions = argc > 1 ? atoi(argv[1]) : 15;
  const int shared = argc > 2 ? atoi(argv[2]) : 1;
  const int status = repetitions >= 1 && repetitions <= MOST ? run(repetitions, shared)
                                                             : ad_fail(AD_ECONFIG, "repetitions: 1 to %d", MOST);
  if (status != AD_OK) {
    fprintf(stderr, "%s\n", ad_error_message());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
  return 0;
}
