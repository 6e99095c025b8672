/* What the files of mpi/ know of a communicator. Not installed. */
#ifndef AUTODIDACT_MPI_COMM_INTERNAL_H
#define AUTODIDACT_MPI_COMM_INTERNAL_H

#include <mpi.h>

#include "autodidact/mpi/comm.h"

/* Debug builds (assertions on) check that all ranks passed the same values; both sides of `if (AD_DEBUG)` always
 * compile. */
#ifdef NDEBUG
enum { AD_DEBUG = 0 };
#else
enum { AD_DEBUG = 1 };
#endif

/* All tags of point-to-point messages; nobody sends the first. */
enum ad_tag { AD_TAG_NONE, AD_TAG_REDUCE, AD_TAG_PUBLISH, AD_TAG_CHECKPOINT, AD_TAG_STOP };

struct ad_comm {
  MPI_Comm world, node;
  int rank, size;
  int node_rank, node_size;
  int nodes, own_node;
  int *node_of;    /* [size] node number of each rank, numbered by their lowest rank */
  int *node_begin; /* [nodes + 1] into members */
  int *members;    /* [size] ranks by node, ascending inside */
  int *gather;     /* [2 size] work memory of gathers: counts, displacements */
};

/* The ranks of `from`, those of a node cut further by `group`, as ad_comm_create_groups. Collective over `from`. */
int ad_mpi_comm_create(struct ad_comm **comm, MPI_Comm from, int group);

/* All ranks that the library works on: the caller's of ad_mpi_start_on, else MPI_COMM_WORLD. Not collective. */
MPI_Comm ad_mpi_ranks(void);

/* ad_mpi_end on any communicator that nothing else uses. */
int ad_mpi_end_on(MPI_Comm comm, int status, int *alone);

/* As ad_comm_settle, over any communicator. Collective over it. */
int ad_mpi_settle(MPI_Comm comm, int status);

/* A count that MPI can take: bytes or items above INT_MAX are AD_EINTERNAL. */
int ad_mpi_count(size_t count, int *narrow);

/* AD_OK where all ranks passed the same values [count]; otherwise AD_EINTERNAL on every rank, the message naming
 * `what`, the place, and the least and the greatest value. Collective over the world. */
int ad_comm_agree(const struct ad_comm *comm, const char *what, size_t count, const size_t *values);

/* AD_DEBUG as this library was compiled. Not collective. */
int ad_comm_debug(void);

/* The rank of node `node` that works for rank `owner`: the owner itself on its own node. */
int ad_comm_delegate(const struct ad_comm *comm, int node, int owner);

#endif
