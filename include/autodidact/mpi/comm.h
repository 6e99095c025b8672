/* Communicators of the program's own, and which ranks share a node's memory. What is said of the world below is, for a
 * communicator made among other ranks, said of those.
 *
 * Letters: R ranks. Library messages never mix with others': everything here is duplicated from the world. Words:
 * docs/glossary.md. */
#ifndef AUTODIDACT_MPI_COMM_H
#define AUTODIDACT_MPI_COMM_H

#include <stddef.h>
#include <stdint.h>

/* Opaque here: only mpi/ knows mpi.h. */
struct ad_comm;

/* Splits the world. shared: ranks of one node share memory; 0: each rank counts as a node of its own. Collective over
 * the world. The caller owns it. AD_ENOMEM, AD_EINTERNAL. */
int ad_comm_create(struct ad_comm **comm, int shared);

/* The same of the ranks of another communicator (NULL: of the world), over which it is then collective. */
int ad_comm_create_among(struct ad_comm **comm, const struct ad_comm *ranks, int shared);

/* The same where a node is cut further: ranks of one node with the same group number (>= 0) count as a node. For one
 * replica a NUMA domain, and for several nodes on one machine in tests. Collective over the world. AD_ENOMEM. */
int ad_comm_create_groups(struct ad_comm **comm, int group);

/* Collective over the world. NULL is allowed. */
void ad_comm_destroy(struct ad_comm *comm);

/* Not collective. */
uint32_t ad_comm_rank(const struct ad_comm *comm);
uint32_t ad_comm_size(const struct ad_comm *comm);
uint32_t ad_comm_nodes(const struct ad_comm *comm);
uint32_t ad_comm_node_size(const struct ad_comm *comm); /* ranks of this node */
int ad_comm_node_first(const struct ad_comm *comm);     /* 1 on the first rank of its node */

/* AD_OK where all ranks passed the same text; otherwise AD_ECONFIG on every rank, the message naming `what`, two ranks
 * and both their texts. Collective over the world. */
int ad_comm_same(const struct ad_comm *comm, const char *what, const char *text);

/* Gathers rows: counts[r] rows of `row` bytes from rank r; `data` [sum of counts] holds this rank's rows at their
 * place, on return all rows on every rank. Counts are the same on all ranks. Collective over the world. AD_EINTERNAL
 * (more rows than one message can count; in debug builds counts that differ), AD_ENOMEM. */
int ad_comm_gather_rows(const struct ad_comm *comm, const size_t *counts, size_t row, void *data);

/* The worst status of all ranks, on every rank; where one failed, every rank has the message of the lowest that did. So
 * all continue or all stop. Collective over the world. */
int ad_comm_settle(const struct ad_comm *comm, int status);

/* Rank 0's bytes [size] become everybody's. Collective over the world. AD_EINTERNAL (more than a message can count). */
int ad_comm_broadcast(const struct ad_comm *comm, size_t size, void *data);

/* The largest of one number, and the sums modulo 2^64 of several [count], over all ranks. Collective over the world.
 * AD_EINTERNAL (more than a message can count). */
uint64_t ad_comm_largest(const struct ad_comm *comm, uint64_t value);
int ad_comm_sum(const struct ad_comm *comm, size_t count, uint64_t *values);

/* Waits for all ranks. Collective over the world. */
void ad_comm_wait(const struct ad_comm *comm);

/* Memory that the ranks of a node share: each rank's part has `bytes` bytes, aligned to 64 and zeroed. It has no name
 * and is in no folder (memfd_create), so the size of /dev/shm does not matter. Its pages are taken when it is made:
 * later stores cannot fail. */
struct ad_shared {
  char *memory; /* all parts; NULL: none */
  size_t size;
  char **part; /* [ranks of the node] address of each rank's part, in the node's order of ranks; owned */
  char *own;   /* this rank's part */
};

/* Collective over the node, whose ranks all fail together. AD_ENOMEM: the memory is not there, or no file of that size
 * is allowed; names both sizes. AD_EIO: the ranks may not open each other's memory. The caller owns it. */
int ad_shared_create(struct ad_shared *shared, const struct ad_comm *comm, size_t bytes);
void ad_shared_destroy(struct ad_shared *shared);

/* Waits for the node's ranks; what they wrote to shared memory before is then seen by all. Collective over the node. */
void ad_shared_wait(const struct ad_shared *shared, const struct ad_comm *comm);

#endif
