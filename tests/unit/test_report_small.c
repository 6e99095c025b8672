/* Reports on studies with little in them, or with something amiss: each is made, and says so. */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "support/study_report.h"

/* As ad_study_recall has it; other: with another alpha. */
static void register_analysis(struct ad_study *study, int other) {
  study->analysis.registered = 1;
  for (enum ad_analysis_key key = 0; key < AD_ANALYSIS_KEYS; key++) {
    study->analysis.planned[key] = ad_strdup(other && key == AD_ANALYSIS_ALPHA ? "0.01" : study->analysis.text[key]);
  }
}

/* Reports on studies with little in them: each is made, says why what is missing is missing, and shows no NaN. */
static struct ad_buffer report_text(const char *name, const char *axes, const char *arms, size_t done,
                                    double (*value)(size_t)) {
  struct ad_study study;
  struct ad_cells cells;
  struct ad_buffer text = {0};
  char keys[200], page[100];
  const int registered = strncmp(name, "registered", 10) == 0;
  snprintf(keys, sizeof keys, "dir: %s, failed: %s%s", name, strncmp(name, "failing", 7) == 0 ? "0.8" : "never",
           registered ? ", analysis: {arms: [other], tests: mean, margin: 0.1, seeds: 8, looks: [6, 8]}" : "");
  make_study(&study, keys, axes, arms);
  if (registered) {
    register_analysis(&study, strcmp(name, "registered-else") == 0);
  }
  assert_int_equal(ad_cells_open(&cells, &study), AD_OK);
  for (size_t i = 0; i < done; i++) {
    const struct ad_result result = result_of(1, value(i));
    struct ad_cell_record record = {.state = AD_CELL_DONE, .step = 1, .steps = 1, .arithmetic = "1", .ranks = 2};
    const struct ad_line_scores scores = {&result, NULL};
    record.seconds = i < 4 ? 2.0 : 3.0;
    record.arithmetic[0] = (char)(strcmp(name, "two-programs") == 0 && i > 5 ? '2' : '1');
    assert_int_equal(ad_cells_append(&cells, i, &record, &scores), AD_OK);
  }
  assert_int_equal(ad_report_make(&study, &cells, &(struct ad_report_settings){0}, &text), AD_OK);
  join_lines(&text);
  assert_null(find_nan(text.data));
  snprintf(page, sizeof page, "%s/report/report.html", name);
  check_page(page, -1);
  ad_cells_close(&cells);
  ad_study_destroy(&study);
  return text;
}

static void report_on(const char *name, const char *axes, const char *arms, size_t done, double (*value)(size_t),
                      const char *says) {
  struct ad_buffer text = report_text(name, axes, arms, done, value);
  if (strstr(text.data, says) == NULL) {
    fail_msg("%s: the report does not say \"%s\":\n%s", name, says, text.data);
  }
  ad_buffer_destroy(&text);
}

static double sevenths(size_t i) {
  return (double)(i % 7) / 7;
}

/* The second arm of 8 seeds fails six times. */
static double failing(size_t i) {
  return i >= 8 && i < 14 ? 0.9 : 0.2 + (double)(i % 5) / 100;
}

/* The same but for a hundredth or two; the last arm is worse. */
static double alike(size_t i) {
  return (i < 16 ? 0.2 : 0.4) + (double)(i % 5) / 100;
}

static double quarter(size_t i) {
  (void)i;
  return 0.25;
}

/* Seconds and ranks of the runs, and those of an arm against the baseline's. */
static void test_cost(void **state) {
  (void)state;
  struct ad_buffer rows = {0},
                   text = report_text("cost", "seed.init: 0..3", "base: {}, other: {optim: {lr: 0.5}}", 8, sevenths);
  assert_int_equal(ad_file_read("cost/report/cost.csv", &rows), AD_OK);
  assert_non_null(strstr(rows.data, "base,4,1,96,1,2,4,1,"));
  assert_non_null(strstr(rows.data, "other,4,1,96,1,3,6,1.5,"));
  ad_buffer_destroy(&rows);
  ad_buffer_destroy(&text);
}

static void test_degenerate(void **state) {
  (void)state;
  const char *two = "base: {}, other: {optim: {lr: 0.5}}";
  report_on("nothing", "seed.init: 0..3", two, 0, sevenths, "8 have no result (yet)");
  report_on("one-seed", "seed.init: [4]", two, 2, sevenths, "no interval: needs at least 2 runs");
  report_on("equal", "seed.init: 0..3", two, 8, quarter, "no interval: all values are equal");
  report_on("one-arm", "seed.init: 0..3, seed.order: 0..3", "base: {}", 16, sevenths, "the study has one arm");
  report_on("half", "seed.init: 0..3", two, 4, sevenths, "no common seeds");
  report_on("holes", "seed.init: 0..3, seed.order: 0..3", "base: {}", 13, sevenths, "restricted maximum likelihood");
  report_on("latin", "latin: {seed.init: 0..4, seed.order: 0..4, seed.dropout: 0..4}", "base: {}", 25, sevenths,
            "25 cells of 5 init and 5 order and 5 dropout");
  report_on("two-programs", "seed.init: 0..3", two, 8, sevenths,
            "Runs of more than one arithmetic (1 and 2): 2 do not have the first.");
  report_on("failing", "seed.init: 0..7", two, 16, failing,
            "other: 6 of 8 runs failed, of base 0 (exact p = 0.0312, with Holm's correction 0.0312)");
  report_on("failing-nested", "listed: {seed.init: [0, 0, 1, 1, 2, 2, 3, 3], seed.order: 0..7}", two, 16, failing,
            "other: 6 of 8 runs failed, of base 0 (exact p = 0.25, with Holm's correction 0.25)");
  report_on("failing-crossed", "seed.init: 0..3, seed.order: 0..1", two, 16, failing,
            "other: 6 of 8 runs failed, of base 0 (no test)");
  report_on("linked", "listed: {seed.init: 0..4, seed.order: 0..4}", two, 10, sevenths, "init+order");
}

/* Scores of two arms of 3 x 3 seeds, whose spread is none, or none of some kind, in decimals that binary numbers round.
 */
static double same_difference(size_t i) {
  return (double)(i % 9 + i / 9) / 10;
}

static double sums(size_t i) {
  return (double)(i % 9 / 3 + 3 * (i % 3)) / 10 + (i < 9 ? 0.0 : 0.2);
}

static double rows_alone(size_t i) {
  return (double)(i % 9 / 3 + 1) * 0.1;
}

static double turned_round(size_t i) {
  return (double)(i < 9 ? i + 1 : 18 - i) / 10;
}

static double two_sevenths(size_t i) {
  (void)i;
  return 2.0 / 7;
}

static double two_values(size_t i) {
  return i % 2 == 0 ? 0.1 : 0.3;
}

/* What is 0 but for roundings is shown as 0, and no test is made of it. */
static void test_no_spread(void **state) {
  (void)state;
  static double (*const values[])(size_t) = {same_difference, sums, rows_alone, turned_round, two_sevenths, two_values};
  static const char *const axes[] = {"seed.init: 0..2, seed.order: 0..2", "seed.init: 0..8",
                                     "latin: {seed.init: 0..2, seed.order: 0..2, seed.dropout: 0..2}"};
  static const size_t cells[] = {18, 18, 17};
  regex_t tiny;
  assert_int_equal(regcomp(&tiny, "[0-9]e-(1[0-9]|[2-9][0-9])", REG_EXTENDED), 0);
  for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
    for (size_t a = 0; a < 3; a++) {
      char name[40];
      regmatch_t at;
      snprintf(name, sizeof name, "no-spread-%zu-%zu", v, a);
      struct ad_buffer text = report_text(name, axes[a], "base: {}, other: {optim: {lr: 0.5}}", cells[a], values[v]);
      if (regexec(&tiny, text.data, 1, &at, 0) == 0) {
        fail_msg("%s: the report shows a rounding: %.200s", name, text.data + (at.rm_so > 150 ? at.rm_so - 150 : 0));
      }
      ad_buffer_destroy(&text);
    }
  }
  regfree(&tiny);
}

/* More arms than a figure has colours, and more rows than people read: what is left out is said, and is in the files.
 */
static void test_left_out(void **state) {
  (void)state;
  char arms[600] = "base: {}";
  for (int a = 1; a < 12; a++) {
    const size_t used = strlen(arms);
    snprintf(arms + used, sizeof arms - used, ", arm-%d: {optim: {lr: 0.%d}}", a, a + 10);
  }
  report_on("many-arms", "seed.init: 0..39", arms, 480, sevenths, "... 40 more rows: best.csv and report.json");
  struct ad_buffer page = {0}, rows = {0};
  assert_int_equal(ad_file_read("many-arms/report/report.html", &page), AD_OK);
  assert_non_null(strstr(page.data, "Drawn: the first 8 of 12 arms; the table has all."));
  assert_non_null(strstr(page.data, "40 more rows: <a href=\"best.csv\" download>"));
  assert_non_null(strstr(page.data, "Every run: in <a href=\"runs.csv\" download>"));
  assert_int_equal(ad_file_read("many-arms/report/best.csv", &rows), AD_OK);
  size_t lines = 0;
  for (const char *at = rows.data; (at = strchr(at, '\n')) != NULL; at++) {
    lines++;
  }
  assert_int_equal(lines, 1 + 12 * 20);
  ad_buffer_destroy(&page);
  ad_buffer_destroy(&rows);
}

/* A page of a thousand arms is one that a browser opens. */
static void test_thousand_arms(void **state) {
  (void)state;
  enum { ARMS = 1000, MOST_BYTES = 2000000 };
  struct ad_buffer arms = {0}, page = {0};
  for (int a = 0; a < ARMS; a++) {
    assert_int_equal(
        ad_buffer_printf(&arms, "%sa long name of arm %d: {optim: {lr: %de-6}}", a > 0 ? ", " : "", a, a + 1), AD_OK);
  }
  report_on("thousand", "seed.init: 0..1", arms.data, 200, sevenths, "1000 arms, 2 combinations of seeds");
  assert_int_equal(ad_file_read("thousand/report/report.html", &page), AD_OK);
  assert_true(page.size < MOST_BYTES);
  assert_non_null(strstr(page.data, "Drawn: the first 40 of 1000 arms; the table has all."));
  ad_buffer_destroy(&arms);
  ad_buffer_destroy(&page);
}

/* What was registered, what differs, and verdicts at looks. */
static void test_registered(void **state) {
  (void)state;
  const char *three = "base: {}, other: {optim: {lr: 0.5}}, third: {optim: {lr: 0.25}}", *seeds = "seed.init: 0..7";
  report_on("registered", seeds, three, 24, alike, "registered before the first cell: as registered. What it does not");
  report_on("registered", seeds, three, 24, alike, "8 of 8 planned combinations of seeds are complete; look 2 of 2");
  report_on("registered", seeds, three, 24, alike, "other against base: equivalent. dev error");
  report_on("registered", seeds, three, 24, alike, "third against base: exploratory. dev error");
  report_on("registered-else", seeds, three, 24, alike, "it differs now: alpha 0.01, now 0.05.");
  report_on("registered-early", seeds, three, 12, alike, "4 of 8 planned combinations of seeds are complete, fewer");
  report_on("registered-early", seeds, three, 12, alike, "other against base: undecided. dev error");
  report_on("registered-more", "seed.init: 0..9", three, 30, alike, "More than planned: 10 of 8 planned");
  report_on("unregistered", seeds, three, 24, alike, "No analysis was registered before the first cell");
  report_on("unregistered", seeds, three, 24, alike, "third against base: higher. dev error");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_degenerate), cmocka_unit_test(test_no_spread),     cmocka_unit_test(test_left_out),
      cmocka_unit_test(test_registered), cmocka_unit_test(test_thousand_arms), cmocka_unit_test(test_cost),
  };
  return cmocka_run_group_tests(tests, enter, scratch_leave);
}
