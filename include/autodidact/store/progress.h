/* timing.jsonl of a run: how far it has come while it is going on, and what took how long. */
#ifndef AUTODIDACT_STORE_PROGRESS_H
#define AUTODIDACT_STORE_PROGRESS_H

#include <stdint.h>

#include "autodidact/store/rows.h"

/* Steps done and in all, by the last row of a step in the folder's timing.jsonl. 0 where none is to be read (yet): that
 * is no failure, since the run may be about to begin or to end. Locks nothing. */
int ad_run_progress(const char *folder, uint64_t *step, uint64_t *steps);

struct ad_timings {
  struct ad_timing_row *rows; /* [count] owned */
  size_t count, capacity;
  size_t damaged; /* whole lines that are no row of this program */
};

/* All rows of a timing.jsonl; what is no row of this program is passed over. The caller owns them: ad_timings_destroy,
 * after a failure too. AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_timings_read(struct ad_timings *timings, const char *path);
void ad_timings_destroy(struct ad_timings *timings);

/* The rows of a kind that have seconds. Of an even number the median is the upper one. */
struct ad_timing_summary {
  size_t count; /* 0: none, and the others are 0 */
  double median, largest, sum;
};

/* AD_ENOMEM. */
int ad_timings_summarise(const struct ad_timings *timings, enum ad_timing kind, struct ad_timing_summary *summary);

#endif
