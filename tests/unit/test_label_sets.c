/* Labels that are sets of classes: in all forms that files have, as words, and as people read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"
#include "autodidact/task/task.h"
#include "support/scratch.h"

static const struct ad_task *const task = &ad_task_multi_label;

static const struct ad_label_value values[] = {{(char *)(uintptr_t)"red", 0},
                                               {(char *)(uintptr_t)"blue", 2},
                                               {(char *)(uintptr_t)"green", 1},
                                               {(char *)(uintptr_t)"azure", 2}};

/* The set of fields, a text with '|' between them; AD_NO_LABEL: they are no label. */
static uint32_t parse(const struct ad_label_table *table, const char *text) {
  struct ad_text_span fields[8];
  size_t count = 0;
  uint32_t set;
  for (const char *at = text; *text != '\0'; at += strcspn(at, "|") + 1) {
    fields[count++] = (struct ad_text_span){at, strcspn(at, "|")};
    if (at[strcspn(at, "|")] == '\0') {
      break;
    }
  }
  return task->parse(table, fields, count, &set) ? set : AD_NO_LABEL;
}

static void test_labels(void **state) {
  (void)state;
  static const struct {
    const char *fields;
    uint32_t list, columns;
  } cases[] = {{"", 0, AD_NO_LABEL},
               {"red", 1, AD_NO_LABEL},
               {"green|red", 3, AD_NO_LABEL},
               {"azure", 4, AD_NO_LABEL},
               {"red|red", AD_NO_LABEL, AD_NO_LABEL},
               {"blue|azure", AD_NO_LABEL, AD_NO_LABEL},
               {"red|pink", AD_NO_LABEL, AD_NO_LABEL},
               {"red|", AD_NO_LABEL, AD_NO_LABEL},
               {"1|0|1", AD_NO_LABEL, 5},
               {"0|0|0", AD_NO_LABEL, 0},
               {"1.0|True|0.0", AD_NO_LABEL, 3},
               {"1|0", AD_NO_LABEL, AD_NO_LABEL},
               {"1|0|2", AD_NO_LABEL, AD_NO_LABEL},
               {"1|0|", AD_NO_LABEL, AD_NO_LABEL}};
  for (size_t columns = 1; columns <= 3; columns += 2) {
    struct ad_label_table table;
    assert_int_equal(ad_label_table_open(&table, task, values, 4, columns), AD_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
      assert_int_equal(parse(&table, cases[i].fields), columns == 1 ? cases[i].list : cases[i].columns);
    }
    ad_label_table_close(&table);
  }
}

/* The same three labels, in all forms that files have: red and blue, none, green. Classes are red, green, blue. */
#define LAYOUT(layout) "task: multi_label\n" layout "splits: {train: {file: f}}\n"
#define RGB "classes: [red, green, blue]\n"
static const struct {
  const char *yaml, *rows;
} files[] = {
    {LAYOUT(RGB "format: csv\nheader: true\ncolumns: {text: t, label: l}\n"), "t,l\na,\"blue , red\"\nb, \na,green\n"},
    {LAYOUT(RGB "format: tsv\nheader: false\nseparator: \" | \"\ncolumns: {text: 1, label: 2}\n"),
     "a\tred | blue\nb\t\na\tgreen\n"},
    {LAYOUT("labels: {r: red, g: green, b: blue, G: green}\nformat: csv\nheader: true\ncolumns: {text: t, label: l}\n"),
     "t,l\na,\"b,r\"\nb,\na,G\n"},
    {LAYOUT(RGB "format: jsonl\ncolumns: {text: t, label: l}\n"),
     "{\"t\": \"a\", \"l\": [\"blue\", \"red\"]}\n{\"t\": \"b\", \"l\": []}\n{\"t\": \"a\", \"l\": \"green\"}\n"},
    {LAYOUT(RGB "format: csv\nheader: true\ncolumns: {text: t, label: [blue, red, green]}\n"),
     "green,blue,t,red\n0,1,a,1\n0,0,b,0\n1,0,a,0\n"},
    {LAYOUT("labels: {b: blue, r: red, g: green}\n" RGB
            "format: csv\nheader: true\ncolumns: {text: t, label: [b, r, g]}\n"),
     "g,b,t,r\n0.0,1.0,a,1.0\nFalse,False,b,False\ntrue,0,a,0\n"},
    {LAYOUT("format: csv\nheader: true\ncolumns: {text: t, label: [red, green, blue]}\n"),
     "green,blue,t,red\n0,1,a,1\n0,0,b,0\n1,0,a,0\n"},
    {LAYOUT(RGB "format: csv\nheader: false\ncolumns: {text: 1, label: [2, 3, 4]}\n"), "a,1,0,1\nb,0,0,0\na,0,1,0\n"},
    {LAYOUT(RGB "format: jsonl\ncolumns: {text: t, label: [red, green, blue]}\n"),
     "{\"t\": \"a\", \"red\": true, \"green\": false, \"blue\": 1}\n{\"t\": \"b\", \"red\": 0, \"green\": 0, \"blue\": "
     "0}\n"
     "{\"t\": \"a\", \"red\": 0, \"green\": 1, \"blue\": 0}\n"}};

static void test_files(void **state) {
  (void)state;
  static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n";
  static const uint32_t expected[] = {5, 0, 2};
  const struct ad_read_options options = {.folder = ".", .labels = 1};
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_tokenizer_create(&tokenizer, "tiny", vocabulary, sizeof vocabulary - 1, 0), AD_OK);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    struct ad_descriptor d;
    struct ad_dataset set;
    assert_int_equal(ad_file_write("f", files[i].rows, strlen(files[i].rows)), AD_OK);
    assert_int_equal(ad_descriptor_parse(&d, "name.yaml", files[i].yaml, strlen(files[i].yaml)), AD_OK);
    assert_int_equal(ad_descriptor_complete(&d, ".", NULL), AD_OK);
    if (ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer) != AD_OK) {
      fail_msg("file %zu: %s", i, ad_error_message());
    }
    assert_int_equal(set.count, 3);
    assert_memory_equal(set.label, expected, sizeof expected);
    assert_string_equal(d.classes[1], "green");
    ad_dataset_destroy(&set);
    ad_descriptor_destroy(&d);
  }
  ad_tokenizer_destroy(tokenizer);
}

static void test_sets(void **state) {
  (void)state;
  char names[64][4], *classes[64];
  struct ad_buffer text = {0};
  float logits[64];
  for (size_t c = 0; c < 64; c++) {
    snprintf(names[c], sizeof names[c], "c%zu", c);
    classes[c] = names[c];
    logits[c] = 1.0f;
  }
  static const size_t counts[] = {2, 31, 32, 62, 63, 64};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    const size_t C = counts[i], Q = ad_task_words(task, C);
    uint32_t all[3];
    task->predict(C, 0.5, logits, all);
    assert_true(Q == (C + 30) / 31 && task->is_label(C, all) && all[0] != AD_NO_LABEL);
    all[Q - 1] <<= 1;
    assert_false(task->is_label(C, all));
  }
  static const uint32_t some[] = {1u << 2 | 1u << 30, 1};
  assert_int_equal(task->print(40, classes, some, &text), AD_OK);
  assert_string_equal(text.data, "c2,c30,c31");
  ad_buffer_clear(&text);
  assert_int_equal(task->print(40, NULL, some, &text), AD_OK);
  assert_string_equal(text.data, "2,30,31");
  ad_buffer_clear(&text);
  assert_int_equal(task->print(40, classes, (const uint32_t[]){0, 0}, &text), AD_OK);
  assert_string_equal(text.data, "");
  ad_buffer_destroy(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_labels), cmocka_unit_test(test_files),
                                     cmocka_unit_test(test_sets)};
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
