/* The table that a file of snapshots holds: shared by snapshot.c, which fills it, and snapshot_file.c, which writes and
 * reads it. Not installed. */
#ifndef AUTODIDACT_STORE_SNAPSHOT_INTERNAL_H
#define AUTODIDACT_STORE_SNAPSHOT_INTERNAL_H

#include <hdf5.h>

#include "autodidact/store/snapshot.h"
#include "hdf5_file.h"

enum {
  SNAPSHOT_FORMAT = 2,                                 /* 1: sketches by other buckets */
  SNAPSHOT_NAME = sizeof((struct ad_tensor *)0)->name, /* bytes of a tensor's name */
  SNAPSHOT_FILE = 64                                   /* bytes of a segment's name */
};

enum ad__snapshot_type { TYPE_COUNT, TYPE_DIGEST, TYPE_REAL, TYPE_FIXED, TYPE_FLOAT, TYPE_LABEL, TYPE_NAME };

/* X(column, dataset, type, once for the whole file, dimensions of a row, unit, meaning) */
#define SNAPSHOT_COLUMNS(X)                                                                                            \
  X(STEP, "step", COUNT, 0, 0, "updates", "updates done; 0: before the first")                                         \
  X(EPOCH, "scalars/epoch", COUNT, 0, 0, "epochs", "epoch of the step, from 1; 0 at step 0")                           \
  X(EXAMPLES, "scalars/examples", COUNT, 0, 0, "examples", "in the step's batch")                                      \
  X(TOKENS, "scalars/tokens", COUNT, 0, 0, "tokens", "in the step's batch")                                            \
  X(PART_EXAMPLES, "scalars/part_examples", COUNT, 0, 0, "examples", "in the part of the batch that part_norm is of")  \
  X(LOSS, "scalars/loss", REAL, 0, 0, "nats", "mean cross entropy of the batch, before the update")                    \
  X(DISTANCE, "scalars/distance", REAL, 0, 0, "1", "of the logits from the teacher's, mean over the batch")            \
  X(WEIGHT, "scalars/weight", REAL, 0, 0, "1", "of the distance in what is minimised")                                 \
  X(NORM, "scalars/norm", REAL, 0, 0, "1", "of the whole gradient, before clipping")                                   \
  X(PART_NORM, "scalars/part_norm", REAL, 0, 0, "1", "of the mean gradient over one lane's examples, before clipping") \
  X(FACTOR, "scalars/factor", REAL, 0, 0, "1", "of the schedule on the learning rate")                                 \
  X(DIGEST, "scalars/parameters", DIGEST, 0, 0, "1", "digest of all parameters after the update, as in log.jsonl")     \
  X(VALUES, "norms/value", REAL, 0, 1, "1", "L2 norm of each tensor after the update")                                 \
  X(GRADIENTS, "norms/gradient", REAL, 0, 1, "1", "L2 norm of each tensor's gradient, before clipping")                \
  X(UPDATES, "norms/update", REAL, 0, 1, "1", "L2 norm of each tensor's change by the update")                         \
  X(DISTANCES, "norms/distance", REAL, 0, 1, "1", "L2 distance of each tensor from the teacher's of the next step")    \
  X(SKETCH, "sketch", FIXED, 0, 1, "2^-36", "count sketch of the trained parameters after the update")                 \
  X(STUDENT, "probe/student", FLOAT, 0, 2, "1", "logits of the probe with the parameters after the update")            \
  X(TEACHER, "probe/teacher", FLOAT, 0, 2, "1", "logits of the probe with the teacher of the next step")               \
  X(PARAMETERS, "parameters/flat", FLOAT, 0, 1, "1",                                                                   \
    "all parameters after the update, in the order of tensors/offset")                                                 \
  X(LABELS, "probe/labels", LABEL, 1, 1, "class", "labels of the probe, the first examples of dev")                    \
  X(NAMES, "tensors/name", NAME, 1, 1, "1", "name of each tensor, as in Hugging Face's file")                          \
  X(OFFSETS, "tensors/offset", COUNT, 1, 1, "floats", "begin of each tensor in the flat vector of parameters")         \
  X(SHAPES, "tensors/shape", COUNT, 1, 2, "floats", "rows and columns of each tensor; columns 0: a vector")

enum snapshot_column {
#define SNAPSHOT_ENUM(column, ...) COLUMN_##column,
  SNAPSHOT_COLUMNS(SNAPSHOT_ENUM)
#undef SNAPSHOT_ENUM
      COLUMNS
};

struct column {
  int present;
  int rank;        /* dimensions of a row: as ad__snapshot_column_rank says */
  size_t shape[2]; /* of a row */
  void *data;      /* [rows, shape], or [shape] where it is there once; owned */
  size_t capacity;
};

struct table {
  struct column column[COLUMNS];
  size_t rows;
};

/* A segment on disk. */
struct segment {
  uint64_t first, last; /* steps */
  size_t rows;
};

/* Name, unit and meaning of a column; u, i, f or s for its elements; 1 where it is there once; dimensions of a row. */
const char *ad__snapshot_column_name(enum snapshot_column column);
const char *ad__snapshot_column_unit(enum snapshot_column column);
const char *ad__snapshot_column_meaning(enum snapshot_column column);
char ad__snapshot_column_kind(enum snapshot_column column);
int ad__snapshot_column_once(enum snapshot_column column);
int ad__snapshot_column_rank(enum snapshot_column column);

/* Bytes of an element, and elements of a row. */
size_t ad__snapshot_element(enum snapshot_column column);
size_t ad__snapshot_width(const struct column *column);

/* The HDF5 type of a column in a file or in memory; the caller closes it. Negative: failed. */
hid_t ad__snapshot_type(enum snapshot_column column, int in_memory);

void ad__snapshot_table_destroy(struct table *table);

/* 1 where both have the same columns with rows of the same shapes. */
int ad__snapshot_same_shapes(const struct table *a, const struct table *b);

/* Dimensions of a dataset, rows first, but for what is there once; how many. */
int ad__snapshot_dimensions(const struct column *column, int once, size_t rows, hsize_t shape[3]);

/* A file in memory with the groups of the table's columns, negative: failed; what a dataset says of itself (tensor: of
 * a part of the parameters), and a column with its values, into it, 0 or -1; its end, which writes it to path whole or
 * not at all. AD_EIO: errno tells why; AD_ENOMEM. */
hid_t ad__snapshot_make_file(const struct table *table);
int ad__snapshot_describe(hid_t set, enum snapshot_column column, int tensor);
int ad__snapshot_put_column(hid_t file, const struct table *table, enum snapshot_column column);
int ad__snapshot_end_file(hid_t file, int failed, const char *path);

/* Writes the table to path, whole or not at all. AD_EIO: errno tells why. AD_ENOMEM. */
int ad__snapshot_write(const struct table *table, const char *path);

/* Reads a segment: shapes and what is there once, and of the rest the rows with steps up to `last`, or with_rows == 0
 * the steps only. Digests are compared for what is read whole. AD_EINPUT, AD_ENOMEM; the table is the caller's in any
 * case. */
int ad__snapshot_read(struct table *table, const char *path, int with_rows, uint64_t last);

/* The file of virtual datasets over all segments of a folder. */
#define SNAPSHOT_VIEW "all.h5"

/* Writes it in `folder` over the segments [count], with the shapes and what is there once of `table`. */
int ad__snapshot_write_all(const struct table *table, const char *folder, const struct segment *segments, size_t count);

/* The segments (first step, rows) that an open all.h5 shows, of which `table` has the shapes and what is there once,
 * after every virtual dataset in it has been found to show just that. *segments [count] is the caller's (ad_free).
 * AD_EINPUT. */
int ad__snapshot_list_views(hid_t file, const char *path, const struct table *table, void **segments, size_t *count);

/* "segment-000000001.h5", and the step in such a name; -1: it is another one. */
void ad__snapshot_segment_name(uint64_t first, char name[SNAPSHOT_FILE]);
int64_t ad__snapshot_segment_first(const char *name);

/* "FOLDER/segment-000000001.h5"; the caller frees it. NULL: out of memory, recorded. */
char *ad__snapshot_segment_path(const char *folder, uint64_t first);

#endif
