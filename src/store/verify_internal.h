/* A verification under way. Not installed. */
#ifndef AUTODIDACT_STORE_VERIFY_INTERNAL_H
#define AUTODIDACT_STORE_VERIFY_INTERNAL_H

#include "autodidact/base/config.h"
#include "autodidact/store/verify.h"

struct verifier {
  const char *run;
  struct ad_config config;
  struct ad_verification *out;
  int has_log; /* the log is good */
};

/* A finding: `text` where status is AD_OK, the recorded message where it is wrong. Returns a failure of the machine. */
int ad__verify_record(struct verifier *v, const char *subject, int status, const char *text);

int ad__verify_inputs(struct verifier *v);
int ad__verify_snapshots(struct verifier *v);
int ad__verify_logits(struct verifier *v);

#endif
