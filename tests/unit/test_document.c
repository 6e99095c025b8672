/* Tables of a report: columns show the members of a row's structure, and rows of another structure are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "report/document.h"

struct row {
  struct ad_interval interval; /* not in the order of the columns */
  struct ad_figure figure;
  size_t count;
  const char *name;
};

static const struct document_column columns[] = {COLUMN("name", "Name", UNIT_NONE, row, name),
                                                 COLUMN("count", "Count", UNIT_NONE, row, count),
                                                 COLUMN("figure", "Figure", UNIT_SCORE, row, figure),
                                                 COLUMN("interval", "Interval", UNIT_SCORE_SQUARED, row, interval)};

static struct document begin(void) {
  struct document document = {.score = UNIT_PERCENT};
  ad__document_section(&document, "section", "Section", "What it says.", "never.");
  ad__document_table(&document, "table", "Table", COLUMNS(columns));
  assert_int_equal(document.status, AD_OK);
  return document;
}

static void check_csv(const struct document *document, const char *expected) {
  struct ad_buffer csv = {0};
  assert_int_equal(ad__document_csv(&document->sections[0].tables[0], &csv), AD_OK);
  assert_string_equal(csv.data, expected);
  ad_buffer_destroy(&csv);
}

static void check_shown(const struct document *document, size_t entry, const char *expected) {
  const struct document_table *table = &document->sections[0].tables[0];
  struct ad_buffer shown = {0};
  assert_int_equal(ad__document_show(table, entry, &shown), AD_OK);
  assert_string_equal(shown.data, expected);
  ad_buffer_destroy(&shown);
}

static void test_rows(void **state) {
  (void)state;
  struct document document = begin();
  const struct row there = {ad_interval_of(0.25, 0.5), ad_figure_of(0.125), 7, "=a, \"b\""};
  const struct row missing = {ad_interval_none("no runs"), ad_figure_none("one run"), 0, "c"};
  ad__document_row(&document, &there);
  ad__document_row(&document, &missing);
  assert_int_equal(document.status, AD_OK);
  check_csv(&document,
            "name,count,figure,interval_low,interval_high,not_available\n"
            "\"'=a, \"\"b\"\"\",7,0.125,0.25,0.5,\n"
            "c,0,,,,figure: one run; interval: no runs\n");
  check_shown(&document, 0, "=a, \"b\"");
  check_shown(&document, 1, "7");
  check_shown(&document, 2, "12.5");
  check_shown(&document, 3, "[2500, 5000]");
  check_shown(&document, 6, "n/a");
  ad__document_destroy(&document);
}

struct estimate {
  struct ad_figure mean, error, other, p;
  struct ad_interval interval, own;
};

/* As many digits as two of the error, of a quarter of an interval, of a p-value. */
static void test_digits(void **state) {
  (void)state;
  static const struct document_column estimates[] = {COLUMN_BY("mean", "mean", UNIT_PERCENT, estimate, mean, "error"),
                                                     COLUMN("interval", "CI", UNIT_PERCENT, estimate, interval),
                                                     COLUMN("other", "other", UNIT_NONE, estimate, other),
                                                     COLUMN("own", "CI", UNIT_NONE, estimate, own),
                                                     COLUMN("p", "p", UNIT_NONE, estimate, p),
                                                     COLUMN("error", "error", UNIT_PERCENT, estimate, error)};
  struct document document = {.score = UNIT_PERCENT};
  ad__document_section(&document, "section", "Section", "What it says.", "never.");
  ad__document_table(&document, "table", "Table", COLUMNS(estimates));
  const struct estimate known = {ad_figure_of(0.1721342),
                                 ad_figure_of(0.001316),
                                 ad_figure_of(0.51234),
                                 ad_figure_of(0.0007529),
                                 ad_interval_of(0.1695499, 0.17484),
                                 ad_interval_of(0.4, 0.6)};
  const struct estimate unknown = {ad_figure_of(0.1721342),   ad_figure_none("one run"),   ad_figure_of(0.51234),
                                   ad_figure_none("one run"), ad_interval_none("one run"), ad_interval_none("one run")};
  ad__document_row(&document, &known);
  ad__document_row(&document, &unknown);
  check_shown(&document, 0, "17.21 \u00b1 0.13");
  check_shown(&document, 1, "[16.95, 17.48]");
  check_shown(&document, 2, "0.512");
  check_shown(&document, 3, "[0.400, 0.600]");
  check_shown(&document, 4, "0.00075");
  check_shown(&document, 6, "17.21");
  check_shown(&document, 8, "0.5123");
  assert_true(ad__document_is_error(&document.sections[0].tables[0], 5));
  assert_false(ad__document_is_error(&document.sections[0].tables[0], 0));
  ad__document_destroy(&document);
  static const struct {
    double error;
    int decimals;
  } rule[] = {{0.1316, 2}, {0.0996, 2}, {0.00994, 4}, {0.00996, 3}, {1.26, 1},
              {9.96, 0},   {12.6, 0},   {126, 0},     {1e-300, 12}};
  for (size_t i = 0; i < sizeof rule / sizeof *rule; i++) {
    assert_int_equal(ad__decimals(rule[i].error), rule[i].decimals);
  }
}

/* The head does not depend on there being rows. */
static void test_no_rows(void **state) {
  (void)state;
  struct document document = begin();
  check_csv(&document, "name,count,figure,interval_low,interval_high,not_available\n");
  ad__document_destroy(&document);
}

static void test_other_row(void **state) {
  (void)state;
  struct document document = begin();
  const struct ad_figure other = ad_figure_of(1.0);
  ad__document_row(&document, &other);
  assert_int_equal(document.status, AD_EINTERNAL);
  assert_non_null(strstr(ad_error_message(), "table: column name is of other rows"));
  ad__document_destroy(&document);
  assert_true(ad_memory_stats().live_blocks == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_digits),
                                     cmocka_unit_test(test_no_rows), cmocka_unit_test(test_other_row)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
