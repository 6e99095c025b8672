/* Snapshots: numbers of chosen steps for the analysis of variance across seeds and orders (docs/hdf5.md has the
 * schema).
 *
 * A run's snapshots are in snapshots/segment-NNNNNNNNN.h5, named by the first step in them, one row a snapshot;
 * snapshots/all.h5 shows them as one file by virtual datasets. Rows are in memory until their segment is closed: when
 * it has AD_SNAPSHOT_ROWS of them or AD_SNAPSHOT_BYTES, before a checkpoint, and at the end. A segment is made in
 * memory and written whole or not at all (base/file.h), so that a full disk leaves the files before it as they are.
 *
 * Nothing here is collective: one process keeps a run's snapshots. Letters: N tensors, B examples, C classes, P
 * parameters. Words: docs/glossary.md. */
#ifndef AUTODIDACT_STORE_SNAPSHOT_H
#define AUTODIDACT_STORE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/learn/trainer.h"
#include "autodidact/store/ledger.h"

enum { AD_SNAPSHOT_ROWS = 1000, AD_SNAPSHOT_BYTES = 64 << 20 };

/* Which steps of a run have a snapshot: the first `dense` ones, the multiples of `every`, a list, and steps that grow
 * by the factor `growth`. From max(dense, 1) on the next of these is ceil(last growth), at least one more. A run that
 * has any also has step 0 (before the first update) and the last one. A function of these numbers alone. */
struct ad_snapshot_schedule {
  uint64_t every, dense; /* 0: none */
  double growth;         /* 0: none */
  uint64_t *steps;       /* [count] ascending, owned */
  size_t count;
  uint64_t total; /* steps of the run */
};

/* steps: "1,10,100", or "". The caller owns it. AD_ECONFIG (not a list of numbers; a growth between 0 and 1.01),
 * AD_ENOMEM. */
int ad_snapshot_schedule_create(struct ad_snapshot_schedule *schedule, uint64_t every, uint64_t dense, double growth,
                                const char *steps, uint64_t total);
void ad_snapshot_schedule_destroy(struct ad_snapshot_schedule *schedule);

/* 1 where step (0 .. total) has a snapshot; how many of a run's steps have one, 0 where it has none at all. */
int ad_snapshot_due(const struct ad_snapshot_schedule *schedule, uint64_t step);
uint64_t ad_snapshot_number(const struct ad_snapshot_schedule *schedule);

/* The last step before `step` (> 0) that has one; step has one itself. */
uint64_t ad_snapshot_previous(const struct ad_snapshot_schedule *schedule, uint64_t step);

/* Which of the probe's B examples the snapshot of `step` has: *count from *begin on, modulo B. Their turns are spread
 * evenly, every example's once in `every` (> 0) steps; a snapshot has those whose turn came since the one before it,
 * that of step 0 none, the last all. */
void ad_snapshot_probe_turn(const struct ad_snapshot_schedule *schedule, uint64_t step, uint64_t every, size_t B,
                            size_t *begin, size_t *count);

/* What a snapshot has. */
enum ad_snapshot_content {
  AD_SNAPSHOT_SCALARS = 1,
  AD_SNAPSHOT_NORMS = 2,
  AD_SNAPSHOT_SKETCH = 4,
  AD_SNAPSHOT_PROBE = 8,
  AD_SNAPSHOT_PARAMETERS = 16
};

/* From "scalars,norms,sketch,probe,parameters" or some of these. AD_ECONFIG (another word, or none). */
int ad_snapshot_content_read(const char *text, unsigned *content);

struct ad_snapshot_layout {
  const struct ad_params *params;
  unsigned content;
  int teacher;            /* 1: norms have the distance from a teacher */
  size_t sketch;          /* buckets */
  size_t probe;           /* B */
  const uint32_t *labels; /* [B] of the probe, classes; NULL: none are kept */
  int teacher_logits;     /* 1: the probe has a teacher's logits too */
};

/* Bytes of one snapshot, not compressed. */
size_t ad_snapshot_bytes(const struct ad_snapshot_layout *layout);

/* What is handed in for one; what the layout does not have is not read. NULL: not measured (NaN, or 0 of counts). */
struct ad_snapshot {
  uint64_t step;
  const struct ad_step *scalars;
  const double *norm;             /* [AD_NORMS,N] */
  const int64_t *sketch;          /* [buckets] */
  const float *student, *teacher; /* [B,C] logits of the probe */
  const float *parameters;        /* [P] */
};

struct ad_snapshots;

/* For a run's folder: makes snapshots/ or continues behind the segments that are there. params must outlive it. The
 * caller owns it. AD_EINPUT (segments that are damaged or have another layout), AD_EIO, AD_ENOMEM. */
int ad_snapshots_open(struct ad_snapshots **snapshots, const char *run, const struct ad_snapshot_layout *layout);

/* What is not closed is lost. NULL is allowed. */
void ad_snapshots_destroy(struct ad_snapshots *snapshots);

/* Files are recorded in the ledger of their run from now on; it must outlive them. */
void ad_snapshots_record(struct ad_snapshots *snapshots, struct ad_ledger *ledger);

/* Bytes that must stay free on the disk when a segment has been written: for the run's checkpoints, which are worth
 * more. 0 at first. */
void ad_snapshots_leave(struct ad_snapshots *snapshots, size_t bytes);

/* Adds a snapshot, later than those before. A disk that is full (or would leave too little) ends the run's snapshots,
 * not the run. A warning is given once; this one and all later ones are dropped. AD_OK. AD_EIO, AD_ENOMEM. */
int ad_snapshots_add(struct ad_snapshots *snapshots, const struct ad_snapshot *snapshot);

/* Closes the segment, if anything is in it. To be called before a checkpoint is committed, so that all snapshots up to
 * its step are on disk when the run continues from it. Errors as above. */
int ad_snapshots_flush(struct ad_snapshots *snapshots);

/* Drops all snapshots of a run behind `step`, before the run continues from there. A run without
 * snapshots is fine. AD_EINPUT (a segment that is damaged, or missing), AD_EIO, AD_ENOMEM. */
int ad_snapshots_cut(const char *run, uint64_t step);

/* Reads a segment and compares all its datasets with their digests. AD_EINPUT (which one), AD_ENOMEM. */
int ad_snapshots_check(const char *path);

/* Whether all segments that a run's all.h5 shows are there, of those that begin up to `step`. A run without all.h5 is
 * fine. AD_EINPUT (which one is missing; an all.h5 that is damaged), AD_ENOMEM. */
int ad_snapshots_complete(const char *run, uint64_t step);

/* A file of snapshots that is open for reading, a segment or all.h5. Values are read on request, those of all.h5 from
 * the segments beside it, one of which is open at a time. */
struct ad_snapshot_file;

struct ad_snapshot_column {
  const char *name; /* "norms/value" */
  const char *unit, *meaning;
  int once;               /* 1: there once for the whole file, without rows */
  size_t dimensions;      /* of a row, 0 to 2 */
  size_t shape[2], count; /* of a row; count: the product */
  size_t bytes;           /* of an element */
  char kind;              /* of an element: u(int), i(nt), f(loat), s (text of `bytes` bytes) */
};

/* AD_EINPUT (none of ours, cut short, damaged; of all.h5: a segment that is missing, or another one than it shows),
 * AD_ENOMEM. The caller owns it. */
int ad_snapshot_file_open(struct ad_snapshot_file **file, const char *path);
void ad_snapshot_file_close(struct ad_snapshot_file *file);

/* Rows, and the step of each [rows]; the columns, their number returned; whether it is all.h5. Texts and arrays are the
 * file's. */
size_t ad_snapshot_file_rows(const struct ad_snapshot_file *file, const uint64_t **steps);
size_t ad_snapshot_file_columns(const struct ad_snapshot_file *file, const struct ad_snapshot_column **columns);
int ad_snapshot_file_is_virtual(const struct ad_snapshot_file *file);

/* Number of the column of this name, or -1. */
int ad_snapshot_file_find(const struct ad_snapshot_file *file, const char *name);

/* One row of a column (all of one that is there once) into values [count, of `bytes` bytes]. AD_EINPUT. */
int ad_snapshot_file_get(const struct ad_snapshot_file *file, size_t column, size_t row, void *values);

/* The first steps of a run's segments, ascending; *first is the caller's (ad_free), NULL for none. Nothing is opened or
 * removed. AD_EIO, AD_ENOMEM. */
int ad_snapshots_list(const char *run, uint64_t **first, size_t *count);

/* The file that shows all segments as one, below a run's folder. */
#define AD_SNAPSHOTS_ALL "snapshots/all.h5"

/* "snapshots/segment-000000001.h5" below a run's folder; the caller frees it. NULL: out of memory. */
char *ad_snapshots_path(const char *run, uint64_t first);

#endif
