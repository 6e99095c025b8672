/* The report of runs: reads them, calls the sections, writes the files. */
#include "autodidact/report/run_report.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "run_view.h"

static int all_sections(struct run_views *views) {
  AD_TRY(ad__run_top(views));
  AD_TRY(ad__run_table(views));
  AD_TRY(ad__run_differences(views));
  AD_TRY(ad__run_curves(views));
  if (ad__runs_have(views, RUN_OF_CLASSES)) {
    AD_TRY(ad__run_classes(views));
    AD_TRY(ad__run_calibration(views));
  }
  if (ad__runs_have(views, RUN_OF_SETS)) {
    AD_TRY(ad__run_sets(views));
  }
  if (ad__runs_have(views, RUN_OF_NUMBERS)) {
    AD_TRY(ad__run_errors(views));
  }
  AD_TRY(ad__run_times(views));
  return ad__run_provenance(views);
}

static int set_title(struct document *document, const struct run_views *views) {
  struct ad_buffer title = {0};
  int status = ad_buffer_puts(&title, ad__several(views) ? "Runs " : "Run ");
  for (size_t k = 0; k < views->count && status == AD_OK; k++) {
    status = ad_buffer_printf(&title, "%s%s", k == 0 ? "" : ", ", ad_shown(views->view[k].name));
  }
  document->title = status == AD_OK ? ad_strdup(title.data) : NULL;
  ad_buffer_destroy(&title);
  return document->title == NULL ? ad_fail_memory(1024, "a title") : AD_OK;
}

static int is_same(const char *a, const char *b) {
  struct stat x, y;
  return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static int check_runs(size_t count, char *const *runs) {
  if (count == 0 || count > AD_REPORT_RUNS) {
    return ad_fail(AD_ECONFIG, "report: found %zu runs, expected 1 to %d", count, AD_REPORT_RUNS);
  }
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < i; k++) {
      if (is_same(runs[i], runs[k])) {
        return ad_fail(AD_ECONFIG, "report: found %s twice, expected each run once", runs[i]);
      }
    }
  }
  return AD_OK;
}

/* "runs/a/" and several: "runs/a-compared". The caller frees it; NULL: out of memory. */
static char *own_folder(size_t count, char *const *runs) {
  size_t length = strlen(runs[0]);
  while (length > 1 && runs[0][length - 1] == '/') {
    length--;
  }
  struct ad_buffer path = {0};
  char *folder = NULL;
  if (ad_buffer_printf(&path, "%.*s-%s", (int)length, runs[0], count > 1 ? "compared" : "report") == AD_OK) {
    folder = ad_strdup(path.data);
  }
  ad_buffer_destroy(&path);
  return folder;
}

/* The first runs in a folder that is none itself: "runs/a runs/b". AD_EIO, AD_ENOMEM. */
static int list_runs(const char *folder, struct ad_buffer *out) {
  enum { SHOWN = 3 };
  struct dirent **entries;
  const int count = scandir(folder, &entries, NULL, alphasort);
  int status = AD_OK;
  for (int i = 0, found = 0; i < count; i++) {
    char *path = entries[i]->d_name[0] == '.' ? NULL : ad_path_join(folder, entries[i]->d_name);
    if (path != NULL && ad_is_folder(path) && ad_run_find(path) != AD_FOUND_NONE && found++ < SHOWN &&
        status == AD_OK) {
      status = ad_buffer_printf(out, " %s", path);
    }
    ad_free(path);
    free(entries[i]);
  }
  if (count >= 0) {
    free(entries);
  }
  return status;
}

static int is_study(const char *folder) {
  char *plan = ad_path_join(folder, "plan.json");
  const int found = plan != NULL && ad_is_file(plan);
  ad_free(plan);
  return found;
}

/* What is meant by something that is no run, behind its failure: the runs in a folder, the report of a study. */
static int explain(char *const *runs, size_t count) {
  char message[2048];
  struct ad_buffer found = {0};
  snprintf(message, sizeof message, "%s", ad_error_message());
  for (size_t i = 0; i < count && found.size == 0; i++) {
    if (is_study(runs[i])) {
      return ad_fail(AD_EINPUT, "%s: expected the folder of a run, found that of a study: `study report STUDY.yaml`",
                     runs[i]);
    }
    const size_t length = strlen(runs[i]);
    if (length > 5 && strcmp(runs[i] + length - 5, ".yaml") == 0 && ad_is_file(runs[i])) {
      return ad_fail(AD_EINPUT, "%s: expected the folder of a run, found a file; `study report` takes a study's",
                     runs[i]);
    }
    if (ad_is_folder(runs[i]) && ad_run_find(runs[i]) == AD_FOUND_NONE && list_runs(runs[i], &found) == AD_OK &&
        found.size > 0) {
      snprintf(message, sizeof message,
               "%s: not the folder of a run, but one with runs: name some of them, as in: report%s", runs[i],
               found.data);
    }
  }
  ad_buffer_destroy(&found);
  return ad_fail(AD_EINPUT, "%s", message);
}

static int make_report(struct run_views *views, char *const *runs, const char *folder, const char *told,
                       struct ad_buffer *text) {
  const int status = ad__run_views_read(views, runs);
  AD_TRY(status == AD_EINPUT ? explain(runs, views->count) : status);
  for (size_t k = 0; k < views->count; k++) {
    AD_TRY(ad_run_check_outside(folder, runs[k]));
  }
  AD_TRY(set_title(views->doc, views));
  views->doc->command = "report";
  AD_TRY(all_sections(views));
  AD_TRY(ad_make_folders(folder));
  return ad__document_write(views->doc, folder, told, text);
}

int ad_report_runs(size_t count, char *const *runs, const char *folder, int json, struct ad_buffer *text,
                   struct ad_buffer *page) {
  AD_TRY(check_runs(count, runs));
  struct document document = {0};
  struct run_views views = {.count = count, .doc = &document};
  char *own = folder == NULL ? own_folder(count, runs) : ad_strdup(folder);
  int status = own == NULL ? ad_fail_memory(4096, "a path")
                           : make_report(&views, runs, own, json ? AD__REPORT_JSON : AD__REPORT_TEXT, text);
  status = status == AD_OK ? ad_buffer_printf(page, "%s/report.html", own) : status;
  ad__document_destroy(&document);
  ad__run_views_destroy(&views);
  ad_free(own);
  return status;
}
