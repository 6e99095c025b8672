/* Long lists with one text there twice, at the end: found in no time wherever texts must differ. 200,000 of them
 * compared each with each would take minutes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "autodidact/base/buffer.h"
#include "autodidact/base/file.h"
#include "autodidact/base/json.h"
#include "autodidact/base/status.h"
#include "autodidact/base/texts.h"
#include "autodidact/base/yaml.h"
#include "autodidact/data/descriptor.h"
#include "autodidact/study/study.h"
#include "data/reader.h"

enum { MANY = 200000, DOUBLED = 1234 };

/* Processor time, which a busy machine does not lengthen; generous for sanitizers. */
static const double LIMIT = 5.0;

static double seconds(void) {
  return (double)clock() / CLOCKS_PER_SEC;
}

static void test_order(void **state) {
  (void)state;
  static const char *const texts[] = {"b", "a", "c", "a", "b", "a"};
  size_t order[6], before = 9;
  ad_texts_order(texts, 6, order);
  static const size_t expected[] = {1, 3, 5, 0, 4, 2};
  assert_memory_equal(order, expected, sizeof order);
  assert_int_equal(ad_texts_doubled(texts, 6, order, &before), 3);
  assert_int_equal(before, 1);
  assert_int_equal(ad_texts_find(texts, 6, order, "b"), 0);
  assert_int_equal(ad_texts_find(texts, 6, order, "c"), 2);
  assert_int_equal(ad_texts_find(texts, 6, order, "aa"), 6);
  ad_texts_order(texts, 3, order);
  assert_int_equal(ad_texts_doubled(texts, 3, order, &before), 3);
  assert_int_equal(ad_texts_doubled(texts, 0, order, &before), 0);
  assert_int_equal(ad_texts_find(texts, 0, order, "a"), 0);
}

/* `begin`, MANY times `form` with its number in it, `twice`: and that of DOUBLED again, `end`. */
static struct ad_buffer list(const char *begin, const char *form, const char *joint, const char *end, int twice) {
  struct ad_buffer text = {0};
  assert_int_equal(ad_buffer_puts(&text, begin), AD_OK);
  for (size_t i = 0; i < MANY + (size_t)twice; i++) {
    char item[100];
    const size_t number = i < MANY ? i : DOUBLED;
    /* The formats are those of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(item, sizeof item, form, number, number);
#pragma GCC diagnostic pop
    assert_int_equal(ad_buffer_puts(&text, i == 0 ? "" : joint), AD_OK);
    assert_int_equal(ad_buffer_puts(&text, item), AD_OK);
  }
  assert_int_equal(ad_buffer_puts(&text, end), AD_OK);
  return text;
}

static void check(double begun, int status, const char *expected) {
  const double took = seconds() - begun;
  assert_true(status < 0);
  if (strstr(ad_error_message(), expected) == NULL || took > LIMIT) {
    fail_msg("after %.2f s: '%.200s', expected '%s'", took, ad_error_message(), expected);
  }
}

static void test_yaml(void **state) {
  (void)state;
  struct ad_buffer text = list("", "key%zu: %zu", "\n", "\n", 1);
  struct ad_yaml *tree;
  const double begun = seconds();
  check(begun, ad_yaml_parse(&tree, "many", text.data, text.size),
        "many:200001: the key \"key1234\" is there twice (first at line 1235)");
  ad_buffer_destroy(&text);
}

static void test_json(void **state) {
  (void)state;
  struct ad_buffer text = list("{", "\"key%zu\": %zu", ",\n", "}", 1);
  json_t *object;
  const double begun = seconds();
  check(begun, ad_json_parse(&object, "many", 1, text.data, text.size), "key1234");
  ad_buffer_destroy(&text);
}

#define ABOUT "title: T\nsource: S\nlicence: L\nformat: csv\nheader: true\ncolumns: {text: t, label: key1234}\n"

static void test_classes(void **state) {
  (void)state;
  struct ad_descriptor d;
  struct ad_buffer classes = list(ABOUT "classes:\n", "- class%zu", "\n", "\nsplits: {train: {file: x}}\n", 1);
  double begun = seconds();
  check(begun, ad_descriptor_parse(&d, "d.yaml", classes.data, classes.size), "classes: \"class1234\" is there twice");
  ad_buffer_destroy(&classes);
  /* Each class has a label of its own. */
  struct ad_buffer good = list(ABOUT "classes:\n", "- class%zu", "\n", "\n", 0);
  struct ad_buffer labels = list("labels:\n", "  l%zu: class%zu", "\n", "\nsplits: {train: {file: x}}\n", 0);
  assert_int_equal(ad_buffer_append(&good, labels.data, labels.size), AD_OK);
  begun = seconds();
  assert_int_equal(ad_descriptor_parse(&d, "d.yaml", good.data, good.size), AD_OK);
  assert_true(seconds() - begun < LIMIT);
  assert_int_equal(d.source[AD_SPLIT_TRAIN].label_count, MANY);
  assert_int_equal(d.source[AD_SPLIT_TRAIN].labels[DOUBLED].class_id, DOUBLED);
  ad_descriptor_destroy(&d);
  ad_buffer_destroy(&good);
  ad_buffer_destroy(&labels);
}

static void test_header(void **state) {
  (void)state;
  struct ad_descriptor d;
  struct ad_reader reader;
  static const char yaml[] = ABOUT "classes: [a, b]\nsplits: {train: {file: x}}\n";
  struct ad_buffer text = list("t,", "key%zu", ",", "\n", 1);
  assert_int_equal(ad_descriptor_parse(&d, "d.yaml", yaml, strlen(yaml)), AD_OK);
  assert_int_equal(ad_file_write("test_texts.csv", text.data, text.size), AD_OK);
  const double begun = seconds();
  check(begun, ad_reader_open(&reader, &d.source[AD_SPLIT_TRAIN], "test_texts.csv", 1),
        "the header has the column \"key1234\" 2 times");
  remove("test_texts.csv");
  ad_descriptor_destroy(&d);
  ad_buffer_destroy(&text);
}

static int read_study(const struct ad_buffer *text) {
  struct ad_study study;
  assert_int_equal(ad_file_write("test_texts.yaml", text->data, text->size), AD_OK);
  const int status = ad_study_read(&study, "test_texts.yaml");
  ad_study_destroy(&study);
  remove("test_texts.yaml");
  return status;
}

static void test_study(void **state) {
  (void)state;
  struct ad_buffer axis = list("study: {dir: s}\naxes:\n  seed.init:\n", "  - %zu", "\n", "\n", 1);
  struct ad_buffer arms = list("study: {dir: s}\narms:\n", "  arm%zu: {seed.init: %zu}", "\n", "\n", 1);
  double begun = seconds();
  check(begun, read_study(&axis), "test_texts.yaml:200004: axes: seed.init has the value 1234 twice");
  begun = seconds();
  check(begun, read_study(&arms), "the key \"arm1234\" is there twice (first at line 1237)");
  ad_buffer_destroy(&axis);
  ad_buffer_destroy(&arms);
  /* Side by side a value may come again. */
  static const char listed[] =
      "study: {dir: s}\naxes: {listed: {seed.init: [3, 1, 3, 1, 2], seed.order: [0, 0, 1, 1, 0]}}\n";
  struct ad_study study;
  assert_int_equal(ad_file_write("test_texts.yaml", listed, strlen(listed)), AD_OK);
  assert_int_equal(ad_study_read(&study, "test_texts.yaml"), AD_OK);
  assert_int_equal(study.axes[0].count, 3);
  assert_string_equal(study.axes[0].values[2], "2");
  static const uint32_t levels[][2] = {{0, 0}, {1, 0}, {0, 1}, {1, 1}, {2, 0}};
  for (size_t i = 0; i < 5; i++) {
    assert_memory_equal(study.cells[i].level, levels[i], sizeof levels[i]);
  }
  ad_study_destroy(&study);
  remove("test_texts.yaml");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_order),  cmocka_unit_test(test_yaml),
                                     cmocka_unit_test(test_json),   cmocka_unit_test(test_classes),
                                     cmocka_unit_test(test_header), cmocka_unit_test(test_study)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
