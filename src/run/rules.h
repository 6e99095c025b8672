/* What a training decides between two steps, and when it goes on: functions of numbers and texts alone. */
#ifndef AUTODIDACT_RUN_RULES_H
#define AUTODIDACT_RUN_RULES_H

#include <stdint.h>

#include "autodidact/store/compare.h"

/* The slowest of each so far, in seconds. */
struct ad__pace {
  double step, evaluation, save;
};

/* 1 where a limit of so many seconds (0: none) leaves too little after `elapsed`: the next step, an evaluation that may
 * be due and the checkpoint must end before it, with a margin for a busier machine. */
int ad__out_of_time(double limit, double elapsed, const struct ad__pace *pace);

/* A rank's word before the next step. The largest word of all ranks is what happens. */
enum { AD__WORD_GO, AD__WORD_CLOCK, AD__WORD_SIGNAL /* and the signal's number */, AD__WORD_HELD = 1000 };
uint64_t ad__stop_word(int held, int signal, int out_of_time);

/* 1 where the parameters after `done` of `total` steps are to be evaluated: every so many steps (0: at the end of each
 * epoch), and at the end. */
int ad__evaluation_due(uint64_t done, uint64_t total, uint64_t every, uint64_t steps_an_epoch);

/* 1 where early stopping ends a training: `patience` evaluations (0: any number) in a row were no better than the best.
 */
int ad__out_of_patience(uint64_t patience, uint64_t stale);

/* 1 where a checkpoint is due after `done` steps: every so many (0: never), and with `epochs` at the end of each epoch.
 */
int ad__checkpoint_due(uint64_t done, uint64_t every, int epochs, uint64_t steps_an_epoch);

/* The word of resume.allow that lets a fact of provenance.json, or a key of the configuration, differ. */
const char *ad__resume_kind(const char *name);

/* AD_ECONFIG where resume.allow holds another word. */
int ad__resume_check(const char *allowed);

/* AD_ECONFIG for the first difference that resume.allow does not let pass; the others give warnings. */
int ad__resume_judge(const char *run, const char *allowed, const struct ad_differences *differences);

#endif
