/* The folder of a run (docs/design.md, section 6): who may write there, and what begins, continues and ends there. Its
 * files are those of store/run_files.h, and lease.N while a process writes into it. Words: docs/glossary.md. */
#ifndef AUTODIDACT_STORE_RUN_H
#define AUTODIDACT_STORE_RUN_H

#include <stdint.h>
#include <stdio.h>

#include "autodidact/base/config.h"
#include "autodidact/store/lease.h"
#include "autodidact/store/ledger.h"
#include "autodidact/store/rows.h"
#include "autodidact/store/run_files.h"

/* A run folder that this process writes into. It must not move: its heartbeat knows the lease. */
struct ad_run {
  char *folder;
  FILE *log, *timing;
  struct ad_lease lease; /* path NULL: nobody's folder, for descriptions */
  struct ad_heartbeat *heartbeat;
  struct ad_ledger ledger;
  int made; /* 1: the folder was not there */
};

/* What provenance.json says besides the build: pairs of name and text. */
struct ad_fact {
  const char *name;
  const char *text;
};

/* Seconds without a sign of life after which the holder of a run folder on another machine counts as gone, and between
 * two signs. */
enum { AD_RUN_PATIENCE = 60, AD_RUN_BEAT = 5 };
#define AD_RUN_LEASE "lease"

/* Takes a folder for this process (store/lease.h), and makes it where it is not there: to be called before anything of
 * it is read. run->folder NULL: *holder has it, if a holder on another machine lives at all (holder->certain 0: whoever
 * asks again sees whether its `beat` goes on). AD_ECONFIG (no folder named), AD_EIO, AD_ENOMEM. The caller closes:
 * ad_run_close. */
int ad_run_enter(struct ad_run *run, const char *folder, struct ad_lease_entry *holder);

/* The failure of who comes second, AD_ECONFIG: by which process, where and since when the run is being trained. */
int ad_run_refuse(const char *folder, const struct ad_lease_entry *holder);

/* AD_EIO where another process has taken the folder over. Everything below that writes asks this first. */
int ad_run_check(const struct ad_run *run);

/* Before a file of the run is made (store/ledger.h); what is below does so itself. AD_EINPUT (something is in its
 * place), AD_EIO, AD_ENOMEM. */
int ad_run_record(struct ad_run *run, const char *name);

/* AD_EINPUT where a folder holds anything that no run has made (the first of it), and a run is to begin there anew or
 * has left no list of its files. AD_EIO, AD_ENOMEM. */
int ad_run_check_files(const char *folder, int anew);

/* AD_ECONFIG where a folder, there or not, is a run's or lies in it: what is not the run's own may not be written
 * there, as the run could not be begun anew. AD_ENOMEM. */
int ad_run_check_outside(const char *folder, const char *run);

/* Begins a run in a folder that was entered and holds nothing else than a run: config.yaml, provenance.json and the
 * logs. The files of an earlier run go: the caller has asked for that or ad_run_find. AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_run_create(struct ad_run *run, const struct ad_config *config, const struct ad_fact *facts, size_t fact_count);

/* What a checkpoint knows of the log: its bytes then, the step and its chain of digests. */
struct ad_run_mark {
  uint64_t log_bytes, step, chain;
};

/* Continues an unfinished run in a folder that was entered: log.jsonl is cut to what the checkpoint knows, timing.jsonl
 * is appended to. AD_EINPUT (the log is missing, shorter, or another one up to there; links in place of the run's
 * files), AD_EIO, AD_ENOMEM. */
int ad_run_reopen(struct ad_run *run, const struct ad_config *config, const struct ad_run_mark *mark);

/* Makes a finished run in a folder that was entered an unfinished one, before it is continued: result.json goes first,
 * then model/ and variants/. AD_EINPUT (links in place of the run's files), AD_EIO, AD_ENOMEM. */
int ad_run_unfinish(struct ad_run *run);

/* config.yaml and provenance.json as a new run would have them, into a folder, which is made. AD_EIO, AD_ENOMEM. */
int ad_run_describe(const char *folder, const struct ad_config *config, const struct ad_fact *facts, size_t fact_count);

/* What a folder holds of a run: nothing (or nothing of one), an unfinished run, a finished one. */
enum ad_run_found { AD_FOUND_NONE, AD_FOUND_UNFINISHED, AD_FOUND_FINISHED };
enum ad_run_found ad_run_find(const char *folder);

/* Bytes of log.jsonl, which are on disk when this returns. AD_EIO. */
int ad_run_log_size(struct ad_run *run, uint64_t *bytes);

/* Closes the logs and gives the folder up; one that was made and has stayed empty goes. AD_EIO when something could not
 * be written. Safe to call twice. */
int ad_run_close(struct ad_run *run);

/* Appends a row to log.jsonl, or to timing.jsonl, and flushes it. AD_EIO. */
int ad_run_log_step(struct ad_run *run, const struct ad_step_row *row);
int ad_run_log_evaluation(struct ad_run *run, const struct ad_evaluation_row *row);
int ad_run_time(struct ad_run *run, const struct ad_timing_row *row);

/* Writes a file of the run whole or not at all. AD_EINPUT, AD_EIO. */
int ad_run_write(struct ad_run *run, const char *name, const char *text, size_t size);

/* Closes the logs, seals the run's files (store/ledger.h), checkpoints where they stay (keep 1), and writes
 * result.json, the last of them: a folder that has it is whole. AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_run_finish(struct ad_run *run, const struct ad_result *result, int keep);

/* The checkpoints of a finished run go. AD_EIO, AD_ENOMEM. */
int ad_run_drop_checkpoints(struct ad_run *run);

/* Reads config.yaml of a run. AD_EINPUT (not a run folder: what is missing), AD_ECONFIG, AD_ENOMEM. */
int ad_run_config(const char *folder, struct ad_config *config);

/* Writes the logits [N,C] of one evaluation, with the labels (store/logits.h); `name` is relative to the run's logits/.
 * AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_run_keep_logits(struct ad_run *run, const char *name, struct ad_labels labels, size_t C, const float *logits);

#endif
