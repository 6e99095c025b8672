/* A checkpoint that is open: shared by the files that write and read one. Not installed. */
#ifndef AUTODIDACT_STORE_CHECKPOINT_INTERNAL_H
#define AUTODIDACT_STORE_CHECKPOINT_INTERNAL_H

#include <hdf5.h>

#include "autodidact/store/checkpoint.h"

enum { CHECKPOINT_FORMAT = 1, CHECKPOINT_REASON = 200 };

struct ad_checkpoint {
  char *path;
  hid_t file;
  size_t P, count;
  uint64_t step;
  char *state;                      /* JSON; of one that is read */
  char names[AD_STATE_VECTORS][32]; /* of the vectors */
  struct ad_state_vector vectors[AD_STATE_VECTORS];
  hid_t flat[AD_STATE_VECTORS];
};

/* An empty one; NULL: out of memory, recorded. */
struct ad_checkpoint *checkpoint_allocate(const char *path);

/* Records "PATH: what: HDF5's reason" and returns the status. */
int checkpoint_fail(const struct ad_checkpoint *c, int status, const char *what);

/* The type of a vector's elements in memory, and how many dimensions it has. */
hid_t checkpoint_memory_type(const struct ad_state_vector *vector);
int checkpoint_rank(const struct ad_state_vector *vector);

/* The dataspace of a vector with [flat, flat + length) of row `slot` selected. The caller closes it. */
hid_t checkpoint_select(const struct ad_checkpoint *c, size_t vector, size_t slot, size_t flat, size_t length);

#endif
