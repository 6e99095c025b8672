#include "autodidact/store/run.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "autodidact/base/build.h"
#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/store/logits.h"

/* Opens a file of the run, "we" for writing anew, "ae" for going on. */
static int open_log(const struct ad_run *run, const char *name, const char *mode, FILE **file) {
  char *path = ad_path_join(run->folder, name);
  if (path == NULL) {
    return ad_fail_memory(strlen(run->folder) + 32, "a path");
  }
  *file = fopen(path, mode);
  const int status = *file == NULL ? ad_fail(AD_EIO, "%s: could not be written: %s", path, strerror(errno)) : AD_OK;
  ad_free(path);
  return status;
}

static int remove_file(const struct ad_run *run, const char *name) {
  char *path = ad_path_join(run->folder, name);
  if (path == NULL) {
    return ad_fail_memory(strlen(run->folder) + 32, "a path");
  }
  int status = AD_OK;
  if (unlink(path) != 0 && errno != ENOENT) {
    status = ad_fail(AD_EIO, "%s: could not be removed: %s", path, strerror(errno));
  }
  ad_free(path);
  return status;
}

static int remove_folder(const struct ad_run *run, const char *name) {
  char *path = ad_path_join(run->folder, name);
  if (path == NULL) {
    return ad_fail_memory(strlen(run->folder) + 32, "a path");
  }
  const int status = ad_remove_folder(path);
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
  if (!has_file(folder, "log.jsonl") && !has_file(folder, "result.json")) {
    return AD_RUN_NONE;
  }
  return has_file(folder, "result.json") ? AD_RUN_FINISHED : AD_RUN_UNFINISHED;
}

/* Empties a folder of all that a run leaves there. */
static int clear(const struct ad_run *run) {
  static const char *const folders[] = {
      "variants/student", "variants/teacher", "variants/window", "variants/run", "variants", "model",
      "logits",           "snapshots",        "checkpoints",     ".resume"};
  /* The result first: a folder without it never claims to be complete. */
  AD_TRY(remove_file(run, "result.json"));
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    AD_TRY(remove_folder(run, folders[i]));
  }
  return remove_file(run, "log.jsonl");
}

static int write_provenance(const struct ad_run *run, const struct ad_fact *facts, size_t fact_count) {
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
    return ad_fail_memory(4096, "provenance.json");
  }
  const int status = ad_run_write(run, "provenance.json", text, strlen(text));
  free(text);
  return status;
}

static int write_config(const struct ad_run *run, const struct ad_config *config) {
  struct ad_buffer text = {0};
  int status = ad_config_print(config, &text);
  if (status == AD_OK) {
    status = ad_run_write(run, "config.yaml", text.data, text.size);
  }
  ad_buffer_destroy(&text);
  return status;
}

static int set_folder(struct ad_run *run, const char *folder) {
  *run = (struct ad_run){0};
  if (folder[0] == '\0') {
    return ad_fail(AD_ECONFIG, "run.dir is not set: the folder of the run, for example run.dir=runs/first");
  }
  run->folder = ad_strdup(folder);
  return run->folder == NULL ? ad_fail_memory(strlen(folder) + 1, "a path") : AD_OK;
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

/* Cuts the log to the rows that a checkpoint knows. */
static int cut_log(const struct ad_run *run, uint64_t bytes) {
  char *path = ad_path_join(run->folder, "log.jsonl");
  struct stat info;
  if (path == NULL) {
    return ad_fail_memory(strlen(run->folder) + 32, "a path");
  }
  int status = AD_OK;
  if (stat(path, &info) != 0) {
    status = ad_fail(AD_EIO, "%s: %s", path, strerror(errno));
  } else if ((uint64_t)info.st_size < bytes) {
    status = ad_fail(AD_EINPUT, "%s: %lld bytes, the checkpoint was written after %" PRIu64 ": rows are missing", path,
                     (long long)info.st_size, bytes);
  } else if (truncate(path, (off_t)bytes) != 0) {
    status = ad_fail(AD_EIO, "%s: could not be cut: %s", path, strerror(errno));
  }
  ad_free(path);
  return status;
}

int ad_run_reopen(struct ad_run *run, const struct ad_config *config, uint64_t log_bytes) {
  AD_TRY(set_folder(run, config->run_dir));
  int status;
  AD_TRY_GOTO(cut_log(run, log_bytes), failed);
  AD_TRY_GOTO(write_config(run, config), failed);
  AD_TRY_GOTO(open_log(run, "log.jsonl", "ae", &run->log), failed);
  AD_TRY_GOTO(open_log(run, "timing.jsonl", "ae", &run->timing), failed);
  return AD_OK;
failed:
  ad_run_close(run);
  return status;
}

int ad_run_log_size(struct ad_run *run, uint64_t *bytes) {
  struct stat info;
  if (fflush(run->log) != 0 || fsync(fileno(run->log)) != 0 || fstat(fileno(run->log), &info) != 0) {
    return ad_fail(AD_EIO, "%s/log.jsonl: could not be written: %s", run->folder, strerror(errno));
  }
  *bytes = (uint64_t)info.st_size;
  return AD_OK;
}

int ad_run_create(struct ad_run *run, const struct ad_config *config, const struct ad_fact *facts, size_t fact_count) {
  AD_TRY(set_folder(run, config->run_dir));
  int status;
  AD_TRY_GOTO(ad_make_folders(run->folder), failed);
  AD_TRY_GOTO(clear(run), failed);
  AD_TRY_GOTO(write_config(run, config), failed);
  AD_TRY_GOTO(write_provenance(run, facts, fact_count), failed);
  AD_TRY_GOTO(open_log(run, "log.jsonl", "we", &run->log), failed);
  AD_TRY_GOTO(open_log(run, "timing.jsonl", "we", &run->timing), failed);
  return AD_OK;
failed:
  if (run->log != NULL) {
    fclose(run->log);
  }
  ad_free(run->folder);
  *run = (struct ad_run){0};
  return status;
}

int ad_run_close(struct ad_run *run) {
  int status = AD_OK;
  FILE *const files[] = {run->log, run->timing};
  for (size_t i = 0; i < 2; i++) {
    if (files[i] != NULL && fclose(files[i]) != 0) {
      status = ad_fail(AD_EIO, "%s: a log could not be written: %s", run->folder, strerror(errno));
    }
  }
  ad_free(run->folder);
  *run = (struct ad_run){0};
  return status;
}

static int append(const struct ad_run *run, FILE *file, const char *name, const char *format, va_list args) {
  if (vfprintf(file, format, args) < 0 || fputc('\n', file) == EOF || fflush(file) != 0) {
    return ad_fail(AD_EIO, "%s/%s: could not be written: %s", run->folder, name, strerror(errno));
  }
  return AD_OK;
}

int ad_run_log(struct ad_run *run, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const int status = append(run, run->log, "log.jsonl", format, args);
  va_end(args);
  return status;
}

int ad_run_timing(struct ad_run *run, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const int status = append(run, run->timing, "timing.jsonl", format, args);
  va_end(args);
  return status;
}

int ad_run_write(const struct ad_run *run, const char *name, const char *text, size_t size) {
  char *path = ad_path_join(run->folder, name);
  if (path == NULL) {
    return ad_fail_memory(strlen(run->folder) + strlen(name) + 2, "a path");
  }
  const int status = ad_file_write(path, text, size);
  ad_free(path);
  return status;
}

int ad_run_keep_logits(const struct ad_run *run, const char *name, size_t N, size_t C, const float *logits,
                       const uint32_t *labels) {
  char *folder = ad_path_join(run->folder, "logits");
  char *path = folder == NULL ? NULL : ad_path_join(folder, name);
  int status = path == NULL ? ad_fail_memory(strlen(run->folder) + strlen(name) + 16, "a path") : AD_OK;
  status = status == AD_OK ? ad_make_folders(folder) : status;
  status = status == AD_OK ? ad_logits_write(path, N, C, logits, labels) : status;
  ad_free(path);
  ad_free(folder);
  return status;
}

int ad_run_config(const char *folder, struct ad_config *config) {
  if (!ad_is_folder(folder)) {
    return ad_fail(AD_EINPUT, "%s: expected the folder of a run, found %s", folder,
                   access(folder, F_OK) == 0 ? "a file" : "nothing");
  }
  char *path = ad_path_join(folder, "config.yaml");
  if (path == NULL) {
    return ad_fail_memory(strlen(folder) + 32, "a path");
  }
  const int status = ad_is_file(path)
                         ? ad_config_read(config, path)
                         : ad_fail(AD_EINPUT, "%s: not the folder of a run: it has no config.yaml", folder);
  ad_free(path);
  return status;
}
