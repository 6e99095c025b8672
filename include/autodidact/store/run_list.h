/* The runs below some folders, and what has come of each. */
#ifndef AUTODIDACT_STORE_RUN_LIST_H
#define AUTODIDACT_STORE_RUN_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/config.h"
#include "autodidact/task/scores.h"

/* X(constant, name). */
#define AD_RUN_CONDITION_MAP(X)                                                                  \
  X(AD_RUN_FINISHED, finished)                                                                   \
  X(AD_RUN_RUNNING, running) /* somebody writes there, and has given a sign of life */           \
  X(AD_RUN_STOPPED, stopped) /* not finished, and nobody is at work: the same command goes on */ \
  X(AD_RUN_DAMAGED, damaged) /* a file of it cannot be read */

enum ad_run_condition { AD_RUN_CONDITION_MAP(AD_SET_ID) AD_RUN_CONDITIONS };

/* "finished", ...; static storage. */
const char *ad_run_condition_name(enum ad_run_condition condition);

struct ad_run_entry {
  char *folder; /* as it was given, and the way down from there; owned */
  enum ad_run_condition condition;
  char *message; /* what cannot be read; NULL: nothing; owned */
  int configured;
  struct ad_config config;    /* configured 1: the run's; owned */
  uint64_t step, steps, kept; /* done, of the whole run, of the parameters in model/; 0: not known */
  double seconds;             /* of work, all attempts together */
  struct ad_scores dev;       /* of the result, of an unfinished run its last ones; examples 0: none */
};

/* A folder that was given and holds no run, and why. */
struct ad_run_foreign {
  char *folder, *message; /* owned */
};

/* Zero-initialise. */
struct ad_run_list {
  struct ad_run_entry *runs; /* [count] in the order of the folders, and below them of the names (versionsort) */
  size_t count, capacity;
  struct ad_run_foreign *foreign; /* [foreign_count] */
  size_t foreign_count, foreign_capacity;
};

/* Adds the run of a folder, or those at any depth below it; links below are not followed. A folder that cannot be read,
 * or has no run, goes to `foreign`. Reads, writes and locks nothing else. AD_ENOMEM; AD_EIO. */
int ad_run_list_add(struct ad_run_list *list, const char *folder);
void ad_run_list_destroy(struct ad_run_list *list);

/* Whether a key has several values among the runs that have a configuration; of a path inside the run's own folder the
 * part behind that counts. 1, 0 or AD_ENOMEM. */
int ad_run_list_differs(const struct ad_run_list *list, const char *key);

#endif
