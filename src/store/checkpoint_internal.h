/* A checkpoint that is open: shared by the files that write and read one. Not installed. */
#ifndef AUTODIDACT_STORE_CHECKPOINT_INTERNAL_H
#define AUTODIDACT_STORE_CHECKPOINT_INTERNAL_H

#include "autodidact/store/checkpoint.h"
#include "hdf5_file.h"

enum { CHECKPOINT_FORMAT = 3 };

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
  int fd; /* of one that is read: HDF5's where it has the file open, or -1 */
  struct {
    size_t at;         /* byte of the file where the vector's first value lies */
    uint64_t *digests; /* [filled] */
  } stored[AD_STATE_VECTORS];
};

/* The vectors that a checkpoint may hold, in their order. */
enum {
  CHECKPOINT_KNOWN = 9,
  CHECKPOINT_MOST_STATE = 1 << 26, /* bytes of the JSON text */
  CHECKPOINT_MOST_INDEX = 1 << 27
};
extern const struct checkpoint_known {
  const char *name;
  size_t bytes;
} checkpoint_known[CHECKPOINT_KNOWN];

/* Takes the vector number `which` of the known ones as the next one, of `rows` rows [P] that begin at byte `at`. 0, or
 * -1: a file of that size (c->size) cannot hold that, or not beside the vectors before. */
int checkpoint_add(struct ad_checkpoint *c, size_t which, uint64_t P, uint64_t rows, uint64_t slots, uint64_t at);

/* The index of it (checkpoint_index.c), whose vectors, digests and state are known. AD_ENOMEM. */
int checkpoint_pack(const struct ad_checkpoint *c, struct ad_buffer *index);

/* Bytes of the file. AD_EINPUT. */
int checkpoint_pread(const struct ad_checkpoint *c, size_t at, size_t size, void *bytes);

/* AD_EINPUT where params is not NULL and has another number of parameters. */
int checkpoint_check_count(const struct ad_checkpoint *c, const struct ad_params *params);

/* AD_EINPUT, with what is wrong with it. */
int checkpoint_damaged(const struct ad_checkpoint *c, const char *what);

/* An empty one; NULL: out of memory, recorded. */
struct ad_checkpoint *checkpoint_allocate(const char *path);

/* The type of a vector's elements in memory, and how many dimensions it has. */
hid_t checkpoint_memory_type(const struct ad_state_vector *vector);
int checkpoint_rank(const struct ad_state_vector *vector);

#endif
