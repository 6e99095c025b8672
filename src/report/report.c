/* Gathers the runs of a study by arm and seeds, calls the sections, writes the files. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/shown.h"
#include "autodidact/base/status.h"
#include "autodidact/learn/teacher.h"
#include "report_internal.h"
#include "table.h"

/* ---- Runs by arm ---- */

static int same_seeds(const struct ad_study *study, const struct ad_study_cell *a, const struct ad_study_cell *b) {
  for (size_t x = 0; x < study->axis_count; x++) {
    if (study->axes[x].seed && a->level[x] != b->level[x]) {
      return 0;
    }
  }
  return 1;
}

static enum run_state state_of(const struct report *r, size_t cell, double score) {
  const struct ad_cell_record *record = &r->cells->records[cell];
  if (ad_cells_is_failed_run(r->cells, cell)) {
    return record->state == AD_CELL_DONE && isfinite(score) ? RUN_FAILED : RUN_DIVERGED;
  }
  return record->state != AD_CELL_DONE ? RUN_MISSING : isfinite(score) ? RUN_GOOD : RUN_MISSING;
}

static void add_run(struct report *r, struct report_arm *arm, size_t point, size_t cell) {
  const double score = ad_cells_result(r->cells, cell);
  struct report_run *run = &arm->runs[point];
  *run = (struct report_run){cell, state_of(r, cell, score), NAN};
  if (run->state == RUN_GOOD || run->state == RUN_FAILED) {
    run->score = score;
    arm->all[arm->all_count++] = score;
  }
  if (run->state == RUN_GOOD) {
    arm->fine[arm->good] = score;
  }
  arm->good += run->state == RUN_GOOD;
  arm->failed += run->state == RUN_FAILED;
  arm->diverged += run->state == RUN_DIVERGED;
  arm->missing += run->state == RUN_MISSING;
}

static int gather_runs(struct report *r) {
  const struct ad_study *study = r->study;
  size_t *filled = ad_calloc(r->arms, sizeof *filled);
  r->arm = ad_calloc(r->arms, sizeof *r->arm);
  int status =
      filled == NULL || r->arm == NULL ? ad_fail_memory(r->arms * sizeof *r->arm, "the arms of a report") : AD_OK;
  for (size_t a = 0; a < r->arms && status == AD_OK; a++) {
    r->arm[a] = (struct report_arm){.name = study->arms[a].name,
                                    .own = study->arms[a].own,
                                    .setting = study->arms[a].setting,
                                    .runs = ad_malloc(r->points, sizeof *r->arm[a].runs),
                                    .all = ad_malloc(r->points, sizeof(double)),
                                    .fine = ad_malloc(r->points, sizeof(double))};
    if (r->arm[a].runs == NULL || r->arm[a].all == NULL || r->arm[a].fine == NULL) {
      status = ad_fail_memory(r->points * sizeof *r->arm[a].runs, "the runs of a report");
    }
  }
  const struct ad_study_cell *first = NULL;
  for (size_t i = 0; i < study->count && status == AD_OK; i++) {
    const size_t a = study->cells[i].arm, point = filled[a]++;
    if (a == 0 && point == 0) {
      first = &study->cells[i];
    }
    if (point >= r->points || first == NULL || (a > 0 && !same_seeds(study, first + point, &study->cells[i]))) {
      status = ad_fail(AD_EINTERNAL, "cell %zu does not have the seeds of the first arm's cell", i);
    } else {
      add_run(r, &r->arm[a], point, i);
    }
  }
  ad_free(filled);
  return status;
}

static void release_arms(struct report *r) {
  for (size_t a = 0; r->arm != NULL && a < r->arms; a++) {
    ad_free(r->arm[a].runs);
    ad_free(r->arm[a].all);
    ad_free(r->arm[a].fine);
  }
  ad_free(r->arm);
}

size_t ad__report_common(const struct report *r, size_t arm_a, size_t arm_b, int fine, size_t *points, double *a,
                         double *b) {
  size_t n = 0;
  for (size_t k = 0; k < r->points; k++) {
    const struct report_run *x = &r->arm[arm_a].runs[k], *y = &r->arm[arm_b].runs[k];
    if (!isnan(x->score) && !isnan(y->score) && (!fine || (x->state == RUN_GOOD && y->state == RUN_GOOD))) {
      points[n] = k;
      a[n] = x->score;
      b[n++] = y->score;
    }
  }
  return n;
}

size_t ad__report_share(const struct report *r, size_t all, size_t arm) {
  const size_t share = all / r->arms;
  return share < 2 ? 2 : share > arm ? arm : share;
}

size_t ad__report_choose(const struct report *r, size_t arm, size_t most, size_t *chosen) {
  const size_t take = r->points < most ? r->points : most;
  size_t count = 0;
  for (size_t i = 0; i < take; i++) {
    /* The same seeds of every arm, spread evenly. */
    const size_t k = i * r->points / take;
    if (!isnan(r->arm[arm].runs[k].score)) {
      chosen[count++] = k;
    }
  }
  return count;
}

char *ad__report_path(const struct report *r, size_t arm, size_t run, const char *name) {
  char *folder = ad_study_folder(r->study, &r->study->cells[r->arm[arm].runs[run].cell]);
  char *path = folder == NULL ? NULL : ad_path_join(folder, name);
  ad_free(folder);
  if (path == NULL && r->doc->status == AD_OK) {
    r->doc->status = ad_fail_memory(4096, "a path");
  }
  return path;
}

int ad__report_variant(const struct report *r, size_t arm, enum ad_variant *variant) {
  if (r->study->source >= AD_SOURCE_VARIANT) {
    *variant = r->study->source - AD_SOURCE_VARIANT;
    return AD_OK;
  }
  struct ad_config config;
  AD_TRY(ad_study_config(r->study, &r->study->cells[r->arm[arm].runs[0].cell], &config));
  *variant = config.run_result;
  ad_config_destroy(&config);
  return AD_OK;
}

/* ---- The report ---- */

/* The arm `own` in the setting of arm a, or the first arm there. */
static size_t find_in_setting(const struct report *r, const char *own, size_t a) {
  size_t first = r->arms;
  for (size_t b = 0; b < r->arms; b++) {
    if (strcmp(r->arm[b].setting, r->arm[a].setting) == 0) {
      first = first == r->arms ? b : first;
      if (strcmp(r->arm[b].own, own) == 0) {
        return b;
      }
    }
  }
  return first;
}

/* Each arm is compared with the arm `name` (NULL: the first one) of its own setting. */
static int find_baselines(struct report *r, const char *name) {
  const char *own = name == NULL ? r->arm[0].own : name;
  for (size_t a = 0; a < r->arms; a++) {
    r->arm[a].baseline = find_in_setting(r, own, a);
    r->settings += find_in_setting(r, "", a) == a;
    r->compared += !ad__is_baseline(r, a);
    if (name != NULL && strcmp(r->arm[r->arm[a].baseline].own, name) != 0) {
      return ad_fail(AD_ECONFIG, "%s: found no arm \"%s\" to compare with%s%s; the first is \"%s\"", r->study->path,
                     name, r->arm[a].setting[0] == '\0' ? "" : " at ", r->arm[a].setting, r->arm[0].own);
    }
  }
  r->baseline = r->arm[0].baseline;
  return AD_OK;
}

static void describe_metric(struct report *r) {
  const struct ad_score *score = r->study->score;
  for (size_t i = 0; i < r->study->count && r->task == NULL; i++) {
    r->task = r->cells->records[i].scores[r->study->source].task;
  }
  r->doc->score = ad__score_unit(score);
  r->falls = score->better == AD_BETTER_DOWN;
  r->scale = ad__units[r->doc->score].scale;
  r->unit = ad__units[r->doc->score].name;
  snprintf(r->metric, sizeof r->metric, "%s %s", ad_study_source_name(r->study->source), score->name);
}

static void count_runs(struct report *r) {
  size_t good = 0, failed = 0, diverged = 0, missing = 0;
  for (size_t a = 0; a < r->arms; a++) {
    good += r->arm[a].good;
    failed += r->arm[a].failed;
    diverged += r->arm[a].diverged;
    missing += r->arm[a].missing;
  }
  ad__document_summary(
      r->doc,
      "%zu arms, %zu combinations of seeds, %zu cells: %zu finished well, %zu failed by the study's rule, "
      "%zu diverged, %zu have no result (yet).",
      r->arms, r->points, r->study->count, good, failed, diverged, missing);
  if (missing > 0) {
    ad__document_summary(
        r->doc,
        "The study is not complete: what is here describes the %zu runs that have a score. Cells that are "
        "missing for a reason (the hard ones take longer) bias every figure.",
        good + failed);
  }
}

/* Finished runs of several programs differ by more than their settings. `what` of each is at `offset` of its record. */
static void count_programs(struct report *r, const char *what, size_t offset) {
  struct ad_buffer text = {0};
  const char *first = NULL;
  size_t others = 0;
  for (size_t i = 0; i < r->study->count; i++) {
    const struct ad_cell_record *record = &r->cells->records[i];
    const char *own = (const char *)record + offset;
    if (record->state == AD_CELL_DONE && own[0] != '\0') {
      first = first == NULL ? own : first;
      if (strcmp(first, own) != 0 && others++ == 0 && r->doc->status == AD_OK) {
        r->doc->status = ad_buffer_printf(&text, "%s and %s", first, own);
      }
    }
  }
  if (others > 0 && r->doc->status == AD_OK) {
    ad__document_summary(r->doc,
                         "Runs of more than one %s (%s): %zu do not have the first. They may differ by more than "
                         "seeds and settings.",
                         what, text.data, others);
  }
  ad_buffer_destroy(&text);
}

static int all_sections(struct report *r) {
  AD_TRY(ad__report_registration(r));
  AD_TRY(ad__report_comparison(r));
  AD_TRY(ad__report_failures(r));
  AD_TRY(ad__report_settings(r));
  count_runs(r);
  count_programs(r, "commit", offsetof(struct ad_cell_record, commit));
  count_programs(r, "arithmetic", offsetof(struct ad_cell_record, arithmetic));
  AD_TRY(ad__report_arms(r));
  AD_TRY(ad__report_spread(r));
  AD_TRY(ad__report_variance(r));
  AD_TRY(ad__report_cost(r));
  AD_TRY(ad__report_examples(r));
  AD_TRY(ad__report_logs(r));
  AD_TRY(ad__report_snapshots(r));
  AD_TRY(ad__report_best(r));
  AD_TRY(ad__report_provenance(r));
  return r->doc->status;
}

static int make_report(struct report *r, const struct ad_report_settings *settings, const char *folder,
                       struct ad_buffer *text) {
  char title[300];
  AD_TRY(gather_runs(r));
  AD_TRY(ad__report_find_seeds(r));
  AD_TRY(find_baselines(r, settings->baseline));
  AD_TRY(ad_make_folders(folder));
  describe_metric(r);
  snprintf(title, sizeof title, "Study %s: %s", r->study->name, r->metric);
  r->doc->command = "study report";
  r->doc->title = ad_strdup(ad_shown(title));
  if (r->doc->title == NULL) {
    return ad_fail_memory(strlen(title) + 1, "a title");
  }
  AD_TRY(all_sections(r));
  r->doc->long_tables = settings->tables;
  AD_TRY(ad__document_write(r->doc, folder, AD__REPORT_TEXT, text));
  return ad__report_tables(r, folder, settings->tables);
}

int ad_report_make(const struct ad_study *study, const struct ad_cells *cells,
                   const struct ad_report_settings *settings, struct ad_buffer *text) {
  if (study->arm_count == 0 || study->count == 0) {
    return ad_fail(AD_ECONFIG, "%s: no cells to report on", study->path);
  }
  struct document document = {0};
  struct report r = {.study = study, .cells = cells, .doc = &document, .arms = study->arm_count};
  r.points = study->count / study->arm_count;
  /* All arms together: each has a part of the cells. */
  r.how = (struct ad_resampling){.seed = 0, .replicates = ad_resample_count(study->count), .level = 0.95};
  char *own = settings->folder == NULL ? ad_path_join(study->dir, "report") : ad_strdup(settings->folder);
  const int status = own == NULL ? ad_fail_memory(4096, "a path") : make_report(&r, settings, own, text);
  ad__document_destroy(&document);
  ad_free(r.seeds.block);
  ad_free(r.family.p);
  release_arms(&r);
  ad_free(own);
  return status;
}
