/* The log of a run, read whole: log.jsonl has a row for each step and each evaluation. */
#ifndef AUTODIDACT_STORE_RUN_LOG_H
#define AUTODIDACT_STORE_RUN_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/file.h"
#include "autodidact/store/rows.h"

struct ad_log_step {
  struct ad_step_row row;
  size_t begin, size; /* where it lies in the file, without its newline */
};

struct ad_run_log {
  struct ad_file_map map;
  struct ad_log_step *steps; /* [step_count] */
  size_t step_count, step_capacity;
  struct ad_evaluation_row *evaluations; /* [evaluation_count] */
  size_t evaluation_count, evaluation_capacity;
  size_t bytes;   /* of whole rows */
  int cut;        /* behind them there is a part of one */
  size_t damaged; /* rows that ad_run_log_read_sound passed over */
};

/* Reads a log, its first `most` bytes (UINT64_MAX: all), and checks it. Steps count up from 1 without a gap. Each chain
 * is that of the row before with the row's digest of the parameters. Evaluations follow their step. The caller owns
 * `log`: ad_run_log_destroy, after a failure too. AD_EINPUT naming path and line, AD_EIO, AD_ENOMEM. */
int ad_run_log_read(struct ad_run_log *log, const char *path, uint64_t most);

/* The same for people who look at a run, also at one that goes on: rows that are none are passed over and counted, and
 * neither the chain nor gaps are checked. Steps still count up. AD_EINPUT (no file), AD_EIO, AD_ENOMEM. */
int ad_run_log_read_sound(struct ad_run_log *log, const char *path);
void ad_run_log_destroy(struct ad_run_log *log);

/* The step's row in a log that was checked; NULL where there is none. */
const struct ad_log_step *ad_run_log_find(const struct ad_run_log *log, uint64_t step);

#endif
