/* A checkpoint of a training over all ranks: written by all ranks or through one, read by each rank for itself.
 *
 * A file is there whole or not at all: written under a temporary name, closed, synced, renamed by rank 0. Letters: P
 * parameters, R ranks. Words: docs/glossary.md. */
#ifndef AUTODIDACT_MPI_CHECKPOINT_H
#define AUTODIDACT_MPI_CHECKPOINT_H

#include "autodidact/base/choices.h"
#include "autodidact/mpi/comm.h"
#include "autodidact/store/checkpoint.h"

/* Where the vectors are. A rank gives and takes the pieces of the shard `rank` of R (model/shard.h), rank 0 also frozen
 * buckets of vector 0; `whole` vectors are rank 0's alone. */
struct ad_checkpoint_vectors {
  const struct ad_params *params;
  const struct ad_state_vector *list; /* [count] */
  size_t count;
  int last_is_whole; /* 1: only rank 0 has the last one */
  void *context;
  /* Address of a piece from `flat` on, or NULL: not in memory, then the two below read and write it. */
  void *(*place)(void *context, size_t vector, size_t slot, uint32_t bucket, size_t flat);
  int (*read)(void *context, size_t vector, size_t slot, uint32_t bucket, size_t flat, size_t count, void *values);
  /* all: a rank takes whole buckets, not its shard's part (an unsharded update). */
  int (*write)(void *context, size_t vector, size_t slot, uint32_t bucket, size_t flat, size_t count,
               const void *values);
  int all;
  int (*midway)(void *context); /* or NULL: called on each rank when the vectors are in the file, not yet complete */
};

/* Writes the checkpoint of `step` of the run folder `run`; state (JSON) as rank 0 has it. Collective over the world;
 * the status is the same on all ranks. AD_EIO (no room: bytes planned and free; a failing write), AD_ENOMEM. Then no
 * file of that name is new, and no part of one is left. */
int ad_mpi_checkpoint_save(const struct ad_comm *comm, const char *run, uint64_t step, const char *state,
                           const struct ad_checkpoint_vectors *vectors, enum ad_writer writer);

/* Puts the vectors of a checkpoint in place and checks their digests. *state is the caller's (ad_free). Collective over
 * the world; the status is the same on all ranks. AD_EINPUT (damaged: which vector), AD_ECONFIG (it holds other vectors
 * than these settings need), AD_ENOMEM. After a failure the vectors hold anything. */
int ad_mpi_checkpoint_load(const struct ad_comm *comm, const char *path, const struct ad_checkpoint_vectors *vectors,
                           char **state);

/* Compares the vectors with a checkpoint's digests, bit by bit therefore, without reading its values. Collective over
 * the world; the status is the same on all ranks. AD_OK: equal. AD_EINPUT: the first row that differs, or what is not
 * there. AD_ENOMEM. */
int ad_mpi_checkpoint_compare(const struct ad_comm *comm, const char *path,
                              const struct ad_checkpoint_vectors *vectors);

#endif
