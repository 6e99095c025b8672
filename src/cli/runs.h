/* The table of runs: its columns, and how it is printed. Not installed. */
#ifndef AUTODIDACT_CLI_RUNS_H
#define AUTODIDACT_CLI_RUNS_H

#include "autodidact/store/run_list.h"

/* What a column has of a run. */
enum runs_kind {
  RUNS_FOLDER,
  RUNS_STATE,
  RUNS_STEP,
  RUNS_STEPS,
  RUNS_KEPT,
  RUNS_SECONDS,
  RUNS_SCORE,
  RUNS_KEY,
  RUNS_WHY
};

struct runs_column {
  enum runs_kind kind;
  char *name;                   /* in the header; owned */
  const struct ad_score *score; /* of its score on dev */
  const char *key;              /* of its configuration */
};

struct runs_table {
  const struct ad_run_list *list;
  struct runs_column *columns; /* [count] owned */
  size_t count, capacity;
  size_t *order; /* [list->count] the runs from the first row on; owned */
};

/* The columns that the runs have a use for: scores that any of them has, the seeds, and keys that differ between them.
 * brief 1: scores that stand where there is room for a few. The caller owns it: runs_destroy, after a failure too.
 * AD_ENOMEM. */
int runs_create(struct runs_table *table, const struct ad_run_list *list, int brief);
void runs_destroy(struct runs_table *table);

/* Orders the rows by a column of this name, numbers as numbers, rows that have none last; with "-" in front from the
 * largest down. AD_ECONFIG (no such column), AD_ENOMEM. */
int runs_sort(struct runs_table *table, const char *name);

/* Appends an entry; nothing where the run has none. brief 1: as people are shown it. AD_ENOMEM. */
int runs_entry(const struct runs_table *table, const struct ad_run_entry *run, size_t column, int brief,
               struct ad_buffer *out);

/* The table on standard output. AD_ENOMEM. */
int runs_print_text(const struct runs_table *table);
int runs_print_csv(const struct runs_table *table);
int runs_print_json(const struct runs_table *table);

#endif
