/* The exchange of a training step over MPI: ordered reduction by the fixed tree, shards, replicas once per node.
 *
 * The ranks of a node see each other's partial sums of a bucket in shared memory. For each shard one rank of the node
 * adds in place what the tree allows: the owner on its own node, a delegate elsewhere. Delegates send the result to the
 * owner, which finishes the tree. Where each rank is a node of its own every rank is a delegate of all. Parameters go
 * the other way. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MPI_EXCHANGE_H
#define AUTODIDACT_MPI_EXCHANGE_H

#include "autodidact/base/choices.h"
#include "autodidact/learn/exchange.h"
#include "autodidact/mpi/comm.h"

struct ad_mpi_exchange;

/* For steps of `lanes` lanes whose compact buckets have at most `floats` floats. whole: every rank updates everything
 * (then each rank needs a replica of its own: a communicator made without sharing). comm and params must outlive it.
 * Collective over the world. The caller owns it. AD_ENOMEM, AD_ECONFIG. */
int ad_mpi_exchange_create(struct ad_mpi_exchange **exchange, const struct ad_comm *comm,
                           const struct ad_kernels *kernels, const struct ad_params *params, size_t lanes,
                           size_t floats, int whole, enum ad_reduction reduction);
void ad_mpi_exchange_destroy(struct ad_mpi_exchange *exchange);

/* The table for the trainer; owned by the exchange. */
const struct ad_exchange *ad_mpi_exchange_table(const struct ad_mpi_exchange *exchange);

/* Messages and bytes that this rank has sent to other nodes so far, and bytes of its shared memory and buffers. */
struct ad_mpi_traffic {
  uint64_t messages, bytes;
  size_t memory;
};
struct ad_mpi_traffic ad_mpi_exchange_traffic(const struct ad_mpi_exchange *exchange);

#endif
