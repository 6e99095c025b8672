/* autodidact inspect: a run's folder, and the files in it that are text. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run.h"
#include "autodidact/store/run_log.h"
#include "inspect.h"

/* --- config.yaml: lines of the resolved text that are not those of the defaults --- */

static int print_changed(const char *path, const char *text, const char *defaults) {
  printf("%s: what differs from the defaults\n", ad_shown(path));
  char section[64] = "";
  while (*text != '\0' && *defaults != '\0') {
    const size_t length = strcspn(text, "\n"), other = strcspn(defaults, "\n");
    if (text[0] != ' ') {
      snprintf(section, sizeof section, "%.*s", (int)strcspn(text, ":"), text);
    }
    if (length != other || strncmp(text, defaults, length) != 0) {
      const size_t indent = strspn(text, " ");
      char line[1000];
      ad_escape(text + indent, length - indent, line, sizeof line);
      printf("  %s.%s\n", section, line);
    }
    text += length + (text[length] == '\n');
    defaults += other + (defaults[other] == '\n');
  }
  return AD_OK;
}

int inspect_configuration(const char *path) {
  struct ad_config config, initial;
  struct ad_buffer text = {0}, defaults = {0};
  AD_TRY(ad_config_create(&config));
  int status = ad_config_create(&initial);
  if (status == AD_OK) {
    status = ad_config_read(&config, path);
    status = status == AD_OK ? ad_config_print(&config, &text) : status;
    status = status == AD_OK ? ad_config_print(&initial, &defaults) : status;
    status = status == AD_OK ? print_changed(path, text.data, defaults.data) : status;
    ad_config_destroy(&initial);
  }
  ad_buffer_destroy(&text);
  ad_buffer_destroy(&defaults);
  ad_config_destroy(&config);
  return status;
}

/* --- JSON --- */

/* Names with dots, one a line. */
static void print_json(const char *prefix, const json_t *value) {
  const char *name;
  json_t *item;
  if (!json_is_object(value) || ad_json_raw(value) != NULL) {
    char *text = ad_json_raw(value) != NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    printf("  %-28s %s\n", ad_shown(prefix), ad_shown(text != NULL ? text : ad_json_raw(value)));
    free(text);
    return;
  }
  json_object_foreach((json_t *)(uintptr_t)value, name, item) {
    char path[256];
    snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", name);
    print_json(path, item);
  }
}

int inspect_json(const char *path) {
  json_t *value;
  AD_TRY(ad_json_read(&value, path));
  printf("%s\n", ad_shown(path));
  print_json("", value);
  json_decref(value);
  return AD_OK;
}

/* --- The logs --- */

int inspect_log(const char *path) {
  struct ad_run_log log;
  int status = ad_run_log_read(&log, path, UINT64_MAX);
  if (status == AD_OK) {
    printf("%s: %zu steps, %zu evaluations%s; the chain of digests holds\n", ad_shown(path), log.step_count,
           log.evaluation_count, log.cut ? ", the last row cut short" : "");
  }
  if (status == AD_OK && log.step_count > 0) {
    const struct ad_log_step *first = &log.steps[0], *last = &log.steps[log.step_count - 1];
    printf("  loss of the first step %.6g, of the last %.6g (epoch %" PRIu64 "); its parameters %016" PRIx64 "\n", first->loss,
           last->loss, last->epoch, last->parameters);
  }
  if (status == AD_OK && log.evaluation_count > 0) {
    printf("\n%9s  %-8s  %11s  %10s\n", "step", "model", "dev error", "dev loss");
    for (size_t i = 0; i < log.evaluation_count; i++) {
      const struct ad_log_evaluation *e = &log.evaluations[i];
      printf("%9" PRIu64 "  %-8s  %9.4f %%  %10.6f\n", e->step, ad_shown(e->model), 100.0 * e->error, e->loss);
    }
  }
  ad_run_log_destroy(&log);
  return status;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* What a row of timing.jsonl is about. */
enum timed { TIMED_STEP, TIMED_EVALUATION, TIMED_SNAPSHOT, TIMED_CHECKPOINT, TIMED };

static int kind_of(const json_t *row) {
  return json_object_get(row, "eval") != NULL         ? TIMED_EVALUATION
         : json_object_get(row, "snapshot") != NULL   ? TIMED_SNAPSHOT
         : json_object_get(row, "checkpoint") != NULL ? TIMED_CHECKPOINT
         : json_object_get(row, "step") != NULL       ? TIMED_STEP
                                                      : -1;
}

int inspect_timing(const char *path) {
  static const char *const names[TIMED] = {"steps", "evaluations", "snapshots", "checkpoints"};
  struct ad_file_map map;
  void *seconds[TIMED] = {NULL};
  size_t count[TIMED] = {0}, capacity[TIMED] = {0}, resumed = 0;
  int status = ad_file_map(path, &map);
  AD_TRY(status);
  for (size_t at = 0; at < map.size && status == AD_OK;) {
    const char *row = map.data + at, *end = memchr(row, '\n', map.size - at);
    const size_t size = end == NULL ? map.size - at : (size_t)(end - row);
    json_t *object;
    ad_json_parse(&object, path, 1, row, size); /* what is no row is passed over */
    const json_t *value = json_object_get(object, "seconds");
    const int kind = kind_of(object);
    resumed += json_object_get(object, "resumed") != NULL;
    if (kind >= 0 && json_is_number(value)) {
      status = ad_reserve(&seconds[kind], &capacity[kind], count[kind] + 1, sizeof(double));
      if (status == AD_OK) {
        ((double *)seconds[kind])[count[kind]++] = json_number_value(value);
      }
    }
    json_decref(object);
    at += size + 1;
  }
  ad_file_unmap(&map);
  if (status == AD_OK) {
    printf("%s: the run went on %zu times\n%-12s  %8s  %12s  %12s  %12s\n", ad_shown(path), resumed, "", "number",
           "median s", "largest s", "sum s");
  }
  for (int k = 0; k < TIMED; k++) {
    double sum = 0.0, *list = seconds[k];
    if (status == AD_OK && count[k] > 0) {
      qsort(list, count[k], sizeof *list, by_value);
      for (size_t i = 0; i < count[k]; i++) {
        sum += list[i];
      }
      printf("%-12s  %8zu  %12.6f  %12.6f  %12.3f\n", names[k], count[k], list[count[k] / 2], list[count[k] - 1], sum);
    }
    ad_free(seconds[k]);
  }
  return status;
}

/* --- The folder --- */

int inspect_is_run(const char *path) {
  char *file = ad_path_join(path, "config.yaml");
  const int found = file != NULL && ad_is_file(file);
  ad_free(file);
  return found;
}

static int is_shown(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

/* Files of a folder with their sizes. */
static int list_folder(const char *run, const char *name) {
  struct dirent **entries;
  char *folder = ad_path_join(run, name);
  if (folder == NULL) {
    return ad_fail_memory(64, "a path");
  }
  const int count = scandir(folder, &entries, is_shown, alphasort);
  int status = count < 0 && errno != ENOENT && errno != ENOTDIR ? ad_fail(AD_EIO, "%s: %s", folder, strerror(errno)) : AD_OK;
  for (int i = 0; i < count; i++) {
    struct stat info;
    char *path = ad_path_join(folder, entries[i]->d_name);
    if (path == NULL) {
      status = ad_fail_memory(64, "a path");
    } else if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
      printf("  %12lld  %s/%s\n", (long long)info.st_size, name, ad_shown(entries[i]->d_name));
    }
    ad_free(path);
    free(entries[i]);
  }
  if (count >= 0) {
    free(entries);
  }
  ad_free(folder);
  return status;
}

/* One file of the run, if it is there. */
static int show(const char *run, const char *name, int (*print)(const char *path)) {
  char *path = ad_path_join(run, name);
  int status = path == NULL ? ad_fail_memory(64, "a path") : AD_OK;
  if (status == AD_OK && ad_is_file(path)) {
    status = print(path);
    putchar('\n');
  }
  ad_free(path);
  return status;
}

int inspect_run(const char *path) {
  static const char *const folders[] = {"checkpoints",      "snapshots",       "logits",      "model",
                                        "variants/student", "variants/teacher", "variants/window", "variants/run"};
  static const char *const states[] = {[AD_RUN_NONE] = "a run that has not begun",
                                       [AD_RUN_UNFINISHED] = "an unfinished run",
                                       [AD_RUN_FINISHED] = "a finished run"};
  printf("%s: %s\n\n", ad_shown(path), states[ad_run_find(path)]);
  AD_TRY(show(path, "config.yaml", inspect_configuration));
  AD_TRY(show(path, "provenance.json", inspect_json));
  AD_TRY(show(path, "log.jsonl", inspect_log));
  AD_TRY(show(path, "timing.jsonl", inspect_timing));
  AD_TRY(show(path, "result.json", inspect_json));
  printf("%14s  file\n", "bytes");
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    AD_TRY(list_folder(path, folders[i]));
  }
  return AD_OK;
}
