/* autodidact inspect: a run's folder. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/store/run.h"
#include "autodidact/store/run_files.h"
#include "inspect.h"

int inspect_is_run(const char *path) {
  char *file = ad_path_join(path, AD_RUN_FILE_CONFIG);
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
  int status =
      count < 0 && errno != ENOENT && errno != ENOTDIR ? ad_fail(AD_EIO, "%s: %s", folder, strerror(errno)) : AD_OK;
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
#define RUN_FILE(constant, name, shown, text) {name, inspect_##shown},
#define RUN_FOLDER(constant, name, text) name,
  static const struct {
    const char *name;
    int (*show)(const char *path);
  } files[] = {AD_RUN_FILE_MAP(RUN_FILE)};
  static const char *const folders[] = {AD_RUN_FOLDER_MAP(RUN_FOLDER)};
  static const char *const states[] = {[AD_FOUND_NONE] = "a run that has not begun",
                                       [AD_FOUND_UNFINISHED] = "an unfinished run",
                                       [AD_FOUND_FINISHED] = "a finished run"};
  printf("%s: %s\n\n", ad_shown(path), states[ad_run_find(path)]);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    AD_TRY(files[i].show != NULL ? show(path, files[i].name, files[i].show) : AD_OK);
  }
  printf("%14s  file\n", "bytes");
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    AD_TRY(list_folder(path, folders[i]));
  }
  for (enum ad_variant v = 0; v < AD_VARIANTS; v++) {
    char name[AD_RUN_MODEL_NAME];
    AD_TRY(list_folder(path, ad_run_model_name(v, AD_VARIANTS, name)));
  }
  return AD_OK;
}
