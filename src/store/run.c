#include "autodidact/store/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "autodidact/base/build.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/checkpoint.h"
#include "autodidact/store/logits.h"
#include "autodidact/store/run_log.h"

/* --- Whose the folder is. */

static int set_folder(struct ad_run *run, const char *folder) {
  *run = (struct ad_run){0};
  if (folder[0] == '\0') {
    return ad_fail(AD_ECONFIG, "run.dir is not set: the folder of the run, for example run.dir=runs/first");
  }
  run->folder = ad_strdup(folder);
  return run->folder == NULL ? ad_fail_memory(strlen(folder) + 1, "a path") : AD_OK;
}

/* A folder that was made for a run that did not begin goes again. */
static void leave_folder(struct ad_run *run) {
  ad_heartbeat_stop(run->heartbeat);
  ad_lease_end(&run->lease, 1);
  ad_ledger_close(&run->ledger);
  if (run->made) {
    ad_ignore(rmdir(run->folder));
  }
  ad_free(run->folder);
  *run = (struct ad_run){0};
}

int ad_run_enter(struct ad_run *run, const char *folder, struct ad_lease_entry *holder) {
  int taken = 0;
  AD_TRY(set_folder(run, folder));
  run->made = access(folder, F_OK) != 0;
  int status = ad_lease_find(folder, AD_RUN_LEASE, AD_RUN_PATIENCE, holder);
  if (status == AD_OK) {
    status = ad_lease_take(&run->lease, folder, AD_RUN_LEASE, holder->generation, AD_RUN_PATIENCE, &taken);
  }
  if (status == AD_OK && taken) {
    status = ad_heartbeat_start(&run->heartbeat, &run->lease, AD_RUN_BEAT);
    status = status == AD_OK ? ad_ledger_open(&run->ledger, folder) : status;
  } else if (status == AD_OK) {
    status = ad_lease_find(folder, AD_RUN_LEASE, AD_RUN_PATIENCE, holder);
    run->made = 0;
  }
  if (status != AD_OK || !taken) {
    leave_folder(run);
  }
  return status;
}

int ad_run_refuse(const char *folder, const struct ad_lease_entry *holder) {
  char since[40] = "";
  const time_t began = holder->since > 0.0 && holder->since < 1e11 ? (time_t)holder->since : 0;
  struct tm utc;
  if (began > 0 && gmtime_r(&began, &utc) != NULL) {
    strftime(since, sizeof since, " since %Y-%m-%dT%H:%M:%SZ", &utc);
  }
  return ad_fail(AD_ECONFIG, "%s is being trained by process %ld on %s%s: wait for its end, or choose another run.dir",
                 folder, holder->pid, holder->host[0] == '\0' ? "?" : holder->host, since);
}

int ad_run_check(const struct ad_run *run) {
  return run->lease.path == NULL || (!ad_heartbeat_lost(run->heartbeat) && ad_lease_held(&run->lease))
             ? AD_OK
             : ad_fail(AD_EIO,
                       "%s: another process has taken this run over, as this one gave no sign of life for too long; it "
                       "writes nothing more",
                       run->folder);
}

int ad_run_record(struct ad_run *run, const char *name) {
  AD_TRY(ad_run_check(run));
  return run->lease.path == NULL ? AD_OK : ad_ledger_record(&run->ledger, name);
}

/* --- What it holds. */

/* The first of what is not the run's, as a failure. */
static int check_foreign(const struct ad_ledger *ledger, int which) {
  struct ad_ledger_names names;
  int status = ad_ledger_list(ledger, which, &names);
  if (status == AD_OK && names.count > 0) {
    status = (which & AD_LEDGER_LINKS) != 0
                 ? ad_fail(AD_EINPUT, "%s/%s: a symbolic link: a run writes into files and folders of its own only",
                           ledger->folder, names.items[0])
                 : ad_fail(AD_EINPUT,
                           "%s holds %s, which no run has made: a run takes a folder that is not there, is empty, or "
                           "holds nothing but a run: choose another run.dir",
                           ledger->folder, names.items[0]);
  }
  ad_ledger_names_destroy(&names);
  return status;
}

int ad_run_check_files(const char *folder, int anew) {
  struct ad_ledger ledger;
  int status = ad_ledger_open(&ledger, folder);
  status = status == AD_OK && (anew || !ledger.there) ? check_foreign(&ledger, AD_LEDGER_FOREIGN) : status;
  ad_ledger_close(&ledger);
  return status;
}

/* Opens a file of the run, O_TRUNC for writing anew, O_APPEND for going on; not what a link names, nor a pipe
 * that nobody reads. */
static int open_log(struct ad_run *run, const char *name, int how, FILE **file) {
  AD_TRY(ad_run_record(run, name));
  char *path = ad_path_join(run->folder, name);
  if (path == NULL) {
    return ad_fail_memory(strlen(run->folder) + 32, "a path");
  }
  const int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | how, 0666);
  *file = fd < 0 ? NULL : fdopen(fd, how == O_APPEND ? "a" : "w");
  int status = AD_OK;
  if (*file == NULL) {
    status = ad_fail(AD_EIO, "%s: could not be written: %s", path, strerror(errno));
    if (fd >= 0) {
      ad_ignore(close(fd));
    }
  }
  ad_free(path);
  return status;
}

static int has_file(const char *folder, const char *name) {
  char *path = ad_path_join(folder, name);
  const int found = path != NULL && access(path, F_OK) == 0;
  ad_free(path);
  return found;
}

enum ad_run_found ad_run_find(const char *folder) {
  uint64_t *steps;
  size_t count;
  if (has_file(folder, AD_RUN_FILE_RESULT)) {
    return AD_FOUND_FINISHED;
  }
  if (has_file(folder, AD_RUN_FILE_LOG)) {
    return AD_FOUND_UNFINISHED;
  }
  /* A log may be lost. Where that cannot be told, nothing of it may be taken for nothing. */
  const int status = ad_checkpoint_list(folder, &steps, &count);
  ad_free(steps);
  ad_error_clear();
  return status != AD_OK || count > 0 ? AD_FOUND_UNFINISHED : AD_FOUND_NONE;
}

int ad_run_check_outside(const char *folder, const char *run) {
  char *above = ad_path_folder(folder);
  if (above == NULL) {
    return ad_fail_memory(strlen(folder) + 2, "a path");
  }
  const int inside = ad_is_inside(ad_is_folder(folder) ? folder : above, run);
  ad_free(above);
  return inside ? ad_fail(AD_ECONFIG, "%s lies in the folder of the run %s, which holds the run's own files only",
                          folder, run)
                : AD_OK;
}

/* Empties a folder of all that a run has left there. The result first: a folder without it never claims to be complete.
 */
static int clear(struct ad_run *run) {
  AD_TRY(check_foreign(&run->ledger, AD_LEDGER_FOREIGN));
  AD_TRY(ad_ledger_remove(&run->ledger, AD_RUN_FILE_RESULT));
  return ad_ledger_remove(&run->ledger, "");
}

static int write_provenance(struct ad_run *run, const struct ad_fact *facts, size_t fact_count) {
  char host[256] = "", started[32];
  gethostname(host, sizeof host - 1);
  const time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &utc);
  json_t *object =
      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "version", ad_build_version(), "commit", ad_build_commit(),
                "compiler", ad_build_compiler(), "build", ad_build_flags(), "host", host, "started", started);
  for (size_t i = 0; object != NULL && i < fact_count; i++) {
    json_object_set_new(object, facts[i].name, json_string(facts[i].text));
  }
  char *text = object == NULL ? NULL : json_dumps(object, JSON_INDENT(2));
  json_decref(object);
  if (text == NULL) {
    return ad_fail_memory(4096, AD_RUN_FILE_PROVENANCE);
  }
  const int status = ad_run_write(run, AD_RUN_FILE_PROVENANCE, text, strlen(text));
  free(text);
  return status;
}

static int write_config(struct ad_run *run, const struct ad_config *config) {
  struct ad_buffer text = {0};
  int status = ad_config_print(config, &text);
  if (status == AD_OK) {
    status = ad_run_write(run, AD_RUN_FILE_CONFIG, text.data, text.size);
  }
  ad_buffer_destroy(&text);
  return status;
}

int ad_run_describe(const char *folder, const struct ad_config *config, const struct ad_fact *facts,
                    size_t fact_count) {
  struct ad_run run;
  AD_TRY(set_folder(&run, folder));
  int status = ad_make_folders(folder);
  status = status == AD_OK ? write_config(&run, config) : status;
  status = status == AD_OK ? write_provenance(&run, facts, fact_count) : status;
  ad_free(run.folder);
  return status;
}

/* The rows that a checkpoint knows must all be there, and as they were. */
static int check_log(const char *path, const struct ad_run_mark *mark) {
  struct ad_run_log log = {0};
  const int there = access(path, F_OK) == 0;
  int status = there ? ad_run_log_read(&log, path, mark->log_bytes) : AD_OK;
  const uint64_t chain = log.step_count == 0 ? 0 : log.steps[log.step_count - 1].row.chain;
  if (!there) {
    status = ad_fail(AD_EINPUT, "%s: missing, the checkpoint was written after %" PRIu64 " bytes of it", path,
                     mark->log_bytes);
  } else if (status == AD_OK && log.map.size < mark->log_bytes) {
    status = ad_fail(AD_EINPUT, "%s: %zu bytes, the checkpoint was written after %" PRIu64 ": rows are missing", path,
                     log.map.size, mark->log_bytes);
  } else if (status == AD_OK &&
             (log.bytes != mark->log_bytes || log.step_count != mark->step || chain != mark->chain)) {
    status = ad_fail(AD_EINPUT,
                     "%s: its first %" PRIu64 " bytes are %zu steps with the chain %016" PRIx64
                     ", the checkpoint was "
                     "written after %" PRIu64 " with %016" PRIx64,
                     path, mark->log_bytes, log.step_count, chain, mark->step, mark->chain);
  }
  ad_run_log_destroy(&log);
  return status == AD_EINPUT ? ad_fail_prefix(status, "the run cannot go on (run.overwrite=true starts anew)") : status;
}

/* Opens the log and cuts it to the rows that the checkpoint knows. */
static int cut_log(struct ad_run *run, const struct ad_run_mark *mark) {
  char *path = ad_path_join(run->folder, AD_RUN_FILE_LOG);
  int status = path == NULL ? ad_fail_memory(strlen(run->folder) + 32, "a path") : check_log(path, mark);
  status = status == AD_OK ? open_log(run, AD_RUN_FILE_LOG, O_APPEND, &run->log) : status;
  if (status == AD_OK && ftruncate(fileno(run->log), (off_t)mark->log_bytes) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be cut: %s", path, strerror(errno));
  }
  ad_free(path);
  return status;
}

int ad_run_reopen(struct ad_run *run, const struct ad_config *config, const struct ad_run_mark *mark) {
  AD_TRY(ad_run_check(run));
  AD_TRY(check_foreign(&run->ledger, AD_LEDGER_LINKS));
  AD_TRY(ad_ledger_remove_partial(&run->ledger));
  AD_TRY(cut_log(run, mark));
  AD_TRY(write_config(run, config));
  return open_log(run, AD_RUN_FILE_TIMING, O_APPEND, &run->timing);
}

int ad_run_unfinish(struct ad_run *run) {
  static const char *const names[] = {AD_RUN_FILE_RESULT, AD_RUN_FOLDER_MODEL, AD_RUN_FOLDER_VARIANTS};
  AD_TRY(ad_run_check(run));
  AD_TRY(check_foreign(&run->ledger, AD_LEDGER_LINKS));
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    AD_TRY(ad_ledger_remove(&run->ledger, names[i]));
  }
  return ad_ledger_unseal(&run->ledger);
}

int ad_run_log_size(struct ad_run *run, uint64_t *bytes) {
  struct stat info;
  if (fflush(run->log) != 0 || fsync(fileno(run->log)) != 0 || fstat(fileno(run->log), &info) != 0) {
    return ad_fail(AD_EIO, "%s/%s: could not be written: %s", run->folder, AD_RUN_FILE_LOG, strerror(errno));
  }
  *bytes = (uint64_t)info.st_size;
  return AD_OK;
}

int ad_run_create(struct ad_run *run, const struct ad_config *config, const struct ad_fact *facts, size_t fact_count) {
  AD_TRY(ad_run_check(run));
  AD_TRY(clear(run));
  AD_TRY(write_config(run, config));
  AD_TRY(write_provenance(run, facts, fact_count));
  AD_TRY(open_log(run, AD_RUN_FILE_LOG, O_TRUNC, &run->log));
  return open_log(run, AD_RUN_FILE_TIMING, O_TRUNC, &run->timing);
}

static int close_logs(struct ad_run *run) {
  static const char *const names[] = {AD_RUN_FILE_LOG, AD_RUN_FILE_TIMING};
  int status = AD_OK;
  FILE *const files[] = {run->log, run->timing};
  run->log = run->timing = NULL;
  for (size_t i = 0; i < 2; i++) {
    if (files[i] != NULL && fclose(files[i]) != 0) {
      status = ad_fail(AD_EIO, "%s/%s: could not be written: %s", run->folder, names[i], strerror(errno));
    }
  }
  return status;
}

int ad_run_close(struct ad_run *run) {
  const int status = close_logs(run);
  leave_folder(run);
  return status;
}

static int append(const struct ad_run *run, FILE *file, const char *name, const char *row) {
  AD_TRY(ad_run_check(run));
  if (fputs(row, file) == EOF || fputc('\n', file) == EOF || fflush(file) != 0) {
    return ad_fail(AD_EIO, "%s/%s: could not be written: %s", run->folder, name, strerror(errno));
  }
  return AD_OK;
}

int ad_run_log_step(struct ad_run *run, const struct ad_step_row *row) {
  char text[AD_ROW_TEXT];
  return append(run, run->log, AD_RUN_FILE_LOG, ad_step_row_print(row, text));
}

int ad_run_log_evaluation(struct ad_run *run, const struct ad_evaluation_row *row) {
  char text[AD_ROW_TEXT];
  return append(run, run->log, AD_RUN_FILE_LOG, ad_evaluation_row_print(row, text));
}

int ad_run_time(struct ad_run *run, const struct ad_timing_row *row) {
  char text[AD_ROW_TEXT];
  return append(run, run->timing, AD_RUN_FILE_TIMING, ad_timing_row_print(row, text));
}

static int write_file(const struct ad_run *run, const char *name, const char *text, size_t size) {
  char *path = ad_path_join(run->folder, name);
  if (path == NULL) {
    return ad_fail_memory(strlen(run->folder) + strlen(name) + 2, "a path");
  }
  const int status = ad_file_write(path, text, size);
  ad_free(path);
  return status;
}

int ad_run_write(struct ad_run *run, const char *name, const char *text, size_t size) {
  AD_TRY(ad_run_record(run, name));
  return write_file(run, name, text, size);
}

int ad_run_finish(struct ad_run *run, const struct ad_result *result, int keep) {
  struct ad_buffer text = {0};
  uint64_t unused;
  AD_TRY(ad_run_check(run));
  AD_TRY(ad_run_log_size(run, &unused));
  AD_TRY(close_logs(run));
  AD_TRY(ad_ledger_seal_all(&run->ledger, keep ? NULL : AD_RUN_FOLDER_CHECKPOINTS));
  int status = ad_result_print(result, &text);
  status = status == AD_OK ? ad_ledger_seal_text(&run->ledger, AD_RUN_FILE_RESULT, text.data, text.size) : status;
  status = status == AD_OK ? write_file(run, AD_RUN_FILE_RESULT, text.data, text.size) : status;
  ad_buffer_destroy(&text);
  return status;
}

int ad_run_drop_checkpoints(struct ad_run *run) {
  AD_TRY(ad_run_check(run));
  return ad_ledger_remove(&run->ledger, AD_RUN_FOLDER_CHECKPOINTS);
}

int ad_run_keep_logits(struct ad_run *run, const char *name, struct ad_labels labels, size_t C, const float *logits) {
  char place[300];
  snprintf(place, sizeof place, "%s/%s", AD_RUN_FOLDER_LOGITS, name);
  AD_TRY(ad_run_record(run, place));
  char *folder = ad_path_join(run->folder, AD_RUN_FOLDER_LOGITS);
  char *path = folder == NULL ? NULL : ad_path_join(folder, name);
  int status = path == NULL ? ad_fail_memory(strlen(run->folder) + strlen(name) + 16, "a path") : AD_OK;
  status = status == AD_OK ? ad_make_folders(folder) : status;
  status = status == AD_OK ? ad_logits_write(path, labels, C, logits) : status;
  ad_free(path);
  ad_free(folder);
  return status;
}

int ad_run_config(const char *folder, struct ad_config *config) {
  if (!ad_is_folder(folder)) {
    return ad_fail(AD_EINPUT, "%s: expected the folder of a run, found %s", folder,
                   access(folder, F_OK) == 0 ? "a file" : "nothing");
  }
  char *path = ad_path_join(folder, AD_RUN_FILE_CONFIG);
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + 32, "a path");
  }
  const int status = ad_is_file(path)
                         ? ad_config_read(config, path)
                         : ad_fail(AD_EINPUT, "%s: not the folder of a run: it has no config.yaml", folder);
  ad_free(path);
  return status;
}
