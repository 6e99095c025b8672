/* The report of a study of several settings against SciPy and the equations of lme4 (tests/parity/settings.py): each
 * arm is compared with the baseline of its own setting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "autodidact/base/memory.h"
#include "support/statistics.h"
#include "support/study_report.h"

static const char settings[] = "optim.lr: [0.1, 0.2, 0.3], seed.init: 0..3, seed.order: 0..2";
static const char arms[] = "base: {}, sda: {teacher: {method: sda}}, ema: {teacher: {method: ema}}";

/* scores [cells]; NaN: not run. */
static void write_cells(struct ad_cells *cells, const struct ad_study *study, const double *scores) {
  for (size_t i = 0; i < study->count; i++) {
    const struct ad_result result = result_of(1, scores[i]);
    const struct ad_cell_record record = {.state = AD_CELL_DONE, .step = 1, .steps = 1, .ranks = 1};
    const struct ad_line_scores line = {&result, NULL};
    if (!isnan(scores[i])) {
      assert_int_equal(ad_cells_append(cells, i, &record, &line), AD_OK);
    }
  }
}

/* The report of the fixture's scores with these keys of the study; its text. */
static struct ad_buffer report_of(hid_t file, const char *keys, const char *baseline, int status) {
  struct ad_study study;
  struct ad_cells cells;
  struct ad_buffer text = {0};
  size_t count;
  double *scores = fixture_read_new(file, "scores", H5T_NATIVE_DOUBLE, &count);
  make_study(&study, keys, settings, arms);
  assert_int_equal(study.count, count);
  for (enum ad_analysis_key key = 0; study.analysis.present && key < AD_ANALYSIS_KEYS; key++) {
    study.analysis.registered = 1;
    study.analysis.planned[key] = ad_strdup(study.analysis.text[key]);
  }
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  write_cells(&cells, &study, scores);
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){.baseline = baseline}, &text), status);
  if (status == AD_OK) {
    join_lines(&text);
    assert_null(find_nan(text.data));
  }
  free(scores);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
  return text;
}

static void says(const struct ad_buffer *text, const char *sentence) {
  if (strstr(text->data, sentence) == NULL) {
    fail_msg("the report does not say \"%s\":\n%s", sentence, text->data);
  }
}

/* Every column of a table that the fixture has. */
static void check_table(hid_t file, json_t *sections, const char *table) {
  json_t *rows = json_object_get(json_object_get(json_object_get(sections, "settings"), "tables"), table);
  char group[60];
  snprintf(group, sizeof group, "expected/%s", table);
  for (size_t c = 0; c < case_count(file, group); c++) {
    const struct fixture_case column = case_open(file, group, c);
    const char *name = strrchr(column.path, '/') + 1;
    size_t count;
    double *expected = fixture_read_new(file, column.path, H5T_NATIVE_DOUBLE, &count);
    assert_int_equal(json_array_size(rows), count);
    for (size_t i = 0; i < count; i++) {
      json_t *row = json_array_get(rows, i), *value = json_object_get(row, name);
      if (value == NULL) {
        fail_msg("%s: the report does not have it", column.path);
      }
      near(column.path, name, json_number_value(value),
           json_is_null(value) && json_object_size(json_object_get(row, "not_available")) > 0 ? "not available" : NULL,
           expected[i]);
    }
    free(expected);
  }
}

static void test_against_fixture(void **state) {
  (void)state;
  const hid_t file = fixture_open("settings.h5");
  struct ad_buffer text = report_of(file, "dir: plain", NULL, AD_OK);
  json_error_t error;
  json_t *report = json_load_file("plain/report/report.json", JSON_REJECT_DUPLICATES, &error);
  assert_non_null(report);
  check_table(file, json_object_get(report, "sections"), "settings");
  check_table(file, json_object_get(report, "sections"), "settings_average");
  says(&text, "sda optim.lr=0.2 against base optim.lr=0.2: ");
  says(&text, "ema optim.lr=0.3 against base optim.lr=0.3: ");
  says(&text, "Baseline: base of the same setting.");
  says(&text, "sda over 3 settings: ");
  says(&text, "Negative changes are better.");
  assert_null(strstr(text.data, "more arms")); /* every arm but the three baselines is in the summary */
  says(&text, "on 11 cells of 4 init and 3 order.");
  assert_null(strstr(text.data, "base optim.lr=0.2 against"));
  check_page("plain/report/report.html", -1);
  json_decref(report);
  ad_buffer_destroy(&text);
  fixture_close(file);
}

/* Primary arms are named without their setting: they are primary in each. */
static void test_registered(void **state) {
  (void)state;
  const hid_t file = fixture_open("settings.h5");
  struct ad_buffer text =
      report_of(file, "dir: registered, analysis: {arms: [sda], tests: mean, seeds: 12}", NULL, AD_OK);
  says(&text, "registered before the first cell: as registered.");
  says(&text, "Finished: 12 of 12 planned combinations of seeds are complete");
  says(&text, "ema optim.lr=0.1 against base optim.lr=0.1: exploratory.");
  says(&text, "No registered test is of these figures: they are exploratory.");
  assert_null(strstr(text.data, "sda optim.lr=0.1 against base optim.lr=0.1: exploratory."));
  ad_buffer_destroy(&text);
  text = report_of(file, "dir: one-arm, analysis: {arms: [sda optim.lr=0.2], tests: mean, seeds: 12}", NULL, AD_OK);
  says(&text, "sda optim.lr=0.1 against base optim.lr=0.1: exploratory.");
  assert_null(strstr(text.data, "sda optim.lr=0.2 against base optim.lr=0.2: exploratory."));
  ad_buffer_destroy(&text);
  fixture_close(file);
}

/* --baseline names an arm of every setting. */
static void test_baseline(void **state) {
  (void)state;
  const hid_t file = fixture_open("settings.h5");
  struct ad_buffer text = report_of(file, "dir: plain", "ema", AD_OK);
  says(&text, "sda optim.lr=0.2 against ema optim.lr=0.2: ");
  ad_buffer_destroy(&text);
  text = report_of(file, "dir: plain", "sdb", AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "no arm \"sdb\" to compare with at optim.lr=0.1; the first is \"base\""));
  ad_buffer_destroy(&text);
  fixture_close(file);
}

/* The report of two arms in two settings on three seeds; scores [arms,settings,seeds]. */
static struct ad_buffer report_small(const char *keys, const double scores[12]) {
  struct ad_study study;
  struct ad_cells cells;
  struct ad_buffer text = {0};
  make_study(&study, keys, "optim.lr: [0.1, 0.2], seed.init: 0..2", "base: {}, sda: {teacher: {method: sda}}");
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  write_cells(&cells, &study, scores);
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){0}, &text), AD_OK);
  join_lines(&text);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
  return text;
}

/* Settings in which runs are missing, all of an arm, or a baseline without errors: what cannot be said has a reason. */
static void test_not_available(void **state) {
  (void)state;
  struct ad_buffer rows = {0},
                   text = report_small("dir: some", (const double[]){.2, .4, .2, NAN, .4, .2, .1, .2, NAN, .1, .3, .2});
  assert_int_equal(ad_file_read("some/report/settings.csv", &rows), AD_OK);
  assert_non_null(strstr(rows.data, "optim.lr=0.1,sda,2,2,"));
  assert_non_null(strstr(rows.data, "optim.lr=0.2,sda,3,2,"));
  /* One combination is finished everywhere: (0.2 / 0.4 - 1 + 0.3 / 0.4 - 1) / 2. */
  says(&text, "sda over 2 settings: -37.5 % of the baseline's mean on average (no interval: needs at least 2 runs)");
  ad_buffer_destroy(&rows);
  ad_buffer_destroy(&text);
  text = report_small("dir: none", (const double[]){.2, .4, .2, .3, .4, .2, .1, .2, .1, NAN, NAN, NAN});
  says(&text, "IQM, of the baseline's mean: a setting has no finished runs of the arm or of its baseline");
  ad_buffer_destroy(&text);
  text = report_small("dir: zero", (const double[]){.2, .4, .2, 0, 0, 0, .1, .2, .1, .1, 0, 0});
  says(&text, "IQM, of the baseline's mean: the baseline's mean in a setting is not above 0");
  says(&text, "change, change 95 % CI: the baseline's mean is not above 0");
  assert_null(strstr(text.data, "not finite"));
  ad_buffer_destroy(&text);
}

/* Without named arms, axes of data and what is listed beside them make settings, the others arms. */
static void test_unnamed(void **state) {
  (void)state;
  struct ad_study study;
  FILE *file = fopen("u.yaml", "w");
  assert_non_null(file);
  fputs("study: {dir: u}\naxes: {data.descriptor: [a.yaml, b.yaml], optim.lr: [0.1, 0.2], seed.init: 0..1}\n", file);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(ad_study_read(&study, "u.yaml"), AD_OK);
  assert_int_equal(study.arm_count, 4);
  assert_string_equal(study.arms[3].own, "optim.lr=0.2");
  assert_string_equal(study.arms[3].setting, "data.descriptor=b.yaml");
  assert_string_equal(study.arms[3].name, "data.descriptor=b.yaml optim.lr=0.2");
  ad_study_destroy(&study);
  struct ad_cells cells;
  struct ad_buffer text = {0};
  make_study(&study, "dir: pairs", "listed: {data.descriptor: [a.yaml, b.yaml], optim.lr: [0.1, 0.2]}, seed.init: 0..1",
             "base: {}");
  assert_int_equal(study.arm_count, 2);
  assert_string_equal(study.arms[1].own, "base");
  assert_string_equal(study.arms[1].setting, "data.descriptor=b.yaml optim.lr=0.2");
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){0}, &text), AD_OK);
  join_lines(&text);
  says(&text, "Nothing to compare: each data set and setting has one arm.");
  assert_null(strstr(text.data, "Over all settings"));
  ad_buffer_destroy(&text);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
}

/* Whatever memory cannot be had, nothing leaks. */
static void test_no_memory(void **state) {
  (void)state;
  struct ad_study study;
  struct ad_cells cells;
  make_study(&study, "dir: memory", "optim.lr: [0.1, 0.2], seed.init: 0..2", "base: {}, sda: {teacher: {method: sda}}");
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  write_cells(&cells, &study, (const double[]){.1, .2, .3, .2, .4, .5, .2, .1, .4, .3, .3, .1});
  sweep_memory(&study, &cells, &(struct ad_report_settings){0});
  ad_cells_close(&cells);
  ad_study_destroy(&study);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_against_fixture), cmocka_unit_test(test_registered), cmocka_unit_test(test_baseline),
      cmocka_unit_test(test_not_available),   cmocka_unit_test(test_unnamed),    cmocka_unit_test(test_no_memory),
  };
  return cmocka_run_group_tests(tests, enter, scratch_leave);
}
