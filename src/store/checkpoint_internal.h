/* A checkpoint that is open: shared by the files that write and read one. Not installed. */
#ifndef AUTODIDACT_STORE_CHECKPOINT_INTERNAL_H
#define AUTODIDACT_STORE_CHECKPOINT_INTERNAL_H

#include "autodidact/store/checkpoint.h"
#include "hdf5_file.h"

enum { CHECKPOINT_FORMAT = 2 };

struct ad_checkpoint {
  char *path;
  hid_t file;
  size_t P, count;
  size_t size; /* bytes of a file that is read */
  uint64_t step;
  char *state;                      /* JSON; of one that is read */
  char names[AD_STATE_VECTORS][32]; /* of the vectors */
  struct ad_state_vector vectors[AD_STATE_VECTORS];
  hid_t flat[AD_STATE_VECTORS];
};

/* An empty one; NULL: out of memory, recorded. */
struct ad_checkpoint *checkpoint_allocate(const char *path);

/* The type of a vector's elements in memory, and how many dimensions it has. */
hid_t checkpoint_memory_type(const struct ad_state_vector *vector);
int checkpoint_rank(const struct ad_state_vector *vector);

/* The dataspace of a vector with [flat, flat + length) of row `slot` selected. The caller closes it. */
hid_t checkpoint_select(const struct ad_checkpoint *c, size_t vector, size_t slot, size_t flat, size_t length);

#endif
