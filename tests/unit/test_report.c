/* The report of a made-up study against SciPy, statsmodels and the equations (tests/parity/study_report.py), its page,
 * and studies of which little is there. */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "autodidact/base/digest.h"
#include "autodidact/base/file.h"
#include "autodidact/base/log.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/report/report.h"
#include "autodidact/store/run.h"
#include "autodidact/store/snapshot.h"
#include "support/scratch.h"
#include "support/small_training.h"
#include "support/statistics.h"
#include "support/study_report.h"

enum { ARMS = 3, POINTS = 20, N = 64, C = 3, STEPS = 8, EVALUATIONS = 4, SKETCH = 16, SKETCHES = 3, PARTS = 4 };

struct made {
  float *logits;
  uint32_t *labels, *state;
  double *scores, *loss, *norm, *parts;
  int64_t *sketch;
};

static struct made read_made(hid_t file) {
  struct made m;
  size_t count;
  m.logits = fixture_read_new(file, "logits", H5T_NATIVE_FLOAT, &count);
  assert_int_equal(count, ARMS * POINTS * N * C);
  m.labels = fixture_read_new(file, "labels", H5T_NATIVE_UINT32, &count);
  m.state = fixture_read_new(file, "state", H5T_NATIVE_UINT32, &count);
  m.scores = fixture_read_new(file, "scores", H5T_NATIVE_DOUBLE, &count);
  assert_int_equal(count, ARMS * POINTS * EVALUATIONS);
  m.loss = fixture_read_new(file, "loss", H5T_NATIVE_DOUBLE, &count);
  assert_int_equal(count, ARMS * POINTS * STEPS);
  m.norm = fixture_read_new(file, "norm", H5T_NATIVE_DOUBLE, &count);
  m.sketch = fixture_read_new(file, "sketch", H5T_NATIVE_INT64, &count);
  assert_int_equal(count, ARMS * POINTS * SKETCHES * SKETCH);
  m.parts = fixture_read_new(file, "parts", H5T_NATIVE_DOUBLE, &count);
  assert_int_equal(count, ARMS * POINTS * SKETCHES * PARTS);
  return m;
}

static void free_made(struct made *m) {
  void *all[] = {m->logits, m->labels, m->state, m->scores, m->loss, m->norm, m->sketch, m->parts};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    free(all[i]);
  }
}

static void log_scores(struct ad_run *run, enum ad_variant model, size_t step, double error) {
  const struct ad_evaluation_row row = {
      model, step, 1, {.examples = N, .task = &ad_task_classification, .value = {error}}};
  assert_int_equal(ad_run_log_evaluation(run, &row), AD_OK);
}

static void write_log(struct ad_run *run, const double *loss, const double *norm, const double *scores) {
  uint64_t chain = 0;
  for (size_t s = 1; s <= STEPS; s++) {
    chain = ad_digest_pair(chain, s);
    const struct ad_step_row row = {.step = s,
                                    .epoch = 1,
                                    .examples = 4,
                                    .tokens = 9,
                                    .loss = loss[s - 1],
                                    .norm = norm[s - 1],
                                    .factor = 1.0,
                                    .parameters = s,
                                    .chain = chain};
    assert_int_equal(ad_run_log_step(run, &row), AD_OK);
    if (s % 2 == 0) {
      /* Of another variant first: it must not be taken for the result's. */
      log_scores(run, AD_VARIANT_RUN, s, 0.5);
      log_scores(run, AD_VARIANT_STUDENT, s, scores[s / 2 - 1]);
    }
  }
}

static void write_snapshots(const char *path, const int64_t *sketch, const double *parts) {
  struct ad_params params;
  struct ad_snapshots *snapshots;
  assert_int_equal(ad_params_create(&params, &small_model), AD_OK);
  const struct ad_snapshot_layout layout = {
      .params = &params, .content = AD_SNAPSHOT_SCALARS | AD_SNAPSHOT_SKETCH, .sketch = SKETCH};
  assert_int_equal(ad_snapshots_open(&snapshots, path, &layout), AD_OK);
  for (size_t i = 0; i < SKETCHES; i++) {
    const double *p = parts + i * PARTS;
    const struct ad_step step = {
        .norm = p[0], .part_norm = p[1], .examples = (size_t)p[2], .part_examples = (uint64_t)p[3]};
    const struct ad_snapshot snapshot = {
        .step = 4 * i, .sketch = sketch + i * SKETCH, .scalars = i == 0 ? NULL : &step};
    assert_int_equal(ad_snapshots_add(snapshots, &snapshot), AD_OK);
  }
  assert_int_equal(ad_snapshots_flush(snapshots), AD_OK);
  ad_snapshots_destroy(snapshots);
  ad_params_destroy(&params);
}

/* The folder of a finished run, by the functions that `train` uses. */
static void write_run(const struct ad_study *study, const struct made *m, size_t i, const struct ad_result *result) {
  char *path = ad_study_folder(study, &study->cells[i]);
  struct ad_config config;
  struct ad_run run;
  struct ad_lease_entry holder;
  assert_int_equal(ad_study_config(study, &study->cells[i], &config), AD_OK);
  assert_int_equal(ad_run_enter(&run, config.run_dir, &holder), AD_OK);
  assert_int_equal(ad_run_create(&run, &config, NULL, 0), AD_OK);
  write_log(&run, m->loss + i * STEPS, m->norm + i * STEPS, m->scores + i * EVALUATIONS);
  assert_int_equal(
      ad_run_keep_logits(&run, "dev-step-00000008.h5", (struct ad_labels){&ad_task_classification, N, m->labels}, C,
                         m->logits + i * N * C),
      AD_OK);
  write_snapshots(path, m->sketch + i * SKETCHES * SKETCH, m->parts + i * SKETCHES * PARTS);
  assert_int_equal(ad_run_finish(&run, result, 0), AD_OK);
  assert_int_equal(ad_run_close(&run), AD_OK);
  ad_config_destroy(&config);
  ad_free(path);
}

static void write_cells(struct ad_cells *cells, const struct ad_study *study, const struct made *m) {
  for (size_t i = 0; i < study->count; i++) {
    const struct ad_result result = result_of(STEPS, m->scores[i * EVALUATIONS + EVALUATIONS - 1]);
    struct ad_cell_record record = {
        .state = AD_CELL_DONE, .step = STEPS, .steps = STEPS, .ranks = 1, .majority = {0.4, NAN}};
    const struct ad_line_scores scores = {m->state[i] == 0 ? &result : NULL, NULL};
    if (m->state[i] == 1) {
      record.state = AD_CELL_FAILED;
      record.status = AD_EDIVERGED;
    }
    if (m->state[i] == 0) {
      write_run(study, m, i, &result);
    }
    if (m->state[i] != 2) {
      assert_int_equal(ad_cells_append(cells, i, &record, &scores), AD_OK);
    }
  }
}

static json_t *table_of(json_t *report, const char *section, const char *table) {
  json_t *found =
      json_object_get(json_object_get(json_object_get(json_object_get(report, "sections"), section), "tables"), table);
  if (!json_is_array(found)) {
    fail_msg("the report has no table %s/%s", section, table);
  }
  return found;
}

/* What is expected of a column [rows] against the report's. */
static void check_column(hid_t file, const char *path, json_t *rows, const char *column) {
  size_t count;
  double *expected = fixture_read_new(file, path, H5T_NATIVE_DOUBLE, &count);
  if (json_array_size(rows) != count) {
    fail_msg("%s: %zu rows, expected %zu", path, json_array_size(rows), count);
  }
  for (size_t i = 0; i < count; i++) {
    json_t *row = json_array_get(rows, i), *value = json_object_get(row, column);
    char place[300], interval[100];
    snprintf(place, sizeof place, "%s, row %zu", path, i);
    snprintf(interval, sizeof interval, "%s", column);
    char *end = strrchr(interval, '_');
    json_t *reasons = json_object_get(row, "not_available");
    json_t *why = json_object_get(reasons, column);
    if (why == NULL && end != NULL) {
      *end = '\0';
      why = json_object_get(reasons, interval);
    }
    if (value == NULL) {
      fail_msg("%s: the report does not have it", place);
    }
    near(place, column, json_number_value(value), json_is_null(value) ? json_string_value(why) : NULL, expected[i]);
    if (json_is_null(value) && why == NULL) {
      fail_msg("%s: null without a reason", place);
    }
  }
  free(expected);
}

static size_t check_all(hid_t file, json_t *report) {
  H5G_info_t sections, tables, columns;
  size_t checked = 0;
  char section[60], table[60], column[60], path[250];
  assert_true(H5Gget_info_by_name(file, "expected", &sections, H5P_DEFAULT) >= 0);
  for (hsize_t s = 0; s < sections.nlinks; s++) {
    H5Lget_name_by_idx(file, "expected", H5_INDEX_NAME, H5_ITER_INC, s, section, sizeof section, H5P_DEFAULT);
    snprintf(path, sizeof path, "expected/%s", section);
    H5Gget_info_by_name(file, path, &tables, H5P_DEFAULT);
    for (hsize_t t = 0; t < tables.nlinks; t++) {
      snprintf(path, sizeof path, "expected/%s", section);
      H5Lget_name_by_idx(file, path, H5_INDEX_NAME, H5_ITER_INC, t, table, sizeof table, H5P_DEFAULT);
      snprintf(path, sizeof path, "expected/%s/%s", section, table);
      H5Gget_info_by_name(file, path, &columns, H5P_DEFAULT);
      for (hsize_t c = 0; c < columns.nlinks; c++) {
        snprintf(path, sizeof path, "expected/%s/%s", section, table);
        H5Lget_name_by_idx(file, path, H5_INDEX_NAME, H5_ITER_INC, c, column, sizeof column, H5P_DEFAULT);
        snprintf(path, sizeof path, "expected/%s/%s/%s", section, table, column);
        check_column(file, path, table_of(report, section, table), column);
        checked++;
      }
    }
  }
  return checked;
}

static void test_against_fixture(void **state) {
  (void)state;
  const hid_t file = fixture_open("study_report.h5");
  struct made made = read_made(file);
  struct ad_study study;
  struct ad_cells cells;
  struct ad_buffer text = {0};
  make_study(&study, "name: made-up, dir: full, failed: 0.6", "seed.init: 0..3, seed.order: 0..4",
             "base: {}, <sda> & co: {teacher: {method: sda}}, ema: {teacher: {method: ema}}");
  assert_int_equal(study.count, ARMS * POINTS);
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  write_cells(&cells, &study, &made);
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){0}, &text), AD_OK);
  json_error_t error;
  json_t *report = json_load_file("full/report/report.json", JSON_REJECT_DUPLICATES, &error);
  assert_non_null(report);
  assert_true(check_all(file, report) > 115);
  join_lines(&text);
  /* The comparison comes first, failures are counted. */
  assert_true(strstr(text.data, "<sda> & co against base: dev error") <
              strstr(text.data, "3 arms, 20 combinations of seeds, 60 cells: 55 finished well, 3 failed"));
  assert_non_null(strstr(text.data, "1 diverged, 1 have no result"));
  check_page("full/report/report.html", 12);
  static const char *const tables[] = {"comparison", "arms",        "runs",         "spread",    "components",
                                       "test_set",   "predictions", "trajectories", "distances", "noise"};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    char path[100];
    snprintf(path, sizeof path, "full/report/%s.csv", tables[i]);
    assert_true(ad_is_file(path));
  }
  json_decref(report);
  ad_buffer_destroy(&text);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
  free_made(&made);
  fixture_close(file);
}

/* Where the result is one of the test split, so are the predictions: the same logits under the name of the test split's
 * give what the dev split's gave. */
static void test_of_test_split(void **state) {
  (void)state;
  const hid_t file = fixture_open("study_report.h5");
  struct made made = read_made(file);
  struct ad_study study;
  struct ad_cells cells;
  struct ad_buffer text = {0};
  make_study(&study, "dir: test-split, result: test.error", "seed.init: 0..3, seed.order: 0..4",
             "base: {}, other: {teacher: {method: sda}}");
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  for (size_t i = 0; i < study.count; i++) {
    const struct ad_result result = result_of(STEPS, 0.25);
    const struct ad_scores score = {
        .examples = N, .task = &ad_task_classification, .value = {made.scores[i * EVALUATIONS]}};
    struct ad_config config;
    struct ad_run run;
    struct ad_lease_entry holder;
    const struct ad_cell_record record = {.state = AD_CELL_DONE, .step = STEPS, .steps = STEPS};
    assert_int_equal(ad_study_config(&study, &study.cells[i], &config), AD_OK);
    assert_int_equal(ad_run_enter(&run, config.run_dir, &holder), AD_OK);
    assert_int_equal(ad_run_create(&run, &config, NULL, 0), AD_OK);
    assert_int_equal(ad_run_keep_logits(&run, "test.h5", (struct ad_labels){&ad_task_classification, N, made.labels}, C,
                                        made.logits + i * N * C),
                     AD_OK);
    assert_int_equal(ad_run_close(&run), AD_OK);
    assert_int_equal(ad_cells_append(&cells, i, &record, &(struct ad_line_scores){&result, &score}), AD_OK);
    ad_config_destroy(&config);
  }
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){0}, &text), AD_OK);
  join_lines(&text);
  assert_non_null(strstr(text.data, "From the logits of 64 test examples."));
  json_error_t error;
  json_t *report = json_load_file("test-split/report/report.json", JSON_REJECT_DUPLICATES, &error);
  json_t *rows = table_of(report, "test_set", "test_set");
  size_t count;
  double *expected = fixture_read_new(file, "expected/test_set/test_set/error", H5T_NATIVE_DOUBLE, &count);
  near("test split", "error", json_number_value(json_object_get(json_array_get(rows, 0), "error")), NULL, expected[0]);
  free(expected);
  /* All cells of the grid are there: the difference has the error of crossed seeds, and the summary quotes it. */
  json_t *crossed = json_array_get(table_of(report, "comparison", "comparison"), 0);
  static const char *const columns[] = {"difference", "error", "df", "p", "interval_low", "interval_high"};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    char path[60];
    snprintf(path, sizeof path, "crossed/%s", columns[i]);
    near("crossed", columns[i], json_number_value(json_object_get(crossed, columns[i])),
         json_string_value(json_object_get(json_object_get(crossed, "not_available"), columns[i])),
         fixture_scalar(file, path));
  }
  assert_non_null(strstr(text.data, ") on 20 cells of 4 init and 5 order; better on"));
  json_decref(report);
  ad_buffer_destroy(&text);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
  free_made(&made);
  fixture_close(file);
}

static void test_refused(void **state) {
  (void)state;
  struct ad_study study;
  struct ad_cells cells;
  struct ad_buffer text = {0};
  make_study(&study, "dir: refused", "seed.init: 0..1", "base: {}");
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){.baseline = "sdb"}, &text), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "no arm \"sdb\""));
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){.folder = "s.yaml/report"}, &text),
                   AD_EIO);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
  ad_buffer_destroy(&text);
}

/* Damaged files of a run are told and left out. */
static void test_damaged(void **state) {
  (void)state;
  struct ad_study study;
  struct ad_cells cells;
  struct ad_buffer text = {0};
  static const char *const files[] = {"full/runs/0000000000001000/logits/dev-step-00000008.h5",
                                      "full/runs/0000000000001001/snapshots/all.h5",
                                      "full/runs/0000000000001002/log.jsonl", "full/runs/0000000000001003/result.json"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    assert_true(ad_is_file(files[i]));
    assert_int_equal(ad_file_write(files[i], "{\"step\":", 8), AD_OK);
  }
  make_study(&study, "name: made-up, dir: full, failed: 0.6", "seed.init: 0..3, seed.order: 0..4",
             "base: {}, <sda> & co: {teacher: {method: sda}}, ema: {teacher: {method: ema}}");
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){.folder = "damaged"}, &text), AD_OK);
  join_lines(&text);
  assert_non_null(strstr(text.data, "1 of these without logits, 1 with"));
  assert_non_null(strstr(
      text.data, "Snapshots of 1 runs could not be read; the first: full/runs/0000000000001001/snapshots/all.h5: "));
  assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
  check_page("damaged/report.html", -1);
  ad_buffer_destroy(&text);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
}

/* Whatever memory cannot be had, nothing leaks. */
static void test_no_memory(void **state) {
  (void)state;
  struct ad_study study;
  struct ad_cells cells;
  struct ad_buffer text = {0};
  make_study(&study, "dir: full, failed: 0.6", "seed.init: 0..3, seed.order: [0]",
             "base: {}, other: {optim: {lr: 0.5}}");
  for (size_t i = 0; i < study.count; i++) {
    study.cells[i].id = 0x1000 + 4 + i;
  }
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){.folder = "bare"}, &text), AD_OK);
  check_page("bare/report.html", -1);
  sweep_memory(&study, &cells, &(struct ad_report_settings){.folder = "bare"});
  ad_buffer_destroy(&text);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_against_fixture), cmocka_unit_test(test_of_test_split), cmocka_unit_test(test_refused),
      cmocka_unit_test(test_damaged),         cmocka_unit_test(test_no_memory),
  };
  return cmocka_run_group_tests(tests, enter, scratch_leave);
}
