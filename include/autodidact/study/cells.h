/* The table of a study's cells: what became of each.
 *
 * Below study.dir, records/ holds files of JSON lines. Each file has one writer for all its life, so that none needs a
 * lock, on any file system; readers take whole lines only. A line is
 *
 *   {"cell": ID, "state": "done" | "failed" | "stopped", "status": "AD_OK", "at": seconds since 1970, "arm": name,
 *    "axes": {key: value}, "step": s, "steps": T, "seconds": of work, "cost": estimate, "result": result.json,
 *    "test": scores, "majority": {"dev": share, "test": share}, "commit", "arithmetic", "host", "ranks", "message"}
 *
 * Of several lines of a cell a "done" counts, otherwise the latest. Summaries are in the lines, so that a report opens
 * no run folder for them. Leases (store/lease.h) say which cells are being run. Words: docs/glossary.md. */
#ifndef AUTODIDACT_STUDY_CELLS_H
#define AUTODIDACT_STUDY_CELLS_H

#include "autodidact/store/lease.h"
#include "autodidact/store/rows.h"
#include "autodidact/study/study.h"

/* X(constant, name). */
#define AD_CELL_STATE_MAP(X)                                                                \
  X(AD_CELL_WAITING, waiting) /* never begun, or stopped: it goes on from its checkpoint */ \
  X(AD_CELL_RUNNING, running) /* somebody holds it and has given a sign of life */          \
  X(AD_CELL_FAILED, failed)   /* diverged, or an error: `status` */                         \
  X(AD_CELL_DONE, done)

enum ad_cell_state { AD_CELL_STATE_MAP(AD_SET_ID) AD_CELL_STATES };

/* "waiting", "running", "failed", "done". Static storage. */
const char *ad_cell_state_name(enum ad_cell_state state);

struct ad_cell_record {
  enum ad_cell_state state;
  int begun;      /* 1: there is a line of it, or a lease */
  int status;     /* AD_OK; of a failed cell AD_EDIVERGED or another */
  double at;      /* time of the line, seconds since 1970; 0: none */
  uint64_t step;  /* done so far, as the line says */
  uint64_t steps; /* of the whole run; 0: not known */
  double seconds; /* of work by its team, all attempts together */
  uint32_t ranks; /* of that team */
  double cost; /* estimate of its work in arbitrary units, the same for all cells (an estimate: `study run`); 0: none */
  char *message;                       /* why it failed; NULL; owned */
  char arithmetic[96];                 /* of the program that finished it (ad_arithmetic); "?": not known; "" */
  char commit[48];                     /* of its source; "?": not known; "" */
  unsigned lease;                      /* generation of its latest lease; 0: none */
  int certain;                         /* 1: running, by a process of this machine */
  double beat;                         /* running: last sign of life (store/lease.h) */
  double majority[2];                  /* share of the most frequent class of dev and test; NaN: not known */
  struct ad_scores scores[AD_SOURCES]; /* examples 0: that run has none */
  uint64_t kept;                       /* step of the parameters that the run has kept; of a finished one */
  uint64_t parameters;                 /* their digest; 0: not known */
};

struct ad_cells {
  const struct ad_study *study;
  struct ad_cell_record *records; /* [study->count] beside study->cells */
  size_t unknown;                 /* lines of cells that the study file does not have (any more) */
  /* How far each file was read; cells by id. */
  struct ad_cells_file *files;
  size_t file_count, file_capacity;
  struct ad_cells_id *ids; /* [id_count] sorted */
  size_t id_count;
  char *own; /* path of this process's file; NULL before the first line */
};

/* Reads the table. Cells without an id wait. The study must outlive it. The caller owns it: ad_cells_close, also after
 * a failure. AD_EINPUT naming file and line, AD_EIO, AD_ENOMEM. A folder that is not there is an empty table. */
int ad_cells_open(struct ad_cells *table, const struct ad_study *study);
void ad_cells_close(struct ad_cells *table);

/* Reads what has been added since, and the leases. Errors as above. */
int ad_cells_refresh(struct ad_cells *table);

/* Tries to get the lease of a cell, as the table knows it (store/lease.h): *taken 0 where somebody has it. Who gets it
 * must refresh the table, as the cell may be done. AD_EIO, AD_ENOMEM. The caller ends it. */
int ad_cells_take(const struct ad_cells *table, size_t cell, struct ad_lease *lease, int *taken);

/* Removes leases that killed jobs left of cells that are finished since. AD_EIO, AD_ENOMEM. */
int ad_cells_tidy(const struct ad_cells *table);

/* What a line says besides the record: the run's result, and the scores on test; NULL where there are none. */
struct ad_line_scores {
  const struct ad_result *result;
  const struct ad_scores *test;
};

/* Appends a line to this process's own file, which is made with the first one, and syncs it; takes it into the table.
 * record->state DONE, FAILED or WAITING (stopped). AD_EIO, AD_ENOMEM. */
int ad_cells_append(struct ad_cells *table, size_t cell, const struct ad_cell_record *record,
                    const struct ad_line_scores *scores);

/* The result that the study compares; NaN: none. */
double ad_cells_result(const struct ad_cells *table, size_t cell);

/* 1 where nothing is left to do: done, or diverged. */
int ad_cells_is_finished(const struct ad_cell_record *record);

/* 1 where a cell counts as a failed run: it diverged, or it is done and the study's rule says so. Cells that failed for
 * other reasons (bad input, full disk) count as missing. */
int ad_cells_is_failed_run(const struct ad_cells *table, size_t cell);

#endif
