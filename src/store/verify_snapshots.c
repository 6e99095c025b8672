/* verify: snapshots and logits, by their digests and against the log. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/run_files.h"
#include "autodidact/store/snapshot.h"
#include "autodidact/task/scores.h"
#include "verify_internal.h"

/* --- Snapshots --- */

/* A row's scalars against the step's row of the log. */
static int compare_scalars(const struct verifier *v, const char *path, const struct ad_snapshot_file *f, size_t row,
                           uint64_t step) {
  const struct ad_log_step *logged = ad_run_log_find(&v->out->log, step);
  const struct {
    const char *name;
    uint64_t bits;
  } expected[] = {
      {"scalars/parameters", logged == NULL ? 0 : logged->row.parameters}, {"scalars/loss", 0}, {"scalars/norm", 0}};
  const double reals[] = {0.0, logged == NULL ? 0.0 : logged->row.loss, logged == NULL ? 0.0 : logged->row.norm};
  if (step > 0 && logged == NULL) {
    return ad_fail(AD_EINPUT, "%s: it has step %" PRIu64 ", the log ends at step %zu", path, step,
                   v->out->log.step_count);
  }
  for (size_t i = 0; i < sizeof expected / sizeof *expected && step > 0; i++) {
    const int column = ad_snapshot_file_find(f, expected[i].name);
    uint64_t bits, wanted = expected[i].bits;
    if (column < 0) {
      continue;
    }
    AD_TRY(ad_snapshot_file_get(f, (size_t)column, row, &bits));
    if (i > 0) {
      memcpy(&wanted, &reals[i], sizeof wanted);
    }
    if (bits != wanted) {
      return ad_fail(AD_EINPUT, "%s: %s of step %" PRIu64 " is not that in the log", path, expected[i].name, step);
    }
  }
  return AD_OK;
}

/* Every row of a segment: behind the rows before, and as the log has it. */
static int compare_segment(const struct verifier *v, const char *path, const struct ad_snapshot_file *f, uint64_t first,
                           int64_t *last) {
  const uint64_t *steps;
  const size_t rows = ad_snapshot_file_rows(f, &steps);
  if (steps[0] != first || (int64_t)steps[0] <= *last) {
    return ad_fail(AD_EINPUT, "%s: its first step is %" PRIu64 ", expected %" PRIu64 " and behind step %" PRId64, path,
                   steps[0], first, *last);
  }
  for (size_t row = 0; row < rows && v->has_log; row++) {
    AD_TRY(compare_scalars(v, path, f, row, steps[row]));
  }
  *last = (int64_t)steps[rows - 1];
  return AD_OK;
}

/* *shown: with the snapshots of this segment. */
static int verify_segment(struct verifier *v, uint64_t first, int64_t *last, size_t *shown) {
  char subject[64], text[160] = "";
  const uint64_t *steps;
  struct ad_snapshot_file *f = NULL;
  char *path = ad_snapshots_path(v->run, first);
  snprintf(subject, sizeof subject, "%s/%s", AD_RUN_FOLDER_SNAPSHOTS, path == NULL ? "" : ad_path_name(path));
  int status = path == NULL ? ad_fail_memory(64, "a path") : ad_snapshot_file_open(&f, path);
  *shown += status == AD_OK ? ad_snapshot_file_rows(f, &steps) : 0;
  status = status == AD_OK ? compare_segment(v, path, f, first, last) : status;
  if (status == AD_OK) {
    snprintf(text, sizeof text, "%zu snapshots up to step %" PRId64 ": digests%s", ad_snapshot_file_rows(f, &steps),
             *last, v->has_log ? ", scalars as in the log" : "");
  }
  ad_snapshot_file_close(f);
  ad_free(path);
  return ad__verify_record(v, subject, status, text);
}

/* Each virtual dataset shows what its name says of segments that are there, and of all of them. */
static int verify_all(struct verifier *v, size_t expected) {
  const uint64_t *steps;
  struct ad_snapshot_file *all = NULL;
  char *path = ad_path_join(v->run, AD_SNAPSHOTS_ALL);
  int status = path == NULL ? ad_fail_memory(64, "a path") : ad_snapshot_file_open(&all, path);
  if (status == AD_OK && ad_snapshot_file_rows(all, &steps) != expected) {
    status = ad_fail(AD_EINPUT, "%s: it shows %zu snapshots, the segments have %zu", path,
                     ad_snapshot_file_rows(all, &steps), expected);
  }
  ad_snapshot_file_close(all);
  ad_free(path);
  return ad__verify_record(v, AD_SNAPSHOTS_ALL, status, "it shows what the segments hold");
}

int ad__verify_snapshots(struct verifier *v) {
  uint64_t *first;
  size_t count, shown = 0;
  int64_t last = -1;
  AD_TRY(ad_snapshots_list(v->run, &first, &count));
  int status = AD_OK;
  for (size_t i = 0; i < count && status == AD_OK; i++) {
    status = verify_segment(v, first[i], &last, &shown);
  }
  ad_free(first);
  char *all = ad_path_join(v->run, AD_SNAPSHOTS_ALL);
  const int there = all == NULL || ad_is_file(all);
  ad_free(all);
  return status == AD_OK && (count > 0 || there) ? verify_all(v, shown) : status;
}

/* --- Logits --- */

/* The first score and the loss of logits against those of a row. A loss that is not finite is one that differs. */
static int compare_with_row(const char *path, const struct ad_logits *l, const struct ad_scores *logged) {
  struct ad_scoring s;
  const int status = ad_scoring_create(&s, (struct ad_labels){logged->task, l->N, l->labels}, l->C, l->logits);
  const double first = ad_scores_first(&s.scores), loss = ad_scores_loss(&s.scores);
  ad_scoring_destroy(&s);
  AD_TRY(status == AD_EDIVERGED ? AD_OK : status);
  return first == ad_scores_first(logged) && loss == ad_scores_loss(logged)
             ? AD_OK
             : ad_fail(AD_EINPUT, "%s: %s %.17g and loss %.17g, the log has %.17g and %.17g", path,
                       logged->task->scores[0].title, first, loss, ad_scores_first(logged), ad_scores_loss(logged));
}

/* The scores of logits against the evaluation's row of the log. */
static int compare_scores(const struct verifier *v, const char *path, const struct ad_logits *l) {
  enum ad_variant model;
  uint64_t step;
  if (!ad_logits_name_read(ad_path_name(path), &model, &step)) {
    return ad_fail(AD_EINPUT, "%s: a name that tells no step", path);
  }
  size_t i = 0;
  const struct ad_run_log *log = &v->out->log;
  while (i < log->evaluation_count && (log->evaluations[i].step != step || log->evaluations[i].model != model)) {
    i++;
  }
  if (i == log->evaluation_count) {
    /* Of an unfinished run: behind the checkpoint, and made again. */
    return v->out->finished ? ad_fail(AD_EINPUT, "%s: the log has no evaluation of %s at step %" PRIu64, path,
                                      ad_variant_name(model), step)
                            : AD_OK;
  }
  const struct ad_task *task = log->evaluations[i].scores.task;
  if (l->Q != ad_task_words(task, l->C)) {
    return ad_fail(AD_EINPUT, "%s: labels of %zu words, the task of the log (%s) has others", path, l->Q, task->name);
  }
  for (size_t n = 0; n < l->N; n++) {
    if (!ad_task_is_label(task, l->C, l->labels + n * l->Q)) {
      return ad_fail(AD_EINPUT, "%s: example %zu has the label %u of %zu classes", path, n, l->labels[n * l->Q], l->C);
    }
  }
  return compare_with_row(path, l, &log->evaluations[i].scores);
}

static int verify_file(struct verifier *v, const char *name) {
  struct ad_logits logits;
  char subject[300], text[160];
  snprintf(subject, sizeof subject, "%s/%s", AD_RUN_FOLDER_LOGITS, name);
  char *path = ad_path_join(v->run, subject);
  int status = path == NULL ? ad_fail_memory(300, "a path") : ad_logits_read(&logits, path);
  if (status == AD_OK) {
    status = v->has_log ? compare_scores(v, path, &logits) : AD_OK;
    snprintf(text, sizeof text, "%zu examples, %zu classes: digests%s", logits.N, logits.C,
             v->has_log ? ", error and loss as in the log" : "");
    ad_logits_destroy(&logits);
  }
  ad_free(path);
  return ad__verify_record(v, subject, status, text);
}

static int is_kept(const struct dirent *entry) {
  const size_t length = strlen(entry->d_name);
  return length > 3 && strcmp(entry->d_name + length - 3, ".h5") == 0;
}

int ad__verify_logits(struct verifier *v) {
  struct dirent **entries;
  char *folder = ad_path_join(v->run, AD_RUN_FOLDER_LOGITS);
  if (folder == NULL) {
    return ad_fail_memory(64, "a path");
  }
  const int count = scandir(folder, &entries, is_kept, alphasort);
  int status = count < 0 && errno != ENOENT ? ad_fail(AD_EIO, "%s: %s", folder, strerror(errno)) : AD_OK;
  for (int i = 0; i < count; i++) {
    status = status == AD_OK ? verify_file(v, entries[i]->d_name) : status;
    free(entries[i]);
  }
  if (count >= 0) {
    free(entries);
  }
  ad_free(folder);
  return status;
}
