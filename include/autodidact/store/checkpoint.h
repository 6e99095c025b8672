/* Checkpoints as HDF5 files (docs/hdf5.md has the schema): the vectors of a training, its numbers, digests.
 *
 *   /flat/NAME                      [P], or of a ring [rows,P], float32 or int64: the flat vectors (model/params.h)
 *   attributes of each of them      xxh3 [rows] uint64, a digest of each row; slots, rows of a ring that is full
 *   /NAME/TENSOR                    virtual datasets into it, with Hugging Face's names and shapes ([rows,...] of a
 * ring) /state                          JSON text: the numbers attributes of /                 format, step,
 * state_xxh3, complete (1 once all is written)
 *
 * Behind the HDF5 part is an index: where the values are, their digests, the state, and a digest of all bytes that are
 * no values (docs/hdf5.md has its layout).
 *
 * This part knows the schema, not who writes: one process makes the file, others may write values into it too. Letters:
 * P parameters. Words: docs/glossary.md. */
#ifndef AUTODIDACT_STORE_CHECKPOINT_H
#define AUTODIDACT_STORE_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/buffer.h"
#include "autodidact/learn/state.h"
#include "autodidact/model/params.h"

struct ad_checkpoint;

/* Opens the file for writing (what is there is written over) and makes all that HDF5 keeps of it, in memory. vectors
 * [count]; state: JSON text. The caller closes it, whatever the status. AD_EIO, AD_ENOMEM. */
int ad_checkpoint_create(struct ad_checkpoint **checkpoint, const char *path, const struct ad_params *params,
                         const struct ad_state_vector *vectors, size_t count, uint64_t step, const char *state);

/* The bytes of the file at which the vectors begin, into places [count]. By these another process opens the same file,
 * for writing values only. The caller closes it, whatever the status. AD_EIO, AD_ENOMEM. */
void ad_checkpoint_places(const struct ad_checkpoint *checkpoint, uint64_t *places);
int ad_checkpoint_join(struct ad_checkpoint **checkpoint, const char *path, const struct ad_params *params,
                       const struct ad_state_vector *vectors, size_t count, const uint64_t *places);

/* Writes values [length] at `flat` of row `slot` of a vector. AD_EIO. */
int ad_checkpoint_put(struct ad_checkpoint *checkpoint, size_t vector, size_t slot, size_t flat, size_t length,
                      const void *values);

/* Takes the digests [filled] of a vector's rows; who made the file. AD_EIO, AD_ENOMEM. */
int ad_checkpoint_put_digests(struct ad_checkpoint *checkpoint, size_t vector, const uint64_t *digests);

/* Syncs and closes it, each process that wrote; who made it writes HDF5's part and the index before. The checkpoint is
 * gone after that, whatever the status. AD_EIO, AD_ENOMEM. */
int ad_checkpoint_finish(struct ad_checkpoint *checkpoint);

/* Opens a file as below in a process of its own, as HDF5 may crash on one that is damaged. With `tensors` it checks the
 * virtual datasets too. To be called before a file that nobody knows is opened. AD_EINPUT (also where it crashed),
 * AD_ENOMEM, AD_EIO. */
int ad_checkpoint_probe(const char *path, int tensors);

/* Opens a file for reading (each process by itself) and checks the format, the state's digest and the sizes. params:
 * what it must have been made for, or NULL. AD_EINPUT (not one of ours, cut short, damaged, other sizes), AD_ENOMEM. */
int ad_checkpoint_open(struct ad_checkpoint **checkpoint, const char *path, const struct ad_params *params);
void ad_checkpoint_close(struct ad_checkpoint *checkpoint);

/* The same without HDF5, as training reads. The index is read from the file's end and checked, with the rest of the
 * file but the values. Any process that has the index, another rank too, opens the file by it. AD_EINPUT (any byte
 * beside the values is another one, cut short, not one of ours), AD_ENOMEM. What names tensors, and
 * ad_checkpoint_check, needs ad_checkpoint_open. */
int ad_checkpoint_index(const char *path, struct ad_buffer *index);
int ad_checkpoint_open_index(struct ad_checkpoint **checkpoint, const char *path, const struct ad_buffer *index,
                             const struct ad_params *params);

/* What it holds. The texts are the checkpoint's. */
uint64_t ad_checkpoint_step(const struct ad_checkpoint *checkpoint);
const char *ad_checkpoint_state(const struct ad_checkpoint *checkpoint);
size_t ad_checkpoint_floats(const struct ad_checkpoint *checkpoint); /* P */
size_t ad_checkpoint_vectors(const struct ad_checkpoint *checkpoint, const struct ad_state_vector **vectors);

/* Number of the vector of this name, or -1. */
int ad_checkpoint_find(const struct ad_checkpoint *checkpoint, const char *name);

/* Reads values [length] at `flat` of row `slot`. AD_EINPUT (damaged). */
int ad_checkpoint_get(const struct ad_checkpoint *checkpoint, size_t vector, size_t slot, size_t flat, size_t length,
                      void *values);

/* The digests [filled] of a vector's rows, which are the checkpoint's. */
const uint64_t *ad_checkpoint_digests(const struct ad_checkpoint *checkpoint, size_t vector);

/* The table of parameters that the file was made for, by the names and shapes of its tensors; of its configuration only
 * the sizes, and heads = 1. The caller owns it. AD_EINPUT (names or shapes that are no model's), AD_ENOMEM. */
int ad_checkpoint_params(const struct ad_checkpoint *checkpoint, struct ad_params *params);

/* Compares all that is in it: its index with HDF5's view, every row with its digest, the window's sum with its ring,
 * every virtual dataset with its range of the flat vector. params: of ad_checkpoint_params, frozen as the run's.
 * *student: the digest of the trained parameters, as log.jsonl has it. AD_EINPUT (what does not match), AD_ENOMEM. */
int ad_checkpoint_check(const struct ad_checkpoint *checkpoint, const struct ad_params *params, uint64_t *student);

/* Bytes of a file with these vectors. */
size_t ad_checkpoint_bytes(const struct ad_params *params, const struct ad_state_vector *vectors, size_t count);

/* The name of a step's checkpoint in a run's folder, "checkpoints/step-000000123.h5"; returns name. */
enum { AD_CHECKPOINT_NAME = 64 };
const char *ad_checkpoint_name(uint64_t step, char name[AD_CHECKPOINT_NAME]);

/* The same below the run's folder; the caller frees it. NULL: out of memory. */
char *ad_checkpoint_path(const char *run, uint64_t step);

/* The steps of the finished checkpoints in a run's folder, newest first; *steps is the caller's (ad_free), NULL for
 * none. Files that were being written are no checkpoints. AD_EIO, AD_ENOMEM. */
int ad_checkpoint_list(const char *run, uint64_t **steps, size_t *count);

#endif
