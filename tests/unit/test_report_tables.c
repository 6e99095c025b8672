/* The long tables of a report on made-up runs: outcomes, scores, keys, predictions of several data sets; runs whose
 * logits cannot be used; no memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/store/run.h"
#include "support/study_report.h"

enum { N = 3, FIELDS = 400 };

/* ---- A CSV file ---- */

struct lines {
  struct ad_buffer text; /* fields, each with a NUL */
  const char *field[FIELDS * 30];
  size_t width, rows; /* without the head */
};

static void end_field(struct lines *l, size_t *count, char **to) {
  *(*to)++ = '\0';
  assert_true(*count < sizeof l->field / sizeof *l->field);
  l->field[++*count] = *to;
}

static struct lines *read_lines(const char *path) {
  static struct lines l;
  size_t count = 0;
  int quoted = 0;
  l = (struct lines){0};
  assert_int_equal(ad_file_read(path, &l.text), AD_OK);
  char *to = l.text.data;
  l.field[0] = to;
  for (const char *at = to; *at != '\0'; at++) {
    if (*at == '"' && quoted && at[1] == '"') {
      *to++ = *at++;
    } else if (*at == '"') {
      quoted = !quoted;
    } else if (!quoted && (*at == ',' || *at == '\n')) {
      const int end = *at == '\n';
      end_field(&l, &count, &to);
      l.width = end && l.width == 0 ? count : l.width;
      assert_true(!end || count % l.width == 0);
    } else {
      *to++ = *at;
    }
  }
  l.rows = count / l.width - 1;
  return &l;
}

static size_t column_of(const struct lines *l, const char *name) {
  size_t found = SIZE_MAX;
  for (size_t c = 0; c < l->width; c++) {
    if (strcmp(l->field[c], name) == 0) {
      assert_true(found == SIZE_MAX); /* a name stands for one column */
      found = c;
    }
  }
  if (found == SIZE_MAX) {
    fail_msg("there is no column %s", name);
  }
  return found;
}

static const char *get(const struct lines *l, size_t row, const char *column) {
  return l->field[(row + 1) * l->width + column_of(l, column)];
}

static void expect(const struct lines *l, size_t row, const char *column, const char *expected) {
  if (strcmp(get(l, row, column), expected) != 0) {
    fail_msg("row %zu, %s: found %s, expected %s", row, column, get(l, row, column), expected);
  }
}

static void expect_near(const struct lines *l, size_t row, const char *column, double expected) {
  char *end;
  const double found = strtod(get(l, row, column), &end);
  if (*end != '\0' || end == get(l, row, column) || !(fabs(found - expected) <= 1e-7 * fabs(expected))) {
    fail_msg("row %zu, %s: found %s, expected %.17g", row, column, get(l, row, column), expected);
  }
}

/* ---- A study ---- */

/* Probabilities of 1/4 and 3/4, of 1 but for e^-30, of equal classes. */
static const float two[N * 2] = {0.0f, 1.09861229f, 40.0f, 10.0f, 1.0f, 1.0f};
/* 1/2, 1/3, 1/6, and the others alike. */
static const float three[N * 3] = {1.79175947f, 1.38629436f, 0.693147181f, 0.0f, 9.0f, 0.0f, 0.0f, 0.0f, 9.0f};
static const uint32_t labels[N] = {1, 1, 0};

static void write_run(const struct ad_study *study, size_t i, const struct ad_result *result, size_t C,
                      const float *logits) {
  struct ad_config config;
  struct ad_run run;
  struct ad_lease_entry holder;
  assert_int_equal(ad_study_config(study, &study->cells[i], &config), AD_OK);
  assert_int_equal(ad_run_enter(&run, config.run_dir, &holder), AD_OK);
  assert_int_equal(ad_run_create(&run, &config, NULL, 0), AD_OK);
  if (logits != NULL) {
    assert_int_equal(ad_run_keep_logits(&run, "dev-step-00000004.h5",
                                        (struct ad_labels){&ad_task_classification, N, labels}, C, logits),
                     AD_OK);
  }
  assert_int_equal(ad_run_finish(&run, result, 0), AD_OK);
  assert_int_equal(ad_run_close(&run), AD_OK);
  ad_config_destroy(&config);
}

static void append_line(struct ad_cells *cells, size_t i, enum ad_cell_state state, int status, const char *message,
                        const struct ad_result *result) {
  struct ad_cell_record record = {.state = state,
                                  .status = status,
                                  .step = 5,
                                  .steps = state == AD_CELL_DONE ? 5 : 9,
                                  .seconds = 1.5,
                                  .ranks = 2,
                                  .majority = {0.9, NAN},
                                  .arithmetic = "1"};
  record.message = message == NULL ? NULL : ad_strdup(message);
  const struct ad_line_scores scores = {result, NULL};
  assert_int_equal(ad_cells_append(cells, i, &record, &scores), AD_OK);
  ad_free(record.message);
}

/* 4 seeds of two arms: good; failed by the rule, without logits; diverged; not run | three classes; logits that are not
 * finite; an error that is no run's; stopped. */
static void make_cells(struct ad_study *study, struct ad_cells *cells) {
  const float wrong[N * 2] = {0.0f, NAN};
  make_study(study, "dir: tables, failed: 0.75", "seed.init: 0..3",
             "base: {}, \"=other\": {optim: {lr: 0.5}, teacher: {method: sda, window: all}}");
  assert_int_equal(ad_cells_open(cells, study), AD_OK);
  for (size_t i = 0; i < 6; i++) {
    struct ad_result result = result_of(5, i == 1 ? 0.75 : 0.125);
    result.step = 4;
    result.digest[AD_VARIANT_STUDENT] = 0x20;
    result.last[AD_VARIANT_STUDENT] = result.last[AD_VARIANT_TEACHER] = result.dev;
    result.last[AD_VARIANT_TEACHER].value[4] = 1.0 / 3.0;
    if (i == 2 || i == 3) {
      continue;
    }
    write_run(study, i, &result, i == 4 ? 3 : 2, i == 0 ? two : i == 4 ? three : i == 5 ? wrong : NULL);
    append_line(cells, i, AD_CELL_DONE, AD_OK, NULL, &result);
  }
  append_line(cells, 2, AD_CELL_FAILED, AD_EDIVERGED, "the loss, \"is\"\nnot finite", NULL);
  append_line(cells, 6, AD_CELL_FAILED, AD_EIO, "a full disk", NULL);
  append_line(cells, 7, AD_CELL_WAITING, AD_OK, NULL, NULL);
}

static int report_on(const struct ad_study *study, const struct ad_cells *cells, int tables) {
  struct ad_buffer text = {0};
  const struct ad_report_settings settings = {.folder = "report", .tables = tables};
  const int status = ad_report_make(study, cells, &settings, &text);
  ad_buffer_destroy(&text);
  return status;
}

static void check_runs(const struct ad_study *study) {
  static const char *const states[] = {"good", "failed", "diverged", "missing", "good", "good", "missing", "missing"};
  static const char *const ends[] = {"AD_OK", "AD_OK", "AD_EDIVERGED", "", "AD_OK", "AD_OK", "AD_EIO", ""};
  struct lines *l = read_lines("report/runs.csv");
  assert_int_equal(l->rows, 8);
  for (size_t i = 0; i < 8; i++) {
    char id[20], seed[20];
    snprintf(id, sizeof id, "%016llx", (unsigned long long)study->cells[i].id);
    snprintf(seed, sizeof seed, "%zu", i % 4);
    expect(l, i, "arm", i < 4 ? "base" : "'=other");
    expect(l, i, "cell", id);
    expect(l, i, "seeds", seed);
    expect(l, i, "seed.init", seed);
    expect(l, i, "state", states[i]);
    expect(l, i, "status", ends[i]);
    expect(l, i, "steps_done", i == 3 ? "" : "5");
    expect(l, i, "steps", i == 3 ? "" : i == 2 || i > 5 ? "9" : "5");
    expect(l, i, "kept_step", i < 2 || i == 4 || i == 5 ? "4" : "");
    expect(l, i, "ranks", i == 3 ? "" : "2");
    expect(l, i, "seconds", i == 3 ? "" : "1.5");
    expect(l, i, "optim.lr", i < 4 ? "2e-05" : "0.5");
    expect(l, i, "teacher.method", i < 4 ? "none" : "sda");
    expect(l, i, "teacher.window", i < 4 ? "1" : "all");
    expect(l, i, "run.overwrite", "FALSE");
    expect(l, i, "digest.train", "");
  }
  expect(l, 2, "message", "the loss, \"is\"\\nnot finite");
  expect(l, 2, "score", "");
  expect(l, 0, "score", "0.125");
  expect(l, 1, "dev.error", "0.75");
  expect(l, 0, "teacher.loss", "0.3333333333333333");
  expect(l, 0, "window.loss", "");
  expect(l, 0, "dev.examples", "64");
  expect(l, 0, "digest.weights", "0000000000000020");
  expect(l, 2, "digest.weights", "");
  /* Equal keys, another seed: all digests differ. */
  for (size_t i = 1; i < 8; i++) {
    assert_string_not_equal(get(l, 0, "digest.configuration"), get(l, i, "digest.configuration"));
  }
  for (size_t c = 0; c < l->width; c++) {
    column_of(l, l->field[c]);
  }
  ad_buffer_destroy(&l->text);
}

static void check_examples(void) {
  static const char *const right[] = {"TRUE", "FALSE", "TRUE", "FALSE", "TRUE", "FALSE"};
  static const char *const predicted[] = {"1", "0", "0", "0", "1", "2"};
  struct lines *l = read_lines("report/examples.csv");
  assert_int_equal(l->rows, 2 * N);
  for (size_t i = 0; i < 2 * N; i++) {
    char example[20];
    snprintf(example, sizeof example, "%zu", i % N);
    expect(l, i, "arm", i < N ? "base" : "'=other");
    expect(l, i, "cell", i < N ? "0000000000001000" : "0000000000001004");
    expect(l, i, "seed.init", "0");
    expect(l, i, "example", example);
    expect(l, i, "label", i % N < 2 ? "1" : "0");
    expect(l, i, "predicted", predicted[i]);
    expect(l, i, "right", right[i]);
  }
  expect_near(l, 0, "log_p.0", log(0.25));
  expect_near(l, 0, "log_p.1", log(0.75));
  expect_near(l, 1, "log_p.0", -exp(-30.0)); /* log(1 - x) = -x */
  expect_near(l, 1, "log_p.1", -30.0);
  expect_near(l, 2, "log_p.1", log(0.5));
  expect(l, 0, "log_p.2", "");
  expect_near(l, N, "log_p.0", log(1.0 / 2));
  expect_near(l, N, "log_p.1", log(1.0 / 3));
  expect_near(l, N, "log_p.2", log(1.0 / 6));
  ad_buffer_destroy(&l->text);
}

static void test_rows(void **state) {
  (void)state;
  struct ad_study study;
  struct ad_cells cells;
  make_cells(&study, &cells);
  assert_int_equal(report_on(&study, &cells, 0), AD_OK);
  check_runs(&study);
  assert_false(ad_is_file("report/examples.csv") || ad_is_file("report/tables.h5"));
  assert_int_equal(report_on(&study, &cells, 1), AD_OK);
  check_runs(&study);
  check_examples();
  assert_true(ad_is_file("report/tables.h5"));
  ad_cells_close(&cells);
  ad_study_destroy(&study);
}

/* Nothing leaks, whatever memory cannot be had, and nothing is left half written. */
static void test_no_memory(void **state) {
  (void)state;
  struct ad_study study;
  struct ad_cells cells;
  make_study(&study, "dir: tables, failed: never", "seed.init: [0]", "base: {}");
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  const size_t before = ad_memory_stats().allocations, blocks = ad_memory_stats().live_blocks;
  assert_int_equal(report_on(&study, &cells, 0), AD_OK);
  const size_t without = ad_memory_stats().allocations - before;
  assert_int_equal(report_on(&study, &cells, 1), AD_OK);
  const size_t all = ad_memory_stats().allocations - before - without;
  assert_true(all > without);
  for (size_t n = without - 100; n <= all; n += 1 + n % 4) {
    ad_memory_fail_at(n);
    const int status = report_on(&study, &cells, 1);
    ad_memory_fail_at(0);
    if (status != AD_ENOMEM && status != AD_EIO) {
      fail_msg("allocation %zu of %zu: %s: %s", n, all, ad_status_name(status), ad_error_message());
    }
    assert_int_equal(ad_memory_stats().live_blocks, blocks);
    assert_false(ad_is_file("report/runs.csv.partial") || ad_is_file("report/examples.csv.partial") ||
                 ad_is_file("report/tables.h5.partial"));
  }
  ad_cells_close(&cells);
  ad_study_destroy(&study);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_no_memory)};
  return cmocka_run_group_tests(tests, enter, scratch_leave);
}
