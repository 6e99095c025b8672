/* A run verified: its files against their digests, and some of its steps trained again, in memory, against its log.
 *
 *   ad_replay_open     reads the run and looks at its files
 *   ad_replay_prepare  chooses where to begin, and loads what the run was given
 *   ad_replay_steps    trains, and compares each step's row and each checkpoint on the way, to the bit
 *
 * Collective over the world. Findings are the first rank's (store/verify.h). */
#ifndef AUTODIDACT_RUN_REPLAY_H
#define AUTODIDACT_RUN_REPLAY_H

#include "autodidact/math/context.h"
#include "autodidact/store/compare.h"
#include "autodidact/store/verify.h"

struct ad_replay;

/* Nothing is written into the run's folder. The caller owns it: ad_replay_close, after a failure too. AD_EINPUT (not
 * the folder of a run), AD_ECONFIG, AD_EIO, AD_ENOMEM. What is wrong with the run is a finding, not a failure. */
int ad_replay_open(struct ad_replay **replay, const struct ad_math *math, const char *run);

/* For `steps` steps behind the good checkpoint of step `from`; UINT64_MAX: behind the newest that leaves so many, 0:
 * from the start. AD_ECONFIG (no such checkpoint), AD_EINPUT (no step to compare with; data, model), AD_ENOMEM. */
int ad_replay_prepare(struct ad_replay *replay, uint64_t steps, uint64_t from);

/* Adds one finding: all is equal, or the first difference. AD_EIO, AD_ENOMEM. */
int ad_replay_steps(struct ad_replay *replay);

/* What was found so far; on the first rank. Not collective. */
const struct ad_verification *ad_replay_findings(const struct ad_replay *replay);

/* After ad_replay_prepare, on the first rank: what the run was given then that is another now, and may give other bits.
 * Not collective. */
const struct ad_differences *ad_replay_changes(const struct ad_replay *replay);

/* 1 on the first rank. Not collective. */
int ad_replay_is_first(const struct ad_replay *replay);

/* The status of the first rank on all ranks, with its message. */
int ad_replay_settle(const struct ad_replay *replay, int status);

/* alone 1: after a failure that not all ranks share, what takes all ranks is left. NULL is allowed. */
void ad_replay_close(struct ad_replay *replay, int alone);

#endif
