/* The rows of a file as its own columns have them: names, cells, and memory that fails anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/columns.h"

#define ABOUT                                                                                              \
  "title: t\nsource: s\nlicence: l\nclasses: [no, yes]\nlabels: {\"0\": no, \"1\": yes}\nsplits: {train: " \
  "{file: x}}\nincomplete: skip\n"

static const char FILE_NAME[] = "test_columns.txt";

/* The table as "name|name\ncell|cell\n..."; a cell that is not there is "-", JSON that is no string in <>. */
static int read_table(const char *layout, struct ad_buffer *out) {
  struct ad_descriptor d;
  struct ad_columns_reader *columns = NULL;
  const struct ad_read_options options = {.file = FILE_NAME, .every_row = 1};
  const struct ad_cell *cells;
  int status = ad_descriptor_parse(&d, "test.yaml", layout, strlen(layout));
  status = status == AD_OK ? ad_columns_open(&columns, &d, AD_SPLIT_TRAIN, &options) : status;
  for (size_t i = 0; status == AD_OK && i < ad_columns_count(columns); i++) {
    status = ad_buffer_printf(out, "%s|", ad_columns_names(columns)[i]);
  }
  while (status == AD_OK && (status = ad_columns_next(columns, &cells)) == 1) {
    status = ad_buffer_puts(out, "\n");
    for (size_t i = 0; status == AD_OK && i < ad_columns_count(columns); i++) {
      const struct ad_cell *c = &cells[i];
      status = c->data == NULL ? ad_buffer_puts(out, "-|")
                               : ad_buffer_printf(out, c->json ? "<%.*s>|" : "%.*s|", (int)c->size, c->data);
    }
  }
  ad_columns_close(columns);
  ad_descriptor_destroy(&d);
  return status;
}

static void write_file(const char *text) {
  FILE *file = fopen(FILE_NAME, "wbe");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

/* Also with each allocation failing in its turn: nothing stays behind. */
static void check(const char *layout, const char *file, const char *expected) {
  struct ad_buffer out = {0};
  write_file(file);
  const size_t live = ad_memory_stats().live_blocks;
  const int status = read_table(layout, &out);
  if (status != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  assert_string_equal(out.data, expected);
  ad_buffer_destroy(&out);
  assert_int_equal(ad_memory_stats().live_blocks, live);
  int failed = AD_ENOMEM;
  for (unsigned long n = 1; failed == AD_ENOMEM; n++) {
    ad_memory_fail_at(n);
    failed = read_table(layout, &out);
    ad_memory_fail_at(0);
    ad_buffer_destroy(&out);
    assert_int_equal(ad_memory_stats().live_blocks, live);
  }
  assert_int_equal(failed, AD_OK);
  unlink(FILE_NAME);
}

static void test_tables(void **state) {
  (void)state;
  check(ABOUT "format: csv\nheader: true\ncolumns: {text: b, label: l}\n",
        "\xEF\xBB\xBF"
        "a,b,b2\r\n1,\"x \"\"y\"\"\",\r\n2\r\n,\"two\nlines\",z\r\n",
        "a|b|b2|\n1|x \"y\"||\n2|-|-|\n|two\nlines|z|");
  check(ABOUT "format: tsv\nheader: false\ncolumns: {text: 2, label: 3}\n", "a\tb\t0\nbroken\nc\td\t1\n",
        "column1|column2|column3|\na|b|0|\nbroken|-|-|\nc|d|1|");
  check(ABOUT "format: tsv\nheader: false\ncolumns: {text: 2, label: 3}\n", "a\tb\nc\td\n",
        "column1|column2|\na|b|\nc|d|");
}

static void test_objects(void **state) {
  (void)state;
  check(ABOUT "format: jsonl\ncolumns: {text: t, label: l}\n",
        "{\"t\": \"a\", \"n\": 0.1, \"x\": {\"y\": [1, [], {}, 98765432109876543210]}}\n{\"m\": 123456789012345678901, "
        "\"l\": null}\n"
        "{\"t\": \"\", \"n\": 1e300}\n",
        "t|n|x|m|l|\na|<0.1>|<{\"y\":[1,[],{},98765432109876543210]}>|-|-|\n-|-|-|<123456789012345678901>|<null>|\n|<"
        "1e300>|-|-|-|");
  check(ABOUT "format: jsonl\ncolumns: {text: t, label: l}\n", "[{\"t\": \"a\"}, {\"t\": \"b\", \"k\": true}]",
        "t|k|\na|-|\nb|<true>|");
}

static void test_selection(void **state) {
  (void)state;
  static const char layout[] =
      "title: t\nsource: s\nlicence: l\nclasses: [no, yes]\nformat: tsv\nheader: false\n"
      "columns: {text: 1, label: 2}\nfolder: .\nsplit: {seed: 1, dev: 1}\nsplits: {train: {file: test_columns.txt}}\n";
  struct ad_descriptor d;
  struct ad_columns_reader *columns = NULL;
  const struct ad_read_options options = {.every_row = 1};
  write_file("a\tno\nb\tyes\n");
  assert_int_equal(ad_descriptor_parse(&d, "test.yaml", layout, strlen(layout)), AD_OK);
  assert_int_equal(ad_columns_open(&columns, &d, AD_SPLIT_DEV, &options), AD_ECONFIG);
  assert_non_null(strstr(ad_error_message(), "selection"));
  ad_columns_close(columns);
  ad_descriptor_destroy(&d);
  unlink(FILE_NAME);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables), cmocka_unit_test(test_objects),
                                     cmocka_unit_test(test_selection)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
