/* How far a run has come, told from outside while it is going on. */
#ifndef AUTODIDACT_STORE_PROGRESS_H
#define AUTODIDACT_STORE_PROGRESS_H

#include <stdint.h>

/* Steps done and in all, by the last row of a step in the folder's timing.jsonl. 0 where none is to be read (yet): that is
 * no failure, since the run may be about to begin or to end. Locks nothing. */
int ad_run_progress(const char *folder, uint64_t *step, uint64_t *steps);

#endif
