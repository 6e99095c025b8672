#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "comm_internal.h"

int ad_mpi_count(size_t count, int *narrow) {
  if (count > INT_MAX) {
    return ad_fail(AD_EINTERNAL, "a message of %zu items, MPI counts at most %d", count, INT_MAX);
  }
  *narrow = (int)count;
  return AD_OK;
}

/* Numbers the nodes by their lowest world rank and lists their members. */
static int list_nodes(struct ad_comm *c) {
  int lowest = c->rank;
  MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, c->node);
  MPI_Allgather(&lowest, 1, MPI_INT, c->node_of, 1, MPI_INT, c->world);
  c->nodes = 0;
  for (int r = 0; r < c->size; r++) {
    /* A rank that is its node's lowest opens a node; the others take the number of their lowest. */
    c->node_of[r] = c->node_of[r] == r ? c->nodes++ : c->node_of[c->node_of[r]];
  }
  c->node_begin = ad_calloc((size_t)c->nodes + 1, sizeof *c->node_begin);
  if (c->node_begin == NULL) {
    return ad_fail_memory(((size_t)c->nodes + 1) * sizeof *c->node_begin, "the list of nodes");
  }
  int count = 0;
  for (int n = 0; n < c->nodes; n++) {
    c->node_begin[n] = count;
    for (int r = 0; r < c->size; r++) {
      if (c->node_of[r] == n) {
        c->members[count++] = r;
      }
    }
  }
  c->node_begin[c->nodes] = count;
  c->own_node = c->node_of[c->rank];
  return AD_OK;
}

int ad_comm_create(struct ad_comm **comm, int shared) {
  return ad_comm_create_among(comm, NULL, shared);
}

int ad_comm_create_among(struct ad_comm **comm, const struct ad_comm *ranks, int shared) {
  int rank;
  MPI_Comm from = ranks == NULL ? ad_mpi_ranks() : ranks->world;
  MPI_Comm_rank(from, &rank);
  return ad_mpi_comm_create(comm, from, shared ? 0 : rank);
}

int ad_comm_create_groups(struct ad_comm **comm, int group) {
  return ad_mpi_comm_create(comm, ad_mpi_ranks(), group);
}

int ad_mpi_comm_create(struct ad_comm **comm, MPI_Comm from, int group) {
  *comm = NULL;
  struct ad_comm *c = ad_calloc(1, sizeof *c);
  if (c == NULL) {
    return ad_fail_memory(sizeof *c, "a communicator");
  }
  MPI_Comm_dup(from, &c->world);
  MPI_Comm_rank(c->world, &c->rank);
  MPI_Comm_size(c->world, &c->size);
  MPI_Comm machine;
  MPI_Comm_split_type(c->world, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL, &machine);
  MPI_Comm_split(machine, group, c->rank, &c->node);
  MPI_Comm_free(&machine);
  MPI_Comm_rank(c->node, &c->node_rank);
  MPI_Comm_size(c->node, &c->node_size);
  c->node_of = ad_calloc((size_t)c->size, sizeof *c->node_of);
  c->members = ad_calloc((size_t)c->size, sizeof *c->members);
  c->gather = ad_calloc(2 * (size_t)c->size, sizeof *c->gather);
  int status = c->node_of == NULL || c->members == NULL || c->gather == NULL
                   ? ad_fail_memory(4 * sizeof(int) * (size_t)c->size, "the list of ranks")
                   : list_nodes(c);
  if (status != AD_OK) {
    ad_comm_destroy(c);
    return status;
  }
  *comm = c;
  return AD_OK;
}

void ad_comm_destroy(struct ad_comm *comm) {
  if (comm == NULL) {
    return;
  }
  MPI_Comm_free(&comm->node);
  MPI_Comm_free(&comm->world);
  ad_free(comm->node_of);
  ad_free(comm->node_begin);
  ad_free(comm->members);
  ad_free(comm->gather);
  ad_free(comm);
}

uint32_t ad_comm_rank(const struct ad_comm *comm) {
  return (uint32_t)comm->rank;
}
uint32_t ad_comm_size(const struct ad_comm *comm) {
  return (uint32_t)comm->size;
}
uint32_t ad_comm_nodes(const struct ad_comm *comm) {
  return (uint32_t)comm->nodes;
}
uint32_t ad_comm_node_size(const struct ad_comm *comm) {
  return (uint32_t)comm->node_size;
}

int ad_comm_node_first(const struct ad_comm *comm) {
  return comm->node_rank == 0;
}

int ad_comm_delegate(const struct ad_comm *comm, int node, int owner) {
  if (comm->node_of[owner] == node) {
    return owner;
  }
  const int begin = comm->node_begin[node], count = comm->node_begin[node + 1] - begin;
  return comm->members[begin + owner % count];
}

int ad_comm_same(const struct ad_comm *comm, const char *what, const char *text) {
  enum { LONGEST = 400 };
  char own[LONGEST] = "", first[LONGEST], other[LONGEST];
  snprintf(own, sizeof own, "%s", text);
  memcpy(first, own, sizeof first);
  MPI_Bcast(first, sizeof first, MPI_CHAR, 0, comm->world);
  /* The lowest rank that differs speaks for all. */
  int differs = strcmp(first, own) != 0 ? comm->rank : INT_MAX;
  MPI_Allreduce(MPI_IN_PLACE, &differs, 1, MPI_INT, MPI_MIN, comm->world);
  if (differs == INT_MAX) {
    return AD_OK;
  }
  memcpy(other, own, sizeof other);
  MPI_Bcast(other, sizeof other, MPI_CHAR, differs, comm->world);
  return ad_fail(AD_ECONFIG, "%s differs among the ranks: '%s' on rank 0, '%s' on rank %d", what, first, other,
                 differs);
}

int ad_comm_gather_rows(const struct ad_comm *comm, const size_t *counts, size_t row, void *data) {
  if (AD_DEBUG) {
    AD_TRY(ad_comm_agree(comm, "the width of a gathered row", 1, &row));
    AD_TRY(ad_comm_agree(comm, "the counts of a gather", (size_t)comm->size, counts));
  }
  MPI_Datatype type;
  int *table = comm->gather, width = 0;
  size_t total = 0;
  int status = ad_mpi_count(row, &width);
  for (int r = 0; status == AD_OK && r < comm->size; r++) {
    status = ad_mpi_count(total, &table[comm->size + r]);
    total += counts[r];
    if (status == AD_OK) {
      status = ad_mpi_count(counts[r], &table[r]);
    }
  }
  if (status == AD_OK) {
    MPI_Type_contiguous(width, MPI_BYTE, &type);
    MPI_Type_commit(&type);
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, table, table + comm->size, type, comm->world);
    MPI_Type_free(&type);
  }
  return status;
}

int ad_mpi_settle(MPI_Comm comm, int status) {
  enum { LONGEST = 2000 };
  char message[LONGEST] = "";
  int rank;
  MPI_Comm_rank(comm, &rank);
  int lowest = status < 0 ? rank : INT_MAX;
  MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, comm);
  if (lowest == INT_MAX) {
    return status;
  }
  snprintf(message, sizeof message, "%s", ad_error_message());
  MPI_Bcast(&status, 1, MPI_INT, lowest, comm);
  MPI_Bcast(message, sizeof message, MPI_CHAR, lowest, comm);
  return ad_fail(status, "%s", message);
}

int ad_comm_settle(const struct ad_comm *comm, int status) {
  return ad_mpi_settle(comm->world, status);
}

int ad_comm_broadcast(const struct ad_comm *comm, size_t size, void *data) {
  int count = 0;
  AD_TRY(ad_mpi_count(size, &count));
  MPI_Bcast(data, count, MPI_BYTE, 0, comm->world);
  return AD_OK;
}

uint64_t ad_comm_largest(const struct ad_comm *comm, uint64_t value) {
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_UINT64_T, MPI_MAX, comm->world);
  return value;
}

int ad_comm_sum(const struct ad_comm *comm, size_t count, uint64_t *values) {
  int narrow = 0;
  AD_TRY(ad_mpi_count(count, &narrow));
  MPI_Allreduce(MPI_IN_PLACE, values, narrow, MPI_UINT64_T, MPI_SUM, comm->world);
  return AD_OK;
}

void ad_comm_wait(const struct ad_comm *comm) {
  MPI_Barrier(comm->world);
}
