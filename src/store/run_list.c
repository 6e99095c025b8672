#include "autodidact/store/run_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/progress.h"
#include "autodidact/store/run.h"
#include "autodidact/store/run_log.h"

const char *ad_run_condition_name(enum ad_run_condition condition) {
  static const char *const names[] = {AD_RUN_CONDITION_MAP(AD_SET_NAME)};
  return names[condition];
}

/* --- What has come of a run. */

static int has(const char *folder, const char *name) {
  char *path = ad_path_join(folder, name);
  const int found = path != NULL && ad_is_file(path);
  ad_free(path);
  return found;
}

/* Two of the files that each run has: a user's own config.yaml makes no run, and a run may have lost one. */
static int is_run(const char *folder) {
  return has(folder, AD_RUN_FILE_CONFIG) + has(folder, AD_RUN_FILE_PROVENANCE) + has(folder, AD_RUN_FILE_LOG) >= 2;
}

/* The seconds of all that timing.jsonl has: steps, evaluations, what was written. */
static int add_seconds(struct ad_run_entry *run) {
  struct ad_timings timings = {0};
  char *path = ad_path_join(run->folder, AD_RUN_FILE_TIMING);
  int status = path == NULL ? ad_fail_memory(strlen(run->folder) + 16, "a path") : AD_OK;
  if (status == AD_OK && ad_is_file(path)) {
    status = ad_timings_read(&timings, path);
  }
  for (size_t i = 0; i < timings.count; i++) {
    const enum ad_timing kind = timings.rows[i].kind;
    run->seconds += kind == AD_TIMING_RESUMED || kind == AD_TIMING_MEMORY ? 0.0 : timings.rows[i].seconds;
  }
  ad_timings_destroy(&timings);
  ad_free(path);
  return status;
}

static int read_result(struct ad_run_entry *run) {
  struct ad_result result;
  AD_TRY(ad_result_find(&result, run->folder));
  run->step = run->steps = result.steps;
  run->kept = result.step;
  run->dev = result.dev;
  run->condition = AD_RUN_FINISHED;
  return AD_OK;
}

/* The last evaluation of what the result is to be. */
static int read_log(struct ad_run_entry *run) {
  struct ad_run_log log = {0};
  char *path = ad_path_join(run->folder, AD_RUN_FILE_LOG);
  int status = path == NULL ? ad_fail_memory(strlen(run->folder) + 16, "a path") : AD_OK;
  if (status == AD_OK && ad_is_file(path)) {
    status = ad_run_log_read(&log, path, UINT64_MAX);
  }
  for (size_t i = 0; status == AD_OK && i < log.evaluation_count; i++) {
    run->dev = log.evaluations[i].model == run->config.run_result ? log.evaluations[i].scores : run->dev;
  }
  run->step = log.step_count > 0 ? log.steps[log.step_count - 1].row.step : 0;
  ad_run_log_destroy(&log);
  ad_free(path);
  return status;
}

static int read_unfinished(struct ad_run_entry *run) {
  struct ad_lease_entry lease;
  uint64_t step;
  AD_TRY(read_log(run));
  ad_ignore(ad_run_progress(run->folder, &step, &run->steps));
  AD_TRY(ad_lease_find(run->folder, AD_RUN_LEASE, AD_RUN_PATIENCE, &lease));
  run->condition = lease.generation > 0 && lease.alive ? AD_RUN_RUNNING : AD_RUN_STOPPED;
  return AD_OK;
}

static int read_run(struct ad_run_entry *run) {
  AD_TRY(ad_config_create(&run->config));
  run->configured = 1;
  const int status = ad_run_config(run->folder, &run->config);
  if (status != AD_OK) {
    ad_config_destroy(&run->config);
    run->configured = 0;
    return status;
  }
  AD_TRY(has(run->folder, AD_RUN_FILE_RESULT) ? read_result(run) : read_unfinished(run));
  return add_seconds(run);
}

/* --- Where they are. */

static int add_foreign(struct ad_run_list *list, const char *folder, const char *message) {
  void *foreign = list->foreign;
  AD_TRY(ad_reserve(&foreign, &list->foreign_capacity, list->foreign_count + 1, sizeof *list->foreign));
  list->foreign = foreign;
  struct ad_run_foreign *f = &list->foreign[list->foreign_count++];
  *f = (struct ad_run_foreign){.folder = ad_strdup(folder), .message = ad_strdup(message)};
  return f->folder == NULL || f->message == NULL ? ad_fail_memory(strlen(folder) + 64, "a list of folders") : AD_OK;
}

static int add_run(struct ad_run_list *list, const char *folder) {
  void *runs = list->runs;
  AD_TRY(ad_reserve(&runs, &list->capacity, list->count + 1, sizeof *list->runs));
  list->runs = runs;
  struct ad_run_entry *run = &list->runs[list->count++];
  *run = (struct ad_run_entry){.folder = ad_strdup(folder), .condition = AD_RUN_DAMAGED};
  if (run->folder == NULL) {
    return ad_fail_memory(strlen(folder) + 1, "a list of runs");
  }
  const int status = read_run(run);
  if (status == AD_OK || status == AD_ENOMEM) {
    return status;
  }
  run->condition = AD_RUN_DAMAGED;
  run->message = ad_strdup(ad_error_message());
  ad_error_clear();
  return run->message == NULL ? ad_fail_memory(256, "a list of runs") : AD_OK;
}

static int is_visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

static int search(struct ad_run_list *list, const char *folder);

/* What is a folder below, and no link to one. */
static int search_entry(struct ad_run_list *list, const char *folder, const char *name) {
  struct stat info;
  char *path = ad_path_join(folder, name);
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + strlen(name) + 2, "a path");
  }
  const int status = lstat(path, &info) == 0 && S_ISDIR(info.st_mode) ? search(list, path) : AD_OK;
  ad_free(path);
  return status;
}

static int search(struct ad_run_list *list, const char *folder) {
  struct dirent **entries;
  if (is_run(folder)) {
    return add_run(list, folder);
  }
  const int count = scandir(folder, &entries, is_visible, versionsort);
  if (count < 0) {
    return errno == ENOMEM ? ad_fail_memory(1024, "a list of files") : add_foreign(list, folder, strerror(errno));
  }
  int status = AD_OK;
  for (int i = 0; i < count; i++) {
    status = status == AD_OK ? search_entry(list, folder, entries[i]->d_name) : status;
    free(entries[i]);
  }
  free(entries);
  return status;
}

int ad_run_list_add(struct ad_run_list *list, const char *folder) {
  const size_t before = list->count, foreign = list->foreign_count;
  AD_TRY(search(list, folder));
  return list->count == before && list->foreign_count == foreign
             ? add_foreign(list, folder, "no run, and none in the folders below")
             : AD_OK;
}

void ad_run_list_destroy(struct ad_run_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    struct ad_run_entry *run = &list->runs[i];
    ad_free(run->folder);
    ad_free(run->message);
    if (run->configured) {
      ad_config_destroy(&run->config);
    }
  }
  for (size_t i = 0; i < list->foreign_count; i++) {
    ad_free(list->foreign[i].folder);
    ad_free(list->foreign[i].message);
  }
  ad_free(list->runs);
  ad_free(list->foreign);
  *list = (struct ad_run_list){0};
}

/* A path inside the run's own folder counts by what is behind that. */
static const char *without_folder(const struct ad_config *config, const char *value) {
  const size_t size = strlen(config->run_dir);
  return size > 0 && strncmp(value, config->run_dir, size) == 0 && value[size] == '/' ? value + size : value;
}

int ad_run_list_differs(const struct ad_run_list *list, const char *key) {
  struct ad_buffer first = {0}, other = {0};
  const struct ad_config *with = NULL; /* the first configuration */
  int status = AD_OK, differs = 0;
  for (size_t i = 0; status == AD_OK && !differs && i < list->count; i++) {
    const struct ad_config *config = &list->runs[i].config;
    if (!list->runs[i].configured) {
      continue;
    }
    struct ad_buffer *value = with != NULL ? &other : &first;
    ad_buffer_clear(value);
    status = ad_buffer_puts(value, "");
    status = status == AD_OK ? ad_config_get(config, key, value) : status;
    differs = status == AD_OK && with != NULL &&
              strcmp(without_folder(with, first.data), without_folder(config, other.data)) != 0;
    with = with != NULL ? with : config;
  }
  ad_buffer_destroy(&first);
  ad_buffer_destroy(&other);
  return status == AD_OK ? differs : status;
}
