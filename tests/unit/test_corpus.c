/* Texts without labels, for masked-language modelling: what a file is taken for, that labels are not looked at, and
 * that a long text becomes several examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "autodidact/base/file.h"
#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "autodidact/data/dataset.h"
#include "autodidact/data/detect.h"
#include "support/scratch.h"

/* Ids: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, a 4, b 5, ... */
static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\ne\nf\n";

#define LINES "task: mlm\nformat: lines\nempty: skip\nsplits: {train: {file: x}}\n"
#define CUT "split: {seed: 0, dev: 1}\nsplits:\n  train: {file: "

static struct ad_descriptor parse(const char *yaml) {
  struct ad_descriptor d;
  if (ad_descriptor_parse(&d, "name.yaml", yaml, strlen(yaml)) != AD_OK) {
    fail_msg("%s", ad_error_message());
  }
  return d;
}

static void write_text(const char *path, const char *text) {
  assert_int_equal(ad_file_write(path, text, strlen(text)), AD_OK);
}

/* --- What is found. */

static const struct {
  const char *file, *content;
  const char *text;     /* --text */
  const char *expected; /* behind the descriptor's first line */
} found[] = {
    {"x.txt", "one, two\nthree, four\nfive\n", NULL, "format: lines\n\ntask: mlm\nempty: skip\n" CUT "\"x.txt\"}\n"},
    /* One column; and rows that only look like columns. */
    {"x", "one\ntwo\nthree\n", NULL, "format: lines\n\ntask: mlm\nempty: skip\n" CUT "\"x\"}\n"},
    {"x.csv", "text,label\none,1\ntwo,0\nthree,1\n", NULL,
     "format: csv\ndelimiter: comma\nheader: true\ncolumns: {text: \"text\"}\ntask: mlm\nempty: skip\n" CUT
     "\"x.csv\"}\n"},
    /* A column that looks like a label is no candidate for the text. */
    {"x.csv", "words,kind\none x,a\ntwo y,b\nthree z,a\nfour,b\n", NULL,
     "format: csv\ndelimiter: comma\nheader: true\ncolumns: {text: \"words\"}\ntask: mlm\nempty: skip\n" CUT
     "\"x.csv\"}\n"},
    {"x.tsv", "premise\thypothesis\none\ttwo\nthree\tfour\n", NULL,
     "format: tsv\nheader: true\ncolumns: {text: \"premise\", pair: \"hypothesis\"}\ntask: mlm\nempty: skip\n" CUT
     "\"x.tsv\"}\n"},
    {"x.jsonl", "{\"body\": \"one\"}\n{\"body\": \"two\"}\n", NULL,
     "format: jsonl\ncolumns: {text: \"body\"}\ntask: mlm\nempty: skip\n" CUT "\"x.jsonl\"}\n"},
    {"x.csv", "title,body,n\none,two,1\nthree,four,2\nfive,six,3\n", "body",
     "format: csv\ndelimiter: comma\nheader: true\ncolumns: {text: \"body\"}\ntask: mlm\nempty: skip\n" CUT
     "\"x.csv\"}\n"},
};

static void test_found(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
    struct ad_buffer text = {0}, told = {0};
    const struct ad_detect_request request = {
        .file = {found[i].file}, .folder = ".", .task = &ad_task_mlm, .columns = {.text = found[i].text}};
    write_text(found[i].file, found[i].content);
    if (ad_detect(&request, &text, &told) != AD_OK) {
      fail_msg("case %zu: %s", i, ad_error_message());
    }
    const char *behind = strchr(text.data, '\n') + 1;
    if (strcmp(behind, found[i].expected) != 0) {
      fail_msg("case %zu: %s, expected %s", i, behind, found[i].expected);
    }
    assert_null(strstr(told.data, "classes"));
    struct ad_descriptor d = parse(text.data);
    assert_true(d.class_count == 0 && d.task == &ad_task_mlm);
    ad_descriptor_destroy(&d);
    ad_buffer_destroy(&text);
    ad_buffer_destroy(&told);
  }
}

static void test_left_open(void **state) {
  (void)state;
  struct ad_buffer text = {0}, told = {0};
  const struct ad_detect_request request = {.file = {"two.csv"}, .folder = ".", .task = &ad_task_mlm};
  write_text("two.csv", "title,body\none,two\nthree,four\n");
  assert_int_equal(ad_detect(&request, &text, &told), AD_EINPUT);
  const char *message = ad_error_message();
  assert_non_null(strstr(message, "several columns may be the text: 1, 2; --text COLUMN"));
  write_text("two.csv", "text\none\n");
  const struct ad_detect_request plain = {.file = {"two.csv"}, .folder = "."};
  assert_int_equal(ad_detect(&plain, &text, &told), AD_EINPUT); /* a classifier needs labels */
  ad_buffer_destroy(&text);
  ad_buffer_destroy(&told);
}

/* --- Examples. */

static struct ad_tokenizer *make_tokenizer(void) {
  struct ad_tokenizer *tokenizer;
  assert_int_equal(ad_tokenizer_create(&tokenizer, "tiny", vocabulary, sizeof vocabulary - 1, 0), AD_OK);
  return tokenizer;
}

static void test_pieces(void **state) {
  (void)state;
  static const uint32_t ids[] = {2, 4, 5, 6, 3, 2, 7, 8, 9, 3, 2, 4, 3, 2, 5, 3, 2, 6, 7, 8, 3};
  static const size_t offset[] = {0, 5, 10, 13, 16, 21};
  struct ad_descriptor d = parse(LINES);
  struct ad_tokenizer *tokenizer = make_tokenizer();
  struct ad_dataset set;
  struct ad_read_options options = {.folder = ".", .limit = 5, .labels = 1};
  write_text("x", "a b c d e f a\n\nb\n \nc d e\n");
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_int_equal(set.count, 5);
  assert_memory_equal(set.offset, offset, sizeof offset);
  assert_memory_equal(set.ids, ids, sizeof ids);
  assert_true(set.longest == 5 && set.truncated == 0 && set.skipped == 1 && set.words == 1);
  assert_true(set.first[0] == 5 && set.label[4] == AD_NO_LABEL);
  ad_dataset_destroy(&set);
  options.rows = 2; /* examples, whatever lines they are of */
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 2 && !set.whole);
  ad_dataset_destroy(&set);
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&d);
}

/* Labels of a table may be anything; pairs are cut as ever. */
static void test_labels(void **state) {
  (void)state;
  struct ad_descriptor d = parse(
      "task: mlm\nclasses: [no, yes]\nlabels: {\"0\": no, \"1\": yes}\nskip: \"-\"\n"
      "format: tsv\nheader: false\ncolumns: {text: 1, pair: 2, label: 3}\n"
      "splits: {train: {file: x}}\n");
  struct ad_tokenizer *tokenizer = make_tokenizer();
  struct ad_dataset set;
  const struct ad_read_options options = {.folder = ".", .limit = 6, .labels = 1};
  assert_int_equal(d.class_count, 0);
  write_text("x", "a\tb\t7\nc d e\tf\t-\n");
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 2 && set.truncated == 1 && set.longest == 6 && set.skipped == 0);
  ad_dataset_destroy(&set);
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&d);
}

/* Nor are labels that are probabilities. */
static void test_probabilities(void **state) {
  (void)state;
  struct ad_descriptor d = parse(
      "task: mlm\nclasses: [no, yes]\nformat: tsv\nheader: true\n"
      "columns: {text: t, probabilities: [p, q]}\nsplits: {train: {file: x}}\n");
  struct ad_tokenizer *tokenizer = make_tokenizer();
  struct ad_dataset set;
  const struct ad_read_options options = {.folder = ".", .labels = 1};
  write_text("x", "t\tp\tq\na b\t0.5\tmany\n");
  assert_int_equal(ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer), AD_OK);
  assert_true(set.count == 1 && set.targets == NULL);
  ad_dataset_destroy(&set);
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&d);
}

static void test_out_of_memory(void **state) {
  (void)state;
  struct ad_descriptor d = parse(LINES);
  struct ad_tokenizer *tokenizer = make_tokenizer();
  const struct ad_read_options options = {.folder = ".", .limit = 5, .labels = 1};
  write_text("x", "a b c d e f a\nb\n");
  int status = AD_ENOMEM;
  for (unsigned long n = 1; status == AD_ENOMEM; n++) {
    struct ad_dataset set;
    const size_t live = ad_memory_stats().live_blocks;
    ad_memory_fail_at(n);
    status = ad_dataset_read(&set, &d, AD_SPLIT_TRAIN, &options, tokenizer);
    ad_memory_fail_at(0);
    if (status == AD_OK) {
      assert_int_equal(set.count, 4);
      ad_dataset_destroy(&set);
    }
    assert_true(ad_memory_stats().live_blocks <= live + 1); /* the tokenizer may keep its work memory */
  }
  assert_int_equal(status, AD_OK);
  ad_tokenizer_destroy(tokenizer);
  ad_descriptor_destroy(&d);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_found),         cmocka_unit_test(test_left_open),
                                     cmocka_unit_test(test_pieces),        cmocka_unit_test(test_labels),
                                     cmocka_unit_test(test_probabilities), cmocka_unit_test(test_out_of_memory)};
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
