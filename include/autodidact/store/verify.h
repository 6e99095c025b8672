/* A run's folder compared with itself: every digest that is stored in it, and what its files say of each other. */
#ifndef AUTODIDACT_STORE_VERIFY_H
#define AUTODIDACT_STORE_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/store/run_log.h"

/* One thing that was looked at. */
struct ad_finding {
  int good;
  char *subject; /* a file, by its place in the run's folder; owned */
  char *text;    /* what holds, or what is wrong with it; owned */
};

struct ad_verification {
  struct ad_finding *items; /* [count] owned */
  size_t count, capacity, bad;
  int finished;          /* the run has a result */
  struct ad_run_log log; /* empty where it is bad */
};

/* Checks log.jsonl; checkpoints (digests, sums, tensors), snapshots (digests, order, all.h5) and logits (digests), all
 * against the log; result.json; model/ and variants/ against the digests in result.json. Of a finished run files.jsonl
 * shows what is missing, changed, or not of the run. What is wrong is a finding, not a failure. The caller owns `out`:
 * ad_verification_destroy, after a failure too. AD_EINPUT (not the folder of a run), AD_ECONFIG (its config.yaml),
 * AD_EIO, AD_ENOMEM. */
int ad_verify_run(const char *run, struct ad_verification *out);
void ad_verification_destroy(struct ad_verification *verification);

/* Adds a finding; the text as of printf. AD_ENOMEM. */
int ad_verification_add(struct ad_verification *verification, int good, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
