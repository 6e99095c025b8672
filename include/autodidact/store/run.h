/* The folder of a run (docs/design.md, section 6).
 *
 *   config.yaml      the resolved configuration
 *   provenance.json  what the bits depend on besides: data and model digests, code, kernel family; and where and when
 * it ran log.jsonl        one line a step and one an evaluation: reproducible columns only, so that two runs compare by
 * cmp timing.jsonl     everything that is not reproducible result.json      the final metrics; written last, so its
 * presence says that the run is complete model/           the result as a Hugging Face folder variants/NAME/   the
 * other parameters that were evaluated: student, teacher, window, run logits/          logits of evaluations, when kept
 */
#ifndef AUTODIDACT_STORE_RUN_H
#define AUTODIDACT_STORE_RUN_H

#include <stdint.h>
#include <stdio.h>

#include "autodidact/base/config.h"

struct ad_run {
  char *folder;
  FILE *log, *timing;
};

/* What provenance.json says besides the build: pairs of name and text. */
struct ad_fact {
  const char *name;
  const char *text;
};

/* Makes the folder, config.yaml and provenance.json, and opens the logs. A folder that holds a run is refused
 * (AD_ECONFIG), or emptied of its files where config->run_overwrite. AD_EIO, AD_ENOMEM. The caller closes:
 * ad_run_close. */
int ad_run_create(struct ad_run *run, const struct ad_config *config, const struct ad_fact *facts, size_t fact_count);

/* Closes the logs. AD_EIO when something could not be written. Safe to call twice. */
int ad_run_close(struct ad_run *run);

/* Appends one line (a newline is added) to log.jsonl or timing.jsonl and flushes it. AD_EIO. */
int ad_run_log(struct ad_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
int ad_run_timing(struct ad_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes a file of the run whole or not at all. AD_EIO. */
int ad_run_write(const struct ad_run *run, const char *name, const char *text, size_t size);

/* Reads config.yaml of a run. AD_EINPUT (not a run folder: what is missing), AD_ECONFIG, AD_ENOMEM. */
int ad_run_config(const char *folder, struct ad_config *config);

/* Writes logits [N,C], labels [N] and class count of one evaluation as HDF5: datasets "logits" (float32 [N,C]) and
 * "labels" (uint32 [N]). `name` is relative to the run's logits/. AD_EIO. */
int ad_run_keep_logits(const struct ad_run *run, const char *name, size_t N, size_t C, const float *logits,
                       const uint32_t *labels);

#endif
