/* A checkpoint that is open: shared by the files that write and read one. Not installed. */
#ifndef AUTODIDACT_STORE_CHECKPOINT_INTERNAL_H
#define AUTODIDACT_STORE_CHECKPOINT_INTERNAL_H

#include "autodidact/store/checkpoint.h"
#include "hdf5_file.h"

enum { CHECKPOINT_FORMAT = 3 };

struct ad_checkpoint {
  char *path;
  hid_t file; /* HDF5's part of one that is made, or of one that HDF5 reads; or -1 */
  size_t P, count;
  size_t size; /* bytes of a file that is read */
  uint64_t step;
  char *state;                      /* JSON; of one that is read */
  char names[AD_STATE_VECTORS][32]; /* of the vectors */
  struct ad_state_vector vectors[AD_STATE_VECTORS];
  hid_t flat[AD_STATE_VECTORS];
  int fd;  /* of the file that is read; of one that is made: of HDF5's part in memory; or -1 */
  int out; /* of the file that is written, or -1 */
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
extern const struct ad__checkpoint_known {
  const char *name;
  size_t bytes;
} ad__checkpoint_known[CHECKPOINT_KNOWN];

/* Takes the vector number `which` of the known ones as the next one, of `rows` rows [P] that begin at byte `at`. 0, or
 * -1: a file of that size (c->size) cannot hold that, or not beside the vectors before. */
int ad__checkpoint_add(struct ad_checkpoint *c, size_t which, uint64_t P, uint64_t rows, uint64_t slots, uint64_t at);

/* The index of it (checkpoint_index.c), whose vectors, digests and state are known. AD_ENOMEM. */
int ad__checkpoint_pack(const struct ad_checkpoint *c, struct ad_buffer *index);

/* Copies HDF5's part [c->size] of one that is made, but for the values, to c->out, and the index behind it. *size:
 * bytes of the whole file. AD_EIO, AD_ENOMEM. */
int ad__checkpoint_seal(struct ad_checkpoint *c, size_t *size);

/* Writes bytes of the file. AD_EIO. */
int ad__checkpoint_pwrite(const struct ad_checkpoint *c, size_t at, size_t size, const void *bytes);

/* Opens a regular file for reading as c->fd, and takes its size; the caller closes *checkpoint, whatever the status.
 * AD_EINPUT, AD_ENOMEM. */
int ad__checkpoint_open_file(struct ad_checkpoint **checkpoint, const char *path);

/* Bytes of the file. AD_EINPUT. */
int ad__checkpoint_pread(const struct ad_checkpoint *c, size_t at, size_t size, void *bytes);

/* AD_EINPUT where params is not NULL and has another number of parameters. */
int ad__checkpoint_check_count(const struct ad_checkpoint *c, const struct ad_params *params);

/* AD_EINPUT, with what is wrong with it. */
int ad__checkpoint_damaged(const struct ad_checkpoint *c, const char *what);

/* An empty one; NULL: out of memory, recorded. */
struct ad_checkpoint *ad__checkpoint_allocate(const char *path);

/* The type of a vector's elements in memory, and how many dimensions it has. */
hid_t ad__checkpoint_memory_type(const struct ad_state_vector *vector);
int ad__checkpoint_rank(const struct ad_state_vector *vector);

#endif
